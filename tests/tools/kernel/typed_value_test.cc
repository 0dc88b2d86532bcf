// SPDX-License-Identifier: GPL-2.0-or-later
//
// Values by their types: right ones, and those of a dump that lies.
#include "kmdump/kernel/typed_value.h"

#include "btf_maker.h"
#include "core_maker.h"
#include "cpu_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace
{

using kmd::test::BtfMaker;
using kmdump::Pointer;
using kmdump::TypedValue;
using kmdump::Types;
using kmdump_test::Bytes;

constexpr std::uint64_t kBase = 0xffff800080000000;

/// Some bytes at kBase, and nothing else.
class FewBytes final : public kmd::VirtualMemory
{
  public:
    explicit FewBytes(std::size_t size) : bytes(size) {}

    bool read(std::uint64_t address, std::span<std::byte> out) const override
    {
        const std::uint64_t offset = address - kBase;
        if (address < kBase || offset > bytes.size() || out.size() > bytes.size() - offset) {
            return false;
        }
        std::copy_n(bytes.begin() + static_cast<long>(offset), out.size(), out.begin());
        return true;
    }
    std::size_t read_some(std::uint64_t address, std::span<std::byte> out) const override
    {
        const std::uint64_t offset = address - kBase;
        const std::size_t size = address < kBase || offset >= bytes.size()
                                     ? 0
                                     : std::min<std::size_t>(out.size(), bytes.size() - offset);
        return read(address, out.first(size)) ? size : 0;
    }

    Bytes bytes;
};

class TypedValueTest : public testing::Test
{
  protected:
    static constexpr std::uint32_t kInt = 1, kPointer = 2, kArray = 3;
    static constexpr std::uint32_t kSigned = 1u << 24, kBool = 4u << 24;

    std::uint32_t integer(const char* name, std::uint32_t size, std::uint32_t encoding = 0)
    {
        return btf.type(name, kInt, 0, size, {encoding | 8 * size});
    }

    TypedValue read(std::uint32_t type, std::uint64_t offset = 0, std::uint32_t bits = 0,
                    std::uint32_t first = 0)
    {
        types = std::move(kmdump::parse_types(btf.make(), "test").value());
        return kmdump::read_value(*types, memory, {kBase + offset, type, bits, first});
    }

    std::string name_of(std::uint32_t type)
    {
        types = std::move(kmdump::parse_types(btf.make(), "test").value());
        return kmdump::type_name(*types, type);
    }

    BtfMaker btf;
    FewBytes memory{64};
    std::optional<Types> types;
};

TEST_F(TypedValueTest, OfEachSizeAndSign)
{
    kmdump_test::put(memory.bytes, 0, 0xfffffffffffffffe, 8);
    for (const std::uint32_t size : {1u, 2u, 4u, 8u}) {
        const std::uint64_t largest = ~std::uint64_t{0} >> (64 - 8 * size);
        EXPECT_EQ(std::get<std::uint64_t>(read(integer("u", size)).leaf), largest - 1);
        EXPECT_EQ(std::get<std::int64_t>(read(integer("s", size, kSigned)).leaf), -2);
    }
    EXPECT_EQ(std::get<bool>(read(integer("_Bool", 1, kBool)).leaf), true);
}

TEST_F(TypedValueTest, OfABitField)
{
    kmdump_test::put(memory.bytes, 0, 0b1011'0100, 8);
    const auto number = integer("unsigned int", 4);
    EXPECT_EQ(std::get<std::uint64_t>(read(number, 0, 3, 2).leaf), 0b101u);
    EXPECT_EQ(std::get<std::int64_t>(read(integer("int", 4, kSigned), 0, 3, 2).leaf), -3);
    kmdump_test::put(memory.bytes, 0, ~std::uint64_t{0}, 8);
    kmdump_test::put(memory.bytes, 8, 0x7f, 1);
    EXPECT_EQ(std::get<std::uint64_t>(read(number, 0, 64, 7).leaf), ~std::uint64_t{0}) << "in nine bytes";
}

TEST_F(TypedValueTest, OfAStructureWithAnArrayAndAText)
{
    const auto number = integer("unsigned int", 4);
    const auto numbers = btf.type("", kArray, 0, 0, {number, number, 3});
    const auto character = integer("char", 1);
    const auto text = btf.type("", kArray, 0, 0, {character, number, 8});
    const auto inner = btf.anonymous_union(4, {{"flags", number, 0}});
    const auto outer = btf.structure("outer", 32,
                                     {{"", inner, 0},
                                      {"numbers", numbers, 4},
                                      {"comm", text, 16},
                                      {"next", btf.type("", kPointer, 0, 0, {}), 24}});
    for (std::uint64_t i = 0; i < 4; ++i) {
        kmdump_test::put(memory.bytes, 4 * i, i + 1, 4);
    }
    kmdump_test::put(memory.bytes, 16, 0x7469'6e69, 8); // "init"
    kmdump_test::put(memory.bytes, 24, kBase, 8);
    const TypedValue value = read(outer);
    EXPECT_EQ(value.type, "struct outer");
    ASSERT_EQ(value.parts.size(), 4u);
    EXPECT_EQ(std::get<std::uint64_t>(value.parts[0].parts.at(0).leaf), 1u);
    EXPECT_EQ(value.parts[1].type, "unsigned int[3]");
    EXPECT_EQ(std::get<std::uint64_t>(value.parts[1].parts.at(2).leaf), 4u);
    EXPECT_EQ(std::get<std::string>(value.parts[2].leaf), "init");
    EXPECT_EQ(std::get<Pointer>(value.parts[3].leaf).address, kBase);
    EXPECT_EQ(value.parts[3].type, "void *");
}

TEST_F(TypedValueTest, OfAnEnumeratorIsItsName)
{
    kmdump_test::put(memory.bytes, 0, 0xffffffff, 4);
    kmdump_test::put(memory.bytes, 4, 5, 4);
    const auto states = btf.enumeration("states", {{"GOOD", 5}, {"BAD", -1}});
    EXPECT_EQ(std::get<std::string>(read(states).leaf), "BAD");
    EXPECT_EQ(std::get<std::string>(read(states, 4).leaf), "GOOD");
    EXPECT_EQ(std::get<std::uint64_t>(read(states, 8).leaf), 0u) << "that no enumerator has";
    EXPECT_EQ(read(states).type, "enum states");
}

TEST_F(TypedValueTest, IsMissingWhereTheDumpEnds)
{
    const auto number = integer("unsigned int", 4);
    const auto pair = btf.structure("pair", 8, {{"a", number, 0}, {"b", number, 4}});
    const TypedValue value = read(pair, 60);
    ASSERT_EQ(value.parts.size(), 2u);
    EXPECT_TRUE(std::holds_alternative<std::uint64_t>(value.parts[0].leaf));
    EXPECT_TRUE(std::holds_alternative<std::monostate>(value.parts[1].leaf));
}

TEST_F(TypedValueTest, ShowsTheFirstElementsOfALongArray)
{
    const auto number = integer("unsigned int", 4);
    const TypedValue value = read(btf.type("", kArray, 0, 0, {number, number, 0xffffffff}));
    EXPECT_EQ(value.parts.size(), kmdump::kMostElements);
    EXPECT_EQ(value.left_out, 0xffffffff - kmdump::kMostElements);
}

TEST_F(TypedValueTest, NamesTypesAsCDoes)
{
    const auto number = integer("int", 4, kSigned);
    const auto node = btf.structure("node", 8, {});
    const auto pointer = btf.type("", kPointer, 0, node, {});
    const auto pointers = btf.type("", kArray, 0, 0, {pointer, number, 4});
    EXPECT_EQ(name_of(btf.type("", kPointer, 0, pointer, {})), "struct node **");
    EXPECT_EQ(name_of(pointers), "struct node *[4]");
    EXPECT_EQ(name_of(btf.type("", kPointer, 0, pointers, {})), "struct node *(*)[4]");
    EXPECT_EQ(
        name_of(btf.type("", kArray, 0, 0, {btf.type("", kArray, 0, 0, {number, number, 3}), number, 2})),
        "int[2][3]");
    EXPECT_EQ(name_of(btf.type_definition(number)), "alias");
    EXPECT_EQ(name_of(4711), "void");
}

/// How many values a tree has.
std::uint64_t count(const TypedValue& value)
{
    std::uint64_t sum = 1;
    for (const TypedValue& part : value.parts) {
        sum += count(part);
    }
    return sum;
}

TEST_F(TypedValueTest, OfATypeThatContainsItselfEnds)
{
    const auto number = integer("unsigned int", 4);
    const std::uint32_t self = number + 1;
    const auto structure = btf.structure("self", 4, {{"one", self, 0}, {"two", self, 0}, {"three", self, 0}});
    ASSERT_EQ(structure, self);
    EXPECT_LE(count(read(structure)), 2 * kmdump::kMostValues);

    const std::uint32_t array = structure + 1;
    ASSERT_EQ(btf.type("", kArray, 0, 0, {array, number, 64}), array);
    EXPECT_LE(count(read(array)), 2 * kmdump::kMostValues);

    const std::uint32_t alias = array + 1;
    ASSERT_EQ(btf.type_definition(alias), alias);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(read(alias).leaf));
    EXPECT_EQ(name_of(alias), "alias");

    const std::uint32_t pointer = alias + 1;
    ASSERT_EQ(btf.type("", kPointer, 0, pointer, {}), pointer);
    EXPECT_TRUE(name_of(pointer).starts_with("? ***"));
}

TEST_F(TypedValueTest, IsSearchedForAMemberForABoundedTime)
{
    const auto number = integer("unsigned int", 4);
    const std::uint32_t self = number + 1;
    std::vector<BtfMaker::Member> members(60'000, {"", self, 0});
    ASSERT_EQ(btf.structure("self", 4, members), self);
    const std::string name(1 << 20, 'n');
    std::vector<std::uint32_t> words = {btf.name_of(name), number, 0};
    for (int i = 0; i < 10'000; ++i) {
        words.insert(words.end(), {words[0], number, 0});
    }
    const auto long_named = btf.type("names", 4, 10'001, 4, words);
    types = std::move(kmdump::parse_types(btf.make(), "test").value());
    const double before = kmd::test::cpu_seconds();
    EXPECT_FALSE(kmdump::find_btf_member(types->handle.get(), self, "missing"));
    EXPECT_FALSE(kmdump::find_btf_member(types->handle.get(), long_named, "missing"));
    EXPECT_LT(kmd::test::cpu_seconds() - before, 1.0);
}

TEST_F(TypedValueTest, OfATypeThatLiesAboutItsSizeIsMissing)
{
    for (const std::uint32_t size : {0u, 3u, 16u, 0xffffffffu}) {
        const TypedValue value = read(integer("odd", size));
        EXPECT_EQ(std::holds_alternative<std::monostate>(value.leaf), size != 3) << size;
    }
    const auto number = integer("unsigned int", 4);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(read(number, 0, 255, 7).leaf))
        << "a bit field of 255 bits";
    EXPECT_TRUE(std::holds_alternative<std::monostate>(read(0).leaf)) << "void";
    EXPECT_TRUE(std::holds_alternative<std::monostate>(read(0xffffffff).leaf)) << "no type";
}

/// How many bytes of names and texts a tree has.
std::uint64_t text_bytes(const TypedValue& value)
{
    const auto* const text = std::get_if<std::string>(&value.leaf);
    std::uint64_t sum = value.name.size() + value.type.size() + (text == nullptr ? 0 : text->size());
    for (const TypedValue& part : value.parts) {
        sum += text_bytes(part);
    }
    return sum;
}

TEST_F(TypedValueTest, WithNamesAndTextsWithoutEndIsCut)
{
    constexpr std::uint64_t kMost = 32 << 20;
    const auto character = integer("char", 1);
    const auto number = integer("unsigned int", 4);
    const auto text = btf.type("", kArray, 0, 0, {character, number, 4096});
    const std::string name(1 << 20, 'n');
    std::vector<BtfMaker::Member> members(30'000, {"text", text, 0});
    const auto texts = btf.structure("texts", 4096, members);
    memory.bytes.assign(8192, std::byte{'x'});
    EXPECT_LT(text_bytes(read(texts)), kMost);
    btf.structure(name, 4, {{"n", number, 0}});
    const auto long_named = btf.type(name, 4, 0, 4, {});
    members.assign(1'000, {"", long_named, 0});
    EXPECT_LT(text_bytes(read(btf.structure("names", 4, members))), kMost);
}

TEST(Types, ThatAreNotBtfAreAnError)
{
    EXPECT_NE(kmdump::parse_types(std::vector<std::byte>(100), "dump").error().what.find("are corrupt"),
              std::string::npos);
    EXPECT_FALSE(kmdump::parse_types({}, "dump"));
}

} // namespace
