// SPDX-License-Identifier: GPL-2.0-or-later
//
// Exit statuses of kmdump. kmdump/run/run_outcome.h has further ones of `run`.
#pragma once

namespace kmdump
{

inline constexpr int kOk = 0;
inline constexpr int kDumpError = 1;  ///< the dump cannot be read or the output cannot be written
inline constexpr int kUsageError = 2; ///< the command line is invalid

} // namespace kmdump
