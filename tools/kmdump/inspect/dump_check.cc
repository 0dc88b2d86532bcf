// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/inspect/dump_check.h"

#include "common/architecture.h"
#include "common/text.h"
#include "common/vmcoreinfo.h"
#include "kmdump/inspect/memory_contents.h"
#include "kmdump/kernel/cpu_registers.h"
#include "kmdump/kernel/page_walk.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <tuple>
#include <utility>

namespace kmdump
{

namespace
{

/// Further findings of the same kind are not listed.
constexpr std::size_t kMostFindingsOfAKind = 20;

/// Bytes that are compared where segments overlap. Real dumps have hardly any overlaps.
constexpr std::uint64_t kMostCompared = std::uint64_t{256} << 20;

std::uint64_t last_of(std::uint64_t start, std::uint64_t size)
{
    return start + (size - 1);
}

std::string name_of(std::size_t index)
{
    return "segment " + std::to_string(index);
}

std::string name_of(const SidecarRegion& region)
{
    return "region '" + region.name + "' of slot " + std::to_string(region.slot);
}

class Check
{
  public:
    Check(const CoreFile& core, const std::optional<Sidecar>& sidecar, std::uint64_t stored_bytes)
        : core_(core), sidecar_(sidecar), stored_bytes_(stored_bytes), vmcoreinfo_(core.summary().vmcoreinfo),
          page_walk_(core, vmcoreinfo_)
    {
    }

    std::vector<Finding> run()
    {
        check_completeness();
        check_layout();
        check_notes();
        check_segments();
        check_file_ranges();
        check_addresses("physical", &Segment::phys);
        check_addresses("virtual", &Segment::virt);
        check_page_tables();
        check_registers();
        if (sidecar_) {
            check_sidecar(*sidecar_);
        }
        return std::move(findings_);
    }

  private:
    void error(const std::string& what) { findings_.push_back({true, what}); }
    void warning(const std::string& what) { findings_.push_back({false, what}); }

    void check_completeness()
    {
        if (!core_.summary().complete) {
            error("the file is marked incomplete: the host could not write everything");
        }
        std::uint64_t lost = 0;
        for (const Segment& segment : core_.segments()) {
            lost += segment.lost;
        }
        if (lost > 0) {
            error("the file ends too early: " + std::to_string(lost) + " bytes of segments are missing");
        }
    }

    /// Checks what crash and makedumpfile rely on, unlike gdb and drgn.
    void check_layout()
    {
        const CoreLayout& layout = core_.layout();
        if (layout.program_headers_at != sizeof(Elf64_Ehdr)) {
            warning("the program headers are not right behind the ELF header, where crash looks for them");
        }
        if (layout.note_segments != 1 || !layout.note_first) {
            warning("the first program header, and no other, should be of type PT_NOTE: there are " +
                    std::to_string(layout.note_segments) + (layout.note_first ? "" : ", not first"));
        }
        if (core_.segments().empty()) {
            error("there is no memory in the file");
        }
    }

    void check_notes()
    {
        const CoreLayout& layout = core_.layout();
        if (layout.stray_note_bytes > 0) {
            error("the notes do not end where their program header says: " +
                  std::to_string(layout.stray_note_bytes) + " bytes are not notes");
        }
        if (core_.summary().prstatus.empty()) {
            warning("there are no registers of any CPU (notes NT_PRSTATUS)");
        }
        const kmd::Architecture* const architecture = kmd::find_architecture(core_.summary().machine);
        std::size_t wrong = 0;
        for (std::size_t cpu = 0; cpu < core_.summary().prstatus.size(); ++cpu) {
            const std::size_t size = core_.summary().prstatus[cpu].size();
            if (architecture != nullptr && size != architecture->prstatus_size &&
                ++wrong <= kMostFindingsOfAKind) {
                error("the registers of CPU " + std::to_string(cpu) + " take " + std::to_string(size) +
                      " bytes, expected " + std::to_string(architecture->prstatus_size));
            }
        }
        if (core_.summary().vmcoreinfo.empty()) {
            warning("there is no note VMCOREINFO: the guest did not give one to the host");
        } else if (!vmcoreinfo_.text("OSRELEASE")) {
            error("the note VMCOREINFO does not name the kernel (OSRELEASE)");
        }
    }

    void check_segments()
    {
        std::size_t aligned = 0;
        std::size_t larger = 0;
        for (std::size_t i = 0; i < core_.segments().size(); ++i) {
            const Segment& segment = core_.segments()[i];
            if (segment.memory_size < segment.file_size + segment.lost && ++larger <= kMostFindingsOfAKind) {
                error(name_of(i) + " has more bytes in the file than in memory");
            }
            aligned += segment.align != 0 ? 1 : 0;
        }
        if (aligned > 0) {
            warning("segments with an alignment, for which crash refuses the file: " +
                    std::to_string(aligned));
        }
    }

    /// Indices of the segments with bytes in the file, in ascending order of `member`.
    std::vector<std::size_t> sorted_by(std::uint64_t Segment::*member) const
    {
        std::vector<std::size_t> order;
        for (std::size_t i = 0; i < core_.segments().size(); ++i) {
            if (core_.segments()[i].file_size > 0) {
                order.push_back(i);
            }
        }
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return core_.segments()[a].*member < core_.segments()[b].*member;
        });
        return order;
    }

    /// Calls `visit` for each segment that overlaps with the earlier one that ends last.
    template <class Visit> void for_each_overlap(std::uint64_t Segment::*member, Visit visit) const
    {
        std::optional<std::size_t> widest;
        for (const std::size_t i : sorted_by(member)) {
            const Segment& segment = core_.segments()[i];
            if (widest) {
                const Segment& before = core_.segments()[*widest];
                if (segment.*member <= last_of(before.*member, before.file_size)) {
                    visit(*widest, i);
                }
                if (last_of(segment.*member, segment.file_size) <=
                    last_of(before.*member, before.file_size)) {
                    continue;
                }
            }
            widest = i;
        }
    }

    void check_file_ranges()
    {
        const CoreLayout& layout = core_.layout();
        const AddressMap notes = notes_by_offset();
        std::size_t headers_shown = 0;
        std::size_t notes_shown = 0;
        for (std::size_t i = 0; i < core_.segments().size(); ++i) {
            const Segment& segment = core_.segments()[i];
            if (segment.file_size == 0) {
                continue;
            }
            if (segment.file_offset < layout.program_headers_end && ++headers_shown <= kMostFindingsOfAKind) {
                error(name_of(i) + " shows the file's own headers as memory");
            }
            if (notes.overlaps(segment.file_offset, segment.file_size) &&
                ++notes_shown <= kMostFindingsOfAKind) {
                error(name_of(i) + " shows the notes as memory");
            }
        }
        std::size_t found = 0;
        for_each_overlap(&Segment::file_offset, [&](std::size_t a, std::size_t b) {
            const Segment& first = core_.segments()[a];
            const Segment& second = core_.segments()[b];
            if (second.phys - first.phys != second.file_offset - first.file_offset &&
                ++found <= kMostFindingsOfAKind) {
                error(name_of(a) + " and " + name_of(b) +
                      " show the same bytes of the file at two physical addresses");
            }
        });
    }

    /// The notes, with file offsets as addresses.
    AddressMap notes_by_offset() const
    {
        std::vector<Extent> extents;
        for (const Extent& notes : core_.layout().note_extents) {
            if (notes.size > 0) {
                extents.push_back({notes.file_offset, notes.size, notes.file_offset});
            }
        }
        return AddressMap(std::move(extents));
    }

    /// Checks that segments with the same address have the same bytes there.
    void check_addresses(const std::string& kind, std::uint64_t Segment::*member)
    {
        std::size_t found = 0;
        std::uint64_t left = kMostCompared;
        for_each_overlap(member, [&](std::size_t a, std::size_t b) {
            const Segment& first = core_.segments()[a];
            const Segment& second = core_.segments()[b];
            const std::uint64_t into = second.*member - first.*member;
            const std::uint64_t size = std::min(second.file_size, first.file_size - into);
            if (left == 0 || first.file_offset + into == second.file_offset) {
                return;
            }
            if (size > left) {
                left = 0;
                error("segments overlap at " + kind +
                      " addresses in more than 256 MiB: not all of it was compared");
                return;
            }
            left -= std::max<std::uint64_t>(size, std::min<std::uint64_t>(left, 4096));
            if (!same_bytes(first.file_offset + into, second.file_offset, size) &&
                ++found <= kMostFindingsOfAKind) {
                error(name_of(a) + " and " + name_of(b) + " disagree about the memory at " + kind +
                      " address " + kmd::hex(second.*member));
            }
        });
    }

    bool same_bytes(std::uint64_t a, std::uint64_t b, std::uint64_t size) const
    {
        const std::size_t block = std::min<std::uint64_t>(size, 65536);
        std::vector<std::byte> left(block);
        std::vector<std::byte> right(block);
        for (std::uint64_t done = 0; done < size; done += block) {
            const std::size_t now = std::min<std::uint64_t>(block, size - done);
            if (!core_.read_file(a + done, std::span(left).first(now)) ||
                !core_.read_file(b + done, std::span(right).first(now)) ||
                !std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(now), right.begin())) {
                return false;
            }
        }
        return true;
    }

    /// Whether the page tables map `virt` to `phys`. True if the dump lacks them.
    bool maps_to(std::uint64_t virt, std::uint64_t phys) const
    {
        const kmd::Translation found = page_walk_.translate(virt);
        return found.mapping == kmd::Mapping::kUnknown ||
               (found.mapping == kmd::Mapping::kMapped && found.phys == phys);
    }

    void check_page_tables()
    {
        std::size_t found = 0;
        for (std::size_t i = 0; i < core_.segments().size(); ++i) {
            const Segment& segment = core_.segments()[i];
            // QEMU stores physical addresses as p_vaddr when it does not know the virtual ones.
            if (segment.file_size > 0 && segment.virt != segment.phys &&
                !maps_to(segment.virt, segment.phys) && ++found <= kMostFindingsOfAKind) {
                error("the guest's page tables do not map " + name_of(i) + " as it says: virtual " +
                      kmd::hex(segment.virt) + ", physical " + kmd::hex(segment.phys));
            }
        }
    }

    /// Whether the page tables map `virt`. True if the dump lacks them.
    bool is_mapped(std::uint64_t virt) const
    {
        return page_walk_.translate(virt).mapping != kmd::Mapping::kNotMapped;
    }

    /// Checks that pc and sp of CPUs in the kernel are mapped. Unmapped ones belong to another kernel, which
    /// took over after a panic.
    void check_registers()
    {
        const auto cpus = read_cpu_registers(core_.summary());
        for (std::size_t i = 0; cpus && i < cpus.value().size(); ++i) {
            const kmd::CpuRegisters& registers = cpus.value()[i];
            if (!registers.in_kernel) {
                continue;
            }
            // The pointer of an empty stack is just past its end, which need not be mapped.
            const bool has_stack = is_mapped(registers.sp) || is_mapped(registers.sp - 1);
            for (const auto& [name, address, mapped] :
                 {std::tuple("pc", registers.pc, is_mapped(registers.pc)),
                  std::tuple("sp", registers.sp, has_stack)}) {
                if (!mapped) {
                    error("CPU " + std::to_string(i) +
                          " is in a kernel, but the page tables of the kernel in the "
                          "dump do not map its " +
                          name + ", " + kmd::hex(address) + ": its registers are of another kernel");
                }
            }
        }
    }

    void check_sidecar(const Sidecar& sidecar)
    {
        if (sidecar.bytes != stored_bytes_) {
            error("the sidecar says " + std::to_string(sidecar.bytes) + " bytes, the file has " +
                  std::to_string(stored_bytes_));
        }
        if (sidecar.image_bytes != core_.file_size()) {
            error("the sidecar says " + std::to_string(sidecar.image_bytes) +
                  " bytes before compression, there are " + std::to_string(core_.file_size()));
        }
        if ((sidecar.result != "incomplete") != core_.summary().complete) {
            error("the sidecar says that the dump is " + sidecar.result + ", the file says that it is " +
                  (core_.summary().complete ? "complete" : "incomplete"));
        }
        const std::set<std::uint64_t> left_out = slots_left_out(sidecar);
        std::size_t found = 0;
        for (const SidecarRegion& region : sidecar.regions) {
            if (!region.accepted) {
                warning(name_of(region) + " was rejected: " + region.status);
            } else if (found < kMostFindingsOfAKind && !check_region(sidecar, left_out, region)) {
                ++found;
            }
        }
    }

    static std::set<std::uint64_t> slots_left_out(const Sidecar& sidecar)
    {
        std::set<std::uint64_t> slots;
        for (const LeftOut& left_out : sidecar.left_out) {
            if (left_out.slot) {
                slots.insert(*left_out.slot);
            }
        }
        return slots;
    }

    bool check_region(const Sidecar& sidecar, const std::set<std::uint64_t>& left_out,
                      const SidecarRegion& region)
    {
        // An enriched dump has the memory that these describe, but not themselves.
        const bool left_out_by_design =
            sidecar.format == "enriched" && (region.kind == "elf-header" || region.kind == "list");
        if (left_out_by_design || left_out.contains(region.slot) || sidecar.format == "coreimage") {
            return true;
        }
        if (!find_in_file(core_, region.phys, region.size)) {
            error(name_of(region) + " is not in the dump, although the sidecar says so");
            return false;
        }
        if (!maps_to(region.virt, region.phys)) {
            error("the guest's page tables do not map " + name_of(region) + " as it says: virtual " +
                  kmd::hex(region.virt) + ", physical " + kmd::hex(region.phys));
            return false;
        }
        return true;
    }

    const CoreFile& core_;
    const std::optional<Sidecar>& sidecar_;
    std::uint64_t stored_bytes_;
    kmd::Vmcoreinfo vmcoreinfo_;
    PageWalk page_walk_;
    std::vector<Finding> findings_;
};

} // namespace

std::vector<Finding> check_dump(const CoreFile& core, const std::optional<Sidecar>& sidecar,
                                std::uint64_t stored_bytes)
{
    return Check(core, sidecar, stored_bytes).run();
}

} // namespace kmdump
