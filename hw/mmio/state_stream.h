// SPDX-License-Identifier: GPL-2.0-or-later
//
// The state of a controller as bytes, for a snapshot or another host: little-endian numbers, one behind
// the other.
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

/// Past the end it reads zeros and fails; whoever uses it asks ok() in the end.
class StateReader
{
  public:
    explicit StateReader(std::span<const std::byte> bytes) : rest_(bytes) {}

    std::uint32_t get32() { return get<std::uint32_t>(); }
    std::uint64_t get64() { return get<std::uint64_t>(); }

    /// Every read so far was inside.
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
