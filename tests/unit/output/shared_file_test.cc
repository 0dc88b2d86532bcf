// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/shared_file.h"

#include "hw/output/os_file.h"
#include "temp_dir.h"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <vector>

namespace
{

using namespace kmd;
using test::TempDir;

constexpr std::uint64_t kAnyRoom = std::numeric_limits<std::uint64_t>::max();

class SharedFileTest : public testing::Test
{
  protected:
    Result<std::uint64_t> store(std::uint64_t room = kAnyRoom)
    {
        return store_shared_file(opened.get(), {"types.btf", bytes}, room, "there is no room");
    }

    TempDir folder;
    Descriptor opened = open_folder(folder.path());
    std::vector<std::byte> bytes = std::vector<std::byte>(200'000, std::byte{7});
    const std::string path = folder / "types.btf";
};

TEST_F(SharedFileTest, IsWrittenOnce)
{
    EXPECT_EQ(store().value(), bytes.size());
    EXPECT_EQ(test::bytes_of(path), bytes);
    EXPECT_EQ(store().value(), 0u);
    EXPECT_EQ(test::names_in(folder.path()), std::vector<std::string>{"types.btf"});
}

TEST_F(SharedFileTest, WithOtherContentsIsLeftAlone)
{
    auto other = bytes;
    other.back() = std::byte{8};
    std::ofstream(path).write(reinterpret_cast<const char*>(other.data()),
                              static_cast<std::streamsize>(other.size()));
    EXPECT_NE(store().error().what.find("has other contents"), std::string::npos);
    EXPECT_EQ(test::bytes_of(path), other);
}

TEST_F(SharedFileTest, IsNotReadThroughALinkNorFromAPipe)
{
    const std::string elsewhere = folder / "elsewhere";
    std::ofstream(elsewhere) << "secret";
    std::filesystem::create_symlink(elsewhere, path);
    EXPECT_FALSE(store());
    EXPECT_EQ(test::bytes_of(elsewhere).size(), 6u);
    std::filesystem::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_FALSE(store()) << "and does not wait for a writer";
}

TEST_F(SharedFileTest, ThatDoesNotFitIsNotBegun)
{
    EXPECT_EQ(store(bytes.size() - 1).error().what, "there is no room");
    EXPECT_TRUE(test::names_in(folder.path()).empty());
    EXPECT_TRUE(store(bytes.size()));
}

TEST_F(SharedFileTest, OfAWriterThatDiedIsWrittenAnew)
{
    std::ofstream(path + ".incomplete") << "half";
    EXPECT_EQ(store().value(), bytes.size());
    EXPECT_EQ(test::names_in(folder.path()), std::vector<std::string>{"types.btf"});
}

TEST_F(SharedFileTest, OfAWriterThatLivesIsLeftToIt)
{
    const Descriptor writer = claim_file(opened.get(), "types.btf.incomplete");
    ASSERT_TRUE(writer);
    EXPECT_EQ(store().error().what, "another writer is storing it");
    EXPECT_EQ(test::names_in(folder.path()), std::vector<std::string>{"types.btf.incomplete"});
}

TEST_F(SharedFileTest, WrittenByManyAtOnceIsComplete)
{
    constexpr int kWriters = 8;
    for (int i = 0; i < kWriters; ++i) {
        if (::fork() == 0) {
            (void)store();
            ::_exit(0);
        }
    }
    for (int i = 0; i < kWriters; ++i) {
        ::wait(nullptr);
    }
    EXPECT_EQ(store().value(), 0u);
    EXPECT_EQ(test::names_in(folder.path()), std::vector<std::string>{"types.btf"});
}

} // namespace
