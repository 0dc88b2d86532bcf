// SPDX-License-Identifier: GPL-2.0-or-later
//
// The device seen from a real CPU: the bare-metal payload registers, rings and powers off.
#include "elf_core.h"
#include "environment.h"
#include "run_folder.h"
#include "subprocess.h"

#include <gtest/gtest.h>

#include <cstring>

using support::ElfCore;
using support::RunFolder;

namespace
{

constexpr std::uint64_t kVirtOffset = 0xffff000000000000;

support::Finished run_payload(const RunFolder& folder, const std::vector<std::string>& more = {})
{
    auto command = support::qemu_command();
    command.insert(command.end(), {"-serial", "stdio", "-monitor", "none", "-device",
                                   "kmemdump-md,output=" + folder.path().string(), "-kernel",
                                   support::required("KMD_PAYLOAD")});
    command.insert(command.end(), more.begin(), more.end());
    return support::run(command, std::chrono::seconds(20));
}

/// The number that the payload printed behind `name`.
std::uint64_t printed(const std::string& output, const std::string& name)
{
    const auto at = output.find(name + " ");
    return at == std::string::npos ? UINT64_MAX : std::stoull(output.substr(at + name.size() + 1));
}

TEST(Payload, LeavesADumpOfWhatItMadeAtRunTime)
{
    const RunFolder folder;
    const auto guest = run_payload(folder);
    ASSERT_EQ(guest.status, 0) << guest.output;
    EXPECT_EQ(printed(guest.output, "result"), 1u) << guest.output;
    EXPECT_EQ(printed(guest.output, "regions"), 3u);

    const auto dumps = support::dumps_in(folder.path());
    ASSERT_EQ(dumps.size(), 1u);
    const auto core = ElfCore::read(dumps[0]);
    EXPECT_EQ(printed(guest.output, "bytes"), core.bytes.size());

    const std::string text = "made at run time";
    const auto message = core.physical(printed(guest.output, "message at"), text.size());
    ASSERT_EQ(message.size(), text.size());
    EXPECT_EQ(std::memcmp(message.data(), text.data(), text.size()), 0);

    const auto pattern = core.physical(printed(guest.output, "pattern at"), 1500 * 8);
    ASSERT_EQ(pattern.size(), 1500u * 8);
    std::uint64_t value = 0x9e3779b97f4a7c15;
    for (std::size_t i = 0; i < 1500; ++i) {
        value = value * 6364136223846793005 + 1442695040888963407;
        std::uint64_t saved = 0;
        std::memcpy(&saved, pattern.data() + i * 8, 8);
        ASSERT_EQ(saved, value) << i;
    }
    unsigned stacks = 0;
    for (const auto& segment : core.segments) {
        // The CPU's MMU is off, so it stands on its stack's physical address.
        const bool is_stack = segment.virt == segment.phys;
        EXPECT_EQ(segment.virt, segment.phys + (is_stack ? 0 : kVirtOffset));
        stacks += is_stack ? 1 : 0;
    }
    EXPECT_EQ(stacks, 1u);
}

TEST(Payload, CannotFillTheDiskByRingingForEver)
{
    const RunFolder folder;
    const auto guest = run_payload(folder, {"-device", "loader,addr=0x48000000,data=1,data-len=4"});
    ASSERT_EQ(guest.status, 0) << guest.output;
    EXPECT_EQ(printed(guest.output, "result"), 6u);
    EXPECT_EQ(support::dumps_in(folder.path()).size(), 16u);
}

TEST(Payload, IsHeldAtTheDoorbellWithAnExactProgramCounter)
{
    const RunFolder folder;
    const auto guest = run_payload(folder);
    ASSERT_EQ(guest.status, 0) << guest.output;
    const auto core = ElfCore::read(support::dumps_in(folder.path()).at(0));
    ASSERT_FALSE(core.notes.empty());
    const auto& prstatus = core.notes[0].description;
    ASSERT_EQ(prstatus.size(), 392u);
    std::uint64_t pc = 0;
    std::memcpy(&pc, prstatus.data() + 112 + 32 * 8, 8);

    // Read the code around it: the last store before the PC is the doorbell's, a loop of loads follows.
    const auto code = support::ElfCore::read(support::required("KMD_PAYLOAD"));
    const auto before = code.physical(pc - 4, 4);
    ASSERT_EQ(before.size(), 4u) << std::hex << pc;
    std::uint32_t instruction = 0;
    std::memcpy(&instruction, before.data(), 4);
    const bool is_store = (instruction & 0xffc00000) == 0xb9000000;
    EXPECT_TRUE(is_store) << std::hex << "PC " << pc << " follows instruction " << instruction;
}

} // namespace
