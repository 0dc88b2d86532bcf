// SPDX-License-Identifier: GPL-2.0-or-later
//
// The arguments and environments of processes. They are in the memory of the processes themselves, which only
// their own page tables map; a dump has these pages by the addresses that the kernel has for them.
#include "hw/linux/collect.h"

#include <algorithm>

namespace kmd
{

namespace
{

constexpr std::uint64_t kMostBytes = 64 << 10;

/// Adds the page of a process at `address`, and the tables that lead to it.
void add_page(const KernelWalk& walk, const TranslationTables& tables, std::uint64_t address)
{
    const TableWalk found = walk.memory.walk(tables, address);
    for (std::size_t i = 0; i < found.table_count; ++i) {
        walk.pages.add(walk.memory.linear_address(found.tables.at(i)), 1);
    }
    if (found.target) {
        walk.pages.add(walk.memory.linear_address(*found.target | (address & found.offset_bits)), 1);
    }
}

} // namespace

bool collect_command_lines(const KernelWalk& walk, std::span<const std::uint64_t> spaces)
{
    const auto begin_at = walk.kernel.offset("mm_struct", "arg_start");
    const auto end_at = walk.kernel.offset("mm_struct", "env_end");
    bool are_whole = true;
    for (const std::uint64_t space : spaces) {
        const auto tables = walk.memory.tables_of_process(walk.pointer(space, "mm_struct", "pgd"));
        if (!tables || !begin_at || !end_at || walk.memory.budget_is_used_up()) {
            continue;
        }
        const std::uint64_t begin = walk.memory.read_u64(space + *begin_at).value_or(0);
        const std::uint64_t end = walk.memory.read_u64(space + *end_at).value_or(0);
        const std::uint64_t size = end > begin ? end - begin : 0;
        are_whole = are_whole && size <= kMostBytes;
        const std::uint64_t page = walk.memory.page_size();
        const std::uint64_t reach = begin % page + std::min(size, kMostBytes);
        for (std::uint64_t into = 0; size > 0 && into < reach; into += page) {
            add_page(walk, *tables, begin - begin % page + into);
        }
    }
    return are_whole;
}

} // namespace kmd
