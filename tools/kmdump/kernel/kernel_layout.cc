// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/kernel_layout.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kmdump
{

namespace
{

constexpr std::string_view kFirstLine = "KMD_LAYOUT=1\n";
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMostPages = (std::uint64_t{1} << 30) / kPage;

std::string_view text_of(std::span<const std::byte> bytes)
{
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.substr(0, text.find('\0'));
}

} // namespace

kmd::Vmcoreinfo find_layout(const CoreFile& core)
{
    if (!core.summary().layout.empty()) {
        return kmd::Vmcoreinfo(core.summary().layout);
    }
    std::uint64_t pages = 0;
    std::array<std::byte, kFirstLine.size()> start{};
    std::array<std::byte, kPage> page{};
    for (const Segment& segment : core.segments()) {
        for (std::uint64_t at = (0 - segment.virt) % kPage; at < segment.file_size; at += kPage) {
            if (++pages > kMostPages) {
                return kmd::Vmcoreinfo("");
            }
            if (segment.file_size - at < kPage || !core.read_file(segment.file_offset + at, start) ||
                text_of(start) != kFirstLine || !core.read_file(segment.file_offset + at, page)) {
                continue;
            }
            kmd::Vmcoreinfo layout(text_of(page));
            if (layout.symbol("SYMBOL(kmd_layout)") == segment.virt + at) {
                return layout;
            }
        }
    }
    return kmd::Vmcoreinfo("");
}

} // namespace kmdump
