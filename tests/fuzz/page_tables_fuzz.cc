// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any vmcoreinfo, tables and stacks: the walk ends, and finds nothing but RAM.
#include "fuzzed_machine.h"

#include "cpu_notes.h"
#include "hw/snapshot/snapshot.h"
#include "mmu_registers.h"

#include <algorithm>
#include <string>

namespace
{

std::string number(FuzzedDataProvider& data, std::initializer_list<const char*> usual)
{
    const auto choice = data.ConsumeIntegralInRange<std::size_t>(0, usual.size());
    return choice < usual.size() ? usual.begin()[choice] : data.ConsumeRandomLengthString(20);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    using namespace kmd;
    // The CPU's registers come from the end, so that the seeds keep their meaning.
    const std::size_t tail = std::min<std::size_t>(size, 40);
    FuzzedDataProvider data(bytes, size);
    FuzzedDataProvider special(bytes + (size - tail), tail);
    test::FakeHost host;
    host.guest.add_ram(fuzz::kRam, fuzz::kRamSize);
    const std::string text =
        "PAGESIZE=" + number(data, {"4096", "16384", "65536"}) +
        "\nSYMBOL(swapper_pg_dir)=" + number(data, {"ffff800000010000", "ffff800000000000"}) +
        "\nNUMBER(VA_BITS)=" + number(data, {"48", "52", "39"}) +
        "\nNUMBER(kimage_voffset)=" + number(data, {"0xffff7fffc0000000"}) +
        "\nNUMBER(PHYS_OFFSET)=" + number(data, {"0x40000000"}) +
        "\nNUMBER(TCR_EL1_T1SZ)=" + number(data, {"0x10", "0xc", "0x19"}) + "\n";
    host.guest.put(fuzz::kRam, text.substr(0, 4000));
    std::vector<Region> regions(1);
    regions[0].phys = fuzz::kRam;
    regions[0].virt = 0xffff800000000000;
    regions[0].size = 0x1000;
    regions[0].kind = KMD_KIND_VMCOREINFO;
    while (data.remaining_bytes() > 0) {
        if (data.ConsumeBool()) { // a descriptor that leads somewhere in RAM
            const std::uint64_t descriptor =
                (fuzz::kRam + 0x1000 * data.ConsumeIntegralInRange<std::uint64_t>(0, 0x3f)) | 3;
            const auto at = fuzz::kRam + 0x10000 + 8 * data.ConsumeIntegralInRange<std::uint64_t>(0, 0x5fff);
            host.guest.put(at, {reinterpret_cast<const char*>(&descriptor), 8});
        } else if (data.ConsumeBool()) {
            Region region;
            region.phys = fuzz::kRam;
            region.virt = data.ConsumeIntegral<std::uint64_t>();
            region.size = data.ConsumeIntegralInRange<std::uint64_t>(1, fuzz::kRamSize);
            if (region.virt + (region.size - 1) >= region.virt) {
                regions.push_back(region);
            }
        } else {
            const std::uint64_t value = data.ConsumeIntegral<std::uint64_t>();
            const auto at = fuzz::kRam + 0x10000 + 8 * data.ConsumeIntegralInRange<std::uint64_t>(0, 0x5fff);
            host.guest.put(at, {reinterpret_cast<const char*>(&value), 8});
        }
    }
    test::turn_on_mmu(host, 0, fuzz::kRam + 0x10000);
    host.registers[{0, test::kHcrEl2}] = 0;
    for (const auto number : {test::kTcrEl1, test::kTtbr0El1, test::kTtbr1El1, test::kHcrEl2}) {
        if (special.ConsumeBool()) {
            host.registers[{0, number}] = special.ConsumeIntegral<std::uint64_t>();
        }
    }
    const auto notes = test::cpu_notes({{0, 0xffff800080000100, 0xffff800080000200, 5}});
    Machine machine;
    machine.elf_machine = 183;
    auto snapshot = read_regions(regions, machine, host.guest);
    read_enrichment(snapshot, {true, true, true, true}, false, notes, nullptr, machine, host.guest, host);
    for (const auto& found : {snapshot.stacks, snapshot.tables}) {
        for (const Region& region : found) {
            fuzz::require(is_ram(host.guest, region.phys, region.size), "what is gathered is RAM");
        }
    }
    fuzz::require(snapshot.tables.size() <= 8192, "the tables are bounded");
    return 0;
}
