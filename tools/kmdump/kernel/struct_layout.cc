// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/struct_layout.h"

#include "kmdump/kernel/btf_member.h"
#include "kmdump/kernel/vmlinux_file.h"

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

struct DwarfEnd {
    void operator()(Dwarf* dwarf) const { dwarf_end(dwarf); }
};

MemberOffsets read_btf(const btf* types, const std::vector<MemberName>& wanted)
{
    MemberOffsets offsets;
    for (const MemberName& name : wanted) {
        const int id = btf__find_by_name_kind(types, name.structure.c_str(), BTF_KIND_STRUCT);
        if (const auto found =
                id > 0 ? find_btf_member(types, static_cast<__u32>(id), name.member) : std::nullopt) {
            offsets[name] = found->offset / 8;
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
    const auto file = open_vmlinux(path, vmcoreinfo);
    if (!file) {
        return file.error();
    }
    libbpf_set_print(nullptr);
    if (const BtfHandle types{btf__parse_elf(path.c_str(), nullptr)}; types != nullptr) {
        return read_btf(types.get(), wanted);
    }
    const std::unique_ptr<Dwarf, DwarfEnd> dwarf(
        dwarf_begin_elf(file.value().elf.get(), DWARF_C_READ, nullptr));
    auto offsets = dwarf ? read_dwarf(dwarf.get(), wanted) : MemberOffsets{};
    if (offsets.empty()) {
        return kmd::Error{"expected a vmlinux file with type information (BTF or DWARF), found none"};
    }
    return offsets;
}

} // namespace kmdump
