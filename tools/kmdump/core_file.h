// SPDX-License-Identifier: GPL-2.0-or-later
//
// An ELF core image of a machine: what its headers and notes say, and its memory by address.
#pragma once

#include "address_map.h"
#include "file.h"
#include "result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kmdump
{

/// What the headers and notes of a core image say.
struct CoreSummary {
    /// e_machine, for example EM_AARCH64.
    std::uint16_t machine = 0;
    /// False when the writer marked the file as unfinished.
    bool complete = true;
    /// Contents of the notes of type NT_PRSTATUS: one for each CPU, in order.
    std::vector<std::vector<std::byte>> prstatus;
    /// Program headers of type PT_LOAD.
    std::uint64_t segments = 0;
    /// Bytes of memory in the file; a byte that two segments show counts twice.
    std::uint64_t memory_bytes = 0;
    /// Text of the note VMCOREINFO up to its first zero byte; empty when there is none.
    std::string vmcoreinfo;
};

class CoreFile
{
  public:
    /// An error unless it is a whole, 64-bit, little-endian ELF core image. A file that is shorter
    /// than its segments say is accepted if it is marked incomplete: what it lost is not readable.
    static kmd::Result<CoreFile> open(const std::string& path);

    const CoreSummary& summary() const { return summary_; }

    /// Size of the file in bytes.
    std::uint64_t file_size() const { return file_.size(); }

    /// Fills `out` with the memory at a virtual address as p_vaddr gives it. False when some of it
    /// is not in the file.
    bool read_virtual(std::uint64_t address, std::span<std::byte> out) const;

    /// The same by physical address, as p_paddr gives it.
    bool read_physical(std::uint64_t address, std::span<std::byte> out) const;

  private:
    explicit CoreFile(File file) : file_(std::move(file)) {}

    bool read(const AddressMap& map, std::uint64_t address, std::span<std::byte> out) const;

    File file_;
    CoreSummary summary_;
    AddressMap by_virtual_;
    AddressMap by_physical_;
};

} // namespace kmdump
