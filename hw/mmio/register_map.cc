// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/mmio/register_map.h"

#include "common/kmemdump_md_regs.h"

#include <algorithm>
#include <array>

namespace kmd
{

namespace
{

constexpr auto kRegisters = std::to_array<RegisterInfo>({
    {KMD_MAGIC, "MAGIC", 4, Access::kReadOnly},
    {KMD_VERSION, "VERSION", 4, Access::kReadOnly},
    {KMD_FEATURES, "FEATURES", 8, Access::kReadOnly},
    {KMD_SLOT_COUNT, "SLOT_COUNT", 4, Access::kReadOnly},
    {KMD_SLOT_STRIDE, "SLOT_STRIDE", 4, Access::kReadOnly},
    {KMD_SLOT_OFFSET, "SLOT_OFFSET", 4, Access::kReadOnly},
    {KMD_DOORBELL, "DOORBELL", 4, Access::kWriteOnly},
    {KMD_STATUS, "STATUS", 4, Access::kReadOnly},
    {KMD_RESET_TABLE, "RESET_TABLE", 4, Access::kWriteOnly},
    {KMD_REGION_COUNT, "REGION_COUNT", 4, Access::kReadOnly},
    {KMD_FREE_SLOT, "FREE_SLOT", 4, Access::kReadOnly},
    {KMD_GUEST_ERRORS, "GUEST_ERRORS", 4, Access::kReadOnly},
    {KMD_DUMP_COUNT, "DUMP_COUNT", 4, Access::kReadOnly},
    {KMD_LAST_REASON, "LAST_REASON", 4, Access::kReadOnly},
    {KMD_LAST_RESULT, "LAST_RESULT", 4, Access::kReadOnly},
    {KMD_LAST_REGIONS, "LAST_REGIONS", 4, Access::kReadOnly},
    {KMD_LAST_BYTES, "LAST_BYTES", 8, Access::kReadOnly},
    {KMD_LAST_NANOSECONDS, "LAST_NANOSECONDS", 8, Access::kReadOnly},
    {KMD_LAST_REJECTED, "LAST_REJECTED", 4, Access::kReadOnly},
    {KMD_NOT_REGISTERED, "NOT_REGISTERED", 4, Access::kReadWrite},
    {KMD_NOT_LISTED, "NOT_LISTED", 4, Access::kReadWrite},
    {KMD_ID_SERIES, "ID_SERIES", 4, Access::kReadWrite},
});

constexpr auto kSlotFields = std::to_array<RegisterInfo>({
    {KMD_SLOT_PHYS, "SLOT_PHYS", 8, Access::kReadWrite},
    {KMD_SLOT_VIRT, "SLOT_VIRT", 8, Access::kReadWrite},
    {KMD_SLOT_SIZE, "SLOT_SIZE", 8, Access::kReadWrite},
    {KMD_SLOT_NAME, "SLOT_NAME", KMD_NAME_SIZE, Access::kReadWrite},
    {KMD_SLOT_ID, "SLOT_ID", 4, Access::kReadWrite},
    {KMD_SLOT_FLAGS, "SLOT_FLAGS", 4, Access::kReadWrite},
    {KMD_SLOT_STATUS, "SLOT_STATUS", 4, Access::kReadOnly},
    {KMD_SLOT_COMMIT, "SLOT_COMMIT", 4, Access::kReadWrite},
});

const RegisterInfo* find(std::span<const RegisterInfo> map, std::uint64_t offset)
{
    const auto found = std::find_if(map.begin(), map.end(), [&](const RegisterInfo& info) {
        return offset >= info.offset && offset - info.offset < info.size;
    });
    return found == map.end() ? nullptr : &*found;
}

} // namespace

std::span<const RegisterInfo> register_map()
{
    return kRegisters;
}

std::span<const RegisterInfo> slot_map()
{
    return kSlotFields;
}

const RegisterInfo* find_register(std::uint64_t offset)
{
    return find(kRegisters, offset);
}

std::string register_name(std::uint64_t offset)
{
    if (offset < KMD_SLOT_OFFSET_VALUE) {
        const RegisterInfo* const found = find_register(offset);
        return found != nullptr ? found->name : "";
    }
    const std::uint64_t in_table = offset - KMD_SLOT_OFFSET_VALUE;
    const RegisterInfo* const field = find(kSlotFields, in_table % KMD_SLOT_STRIDE_VALUE);
    return field != nullptr
               ? std::string(field->name) + " of slot " + std::to_string(in_table / KMD_SLOT_STRIDE_VALUE)
               : "";
}

} // namespace kmd
