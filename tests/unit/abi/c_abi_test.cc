// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects hw/abi/kmemdump_md.h, all that the QEMU device sees of the controller: creation and its
// errors, guest accesses, a dump from the doorbell to the file, and every call back to the host.
#include "core_reader.h"
#include "hw/abi/kmemdump_md.h"
#include "temp_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace
{

using kmd::test::bytes_of;
using kmd::test::CoreReader;
using kmd::test::names_in;
using kmd::test::TempDir;

constexpr std::uint64_t kRam = 0x80000000;

/// The emulator: RAM in two pieces, and everything that was called.
struct Emulator {
    std::vector<unsigned char> ram = std::vector<unsigned char>(0x4000);
    kmd_machine cpus = {183, 2, 1};
    int scheduled = 0;
    bool peer_is_gone = false;
    std::string sent;
    int disconnects = 0;
    std::vector<std::string> guest_errors;
    std::vector<std::string> reports;
    std::vector<std::string> warnings;
    std::vector<std::string> traces;
    std::vector<std::pair<std::uint64_t, std::string>> done;

    static Emulator& of(void* host) { return *static_cast<Emulator*>(host); }

    static std::uint64_t map_ram(void* host, std::uint64_t phys, std::uint64_t size, const void** bytes)
    {
        auto& ram = of(host).ram;
        if (phys < kRam || phys - kRam >= ram.size()) {
            return 0;
        }
        const std::uint64_t into = phys - kRam;
        const std::uint64_t seam = into < 0x1800 ? 0x1800 : ram.size();
        *bytes = ram.data() + into;
        return std::min(size, seam - into);
    }

    static void cpu_notes(void*, kmd_note_sink* put, void* sink)
    {
        const unsigned char header[] = {5, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0};
        put(sink, header, sizeof(header));
        put(sink, "CORE\0\0\0", 8);
        put(sink, nullptr, 0);
        put(sink, "regs", 4);
    }

    static void machine(void* host, kmd_machine* machine) { *machine = of(host).cpus; }
    static void schedule_dump(void* host) { ++of(host).scheduled; }
    static void log_guest_error(void* host, const char* text) { of(host).guest_errors.push_back(text); }
    static void report(void* host, const char* text) { of(host).reports.push_back(text); }
    static void warn(void* host, const char* text) { of(host).warnings.push_back(text); }

    static void cpu_registers(void*, unsigned, kmd_cpu_register*, std::size_t) {}
    static void trace(void* host, const char* text) { of(host).traces.push_back(text); }
    static void dump_done(void* host, std::uint64_t bytes, const char* error)
    {
        of(host).done.push_back({bytes, error == nullptr ? "complete" : error});
    }
    static std::int64_t send(void* host, const void* bytes, std::size_t size)
    {
        if (of(host).peer_is_gone) {
            return -1;
        }
        of(host).sent.append(static_cast<const char*>(bytes), size);
        return static_cast<std::int64_t>(size);
    }
    static int disconnect(void* host)
    {
        ++of(host).disconnects;
        return 1;
    }

    static int next_ram(void* host, std::uint64_t phys, std::uint64_t* start)
    {
        *start = std::max(phys, kRam);
        return *start - kRam < of(host).ram.size() ? 1 : 0;
    }

    static constexpr kmd_host_ops kOps = {
        map_ram, next_ram, machine, cpu_notes, cpu_registers, schedule_dump, log_guest_error,
        report,  warn,     trace,   dump_done, send,          disconnect};
};

struct CAbi : testing::Test {
    CAbi()
    {
        config.slots = 32;
        config.output = folder.path().c_str();
    }
    ~CAbi() override { kmd_destroy(controller); }

    void create()
    {
        char* error = nullptr;
        controller = kmd_create(&config, &Emulator::kOps, &emulator, &error);
        ASSERT_NE(controller, nullptr) << error;
        EXPECT_EQ(error, nullptr);
    }

    /// The sentence with which creation is refused.
    std::string refused()
    {
        char* error = nullptr;
        controller = kmd_create(&config, &Emulator::kOps, &emulator, &error);
        EXPECT_EQ(controller, nullptr);
        std::string text = error == nullptr ? "" : error;
        std::free(error);
        return text;
    }

    void add_region(std::uint64_t slot, std::uint64_t phys, std::uint64_t size)
    {
        kmd_write(controller, slot + 0x00, phys, 8);
        kmd_write(controller, slot + 0x08, phys + 0xffff000000000000, 8);
        kmd_write(controller, slot + 0x10, size, 8);
        kmd_write(controller, slot + 0x38, 1, 4);
    }

    TempDir folder;
    Emulator emulator;
    kmd_config config{};
    kmd_controller* controller = nullptr;
};

TEST_F(CAbi, ChardevGetsTheDumpThroughSend)
{
    config.output = nullptr;
    config.chardev = "collector";
    config.chardev_timeout_ms = 1000;
    create();
    add_region(0x1000, kRam, 0x100);
    kmd_write(controller, 0x020, 1, 4);
    kmd_take_dump(controller);
    EXPECT_EQ(kmd_read(controller, 0x048, 4), 1u);
    EXPECT_TRUE(emulator.sent.starts_with("{\"kmemdump-md\":1,"));
    EXPECT_EQ(emulator.disconnects, 0);
    emulator.peer_is_gone = true;
    kmd_write(controller, 0x020, 2, 4);
    kmd_take_dump(controller);
    EXPECT_EQ(kmd_read(controller, 0x048, 4), 4u);
    EXPECT_NE(emulator.warnings.back().find("chardev collector: nobody is connected"), std::string::npos);
}

TEST_F(CAbi, PropertiesOfTheOutputReachTheController)
{
    config.name = "abi-%r-%n";
    config.compress = "zstd";
    config.sidecar = 1;
    config.plugin_version = "9.8";
    config.qemu_version = "7.6";
    config.keep = 1;
    create();
    add_region(0x1000, kRam, 0x100);
    for (int i = 0; i < 2; ++i) {
        kmd_write(controller, 0x020, 2, 4);
        kmd_take_dump(controller);
    }
    EXPECT_EQ(names_in(folder.path()),
              (std::vector<std::string>{"abi-request-0002.elf.zst", "abi-request-0002.elf.zst.json"}));
    const auto bytes = bytes_of(folder / "abi-request-0002.elf.zst.json");
    const std::string json(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    EXPECT_NE(json.find("\"plugin_version\": \"9.8\""), std::string::npos);
    EXPECT_NE(json.find("\"qemu_version\": \"7.6\""), std::string::npos);
}

TEST_F(CAbi, LimitsAndFaultsReachTheController)
{
    config.max_bytes = 1;
    config.inject_refuse = 1;
    create();
    EXPECT_EQ(kmd_read(controller, 0x024, 4), 5u);
    add_region(0x1000, kRam, 0x100);
    EXPECT_EQ(kmd_read(controller, 0x1030, 4), 22u);
    add_region(0x1000, kRam, 0x100);
    kmd_write(controller, 0x020, 1, 4);
    kmd_take_dump(controller);
    EXPECT_EQ(kmd_read(controller, 0x048, 4), 6u);
}

TEST_F(CAbi, OneFileIsAPropertyOfItsOwn)
{
    const std::string file = folder / "last.elf";
    config.output = nullptr;
    config.file = file.c_str();
    config.inject_write_cut = 5000;
    create();
    add_region(0x1000, kRam, 0x1000);
    kmd_write(controller, 0x020, 1, 4);
    kmd_take_dump(controller);
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"last.elf.incomplete"});
    EXPECT_EQ(bytes_of(folder / "last.elf.incomplete").size(), 4999u);
}

TEST_F(CAbi, CreationFailsWithASentenceAboutTheProperty)
{
    config.slots = 0;
    EXPECT_NE(refused().find("slots=0"), std::string::npos);
    config.slots = 65537;
    EXPECT_NE(refused().find("slots=65537"), std::string::npos);
    config.slots = 32;
    config.max_regions = 33;
    EXPECT_NE(refused().find("max-regions=33"), std::string::npos);
    config.max_regions = 0;
    emulator.cpus.elf_class = 1;
    EXPECT_NE(refused().find("64-bit"), std::string::npos);
    emulator.cpus.elf_class = 2;
    emulator.cpus.elf_data = 2;
    EXPECT_NE(refused().find("little-endian"), std::string::npos);
    emulator.cpus.elf_data = 1;
    config.output = "/nonexistent/folder";
    EXPECT_NE(refused().find("/nonexistent/folder"), std::string::npos);
}

TEST_F(CAbi, DestroyingNothingIsAllowed)
{
    kmd_destroy(nullptr);
    create();
    EXPECT_EQ(kmd_read(controller, 0x000, 4), 0x444d4d4bu);
}

TEST_F(CAbi, ConfigurationIsCopied)
{
    std::string output = folder.path();
    config.output = output.c_str();
    create();
    std::fill(output.begin(), output.end(), 'x');
    config.slots = 1;
    EXPECT_EQ(kmd_read(controller, 0x010, 4), 32u) << "SLOT_COUNT";
    add_region(0x1000, kRam, 0x1000);
    kmd_write(controller, 0x020, 1, 4);
    kmd_take_dump(controller);
    EXPECT_EQ(names_in(folder.path()).size(), 1u);
}

TEST_F(CAbi, WindowIsAsLargeAsTheTableNeeds)
{
    create();
    EXPECT_EQ(kmd_window_size(controller), 0x2000u);
}

TEST_F(CAbi, EveryConfiguredLimitReachesTheController)
{
    config.max_regions = 1;
    config.max_dumps = 1;
    create();
    add_region(0x1000, kRam, 0x1000);
    add_region(0x1040, kRam + 0x1000, 0x1000);
    EXPECT_EQ(kmd_read(controller, 0x1030, 4), 1u);
    EXPECT_EQ(kmd_read(controller, 0x1070, 4), 21u) << "SLOT_TABLE_FULL";
    for (int i = 0; i < 2; ++i) {
        kmd_write(controller, 0x020, 2, 4);
        kmd_take_dump(controller);
    }
    EXPECT_EQ(kmd_read(controller, 0x048, 4), 6u) << "RESULT_LIMIT";
    EXPECT_EQ(emulator.warnings.size(), 1u);
}

TEST_F(CAbi, DumpGoesFromTheDoorbellToTheFile)
{
    create();
    for (std::size_t i = 0; i < emulator.ram.size(); ++i) {
        emulator.ram[i] = static_cast<unsigned char>(i ^ i >> 8);
    }
    add_region(0x1000, kRam + 0x1000, 0x2000);
    ASSERT_EQ(kmd_read(controller, 0x1030, 4), 1u);
    kmd_write(controller, 0x020, 1, 4);
    EXPECT_EQ(emulator.scheduled, 1);
    EXPECT_EQ(kmd_read(controller, 0x024, 4), 3u) << "STATUS: READY and BUSY";
    kmd_take_dump(controller);
    EXPECT_EQ(kmd_read(controller, 0x024, 4), 1u);
    EXPECT_EQ(kmd_read(controller, 0x048, 4), 1u) << "RESULT_COMPLETE";
    EXPECT_EQ(kmd_read(controller, 0x050, 8), 0x3000u) << "LAST_BYTES";
    ASSERT_EQ(emulator.reports.size(), 1u);
    EXPECT_NE(emulator.reports[0].find("kmemdump-0001-panic.elf"), std::string::npos);
    EXPECT_TRUE(emulator.warnings.empty());

    const CoreReader core(bytes_of(folder / "kmemdump-0001-panic.elf"));
    EXPECT_EQ(core.header.e_machine, 183);
    EXPECT_EQ(core.header.e_flags, 0u);
    std::vector<std::byte> truth(0x2000);
    std::memcpy(truth.data(), emulator.ram.data() + 0x1000, 0x2000);
    EXPECT_EQ(core.read_phys(kRam + 0x1000, 0x2000), truth);
    EXPECT_EQ(core.read_virt(0xffff000080001000, 0x2000), truth);
    const auto notes = core.notes();
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].name, std::string("CORE\0", 5));
    EXPECT_EQ(notes[0].text, "regs");
}

TEST_F(CAbi, MemoryThatTheEmulatorDoesNotMapIsNotRam)
{
    create();
    add_region(0x1000, 0x1000, 0x1000);
    EXPECT_EQ(kmd_read(controller, 0x1030, 4), 18u) << "SLOT_NOT_RAM";
    add_region(0x1000, kRam + 0x3000, 0x1001);
    EXPECT_EQ(kmd_read(controller, 0x1030, 4), 18u);
    EXPECT_EQ(emulator.guest_errors.size(), 2u);
}

TEST_F(CAbi, GuestErrorsAreLogged)
{
    create();
    EXPECT_EQ(kmd_read(controller, 0x001, 1), 0u);
    kmd_write(controller, 0x000, 1, 4);
    EXPECT_EQ(emulator.guest_errors.size(), 2u);
    EXPECT_EQ(kmd_read(controller, 0x034, 4), 2u) << "GUEST_ERRORS";
}

TEST_F(CAbi, ResetClearsTheTableAndKeepsTheResult)
{
    create();
    add_region(0x1000, kRam, 0x1000);
    kmd_write(controller, 0x020, 2, 4);
    kmd_reset(controller);
    EXPECT_EQ(kmd_read(controller, 0x02c, 4), 0u) << "REGION_COUNT";
    EXPECT_EQ(kmd_read(controller, 0x048, 4), 1u) << "LAST_RESULT of the dump that was pending";
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"kmemdump-0001-request.elf"});
}

TEST_F(CAbi, ShutDownTakesTheDumpThatIsPending)
{
    create();
    add_region(0x1000, kRam, 0x1000);
    kmd_write(controller, 0x020, 1, 4);
    kmd_shut_down(controller);
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
}

TEST_F(CAbi, FailedDumpIsAWarning)
{
    create();
    add_region(0x1000, kRam, 0x1000);
    folder.remove();
    kmd_write(controller, 0x020, 1, 4);
    kmd_take_dump(controller);
    EXPECT_EQ(kmd_read(controller, 0x048, 4), 4u) << "RESULT_FAILED";
    EXPECT_EQ(emulator.warnings.size(), 1u);
}

std::string text_of(const kmd_controller* controller, kmd_text which)
{
    char* text = kmd_get_text(controller, which);
    std::string copy = text;
    std::free(text);
    return copy;
}

TEST_F(CAbi, EveryEventOfTheMachineTakesItsDump)
{
    config.on_reset = config.on_shutdown = config.on_quit = 1;
    create();
    const std::pair<enum kmd_machine_event, const char*> events[] = {{KMD_EVENT_RESET, "reset"},
                                                                     {KMD_EVENT_SHUTDOWN, "shutdown"},
                                                                     {KMD_EVENT_QUIT, "shutdown"},
                                                                     {KMD_EVENT_PANIC, "panic"}};
    for (const auto& [event, reason] : events) {
        add_region(0x1000, kRam, 0x1000);
        kmd_machine_event(controller, event);
        const auto file = text_of(controller, KMD_TEXT_LAST_FILE);
        EXPECT_NE(file.find(std::string("-") + reason + ".elf"), std::string::npos) << file;
        kmd_reset(controller);
    }
    EXPECT_EQ(kmd_get_number(controller, KMD_NUMBER_DUMPS), 4u);
}

TEST_F(CAbi, EachFlagOfAnEventIsForThatEventAlone)
{
    const std::pair<bool kmd_config::*, enum kmd_machine_event> flags[] = {
        {&kmd_config::on_reset, KMD_EVENT_RESET},
        {&kmd_config::on_shutdown, KMD_EVENT_SHUTDOWN},
        {&kmd_config::on_quit, KMD_EVENT_QUIT}};
    for (const auto& wanted : flags) {
        config.on_reset = config.on_shutdown = config.on_quit = false;
        config.*wanted.first = true;
        for (const auto& happens : flags) {
            create();
            add_region(0x1000, kRam, 0x1000);
            kmd_machine_event(controller, happens.second);
            EXPECT_EQ(kmd_get_number(controller, KMD_NUMBER_DUMPS), wanted == happens ? 1u : 0u)
                << "event " << happens.second << ", flag of " << wanted.second;
            kmd_destroy(controller);
        }
    }
    controller = nullptr;
}

TEST_F(CAbi, FormatAndCaptureReachTheController)
{
    config.capture = "regions";
    create();
    EXPECT_EQ(kmd_read(controller, 0x008, 8), 0x12u) << "FEATURES: vmcoreinfo, lists";
    kmd_destroy(controller);
    config.capture = nullptr;
    config.format = "coreimage";
    create();
    EXPECT_EQ(kmd_read(controller, 0x008, 8), 0x02u);
    kmd_destroy(controller);
    config.format = nullptr;
    create();
    EXPECT_EQ(kmd_read(controller, 0x008, 8), 0x1fu);
}

TEST_F(CAbi, EachFaultOfAFileReachesTheController)
{
    config.inject_full = 1;
    config.inject_write_fail = 5000;
    create();
    add_region(0x1000, kRam, 0x1000);
    add_region(0x1040, kRam + 0x1000, 0x1000);
    EXPECT_EQ(kmd_read(controller, 0x1070, 4), 21u) << "SLOT_TABLE_FULL";
    kmd_write(controller, 0x020, 1, 4);
    kmd_take_dump(controller);
    EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf.incomplete"});
    EXPECT_EQ(bytes_of(folder / "kmemdump-0001-panic.elf.incomplete").size(), 4999u);
}

TEST_F(CAbi, RequestOfTheHostIsDoneOrRefusedWithASentence)
{
    create();
    add_region(0x1000, kRam, 0x1000);
    EXPECT_EQ(kmd_request_dump(controller, "host"), nullptr);
    char* error = kmd_request_dump(controller, "because");
    ASSERT_NE(error, nullptr);
    EXPECT_STREQ(error, "'because' is not a reason for a dump: expected 'host' or 'hang'");
    std::free(error);
}

TEST_F(CAbi, StateGoesFromOneControllerToAnother)
{
    create();
    add_region(0x1000, kRam, 0x1000);
    std::vector<unsigned char> state(kmd_state_size(controller));
    kmd_save_state(controller, state.data());
    kmd_destroy(controller);
    create();
    ASSERT_EQ(kmd_read(controller, 0x02c, 4), 0u);
    EXPECT_EQ(kmd_load_state(controller, state.data(), state.size()), nullptr);
    EXPECT_EQ(kmd_read(controller, 0x02c, 4), 1u);
    char* error = kmd_load_state(controller, state.data(), state.size() - 1);
    ASSERT_NE(error, nullptr);
    std::free(error);
}

TEST_F(CAbi, WhatAPersonAsksIsAnswered)
{
    create();
    EXPECT_EQ(text_of(controller, KMD_TEXT_STATE), "unused");
    EXPECT_EQ(text_of(controller, KMD_TEXT_REGIONS), "[]");
    add_region(0x1000, kRam, 0x1000);
    kmd_set_trace(controller, 1);
    kmd_write(controller, 0x020, 1, 4);
    kmd_take_dump(controller);
    EXPECT_FALSE(emulator.traces.empty());
    ASSERT_EQ(emulator.done.size(), 1u);
    EXPECT_EQ(emulator.done[0].first, kmd_get_number(controller, KMD_NUMBER_LAST_BYTES));
    EXPECT_EQ(emulator.done[0].second, "complete");
    EXPECT_EQ(kmd_get_number(controller, KMD_NUMBER_LAST_NANOSECONDS), kmd_read(controller, 0x058, 8));
    EXPECT_EQ(text_of(controller, KMD_TEXT_LAST_ERROR), "");
    EXPECT_NE(text_of(controller, KMD_TEXT_REGIONS), "[]");
}

} // namespace
