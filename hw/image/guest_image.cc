// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/image/guest_image.h"

#include "common/text.h"
#include "hw/image/repeated_bytes.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace kmd
{

namespace
{

/// The header of the largest table has 3.5 MiB.
constexpr std::uint64_t kLargestHeader = std::uint64_t{8} << 20;

/// Limit of the zeros written for missing regions and gaps.
constexpr std::uint64_t kMostZeros = std::uint64_t{64} << 20;

/// Size of a region in the file, as the kernel computes it.
constexpr std::uint64_t align4(std::uint64_t size)
{
    return (size + 3) / 4 * 4;
}

using Header = std::vector<std::byte>;

template <class T> T at(const Header& header, std::size_t offset)
{
    T value;
    std::memcpy(&value, header.data() + offset, sizeof(value));
    return value;
}

Result<Header> read_header(const CheckedRegions& regions, GuestMemory& memory)
{
    const Region* region = regions.find(KMD_KIND_ELF_HEADER);
    if (region == nullptr) {
        return Error{"the guest has not registered one"};
    }
    if (region->size < sizeof(Elf64_Ehdr) || region->size > kLargestHeader) {
        return Error{"its region has " + std::to_string(region->size) + " bytes, expected " +
                     std::to_string(sizeof(Elf64_Ehdr)) + " to " + std::to_string(kLargestHeader)};
    }
    Header header;
    while (header.size() < region->size) {
        const auto run = memory.map(region->phys + header.size(), region->size - header.size());
        if (run.empty()) {
            return Error{"its region is not RAM any more"};
        }
        header.insert(header.end(), run.begin(), run.end());
    }
    return header;
}

/// Checks the ELF header and the first program header.
std::optional<Error> check_header(const Header& header, const Machine& machine)
{
    const auto elf = at<Elf64_Ehdr>(header, 0);
    if (std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != machine.elf_class ||
        elf.e_ident[EI_DATA] != machine.elf_data) {
        return Error{"it does not begin with a 64-bit little-endian ELF header"};
    }
    if (elf.e_type != ET_CORE || elf.e_machine != machine.elf_machine) {
        return Error{"its type and machine are " + std::to_string(elf.e_type) + " and " +
                     std::to_string(elf.e_machine) + ", expected " + std::to_string(ET_CORE) + " and " +
                     std::to_string(machine.elf_machine)};
    }
    if (elf.e_phoff != sizeof(Elf64_Ehdr) || elf.e_phentsize != sizeof(Elf64_Phdr)) {
        return Error{"its program headers do not follow its ELF header or have the wrong size"};
    }
    if (elf.e_phnum < 1) {
        return Error{"it has no program headers: the guest was just changing it"};
    }
    if (elf.e_phnum > (header.size() - sizeof(Elf64_Ehdr)) / sizeof(Elf64_Phdr)) {
        return Error{"its " + std::to_string(elf.e_phnum) + " program headers do not fit its region"};
    }
    if (at<Elf64_Phdr>(header, sizeof(Elf64_Ehdr)).p_type != PT_NOTE) {
        return Error{"its first program header is not PT_NOTE"};
    }
    return std::nullopt;
}

/// Builds the file in ascending order of offset.
class Assembly
{
  public:
    Assembly(Plan& plan, GuestMemory& memory) : plan_(plan), memory_(memory) {}

    std::uint64_t end() const { return plan_.file_size; }

    /// False if the file would contain too many zeros.
    bool add_zeros(std::uint64_t size)
    {
        static constexpr std::array<std::byte, 65536> zeros{};
        if (size > kMostZeros - zeros_) {
            return false;
        }
        zeros_ += size;
        plan_.file_size += size;
        while (size > 0) {
            const auto piece = std::span(zeros).first(std::min<std::uint64_t>(size, zeros.size()));
            plan_.body.push_back(piece);
            size -= piece.size();
        }
        return true;
    }

    /// Adds `size` bytes of RAM; zeros in place of what is not RAM. False as in add_zeros().
    bool add_memory(std::uint64_t phys, std::uint64_t size)
    {
        while (size > 0) {
            const auto run = memory_.map(phys, size);
            if (run.empty()) {
                return add_zeros(size);
            }
            plan_.body.push_back(run);
            plan_.file_size += run.size();
            phys += run.size();
            size -= run.size();
        }
        return true;
    }

  private:
    Plan& plan_;
    GuestMemory& memory_;
    std::uint64_t zeros_ = 0;
};

/// Finds the region of a program header without a linear search.
class RegionIndex
{
  public:
    explicit RegionIndex(std::span<const Region> regions)
    {
        for (std::size_t i = 0; i < regions.size(); ++i) {
            const Region& region = regions[i];
            entries_.push_back({{region.phys, region.virt, align4(region.size)}, i});
        }
        std::sort(entries_.begin(), entries_.end());
    }

    /// The first region with the addresses and the file size of a program header.
    std::optional<std::size_t> find(const Elf64_Phdr& load) const
    {
        return find(Key{load.p_paddr, load.p_vaddr, load.p_filesz});
    }

    /// The first region with the same addresses and file size as `region`.
    std::size_t first_like(const Region& region) const
    {
        return *find(Key{region.phys, region.virt, align4(region.size)});
    }

  private:
    /// Physical address, virtual address, size in the file.
    using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;
    using Entry = std::pair<Key, std::size_t>;

    std::optional<std::size_t> find(const Key& key) const
    {
        const auto entry = std::lower_bound(entries_.begin(), entries_.end(), Entry{key, 0});
        return entry != entries_.end() && entry->first == key ? std::optional(entry->second) : std::nullopt;
    }

    std::vector<Entry> entries_;
};

std::vector<Elf64_Phdr> loads_in_file_order(const Header& header)
{
    std::vector<Elf64_Phdr> loads;
    const auto count = at<Elf64_Ehdr>(header, 0).e_phnum;
    for (std::size_t i = 1; i < count; ++i) {
        loads.push_back(at<Elf64_Phdr>(header, sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr)));
    }
    std::stable_sort(loads.begin(), loads.end(),
                     [](const Elf64_Phdr& a, const Elf64_Phdr& b) { return a.p_offset < b.p_offset; });
    return loads;
}

/// The plan of a file that has only its head yet.
Plan begin_plan(Header header)
{
    Plan plan;
    plan.head = std::move(header);
    plan.flags_offset = offsetof(Elf64_Ehdr, e_flags);
    plan.complete_flags = at<Elf64_Ehdr>(plan.head, 0).e_flags & ~kElfIncomplete;
    const std::uint32_t marked = plan.complete_flags | kElfIncomplete;
    std::memcpy(plan.head.data() + plan.flags_offset, &marked, sizeof(marked));
    plan.file_size = plan.head.size();
    plan.vital_size = plan.head.size();
    return plan;
}

/// Adds the memory of each program header at its offset. Returns what is wrong with the headers, if anything.
std::optional<Error> add_loads(Plan& plan, Assembly& file, const CheckedRegions& regions)
{
    std::uint32_t loads = 0;
    std::vector<Segment> saved;
    std::vector<bool> described(regions.size());
    const RegionIndex index(regions.all());
    for (const Elf64_Phdr& load : loads_in_file_order(plan.head)) {
        if (load.p_type != PT_LOAD || load.p_filesz != load.p_memsz || load.p_offset < file.end()) {
            return Error{"its program header for " + hex(load.p_paddr) + " does not fit the others"};
        }
        const auto region = index.find(load);
        const bool there = region && regions.is_ram(*region);
        const std::uint64_t size = there ? regions[*region].size : 0;
        if (!file.add_zeros(load.p_offset - file.end()) || (there && !file.add_memory(load.p_paddr, size)) ||
            !file.add_zeros(load.p_filesz - size)) {
            return Error{"it describes more than " + std::to_string(kMostZeros) +
                         " bytes that no region holds"};
        }
        plan.segments.push_back({load.p_paddr, load.p_vaddr, load.p_filesz, load.p_offset});
        if (there) {
            saved.push_back({load.p_paddr, load.p_vaddr, size, load.p_offset});
            described[*region] = true;
            ++loads;
        }
    }
    if (repeated_bytes(std::move(saved)) > kMostRepeated) {
        return Error{"its regions hold more than " + std::to_string(kMostRepeated) + " bytes more than once"};
    }
    for (std::size_t i = 0; i < regions.size(); ++i) {
        const bool wanted = regions[i].kind == KMD_KIND_MEMORY && regions.is_ram(i);
        plan.not_described += wanted && !described[index.first_like(regions[i])] ? 1 : 0;
    }
    plan.regions += loads;
    return loads > 0 ? std::nullopt : std::optional(Error{"it describes none of the regions"});
}

} // namespace

Result<Plan> compose_guest_image(const CheckedRegions& regions, GuestMemory& memory, const Machine& machine)
{
    auto header = read_header(regions, memory);
    if (!header) {
        return header.error();
    }
    if (auto wrong = check_header(header.value(), machine)) {
        return *wrong;
    }
    Plan plan = begin_plan(std::move(header.value()));
    Assembly file(plan, memory);
    if (const Region* vmcoreinfo = regions.find(KMD_KIND_VMCOREINFO)) {
        file.add_memory(vmcoreinfo->phys, vmcoreinfo->size);
        file.add_zeros(align4(vmcoreinfo->size) - vmcoreinfo->size);
        ++plan.regions;
    }
    if (auto wrong = add_loads(plan, file, regions)) {
        return *wrong;
    }
    return plan;
}

} // namespace kmd
