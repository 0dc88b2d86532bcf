// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the backtraces of kernels without frame records: an x86-64 kernel of the test's own.
#include "common/x86_64.h"
#include "core_maker.h"
#include "kmdump/kernel/backtrace.h"
#include "kmdump/kernel/cpu_states.h"

#include <gtest/gtest.h>

namespace
{

using kmdump::Backtrace;
using kmdump::CoreFile;
using kmdump::KernelMemory;
using kmdump::Symbols;
using kmdump::Unwinder;
using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::put;
using kmdump_test::TemporaryFile;

constexpr std::uint64_t kText = 0xffffffff81000000;
constexpr std::uint64_t kTask = 0xffffc90000010000;
constexpr std::uint64_t kInterrupt = 0xffffc90000021000;

const Symbols& symbols()
{
    static const Symbols symbols({{kText, "_stext"},
                                  {kText + 0x100, "__schedule"},
                                  {kText + 0x200, "schedule"},
                                  {kText + 0x300, "kthreadd"},
                                  {kText + 0x400, "_etext"},
                                  {kText + 0x500, "some_data"},
                                  {kText + 0x600, "_end"}});
    return symbols;
}

struct Stacks {
    Bytes task = Bytes(0x4000);
    Bytes interrupt = Bytes(0x4000);

    Backtrace unwind(std::uint64_t sp) const
    {
        CoreMaker maker;
        maker.memory = {{kTask, 0x1000000, task}, {kInterrupt, 0x2000000, interrupt}};
        const TemporaryFile file(maker.make());
        const auto core = CoreFile::open(file.path());
        EXPECT_TRUE(core);
        const kmd::Vmcoreinfo info("");
        const KernelMemory memory(core.value(), info);
        return Unwinder(memory, info, &kmd::kX86_64, symbols()).unwind({kText + 0x110, sp, 0});
    }
};

std::vector<std::string> places(const Backtrace& trace)
{
    std::vector<std::string> names;
    for (const auto& frame : trace.frames) {
        names.push_back(place_of(symbols(), frame).value_or("nothing"));
    }
    return names;
}

TEST(StackScan, ShowsReturnAddressesAsPossibleCallers)
{
    Stacks stacks;
    put(stacks.task, 0x3000, kText + 0x220, 8); // below the stack pointer: what was called before
    put(stacks.task, 0x3010, kText + 0x230, 8);
    put(stacks.task, 0x3018, kText + 0x300, 8);  // a pointer to a function
    put(stacks.task, 0x3020, kText + 0x510, 8);  // and to data
    put(stacks.task, 0x3021, kText + 0x240, 8);  // not in a word
    put(stacks.task, 0x3028, kText - 0x1000, 8); // in front of the text
    put(stacks.task, 0x3ff8, kText + 0x310, 8);
    const auto trace = stacks.unwind(kTask + 0x3008);
    EXPECT_EQ(places(trace), (std::vector<std::string>{"__schedule+0x10/0x100", "? schedule+0x30/0x100",
                                                       "? kthreadd+0x10/0x100"}));
    EXPECT_EQ(trace.cut, "");
}

TEST(StackScan, GoesOnWithTheStackThatWasInterrupted)
{
    Stacks stacks;
    put(stacks.interrupt, 0x3f00, kText + 0x210, 8);
    put(stacks.interrupt, 0x3ff8, kTask + 0x3f00, 8);
    put(stacks.task, 0x3f08, kText + 0x310, 8);
    EXPECT_EQ(places(stacks.unwind(kInterrupt + 0x3e00)),
              (std::vector<std::string>{"__schedule+0x10/0x100", "? schedule+0x10/0x100",
                                        "? kthreadd+0x10/0x100"}));
    // In a circle.
    put(stacks.task, 0x3ff8, kInterrupt + 0x3e00, 8);
    EXPECT_EQ(stacks.unwind(kInterrupt + 0x3e00).frames.size(), 3u);
}

TEST(StackScan, SaysWhyItEnds)
{
    Stacks stacks;
    EXPECT_EQ(stacks.unwind(0xffffc90000015000).cut, "the stack at 0xffffc90000015000 is not in the dump");
    for (std::size_t at = 0; at < stacks.task.size(); at += 8) {
        put(stacks.task, at, kText + 0x310, 8);
    }
    const auto trace = stacks.unwind(kTask);
    EXPECT_EQ(trace.frames.size(), 256u);
    EXPECT_EQ(trace.cut, "there are more than 256 frames");
}

} // namespace
