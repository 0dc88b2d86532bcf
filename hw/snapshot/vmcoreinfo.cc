// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/vmcoreinfo.h"

#include <elf.h>

#include <algorithm>
#include <charconv>

namespace kmd
{

namespace
{

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kLongest = 64 * kKiB;
constexpr std::string_view kNoteName{"VMCOREINFO\0", 11};

void append_padded(std::vector<std::byte>& out, std::string_view text)
{
    const auto bytes = std::as_bytes(std::span(text));
    out.insert(out.end(), bytes.begin(), bytes.end());
    out.resize((out.size() + 3) / 4 * 4);
}

/// What stands behind "KEY=" on a line of its own; empty when there is no such line.
std::string_view value_of(std::string_view text, std::string_view key)
{
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        if (line.starts_with(key) && line.substr(key.size()).starts_with('=')) {
            return line.substr(key.size() + 1);
        }
        text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    return {};
}

} // namespace

std::string read_vmcoreinfo(std::span<const Region> regions, GuestMemory& memory)
{
    const auto region = std::find_if(regions.begin(), regions.end(),
                                     [](const Region& r) { return r.kind == KMD_KIND_VMCOREINFO; });
    std::string text;
    if (region == regions.end()) {
        return text;
    }
    const std::uint64_t size = std::min(region->size, kLongest);
    while (text.size() < size) {
        const auto run = memory.map(region->phys + text.size(), size - text.size());
        if (run.empty()) {
            break;
        }
        text.append(reinterpret_cast<const char*>(run.data()), run.size());
    }
    text.resize(std::min(text.size(), text.find('\0')));
    return text;
}

bool is_vmcoreinfo(std::string_view text)
{
    return text.starts_with("OSRELEASE=");
}

std::uint64_t guest_page_size(std::string_view vmcoreinfo)
{
    const std::uint64_t size = vmcoreinfo_number(vmcoreinfo, "PAGESIZE").value_or(kSmallestPage);
    return size == 16 * kKiB || size == 64 * kKiB ? size : kSmallestPage;
}

std::optional<std::uint64_t> vmcoreinfo_number(std::string_view vmcoreinfo, std::string_view key)
{
    constexpr std::string_view kHexadecimal = "0x";
    auto text = value_of(vmcoreinfo, key);
    int base = key.starts_with("SYMBOL(") ? 16 : 10;
    if (key.starts_with("NUMBER(") && text.starts_with(kHexadecimal)) {
        text.remove_prefix(kHexadecimal.size());
        base = 16;
    }
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number, base);
    if (parsed.ec != std::errc{} || parsed.ptr != end) {
        return std::nullopt;
    }
    return number;
}

void append_vmcoreinfo_note(std::vector<std::byte>& notes, std::string_view text)
{
    if (text.empty()) {
        return;
    }
    Elf64_Nhdr header{};
    header.n_namesz = static_cast<Elf64_Word>(kNoteName.size());
    header.n_descsz = static_cast<Elf64_Word>(text.size());
    header.n_type = 0;
    const auto bytes = std::as_bytes(std::span(&header, 1));
    notes.insert(notes.end(), bytes.begin(), bytes.end());
    append_padded(notes, kNoteName);
    append_padded(notes, text);
}

} // namespace kmd
