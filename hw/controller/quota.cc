// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/quota.h"

#include <algorithm>
#include <limits>

namespace kmd
{

std::optional<std::string> Quota::why_no_attempt() const
{
    const std::string limit = "max-dumps=" + std::to_string(max_dumps_);
    if (max_dumps_ != 0 && files_ >= max_dumps_) {
        return limit + " is reached; further requests are ignored";
    }
    if (max_dumps_ != 0 && attempts_without_file_ >= max_dumps_) {
        return limit + " is reached by attempts that made no file; further requests are ignored";
    }
    return std::nullopt;
}

void Quota::charge_file(std::uint64_t bytes)
{
    --attempts_without_file_;
    ++files_;
    bytes_ += bytes;
}

std::uint64_t Quota::room() const
{
    return limits_bytes() ? max_bytes_ - std::min(max_bytes_, bytes_)
                          : std::numeric_limits<std::uint64_t>::max();
}

} // namespace kmd
