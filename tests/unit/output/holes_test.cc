// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects files from zeros: pages of zeros are holes, which take no room and do not count for max-bytes; and
// every byte is where it would be without them.
#include "child_process.h"
#include "owned_plan.h"
#include "qcom_folder.h"
#include "temp_dir.h"
#include "test_machine.h"

#include "hw/output/folder_sink.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

namespace
{

using kmd::test::bytes_of;
using kmd::test::in_child;
using kmd::test::kRam;
using kmd::test::mount_tmpfs;
using kmd::test::must;
using kmd::test::names_in;
using kmd::test::OwnedPlan;
using kmd::test::private_mounts;
using kmd::test::ram_region;
using kmd::test::small_config;
using kmd::test::TempDir;
using kmd::test::TestMachine;

constexpr std::size_t kPage = 4096;

std::uint64_t bytes_on_disk(const std::string& path)
{
    struct stat about;
    must(::stat(path.c_str(), &about) == 0, "stat");
    return static_cast<std::uint64_t>(about.st_blocks) * 512;
}

kmd::Result<kmd::Stored> store(const OwnedPlan& owned, const std::string& folder)
{
    kmd::StoreOptions options;
    options.sidecar = false;
    kmd::FolderSink sink(folder, kmd::NamePattern::parse("%n-%r").value(), options);
    return sink.store(kmd::Dump{.plan = owned.plan, .reason = "panic"});
}

void zero(OwnedPlan& owned, std::size_t from, std::size_t size)
{
    std::fill_n(owned.memory.begin() + static_cast<std::ptrdiff_t>(from), size, std::byte{0});
}

/// Stores the plan and expects its bytes, on so many bytes of the disk and a few more for what is about them.
void expect_stored(const OwnedPlan& owned, std::uint64_t on_disk)
{
    const TempDir folder;
    const auto stored = store(owned, folder.path());
    ASSERT_TRUE(stored);
    EXPECT_EQ(stored.value().incomplete_because, "");
    EXPECT_EQ(stored.value().bytes, owned.plan.file_size);
    EXPECT_TRUE(bytes_of(stored.value().where) == owned.file());
    EXPECT_LE(bytes_on_disk(stored.value().where), on_disk + 4 * kPage);
    EXPECT_LE(stored.value().bytes - stored.value().holes, on_disk + kPage);
    EXPECT_GE(stored.value().bytes - stored.value().holes, on_disk);
}

TEST(Holes, PagesOfZerosTakeNoRoom)
{
    OwnedPlan owned(kPage, 1, 1 << 20);
    zero(owned, 16 * kPage, 200 * kPage);
    expect_stored(owned, (1 + 16 + 40) * kPage);
}

TEST(Holes, ZerosAtTheEndLeaveTheFileItsLength)
{
    OwnedPlan owned(kPage, 4, 1 << 20);
    zero(owned, kPage, (4 << 20) - kPage);
    expect_stored(owned, 3 * kPage);
}

TEST(Holes, AreWhereAPageOfTheFileIsZero)
{
    // The pages of the file are not the pages of the memory.
    OwnedPlan owned(kPage + 100, 1, 1 << 20);
    zero(owned, 0, 1 << 20);
    expect_stored(owned, 2 * kPage + 100);
}

TEST(Holes, BytesAroundThemAreWhereTheyWouldBeWithoutThem)
{
    std::mt19937 random(15);
    const auto below = [&](std::size_t limit) { return random() % limit; };
    for (unsigned i = 0; i < 60; ++i) {
        OwnedPlan owned(64 + below(3 * kPage), 1, 40 * kPage);
        for (unsigned run = 0; run < 4; ++run) {
            const std::size_t from = below(owned.memory.size());
            zero(owned, from, std::min(owned.memory.size() - from, below(30 * kPage)));
        }
        owned.plan.body.clear();
        for (std::span<const std::byte> rest = owned.memory; !rest.empty();) {
            const std::size_t size = std::min(rest.size(), 1 + below(i % 2 == 0 ? 500 : 20 * kPage));
            owned.plan.body.push_back(rest.first(size));
            rest = rest.subspan(size);
        }
        const TempDir folder;
        const auto stored = store(owned, folder.path());
        ASSERT_TRUE(stored);
        ASSERT_TRUE(bytes_of(stored.value().where) == owned.file()) << i;
        ASSERT_LE(bytes_on_disk(stored.value().where),
                  stored.value().bytes - stored.value().holes + 4 * kPage);
    }
}

/// The same in a file system with these properties.
std::string store_on(const char* type, const std::string& options, const OwnedPlan& owned)
{
    const TempDir folder;
    return in_child([&]() -> std::string {
        private_mounts();
        must(::mount("none", folder.path().c_str(), type, 0, options.c_str()) == 0, "mount");
        const auto stored = store(owned, folder.path());
        if (!stored) {
            return "error: " + stored.error().what;
        }
        auto expected = owned.file();
        expected.resize(stored.value().bytes);
        expected[48] = stored.value().incomplete_because.empty() ? std::byte{0} : std::byte{1};
        return stored.value().incomplete_because + "[" + std::to_string(stored.value().bytes) + ", " +
               std::to_string(stored.value().holes) + " in holes" +
               (bytes_of(stored.value().where) == expected ? "]" : ", others]");
    });
}

TEST(Holes, DumpFitsADiskThatIsSmallerThanItsZeros)
{
    OwnedPlan owned(kPage, 2, 1 << 20);
    zero(owned, 4 * kPage, 300 * kPage);
    zero(owned, 310 * kPage, 200 * kPage);
    EXPECT_EQ(store_on("tmpfs", "size=96k", owned), "[2101248, 2043904 in holes]");
}

TEST(Holes, FullDiskIsNoticedBehindThem)
{
    OwnedPlan owned(kPage, 1, 1 << 20);
    zero(owned, 4 * kPage, 100 * kPage);
    // 16 pages fit; one of them is of zeros, in which the first hole is tried.
    EXPECT_EQ(store_on("tmpfs", "size=64k", owned), "No space left on device[471040, 405504 in holes]");
}

TEST(Holes, FileSystemThatHasNoneStoresTheZeros)
{
    OwnedPlan owned(kPage, 1, 1 << 20);
    zero(owned, 4 * kPage, 200 * kPage);
    // A ramfs does not say where its holes are, as a file system does that has none.
    EXPECT_EQ(store_on("ramfs", "", owned), "[1052672, 0 in holes]");
}

/// A dump whose memory ends with 16 pages at `lost`.
std::string store_with(const std::byte* lost)
{
    const TempDir folder;
    OwnedPlan owned(kPage, 1, 16 * kPage);
    owned.plan.body.push_back({lost, 16 * kPage});
    owned.plan.file_size += 16 * kPage;
    return in_child([&]() -> std::string {
        const auto stored = store(owned, folder.path());
        return stored ? stored.value().incomplete_because + " " + std::to_string(stored.value().bytes)
                      : stored.error().what;
    });
}

TEST(Holes, AreNotLookedForInMemoryThatTheHostCannotRead)
{
    const auto map = [](int protection, int flags, int fd) {
        void* const bytes = ::mmap(nullptr, 16 * kPage, protection, flags, fd, 0);
        must(bytes != MAP_FAILED, "mmap");
        return static_cast<const std::byte*>(bytes);
    };
    EXPECT_EQ(store_with(map(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1)), "Bad address 69632");
    // The file of the RAM was truncated: a read is SIGBUS.
    const int fd = ::memfd_create("ram", MFD_CLOEXEC);
    EXPECT_EQ(store_with(map(PROT_READ, MAP_SHARED, fd)), "Bad address 69632");
    ::close(fd);
}

TEST(Holes, DoNotCountForMaxBytes)
{
    auto config = small_config();
    config.max_bytes = 96 * 1024;
    config.max_dumps = 0;
    TestMachine m(config);
    m.host.guest.fill_pattern(kRam, 0x1000);
    m.add(0, ram_region(0, 0x80000));
    for (unsigned i = 0; i < 3; ++i) {
        m.dump(2);
        ASSERT_EQ(m.last_result(), 1u) << i;
        EXPECT_EQ(m.read64(0x050), 0x81000u) << "LAST_BYTES is the size of the file";
    }
    m.host.guest.fill_pattern(kRam, 0x80000);
    m.dump(2);
    EXPECT_EQ(m.last_result(), 3u) << "bytes that are no zeros count";
}

TEST(Holes, AreInTheSidecar)
{
    auto config = small_config();
    config.sidecar = true;
    TestMachine m(config);
    m.host.guest.fill_pattern(kRam, 0x1000);
    m.add(0, ram_region(0, 0x80000));
    m.dump();
    const auto text = bytes_of(m.folder / "kmemdump-0001-panic.elf.json");
    const auto sidecar = nlohmann::json::parse(reinterpret_cast<const char*>(text.data()),
                                               reinterpret_cast<const char*>(text.data() + text.size()));
    EXPECT_EQ(sidecar["bytes"], 0x81000u);
    EXPECT_GE(sidecar["bytes_in_holes"], 0x7d000u);
}

TEST(Holes, AreInThePartsOfAFolder)
{
    auto config = small_config();
    config.format = "qcom";
    TestMachine m(config);
    m.host.guest.fill_pattern(kRam, 0x1000);
    m.add(0, ram_region(0, 0x80000, 7));
    m.dump();
    ASSERT_EQ(m.last_result(), 1u);
    const std::string part = m.folder / "kmemdump-0001-panic/md_Kregion7.BIN";
    const auto bytes = bytes_of(part);
    ASSERT_EQ(bytes.size(), 0x80000u);
    EXPECT_TRUE(
        std::all_of(bytes.begin() + 0x1000, bytes.end(), [](std::byte b) { return b == std::byte{0}; }));
    EXPECT_LE(bytes_on_disk(part), 0x8000u);
}

TEST(Holes, AtTheEndOfADumpThatDoesNotFitMakeNoRoomForItsSidecar)
{
    auto config = small_config();
    config.sidecar = true;
    const TempDir folder;
    const auto said = in_child([&]() -> std::string {
        private_mounts();
        mount_tmpfs(folder.path(), "size=128k");
        config.output = folder.path();
        TestMachine m(config);
        m.host.guest.fill_pattern(kRam, 0x1e000);
        m.host.guest.fill_pattern(kRam + 0x60000, 0x8000);
        m.add(0, ram_region(0, 0x80000));
        m.dump();
        std::string names = std::to_string(m.last_result());
        for (const auto& name : names_in(folder.path())) {
            names += " " + name;
        }
        return names;
    });
    EXPECT_EQ(said, "3 kmemdump-0001-panic.elf.incomplete kmemdump-0001-panic.elf.incomplete.json");
}

} // namespace
