// SPDX-License-Identifier: GPL-2.0-or-later
//
// Guest RAM for tests: blocks at chosen physical addresses, backed by lazily allocated host memory.
#pragma once

#include "hw/memory/guest_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace kmd::test
{

class FakeGuest : public GuestMemory
{
  public:
    FakeGuest() = default;
    FakeGuest(const FakeGuest&) = delete;
    FakeGuest& operator=(const FakeGuest&) = delete;
    ~FakeGuest() override
    {
        for (const auto& [phys, block] : blocks_) {
            ::munmap(block.bytes, block.size);
        }
    }

    /// RAM full of zeros. Blocks do not overlap; two neighbours are two pieces of host memory.
    void add_ram(std::uint64_t phys, std::uint64_t size)
    {
        void* bytes =
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (bytes == MAP_FAILED) {
            throw std::runtime_error("mmap");
        }
        blocks_[phys] = {static_cast<std::byte*>(bytes), size, true};
    }

    /// The block that starts at `phys` is unplugged, or plugged in again.
    void unplug(std::uint64_t phys) { blocks_.at(phys).present = false; }
    void plug(std::uint64_t phys) { blocks_.at(phys).present = true; }

    /// From now on the host cannot read this block: a system call that tries fails with EFAULT.
    void make_unreadable(std::uint64_t phys)
    {
        const Block& block = blocks_.at(phys);
        if (::mprotect(block.bytes, block.size, PROT_NONE) != 0) {
            throw std::runtime_error("mprotect");
        }
    }

    /// map() returns no run that crosses a multiple of `piece` bytes, as if host memory had seams.
    void split_runs(std::uint64_t piece) { piece_ = piece; }

    void fill(std::uint64_t phys, std::uint64_t size, std::uint8_t value)
    {
        std::memset(at(phys, size), value, size);
    }

    /// Bytes that differ from page to page and within a page.
    void fill_pattern(std::uint64_t phys, std::uint64_t size)
    {
        std::byte* bytes = at(phys, size);
        for (std::uint64_t i = 0; i < size; ++i) {
            const std::uint64_t mixed = (phys + i) * 0x9e3779b97f4a7c15u;
            bytes[i] = static_cast<std::byte>(mixed >> 56);
        }
    }

    void put(std::uint64_t phys, std::string_view text)
    {
        std::memcpy(at(phys, text.size()), text.data(), text.size());
    }

    std::vector<std::byte> bytes(std::uint64_t phys, std::uint64_t size)
    {
        const std::byte* begin = at(phys, size);
        return {begin, begin + size};
    }

    std::span<const std::byte> map(std::uint64_t phys, std::uint64_t size) override
    {
        ++maps;
        const Block* block = find(phys);
        if (block == nullptr || !block->present) {
            return {};
        }
        const std::uint64_t into = phys - base_;
        std::uint64_t run = std::min(size, block->size - into);
        if (piece_ != 0) {
            run = std::min(run, piece_ - phys % piece_);
        }
        return {block->bytes + into, run};
    }

    std::optional<std::uint64_t> next_ram(std::uint64_t phys) override
    {
        for (const auto& [base, block] : blocks_) {
            if (block.present && phys < base + block.size) {
                return std::max(phys, base);
            }
        }
        return std::nullopt;
    }

    /// How often map() was called.
    std::uint64_t maps = 0;

  private:
    struct Block {
        std::byte* bytes = nullptr;
        std::uint64_t size = 0;
        bool present = false;
    };

    /// Also leaves the block's first address in base_.
    const Block* find(std::uint64_t phys)
    {
        const auto next = blocks_.upper_bound(phys);
        if (next == blocks_.begin()) {
            return nullptr;
        }
        const auto& [base, block] = *std::prev(next);
        base_ = base;
        return phys - base < block.size ? &block : nullptr;
    }

    std::byte* at(std::uint64_t phys, std::uint64_t size)
    {
        const Block* block = find(phys);
        if (block == nullptr || size > block->size - (phys - base_)) {
            throw std::out_of_range("not in one block of the fake guest");
        }
        return block->bytes + (phys - base_);
    }

    std::map<std::uint64_t, Block> blocks_;
    std::uint64_t base_ = 0;
    std::uint64_t piece_ = 0;
};

} // namespace kmd::test
