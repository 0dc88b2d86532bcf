// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/folder_sink.h"

#include "hw/output/os_file.h"
#include "hw/output/pending_dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace kmd
{

namespace
{

/// Only creating a file tells for sure whether mode bits, read-only mounts and special file systems allow it.
std::optional<std::string> try_to_create(int folder)
{
    std::random_device random;
    const std::string name = ".kmemdump-probe-" + std::to_string(random()) + "-" + std::to_string(random());
    const Descriptor fd(
        ::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) {
        return os_error();
    }
    ::unlinkat(folder, name.c_str(), 0);
    return std::nullopt;
}

std::vector<std::string> names_in(const std::string& folder)
{
    std::vector<std::string> names;
    std::error_code failed;
    std::filesystem::directory_iterator entry(folder, failed);
    for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
        names.push_back(entry->path().filename().string());
    }
    return names;
}

/// Numbers of all dumps in a folder, complete or not.
std::set<unsigned> numbers_in(const std::string& folder, const NamePattern& pattern)
{
    std::set<unsigned> numbers;
    for (const std::string& name : names_in(folder)) {
        if (const auto number = pattern.number_in(name)) {
            numbers.insert(*number);
        }
    }
    return numbers;
}

Result<PendingDump> create(int folder, const std::string& folder_name, const NamePattern& pattern,
                           const Dump& dump, const StoreOptions& options)
{
    const auto taken = numbers_in(folder_name, pattern);
    for (unsigned tried = 0; tried < NamePattern::kHighestNumber; ++tried) {
        const unsigned number = (std::uint64_t{dump.number} - 1 + tried) % NamePattern::kHighestNumber + 1;
        if (taken.contains(number)) {
            continue;
        }
        const std::string name =
            pattern.expand(number, dump.reason, dump.time) + name_suffix(dump.plan, options.compression);
        auto pending = PendingDump::create(folder, name, dump.plan);
        if (pending) {
            return std::move(*pending);
        }
        if (errno != EEXIST) {
            return Error{"cannot create a file in " + folder_name + ": " + os_error()};
        }
    }
    return Error{"all numbers from 1 to " + std::to_string(NamePattern::kHighestNumber) + " are taken in " +
                 folder_name + ": move dumps elsewhere"};
}

struct OldDump {
    timespec changed;
    std::string name;
    bool is_folder;
};

bool newer(const OldDump& a, const OldDump& b)
{
    return std::tie(a.changed.tv_sec, a.changed.tv_nsec, a.name) >
           std::tie(b.changed.tv_sec, b.changed.tv_nsec, b.name);
}

std::optional<std::string> remove_dump(int folder, const std::string& folder_name, const OldDump& dump)
{
    // Another writer may have removed it already.
    if (dump.is_folder) {
        // Renamed first, so that a folder under a final name is never incomplete.
        const std::string incomplete = dump.name + kIncompleteSuffix;
        if (!rename_in(folder, dump.name, incomplete, Existing::kKeep)) {
            return errno == ENOENT ? std::nullopt : std::optional(os_error());
        }
        std::error_code failed;
        std::filesystem::remove_all(folder_name + "/" + incomplete, failed);
        if (failed) {
            return failed.message();
        }
    } else if (::unlinkat(folder, dump.name.c_str(), 0) != 0 && errno != ENOENT) {
        return os_error();
    }
    ::unlinkat(folder, (dump.name + ".json").c_str(), 0);
    return std::nullopt;
}

} // namespace

Result<std::string> check_output_folder(const std::string& folder, const std::string& property)
{
    const Descriptor fd = open_folder(folder);
    if (!fd) {
        return Error{property + " folder '" + folder + "' cannot be opened: " + os_error() +
                     "; create it, or name another one with " + property + "="};
    }
    if (const auto failure = try_to_create(fd.get())) {
        return Error{property + " folder '" + folder + "' is not writable: " + *failure +
                     "; change its mode, or name another one with " + property + "="};
    }
    std::array<char, PATH_MAX> absolute;
    if (::realpath(folder.c_str(), absolute.data()) == nullptr) {
        return Error{property + " folder '" + folder + "' has no absolute path: " + os_error()};
    }
    return std::string(absolute.data());
}

std::optional<std::string> FolderSink::remove_oldest(int folder, const Plan& plan,
                                                     const std::string& newest) const
{
    const std::string suffix = name_suffix(plan, options_.compression);
    std::vector<OldDump> dumps;
    for (const std::string& name : names_in(folder_)) {
        struct stat about;
        if (name == newest || !name.ends_with(suffix) ||
            !pattern_.matches(name.substr(0, name.size() - suffix.size())) ||
            ::fstatat(folder, name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0 ||
            (plan.parts.empty() ? !S_ISREG(about.st_mode) : !S_ISDIR(about.st_mode))) {
            continue;
        }
        dumps.push_back({about.st_mtim, name, !plan.parts.empty()});
    }
    std::sort(dumps.begin(), dumps.end(), newer);
    for (std::size_t i = keep_ - 1; i < dumps.size(); ++i) {
        if (auto failure = remove_dump(folder, folder_, dumps[i])) {
            return "cannot remove " + dumps[i].name + ": " + *failure;
        }
    }
    return std::nullopt;
}

Result<Stored> FolderSink::store(const Dump& dump)
{
    const Descriptor folder = open_folder(folder_);
    if (!folder) {
        return Error{"output folder " + folder_ + " cannot be opened: " + os_error()};
    }
    auto pending = create(folder.get(), folder_, pattern_, dump, options_);
    if (!pending) {
        return pending.error();
    }
    auto stored = pending.value().store(dump, options_, folder_, Existing::kKeep);
    if (stored && stored.value().incomplete_because.empty() && keep_ > 0) {
        const std::string newest = std::filesystem::path(stored.value().where).filename().string();
        if (auto failure = remove_oldest(folder.get(), dump.plan, newest)) {
            stored.value().remarks.push_back(*failure);
        }
    }
    return stored;
}

} // namespace kmd
