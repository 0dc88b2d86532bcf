// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the names of functions of modules: found through the text kmd_layout of an invented guest.
#include "core_maker.h"
#include "kmdump/cli/cli.h"
#include "kmdump/kernel/kernel_layout.h"
#include "kmdump/kernel/module_symbols.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <sstream>

namespace
{

using kmdump::CoreFile;
using kmdump::KernelMemory;
using kmdump::Symbols;
using kmdump_test::CoreMaker;
using kmdump_test::put;
using kmdump_test::TemporaryFile;

constexpr std::uint64_t kVirt = 0xffff8000'7a000000;
constexpr std::uint64_t kText = 0xffff8000'7b000000;
constexpr std::uint64_t kInit = 0xffff8000'7c000000;

// Where things lie in the guest's memory, and members in its structures; not as in any kernel.
constexpr std::size_t kHead = 0x1000;
constexpr std::size_t kModule = 0x1100;
constexpr std::size_t kSecond = 0x1300;
constexpr std::size_t kTables = 0x1500;
constexpr std::size_t kSymbols = 0x2000;
constexpr std::size_t kNames = 0x3000;
constexpr std::size_t kSize = 0x4000;

struct Guest {
    kmdump_test::Bytes bytes = kmdump_test::Bytes(kSize);
    unsigned symbols = 0;
    std::size_t name_at = 1;

    Guest()
    {
        set_text(0, layout());
        put(bytes, kHead, kVirt + kModule + 16, 8);
        module(kModule, "flaky", kVirt + kHead, kText, 0x1000, kInit, 0x100);
        put(bytes, kTables + 0, kVirt + kSymbols, 8);
        put(bytes, kTables + 8, kVirt + kNames, 8);
    }

    static std::string layout()
    {
        char self[96];
        std::snprintf(self, sizeof(self), "SYMBOL(kmd_layout)=%llx\nSYMBOL(modules)=%llx\n",
                      static_cast<unsigned long long>(kVirt), static_cast<unsigned long long>(kVirt) + kHead);
        return "KMD_LAYOUT=1\n" + std::string(self) +
               "OFFSET(module.list)=16\nOFFSET(module.name)=32\nOFFSET(module.text)=96\n"
               "OFFSET(module.text_size)=104\nOFFSET(module.init_text)=112\nOFFSET(module.init_text_size)="
               "120\n"
               "OFFSET(module.kallsyms)=128\nOFFSET(mod_kallsyms.symtab)=0\n"
               "OFFSET(mod_kallsyms.strtab)=8\nOFFSET(mod_kallsyms.num_symtab)=16\n";
    }

    void set_text(std::size_t at, std::string_view text)
    {
        for (const char c : text) {
            put(bytes, at++, static_cast<std::uint8_t>(c), 1);
        }
    }

    void module(std::size_t at, std::string_view name, std::uint64_t next, std::uint64_t text,
                std::uint64_t size, std::uint64_t init, std::uint64_t init_size)
    {
        put(bytes, at + 16, next, 8);
        set_text(at + 32, name);
        put(bytes, at + 96, text, 8);
        put(bytes, at + 104, size, 4);
        put(bytes, at + 112, init, 8);
        put(bytes, at + 120, init_size, 4);
        put(bytes, at + 128, kVirt + kTables, 8);
    }

    void symbol(std::uint64_t address, std::string_view name, unsigned section = 1)
    {
        const std::size_t at = kSymbols + 24 * symbols++;
        put(bytes, at, name_at, 4);
        put(bytes, at + 6, section, 2);
        put(bytes, at + 8, address, 8);
        set_text(kNames + name_at, name);
        name_at += name.size() + 1;
        put(bytes, kTables + 16, symbols, 4);
    }

    CoreMaker core() const
    {
        CoreMaker maker;
        maker.vmcoreinfo = "OSRELEASE=test\n";
        maker.memory = {{kVirt, 0x48000000, bytes}};
        return maker;
    }

    Symbols read() const
    {
        const TemporaryFile file(core().make());
        const auto core = CoreFile::open(file.path());
        EXPECT_TRUE(core);
        Symbols symbols({{0xffff8000'80000000, "_text"}, {0xffff8000'80000100, "_etext"}});
        symbols.add(
            read_module_symbols(KernelMemory(core.value(), kmd::Vmcoreinfo("")), find_layout(core.value()))
                .tables);
        return symbols;
    }

    std::string name_at_address(std::uint64_t address) const
    {
        const Symbols symbols = read();
        const auto place = symbols.find(address);
        return place ? kmdump::format_place(*place) : "nothing";
    }
};

TEST(ModuleSymbols, NameTheFunctionsOfAModule)
{
    Guest guest;
    guest.symbol(kText + 0x40, "flaky_open");
    guest.symbol(kText + 0x40, "$x");
    guest.symbol(kText + 0x100, ".Lend");
    guest.symbol(kText + 0x80, "flaky_close");
    guest.symbol(kInit, "flaky_init");
    guest.symbol(kText + 0x60, "printk", 0);
    guest.symbol(0xffff8000'80000010, "not_here");
    EXPECT_EQ(guest.name_at_address(kText + 0x44), "flaky_open+0x4/0x40 [flaky]");
    EXPECT_EQ(guest.name_at_address(kText + 0xfff), "flaky_close+0xf7f/0xf80 [flaky]");
    EXPECT_EQ(guest.name_at_address(kInit + 0x10), "flaky_init+0x10/0x100 [flaky]") << "it is starting";
    EXPECT_EQ(guest.name_at_address(kText + 0x10), "nothing") << "ahead of the first function";
    EXPECT_EQ(guest.name_at_address(kText + 0x1000), "nothing") << "behind the module";
    EXPECT_EQ(guest.name_at_address(0xffff8000'80000010), "_text+0x10/0x100") << "the kernel's own";
}

TEST(ModulesCommand, ListsTheCodeOfEachModule)
{
    Guest guest;
    guest.symbol(kText + 0x40, "flaky_open");
    guest.symbol(kText + 0x80, "flaky_close");
    guest.symbol(kInit, "flaky_init");
    const TemporaryFile file(guest.core().make());
    const char* const argv[] = {"kmdump", "modules", file.path().c_str()};
    std::ostringstream out;
    EXPECT_EQ(kmdump::run(3, argv, out, out), 0);
    EXPECT_EQ(out.str(), "code at             bytes  symbols  name\n"
                         "0xffff80007b000000   4096        2  flaky\n"
                         "0xffff80007c000000    256        1  flaky\n");
}

TEST(ModulesCommand, SaysThatTheListIsCut)
{
    const auto output_of = [](const Guest& guest) {
        const TemporaryFile file(guest.core().make());
        const char* const argv[] = {"kmdump", "modules", file.path().c_str()};
        std::ostringstream out;
        kmdump::run(3, argv, out, out);
        return out.str();
    };
    Guest broken;
    put(broken.bytes, kModule + 16, 0x1234, 8);
    EXPECT_NE(output_of(broken).find("more modules: a link of the list of modules is not in the dump"),
              std::string::npos);
    Guest circular;
    put(circular.bytes, kModule + 16, kVirt + kModule + 16, 8);
    EXPECT_NE(output_of(circular).find("more modules: there are more than 4096"), std::string::npos);
    Guest none;
    put(none.bytes, kHead, kVirt + kHead, 8);
    EXPECT_EQ(output_of(none), "no modules\n");
    Guest unknown;
    unknown.set_text(Guest::layout().find("OFFSET(module.list)"), "X");
    EXPECT_NE(output_of(unknown).find("no modules: the dump does not say"), std::string::npos);
}

TEST(ModuleSymbols, NeedTheLayoutAtItsOwnAddress)
{
    Guest guest;
    guest.symbol(kText, "flaky_open");
    guest.set_text(0, "KMD_LAYOUT=2");
    EXPECT_EQ(guest.name_at_address(kText), "nothing");

    Guest copied;
    copied.symbol(kText, "flaky_open");
    std::string text = Guest::layout();
    text.replace(text.find("kmd_layout)=") + 12, 4, "eeee");
    copied.set_text(0, text);
    EXPECT_EQ(copied.name_at_address(kText), "nothing") << "a copy of the text at another address";

    Guest cut;
    cut.symbol(kText, "flaky_open");
    cut.set_text(Guest::layout().find("OFFSET(mod_kallsyms.strtab)"), "X");
    EXPECT_EQ(cut.name_at_address(kText), "nothing") << "a member is missing";
}

TEST(ModuleSymbols, EndWhereTheListDoesNotGoOn)
{
    Guest guest;
    guest.symbol(kText, "flaky_open");
    put(guest.bytes, kModule + 16, 0xffff8000'00000000, 8);
    EXPECT_EQ(guest.name_at_address(kText), "flaky_open+0x0/0x1000 [flaky]");

    Guest second;
    second.symbol(kText, "flaky_open");
    second.symbol(kText + 0x2000, "other_open");
    put(second.bytes, kModule + 16, kVirt + kSecond + 16, 8);
    second.module(kSecond, "other", kVirt + kHead, kText + 0x2000, 0x1000, 0, 0);
    EXPECT_EQ(second.name_at_address(kText + 0x2004), "other_open+0x4/0x1000 [other]");
}

TEST(ModuleSymbols, AreBoundedHoweverTheListsRun)
{
    Guest guest;
    guest.symbol(kText, std::string(0xff0, 'n'));
    put(guest.bytes, kTables + 16, 0xffffffff, 4);           // symbols without end
    put(guest.bytes, kModule + 16, kVirt + kModule + 16, 8); // a module that is its own next
    put(guest.bytes, kModule + 96, 0, 8);
    put(guest.bytes, kModule + 104, 0xffffffff, 4); // whatever is there is a symbol of its
    const auto started = std::chrono::steady_clock::now();
    guest.read();
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));

    Guest wraps;
    wraps.symbol(kText, "flaky_open");
    put(wraps.bytes, kModule + 96, ~std::uint64_t{0} - 8, 8);
    EXPECT_EQ(wraps.name_at_address(kText), "nothing");
}

} // namespace
