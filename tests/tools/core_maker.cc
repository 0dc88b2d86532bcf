// SPDX-License-Identifier: GPL-2.0-or-later
#include "core_maker.h"

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <span>
#include <stdexcept>

namespace kmdump_test
{

namespace
{

constexpr std::uint64_t kIdMask = (std::uint64_t{1} << 62) - 1;

template <class T> void append(Bytes& out, const T& object)
{
    const auto bytes = std::as_bytes(std::span(&object, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_padded(Bytes& out, std::string_view text)
{
    const auto bytes = std::as_bytes(std::span(text));
    out.insert(out.end(), bytes.begin(), bytes.end());
    out.resize((out.size() + 3) / 4 * 4);
}

void append_note(Bytes& out, std::string_view name, std::uint32_t type, std::string_view content)
{
    const Elf64_Nhdr header{static_cast<std::uint32_t>(name.size() + 1),
                            static_cast<std::uint32_t>(content.size()), type};
    append(out, header);
    append_padded(out, std::string(name) + '\0');
    append_padded(out, content);
}

std::string text_of(const Bytes& bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Tokens of the made kallsyms: each character stands for itself, but for one that stands for several.
constexpr unsigned kShortFor = 1;
constexpr std::string_view kLongToken = "sysrq_";

std::string token(unsigned index)
{
    return index == kShortFor             ? std::string(kLongToken)
           : index >= ' ' && index <= '~' ? std::string(1, static_cast<char>(index))
                                          : "";
}

} // namespace

void put(Bytes& bytes, std::size_t offset, std::uint64_t value, std::size_t size)
{
    std::memcpy(&bytes.at(offset + size - 1) - (size - 1), &value, size);
}

Bytes prstatus(std::uint64_t pc, std::uint64_t x29, std::uint64_t x30, std::uint64_t pstate)
{
    constexpr std::size_t registers = 112;
    Bytes note(392);
    for (std::size_t i = 0; i < 29; ++i) {
        put(note, registers + 8 * i, 0x100 + i, 8);
    }
    put(note, registers + 8 * 29, x29, 8);
    put(note, registers + 8 * 30, x30, 8);
    put(note, registers + 8 * 31, x29, 8); // sp
    put(note, registers + 8 * 32, pc, 8);
    put(note, registers + 8 * 33, pstate, 8);
    return note;
}

Bytes KallsymsMaker::names() const
{
    Bytes bytes;
    for (const auto& [address, name] : symbols) {
        std::string packed = "T" + name;
        if (const auto at = packed.find(kLongToken); at != std::string::npos) {
            packed.replace(at, kLongToken.size(), 1, static_cast<char>(kShortFor));
        }
        if (packed.size() < 0x80) {
            append(bytes, static_cast<std::uint8_t>(packed.size()));
        } else {
            append(bytes, static_cast<std::uint8_t>(packed.size() | 0x80));
            append(bytes, static_cast<std::uint8_t>(packed.size() >> 7));
        }
        const auto characters = std::as_bytes(std::span(packed));
        bytes.insert(bytes.end(), characters.begin(), characters.end());
    }
    bytes.resize((bytes.size() + 7) / 8 * 8);
    return bytes;
}

std::size_t KallsymsMaker::offset_of(std::string_view table) const
{
    const std::size_t token_table = offset_of_names() + names().size();
    const std::size_t token_index = token_table + 1024;
    const std::size_t offsets = token_index + 512;
    return table == "kallsyms_num_syms"      ? 8
           : table == "kallsyms_names"       ? offset_of_names()
           : table == "kallsyms_token_table" ? token_table
           : table == "kallsyms_token_index" ? token_index
           : table == "kallsyms_offsets"     ? offsets
                                             : (offsets + 4 * symbols.size() + 7) / 8 * 8;
}

Memory KallsymsMaker::make() const
{
    Bytes bytes(offset_of("kallsyms_relative_base") + 8);
    put(bytes, 8, symbols.size(), 4);
    const Bytes packed = names();
    std::copy(packed.begin(), packed.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset_of_names()));
    std::size_t token_at = 0;
    for (unsigned i = 0; i < 256; ++i) {
        put(bytes, offset_of("kallsyms_token_index") + 2 * i, token_at, 2);
        for (const char c : token(i)) {
            put(bytes, offset_of("kallsyms_token_table") + token_at++, static_cast<std::uint8_t>(c), 1);
        }
        ++token_at;
    }
    constexpr std::uint64_t kUpperHalf = std::uint64_t{1} << 63;
    const auto lowest = std::find_if(symbols.begin(), symbols.end(), [&](const auto& symbol) {
        return !absolute_per_cpu || symbol.first >= kUpperHalf;
    });
    const std::uint64_t base = lowest == symbols.end() ? 0 : lowest->first;
    put(bytes, offset_of("kallsyms_relative_base"), base, 8);
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        const std::size_t at = offset_of("kallsyms_offsets") + 4 * i;
        const std::uint64_t address = symbols[i].first;
        const std::uint64_t offset = !absolute_per_cpu      ? address - (with_base ? base : virt + at)
                                     : address < kUpperHalf ? address
                                                            : base - 1 - address;
        put(bytes, at, offset, 4);
    }
    return {virt, phys, bytes};
}

std::string KallsymsMaker::vmcoreinfo() const
{
    std::string text;
    for (const char* const table : {"kallsyms_num_syms", "kallsyms_names", "kallsyms_token_table",
                                    "kallsyms_token_index", "kallsyms_offsets", "kallsyms_relative_base"}) {
        if (with_base || table != std::string_view("kallsyms_relative_base")) {
            char line[80];
            std::snprintf(line, sizeof(line), "SYMBOL(%s)=%llx\n", table,
                          static_cast<unsigned long long>(virt) + offset_of(table));
            text += line;
        }
    }
    return text;
}

Bytes CoreMaker::make() const
{
    Bytes notes;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        append_note(notes, "CORE", NT_PRSTATUS,
                    cpu < prstatus.size() ? text_of(prstatus[cpu]) : std::string(392, '\0'));
    }
    append_note(notes, "QEMU", 0, "not for us");
    if (vmcoreinfo) {
        append_note(notes, "VMCOREINFO", 0, *vmcoreinfo);
    }
    if (layout) {
        append_note(notes, "KMD_LAYOUT", 0, *layout);
    }

    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = type;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_flags = flags;
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    const std::size_t headers = memory.size() + 1;
    header.e_phnum = static_cast<Elf64_Half>(headers);
    std::uint64_t offset = sizeof(Elf64_Ehdr) + headers * sizeof(Elf64_Phdr);
    if (extended_numbering) {
        header.e_phnum = PN_XNUM;
        header.e_shoff = offset;
        header.e_shnum = 1;
        header.e_shentsize = sizeof(Elf64_Shdr);
        offset += sizeof(Elf64_Shdr);
    }

    Bytes file;
    append(file, header);
    Elf64_Phdr note{};
    note.p_type = PT_NOTE;
    note.p_offset = offset;
    note.p_filesz = notes.size();
    note.p_memsz = notes.size();
    append(file, note);
    offset += notes.size();
    for (const Memory& piece : memory) {
        Elf64_Phdr load{};
        load.p_type = PT_LOAD;
        load.p_offset = offset;
        load.p_vaddr = piece.virt;
        load.p_paddr = piece.phys;
        load.p_filesz = piece.bytes.size();
        load.p_memsz = piece.bytes.size();
        append(file, load);
        offset += piece.bytes.size();
    }
    if (extended_numbering) {
        Elf64_Shdr section{};
        section.sh_info = static_cast<Elf64_Word>(headers);
        append(file, section);
    }
    file.insert(file.end(), notes.begin(), notes.end());
    for (const Memory& piece : memory) {
        file.insert(file.end(), piece.bytes.begin(), piece.bytes.end());
    }
    return file;
}

RingMaker::RingMaker(unsigned count_bits, unsigned size_bits)
    : image(0x200), count_bits_(count_bits), size_bits_(size_bits)
{
    infos_ = count() * 24;
    text_ = infos_ + count() * 88;
    linear.resize(text_ + size());
    // Linux starts just below the overflow of both counters, and so does this.
    head_lpos_ = tail_lpos_ = 0 - size();
    head_id_ = tail_id_ = (0 - (count() + 1)) & kIdMask;
    set_state(head_id_, 3);
    set_lpos(head_id_, 1, 1);
    set_prb(kImageVirt + 0x100);
    set_count_bits(count_bits);
    set_descs(kLinearVirt);
    put(image, 0x110, kLinearVirt + infos_, 8);
    set_head_id(head_id_);
    set_tail_id(tail_id_);
    set_size_bits(size_bits);
    set_text(kLinearVirt + text_);
}

std::uint64_t RingMaker::get(std::size_t offset) const
{
    std::uint64_t value = 0;
    std::memcpy(&value, &linear.at(offset), sizeof(value));
    return value;
}

std::uint64_t RingMaker::begin_of(std::uint64_t id) const
{
    return get(desc(id) + 8);
}

std::uint64_t RingMaker::next_of(std::uint64_t id) const
{
    return get(desc(id) + 16);
}

void RingMaker::set_state(std::uint64_t id, unsigned state)
{
    set_state_variable(id, std::uint64_t{state} << 62 | id);
}

void RingMaker::set_state_variable(std::uint64_t id, std::uint64_t value)
{
    put(linear, desc(id), value, 8);
}

void RingMaker::set_lpos(std::uint64_t id, std::uint64_t begin, std::uint64_t next)
{
    put(linear, desc(id) + 8, begin, 8);
    put(linear, desc(id) + 16, next, 8);
}

void RingMaker::set_text_length(std::uint64_t id, std::uint16_t length)
{
    put(linear, info(id) + 16, length, 2);
}

void RingMaker::push_tail()
{
    set_state(tail_id_, 3);
    if (begin_of(tail_id_) % 2 == 0) {
        tail_lpos_ = next_of(tail_id_);
    }
    tail_id_ = (tail_id_ + 1) & kIdMask;
    set_tail_id(tail_id_);
}

std::uint64_t RingMaker::take_id()
{
    const std::uint64_t id = (head_id_ + 1) & kIdMask;
    if (((id - tail_id_) & kIdMask) >= count()) {
        push_tail();
    }
    head_id_ = id;
    set_head_id(id);
    put(linear, info(id), seq_++, 8);
    return id;
}

std::uint64_t RingMaker::allocate(std::uint64_t block, std::uint64_t& begin)
{
    begin = head_lpos_;
    std::uint64_t next = begin + block;
    const std::uint64_t last = fill_to_the_end ? next - 1 : next;
    const bool wraps = last >> size_bits_ != begin >> size_bits_;
    if (wraps) {
        next = (last & ~(size() - 1)) + block;
    }
    while (next - tail_lpos_ > size()) {
        push_tail();
    }
    head_lpos_ = next;
    return wraps ? 0 : begin % size();
}

std::uint64_t RingMaker::write(std::string_view text, std::uint64_t time_ns, unsigned level,
                               std::uint32_t caller)
{
    const std::uint64_t id = take_id();
    std::uint64_t begin = 0;
    const std::size_t at = text_ + allocate((8 + text.size() + 7) / 8 * 8, begin);
    put(linear, text_ + begin % size(), id, 8);
    put(linear, at, id, 8);
    std::transform(text.begin(), text.end(), linear.begin() + static_cast<std::ptrdiff_t>(at + 8),
                   [](char c) { return static_cast<std::byte>(c); });
    put(linear, info(id) + 8, time_ns, 8);
    set_text_length(id, static_cast<std::uint16_t>(text.size()));
    put(linear, info(id) + 19, level << 5 | 0x0a, 1);
    put(linear, info(id) + 20, caller, 4);
    set_lpos(id, begin, head_lpos_);
    set_state(id, 2);
    return id;
}

std::uint64_t RingMaker::write_without_data(std::uint64_t begin, std::uint64_t next)
{
    const std::uint64_t id = take_id();
    set_text_length(id, 0);
    put(linear, info(id) + 8, 0, 8);
    set_lpos(id, begin, next);
    set_state(id, 2);
    return id;
}

CoreMaker RingMaker::core() const
{
    CoreMaker maker;
    maker.vmcoreinfo = vmcoreinfo();
    maker.memory = {{kLinearVirt, kLinearPhys, linear}, {kImageVirt, kImagePhys, image}};
    return maker;
}

std::string RingMaker::vmcoreinfo()
{
    return "OSRELEASE=6.12.0-test\n"
           "PAGESIZE=4096\n"
           "SYMBOL(prb)=ffff800080000010\n"
           "SIZE(printk_ringbuffer)=80\n"
           "OFFSET(printk_ringbuffer.desc_ring)=0\n"
           "OFFSET(printk_ringbuffer.text_data_ring)=48\n"
           "SIZE(prb_desc_ring)=48\n"
           "OFFSET(prb_desc_ring.count_bits)=0\n"
           "OFFSET(prb_desc_ring.descs)=8\n"
           "OFFSET(prb_desc_ring.infos)=16\n"
           "OFFSET(prb_desc_ring.head_id)=24\n"
           "OFFSET(prb_desc_ring.tail_id)=32\n"
           "SIZE(prb_desc)=24\n"
           "OFFSET(prb_desc.state_var)=0\n"
           "OFFSET(prb_desc.text_blk_lpos)=8\n"
           "SIZE(prb_data_blk_lpos)=16\n"
           "OFFSET(prb_data_blk_lpos.begin)=0\n"
           "OFFSET(prb_data_blk_lpos.next)=8\n"
           "SIZE(printk_info)=88\n"
           "OFFSET(printk_info.seq)=0\n"
           "OFFSET(printk_info.ts_nsec)=8\n"
           "OFFSET(printk_info.text_len)=16\n"
           "OFFSET(printk_info.caller_id)=20\n"
           "SIZE(prb_data_ring)=32\n"
           "OFFSET(prb_data_ring.size_bits)=0\n"
           "OFFSET(prb_data_ring.data)=8\n"
           "SIZE(atomic_long_t)=8\n"
           "OFFSET(atomic_long_t.counter)=0\n"
           "KERNELOFFSET=4b201e400000\n";
}

TemporaryFile::TemporaryFile()
    : descriptor_(::memfd_create("kmdump-test", MFD_CLOEXEC)),
      path_("/proc/self/fd/" + std::to_string(descriptor_))
{
}

TemporaryFile::TemporaryFile(const Bytes& bytes) : TemporaryFile()
{
    write(bytes);
}

TemporaryFile::TemporaryFile(std::string_view text) : TemporaryFile()
{
    const auto bytes = std::as_bytes(std::span(text));
    write(Bytes(bytes.begin(), bytes.end()));
}

TemporaryFile::~TemporaryFile()
{
    ::close(descriptor_);
}

void TemporaryFile::write(const Bytes& bytes) const
{
    const auto size = static_cast<ssize_t>(bytes.size());
    if (::ftruncate(descriptor_, size) != 0 || ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) != size) {
        throw std::runtime_error("no room for a temporary file");
    }
}

} // namespace kmdump_test
