// SPDX-License-Identifier: GPL-2.0-or-later
//
// Spoiled files: whatever stands in them, kmdump must end, and end well.
#include "core_maker.h"
#include "kmdump/cli/cli.h"
#include "plain_text.h"
#include "sanitized.h"
#include "task_maker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <span>
#include <sstream>
#include <string_view>

namespace
{

using kmdump_test::Bytes;
using kmdump_test::CoreMaker;
using kmdump_test::is_plain_text;
using kmdump_test::RingMaker;
using kmdump_test::TaskMaker;
using kmdump_test::TemporaryFile;

constexpr unsigned kRounds = kmd::test::kSanitized ? 600 : 3000; // fuzzing does more of them with sanitizers
constexpr auto kLongest = std::chrono::seconds(2);

/// Overwrites 1 to 8 bytes with noise, or with numbers on the edge, at a random place.
void spoil(std::span<std::byte> bytes, std::mt19937_64& random)
{
    constexpr std::uint64_t edges[] = {0,
                                       1,
                                       3,
                                       63,
                                       0x7fffffff,
                                       0xffffffff,
                                       ~std::uint64_t{0},
                                       ~std::uint64_t{0} - 7,
                                       std::uint64_t{1} << 63};
    const std::uint64_t value = random() % 2 == 0 ? random() : edges[random() % std::size(edges)];
    const std::size_t size = std::size_t{1} << random() % 4;
    const std::size_t place = random() % (bytes.size() - size + 1) / size * size;
    std::memcpy(&bytes[place], &value, size);
}

/// Runs every command on files made of `whole` by changing some of its bytes from `from` up to `to`.
void try_all(const Bytes& whole, std::size_t from, std::size_t to, std::uint64_t seed)
{
    std::mt19937_64 random(seed);
    const TemporaryFile file(whole);
    for (unsigned round = 0; round < kRounds; ++round) {
        Bytes bytes = whole;
        for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) {
            spoil(std::span(bytes).subspan(from, to - from), random);
        }
        if (random() % 16 == 0) {
            bytes.resize(random() % bytes.size());
        }
        file.write(bytes);
        const auto start = std::chrono::steady_clock::now();
        for (const auto command : {"info", "regions", "log", "cpus", "tasks", "modules", "verify"}) {
            std::ostringstream out;
            std::ostringstream err;
            const char* const argv[] = {"kmdump", command, file.path().c_str(), "--json"};
            const int status = kmdump::run(round % 2 == 0 ? 3 : 4, argv, out, err);
            ASSERT_TRUE(status == 0 || status == 1) << "round " << round;
            // A file must not blow up, and nothing but text may reach a terminal.
            ASSERT_LT(out.str().size(), 100 * whole.size() + 10000) << "round " << round;
            ASSERT_TRUE(is_plain_text(out.str() + err.str())) << "round " << round;
            const bool refused = status == 1 && out.str().empty();
            const bool damaged = status == 1 && std::string_view(command) == "log";
            ASSERT_EQ(std::ranges::count(err.str(), '\n'), refused || damaged ? 1 : 0) << "round " << round;
        }
        ASSERT_LT(std::chrono::steady_clock::now() - start, kLongest) << "round " << round;
    }
}

Bytes small_core(bool extended_numbering)
{
    RingMaker ring(4, 9);
    for (int i = 0; i < 40; ++i) {
        ring.write("record number " + std::to_string(i), 1000000u * static_cast<unsigned>(i));
    }
    ring.write_without_data(3, 3);
    ring.write("Kernel panic - not syncing: test");
    auto maker = ring.core();
    const CoreMaker tasks = TaskMaker::usual().core();
    maker.layout = tasks.layout;
    maker.memory.insert(maker.memory.begin(), tasks.memory[0]);
    maker.memory[0].phys = 0x50000000;
    maker.cpus = 1;
    maker.extended_numbering = extended_numbering;
    return maker.make();
}

TEST(Mutation, AnywhereInTheFile)
{
    const Bytes whole = small_core(false);
    try_all(whole, 0, whole.size(), 1);
}

TEST(Mutation, InTheHeadersAndNotes)
{
    try_all(small_core(true), 0, 64 + 3 * 56 + 64 + 500, 2);
}

TEST(Mutation, InTheRingBuffer)
{
    // The image, with the ring buffer in its second half, is the end of the file.
    const Bytes whole = small_core(false);
    try_all(whole, whole.size() - 0x100, whole.size() - 0x100 + 80, 3);
}

} // namespace
