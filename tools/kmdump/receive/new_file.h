// SPDX-License-Identifier: GPL-2.0-or-later
//
// Creates files with names that untrusted senders chose. No existing file is touched.
#pragma once

#include "common/descriptor.h"
#include "common/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace kmdump
{

/// Suffix of a file that is not complete yet.
inline constexpr const char* kIncomplete = ".incomplete";

/// Makes a plain file name of at most 200 characters: no path, not hidden.
std::string safe_name(std::string name);

struct NewFile {
    kmd::Descriptor fd;
    std::string name; ///< the final name, to which the file's name still adds kIncomplete
};

/// Creates the file `wanted` + kIncomplete in `folder`. Several machines can send dumps of the same name, so
/// a name that is taken gets a number in front.
kmd::Result<NewFile> create_for(int folder, const std::string& wanted);

std::optional<kmd::Error> write_all(int fd, std::string_view bytes);

/// Renames a file. An error if `to` exists.
std::optional<kmd::Error> rename_new(int folder, const std::string& from, const std::string& to);

} // namespace kmdump
