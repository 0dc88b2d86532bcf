// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linux/btf.h"

#include "btf_maker.h"
#include "cpu_time.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace
{

using kmd::Btf;
using kmd::test::BtfMaker;

constexpr std::array<std::string_view, 3> kStructures = {"empty", "loop", "task_struct"};
constexpr std::array<std::string_view, 1> kEnums = {"system_states"};

kmd::Result<Btf> parse(std::vector<std::byte> bytes)
{
    return Btf::parse(std::move(bytes), kStructures, kEnums);
}

BtfMaker some_types()
{
    BtfMaker maker;
    const auto number = maker.integer(4);
    const auto pointer = maker.pointer();
    const auto name = maker.array(maker.type_definition(maker.integer(1)), 16);
    const auto inner = maker.anonymous_union(8, {{"on_cpu", number, 0}, {"stack", pointer, 0}});
    maker.structure("not wanted", 4, {{"pid", number, 0}});
    maker.structure(
        "task_struct", 128,
        {{"pid", number, 4}, {"", inner, 16}, {"comm", name, 32}, {"odd", maker.type("", 7, 0, 0, {}), 48}});
    maker.enumeration("system_states", {{"SYSTEM_BOOTING", 0}, {"SYSTEM_RESTART", 6}, {"BELOW", -1}});
    return maker;
}

TEST(BtfTest, TellsWherePerCpuVariablesAre)
{
    BtfMaker maker = some_types();
    const auto first = maker.type("first", 14, 0, 1, {0});
    const auto second = maker.type("second", 14, 0, 1, {0});
    maker.type(".data..percpu", 15, 3, 0x1000, {first, 0x10, 4, second, 0x80, 16, 0xffffff, 0, 0});
    const auto btf = parse(maker.make());
    ASSERT_TRUE(btf);
    EXPECT_EQ(btf.value().per_cpu_size(), 0x1000u);
    EXPECT_EQ(btf.value().per_cpu_variable("second")->offset, 0x80u);
    EXPECT_EQ(btf.value().per_cpu_variable("second")->size, 16u);
    EXPECT_FALSE(btf.value().per_cpu_variable("third"));
    EXPECT_FALSE(parse(some_types().make()).value().per_cpu_variable("first"));
}

TEST(BtfTest, IsFoundInAnImage)
{
    const auto bytes = some_types().make();
    std::vector<std::byte> image(10'000, std::byte{0x9f});
    // What only begins like it: with a length that leads out of the image.
    std::copy(bytes.begin(), bytes.begin() + 24, image.begin() + 100);
    image[123] = std::byte{0xff};
    std::copy(bytes.begin(), bytes.end(), image.begin() + 5001);
    const auto found = kmd::find_btf(image);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->data() - image.data(), 5001);
    EXPECT_EQ(found->size(), bytes.size());
    EXPECT_FALSE(kmd::find_btf(std::span(image).first(5001 + bytes.size() - 1)));
    EXPECT_FALSE(kmd::find_btf({}));
}

TEST(BtfTest, TellsOffsetsAndSizesOfMembers)
{
    auto btf = parse(some_types().make());
    ASSERT_TRUE(btf) << btf.error().what;
    EXPECT_EQ(btf.value().size_of("task_struct"), 128u);
    const auto member = [&](const char* name) { return btf.value().find("task_struct", name); };
    EXPECT_EQ(member("pid").value().offset, 4u);
    EXPECT_EQ(member("pid").value().size, 4u);
    EXPECT_EQ(member("comm").value().offset, 32u);
    EXPECT_EQ(member("comm").value().size, 16u) << "an array of a typedef";
    EXPECT_EQ(member("odd").value().size, 0u) << "a type without a size";
    EXPECT_FALSE(member("missing"));
    EXPECT_FALSE(btf.value().find("not wanted", "pid"));
    EXPECT_FALSE(btf.value().size_of("empty"));
}

TEST(BtfTest, FindsMembersOfAnonymousUnions)
{
    auto btf = parse(some_types().make());
    ASSERT_TRUE(btf);
    EXPECT_EQ(btf.value().find("task_struct", "stack").value().offset, 16u);
    EXPECT_EQ(btf.value().find("task_struct", "stack").value().size, 8u);
}

TEST(BtfTest, FindsMembersOfMembers)
{
    BtfMaker maker;
    const auto number = maker.integer(4);
    const auto inner = maker.structure("inner", 16, {{"first", number, 0}, {"second", number, 8}});
    const auto array = maker.array(maker.type_definition(inner), 3);
    maker.structure("task_struct", 128, {{"many", array, 32}, {"number", number, 100}});
    auto btf = parse(maker.make());
    ASSERT_TRUE(btf);
    EXPECT_EQ(btf.value().find("task_struct", "many.second").value().offset, 40u) << "of the first element";
    EXPECT_EQ(btf.value().find("task_struct", "many.second").value().size, 4u);
    for (const char* path : {"many.third", "number.second", "many.", ".many", "many..second", "."}) {
        EXPECT_FALSE(btf.value().find("task_struct", path)) << path;
    }
}

TEST(BtfTest, TellsValuesOfEnumerators)
{
    const auto btf = parse(some_types().make());
    ASSERT_TRUE(btf);
    EXPECT_EQ(btf.value().enumerator("system_states", "SYSTEM_RESTART"), 6);
    EXPECT_EQ(btf.value().enumerator("system_states", "BELOW"), -1);
    EXPECT_FALSE(btf.value().enumerator("system_states", "SYSTEM_HALT"));
    EXPECT_FALSE(btf.value().enumerator("unknown", "SYSTEM_HALT"));
}

TEST(BtfTest, OfBitFieldsAreByteOffsets)
{
    BtfMaker maker;
    const auto number = maker.integer(4);
    // kind_flag: the upper 8 bits of an offset are the width in bits.
    maker.type("task_struct", 4, 1 | 0x80u << 24, 8, {0, number, 3u << 24 | 40});
    auto btf = parse(maker.make());
    ASSERT_TRUE(btf) << btf.error().what;
    EXPECT_EQ(btf.value().find("task_struct", "").value().offset, 5u);
}

TEST(BtfTest, CutAnywhereIsAnErrorAndNoCrash)
{
    const auto whole = some_types().make();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(parse({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)})) << size;
    }
    EXPECT_EQ(parse(std::vector<std::byte>(64)).error().what,
              "expected the kernel's BTF, found something else");
    EXPECT_EQ(parse(std::vector<std::byte>(Btf::kMostBytes + 1)).error().what,
              "the kernel's BTF is corrupt: it is larger than that of any kernel");
}

TEST(BtfTest, OfAnUnknownKindIsRefused)
{
    BtfMaker maker;
    maker.type("", 31, 0, 0, {});
    EXPECT_EQ(parse(maker.make()).error().what, "the kernel's BTF is corrupt: a type is of an unknown kind");
}

// Each level has 60,000 members that lead to the next: without a budget a search would never end.
TEST(BtfTest, OfAnonymousStructuresInCirclesIsSearchedForABoundedTime)
{
    BtfMaker maker;
    const std::vector<BtfMaker::Member> to_itself(60'000, {"", 1, 0});
    maker.anonymous_union(8, to_itself);
    maker.structure("loop", 8, to_itself);
    auto btf = parse(maker.make());
    ASSERT_TRUE(btf) << btf.error().what;
    const double begin = kmd::test::cpu_seconds();
    EXPECT_FALSE(btf.value().find("loop", "wanted"));
    EXPECT_FALSE(btf.value().find("loop", "wanted"));
    EXPECT_LT(kmd::test::cpu_seconds() - begin, 1.0);
}

TEST(BtfTest, OfArraysOfThemselvesHasNoSize)
{
    BtfMaker maker;
    maker.array(1, 1000);
    maker.structure("loop", 8, {{"array", 1, 0}});
    auto btf = parse(maker.make());
    ASSERT_TRUE(btf);
    EXPECT_EQ(btf.value().find("loop", "array").value().size, 0u);
}

} // namespace
