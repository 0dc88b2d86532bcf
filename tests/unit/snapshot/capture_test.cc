// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is in a dump beyond the guest's regions, and how a person chooses.
#include "hw/snapshot/capture.h"

#include "core_reader.h"
#include "cpu_notes.h"
#include "cpu_time.h"
#include "mmu_registers.h"
#include "test_machine.h"
#include "worst_tables.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace
{

using namespace kmd;
using test::kRam;
using test::kVirt;

constexpr std::uint64_t kStack = 0xffff800080008000;
constexpr std::uint64_t kStackPhys = kRam + 0x40000;
constexpr std::uint64_t kRoot = kRam + 0x50000;
constexpr std::uint64_t kNextTable = kRam + 0x60000;

const std::string kVmcoreinfo = "OSRELEASE=6.12\nPAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffff800000050000\n"
                                "NUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0xffff7fffc0000000\n"
                                "NUMBER(PHYS_OFFSET)=0x40000000\n";

void put(test::TestMachine& machine, std::uint64_t phys, std::uint64_t word)
{
    machine.host.guest.put(phys, {reinterpret_cast<const char*>(&word), sizeof(word)});
}

/// One CPU on a stack, page tables of two levels, one region and vmcoreinfo; then a panic.
test::CoreReader dump_with(const std::string& capture)
{
    auto config = test::small_config();
    if (!capture.empty()) {
        config.capture = capture;
    }
    test::TestMachine machine(config);
    // kStack: 256, 2, 0, 8
    put(machine, kRoot + 256 * 8, kNextTable | 3);
    put(machine, kNextTable + 2 * 8, (kRam + 0x61000) | 3);
    put(machine, kRam + 0x61000, (kRam + 0x62000) | 3);
    for (std::uint64_t i = 0; i < 4; ++i) {
        put(machine, kRam + 0x62000 + (8 + i) * 8, (kStackPhys + i * 0x1000) | 3);
    }
    test::turn_on_mmu(machine.host, 0, kRoot);
    machine.host.notes = test::cpu_notes({{0, kStack + 0x100, 0, 5}});
    machine.host.guest.fill(kStackPhys, 0x4000, 0x5a);
    machine.host.guest.put(kRam + 0x2000, kVmcoreinfo);
    EXPECT_EQ(machine.add(0, test::ram_region(0, 0x1000)), 1u);
    EXPECT_EQ(machine.add(1, {kRam + 0x2000, kVirt + 0x2000, 0x1000, "vmcoreinfo", 2, 2}), 1u);
    machine.dump();
    const auto path = machine.folder.path() + "/kmemdump-0001-panic.elf";
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return test::CoreReader({bytes.begin(), bytes.end()});
}

bool has_registers(const test::CoreReader& core)
{
    for (const auto& note : core.notes()) {
        if (note.type == 1) {
            return true;
        }
    }
    return false;
}

bool has(const test::CoreReader& core, std::uint64_t phys)
{
    return core.read_phys(phys, 8).has_value();
}

TEST(CaptureList, NamesWhatIsWanted)
{
    const auto all = parse_capture("regions,cpus,stacks,tables");
    ASSERT_TRUE(all);
    EXPECT_TRUE(all.value().regions && all.value().cpus && all.value().stacks && all.value().tables);
    const auto some = parse_capture("stacks+cpus");
    ASSERT_TRUE(some);
    EXPECT_FALSE(some.value().regions);
    EXPECT_TRUE(some.value().cpus);
    EXPECT_TRUE(some.value().stacks);
    EXPECT_FALSE(some.value().tables);
    EXPECT_FALSE(all.value().data);
    EXPECT_TRUE(parse_capture("regions,data").value().data);
    EXPECT_FALSE(parse_capture("regions,data").value().more);
    EXPECT_TRUE(parse_capture("regions,more").value().more);
}

TEST(CaptureList, OfAnythingElseIsRefusedWithWhatItTakes)
{
    for (const std::string list : {"", ",", "regions,", "everything", "regions;cpus", "regions cpus"}) {
        const auto capture = parse_capture(list);
        ASSERT_FALSE(capture) << list;
        EXPECT_EQ(capture.error().what, "capture=" + list +
                                            " is not valid: expected a list of regions, cpus, stacks, "
                                            "tables, data and more, for example capture=regions+cpus");
    }
    auto config = test::small_config();
    config.capture = "ram";
    EXPECT_THROW(test::TestMachine{config}, std::runtime_error);
}

TEST(Capture, OfEverythingHasStacksAtTheirAddressesAndTheTablesThatLeadThere)
{
    const auto core = dump_with("");
    EXPECT_TRUE(has_registers(core));
    EXPECT_TRUE(has(core, kRam));
    ASSERT_TRUE(core.read_virt(kStack, 0x4000));
    EXPECT_EQ(core.read_virt(kStack, 0x4000)->at(7), std::byte{0x5a});
    EXPECT_TRUE(has(core, kRoot));
    EXPECT_TRUE(has(core, kNextTable));
    EXPECT_TRUE(core.read_virt(0xffff000000050000, 8)) << "the linear map's view of the root";
}

TEST(Capture, OfRegionsAloneHasNothingElse)
{
    const auto core = dump_with("regions");
    EXPECT_FALSE(has_registers(core));
    EXPECT_TRUE(has(core, kRam));
    EXPECT_FALSE(has(core, kStackPhys));
    EXPECT_FALSE(has(core, kRoot));
}

TEST(Capture, OfStacksNeedsNoRegisterInTheFile)
{
    const auto core = dump_with("stacks");
    EXPECT_FALSE(has_registers(core));
    EXPECT_FALSE(has(core, kRam));
    EXPECT_TRUE(has(core, kStackPhys));
    EXPECT_EQ(core.notes().at(0).name, std::string("VMCOREINFO\0", 11));
}

TEST(Capture, OfTablesLeadsToTheRegionsEvenWithoutThem)
{
    const auto core = dump_with("tables,cpus");
    EXPECT_TRUE(has_registers(core));
    EXPECT_FALSE(has(core, kRam + 0x2000));
    EXPECT_TRUE(has(core, kRoot));
}

TEST(Capture, IsToldToTheGuestInFeatures)
{
    for (const auto& [list, features] :
         {std::pair{"regions", 18u}, {"regions,cpus", 19u}, {"stacks", 6u}, {"tables+cpus", 11u}}) {
        auto config = test::small_config();
        config.capture = list;
        test::TestMachine machine(config);
        EXPECT_EQ(machine.read64(0x008), features) << list;
    }
    auto config = test::small_config();
    config.format = "coreimage";
    test::TestMachine machine(config);
    EXPECT_EQ(machine.read64(0x008), 2u);
}

TEST(Capture, OfTablesWithoutEndIsCutAndSaidSo)
{
    auto config = test::small_config();
    config.capture = "tables";
    test::TestMachine machine(config);
    constexpr std::uint64_t kMuch = std::uint64_t{1} << 38;
    machine.host.guest.add_ram(kMuch, kMuch);
    machine.host.guest.put(kRam + 0x2000, kVmcoreinfo);
    for (std::uint64_t i = 0; i < 512; ++i) {
        const std::uint64_t descriptor = kRoot | 3;
        machine.host.guest.put(kRoot + i * 8, {reinterpret_cast<const char*>(&descriptor), 8});
    }
    ASSERT_EQ(machine.add(0, {kMuch, 0xffff000000000000, kMuch, "much", 0, 0}), 1u);
    ASSERT_EQ(machine.add(1, {kRam + 0x2000, kVirt, 0x1000, "vmcoreinfo", 0, 2}), 1u);
    machine.dump();
    EXPECT_EQ(machine.last_result(), 2u) << "RESULT_PARTIAL";
    ASSERT_EQ(machine.host.reports.size(), 1u);
    EXPECT_NE(machine.host.reports[0].find(", the page tables are cut"), std::string::npos);
    ASSERT_EQ(machine.host.warnings.size(), 1u);
    EXPECT_EQ(machine.host.warnings[0],
              "the guest's page tables are larger than any kernel's, so the dump has only a part of them");
}

/// Every slot and every entry of the list, each a segment of its own, with the sidecar: on the way to the end
/// of the room that max-bytes leaves it is described as often as it can be.
TEST(WorstAttempt, OfSlotsAndListTakesTwoSecondsAtMost)
{
    for (const auto& layout : test::layouts()) {
        for (const std::uint64_t max_bytes : {std::uint64_t{0}, std::uint64_t{9} << 20}) {
            auto config = test::with_most_slots();
            config.sidecar = true;
            config.max_bytes = max_bytes;
            test::TestMachine machine(config);
            test::add_largest_list(machine);
            test::fill_table(machine, layout, 1);
            const double start = test::cpu_seconds();
            machine.dump();
            EXPECT_LT(test::cpu_seconds() - start, 4) << layout.name << ": twice the aim";
            EXPECT_NE(machine.last_result(), 4u) << layout.name;
        }
    }
}

TEST(WorstAttempt, ThatSavesNothingIsShortAndThereAreFewOfThem)
{
    auto config = test::with_most_slots();
    config.max_dumps = 16;
    test::TestMachine machine(config);
    test::add_largest_list(machine, false);
    const double start = test::cpu_seconds();
    for (int i = 0; i < 100; ++i) {
        machine.dump();
    }
    EXPECT_EQ(machine.last_result(), 6u) << "RESULT_LIMIT";
    EXPECT_LT(test::cpu_seconds() - start, 4);
}

/// 64 KiB is all that is read of it, and the shortest lines make the most keys.
TEST(WorstAttempt, OfTheLongestVmcoreinfoTakesHundredMillisecondsAtMost)
{
    test::TestMachine machine(test::small_config());
    std::string text = "OSRELEASE=1\n";
    for (unsigned i = 0; text.size() < 65536; ++i) {
        text += std::to_string(i) + "=\n";
    }
    constexpr std::uint64_t kFar = std::uint64_t{1} << 38;
    machine.host.guest.add_ram(kFar, 0x20000);
    machine.host.guest.put(kFar, text);
    ASSERT_EQ(machine.add(0, {kFar, kVirt, 0x20000, "vmcoreinfo", 0, 2}), 1u);
    const double start = test::cpu_seconds();
    machine.dump();
    EXPECT_LT(test::cpu_seconds() - start, 0.1);
    EXPECT_EQ(machine.last_result(), 1u);
}

TEST(WorstAttempt, ToDescribeTheLargestTableTakesASecond)
{
    test::TestMachine machine(test::with_most_slots());
    test::fill_table(machine, test::layouts().back());
    const double start = test::cpu_seconds();
    EXPECT_GT(machine.controller->regions_json().size(), 65536u);
    EXPECT_LT(test::cpu_seconds() - start, 4);
}

/// kVmcoreinfo's kernel, whose tables lead to themselves, on some CPUs.
struct KernelMachine {
    KernelMachine() : machine(config())
    {
        // ffff800000050000: 256, 0, 0, 0x50; kStack: 256, 2, 0, 8.
        put(machine, kRoot + 256 * 8, kNextTable | 3);
        put(machine, kNextTable, (kRam + 0x63000) | 3);
        put(machine, kRam + 0x63000, (kRam + 0x64000) | 3);
        put(machine, kRam + 0x64000 + 0x50 * 8, kRoot | 3);
        put(machine, kNextTable + 2 * 8, (kRam + 0x61000) | 3);
        put(machine, kRam + 0x61000, (kRam + 0x62000) | 3);
        for (std::uint64_t i = 0; i < 4; ++i) {
            put(machine, kRam + 0x62000 + (8 + i) * 8, (kStackPhys + i * 0x1000) | 3);
        }
        machine.host.guest.put(kRam + 0x2000, kVmcoreinfo);
        EXPECT_EQ(machine.add(1, {kRam + 0x2000, kVirt + 0x2000, 0x1000, "vmcoreinfo", 2, 2}), 1u);
    }

    static Config config()
    {
        auto config = test::small_config();
        config.sidecar = true;
        return config;
    }

    /// What the dump with that number is said to be.
    nlohmann::json sidecar(const std::string& name = "kmemdump-0001-panic.elf.json")
    {
        std::ifstream in(machine.folder.path() + "/" + name);
        return nlohmann::json::parse(in);
    }

    test::CoreReader core()
    {
        std::ifstream file(machine.folder.path() + "/kmemdump-0001-panic.elf", std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const auto bytes = std::as_bytes(std::span(text));
        return test::CoreReader({bytes.begin(), bytes.end()});
    }

    test::TestMachine machine;
};

TEST(Capture, LeavesOutCpusOfAnotherKernelAndSaysSo)
{
    KernelMachine kernel;
    auto& host = kernel.machine.host;
    test::turn_on_mmu(host, 0, kRam + 0x80000);
    test::turn_on_mmu(host, 1, kRoot | 1);
    host.notes = test::cpu_notes({{0, kStack + 0x100, 7, 5}, {1, kStack + 0x100, 0, 5}});
    kernel.machine.dump();
    EXPECT_EQ(kernel.machine.last_result(), 2u) << "partial";
    EXPECT_EQ(kernel.sidecar()["cpus_of_another_kernel"], nlohmann::json::array({0}));
    EXPECT_EQ(kernel.sidecar()["result"], "partial");
    const auto core = kernel.core();
    const auto notes = core.notes();
    ASSERT_EQ(notes.size(), 4u) << "two for CPU 1, one for CPU 0, vmcoreinfo";
    const auto& left_out = notes.at(0);
    ASSERT_EQ(left_out.text.size(), 392u);
    EXPECT_EQ(left_out.text.at(32), 1) << "it keeps its number";
    for (std::size_t i = 112; i < 392; ++i) {
        ASSERT_EQ(left_out.text.at(i), 0) << i;
    }
    EXPECT_EQ(notes.at(1).text.at(32), 2);
    EXPECT_NE(notes.at(1).text.at(112 + 31 * 8 + 1), 0);
    ASSERT_EQ(host.warnings.size(), 1u);
    EXPECT_NE(host.warnings[0].find("the page tables of CPU 0 are not those"), std::string::npos);
}

TEST(Capture, TakesNoOtherCpuForOneOfAnotherKernel)
{
    struct Case {
        const char* what;
        std::uint64_t root;
        std::uint64_t sctlr = 1;
        std::uint64_t pstate = 5;
    };
    for (const Case& one :
         {Case{"its own tables", kRoot}, Case{"CNP and an ASID", kRoot | 1 | 7ull << 48},
          Case{"tramp_pg_dir, in user mode", kRoot - 0x2000, 1, 0}, Case{"reserved_pg_dir", kRoot - 0x1000},
          Case{"never started", 0, 0}, Case{"part of a page", kRoot + 0xe00}, Case{"firmware", 0, 1, 13},
          Case{"off after it ran", 0x123000, 0}}) {
        KernelMachine kernel;
        test::turn_on_mmu(kernel.machine.host, 0, one.root);
        kernel.machine.host.registers[{0, test::kSctlrEl1}] = one.sctlr;
        kernel.machine.host.notes = test::cpu_notes({{0, kStack + 0x100, 0, one.pstate}});
        kernel.machine.dump();
        EXPECT_EQ(kernel.machine.last_result(), 1u) << one.what;
        EXPECT_EQ(kernel.sidecar()["cpus_of_another_kernel"], nlohmann::json::array()) << one.what;
    }
    // Registers that the emulator does not know: the kernel's tables lead to the stack.
    KernelMachine kernel;
    kernel.machine.host.notes = test::cpu_notes({{0, kStack + 0x100, 0, 5}});
    kernel.machine.dump();
    EXPECT_EQ(kernel.machine.last_result(), 1u);
    EXPECT_TRUE(kernel.core().read_virt(kStack, 0x4000));
}

struct Extent {
    std::uint64_t phys, virt, size;
};

void list(test::TestMachine& machine, const std::vector<Extent>& extents)
{
    std::uint64_t at = kRam + 0x3000;
    for (const Extent& extent : extents) {
        put(machine, at, extent.phys);
        put(machine, at + 8, extent.virt);
        put(machine, at + 16, extent.size);
        at += 24;
    }
    EXPECT_EQ(machine.add(2, {kRam + 0x3000, kVirt + 0x3000, 24 * extents.size(), "list", 3, 3}), 1u);
}

TEST(Capture, LeavesOutEntriesOfTheListThatTheKernelDoesNotMapAnyMore)
{
    KernelMachine kernel;
    list(kernel.machine, {{kStackPhys, kStack, 0x4000},                   // whole
                          {kStackPhys + 0x3000, kStack + 0x3000, 0x2000}, // ends behind the last page
                          {kStackPhys + 0x1000, kStack, 0x1000},          // elsewhere now
                          {kRam + 0x90000, kStack + 0x100000, 0x1000},    // nothing there any more
                          {kRam + 0x91000, 0xffff000000091000, 0x1000},   // the linear map
                          {kRam + 0x92000, 0x5fff000000092000, 0x1000},   // with a tag of KASAN
                          {kRam + 0x93000, 0xffff000000094000, 0x1000}}); // not there in the linear map
    kernel.machine.dump();
    EXPECT_EQ(kernel.machine.last_result(), 2u);
    EXPECT_EQ(kernel.sidecar()["extents_stale"], 4);
    const auto core = kernel.core();
    EXPECT_TRUE(has(core, kStackPhys));
    EXPECT_FALSE(has(core, kRam + 0x90000));
    EXPECT_TRUE(has(core, kRam + 0x91000));
    EXPECT_TRUE(has(core, kRam + 0x92000));
    EXPECT_FALSE(has(core, kRam + 0x93000));
}

TEST(Capture, CallsNoEntryStaleByTablesThatDoNotLeadToThemselves)
{
    KernelMachine kernel;
    put(kernel.machine, kRam + 0x64000 + 0x50 * 8, (kRoot + 0x1000) | 3);
    list(kernel.machine, {{kRam + 0x90000, kStack + 0x100000, 0x1000}});
    kernel.machine.dump();
    EXPECT_EQ(kernel.machine.last_result(), 1u);
    EXPECT_TRUE(has(kernel.core(), kRam + 0x90000));
}

TEST(Capture, LooksForStaleEntriesNoLongerThanIsGoodForTheHost)
{
    KernelMachine kernel;
    // 65,536 times the whole of a gigabyte that one table of pages shows again and again.
    kernel.machine.host.guest.add_ram(0x80000000, 0x40000000);
    kernel.machine.host.guest.add_ram(0x10000000000, 0x1000000);
    for (std::uint64_t i = 0; i < 512; ++i) {
        put(kernel.machine, kRam + 0x61000 + i * 8, (kRam + 0x62000) | 3);
        put(kernel.machine, kRam + 0x62000 + i * 8, (0x80000000 + i * 0x1000) | 3);
    }
    std::string entries;
    const std::uint64_t words[] = {0x80000000, 0xffff800080000000, 0x200000};
    for (int i = 0; i < 65536; ++i) {
        entries.append(reinterpret_cast<const char*>(words), sizeof(words));
    }
    kernel.machine.host.guest.put(0x10000000000, entries);
    ASSERT_EQ(kernel.machine.add(2, {0x10000000000, kVirt, entries.size(), "list", 3, 3}), 1u);
    const double before = test::cpu_seconds();
    kernel.machine.dump();
    const double seconds = test::cpu_seconds() - before;
    EXPECT_EQ(kernel.sidecar()["extents_stale"], 0);
    EXPECT_LT(seconds, 2.0);
}

} // namespace
