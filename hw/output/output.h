// SPDX-License-Identifier: GPL-2.0-or-later
//
// The properties that say where and how dumps are stored, and the sink for them.
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

/// As the user set them; docs/outputs.md describes each.
struct OutputConfig {
    /// Folder for the dumps. If not set: the current one, unless file or chardev is set.
    std::optional<std::string> output;
    /// Name pattern of dumps in the folder: see NamePattern.
    std::string name = "kmemdump-%n-%r";
    /// One file instead of a folder.
    std::optional<std::string> file;
    /// Name of the channel for dumps; if output is also set, it is the fallback.
    std::optional<std::string> chardev;
    /// Time limit for a dump over the channel.
    std::uint64_t chardev_timeout_ms = KMD_DEFAULT_CHARDEV_TIMEOUT_MS;
    /// "none" or "zstd".
    std::string compress = "none";
    /// Number of complete dumps to keep in the folder; 0: all.
    std::uint64_t keep = KMD_DEFAULT_KEEP;
    bool sidecar = KMD_DEFAULT_SIDECAR;
};

/// A sink and its options.
struct Output {
    std::unique_ptr<Sink> sink;
    StoreOptions options;
};

/// `as_folder`: whether dumps are folders (format=qcom). `channel` outlives the sink. An error names the
/// property and what it accepts.
Result<Output> make_output(const OutputConfig& config, const Faults& faults, bool as_folder,
                           Channel& channel);

} // namespace kmd
