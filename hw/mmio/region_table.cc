// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/mmio/region_table.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <new>

namespace kmd
{

namespace
{

bool is_status(std::uint32_t status)
{
    return status <= KMD_SLOT_OK_OVERLAP || (status >= KMD_SLOT_BAD_SIZE && status <= KMD_SLOT_FREED);
}

bool bad_flags(std::uint32_t flags)
{
    constexpr std::uint32_t kKnown = KMD_FLAGS_KIND | KMD_FLAG_VITAL | KMD_FLAG_FREED;
    return (flags & ~kKnown) != 0 || (flags & KMD_FLAGS_KIND) > KMD_KIND_LIST;
}

std::uint64_t last_byte(const Region& region)
{
    return region.phys + (region.size - 1);
}

} // namespace

RegionTable::RegionTable(std::uint32_t slots, std::uint32_t capacity, std::uint64_t refused)
    : slots_(slots), capacity_(capacity), refused_(refused), valid_bits_((slots + 63) / 64)
{
}

std::uint32_t RegionTable::free_slot() const
{
    if (region_count_ < capacity_) {
        for (std::uint32_t word = 0; word < valid_bits_.size(); ++word) {
            if (valid_bits_[word] != ~std::uint64_t{0}) {
                return word * 64 + static_cast<std::uint32_t>(std::countr_one(valid_bits_[word]));
            }
        }
    }
    return KMD_NO_FREE_SLOT;
}

void RegionTable::set_valid(std::uint32_t slot, bool valid)
{
    const std::uint64_t bit = std::uint64_t{1} << slot % 64;
    slots_[slot].valid = valid;
    valid_bits_[slot / 64] ^= bit;
    region_count_ += valid ? 1 : static_cast<std::uint32_t>(-1);
}

std::uint64_t RegionTable::field64(std::uint32_t slot, std::uint32_t offset) const
{
    const auto& fields = slots_[slot].fields;
    return fields[offset / 4] | static_cast<std::uint64_t>(fields[offset / 4 + 1]) << 32;
}

Region RegionTable::region(std::uint32_t slot) const
{
    const auto& fields = slots_[slot].fields;
    Region region;
    region.phys = field64(slot, KMD_SLOT_PHYS);
    region.virt = field64(slot, KMD_SLOT_VIRT);
    region.size = field64(slot, KMD_SLOT_SIZE);
    for (std::uint32_t i = 0; i < KMD_NAME_SIZE; ++i) {
        region.name[i] = static_cast<char>(fields[(KMD_SLOT_NAME + i) / 4] >> (i % 4 * 8));
    }
    region.id = fields[KMD_SLOT_ID / 4];
    const std::uint32_t flags = fields[KMD_SLOT_FLAGS / 4];
    region.kind = flags & KMD_FLAGS_KIND;
    region.vital = (flags & KMD_FLAG_VITAL) != 0;
    region.freed = (flags & KMD_FLAG_FREED) != 0;
    return region;
}

bool RegionTable::set_field(std::uint32_t slot, std::uint32_t word, std::uint32_t value)
{
    if (slots_[slot].valid) {
        return false;
    }
    slots_[slot].fields[word] = value;
    return true;
}

bool RegionTable::duplicate(const Region& region) const
{
    return (region.id != 0 && ids_.contains(region.id)) || singular_kinds_.contains(region.kind);
}

// The order of the checks is that of section 6.
kmd_slot_status RegionTable::check(std::uint32_t slot, const Region& region, GuestMemory& memory) const
{
    if (bad_flags(slots_[slot].fields[KMD_SLOT_FLAGS / 4])) {
        return KMD_SLOT_BAD_FLAGS;
    }
    // Freed memory may be unplugged by now. It is accepted here, because it is never read.
    if (const auto status = check_range(region, memory); status != KMD_SLOT_OK && status != KMD_SLOT_FREED) {
        return status;
    }
    if (duplicate(region)) {
        return KMD_SLOT_DUPLICATE;
    }
    if (region_count_ >= capacity_) {
        return KMD_SLOT_TABLE_FULL;
    }
    return coverage_.any(region.phys, last_byte(region)) ? KMD_SLOT_OK_OVERLAP : KMD_SLOT_OK;
}

kmd_slot_status RegionTable::commit(std::uint32_t slot, GuestMemory& memory)
{
    const Region region = this->region(slot);
    const auto status = ++commits_ == refused_ ? KMD_SLOT_REFUSED : check(slot, region, memory);
    slots_[slot].status = status;
    if (!accepted(status)) {
        refused_regions_.refused(region, status);
        return status;
    }
    try {
        add(slot, region);
        refused_regions_.accepted(region);
    } catch (const std::bad_alloc&) {
        slots_[slot].status = KMD_SLOT_REFUSED;
    }
    return slots_[slot].status;
}

void RegionTable::add(std::uint32_t slot, const Region& region)
{
    try {
        if (region.id != 0) {
            ids_.insert(region.id);
        }
        if (region.kind != KMD_KIND_MEMORY) {
            singular_kinds_.insert(region.kind);
        }
        coverage_.add(region.phys, last_byte(region));
    } catch (const std::bad_alloc&) {
        ids_.erase(region.id);
        singular_kinds_.erase(region.kind);
        throw;
    }
    set_valid(slot, true);
}

void RegionTable::invalidate(std::uint32_t slot)
{
    slots_[slot].status = KMD_SLOT_EMPTY;
    if (!slots_[slot].valid) {
        return;
    }
    const Region region = this->region(slot);
    set_valid(slot, false);
    coverage_.remove(region.phys, last_byte(region));
    ids_.erase(region.id);
    singular_kinds_.erase(region.kind);
}

void RegionTable::clear()
{
    std::fill(slots_.begin(), slots_.end(), Slot{});
    std::fill(valid_bits_.begin(), valid_bits_.end(), 0);
    region_count_ = 0;
    refused_regions_.clear();
    ids_.clear();
    singular_kinds_.clear();
    coverage_.clear();
}

void RegionTable::save(StateWriter& state) const
{
    state.put32(slot_count());
    state.put64(refused_regions_.count());
    for (const Slot& slot : slots_) {
        for (const std::uint32_t word : slot.fields) {
            state.put32(word);
        }
        state.put32(slot.status);
        state.put32(slot.valid ? 1 : 0);
    }
}

std::optional<Error> RegionTable::load(StateReader& state)
{
    clear();
    if (const std::uint32_t slots = state.get32(); slots != slot_count()) {
        return Error{"it has " + std::to_string(slots) + " slots, but this controller has " +
                     std::to_string(slot_count()) + ": slots= must be the same"};
    }
    refused_regions_.restore(state.get64());
    for (std::uint32_t slot = 0; slot < slot_count() && state.ok(); ++slot) {
        for (std::uint32_t& word : slots_[slot].fields) {
            word = state.get32();
        }
        const std::uint32_t status = state.get32();
        const std::uint32_t valid = state.get32();
        const std::string name = "its slot " + std::to_string(slot);
        const Region region = this->region(slot);
        if (!is_status(status) || valid > 1) {
            return Error{name + " has an invalid status"};
        }
        slots_[slot].status = static_cast<kmd_slot_status>(status);
        if (valid == 0) {
            continue;
        }
        if (check_addresses(region) != KMD_SLOT_OK || bad_flags(slots_[slot].fields[KMD_SLOT_FLAGS / 4]) ||
            duplicate(region)) {
            return Error{name + " is valid, but no guest could have registered it"};
        }
        if (region_count_ >= capacity_) {
            return Error{"it has more regions than the " + std::to_string(capacity_) +
                         " that this controller takes"};
        }
        add(slot, region);
    }
    return std::nullopt;
}

} // namespace kmd
