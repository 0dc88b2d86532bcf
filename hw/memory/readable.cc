// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/memory/readable.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace kmd
{

bool is_readable(std::span<const std::byte> bytes)
{
    static const auto page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto in_page = reinterpret_cast<std::uintptr_t>(bytes.data()) % page_size;
    // madvise() changes no byte, though its argument is not const.
    auto* const start = const_cast<std::byte*>(bytes.data() - in_page);
    return ::madvise(start, in_page + bytes.size(), MADV_POPULATE_READ) == 0;
}

} // namespace kmd
