// SPDX-License-Identifier: GPL-2.0-or-later
//
// A folder for everything that one test leaves behind.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace support
{

/// Made empty; removed with the object, but kept once a test has failed, and then its path is
/// printed.
class RunFolder
{
  public:
    RunFolder();
    RunFolder(const RunFolder&) = delete;
    RunFolder& operator=(const RunFolder&) = delete;
    ~RunFolder();

    const std::filesystem::path& path() const { return path_; }

    std::string file(const std::string& name) const { return (path_ / name).string(); }

    /// All of a text file; empty when there is none.
    std::string read(const std::string& name) const;

  private:
    std::filesystem::path path_;
};

/// The dumps in a folder, in the order of their names, without their sidecars.
std::vector<std::filesystem::path> dumps_in(const std::filesystem::path& folder);

} // namespace support
