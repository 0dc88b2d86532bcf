// SPDX-License-Identifier: GPL-2.0-or-later
//
// The search of the kernel's objects: capture=more.
#include "hw/linux/linux_guest.h"

#include "core_reader.h"
#include "cpu_time.h"
#include "fake_kernel.h"
#include "fake_objects.h"
#include "test_machine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <vector>

namespace
{

using namespace kmd;
using test::FakeGuest;
using test::FakeKernel;
using test::FakeObjects;
using test::open_a_file;
using test::OpenFile;

constexpr std::uint64_t kPage = 0x1000;
/// Several times what the worst kernel takes on a slow machine.
constexpr double kMostSeconds = 1.0;

class KernelObjects : public testing::Test
{
  protected:
    /// A page with an object, and the address of the object: not at the start of the page.
    std::uint64_t object() { return kernel.allocate(1) + 0x100; }

    /// The list with the head at `head` gets one entry, whose struct list_head is at `entry`.
    void link(std::uint64_t head_phys, std::uint64_t head, std::uint64_t entry)
    {
        kernel.put64(head_phys, entry);
        kernel.put64_at(entry, head);
    }

    void search()
    {
        kernel.finish();
        LinuxGuest linux_guest;
        const LinuxKernel* const found =
            linux_guest.find({.elf_machine = 183}, guest, LinuxGuest::kMostPages);
        ASSERT_NE(found, nullptr);
        const double before = test::cpu_seconds();
        objects = read_objects(*found, guest);
        seconds = test::cpu_seconds() - before;
    }

    /// All that is missing, in one text.
    std::string missing() const
    {
        std::string text;
        for (const std::string& sentence : objects.missing) {
            text += (text.empty() ? "" : "; ") + sentence;
        }
        return text;
    }

    bool has(std::uint64_t address) const
    {
        return std::any_of(objects.regions.begin(), objects.regions.end(), [&](const Region& region) {
            return address - region.virt < region.size &&
                   region.phys - region.virt + address == address - FakeKernel::kLinear;
        });
    }

    FakeGuest guest;
    FakeKernel kernel{guest};
    FakeObjects variables{kernel};
    KernelPart objects;
    double seconds = 0;
};

TEST_F(KernelObjects, HaveTheNamesOfOpenFiles)
{
    const OpenFile file = open_a_file(kernel, 2);
    search();
    for (const std::uint64_t at : {file.files, file.table, file.pointers, file.file, file.entry, file.name}) {
        EXPECT_TRUE(has(at)) << std::hex << at;
    }
    EXPECT_EQ(missing(), "");
}

TEST_F(KernelObjects, HaveNoFileBehindTheNumberOfDescriptors)
{
    const OpenFile file = open_a_file(kernel, 1);
    search();
    EXPECT_TRUE(has(file.pointers));
    EXPECT_FALSE(has(file.file));
}

TEST_F(KernelObjects, OfATableWithMoreElementsThanAreFollowedAreMissedAndSaidSo)
{
    const OpenFile file = open_a_file(kernel, 4097);
    search();
    EXPECT_TRUE(has(file.file));
    EXPECT_NE(missing().find("more files, mounts, timers and other objects"), std::string::npos);
}

TEST_F(KernelObjects, HaveWhatListsAndBucketsLeadTo)
{
    const auto [queue, link_of_both, pool, worker, other] =
        std::array{object(), object(), object(), object(), object()};
    link(variables.workqueues - FakeKernel::kImage, variables.workqueues, queue + 16);
    link(queue - FakeKernel::kLinear, queue, link_of_both + 32);
    kernel.put64_at(link_of_both, pool);
    kernel.put64_at(pool + 32 + 16, worker + 16);
    kernel.put64_at(worker + 16, other + 16);
    search();
    for (const std::uint64_t at : {queue, link_of_both, pool, worker, other}) {
        EXPECT_TRUE(has(at)) << std::hex << at;
    }
}

TEST_F(KernelObjects, HaveWhatMapleTreesAndXarraysAndPerCpuPointersLeadTo)
{
    const std::uint64_t root = kernel.allocate(1);
    const std::uint64_t leaf = kernel.allocate(1) + 0x100;
    const auto [interrupt, name, count, node, pool] =
        std::array{object(), object(), object(), kernel.allocate(1), object()};
    kernel.put64(variables.sparse_irqs - FakeKernel::kImage + 8, root | 3 << 3 | 2);
    kernel.put64_at(root + 80 + 8, leaf | 1 << 3 | 2);
    kernel.put64_at(leaf + 128 + 24, interrupt);
    kernel.put64_at(interrupt, name);
    kernel.put64_at(interrupt + 8, count);
    kernel.put64(variables.worker_pool_idr - FakeKernel::kImage + 8, node | 2);
    kernel.put64_at(node + 40 + 16, pool);
    search();
    for (const std::uint64_t at : {root, leaf, interrupt, name, count, node, pool}) {
        EXPECT_TRUE(has(at)) << std::hex << at;
    }
}

TEST_F(KernelObjects, HaveWhatRedBlackTreesAndArraysOfEachCpuLeadTo)
{
    const auto [top, right, left] = std::array{object(), object(), object()};
    kernel.put64(variables.hrtimer_bases - FakeKernel::kImage + 64 + 2 * 64 + 32, top + 16);
    kernel.put64_at(top + 16 + 8, right + 16);
    kernel.put64_at(top + 16 + 16, left + 16);
    kernel.put64_at(left + 16 + 8, top + 16);
    search();
    EXPECT_TRUE(has(top));
    EXPECT_TRUE(has(right));
    EXPECT_TRUE(has(left));
    EXPECT_EQ(missing(), "");
}

TEST_F(KernelObjects, HaveTheArgumentsOfProcessesByTheirPageTables)
{
    const std::uint64_t task = kernel.add_task("sh");
    const auto [space, first, second, third, last, text, more] =
        std::array{object(),           kernel.allocate(1), kernel.allocate(1), kernel.allocate(1),
                   kernel.allocate(1), kernel.allocate(1), kernel.allocate(1)};
    kernel.put64_at(task + FakeKernel::kSpace, space);
    kernel.put64_at(space, first);
    kernel.put64_at(space + 8, 0x400ff0);
    kernel.put64_at(space + 16, 0x401010);
    const auto put_entry = [&](std::uint64_t table, unsigned index, std::uint64_t to) {
        kernel.put64_at(table + 8 * std::uint64_t{index}, (to - FakeKernel::kLinear) | 3);
    };
    put_entry(first, 0, second);
    put_entry(second, 0, third);
    put_entry(third, 2, last);
    put_entry(last, 0, text);
    put_entry(last, 1, more);
    search();
    for (const std::uint64_t at : {space, first, second, third, last, text, more}) {
        EXPECT_TRUE(has(at)) << std::hex << at;
    }
    EXPECT_EQ(missing(), "");
    // At the end of all addresses, and longer than anybody looks at.
    for (const auto& [begin, end] : {std::pair(~std::uint64_t{0} - 8, ~std::uint64_t{0}),
                                     std::pair(std::uint64_t{0}, ~std::uint64_t{0})}) {
        kernel.put64_at(space + 8, begin);
        kernel.put64_at(space + 16, end);
        search();
        EXPECT_EQ(missing().find("larger than 64 KiB") != std::string::npos, begin == 0);
        EXPECT_LT(seconds, kMostSeconds);
    }
}

TEST_F(KernelObjects, BehindABreakInAListAreMissedAndSaidSo)
{
    const std::uint64_t queue = object();
    link(variables.workqueues - FakeKernel::kImage, variables.workqueues, queue + 16);
    kernel.put64_at(queue + 16, 0);
    search();
    EXPECT_TRUE(has(queue));
    EXPECT_EQ(missing(), "1 lists of the kernel's objects are broken: what follows the break is left out");
}

TEST_F(KernelObjects, OfAKernelWithoutTypesAreMissedAndSaidSo)
{
    kernel.with_types = false;
    search();
    EXPECT_TRUE(objects.regions.empty());
    EXPECT_EQ(missing(), "the kernel's symbols or types are not known, so capture=more finds no objects");
}

TEST_F(KernelObjects, BeyondTheirLimitAreMissedInABoundedTime)
{
    constexpr std::uint64_t kNumber = 100'000;
    constexpr std::uint64_t kSize = 64;
    const std::uint64_t chain = kernel.allocate(kNumber * kSize / kPage + 1);
    kernel.put64(variables.iomem_resource - FakeKernel::kImage + 8, chain);
    for (std::uint64_t i = 0; i + 1 < kNumber; ++i) {
        kernel.put64_at(chain + kSize * i + 8, chain + kSize * (i + 1));
    }
    search();
    EXPECT_NE(missing().find("more files, mounts, timers and other objects"), std::string::npos);
    EXPECT_TRUE(has(chain + kSize * 1000));
    EXPECT_FALSE(has(chain + kSize * (kNumber - 1)));
    EXPECT_LT(seconds, kMostSeconds);
    std::cout << "seconds: " << seconds << "\n";
}

/// Every list of 2,000 leads to all that follow it.
TEST_F(KernelObjects, ThatLeadToEachOtherInSquaresTakeABoundedTime)
{
    constexpr std::uint64_t kNumber = 2000;
    const std::uint64_t works = kernel.allocate(kNumber * 64 / kPage + 1);
    const std::uint64_t links = kernel.allocate(kNumber * 64 / kPage + 1);
    const std::uint64_t queue = object();
    link(variables.workqueues - FakeKernel::kImage, variables.workqueues, queue + 16);
    kernel.put64_at(queue, links + 32);
    for (std::uint64_t i = 0; i < kNumber; ++i) {
        const bool last = i + 1 == kNumber;
        kernel.put64_at(links + 64 * i + 8, works + 64 * i + 8);
        kernel.put64_at(links + 64 * i + 32, last ? queue : links + 64 * (i + 1) + 32);
        kernel.put64_at(works + 64 * i + 8, last ? works + 8 : works + 64 * (i + 1) + 8);
    }
    search();
    EXPECT_NE(missing(), "");
    EXPECT_LT(seconds, kMostSeconds);
    std::cout << "seconds: " << seconds << "\n";
}

TEST_F(KernelObjects, ThatShareALargeArrayTakeABoundedTime)
{
    constexpr std::uint64_t kNumber = 60'000;
    constexpr std::uint64_t kSize = 64;
    const std::uint64_t devices = kernel.allocate(kNumber * kSize / kPage + 1);
    const std::uint64_t queues = kernel.allocate(8);
    kernel.put64(variables.init_net - FakeKernel::kImage, devices);
    for (std::uint64_t i = 0; i < kNumber; ++i) {
        const std::uint64_t device = devices + kSize * i;
        kernel.put64_at(device, i + 1 == kNumber ? variables.init_net : device + kSize);
        kernel.put64_at(device + 16, queues);
        kernel.put64_at(device + 24, 4096);
    }
    search();
    EXPECT_NE(missing().find("more files, mounts, timers and other objects"), std::string::npos);
    EXPECT_LT(seconds, kMostSeconds);
    std::cout << "seconds: " << seconds << "\n";
}

TEST(CaptureMore, IsInTheDumpAndSaysWhatItLacks)
{
    for (const bool broken : {false, true}) {
        Config config = test::small_config();
        config.capture += "+more";
        config.linux_capture = "auto";
        test::TestMachine machine(config);
        FakeKernel kernel(machine.host.guest);
        const std::uint64_t end = kernel.place("_sdata", kPage) + kPage;
        kernel.place("_edata", 8);
        const FakeObjects variables(kernel);
        const OpenFile file = open_a_file(kernel, 2);
        if (broken) {
            kernel.put64(variables.workqueues - FakeKernel::kImage, file.name);
        }
        kernel.finish();
        kernel.set("panic_cpu", 1);
        machine.controller->machine_event(KMD_EVENT_RESET);
        ASSERT_FALSE(machine.controller->last_file().empty());
        const test::CoreReader dump(test::bytes_of(machine.controller->last_file()));
        EXPECT_TRUE(dump.read_virt(file.name, 8));
        EXPECT_TRUE(dump.read_virt(end - 8, 8)) << "the variables are in it, too";
        EXPECT_EQ(machine.controller->last_attempt().result,
                  broken ? KMD_RESULT_PARTIAL : KMD_RESULT_COMPLETE);
    }
}

} // namespace
