// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any ELF header that a guest can leave in its region, with a few regions that it may describe.
#include "fuzzed_machine.h"

#include "hw/image/guest_image.h"

#include <elf.h>

#include <cstring>
#include <string>

namespace
{

kmd::Region region(std::uint64_t phys, std::uint64_t size, std::uint32_t kind)
{
    kmd::Region region;
    region.phys = phys;
    region.virt = 0xffff800000000000 + phys;
    region.size = size;
    region.kind = kind;
    return region;
}

template <class T> void append(std::string& out, const T& object)
{
    out.append(reinterpret_cast<const char*>(&object), sizeof(object));
}

/// Nearly what Linux makes: a fuzzer need not find out what every ELF file looks like.
std::string likely_header(FuzzedDataProvider& data, const std::vector<kmd::Region>& regions)
{
    Elf64_Ehdr elf{};
    std::memcpy(elf.e_ident, "\177ELF\2\1\1", 7);
    elf.e_type = ET_CORE;
    elf.e_machine = EM_AARCH64;
    elf.e_phoff = sizeof(elf);
    elf.e_flags = data.ConsumeIntegral<std::uint32_t>();
    elf.e_phentsize = sizeof(Elf64_Phdr);
    const auto loads = data.ConsumeIntegralInRange<std::uint16_t>(0, 6);
    elf.e_phnum = data.ConsumeBool() ? loads + 1 : data.ConsumeIntegral<std::uint16_t>();
    std::string header;
    append(header, elf);
    Elf64_Phdr note{};
    note.p_type = data.ConsumeBool() ? PT_NOTE : data.ConsumeIntegral<std::uint32_t>();
    append(header, note);
    std::uint64_t offset = 0x2000 + 0x124;
    for (unsigned i = 0; i < loads; ++i) {
        const auto region = data.PickValueInArray<std::size_t>({0, 1, 2, 3});
        Elf64_Phdr load{};
        load.p_type = PT_LOAD;
        load.p_paddr = data.ConsumeBool() ? regions[region].phys : data.ConsumeIntegral<std::uint64_t>();
        load.p_vaddr = regions[region].virt;
        load.p_filesz =
            data.ConsumeBool() ? (regions[region].size + 3) / 4 * 4 : data.ConsumeIntegral<std::uint64_t>();
        load.p_memsz = load.p_filesz;
        load.p_offset = data.ConsumeBool() ? offset : data.ConsumeIntegral<std::uint64_t>();
        offset = load.p_offset + load.p_filesz;
        append(header, load);
    }
    return header;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    constexpr std::uint64_t kHeaderSize = 0x2000;
    FuzzedDataProvider data(bytes, size);
    kmd::test::FakeGuest guest;
    guest.add_ram(kmd::fuzz::kRam, kmd::fuzz::kRamSize);
    const std::vector<kmd::Region> regions = {
        region(kmd::fuzz::kRam, kHeaderSize, 1), region(kmd::fuzz::kRam + 0x4000, 0x123, 2),
        region(kmd::fuzz::kRam + 0x8000, 0x1001, 0), region(kmd::fuzz::kRam + 0x8000, 0x10, 0)};
    std::string header = data.ConsumeBool() ? likely_header(data, regions) : "";
    const auto noise = data.ConsumeRemainingBytesAsString().substr(0, kHeaderSize - header.size());
    header += noise;
    if (!header.empty()) {
        guest.put(kmd::fuzz::kRam, header);
    }
    kmd::Machine machine;
    machine.elf_machine = EM_AARCH64;
    auto plan = kmd::compose_guest_image(kmd::CheckedRegions(regions, guest), guest, machine);
    if (!plan) {
        kmd::fuzz::require(!plan.error().what.empty(), "an error has words");
        return 0;
    }
    std::uint64_t total = plan.value().head.size();
    for (const auto& piece : plan.value().body) {
        total += piece.size();
        // Reads every byte, so that the sanitizer sees whether it may be read.
        volatile auto sum = std::byte{0};
        for (const std::byte byte : piece.first(std::min<std::size_t>(piece.size(), 4096))) {
            sum = sum ^ byte;
        }
    }
    kmd::fuzz::require(total == plan.value().file_size, "the pieces are the file");
    for (const auto& segment : plan.value().segments) {
        kmd::fuzz::require(segment.file_offset + segment.size <= plan.value().file_size,
                           "segments are in the file");
    }
    return 0;
}
