// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/build_id.h"

#include "kmdump/text/escape.h"

#include <elfutils/libdwelf.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace kmdump
{

namespace
{

std::string build_id_of(Elf* elf)
{
    const void* bytes = nullptr;
    const ssize_t size = dwelf_elf_gnu_build_id(elf, &bytes);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (ssize_t i = 0; i < size; ++i) {
        const auto byte = static_cast<const unsigned char*>(bytes)[i];
        text += {kDigits[byte / 16], kDigits[byte % 16]};
    }
    return text;
}

/// The release in the kernel's banner; empty if the file has no banner.
std::string_view release_in(Elf* elf)
{
    constexpr std::string_view kBanner = "Linux version ";
    constexpr std::string_view kOfRelease =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+~-";
    constexpr std::size_t kLongest = 64; // __NEW_UTS_LEN
    std::size_t size = 0;
    const char* const bytes = elf_rawfile(elf, &size);
    const std::string_view file(bytes == nullptr ? "" : bytes, bytes == nullptr ? 0 : size);
    for (auto at = file.find(kBanner); at != std::string_view::npos; at = file.find(kBanner, at + 1)) {
        const std::string_view rest = file.substr(at + kBanner.size(), kLongest + 1);
        const auto end = rest.find_first_not_of(kOfRelease);
        if (end != std::string_view::npos && rest[end] == ' ' && rest.front() >= '0' && rest.front() <= '9') {
            return rest.substr(0, end);
        }
    }
    return {};
}

} // namespace

std::optional<kmd::Error> check_kernel(Elf* elf, const kmd::Vmcoreinfo& vmcoreinfo)
{
    const std::string expected(vmcoreinfo.text("BUILD-ID").value_or(""));
    const std::string found = build_id_of(elf);
    if (!expected.empty() && !found.empty()) {
        return expected == found ? std::nullopt
                                 : std::optional(kmd::Error{
                                       "expected the vmlinux file of the dump's kernel, with the build id " +
                                       escape(expected) + ", found one with " + found});
    }
    const auto release = vmcoreinfo.text("OSRELEASE");
    const std::string_view other = release ? release_in(elf) : std::string_view();
    if (!other.empty() && other != *release) {
        return kmd::Error{"expected the vmlinux file of the dump's kernel, " + escape(*release) +
                          ", found one of " + escape(other)};
    }
    return std::nullopt;
}

} // namespace kmdump
