// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes text from a guest safe for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace kmdump
{

/// Keeps tabs and the printable characters of valid UTF-8. Doubles a backslash, and replaces every other
/// byte by "\x" and two hexadecimal digits: control characters, characters that are invisible or change the
/// direction of text, and invalid UTF-8. This is reversible.
std::string escape(std::string_view bytes);

/// Whether all of it is valid UTF-8, as JSON requires.
bool is_utf8(std::string_view bytes);

} // namespace kmdump
