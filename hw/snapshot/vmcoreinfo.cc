// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/vmcoreinfo.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace kmd
{

namespace
{

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kLongest = 64 * kKiB;
constexpr std::string_view kNoteName{"VMCOREINFO\0", 11};
constexpr std::string_view kLayoutNoteName{"KMD_LAYOUT\0", 11};

void append_padded(std::vector<std::byte>& out, std::string_view text)
{
    const auto bytes = std::as_bytes(std::span(text));
    out.insert(out.end(), bytes.begin(), bytes.end());
    out.resize((out.size() + 3) / 4 * 4);
}

void append_note(std::vector<std::byte>& notes, std::string_view name, std::string_view text)
{
    if (text.empty()) {
        return;
    }
    Elf64_Nhdr header{};
    header.n_namesz = static_cast<Elf64_Word>(name.size());
    header.n_descsz = static_cast<Elf64_Word>(text.size());
    header.n_type = 0;
    const auto bytes = std::as_bytes(std::span(&header, 1));
    notes.insert(notes.end(), bytes.begin(), bytes.end());
    append_padded(notes, name);
    append_padded(notes, text);
}

} // namespace

std::string read_vmcoreinfo(const Region* region, GuestMemory& memory)
{
    std::string text;
    if (region == nullptr) {
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

void append_vmcoreinfo_note(std::vector<std::byte>& notes, std::string_view text)
{
    append_note(notes, kNoteName, text);
}

void append_layout_note(std::vector<std::byte>& notes, std::string_view text)
{
    append_note(notes, kLayoutNoteName, text);
}

} // namespace kmd
