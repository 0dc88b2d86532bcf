// SPDX-License-Identifier: GPL-2.0-or-later
//
// Tables on a terminal.
#pragma once

#include "kmdump/cli/style.h"

#include <ostream>
#include <span>
#include <string>
#include <vector>

namespace kmdump
{

struct Column {
    const char* title;
    bool right; ///< aligned to the right, as numbers are
};

/// Each row has one escaped text for each column.
void print_table(std::span<const Column> columns, const std::vector<std::vector<std::string>>& rows,
                 const Style& style, std::ostream& out);

} // namespace kmdump
