// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes text from a guest safe for HTML.
#pragma once

#include <string>
#include <string_view>

namespace kmdump
{

/// Applies escape() of escape.h and then escapes the five special characters of HTML, so that the result can
/// be content or a quoted attribute. Newlines stay.
std::string html(std::string_view bytes);

} // namespace kmdump
