// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/sparse_file.h"

#include "hw/memory/readable.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>

namespace kmd
{

namespace
{

constexpr std::uint64_t kPage = SparseFile::kPage;

/// A hole costs the file system more time than writing fewer zeros, in bytes.
constexpr std::size_t kShortest = 4 * kPage;

/// The largest hole that is made before it is known whether the file system makes holes: as large as any
/// block of a file system, and little for max-bytes if it makes none.
constexpr std::uint64_t kTrial = std::uint64_t{64} << 10;

/// How much memory is checked at once. If it has one page that cannot be read, all of it is written.
constexpr std::size_t kChecked = std::size_t{2} << 20;

/// Whether the bytes from `start` to `end` of a file, behind which there are others, take no room. Larger
/// blocks are stored for pages of zeros that have neighbours.
bool is_hole(int fd, std::uint64_t start, std::uint64_t end)
{
    struct statvfs about;
    return ::lseek(fd, static_cast<off_t>(start), SEEK_DATA) == static_cast<off_t>(end) &&
           ::fstatvfs(fd, &about) == 0 && about.f_frsize <= kPage;
}

bool is_zero_page(const std::byte* page)
{
    static constexpr std::array<std::byte, kPage> kZeros{};
    return std::memcmp(page, kZeros.data(), kPage) == 0;
}

} // namespace

std::optional<std::string> SparseFile::write(Pieces pieces)
{
    for (const auto& piece : pieces) {
        if (auto failure = add(piece)) {
            return failure;
        }
    }
    return flush();
}

std::optional<std::string> SparseFile::add(std::span<const std::byte> piece)
{
    const std::uint64_t last_page = (std::max<std::uint64_t>(size_, 1) - 1) / kPage * kPage;
    while (!piece.empty()) {
        const std::uint64_t to_page = (kPage - at_ % kPage) % kPage;
        const std::uint64_t to_last = last_page - std::min(last_page, at_);
        const std::uint64_t pages = std::min<std::uint64_t>(piece.size(), to_last) / kPage * kPage;
        const bool whole = to_page == 0 && pages > 0;
        // Up to the next page, less than a page, or the last page.
        const std::uint64_t data = to_page > 0 ? to_page : to_last > 0 ? kPage : piece.size();
        const auto now = piece.first(std::min<std::uint64_t>(piece.size(), whole ? pages : data));
        if (auto failure = whole ? add_pages(now) : add_data(now)) {
            return failure;
        }
        at_ += now.size();
        piece = piece.subspan(now.size());
    }
    return std::nullopt;
}

std::optional<std::string> SparseFile::add_pages(std::span<const std::byte> pages)
{
    while (!pages.empty()) {
        auto part = pages.first(std::min(pages.size(), kChecked));
        pages = pages.subspan(part.size());
        const bool worth = makes_holes_.value_or(true) && part.size() >= kShortest;
        const bool readable = worth && is_readable(part);
        while (!part.empty()) {
            const bool zero = readable && is_zero_page(part.data());
            std::size_t run = readable ? kPage : part.size();
            while (run < part.size() && is_zero_page(part.data() + run) == zero) {
                run += kPage;
            }
            const auto now = part.first(run);
            if (auto failure = zero && run >= kShortest ? add_zeros(now) : add_data(now)) {
                return failure;
            }
            part = part.subspan(run);
        }
    }
    return std::nullopt;
}

std::optional<std::string> SparseFile::add_data(std::span<const std::byte> data)
{
    if (data.empty()) {
        return std::nullopt;
    }
    if (!data_.empty() && data_.back().data() + data_.back().size() == data.data()) {
        data_.back() = {data_.back().data(), data_.back().size() + data.size()};
        return std::nullopt;
    }
    if (data_.size() == IOV_MAX) {
        if (auto failure = flush()) {
            return failure;
        }
    }
    data_.push_back(data);
    return std::nullopt;
}

std::optional<std::string> SparseFile::add_zeros(std::span<const std::byte> zeros)
{
    std::optional<std::string> failure;
    if (!makes_holes_) {
        zeros = zeros.subspan(try_hole(zeros, failure));
    }
    if (failure || !makes_holes_.value_or(false)) {
        return failure ? failure : add_data(zeros);
    }
    failure = flush();
    file_.skip(zeros.size());
    return failure;
}

std::uint64_t SparseFile::try_hole(std::span<const std::byte> zeros, std::optional<std::string>& failure)
{
    failure = flush();
    const std::uint64_t start = file_.position();
    const std::uint64_t size = std::min<std::uint64_t>(zeros.size() - kPage, kTrial);
    // A file does not end with a hole: there have to be bytes behind it.
    const auto behind = zeros.subspan(size, kPage);
    file_.skip(size);
    if (!failure) {
        failure = file_.write(Pieces(&behind, 1));
    }
    if (!failure && is_hole(fd_, start, start + size)) {
        makes_holes_ = true;
    } else if (!failure) {
        not_holes_ += size;
        // A smaller one may just be smaller than a block.
        makes_holes_ = size == kTrial ? std::optional(false) : std::nullopt;
    }
    return size + behind.size();
}

std::optional<std::string> SparseFile::flush()
{
    if (data_.empty()) {
        return std::nullopt;
    }
    auto failure = file_.write(data_);
    data_.clear();
    return failure;
}

} // namespace kmd
