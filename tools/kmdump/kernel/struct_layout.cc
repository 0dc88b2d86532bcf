// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/struct_layout.h"

#include "kmdump/core/elf_handle.h"
#include "kmdump/core/file.h"
#include "kmdump/kernel/build_id.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>

namespace kmdump
{

namespace
{

/// Nesting of anonymous structures; real ones are far less deep.
constexpr unsigned kDeepest = 16;

struct BtfFree {
    void operator()(btf* types) const { btf__free(types); }
};
struct DwarfEnd {
    void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

bool is_structure(const btf_type* type)
{
    return type != nullptr && (btf_is_struct(type) || btf_is_union(type));
}

std::optional<std::uint64_t> find_in_btf(const btf* types, const btf_type* structure, std::string_view wanted,
                                         unsigned depth)
{
    if (!is_structure(structure) || depth > kDeepest) {
        return std::nullopt;
    }
    const btf_member* const members = btf_members(structure);
    for (unsigned i = 0; i < btf_vlen(structure); ++i) {
        const char* const name = btf__name_by_offset(types, members[i].name_off);
        const std::uint64_t offset = btf_member_bit_offset(structure, i) / 8;
        if (name != nullptr && wanted == name) {
            return offset;
        }
        if (name != nullptr && name[0] == '\0') {
            const btf_type* const inner = btf__type_by_id(types, members[i].type);
            if (const auto found = find_in_btf(types, inner, wanted, depth + 1)) {
                return offset + *found;
            }
        }
    }
    return std::nullopt;
}

MemberOffsets read_btf(const btf* types, const std::vector<MemberName>& wanted)
{
    MemberOffsets offsets;
    for (const MemberName& name : wanted) {
        const int id = btf__find_by_name_kind(types, name.structure.c_str(), BTF_KIND_STRUCT);
        const btf_type* const structure = id > 0 ? btf__type_by_id(types, static_cast<__u32>(id)) : nullptr;
        if (const auto offset = find_in_btf(types, structure, name.member, 0)) {
            offsets[name] = *offset;
        }
    }
    return offsets;
}

std::optional<std::uint64_t> number_of(Dwarf_Die* die, unsigned attribute)
{
    Dwarf_Attribute value;
    Dwarf_Word number = 0;
    if (dwarf_attr_integrate(die, attribute, &value) == nullptr || dwarf_formudata(&value, &number) != 0) {
        return std::nullopt;
    }
    return number;
}

std::optional<std::uint64_t> find_in_dwarf(Dwarf_Die* structure, std::string_view wanted, unsigned depth)
{
    Dwarf_Die member;
    if (depth > kDeepest || dwarf_child(structure, &member) != 0) {
        return std::nullopt;
    }
    do {
        if (dwarf_tag(&member) != DW_TAG_member) {
            continue;
        }
        const char* const name = dwarf_diename(&member);
        // Members of a union have no offset. Bit fields, which have none here either, are never wanted.
        const std::uint64_t offset = number_of(&member, DW_AT_data_member_location).value_or(0);
        if (name != nullptr && wanted == name) {
            return offset;
        }
        Dwarf_Attribute attribute;
        Dwarf_Die type;
        if (name == nullptr && dwarf_attr_integrate(&member, DW_AT_type, &attribute) != nullptr &&
            dwarf_formref_die(&attribute, &type) != nullptr) {
            if (const auto found = find_in_dwarf(&type, wanted, depth + 1)) {
                return offset + *found;
            }
        }
    } while (dwarf_siblingof(&member, &member) == 0);
    return std::nullopt;
}

MemberOffsets read_dwarf(Dwarf* dwarf, const std::vector<MemberName>& wanted)
{
    MemberOffsets offsets;
    std::set<std::string> missing;
    for (const MemberName& name : wanted) {
        missing.insert(name.structure);
    }
    Dwarf_CU* unit = nullptr;
    Dwarf_Die top;
    while (!missing.empty() && dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &top, nullptr) == 0) {
        Dwarf_Die die;
        if (dwarf_child(&top, &die) != 0) {
            continue;
        }
        do {
            const char* const name = dwarf_tag(&die) == DW_TAG_structure_type ? dwarf_diename(&die) : nullptr;
            if (name == nullptr || !missing.contains(name) || dwarf_hasattr(&die, DW_AT_declaration) != 0) {
                continue;
            }
            for (const MemberName& member : wanted) {
                if (member.structure == name) {
                    if (const auto offset = find_in_dwarf(&die, member.member, 0)) {
                        offsets[member] = *offset;
                    }
                }
            }
            missing.erase(name);
        } while (dwarf_siblingof(&die, &die) == 0);
    }
    return offsets;
}

} // namespace

kmd::Result<MemberOffsets> read_member_offsets(const std::string& path, const std::vector<MemberName>& wanted,
                                               const kmd::Vmcoreinfo& vmcoreinfo)
{
    const auto file = File::open(path, "a vmlinux file");
    if (!file) {
        return file.error();
    }
    elf_version(EV_CURRENT);
    const ElfHandle elf(elf_begin(file.value().descriptor(), ELF_C_READ, nullptr));
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF) {
        return kmd::Error{"expected a vmlinux file, found something that is not ELF"};
    }
    if (auto error = check_kernel(elf.get(), vmcoreinfo)) {
        return *error;
    }
    libbpf_set_print(nullptr);
    if (const std::unique_ptr<btf, BtfFree> types{btf__parse_elf(path.c_str(), nullptr)}; types != nullptr) {
        return read_btf(types.get(), wanted);
    }
    const std::unique_ptr<Dwarf, DwarfEnd> dwarf(dwarf_begin_elf(elf.get(), DWARF_C_READ, nullptr));
    auto offsets = dwarf ? read_dwarf(dwarf.get(), wanted) : MemberOffsets{};
    if (offsets.empty()) {
        return kmd::Error{"expected a vmlinux file with type information (BTF or DWARF), found none"};
    }
    return offsets;
}

} // namespace kmdump
