// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where a kernel has its memory in its own address space, as its vmcoreinfo says. Distances are virtual
// minus physical, modulo 2^64.
#pragma once

#include "common/address_range.h"
#include "common/translation_tables.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace kmd
{

struct KernelSpace {
    /// All of RAM, one behind the other.
    struct LinearMap {
        AddressRange range;
        std::uint64_t distance = 0;
    };

    std::optional<LinearMap> linear_map;
    /// Of the kernel's image.
    std::optional<std::uint64_t> image_distance;
    /// Null when vmcoreinfo does not say enough.
    std::shared_ptr<const TranslationTables> tables;
    /// The addresses that the tables translate.
    AddressRange translated;
    /// Virtual address of the outermost table in the kernel's image.
    std::uint64_t root_in_image = 0;
    /// The kernel's other outermost tables, such as those for user mode, are not further from it. Bytes.
    std::uint64_t other_roots_within = 0;

    /// What the tables say of a virtual address of the kernel, without a tag in it. Nothing of others.
    Translation translate(std::uint64_t address, PhysicalMemory& memory) const
    {
        return tables && translated.contains(address) ? tables->translate(address, memory) : Translation{};
    }
};

} // namespace kmd
