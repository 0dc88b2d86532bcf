// SPDX-License-Identifier: GPL-2.0-or-later
//
// The list of regions is most of a sidecar. Its objects are parsed one by one: as one tree they would take
// ten times their text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kmdump
{

struct SplitSidecar {
    std::string rest; ///< the text with an empty list of regions
    std::vector<std::string_view> regions;
};

/// Cuts the objects out of the list "regions" of the outermost object. A list that is not made of objects
/// alone, or has one of more than 64 KiB, stays where it is. `text` outlives the result.
SplitSidecar split_sidecar(std::string_view text);

} // namespace kmdump
