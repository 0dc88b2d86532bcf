// SPDX-License-Identifier: GPL-2.0-or-later
//
// The lines of key=value in which a Linux kernel tells readers of its memory about itself
// (kernel/vmcore_info.c).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kmd
{

class Vmcoreinfo
{
  public:
    /// Lines that are not key=value are passed over; of a key that comes twice, the first counts.
    explicit Vmcoreinfo(std::string_view text);

    /// Whether a text is vmcoreinfo: Linux begins it with the release.
    static bool is_begin_of(std::string_view text) { return text.starts_with("OSRELEASE="); }

    /// The value as it stands there, for example of "OSRELEASE".
    std::optional<std::string_view> text(std::string_view key) const;

    /// The value of keys that Linux writes with %ld or 0x%lx, such as "NUMBER(VA_BITS)" or
    /// "OFFSET(printk_info.seq)". Negative numbers in two's complement. None when the key is missing or its
    /// value is no such number.
    std::optional<std::uint64_t> number(std::string_view key) const;

    /// The value of keys that Linux writes with %lx, such as "SYMBOL(prb)" or "KERNELOFFSET".
    std::optional<std::uint64_t> symbol(std::string_view key) const;

    /// PAGESIZE, in bytes, if it is a size that pages have; none otherwise.
    std::optional<std::uint64_t> page_size() const;

  private:
    std::map<std::string, std::string, std::less<>> values_;
};

} // namespace kmd
