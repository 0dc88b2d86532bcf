// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a reader needs to unwind every CPU of a stock kernel is in the dump: its stacks, and the page tables
// that lead to them from swapper_pg_dir. The walk below is that of a reader, written from the Arm manual;
// it sees nothing but the dump.
#include "elf_core.h"
#include "guest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <sstream>

using boot::Guest;
using support::ElfCore;

namespace
{

/// A stock kernel: 4 KiB pages. T1SZ of 16 is 48 bits, and so on.
constexpr unsigned kPageShift = 12;
constexpr unsigned kBitsPerLevel = 9;

/// Where Linux begins a stack: of a CPU's idle task, of a thread, and on an entry from user space.
constexpr std::array kOutermost = {"__primary_switched", "__secondary_switched", "ret_from_fork",
                                   "el0t_64_sync", "el0t_64_irq"};

struct Cpu {
    std::uint64_t frame_pointer = 0;
    std::uint64_t stack_pointer = 0;
};

std::vector<Cpu> cpus_of(const ElfCore& core)
{
    std::vector<Cpu> cpus;
    for (const auto& note : core.notes) {
        if (note.name == "CORE" && note.type == 1 && note.description.size() == 392) {
            Cpu cpu;
            std::memcpy(&cpu.frame_pointer, note.description.data() + 112 + 29 * 8, 8);
            std::memcpy(&cpu.stack_pointer, note.description.data() + 112 + 31 * 8, 8);
            cpus.push_back(cpu);
        }
    }
    return cpus;
}

std::string vmcoreinfo_of(const ElfCore& core)
{
    for (const auto& note : core.notes) {
        if (note.name == "VMCOREINFO") {
            return {reinterpret_cast<const char*>(note.description.data()), note.description.size()};
        }
    }
    return {};
}

std::uint64_t hexadecimal(const std::string& vmcoreinfo, const std::string& key)
{
    const auto at = vmcoreinfo.find("\n" + key + "=");
    return at == std::string::npos ? 0 : std::stoull(vmcoreinfo.substr(at + key.size() + 2), nullptr, 16);
}

class Reader
{
  public:
    explicit Reader(const ElfCore& core) : core_(core)
    {
        const auto text = vmcoreinfo_of(core);
        root_ = hexadecimal(text, "SYMBOL(swapper_pg_dir)") - hexadecimal(text, "NUMBER(kimage_voffset)");
        bits_ = 64 - static_cast<unsigned>(hexadecimal(text, "NUMBER(TCR_EL1_T1SZ)"));
    }

    /// By the page tables alone; none when a table is missing or has no entry.
    std::optional<std::uint64_t> translate(std::uint64_t virt) const
    {
        const unsigned levels = (bits_ - kPageShift + kBitsPerLevel - 1) / kBitsPerLevel;
        std::uint64_t table = root_;
        for (unsigned level = 0; level < levels; ++level) {
            const unsigned shift = kPageShift + kBitsPerLevel * (levels - 1 - level);
            const unsigned top = level == 0 ? bits_ : shift + kBitsPerLevel;
            const std::uint64_t index = (virt & ((std::uint64_t{1} << top) - 1)) >> shift;
            const auto descriptor = word(table + index * 8);
            if (!descriptor || (*descriptor & 1) == 0) {
                return std::nullopt;
            }
            const std::uint64_t address = *descriptor & 0x0000fffffffff000;
            const std::uint64_t inside = (std::uint64_t{1} << shift) - 1;
            if (level + 1 == levels || (*descriptor & 2) == 0) {
                return (address & ~inside) | (virt & inside);
            }
            table = address;
        }
        return std::nullopt;
    }

    std::optional<std::uint64_t> word(std::uint64_t phys) const
    {
        const auto bytes = core_.physical(phys, 8);
        if (bytes.empty()) {
            return std::nullopt;
        }
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data(), 8);
        return value;
    }

    /// Return addresses, innermost first.
    std::vector<std::uint64_t> unwind(std::uint64_t frame) const
    {
        std::vector<std::uint64_t> addresses;
        while (frame != 0 && addresses.size() < 100) {
            const auto phys = translate(frame);
            const auto next = phys ? word(*phys) : std::nullopt;
            const auto address = phys ? word(*phys + 8) : std::nullopt;
            if (!next || !address) {
                break;
            }
            addresses.push_back(*address);
            frame = *next;
        }
        return addresses;
    }

  private:
    const ElfCore& core_;
    std::uint64_t root_ = 0;
    unsigned bits_ = 0;
};

class CrashedCpus : public testing::Test
{
  protected:
    static void SetUpTestSuite()
    {
        std::string print = "kmd.print=sysrq_handle_crash";
        for (const char* function : kOutermost) {
            print += std::string(",") + function;
        }
        // Processes come and go: a CPU that did not crash is as likely at work as idle.
        guest_.emplace(
            boot::GuestOptions{.command_line = print + " kmd.churn=yes", .properties = "pause=on"});
        guest_->qmp().wait_event("STOP", std::chrono::seconds(60));
        ASSERT_EQ(guest_->dumps().size(), 1u) << guest_->messages();
        dump_ = ElfCore::read(guest_->dumps()[0]);
        guest_->qmp().execute(
            "dump-guest-memory",
            {{"paging", false}, {"protocol", "file:" + guest_->folder().file("full.core")}});
        full_ = ElfCore::read(guest_->folder().file("full.core"));
    }

    static void TearDownTestSuite() { guest_.reset(); }

    /// Whether the address is in the function: the symbol after it is not known, so within 1 KiB.
    static bool is_in(std::uint64_t address, const std::string& function)
    {
        const std::uint64_t begin = guest_->symbols().at(function);
        return address > begin && address - begin < 1024;
    }

    static inline std::optional<Guest> guest_;
    static inline ElfCore dump_;
    static inline ElfCore full_;
};

TEST_F(CrashedCpus, StandOnStacksThatThePageTablesInTheDumpLeadTo)
{
    const Reader reader(dump_);
    const auto cpus = cpus_of(dump_);
    ASSERT_EQ(cpus.size(), 2u);
    for (const Cpu& cpu : cpus) {
        const std::uint64_t stack = cpu.stack_pointer & ~std::uint64_t{16383};
        for (std::uint64_t page = 0; page < 16384; page += 4096) {
            const auto phys = reader.translate(stack + page);
            ASSERT_TRUE(phys) << std::hex << stack + page;
            const auto saved = dump_.physical(*phys, 4096);
            ASSERT_EQ(saved.size(), 4096u);
            EXPECT_EQ(saved, full_.physical(*phys, 4096));
        }
    }
}

TEST_F(CrashedCpus, HaveStacksAtTheirVirtualAddressesForReadersThatWalkNoTables)
{
    const Reader reader(dump_);
    for (const Cpu& cpu : cpus_of(dump_)) {
        bool found = false;
        for (const auto& segment : dump_.segments) {
            const std::uint64_t into = cpu.stack_pointer - segment.virt;
            if (into < segment.file_size) {
                EXPECT_EQ(segment.phys + into, reader.translate(cpu.stack_pointer));
                found = true;
            }
        }
        EXPECT_TRUE(found) << std::hex << cpu.stack_pointer;
    }
}

TEST_F(CrashedCpus, CanBeReachedRegionByRegionThroughThePageTables)
{
    const Reader reader(dump_);
    const std::string regions =
        guest_->qmp().execute("qom-get", {{"path", guest_->controller()}, {"property", "regions"}});
    const auto table = nlohmann::json::parse(regions);
    EXPECT_GT(table.size(), 30u);
    for (const auto& region : table) {
        const auto virt = std::stoull(region["virt"].get<std::string>(), nullptr, 16);
        EXPECT_EQ(reader.translate(virt), std::stoull(region["phys"].get<std::string>(), nullptr, 16))
            << region;
    }
}

TEST_F(CrashedCpus, UnwindToWhereTheirStacksBegin)
{
    const Reader reader(dump_);
    std::size_t crashed = 0;
    for (const Cpu& cpu : cpus_of(dump_)) {
        const auto addresses = reader.unwind(cpu.frame_pointer);
        EXPECT_GE(addresses.size(), 5u);
        const auto is_sysrq = [](std::uint64_t address) { return is_in(address, "sysrq_handle_crash"); };
        crashed += std::ranges::any_of(addresses, is_sysrq) ? 1 : 0;

        const auto outermost = std::ranges::find_if(addresses.rbegin(), addresses.rend(),
                                                    [](std::uint64_t address) { return address != 0; });
        ASSERT_NE(outermost, addresses.rend());
        const auto holds_it = [&](const char* function) { return is_in(*outermost, function); };
        EXPECT_TRUE(std::ranges::any_of(kOutermost, holds_it)) << std::hex << *outermost;
    }
    EXPECT_EQ(crashed, 1u);
}

} // namespace
