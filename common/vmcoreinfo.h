// SPDX-License-Identifier: GPL-2.0-or-later
//
// VMCOREINFO: key=value lines in which a Linux kernel describes itself to readers of its memory
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
    /// Ignores lines that are not key=value. The first of several values for the same key counts.
    explicit Vmcoreinfo(std::string_view text);

    /// Whether `text` is vmcoreinfo: its first line is the release.
    static bool is_vmcoreinfo(std::string_view text) { return text.starts_with("OSRELEASE="); }

    /// The value as text, for example of "OSRELEASE".
    std::optional<std::string_view> text(std::string_view key) const;

    /// A value that Linux writes with %ld or 0x%lx, such as "NUMBER(VA_BITS)" or "OFFSET(printk_info.seq)".
    /// Negative numbers are in two's complement. None if the key is missing or its value is not such a
    /// number.
    std::optional<std::uint64_t> number(std::string_view key) const;

    /// A value that Linux writes with %lx, such as "SYMBOL(prb)" or "KERNELOFFSET".
    std::optional<std::uint64_t> symbol(std::string_view key) const;

    /// PAGESIZE, in bytes; none if it is missing or not a supported page size.
    std::optional<std::uint64_t> page_size() const;

  private:
    std::map<std::string, std::string, std::less<>> values_;
};

} // namespace kmd
