// SPDX-License-Identifier: GPL-2.0-or-later
//
// Reads the result from the trailer of a dump without keeping the rest in memory.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

namespace kmdump
{

/// The member "result" of the object at the file's position; an empty string if there is no such member.
/// Nothing if the file does not hold an object.
std::optional<std::string> read_result(std::FILE* file);

} // namespace kmdump
