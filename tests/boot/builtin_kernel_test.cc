// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kernel with kmemdump built in, as ./scripts/build-kernel makes it. What is registered is read
// out of the device's slots; what it should be comes from the kernel's own symbols and types, which
// nm and gdb read in vmlinux, and from the memory of the guest.
#include "elf_core.h"
#include "environment.h"
#include "guest.h"
#include "ktap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <optional>
#include <regex>
#include <set>
#include <sstream>

using boot::Guest;
using support::ElfCore;

namespace
{

/// A kernel with KASAN and lockdep on a machine that does other things too takes its time.
constexpr std::chrono::minutes kPatience{5};

std::filesystem::path kernel_folder()
{
    return std::filesystem::path(support::required("KMD_KERNEL")).parent_path();
}

std::string vmlinux()
{
    return (kernel_folder() / "vmlinux").string();
}

/// Whether the kernel was built with a line in its configuration.
bool configured(const std::string& line)
{
    std::ifstream config(kernel_folder() / "config");
    for (std::string each; std::getline(config, each);) {
        if (each == line) {
            return true;
        }
    }
    return false;
}

/// Lines of the console without the time in front.
std::vector<std::string> log_lines(const std::string& console)
{
    static const std::regex kTime(R"(^\[ *[0-9]+\.[0-9]+\] )");
    std::vector<std::string> lines;
    std::istringstream text(console);
    for (std::string line; std::getline(text, line);) {
        line.erase(std::remove(line.begin(), line.end(), '\r'), line.end());
        lines.push_back(std::regex_replace(line, kTime, ""));
    }
    return lines;
}

/// What the kernel says when it finds a mistake of its own.
std::vector<std::string> reports(const std::vector<std::string>& lines)
{
    std::vector<std::string> found;
    for (const auto& line : lines) {
        for (const char* mark :
             {"BUG:", "WARNING:", "kmemleak:", "init: leak:", "INFO: possible", "Call trace:"}) {
            // kmemleak tells that it is there.
            if (line.find(mark) != std::string::npos &&
                line.find("Kernel memory leak detector") == std::string::npos &&
                line.find("Automatic memory scanning") == std::string::npos) {
                found.push_back(line);
            }
        }
    }
    return found;
}

// ---------------------------------------------------------------------------------------- KUnit

struct Ktap {
    std::map<std::string, std::vector<std::string>> passed; // by suite
    std::vector<std::string> not_ok;
    std::map<std::string, std::size_t> planned;
};

/// KTAP as documented in the kernel's dev-tools/ktap.rst: suites at the left margin, cases indented.
Ktap parse_ktap(const std::vector<std::string>& lines)
{
    static const std::regex kSubtest(R"(^ +# Subtest: (\S+)$)");
    static const std::regex kPlan(R"(^ +1\.\.([0-9]+)$)");
    static const std::regex kResult(R"(^( *)(not )?ok [0-9]+ (\S+).*$)");
    Ktap ktap;
    std::string suite;
    for (const auto& line : lines) {
        std::smatch match;
        if (std::regex_match(line, match, kSubtest)) {
            suite = match[1];
        } else if (std::regex_match(line, match, kPlan)) {
            ktap.planned[suite] = std::stoul(match[1]);
        } else if (std::regex_match(line, match, kResult)) {
            if (match[2].matched || line.find("# SKIP") != std::string::npos) {
                ktap.not_ok.push_back(line);
            } else if (match[1].length() > 0) {
                ktap.passed[suite].push_back(match[3]);
            }
        }
    }
    return ktap;
}

TEST(BuiltinKernel, KunitSuitesPassWithoutAReport)
{
    // The tests are the backend: no controller.
    const bool debug = configured("CONFIG_DEBUG_KMEMLEAK=y");
    Guest guest(
        {.command_line = std::string("kunit.enable=1 kmd.do=poweroff") + (debug ? " kmd.leaks=yes" : ""),
         .controller = false});
    ASSERT_EQ(guest.wait_for_the_end(), 0);
    const auto lines = log_lines(guest.console());
    ASSERT_NE(std::find(lines.begin(), lines.end(), "KTAP version 1"), lines.end()) << guest.console();

    const Ktap ktap = parse_ktap(lines);
    EXPECT_TRUE(ktap.not_ok.empty()) << guest.console();
    std::size_t cases = 0;
    for (const std::string suite : {"kmemdump_core", "kmemdump_coreimage", "kmemdump_pages"}) {
        ASSERT_TRUE(ktap.planned.contains(suite)) << suite << "\n" << guest.console();
        EXPECT_GT(ktap.planned.at(suite), 0u);
        ASSERT_TRUE(ktap.passed.contains(suite)) << suite << "\n" << guest.console();
        EXPECT_EQ(ktap.passed.at(suite).size(), ktap.planned.at(suite)) << suite << "\n" << guest.console();
        cases += ktap.passed.at(suite).size();
    }
    std::cout << "figures: KUnit: " << cases << " passed, " << ktap.not_ok.size() << " failed\n";

    EXPECT_EQ(reports(lines), std::vector<std::string>());
    if (debug) {
        EXPECT_NE(guest.console().find("init: leaks looked for"), std::string::npos) << guest.console();
    }
}

// ----------------------------------------------------------------------------------- early panic

/// How many regions QEMU says the dump has; 0 when it says nothing.
unsigned long regions_of_dump(const Guest& guest)
{
    static const std::regex kCount(R"(dump \(panic\): .*: ([0-9]+) regions)");
    const std::string messages = guest.messages();
    std::smatch match;
    return std::regex_search(messages, match, kCount) ? std::stoul(match[1]) : 0;
}

/// The dump of a guest that stands still after it, once it is known that QEMU's own dump of that
/// moment has the same bytes.
ElfCore compared_dump(Guest& guest)
{
    const auto full_path = guest.folder().file("full.core");
    guest.qmp().execute("dump-guest-memory", {{"paging", false}, {"protocol", "file:" + full_path}});
    const auto full = ElfCore::read(full_path);
    auto dump = ElfCore::read(guest.dumps().at(0));
    for (const auto& segment : dump.segments) {
        const auto expected = full.physical(segment.phys, segment.file_size);
        EXPECT_EQ(expected.size(), segment.file_size) << std::hex << segment.phys;
        EXPECT_EQ(dump.physical(segment.phys, segment.file_size), expected) << std::hex << segment.phys;
    }
    return dump;
}

TEST(BuiltinKernel, PanicInAnInitcallLeavesADump)
{
    Guest guest({.command_line = "kmemdump_test.panic_initcall=1", .properties = "pause=on"});
    guest.qmp().wait_event("STOP", kPatience);
    EXPECT_EQ(guest.console().find("init: kernel"), std::string::npos) << "there was user space";
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages() << guest.console();
    EXPECT_EQ(guest.dumps()[0].filename(), "kmemdump-0001-panic.elf");
    EXPECT_FALSE(compared_dump(guest).segments.empty());
    EXPECT_GE(regions_of_dump(guest), 30u) << guest.messages();
    const auto log = support::run({support::required("KMD_KMDUMP"), "log", guest.dumps()[0].string()});
    EXPECT_NE(log.output.find("Kernel panic - not syncing: kmemdump_test.panic_initcall is set"),
              std::string::npos)
        << log.output;
}

TEST(BuiltinKernel, BootsAndPanicsWithoutAReport)
{
    Guest guest({});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    auto found = reports(log_lines(guest.console()));
    // That of the panic itself, which was asked for.
    std::erase_if(found, [](const auto& line) { return line.starts_with("Call trace:"); });
    EXPECT_EQ(found, std::vector<std::string>()) << guest.console();
    EXPECT_EQ(guest.dumps().size(), 1u);
}

// ----------------------------------------------------------------------------------- identifiers

/// One valid slot of the device: docs/register-spec.md, section 5.
struct Slot {
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0;
    std::string name;
    std::uint32_t id = 0;
    std::uint32_t kind = 0;
};

/// 64-bit words as QEMU's monitor prints them: `xp` by physical, `x` by virtual address.
std::vector<std::uint64_t> words(Guest& guest, const std::string& command, std::uint64_t address,
                                 std::size_t count)
{
    std::ostringstream line;
    line << command << " /" << count << "gx 0x" << std::hex << address;
    const std::string text =
        guest.qmp().execute("human-monitor-command", {{"command-line", line.str()}}).get<std::string>();
    std::vector<std::uint64_t> result;
    std::istringstream rows(text);
    for (std::string row; std::getline(rows, row);) {
        const auto colon = row.find(':');
        if (colon == std::string::npos) {
            continue;
        }
        std::istringstream values(row.substr(colon + 1));
        for (std::string value; values >> value;) {
            if (value.starts_with("0x")) {
                result.push_back(std::stoull(value, nullptr, 16));
            }
        }
    }
    if (result.size() != count) {
        throw std::runtime_error("the monitor answered '" + line.str() + "' with: " + text.substr(0, 200));
    }
    return result;
}

constexpr std::uint64_t kWindow = 0x0b000000;
constexpr std::uint64_t kSlots = 0x1000;
constexpr std::size_t kSlotWords = 8;
constexpr std::uint32_t kKindList = 3;

std::vector<Slot> device_table(Guest& guest)
{
    const auto count = static_cast<std::size_t>(words(guest, "xp", kWindow + 0x10, 1)[0] & 0xffffffff);
    const auto all = words(guest, "xp", kWindow + kSlots, count * kSlotWords);
    std::vector<Slot> table;
    for (std::size_t i = 0; i < count; ++i) {
        const auto* slot = &all[i * kSlotWords];
        if (slot[7] != 1) {
            continue; // not valid
        }
        std::string name(reinterpret_cast<const char*>(&slot[3]), 16);
        name.erase(std::find(name.begin(), name.end(), '\0'), name.end());
        table.push_back({.phys = slot[0],
                         .virt = slot[1],
                         .size = slot[2],
                         .name = name,
                         .id = static_cast<std::uint32_t>(slot[5]),
                         .kind = static_cast<std::uint32_t>(slot[5] >> 32) & 0xff});
    }
    return table;
}

struct Symbol {
    std::uint64_t address = 0;
    std::uint64_t size = 0;
};

std::map<std::string, Symbol> symbols_of_vmlinux()
{
    const auto nm = support::run({"aarch64-linux-gnu-nm", "-S", vmlinux()});
    std::map<std::string, Symbol> symbols;
    std::istringstream lines(nm.output);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::vector<std::string> field;
        for (std::string each; fields >> each;) {
            field.push_back(each);
        }
        if (field.size() == 4) {
            symbols[field[3]] = {std::stoull(field[0], nullptr, 16), std::stoull(field[1], nullptr, 16)};
        } else if (field.size() == 3) {
            symbols[field[2]] = {std::stoull(field[0], nullptr, 16), 0};
        }
    }
    return symbols;
}

/// What gdb makes of expressions over the types and static values in vmlinux.
std::map<std::string, std::uint64_t> evaluate(const std::vector<std::string>& expressions)
{
    std::vector<std::string> command = {"gdb-multiarch", "-nx", "-batch", vmlinux()};
    for (const auto& expression : expressions) {
        command.insert(command.end(),
                       {"-ex", "output/u (unsigned long)(" + expression + ")", "-ex", "echo \\n"});
    }
    const auto gdb = support::run(command);
    std::map<std::string, std::uint64_t> values;
    std::istringstream lines(gdb.output);
    std::vector<std::string> numbers;
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty() &&
            std::all_of(line.begin(), line.end(), [](char c) { return c >= '0' && c <= '9'; })) {
            numbers.push_back(line);
        }
    }
    if (numbers.size() != expressions.size()) {
        throw std::runtime_error("gdb: " + gdb.output);
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        values[expressions[i]] = std::stoull(numbers[i]);
    }
    return values;
}

/// A region that has to be in the table.
struct Expected {
    std::uint32_t id = 0; // 0: any number of those without a name
    std::string identifier;
    std::string is; // how a person would write it
    std::string size_is;
    std::uint64_t address = 0;
    std::uint64_t size = 0;
};

/// A guest that stands still in its panic.
class PanickedGuest
{
  public:
    explicit PanickedGuest(const std::string& command_line)
        : guest_({.command_line = "kmd.print=_text " + command_line, .properties = "pause=on"}),
          symbols_(symbols_of_vmlinux())
    {
        guest_.qmp().wait_event("STOP", kPatience);
        kaslr_ = guest_.symbols().at("_text") - symbols_.at("_text").address;
    }

    std::vector<Slot> table() { return device_table(guest_); }

    std::uint64_t kaslr() const { return kaslr_; }
    std::uint64_t address(const std::string& symbol) const { return at(symbol).address + kaslr_; }
    std::uint64_t size(const std::string& symbol) const { return at(symbol).size; }
    std::uint64_t pointer(std::uint64_t address) { return words(guest_, "x", address, 1)[0]; }
    std::uint64_t pointer(const std::string& symbol) { return pointer(address(symbol)); }
    std::uint64_t physical(std::uint64_t address) { return words(guest_, "xp", address, 1)[0]; }
    bool has(const std::string& symbol) const { return symbols_.contains(symbol); }
    Guest& guest() { return guest_; }

  private:
    const Symbol& at(const std::string& symbol) const
    {
        const auto found = symbols_.find(symbol);
        if (found == symbols_.end()) {
            throw std::runtime_error("vmlinux has no symbol " + symbol);
        }
        return found->second;
    }

    Guest guest_;
    std::map<std::string, Symbol> symbols_;
    std::uint64_t kaslr_ = 0;
};

const std::string kRing = "((struct printk_ringbuffer *)0)->";

/// Every identifier of the founding document, in its order, and what has no number of its own.
std::vector<Expected> expected_regions(PanickedGuest& guest, bool dynamic_log)
{
    const std::string sizeof_head =
        "sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr) * (1 + (unsigned long)KMEMDUMP_ID_MAX)"
        " + 3 * 12 + sizeof(struct elf_prstatus) + sizeof(struct elf_prpsinfo) + 8 + 8 + 12";
    const std::string descs = "&" + kRing + "desc_ring.descs";
    const std::string infos = "&" + kRing + "desc_ring.infos";
    const std::string data = "&" + kRing + "text_data_ring.data";
    const std::string sizeof_section = "sizeof(struct mem_section)";
    const std::string zone_offset = "sizeof(struct mem_section_usage)";
    const auto dwarf = evaluate({sizeof_head, "sizeof(struct mm_struct)", "&((struct mm_struct *)0)->pgd",
                                 "sizeof(struct rq)", "sizeof(struct pglist_data)", "sizeof(struct prb_desc)",
                                 "sizeof(struct printk_info)", "sizeof(struct printk_ringbuffer)", descs,
                                 infos, data, sizeof_section, zone_offset, "&'kmemdump_coreimage.c'::head"});
    constexpr std::uint64_t kPage = 4096;
    std::vector<Expected> all;
    std::uint32_t id = 0;

    auto add = [&](const std::string& identifier, const std::string& is, std::uint64_t address,
                   const std::string& size_is, std::uint64_t size) {
        all.push_back({++id, identifier, is, size_is, address, size});
    };
    auto variable = [&](const std::string& identifier, const std::string& symbol) {
        add(identifier, "`" + symbol + "`", guest.address(symbol), "of the symbol", guest.size(symbol));
    };

    add("ELF", "where `head` of kmemdump_coreimage.c points",
        guest.pointer(dwarf.at("&'kmemdump_coreimage.c'::head") + guest.kaslr()),
        "ELF header, 1 + 512 program headers, three notes without the last one's text",
        dwarf.at(sizeof_head));
    add("VMCOREINFO", "where `vmcoreinfo_data` points", guest.pointer("vmcoreinfo_data"), "a page", kPage);
    add("CONFIG", "`kernel_config_data` with its marks", guest.address("kernel_config_data") - 8,
        "to `kernel_config_data_end`, and 8 bytes of mark on either side",
        guest.address("kernel_config_data_end") - guest.address("kernel_config_data") + 16);
    const std::uint64_t roots = guest.pointer("mem_section");
    const std::uint64_t per_root = kPage / dwarf.at(sizeof_section);
    // 48 bits of physical address, sections of 128 MiB.
    const std::uint64_t root_count = ((1ULL << (48 - 27)) + per_root - 1) / per_root;
    add("MEMSECT", "where `mem_section` points", roots, "8 times the number of roots", root_count * 8);
    variable("_totalram_pages", "_totalram_pages");
    variable("__cpu_possible_mask", "__cpu_possible_mask");
    variable("__cpu_present_mask", "__cpu_present_mask");
    variable("__cpu_online_mask", "__cpu_online_mask");
    variable("__cpu_active_mask", "__cpu_active_mask");
    variable("jiffies_64", "jiffies_64");
    variable("linux_banner", "linux_banner");
    variable("nr_threads", "nr_threads");
    variable("nr_irqs", guest.has("total_nr_irqs") ? "total_nr_irqs" : "nr_irqs");
    variable("tainted_mask", "tainted_mask");
    variable("taint_flags", "taint_flags");
    variable("mem_section", "mem_section");
    variable("node_data", "node_data");
    variable("node_states", "node_states");
    variable("__per_cpu_offset", "__per_cpu_offset");
    variable("nr_swapfiles", "nr_swapfiles");
    variable("init_uts_ns", "init_uts_ns");
    variable("printk_rb_static", "printk_rb_static");
    variable("printk_rb_dynamic", "printk_rb_dynamic");
    variable("prb", "prb");
    if (dynamic_log) {
        const std::uint64_t ring = guest.address("printk_rb_dynamic");
        constexpr std::uint64_t kText = 1 << 20;
        const std::uint64_t count = kText / 32; // CONFIG of printk: 32 bytes for each record
        add("prb_descs", "where `printk_rb_dynamic.desc_ring.descs` points",
            guest.pointer(ring + dwarf.at(descs)), "of `struct prb_desc`, one for 32 bytes of log",
            count * dwarf.at("sizeof(struct prb_desc)"));
        add("prb_infos", "where `printk_rb_dynamic.desc_ring.infos` points",
            guest.pointer(ring + dwarf.at(infos)), "of `struct printk_info`, one for 32 bytes of log",
            count * dwarf.at("sizeof(struct printk_info)"));
        add("prb_data", "where `printk_rb_dynamic.text_data_ring.data` points",
            guest.pointer(ring + dwarf.at(data)), "what `log_buf_len=` says", kText);
    } else {
        variable("prb_descs", "_printk_rb_static_descs");
        variable("prb_infos", "_printk_rb_static_infos");
        variable("prb_data", "__log_buf");
    }
    auto runqueue = [&](std::uint64_t cpu) {
        return guest.address("runqueues") + guest.pointer(guest.address("__per_cpu_offset") + 8 * cpu);
    };
    add("runqueues", "`runqueues` of CPU 0", runqueue(0), "of `struct rq`", dwarf.at("sizeof(struct rq)"));
    variable("high_memory", "high_memory");
    add("init_mm", "`init_mm`", guest.address("init_mm"), "of `struct mm_struct`",
        dwarf.at("sizeof(struct mm_struct)"));
    add("init_mm_pgd", "`init_mm.pgd`", guest.address("init_mm") + dwarf.at("&((struct mm_struct *)0)->pgd"),
        "of a pointer", 8);

    auto add_named = [&](const std::string& name, const std::string& is, std::uint64_t address,
                         const std::string& size_is, std::uint64_t size) {
        all.push_back({0, name, is, size_is, address, size});
    };
    add_named("rq cpu1", "`runqueues` of CPU 1", runqueue(1), "of `struct rq`",
              dwarf.at("sizeof(struct rq)"));
    add_named("pglist_data 0", "where `node_data[0]` points", guest.pointer("node_data"),
              "of `struct pglist_data`", dwarf.at("sizeof(struct pglist_data)"));
    const std::uint64_t leaf = guest.pointer(roots);
    add_named("sections 0", "where `mem_section[0]` points", leaf, "a page of `struct mem_section`",
              per_root * dwarf.at(sizeof_section));
    add_named("swapper_pg_dir", "`swapper_pg_dir`", guest.address("swapper_pg_dir"), "a page", kPage);
    return all;
}

void expect_table(const std::vector<Slot>& table, const std::vector<Expected>& expected)
{
    for (const auto& region : expected) {
        const auto slot = std::find_if(table.begin(), table.end(), [&](const Slot& s) {
            return region.id != 0 ? s.id == region.id : s.name == region.identifier;
        });
        ASSERT_NE(slot, table.end()) << region.identifier << " is not in the device's table";
        EXPECT_EQ(slot->virt, region.address)
            << std::hex << region.identifier << ": " << slot->virt << ", expected " << region.address;
        EXPECT_EQ(slot->size, region.size) << region.identifier;
    }
}

class Identifiers : public testing::Test
{
  protected:
    static void SetUpTestSuite() { guest_.emplace(""); }
    static void TearDownTestSuite() { guest_.reset(); }
    static inline std::optional<PanickedGuest> guest_;
};

TEST_F(Identifiers, EachHasTheAddressAndSizeOfTheKernelsOwnSymbols)
{
    const auto expected = expected_regions(*guest_, false);
    ASSERT_EQ(std::count_if(expected.begin(), expected.end(), [](const auto& e) { return e.id != 0; }), 31);
    ASSERT_NE(guest_->kaslr(), 0u) << "an address without KASLR would prove less";
    expect_table(guest_->table(), expected);
}

TEST_F(Identifiers, PhysicalAddressIsThatOfTheSameMemory)
{
    std::size_t compared = 0;
    for (const auto& slot : guest_->table()) {
        EXPECT_EQ(guest_->physical(slot.phys & ~7ULL), guest_->pointer(slot.virt & ~7ULL)) << slot.name;
        ++compared;
    }
    EXPECT_GT(compared, 30u);
}

TEST_F(Identifiers, EachNumberIsThereOnceAndTheUsageMapsAreToo)
{
    std::set<std::uint32_t> ids;
    for (const auto& slot : guest_->table()) {
        EXPECT_TRUE(ids.insert(slot.id).second) << slot.name;
        // The list of extents is the driver's own.
        EXPECT_EQ(slot.id == 0, slot.kind == kKindList) << slot.name;
    }
    // One for each section's usage map, whatever their number.
    const auto table = guest_->table();
    const auto usage =
        std::find_if(table.begin(), table.end(), [](const auto& s) { return s.name == "usage 0"; });
    ASSERT_NE(usage, table.end());
    const std::uint64_t leaf = guest_->pointer(guest_->pointer("mem_section"));
    const auto offset = evaluate({"&((struct mem_section *)0)->usage"}).begin()->second;
    const auto each = evaluate({"sizeof(struct mem_section)"}).begin()->second;
    // RAM of -M virt starts at 1 GiB: section 8 is the first of 128 MiB.
    const std::uint64_t first = guest_->pointer(leaf + 8 * each + offset);
    EXPECT_EQ(usage->virt, first);
}

TEST(IdentifiersOfADynamicLog, AreTheBuffersInUse)
{
    PanickedGuest guest("log_buf_len=1M");
    expect_table(guest.table(), expected_regions(guest, true));
    EXPECT_EQ(guest.pointer("prb"), guest.address("printk_rb_dynamic"));
}

/// The rows of docs/identifiers.md. Addresses differ with each boot, sizes with each kernel: those
/// that are a number of bytes whatever the kernel are in the page.
std::string identifiers_page(const std::vector<Expected>& expected)
{
    std::ostringstream page;
    page << "| number | identifier | memory | size |\n|---|---|---|---|\n";
    for (const auto& region : expected) {
        page << "| " << (region.id != 0 ? std::to_string(region.id) : "any") << " | " << region.identifier
             << " | " << region.is << " | " << region.size_is << " |\n";
    }
    return page.str();
}

TEST_F(Identifiers, PageInTheDocumentationIsTheTable)
{
    const auto expected = expected_regions(*guest_, false);
    std::string page = identifiers_page(expected);
    if (const char* file = std::getenv("KMD_WRITE_IDENTIFIERS")) {
        std::ofstream(file) << page;
    }
    std::cout << "figures: identifier, address, bytes, as the device has them\n";
    for (const auto& slot : guest_->table()) {
        std::cout << "figures: " << std::setw(3) << slot.id << " " << std::left << std::setw(17) << slot.name
                  << std::right << " 0x" << std::hex << slot.virt << std::dec << " " << slot.size << "\n";
    }

    // 7.x renamed a variable; the page says what it is called there.
    const auto renamed = page.find("`nr_irqs`");
    if (renamed != std::string::npos) {
        page.replace(renamed, 9, "`total_nr_irqs`");
    }
    std::ifstream file(support::required("KMD_IDENTIFIERS_PAGE"));
    const std::string documented{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NE(documented.find(page), std::string::npos) << "docs/identifiers.md has not:\n" << page;
}

// The whole way of a person with a vmlinux: types and names, the memory of the guest.
TEST_F(Identifiers, GdbWithVmlinuxPrintsTheGuestsValues)
{
    ASSERT_EQ(guest_->guest().dumps().size(), 1u);
    std::ostringstream offset;
    offset << "symbol-file -o 0x" << std::hex << guest_->kaslr() << " " << vmlinux();
    const auto gdb = support::run({"gdb-multiarch", "-nx", "-batch", "-ex", offset.str(), "-ex",
                                   "core-file " + guest_->guest().dumps()[0].string(), "-ex",
                                   "printf \"jiffies %lu\\n\", jiffies_64", "-ex",
                                   "printf \"pages %lu\\n\", _totalram_pages.counter", "-ex",
                                   "printf \"percpu %lu\\n\", __per_cpu_offset[1]", "-ex",
                                   "printf \"root %lu\\n\", (unsigned long)mem_section"});
    for (const auto& [label, symbol] :
         std::map<std::string, std::uint64_t>{{"jiffies", guest_->address("jiffies_64")},
                                              {"pages", guest_->address("_totalram_pages")},
                                              {"percpu", guest_->address("__per_cpu_offset") + 8},
                                              {"root", guest_->address("mem_section")}}) {
        const std::uint64_t value = guest_->pointer(symbol);
        EXPECT_NE(value, 0u);
        EXPECT_NE(gdb.output.find(label + " " + std::to_string(value) + "\n"), std::string::npos)
            << label << " is " << value << ", gdb: " << gdb.output;
    }
}

// ------------------------------------------------------------------------ what fails at the boot

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

/// A guest whose kernel calls functions one after the other, of which gdb ends the last one at once
/// with a return value.
class GuestWithAFailure : public Guest
{
  public:
    GuestWithAFailure(const std::vector<std::string>& functions, std::int64_t value,
                      const std::string& properties = "")
        : Guest({.command_line = "nokaslr", .properties = properties, .under_gdb = true})
    {
        const auto symbols = symbols_of_vmlinux();
        std::vector<std::string> command = {"gdb-multiarch",
                                            "-nx",
                                            "-batch",
                                            "-ex",
                                            "set architecture aarch64",
                                            "-ex",
                                            "target remote " + folder().file("gdb.sock")};
        for (const auto& function : functions) {
            std::ostringstream address;
            address << "thbreak *0x" << std::hex << symbols.at(function).address;
            command.insert(command.end(), {"-ex", address.str(), "-ex", "continue"});
        }
        command.insert(command.end(), {"-ex", "set $x0 = " + std::to_string(value), "-ex", "set $pc = $x30",
                                       "-ex", "echo returned\\n", "-ex", "detach"});
        const auto gdb = support::run(command, kPatience);
        if (count(gdb.output, "hit Temporary breakpoint") != functions.size() ||
            count(gdb.output, "returned") != 1) {
            throw std::runtime_error("gdb: " + gdb.output);
        }
    }
};

constexpr std::int64_t kNoMemory = -12;

TEST(BuiltinKernel, WithoutVmcoreinfoOneLineSaysSoAndTheKernelBootsOn)
{
    GuestWithAFailure guest({"crash_save_vmcoreinfo_init"}, kNoMemory);
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const std::string console = guest.console();
    EXPECT_EQ(count(console, "core image has no vmcoreinfo, expected"), 1u) << console;
    EXPECT_NE(console.find("sysrq triggered crash"), std::string::npos) << console;
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    EXPECT_GE(regions_of_dump(guest), 30u) << guest.messages();
    for (const auto& note : ElfCore::read(guest.dumps()[0]).notes) {
        EXPECT_NE(note.name, "VMCOREINFO");
    }
}

// The guest's own header, with one note less.
TEST(BuiltinKernel, HeaderWithoutVmcoreinfoIsThatOfACoreFile)
{
    GuestWithAFailure guest({"crash_save_vmcoreinfo_init"}, kNoMemory, "format=coreimage");
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    const auto readelf = support::run({"aarch64-linux-gnu-readelf", "-a", guest.dumps()[0].string()});
    EXPECT_EQ(readelf.status, 0) << readelf.output;
    EXPECT_EQ(readelf.output.find("arning"), std::string::npos) << readelf.output;
    EXPECT_EQ(readelf.output.find("VMCOREINFO"), std::string::npos) << readelf.output;
    EXPECT_GE(ElfCore::read(guest.dumps()[0]).segments.size(), 30u);
}

TEST(BuiltinKernel, WithoutMemoryForTheHeaderOneLineSaysSoAndTheRegionsAreSaved)
{
    GuestWithAFailure guest({"kmemdump_coreimage_init", "alloc_pages_exact_noprof"}, 0);
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const std::string console = guest.console();
    EXPECT_EQ(count(console, "core image has no ELF header, expected"), 1u) << console;
    EXPECT_EQ(reports(log_lines(console)), std::vector<std::string>{"Call trace:"})
        << "but that of the panic";
    ASSERT_EQ(guest.dumps().size(), 1u) << guest.messages();
    EXPECT_GE(regions_of_dump(guest), 30u) << guest.messages();
}

// ------------------------------------------------------- kernels of ./scripts/build-kernel --debug and
// --tags

// kmemleak takes any copy of a pointer for a reference. A cache of slab that checks nothing keeps copies in
// its sheaves; KASAN with tags keeps one of each of the last 32768 allocations, unless it is told to keep
// fewer.
const std::string kLeaksShow = " kmd.leaks=yes slab_debug=F kasan.stack_ring_size=16";

TEST(DebugKernel, FindsALeakALockInversionAndAUseAfterFreeThatAreThere)
{
    Guest guest({.initrd = support::required("KMD_TEST_INITRD"),
                 .command_line = "kmd.do=ktap:kmemdump_mistakes" + kLeaksShow,
                 .controller = false});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const std::string console = guest.console();
    EXPECT_NE(console.find("init: leaks looked for"), std::string::npos) << console;
    const auto found = reports(log_lines(console));
    for (const std::string mark :
         {"BUG: KASAN: slab-use-after-free in mistakes_init",
          "WARNING: possible circular locking dependency detected", "init: leak: unreferenced object"}) {
        EXPECT_TRUE(std::any_of(found.begin(), found.end(),
                                [&](const auto& line) { return line.find(mark) != std::string::npos; }))
            << mark << "\n"
            << console;
    }
}

TEST(DebugKernel, RegionsComeAndGoWithoutALeakOrAReport)
{
    Guest guest({.initrd = support::required("KMD_TEST_INITRD"),
                 .command_line = "kmd.do=ktap:kmemdump_lifetime" + kLeaksShow,
                 .properties = "max-regions=60"});
    EXPECT_EQ(guest.wait_for_the_end(), 0);
    const std::string console = guest.console();
    const auto lifetime = boot::read_ktap(console);
    EXPECT_GT(lifetime.planned, 0u) << console;
    EXPECT_EQ(lifetime.cases.size(), lifetime.planned) << console;
    for (const auto& result : lifetime.cases) {
        EXPECT_TRUE(result.passed) << result.name << "\n" << console;
    }
    EXPECT_NE(console.find("init: leaks looked for"), std::string::npos) << console;
    EXPECT_EQ(reports(log_lines(console)), std::vector<std::string>());
}

} // namespace
