// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/stacks.h"

#include "cpu_notes.h"
#include "fake_guest.h"

#include <gtest/gtest.h>

#include <elf.h>

#include <map>

namespace
{

using namespace kmd;

constexpr std::uint64_t kRam = 0x40000000;
constexpr std::uint64_t kTaskStack = 0xffff800080100000;
constexpr std::uint64_t kIrqStack = 0xffff800080008000;

Machine aarch64()
{
    Machine machine;
    machine.elf_machine = EM_AARCH64;
    return machine;
}

TEST(CpuStates, AreReadFromEachPrstatusNote)
{
    const auto notes = test::cpu_notes({{0, 0xffff1000, 0xffff1010, 5}, {3, 0x7000, 0, 0}});
    const auto states = read_cpu_states(notes, aarch64());
    ASSERT_EQ(states.size(), 2u);
    EXPECT_EQ(states[0].cpu, 0u);
    EXPECT_EQ(states[0].registers.sp, 0xffff1000u);
    EXPECT_EQ(states[0].registers.frame_pointer, 0xffff1010u);
    EXPECT_TRUE(states[0].registers.in_kernel);
    EXPECT_EQ(states[1].cpu, 3u);
    EXPECT_FALSE(states[1].registers.in_kernel);
}

TEST(CpuStates, OfAnotherMachineAreUnknown)
{
    Machine x86;
    x86.elf_machine = EM_X86_64;
    EXPECT_TRUE(read_cpu_states(test::cpu_notes({{}}), x86).empty());
}

TEST(CpuStates, EndWhereANoteIsCutOff)
{
    auto notes = test::cpu_notes({{0, 1, 2, 5}, {1, 3, 4, 5}});
    const std::size_t of_a_cpu = notes.size() / 2;
    const std::size_t prstatus = 12 + 8 + 392; // header, "CORE", description
    for (std::size_t size = 0; size <= notes.size(); ++size) {
        const auto states = read_cpu_states(std::span(notes).first(size), aarch64());
        EXPECT_EQ(states.size(), size < prstatus ? 0u : size < of_a_cpu + prstatus ? 1u : 2u) << size;
    }
}

TEST(CpuStates, OfAbsurdNoteSizesAreNotRead)
{
    std::vector<std::byte> notes;
    test::append_words(notes, {0xffffffff, 0xffffffff, 1, 0, 0, 0});
    EXPECT_TRUE(read_cpu_states(notes, aarch64()).empty());
}

CpuState in_kernel(std::uint64_t sp, std::uint64_t frame_pointer, std::uint64_t pc = 0)
{
    CpuState cpu;
    cpu.registers.sp = sp;
    cpu.registers.frame_pointer = frame_pointer;
    cpu.registers.pc = pc;
    return cpu;
}

/// What the MMU of every CPU translates: virtual to physical addresses of pages.
struct Pages final : AddressTranslation {
    std::optional<std::uint64_t> translate(unsigned, std::uint64_t virt) override
    {
        const auto page = pages.find(virt);
        return page == pages.end() ? std::nullopt : std::optional(page->second);
    }

    test::FakeGuest guest;
    std::map<std::uint64_t, std::uint64_t> pages;
};

class Stacks : public testing::Test
{
  protected:
    Stacks()
    {
        host.guest.add_ram(kRam, 0x100000);
        map_stack(kTaskStack, kRam);
        map_stack(kIrqStack, kRam + 0x40000);
    }

    /// Four pages, each in another place.
    void map_stack(std::uint64_t virt, std::uint64_t phys)
    {
        for (std::uint64_t i = 0; i < 4; ++i) {
            host.pages[virt + i * 0x1000] = phys + i * 0x3000;
        }
    }

    void put(std::uint64_t virt, std::uint64_t value)
    {
        const std::uint64_t phys = host.pages.at(virt & ~0xfffull) + (virt & 0xfff);
        host.guest.put(phys, {reinterpret_cast<const char*>(&value), sizeof(value)});
    }

    std::vector<std::uint64_t> pages_of(const CpuState& cpu)
    {
        std::vector<std::uint64_t> virts;
        for (const Region& region : stack_pages(std::span(&cpu, 1), aarch64(), host, host.guest)) {
            EXPECT_EQ(region.phys, host.pages.at(region.virt));
            EXPECT_EQ(region.size, 0x1000u);
            virts.push_back(region.virt);
        }
        return virts;
    }

    static std::vector<std::uint64_t> four_pages(std::uint64_t virt)
    {
        return {virt, virt + 0x1000, virt + 0x2000, virt + 0x3000};
    }

    Pages host;
};

TEST_F(Stacks, AreWholeAroundTheStackPointer)
{
    EXPECT_EQ(pages_of(in_kernel(kTaskStack + 0x2ff0, 0)), four_pages(kTaskStack));
    EXPECT_EQ(pages_of(in_kernel(kTaskStack, 0)), four_pages(kTaskStack));
}

TEST_F(Stacks, ThatAreEmptyAreFoundBelowTheirPointer)
{
    EXPECT_EQ(pages_of(in_kernel(kTaskStack + 0x4000, 0)), four_pages(kTaskStack));
}

TEST_F(Stacks, AreFollowedFromTheInterruptStackToTheTasks)
{
    put(kIrqStack + 0x3f00, kIrqStack + 0x3fe0);
    put(kIrqStack + 0x3fe0, kTaskStack + 0x1000);
    put(kTaskStack + 0x1000, 0);
    auto expected = four_pages(kIrqStack);
    for (const std::uint64_t page : four_pages(kTaskStack)) {
        expected.push_back(page);
    }
    EXPECT_EQ(pages_of(in_kernel(kIrqStack + 0x3ef0, kIrqStack + 0x3f00)), expected);
}

// Since Linux 6.13 a record of zeros says in its third word that an exception's registers are around it.
TEST_F(Stacks, AreFollowedThroughTheRegistersThatAnExceptionSaved)
{
    constexpr std::uint64_t kInterrupted = 0xffff800081230000;
    constexpr std::uint64_t registers = kIrqStack + 0x3e00;
    host.pages[kInterrupted] = kRam + 0x80000;
    put(kIrqStack + 0x3d00, registers + 296);
    put(registers + 296 + 16, 2);
    put(registers + 29 * 8, kTaskStack + 0x1000);
    put(registers + 32 * 8, kInterrupted + 0x480);
    put(kTaskStack + 0x1000 + 16, 1); // the last
    auto expected = four_pages(kIrqStack);
    for (const std::uint64_t page : four_pages(kTaskStack)) {
        expected.push_back(page);
    }
    expected.push_back(kInterrupted);
    EXPECT_EQ(pages_of(in_kernel(kIrqStack + 0x3c00, kIrqStack + 0x3d00)), expected);
}

TEST_F(Stacks, LeaveOutAGuardPage)
{
    host.pages.erase(kTaskStack);
    EXPECT_EQ(pages_of(in_kernel(kTaskStack + 0x800, kTaskStack + 0x1000)),
              (std::vector<std::uint64_t>{kTaskStack + 0x1000, kTaskStack + 0x2000, kTaskStack + 0x3000}));
}

TEST_F(Stacks, LeaveOutWhatIsNotRam)
{
    host.pages[kTaskStack + 0x1000] = 0x09000000;
    EXPECT_EQ(pages_of(in_kernel(kTaskStack + 0x800, 0)),
              (std::vector<std::uint64_t>{kTaskStack, kTaskStack + 0x2000, kTaskStack + 0x3000}));
}

TEST_F(Stacks, OfAUserAreLeftToTheUser)
{
    CpuState cpu = in_kernel(kTaskStack + 0x800, 0);
    cpu.registers.in_kernel = false;
    EXPECT_TRUE(pages_of(cpu).empty());
}

TEST_F(Stacks, SurviveAFramePointerThatIsNone)
{
    for (const std::uint64_t frame :
         {std::uint64_t{1}, std::uint64_t{0x1000}, kTaskStack + 3, ~std::uint64_t{0}, ~std::uint64_t{7}}) {
        EXPECT_EQ(pages_of(in_kernel(kTaskStack + 0x800, frame)), four_pages(kTaskStack)) << frame;
    }
}

TEST_F(Stacks, SurviveFrameRecordsThatLeadInACircle)
{
    put(kTaskStack + 0x100, kTaskStack + 0x200);
    put(kTaskStack + 0x200, kTaskStack + 0x100);
    EXPECT_EQ(pages_of(in_kernel(kTaskStack + 0x80, kTaskStack + 0x100)), four_pages(kTaskStack));
}

TEST_F(Stacks, AreBoundedHoweverManyTheFrameRecordsName)
{
    host.guest.add_ram(0x80000000, 0x1000);
    for (std::uint64_t i = 0; i < 1000; ++i) {
        host.pages[kTaskStack + i * 0x4000] = 0x80000000;
    }
    // Every frame record lies on the one page, so each leads on to the next stack: its offset differs.
    for (std::uint64_t i = 0; i < 500; ++i) {
        const std::uint64_t next = kTaskStack + (i + 1) * 0x4000 + (i + 1) * 8;
        host.guest.put(0x80000000 + i * 8, {reinterpret_cast<const char*>(&next), 8});
    }
    EXPECT_LE(pages_of(in_kernel(kTaskStack, kTaskStack)).size(), 16u * 4);
}

// gdb takes a frame whose code it cannot read for one without a frame record.
TEST_F(Stacks, ComeWithTheCodeThatTheirFramesReturnTo)
{
    constexpr std::uint64_t kText = 0xffff800081000000;
    for (std::uint64_t i = 0; i < 4; ++i) {
        host.pages[kText + i * 0x1000] = kRam + 0x80000 + i * 0x1000;
    }
    put(kTaskStack + 0x100, kTaskStack + 0x200);
    put(kTaskStack + 0x108, kText + 0x2080);
    put(kTaskStack + 0x200, 0);
    // The page ahead belongs to the function, as 0x80 is not far from its beginning. Signed: bits 54 to 48
    // are no part of the address.
    put(kTaskStack + 0x208, (kText + 0x3010) & ~(std::uint64_t{0x2a} << 48));
    auto expected = four_pages(kTaskStack);
    for (const std::uint64_t page : four_pages(kText)) {
        expected.push_back(page);
    }
    EXPECT_EQ(pages_of(in_kernel(kTaskStack + 0x80, kTaskStack + 0x100, kText + 0x410)), expected);
}

TEST_F(Stacks, ComeWithNoMoreCodeThanIsGoodForTheHost)
{
    constexpr std::uint64_t kText = 0xffff800081000000;
    for (std::uint64_t i = 0; i < 200; ++i) {
        host.pages[kText + i * 0x1000] = kRam + 0x80000;
        put(kTaskStack + i * 16, kTaskStack + (i + 1) * 16);
        put(kTaskStack + i * 16 + 8, kText + i * 0x1000);
    }
    EXPECT_EQ(pages_of(in_kernel(kTaskStack, kTaskStack)).size(), 4u + 64);
}

TEST_F(Stacks, AtTheEndOfTheAddressSpaceAreStacksToo)
{
    const std::uint64_t last = ~std::uint64_t{0} - 0x3fff;
    map_stack(last, kRam);
    EXPECT_EQ(pages_of(in_kernel(last + 0x3ff0, 0)), four_pages(last));
    EXPECT_TRUE(pages_of(in_kernel(0, 0)).empty());
}

} // namespace
