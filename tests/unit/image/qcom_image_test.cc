// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects format=qcom: the layout that tools for Qualcomm's minidump read, and that a guest can neither
// choose a path with the names of its regions nor fill the disk with their number.
#include "child_process.h"
#include "cpu_time.h"
#include "hw/image/qcom_image.h"
#include "qcom_folder.h"
#include "test_machine.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace
{

using kmd::Config;
using kmd::test::bytes_of;
using kmd::test::GuestRegion;
using kmd::test::kRam;
using kmd::test::kVirt;
using kmd::test::names_in;
using kmd::test::QcomFolder;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TestMachine;

Config qcom()
{
    auto config = small_config();
    config.format = "qcom";
    config.max_dumps = 0;
    return config;
}

GuestRegion named(std::uint64_t offset, std::uint64_t size, std::uint32_t id, const std::string& name,
                  std::uint32_t kind = 0)
{
    return {kRam + offset, kVirt + offset, size, name, id, kind};
}

std::string text_of(const std::string& path)
{
    const auto bytes = bytes_of(path);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::set<std::string> files_of(TestMachine& m)
{
    std::set<std::string> names;
    for (const std::string& name : names_in(m.folder / "kmemdump-0001-panic")) {
        names.insert(name);
    }
    return names;
}

/// A guest with an ELF header that describes three regions, the last of which is missing.
void describe_itself(TestMachine& m)
{
    m.host.guest.fill_pattern(kRam, 0x10000);
    Elf64_Ehdr elf{};
    std::memcpy(elf.e_ident, ELFMAG, 4);
    elf.e_ident[EI_CLASS] = 2;
    elf.e_ident[EI_DATA] = 1;
    elf.e_type = 4;
    elf.e_machine = 183;
    elf.e_phoff = 64;
    elf.e_phentsize = 56;
    elf.e_phnum = 4;
    Elf64_Phdr headers[4]{};
    headers[0].p_type = 4;
    std::uint64_t offset = 0x400 + 32;
    const std::uint64_t at[] = {0, 0x5000, 0x3000, 0x9000};
    const std::uint64_t size[] = {0, 0x200, 0x104, 0x80};
    for (int i = 1; i < 4; ++i) {
        headers[i].p_type = 1;
        headers[i].p_paddr = kRam + at[i];
        headers[i].p_vaddr = kVirt + at[i];
        headers[i].p_filesz = headers[i].p_memsz = size[i];
        headers[i].p_offset = offset;
        offset += size[i];
    }
    m.host.guest.put(kRam, {reinterpret_cast<const char*>(&elf), sizeof(elf)});
    m.host.guest.put(kRam + 64, {reinterpret_cast<const char*>(headers), sizeof(headers)});
    m.host.guest.put(kRam + 0x2000, "OSRELEASE=6.12\n");
    m.add(0, named(0x0000, 0x400, 1, "ELF", 1));
    m.add(1, named(0x2000, 30, 2, "vmcoreinfo", 2));
    m.add(2, named(0x3000, 0x101, 7, "linux_banner"));
    m.add(3, named(0x5000, 0x200, 3, "prb"));
}

TEST(Qcom, AssembledInTheDocumentedOrderIsTheCoreImageByteForByte)
{
    TestMachine folder(qcom());
    describe_itself(folder);
    folder.dump();
    ASSERT_EQ(folder.last_result(), 1u);
    auto config = small_config();
    config.format = "coreimage";
    TestMachine file(config);
    describe_itself(file);
    file.dump();
    ASSERT_EQ(file.last_result(), 1u);
    const std::string expected = text_of(file.folder / "kmemdump-0001-panic.elf");
    ASSERT_EQ(expected.size(), 0x400u + 32 + 0x200 + 0x104 + 0x80);
    EXPECT_TRUE(QcomFolder(folder.folder / "kmemdump-0001-panic").assemble() == expected);
}

/// The line of the page that has this in it, without its indentation.
std::string command_of_the_page(const std::string& part)
{
    std::ifstream page(KMD_OUTPUTS_PATH);
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with("    ") && line.find(part) != std::string::npos) {
            return line.substr(4);
        }
    }
    return "";
}

TEST(Qcom, RecipeOfThePageMakesTheCoreImage)
{
    // Ids that do not sort as the names of the files do, one that looks like part of a name, and a list.
    const auto describe = [](TestMachine& m) {
        describe_itself(m);
        m.add(4, named(0x7000, 24, 0, "extents", 3));
        const std::uint16_t without_the_missing_one = 3;
        m.host.guest.put(kRam + offsetof(Elf64_Ehdr, e_phnum),
                         {reinterpret_cast<const char*>(&without_the_missing_one), 2});
        m.invalidate(2);
        m.invalidate(3);
        m.add(2, named(0x3000, 0x101, 38, "rq_cpu1"));
        m.add(3, named(0x5000, 0x200, 4, "zzz"));
    };
    TestMachine folder(qcom());
    describe(folder);
    folder.dump();
    ASSERT_EQ(folder.last_result(), 1u);
    auto config = small_config();
    config.format = "coreimage";
    TestMachine file(config);
    describe(file);
    file.dump();
    ASSERT_EQ(file.last_result(), 1u);
    const std::string recipe = command_of_the_page("md_toc.bin");
    ASSERT_NE(recipe, "");
    const std::string dump = folder.folder / "kmemdump-0001-panic";
    ASSERT_TRUE(std::filesystem::exists(dump + "/md_Krq_cpu138.BIN"));
    ASSERT_EQ(std::system(("cd " + dump + " && " + recipe).c_str()), 0) << recipe;
    EXPECT_TRUE(text_of(dump + "/core.elf") == text_of(file.folder / "kmemdump-0001-panic.elf"));
}

TEST(Qcom, FilesAreCalledAsTheFirmwareCallsThem)
{
    TestMachine m(qcom());
    describe_itself(m);
    m.dump();
    EXPECT_EQ(files_of(m), (std::set<std::string>{"md_toc.bin", "md_KELF1.BIN", "md_Kvmcorein2.BIN",
                                                  "md_Klinux_ba7.BIN", "md_Kprb3.BIN"}));
    EXPECT_EQ(bytes_of(m.folder / "kmemdump-0001-panic/md_Klinux_ba7.BIN").size(), 0x104u);
}

TEST(Qcom, SizesAreMultiplesOf4PaddedWithZeros)
{
    TestMachine m(qcom());
    m.host.guest.fill(kRam, 0x1000, 0xff);
    m.add(0, named(0, 5, 9, "x"));
    m.dump();
    EXPECT_EQ(text_of(m.folder / "kmemdump-0001-panic/md_Kx9.BIN"),
              std::string("\xff\xff\xff\xff\xff\0\0\0", 8));
}

TEST(Qcom, TableOfContentsHasTheLayoutOfTheFirmware)
{
    TestMachine m(qcom());
    m.add(0, named(0x1000, 0x101, 7, "linux_banner"));
    m.add(1, named(0x3000, 0x200, 3, "prb"));
    m.dump();
    const QcomFolder folder(m.folder / "kmemdump-0001-panic");
    EXPECT_EQ(folder.toc.size(), 336u + 2 * 40);
    EXPECT_EQ(folder.status, 1u) << "initialised";
    EXPECT_EQ(folder.toc.substr(8, 4), "LBNE") << "ENBL, little endian";
    EXPECT_EQ(folder.number<std::uint32_t>(16), 1u);
    EXPECT_EQ(folder.toc.substr(20, 4), "LBNE");
    EXPECT_EQ(folder.toc.substr(24, 4), "ENOD") << "DONE";
    EXPECT_EQ(folder.toc.substr(28, 4), std::string("RN\0\0", 4)) << "NR";
    EXPECT_EQ(folder.number<std::uint64_t>(40), 336u);
    EXPECT_EQ(folder.toc.substr(48, 336 - 48), std::string(336 - 48, '\0'))
        << "nine other subsystems, none enabled";
    ASSERT_EQ(folder.entries.size(), 2u);
    EXPECT_EQ(folder.entries[0].name, "Klinux_ba");
    EXPECT_EQ(folder.entries[0].number, 7u);
    EXPECT_EQ(folder.entries[0].valid, 0x56414c49u);
    EXPECT_EQ(folder.entries[0].address, kRam + 0x1000);
    EXPECT_EQ(folder.entries[0].size, 0x104u);
    EXPECT_EQ(folder.entries[1].name, "Kprb");
}

TEST(Qcom, NamesOfTheGuestNeverLeaveTheFolder)
{
    TestMachine m(qcom());
    m.add(0, named(0x1000, 8, 1, "../../x"));
    m.add(1, named(0x2000, 8, 2, "/etc/pas"));
    m.add(2, named(0x3000, 8, 3, ""));
    m.add(3, named(0x4000, 8, 4, "\xff\n\x01%s"));
    m.dump();
    EXPECT_EQ(files_of(m), (std::set<std::string>{"md_toc.bin", "md_K______x1.BIN", "md_K_etc_pas2.BIN",
                                                  "md_Kunknown3.BIN", "md_K____s4.BIN"}));
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic"});
}

TEST(Qcom, EveryRegionHasAFileOfItsOwnWhateverItsName)
{
    TestMachine m(qcom());
    m.host.guest.fill_pattern(kRam, 0x10000);
    m.add(0, named(0x1000, 8, 0, "same"));
    m.add(1, named(0x2000, 8, 0, "same"));
    m.add(2, named(0x3000, 8, 2, "a1"));
    m.add(3, named(0x4000, 8, 12, "a"));
    m.dump();
    EXPECT_EQ(files_of(m), (std::set<std::string>{"md_toc.bin", "md_Ksame0.BIN", "md_Ksame0_2.BIN",
                                                  "md_Ka12.BIN", "md_Ka12_2.BIN"}));
    EXPECT_TRUE(bytes_of(m.folder / "kmemdump-0001-panic/md_Ksame0_2.BIN") ==
                m.host.guest.bytes(kRam + 0x2000, 8));
    EXPECT_TRUE(bytes_of(m.folder / "kmemdump-0001-panic/md_Ka12_2.BIN") ==
                m.host.guest.bytes(kRam + 0x4000, 8));
}

TEST(Qcom, FolderAndFilesAreForTheirOwnerOnly)
{
    TestMachine m(qcom());
    m.add(0, ram_region(0, 8, 1));
    m.dump();
    struct stat about;
    ASSERT_EQ(::stat((m.folder / "kmemdump-0001-panic").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, 0700u);
    ASSERT_EQ(::stat((m.folder / "kmemdump-0001-panic/md_Kregion1.BIN").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 07777, 0600u);
}

TEST(Qcom, CutOffFolderKeepsTheIncompleteNameAndAnUninitialisedTable)
{
    auto config = qcom();
    config.faults.write_cut = 336 + 80 + 4096 + 11;
    TestMachine m(config);
    m.add(0, ram_region(0, 4096, 1));
    m.add(1, ram_region(0x2000, 4096, 2));
    m.dump();
    EXPECT_EQ(m.last_result(), 3u);
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.incomplete"});
    const QcomFolder folder(m.folder / "kmemdump-0001-panic.incomplete");
    EXPECT_EQ(folder.status, 0u);
    EXPECT_EQ(folder.files.at("md_Kregion1.BIN").size(), 4096u);
    EXPECT_EQ(folder.files.at("md_Kregion2.BIN").size(), 10u);
}

TEST(Qcom, FolderWithoutAWholeTableDoesNotStay)
{
    auto config = qcom();
    config.faults.write_cut = 100;
    TestMachine m(config);
    m.add(0, ram_region(0, 4096, 1));
    m.dump();
    EXPECT_EQ(m.last_result(), 4u);
    EXPECT_TRUE(names_in(m.folder.path()).empty());
}

TEST(Qcom, KilledInMidDumpHasNoFinalName)
{
    for (const std::uint64_t byte : {1u, 400u, 5000u}) {
        const kmd::test::TempDir out;
        const auto child = kmd::test::in_child([&]() -> std::string {
            auto config = qcom();
            config.output = out.path();
            config.faults.stop = byte;
            TestMachine m(config);
            m.add(0, ram_region(0, 4096, 1));
            m.add(1, ram_region(0x2000, 4096, 2));
            m.dump();
            return "survived";
        });
        EXPECT_EQ(child, "killed by signal 9");
        EXPECT_EQ(names_in(out.path()), std::vector<std::string>{"kmemdump-0001-panic.incomplete"});
    }
}

TEST(Qcom, RejectedRegionIsNotInTheTable)
{
    TestMachine m(qcom());
    m.host.guest.add_ram(0x80000000, 0x1000);
    m.add(0, ram_region(0, 8, 1));
    m.add(1, {0x80000000, kVirt, 8, "gone", 2, 0});
    m.host.guest.unplug(0x80000000);
    m.dump();
    EXPECT_EQ(m.last_result(), 2u);
    EXPECT_EQ(files_of(m), (std::set<std::string>{"md_toc.bin", "md_Kregion1.BIN"}));
    EXPECT_EQ(QcomFolder(m.folder / "kmemdump-0001-panic").entries.size(), 1u);
}

TEST(Qcom, GuestThatRegistersTheSameMemoryAgainAndAgainGetsOneCopyOfIt)
{
    auto config = qcom();
    config.slots = 512;
    TestMachine m(config);
    for (std::uint32_t i = 0; i < 100; ++i) {
        m.add(i, ram_region(0, kmd::test::kRamSize, i + 1));
    }
    m.dump();
    ASSERT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    EXPECT_LT(bytes_of(m.folder / "kmemdump-0001-panic.elf").size(), 2 * kmd::test::kRamSize);
    EXPECT_NE(
        m.host.warnings.at(0).find("format=qcom cannot be used, so the dump is composed from the table"),
        std::string::npos);
}

/// With names that are all the same, and others that look like what tells those apart.
TEST(Qcom, AsManyRegionsAsThereMayBeFilesAreStoredInASecond)
{
    auto config = qcom();
    config.slots = 8192;
    config.sidecar = true;
    TestMachine m(config);
    for (std::uint32_t i = 0; i < 8192; ++i) {
        m.add(i, named(i * 16, 4, i < 4096 ? 0 : i, i < 4096 ? "same" : "same0_"));
    }
    const double start = kmd::test::cpu_seconds();
    m.dump();
    EXPECT_LT(kmd::test::cpu_seconds() - start, 5) << "most of it is the host's file system's";
    ASSERT_EQ(m.last_result(), 1u);
    EXPECT_EQ(files_of(m).size(), 8193u);
}

TEST(Qcom, NamesOfALargeTableCostNoMoreThanOthers)
{
    kmd::test::FakeGuest guest;
    guest.add_ram(kRam, 0x100000);
    std::vector<kmd::Region> regions(8192);
    for (auto& region : regions) {
        region.phys = kRam + static_cast<std::uint64_t>(&region - regions.data()) * 16;
        region.size = 4;
    }
    const double start = kmd::test::cpu_seconds();
    const auto plan = kmd::compose_qcom_image(kmd::CheckedRegions(regions, guest), guest);
    EXPECT_LT(kmd::test::cpu_seconds() - start, 0.5);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan.value().parts.back().name, "md_Kunknown0_8192.BIN");
}

TEST(Qcom, MoreRegionsThanThereMayBeFilesBecomeOneFile)
{
    auto config = qcom();
    config.slots = 8193;
    TestMachine m(config);
    for (std::uint32_t i = 0; i < 8193; ++i) {
        m.add(i, named(i * 16, 4, 0, "same"));
    }
    m.dump();
    EXPECT_EQ(m.last_result(), 1u);
    EXPECT_EQ(names_in(m.folder.path()), std::vector<std::string>{"kmemdump-0001-panic.elf"});
    EXPECT_NE(m.host.warnings.at(0).find("it makes a file for each region, 8192 at most, and there are 8193"),
              std::string::npos)
        << m.host.warnings.at(0);
}

TEST(Qcom, OldestFoldersGoWhenAsked)
{
    auto config = qcom();
    config.keep = 2;
    config.sidecar = true;
    TestMachine m(config);
    m.add(0, ram_region(0, 8, 1));
    for (int i = 0; i < 4; ++i) {
        m.dump(2);
    }
    EXPECT_EQ(names_in(m.folder.path()),
              (std::vector<std::string>{"kmemdump-0003-request", "kmemdump-0003-request.json",
                                        "kmemdump-0004-request", "kmemdump-0004-request.json"}));
}

} // namespace
