// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/run/guest_machine.h"

#include "common/architecture.h"
#include "common/little_endian.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string_view>

namespace kmdump
{

namespace
{

constexpr std::array<GuestMachine, 3> kMachines = {
    {{"aarch64", "qemu-system-aarch64", "virt", "cortex-a57", "ttyAMA0", "kmemdump-md"},
     {"x86_64", "qemu-system-x86_64", "q35", "max", "ttyS0", "kmemdump-md-pci"},
     {"riscv64", "qemu-system-riscv64", "virt", "rv64", "ttyS0", "kmemdump-md-pci"}}};

constexpr std::size_t kHeaderBytes = 4096;

bool has(std::span<const std::byte> image, std::size_t at, std::string_view magic)
{
    return image.size() >= at + magic.size() && std::memcmp(&image[at], magic.data(), magic.size()) == 0;
}

/// The machine in the header of a PE file, which a kernel that EFI can start begins with; 0 if it is none
/// (Microsoft PE and COFF specification).
std::uint16_t pe_machine(std::span<const std::byte> image)
{
    constexpr std::size_t kPointer = 0x3c;
    if (!has(image, 0, "MZ") || image.size() < kPointer + sizeof(std::uint32_t)) {
        return 0;
    }
    const std::size_t header = kmd::load<std::uint32_t>(image, kPointer);
    constexpr std::string_view kSignature("PE\0\0", 4);
    return header < image.size() && has(image, header, kSignature) &&
                   header + kSignature.size() + sizeof(std::uint16_t) <= image.size()
               ? kmd::load<std::uint16_t>(image, header + kSignature.size())
               : 0;
}

} // namespace

kmd::Result<GuestMachine> find_guest_machine(const std::string& architecture)
{
    std::string names;
    for (const GuestMachine& machine : kMachines) {
        if (machine.architecture == architecture) {
            return machine;
        }
        names += (names.empty() ? "" : ", ") + std::string(machine.architecture);
    }
    return kmd::Error{"expected an architecture of " + names + ", found " + architecture};
}

std::string architecture_of_image(std::span<const std::byte> image)
{
    // Documentation/arch/{arm64/booting,riscv/boot-image-header,x86/boot}.rst of the kernel.
    constexpr std::size_t kArmAndRiscvMagic = 56;
    constexpr std::size_t kX86Magic = 0x202;
    switch (pe_machine(image)) {
    case 0xaa64:
        return "aarch64";
    case 0x5064:
        return "riscv64";
    case 0x8664:
        return "x86_64";
    default:
        break;
    }
    if (has(image, kArmAndRiscvMagic, "ARM\x64")) {
        return "aarch64";
    }
    if (has(image, kArmAndRiscvMagic, "RSC\x05")) {
        return "riscv64";
    }
    if (has(image, kX86Magic, "HdrS")) {
        return "x86_64";
    }
    if (has(image, 0, ELFMAG) && image.size() >= sizeof(Elf64_Ehdr)) {
        const auto* const found = kmd::find_architecture(kmd::load<Elf64_Ehdr>(image, 0).e_machine);
        return found == nullptr ? "" : found->name;
    }
    return "";
}

kmd::Result<GuestMachine> choose_guest_machine(const std::string& architecture, const std::string& kernel)
{
    if (!architecture.empty()) {
        return find_guest_machine(architecture);
    }
    std::array<char, kHeaderBytes> header{};
    std::ifstream file(kernel, std::ios::binary);
    file.read(header.data(), header.size());
    const auto bytes = std::as_bytes(std::span(header)).first(static_cast<std::size_t>(file.gcount()));
    const std::string found = architecture_of_image(bytes);
    return find_guest_machine(found.empty() ? "aarch64" : found);
}

} // namespace kmdump
