// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/aarch64.h"
#include "common/architecture.h"
#include "core_maker.h"
#include "kmdump/kernel/backtrace.h"
#include "kmdump/kernel/cpu_registers.h"
#include "kmdump/kernel/cpu_states.h"
#include "kmdump/kernel/page_walk.h"

#include <gtest/gtest.h>

namespace
{

using kmd::Mapping;
using kmd::Vmcoreinfo;
using kmdump::Backtrace;
using kmdump::CoreFile;
using kmdump::KernelMemory;
using kmdump::LogRecord;
using kmdump::PageWalk;
using kmdump::Unwinder;
using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::put;
using kmdump_test::TemporaryFile;

constexpr std::uint64_t kStack = 0xffff8000'80020000;
constexpr std::uint64_t kPc = 0xffff8000'80100010;

/// A stack of 4 KiB at kStack.
struct Stack {
    Bytes bytes = Bytes(4096);

    void record(std::size_t at, std::uint64_t next, std::uint64_t address)
    {
        put(bytes, at, next, 8);
        put(bytes, at + 8, address, 8);
    }

    Backtrace unwind(std::uint64_t frame_pointer, std::string_view vmcoreinfo = "") const
    {
        CoreMaker maker;
        maker.memory = {{kStack, 0x42000000, bytes}};
        const TemporaryFile file(maker.make());
        const auto core = CoreFile::open(file.path());
        EXPECT_TRUE(core);
        const kmd::Vmcoreinfo info(vmcoreinfo);
        const KernelMemory memory(core.value(), info);
        return Unwinder(memory, info, &kmd::kAarch64, {}).unwind({kPc, 0, frame_pointer});
    }
};

std::vector<std::uint64_t> addresses(const Backtrace& trace)
{
    std::vector<std::uint64_t> list;
    for (const auto& frame : trace.frames) {
        list.push_back(frame.address);
    }
    return list;
}

TEST(Backtrace, FollowsFrameRecordsToTheFirst)
{
    Stack stack;
    stack.record(0x100, kStack + 0x200, kPc + 0x100);
    stack.record(0x200, kStack + 0x300, kPc + 0x200);
    stack.record(0x300, 0, 0);
    const auto trace = stack.unwind(kStack + 0x100);
    EXPECT_EQ(addresses(trace), (std::vector{kPc, kPc + 0x100, kPc + 0x200}));
    EXPECT_TRUE(trace.frames[0].exact);
    EXPECT_FALSE(trace.frames[1].exact);
    EXPECT_EQ(trace.cut, "");
}

TEST(Backtrace, SaysWhereTheDumpHasNoMoreOfTheStack)
{
    Stack stack;
    stack.record(0x100, kStack + 0x1000, kPc + 0x100);
    const auto trace = stack.unwind(kStack + 0x100);
    EXPECT_EQ(addresses(trace), (std::vector{kPc, kPc + 0x100}));
    EXPECT_EQ(trace.cut, "the frame record at 0xffff800080021000 is not in the dump");
}

TEST(Backtrace, EndsInACircleAndAtNonsense)
{
    Stack stack;
    stack.record(0x100, kStack + 0x100, kPc);
    const auto circle = stack.unwind(kStack + 0x100);
    EXPECT_EQ(circle.frames.size(), 256u);
    EXPECT_EQ(circle.cut, "there are more than 256 frames");
    EXPECT_EQ(stack.unwind(0x1234).cut, "0x1234 is not a kernel frame record");
    EXPECT_EQ(stack.unwind(kStack + 3).cut, "0xffff800080020003 is not a kernel frame record");
}

TEST(Backtrace, TakesSignaturesOffReturnAddresses)
{
    Stack stack;
    stack.record(0x100, kStack + 0x200, 0x1a80'8000'80100110); // signed: bit 55 tells a kernel address
    const auto trace = stack.unwind(kStack + 0x100, "NUMBER(KERNELPACMASK)=0xff7f000000000000\n");
    EXPECT_EQ(addresses(trace), (std::vector{kPc, kPc + 0x100}));
}

TEST(Backtrace, PassesThroughExceptions)
{
    Stack stack;
    stack.record(0x100, kStack + 0x200 + 296, kPc + 0x100);
    put(stack.bytes, 0x200 + 296 + 16, 2, 8);            // registers are around this record
    put(stack.bytes, 0x200 + 32 * 8, kPc + 0x500, 8);    // pc
    put(stack.bytes, 0x200 + 29 * 8, kStack + 0x800, 8); // x29
    stack.record(0x800, kStack + 0x900, kPc + 0x600);
    put(stack.bytes, 0x900 + 16, 1, 8); // the last
    const auto trace = stack.unwind(kStack + 0x100);
    EXPECT_EQ(addresses(trace), (std::vector{kPc, kPc + 0x100, kPc + 0x500, kPc + 0x600}));
    EXPECT_TRUE(trace.frames[2].exact);
    EXPECT_EQ(trace.cut, "");
}

TEST(CpuRegisters, AreThoseOfTheNotes)
{
    CoreMaker maker;
    maker.prstatus = {kmdump_test::prstatus(kPc, kStack, 0x30, 5), kmdump_test::prstatus(0x400000, 0, 0, 0)};
    const TemporaryFile file(maker.make());
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core);
    const auto cpus = kmdump::read_cpu_registers(core.value().summary());
    ASSERT_TRUE(cpus);
    ASSERT_EQ(cpus.value().size(), 2u);
    EXPECT_EQ(cpus.value()[0].pc, kPc);
    EXPECT_EQ(cpus.value()[0].frame_pointer, kStack);
    EXPECT_EQ(cpus.value()[0].link, 0x30u);
    EXPECT_EQ(cpus.value()[0].general[28], 0x11cu);
    EXPECT_TRUE(cpus.value()[0].in_kernel);
    EXPECT_FALSE(cpus.value()[1].in_kernel);
}

TEST(CpuRegisters, OfOtherMachinesAndOtherSizesAreRefused)
{
    CoreMaker maker;
    maker.machine = 20; // EM_PPC
    const TemporaryFile foreign(maker.make());
    EXPECT_EQ(kmdump::read_cpu_registers(CoreFile::open(foreign.path()).value().summary()).error().what,
              "expected the registers of " + kmd::names_of_architectures() + ", found ELF machine 20");
    maker.machine = 183;
    maker.prstatus = {Bytes(144)};
    const TemporaryFile small(maker.make());
    EXPECT_EQ(kmdump::read_cpu_registers(CoreFile::open(small.path()).value().summary()).error().what,
              "expected the registers of CPU 0, found a note of 144 bytes");
}

LogRecord record(std::string text)
{
    LogRecord result;
    result.text = std::move(text);
    return result;
}

TEST(PanicCpu, IsTheOneThatTheLogNamesBehindThePanic)
{
    const std::vector<LogRecord> log = {
        record("CPU: 3 UID: 0 PID: 9 Comm: x"), record("Kernel panic - not syncing: y"),
        record("CPU: 1 UID: 0 PID: 1 Comm: init"), record("CPU: 2 UID: 0 PID: 1 Comm: init")};
    EXPECT_EQ(kmdump::find_panic_cpu(log, 4), 1u);
    // There is no CPU 1 on a machine with one.
    EXPECT_FALSE(kmdump::find_panic_cpu(log, 1));
}

TEST(PanicCpu, IsTheOneThatWroteItWhenThatIsKnown)
{
    std::vector<LogRecord> log = {record("Kernel panic - not syncing: y"), record("CPU: 1 PID: 1 Comm: x")};
    log[0].caller = 0x80000002;
    EXPECT_EQ(kmdump::find_panic_cpu(log, 4), 2u);
}

TEST(PanicCpu, IsNotTheOneThatAProgramOrAnotherTaskNames)
{
    std::vector<LogRecord> log = {record("Kernel panic - not syncing: y"),
                                  record("CPU: 3 PID: 1 Comm: forged"), record("x\nCPU: 3 PID: 1"),
                                  record("CPU: 2 PID: 8 Comm: other"), record("CPU: 1 PID: 1 Comm: init")};
    log[1].facility = 1;
    log[3].caller = 8;
    EXPECT_EQ(kmdump::find_panic_cpu(log, 4), 1u);
}

TEST(PanicCpu, IsTheOneBeforeThePanicAfterAnOops)
{
    const std::vector<LogRecord> log = {record("Internal error: Oops: 0000000096000044 [#1] SMP"),
                                        record("CPU: 3 PID: 9 Comm: x"),
                                        record("Kernel panic - not syncing: Oops: Fatal exception")};
    EXPECT_EQ(kmdump::find_panic_cpu(log, 4), 3u);
}

TEST(PanicCpu, IsThatOfTheFirstOfSeveralPanics)
{
    std::vector<LogRecord> log = {
        record("Kernel panic - not syncing: cause"), record("CPU: 1 UID: 0 PID: 1 Comm: init"),
        record("Kernel panic - not syncing: in a notifier"), record("CPU: 2 UID: 0 PID: 1 Comm: init")};
    EXPECT_EQ(kmdump::find_panic_cpu(log, 4), 1u);
    log[0].caller = log[1].caller = 0x80000003;
    log[2].caller = log[3].caller = 0x80000002;
    EXPECT_EQ(kmdump::find_panic_cpu(log, 4), 3u);
}

TEST(PanicCpu, IsNoneWithoutAPanic)
{
    EXPECT_FALSE(kmdump::find_panic_cpu(std::vector<LogRecord>{record("CPU: 3 PID: 9 Comm: x")}, 4));
    EXPECT_FALSE(kmdump::find_panic_cpu(
        std::vector<LogRecord>{record("Kernel panic - not syncing: y"), record("CPU: x"), record("CPU: 7")},
        8));
}

TEST(CpuRegisters, OfA32BitProgramAreWhereTheArmManualHasThem)
{
    Bytes note = kmdump_test::prstatus(0x10000, 0, 0, 0x10);
    put(note, 112 + 8 * 13, 0xbeef0000, 8);
    put(note, 112 + 8 * 14, 0x12344, 8);
    put(note, 112 + 8 * 31, 0, 8);
    CoreMaker maker;
    maker.prstatus = {note};
    const TemporaryFile file(maker.make());
    const auto cpus = kmdump::read_cpu_registers(CoreFile::open(file.path()).value().summary());
    ASSERT_TRUE(cpus);
    EXPECT_EQ(cpus.value()[0].sp, 0xbeef0000u);
    EXPECT_EQ(cpus.value()[0].link, 0x12344u);
    EXPECT_FALSE(cpus.value()[0].in_kernel);
}

constexpr std::string_view kTables = "PAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffff800080000000\n"
                                     "NUMBER(kimage_voffset)=0xffff800040000000\n"
                                     "NUMBER(TCR_EL1_T1SZ)=0x10\n";

/// Four tables of 4 KiB pages at 0x40000000, as the Arm manual describes them: 9 bits of the address a level.
/// One page and one block of 2 MiB are mapped.
CoreMaker with_page_tables()
{
    CoreMaker maker;
    Bytes tables(0x4000);
    const auto entry = [&](unsigned level, std::uint64_t address, std::uint64_t descriptor) {
        put(tables, level * 0x1000 + (address >> (39 - 9 * level) & 0x1ff) * 8, descriptor, 8);
    };
    constexpr std::uint64_t page = 0xffff8000'90003000;
    constexpr std::uint64_t block = 0xffff8000'90200000;
    entry(0, page, 0x40001003);
    entry(1, page, 0x40002003);
    entry(2, page, 0x40003003);
    entry(2, block, 0x43400701);
    entry(3, page, 0x00e80000'42005703);
    maker.memory = {{0x40000000, 0x40000000, tables}};
    return maker;
}

TEST(PageWalk, FindsPagesAndBlocks)
{
    const TemporaryFile file(with_page_tables().make());
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core);
    const PageWalk walk(core.value(), kmd::Vmcoreinfo(kTables));
    EXPECT_EQ(walk.translate(0xffff8000'90003abc).mapping, Mapping::kMapped);
    EXPECT_EQ(walk.translate(0xffff8000'90003abc).phys, 0x42005abcu);
    EXPECT_EQ(walk.translate(0xffff8000'90212345).phys, 0x43412345u);
}

// With pages of 64 KiB the root has the same number of levels below it for 48 bits as for 52, and is that of
// 52: the addresses of 48 bits are at its upper end.
TEST(PageWalk, OfAKernelFor52BitsOnACpuWith48BeginsAtTheUpperEndOfItsRoot)
{
    Bytes tables(0x30000);
    put(tables, (0x3c0 + 32) * 8, 0x40010003, 8);
    put(tables, 0x10000 + 4 * 8, 0x40020003, 8);
    put(tables, 0x20000 + 18 * 8, 0x42010703, 8);
    CoreMaker maker;
    maker.memory = {{0x40000000, 0x40000000, tables}};
    const TemporaryFile file(maker.make());
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core);
    const PageWalk walk(core.value(),
                        Vmcoreinfo("PAGESIZE=65536\nSYMBOL(swapper_pg_dir)=ffff800080000000\n"
                                   "NUMBER(kimage_voffset)=0xffff800040000000\nNUMBER(VA_BITS)=52\n"
                                   "NUMBER(TCR_EL1_T1SZ)=0x10\n"));
    EXPECT_EQ(walk.translate(0xffff8000'8012abcd).mapping, Mapping::kMapped);
    EXPECT_EQ(walk.translate(0xffff8000'8012abcd).phys, 0x4201abcdu);
}

TEST(PageWalk, TellsWhatIsNotMappedFromWhatIsNotKnown)
{
    CoreMaker maker = with_page_tables();
    const TemporaryFile whole(maker.make());
    const auto core = CoreFile::open(whole.path());
    ASSERT_TRUE(core);
    const PageWalk walk(core.value(), kmd::Vmcoreinfo(kTables));
    EXPECT_EQ(walk.translate(0xffff8000'90004000).mapping, Mapping::kNotMapped);
    EXPECT_EQ(walk.translate(0x1000).mapping, Mapping::kUnknown) << "not an address of the kernel";
    EXPECT_EQ(PageWalk(core.value(), kmd::Vmcoreinfo("")).translate(0xffff8000'90003000).mapping,
              Mapping::kUnknown);

    maker.memory[0].bytes.resize(0x3000);
    const TemporaryFile cut(maker.make());
    const auto less = CoreFile::open(cut.path());
    ASSERT_TRUE(less);
    EXPECT_EQ(PageWalk(less.value(), kmd::Vmcoreinfo(kTables)).translate(0xffff8000'90003000).mapping,
              Mapping::kUnknown);
}

TEST(KernelMemory, ReachesVmallocThroughThePageTables)
{
    CoreMaker maker = with_page_tables();
    Bytes page(4096);
    put(page, 0xabc, 0x1122334455667788, 8);
    maker.memory.push_back({0x42005000, 0x42005000, page});
    const TemporaryFile file(maker.make());
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core);
    const KernelMemory memory(core.value(), kmd::Vmcoreinfo(kTables));
    EXPECT_EQ(memory.read_u64(0xffff8000'90003abc), 0x1122334455667788u);
    // The same bytes as an address of the kernel image are not what the tables map.
    EXPECT_FALSE(memory.read_u64(0xffff8000'90004abc));
}

} // namespace
