// SPDX-License-Identifier: GPL-2.0-or-later
//
// The folder of a run, with the dumps, the console log and the messages of QEMU.
#pragma once

#include "common/descriptor.h"
#include "common/result.h"
#include "kmdump/run/run_outcome.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kmdump
{

class RunFolder
{
  public:
    /// Creates `path` if necessary; if it is empty, the first of kmdump-run-0001, kmdump-run-0002... that
    /// does not exist. Existing files stay. An error if another run uses the folder, since their dumps could
    /// not be told apart.
    static kmd::Result<RunFolder> reserve(const std::string& path);

    const std::string& path() const { return path_; }
    /// Paths of the log files, which are new and empty.
    const std::string& console() const { return console_; }
    const std::string& messages() const { return messages_; }

    /// The dumps that are new in the folder, in the order of their names, with the reasons from the sidecars.
    std::vector<TakenDump> dumps() const;

    /// Whether the last 64 MiB of the console contain this text. The guest controls the console.
    bool console_has(std::string_view text) const;

  private:
    std::set<std::string> entries() const;

    /// Keeps the folder locked.
    kmd::Descriptor held_;
    std::string path_;
    std::string console_;
    std::string messages_;
    std::set<std::string> before_;
};

} // namespace kmdump
