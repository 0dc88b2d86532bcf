// SPDX-License-Identifier: GPL-2.0-or-later
//
// A guest that goes from the machine's QEMU to that of another release (KMD_QEMU).
#include "environment.h"
#include "run_folder.h"
#include "window.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace device;
using support::ElfCore;
using support::QtestMachine;

namespace
{

constexpr std::uint64_t kVirt = 0xffff800080000000;

/// Both sides have the older one's machine. The last -M counts.
const std::vector<std::string> kMachine = {"-M", "virt-7.2", "-device", "kmemdump-md-pci,addr=5"};

template <class Condition> void wait_until(const Condition& condition)
{
    for (int i = 0; i < 4000 && !condition(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_TRUE(condition());
}

class ReleaseMigration : public testing::Test
{
  protected:
    void SetUp() override
    {
        const std::string other = support::required("KMD_QEMU");
        const char* const way = std::getenv("KMD_WAY_IN");
        const std::string other_way = way == nullptr ? "plugin" : way;
        ASSERT_EQ(::unsetenv("KMD_QEMU"), 0);
        ASSERT_EQ(::setenv("KMD_WAY_IN", "plugin", 1), 0);
        {
            QtestMachine source("", kMachine);
            source.write_memory(kRam + 0x3000, std::vector<std::byte>(4096, std::byte{0x5a}));
            ASSERT_EQ(commit(source, 3, {kRam + 0x3000, kVirt, 4096, 7}), 1u);
            source.qmp().execute("migrate", {{"uri", "exec:cat >" + stream()}});
            wait_until(
                [&] { return source.qmp().execute("query-migrate").value("status", "") == "completed"; });
        }
        ASSERT_EQ(::setenv("KMD_QEMU", other.c_str(), 1), 0);
        ASSERT_EQ(::setenv("KMD_WAY_IN", other_way.c_str(), 1), 0);
    }

    std::string stream() const { return folder_.file("stream"); }

    std::vector<std::string> incoming() const
    {
        auto arguments = kMachine;
        arguments.insert(arguments.end(), {"-incoming", "exec:cat " + stream()});
        return arguments;
    }

    support::RunFolder folder_;
};

TEST_F(ReleaseMigration, CarriesTheTableIntoAnotherQemu)
{
    QtestMachine target("", incoming());
    wait_until([&] { return target.qmp().execute("query-status")["status"] != "inmigrate"; });
    EXPECT_EQ(target.read32(kRegionCount), 1u);
    EXPECT_EQ(target.read64(slot(3)), kRam + 0x3000);
    EXPECT_EQ(ring(target), 1u);
    ASSERT_EQ(target.dumps().size(), 1u) << target.messages();
    EXPECT_EQ(ElfCore::read(target.dumps()[0]).physical(kRam + 0x3000, 4096),
              std::vector<std::byte>(4096, std::byte{0x5a}));
}

TEST_F(ReleaseMigration, IntoATableOfAnotherSizeIsRefusedWithBothNumbers)
{
    QtestMachine target("slots=100", incoming());
    EXPECT_EQ(target.wait_for_the_end(), 1);
    EXPECT_NE(
        target.messages().find("kmemdump-md: the incoming state has 512 slots, this controller has 100: "
                               "give it slots=512"),
        std::string::npos)
        << target.messages();
}

} // namespace
