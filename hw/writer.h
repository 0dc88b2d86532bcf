// SPDX-License-Identifier: GPL-2.0-or-later
//
// Executes a plan: brings its bytes into a file of a folder, so that a file under its final name is
// complete, whatever happens.
#pragma once

#include "core_image.h"
#include "result.h"

#include <cstdint>
#include <string>

namespace kmd
{

/// A dump as it lies on the host.
struct WrittenFile {
    std::string path;
    /// Bytes in the file.
    std::uint64_t bytes = 0;
    /// Empty when the file is complete; otherwise why it is not, and the path says so too.
    std::string incomplete_because;
};

/// The absolute path of `folder` if dumps can be written to it: an error says what is wrong with it.
Result<std::string> check_output_folder(const std::string& folder);

/// Writes `plan` to `folder` as kmemdump-NNNN-REASON.elf, mode 0600, with the first number from
/// `first_number` on (1 or more; past 9999 it starts again at 1) that no dump there has; an existing
/// file is never touched.
///
/// Until its last byte is on the disk the file is called *.incomplete and its e_flags say the same.
/// When writing fails in between, the file stays so and is returned with the cause; when nothing
/// at all could be written, no file stays and the result is the error.
Result<WrittenFile> write_plan(const Plan& plan, const std::string& folder, const std::string& reason,
                               unsigned first_number);

} // namespace kmd
