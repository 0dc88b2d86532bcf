// SPDX-License-Identifier: GPL-2.0-or-later
//
// The interface of the outputs. Each executes a plan so that a dump under its final name is always complete.
// docs/outputs.md is for users.
#pragma once

#include "common/result.h"
#include "hw/image/plan.h"
#include "hw/output/byte_sink.h"
#include "hw/output/encoding.h"
#include "hw/output/faults.h"

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmd
{

/// A stored dump, on the host or sent to the peer.
struct Stored {
    /// Its path or chardev.
    std::string where;
    std::uint64_t bytes = 0;
    /// Those of `bytes` that are zeros in holes.
    std::uint64_t holes = 0;
    /// The number of plan bytes that a reader can decode at least.
    std::uint64_t image_bytes = 0;
    /// Empty if the dump is complete; otherwise the reason. The path of an incomplete dump says so too.
    std::string incomplete_because;
    /// The dump is incomplete because Dump::room was too small.
    bool out_of_room = false;
    /// Time for writing, and for the sync to the disk after that.
    std::uint64_t write_nanoseconds = 0;
    std::uint64_t sync_nanoseconds = 0;
    std::uint64_t sidecar_bytes = 0;
    /// The name of Dump::types, if it is beside the dump now; and how many bytes were written for it.
    std::string types_file;
    std::uint64_t types_bytes = 0;
    /// Other failures, one sentence each: an earlier output, the sidecar.
    std::vector<std::string> remarks;

    /// Bytes that the dump takes from Dump::room.
    std::uint64_t room() const { return bytes - holes; }
};

/// A file beside dumps, which several of them need. Does not own its bytes.
struct SharedFile {
    std::string name;
    std::span<const std::byte> bytes;
};

/// Why a dump is truncated, or has no sidecar, if Dump::room is too small.
inline constexpr const char* kOutOfRoom = "max-bytes is reached";

/// A dump for an output. Does not own its plan.
struct Dump {
    const Plan& plan;
    /// The name of the reason.
    std::string reason;
    /// 1 or more; if it is taken, an output uses the next free number.
    unsigned number = 1;
    std::time_t time = 0;
    /// Describes the stored dump as JSON, on one line or formatted for people.
    std::function<std::string(const Stored&, bool one_line)> describe;
    /// The types of its kernel, for outputs that make files. Stored with a complete dump only.
    std::optional<SharedFile> types;
    /// Limit of all files together, in bytes without holes. At least the vital part of the plan fits.
    std::uint64_t room = std::numeric_limits<std::uint64_t>::max();
};

/// Options of all outputs.
struct StoreOptions {
    Compression compression = Compression::kNone;
    /// Whether each dump gets a JSON file.
    bool sidecar = true;
    Faults faults;
};

/// Encodes the dump to `out`, which must be empty, with the injected faults and within its room. `described`:
/// leave room for its description. `stored` has the destination; the function fills in the outcome.
void encode_dump(const Dump& dump, const StoreOptions& options, bool described, ByteSink& out,
                 Progress& progress, Stored& stored);

class Sink
{
  public:
    virtual ~Sink() = default;

    /// An error if nothing of the dump was stored.
    virtual Result<Stored> store(const Dump& dump) = 0;
};

} // namespace kmd
