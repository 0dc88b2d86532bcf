// SPDX-License-Identifier: GPL-2.0-or-later
//
// How much JSON from elsewhere may ask of a parser, counted before there is one.
#pragma once

#include "common/result.h"

#include <cstddef>
#include <optional>
#include <string_view>

namespace kmdump
{

struct JsonLimits {
    std::size_t depth = 8;             ///< objects and lists in each other
    std::size_t values = 1 << 22;      ///< values and names of members, all together
    std::size_t token_bytes = 1 << 16; ///< of one text or number, as it is written
};

/// Takes a text in pieces and keeps none of it. It says nothing about whether the text is JSON.
class JsonBounds
{
  public:
    explicit JsonBounds(const JsonLimits& limits) : limits_(limits) {}

    /// The next bytes of the text. An error from the first limit on that is passed.
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
