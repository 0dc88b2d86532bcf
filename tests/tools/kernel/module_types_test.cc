// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the types of modules: found through the list that an invented guest has in its memory.
#include "btf_maker.h"
#include "core_maker.h"
#include "kmdump/kernel/module_types.h"
#include "kmdump/kernel/symbol_source.h"
#include "types_maker.h"

#include <gtest/gtest.h>

namespace
{

using kmd::test::BtfMaker;
using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::kTypesAt;
using kmdump_test::put;
using kmdump_test::TemporaryFile;

constexpr std::uint64_t kVirt = 0xffff8000'7a000000;

// Where things lie in the guest's memory, and members in its structures; not as in any kernel.
constexpr std::size_t kHead = 0x0;
constexpr std::size_t kFirst = 0x100;
constexpr std::size_t kSecond = 0x200;
constexpr std::size_t kDescription = 0x40; // of each, behind its entry
constexpr std::size_t kTypes = 0x400;
constexpr std::size_t kSize = 0x1000;
constexpr std::size_t kList = 8;
constexpr std::size_t kBtf = 24;
constexpr std::size_t kData = 0;
constexpr std::size_t kDataSize = 8;
constexpr std::size_t kName = 16;

Bytes types_of_kernel(bool with_modules)
{
    BtfMaker btf;
    const auto number = btf.integer(4);
    if (with_modules) {
        btf.structure("btf_module", 32, {{"list", number, kList}, {"btf", number, kBtf}});
    }
    btf.structure("btf", 128,
                  {{"data", number, kData}, {"data_size", number, kDataSize}, {"name", number, kName}});
    return btf.make();
}

Bytes types_of_module()
{
    BtfMaker btf;
    btf.structure("", 24, {});
    return btf.make();
}

struct Guest {
    Bytes bytes = Bytes(kSize);
    bool names_the_list = true;
    bool knows_types_of_modules = true;

    Guest()
    {
        put(bytes, kHead, kVirt + kFirst + kList, 8);
        module(kFirst, "loop", kVirt + kSecond + kList);
        module(kSecond, "virtio_rng", kVirt + kHead);
        const Bytes types = types_of_module();
        std::ranges::copy(types, bytes.begin() + kTypes);
    }

    void module(std::size_t at, std::string_view name, std::uint64_t next)
    {
        put(bytes, at + kList, next, 8);
        put(bytes, at + kBtf, kVirt + at + kDescription, 8);
        put(bytes, at + kDescription + kData, kVirt + kTypes, 8);
        put(bytes, at + kDescription + kDataSize, types_of_module().size(), 4);
        for (std::size_t i = 0; i < name.size(); ++i) {
            put(bytes, at + kDescription + kName + i, static_cast<std::uint8_t>(name[i]), 1);
        }
    }

    kmd::Result<Bytes> find(const std::string& module) const
    {
        CoreMaker maker;
        maker.vmcoreinfo = "OSRELEASE=test\n";
        maker.layout = "KMD_LAYOUT=1\n";
        const Bytes types = types_of_kernel(knows_types_of_modules);
        kmdump_test::describe_types(maker, types, 0, 0);
        if (names_the_list) {
            *maker.layout += "SYMBOL(btf_modules)=ffff80007a000000\n";
        }
        maker.memory = {{kVirt, 0x48000000, bytes}, {kTypesAt, 0x49000000, types}};
        const TemporaryFile file(maker.make());
        const auto opened = kmdump::open_with_symbols(file.path(), "");
        EXPECT_TRUE(opened);
        const auto& [dump, source] = opened.value();
        const auto kernel = kmdump::find_types(dump, source.symbols, file.path(), "");
        EXPECT_TRUE(kernel) << kernel.error().what;
        return kmdump::find_module_types(dump, source.symbols, kernel.value(), module);
    }

    std::string error_of(const std::string& module) const
    {
        const auto found = find(module);
        return found ? "" : found.error().what;
    }
};

TEST(ModuleTypes, AreThoseOfTheNamedModule)
{
    const Guest guest;
    const auto found = guest.find("virtio_rng");
    ASSERT_TRUE(found) << found.error().what;
    EXPECT_EQ(found.value(), types_of_module());
}

TEST(ModuleTypes, AreCheckedForWhatTheirHeaderSays)
{
    constexpr const char* kCorrupt = "the types of the module 'loop' are corrupt: expected BTF";
    for (const std::size_t member : {0, 2, 4, 8, 12, 16, 20}) {
        Guest guest;
        put(guest.bytes, kTypes + member, 0xff, 1);
        EXPECT_EQ(guest.error_of("loop"), kCorrupt) << member;
    }
    Guest guest;
    put(guest.bytes, kFirst + kDescription + kDataSize, 8, 4);
    EXPECT_EQ(guest.error_of("loop"), kCorrupt) << "cut";
}

TEST(ModuleTypes, NameTheModulesThatHaveSome)
{
    Guest guest;
    EXPECT_EQ(guest.error_of("ext4"),
              "the dump has no types of a module 'ext4': it has those of loop, virtio_rng");
    put(guest.bytes, kHead, kVirt + kHead, 8);
    EXPECT_EQ(guest.error_of("ext4"), "the dump has no types of a module 'ext4': it has those of no module");
    EXPECT_EQ(guest.error_of("a\x1b"), "the dump has no types of a module 'a?': it has those of no module");
}

TEST(ModuleTypes, SayThatTheListIsBroken)
{
    Guest guest;
    put(guest.bytes, kSecond + kList, kVirt + kSize, 8);
    EXPECT_EQ(guest.error_of("ext4"), "the dump has no types of a module 'ext4': it has those of loop, "
                                      "virtio_rng; the list of the modules' types is broken or incomplete");
    put(guest.bytes, kSecond + kList, kVirt + kFirst + kList, 8);
    const std::string error = guest.error_of("ext4");
    EXPECT_NE(error.find("virtio_rng and 4076 more; the list"), std::string::npos) << error;
    EXPECT_TRUE(guest.find("virtio_rng"));
}

TEST(ModuleTypes, NeedTheListOfTypes)
{
    Guest guest;
    guest.names_the_list = false;
    EXPECT_EQ(guest.error_of("loop"),
              "the dump has no list of the modules' types: take dumps with the property types=in");
}

TEST(ModuleTypes, AreNotThoseOfAKernelWithoutSuch)
{
    Guest guest;
    guest.names_the_list = false;
    guest.knows_types_of_modules = false;
    EXPECT_EQ(guest.error_of("loop"),
              "the types of the kernel do not describe btf_module: it has no types of modules");
}

TEST(ModuleTypes, ThatAreNotAllThereAreRefused)
{
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{kSize}, std::uint64_t{0xffffffff}}) {
        Guest guest;
        put(guest.bytes, kFirst + kDescription + kDataSize, size, 4);
        EXPECT_EQ(guest.error_of("loop"), "the dump has only a part of the types of the module 'loop'")
            << size;
    }
    Guest guest;
    put(guest.bytes, kFirst + kDescription + kData, ~std::uint64_t{0} - 4, 8);
    EXPECT_EQ(guest.error_of("loop"), "the dump has only a part of the types of the module 'loop'");
}

} // namespace
