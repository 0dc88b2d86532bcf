// SPDX-License-Identifier: GPL-2.0-or-later
//
// The stock QEMU binary with the plugin, its CPUs standing still, and its memory and MMIO in the
// hands of the test through the qtest protocol.
#pragma once

#include "qmp.h"
#include "run_folder.h"
#include "subprocess.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace support
{

/// Where the dumps of a controller go: the property that says so.
struct Place {
    std::string property;
};

class QtestMachine
{
  public:
    /// `properties`: what follows "-device kmemdump-md,output=FOLDER". `more`: further arguments of
    /// QEMU.
    explicit QtestMachine(const std::string& properties = "", const std::vector<std::string>& more = {});

    /// The same for dumps that go elsewhere than to the folder.
    explicit QtestMachine(const Place& place, const std::string& properties = "",
                          const std::vector<std::string>& more = {});

    Qmp& qmp() { return qmp_; }
    pid_t pid() const { return qemu_.pid(); }

    /// Waits for QEMU to end by itself and returns its exit status.
    int wait_for_the_end();

    std::uint32_t read32(std::uint64_t address) { return static_cast<std::uint32_t>(read("readl", address)); }
    std::uint64_t read64(std::uint64_t address) { return read("readq", address); }
    std::uint8_t read8(std::uint64_t address) { return static_cast<std::uint8_t>(read("readb", address)); }
    void write32(std::uint64_t address, std::uint32_t value) { write("writel", address, value); }
    void write64(std::uint64_t address, std::uint64_t value) { write("writeq", address, value); }
    void write16(std::uint64_t address, std::uint16_t value) { write("writew", address, value); }
    void write8(std::uint64_t address, std::uint8_t value) { write("writeb", address, value); }

    /// Ports of a PC.
    std::uint32_t in32(std::uint16_t port) { return static_cast<std::uint32_t>(read("inl", port)); }
    void out32(std::uint16_t port, std::uint32_t value) { write("outl", port, value); }

    /// Guest RAM, by physical address.
    void write_memory(std::uint64_t address, std::span<const std::byte> bytes);
    std::vector<std::byte> read_memory(std::uint64_t address, std::size_t size);

    /// Sends a command of the protocol and waits for no answer; no other may follow.
    void send(const std::string& line) { qemu_.write(line + "\n"); }

    /// Resets the machine, and returns when that is done.
    void reset();

    /// What QEMU said on its standard error so far.
    std::string messages() const { return folder_.read("qemu.log"); }

    const RunFolder& folder() const { return folder_; }
    std::vector<std::filesystem::path> dumps() const { return dumps_in(folder_.path()); }

  private:
    std::uint64_t read(const std::string& command, std::uint64_t address);
    void write(const std::string& command, std::uint64_t address, std::uint64_t value);
    std::string command(const std::string& line);

    RunFolder folder_;
    Subprocess qemu_;
    Qmp qmp_;
};

} // namespace support
