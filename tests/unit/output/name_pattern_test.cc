// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects how dumps are called: what the host's pattern means, and that nothing but a dump of the
// pattern is taken for one.
#include "hw/output/name_pattern.h"

#include <gtest/gtest.h>

namespace
{

using kmd::NamePattern;

/// 2026-11-24 18:12:25 UTC, as `date -u -d @1795543945` says.
constexpr std::time_t kTime = 1795543945;

std::string error_of(const std::string& text)
{
    const auto pattern = NamePattern::parse(text);
    return pattern ? "" : pattern.error().what;
}

TEST(NamePattern, PutsInNumberReasonAndTime)
{
    const auto pattern = NamePattern::parse("vm-%t_%r.%n%%");
    ASSERT_TRUE(pattern);
    EXPECT_EQ(pattern.value().expand(42, "panic", kTime), "vm-20261124T181225Z_panic.0042%");
    EXPECT_EQ(pattern.value().expand(9999, "hang", 0), "vm-19700101T000000Z_hang.9999%");
}

TEST(NamePattern, FindsTheNumberWhateverFollows)
{
    const auto pattern = NamePattern::parse("%r-%t-%n-x").value();
    EXPECT_EQ(pattern.number_in("panic-20261124T181225Z-0007-x.elf.incomplete"), 7u);
    EXPECT_EQ(pattern.number_in("panic-20261124T181225Z-0007"), 7u);
    EXPECT_EQ(pattern.number_in("panic-20261124T181225Z-007-x"), std::nullopt);
    EXPECT_EQ(pattern.number_in("panic-20261124T181225-0007-x"), std::nullopt);
    EXPECT_EQ(pattern.number_in("Panic-20261124T181225Z-0007-x"), std::nullopt);
    EXPECT_EQ(pattern.number_in(""), std::nullopt);
}

TEST(NamePattern, MatchesOnlyWholeNames)
{
    const auto pattern = NamePattern::parse("kmemdump-%n-%r").value();
    EXPECT_TRUE(pattern.matches("kmemdump-0001-panic"));
    for (const char* other : {"kmemdump-0001-", "kmemdump-0001-panic2", "kmemdump-0001-panic.elf",
                              "kmemdump-1-panic", "xkmemdump-0001-panic", "kmemdump-000a-panic", ""}) {
        EXPECT_FALSE(pattern.matches(other)) << other;
    }
}

TEST(NamePattern, IsAFileNameAndNoPath)
{
    EXPECT_NE(error_of("../%n").find("name=../%n"), std::string::npos);
    EXPECT_NE(error_of("a/%n").find("must not have a /"), std::string::npos);
    EXPECT_NE(error_of(".%n").find("begin with a dot"), std::string::npos);
    EXPECT_NE(error_of(std::string(197, 'x') + "%n").find("at most 200"), std::string::npos);
    EXPECT_EQ(error_of(std::string(196, 'x') + "%n"), "");
}

TEST(NamePattern, NeedsTheNumber)
{
    for (const char* text : {"", "dump", "%r-%t", "%%n"}) {
        EXPECT_NE(error_of(text).find("needs a %n"), std::string::npos) << text;
    }
}

TEST(NamePattern, RefusesAPercentSignThatMeansNothing)
{
    for (const char* text : {"%n%", "%n%x", "%N"}) {
        EXPECT_NE(error_of(text).find("expected %n, %r, %t or %%"), std::string::npos) << text;
    }
}

TEST(NamePattern, RefusesWhatCannotBeToldApart)
{
    EXPECT_NE(error_of("%rx%n").find("ambiguous"), std::string::npos);
    EXPECT_NE(error_of("%n%r%r").find("ambiguous"), std::string::npos);
    EXPECT_EQ(error_of("%n%r-x"), "");
}

} // namespace
