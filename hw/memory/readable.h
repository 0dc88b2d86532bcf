// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whether mapped memory can be read: the host may have lost a page of guest RAM to a memory error, or the
// file that holds the RAM may have been truncated. A read would then end the emulator; a write from it just
// fails.
#pragma once

#include <cstddef>
#include <span>

namespace kmd
{

/// Whether all of `bytes` can be read now. Maps their pages, as reading does. False before Linux 5.14, which
/// cannot tell.
bool is_readable(std::span<const std::byte> bytes);

} // namespace kmd
