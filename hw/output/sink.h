// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the outputs have in common: each executes a plan, so that a dump under its final name is
// complete, whatever happens. docs/outputs.md is for those who configure them.
#pragma once

#include "common/result.h"
#include "hw/image/plan.h"
#include "hw/output/byte_sink.h"
#include "hw/output/encoding.h"
#include "hw/output/faults.h"

#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace kmd
{

/// A dump as it is on the host, or with the peer.
struct Stored {
    /// Path, or the chardev it went to.
    std::string where;
    std::uint64_t bytes = 0;
    /// Bytes of the plan, from its beginning, that a reader gets back from it at least.
    std::uint64_t image_bytes = 0;
    /// Empty when the dump is complete; otherwise why it is not, and a path says so too.
    std::string incomplete_because;
    /// It is not complete because Dump::room was too small.
    bool out_of_room = false;
    /// How long writing took, and bringing it to the disk after that.
    std::uint64_t write_nanoseconds = 0;
    std::uint64_t sync_nanoseconds = 0;
    std::uint64_t sidecar_bytes = 0;
    /// What did not work besides, a sentence each: an output that failed before this one, the sidecar.
    std::vector<std::string> remarks;
};

/// Why a dump is cut, or has no sidecar, when Dump::room is too small.
inline constexpr const char* kOutOfRoom = "max-bytes is reached";

/// A dump for an output. Refers to what it is about.
struct Dump {
    const Plan& plan;
    /// The word for the reason.
    std::string reason;
    /// 1 or more; an output that finds the number taken uses the next that is free.
    unsigned number = 1;
    std::time_t time = 0;
    /// The JSON text about the dump once it is stored, on one line or as a person reads it.
    std::function<std::string(const Stored&, bool one_line)> describe;
    /// Bytes that dump and sidecar may take together. At least the vital part of the plan fits.
    std::uint64_t room = std::numeric_limits<std::uint64_t>::max();
};

/// How dumps are stored, whatever the output.
struct StoreOptions {
    Compression compression = Compression::kNone;
    /// Whether a file gets a JSON file beside it.
    bool sidecar = true;
    Faults faults;
};

/// Encodes the dump into `out`, which took nothing before, with the faults of the options and no further
/// than its room allows; `described`: its description has to fit as well. `stored` says where it goes, and
/// afterwards what became of it.
void encode_dump(const Dump& dump, const StoreOptions& options, bool described, ByteSink& out,
                 Progress& progress, Stored& stored);

class Sink
{
  public:
    virtual ~Sink() = default;

    /// An error when there is nothing of the dump.
    virtual Result<Stored> store(const Dump& dump) = 0;
};

} // namespace kmd
