// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kernel whose memory was changed in any way is searched and collected in bounded time, and everything
// found is RAM.
#include "fake_kernel.h"
#include "fake_objects.h"
#include "hw/linux/linux_guest.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>
#include <string>

namespace
{

using kmd::test::FakeGuest;
using kmd::test::FakeKernel;

/// Where the fake kernel has page tables, its image with kallsyms and BTF, and its other objects.
constexpr std::pair<std::uint64_t, std::uint64_t> kPlaces[] = {
    {0x10000, 0x2000}, {0x400000, 0x3000}, {0x1000000, 0x20000}};

void change(FuzzedDataProvider& data, FakeGuest& guest)
{
    const auto& [start, size] = kPlaces[data.ConsumeIntegralInRange<std::size_t>(0, std::size(kPlaces) - 1)];
    std::string bytes = data.ConsumeRandomLengthString(64);
    if (data.ConsumeBool()) { // a pointer to something that is there
        const std::uint64_t pointer = (data.ConsumeBool() ? FakeKernel::kImage : FakeKernel::kLinear) +
                                      FakeKernel::kRam + start +
                                      data.ConsumeIntegralInRange<std::uint64_t>(0, size);
        bytes.assign(reinterpret_cast<const char*>(&pointer), sizeof(pointer));
    }
    const auto at = data.ConsumeIntegralInRange<std::uint64_t>(0, size - 64);
    guest.put(FakeKernel::kRam + start + at, bytes);
}

void require_ram(const std::vector<kmd::Region>& regions, FakeGuest& guest)
{
    for (const kmd::Region& region : regions) {
        if (region.size == 0 || !kmd::is_ram(guest, region.phys, region.size)) {
            std::abort();
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    FakeGuest guest;
    FakeKernel kernel(guest);
    const kmd::test::FakeObjects variables(kernel);
    kmd::test::open_a_file(kernel, 2);
    kernel.with_types = data.ConsumeIntegralInRange(0, 7) != 0;
    kernel.with_data_symbols = data.ConsumeIntegralInRange(0, 7) != 0;
    if (data.ConsumeBool()) {
        kernel.place_exports({"init_task", "nr_cpu_ids", "__per_cpu_offset"});
    }
    kernel.finish();
    if (data.ConsumeBool()) { // any vmcoreinfo behind its first line
        guest.put(FakeKernel::kVmcoreinfo + 10, data.ConsumeRandomLengthString(400));
    }
    while (data.remaining_bytes() > 0) {
        change(data, guest);
    }
    kmd::LinuxGuest linux_guest;
    std::uint64_t budget = kmd::LinuxGuest::kMostPages;
    const kmd::LinuxKernel* const found = linux_guest.find({.elf_machine = 183}, guest, budget);
    if (found != nullptr) {
        kmd::LinuxGuest::condition(*found, guest);
        linux_guest.refresh(guest);
        require_ram(kmd::read_data(*found, guest).regions, guest);
        require_ram(kmd::read_objects(*found, guest).regions, guest);
        require_ram(kmd::read_types(*found, kmd::TypesPlace::kInDump, guest).regions, guest);
        kmd::read_types(*found, kmd::TypesPlace::kBesideDump, guest);
        const auto collected = kmd::collect_kernel(*found, guest);
        require_ram(collected.vital, guest);
        require_ram(collected.others, guest);
        kmd::layout_text(*found);
    }
    return 0;
}
