// SPDX-License-Identifier: GPL-2.0-or-later
#include "writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace kmd
{

namespace
{

constexpr unsigned kHighestNumber = 9999;
constexpr const char* kIncompleteSuffix = ".incomplete";

std::string os_error()
{
    return std::strerror(errno);
}

/// An open file descriptor that is closed when it goes out of scope.
class Descriptor
{
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor()
    {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

/// Turns the signal that a write past RLIMIT_FSIZE raises, which would end the process, into the
/// error EFBIG.
class FileSizeSignalBlocked
{
  public:
    FileSizeSignalBlocked()
    {
        sigemptyset(&signal_);
        sigaddset(&signal_, SIGXFSZ);
        pthread_sigmask(SIG_BLOCK, &signal_, &before_);
    }
    FileSizeSignalBlocked(const FileSizeSignalBlocked&) = delete;
    FileSizeSignalBlocked& operator=(const FileSizeSignalBlocked&) = delete;
    ~FileSizeSignalBlocked()
    {
        if (!sigismember(&before_, SIGXFSZ)) {
            const timespec now{};
            while (sigtimedwait(&signal_, nullptr, &now) == SIGXFSZ) {
            }
        }
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

  private:
    sigset_t signal_;
    sigset_t before_;
};

struct NewFile {
    Descriptor fd;
    std::string name;
};

constexpr std::string_view kNamePrefix = "kmemdump-";

/// The numbers of all dumps in a folder, complete or not.
std::set<unsigned> numbers_in(const std::string& folder)
{
    std::set<unsigned> numbers;
    std::error_code failed;
    std::filesystem::directory_iterator entry(folder, failed);
    for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with(kNamePrefix)) {
            unsigned number = 0;
            std::from_chars(name.data() + kNamePrefix.size(), name.data() + name.size(), number);
            numbers.insert(number);
        }
    }
    return numbers;
}

Result<NewFile> create(int folder, const std::string& folder_name, const std::string& reason, unsigned number)
{
    const auto taken = numbers_in(folder_name);
    for (; number <= kHighestNumber; ++number) {
        if (taken.contains(number)) {
            continue;
        }
        std::array<char, 16> digits;
        std::snprintf(digits.data(), digits.size(), "%04u-", number);
        const std::string name = std::string(kNamePrefix) + digits.data() + reason + ".elf";
        const std::string incomplete = name + kIncompleteSuffix;
        Descriptor fd(
            ::openat(folder, incomplete.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (fd) {
            if (::fchmod(fd.get(), 0600) == 0) {
                return NewFile{std::move(fd), name};
            }
            const std::string cause = os_error();
            ::unlinkat(folder, incomplete.c_str(), 0);
            return Error{"cannot keep a file in " + folder_name + " to its owner: " + cause};
        }
        if (errno != EEXIST) {
            return Error{"cannot create a file in " + folder_name + ": " + os_error()};
        }
    }
    return Error{"all numbers up to " + std::to_string(kHighestNumber) + " are taken in " + folder_name};
}

/// Writes all pieces one after the other. Returns the cause if it could not; `written` counts the
/// bytes that did get into the file.
std::optional<std::string> write_all(int fd, std::span<const std::byte> head,
                                     std::span<const std::span<const std::byte>> body, std::uint64_t& written)
{
    // Piece 0 is the head, piece i the body's i - 1. `skip`: bytes of the first piece already there.
    std::size_t first = 0;
    std::size_t skip = 0;
    const auto piece = [&](std::size_t i) { return i == 0 ? head : body[i - 1]; };
    while (first <= body.size()) {
        std::array<iovec, IOV_MAX> vector;
        std::size_t count = 0;
        for (std::size_t i = first; i <= body.size() && count < vector.size(); ++i, ++count) {
            const auto bytes = piece(i).subspan(i == first ? skip : 0);
            vector[count] = {const_cast<std::byte*>(bytes.data()), bytes.size()};
        }
        const ssize_t now = ::writev(fd, vector.data(), static_cast<int>(count));
        if (now < 0) {
            if (errno == EINTR) {
                continue;
            }
            return os_error();
        }
        if (now == 0) {
            return std::string("the host wrote nothing");
        }
        written += static_cast<std::uint64_t>(now);
        skip += static_cast<std::size_t>(now);
        while (first <= body.size() && skip >= piece(first).size()) {
            skip -= piece(first).size();
            ++first;
        }
    }
    return std::nullopt;
}

/// Sets e_flags, with all the data on the disk before and after. Returns the cause if it fails.
std::optional<std::string> mark(int fd, std::uint64_t flags_offset, std::uint32_t flags)
{
    if (::fsync(fd) != 0 ||
        ::pwrite(fd, &flags, sizeof(flags), static_cast<off_t>(flags_offset)) != sizeof(flags) ||
        ::fsync(fd) != 0) {
        return os_error();
    }
    return std::nullopt;
}

/// Gives the file its final name, which nobody may have taken meanwhile.
bool rename_to_final(int folder, const std::string& name)
{
    const std::string incomplete = name + kIncompleteSuffix;
    if (::renameat2(folder, incomplete.c_str(), folder, name.c_str(), RENAME_NOREPLACE) == 0) {
        return true;
    }
    // Some network file systems cannot promise that; there the look at the folder has to do.
    return errno == EINVAL && ::renameat(folder, incomplete.c_str(), folder, name.c_str()) == 0;
}

/// Marks the file complete and gives it its final name: both, or neither. Returns the cause if it
/// fails.
std::optional<std::string> publish(int folder, int fd, const Plan& plan, const std::string& name)
{
    auto failure = mark(fd, plan.flags_offset, plan.complete_flags);
    if (!failure) {
        if (rename_to_final(folder, name)) {
            ::fsync(folder);
            return std::nullopt;
        }
        failure = "it cannot get its final name: " + os_error();
    }
    // Best effort: the name says incomplete in any case.
    (void)mark(fd, plan.flags_offset, plan.complete_flags | kElfIncomplete);
    return failure;
}

/// The only test that mode bits, read-only mounts and special file systems all answer truly.
std::optional<std::string> try_to_create(int folder)
{
    const std::string name = ".kmemdump-probe-" + std::to_string(::getpid());
    const Descriptor fd(
        ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) {
        return os_error();
    }
    ::unlinkat(folder, name.c_str(), 0);
    return std::nullopt;
}

Descriptor open_folder(const std::string& folder)
{
    return Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

} // namespace

Result<std::string> check_output_folder(const std::string& folder)
{
    const Descriptor fd = open_folder(folder);
    if (!fd) {
        return Error{"output folder '" + folder + "' cannot be opened: " + os_error() +
                     "; create it, or name another one with output="};
    }
    if (const auto failure = try_to_create(fd.get())) {
        return Error{"output folder '" + folder + "' is not writable: " + *failure +
                     "; change its mode, or name another one with output="};
    }
    std::array<char, PATH_MAX> absolute;
    if (::realpath(folder.c_str(), absolute.data()) == nullptr) {
        return Error{"output folder '" + folder + "' has no absolute path: " + os_error()};
    }
    return std::string(absolute.data());
}

Result<WrittenFile> write_plan(const Plan& plan, const std::string& folder, const std::string& reason,
                               unsigned first_number)
{
    const Descriptor folder_fd = open_folder(folder);
    if (!folder_fd) {
        return Error{"output folder " + folder + " cannot be opened: " + os_error()};
    }
    auto file = create(folder_fd.get(), folder, reason, (first_number - 1) % kHighestNumber + 1);
    if (!file) {
        return file.error();
    }

    const FileSizeSignalBlocked blocked;
    const int fd = file.value().fd.get();
    const std::string& name = file.value().name;
    std::uint64_t written = 0;
    auto failure = write_all(fd, plan.head, plan.body, written);
    if (written < plan.head.size()) {
        ::unlinkat(folder_fd.get(), (name + kIncompleteSuffix).c_str(), 0);
        return Error{"cannot write to " + folder + ": " + failure.value_or("short write")};
    }
    if (!failure) {
        failure = publish(folder_fd.get(), fd, plan, name);
    }
    if (failure) {
        return WrittenFile{folder + "/" + name + kIncompleteSuffix, written, *failure};
    }
    return WrittenFile{folder + "/" + name, written, {}};
}

} // namespace kmd
