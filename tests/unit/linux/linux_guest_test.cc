// SPDX-License-Identifier: GPL-2.0-or-later
//
// Dumps of a Linux kernel that registers nothing: what the controller finds by itself, and when it looks.
#include "hw/linux/linux_guest.h"

#include "core_reader.h"
#include "cpu_notes.h"
#include "cpu_time.h"
#include "fake_kernel.h"
#include "mmu_registers.h"
#include "test_machine.h"

#include <gtest/gtest.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace
{

using namespace kmd;
using test::CoreReader;
using test::FakeKernel;
using test::TestMachine;

/// Several times what the worst kernel takes on a slow machine.
constexpr double kMostSeconds = 1.0;

Config with_linux(const std::string& value)
{
    Config config = test::small_config();
    config.linux_capture = value;
    return config;
}

class LinuxGuestTest : public testing::Test
{
  protected:
    explicit LinuxGuestTest(const std::string& value = "auto")
        : machine(with_linux(value)), kernel(machine.host.guest)
    {
    }

    void reset() { machine.controller->machine_event(KMD_EVENT_RESET); }

    CoreReader dump() const { return CoreReader(test::bytes_of(machine.controller->last_file())); }
    bool has_dump() const { return !machine.controller->last_file().empty(); }
    kmd_result result() const { return machine.controller->last_attempt().result; }

    /// The memory of the dump at a virtual address; empty if it is not there.
    std::string memory(std::uint64_t virt, std::size_t size) const
    {
        const auto bytes = dump().read_virt(virt, size);
        return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : "";
    }

    TestMachine machine;
    FakeKernel kernel;
};

TEST_F(LinuxGuestTest, ThatPanickedAndIsResetLeavesItsLogTasksAndStacks)
{
    const std::uint64_t task = kernel.add_task("init");
    kernel.finish();
    kernel.set("panic_cpu", 1);
    reset();
    ASSERT_TRUE(has_dump()) << machine.controller->last_error();
    EXPECT_EQ(machine.controller->last_attempt().reason, KMD_REASON_PANIC);
    EXPECT_EQ(result(), KMD_RESULT_COMPLETE);
    EXPECT_EQ(memory(kernel.log_at, FakeKernel::kLog.size()), FakeKernel::kLog);
    EXPECT_EQ(memory(task + FakeKernel::kComm, 4), "init");
    const auto stack = machine.host.guest.bytes(task - FakeKernel::kLinear + FakeKernel::kStack, 8);
    std::uint64_t at = 0;
    std::memcpy(&at, stack.data(), sizeof(at));
    EXPECT_EQ(memory(at + 0x3000, 0x1000).size(), 0x1000u) << "the last page of its stack";
    EXPECT_EQ(memory(kernel.address("jiffies_64"), 8).size(), 8u);
}

// The registers of the FPU are behind the structure, as many as the CPU has: crash reads them with it.
TEST_F(LinuxGuestTest, LeavesAllOfItsTasksThatAreLargerThanTheirType)
{
    const std::uint64_t task = kernel.add_task("init");
    kernel.variable("arch_task_struct_size", 4, 0x2800);
    kernel.finish();
    kernel.set("panic_cpu", 1);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(memory(task, 0x2800).size(), 0x2800u);
}

/// As many roots as a kernel with 52-bit addresses has. crash reads all of the array, which is mostly zeros.
TEST_F(LinuxGuestTest, LeavesAllRootsOfItsMemorySections)
{
    constexpr std::uint64_t kRoots = 131072;
    constexpr std::uint64_t kPage = 0x1000;
    const std::uint64_t roots = kernel.allocate(kRoots * 8 / kPage) + 0x40;
    const std::uint64_t leaf = kernel.allocate(2) + 0x40;
    std::ostringstream text;
    text << "LENGTH(mem_section)=" << kRoots << "\nSIZE(mem_section)=16\nSYMBOL(mem_section)=" << std::hex
         << roots << "\n";
    kernel.more_vmcoreinfo = text.str();
    kernel.put64_at(roots + 8 * 600, leaf);
    kernel.finish();
    kernel.set("panic_cpu", 1);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(memory(roots, 8 * kRoots).size(), 8 * kRoots);
    EXPECT_EQ(memory(leaf, kPage).size(), kPage) << "it need not begin with a page";
}

TEST_F(LinuxGuestTest, IsDescribedToReadersInNotes)
{
    kernel.finish();
    kernel.set("panic_cpu", 1);
    reset();
    ASSERT_TRUE(has_dump());
    std::map<std::string, std::string> notes;
    for (const auto& note : dump().notes()) {
        notes[note.name.substr(0, note.name.find('\0'))] = note.text;
    }
    EXPECT_TRUE(notes["VMCOREINFO"].starts_with("OSRELEASE=6.12.1-fake\n"));
    EXPECT_TRUE(notes["KMD_LAYOUT"].starts_with("KMD_LAYOUT=1\nSYMBOL(__per_cpu_offset)=ffff8000"));
    EXPECT_NE(notes["KMD_LAYOUT"].find("\nSYMBOL(init_task)=ffff8000"), std::string::npos);
    EXPECT_NE(notes["KMD_LAYOUT"].find("\nOFFSET(task_struct.tasks)=64\n"), std::string::npos);
}

TEST_F(LinuxGuestTest, ThatRebootsInAnOrderlyWayLeavesNoDump)
{
    kernel.finish();
    kernel.set("system_state", FakeKernel::kRestart);
    for (int i = 0; i < 100; ++i) {
        reset();
        machine.controller->reset();
        machine.controller->machine_event(KMD_EVENT_SHUTDOWN);
    }
    EXPECT_FALSE(has_dump());
    EXPECT_TRUE(machine.host.warnings.empty());
}

TEST_F(LinuxGuestTest, ThatIsResetWhileItRunsIsDumped)
{
    kernel.finish();
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(machine.controller->last_attempt().reason, KMD_REASON_RESET);
}

TEST_F(LinuxGuestTest, ThatEndsWithItsMachineWhileItRunsIsNoCrash)
{
    kernel.finish();
    machine.controller->machine_event(KMD_EVENT_SHUTDOWN);
    EXPECT_FALSE(has_dump());
}

TEST_F(LinuxGuestTest, IsDumpedWhenTheHostAsks)
{
    kernel.finish();
    EXPECT_FALSE(machine.controller->request_dump("host"));
    EXPECT_TRUE(has_dump());
}

TEST_F(LinuxGuestTest, ThatStandsStillAfterAPanicIsNoticedAtTheSecondLook)
{
    kernel.finish();
    machine.controller->poll();
    kernel.set("panic_cpu", 0);
    machine.controller->poll();
    EXPECT_EQ(machine.host.scheduled, 0) << "it may be writing its last messages";
    machine.controller->poll();
    EXPECT_EQ(machine.host.scheduled, 1);
    machine.host.run_scheduled(*machine.controller);
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(machine.controller->last_attempt().reason, KMD_REASON_PANIC);
    for (int i = 0; i < 5; ++i) {
        machine.controller->poll();
    }
    EXPECT_EQ(machine.host.scheduled, 0) << "one panic, one dump";
    machine.controller->machine_event(KMD_EVENT_RESET);
    EXPECT_EQ(machine.controller->dump_count(), 1u);
}

TEST_F(LinuxGuestTest, ThatRegistersItsVmcoreinfoIsLeftToItsDriver)
{
    kernel.finish();
    kernel.set("panic_cpu", 0);
    ASSERT_EQ(machine.add(0, {FakeKernel::kVmcoreinfo, 0xffff000001800000, 0x1000, "vmcoreinfo", 1,
                              KMD_KIND_VMCOREINFO}),
              1u);
    ASSERT_EQ(machine.add(1, test::ram_region(0, 0x1000)), 1u);
    machine.controller->poll();
    machine.controller->poll();
    EXPECT_EQ(machine.host.scheduled, 0);
    machine.dump();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(memory(kernel.address("init_task"), 8), "");
}

TEST_F(LinuxGuestTest, IsLeftToTheControllerWithRegionsElseToTheFirst)
{
    kernel.finish();
    kernel.set("panic_cpu", 0);
    TestMachine other;
    Controller* const all[] = {other.controller.get(), machine.controller.get()};
    Controller::choose(all);
    machine.controller->poll();
    machine.controller->poll();
    EXPECT_EQ(machine.host.scheduled, 0);
    for (const auto event : {KMD_EVENT_PANIC, KMD_EVENT_RESET, KMD_EVENT_SHUTDOWN}) {
        machine.controller->machine_event(event);
    }
    EXPECT_FALSE(has_dump());
    EXPECT_FALSE(machine.controller->request_dump("host")) << "asked for, it dumps what there is";
    EXPECT_EQ(machine.controller->dump_count(), 1u);
    // The one with regions comes before the first.
    ASSERT_EQ(machine.add(0, test::ram_region(0, 0x1000)), 1u);
    Controller::choose(all);
    reset();
    EXPECT_EQ(machine.controller->dump_count(), 2u);
    Controller::choose({});
}

TEST_F(LinuxGuestTest, ThatRegistersOnlyMemoryOfItsOwnGetsBoth)
{
    kernel.finish();
    ASSERT_EQ(machine.add(0, test::ram_region(0, 0x1000)), 1u);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(memory(test::kVirt, 0x1000).size(), 0x1000u);
    EXPECT_EQ(memory(kernel.address("init_task"), 8).size(), 8u);
}

TEST_F(LinuxGuestTest, WithoutTypesIsPartialAndSaysWhatItLacks)
{
    kernel.with_types = false;
    kernel.finish();
    kernel.set("panic_cpu", 1);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(result(), KMD_RESULT_PARTIAL);
    ASSERT_EQ(machine.host.warnings.size(), 1u);
    EXPECT_EQ(machine.host.warnings[0],
              "the kernel has no description of its types (CONFIG_DEBUG_INFO_BTF) that can be found");
    EXPECT_EQ(memory(kernel.log_at, FakeKernel::kLog.size()), FakeKernel::kLog);
}

TEST_F(LinuxGuestTest, WithoutNamesOfItsDataHasItsLogAndTheNamesOfItsFunctions)
{
    kernel.with_data_symbols = false;
    kernel.finish();
    reset();
    EXPECT_FALSE(has_dump()) << "nothing says that it crashed";
    constexpr std::string_view kPanic = "Kernel panic - not syncing: test";
    machine.host.guest.put(kernel.log_at - FakeKernel::kLinear + 4000, kPanic);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(machine.controller->last_attempt().reason, KMD_REASON_PANIC);
    EXPECT_EQ(result(), KMD_RESULT_PARTIAL);
    EXPECT_EQ(memory(kernel.log_at, FakeKernel::kLog.size()), FakeKernel::kLog);
    for (const char* table : {"kallsyms_names", "kallsyms_offsets", "kallsyms_num_syms",
                              "kallsyms_token_table", "kallsyms_token_index", "kallsyms_relative_base"}) {
        EXPECT_EQ(memory(kernel.address(table), 4).size(), 4u) << table;
    }
}

TEST_F(LinuxGuestTest, WhoseTypesAreGarbageIsDumpedWithTheRest)
{
    kernel.finish();
    machine.host.guest.fill(kernel.address("__start_BTF") - FakeKernel::kImage, 16, 0xff);
    kernel.set("panic_cpu", 1);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(result(), KMD_RESULT_PARTIAL);
    EXPECT_EQ(memory(kernel.log_at, FakeKernel::kLog.size()), FakeKernel::kLog);
}

TEST_F(LinuxGuestTest, WhoseListOfTasksIsBrokenIsPartial)
{
    const std::uint64_t task = kernel.add_task("init");
    kernel.finish();
    kernel.put64_at(task + FakeKernel::kTasks, task + FakeKernel::kTasks);
    kernel.set("panic_cpu", 1);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(result(), KMD_RESULT_PARTIAL);
    EXPECT_EQ(machine.controller->last_attempt().result, KMD_RESULT_PARTIAL);
    EXPECT_EQ(memory(task + FakeKernel::kComm, 4), "init");
    ASSERT_EQ(machine.host.warnings.size(), 1u);
    EXPECT_EQ(machine.host.warnings[0],
              "1 lists of the kernel are broken: what follows the break is left out");
}

// An array without a known length, and a kernel that fills it without end.
TEST_F(LinuxGuestTest, HasAtMost1024NodesOfMemory)
{
    constexpr std::uint64_t kMostNodes = 1024;
    kernel.with_data_symbols = false;
    kernel.types.structure("pglist_data", 0x1000, {});
    const std::uint64_t array = kernel.place("node_data", 8 * (kMostNodes + 8)) - FakeKernel::kImage;
    std::vector<std::uint64_t> nodes;
    for (std::uint64_t i = 0; i < kMostNodes + 8; ++i) {
        nodes.push_back(kernel.allocate(1));
        kernel.put64(array + 8 * i, nodes.back());
    }
    kernel.place_exports({"init_task", "nr_cpu_ids", "__per_cpu_offset", "node_data"});
    kernel.finish();
    machine.host.guest.put(kernel.log_at - FakeKernel::kLinear + 4000, "Kernel panic - not syncing: test");
    const double before = test::cpu_seconds();
    reset();
    EXPECT_LT(test::cpu_seconds() - before, kMostSeconds);
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(result(), KMD_RESULT_COMPLETE);
    const CoreReader reader = dump();
    EXPECT_TRUE(reader.read_virt(nodes[kMostNodes - 1], 0x1000));
    EXPECT_FALSE(reader.read_virt(nodes[kMostNodes], 0x1000));
}

// As Debian's 6.1: kallsyms names functions only.
TEST_F(LinuxGuestTest, WithoutNamesOfItsDataIsFoundByItsExportsAndTypes)
{
    kernel.with_data_symbols = false;
    const std::uint64_t task = kernel.add_task("init");
    // A module in the linear map.
    const std::uint64_t module = kernel.allocate(1);
    const auto pointer = kernel.types.pointer();
    const auto number = kernel.types.integer(4);
    const auto list = kernel.types.structure("list_head", 16, {{"next", pointer, 0}, {"prev", pointer, 8}});
    const auto layout = kernel.types.structure(
        "module_layout", 16, {{"base", pointer, 0}, {"size", number, 8}, {"text_size", number, 12}});
    const auto name = kernel.types.array(kernel.types.integer(1), 56);
    kernel.types.structure("module", 256,
                           {{"list", list, 8}, {"name", name, 24}, {"core_layout", layout, 128}});
    const std::uint64_t head = kernel.variable("modules", 16, module + 8);
    kernel.put64(head - FakeKernel::kImage + 8, module + 8);
    kernel.put64_at(module + 8, head);
    kernel.put64_at(module + 16, head);
    machine.host.guest.put(module - FakeKernel::kLinear + 24, "some_module");
    kernel.put64_at(module + 128, FakeKernel::kImage + FakeKernel::kRam + 0x300000);
    kernel.put64_at(module + 136, 0x200000003000); // its size and that of its code
    // The size of the array of nodes is not known; the second place is empty.
    kernel.types.structure("pglist_data", 128, {});
    const std::uint64_t node = kernel.allocate(1);
    kernel.variable("node_data", 64, node);
    // A per-CPU variable that is exported, and one that is not.
    const std::uint64_t area = kernel.place("__per_cpu_start", 0x100);
    const std::uint64_t kstat = area + 0x20;
    kernel.name("kstat", kstat);
    const auto exported = kernel.types.type("kstat", 14, 0, number, {0});
    const auto queues = kernel.types.type("runqueues", 14, 0, number, {0});
    kernel.types.type(".data..percpu", 15, 2, 0x100, {exported, 0x20, 4, queues, 0x40, 4});
    kernel.place_exports({"init_task", "nr_cpu_ids", "__per_cpu_offset", "kstat", "node_data"});
    kernel.finish();
    machine.host.guest.put(kernel.log_at - FakeKernel::kLinear + 4000, "Kernel panic - not syncing: test");
    const double before = test::cpu_seconds();
    reset();
    EXPECT_LT(test::cpu_seconds() - before, kMostSeconds);
    ASSERT_TRUE(has_dump());
    EXPECT_TRUE(machine.host.warnings.empty()) << machine.host.warnings.front();
    EXPECT_EQ(result(), KMD_RESULT_COMPLETE);
    const CoreReader reader = dump();
    const auto text_at = [&](std::uint64_t virt, std::size_t size) {
        const auto bytes = reader.read_virt(virt, size);
        return bytes ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : "";
    };
    EXPECT_EQ(text_at(task + FakeKernel::kComm, 4), "init");
    EXPECT_EQ(text_at(module + 24, 11), "some_module");
    EXPECT_EQ(text_at(node, 128).size(), 128u);
    EXPECT_EQ(text_at(kernel.address("jiffies_64"), 8).size(), 8u) << "which it does not export";
    std::string layout_note;
    for (const auto& note : reader.notes()) {
        layout_note += note.name.starts_with("KMD_LAYOUT") ? note.text : "";
    }
    const auto has_symbol = [&](const char* symbol, std::uint64_t address) {
        char line[64];
        std::snprintf(line, sizeof(line), "\nSYMBOL(%s)=%llx\n", symbol,
                      static_cast<unsigned long long>(address));
        return layout_note.find(line) != std::string::npos;
    };
    EXPECT_TRUE(has_symbol("modules", head)) << layout_note;
    EXPECT_TRUE(has_symbol("runqueues", area + 0x40)) << layout_note;
}

TEST_F(LinuxGuestTest, WhoseUnnamedDataIsFullOfPointersIsReadForABoundedTime)
{
    kernel.with_data_symbols = false;
    const auto pointer = kernel.types.pointer();
    const auto number = kernel.types.integer(4);
    const auto list = kernel.types.structure("list_head", 16, {{"next", pointer, 0}, {"prev", pointer, 8}});
    const auto layout = kernel.types.structure(
        "module_layout", 16, {{"base", pointer, 0}, {"size", number, 8}, {"text_size", number, 12}});
    const auto name = kernel.types.array(kernel.types.integer(1), 56);
    kernel.types.structure("module", 256,
                           {{"list", list, 8}, {"name", name, 24}, {"core_layout", layout, 128}});
    kernel.place_exports({"init_task", "nr_cpu_ids", "__per_cpu_offset"});
    kernel.finish();
    // Each leads somewhere else in the linear map.
    std::string pages;
    for (std::uint64_t i = 0; i < 0xa00000 / 8; ++i) {
        const std::uint64_t to = FakeKernel::kLinear + FakeKernel::kRam + i * 8 % 0x1000000;
        pages.append(reinterpret_cast<const char*>(&to), sizeof(to));
    }
    machine.host.guest.put(FakeKernel::kRam + 0x600000, pages);
    machine.host.guest.put(kernel.log_at - FakeKernel::kLinear + 4000, "Kernel panic - not syncing: test");
    const double before = test::cpu_seconds();
    reset();
    EXPECT_LT(test::cpu_seconds() - before, kMostSeconds);
    EXPECT_TRUE(has_dump());
}

TEST_F(LinuxGuestTest, WhoseListOfModulesIsBrokenIsPartial)
{
    const auto list = kernel.types.structure("list_head", 16, {});
    kernel.types.structure("module", 64, {{"list", list, 8}});
    kernel.variable("modules", 16, FakeKernel::kLinear + FakeKernel::kRam + 0x700000);
    kernel.finish();
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(result(), KMD_RESULT_PARTIAL);
}

TEST_F(LinuxGuestTest, WhoseLogIsNotFoundIsPartial)
{
    kernel.finish();
    const std::uint64_t nowhere = 0;
    kernel.put64(kernel.address("prb") - FakeKernel::kImage, nowhere);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(result(), KMD_RESULT_PARTIAL);
    ASSERT_EQ(machine.host.warnings.size(), 1u);
    EXPECT_EQ(machine.host.warnings[0], "the kernel's log is not found");
}

TEST_F(LinuxGuestTest, WhoseLogClaimsAllMemoryIsCutAndSaidSo)
{
    kernel.finish();
    machine.host.guest.add_ram(0x100000000, 0x40000000);
    const std::uint64_t ring = kernel.address("printk_rb_static") - FakeKernel::kImage;
    const std::uint64_t far = FakeKernel::kLinear + 0x100000000;
    kernel.put64(ring, 20);
    kernel.put64(ring + 8, far);
    kernel.put64(ring + 16, far + 0x8000000);
    kernel.put64(ring + 40, 26);
    kernel.put64(ring + 48, far + 0x20000000);
    LinuxGuest found;
    const LinuxKernel* const known =
        found.find({.elf_machine = 183}, machine.host.guest, LinuxGuest::kMostPages);
    ASSERT_NE(known, nullptr);
    const double begin = test::cpu_seconds();
    const auto collected = collect_kernel(*known, machine.host.guest);
    EXPECT_LT(test::cpu_seconds() - begin, kMostSeconds);
    std::uint64_t bytes = 0;
    for (const Region& region : collected.vital) {
        bytes += region.size;
    }
    EXPECT_EQ(bytes, std::uint64_t{32768} * 4096);
    EXPECT_GT(collected.pages_left_out, 0u);
}

TEST_F(LinuxGuestTest, ThatIsOnlyACopyOfVmcoreinfoIsNone)
{
    kernel.finish();
    machine.host.guest.fill(FakeKernel::kRam + 0x10000, 0x2000, 0); // its page tables
    reset();
    EXPECT_FALSE(has_dump());
    ASSERT_TRUE(machine.controller->request_dump("host"));
    EXPECT_EQ(machine.controller->last_error(),
              "the guest has registered no region, and no Linux kernel was found in its memory");
}

TEST_F(LinuxGuestTest, OfWhichACopyLiesFartherDownIsFoundAllTheSame)
{
    kernel.finish();
    machine.host.guest.put(FakeKernel::kRam + 0x800000, "OSRELEASE=6.12.1-fake\nPAGESIZE=4096\n");
    kernel.set("panic_cpu", 1);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(result(), KMD_RESULT_COMPLETE);
}

TEST_F(LinuxGuestTest, IsForgottenWithAReset)
{
    kernel.finish();
    machine.controller->poll();
    reset();
    machine.controller->reset();
    ASSERT_EQ(machine.controller->dump_count(), 1u);
    machine.host.guest.fill(FakeKernel::kVmcoreinfo, 0x1000, 0);
    reset();
    EXPECT_EQ(machine.controller->dump_count(), 1u);
}

TEST_F(LinuxGuestTest, IsNotSearchedForWhenItRings)
{
    kernel.finish();
    const std::uint64_t before = machine.host.guest.maps;
    for (int i = 0; i < 100; ++i) {
        machine.dump();
    }
    EXPECT_EQ(result(), KMD_RESULT_EMPTY);
    EXPECT_LT(machine.host.guest.maps - before, 1000u);
}

/// Another kernel, which lies farther down in memory, with page tables of its own.
void add_second_kernel(test::FakeGuest& guest, FakeKernel& kernel)
{
    kernel.put64(FakeKernel::kRam + 0x20000 + 8 * 256, (FakeKernel::kRam + 0x11000) | 3);
    guest.put(FakeKernel::kRam + 0x800000, "OSRELEASE=second\nBUILD-ID=89\nPAGESIZE=4096\n"
                                           "SYMBOL(swapper_pg_dir)=ffff800080020000\nNUMBER(VA_BITS)=48\n"
                                           "NUMBER(kimage_voffset)=0xffff800000000000\n"
                                           "NUMBER(PHYS_OFFSET)=0x80000000\nNUMBER(TCR_EL1_T1SZ)=0x10\n");
}

std::string kernel_of(const CoreReader& core)
{
    for (const auto& note : core.notes()) {
        if (note.name.starts_with("VMCOREINFO")) {
            return note.text.substr(0, note.text.find('\n'));
        }
    }
    return "none";
}

TEST_F(LinuxGuestTest, OfTwoInMemoryIsTheOneThatTheCpusRun)
{
    kernel.finish();
    add_second_kernel(machine.host.guest, kernel);
    machine.host.notes = test::cpu_notes({{.cpu = 0}});
    for (const auto& [root, release] :
         {std::pair(0x10000, "OSRELEASE=6.12.1-fake"), std::pair(0x20000, "OSRELEASE=second")}) {
        test::turn_on_mmu(machine.host, 0, FakeKernel::kRam + static_cast<std::uint64_t>(root));
        EXPECT_FALSE(machine.controller->request_dump("host"));
        EXPECT_EQ(kernel_of(dump()), release);
        machine.controller->reset();
    }
}

TEST_F(LinuxGuestTest, ThatPanickedStaysTheOneWhenACaptureKernelRuns)
{
    kernel.finish();
    machine.controller->poll();
    add_second_kernel(machine.host.guest, kernel);
    kernel.set("panic_cpu", 0);
    machine.host.notes = test::cpu_notes({{.cpu = 0}});
    test::turn_on_mmu(machine.host, 0, FakeKernel::kRam + 0x20000);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(kernel_of(dump()), "OSRELEASE=6.12.1-fake");
    EXPECT_EQ(result(), KMD_RESULT_PARTIAL) << "the registers are the other's";
}

/// CPU time of finding the kernel and collecting its memory, in seconds.
double seconds_of(test::FakeGuest& guest)
{
    const double begin = test::cpu_seconds();
    LinuxGuest found;
    const LinuxKernel* const kernel = found.find({.elf_machine = 183}, guest, LinuxGuest::kMostPages);
    EXPECT_NE(kernel, nullptr);
    if (kernel != nullptr) {
        EXPECT_LE(collect_kernel(*kernel, guest).others.size(), 16384u);
    }
    const double seconds = test::cpu_seconds() - begin;
    std::cout << "figures: " << seconds << " s of CPU\n";
    return seconds;
}

/// Every 512 bytes of 16 MiB a task, with stack, signals and process number all over the memory.
void fill_with_tasks(FakeKernel& kernel)
{
    constexpr std::uint64_t kFirst = FakeKernel::kLinear + FakeKernel::kRam + 0x800000;
    constexpr std::uint64_t kCount = 0x1000000 / 0x200;
    kernel.put64(kernel.address("init_task") - FakeKernel::kImage + FakeKernel::kTasks,
                 kFirst + FakeKernel::kTasks);
    for (std::uint64_t i = 0; i < kCount; ++i) {
        const std::uint64_t task = kFirst + 0x200 * i;
        const std::uint64_t other = kFirst + 0x200 * (i * 7919 % kCount);
        kernel.put64_at(task + FakeKernel::kTasks, task + 0x200 + FakeKernel::kTasks);
        kernel.put64_at(task + FakeKernel::kStack, other);
        kernel.put64_at(task + FakeKernel::kSignal, other);
        kernel.put64_at(task + FakeKernel::kThreadHead, other + FakeKernel::kThreadNode);
        kernel.put64_at(task + FakeKernel::kThreadNode, task + 0x200 + FakeKernel::kThreadNode);
    }
}

TEST_F(LinuxGuestTest, WhoseTasksNeverEndIsCollectedForABoundedTime)
{
    kernel.finish();
    fill_with_tasks(kernel);
    EXPECT_LT(seconds_of(machine.host.guest), kMostSeconds);
}

TEST(LinuxGuestWithHugeTasks, IsCollectedForABoundedTime)
{
    test::FakeGuest guest;
    FakeKernel kernel(guest, 0x1000000);
    kernel.finish();
    fill_with_tasks(kernel);
    EXPECT_LT(seconds_of(guest), kMostSeconds);
}

TEST_F(LinuxGuestTest, WithMoreSymbolsThanAnyOtherIsReadForABoundedTime)
{
    kernel.more_symbols = 300'000;
    kernel.finish();
    EXPECT_LT(seconds_of(machine.host.guest), kMostSeconds);
}

TEST_F(LinuxGuestTest, ThatClaimsEndlessSymbolsIsDumpedAllTheSame)
{
    kernel.finish();
    kernel.set("kallsyms_num_syms", 1 << 20);
    kernel.set("panic_cpu", 1);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(result(), KMD_RESULT_PARTIAL);
    EXPECT_EQ(memory(kernel.log_at, FakeKernel::kLog.size()), FakeKernel::kLog);
}

TEST_F(LinuxGuestTest, WhoseTypesNeverEndIsReadForABoundedTime)
{
    for (int i = 0; i < 300'000; ++i) {
        kernel.types.structure("task_struct", 8, {{"", 1, 0}});
    }
    kernel.finish();
    EXPECT_LT(seconds_of(machine.host.guest), kMostSeconds);
}

TEST(LinuxSearch, OfAllMemoryThatMayBeSearchedIsShort)
{
    test::FakeGuest guest;
    guest.add_ram(0x40000000, LinuxGuest::kMostPages * 4096);
    // A guest that has used some of it.
    guest.fill(0x40000000, 1 << 30, 1);
    const double begin = test::cpu_seconds();
    LinuxGuest found;
    EXPECT_EQ(found.find({.elf_machine = 183}, guest, LinuxGuest::kMostPages), nullptr);
    const double seconds = test::cpu_seconds() - begin;
    std::cout << "figures: " << seconds << " s of CPU\n";
    EXPECT_LT(seconds, kMostSeconds);
}

TEST(LinuxSearch, InPassingCostsLessAndLessIfThereIsNoLinux)
{
    test::FakeGuest guest;
    guest.add_ram(0x40000000, 64 << 20);
    LinuxGuest found;
    EXPECT_EQ(found.pages_in_passing(), 65536u);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(found.find({.elf_machine = 183}, guest, 20000), nullptr);
    }
    EXPECT_EQ(found.pages_in_passing(), 1024u);
    found.forget();
    EXPECT_EQ(found.pages_in_passing(), 65536u) << "after a reset";
}

TEST(LinuxSearch, OfAnAttemptBeginsAtTheBeginning)
{
    test::FakeGuest guest;
    FakeKernel kernel(guest);
    LinuxGuest found;
    const std::uint64_t passed = (FakeKernel::kVmcoreinfo - FakeKernel::kRam) / 4096 + 100;
    EXPECT_EQ(found.find({.elf_machine = 183}, guest, passed), nullptr);
    kernel.finish();
    EXPECT_NE(found.find({.elf_machine = 183}, guest, LinuxGuest::kMostPages), nullptr);
}

// Each page has to be parsed, and its page tables are sound: the CPUs run another kernel.
TEST(LinuxSearch, AmongCopiesOfVmcoreinfoWithoutEndIsShort)
{
    test::FakeGuest guest;
    FakeKernel kernel(guest);
    kernel.finish();
    constexpr std::uint64_t kSize = std::uint64_t{1} << 30;
    guest.add_ram(0x100000000, kSize);
    const auto page = guest.bytes(FakeKernel::kVmcoreinfo, 4096);
    for (std::uint64_t at = 0; at < kSize; at += 4096) {
        guest.put(0x100000000 + at, {reinterpret_cast<const char*>(page.data()), page.size()});
    }
    LinuxGuest found;
    const double begin = test::cpu_seconds();
    const auto none = [](const Vmcoreinfo&) { return false; };
    found.find({.elf_machine = 183}, guest, LinuxGuest::kMostPages, none);
    const double seconds = test::cpu_seconds() - begin;
    std::cout << "figures: " << seconds << " s of CPU\n";
    EXPECT_LT(seconds, kMostSeconds);
}

TEST_F(LinuxGuestTest, IsNotSearchedForIfTheFormatCannotHoldIt)
{
    for (const char* format : {"qcom", "coreimage"}) {
        Config config = test::small_config();
        config.format = format;
        TestMachine other(config);
        FakeKernel its(other.host.guest);
        its.finish();
        its.set("panic_cpu", 0);
        for (int i = 0; i < 5; ++i) {
            other.controller->poll();
        }
        EXPECT_EQ(other.host.scheduled, 0) << format;
        other.controller->machine_event(KMD_EVENT_RESET);
        EXPECT_TRUE(other.host.warnings.empty()) << format;
    }
}

TEST(LinuxSearch, LeavesMemoryAloneThatTheHostNeverAllocated)
{
    constexpr std::size_t kSize = 64 << 20;
    const int file = ::memfd_create("ram", 0);
    ASSERT_EQ(::ftruncate(file, kSize), 0);
    void* const bytes = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ASSERT_NE(bytes, MAP_FAILED);
    std::memset(static_cast<char*>(bytes) + (32 << 20), 1, 4096);
    class Shared final : public GuestMemory
    {
      public:
        explicit Shared(std::span<const std::byte> ram) : ram_(ram) {}
        std::optional<std::uint64_t> next_ram(std::uint64_t phys) override
        {
            return phys < ram_.size() ? std::optional(phys) : std::nullopt;
        }
        std::span<const std::byte> map(std::uint64_t phys, std::uint64_t size) override
        {
            return phys < ram_.size() ? ram_.subspan(phys, std::min<std::uint64_t>(size, ram_.size() - phys))
                                      : std::span<const std::byte>();
        }

      private:
        std::span<const std::byte> ram_;
    } memory({static_cast<const std::byte*>(bytes), kSize});
    LinuxGuest found;
    EXPECT_EQ(found.find({.elf_machine = 183}, memory, LinuxGuest::kMostPages), nullptr);
    struct stat status {
    };
    ASSERT_EQ(::fstat(file, &status), 0);
    EXPECT_EQ(status.st_blocks * 512, 4096) << "only what was there before";
    ::munmap(bytes, kSize);
    ::close(file);
}

class WithoutLinux : public LinuxGuestTest
{
  protected:
    WithoutLinux() : LinuxGuestTest("off") {}
};

TEST_F(WithoutLinux, NothingIsFound)
{
    kernel.finish();
    kernel.set("panic_cpu", 1);
    machine.controller->poll();
    machine.controller->poll();
    reset();
    EXPECT_FALSE(has_dump());
    EXPECT_EQ(machine.host.scheduled, 0);
}

class LinuxAlone : public LinuxGuestTest
{
  protected:
    LinuxAlone() : LinuxGuestTest("only") {}
};

TEST_F(LinuxAlone, LeavesOutWhatTheGuestRegistered)
{
    kernel.finish();
    ASSERT_EQ(machine.add(0, {FakeKernel::kVmcoreinfo, 0xffff000001800000, 0x1000, "vmcoreinfo", 1,
                              KMD_KIND_VMCOREINFO}),
              1u);
    ASSERT_EQ(machine.add(1, test::ram_region(0, 0x1000)), 1u);
    reset();
    ASSERT_TRUE(has_dump());
    EXPECT_EQ(memory(test::kVirt, 0x1000), "");
    EXPECT_EQ(memory(kernel.address("init_task"), 8).size(), 8u);
}

/// Nothing is searched at a ring, because a guest can ring as often as it likes.
TEST_F(LinuxAlone, FindsTheKernelThatRingsByTheVmcoreinfoThatItRegistered)
{
    const std::uint64_t task = kernel.add_task("init");
    kernel.finish();
    ASSERT_EQ(machine.add(0, {FakeKernel::kVmcoreinfo, 0xffff000001800000, 0x1000, "vmcoreinfo", 1,
                              KMD_KIND_VMCOREINFO}),
              1u);
    machine.dump();
    ASSERT_TRUE(has_dump()) << machine.controller->last_error();
    EXPECT_EQ(result(), KMD_RESULT_COMPLETE);
    EXPECT_EQ(memory(task + FakeKernel::kComm, 4), "init");
}

TEST(LinuxProperty, SaysWhatItAccepts)
{
    EXPECT_EQ(Settings::of(with_linux("yes")).error().what,
              "linux=yes is unknown: expected off, auto or only");
}

} // namespace
