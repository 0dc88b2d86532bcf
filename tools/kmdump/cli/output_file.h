// SPDX-License-Identifier: GPL-2.0-or-later
//
// Files that commands write for the user.
#pragma once

#include "common/result.h"

#include <functional>
#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

/// Replaces the file at `path` once `write` has written all of it. `what`: the contents, for an error.
std::optional<kmd::Error> write_output_file(const std::string& path, const std::string& what,
                                            const std::function<void(std::ostream&)>& write);

} // namespace kmdump
