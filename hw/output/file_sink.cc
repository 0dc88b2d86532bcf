// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/file_sink.h"

#include "hw/output/folder_sink.h"
#include "hw/output/os_file.h"
#include "hw/output/pending_dump.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace kmd
{

Result<std::unique_ptr<Sink>> FileSink::create(const std::string& path, const StoreOptions& options)
{
    const std::filesystem::path parts(path);
    const std::string name = parts.filename().string();
    struct stat about;
    const bool exists = ::lstat(path.c_str(), &about) == 0;
    if (name.empty() || name == "." || name == ".." || (exists && !S_ISREG(about.st_mode))) {
        return Error{"file=" + path + " is not the name of a file: expected a new file, or one to replace"};
    }
    const std::string parent = parts.parent_path().string();
    const auto folder = check_output_folder(parent.empty() ? "." : parent, "file");
    if (!folder) {
        return folder.error();
    }
    return std::unique_ptr<Sink>(new FileSink(folder.value(), name, options));
}

Result<Stored> FileSink::store(const Dump& dump)
{
    const Descriptor folder = open_folder(folder_);
    if (!folder) {
        return Error{"file folder " + folder_ + " cannot be opened: " + os_error()};
    }
    auto pending = PendingDump::claim(folder.get(), name_);
    if (!pending) {
        return Error{"cannot create a file in " + folder_ + ": " + os_error()};
    }
    return pending->store(dump, options_, folder_, Existing::kReplace);
}

} // namespace kmd
