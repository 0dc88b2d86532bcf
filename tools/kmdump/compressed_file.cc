// SPDX-License-Identifier: GPL-2.0-or-later
#include "compressed_file.h"

#include "little_endian.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
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

std::optional<kmd::Error> decompress_to(int descriptor, const File& file)
{
    const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    std::vector<std::byte> in(ZSTD_DStreamInSize());
    std::vector<std::byte> out(ZSTD_DStreamOutSize());
    std::uint64_t total = 0;
    for (std::uint64_t offset = 0; offset < file.size();) {
        const std::size_t size = std::min<std::uint64_t>(in.size(), file.size() - offset);
        if (!file.read(offset, std::span(in).first(size))) {
            return kmd::Error{"expected to read the whole file, could not"};
        }
        offset += size;
        ZSTD_inBuffer input{in.data(), size, 0};
        bool full = true; // then there may be more to come out
        while (input.pos < input.size || full) {
            ZSTD_outBuffer output{out.data(), out.size(), 0};
            const std::size_t result = ZSTD_decompressStream(context.get(), &output, &input);
            if (ZSTD_isError(result) != 0) {
                return kmd::Error{std::string("the compressed dump is damaged: ") +
                                  ZSTD_getErrorName(result)};
            }
            full = output.pos == output.size;
            total += output.pos;
            if (total > kMostBytes) {
                return kmd::Error{
                    "expected at most 4 GiB in a compressed dump, found more: decompress it with "
                    "zstd -d first"};
            }
            if (!write_all(descriptor, std::span(out).first(output.pos))) {
                return no_temporary_file();
            }
        }
    }
    return std::nullopt;
}

} // namespace

bool is_zstd(const File& file)
{
    std::array<std::byte, 4> magic;
    return file.read(0, magic) && load<std::uint32_t>(magic, 0) == ZSTD_MAGICNUMBER;
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
