// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/escape.h"
#include "kmdump/log_text.h"
#include "kmdump/vmcoreinfo.h"

#include <gtest/gtest.h>

#include <string_view>

namespace
{

using namespace std::string_view_literals;
using kmdump::LogRecord;
using kmdump::Vmcoreinfo;

TEST(Escape, LeavesPrintableTextAlone)
{
    EXPECT_EQ(kmdump::escape("usb 1-1: a\tb ~ \\ %s"), "usb 1-1: a\tb ~ \\ %s");
}

TEST(Escape, ShowsEverythingElseInHexadecimal)
{
    EXPECT_EQ(kmdump::escape("\x1b[31m\0\n\x7f\xc2\x9b"sv), "\\x1b[31m\\x00\\x0a\\x7f\\xc2\\x9b");
}

TEST(Vmcoreinfo, ReadsTheNumbersThatLinuxWrites)
{
    const Vmcoreinfo info(
        "OSRELEASE=6.12=x\nnoise\n\nNUMBER(A)=48\nNUMBER(B)=0xffff000000000000\n"
        "NUMBER(C)=-1\nSYMBOL(prb)=ffff800081234560\nNUMBER(A)=1\nNUMBER(D)=12x\nNUMBER(E)=");
    EXPECT_EQ(info.text("OSRELEASE"), "6.12=x");
    EXPECT_EQ(info.number("NUMBER(A)"), 48u);
    EXPECT_EQ(info.number("NUMBER(B)"), 0xffff000000000000u);
    EXPECT_EQ(info.number("NUMBER(C)"), 0xffffffffffffffffu);
    EXPECT_EQ(info.hex_number("SYMBOL(prb)"), 0xffff800081234560u);
    EXPECT_FALSE(info.number("NUMBER(D)"));
    EXPECT_FALSE(info.number("NUMBER(E)"));
    EXPECT_FALSE(info.number("NUMBER(F)"));
    EXPECT_FALSE(info.text("noise"));
}

TEST(Vmcoreinfo, RefusesNumbersThatDoNotFit)
{
    const Vmcoreinfo info("A=0x10000000000000000\nB=18446744073709551616\nC=0x-1\nD=--1");
    for (const auto key : {"A", "B", "C", "D"}) {
        EXPECT_FALSE(info.number(key)) << key;
    }
}

LogRecord record(std::string text, std::uint64_t time_ns)
{
    LogRecord result;
    result.text = std::move(text);
    result.time_ns = time_ns;
    result.caller = 42;
    return result;
}

TEST(LogText, StampsEveryLine)
{
    EXPECT_EQ(kmdump::format_record(record("one\n\nthree\x1b", 1234567890), false),
              "[    1.234567] one\n[    1.234567] \n[    1.234567] three\\x1b\n");
}

TEST(LogText, KeepsTheEmptyRecord)
{
    EXPECT_EQ(kmdump::format_record(record("", 0), false), "[    0.000000] \n");
}

TEST(LogText, WidensForOldGuests)
{
    EXPECT_EQ(kmdump::format_record(record("x", 18446744073709551615u), false), "[18446744073.709551] x\n");
}

TEST(LogText, ShowsTheCaller)
{
    EXPECT_EQ(kmdump::format_record(record("x", 0), true), "[    0.000000][   T42] x\n");
    EXPECT_EQ(kmdump::caller_name(0x80000003), "C3");
}

TEST(LogText, FindsTheLastPanicAndNotItsEndMarker)
{
    const std::vector<LogRecord> records = {record("Kernel panic - not syncing: first", 0),
                                            record("Kernel panic - not syncing: VFS\nmore", 0),
                                            record("---[ end Kernel panic - not syncing: VFS ]---", 0)};
    EXPECT_EQ(kmdump::find_panic_line(records), "Kernel panic - not syncing: VFS");
    EXPECT_FALSE(kmdump::find_panic_line({}));
}

} // namespace
