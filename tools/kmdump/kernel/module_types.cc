// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/module_types.h"

#include "common/linux/btf.h"
#include "common/text.h"
#include "kmdump/kernel/variables.h"

#include <linux/btf.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <tuple>

namespace kmdump
{

namespace
{

constexpr std::size_t kMostModules = 4096;
constexpr std::size_t kNameSize = 56; // MODULE_NAME_LEN of a 64-bit kernel
/// Modules that an error names.
constexpr std::size_t kMostNamed = 20;

/// Offsets of members in bytes.
struct Layout {
    std::uint64_t list = 0;      ///< of struct btf_module
    std::uint64_t btf = 0;       ///< of struct btf_module
    std::uint64_t data = 0;      ///< of struct btf
    std::uint64_t data_size = 0; ///< of struct btf
    std::uint64_t name = 0;      ///< of struct btf
};

std::optional<Layout> find_layout(const btf* types)
{
    Layout layout;
    const std::tuple<const char*, const char*, std::uint64_t*> wanted[] = {
        {"btf_module", "list", &layout.list},
        {"btf_module", "btf", &layout.btf},
        {"btf", "data", &layout.data},
        {"btf", "data_size", &layout.data_size},
        {"btf", "name", &layout.name}};
    for (const auto& [structure, member, offset] : wanted) {
        const auto type = btf__find_by_name_kind(types, structure, BTF_KIND_STRUCT);
        const auto found =
            type > 0 ? find_btf_member(types, static_cast<std::uint32_t>(type), member) : std::nullopt;
        if (!found) {
            return std::nullopt;
        }
        *offset = found->offset / 8;
    }
    return layout;
}

/// A description of types in the memory of the kernel.
struct Description {
    std::string module;
    std::uint64_t address = 0;
    std::uint64_t size = 0; ///< bytes
};

struct Descriptions {
    std::vector<Description> found;
    bool cut = false; ///< the list does not lead back to its beginning
};

Descriptions read_list(const KernelMemory& memory, const Layout& layout, std::uint64_t head)
{
    Descriptions list;
    auto node = memory.read_u64(head);
    for (std::size_t i = 0; node && *node != head && i < kMostModules; ++i) {
        const auto at = memory.read_u64(*node - layout.list + layout.btf).value_or(0);
        std::array<std::byte, kNameSize> name{};
        if (memory.read(at + layout.name, name)) {
            const auto* const text = reinterpret_cast<const char*>(name.data());
            list.found.push_back({std::string(text, std::find(text, text + name.size(), '\0')),
                                  memory.read_u64(at + layout.data).value_or(0),
                                  memory.read_u32(at + layout.data_size).value_or(0)});
        }
        node = memory.read_u64(*node);
    }
    list.cut = !node || *node != head;
    return list;
}

/// Whether the header is that of BTF, and what it describes is inside. Debian 12's libbpf reads BTF that
/// continues another from files only.
bool is_btf(std::span<const std::byte> bytes)
{
    btf_header header{};
    if (bytes.size() < sizeof(header)) {
        return false;
    }
    std::memcpy(&header, bytes.data(), sizeof(header));
    const auto is_inside = [&](std::uint64_t offset, std::uint64_t size) {
        return header.hdr_len + offset + size <= bytes.size();
    };
    return header.magic == BTF_MAGIC && header.version == BTF_VERSION && header.hdr_len >= sizeof(header) &&
           is_inside(header.type_off, header.type_len) && is_inside(header.str_off, header.str_len);
}

kmd::Error no_such_module(const Descriptions& list, const std::string& module)
{
    std::string names;
    for (std::size_t i = 0; i < std::min(list.found.size(), kMostNamed); ++i) {
        names += (i > 0 ? ", " : "") + kmd::printable(list.found[i].module);
    }
    if (list.found.size() > kMostNamed) {
        names += " and " + std::to_string(list.found.size() - kMostNamed) + " more";
    }
    return kmd::Error{"the dump has no types of a module '" + kmd::printable(module) +
                      "': " + (names.empty() ? "it has those of no module" : "it has those of " + names) +
                      (list.cut ? "; the list of the modules' types is broken or incomplete" : "")};
}

} // namespace

kmd::Result<std::vector<std::byte>> find_module_types(const Dump& dump, const Symbols& symbols,
                                                      const Types& kernel, const std::string& module)
{
    const auto head = address_of_symbol(dump, symbols, "btf_modules");
    const auto layout = find_layout(kernel.handle.get());
    if (!layout) {
        return kmd::Error{"the types of the kernel do not describe btf_module: it has no types of modules"};
    }
    const KernelMemory memory = dump.memory();
    if (!head || !memory.read_u64(*head)) {
        return kmd::Error{
            "the dump has no list of the modules' types: take dumps with the property types=in"};
    }
    const Descriptions list = read_list(memory, *layout, *head);
    const auto found = std::ranges::find(list.found, module, &Description::module);
    if (found == list.found.end()) {
        return no_such_module(list, module);
    }
    const bool is_sound = found->size != 0 && found->size <= kmd::Btf::kMostBytes;
    auto bytes = is_sound ? memory.read_array(found->address, found->size) : std::nullopt;
    if (!bytes) {
        return kmd::Error{"the dump has only a part of the types of the module '" + kmd::printable(module) +
                          "'"};
    }
    if (!is_btf(*bytes)) {
        return kmd::Error{"the types of the module '" + kmd::printable(module) +
                          "' are corrupt: expected BTF"};
    }
    return std::move(*bytes);
}

} // namespace kmdump
