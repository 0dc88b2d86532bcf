// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/image/qcom_image.h"

#include "hw/image/append.h"
#include "hw/image/repeated_bytes.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace kmd
{

namespace
{

constexpr const char* kTableName = "md_toc.bin";

/// The firmware's table has 201 entries. Each file takes the host's file system up to a millisecond.
constexpr std::size_t kMostFiles = 8192;

/// The kernel's backend for that firmware registers names as "K%.8s".
constexpr std::size_t kLongestName = 8;

/// Four characters as the firmware compares them: the first is the highest byte.
constexpr std::uint32_t magic(const char (&text)[5])
{
    return static_cast<std::uint32_t>(text[0]) << 24 | static_cast<std::uint32_t>(text[1]) << 16 |
           static_cast<std::uint32_t>(text[2]) << 8 | static_cast<std::uint32_t>(text[3]);
}

constexpr std::uint32_t kEnabled = magic("ENBL");
constexpr std::uint32_t kValid = magic("VALI");
constexpr std::uint32_t kEncryptionDone = magic("DONE");
constexpr std::uint32_t kEncryptionNotRequired = 'N' << 8 | 'R';

struct Subsystem {
    std::uint32_t status = 0;
    std::uint32_t enabled = 0;
    std::uint32_t encryption_status = 0;
    std::uint32_t encryption_required = 0;
    std::uint32_t region_count = 0;
    std::uint32_t reserved = 0;
    std::uint64_t regions_offset = 0;
};
static_assert(sizeof(Subsystem) == 32);

struct GlobalTable {
    /// Not 0 if the table is initialised; used as the mark of completeness.
    std::uint32_t status = 0;
    std::uint32_t revision = 1;
    std::uint32_t enabled = kEnabled;
    std::uint32_t reserved = 0;
    /// The first one is that of the CPUs that run Linux.
    std::array<Subsystem, 10> subsystems;
};
static_assert(sizeof(GlobalTable) == 336);

struct RegionEntry {
    std::array<char, 16> name{};
    std::uint32_t number = 0;
    std::uint32_t valid = kValid;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
};
static_assert(sizeof(RegionEntry) == 40);

constexpr std::uint64_t align4(std::uint64_t size)
{
    return (size + 3) / 4 * 4;
}

bool is_name_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/// Readers look for the ELF header and vmcoreinfo by name.
std::string name_of(const Region& region)
{
    if (region.kind == KMD_KIND_ELF_HEADER) {
        return "KELF";
    }
    std::string name = region.kind == KMD_KIND_VMCOREINFO ? "vmcoreinfo" : printable_name(region);
    name = name.empty() ? "unknown" : name.substr(0, kLongestName);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return !is_name_character(c); }, '_');
    return "K" + name;
}

/// Builds the parts of a plan, one for each region, and the table that lists them.
class Assembly
{
  public:
    Assembly(Plan& plan, GuestMemory& memory) : plan_(plan), memory_(memory)
    {
        plan_.parts.push_back({kTableName, 0});
        names_.insert(kTableName);
    }

    void add(const Region& region)
    {
        RegionEntry entry;
        const std::string name = name_of(region);
        std::copy(name.begin(), name.end(), entry.name.begin());
        entry.number = region.id;
        entry.address = region.phys;
        entry.size = align4(region.size);
        append(entries_, entry);
        plan_.parts.push_back({file_name(name, region.id), entry.size});
        plan_.segments.push_back({region.phys, region.virt, entry.size, 0});
        add_memory(region);
        ++plan_.regions;
    }

    void finish()
    {
        GlobalTable table;
        table.subsystems[0] = {1, kEnabled,           kEncryptionDone, kEncryptionNotRequired, plan_.regions,
                               0, sizeof(GlobalTable)};
        append(plan_.head, table);
        plan_.head.insert(plan_.head.end(), entries_.begin(), entries_.end());
        plan_.flags_offset = offsetof(GlobalTable, status);
        plan_.complete_flags = 1;
        plan_.parts.front().size = plan_.head.size();
        std::uint64_t offset = plan_.head.size();
        for (Segment& segment : plan_.segments) {
            segment.file_offset = offset;
            offset += segment.size;
        }
        plan_.file_size = offset;
        plan_.vital_size = plan_.head.size();
    }

  private:
    /// A unique file name, even if the guest gives two regions the same name and id.
    std::string file_name(const std::string& name, std::uint32_t id)
    {
        const std::string base = "md_" + name + std::to_string(id);
        std::string file = base + ".BIN";
        for (unsigned& count = counts_[base]; !names_.insert(file).second;) {
            // Continues after the last number that was tried for this name.
            count = std::max(count + 1, 2u);
            file = base + "_" + std::to_string(count) + ".BIN";
        }
        return file;
    }

    void add_memory(const Region& region)
    {
        static constexpr std::array<std::byte, 4096> zeros{};
        for (std::uint64_t done = 0, size = align4(region.size); done < size;) {
            auto run = done < region.size ? memory_.map(region.phys + done, region.size - done)
                                          : std::span<const std::byte>();
            if (run.empty()) {
                run = std::span(zeros).first(std::min<std::uint64_t>(zeros.size(), size - done));
            }
            plan_.body.push_back(run);
            done += run.size();
        }
    }

    Plan& plan_;
    GuestMemory& memory_;
    std::vector<std::byte> entries_;
    std::unordered_set<std::string> names_;
    /// For each base name, the highest number that was tried.
    std::unordered_map<std::string, unsigned> counts_;
};

} // namespace

Result<Plan> compose_qcom_image(const CheckedRegions& regions, GuestMemory& memory)
{
    if (regions.size() > kMostFiles) {
        return Error{"it makes a file for each region, " + std::to_string(kMostFiles) +
                     " at most, and there are " + std::to_string(regions.size()) + " regions"};
    }
    Plan plan;
    Assembly files(plan, memory);
    for (std::size_t i = 0; i < regions.size(); ++i) {
        if (regions.is_ram(i)) {
            files.add(regions[i]);
        }
    }
    files.finish();
    if (repeated_bytes(plan.segments) > kMostRepeated) {
        return Error{"its regions hold more than " + std::to_string(kMostRepeated) + " bytes more than once"};
    }
    return plan;
}

} // namespace kmd
