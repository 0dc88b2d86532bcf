// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files for what others send: their names are the senders', and no file that exists is touched.
#pragma once

#include "common/descriptor.h"
#include "common/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace kmdump
{

/// Behind the name of a file that is not complete yet.
inline constexpr const char* kIncomplete = ".incomplete";

/// No part of the result is a path, or hidden; at most 200 characters.
std::string safe_name(std::string name);

struct NewFile {
    kmd::Descriptor fd;
    std::string name; ///< the final one; the file has it with kIncomplete behind it
};

/// Several machines can send dumps of the same name: the later ones get a number in front.
kmd::Result<NewFile> create_for(int folder, const std::string& wanted);

std::optional<kmd::Error> write_all(int fd, std::string_view bytes);

/// An error when something has that name.
std::optional<kmd::Error> rename_new(int folder, const std::string& from, const std::string& to);

} // namespace kmdump
