// SPDX-License-Identifier: GPL-2.0-or-later
//
// Dumps that were written with compress=zstd.
#pragma once

#include "common/result.h"
#include "kmdump/core/file.h"

namespace kmdump
{

/// Whether the file begins with a zstd frame (RFC 8878).
bool is_zstd(const File& file);

/// The content, in a temporary file that nobody else sees. Of a file that was cut off it is what there
/// was. An error when it is damaged, or holds more than 4 GiB, or more than 256 MiB
/// and 64 times its size that are not zeros: a small file can claim any size.
kmd::Result<File> decompress(const File& file);

} // namespace kmdump
