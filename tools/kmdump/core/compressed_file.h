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

/// The content, in an unlinked temporary file. A truncated file yields the content up to its end. An
/// error if the file is damaged, or its content has more than 4 GiB, or more non-zero bytes than 256 MiB
/// plus 64 times the size of the file: a small file can claim any size.
kmd::Result<File> decompress(const File& file);

} // namespace kmdump
