// SPDX-License-Identifier: GPL-2.0-or-later
//
// QEMU is killed at each step of a dump. What is on the disk then never says more than it holds, and gdb
// opens it.
#include "window.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <set>

using namespace device;
using support::ElfCore;
using support::QtestMachine;

namespace
{

namespace fs = std::filesystem;

constexpr std::uint64_t kVirt = 0xffff800080000000;
constexpr std::uint64_t kSize = 0x100000;
constexpr std::uint64_t kLog = 0x8000000;
constexpr std::uint64_t kZeros = 0x4000000;

std::vector<std::byte> pattern(std::uint8_t seed)
{
    std::vector<std::byte> bytes(kSize);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>(seed + i * 7 + i / 4096);
    }
    return bytes;
}

/// The system calls that a dump is made of.
bool is_step(std::uint64_t call)
{
    static const std::set<std::uint64_t> steps = {
        SYS_openat,    SYS_fchmod, SYS_pwritev, SYS_pwrite64,  SYS_sync_file_range, SYS_fsync,
        SYS_fdatasync, SYS_close,  SYS_lseek,   SYS_renameat2, SYS_unlinkat};
    return steps.contains(call);
}

/// Follows the main thread of QEMU, where dumps are taken, and kills it ahead of step number `step` behind
/// the first file that is made. False, and it lives, when it came to the end of the dump before.
bool kill_at(pid_t qemu, unsigned step)
{
    unsigned steps = 0;
    for (bool entering = true;; entering = !entering) {
        ::ptrace(PTRACE_SYSCALL, qemu, nullptr, nullptr);
        int status = 0;
        ::waitpid(qemu, &status, __WALL);
        if (!WIFSTOPPED(status)) {
            throw std::runtime_error("QEMU ended by itself");
        }
        __ptrace_syscall_info info{};
        ::ptrace(PTRACE_GET_SYSCALL_INFO, qemu, sizeof(info), &info);
        if (info.op != PTRACE_SYSCALL_INFO_ENTRY) {
            continue;
        }
        // The sidecar's name is the last thing that a dump gives to the disk; then QEMU tells the monitor.
        if (steps > 0 && info.entry.nr == SYS_sendmsg) {
            return false;
        }
        steps += is_step(info.entry.nr) ? 1 : 0;
        if (steps == step) {
            ::kill(qemu, SIGKILL);
            return true;
        }
    }
}

/// What gdb reads at an address of a core file, in hexadecimal; empty when it reads nothing.
std::string gdb_reads(const fs::path& core, std::uint64_t address)
{
    char command[64];
    std::snprintf(command, sizeof(command), "output/x *(unsigned long *)0x%llx",
                  static_cast<unsigned long long>(address));
    const auto gdb = support::run({"gdb-multiarch", "-nx", "-batch", "-ex", "core-file " + core.string(),
                                   "-ex", "set architecture aarch64", "-ex", "echo value:", "-ex", command});
    const auto at = gdb.output.find("value:0x");
    return at == std::string::npos ? "" : gdb.output.substr(at + 8, 16);
}

std::string hex_of(const std::vector<std::byte>& bytes)
{
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    char text[20];
    std::snprintf(text, sizeof(text), "%llx", static_cast<unsigned long long>(word));
    return text;
}

void expect_no_lie(const fs::path& folder, bool with_gdb)
{
    const auto log = pattern(1);
    const auto rest = pattern(99);
    const std::vector<std::byte> zeros(kSize);
    for (const auto& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(".json")) {
            std::ifstream in(entry.path());
            EXPECT_TRUE(nlohmann::json::accept(in)) << name;
        } else if (name.ends_with(".elf")) {
            const auto core = ElfCore::read(entry.path());
            EXPECT_EQ(core.flags, 0u) << name;
            EXPECT_TRUE(core.physical(kRam + kLog, kSize) == log && core.physical(kRam, kSize) == rest &&
                        core.physical(kRam + kZeros, kSize) == zeros)
                << name;
        } else if (name.ends_with(".elf.incomplete") && fs::file_size(entry.path()) > 4096) {
            const std::uint64_t size = fs::file_size(entry.path());
            const auto core = ElfCore::read(entry.path());
            for (const auto& segment : core.segments) {
                if (segment.offset + 8 > size) {
                    continue;
                }
                const auto there = std::min(segment.file_size, size - segment.offset);
                const auto& truth = segment.phys == kRam ? rest : segment.phys == kRam + kZeros ? zeros : log;
                EXPECT_TRUE(std::equal(
                    core.bytes.begin() + static_cast<std::ptrdiff_t>(segment.offset),
                    core.bytes.begin() + static_cast<std::ptrdiff_t>(segment.offset + there), truth.begin()))
                    << name;
                if (with_gdb) {
                    EXPECT_EQ(gdb_reads(entry.path(), segment.virt), hex_of(truth)) << name;
                }
            }
        }
    }
}

TEST(Killed, AtEachStepQemuLeavesNoFinalNameThatIsIncomplete)
{
    unsigned step = 0;
    for (bool killed = true; killed;) {
        QtestMachine machine("event=on");
        machine.write_memory(kRam + kLog, pattern(1));
        machine.write_memory(kRam, pattern(99));
        ASSERT_EQ(commit(machine, 0, {kRam, kVirt, kSize, 1}), 1u);
        ASSERT_EQ(commit(machine, 1, {kRam + kLog, kVirt + kLog, kSize, 2, 0x100, "log"}), 1u);
        ASSERT_EQ(commit(machine, 2, {kRam + kZeros, kVirt + kZeros, kSize, 3}), 1u);
        const pid_t qemu = machine.pid();
        ASSERT_EQ(::ptrace(PTRACE_SEIZE, qemu, nullptr, PTRACE_O_TRACESYSGOOD), 0) << std::strerror(errno);
        ASSERT_EQ(::ptrace(PTRACE_INTERRUPT, qemu, nullptr, nullptr), 0);
        int status = 0;
        ::waitpid(qemu, &status, __WALL);
        machine.send("writel 0xb000020 0x1");
        killed = kill_at(qemu, ++step);
        if (killed) {
            EXPECT_EQ(machine.wait_for_the_end(), 128 + SIGKILL);
        } else {
            ::ptrace(PTRACE_DETACH, qemu, nullptr, nullptr);
        }
        expect_no_lie(machine.folder().path(), true);
        ASSERT_FALSE(HasFailure()) << "killed at step " << step;
    }
    EXPECT_GT(step, 15u);
}

TEST(Killed, WithinTheDataQemuLeavesAFileThatGdbReadsAsFarAsItGoes)
{
    for (const std::uint64_t byte : {std::uint64_t{4097 + 8}, kSize, 4096 + kSize + 9, 2 * kSize}) {
        QtestMachine machine("inject-stop=" + std::to_string(byte));
        machine.write_memory(kRam + kLog, pattern(1));
        machine.write_memory(kRam, pattern(99));
        ASSERT_EQ(commit(machine, 0, {kRam, kVirt, kSize, 1}), 1u);
        ASSERT_EQ(commit(machine, 1, {kRam + kLog, kVirt + kLog, kSize, 2, 0x100, "log"}), 1u);
        machine.send("writel 0xb000020 0x1");
        EXPECT_EQ(machine.wait_for_the_end(), 128 + SIGKILL);
        ASSERT_EQ(machine.dumps().size(), 1u);
        EXPECT_EQ(fs::file_size(machine.dumps()[0]), byte - 1);
        expect_no_lie(machine.folder().path(), true);
        EXPECT_EQ(gdb_reads(machine.dumps()[0], kVirt + kLog), hex_of(pattern(1)))
            << "the log is there first";
    }
}

} // namespace
