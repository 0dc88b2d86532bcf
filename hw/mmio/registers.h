// SPDX-License-Identifier: GPL-2.0-or-later
//
// The MMIO window: decodes accesses (specification section 3), holds the registers (section 4) and
// reaches the slots (section 5). State only; what an access should cause is returned as a value.
#pragma once

#include "common/kmemdump_md_regs.h"
#include "hw/memory/guest_memory.h"
#include "hw/mmio/region_table.h"

#include <cstdint>
#include <optional>
#include <string>

namespace kmd
{

/// What the LAST_ registers say of one attempt to take a dump.
struct DumpRecord {
    std::uint32_t reason = 0;
    kmd_result result = KMD_RESULT_NONE;
    std::uint32_t regions = 0;
    std::uint32_t rejected = 0;
    std::uint64_t bytes = 0;
    std::uint64_t nanoseconds = 0;
};

/// What the guest says of itself (section 4.4).
struct GuestReport {
    std::uint32_t not_registered = 0;
    std::uint32_t not_listed = 0;
    std::uint32_t id_series = KMD_SERIES_UNKNOWN;
};

/// What a write asks of its caller.
struct WriteEffect {
    /// A guest error, in words for the log.
    std::optional<std::string> guest_error;
    /// The doorbell was rung with this reason, and STATUS_BUSY is set.
    std::optional<kmd_reason> doorbell;
    /// A commit answered with anything but SLOT_OK: the slot and its new status.
    std::optional<std::uint32_t> remarkable_slot;
};

class Registers
{
  public:
    /// `table` and `memory` outlive the registers. `features`: of enum kmd_feature. `fault_injection`: what
    /// the bit of STATUS says.
    Registers(RegionTable& table, GuestMemory& memory, std::uint32_t features, bool fault_injection = false)
        : table_(table), memory_(memory), features_(features), fault_injection_(fault_injection)
    {
    }

    /// Size of the window in bytes: whole 4 KiB pages, with at least one stride behind the last
    /// slot, so that a commit past the table is answered by the device.
    std::uint64_t window_size() const;

    /// `offset` and `size` in bytes; any value is safe. `error` is set on a guest error.
    std::uint64_t read(std::uint64_t offset, unsigned size, std::optional<std::string>& error);
    WriteEffect write(std::uint64_t offset, std::uint64_t value, unsigned size);

    /// Sets STATUS_BUSY; false if it was set already.
    bool begin_dump();
    /// Clears STATUS_BUSY; there was no attempt.
    void cancel_dump() { busy_ = false; }
    /// Clears STATUS_BUSY and publishes the record of the attempt.
    void end_dump(const DumpRecord& record);

    bool busy() const { return busy_; }
    std::uint32_t dump_count() const { return dump_count_; }
    const DumpRecord& last() const { return last_; }
    const GuestReport& guest_report() const { return guest_report_; }

    /// Machine reset (section 4.3).
    void reset();

    /// The registers alone; the table has a state of its own.
    void save(StateWriter& state) const;
    std::optional<Error> load(StateReader& state);

  private:
    std::optional<std::uint32_t> read_register(std::uint64_t offset) const;
    /// Of the register at `offset`, which can be read.
    std::uint64_t value_of(std::uint32_t offset) const;
    std::uint32_t read_slot(std::uint32_t slot, std::uint32_t offset) const;
    std::optional<std::uint32_t> read_word(std::uint64_t offset) const;
    void write_register(std::uint64_t offset, std::uint32_t value, WriteEffect& effect);
    void write_slot(std::uint32_t slot, std::uint32_t offset, std::uint32_t value, WriteEffect& effect);
    void write_commit(std::uint32_t slot, std::uint32_t value, WriteEffect& effect);
    void write_words(std::uint64_t offset, std::uint64_t value, unsigned size, WriteEffect& effect);
    void write_word(std::uint64_t offset, std::uint32_t value, WriteEffect& effect);
    void ring_doorbell(std::uint32_t reason, WriteEffect& effect);
    std::uint64_t table_end() const;
    std::uint32_t status() const;
    void count_guest_error();

    RegionTable& table_;
    GuestMemory& memory_;
    std::uint32_t features_;
    bool fault_injection_;
    bool busy_ = false;
    std::uint32_t guest_errors_ = 0;
    std::uint32_t dump_count_ = 0;
    DumpRecord last_;
    GuestReport guest_report_;
};

} // namespace kmd
