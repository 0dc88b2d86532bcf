// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/core/sidecar_file.h"
#include "sidecar_text.h"

#include <gtest/gtest.h>

namespace
{

using kmdump::parse_sidecar;

TEST(SidecarFile, SaysWhatTheRegionsAre)
{
    const auto sidecar = parse_sidecar(kmdump_test::sidecar_text(100));
    ASSERT_TRUE(sidecar) << sidecar.error().what;
    EXPECT_EQ(sidecar.value().result, "complete");
    EXPECT_EQ(sidecar.value().reason, "panic");
    EXPECT_EQ(sidecar.value().bytes, 100u);
    EXPECT_FALSE(sidecar.value().incomplete_because);
    ASSERT_EQ(sidecar.value().regions.size(), 1u);
    EXPECT_EQ(sidecar.value().regions[0].name, "prb");
    EXPECT_EQ(sidecar.value().regions[0].phys, 0x40200010u);
    EXPECT_EQ(sidecar.value().regions[0].virt, 0xffff800080000010u);
    EXPECT_TRUE(sidecar.value().regions[0].accepted);
}

TEST(SidecarFile, SaysWhatTheGuestWantedSavedAndTheDumpLacks)
{
    const std::string good = kmdump_test::sidecar_text(100);
    EXPECT_TRUE(parse_sidecar(good).value().lacks.empty());
    std::string text = good;
    text.replace(
        text.find("\"regions_rejected\":0"), 20,
        R"("regions_rejected":1,"regions_refused":2,"regions_not_registered":3,"extents_not_listed":4,)"
        R"("extents_rejected":5,"extents_stale":6,"list_cut":true,"tables_cut":true,)"
        R"("kernel_pieces_missing":1,"kernel_lists_broken":2,"kernel_pages_left_out":3,)"
        R"("kernel_search_cut":true,"vmcoreinfo_lost":true,"tasks_found":60,)"
        R"("cpus_of_another_kernel":[0,1],"id_series":"meminspect")");
    const auto sidecar = parse_sidecar(text);
    ASSERT_TRUE(sidecar) << sidecar.error().what;
    EXPECT_EQ(sidecar.value().lacks.size(), 14u);
    EXPECT_EQ(sidecar.value().lacks.front(), "1 valid regions that the host left out");
    EXPECT_EQ(sidecar.value().lacks.back(), "the registers of 2 CPUs, which ran another kernel");
    EXPECT_EQ(sidecar.value().id_series, "meminspect");
    EXPECT_EQ(sidecar.value().tasks_found, 60u);
}

TEST(SidecarFile, IsRefusedWhenAMemberIsNotAsDescribed)
{
    const std::string good = kmdump_test::sidecar_text(100);
    const auto error_of = [&good](const std::string& member, const std::string& instead) {
        std::string text = good;
        text.replace(text.find(member), member.size(), instead);
        const auto sidecar = parse_sidecar(text);
        return sidecar ? std::string("none") : sidecar.error().what;
    };
    const std::string wrong = "its sidecar is damaged: expected a valid member ";
    EXPECT_EQ(error_of("\"kmemdump-md\":2", "\"kmemdump-md\":3"), wrong + "kmemdump-md");
    EXPECT_EQ(error_of("\"bytes\":100", "\"bytes\":-1"), wrong + "bytes");
    EXPECT_EQ(error_of("\"result\":\"complete\"", "\"result\":3"), wrong + "result");
    EXPECT_EQ(error_of("\"regions\":[", "\"regoins\":["), wrong + "regions");
    EXPECT_EQ(error_of("\"0x40200010\"", "\"40200010\""), wrong + "phys");
    EXPECT_EQ(error_of("\"0x40200010\"", "\"0x4020001z\""), wrong + "phys");
    EXPECT_EQ(error_of("\"size\":8", "\"size\":0"), wrong + "size");
    EXPECT_EQ(error_of("\"0xffff800080000010\"", "\"0xffffffffffffffff\""), wrong + "size");
    for (const std::string list : {"1", "[1]", R"(["slot 1 'x': gone"])"}) {
        EXPECT_EQ(error_of("\"left_out\":[]", "\"left_out\":" + list), wrong + "left_out");
    }
    EXPECT_EQ(error_of("\"left_out\":[]", R"("left_out":[{"slot":-1,"name":"x","reason":"y"}])"),
              wrong + "slot");
    EXPECT_EQ(error_of("\"left_out\":[]", R"("left_out":[{"slot":1,"name":"x"}])"), wrong + "reason");
    EXPECT_EQ(error_of("\"left_out\":[]", R"("left_out":[{"name":"x","reason":"y"}])"), wrong + "size");
}

TEST(SidecarFile, OfBothVersionsSaysWhatWasLeftOut)
{
    std::string text = kmdump_test::sidecar_text(100);
    const std::string empty = "\"left_out\":[]";
    const auto at = text.find(empty);
    std::string old = text;
    old.replace(at, empty.size(),
                R"("left_out":["slot 3 'x': it is gone","slot y","region 'z' is in no slot"])");
    old.replace(old.find(":2"), 2, ":1");
    text.replace(at, empty.size(),
                 R"("left_out":[{"slot":3,"name":"slot 4 ","reason":"it is gone"},)"
                 R"({"name":"slot 5 x","phys":"0x10","size":8,"reason":"the table is full"}])");
    const auto version_1 = parse_sidecar(old);
    ASSERT_TRUE(version_1) << version_1.error().what;
    ASSERT_EQ(version_1.value().left_out.size(), 3u);
    EXPECT_EQ(version_1.value().left_out[0].slot, 3u);
    EXPECT_EQ(version_1.value().left_out[0].what, "slot 3 'x': it is gone");
    EXPECT_FALSE(version_1.value().left_out[1].slot);
    EXPECT_FALSE(version_1.value().left_out[2].slot);
    const auto version_2 = parse_sidecar(text);
    ASSERT_TRUE(version_2) << version_2.error().what;
    ASSERT_EQ(version_2.value().left_out.size(), 2u);
    EXPECT_EQ(version_2.value().left_out[0].slot, 3u);
    EXPECT_EQ(version_2.value().left_out[0].what, "slot 3 'slot 4 ': it is gone");
    EXPECT_FALSE(version_2.value().left_out[1].slot);
    EXPECT_EQ(version_2.value().left_out[1].what,
              "region 'slot 5 x' (8 bytes at 0x10) is in no slot: the table is full");
}

TEST(SidecarFile, IsRefusedWhenItIsNone)
{
    const std::string expected = "its sidecar is damaged: expected a JSON object with a member kmemdump-md";
    for (const std::string text : {"", "{", "[]", "{}", "\xff\xfe"}) {
        const auto sidecar = parse_sidecar(text);
        ASSERT_FALSE(sidecar) << text;
        EXPECT_EQ(sidecar.error().what, expected) << text;
    }
    for (const std::string& text : {std::string("{\"a\":[[[[[[[[1]]]]]]]]}"), std::string(100000, '[')}) {
        const auto sidecar = parse_sidecar(text);
        ASSERT_FALSE(sidecar);
        EXPECT_EQ(sidecar.error().what, "its sidecar is damaged: expected JSON that nests at most 8 deep");
    }
}

TEST(SidecarFile, IsNotEscapedBeforeItIsShown)
{
    std::string text = kmdump_test::sidecar_text(100);
    text.replace(text.find("prb"), 3, "\\u001b[2J");
    const auto sidecar = parse_sidecar(text);
    ASSERT_TRUE(sidecar);
    EXPECT_EQ(sidecar.value().regions[0].name, "\x1b[2J");
}

} // namespace
