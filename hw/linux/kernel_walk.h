// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the functions that collect a kernel's objects share.
#pragma once

#include "hw/linux/kernel_memory.h"
#include "hw/linux/linux_kernel.h"
#include "hw/linux/page_set.h"

#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace kmd
{

struct KernelWalk {
    const LinuxKernel& kernel;
    const LiveKernelMemory& memory;
    PageSet& pages;

    /// More CPUs than any kernel is built for.
    static constexpr std::uint32_t kMostCpus = 8192;

    std::uint32_t cpus() const
    {
        const std::uint32_t count = memory.read_u32(kernel.address("nr_cpu_ids")).value_or(0);
        return count > kMostCpus ? 0 : count;
    }

    /// The instance of a per-CPU variable; 0 if it is not known.
    std::uint64_t per_cpu(std::uint64_t variable, std::uint32_t cpu) const
    {
        const std::uint64_t offsets = kernel.address("__per_cpu_offset");
        const auto offset = offsets == 0 ? std::nullopt : memory.read_u64(offsets + 8 * std::uint64_t{cpu});
        return variable == 0 || !offset ? 0 : variable + *offset;
    }

    /// The pointer in a member of the structure at `object`; 0 if there is none.
    std::uint64_t pointer(std::uint64_t object, std::string_view structure, std::string_view member) const
    {
        const auto offset = kernel.offset(structure, member);
        return object == 0 || !offset ? 0 : memory.pointer(object + *offset);
    }

    /// Adds the pages of a structure that the kernel's types describe.
    void add(std::uint64_t object, std::string_view structure) const
    {
        if (object != 0) {
            pages.add(object, kernel.size_of(structure).value_or(0));
        }
    }

    /// Adds the tables of kallsyms: the first `names` bytes of the names and `offsets` bytes of the offsets.
    /// Their addresses are in vmcoreinfo, because a kernel may have no names of its data.
    void add_kallsyms(std::uint64_t names, std::uint64_t offsets) const
    {
        constexpr std::uint64_t kMostOfTokens = 1 << 10;
        const std::pair<const char*, std::uint64_t> tables[] = {
            {"SYMBOL(kallsyms_num_syms)", sizeof(std::uint32_t)},
            {"SYMBOL(kallsyms_relative_base)", sizeof(std::uint64_t)},
            {"SYMBOL(kallsyms_token_table)", kMostOfTokens},
            {"SYMBOL(kallsyms_token_index)", kMostOfTokens},
            {"SYMBOL(kallsyms_names)", names},
            {"SYMBOL(kallsyms_offsets)", offsets}};
        for (const auto& [key, size] : tables) {
            if (const auto address = kernel.vmcoreinfo().symbol(key)) {
                pages.add(*address, size);
            }
        }
    }

    /// Calls `visit` with the address of every entry of the circular list at `head`, whose member is at
    /// `offset` in the entries. False if the list does not lead back to its head.
    template <class Visit> bool for_each(std::uint64_t head, std::uint64_t offset, Visit visit) const
    {
        std::unordered_set<std::uint64_t> seen;
        for (std::uint64_t node = memory.pointer(head); node != head; node = memory.pointer(node)) {
            if (node == 0 || !seen.insert(node).second) {
                return false;
            }
            visit(node - offset);
        }
        return true;
    }

    /// The slots of a node of an xarray: 6 bits of an index; 4 with CONFIG_BASE_SMALL.
    static constexpr std::uint64_t kMostSlots = 64;

    /// Calls `visit` with every pointer in the xarray at `root`, and adds its nodes.
    template <class Visit> void for_each_in_xarray(std::uint64_t root, Visit visit) const
    {
        const auto head = kernel.offset("xarray", "xa_head");
        const auto slots = kernel.offset("xa_node", "slots");
        const std::uint64_t bytes = kernel.member_size("xa_node", "slots").value_or(0);
        std::unordered_set<std::uint64_t> seen;
        std::vector<std::uint64_t> entries;
        if (head) {
            entries.push_back(memory.read_u64(root + *head).value_or(0));
        }
        while (!entries.empty() && !memory.budget_is_used_up()) {
            const std::uint64_t entry = entries.back();
            entries.pop_back();
            if (entry == 0 || (entry & 1) != 0 || !seen.insert(entry).second) {
                continue;
            }
            // The pointer to a node has the value 2 in its lowest bits.
            if ((entry & 3) != 2) {
                visit(memory.as_pointer(entry));
                continue;
            }
            const std::uint64_t node = entry - 2;
            add(node, "xa_node");
            for (std::uint64_t at = 0; slots && at < bytes && at < 8 * kMostSlots; at += 8) {
                entries.push_back(memory.read_u64(node + *slots + at).value_or(0));
            }
        }
    }
};

} // namespace kmd
