// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a stack ends: Linux leaves a page without memory between stacks.
#pragma once

#include "common/frame_record.h"
#include "common/page_size.h"

#include <cstdint>

namespace kmd
{

/// The first page above `sp` that cannot be read, at most `stack_size` bytes above the page of `sp`. Both are
/// in bytes. Any address is safe.
inline std::uint64_t end_of_stack(std::uint64_t sp, std::uint64_t stack_size, const ReadWord& read)
{
    const std::uint64_t first = sp & ~(kSmallestPage - 1);
    std::uint64_t page = first;
    while (page - first < stack_size && read(page)) {
        page += kSmallestPage;
    }
    return page;
}

} // namespace kmd
