// SPDX-License-Identifier: GPL-2.0-or-later
//
// System registers of AArch64 by the names of the Arm manual, with the ids that Linux's KVM interface gives
// them.
#pragma once

#include "fake_host.h"

#include <cstdint>

namespace kmd::test
{

inline constexpr std::uint64_t kSctlrEl1 = 0x603000000013c080;
inline constexpr std::uint64_t kTcrEl1 = 0x603000000013c102;
inline constexpr std::uint64_t kTtbr0El1 = 0x603000000013c100;
inline constexpr std::uint64_t kTtbr1El1 = 0x603000000013c101;
inline constexpr std::uint64_t kSctlrEl2 = 0x603000000013e080;
inline constexpr std::uint64_t kTcrEl2 = 0x603000000013e102;
inline constexpr std::uint64_t kTtbr0El2 = 0x603000000013e100;
inline constexpr std::uint64_t kTtbr1El2 = 0x603000000013e101;
inline constexpr std::uint64_t kHcrEl2 = 0x603000000013e088;

/// 48 bits in pages of 4 KiB in both halves, as Linux has it.
inline constexpr std::uint64_t kTcr48Bits4K = 0x2'8010'0010;

/// A kernel at EL1 whose tables begin at `root`.
inline void turn_on_mmu(FakeHost& host, unsigned cpu, std::uint64_t root, std::uint64_t tcr = kTcr48Bits4K)
{
    host.registers[{cpu, kSctlrEl1}] = 1;
    host.registers[{cpu, kTcrEl1}] = tcr;
    host.registers[{cpu, kTtbr0El1}] = 0;
    host.registers[{cpu, kTtbr1El1}] = root;
}

} // namespace kmd::test
