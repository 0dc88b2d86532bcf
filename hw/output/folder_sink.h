// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes dumps to a folder under numbered names.
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

/// Returns the absolute path of `folder` if dumps can be written to it, otherwise an error that says what is
/// wrong. `property`: the property that named the folder.
Result<std::string> check_output_folder(const std::string& folder, const std::string& property = "output");

class FolderSink final : public Sink
{
  public:
    /// `keep`: number of complete dumps of the pattern to keep, including each new one; 0: all.
    FolderSink(std::string folder, NamePattern pattern, const StoreOptions& options, std::uint64_t keep = 0)
        : folder_(std::move(folder)), pattern_(std::move(pattern)), options_(options), keep_(keep)
    {
    }

    /// Uses the first number from Dump::number on (after 9999 from 1 on) that no dump in the folder has.
    /// Never touches an existing file, except to apply `keep`.
    Result<Stored> store(const Dump& dump) override;

  private:
    /// Removes the oldest dumps but not `newest`, the one just written. Returns what failed.
    std::optional<std::string> remove_oldest(int folder, const Plan& plan, const std::string& newest) const;

    std::string folder_;
    NamePattern pattern_;
    StoreOptions options_;
    std::uint64_t keep_;
};

} // namespace kmd
