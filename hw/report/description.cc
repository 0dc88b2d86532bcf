// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/report/description.h"

#include "common/text.h"
#include "hw/report/json_text.h"

namespace kmd
{

const char* status_text(kmd_slot_status status)
{
    switch (status) {
    case KMD_SLOT_EMPTY:
        return "it is empty";
    case KMD_SLOT_OK:
        return "it is valid";
    case KMD_SLOT_OK_OVERLAP:
        return "it is valid and overlaps another region";
    case KMD_SLOT_BAD_SIZE:
        return "its size is 0";
    case KMD_SLOT_WRAPS:
        return "it wraps around the end of the address space";
    case KMD_SLOT_NOT_RAM:
        return "not all of it is RAM";
    case KMD_SLOT_BAD_FLAGS:
        return "its flags are not those of the specification";
    case KMD_SLOT_DUPLICATE:
        return "another region has its id or its kind";
    case KMD_SLOT_TABLE_FULL:
        return "the table is full";
    case KMD_SLOT_REFUSED:
        return "the host refuses it";
    case KMD_SLOT_FREED:
        return "its memory was freed since it was registered";
    }
    return "its status is unknown";
}

const char* kind_text(std::uint32_t kind)
{
    switch (kind) {
    case KMD_KIND_MEMORY:
        return "memory";
    case KMD_KIND_ELF_HEADER:
        return "elf-header";
    case KMD_KIND_VMCOREINFO:
        return "vmcoreinfo";
    case KMD_KIND_LIST:
        return "list";
    default:
        return "unknown";
    }
}

std::string describe_slot(const RegionTable& table, std::uint32_t slot)
{
    const Region region = table.region(slot);
    return "slot " + std::to_string(slot) + " '" + printable_name(region) + "' (" + hex(region.size) +
           " bytes at " + hex(region.phys) + "): " + status_text(table.status(slot));
}

std::string describe_regions(const RegionTable& table)
{
    std::string list;
    for (std::uint32_t slot = 0; slot < table.slot_count(); ++slot) {
        if (!table.valid(slot)) {
            continue;
        }
        const Region region = table.region(slot);
        JsonMembers members(JsonStyle::kOneLine);
        members.add("slot", slot);
        members.add("id", region.id);
        members.add_json("name", json_ascii(printable_name(region)));
        members.add_json("kind", json_ascii(kind_text(region.kind)));
        members.add_json("phys", json_ascii(hex(region.phys)));
        members.add_json("virt", json_ascii(hex(region.virt)));
        members.add("size", region.size);
        members.add_json("status", json_ascii(status_text(table.status(slot))));
        list += list.empty() ? "" : ",";
        list += members.object();
    }
    return "[" + list + "]";
}

} // namespace kmd
