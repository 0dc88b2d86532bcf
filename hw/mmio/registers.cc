// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/mmio/registers.h"

#include "common/text.h"
#include "hw/mmio/register_map.h"

#include <limits>
#include <new>
#include <utility>

namespace kmd
{

namespace
{

constexpr std::uint64_t kPage = 4096;

constexpr std::uint32_t low(std::uint64_t value)
{
    return static_cast<std::uint32_t>(value);
}

constexpr std::uint32_t high(std::uint64_t value)
{
    return static_cast<std::uint32_t>(value >> 32);
}

bool well_formed(std::uint64_t offset, unsigned size)
{
    return (size == 4 || size == 8) && offset % size == 0;
}

std::string describe(const char* access, std::uint64_t offset, unsigned size)
{
    const std::string name = register_name(offset);
    return std::to_string(size) + "-byte " + access + " at offset " + hex(offset) +
           (name.empty() ? "" : ", " + name + ",");
}

constexpr std::uint64_t window_offset(std::uint32_t slot, std::uint32_t offset)
{
    return KMD_SLOT_OFFSET_VALUE + std::uint64_t{slot} * KMD_SLOT_STRIDE_VALUE + offset;
}

/// Each access causes at most one guest error, described by its first cause.
void set_guest_error(WriteEffect& effect, std::string cause)
{
    if (!effect.guest_error) {
        effect.guest_error = std::move(cause);
    }
}

} // namespace

std::uint64_t Registers::table_end() const
{
    return KMD_SLOT_OFFSET_VALUE + std::uint64_t{table_.slot_count()} * KMD_SLOT_STRIDE_VALUE;
}

std::uint64_t Registers::window_size() const
{
    return (table_end() + KMD_SLOT_STRIDE_VALUE + kPage - 1) / kPage * kPage;
}

std::uint32_t Registers::status() const
{
    return (ready_ ? std::uint32_t{KMD_STATUS_READY} : 0u) | (busy_ ? std::uint32_t{KMD_STATUS_BUSY} : 0u) |
           (fault_injection_ ? std::uint32_t{KMD_STATUS_FAULT_INJECTION} : 0u);
}

void Registers::count_guest_error()
{
    if (guest_errors_ != std::numeric_limits<std::uint32_t>::max()) {
        ++guest_errors_;
    }
}

std::uint64_t Registers::read(std::uint64_t offset, unsigned size, std::optional<std::string>& error)
{
    if (!well_formed(offset, size)) {
        count_guest_error();
        error = describe("read", offset, size) + " is not 32 or 64 bits wide and aligned";
        return 0;
    }
    std::uint64_t value = 0;
    for (unsigned done = 0; done < size; done += 4) {
        if (const auto word = read_word(offset + done)) {
            value |= static_cast<std::uint64_t>(*word) << done * 8;
        } else if (!error) {
            count_guest_error();
            error = describe("read", offset + done, 4) + " is not a register";
        }
    }
    return value;
}

std::optional<std::uint32_t> Registers::read_word(std::uint64_t offset) const
{
    if (offset < KMD_SLOT_OFFSET_VALUE) {
        return read_register(offset);
    }
    if (offset >= table_end()) {
        return std::nullopt;
    }
    const std::uint64_t in_table = offset - KMD_SLOT_OFFSET_VALUE;
    return read_slot(low(in_table / KMD_SLOT_STRIDE_VALUE), low(in_table % KMD_SLOT_STRIDE_VALUE));
}

std::optional<std::uint32_t> Registers::read_register(std::uint64_t offset) const
{
    const RegisterInfo* const found = find_register(offset);
    if (found == nullptr) {
        return std::nullopt;
    }
    const std::uint64_t value = found->access == Access::kWriteOnly ? 0 : value_of(found->offset);
    return offset == found->offset ? low(value) : high(value);
}

std::uint64_t Registers::value_of(std::uint32_t offset) const
{
    switch (static_cast<kmd_register>(offset)) {
    case KMD_MAGIC:
        return KMD_MAGIC_VALUE;
    case KMD_VERSION:
        return KMD_VERSION_VALUE;
    case KMD_FEATURES:
        return features_;
    case KMD_SLOT_COUNT:
        return table_.slot_count();
    case KMD_SLOT_STRIDE:
        return KMD_SLOT_STRIDE_VALUE;
    case KMD_SLOT_OFFSET:
        return KMD_SLOT_OFFSET_VALUE;
    case KMD_STATUS:
        return status();
    case KMD_REGION_COUNT:
        return table_.region_count();
    case KMD_FREE_SLOT:
        return table_.free_slot();
    case KMD_GUEST_ERRORS:
        return guest_errors_;
    case KMD_DUMP_COUNT:
        return dump_count_;
    case KMD_LAST_REASON:
        return last_.reason;
    case KMD_LAST_RESULT:
        return last_.result;
    case KMD_LAST_REGIONS:
        return last_.regions;
    case KMD_LAST_BYTES:
        return last_.bytes;
    case KMD_LAST_NANOSECONDS:
        return last_.nanoseconds;
    case KMD_LAST_REJECTED:
        return last_.rejected;
    case KMD_NOT_REGISTERED:
        return guest_report_.not_registered;
    case KMD_NOT_LISTED:
        return guest_report_.not_listed;
    case KMD_ID_SERIES:
        return guest_report_.id_series;
    case KMD_DOORBELL:
    case KMD_RESET_TABLE:
        break;
    }
    return 0;
}

std::uint32_t Registers::read_slot(std::uint32_t slot, std::uint32_t offset) const
{
    if (offset < KMD_SLOT_STATUS) {
        return table_.field(slot, offset / 4);
    }
    switch (offset) {
    case KMD_SLOT_STATUS:
        return table_.status(slot);
    case KMD_SLOT_COMMIT:
        return table_.valid(slot) ? 1 : 0;
    default:
        return 0;
    }
}

WriteEffect Registers::write(std::uint64_t offset, std::uint64_t value, unsigned size)
{
    WriteEffect effect;
    if (!well_formed(offset, size)) {
        set_guest_error(effect, describe("write", offset, size) + " is not 32 or 64 bits wide and aligned");
    } else {
        write_words(offset, value, size, effect);
    }
    if (effect.guest_error) {
        count_guest_error();
    }
    return effect;
}

void Registers::write_words(std::uint64_t offset, std::uint64_t value, unsigned size, WriteEffect& effect)
{
    try {
        write_word(offset, low(value), effect);
        if (size == 8) {
            write_word(offset + 4, high(value), effect);
        }
    } catch (const std::bad_alloc&) {
        // Keep the effect of a half that was already written: an accepted doorbell must get its answer.
        effect.guest_error.emplace();
    }
}

void Registers::write_word(std::uint64_t offset, std::uint32_t value, WriteEffect& effect)
{
    if (offset < KMD_SLOT_OFFSET_VALUE) {
        write_register(offset, value, effect);
    } else if (offset < table_end()) {
        const std::uint64_t in_table = offset - KMD_SLOT_OFFSET_VALUE;
        write_slot(low(in_table / KMD_SLOT_STRIDE_VALUE), low(in_table % KMD_SLOT_STRIDE_VALUE), value,
                   effect);
    } else {
        set_guest_error(effect, describe("write", offset, 4) + " is past the last slot");
    }
}

void Registers::write_register(std::uint64_t offset, std::uint32_t value, WriteEffect& effect)
{
    const RegisterInfo* const found = find_register(offset);
    if (found == nullptr || found->access == Access::kReadOnly) {
        set_guest_error(effect, describe("write", offset, 4) + " is not a writable register");
        return;
    }
    switch (offset) {
    case KMD_DOORBELL:
        ring_doorbell(value, effect);
        break;
    case KMD_RESET_TABLE:
        if (value == 1) {
            table_.clear();
            guest_report_ = {};
        } else {
            set_guest_error(effect, "RESET_TABLE takes 1, not " + hex(value));
        }
        break;
    case KMD_NOT_REGISTERED:
        guest_report_.not_registered = value;
        break;
    case KMD_NOT_LISTED:
        guest_report_.not_listed = value;
        break;
    case KMD_ID_SERIES:
        guest_report_.id_series = value;
        break;
    default:
        break;
    }
}

void Registers::ring_doorbell(std::uint32_t reason, WriteEffect& effect)
{
    if (reason < KMD_REASON_PANIC || reason > KMD_REASON_ABANDONED) {
        set_guest_error(effect, "DOORBELL takes a guest's reason, not " + hex(reason));
    } else if (!begin_dump()) {
        set_guest_error(effect, "DOORBELL rung while a dump is under way");
    } else {
        effect.doorbell = static_cast<kmd_reason>(reason);
    }
}

void Registers::write_slot(std::uint32_t slot, std::uint32_t offset, std::uint32_t value, WriteEffect& effect)
{
    if (offset < KMD_SLOT_STATUS) {
        if (!table_.set_field(slot, offset / 4, value)) {
            set_guest_error(effect, "slot " + std::to_string(slot) + " is valid, so its fields are frozen");
        }
    } else if (offset == KMD_SLOT_COMMIT) {
        write_commit(slot, value, effect);
    } else if (value != 0 || offset == KMD_SLOT_STATUS) {
        set_guest_error(effect,
                        describe("write", window_offset(slot, offset), 4) + " is not a writable field");
    }
}

void Registers::write_commit(std::uint32_t slot, std::uint32_t value, WriteEffect& effect)
{
    if (value == 0) {
        table_.invalidate(slot);
    } else if (value != 1) {
        set_guest_error(effect, "SLOT_COMMIT takes 0 or 1, not " + hex(value));
    } else if (table_.valid(slot)) {
        set_guest_error(effect, "slot " + std::to_string(slot) + " is committed already");
    } else if (table_.commit(slot, memory_) != KMD_SLOT_OK) {
        effect.reported_slot = slot;
    }
}

bool Registers::begin_dump()
{
    if (busy_) {
        return false;
    }
    busy_ = true;
    return true;
}

void Registers::end_dump(const DumpRecord& record)
{
    busy_ = false;
    last_ = record;
    if (record.result == KMD_RESULT_COMPLETE || record.result == KMD_RESULT_PARTIAL) {
        ++dump_count_;
    }
}

void Registers::reset()
{
    table_.clear();
    guest_report_ = {};
    guest_errors_ = 0;
}

void Registers::save(StateWriter& state) const
{
    state.put32(busy_ ? 1 : 0);
    state.put32(guest_errors_);
    state.put32(dump_count_);
    state.put32(last_.reason);
    state.put32(last_.result);
    state.put32(last_.regions);
    state.put32(last_.rejected);
    state.put64(last_.bytes);
    state.put64(last_.nanoseconds);
    state.put32(guest_report_.not_registered);
    state.put32(guest_report_.not_listed);
    state.put32(guest_report_.id_series);
}

std::optional<Error> Registers::load(StateReader& state)
{
    const std::uint32_t busy = state.get32();
    guest_errors_ = state.get32();
    dump_count_ = state.get32();
    last_.reason = state.get32();
    const std::uint32_t result = state.get32();
    last_.regions = state.get32();
    last_.rejected = state.get32();
    last_.bytes = state.get64();
    last_.nanoseconds = state.get64();
    guest_report_ = {state.get32(), state.get32(), state.get32()};
    if (busy > 1 || result > KMD_RESULT_LIMIT) {
        return Error{"its registers have invalid values"};
    }
    busy_ = busy == 1;
    last_.result = static_cast<kmd_result>(result);
    return std::nullopt;
}

} // namespace kmd
