// SPDX-License-Identifier: GPL-2.0-or-later
//
// An architecture of the test's own, the least that one can be: that what is built on kmd::Architecture asks
// it, and nobody else.
#include "common/architecture.h"
#include "common/little_endian.h"
#include "core_maker.h"
#include "kmdump/kernel/backtrace.h"
#include "kmdump/kernel/kernel_memory.h"
#include "kmdump/kernel/symbols.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace
{

using kmd::Architecture;
using kmd::CpuRegisters;
using kmd::FrameRecord;
using kmd::KernelSpace;
using kmd::PhysicalMemory;
using kmd::TableWalk;
using kmd::Vmcoreinfo;

/// One table of four words: bits 13:12 of an address choose the page.
class ToyTables final : public kmd::TranslationTables
{
  public:
    explicit ToyTables(std::uint64_t root) : root_(root) {}

    std::uint64_t root() const override { return root_; }
    unsigned levels() const override { return 1; }
    std::uint64_t page_size() const override { return 0x1000; }
    std::unique_ptr<const TranslationTables> with_root(std::uint64_t root) const override
    {
        return std::make_unique<ToyTables>(root);
    }

    TableWalk walk(std::uint64_t address, PhysicalMemory& memory) const override
    {
        TableWalk way;
        const auto page = memory.read_u64(root_ + (address >> 12 & 3) * 8);
        way.table_missing = !page;
        if (page && *page != 0) {
            way.target = *page;
            way.offset_bits = 0xfff;
        }
        return way;
    }

  private:
    std::uint64_t root_;
};

/// Kernel addresses have bit 62. A signature stands in bit 61.
constexpr std::uint64_t kKernel = std::uint64_t{1} << 62;
constexpr std::uint64_t kSigned = std::uint64_t{1} << 61;
constexpr std::array<std::uint64_t, 1> kMasks = {kSigned};

/// A record is the return address and, behind it, the next record; 0 as the next one ends the chain.
FrameRecord read_record(std::uint64_t record, const kmd::ReadWord& read)
{
    const auto address = read(record);
    const auto next = read(record + 8);
    if (!address || !next) {
        return {FrameRecord::Kind::kUnknown, record};
    }
    return *next == 0 ? FrameRecord{FrameRecord::Kind::kEnd}
                      : FrameRecord{FrameRecord::Kind::kCall, *address, 0, *next};
}

const Architecture kToy = {
    .elf_machine = 0xffff,
    .name = "toy",
    .prstatus_size = 128,
    .prstatus_registers = 112,
    .decode_registers =
        [](std::span<const std::byte> registers) {
            CpuRegisters decoded;
            decoded.general_name = "r";
            decoded.state_name = "flags";
            decoded.pc = kmd::load<std::uint64_t>(registers, 0);
            decoded.frame_pointer = decoded.sp = kmd::load<std::uint64_t>(registers, 8);
            return decoded;
        },
    .below_firmware = [](const CpuRegisters&, const kmd::ReadWord&) { return std::optional<CpuRegisters>(); },
    .kernel_space =
        [](const Vmcoreinfo& vmcoreinfo, PhysicalMemory&) {
            KernelSpace space;
            space.translated = {kKernel, kKernel + 0x3fff};
            space.tables = std::make_shared<ToyTables>(vmcoreinfo.symbol("SYMBOL(toy_root)").value_or(0));
            return space;
        },
    .is_kernel_address = [](std::uint64_t address) { return (address & kKernel) != 0; },
    .without_tag = [](std::uint64_t address) { return address; },
    .stack_size = 0x1000,
    .saved_context = "context",
    .saved_registers = [](std::uint64_t,
                          const kmd::ReadWord&) { return std::optional<kmd::SavedRegisters>(); },
    .first_record = [](std::uint64_t frame_pointer, const kmd::ReadWord&) { return frame_pointer; },
    .read_frame_record = read_record,
    .interrupted_stack = nullptr,
    .signature_masks = kMasks,
    .signature_mask = [](const Vmcoreinfo&) { return kSigned; },
};

/// Memory at physical address 0.
class Memory final : public PhysicalMemory
{
  public:
    explicit Memory(std::vector<std::uint64_t> words) : words_(std::move(words)) {}

    bool read(std::uint64_t phys, std::span<std::byte> out) override
    {
        const auto bytes = std::as_bytes(std::span(words_));
        if (phys > bytes.size() || out.size() > bytes.size() - phys) {
            return false;
        }
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(phys), out.size(), out.begin());
        return true;
    }

  private:
    std::vector<std::uint64_t> words_;
};

TEST(ToyArchitecture, HasTheKernelsAddressesTranslatedByItsOwnTables)
{
    Memory memory({0, 0, 0, 0x5000, 0});
    const KernelSpace space = kToy.kernel_space(Vmcoreinfo("SYMBOL(toy_root)=10\n"), memory);
    EXPECT_EQ(space.translate(kKernel + 0x1abc, memory).phys, 0x5abcu);
    EXPECT_EQ(space.translate(kKernel + 0x2000, memory).mapping, kmd::Mapping::kNotMapped);
    EXPECT_EQ(space.translate(kKernel + 0x3000, memory).mapping, kmd::Mapping::kUnknown);
    EXPECT_EQ(space.translate(0x1abc, memory).mapping, kmd::Mapping::kUnknown);
}

TEST(ToyArchitecture, HasItsFramesFollowedAndItsSignaturesTakenOff)
{
    kmdump_test::Bytes stack(0x1000);
    kmdump_test::put(stack, 0x100, kKernel + 0x10, 8);
    kmdump_test::put(stack, 0x108, kKernel + 0x200, 8);
    kmdump_test::put(stack, 0x200, kKernel + 0x20, 8);
    kmdump_test::put(stack, 0x208, kKernel + 0x300, 8);
    kmdump_test::CoreMaker maker;
    maker.memory = {{kKernel, 0x42000000, stack}};
    const kmdump_test::TemporaryFile file(maker.make());
    const auto core = kmdump::CoreFile::open(file.path());
    ASSERT_TRUE(core);
    const Vmcoreinfo info("");
    const kmdump::KernelMemory memory(core.value(), info);
    const auto trace = kmdump::Unwinder(memory, info, &kToy, {}).unwind({kKernel + 8, 0, kKernel + 0x100});
    ASSERT_EQ(trace.frames.size(), 3u);
    EXPECT_EQ(trace.frames[1].address, (kKernel | kSigned) + 0x10);
    EXPECT_EQ(trace.frames[2].address, (kKernel | kSigned) + 0x20);
    EXPECT_EQ(trace.cut, "");
}

TEST(ToyArchitecture, IsNotAmongTheOnesThatProgramsKnow)
{
    EXPECT_EQ(kmd::find_architecture(kToy.elf_machine), nullptr);
    ASSERT_NE(kmd::find_architecture(183), nullptr);
    EXPECT_STREQ(kmd::find_architecture(183)->name, "aarch64");
}

} // namespace
