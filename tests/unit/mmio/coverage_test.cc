// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the answer to "does this range touch another one?", also at both ends of the address
// space, by hand-made cases and against a naive model, and that it costs the same wherever the ranges lie.
#include "cpu_time.h"
#include "hw/mmio/coverage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

namespace
{

using kmd::Coverage;

constexpr std::uint64_t kTop = 0xffffffffffffffff;

TEST(Coverage, OfNothingIsNothing)
{
    const Coverage coverage;
    EXPECT_FALSE(coverage.any(0, 0));
    EXPECT_FALSE(coverage.any(0, kTop));
}

TEST(Coverage, HoldsFirstAndLastByteAndNoNeighbour)
{
    Coverage coverage;
    coverage.add(100, 199);
    EXPECT_TRUE(coverage.any(100, 100));
    EXPECT_TRUE(coverage.any(150, 150));
    EXPECT_TRUE(coverage.any(199, 199));
    EXPECT_FALSE(coverage.any(99, 99));
    EXPECT_FALSE(coverage.any(200, 200));
    EXPECT_FALSE(coverage.any(0, 99));
    EXPECT_FALSE(coverage.any(200, kTop));
    EXPECT_TRUE(coverage.any(0, 100));
    EXPECT_TRUE(coverage.any(199, kTop));
    EXPECT_TRUE(coverage.any(0, kTop));
}

TEST(Coverage, OfOneByteAtEitherEndOfTheSpace)
{
    Coverage coverage;
    coverage.add(0, 0);
    coverage.add(kTop, kTop);
    EXPECT_TRUE(coverage.any(0, 0));
    EXPECT_TRUE(coverage.any(kTop, kTop));
    EXPECT_FALSE(coverage.any(1, kTop - 1));
    coverage.remove(kTop, kTop);
    EXPECT_FALSE(coverage.any(1, kTop));
    coverage.remove(0, 0);
    EXPECT_FALSE(coverage.any(0, kTop));
}

TEST(Coverage, OfTheWholeSpaceGoesAway)
{
    Coverage coverage;
    coverage.add(0, kTop);
    coverage.add(5, 6);
    EXPECT_TRUE(coverage.any(kTop, kTop));
    coverage.remove(0, kTop);
    EXPECT_FALSE(coverage.any(7, kTop));
    EXPECT_FALSE(coverage.any(0, 4));
    EXPECT_TRUE(coverage.any(6, 6));
}

TEST(Coverage, StaysWhileAnotherRangeHoldsTheByte)
{
    Coverage coverage;
    coverage.add(10, 29);
    coverage.add(20, 39);
    coverage.add(10, 29);
    coverage.remove(10, 29);
    EXPECT_TRUE(coverage.any(10, 10));
    coverage.remove(10, 29);
    EXPECT_FALSE(coverage.any(10, 19));
    EXPECT_TRUE(coverage.any(20, 20));
    EXPECT_TRUE(coverage.any(39, 39));
    coverage.remove(20, 39);
    EXPECT_FALSE(coverage.any(0, kTop));
}

TEST(Coverage, KeepsANeighbourWhenItsOtherNeighbourGoes)
{
    Coverage coverage;
    coverage.add(0, 9);
    coverage.add(10, 19);
    coverage.add(20, 29);
    coverage.remove(10, 19);
    EXPECT_TRUE(coverage.any(9, 9));
    EXPECT_FALSE(coverage.any(10, 19));
    EXPECT_TRUE(coverage.any(20, 20));
}

TEST(Coverage, ClearForgetsEverything)
{
    Coverage coverage;
    coverage.add(0, kTop);
    coverage.add(10, 19);
    coverage.clear();
    EXPECT_FALSE(coverage.any(0, kTop));
}

/// Random additions and removals in a space of 40 bytes that starts at `base`, compared byte by
/// byte with one counter for each byte.
void compare_with_counters(std::uint64_t base, unsigned seed)
{
    constexpr unsigned kBytes = 40;
    std::mt19937 random(seed);
    Coverage coverage;
    std::array<int, kBytes> counters{};
    std::vector<std::pair<unsigned, unsigned>> ranges;
    for (int step = 0; step < 400; ++step) {
        const bool take = !ranges.empty() && random() % 100 < 48;
        std::pair<unsigned, unsigned> range;
        if (take) {
            const auto which = static_cast<std::ptrdiff_t>(random() % ranges.size());
            range = ranges[static_cast<std::size_t>(which)];
            ranges.erase(ranges.begin() + which);
            coverage.remove(base + range.first, base + range.second);
        } else {
            range.first = static_cast<unsigned>(random() % kBytes);
            range.second = range.first + static_cast<unsigned>(random() % (kBytes - range.first));
            ranges.push_back(range);
            coverage.add(base + range.first, base + range.second);
        }
        for (unsigned i = range.first; i <= range.second; ++i) {
            counters[i] += take ? -1 : 1;
        }
        for (unsigned first = 0; first < kBytes; ++first) {
            bool covered = false;
            for (unsigned last = first; last < kBytes; ++last) {
                covered = covered || counters[last] > 0;
                ASSERT_EQ(coverage.any(base + first, base + last), covered)
                    << "seed " << seed << ", step " << step << ": " << first << " to " << last;
            }
        }
    }
}

TEST(Coverage, AgreesWithCountersAtTheBeginningOfTheSpace)
{
    for (unsigned seed = 0; seed < 10; ++seed) {
        compare_with_counters(0, seed);
    }
}

TEST(Coverage, AgreesWithCountersInTheMiddleOfTheSpace)
{
    for (unsigned seed = 100; seed < 110; ++seed) {
        compare_with_counters(0x7ffffffffffffff0, seed);
    }
}

TEST(Coverage, AgreesWithCountersAtTheEndOfTheSpace)
{
    for (unsigned seed = 200; seed < 210; ++seed) {
        compare_with_counters(kTop - 39, seed);
    }
}

/// Nearly as many ranges as there can be slots, each inside the one before it, and one around all of them
/// that comes and goes.
TEST(Coverage, ChangesOfARangeAroundAllOthersCostNoMoreThanOthers)
{
    constexpr std::uint64_t kRanges = 65535;
    constexpr int kChanges = 5000;
    Coverage coverage;
    for (std::uint64_t i = 1; i <= kRanges; ++i) {
        coverage.add(i, kTop - i);
    }
    const double start = kmd::test::cpu_seconds();
    for (int i = 0; i < kChanges; ++i) {
        coverage.add(0, kTop);
        ASSERT_TRUE(coverage.any(0, 0));
        coverage.remove(0, kTop);
        ASSERT_FALSE(coverage.any(0, 0));
    }
    EXPECT_LT(kmd::test::cpu_seconds() - start, kChanges * 200e-6);
}

TEST(Coverage, OfManyRangesThatComeAndGoAgreesWithASortedCopy)
{
    std::mt19937_64 random(1);
    Coverage coverage;
    std::vector<std::uint64_t> numbers;
    for (int i = 0; i < 20000; ++i) {
        numbers.push_back(random() % 200000 * 2);
        coverage.add(numbers.back(), numbers.back());
    }
    // In an order of its own, so that blocks of every length arise.
    std::shuffle(numbers.begin(), numbers.end(), random);
    while (!numbers.empty()) {
        const std::uint64_t gone = numbers.back();
        numbers.pop_back();
        coverage.remove(gone, gone);
        if (numbers.size() % 100 == 0) {
            std::vector<std::uint64_t> sorted = numbers;
            std::sort(sorted.begin(), sorted.end());
            for (int i = 0; i < 50; ++i) {
                const std::uint64_t first = random() % 400000;
                const auto next = std::lower_bound(sorted.begin(), sorted.end(), first);
                const std::uint64_t last = first + random() % 200;
                ASSERT_EQ(coverage.any(first, last), next != sorted.end() && *next <= last);
            }
        }
    }
    EXPECT_FALSE(coverage.any(0, kTop));
}

} // namespace
