// SPDX-License-Identifier: GPL-2.0-or-later
//
// Offsets of the fields of the printk ring buffer, from vmcoreinfo.
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"

#include <cstdint>
#include <optional>

namespace kmd
{

/// Offsets and sizes in bytes; offsets include those of nested structures. Each field is inside its
/// structure, and no structure is larger than 64 KiB.
struct PrintkLayout {
    std::uint64_t ring_size = 0;   ///< of struct printk_ringbuffer
    std::uint64_t prb_pointer = 0; ///< virtual address of the pointer to the ring buffer

    std::uint64_t count_bits = 0; ///< in struct printk_ringbuffer, like those up to text_data
    std::uint64_t descs = 0;
    std::uint64_t infos = 0;
    std::uint64_t head_id = 0;
    std::uint64_t tail_id = 0;
    std::uint64_t size_bits = 0;
    std::uint64_t text_data = 0;

    std::uint64_t desc_size = 0; ///< of struct prb_desc
    std::uint64_t state = 0;
    std::uint64_t begin = 0;
    std::uint64_t next = 0;

    std::uint64_t info_size = 0; ///< of struct printk_info
    std::uint64_t seq = 0;
    std::uint64_t time = 0;
    std::uint64_t text_length = 0;
    std::uint64_t caller = 0;
    std::optional<std::uint64_t> level;    ///< a byte, whose three highest bits are the level
    std::optional<std::uint64_t> facility; ///< a byte
};

/// An error names the first entry that is missing or invalid.
Result<PrintkLayout> find_printk_layout(const Vmcoreinfo& vmcoreinfo);

} // namespace kmd
