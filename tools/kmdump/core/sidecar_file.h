// SPDX-License-Identifier: GPL-2.0-or-later
//
// The JSON file beside a dump, as docs/outputs.md describes it.
#pragma once

#include "common/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

/// A slot of the region table at the trigger. Texts are as they stand there.
struct SidecarRegion {
    std::uint64_t slot = 0;
    std::uint64_t id = 0;
    std::string name;
    std::string kind;
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0; ///< bytes, not 0; `phys + size - 1` and `virt + size - 1` do not overflow
    std::string status;
    bool accepted = false;
};

/// A region that should be in the dump and is not, or not whole.
struct LeftOut {
    std::optional<std::uint64_t> slot; ///< nothing when it is in none
    std::string what;                  ///< as a sentence; texts are as they stand there
};

/// What kmdump uses of it. Texts are as they stand there: anything.
struct Sidecar {
    std::string result;
    std::string reason;
    std::string time;
    std::string dump;
    std::string format;
    std::uint64_t bytes = 0;       ///< as stored
    std::uint64_t image_bytes = 0; ///< before compression
    std::vector<LeftOut> left_out;
    /// What the guest wanted saved and is not in the dump, in phrases. Empty in a sidecar that says nothing
    /// of it.
    std::vector<std::string> lacks;
    /// What was registered as vmcoreinfo is none any more.
    bool vmcoreinfo_lost = false;
    /// Whose numbers SidecarRegion::id has; "unknown" in a sidecar that says nothing of it.
    std::string id_series = "unknown";
    std::vector<std::string> remarks;
    std::optional<std::string> incomplete_because;
    std::vector<SidecarRegion> regions;
};

/// The sidecar of the dump at `path`: nothing when there is none, an error when it is not as described.
kmd::Result<std::optional<Sidecar>> read_sidecar(const std::string& path);

/// The same from its text.
kmd::Result<Sidecar> parse_sidecar(const std::string& text);

} // namespace kmdump
