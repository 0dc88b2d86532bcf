// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_maker.h"
#include "kmdump/kernel/kallsyms.h"
#include "kmdump/kernel/vmlinux.h"

#include <elf.h>
#include <gtest/gtest.h>
#include <link.h>

#include <cstring>
#include <iterator>

namespace
{

using kmdump::CoreFile;
using kmdump::KernelMemory;
using kmdump::Place;
using kmdump::read_kallsyms;
using kmdump::Symbols;
using kmdump_test::CoreMaker;
using kmdump_test::KallsymsMaker;
using kmdump_test::put;
using kmdump_test::TemporaryFile;

constexpr std::uint64_t kText = 0xffff8000'80100000;

KallsymsMaker some_symbols()
{
    KallsymsMaker maker;
    maker.symbols = {{kText, "_text"},
                     {kText + 0x100, "panic"},
                     {kText + 0x100, "panic_alias"},
                     {kText + 0x300, "sysrq_handle_crash"},
                     {kText + 0x340, std::string(200, 'n')},
                     {kText + 0x400, "_end"}};
    return maker;
}

kmd::Result<Symbols> read(const KallsymsMaker& kallsyms, const kmdump_test::Memory& memory,
                          const std::string& vmcoreinfo, const std::string& layout = "")
{
    CoreMaker maker;
    maker.memory = {memory};
    const TemporaryFile file(maker.make());
    const auto core = CoreFile::open(file.path());
    EXPECT_TRUE(core);
    const kmd::Vmcoreinfo info(vmcoreinfo.empty() ? kallsyms.vmcoreinfo() : vmcoreinfo);
    return read_kallsyms(KernelMemory(core.value(), info), info, kmd::Vmcoreinfo(layout));
}

std::string name_at(const Symbols& symbols, std::uint64_t address)
{
    const auto place = symbols.find(address);
    return place ? kmdump::format_place(*place) : "nothing";
}

TEST(Kallsyms, NamesAddressesOfBothLayouts)
{
    for (const bool with_base : {true, false}) {
        auto maker = some_symbols();
        maker.with_base = with_base;
        const auto symbols = read(maker, maker.make(), "");
        ASSERT_TRUE(symbols) << symbols.error().what;
        EXPECT_EQ(symbols.value().count(), 6u);
        EXPECT_EQ(name_at(symbols.value(), kText + 0x304), "sysrq_handle_crash+0x4/0x40");
        EXPECT_EQ(name_at(symbols.value(), kText + 0x341), std::string(200, 'n') + "+0x1/0xc0");
        EXPECT_EQ(symbols.value().address_of("sysrq_handle_crash"), kText + 0x300);
        EXPECT_FALSE(symbols.value().address_of("sysrq"));
    }
}

TEST(Kallsyms, HasAbsoluteAddressesOfPerCpuVariables)
{
    auto maker = some_symbols();
    maker.absolute_per_cpu = true;
    maker.symbols.insert(maker.symbols.begin(), {{0, "fixed_percpu_data"}, {0x1f000, "runqueues"}});
    maker.symbols.insert(maker.symbols.begin() + 3, {kText + 0x80, "_stext"});
    const auto expect_addresses = [&](const kmd::Result<Symbols>& symbols) {
        ASSERT_TRUE(symbols) << symbols.error().what;
        EXPECT_EQ(symbols.value().address_of("runqueues"), 0x1f000u);
        EXPECT_EQ(symbols.value().address_of("_text"), kText);
        EXPECT_EQ(name_at(symbols.value(), kText + 0x304), "sysrq_handle_crash+0x4/0x40");
        EXPECT_EQ(name_at(symbols.value(), 0x1f008), "nothing") << "the next symbol is far away";
    };
    expect_addresses(read(maker, maker.make(), ""));
    auto cut = maker.make();
    cut.bytes.resize(cut.bytes.size() - 8 - 4); // the base, and the offset of the last symbol
    expect_addresses(read(maker, cut, maker.vmcoreinfo() + "SYMBOL(_stext)=ffff800080100080\n"));
}

TEST(Kallsyms, SaysWhichTableIsMissing)
{
    const auto maker = some_symbols();
    const auto without_config = read(maker, maker.make(), "OSRELEASE=6\n");
    ASSERT_FALSE(without_config);
    EXPECT_EQ(without_config.error().what,
              "expected SYMBOL(kallsyms_names) in the VMCOREINFO note, found none: "
              "the kernel has no CONFIG_KALLSYMS");
    for (const std::size_t kept : {std::size_t{0}, std::size_t{400}, std::size_t{1700}}) {
        auto memory = maker.make();
        memory.bytes.resize(kept);
        const auto cut = read(maker, memory, "");
        ASSERT_FALSE(cut) << kept;
        EXPECT_TRUE(cut.error().what.starts_with("the kernel's symbols are missing: expected ")) << kept;
    }
}

TEST(Kallsyms, TakesTheFirstSymbolsWhereTheTablesHaveNoMore)
{
    auto maker = some_symbols();
    maker.symbols.insert(maker.symbols.begin() + 1, {kText + 0x80, "_stext"});
    auto memory = maker.make();
    memory.bytes.resize(memory.bytes.size() - 8 - 3 * 4); // the base, and the offsets of the last symbols
    const auto without_base = read(maker, memory, "");
    ASSERT_FALSE(without_base);
    EXPECT_TRUE(without_base.error().what.find("kallsyms_relative_base") != std::string::npos);

    const auto symbols = read(maker, memory, maker.vmcoreinfo() + "SYMBOL(_stext)=ffff800080100080\n");
    ASSERT_TRUE(symbols) << symbols.error().what;
    EXPECT_LT(symbols.value().count(), 7u);
    EXPECT_EQ(name_at(symbols.value(), kText + 0x104), "panic+0x4/0x200");
    EXPECT_EQ(name_at(symbols.value(), kText + 0x3a0), "nothing");
}

TEST(Kallsyms, GoOnBehindAGapWithTheFunctionsOfTheStart)
{
    for (const bool with_base : {true, false}) {
        KallsymsMaker maker;
        maker.with_base = with_base;
        maker.symbols = {{kText, "_text"}, {kText + 0x100, "panic"}, {kText + 0x200, "_etext"}};
        for (unsigned i = 0; i < 100; ++i) {
            maker.symbols.push_back({kText + 0x1000 + i, std::string(200, 'r')});
        }
        maker.symbols.insert(maker.symbols.end(), {{kText + 0x2000, "_sinittext"},
                                                   {kText + 0x2040, "start_kernel"},
                                                   {kText + 0x2100, "_einittext"}});
        // A name is a length, a type and its text; the length of a long one takes two bytes.
        const std::size_t before = 16 + 7 + 7 + 8;
        const std::size_t init_name = 7 + 7 + 8 + 100 * 203;
        const auto whole = maker.make();
        CoreMaker core;
        core.memory = {whole, whole};
        core.memory[0].bytes.resize(before + 203 + 100);
        const std::size_t behind = 16 + init_name - 10;
        core.memory[1].virt += behind;
        core.memory[1].phys += behind;
        core.memory[1].bytes.erase(core.memory[1].bytes.begin(), core.memory[1].bytes.begin() + behind);
        const TemporaryFile file(core.make());
        const auto opened = CoreFile::open(file.path());
        ASSERT_TRUE(opened);
        const kmd::Vmcoreinfo info(maker.vmcoreinfo());
        const KernelMemory memory(opened.value(), info);
        const kmd::Vmcoreinfo layout("NUMBER(kallsyms_init_index)=103\nNUMBER(kallsyms_init_name)=" +
                                     std::to_string(init_name) + "\n");
        const auto symbols = read_kallsyms(memory, info, layout);
        ASSERT_TRUE(symbols) << symbols.error().what;
        EXPECT_EQ(name_at(symbols.value(), kText + 0x104), "panic+0x4/0x100");
        EXPECT_EQ(name_at(symbols.value(), kText + 0x2044), "start_kernel+0x4/0xc0");
        EXPECT_EQ(name_at(symbols.value(), kText + 0x1800), "nothing") << "in the gap";
        EXPECT_EQ(name_at(symbols.value(), kText + 0x2100), "nothing") << "behind the last";

        const auto without = read_kallsyms(memory, info, kmd::Vmcoreinfo(""));
        ASSERT_TRUE(without);
        EXPECT_EQ(name_at(without.value(), kText + 0x2044), "nothing");
    }
}

TEST(Kallsyms, RefusesTablesThatCannotBe)
{
    const auto maker = some_symbols();
    auto many = maker.make();
    put(many.bytes, 8, 0xffffffff, 4);
    EXPECT_EQ(read(maker, many, "").error().what,
              "the kernel's symbols are corrupt: more symbols than any kernel has");

    auto endless = maker.make();
    endless.bytes.resize(8192, std::byte{'x'});
    std::fill(endless.bytes.begin() + 512, endless.bytes.end(), std::byte{'x'});
    EXPECT_FALSE(read(maker, endless, ""));
}

TEST(Symbols, FirstOfSeveralAtAnAddressNamesIt)
{
    const auto maker = some_symbols();
    const auto symbols = read(maker, maker.make(), "");
    ASSERT_TRUE(symbols);
    EXPECT_EQ(name_at(symbols.value(), kText + 0x2ff), "panic+0x1ff/0x200");
}

TEST(Symbols, NameNothingOutsideOfTheKernel)
{
    const auto maker = some_symbols();
    const auto symbols = read(maker, maker.make(), "");
    ASSERT_TRUE(symbols);
    EXPECT_EQ(name_at(symbols.value(), kText - 1), "nothing");
    EXPECT_EQ(name_at(symbols.value(), kText + 0x400), "nothing");
    EXPECT_EQ(name_at(Symbols(), kText), "nothing");
}

TEST(Symbols, ReturnAddressBehindAFunctionBelongsToIt)
{
    const auto maker = some_symbols();
    const auto symbols = read(maker, maker.make(), "");
    ASSERT_TRUE(symbols);
    const auto place = symbols.value().find_caller(kText + 0x300);
    ASSERT_TRUE(place);
    EXPECT_EQ(kmdump::format_place(*place), "panic+0x200/0x200");
}

TEST(Symbols, OfTheGuestAreEscaped)
{
    EXPECT_EQ(kmdump::format_place(Place{"\x1b[2J", 1, 2}), "\x1b[2J+0x1/0x2");
}

extern "C" int function_of_this_program(int number)
{
    return number + 1;
}

TEST(Vmlinux, SymbolsMoveByTheKaslrOffset)
{
    std::uint64_t base = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* found) {
            *static_cast<std::uint64_t*>(found) = info->dlpi_addr;
            return 1; // the first is the program itself
        },
        &base);
    const auto linked_at = reinterpret_cast<std::uint64_t>(&function_of_this_program) - base;
    const auto symbols = kmdump::read_vmlinux("/proc/self/exe", kmd::Vmcoreinfo("KERNELOFFSET=10000\n"));
    ASSERT_TRUE(symbols) << symbols.error().what;
    EXPECT_EQ(symbols.value().address_of("function_of_this_program"), linked_at + 0x10000);
}

/// An ELF file of x86_64 with a function, and a per-CPU variable in a section at address 0.
kmdump_test::Bytes vmlinux_with_a_per_cpu_variable()
{
    struct Section {
        std::uint32_t type;
        std::uint64_t flags, address, offset, size;
        std::uint32_t link;
        std::uint64_t entry_size;
    };
    constexpr std::size_t kHeaders = 0x100;
    const std::string names("\0function\0variable\0", 19);
    const Section sections[] = {
        {SHT_NULL, 0, 0, 0, 0, 0, 0},
        {SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0xffffffff81000000, 0x400, 0x100, 0, 0},
        {SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0, 0x500, 0x100, 0, 0},
        {SHT_SYMTAB, 0, 0, 0x600, 3 * sizeof(Elf64_Sym), 4, sizeof(Elf64_Sym)},
        {SHT_STRTAB, 0, 0, 0x700, names.size(), 0, 0}};
    kmdump_test::Bytes bytes(0x800);
    std::memcpy(bytes.data(), ELFMAG "\2\1\1", 7);
    put(bytes, 16, ET_EXEC, 2);
    put(bytes, 18, EM_X86_64, 2);
    put(bytes, 20, EV_CURRENT, 4);
    put(bytes, 40, kHeaders, 8);
    put(bytes, 52, sizeof(Elf64_Ehdr), 2);
    put(bytes, 58, sizeof(Elf64_Shdr), 2);
    put(bytes, 60, std::size(sections), 2);
    for (std::size_t i = 0; i < std::size(sections); ++i) {
        const std::size_t at = kHeaders + i * sizeof(Elf64_Shdr);
        put(bytes, at + 4, sections[i].type, 4);
        put(bytes, at + 8, sections[i].flags, 8);
        put(bytes, at + 16, sections[i].address, 8);
        put(bytes, at + 24, sections[i].offset, 8);
        put(bytes, at + 32, sections[i].size, 8);
        put(bytes, at + 40, sections[i].link, 4);
        put(bytes, at + 56, sections[i].entry_size, 8);
    }
    const auto symbol = [&](std::size_t number, unsigned name, unsigned type, unsigned section,
                            std::uint64_t value) {
        const std::size_t at = 0x600 + number * sizeof(Elf64_Sym);
        put(bytes, at, name, 4);
        put(bytes, at + 4, ELF64_ST_INFO(STB_GLOBAL, type), 1);
        put(bytes, at + 6, section, 2);
        put(bytes, at + 8, value, 8);
    };
    symbol(1, 1, STT_FUNC, 1, 0xffffffff81000010);
    symbol(2, 10, STT_OBJECT, 2, 0x35e80);
    std::memcpy(&bytes[0x700], names.data(), names.size());
    return bytes;
}

TEST(Vmlinux, PerCpuVariablesAtZeroDoNotMove)
{
    const TemporaryFile file(vmlinux_with_a_per_cpu_variable());
    const auto symbols = kmdump::read_vmlinux(file.path(), kmd::Vmcoreinfo("KERNELOFFSET=10000\n"));
    ASSERT_TRUE(symbols) << symbols.error().what;
    EXPECT_EQ(symbols.value().address_of("function"), 0xffffffff81010010);
    EXPECT_EQ(symbols.value().address_of("variable"), 0x35e80u);
}

TEST(Vmlinux, OfAnotherKindIsRefused)
{
    const TemporaryFile text(std::string_view("hello\n"));
    EXPECT_EQ(kmdump::read_vmlinux(text.path(), kmd::Vmcoreinfo("")).error().what,
              "expected a vmlinux file, found something that is not ELF");
    // Types alone are of use to others.
    const TemporaryFile core(CoreMaker().make());
    EXPECT_EQ(kmdump::read_vmlinux(core.path(), kmd::Vmcoreinfo("")).value().count(), 0u);
}

} // namespace
