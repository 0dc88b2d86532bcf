// SPDX-License-Identifier: GPL-2.0-or-later
//
// The layout of a kernel's address space, as its vmcoreinfo describes it. A distance is the virtual minus the
// physical address, modulo 2^64.
#pragma once

#include "common/address_range.h"
#include "common/translation_tables.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace kmd
{

struct KernelSpace {
    /// The linear map of all RAM.
    struct LinearMap {
        AddressRange range;
        std::uint64_t distance = 0;
    };

    std::optional<LinearMap> linear_map;
    /// Distance of the kernel image.
    std::optional<std::uint64_t> image_distance;
    /// Null if vmcoreinfo does not describe them completely.
    std::shared_ptr<const TranslationTables> tables;
    /// The addresses that the tables translate.
    AddressRange translated;
    /// Virtual address of the outermost table in the kernel's image.
    std::uint64_t root_in_image = 0;
    /// The kernel's other outermost tables, such as the one for user mode, are at most this far from
    /// `root_in_image`. Bytes.
    std::uint64_t other_roots_within = 0;

    /// Translates a kernel virtual address without a tag. Unknown for an address outside `translated`.
    Translation translate(std::uint64_t address, PhysicalMemory& memory) const
    {
        return tables && translated.contains(address) ? tables->translate(address, memory) : Translation{};
    }
};

} // namespace kmd
