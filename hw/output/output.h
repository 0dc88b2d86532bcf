// SPDX-License-Identifier: GPL-2.0-or-later
//
// The properties that say where dumps go and how they are stored, and the sink that they ask for.
#pragma once

#include "common/result.h"
#include "hw/output/channel.h"
#include "hw/output/defaults.h"
#include "hw/output/sink.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace kmd
{

/// As the person at the host wrote it; docs/outputs.md describes each.
struct OutputConfig {
    /// Folder for the dumps; none given: the current one, unless the dumps go elsewhere.
    std::optional<std::string> output;
    /// What dumps are called there: NamePattern.
    std::string name = "kmemdump-%n-%r";
    /// One file instead of a folder.
    std::optional<std::string> file;
    /// Name of the channel to send dumps over; a folder given as well is used when that fails.
    std::optional<std::string> chardev;
    /// How long a dump may take over the channel.
    std::uint64_t chardev_timeout_ms = KMD_DEFAULT_CHARDEV_TIMEOUT_MS;
    /// "none" or "zstd".
    std::string compress = "none";
    /// How many complete dumps stay in the folder; 0: all.
    std::uint64_t keep = KMD_DEFAULT_KEEP;
    bool sidecar = KMD_DEFAULT_SIDECAR;
};

/// A sink, and how it stores dumps.
struct Output {
    std::unique_ptr<Sink> sink;
    StoreOptions options;
};

/// `as_folder`: whether dumps are folders (format=qcom). `channel` outlives the sink. An error names the
/// property and what it takes.
Result<Output> make_output(const OutputConfig& config, const Faults& faults, bool as_folder,
                           Channel& channel);

} // namespace kmd
