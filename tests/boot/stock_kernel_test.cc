// SPDX-License-Identifier: GPL-2.0-or-later
//
// The main job: Debian's stock kernel crashes, and what lies on the host afterwards is true.
#include "elf_core.h"
#include "environment.h"
#include "guest.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

using boot::Guest;
using boot::GuestOptions;
using support::ElfCore;

namespace
{

/// The founding document's identifiers: number, name, and whether a variable of that name is the
/// region, from its first byte on.
struct Identifier {
    std::uint32_t id;
    std::string name;
    bool variable = true;
};

const std::vector<Identifier> kIdentifiers = {
    {1, "ELF", false},
    {2, "vmcoreinfo", false},
    {3, "config", false},
    {4, "memsect", false},
    {5, "_totalram_pages"},
    {6, "__cpu_possible_mask"},
    {7, "__cpu_present_mask"},
    {8, "__cpu_online_mask"},
    {9, "__cpu_active_mask"},
    {10, "jiffies_64"},
    {11, "linux_banner"},
    {12, "nr_threads"},
    {13, "nr_irqs"},
    {14, "tainted_mask"},
    {15, "taint_flags"},
    {16, "mem_section"},
    {17, "node_data"},
    {18, "node_states"},
    {19, "__per_cpu_offset"},
    {20, "nr_swapfiles"},
    {21, "init_uts_ns"},
    {22, "printk_rb_static"},
    {23, "printk_rb_dynamic"},
    {24, "prb"},
    {25, "prb_descs", false},
    {26, "prb_infos", false},
    {27, "prb_data", false},
    {28, "runqueues", false},
    {29, "high_memory"},
    {30, "init_mm"},
    {31, "init_mm_pgd", false},
};

/// What the modules cannot have on a stock kernel whose release starts like this, and why.
const std::map<std::string, std::set<std::string>> kMissing = {
    // CONFIG_KALLSYMS_ALL is not set, and neither an export nor the vmcoreinfo text names them.
    // printk_rb_dynamic is not in use unless the command line has log_buf_len=.
    {"6.1.",
     {"config", "linux_banner", "nr_threads", "tainted_mask", "taint_flags", "nr_swapfiles",
      "printk_rb_dynamic", "runqueues", "init_mm", "init_mm_pgd"}},
    // CONFIG_IKCONFIG is not set.
    {"6.12.", {"config"}},
    // Likewise. nr_irqs is called total_nr_irqs there.
    {"7.", {"config"}},
};

/// What this kernel cannot have: nothing when our code is built in.
std::set<std::string> missing()
{
    if (boot::kernel_has_it_built_in()) {
        return {};
    }
    const std::string release = boot::kernel_release();
    for (const auto& [start, names] : kMissing) {
        if (release.starts_with(start)) {
            return names;
        }
    }
    throw std::runtime_error("nobody has said yet what a stock kernel " + release + " lacks: add it here");
}

std::string variables()
{
    std::string text;
    for (const auto& identifier : kIdentifiers) {
        if (identifier.variable) {
            text += "," + identifier.name;
        }
    }
    return text;
}

/// Every word of a text that tells of the guest's kernel one "key=value" line at a time.
std::map<std::string, std::string> vmcoreinfo_of(const ElfCore& core)
{
    std::map<std::string, std::string> values;
    for (const auto& note : core.notes) {
        if (note.name != "VMCOREINFO") {
            continue;
        }
        std::istringstream lines(
            std::string(reinterpret_cast<const char*>(note.description.data()), note.description.size()));
        for (std::string line; std::getline(lines, line);) {
            if (const auto equals = line.find('='); equals != std::string::npos) {
                values[line.substr(0, equals)] = line.substr(equals + 1);
            }
        }
    }
    return values;
}

/// A guest that stands still right after its dump, and QEMU's own dump of that moment. One for all
/// tests, which only look.
class CrashedGuest : public testing::Test
{
  protected:
    static void SetUpTestSuite()
    {
        const auto started = std::chrono::steady_clock::now();
        guest_.emplace(GuestOptions{.command_line = "kmd.print=_stext,total_nr_irqs" + variables(),
                                    .properties = "pause=on"});
        guest_->qmp().wait_event("STOP", std::chrono::seconds(120));
        const std::chrono::duration<double> booted = std::chrono::steady_clock::now() - started;
        ASSERT_EQ(guest_->dumps().size(), 1u) << guest_->messages();
        dump_path_ = guest_->dumps()[0];
        dump_ = ElfCore::read(dump_path_);

        const auto path = guest_->folder().file("full.core");
        const auto start = std::chrono::steady_clock::now();
        guest_->qmp().execute("dump-guest-memory", {{"paging", false}, {"protocol", "file:" + path}});
        const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
        full_ = ElfCore::read(path);
        regions_ = guest_->regions();
        std::cout << "figures: identifiers missing:";
        for (const auto& identifier : kIdentifiers) {
            if (!regions_.contains(identifier.id)) {
                std::cout << " " << identifier.name;
            }
        }
        std::cout << "\n";
        std::cout << "figures: from the start of QEMU to the dump: " << booted.count() << " s\n"
                  << "figures: dump-guest-memory: " << full_.bytes.size() << " bytes in " << taken.count()
                  << " ms; " << guest_->messages();
    }

    static void TearDownTestSuite() { guest_.reset(); }

    void SetUp() override { ASSERT_FALSE(full_.bytes.empty()) << "there was no dump to look at"; }

    /// Eight bytes of the kernel image as it lies on disk, at a virtual address; 0 in its .bss, which
    /// lies past the end of the file. The image starts at a multiple of 2 MiB below its first symbol
    /// (the kernel's Documentation/arch/arm64/booting.rst).
    static std::uint64_t static_value(std::uint64_t address)
    {
        std::ifstream image(support::required("KMD_KERNEL"), std::ios::binary);
        std::uint64_t value = 0;
        const std::uint64_t base = guest_->symbols().at("_stext") / 0x200000 * 0x200000;
        image.seekg(static_cast<std::streamoff>(address - base));
        image.read(reinterpret_cast<char*>(&value), sizeof(value));
        return image ? value : 0;
    }

    /// The region of an identifier; none when this kernel cannot have it.
    static std::optional<boot::RegisteredRegion> region_of(const std::string& name)
    {
        const auto identifier = std::find_if(kIdentifiers.begin(), kIdentifiers.end(),
                                             [&](const auto& i) { return i.name == name; });
        const auto region = regions_.find(identifier->id);
        return region == regions_.end() ? std::nullopt : std::optional(region->second);
    }

    /// The segment that holds a virtual address.
    static const support::LoadSegment* segment_of(std::uint64_t address)
    {
        const auto segment = std::find_if(dump_.segments.begin(), dump_.segments.end(),
                                          [&](const auto& s) { return address - s.virt < s.file_size; });
        return segment == dump_.segments.end() ? nullptr : &*segment;
    }

    static inline std::optional<Guest> guest_;
    static inline std::filesystem::path dump_path_;
    static inline ElfCore dump_;
    static inline ElfCore full_;
    static inline std::map<std::uint32_t, boot::RegisteredRegion> regions_;
};

TEST_F(CrashedGuest, DumpEqualsQemusOwnByteForByte)
{
    std::uint64_t compared = 0;
    for (const auto& segment : dump_.segments) {
        const auto expected = full_.physical(segment.phys, segment.file_size);
        ASSERT_EQ(expected.size(), segment.file_size) << std::hex << segment.phys;
        ASSERT_EQ(dump_.physical(segment.phys, segment.file_size), expected) << std::hex << segment.phys;
        compared += segment.file_size;
    }
    EXPECT_GT(compared, 256u * 1024);
    EXPECT_LE(dump_.bytes.size(), boot::most_bytes_by_default());
}

TEST_F(CrashedGuest, RegistersEqualQemusOwn)
{
    std::size_t compared = 0;
    for (std::size_t i = 0; i < dump_.notes.size() && i < full_.notes.size(); ++i) {
        if (dump_.notes[i].name == "CORE") {
            EXPECT_EQ(dump_.notes[i].type, full_.notes[i].type) << i;
            EXPECT_EQ(dump_.notes[i].description, full_.notes[i].description) << i;
            ++compared;
        }
    }
    EXPECT_EQ(compared, 4u); // two CPUs, general and floating-point registers of each
}

TEST_F(CrashedGuest, HasEveryIdentifierOfTheFoundingDocument)
{
    for (const auto& identifier : kIdentifiers) {
        EXPECT_EQ(regions_.contains(identifier.id), !missing().contains(identifier.name))
            << identifier.name << "\n"
            << guest_->console();
    }
}

TEST_F(CrashedGuest, RegionsLieWhereTheKernelSaysItsVariablesAre)
{
    auto addresses = guest_->symbols();
    if (addresses.contains("total_nr_irqs")) {
        addresses["nr_irqs"] = addresses.at("total_nr_irqs"); // since 6.13
    }
    for (const auto& [key, value] : vmcoreinfo_of(dump_)) {
        if (key.starts_with("SYMBOL(")) {
            addresses.emplace(key.substr(7, key.size() - 8), std::stoull(value, nullptr, 16));
        }
    }

    std::size_t compared = 0;
    for (const auto& identifier : kIdentifiers) {
        const auto region = region_of(identifier.name);
        if (!identifier.variable || !region || !addresses.contains(identifier.name)) {
            continue;
        }
        // vmcoreinfo has what the pointer mem_section points to under the name of the pointer.
        const std::uint64_t address = addresses.at(identifier.name);
        if (identifier.name == "mem_section" && address != region->virt) {
            EXPECT_EQ(address, regions_.at(4).virt);
        } else {
            EXPECT_EQ(address, region->virt) << identifier.name;
        }
        EXPECT_NE(segment_of(region->virt), nullptr) << identifier.name;
        ++compared;
    }
    // Without CONFIG_KALLSYMS_ALL: init_uts_ns, mem_section, prb and printk_rb_static of vmcoreinfo.
    EXPECT_GE(compared, boot::kernel_release().starts_with("6.1.") ? 4u : 22u);
}

TEST_F(CrashedGuest, LogInTheDumpIsTheLogOnTheConsole)
{
    const auto log = support::run({support::required("KMD_KMDUMP"), "log", dump_path_.string()});
    ASSERT_EQ(log.status, 0) << log.output;
    EXPECT_NE(log.output.find("Kernel panic - not syncing: sysrq triggered crash"), std::string::npos);

    // Each line that the kernel put on the console before the dump is in the dump as well.
    std::size_t found = 0;
    std::istringstream lines(guest_->console());
    for (std::string line; std::getline(lines, line);) {
        line.erase(std::remove(line.begin(), line.end(), '\r'), line.end());
        if (line.starts_with("[ ")) {
            EXPECT_NE(log.output.find(line), std::string::npos) << line;
            ++found;
        }
    }
    EXPECT_GT(found, 100u);
}

TEST_F(CrashedGuest, GdbPrintsWhatIsNotInTheImage)
{
    for (const std::string name : {"jiffies_64", "tainted_mask", "_totalram_pages", "__per_cpu_offset"}) {
        // A kernel without our modules has no taint.
        const bool as_in_the_image = name == "tainted_mask" && boot::kernel_has_it_built_in();
        if (missing().contains(name) || as_in_the_image) {
            continue;
        }
        const std::uint64_t address = region_of(name).value().virt;
        std::ostringstream expression;
        expression << "output/u *(unsigned long *)0x" << std::hex << address;
        const auto gdb =
            support::run({"gdb-multiarch", "-nx", "-batch", "-ex", "core-file " + dump_path_.string(), "-ex",
                          expression.str(), "-ex", "echo \\n"});
        ASSERT_EQ(gdb.status, 0) << gdb.output;
        const auto last_line = gdb.output.find_last_of('\n', gdb.output.size() - 2);
        const std::uint64_t printed = std::stoull(gdb.output.substr(last_line + 1));

        const auto* segment = segment_of(address);
        ASSERT_NE(segment, nullptr) << name;
        const auto expected = full_.physical(segment->phys + (address - segment->virt), 8);
        ASSERT_EQ(expected.size(), 8u);
        EXPECT_EQ(std::memcmp(expected.data(), &printed, 8), 0) << name << " " << gdb.output;
        EXPECT_NE(printed, static_value(address)) << name;
    }
}

TEST_F(CrashedGuest, GdbShowsEveryCpu)
{
    const auto gdb =
        support::run({"gdb-multiarch", "-nx", "-batch", "-ex", "core-file " + dump_path_.string(), "-ex",
                      "info threads", "-ex", "thread apply all info registers pc sp"});
    EXPECT_EQ(gdb.status, 0) << gdb.output;
    EXPECT_NE(gdb.output.find("LWP 1"), std::string::npos) << gdb.output;
    EXPECT_NE(gdb.output.find("LWP 2"), std::string::npos) << gdb.output;
    EXPECT_EQ(gdb.output.find("terminated"), std::string::npos) << gdb.output;

    // As many threads as CPUs: the guest's own ELF header must not be taken for one more.
    std::size_t threads = 0;
    for (auto at = gdb.output.find("[New LWP "); at != std::string::npos;
         at = gdb.output.find("[New LWP ", at + 1)) {
        ++threads;
    }
    EXPECT_EQ(threads, 2u) << gdb.output;
}

TEST_F(CrashedGuest, DrgnKnowsItForAKernelAndReadsTheSameMemory)
{
    for (const std::string name : {"jiffies_64", "__per_cpu_offset", "init_uts_ns"}) {
        const std::uint64_t address = region_of(name).value().virt;
        const auto* segment = segment_of(address);
        ASSERT_NE(segment, nullptr) << name;
        const auto expected = full_.physical(segment->phys + (address - segment->virt), 16);
        ASSERT_EQ(expected.size(), 16u);
        std::ostringstream words;
        for (const std::byte byte : expected) {
            words << std::hex << std::setw(2) << std::setfill('0') << std::to_integer<int>(byte);
        }
        const auto drgn = support::run({"/usr/bin/python3", "-c",
                                        "import drgn, sys\n"
                                        "program = drgn.Program()\n"
                                        "program.set_core_dump(sys.argv[1])\n"
                                        "assert program.flags & drgn.ProgramFlags.IS_LINUX_KERNEL\n"
                                        "print(program.read(int(sys.argv[2]), 16).hex())\n",
                                        dump_path_.string(), std::to_string(address)});
        EXPECT_EQ(drgn.output, words.str() + "\n") << name;
    }
}

TEST(StockKernel, PanicUnderNoRebootLeavesOneDump)
{
    Guest guest({});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_EQ(guest.dumps().size(), 1u) << guest.messages();
    EXPECT_NE(guest.console().find("Kernel panic - not syncing: sysrq triggered crash"), std::string::npos);
    EXPECT_NE(guest.messages().find("info: kmemdump-md: dump (panic): " + guest.dumps().at(0).string()),
              std::string::npos)
        << guest.messages();
}

TEST(StockKernel, GoesOnAfterADumpItAskedFor)
{
    Guest guest({.command_line = "kmd.do=request"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_NE(guest.console().find("init: dump taken"), std::string::npos) << guest.console();
    ASSERT_EQ(guest.dumps().size(), 1u);
    EXPECT_EQ(guest.dumps()[0].filename(), "kmemdump-0001-request.elf");
}

// The founding document's file: header, vmcoreinfo and regions as the guest itself describes them.
TEST(StockKernel, CoreimageIsTheFileThatTheGuestDescribes)
{
    Guest guest({.properties = "format=coreimage,pause=on"});
    guest.qmp().wait_event("STOP", std::chrono::seconds(60));
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    EXPECT_EQ(guest.messages().find("cannot be used"), std::string::npos) << guest.messages();
    const std::string path = guest.dumps()[0].string();
    guest.qmp().execute("dump-guest-memory",
                        {{"paging", false}, {"protocol", "file:" + guest.folder().file("full.core")}});
    const ElfCore full = ElfCore::read(guest.folder().file("full.core"));
    const ElfCore dump = ElfCore::read(path);
    EXPECT_GT(dump.segments.size(), kIdentifiers.size() - missing().size() - 2);
    for (const auto& segment : dump.segments) {
        const auto begin = dump.bytes.begin() + static_cast<std::ptrdiff_t>(segment.offset);
        const std::vector<std::byte> saved(begin, begin + static_cast<std::ptrdiff_t>(segment.file_size));
        // Up to three bytes of padding follow a region.
        const auto expected = full.physical(segment.phys, segment.file_size - 3);
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), saved.begin())) << std::hex << segment.phys;
    }

    const auto readelf = support::run({"aarch64-linux-gnu-readelf", "-aW", path});
    EXPECT_EQ(readelf.status, 0);
    EXPECT_EQ(readelf.output.find("Warning"), std::string::npos) << readelf.output;
    EXPECT_EQ(readelf.output.find("Error"), std::string::npos) << readelf.output;
    const auto gdb =
        support::run({"gdb-multiarch", "-nx", "-batch", "-ex", "core-file " + path, "-ex", "info files"});
    EXPECT_EQ(gdb.status, 0) << gdb.output;
    EXPECT_NE(gdb.output.find("file type elf64-littleaarch64"), std::string::npos) << gdb.output;
    const auto log = support::run({support::required("KMD_KMDUMP"), "log", path});
    EXPECT_NE(log.output.find("sysrq triggered crash"), std::string::npos) << log.output;
}

TEST(StockKernel, ResetWithoutAWordIsDumped)
{
    Guest guest({.command_line = "kmd.do=reset"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    EXPECT_EQ(guest.dumps()[0].filename(), "kmemdump-0001-reset.elf");
    const auto log = support::run({support::required("KMD_KMDUMP"), "log", guest.dumps()[0].string()});
    EXPECT_NE(log.output.find("sysrq: Resetting"), std::string::npos) << log.output;
}

TEST(StockKernel, CanReloadTheModules)
{
    Guest guest({.command_line = "kmd.do=reload"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_NE(guest.console().find("init: modules loaded again"), std::string::npos) << guest.console();
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    EXPECT_GT(ElfCore::read(guest.dumps()[0]).segments.size(), 5u);
}

TEST(StockKernel, WithoutTheModulesTheHostIsToldWhatToDo)
{
    Guest guest({.command_line = "kmd.load=none", .properties = "linux=off"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_TRUE(guest.dumps().empty());
    EXPECT_NE(guest.messages().find("the guest ended without ever registering a region"), std::string::npos)
        << guest.messages();
}

TEST(StockKernel, WithoutAControllerBootsOn)
{
    Guest guest({.command_line = "kmd.do=panic", .controller = false});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    EXPECT_NE(guest.console().find("areas registered"), std::string::npos);
    EXPECT_NE(guest.console().find("sysrq triggered crash"), std::string::npos) << guest.console();
}

// printk then uses another buffer than the one in its image.
TEST(StockKernel, LogIsWholeAfterItsBufferWasReplaced)
{
    Guest guest({.command_line = "log_buf_len=1M"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    const auto log = support::run({support::required("KMD_KMDUMP"), "log", guest.dumps()[0].string()});
    // In the words of 6.x and of 7.x.
    const std::regex replaced(R"(log_buf_len: 1048576 bytes|log buffer data \+ meta data: 1048576 \+)");
    EXPECT_TRUE(std::regex_search(log.output, replaced)) << log.output;
    EXPECT_NE(log.output.find("sysrq triggered crash"), std::string::npos) << log.output;
}

TEST(StockKernel, ACpuThatTheKernelTookOfflineIsCalledThat)
{
    Guest guest({.command_line = "kmd.offline=1"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_NE(guest.console().find("init: CPU 1 is offline"), std::string::npos) << guest.console();
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    const auto cpus =
        support::run({support::required("KMD_KMDUMP"), "cpus", "--json", guest.dumps()[0].string()});
    const auto json = nlohmann::json::parse(cpus.output);
    ASSERT_EQ(json["cpus"].size(), 2u) << cpus.output;
    EXPECT_EQ(json["cpus"][0]["state"], "panicked") << cpus.output;
    EXPECT_EQ(json["cpus"][1]["state"], "offline") << cpus.output;
}

TEST(StockKernel, ATableThatIsTooSmallStillGivesADump)
{
    Guest guest({.properties = "slots=10"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_EQ(guest.dumps().size(), 1u);
    // The list of extents is not in the file. Nor is the guest's ELF header, which is made when the table is
    // full already if the kernel has it all built in.
    const std::string regions = boot::kernel_has_it_built_in() ? " 9 regions," : " 8 regions,";
    EXPECT_NE(guest.messages().find(regions), std::string::npos) << guest.messages();
    EXPECT_NE(guest.messages().find(" regions not registered"), std::string::npos) << guest.messages();
}

} // namespace
