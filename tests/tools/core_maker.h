// SPDX-License-Identifier: GPL-2.0-or-later
//
// Makes small ELF core images of an invented guest, right and wrong ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kmdump_test
{

using Bytes = std::vector<std::byte>;

/// Writes the `size` lowest bytes of `value` at `offset`, little endian.
void put(Bytes& bytes, std::size_t offset, std::uint64_t value, std::size_t size);

/// Memory of the guest, in bytes and addresses.
struct Memory {
    std::uint64_t virt = 0;
    std::uint64_t phys = 0;
    Bytes bytes;
};

/// An NT_PRSTATUS note of arm64.
Bytes prstatus(std::uint64_t pc, std::uint64_t x29, std::uint64_t x30, std::uint64_t pstate = 5);

/// An ELF core image. Every member can be changed before make().
struct CoreMaker {
    std::uint16_t machine = 183; // EM_AARCH64
    std::uint16_t type = 4;      // ET_CORE
    std::uint32_t flags = 0;
    unsigned cpus = 2;
    std::vector<Bytes> prstatus;     // of the first CPUs; those of the others are zeros
    bool extended_numbering = false; // as if there were 65535 program headers or more
    std::optional<std::string> vmcoreinfo;
    std::optional<std::string> layout;
    std::vector<Memory> memory;

    Bytes make() const;
};

/// A printk ring buffer that is written as Linux writes its own, at fixed addresses.
class RingMaker
{
  public:
    static constexpr std::uint64_t kImageVirt = 0xffff8000'80000000;
    static constexpr std::uint64_t kImagePhys = 0x40200000;
    static constexpr std::uint64_t kLinearVirt = 0xffff0000'00000000;
    static constexpr std::uint64_t kLinearPhys = 0x40000000;

    RingMaker(unsigned count_bits, unsigned size_bits);

    /// Blocks may end where the text ends, as in newer kernels; otherwise they go to its beginning.
    bool fill_to_the_end = false;

    /// Appends a record, throwing out old ones if need be. Returns its id.
    std::uint64_t write(std::string_view text, std::uint64_t time_ns = 0, unsigned level = 6,
                        std::uint32_t caller = 1);
    std::uint64_t write_without_data(std::uint64_t begin, std::uint64_t next);

    /// 0 reserved, 1 committed, 2 finalized, 3 reusable.
    void set_state(std::uint64_t id, unsigned state);

    // To spoil what write() made.
    void set_lpos(std::uint64_t id, std::uint64_t begin, std::uint64_t next);
    void set_text_length(std::uint64_t id, std::uint16_t length);
    void set_state_variable(std::uint64_t id, std::uint64_t value);
    void set_count_bits(std::uint32_t bits) { put(image, 0x100, bits, 4); }
    void set_size_bits(std::uint32_t bits) { put(image, 0x130, bits, 4); }
    void set_descs(std::uint64_t address) { put(image, 0x108, address, 8); }
    void set_text(std::uint64_t address) { put(image, 0x138, address, 8); }
    void set_head_id(std::uint64_t id) { put(image, 0x118, id, 8); }
    void set_tail_id(std::uint64_t id) { put(image, 0x120, id, 8); }
    void set_prb(std::uint64_t address) { put(image, 0x10, address, 8); }

    std::uint64_t begin_of(std::uint64_t id) const;
    std::uint64_t next_of(std::uint64_t id) const;

    /// Where the text lies in `linear`.
    std::size_t text_offset() const { return text_; }

    Bytes image;  // holds the pointer prb and the ring buffer
    Bytes linear; // holds its three arrays

    /// A core image with virtual addresses and everything `kmdump` wants to know.
    CoreMaker core() const;

    static std::string vmcoreinfo();

  private:
    std::uint64_t count() const { return std::uint64_t{1} << count_bits_; }
    std::uint64_t size() const { return std::uint64_t{1} << size_bits_; }
    std::size_t desc(std::uint64_t id) const { return id % count() * 24; }
    std::size_t info(std::uint64_t id) const { return infos_ + id % count() * 88; }
    std::uint64_t get(std::size_t offset) const;
    std::uint64_t take_id();
    void push_tail();
    std::uint64_t allocate(std::uint64_t block, std::uint64_t& begin);

    unsigned count_bits_;
    unsigned size_bits_;
    std::size_t infos_ = 0;
    std::size_t text_ = 0;
    std::uint64_t head_id_ = 0;
    std::uint64_t tail_id_ = 0;
    std::uint64_t head_lpos_ = 0;
    std::uint64_t tail_lpos_ = 0;
    std::uint64_t seq_ = 0;
};

/// The tables of kallsyms, as scripts/kallsyms.c of Linux writes them.
struct KallsymsMaker {
    std::uint64_t virt = 0xffff8000'80010000;
    std::uint64_t phys = 0x40210000;
    /// Ascending by address.
    std::vector<std::pair<std::uint64_t, std::string>> symbols;
    /// Addresses count from a base (up to Linux 6.19), or from where they stand in the table.
    bool with_base = true;
    /// As with CONFIG_KALLSYMS_ABSOLUTE_PERCPU: addresses in the lower half are absolute, and offsets of the
    /// others negative.
    bool absolute_per_cpu = false;

    Memory make() const;
    std::string vmcoreinfo() const;

  private:
    std::size_t offset_of_names() const { return 16; }
    std::size_t offset_of(std::string_view table) const;
    Bytes names() const;
};

/// A file in memory that goes away with this object: thousands on a disk would take minutes.
class TemporaryFile
{
  public:
    explicit TemporaryFile(const Bytes& bytes);
    explicit TemporaryFile(std::string_view text);
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile();

    const std::string& path() const { return path_; }

    /// Replaces the content.
    void write(const Bytes& bytes) const;

  private:
    TemporaryFile();

    int descriptor_;
    std::string path_;
};

} // namespace kmdump_test
