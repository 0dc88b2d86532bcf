// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/kernel_image.h"

namespace kmd
{

namespace
{

/// The kernel unmaps its init code and data, some megabytes, after it has started. A larger hole is the end.
/// Bytes.
constexpr std::uint64_t kLargestHole = 16 << 20;

} // namespace

KernelImage KernelImage::read(const LiveKernelMemory& memory, std::uint64_t begin)
{
    const std::uint64_t page_size = memory.page_size();
    KernelImage image;
    image.begin_ = begin & ~(page_size - 1);
    std::vector<std::byte> page(page_size);
    std::uint64_t hole = 0;
    for (std::uint64_t size = 0; size < kMostBytes && hole < kLargestHole; size += page_size) {
        const std::uint64_t at = image.begin_ + size;
        if (memory.budget_is_used_up()) {
            break;
        }
        if (!memory.is_in_image(at) || !memory.read(at, page)) {
            hole += page_size;
            continue;
        }
        hole = 0;
        image.bytes_.resize(size);
        image.bytes_.insert(image.bytes_.end(), page.begin(), page.end());
    }
    return image;
}

} // namespace kmd
