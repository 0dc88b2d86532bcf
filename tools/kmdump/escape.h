// SPDX-License-Identifier: GPL-2.0-or-later
//
// Text that a guest chose, made safe for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace kmdump
{

/// Printable ASCII and tabs stay; every other byte becomes "\x" and two hexadecimal digits. Bytes
/// above 0x7f are among them: as UTF-8 or not, they can carry control characters too.
std::string escape(std::string_view bytes);

} // namespace kmdump
