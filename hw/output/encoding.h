// SPDX-License-Identifier: GPL-2.0-or-later
//
// How the bytes of a plan are stored: as they are, or compressed. docs/outputs.md describes what a
// reader finds.
#pragma once

#include "hw/image/plan.h"
#include "hw/output/byte_sink.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmd
{

enum class Compression { kNone, kZstd };

/// Of property compress=.
std::optional<Compression> compression_of(const std::string& name);

/// What a file name ends in, for example ".zst"; empty for kNone.
const char* suffix(Compression compression);

/// How far a dump got.
class Progress
{
  public:
    /// The bytes of the plan are stored as they are.
    void set_verbatim() { verbatim_ = true; }
    /// From `stored` bytes a reader gets back `image` bytes of the plan, from its beginning.
    void reached(std::uint64_t stored, std::uint64_t image) { marks_.push_back({stored, image}); }

    /// Bytes of the plan that a reader gets back at least when only `stored` bytes are there.
    std::uint64_t image_bytes(std::uint64_t stored) const;

  private:
    struct Mark {
        std::uint64_t stored;
        std::uint64_t image;
    };
    bool verbatim_ = false;
    /// Ascending.
    std::vector<Mark> marks_;
};

/// Brings all of the plan into `out`, without a second copy of it in memory. Returns the cause if it
/// could not. `out` has taken nothing before.
std::optional<std::string> encode(const Plan& plan, Compression compression, ByteSink& out,
                                  Progress& progress);

/// Where in the stored bytes Plan::flags_offset is, in plain text: it can be changed there afterwards.
std::uint64_t stored_flags_offset(const Plan& plan, Compression compression);

/// With fewer stored bytes than these a dump is of no use.
std::uint64_t smallest_useful(const Plan& plan, Compression compression);

/// What the first `image` bytes of a plan can take in the end, in bytes.
std::uint64_t largest_size(std::uint64_t image, Compression compression);

} // namespace kmd
