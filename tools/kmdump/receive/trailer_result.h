// SPDX-License-Identifier: GPL-2.0-or-later
//
// Takes from the trailer of a dump what a receiver has to know, and keeps nothing else of it.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

namespace kmdump
{

/// The member "result" of the object that the file holds from where it stands; empty when it has none. None
/// when it is no object.
std::optional<std::string> read_result(std::FILE* file);

} // namespace kmdump
