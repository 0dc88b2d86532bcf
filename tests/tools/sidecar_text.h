// SPDX-License-Identifier: GPL-2.0-or-later
//
// A sidecar as docs/outputs.md describes it, of a dump that RingMaker makes.
#pragma once

#include <cstdint>
#include <string>

namespace kmdump_test
{

/// `bytes`: size of the dump.
inline std::string sidecar_text(std::uint64_t bytes)
{
    const std::string size = std::to_string(bytes);
    return R"({"kmemdump-md":2,"plugin_version":"0.1.0","qemu_version":"7.2.0","result":"complete",)"
           R"("reason":"panic","time":"2026-11-24T18:12:25Z","dump":"x.elf","wanted_format":"enriched",)"
           R"("format":"enriched","compress":"none","bytes":)" +
           size + R"(,"image_bytes":)" + size +
           R"(,"regions_saved":1,"regions_rejected":0,"left_out":[],"remarks":[],"regions":[{"slot":0,"id":24,)"
           R"("name":"prb","kind":"memory","phys":"0x40200010","virt":"0xffff800080000010","size":8,)"
           R"("status":"it is valid","accepted":true}]})";
}

} // namespace kmdump_test
