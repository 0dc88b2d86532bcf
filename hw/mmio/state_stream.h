// SPDX-License-Identifier: GPL-2.0-or-later
//
// Serialises the state of a controller for a snapshot or a migration: little-endian numbers without padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace kmd
{

class StateWriter
{
  public:
    void put32(std::uint32_t value) { put(&value, sizeof(value)); }
    void put64(std::uint64_t value) { put(&value, sizeof(value)); }

    std::vector<std::byte> take() { return std::move(bytes_); }

  private:
    void put(const void* value, std::size_t size)
    {
        const auto* begin = static_cast<const std::byte*>(value);
        bytes_.insert(bytes_.end(), begin, begin + size);
    }

    std::vector<std::byte> bytes_;
};

/// Returns zeros past the end; the caller checks ok() or at_end().
class StateReader
{
  public:
    explicit StateReader(std::span<const std::byte> bytes) : rest_(bytes) {}

    std::uint32_t get32() { return get<std::uint32_t>(); }
    std::uint64_t get64() { return get<std::uint64_t>(); }

    /// Whether no read went past the end.
    bool ok() const { return ok_; }
    bool at_end() const { return ok_ && rest_.empty(); }

  private:
    template <class T> T get()
    {
        T value = 0;
        if (rest_.size() < sizeof(T)) {
            ok_ = false;
            return value;
        }
        std::memcpy(&value, rest_.data(), sizeof(T));
        rest_ = rest_.subspan(sizeof(T));
        return value;
    }

    std::span<const std::byte> rest_;
    bool ok_ = true;
};

} // namespace kmd
