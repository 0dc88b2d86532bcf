// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/shared_file.h"

#include "hw/output/os_file.h"
#include "hw/output/pending_dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

namespace kmd
{

namespace
{

bool has_contents(int fd, std::span<const std::byte> bytes)
{
    struct stat about;
    if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) ||
        static_cast<std::uint64_t>(about.st_size) != bytes.size()) {
        return false;
    }
    std::array<std::byte, 65536> block;
    while (!bytes.empty()) {
        const ssize_t size = ::read(fd, block.data(), std::min(block.size(), bytes.size()));
        if (size <= 0 || std::memcmp(block.data(), bytes.data(), static_cast<std::size_t>(size)) != 0) {
            return false;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return true;
}

/// What store_shared_file() returns for a file that exists; none if there is none.
std::optional<Result<std::uint64_t>> find_existing(int folder, const SharedFile& file)
{
    const Descriptor fd(::openat(folder, file.name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && errno == ENOENT) {
        return std::nullopt;
    }
    if (!fd) {
        return Result<std::uint64_t>(Error{os_error()});
    }
    if (!has_contents(fd.get(), file.bytes)) {
        return Result<std::uint64_t>(Error{
            "a file of that name has other contents: remove it, and the next dump has its types again"});
    }
    return Result<std::uint64_t>(0);
}

std::optional<std::string> write_to_disk(int fd, std::span<const std::byte> bytes)
{
    FileBytes out(fd);
    if (auto failure = out.write(Pieces(&bytes, 1))) {
        return failure;
    }
    return ::fdatasync(fd) == 0 ? std::nullopt : std::optional(os_error());
}

} // namespace

Result<std::uint64_t> store_shared_file(int folder, const SharedFile& file, std::uint64_t room,
                                        const char* out_of_room)
{
    if (auto existing = find_existing(folder, file)) {
        return *existing;
    }
    if (file.bytes.size() > room) {
        return Error{out_of_room};
    }
    const std::string incomplete = file.name + kIncompleteSuffix;
    const Descriptor fd = claim_file(folder, incomplete);
    if (!fd) {
        return Error{errno == EEXIST ? "another writer is storing it" : os_error()};
    }
    auto failure = write_to_disk(fd.get(), file.bytes);
    if (!failure && rename_in(folder, incomplete, file.name, Existing::kKeep)) {
        return file.bytes.size();
    }
    const bool taken = !failure && errno == EEXIST;
    if (!failure) {
        failure = os_error();
    }
    if (is_name_of(folder, incomplete, fd.get())) {
        ::unlinkat(folder, incomplete.c_str(), 0);
    }
    // Another writer was faster.
    const auto existing = taken ? find_existing(folder, file) : std::nullopt;
    return existing ? *existing : Result<std::uint64_t>(Error{*failure});
}

} // namespace kmd
