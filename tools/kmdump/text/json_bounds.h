// SPDX-License-Identifier: GPL-2.0-or-later
//
// Limits on untrusted JSON, checked before it is parsed.
#pragma once

#include "common/result.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace kmdump
{

struct JsonLimits {
    std::size_t depth = 8;             ///< nested objects and lists
    std::size_t values = 1 << 22;      ///< values and member names
    std::size_t token_bytes = 1 << 16; ///< bytes of one string or number, as written
};

/// Checks a text piece by piece without keeping it. Does not check that the text is valid JSON.
class JsonBounds
{
  public:
    explicit JsonBounds(const JsonLimits& limits) : limits_(limits) {}

    /// Takes the next bytes of the text. Returns an error once a limit is exceeded.
    std::optional<kmd::Error> feed(std::string_view text);

  private:
    void feed(char c);

    JsonLimits limits_;
    std::size_t depth_ = 0;
    std::size_t deepest_ = 0;
    std::size_t values_ = 1;
    std::size_t token_ = 0;
    std::size_t longest_ = 0;
    bool in_text_ = false;
    bool escaped_ = false;
};

} // namespace kmdump
