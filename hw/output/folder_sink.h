// SPDX-License-Identifier: GPL-2.0-or-later
//
// Dumps in a folder, one beside the other.
#pragma once

#include "common/result.h"
#include "hw/output/name_pattern.h"
#include "hw/output/sink.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace kmd
{

/// The absolute path of `folder` if dumps can be written to it: an error says what is wrong with it.
/// `property` is what the folder was given with.
Result<std::string> check_output_folder(const std::string& folder, const std::string& property = "output");

class FolderSink final : public Sink
{
  public:
    /// `keep`: how many complete dumps of the pattern stay when one more is complete; 0: all.
    FolderSink(std::string folder, NamePattern pattern, const StoreOptions& options, std::uint64_t keep = 0)
        : folder_(std::move(folder)), pattern_(std::move(pattern)), options_(options), keep_(keep)
    {
    }

    /// The dump gets the first number from Dump::number on, past 9999 from 1 on, that no dump in the folder
    /// has. An existing file is never touched, unless `keep` says so.
    Result<Stored> store(const Dump& dump) override;

  private:
    /// Removes the oldest dumps but `newest`, the name of the one just made. Returns what did not work.
    std::optional<std::string> remove_oldest(int folder, const Plan& plan, const std::string& newest) const;

    std::string folder_;
    NamePattern pattern_;
    StoreOptions options_;
    std::uint64_t keep_;
};

} // namespace kmd
