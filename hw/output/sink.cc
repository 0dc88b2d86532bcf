// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/sink.h"

#include "hw/output/limited_bytes.h"

#include <algorithm>
#include <optional>

namespace kmd
{

namespace
{

/// Upper bound of what the times, still 0 in the estimate, can add to a description.
constexpr std::uint64_t kDigits = 128;

/// The size at which to truncate a dump that does not fit its room.
std::uint64_t cut_at(const Dump& dump, Compression compression, bool described, const Stored& stored)
{
    std::uint64_t description = 0;
    if (described) {
        Stored worst = stored;
        worst.incomplete_because = kOutOfRoom;
        description = dump.describe(worst, false).size() + kDigits;
    }
    return std::max(largest_size(dump.plan.vital_size, compression),
                    dump.room - std::min(dump.room, description));
}

} // namespace

void encode_dump(const Dump& dump, const StoreOptions& options, bool described, ByteSink& out,
                 Progress& progress, Stored& stored)
{
    LimitedBytes limited(out, bytes_before_fault(options.faults),
                         [&] { return inject_fault(options.faults); });
    ByteSink& faulty = options.faults.any() ? static_cast<ByteSink&>(limited) : out;
    std::optional<std::string> failure;
    if (largest_size(dump.plan.file_size, options.compression) <= dump.room) {
        failure = encode(dump.plan, options.compression, faulty, progress);
    } else {
        LimitedBytes cut(faulty, cut_at(dump, options.compression, described, stored), [&] {
            stored.out_of_room = true;
            return std::string(kOutOfRoom);
        });
        failure = encode(dump.plan, options.compression, cut, progress);
    }
    stored.bytes = out.written();
    stored.holes = out.written() - out.stored();
    stored.image_bytes = progress.image_bytes(stored.bytes);
    stored.incomplete_because = failure.value_or("");
}

} // namespace kmd
