// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/vmcoreinfo.h"
#include "kmdump/kernel/log_text.h"
#include "kmdump/text/escape.h"

#include <gtest/gtest.h>

#include <string_view>

namespace
{

using namespace std::string_view_literals;
using kmdump::LogRecord;

TEST(Escape, LeavesPrintableTextAlone)
{
    EXPECT_EQ(kmdump::escape("usb 1-1: a\tb ~ %s"), "usb 1-1: a\tb ~ %s");
    // Two, three and four bytes of UTF-8.
    EXPECT_EQ(kmdump::escape("\xc3\xbc \xe4\xb8\xad \xf0\x9f\x90\xa7"),
              "\xc3\xbc \xe4\xb8\xad \xf0\x9f\x90\xa7");
}

TEST(Escape, ShowsEverythingElseInHexadecimal)
{
    EXPECT_EQ(kmdump::escape("\x1b[31m\0\n\x7f\xc2\x9b"sv), "\\x1b[31m\\x00\\x0a\\x7f\\xc2\\x9b");
}

TEST(Escape, ShowsWhatWouldMisleadAReader)
{
    // The direction of writing, no width, private use, and what is no character.
    // NOLINTNEXTLINE(misc-misleading-bidirectional): must come out escaped
    EXPECT_EQ(kmdump::escape("\xe2\x80\xae\xe2\x80\x8b"), "\\xe2\\x80\\xae\\xe2\\x80\\x8b");
    EXPECT_EQ(kmdump::escape("\xee\x80\x80\xef\xbf\xbe"), "\\xee\\x80\\x80\\xef\\xbf\\xbe");
    // Cut off, too long for what it says, a surrogate, and past the last character.
    EXPECT_EQ(kmdump::escape("\xe4\xb8"), "\\xe4\\xb8");
    EXPECT_EQ(kmdump::escape("\xc0\xaf\xe0\x80\xaf"), "\\xc0\\xaf\\xe0\\x80\\xaf");
    EXPECT_EQ(kmdump::escape("\xed\xa0\x80\xf4\x90\x80\x80"), "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80");
}

/// What escape() was given, by the rule of docs/kmdump.md.
std::string undo(std::string_view text)
{
    std::string bytes;
    while (!text.empty()) {
        std::size_t length = 1;
        if (text.starts_with("\\x")) {
            length = 4;
            bytes += static_cast<char>(std::stoi(std::string(text.substr(2, 2)), nullptr, 16));
        } else {
            length = text.starts_with("\\\\") ? 2 : 1;
            bytes += text.front();
        }
        text.remove_prefix(length);
    }
    return bytes;
}

TEST(Escape, CanBeUndone)
{
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        all += static_cast<char>(byte);
    }
    for (const std::string& bytes :
         // NOLINTNEXTLINE(misc-misleading-bidirectional): must come out escaped
         {all, std::string("\\x1b"), std::string("\\\\x1b\x1b \xc3\xbc\xe2\x80\xae"),
          std::string("back\\slash")}) {
        EXPECT_EQ(undo(kmdump::escape(bytes)), bytes);
    }
    EXPECT_NE(kmdump::escape("\\x1b"), kmdump::escape("\x1b"));
}

TEST(Escape, KnowsUtf8)
{
    EXPECT_TRUE(kmdump::is_utf8("plain \xc3\xbc \x1b"));
    EXPECT_FALSE(kmdump::is_utf8("\xff"));
    EXPECT_FALSE(kmdump::is_utf8("\xc3"));
}

TEST(Vmcoreinfo, ReadsTheNumbersThatLinuxWrites)
{
    const kmd::Vmcoreinfo info(
        "OSRELEASE=6.12=x\nnoise\n\nNUMBER(A)=48\nNUMBER(B)=0xffff000000000000\n"
        "NUMBER(C)=-1\nSYMBOL(prb)=ffff800081234560\nNUMBER(A)=1\nNUMBER(D)=12x\nNUMBER(E)=");
    EXPECT_EQ(info.text("OSRELEASE"), "6.12=x");
    EXPECT_EQ(info.number("NUMBER(A)"), 48u);
    EXPECT_EQ(info.number("NUMBER(B)"), 0xffff000000000000u);
    EXPECT_EQ(info.number("NUMBER(C)"), 0xffffffffffffffffu);
    EXPECT_EQ(info.symbol("SYMBOL(prb)"), 0xffff800081234560u);
    EXPECT_FALSE(info.number("NUMBER(D)"));
    EXPECT_FALSE(info.number("NUMBER(E)"));
    EXPECT_FALSE(info.number("NUMBER(F)"));
    EXPECT_FALSE(info.text("noise"));
}

TEST(Vmcoreinfo, RefusesNumbersThatDoNotFit)
{
    const kmd::Vmcoreinfo info("A=0x10000000000000000\nB=18446744073709551616\nC=0x-1\nD=--1");
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

TEST(LogText, TakesNoLineThatAProgramWroteForAPanic)
{
    LogRecord forged = record("Kernel panic - not syncing: forged", 0);
    forged.facility = 1; // what a program gets that writes to /dev/kmsg
    forged.level = 0;
    LogRecord quiet = record("Kernel panic - not syncing: of a driver", 0);
    quiet.facility = 0;
    quiet.level = 6; // the kernel says it with KERN_EMERG
    // A name with a line end in it.
    const LogRecord named = record("CPU: 0 Comm: x\nKernel panic - not syncing: by name", 0);
    std::vector<LogRecord> records = {forged, quiet, named};
    EXPECT_FALSE(kmdump::find_panic_line(records));
    LogRecord real = record("Kernel panic - not syncing: real", 0);
    real.facility = 0;
    real.level = 0;
    records.push_back(real);
    records.push_back(forged);
    EXPECT_EQ(kmdump::find_panic_line(records), "Kernel panic - not syncing: real");
}

TEST(LogText, FindsTheFirstPanicAndNotItsEndMarker)
{
    const std::vector<LogRecord> records = {record("Kernel panic - not syncing: first", 0),
                                            record("Kernel panic - not syncing: VFS\nmore", 0),
                                            record("---[ end Kernel panic - not syncing: VFS ]---", 0)};
    EXPECT_EQ(kmdump::find_panic_line(records), "Kernel panic - not syncing: first");
    EXPECT_EQ(kmdump::find_panic_records(records).size(), 2u);
    EXPECT_FALSE(kmdump::find_panic_line({}));
}

} // namespace
