// SPDX-License-Identifier: GPL-2.0-or-later
//
// Text that a guest chose, made safe for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace kmdump
{

/// Printable ASCII, tabs, and printable characters in valid UTF-8 stay. A backslash becomes two; each byte
/// of anything else becomes "\x" and two hexadecimal digits: control characters, what turns the direction
/// of writing or takes no room, and bytes that are no UTF-8. So the bytes can be got back.
std::string escape(std::string_view bytes);

/// Whether all of it is UTF-8, as JSON wants it.
bool is_utf8(std::string_view bytes);

} // namespace kmdump
