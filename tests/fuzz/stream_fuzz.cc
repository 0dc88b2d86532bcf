// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any stream that is sent to kmdump receive: no more is stored than it may be, and what has a final name has
// a trailer that says so.
#include "fuzzed_dump.h"
#include "kmdump/receive/dump_stream.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace
{

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 3 << 20;

std::string make_folder()
{
    std::string name = (fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/kmdump-fuzz-XXXXXX");
    fuzzed::require(::mkdtemp(name.data()) != nullptr, "there is room for a folder");
    return name;
}

void check(const fs::path& file)
{
    if (file.extension() == ".incomplete" || file.string().ends_with(".json")) {
        return;
    }
    std::ifstream in(file.string() + ".json", std::ios::binary);
    const std::string trailer(std::istreambuf_iterator<char>(in), {});
    fuzzed::require(trailer.find("\"result\"") != std::string::npos, "a complete dump has its trailer");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    static const std::string folder = make_folder();
    const fuzzed::CpuTime time;
    const int stream_fd = ::memfd_create("stream", MFD_CLOEXEC);
    fuzzed::require(stream_fd >= 0 && ::write(stream_fd, bytes, size) == static_cast<ssize_t>(size) &&
                        ::lseek(stream_fd, 0, SEEK_SET) == 0,
                    "there is room for a stream");
    kmdump::StoredBytes stored = 0;
    kmdump::DumpStream stream(stream_fd, {.dump_bytes = kMostBytes, .total_bytes = kMostBytes}, stored);
    for (;;) {
        const auto dump = stream.receive(folder);
        fuzzed::require(dump || kmdump_test::is_plain_text(dump.error().what), "an error is text");
        if (!dump || !dump.value()) {
            break;
        }
    }
    ::close(stream_fd);
    std::uint64_t total = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        total += entry.file_size();
        check(entry.path());
    }
    fuzzed::require(total <= kMostBytes, "no more is stored than may be");
    for (const auto& entry : fs::directory_iterator(folder)) {
        fs::remove(entry.path());
    }
    return 0;
}
