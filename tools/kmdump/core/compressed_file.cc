// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/core/compressed_file.h"

#include "common/little_endian.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace kmdump
{

namespace
{

constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;

/// Limit of the non-zero content: this many bytes plus this multiple of the compressed size. RAM does
/// not compress better than that.
constexpr std::uint64_t kMostStored = std::uint64_t{256} << 20;
constexpr std::uint64_t kMostExpansion = 64;

/// Blocks of zeros of this size become holes.
constexpr std::size_t kBlock = 4096;
constexpr std::array<std::byte, kBlock> kZeros{};

kmd::Error too_large()
{
    return {"expected a compressed dump of at most 4 GiB, of which at most 256 MiB and 64 times the size of "
            "the file are not zeros, found more: decompress it with zstd -d first"};
}

struct FreeContext {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

kmd::Error no_temporary_file()
{
    return {"expected room for the decompressed dump in the folder for temporary files, found none"};
}

kmd::Result<int> temporary_file()
{
    std::error_code failed;
    std::string path = (std::filesystem::temp_directory_path(failed) / "kmdump-XXXXXX").string();
    const int descriptor = failed ? -1 : ::mkostemp(path.data(), O_CLOEXEC);
    if (descriptor < 0) {
        return no_temporary_file();
    }
    ::unlink(path.c_str());
    return descriptor;
}

bool write_all(int descriptor, std::span<const std::byte> bytes)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written <= 0) {
            return false;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
}

/// Writes a file sequentially and leaves holes for zeros.
class SparseWriter
{
  public:
    explicit SparseWriter(int descriptor) : descriptor_(descriptor) {}

    bool write(std::span<const std::byte> bytes)
    {
        while (!bytes.empty()) {
            const std::size_t size = std::min<std::uint64_t>(bytes.size(), kBlock - size_ % kBlock);
            const auto block = bytes.first(size);
            if (std::memcmp(block.data(), kZeros.data(), size) == 0) {
                if (!flush()) {
                    return false;
                }
            } else {
                pending_.insert(pending_.end(), block.begin(), block.end());
                stored_ += size;
            }
            size_ += size;
            bytes = bytes.subspan(size);
        }
        return flush();
    }

    bool finish() { return ::ftruncate(descriptor_, static_cast<off_t>(size_)) == 0; }

    std::uint64_t size() const { return size_; }

    /// Bytes outside holes.
    std::uint64_t stored() const { return stored_; }

  private:
    /// The pending bytes end at `size_`.
    bool flush()
    {
        const auto at = static_cast<off_t>(size_ - pending_.size());
        const bool done = pending_.empty() ||
                          (::lseek(descriptor_, at, SEEK_SET) == at && write_all(descriptor_, pending_));
        pending_.clear();
        return done;
    }

    int descriptor_;
    std::uint64_t size_ = 0;
    std::uint64_t stored_ = 0;
    std::vector<std::byte> pending_;
};

std::optional<kmd::Error> decompress_to(int descriptor, const File& file)
{
    SparseWriter writer(descriptor);
    const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    std::vector<std::byte> in(ZSTD_DStreamInSize());
    std::vector<std::byte> out(ZSTD_DStreamOutSize());
    for (std::uint64_t offset = 0; offset < file.size();) {
        const std::size_t size = std::min<std::uint64_t>(in.size(), file.size() - offset);
        if (!file.read(offset, std::span(in).first(size))) {
            return kmd::Error{"expected to read the whole file, could not"};
        }
        offset += size;
        ZSTD_inBuffer input{in.data(), size, 0};
        bool full = true; // a full output buffer means that more output may follow
        while (input.pos < input.size || full) {
            ZSTD_outBuffer output{out.data(), out.size(), 0};
            const std::size_t result = ZSTD_decompressStream(context.get(), &output, &input);
            if (ZSTD_isError(result) != 0) {
                return kmd::Error{std::string("the compressed dump is damaged: ") +
                                  ZSTD_getErrorName(result)};
            }
            full = output.pos == output.size;
            if (!writer.write(std::span(out).first(output.pos))) {
                return no_temporary_file();
            }
            if (writer.size() > kMostBytes || writer.stored() > kMostStored + kMostExpansion * file.size()) {
                return too_large();
            }
        }
    }
    return writer.finish() ? std::nullopt : std::optional(no_temporary_file());
}

} // namespace

bool is_zstd(const File& file)
{
    std::array<std::byte, 4> magic;
    return file.read(0, magic) && kmd::load<std::uint32_t>(magic, 0) == ZSTD_MAGICNUMBER;
}

kmd::Result<File> decompress(const File& file)
{
    const auto descriptor = temporary_file();
    if (!descriptor) {
        return descriptor.error();
    }
    if (const auto error = decompress_to(descriptor.value(), file)) {
        ::close(descriptor.value());
        return *error;
    }
    return File::adopt(descriptor.value());
}

} // namespace kmdump
