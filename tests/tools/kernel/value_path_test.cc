// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/value_path.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace
{

using kmdump::parse_value_path;

TEST(ValuePath, HasStarsABaseAndSteps)
{
    const auto path = parse_value_path("**init_task.tasks->next[12].a_1").value();
    EXPECT_EQ(path.stars, 2u);
    EXPECT_EQ(path.base, "init_task");
    ASSERT_EQ(path.steps.size(), 4u);
    EXPECT_EQ(path.steps[0].member, "tasks");
    EXPECT_EQ(path.steps[1].member, "next");
    EXPECT_EQ(path.steps[2].member, "");
    EXPECT_EQ(path.steps[2].index, 12u);
    EXPECT_EQ(path.steps[3].member, "a_1");
    EXPECT_EQ(parse_value_path("0xffff800080000000.pid").value().base, "0xffff800080000000");
}

TEST(ValuePath, SaysWhatItExpected)
{
    const std::pair<std::string, std::string> cases[] = {
        {"", "expected a symbol, or an address such as 0xffff800080000000, first in ''"},
        {"*", "expected a symbol, or an address such as 0xffff800080000000, first in '*'"},
        {"a.", "expected the name of a member after '.' and '->' in 'a.'"},
        {"a->[1]", "expected the name of a member after '.' and '->' in 'a->[1]'"},
        {"a[x]", "expected a decimal number and ']' after '[' in 'a[x]'"},
        {"a[1", "expected a decimal number and ']' after '[' in 'a[1'"},
        {"a[99999999999999999999]",
         "expected a decimal number and ']' after '[' in 'a[99999999999999999999]'"},
        {"a+1", "expected '.', '->' or '[' after a name in 'a+1'"},
        {"a b", "expected '.', '->' or '[' after a name in 'a b'"}};
    for (const auto& [text, message] : cases) {
        EXPECT_EQ(parse_value_path(text).error().what, message);
    }
}

TEST(ValuePath, HasAtMost64Steps)
{
    std::string text = "a";
    for (int i = 0; i < 64; ++i) {
        text += ".b";
    }
    EXPECT_TRUE(parse_value_path(text));
    EXPECT_FALSE(parse_value_path(text + ".b"));
    EXPECT_FALSE(parse_value_path("*" + text));
    EXPECT_FALSE(parse_value_path(std::string(65, '*') + "a"));
}

} // namespace
