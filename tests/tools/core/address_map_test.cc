// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/core/address_map.h"

#include <gtest/gtest.h>

namespace
{

using kmdump::AddressMap;

TEST(AddressMap, FindsNothingInAnEmptyMap)
{
    EXPECT_FALSE(AddressMap().find(0));
}

TEST(AddressMap, GivesTheRestOfTheExtent)
{
    const AddressMap map({{0x2000, 0x100, 50}, {0x1000, 0x100, 5000}});
    const auto found = map.find(0x2010);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->address, 0x2010u);
    EXPECT_EQ(found->size, 0xf0u);
    EXPECT_EQ(found->file_offset, 66u);
    EXPECT_TRUE(map.find(0x10ff));
    EXPECT_FALSE(map.find(0x1100));
    EXPECT_FALSE(map.find(0xfff));
}

TEST(AddressMap, FindsWhatLiesBehindAnExtentInsideAnother)
{
    const AddressMap map({{0, 100, 1000}, {50, 10, 2000}, {90, 20, 3000}});
    EXPECT_EQ(map.find(70)->file_offset, 1070u);
    EXPECT_EQ(map.find(100)->file_offset, 3010u);
    EXPECT_FALSE(map.find(110));
}

TEST(AddressMap, ReachesTheEndOfTheAddressSpace)
{
    const AddressMap map({{0xffffffff'fffff000, 0x1000, 0}, {0xffffffff'fffff800, 0x800, 9}});
    EXPECT_EQ(map.find(0xffffffff'ffffffff)->size, 1u);
    EXPECT_FALSE(map.find(0));
}

} // namespace
