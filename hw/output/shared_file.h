// SPDX-License-Identifier: GPL-2.0-or-later
//
// A file beside dumps that several of them, and several emulators, need: written once, never changed.
#pragma once

#include "common/result.h"
#include "hw/output/sink.h"

#include <cstdint>

namespace kmd
{

/// Makes sure that `folder` has the file. Returns how many bytes were written for it; 0 if it was there. An
/// error says why it is not there: a file of that name has other contents and is left as it is; or `room`
/// bytes are not enough, for the reason `out_of_room`; or it cannot be written. Its name always names a
/// complete file.
Result<std::uint64_t> store_shared_file(int folder, const SharedFile& file, std::uint64_t room,
                                        const char* out_of_room);

} // namespace kmd
