// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/printk_log.h"

#include "common/linux/printk_layout.h"
#include "common/little_endian.h"
#include "common/text.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace kmdump
{

namespace
{

using kmd::Error;
using kmd::Result;

/// A log buffer has at most 2^31 bytes, and a descriptor for every 32 bytes. At most 2^21 descriptors are
/// read, those of 64 MiB.
constexpr std::uint64_t kMostSizeBits = 31;
constexpr std::uint64_t kMostCountBits = 21;

/// The two highest bits of a descriptor's state variable are its state, the others its id.
constexpr unsigned kStateShift = 62;
constexpr std::uint64_t kIdMask = (std::uint64_t{1} << kStateShift) - 1;
enum State : std::uint64_t { kReserved = 0, kCommitted = 1, kFinalized = 2, kReusable = 3 };

/// Odd positions mark a block without data; this one marks an empty line.
constexpr std::uint64_t kEmptyLine = 3;

/// Each block of text begins with the id of its descriptor.
constexpr std::uint64_t kBlockHeader = 8;

/// A copy of the descriptors and records that are in use, from the oldest on, and where the text is. A large
/// log that has not been filled yet is mostly a hole in the file.
struct Ring {
    std::uint64_t count = 0;
    std::uint64_t head_id = 0;
    std::uint64_t tail_id = 0;
    std::vector<std::byte> descs;
    std::vector<std::byte> infos;
    std::uint64_t text_at = 0;
    /// Bytes; a power of 2.
    std::uint64_t text_size = 0;

    std::uint64_t used() const { return ((head_id - tail_id) & kIdMask) + 1; }
};

/// Copies the part of an array of the ring buffer that is in use. `element`: the size of an element in bytes.
/// `what` names it in messages.
Result<std::vector<std::byte>> copy(const KernelMemory& memory, const Ring& ring, std::uint64_t address,
                                    std::uint64_t element, std::string_view what)
{
    const std::uint64_t size = ring.used() * element;
    if (size > memory.size_limit()) {
        return Error{"the log in the dump is corrupt: " + std::string(what) + " would take " +
                     std::to_string(size) + " bytes, more than the file has"};
    }
    std::vector<std::byte> bytes(size);
    const std::uint64_t first = ring.tail_id & (ring.count - 1);
    const std::uint64_t to_end = std::min(size, (ring.count - first) * element);
    if (!memory.read(address + first * element, std::span(bytes).first(to_end)) ||
        !memory.read(address, std::span(bytes).subspan(to_end))) {
        return Error{"the log is not in the dump: expected " + std::string(what) + " at " +
                     kmd::hex(address)};
    }
    return bytes;
}

Result<Ring> copy_ring(const KernelMemory& memory, const kmd::PrintkLayout& layout)
{
    const auto prb = memory.read_u64(layout.prb_pointer);
    if (!prb) {
        return Error{"the log is not in the dump: expected the pointer prb at " +
                     kmd::hex(layout.prb_pointer)};
    }
    const auto count_bits = memory.read_u32(*prb + layout.count_bits);
    const auto descs_at = memory.read_u64(*prb + layout.descs);
    const auto infos_at = memory.read_u64(*prb + layout.infos);
    const auto head_id = memory.read_u64(*prb + layout.head_id);
    const auto tail_id = memory.read_u64(*prb + layout.tail_id);
    const auto size_bits = memory.read_u32(*prb + layout.size_bits);
    const auto text_at = memory.read_u64(*prb + layout.text_data);
    if (!count_bits || !descs_at || !infos_at || !head_id || !tail_id || !size_bits || !text_at) {
        return Error{"the log is not in the dump: expected the ring buffer at " + kmd::hex(*prb)};
    }
    if (*count_bits > kMostCountBits) {
        return Error{"the log in the dump is corrupt: expected at most 2^21 records, found 2^" +
                     std::to_string(*count_bits)};
    }
    if (*size_bits < 3 || *size_bits > kMostSizeBits) {
        return Error{"the log in the dump is corrupt: expected 2^3 to 2^31 bytes of text, found 2^" +
                     std::to_string(*size_bits)};
    }

    Ring ring;
    ring.count = std::uint64_t{1} << *count_bits;
    ring.head_id = *head_id & kIdMask;
    ring.tail_id = *tail_id & kIdMask;
    if (((ring.head_id - ring.tail_id) & kIdMask) >= ring.count) {
        return Error{"the log in the dump is corrupt: its first and its last record lie too far apart"};
    }
    auto descs = copy(memory, ring, *descs_at, layout.desc_size, "the descriptors");
    if (!descs) {
        return descs.error();
    }
    auto infos = copy(memory, ring, *infos_at, layout.info_size, "the records");
    if (!infos) {
        return infos.error();
    }
    ring.text_at = *text_at;
    ring.text_size = std::uint64_t{1} << *size_bits;
    std::byte last{};
    if (!memory.read(ring.text_at, std::span(&last, 1)) ||
        !memory.read(ring.text_at + ring.text_size - 1, std::span(&last, 1))) {
        return Error{"the log is not in the dump: expected the text at " + kmd::hex(ring.text_at)};
    }
    ring.descs = std::move(descs.value());
    ring.infos = std::move(infos.value());
    return ring;
}

/// A block of text, in bytes from the start of the text, with its header.
struct Block {
    std::uint64_t start = 0;
    std::uint64_t length = 0;
};

/// The block between the logical positions `begin` and `next`, which wrap around a text of `size` bytes.
/// Nothing if it is not valid.
std::optional<Block> find_block(std::uint64_t size, std::uint64_t begin, std::uint64_t next)
{
    std::uint64_t start = begin & (size - 1);
    std::uint64_t length = next - begin;
    if (begin % kBlockHeader != 0 || next % kBlockHeader != 0 || length == 0 || length > 2 * size) {
        return std::nullopt;
    }
    if (start + length > size) {
        // A block is never split: if it does not fit at the end, it starts at the beginning.
        length -= size - start;
        start = 0;
    }
    return length < kBlockHeader || length > size ? std::nullopt : std::optional(Block{start, length});
}

class Reader
{
  public:
    Reader(const KernelMemory& memory, const Ring& ring, const kmd::PrintkLayout& layout)
        : memory_(memory), ring_(ring), layout_(layout)
    {
    }

    PrintkLog read()
    {
        for (std::uint64_t i = 0; i < ring_.used(); ++i) {
            read_record(i);
        }
        return std::move(log_);
    }

  private:
    /// `index`: counted from the oldest on.
    void read_record(std::uint64_t index)
    {
        const std::uint64_t id = (ring_.tail_id + index) & kIdMask;
        const auto desc = std::span(ring_.descs).subspan(index * layout_.desc_size, layout_.desc_size);
        const auto info = std::span(ring_.infos).subspan(index * layout_.info_size, layout_.info_size);
        const auto state = kmd::load<std::uint64_t>(desc, layout_.state);
        if (state >> kStateShift == kReusable) {
            return;
        }
        // A writer is reserving a descriptor that still has an older id.
        if ((state & kIdMask) != id || state >> kStateShift == kReserved) {
            ++log_.being_written;
            return;
        }
        const auto begin = kmd::load<std::uint64_t>(desc, layout_.begin);
        const auto next = kmd::load<std::uint64_t>(desc, layout_.next);
        const auto length = kmd::load<std::uint16_t>(info, layout_.text_length);
        if (begin % 2 == 1 && next % 2 == 1) {
            if (begin == kEmptyLine && next == kEmptyLine) {
                append(info, {});
            } else {
                ++log_.without_text;
            }
            return;
        }
        const auto text = read_text(id, begin, next, length);
        if (!text) {
            ++log_.damaged;
            return;
        }
        append(info, *text);
    }

    /// The text of record `id`, whose block lies between two logical positions.
    std::optional<std::string> read_text(std::uint64_t id, std::uint64_t begin, std::uint64_t next,
                                         std::uint16_t length)
    {
        const auto block = find_block(ring_.text_size, begin, next);
        if (!block || length > block->length - kBlockHeader ||
            length > std::min(ring_.text_size, memory_.size_limit()) - text_bytes_) {
            return std::nullopt;
        }
        std::string bytes(kBlockHeader + length, '\0');
        if (!memory_.read(ring_.text_at + block->start, std::as_writable_bytes(std::span(bytes))) ||
            kmd::load<std::uint64_t>(std::as_bytes(std::span(bytes)), 0) != id) {
            return std::nullopt;
        }
        text_bytes_ += length;
        return bytes.substr(kBlockHeader);
    }

    void append(std::span<const std::byte> info, std::string text)
    {
        LogRecord record;
        record.seq = kmd::load<std::uint64_t>(info, layout_.seq);
        record.time_ns = kmd::load<std::uint64_t>(info, layout_.time);
        if (layout_.level) {
            record.level = static_cast<std::uint8_t>(kmd::load<std::uint8_t>(info, *layout_.level) >> 5);
        }
        if (layout_.facility) {
            record.facility = kmd::load<std::uint8_t>(info, *layout_.facility);
        }
        record.caller = kmd::load<std::uint32_t>(info, layout_.caller);
        record.text = std::move(text);
        log_.records.push_back(std::move(record));
    }

    const KernelMemory& memory_;
    const Ring& ring_;
    const kmd::PrintkLayout& layout_;
    PrintkLog log_;
    std::uint64_t text_bytes_ = 0; // at most the size of the text, since valid blocks do not overlap
};

} // namespace

Result<PrintkLog> read_printk_log(const KernelMemory& memory, const kmd::Vmcoreinfo& vmcoreinfo)
{
    const auto layout = kmd::find_printk_layout(vmcoreinfo);
    if (!layout) {
        return layout.error();
    }
    const auto ring = copy_ring(memory, layout.value());
    if (!ring) {
        return ring.error();
    }
    return Reader(memory, ring.value(), layout.value()).read();
}

} // namespace kmdump
