// SPDX-License-Identifier: GPL-2.0-or-later
//
// The chain of frame records that leads from a function, or from an exception, to its callers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace kmd
{

/// Reads 8 bytes at a kernel virtual address; none if they are not available.
using ReadWord = std::function<std::optional<std::uint64_t>(std::uint64_t address)>;

/// A decoded frame record.
struct FrameRecord {
    enum class Kind {
        /// A call that returns to `address`.
        kCall,
        /// An exception that interrupted the CPU at `address`.
        kException,
        /// The end of the chain.
        kEnd,
        /// The record at `address` cannot be read.
        kUnknown,
        /// The saved registers of an exception at `address` cannot be read.
        kUnknownRegisters,
    };

    Kind kind = Kind::kEnd;
    std::uint64_t address = 0;
    /// For an exception: return address of the interrupted function, in case it has no frame record.
    std::uint64_t link = 0;
    /// Address of the next record.
    std::uint64_t next = 0;
};

} // namespace kmd
