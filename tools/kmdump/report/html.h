// SPDX-License-Identifier: GPL-2.0-or-later
//
// Text that a guest chose, made safe for a page.
#pragma once

#include <string>
#include <string_view>

namespace kmdump
{

/// For an element's content and for an attribute between double quotes: escape() of escape.h, so that it is
/// printable ASCII, and then the five characters that HTML knows. Line feeds stay.
std::string html(std::string_view bytes);

} // namespace kmdump
