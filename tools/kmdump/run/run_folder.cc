// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/run/run_folder.h"

#include "kmdump/core/sidecar_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace kmdump
{

namespace
{

namespace fs = std::filesystem;

/// "START-0001END"
std::string numbered(const std::string& start, unsigned number, const char* end)
{
    std::array<char, 16> digits;
    std::snprintf(digits.data(), digits.size(), "-%04u", number);
    return start + digits.data() + end;
}

kmd::Result<std::string> make_folder(const std::string& wanted)
{
    if (!wanted.empty()) {
        std::error_code failure;
        fs::create_directories(wanted, failure);
        if (failure || !fs::is_directory(wanted, failure)) {
            return kmd::Error{wanted + ": expected a folder, or a place for one: " +
                              (failure ? failure.message() : "it is something else")};
        }
        return wanted;
    }
    for (unsigned number = 1;; ++number) {
        const std::string path = numbered("kmdump-run", number, "");
        if (::mkdir(path.c_str(), 0777) == 0) {
            return path;
        }
        if (errno != EEXIST) {
            return kmd::Error{"cannot make the folder " + path + ": " + kmd::os_error()};
        }
    }
}

/// Locks the folder. Without file locks in the file system other runs go unnoticed.
kmd::Result<kmd::Descriptor> lock_folder(const std::string& path)
{
    kmd::Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder && ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return kmd::Error{path + ": another run is under way there: expected a folder of its own for each"};
    }
    return folder;
}

/// Creates `START-0001.log`, or the one with the next free number.
kmd::Result<std::string> make_log(const std::string& start)
{
    for (unsigned number = 1;; ++number) {
        const std::string path = numbered(start, number, ".log");
        if (kmd::Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666))) {
            return path;
        }
        if (errno != EEXIST) {
            return kmd::Error{"cannot make " + path + ": " + kmd::os_error()};
        }
    }
}

TakenDump describe_dump(const std::string& path)
{
    TakenDump dump{path, "", !path.ends_with(".incomplete")};
    if (const auto sidecar = read_sidecar(path); sidecar && sidecar.value()) {
        dump.reason = sidecar.value()->reason;
    }
    return dump;
}

} // namespace

kmd::Result<RunFolder> RunFolder::reserve(const std::string& path)
{
    RunFolder folder;
    const auto made = make_folder(path);
    if (!made) {
        return made.error();
    }
    folder.path_ = made.value();
    auto held = lock_folder(folder.path_);
    if (!held) {
        return held.error();
    }
    folder.held_ = std::move(held.value());
    const auto console = make_log((fs::path(folder.path_) / "console").string());
    if (!console) {
        return console.error();
    }
    folder.console_ = console.value();
    const auto messages = make_log((fs::path(folder.path_) / "qemu").string());
    if (!messages) {
        return messages.error();
    }
    folder.messages_ = messages.value();
    folder.before_ = folder.entries();
    return folder;
}

bool RunFolder::console_has(std::string_view text) const
{
    constexpr std::uint64_t most = 64 << 20;
    constexpr std::size_t block = 65536;
    std::ifstream file(console_, std::ios::binary | std::ios::ate);
    const auto size = static_cast<std::uint64_t>(std::max<std::streamoff>(file.tellg(), 0));
    file.seekg(static_cast<std::streamoff>(size - std::min(size, most)));
    std::string window;
    for (std::string bytes(block, '\0'); file.read(bytes.data(), block) || file.gcount() > 0;) {
        window.append(bytes, 0, static_cast<std::size_t>(file.gcount()));
        if (window.find(text) != std::string::npos) {
            return true;
        }
        window.erase(0, window.size() - std::min(window.size(), text.size()));
    }
    return false;
}

std::set<std::string> RunFolder::entries() const
{
    std::set<std::string> names;
    std::error_code failure;
    for (fs::directory_iterator entry(path_, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        names.insert(entry->path().filename().string());
    }
    return names;
}

std::vector<TakenDump> RunFolder::dumps() const
{
    std::vector<TakenDump> dumps;
    for (const std::string& name : entries()) {
        const bool is_no_dump = name.starts_with(".") || name.ends_with(".json") || name.ends_with(".btf") ||
                                name.ends_with(".btf.incomplete");
        if (!before_.contains(name) && !is_no_dump) {
            dumps.push_back(describe_dump((fs::path(path_) / name).string()));
        }
    }
    return dumps;
}

} // namespace kmdump
