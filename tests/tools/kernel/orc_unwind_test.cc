// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects backtraces by ORC tables: an x86-64 kernel of the test's own, whose tables are laid out here by
// hand.
#include "common/x86_64.h"
#include "core_maker.h"
#include "kmdump/kernel/backtrace.h"
#include "kmdump/kernel/cpu_states.h"
#include "kmdump/kernel/orc_unwind.h"

#include <gtest/gtest.h>

namespace
{

using kmd::OrcEntry;
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
constexpr std::uint64_t kTables = 0xffffffff82000000;
constexpr std::uint64_t kEntries = kTables + 0x1000;
constexpr std::uint64_t kLookup = kTables + 0x2000;
constexpr std::uint64_t kTask = 0xffffc90000010000;
constexpr std::uint64_t kInterrupt = 0xffffc90000021000;

const Symbols& symbols()
{
    static const Symbols symbols({{kText, "_stext"},
                                  {kText + 0x100, "inner"},
                                  {kText + 0x200, "outer"},
                                  {kText + 0x300, "start"},
                                  {kText + 0x400, "entry"},
                                  {kText + 0x500, "no_entry"},
                                  {kText + 0x600, "_etext"},
                                  {kText + 0x700, "_end"}});
    return symbols;
}

struct Machine {
    Bytes task = Bytes(0x4000);
    Bytes interrupt = Bytes(0x4000);
    Bytes tables = Bytes(0x3000);
    std::uint32_t count = 0;
    bool old = false;
    bool finds_numbering = false;

    /// Adds an entry for the code from `at` on. Call with ascending addresses.
    void add(std::uint64_t at, int sp_offset, unsigned sp_register, unsigned flags, int bp_offset = 0)
    {
        put(tables, 4 * count, at - (kTables + 4 * count), 4);
        put(tables, 0x1000 + 6 * count, static_cast<std::uint64_t>(sp_offset), 2);
        put(tables, 0x1000 + 6 * count + 2, static_cast<std::uint64_t>(bp_offset), 2);
        put(tables, 0x1000 + 6 * count + 4, flags | sp_register, 2);
        ++count;
    }

    /// Each block of 256 bytes of code begins with the entry that covers its first byte.
    void make_lookup()
    {
        for (std::uint64_t block = 0; block < 8; ++block) {
            std::uint32_t first = 0;
            for (std::uint32_t i = 0; i < count; ++i) {
                std::uint32_t distance = 0;
                std::memcpy(&distance, &tables[4 * i], 4);
                const std::uint64_t at =
                    kTables + 4 * i +
                    static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(distance)});
                first = at <= kText + 256 * block ? i : first;
            }
            put(tables, 0x2000 + 4 * block, first, 4);
        }
    }

    Backtrace unwind(const kmd::SavedRegisters& registers)
    {
        make_lookup();
        CoreMaker maker;
        maker.memory = {
            {kTables, 0x3000000, tables}, {kTask, 0x1000000, task}, {kInterrupt, 0x2000000, interrupt}};
        const TemporaryFile file(maker.make());
        const auto core = CoreFile::open(file.path());
        EXPECT_TRUE(core);
        const kmd::Vmcoreinfo info("");
        const KernelMemory memory(core.value(), info);
        kmd::OrcTables orc{kTables, kEntries, kLookup, kText, old};
        if (finds_numbering) {
            orc.find_numbering(std::vector<std::uint64_t>{kText + 0x200}, memory);
        }
        return Unwinder(memory, info, &kmd::kX86_64, symbols(), orc).unwind(registers);
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

/// Flags of an entry: the register of bp, and the type.
constexpr unsigned kCall = OrcEntry::kCall << 8;
constexpr unsigned kRegs = OrcEntry::kRegs << 8;
constexpr unsigned kPartial = OrcEntry::kRegsPartial << 8;
constexpr unsigned kEnd = OrcEntry::kEndOfStack << 8;
constexpr unsigned kBpIsSaved = OrcEntry::kPreviousSp << 4;

TEST(OrcUnwind, FollowsCallsByStackPointerAndFramePointer)
{
    Machine machine;
    machine.add(kText + 0x100, 8, OrcEntry::kSp, kCall);
    machine.add(kText + 0x110, 0x20, OrcEntry::kSp, kCall | kBpIsSaved, -0x10);
    machine.add(kText + 0x200, 0x10, OrcEntry::kBp, kCall);
    machine.add(kText + 0x300, 0, OrcEntry::kUndefined, kEnd);
    put(machine.task, 0x1018, kText + 0x220, 8);  // of inner, 0x20 bytes above
    put(machine.task, 0x1010, kTask + 0x2000, 8); // bp of outer
    put(machine.task, 0x1008, kText + 0x230, 8);  // left by an earlier call
    put(machine.task, 0x2008, kText + 0x310, 8);
    const auto trace = machine.unwind({kText + 0x118, kTask + 0x1000, 1});
    EXPECT_EQ(places(trace),
              (std::vector<std::string>{"inner+0x18/0x100", "outer+0x20/0x100", "start+0x10/0x100"}));
    EXPECT_EQ(trace.cut, "");
}

TEST(OrcUnwind, AsksForTheCallBehindWhichACalledFunctionReturns)
{
    Machine machine;
    machine.add(kText + 0x100, 8, OrcEntry::kSp, kCall);
    // inner ends with a call that never returns, so the address behind it is that of another function.
    machine.add(kText + 0x200, 0, OrcEntry::kUndefined, kEnd);
    machine.add(kText + 0x300, 0, OrcEntry::kUndefined, kEnd);
    put(machine.task, 0x1000, kText + 0x310, 8);
    EXPECT_EQ(machine.unwind({.pc = kText + 0x200, .sp = kTask + 0x1000, .called = true}).frames.size(), 2u);
    EXPECT_EQ(machine.unwind({.pc = kText + 0x200, .sp = kTask + 0x1000}).frames.size(), 1u);
}

TEST(OrcUnwind, GoesThroughAnInterruptToAnotherStack)
{
    Machine machine;
    machine.add(kText + 0x100, 8, OrcEntry::kSpIndirect, kCall);
    machine.add(kText + 0x200, 0x10, OrcEntry::kSp, kCall);
    machine.add(kText + 0x300, 0, OrcEntry::kUndefined, kEnd);
    machine.add(kText + 0x400, 0, OrcEntry::kSp, kRegs);
    // inner runs on the interrupt stack, whose word at sp is the stack pointer that entry had.
    put(machine.interrupt, 0x3f00, kTask + 0x2000 - 8, 8);
    put(machine.task, 0x2000 - 8, kText + 0x410, 8);
    // struct pt_regs
    put(machine.task, 0x2000 + 16 * 8, kText + 0x208, 8);
    put(machine.task, 0x2000 + 17 * 8, 0x10, 8);
    put(machine.task, 0x2000 + 19 * 8, kTask + 0x3000, 8);
    put(machine.task, 0x3008, kText + 0x310, 8);
    const auto trace = machine.unwind({kText + 0x108, kInterrupt + 0x3f00, 0});
    EXPECT_EQ(places(trace), (std::vector<std::string>{"inner+0x8/0x100", "entry+0x10/0x100",
                                                       "outer+0x8/0x100", "start+0x10/0x100"}));
    EXPECT_TRUE(trace.frames[2].exact);
    // From a program.
    put(machine.task, 0x2000 + 17 * 8, 0x33, 8);
    EXPECT_EQ(machine.unwind({kText + 0x108, kInterrupt + 0x3f00, 0}).frames.size(), 2u);
}

TEST(OrcUnwind, ReadsWhatTheCpuSavedOfAnInterrupt)
{
    Machine machine;
    machine.add(kText + 0x200, 8, OrcEntry::kSp, kCall);
    machine.add(kText + 0x300, 0, OrcEntry::kUndefined, kEnd);
    machine.add(kText + 0x400, 0x10, OrcEntry::kSp, kPartial);
    put(machine.task, 0x2010, kText + 0x208, 8);
    put(machine.task, 0x2018, 0x10, 8);
    put(machine.task, 0x2028, kTask + 0x3000, 8);
    put(machine.task, 0x3000, kText + 0x310, 8);
    EXPECT_EQ(places(machine.unwind({kText + 0x410, kTask + 0x2000, 0})),
              (std::vector<std::string>{"entry+0x10/0x100", "outer+0x8/0x100", "start+0x10/0x100"}));
}

TEST(OrcUnwind, GoesOnWithPossibleCallersWhereTheTablesDoNotTell)
{
    Machine machine;
    machine.add(kText + 0x100, 8, OrcEntry::kSp, kCall);
    machine.add(kText + 0x500, 0, OrcEntry::kUndefined, 0);
    put(machine.task, 0x1000, kText + 0x510, 8);
    put(machine.task, 0x1800, kText + 0x210, 8);
    EXPECT_EQ(places(machine.unwind({kText + 0x108, kTask + 0x1000, 0})),
              (std::vector<std::string>{"inner+0x8/0x100", "no_entry+0x10/0x100", "? outer+0x10/0x100"}));
}

TEST(OrcUnwind, KnowsTheEntriesOfKernelsBefore64)
{
    Machine machine;
    machine.old = true;
    machine.add(kText + 0x100, 8, OrcEntry::kSp, 0);        // a call
    machine.add(kText + 0x200, 0x10, OrcEntry::kSp, 0x200); // partial registers
    machine.add(kText + 0x300, 0, OrcEntry::kUndefined, 0);
    put(machine.task, 0x1000, kText + 0x210, 8);
    put(machine.task, 0x1018, kText + 0x108, 8);
    put(machine.task, 0x1020, 0x10, 8);
    put(machine.task, 0x1030, kTask + 0x3000, 8);
    put(machine.task, 0x3000, kText + 0x310, 8);
    EXPECT_EQ(places(machine.unwind({kText + 0x108, kTask + 0x1000, 0})),
              (std::vector<std::string>{"inner+0x8/0x100", "outer+0x10/0x100", "inner+0x8/0x100",
                                        "start+0x10/0x100"}));
}

TEST(OrcUnwind, KnowsTheNumbersThatRegistersHaveInNewKernels)
{
    Machine machine;
    machine.finds_numbering = true;
    machine.add(kText + 0x100, 0x20, 3, kCall | 8 << 4, -0x10); // sp, and bp is saved
    machine.add(kText + 0x200, 8, 3, kCall);
    machine.add(kText + 0x210, 0x10, 4, kCall); // bp
    machine.add(kText + 0x300, 0, OrcEntry::kUndefined, kEnd);
    put(machine.task, 0x1018, kText + 0x220, 8);
    put(machine.task, 0x1010, kTask + 0x2000, 8);
    put(machine.task, 0x2008, kText + 0x310, 8);
    EXPECT_EQ(places(machine.unwind({kText + 0x118, kTask + 0x1000, 1})),
              (std::vector<std::string>{"inner+0x18/0x100", "outer+0x20/0x100", "start+0x10/0x100"}));
}

TEST(OrcUnwind, EndsWhereAHostileStackGoesRoundAndRound)
{
    Machine machine;
    machine.add(kText + 0x200, 0, OrcEntry::kSp, kPartial);
    put(machine.task, 0x2000, kText + 0x208, 8);
    put(machine.task, 0x2018, kTask + 0x2000, 8);
    const auto trace = machine.unwind({kText + 0x208, kTask + 0x2000, 0});
    EXPECT_EQ(trace.frames.size(), 256u);
    EXPECT_EQ(trace.cut, "there are more than 256 frames");
}

TEST(OrcUnwind, DoesNotBelieveTablesThatContradictThemselves)
{
    Machine machine;
    machine.add(kText + 0x100, 8, OrcEntry::kSp, kCall);
    const auto unwind = [&](std::uint32_t first, std::uint32_t last) {
        machine.make_lookup();
        put(machine.tables, 0x2004, first, 4);
        put(machine.tables, 0x2008, last, 4);
        CoreMaker maker;
        maker.memory = {{kTables, 0x3000000, machine.tables}};
        const TemporaryFile file(maker.make());
        const auto core = CoreFile::open(file.path());
        const kmd::Vmcoreinfo info("");
        const KernelMemory memory(core.value(), info);
        return kmd::OrcTables{kTables, kEntries, kLookup, kText}.find(kText + 0x108, memory);
    };
    EXPECT_TRUE(unwind(0, 0));
    EXPECT_FALSE(unwind(1, 0));
    EXPECT_FALSE(unwind(0, 0xffffffff));
    EXPECT_FALSE(unwind(0x10000, 0x10001)) << "not in the dump";
}

} // namespace
