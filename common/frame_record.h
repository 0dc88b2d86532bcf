// SPDX-License-Identifier: GPL-2.0-or-later
//
// The chain of records by which functions, and the exceptions that interrupt them, lead to their callers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace kmd
{

/// Reads 8 bytes at a kernel's virtual address; none when they are not known.
using ReadWord = std::function<std::optional<std::uint64_t>(std::uint64_t address)>;

/// What a frame record says.
struct FrameRecord {
    enum class Kind {
        /// A function was called, and returns to `address`.
        kCall,
        /// An exception came when the CPU was at `address`.
        kException,
        /// The first function of the stack.
        kEnd,
        /// What lies at `address` is not known.
        kUnknown,
        /// As before, and it is the registers that an exception saved.
        kUnknownRegisters,
    };

    Kind kind = Kind::kEnd;
    std::uint64_t address = 0;
    /// Of an exception: where the function that it interrupted returns to, should it have no record.
    std::uint64_t link = 0;
    /// Address of the next record.
    std::uint64_t next = 0;
};

} // namespace kmd
