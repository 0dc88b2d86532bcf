// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the bytes of a plan are stored: as they are, or compressed. docs/outputs.md describes what a
// reader finds.
#pragma once

#include "byte_sink.h"
#include "core_image.h"

#include <cstdint>
#include <optional>
#include <string>

namespace kmd
{

enum class Compression { kNone, kZstd };

/// Of property compress=.
std::optional<Compression> compression_of(const std::string& name);

/// What a file name ends in, for example ".zst"; empty for kNone.
const char* suffix(Compression compression);

/// Brings all of the plan into `out`, without a second copy of it in memory. Returns the cause if it
/// could not.
std::optional<std::string> encode(const Plan& plan, Compression compression, ByteSink& out);

/// Where in the stored bytes Plan::flags_offset is, in plain text: it can be changed there afterwards.
std::uint64_t stored_flags_offset(const Plan& plan, Compression compression);

/// With fewer stored bytes than these a dump is of no use.
std::uint64_t smallest_useful(const Plan& plan, Compression compression);

/// What the plan can take in the end, in bytes.
std::uint64_t largest_size(const Plan& plan, Compression compression);

} // namespace kmd
