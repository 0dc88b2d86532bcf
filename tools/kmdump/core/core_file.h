// SPDX-License-Identifier: GPL-2.0-or-later
//
// An ELF core image of a machine: what its headers and notes say, and its memory by address.
#pragma once

#include "common/result.h"
#include "kmdump/core/address_map.h"
#include "kmdump/core/file.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kmdump
{

/// A program header of type PT_LOAD. Sizes and addresses in bytes.
struct Segment {
    std::uint64_t virt = 0;
    std::uint64_t phys = 0;
    std::uint64_t file_offset = 0;
    std::uint64_t file_size = 0;   ///< as far as the file holds it
    std::uint64_t lost = 0;        ///< what the file should hold beyond that
    std::uint64_t memory_size = 0; ///< p_memsz
    std::uint64_t align = 0;
};

/// How the file is laid out, for those who check it.
struct CoreLayout {
    std::uint64_t program_headers_at = 0; ///< e_phoff
    std::uint64_t program_headers_end = 0;
    /// Program headers of type PT_NOTE, whether the first is the first of all, and where they are.
    std::uint64_t note_segments = 0;
    bool note_first = false;
    std::vector<Extent> note_extents; ///< `address` has no meaning
    std::uint64_t notes = 0;          ///< how many
    /// Bytes of notes that could not be read as notes.
    std::uint64_t stray_note_bytes = 0;
};

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
    /// An error unless it is a whole, 64-bit, little-endian ELF core image, perhaps compressed with
    /// zstd, of at most 262144 program headers, 4096 CPUs and 64 MiB of notes. One that is shorter than its
    /// segments say is accepted if it is marked incomplete: what it lost is not readable.
    static kmd::Result<CoreFile> open(const std::string& path);

    const CoreSummary& summary() const { return summary_; }

    /// In the order of the program headers.
    const std::vector<Segment>& segments() const { return segments_; }

    const CoreLayout& layout() const { return layout_; }

    /// Bytes of the file itself. False when it does not hold all of them.
    bool read_file(std::uint64_t offset, std::span<std::byte> out) const { return file_.read(offset, out); }

    /// Where in the file the memory at a physical address lies, and how much of what follows it.
    std::optional<Extent> find_physical(std::uint64_t address) const { return by_physical_.find(address); }

    /// Size of the file in bytes; of a compressed one, of its content.
    std::uint64_t file_size() const { return file_.size(); }

    /// Fills `out` with the memory at a virtual address as p_vaddr gives it. False when some of it
    /// is not in the file.
    bool read_virtual(std::uint64_t address, std::span<std::byte> out) const;

    /// The same by physical address, as p_paddr gives it.
    bool read_physical(std::uint64_t address, std::span<std::byte> out) const;

    /// Fills the begin of `out`, as far as one segment has it. Returns how many bytes; 0 when the first is
    /// not in the file.
    std::size_t read_some_virtual(std::uint64_t address, std::span<std::byte> out) const;
    std::size_t read_some_physical(std::uint64_t address, std::span<std::byte> out) const;

    /// How many bytes at a physical address the file keeps as a hole, which reads as zeros; 0 when it does
    /// not, or has no such memory.
    std::uint64_t hole_at_physical(std::uint64_t address) const;

    /// Bytes that the file takes where it is stored: holes take none.
    std::uint64_t stored_bytes() const { return stored_bytes_; }

  private:
    explicit CoreFile(File file) : file_(std::move(file)), stored_bytes_(file_.stored_bytes()) {}

    std::size_t read_some(const AddressMap& map, std::uint64_t address, std::span<std::byte> out) const;
    bool read(const AddressMap& map, std::uint64_t address, std::span<std::byte> out) const;

    File file_;
    std::uint64_t stored_bytes_;
    CoreSummary summary_;
    std::vector<Segment> segments_;
    CoreLayout layout_;
    AddressMap by_virtual_;
    AddressMap by_physical_;
};

} // namespace kmdump
