// SPDX-License-Identifier: GPL-2.0-or-later
//
// A plan for tests of what executes plans.
#pragma once

#include "hw/image/plan.h"

#include <cstddef>
#include <span>
#include <vector>

namespace kmd::test
{

/// A plan with a head of `head` bytes and a body of pieces, and the memory that it points to.
struct OwnedPlan {
    OwnedPlan(std::size_t head, std::size_t pieces, std::size_t piece_size) : memory(pieces * piece_size)
    {
        for (std::size_t i = 0; i < memory.size(); ++i) {
            memory[i] = static_cast<std::byte>(i * 31 + i / 251);
        }
        plan.head.assign(head, std::byte{0x48});
        plan.head[48] = std::byte{1};
        plan.head[49] = plan.head[50] = plan.head[51] = std::byte{0};
        plan.flags_offset = 48;
        for (std::size_t i = 0; i < pieces; ++i) {
            plan.body.push_back(std::span<const std::byte>(memory).subspan(i * piece_size, piece_size));
        }
        plan.file_size = head + memory.size();
        plan.vital_size = head;
    }

    /// What a complete file holds: everything, with the mark cleared.
    std::vector<std::byte> file() const
    {
        std::vector<std::byte> bytes = plan.head;
        bytes[48] = std::byte{0};
        bytes.insert(bytes.end(), memory.begin(), memory.end());
        return bytes;
    }

    std::vector<std::byte> memory;
    Plan plan;
};

} // namespace kmd::test
