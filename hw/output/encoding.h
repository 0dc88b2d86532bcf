// SPDX-License-Identifier: GPL-2.0-or-later
//
// Encodes the bytes of a plan: verbatim or compressed. docs/outputs.md describes the result.
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

/// Parses the value of property compress=; none if it is unknown.
std::optional<Compression> parse_compression(const std::string& name);

/// File name suffix, for example ".zst"; empty for kNone.
const char* suffix(Compression compression);

/// Records how much of a plan can be decoded from the stored bytes.
class Progress
{
  public:
    /// The bytes of the plan are stored as they are.
    void set_verbatim() { verbatim_ = true; }
    /// A reader can decode the first `image` bytes of the plan from `stored` bytes.
    void reached(std::uint64_t stored, std::uint64_t image) { marks_.push_back({stored, image}); }

    /// The number of plan bytes that a reader can decode at least from `stored` bytes.
    std::uint64_t image_bytes(std::uint64_t stored) const;

  private:
    struct Mark {
        std::uint64_t stored;
        std::uint64_t image;
    };
    bool verbatim_ = false;
    /// In ascending order.
    std::vector<Mark> marks_;
};

/// Writes the plan to `out`, which must be empty, without a second copy in memory. Returns the cause of a
/// failure.
std::optional<std::string> encode(const Plan& plan, Compression compression, ByteSink& out,
                                  Progress& progress);

/// Offset of Plan::flags_offset in the stored bytes, uncompressed, so that it can be changed afterwards.
std::uint64_t stored_flags_offset(const Plan& plan, Compression compression);

/// A dump with fewer stored bytes is useless.
std::uint64_t smallest_useful(const Plan& plan, Compression compression);

/// Upper bound of the stored size of the first `image` bytes of a plan, in bytes.
std::uint64_t largest_size(std::uint64_t image, Compression compression);

} // namespace kmd
