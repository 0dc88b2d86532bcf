// SPDX-License-Identifier: GPL-2.0-or-later
//
// The folder of a run: the dumps, the console, the messages of QEMU.
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
    /// Makes `path` if need be; empty stands for the first of kmdump-run-0001, kmdump-run-0002... that
    /// is not there yet. Nothing that is in the folder is touched. An error when another run is under way
    /// there: it could not be told whose dumps are whose.
    static kmd::Result<RunFolder> reserve(const std::string& path);

    const std::string& path() const { return path_; }
    /// Both are new and empty.
    const std::string& console() const { return console_; }
    const std::string& messages() const { return messages_; }

    /// What the controller has put there since, in the order of the names, with what the sidecars say.
    std::vector<TakenDump> dumps() const;

    /// Whether the last 64 MiB of the console have this text. A guest writes there what it likes.
    bool console_has(std::string_view text) const;

  private:
    std::set<std::string> entries() const;

    /// The folder, locked: the run has it for itself.
    kmd::Descriptor held_;
    std::string path_;
    std::string console_;
    std::string messages_;
    std::set<std::string> before_;
};

} // namespace kmdump
