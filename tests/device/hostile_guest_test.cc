// SPDX-License-Identifier: GPL-2.0-or-later
//
// Guests that do on a real CPU what no driver should: change what is being dumped, and fill the table.
#include "elf_core.h"
#include "environment.h"
#include "run_folder.h"
#include "subprocess.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>

using support::ElfCore;
using support::RunFolder;

namespace
{

constexpr std::uint64_t kRaceStart = 0x44000000;
constexpr std::uint64_t kRaceSize = 0x800000;
constexpr std::uint64_t kManyVirt = 0xffff000000000008;
constexpr std::uint64_t kSlotMemory = kRaceStart + 2 * kRaceSize;

/// `mode`: enum mode of guest/baremetal/payload.c.
support::Finished run_payload(const RunFolder& folder, int mode, const std::string& properties)
{
    auto command = support::qemu_command();
    command.insert(command.end(),
                   {"-smp", "2", "-accel", "tcg,thread=multi", "-serial", "stdio", "-monitor", "none",
                    "-device", "kmemdump-md,output=" + folder.path().string() + properties, "-kernel",
                    support::required("KMD_PAYLOAD"), "-device",
                    "loader,addr=0x48000000,data=" + std::to_string(mode) + ",data-len=4"});
    return support::run(command, std::chrono::seconds(100));
}

std::uint64_t word_at(const ElfCore& core, std::uint64_t address)
{
    const auto bytes = core.physical(address, 8);
    std::uint64_t word = 0;
    if (bytes.size() != sizeof(word)) {
        throw std::runtime_error("the dump lacks " + std::to_string(address));
    }
    std::memcpy(&word, bytes.data(), sizeof(word));
    return word;
}

// A second CPU counts in the first and in the last word of 8 MiB, which take milliseconds to write: millions
// of its steps. In a dump both words are of one moment, at most one step apart.
TEST(HostileGuest, ThatChangesMemoryAndTableAllTheTimeIsDumpedAsItWasAtOneMoment)
{
    const RunFolder folder;
    const auto guest = run_payload(folder, 10, "");
    ASSERT_EQ(guest.status, 0) << guest.output;
    ASSERT_NE(guest.output.find("cpu on 0\n"), std::string::npos) << guest.output;
    const auto dumps = support::dumps_in(folder.path());
    ASSERT_EQ(dumps.size(), 7u) << "six that it asks for, and one when it powers off: " << guest.output;
    std::uint64_t before = 0;
    for (const auto& dump : dumps) {
        const auto core = ElfCore::read(dump);
        const std::uint64_t first = word_at(core, kRaceStart);
        const std::uint64_t last = word_at(core, kRaceStart + kRaceSize - 8);
        EXPECT_TRUE(first == last || first == last + 1) << dump << ": " << first << " and " << last;
        // CPU 0 waits for that before it rings, but not before it powers off.
        const bool waited = dump.filename().string().find("request") != std::string::npos;
        EXPECT_GE(first, before + (waited ? 1000 : 0)) << "the CPU does count meanwhile";
        before = first;

        bool in_table = false;
        std::ifstream in(dump.string() + ".json");
        const auto sidecar = nlohmann::json::parse(in);
        for (const auto& region : sidecar["regions"]) {
            in_table = in_table || region["slot"] == 4;
        }
        EXPECT_EQ(core.physical(kSlotMemory, 4096).size(), in_table ? 4096u : 0u)
            << "the file has what the table had at that moment";
    }
}

TEST(HostileGuest, WithTheLargestTableFullOfRegionsGetsADumpWithEachOfThem)
{
    constexpr std::uint64_t kSlots = 65536;
    const RunFolder folder;
    const auto guest = run_payload(folder, 11, ",slots=65536,sidecar=off");
    ASSERT_EQ(guest.status, 0) << guest.output;
    EXPECT_NE(guest.output.find("regions 65536\n"), std::string::npos) << guest.output;
    const auto dumps = support::dumps_in(folder.path());
    ASSERT_EQ(dumps.size(), 1u);
    const auto core = ElfCore::read(dumps[0]);
    ASSERT_GE(core.segments.size(), kSlots) << "and a stack";
    std::vector<bool> seen(kSlots);
    for (const auto& segment : core.segments) {
        const std::uint64_t slot = (segment.virt - kManyVirt) / 0x1000;
        if (slot < kSlots && segment.file_size == 16) {
            std::uint64_t word = 0;
            std::memcpy(&word, core.bytes.data() + segment.offset, sizeof(word));
            ASSERT_EQ(word, slot) << "each holds its own number";
            seen.at(slot) = true;
        }
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), true), static_cast<std::ptrdiff_t>(kSlots));
}

} // namespace
