// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any file that is compressed, or says so; a small one can unfold to any size.
#include "fuzzed_dump.h"

#include <span>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    const auto content = std::as_bytes(std::span(bytes, size));
    fuzzed::Bytes file_bytes = {std::byte{0x28}, std::byte{0xb5}, std::byte{0x2f}, std::byte{0xfd}};
    file_bytes.insert(file_bytes.end(), content.begin(), content.end());
    static const kmdump_test::TemporaryFile file(fuzzed::Bytes{});
    file.write(file_bytes);
    fuzzed::run_command({"info", file.path().c_str()});
    return 0;
}
