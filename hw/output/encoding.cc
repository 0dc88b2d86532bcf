// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/encoding.h"

#include <elf.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <vector>

namespace kmd
{

namespace
{

/// The fastest of the ordinary levels, because the guest is stopped meanwhile.
constexpr int kLevel = 1;

/// The ELF header is a frame of its own with one raw block and no checksum (RFC 8878, 3.1.1), so that its
/// mark of completeness is uncompressed at a known offset.
constexpr std::uint64_t kPlain = sizeof(Elf64_Ehdr);
constexpr std::array<std::uint8_t, 9> kPlainFrame = {
    0x28,
    0xb5,
    0x2f,
    0xfd,   // magic number
    0x20,   // single segment, 1-byte content size
    kPlain, // content size
    (kPlain << 3 | 1) & 0xff,
    (kPlain << 3 | 1) >> 8 & 0xff,
    0, // last block, raw, size
};
static_assert(kPlain < 256);

/// Input size between flushes: a truncated file can lose at most this much.
constexpr std::uint64_t kBetweenFlushes = std::uint64_t{4} << 20;

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

std::optional<std::string> put(ByteSink& out, std::span<const std::byte> bytes)
{
    return out.write(Pieces(&bytes, 1));
}

/// Writes one frame of everything that is added.
class Compressor
{
  public:
    Compressor(ByteSink& out, std::uint64_t size)
        : out_(out), context_(ZSTD_createCCtx()), buffer_(ZSTD_CStreamOutSize())
    {
        if (context_) {
            ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
            ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
            ZSTD_CCtx_setPledgedSrcSize(context_.get(), size);
        }
    }

    std::optional<std::string> add(std::span<const std::byte> bytes) { return run(bytes, ZSTD_e_continue); }
    /// Makes everything added so far recoverable from the output.
    std::optional<std::string> flush() { return run({}, ZSTD_e_flush); }
    std::optional<std::string> finish() { return run({}, ZSTD_e_end); }

  private:
    std::optional<std::string> run(std::span<const std::byte> bytes, ZSTD_EndDirective directive)
    {
        if (!context_) {
            return "the host has no memory for the compressor";
        }
        ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
        std::size_t left = 0;
        do {
            ZSTD_outBuffer block{buffer_.data(), buffer_.size(), 0};
            left = ZSTD_compressStream2(context_.get(), &block, &in, directive);
            if (ZSTD_isError(left)) {
                return std::string("the compressor failed: ") + ZSTD_getErrorName(left);
            }
            if (auto failure = put(out_, std::span(buffer_).first(block.pos))) {
                return failure;
            }
        } while (in.pos < in.size || (directive != ZSTD_e_continue && left > 0));
        return std::nullopt;
    }

    ByteSink& out_;
    std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
    std::vector<std::byte> buffer_;
};

std::optional<std::string> encode_plain(const Plan& plan, ByteSink& out, Progress& progress)
{
    progress.set_verbatim();
    auto failure = put(out, plan.head);
    return failure ? failure : out.write(plan.body);
}

/// Compresses what follows the raw frame, and records the points up to which the output is decodable.
class Frame
{
  public:
    Frame(const Plan& plan, ByteSink& out, Progress& progress)
        : out_(out), progress_(progress), compressor_(out, plan.file_size - kPlain),
          next_flush_(std::max(plan.vital_size, kPlain + 1))
    {
    }

    std::optional<std::string> add(std::span<const std::byte> bytes)
    {
        while (!bytes.empty()) {
            const auto now = bytes.first(std::min<std::uint64_t>(bytes.size(), next_flush_ - image_));
            if (auto failure = compressor_.add(now)) {
                return failure;
            }
            image_ += now.size();
            if (image_ == next_flush_) {
                if (auto failure = compressor_.flush()) {
                    return failure;
                }
                progress_.reached(out_.written(), image_);
                next_flush_ += kBetweenFlushes;
            }
            bytes = bytes.subspan(now.size());
        }
        return std::nullopt;
    }

    std::optional<std::string> finish()
    {
        auto failure = compressor_.finish();
        if (!failure) {
            progress_.reached(out_.written(), image_);
        }
        return failure;
    }

  private:
    ByteSink& out_;
    Progress& progress_;
    Compressor compressor_;
    std::uint64_t image_ = kPlain;
    std::uint64_t next_flush_;
};

std::optional<std::string> encode_zstd(const Plan& plan, ByteSink& out, Progress& progress)
{
    const auto head = std::span<const std::byte>(plan.head);
    const std::array<std::span<const std::byte>, 2> plain_frame = {std::as_bytes(std::span(kPlainFrame)),
                                                                   head.first(kPlain)};
    if (auto failure = out.write(plain_frame)) {
        return failure;
    }
    progress.reached(out.written(), kPlain);
    Frame frame(plan, out, progress);
    if (auto failure = frame.add(head.subspan(kPlain))) {
        return failure;
    }
    for (const auto& piece : plan.body) {
        if (auto failure = frame.add(piece)) {
            return failure;
        }
    }
    return frame.finish();
}

} // namespace

std::optional<Compression> parse_compression(const std::string& name)
{
    if (name == "none") {
        return Compression::kNone;
    }
    if (name == "zstd") {
        return Compression::kZstd;
    }
    return std::nullopt;
}

const char* suffix(Compression compression)
{
    return compression == Compression::kZstd ? ".zst" : "";
}

std::uint64_t Progress::image_bytes(std::uint64_t stored) const
{
    if (verbatim_) {
        return stored;
    }
    std::uint64_t image = 0;
    for (const Mark& mark : marks_) {
        image = mark.stored <= stored ? mark.image : image;
    }
    return image;
}

std::optional<std::string> encode(const Plan& plan, Compression compression, ByteSink& out,
                                  Progress& progress)
{
    return compression == Compression::kZstd ? encode_zstd(plan, out, progress)
                                             : encode_plain(plan, out, progress);
}

std::uint64_t stored_flags_offset(const Plan& plan, Compression compression)
{
    return plan.flags_offset + (compression == Compression::kZstd ? kPlainFrame.size() : 0);
}

std::uint64_t smallest_useful(const Plan& plan, Compression compression)
{
    return compression == Compression::kZstd ? kPlainFrame.size() + kPlain : plan.head.size();
}

std::uint64_t largest_size(std::uint64_t image, Compression compression)
{
    if (compression == Compression::kNone || image <= kPlain) {
        return image + (compression == Compression::kNone ? 0 : kPlainFrame.size());
    }
    // Each flush ends a block, whose header has three bytes.
    const std::uint64_t flushes = image / kBetweenFlushes + 1;
    return kPlainFrame.size() + kPlain + ZSTD_compressBound(image - kPlain) + 3 * flushes;
}

} // namespace kmd
