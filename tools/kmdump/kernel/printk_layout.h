// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where the fields of the kernel's printk ring buffer lie, as its vmcoreinfo says.
#pragma once

#include "common/result.h"
#include "common/vmcoreinfo.h"

#include <cstdint>
#include <optional>

namespace kmdump
{

/// Offsets and sizes in bytes. Each field lies inside its structure, and no structure is larger
/// than 64 KiB. Offsets of nested structures are added up.
struct PrintkLayout {
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
    std::optional<std::uint64_t> level;    ///< the byte whose three highest bits are the level
    std::optional<std::uint64_t> facility; ///< a byte
};

/// The error names the first entry that is missing or makes no sense.
kmd::Result<PrintkLayout> find_printk_layout(const kmd::Vmcoreinfo& vmcoreinfo);

} // namespace kmdump
