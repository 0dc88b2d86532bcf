// SPDX-License-Identifier: GPL-2.0-or-later
//
// The MMIO window: decodes accesses (specification section 3), holds the registers (section 4) and forwards
// to the slots (section 5). It holds only state; it returns what an access has to cause as a value.
#pragma once

#include "common/kmemdump_md_regs.h"
#include "hw/memory/guest_memory.h"
#include "hw/mmio/region_table.h"

#include <cstdint>
#include <optional>
#include <string>

namespace kmd
{

/// The values of the LAST_ registers for one attempt to take a dump.
struct DumpRecord {
    std::uint32_t reason = 0;
    kmd_result result = KMD_RESULT_NONE;
    std::uint32_t regions = 0;
    std::uint32_t rejected = 0;
    std::uint64_t bytes = 0;
    std::uint64_t nanoseconds = 0;
};

/// What the guest reports about itself (section 4.4).
struct GuestReport {
    std::uint32_t not_registered = 0;
    std::uint32_t not_listed = 0;
    std::uint32_t id_series = KMD_SERIES_UNKNOWN;
};

/// What the caller has to do after a write.
struct WriteEffect {
    /// Message for the log about a guest error.
    std::optional<std::string> guest_error;
    /// The doorbell was rung with this reason; STATUS_BUSY is set.
    std::optional<kmd_reason> doorbell;
    /// The slot of a commit whose status is not SLOT_OK.
    std::optional<std::uint32_t> reported_slot;
};

class Registers
{
  public:
    /// `table` and `memory` outlive the registers. `features`: bits of enum kmd_feature. `fault_injection`:
    /// whether STATUS has KMD_STATUS_FAULT_INJECTION.
    Registers(RegionTable& table, GuestMemory& memory, std::uint32_t features, bool fault_injection = false)
        : table_(table), memory_(memory), features_(features), fault_injection_(fault_injection)
    {
    }

    /// Size of the window in bytes: whole 4 KiB pages, with at least one stride after the last slot, so that
    /// the device also answers a commit past the table.
    std::uint64_t window_size() const;

    /// `offset` and `size` in bytes; any value is safe. Sets `error` on a guest error.
    std::uint64_t read(std::uint64_t offset, unsigned size, std::optional<std::string>& error);
    WriteEffect write(std::uint64_t offset, std::uint64_t value, unsigned size);

    /// Sets STATUS_BUSY; returns false if it was already set.
    bool begin_dump();
    /// Clears STATUS_BUSY without an attempt.
    void cancel_dump() { busy_ = false; }
    /// Clears STATUS_BUSY and publishes the record of the attempt.
    void end_dump(const DumpRecord& record);
    /// Sets or clears STATUS_READY, which belongs to this host: it is not part of the state.
    void set_ready(bool ready) { ready_ = ready; }

    bool busy() const { return busy_; }
    std::uint32_t dump_count() const { return dump_count_; }
    const DumpRecord& last() const { return last_; }
    const GuestReport& guest_report() const { return guest_report_; }

    /// Machine reset (section 4.3).
    void reset();

    /// The state of the registers; the table has its own.
    void save(StateWriter& state) const;
    std::optional<Error> load(StateReader& state);

  private:
    std::optional<std::uint32_t> read_register(std::uint64_t offset) const;
    /// Value of the readable register at `offset`.
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
    bool ready_ = true;
    bool busy_ = false;
    std::uint32_t guest_errors_ = 0;
    std::uint32_t dump_count_ = 0;
    DumpRecord last_;
    GuestReport guest_report_;
};

} // namespace kmd
