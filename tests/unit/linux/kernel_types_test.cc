// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the types of the guest's kernel go: property types=.
#include "hw/controller/quota.h"
#include "hw/linux/linux_guest.h"

#include "core_reader.h"
#include "fake_kernel.h"
#include "test_machine.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace
{

using namespace kmd;
using test::CoreReader;
using test::FakeKernel;
using test::TestMachine;

Config with_types(const std::string& value)
{
    Config config = test::small_config();
    config.types = value;
    config.sidecar = true;
    return config;
}

/// A machine with a kernel that crashes.
class Guest
{
  public:
    explicit Guest(const Config& config) : machine(config), kernel(machine.host.guest) {}

    /// Crashes, and starts again.
    void crash()
    {
        kernel.set("panic_cpu", 1);
        machine.controller->machine_event(KMD_EVENT_RESET);
        last = machine.controller->last_file();
        machine.controller->reset();
    }

    /// As a driver does in a panic.
    void register_itself_and_ring()
    {
        machine.add(0, {FakeKernel::kVmcoreinfo, FakeKernel::kLinear + FakeKernel::kVmcoreinfo, 0x1000,
                        "vmcoreinfo", 1, KMD_KIND_VMCOREINFO});
        machine.add(1, test::ram_region(0, 0x1000));
        machine.dump();
        last = machine.controller->last_file();
    }

    nlohmann::json sidecar() const
    {
        std::ifstream file(last + ".json");
        return nlohmann::json::parse(file);
    }

    bool has_remark(const std::string& part) const
    {
        const auto& warnings = machine.host.warnings;
        return std::any_of(warnings.begin(), warnings.end(), [&](const std::string& warning) {
            return warning.find(part) != std::string::npos;
        });
    }

    std::vector<std::string> types_files() const
    {
        auto names = test::names_in(machine.folder.path());
        std::erase_if(names, [](const std::string& name) { return name.find(".btf") == std::string::npos; });
        return names;
    }

    std::string types_path() const { return machine.folder / kernel.build_id + ".btf"; }

    bool dump_has_types() const
    {
        const auto size = kernel.types.make().size();
        const auto found = CoreReader(test::bytes_of(last)).read_virt(kernel.address("__start_BTF"), size);
        return found && *found == kernel.types.make();
    }

    TestMachine machine;
    FakeKernel kernel;
    std::string last;
};

TEST(KernelTypes, AreAFileBesideTheDumpThatItsSidecarNames)
{
    for (const char* value : {"auto", "beside"}) {
        Guest guest(with_types(value));
        guest.kernel.finish();
        guest.crash();
        EXPECT_EQ(test::bytes_of(guest.types_path()), guest.kernel.types.make()) << value;
        EXPECT_EQ(guest.sidecar()["types_file"], guest.kernel.build_id + ".btf");
        EXPECT_FALSE(guest.sidecar().contains("types_in_dump"));
        EXPECT_FALSE(guest.dump_has_types());
    }
}

TEST(KernelTypes, AreInTheDumpWithTheNamesOfAllSymbols)
{
    Guest guest(with_types("in"));
    guest.kernel.more_symbols = 1000;
    guest.kernel.finish();
    guest.crash();
    EXPECT_TRUE(guest.dump_has_types());
    EXPECT_EQ(guest.sidecar()["types_in_dump"], true);
    EXPECT_FALSE(guest.sidecar().contains("types_file"));
    EXPECT_TRUE(guest.types_files().empty());
    const CoreReader dump(test::bytes_of(guest.last));
    constexpr std::size_t kLongName = 32;
    EXPECT_TRUE(dump.read_virt(guest.kernel.address("kallsyms_names") + 1000 * kLongName, 8))
        << "the names behind the last function's";
}

TEST(KernelTypes, AreNowhereIfTheyAreNotWanted)
{
    Guest guest(with_types("none"));
    guest.kernel.finish();
    guest.crash();
    EXPECT_FALSE(guest.last.empty());
    EXPECT_FALSE(guest.dump_has_types());
    EXPECT_TRUE(guest.types_files().empty());
}

TEST(KernelTypes, AreWrittenOnceForAllDumpsOfAKernel)
{
    Guest guest(with_types("beside"));
    guest.kernel.finish();
    guest.crash();
    struct stat first;
    ASSERT_EQ(::stat(guest.types_path().c_str(), &first), 0);
    guest.crash();
    struct stat second;
    ASSERT_EQ(::stat(guest.types_path().c_str(), &second), 0);
    EXPECT_EQ(first.st_ino, second.st_ino);
    EXPECT_EQ(guest.sidecar()["types_file"], guest.kernel.build_id + ".btf");
    EXPECT_TRUE(guest.machine.host.warnings.empty());
}

TEST(KernelTypes, LeaveAFileOfTheirNameWithOtherContentsAlone)
{
    Guest guest(with_types("beside"));
    guest.kernel.finish();
    std::ofstream(guest.types_path()) << "something else";
    guest.crash();
    EXPECT_EQ(test::bytes_of(guest.types_path()).size(), 14u);
    EXPECT_FALSE(guest.sidecar().contains("types_file"));
    EXPECT_EQ(guest.sidecar()["result"], "complete");
    EXPECT_TRUE(guest.has_remark("a file of that name has other contents"));
}

TEST(KernelTypes, HaveNoFileWithoutABuildIdThatIsOne)
{
    for (const char* id :
         {"", "..", "../../etc/passwd", "0123456", "ABCDEF0123456789", "0123456789 abcdef"}) {
        Guest guest(with_types("beside"));
        guest.kernel.build_id = id;
        guest.kernel.finish();
        guest.crash();
        EXPECT_FALSE(guest.last.empty()) << id;
        EXPECT_TRUE(guest.types_files().empty()) << id;
        EXPECT_TRUE(guest.has_remark("the kernel has no BUILD-ID to name a file of its types")) << id;
    }
}

TEST(KernelTypes, OfMoreKernelsThanAGuestBootsHaveNoFile)
{
    Config config = with_types("beside");
    config.max_dumps = 0;
    Guest guest(config);
    for (unsigned i = 0; i < 2 * Quota::kMostTypesFiles; ++i) {
        guest.kernel.build_id.back() = static_cast<char>('0' + i);
        if (i == 0) {
            guest.kernel.finish();
        } else {
            guest.kernel.put_vmcoreinfo();
        }
        guest.crash();
        EXPECT_FALSE(guest.last.empty());
    }
    EXPECT_EQ(guest.types_files().size(), Quota::kMostTypesFiles);
    EXPECT_TRUE(guest.has_remark("the guest has booted more than 4 kernels"));
}

TEST(KernelTypes, CountForMaxBytes)
{
    Config config = with_types("beside");
    Guest measured(config);
    measured.kernel.finish();
    measured.crash();
    const auto dump = test::bytes_of(measured.last).size() -
                      measured.sidecar()["bytes_in_holes"].get<std::size_t>() +
                      test::bytes_of(measured.last + ".json").size();
    const auto types = test::bytes_of(measured.types_path()).size();
    // Room for the dump and its sidecar, with what a file needs besides, but not for the types.
    config.max_bytes = dump + 8192 + types / 2;
    Guest guest(config);
    guest.kernel.finish();
    guest.crash();
    EXPECT_TRUE(guest.types_files().empty());
    EXPECT_EQ(guest.sidecar()["result"], "complete");
    EXPECT_TRUE(guest.has_remark("describes the kernel's types: max-bytes is reached"));
}

TEST(KernelTypes, OfAKernelThatRegistersItselfAreStoredIfTheUserAsks)
{
    for (const char* value : {"auto", "in", "beside", "none"}) {
        Guest guest(with_types(value));
        guest.kernel.finish();
        guest.register_itself_and_ring();
        ASSERT_FALSE(guest.last.empty());
        EXPECT_EQ(guest.dump_has_types(), value == std::string("in")) << value;
        EXPECT_EQ(guest.types_files().size(), value == std::string("beside") ? 1u : 0u) << value;
        EXPECT_FALSE(guest.sidecar().contains("tasks_found")) << "nothing else was looked for";
    }
}

TEST(KernelTypes, AreNotInADumpOfAKernelThatHasNone)
{
    for (const char* value : {"in", "beside"}) {
        Guest guest(with_types(value));
        guest.kernel.with_types = false;
        guest.kernel.finish();
        guest.crash();
        ASSERT_FALSE(guest.last.empty());
        EXPECT_TRUE(guest.types_files().empty());
        EXPECT_FALSE(guest.sidecar().contains("types_file"));
        EXPECT_FALSE(guest.sidecar().contains("types_in_dump"));
        EXPECT_EQ(guest.sidecar()["kernel_pieces_missing"], 1) << guest.sidecar()["remarks"];
    }
}

TEST(KernelTypes, OfARegisteredKernelThatHasNoneAreMissedIfTheUserAsks)
{
    for (const char* value : {"auto", "in", "beside"}) {
        Guest guest(with_types(value));
        guest.kernel.with_types = false;
        guest.kernel.finish();
        guest.register_itself_and_ring();
        const bool asks = value != std::string("auto");
        EXPECT_EQ(guest.sidecar()["result"], asks ? "partial" : "complete") << value;
        EXPECT_EQ(guest.has_remark("CONFIG_DEBUG_INFO_BTF"), asks) << value;
        EXPECT_FALSE(guest.sidecar().contains("types_in_dump"));
    }
}

/// Half a megabyte each of .data and .bss; the end of the former.
std::uint64_t place_data(FakeKernel& kernel)
{
    constexpr std::uint64_t kSize = 0x80000;
    const std::uint64_t data = kernel.place("_sdata", kSize);
    kernel.place("_edata", 8);
    kernel.place("__bss_start", kSize);
    kernel.place("__bss_stop", 8);
    return data + kSize;
}

TEST(KernelData, IsInTheDumpOnlyIfTheUserAsks)
{
    for (const bool registers : {false, true}) {
        for (const bool asks : {false, true}) {
            Config config = with_types("none");
            config.capture += asks ? "+data" : "";
            Guest guest(config);
            const std::uint64_t end = place_data(guest.kernel);
            guest.kernel.finish();
            if (registers) {
                guest.register_itself_and_ring();
            } else {
                guest.crash();
            }
            ASSERT_FALSE(guest.last.empty());
            const CoreReader dump(test::bytes_of(guest.last));
            EXPECT_EQ(dump.read_virt(end - 0x1000, 0x1000).has_value(), asks);
            EXPECT_EQ(dump.read_virt(guest.kernel.address("__bss_stop") - 0x2000, 0x1000).has_value(), asks);
        }
    }
}

TEST(KernelData, ThatTheKernelDoesNotNameIsMissingAndSaidSo)
{
    Config config = with_types("none");
    config.capture += "+data";
    Guest guest(config);
    guest.kernel.finish();
    guest.crash();
    EXPECT_FALSE(guest.last.empty());
    EXPECT_TRUE(guest.has_remark("the kernel's symbols do not say where its .data and .bss are"));
    EXPECT_EQ(guest.sidecar()["result"], "partial");
}

TEST(TypesProperty, SaysWhatItAccepts)
{
    const auto error_of = [](const Config& config) { return Settings::of(config).error().what; };
    EXPECT_EQ(error_of(with_types("all")), "types=all is unknown: expected auto, in, beside or none");
    Config config = with_types("in");
    config.linux_capture = "off";
    EXPECT_EQ(error_of(config),
              "types=in needs linux=auto or linux=only, format=enriched, and regions in capture=");
    config = with_types("none");
    config.linux_capture = "off";
    config.capture = "regions+data";
    EXPECT_EQ(error_of(config), "capture=regions+data needs linux=auto or linux=only, format=enriched, and "
                                "regions in capture=");
    config = with_types("beside");
    config.chardev = "socket";
    EXPECT_EQ(error_of(config), "types=beside makes a file beside the dump, which chardev= cannot: types=in "
                                "stores the types in the dump");
}

} // namespace
