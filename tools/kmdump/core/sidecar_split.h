// SPDX-License-Identifier: GPL-2.0-or-later
//
// Splits the list of regions off a sidecar. The list is most of the text, so its objects are parsed one by
// one: a single JSON tree would take ten times the size of the text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kmdump
{

struct SplitSidecar {
    std::string rest; ///< the text, with an empty list of regions
    std::vector<std::string_view> regions;
};

/// Cuts the objects out of the list "regions" of the outermost object. The list stays in `rest` if it
/// contains anything but objects, or one of more than 64 KiB. `text` must outlive the result.
SplitSidecar split_sidecar(std::string_view text);

} // namespace kmdump
