// SPDX-License-Identifier: GPL-2.0-or-later
//
// An ELF core image of a machine: its headers, its notes, and its memory by address.
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

/// A program header of type PT_LOAD. Sizes are in bytes.
struct Segment {
    std::uint64_t virt = 0;
    std::uint64_t phys = 0;
    std::uint64_t file_offset = 0;
    std::uint64_t file_size = 0;   ///< p_filesz, or less if the file is truncated
    std::uint64_t lost = 0;        ///< bytes of p_filesz beyond the end of the file
    std::uint64_t memory_size = 0; ///< p_memsz
    std::uint64_t align = 0;
};

/// The layout of the file, for checks.
struct CoreLayout {
    std::uint64_t program_headers_at = 0; ///< e_phoff
    std::uint64_t program_headers_end = 0;
    std::uint64_t note_segments = 0;    ///< number of program headers of type PT_NOTE
    bool note_first = false;            ///< program header 0 is of type PT_NOTE
    std::vector<Extent> note_extents;   ///< `address` has no meaning
    std::uint64_t notes = 0;            ///< number of notes
    std::uint64_t stray_note_bytes = 0; ///< bytes of PT_NOTE segments that are not valid notes
};

/// The contents of the headers and notes.
struct CoreSummary {
    /// e_machine: EM_*.
    std::uint16_t machine = 0;
    /// False if the writer marked the file incomplete.
    bool complete = true;
    /// Contents of the NT_PRSTATUS notes, one for each CPU, in order.
    std::vector<std::vector<std::byte>> prstatus;
    /// Number of program headers of type PT_LOAD.
    std::uint64_t segments = 0;
    /// Bytes of memory in the file. A byte in two segments counts twice.
    std::uint64_t memory_bytes = 0;
    /// Text of the VMCOREINFO note up to its first zero byte. Empty if there is no such note.
    std::string vmcoreinfo;
    /// The same of the KMD_LAYOUT note, in which the controller describes a kernel that it found by itself.
    std::string layout;
};

class CoreFile
{
  public:
    /// Opens a 64-bit, little-endian ELF core image, which may be compressed with zstd. An error if it is
    /// anything else, or has more than 262144 program headers, 4096 CPUs or 64 MiB of notes. A truncated
    /// file is an error unless it is marked incomplete; then the lost memory cannot be read.
    static kmd::Result<CoreFile> open(const std::string& path);

    const CoreSummary& summary() const { return summary_; }

    /// In the order of the program headers.
    const std::vector<Segment>& segments() const { return segments_; }

    const CoreLayout& layout() const { return layout_; }

    /// Fills `out` from a file offset. False if the file does not hold all of the bytes.
    bool read_file(std::uint64_t offset, std::span<std::byte> out) const { return file_.read(offset, out); }

    /// The file offset of a physical address, and how many bytes follow in the same extent.
    std::optional<Extent> find_physical(std::uint64_t address) const { return by_physical_.find(address); }

    /// Bytes of the file; of a compressed file, bytes of its content.
    std::uint64_t file_size() const { return file_.size(); }

    /// Fills `out` with the memory at a virtual address, according to p_vaddr. False if some of it is not
    /// in the file.
    bool read_virtual(std::uint64_t address, std::span<std::byte> out) const;

    /// The same for a physical address, according to p_paddr.
    bool read_physical(std::uint64_t address, std::span<std::byte> out) const;

    /// Fills the start of `out` from one extent. Returns the number of bytes read; 0 if the first byte is
    /// not in the file.
    std::size_t read_some_virtual(std::uint64_t address, std::span<std::byte> out) const;
    std::size_t read_some_physical(std::uint64_t address, std::span<std::byte> out) const;

    /// How many bytes at a physical address are a hole in the file, which reads as zeros. 0 if they are
    /// stored, or not in the file.
    std::uint64_t hole_at_physical(std::uint64_t address) const;

    /// Bytes that the file occupies in its file system, without holes; of a compressed file,
    /// those of its content.
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
