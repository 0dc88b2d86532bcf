// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_maker.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/log_text.h"
#include "kmdump/kernel/printk_log.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace
{

using kmdump::PrintkLog;
using kmdump_test::CoreMaker;
using kmdump_test::RingMaker;
using kmdump_test::TemporaryFile;

kmd::Result<PrintkLog> read(const CoreMaker& maker)
{
    const TemporaryFile file(maker.make());
    const auto dump = kmdump::open_dump(file.path());
    if (!dump) {
        return dump.error();
    }
    return kmdump::read_printk_log(dump.value().memory(), dump.value().vmcoreinfo);
}

std::string texts(const PrintkLog& log)
{
    std::string all;
    for (const auto& record : log.records) {
        all += record.text + "|";
    }
    return all;
}

/// The texts of a log that can be read.
std::string texts(const RingMaker& ring)
{
    const auto log = read(ring.core());
    return log ? texts(log.value()) : "error: " + log.error().what;
}

/// Why a log cannot be read; empty when it can.
std::string refusal(const CoreMaker& maker)
{
    const auto log = read(maker);
    return log ? "" : log.error().what;
}

TEST(PrintkLog, IsEmptyBeforeTheFirstRecord)
{
    EXPECT_EQ(texts(RingMaker(3, 8)), "");
}

TEST(PrintkLog, IsReadFromALargeBufferThatIsMostlyAHoleInTheFile)
{
    RingMaker ring(20, 10);
    ring.write("only");
    const auto bytes = ring.core().make();
    const TemporaryFile file(kmdump_test::Bytes{});
    constexpr std::size_t kPage = 4096;
    const std::vector<std::byte> zeros(kPage);
    const int fd = ::open(file.path().c_str(), O_WRONLY | O_CLOEXEC);
    for (std::size_t at = 0; at < bytes.size(); at += kPage) {
        const auto size = std::min(kPage, bytes.size() - at);
        if (size < kPage || std::memcmp(&bytes[at], zeros.data(), kPage) != 0) {
            ASSERT_EQ(::pwrite(fd, &bytes[at], size, static_cast<off_t>(at)), static_cast<ssize_t>(size));
        }
    }
    ::close(fd);
    const auto dump = kmdump::open_dump(file.path());
    ASSERT_TRUE(dump) << dump.error().what;
    const auto log = kmdump::read_printk_log(dump.value().memory(), dump.value().vmcoreinfo);
    ASSERT_TRUE(log) << log.error().what;
    EXPECT_EQ(texts(log.value()), "only|");
}

TEST(PrintkLog, ReadsAllFieldsOfARecord)
{
    RingMaker ring(3, 8);
    ring.write("first", 0, 5, 0);
    ring.write("second\nline", 1234567890123, 0, 0x80000001);
    const auto log = read(ring.core());
    ASSERT_TRUE(log) << log.error().what;
    ASSERT_EQ(log.value().records.size(), 2u);
    const auto& record = log.value().records[1];
    EXPECT_EQ(record.seq, 1u);
    EXPECT_EQ(record.time_ns, 1234567890123u);
    EXPECT_EQ(record.level, 0);
    EXPECT_EQ(record.caller, 0x80000001u);
    EXPECT_EQ(record.text, "second\nline");
    EXPECT_EQ(log.value().records[0].level, 5);
}

TEST(PrintkLog, ReadsOnAfterTheDescriptorsWrapAround)
{
    RingMaker ring(2, 10);
    for (const auto text : {"a", "b", "c", "d", "e", "f"}) {
        ring.write(text);
    }
    EXPECT_EQ(texts(ring), "c|d|e|f|");
}

TEST(PrintkLog, ReadsOnAfterTheTextWrapsAround)
{
    // Blocks of 24 bytes in 64: the third does not fit at the end and goes to the beginning.
    RingMaker ring(4, 6);
    ring.write("0123456789abcdef");
    ring.write("ghijklmnopqrstuv");
    EXPECT_EQ(texts(ring), "0123456789abcdef|ghijklmnopqrstuv|");
    ring.write("wxyz");
    EXPECT_EQ(texts(ring), "ghijklmnopqrstuv|wxyz|");
    for (int i = 0; i < 100; ++i) {
        ring.write("record " + std::to_string(i));
    }
    EXPECT_EQ(texts(ring), "record 98|record 99|");
}

TEST(PrintkLog, ReadsBlocksThatEndWithTheText)
{
    RingMaker ring(4, 6);
    ring.fill_to_the_end = true;
    ring.write("0123456789abcdef"); // 24 bytes
    ring.write("ghijklmnopqrstuv"); // 24
    ring.write("wxyz5678");         // 16, up to the end
    EXPECT_EQ(texts(ring), "0123456789abcdef|ghijklmnopqrstuv|wxyz5678|");
    ring.write("next");
    EXPECT_EQ(texts(ring), "ghijklmnopqrstuv|wxyz5678|next|");
}

TEST(PrintkLog, KeepsEmptyLinesAndCountsRecordsWithoutText)
{
    RingMaker ring(3, 8);
    ring.write("a");
    ring.write_without_data(3, 3);
    ring.write_without_data(1, 1);
    ring.write("b");
    const auto log = read(ring.core());
    ASSERT_TRUE(log) << log.error().what;
    EXPECT_EQ(texts(log.value()), "a||b|");
    EXPECT_EQ(log.value().without_text, 1u);
    EXPECT_EQ(log.value().damaged, 0u);
}

TEST(PrintkLog, SkipsRecordsThatAreBeingWritten)
{
    RingMaker ring(3, 8);
    ring.write("finalized");
    ring.set_state(ring.write("committed"), 1);
    ring.set_state(ring.write("reserved"), 0);
    const auto id = ring.write("taken, still with its older id");
    ring.set_state_variable(id, std::uint64_t{2} << 62 | ((id - 8) & (~std::uint64_t{0} >> 2)));
    ring.set_state(ring.write("reusable"), 3);
    const auto log = read(ring.core());
    ASSERT_TRUE(log) << log.error().what;
    EXPECT_EQ(texts(log.value()), "finalized|committed|");
    EXPECT_EQ(log.value().being_written, 2u);
    EXPECT_EQ(log.value().damaged, 0u);
}

TEST(PrintkLog, LeavesDamagedRecordsOut)
{
    const std::uint64_t huge = 0xffffffff'fffffff8;
    struct Case {
        const char* what;
        std::uint64_t begin;
        std::uint64_t next;
    };
    for (const Case& bad : {Case{"odd", 0, 17}, Case{"no block", 0, 0}, Case{"backwards", 64, 32},
                            Case{"longer than the text", 0, 4096}, Case{"far outside", 8, huge},
                            Case{"another's block", 24, 48}, Case{"only half without data", 3, 8}}) {
        RingMaker ring(3, 8);
        ring.write("before");
        const auto id = ring.write("spoiled");
        ring.write("after");
        ring.set_lpos(id, bad.begin, bad.next);
        const auto log = read(ring.core());
        ASSERT_TRUE(log) << bad.what << log.error().what;
        EXPECT_EQ(texts(log.value()), "before|after|") << bad.what;
        EXPECT_EQ(log.value().damaged, 1u) << bad.what;
    }
}

TEST(PrintkLog, LeavesOutTextLongerThanItsBlock)
{
    RingMaker ring(3, 8);
    ring.set_text_length(ring.write("1234"), 9); // the block has 8 bytes
    ring.set_text_length(ring.write("5678"), 8);
    const auto log = read(ring.core());
    ASSERT_TRUE(log) << log.error().what;
    EXPECT_EQ(texts(log.value()), std::string("5678\0\0\0\0|", 9));
    EXPECT_EQ(log.value().damaged, 1u);
}

TEST(PrintkLog, DoesNotMultiplyTextOfBlocksThatOverlap)
{
    // Every block claims the whole rest of the text, so that a small file would become a large log.
    RingMaker ring(5, 9);
    for (int i = 0; i < 20; ++i) {
        const auto id = ring.write("12345678");
        ring.set_lpos(id, ring.begin_of(id), 0);
        ring.set_text_length(id, 150);
    }
    const auto log = read(ring.core());
    ASSERT_TRUE(log) << log.error().what;
    EXPECT_EQ(log.value().records.size(), 3u);
    EXPECT_EQ(log.value().damaged, 17u);
}

TEST(PrintkLog, RefusesSizesThatCannotBe)
{
    RingMaker ring(3, 8);
    ring.write("a");
    auto spoiled = ring;
    spoiled.set_count_bits(63);
    EXPECT_EQ(texts(spoiled),
              "error: the log in the dump is corrupt: expected at most 2^21 records, found 2^63");
    spoiled = ring;
    spoiled.set_size_bits(31);
    EXPECT_TRUE(texts(spoiled).starts_with("error: the log is not in the dump: expected the text at 0x"))
        << "it would have 2 GiB";
    spoiled.set_size_bits(0xffffffff);
    EXPECT_EQ(texts(spoiled), "error: the log in the dump is corrupt: expected 2^3 to 2^31 bytes of text, "
                              "found 2^4294967295");
    spoiled.set_size_bits(0);
    EXPECT_EQ(texts(spoiled),
              "error: the log in the dump is corrupt: expected 2^3 to 2^31 bytes of text, found 2^0");
    spoiled = ring;
    spoiled.set_head_id(12345);
    EXPECT_EQ(texts(spoiled),
              "error: the log in the dump is corrupt: its first and its last record lie too far apart");
}

TEST(PrintkLog, EndsWhenTheRingsPointToThemselves)
{
    RingMaker ring(3, 8);
    ring.write("a");
    auto spoiled = ring;
    spoiled.set_prb(RingMaker::kImageVirt + 0x10); // the pointer points to itself
    EXPECT_NE(texts(spoiled).find("error: the log"), std::string::npos);
    spoiled = ring;
    spoiled.set_descs(RingMaker::kImageVirt + 0x100);
    EXPECT_EQ(texts(spoiled), "");
    spoiled = ring;
    spoiled.set_text(RingMaker::kLinearVirt);
    EXPECT_EQ(texts(spoiled), "");
}

TEST(PrintkLog, SaysWhichPartOfTheLogIsMissing)
{
    RingMaker ring(3, 8);
    ring.write("a");
    auto maker = ring.core();
    maker.memory.erase(maker.memory.begin());
    // The ring may not be larger than the file, so the file has to have its size.
    maker.memory.push_back({0x1000, 0x1000, kmdump_test::Bytes(8192)});
    EXPECT_EQ(refusal(maker), "the log is not in the dump: expected the descriptors at 0xffff000000000000");
    maker.memory.erase(maker.memory.begin());
    EXPECT_EQ(refusal(maker), "the log is not in the dump: expected the pointer prb at 0xffff800080000010");
    ring.set_prb(0x5000);
    EXPECT_EQ(refusal(ring.core()), "the log is not in the dump: expected the ring buffer at 0x5000");
    ring.set_prb(0xffffffff'ffffffff);
    EXPECT_EQ(refusal(ring.core()),
              "the log is not in the dump: expected the ring buffer at 0xffffffffffffffff");
}

/// vmcoreinfo with one entry replaced, or taken out.
std::string changed(const std::string& key, const std::string& value)
{
    std::string text = RingMaker::vmcoreinfo();
    const auto start = text.find(key + "=");
    const auto end = text.find('\n', start) + 1;
    return text.replace(start, end - start, value.empty() ? "" : key + "=" + value + "\n");
}

TEST(PrintkLog, NamesTheEntryOfVmcoreinfoThatIsMissing)
{
    RingMaker ring(3, 8);
    ring.write("a");
    auto maker = ring.core();
    for (const auto key : {"SYMBOL(prb)",
                           "SIZE(printk_ringbuffer)",
                           "OFFSET(printk_ringbuffer.desc_ring)",
                           "OFFSET(printk_ringbuffer.text_data_ring)",
                           "SIZE(prb_desc_ring)",
                           "OFFSET(prb_desc_ring.count_bits)",
                           "OFFSET(prb_desc_ring.descs)",
                           "OFFSET(prb_desc_ring.infos)",
                           "OFFSET(prb_desc_ring.head_id)",
                           "OFFSET(prb_desc_ring.tail_id)",
                           "SIZE(prb_desc)",
                           "OFFSET(prb_desc.state_var)",
                           "OFFSET(prb_desc.text_blk_lpos)",
                           "SIZE(prb_data_blk_lpos)",
                           "OFFSET(prb_data_blk_lpos.begin)",
                           "OFFSET(prb_data_blk_lpos.next)",
                           "SIZE(printk_info)",
                           "OFFSET(printk_info.seq)",
                           "OFFSET(printk_info.ts_nsec)",
                           "OFFSET(printk_info.text_len)",
                           "OFFSET(printk_info.caller_id)",
                           "SIZE(prb_data_ring)",
                           "OFFSET(prb_data_ring.size_bits)",
                           "OFFSET(prb_data_ring.data)",
                           "SIZE(atomic_long_t)",
                           "OFFSET(atomic_long_t.counter)"}) {
        maker.vmcoreinfo = changed(key, "");
        EXPECT_EQ(refusal(maker), "expected " + std::string(key) + " in the VMCOREINFO note, found none");
    }
}

TEST(PrintkLog, RefusesFieldsOutsideTheirStructures)
{
    RingMaker ring(3, 8);
    ring.write("a");
    auto maker = ring.core();
    const auto refused = [&maker](const std::string& key, const std::string& value) {
        maker.vmcoreinfo = changed(key, value);
        EXPECT_EQ(refusal(maker), "expected " + key + " in the VMCOREINFO note, found an impossible value");
    };
    refused("OFFSET(printk_info.seq)", "81");
    refused("OFFSET(printk_info.text_len)", "18446744073709551615");
    refused("OFFSET(prb_desc.text_blk_lpos)", "9");
    refused("OFFSET(prb_desc_ring.head_id)", "-8");
    refused("SIZE(prb_desc)", "65537");
    maker.vmcoreinfo = changed("OFFSET(atomic_long_t.counter)", "1");
    EXPECT_NE(refusal(maker), "");
    maker.vmcoreinfo = changed("SIZE(printk_info)", "0");
    EXPECT_NE(refusal(maker), "");
}

TEST(PrintkLog, GivesNoLevelWhenTheStructureIsNotTheKnownOne)
{
    RingMaker ring(3, 8);
    ring.write("a");
    auto maker = ring.core();
    maker.vmcoreinfo = changed("OFFSET(printk_info.caller_id)", "24");
    const auto log = read(maker);
    ASSERT_TRUE(log) << log.error().what;
    EXPECT_FALSE(log.value().records.at(0).level);
}

TEST(PrintkLog, ReadsACoreImageWithPhysicalAddressesOnly)
{
    RingMaker ring(3, 8);
    ring.write("a");
    auto maker = ring.core();
    for (auto& piece : maker.memory) {
        piece.virt = piece.phys;
    }
    EXPECT_NE(refusal(maker), "");
    *maker.vmcoreinfo += "NUMBER(VA_BITS)=48\nNUMBER(kimage_voffset)=0xffff80003fe00000\n"
                         "NUMBER(PHYS_OFFSET)=0x40000000\n";
    const auto log = read(maker);
    ASSERT_TRUE(log) << log.error().what;
    EXPECT_EQ(texts(log.value()), "a|");
}

} // namespace
