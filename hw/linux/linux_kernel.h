// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a Linux kernel in guest memory tells about itself: addresses of its variables (kallsyms) and layouts
// of its structures (BTF). It is the same as long as the kernel runs, so it is read once.
#pragma once

#include "common/address_range.h"
#include "common/architecture.h"
#include "common/linux/btf.h"
#include "common/vmcoreinfo.h"
#include "hw/linux/kernel_memory.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kmd
{

class LinuxKernel
{
  public:
    /// Reads all that can be had; missing() names the rest. `vmcoreinfo`: its whole text.
    static LinuxKernel read(std::string vmcoreinfo, const Architecture& architecture,
                            const LiveKernelMemory& memory);

    struct Symbol {
        std::uint64_t address = 0;
        /// Up to the next symbol; bytes.
        std::uint64_t room = 0;
    };

    /// A symbol of the kernel, not of a module; one that is saved or used here. None if it is not known.
    std::optional<Symbol> symbol(std::string_view name) const;
    /// Its address; 0 if it is not known.
    std::uint64_t address(std::string_view name) const;

    /// Size of a structure; offset or size of a member. Bytes; none if it is not known.
    std::optional<std::uint64_t> size_of(std::string_view structure) const;
    std::optional<std::uint64_t> offset(std::string_view structure, std::string_view member) const;
    std::optional<std::uint64_t> member_size(std::string_view structure, std::string_view member) const;
    /// Offsets in struct module, in bytes: where the address and the sizes of a part of its memory are.
    struct ModuleMemory {
        std::uint64_t base = 0;
        std::uint64_t size = 0;
        /// The size of its code alone.
        std::uint64_t text_size = 0;
    };

    /// Since Linux 6.4 the memory is divided by type: `type`, an enumerator of mod_mem_type. Before, it is in
    /// the member `layout`.
    std::optional<ModuleMemory> module_memory(std::string_view type, std::string_view layout) const;

    std::optional<std::int64_t> enumerator(std::string_view enumeration, std::string_view name) const;

    /// Where the variables of a kernel are whose symbols do not name its data, when refresh() was called
    /// last; empty for another kernel.
    const std::vector<AddressRange>& unnamed_data() const { return unnamed_data_; }

    /// Finds what such a kernel changes while it runs: what it may write, and its modules.
    void refresh(const LiveKernelMemory& memory);

    const std::string& vmcoreinfo_text() const { return vmcoreinfo_text_; }
    const Vmcoreinfo& vmcoreinfo() const { return vmcoreinfo_; }
    const Architecture& architecture() const { return *architecture_; }

    /// The beginning of the tables of kallsyms that names functions, up to the last one. Bytes; 0 if unknown.
    std::uint64_t function_names() const { return function_names_; }
    std::uint64_t function_offsets() const { return function_offsets_; }
    /// The whole of these tables, or what of them can be read. Bytes; 0 if unknown.
    std::uint64_t all_names() const { return all_names_; }
    std::uint64_t all_offsets() const { return all_offsets_; }

    /// The description of the kernel's types (BTF) in its memory.
    struct TypesAt {
        std::uint64_t address = 0;
        /// Bytes; 0 if the kernel has none, or it is corrupt.
        std::uint64_t size = 0;
    };
    TypesAt types_at() const { return types_at_; }

    /// What else a reader has to know: one sentence each.
    const std::vector<std::string>& remarks() const { return remarks_; }

    /// What this kernel lacks, and what therefore is not in a dump: one sentence each.
    const std::vector<std::string>& missing() const { return missing_; }

  private:
    LinuxKernel(std::string vmcoreinfo, const Architecture& architecture);

    void read_symbols(const LiveKernelMemory& memory);
    void read_types(const LiveKernelMemory& memory);
    /// For a kernel whose kallsyms names functions only, which end at `end_of_text`: what it exports, its
    /// types, and the range of its variables.
    void find_unnamed_data(const LiveKernelMemory& memory, std::set<std::string_view> wanted,
                           std::uint64_t end_of_text);
    /// By its types.
    void find_per_cpu_variables(const Btf& btf);
    void find_modules(const LiveKernelMemory& memory);

    std::string vmcoreinfo_text_;
    Vmcoreinfo vmcoreinfo_;
    const Architecture* architecture_;
    std::map<std::string, Symbol, std::less<>> symbols_;
    std::map<std::string, std::uint64_t, std::less<>> sizes_;
    std::map<std::string, Btf::Member, std::less<>> members_;
    std::map<std::string, std::int64_t, std::less<>> enumerators_;
    std::uint64_t function_names_ = 0;
    std::uint64_t function_offsets_ = 0;
    std::uint64_t all_names_ = 0;
    std::uint64_t all_offsets_ = 0;
    TypesAt types_at_;
    /// The image behind the code, of a kernel whose symbols do not name its data; size 0 of another. Bytes.
    std::uint64_t image_begin_ = 0;
    std::uint64_t image_size_ = 0;
    std::vector<AddressRange> unnamed_data_;
    std::vector<std::string> missing_;
    std::vector<std::string> remarks_;
};

} // namespace kmd
