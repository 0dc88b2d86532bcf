// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/receive/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <utility>

namespace kmdump
{

namespace
{

using kmd::Descriptor;
using kmd::os_error;

constexpr std::size_t kLongestName = 200;
constexpr unsigned kMostNamesakes = 9999;

Descriptor create(int folder, const std::string& name)
{
    return Descriptor(
        ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

} // namespace

std::string safe_name(std::string name)
{
    name.resize(std::min(name.size(), kLongestName));
    for (char& c : name) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        c = plain || std::string_view("._-+").find(c) != std::string_view::npos ? c : '_';
    }
    if (name.starts_with('.')) {
        name[0] = '_';
    }
    return name;
}

kmd::Result<NewFile> create_for(int folder, const std::string& wanted)
{
    for (unsigned i = 1; i <= kMostNamesakes; ++i) {
        std::string name = i == 1 ? wanted : std::to_string(i) + "-" + wanted;
        const std::string incomplete = name + kIncomplete;
        Descriptor fd = create(folder, incomplete);
        if (!fd && errno != EEXIST) {
            break;
        }
        if (!fd) {
            continue;
        }
        // Only the owner of the incomplete name may take the final one, so a free one stays free.
        if (::faccessat(folder, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0) {
            return NewFile{std::move(fd), std::move(name)};
        }
        ::unlinkat(folder, incomplete.c_str(), 0);
    }
    return kmd::Error{"cannot create " + wanted + ": " + os_error()};
}

std::optional<kmd::Error> write_all(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t now = ::write(fd, bytes.data(), bytes.size());
        if (now < 0 && errno != EINTR) {
            return kmd::Error{"cannot write the dump: " + os_error()};
        }
        bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(now, 0)));
    }
    return std::nullopt;
}

std::optional<kmd::Error> rename_new(int folder, const std::string& from, const std::string& to)
{
    if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) != 0) {
        return kmd::Error{"cannot rename " + from + " to " + to + ": " + os_error()};
    }
    return std::nullopt;
}

} // namespace kmdump
