// SPDX-License-Identifier: GPL-2.0-or-later
//
// What verify, regions and diff find, on dumps with one thing changed.
#include "core_maker.h"
#include "kmdump/inspect/dump_check.h"
#include "kmdump/inspect/dump_diff.h"
#include "kmdump/inspect/memory_contents.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace
{

using kmdump::CoreFile;
using kmdump::Finding;
using kmdump::Sidecar;
using kmdump::SidecarRegion;
using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::put;
using kmdump_test::TemporaryFile;

constexpr std::uint64_t kVirt = 0xffff0000'00001000;
constexpr std::uint64_t kPhys = 0x40001000;

/// Where things are in the files below: the ELF header, two program headers, notes, 8 KiB of memory.
constexpr std::size_t kLoadAt = 64 + 56;

CoreMaker sound_core()
{
    CoreMaker maker;
    maker.vmcoreinfo = "OSRELEASE=6.12.0-test\nPAGESIZE=4096\n";
    maker.memory = {{kVirt, kPhys, Bytes(8192)}};
    return maker;
}

SidecarRegion region(const std::string& name, std::uint64_t phys, std::uint64_t size)
{
    return {1, 10, name, "memory", phys, phys - kPhys + kVirt, size, "it is valid", true};
}

Sidecar sidecar_of(const Bytes& file)
{
    Sidecar sidecar;
    sidecar.result = "complete";
    sidecar.format = "enriched";
    sidecar.bytes = sidecar.image_bytes = file.size();
    sidecar.regions = {region("a", kPhys + 0x10, 0x20)};
    return sidecar;
}

/// The sentences, each behind "error: " or "warning: ".
std::vector<std::string> check(const Bytes& bytes, const std::optional<Sidecar>& sidecar = {})
{
    const TemporaryFile file(bytes);
    const auto core = CoreFile::open(file.path());
    EXPECT_TRUE(core) << core.error().what;
    std::vector<std::string> sentences;
    for (const Finding& finding : kmdump::check_dump(core.value(), sidecar, bytes.size())) {
        sentences.push_back((finding.error ? "error: " : "warning: ") + finding.what);
    }
    return sentences;
}

using Sentences = std::vector<std::string>;

TEST(Verify, FindsNothingInASoundDump)
{
    const Bytes bytes = sound_core().make();
    EXPECT_EQ(check(bytes), Sentences());
    EXPECT_EQ(check(bytes, sidecar_of(bytes)), Sentences());
}

TEST(Verify, FindsThatADumpIsIncomplete)
{
    CoreMaker maker = sound_core();
    maker.flags = 1;
    Bytes bytes = maker.make();
    bytes.resize(bytes.size() - 100);
    EXPECT_EQ(check(bytes),
              (Sentences{"error: the file is marked incomplete: the host could not write everything",
                         "error: the file ends too early: 100 bytes of segments are missing"}));
}

TEST(Verify, FindsSegmentsThatShowHeadersAndNotes)
{
    Bytes bytes = sound_core().make();
    put(bytes, kLoadAt + 8, 32, 8); // p_offset
    const auto found = check(bytes);
    EXPECT_EQ(found, (Sentences{"error: segment 0 shows the file's own headers as memory",
                                "error: segment 0 shows the notes as memory"}));
}

TEST(Verify, FindsSegmentsThatContradictEachOther)
{
    CoreMaker maker = sound_core();
    maker.memory.push_back({kVirt + 0x10000, kPhys + 0x1000, Bytes(4096)});
    EXPECT_EQ(check(maker.make()), Sentences()) << "the same memory, with the same content";

    put(maker.memory[1].bytes, 5, 1, 1);
    EXPECT_EQ(check(maker.make()),
              (Sentences{"error: segment 0 and segment 1 disagree about the memory at physical "
                         "address 0x40002000"}));
    maker.memory[1] = {kVirt + 0x1000, kPhys + 0x10000, maker.memory[1].bytes};
    EXPECT_EQ(check(maker.make()),
              (Sentences{"error: segment 0 and segment 1 disagree about the memory at virtual "
                         "address 0xffff000000002000"}));
}

TEST(Verify, FindsBytesOfTheFileAtTwoPhysicalAddresses)
{
    CoreMaker maker = sound_core();
    maker.memory.push_back({kVirt + 0x10000, kPhys + 0x10000, Bytes(4096)});
    Bytes bytes = maker.make();
    // Both point to the first segment's bytes.
    std::copy_n(bytes.begin() + kLoadAt + 8, 8, bytes.begin() + kLoadAt + 56 + 8);
    EXPECT_EQ(check(bytes),
              (Sentences{"error: segment 0 and segment 1 show the same bytes of the file at two physical "
                         "addresses"}));
}

TEST(Verify, FindsNotesThatAreNone)
{
    CoreMaker maker = sound_core();
    maker.prstatus = {Bytes(392), Bytes(144)};
    maker.vmcoreinfo = "PAGESIZE=4096\n";
    Bytes bytes = maker.make();
    put(bytes, 64 + 32, 5000, 8); // p_filesz of the notes reaches into the memory, which is no note
    const auto found = check(bytes);
    ASSERT_EQ(found.size(), 4u);
    EXPECT_TRUE(found[0].starts_with("error: the notes do not end where their program header says: "))
        << found[0];
    EXPECT_EQ(found[1], "error: the registers of CPU 1 take 144 bytes, expected 392");
    EXPECT_EQ(found[2], "error: the note VMCOREINFO does not name the kernel (OSRELEASE)");
    EXPECT_EQ(found[3], "error: segment 0 shows the notes as memory");
}

TEST(Verify, WarnsOfWhatSomeReadersRefuse)
{
    CoreMaker maker = sound_core();
    maker.cpus = 0;
    maker.vmcoreinfo.reset();
    Bytes bytes = maker.make();
    put(bytes, kLoadAt + 48, 4096, 8); // p_align
    EXPECT_EQ(check(bytes),
              (Sentences{"warning: there are no registers of any CPU (notes NT_PRSTATUS)",
                         "warning: there is no note VMCOREINFO: the guest did not give one to the host",
                         "warning: segments with an alignment, for which crash refuses the file: 1"}));
}

TEST(Verify, FindsWhatTheSidecarSaysOtherwise)
{
    const Bytes bytes = sound_core().make();
    Sidecar sidecar = sidecar_of(bytes);
    sidecar.bytes += 1;
    sidecar.image_bytes -= 1;
    sidecar.result = "incomplete";
    sidecar.regions.push_back(region("beyond", kPhys + 8000, 1000));
    sidecar.regions.push_back(region("rejected", 0x9000000, 16));
    sidecar.regions.back().accepted = false;
    sidecar.regions.back().status = "it is not RAM";
    const std::string size = std::to_string(bytes.size());
    const std::string less = std::to_string(bytes.size() - 1);
    const std::string more = std::to_string(bytes.size() + 1);
    EXPECT_EQ(
        check(bytes, sidecar),
        (Sentences{"error: the sidecar says " + more + " bytes, the file has " + size,
                   "error: the sidecar says " + less + " bytes before compression, there are " + size,
                   "error: the sidecar says that the dump is incomplete, the file says that it is complete",
                   "error: region 'beyond' of slot 1 is not in the dump, although the sidecar says so",
                   "warning: region 'rejected' of slot 1 was rejected: it is not RAM"}));
}

TEST(Verify, FindsSegmentsThatThePageTablesDoNotMap)
{
    CoreMaker maker = sound_core();
    *maker.vmcoreinfo +=
        "SYMBOL(swapper_pg_dir)=ffff800080000000\nNUMBER(kimage_voffset)=0xffff800040000000\n"
        "NUMBER(TCR_EL1_T1SZ)=0x10\n";
    Bytes root(4096);
    put(root, 0x100 * 8, 0, 8);
    maker.memory.push_back({0xffff8000'80000000, 0x40000000, root}); // maps nothing at all
    const auto found = check(maker.make());
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0], "error: the guest's page tables do not map segment 0 as it says: virtual "
                        "0xffff000000001000, physical 0x40001000");
}

/// Two tables of a 39-bit kernel with one page, of code and of a stack, at 0xffffff8000001000.
CoreMaker core_with_one_mapped_page()
{
    CoreMaker maker = sound_core();
    *maker.vmcoreinfo += "PAGESIZE=4096\nSYMBOL(swapper_pg_dir)=ffff800080000000\n"
                         "NUMBER(kimage_voffset)=0xffff800040000000\nNUMBER(TCR_EL1_T1SZ)=0x19\n";
    Bytes tables(0x3000);
    kmdump_test::put(tables, 0, 0x40001003, 8);
    kmdump_test::put(tables, 0x1000, 0x40002003, 8);
    kmdump_test::put(tables, 0x2000 + 8, 0x42000703, 8);
    maker.memory = {{0xffff8000'80000000, 0x40000000, tables}};
    return maker;
}

TEST(Verify, TakesTheEmptyStackOfACpuForAStack)
{
    CoreMaker maker = core_with_one_mapped_page();
    maker.cpus = 2;
    maker.prstatus = {kmdump_test::prstatus(0xffffff80'00001010, 0, 0),
                      kmdump_test::prstatus(0xffffff80'00001010, 0, 0)};
    kmdump_test::put(maker.prstatus[0], 112 + 31 * 8, 0xffffff80'00002000, 8);
    kmdump_test::put(maker.prstatus[1], 112 + 31 * 8, 0xffffff80'00002008, 8);
    const auto found = check(maker.make());
    const auto names = [&](const std::string& cpu) {
        return std::any_of(found.begin(), found.end(), [&](const std::string& sentence) {
            return sentence.find(cpu + " is in a kernel") != std::string::npos;
        });
    };
    EXPECT_FALSE(names("CPU 0")) << "it points to the first byte behind its stack";
    EXPECT_TRUE(names("CPU 1"));
}

TEST(Verify, FindsRegistersOfAnotherKernel)
{
    CoreMaker maker = sound_core();
    *maker.vmcoreinfo +=
        "SYMBOL(swapper_pg_dir)=ffff800080000000\nNUMBER(kimage_voffset)=0xffff800040000000\n"
        "NUMBER(TCR_EL1_T1SZ)=0x10\n";
    maker.memory = {{0xffff8000'80000000, 0x40000000, Bytes(4096)}}; // maps nothing at all
    maker.cpus = 2;
    // One in a program: nothing can be said of it.
    maker.prstatus = {kmdump_test::prstatus(0xffff8000'81234560, 0xffff8000'81230000, 0),
                      kmdump_test::prstatus(0xffff8000'81234560, 0, 0, 0)};
    const auto found = check(maker.make());
    EXPECT_NE(
        std::find(found.begin(), found.end(),
                  "error: CPU 0 is in a kernel, but the page tables of the kernel in the dump do not map "
                  "its pc, 0xffff800081234560: its registers are of another kernel"),
        found.end());
    EXPECT_TRUE(std::none_of(found.begin(), found.end(), [](const std::string& sentence) {
        return sentence.find("CPU 1") != std::string::npos;
    }));
}

TEST(Regions, AreListedWithWhatTheHostAdded)
{
    CoreMaker maker = sound_core();
    maker.memory.push_back({kVirt + 0x4000, kPhys + 0x4000, Bytes(4096)});
    const Bytes bytes = maker.make();
    const TemporaryFile file(bytes);
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core);
    Sidecar sidecar = sidecar_of(bytes);
    sidecar.regions.push_back(region("lost", kPhys + 0x3000, 8));
    const auto contents = kmdump::list_contents(core.value(), sidecar);
    ASSERT_EQ(contents.size(), 4u);
    const std::size_t memory_at = bytes.size() - 3 * 4096;
    EXPECT_EQ(contents[0].name, "a");
    EXPECT_EQ(contents[0].file_offset, memory_at + 0x10);
    // The rest of the first page comes with the region; the second page does not.
    EXPECT_EQ(contents[1].kind, "added");
    EXPECT_EQ(contents[1].phys, kPhys + 0x1000);
    EXPECT_EQ(contents[1].virt, kVirt + 0x1000);
    EXPECT_EQ(contents[1].size, 0x1000u);
    EXPECT_EQ(contents[2].status, "not in the dump");
    EXPECT_FALSE(contents[2].file_offset);
    EXPECT_EQ(contents[3].phys, kPhys + 0x4000);
    EXPECT_EQ(contents[3].file_offset, memory_at + 0x2000);
}

TEST(Regions, AreNotSaidToBeAddedWhereTheGuestMayHaveListedThem)
{
    const Bytes bytes = sound_core().make();
    const TemporaryFile file(bytes);
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core);
    Sidecar sidecar = sidecar_of(bytes);
    sidecar.regions.push_back(region("extents", kPhys + 0x9000, 64));
    sidecar.regions.back().kind = "list";
    EXPECT_EQ(kmdump::list_contents(core.value(), sidecar)[1].kind, "listed or added");
    sidecar.regions.back().accepted = false;
    EXPECT_EQ(kmdump::list_contents(core.value(), sidecar)[1].kind, "added");
}

TEST(Regions, AreSegmentsWithoutASidecar)
{
    const TemporaryFile file(sound_core().make());
    const auto core = CoreFile::open(file.path());
    ASSERT_TRUE(core);
    const auto contents = kmdump::list_contents(core.value(), std::nullopt);
    ASSERT_EQ(contents.size(), 1u);
    EXPECT_EQ(contents[0].kind, "segment");
    EXPECT_EQ(contents[0].size, 8192u);
}

/// Two dumps of the same layout.
struct Pair {
    CoreMaker a = sound_core();
    CoreMaker b = sound_core();
    std::optional<Sidecar> sidecar_a;
    std::optional<Sidecar> sidecar_b;

    kmdump::DumpDiff compare() const
    {
        const TemporaryFile file_a(a.make());
        const TemporaryFile file_b(b.make());
        const auto core_a = CoreFile::open(file_a.path());
        const auto core_b = CoreFile::open(file_b.path());
        EXPECT_TRUE(core_a && core_b);
        return kmdump::compare_dumps(core_a.value(), sidecar_a, core_b.value(), sidecar_b);
    }
};

TEST(Diff, FindsTheBytesThatDiffer)
{
    Pair pair;
    EXPECT_TRUE(pair.compare().same());
    put(pair.b.memory[0].bytes, 0x100, 0xff00ff, 3);
    put(pair.b.memory[0].bytes, 0x1800, 0xff, 1);
    const auto diff = pair.compare();
    EXPECT_FALSE(diff.same());
    ASSERT_EQ(diff.pieces.size(), 1u);
    EXPECT_EQ(diff.pieces[0].phys_a, kPhys);
    EXPECT_EQ(diff.pieces[0].different, 3u);
    ASSERT_EQ(diff.pieces[0].ranges.size(), 2u);
    EXPECT_EQ(diff.pieces[0].ranges[0].offset, 0x100u);
    EXPECT_EQ(diff.pieces[0].ranges[0].size, 3u);
    EXPECT_EQ(diff.pieces[0].ranges[1].offset, 0x1800u);
    EXPECT_EQ(diff.pieces[0].ranges[1].size, 1u);
}

TEST(Diff, FindsMemoryOfOneDumpAlone)
{
    Pair pair;
    pair.a.memory[0].bytes.resize(4096);
    pair.b.memory[0].phys += 2048;
    const auto diff = pair.compare();
    ASSERT_EQ(diff.pieces.size(), 1u);
    EXPECT_EQ(diff.pieces[0].size, 2048u);
    ASSERT_EQ(diff.only_a.size(), 1u);
    EXPECT_EQ(diff.only_a[0].phys, kPhys);
    EXPECT_EQ(diff.only_a[0].size, 2048u);
    ASSERT_EQ(diff.only_b.size(), 1u);
    EXPECT_EQ(diff.only_b[0].phys, kPhys + 4096);
    EXPECT_EQ(diff.only_b[0].size, 8192u - 2048);
}

TEST(Diff, ComparesRegionsOfTwoBootsByName)
{
    Pair pair;
    pair.b.memory[0].phys += 0x100000;
    put(pair.a.memory[0].bytes, 0x20, 7, 1);
    pair.sidecar_a = sidecar_of(pair.a.make());
    pair.sidecar_b = sidecar_of(pair.b.make());
    pair.sidecar_b->regions[0].phys += 0x100000;
    pair.sidecar_b->regions[0].size = 0x18;
    pair.sidecar_a->regions.push_back(region("only a", kPhys + 0x100, 8));
    pair.sidecar_b->regions.push_back(region("only b", kPhys + 0x100100, 8));
    const auto diff = pair.compare();
    ASSERT_EQ(diff.pieces.size(), 1u);
    EXPECT_EQ(diff.pieces[0].name, "a");
    EXPECT_EQ(diff.pieces[0].size_b, 0x18u);
    EXPECT_EQ(diff.pieces[0].different, 1u);
    ASSERT_EQ(diff.pieces[0].ranges.size(), 1u);
    EXPECT_EQ(diff.pieces[0].ranges[0].offset, 0x10u);
    ASSERT_EQ(diff.only_a.size(), 1u);
    EXPECT_EQ(diff.only_a[0].name, "only a");
    ASSERT_EQ(diff.only_b.size(), 1u);
    EXPECT_EQ(diff.only_b[0].name, "only b");
}

} // namespace
