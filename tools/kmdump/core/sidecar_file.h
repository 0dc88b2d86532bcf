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

/// A slot of the region table when the dump was taken. Strings are not escaped.
struct SidecarRegion {
    std::uint64_t slot = 0;
    std::uint64_t id = 0;
    std::string name;
    std::string kind;
    std::uint64_t phys = 0;
    std::uint64_t virt = 0;
    std::uint64_t size = 0; ///< bytes; if accepted, not 0, and neither address range overflows
    std::string status;
    bool accepted = false;
};

/// A region that is missing from the dump, or not complete.
struct LeftOut {
    std::optional<std::uint64_t> slot; ///< nothing if the region is in no slot
    std::string what;                  ///< a sentence; not escaped
};

/// The members that kmdump uses. Strings are not escaped and can hold anything.
struct Sidecar {
    std::string result;
    std::string reason;
    std::string time;
    std::string dump;
    std::string format;
    std::uint64_t bytes = 0;       ///< size of the dump file
    std::uint64_t image_bytes = 0; ///< before compression
    std::vector<LeftOut> left_out;
    /// What the guest wanted saved but the dump lacks, in phrases. Empty if the sidecar does not say.
    std::vector<std::string> lacks;
    /// Tasks of a kernel that the controller found without the guest's help; nothing if it found none.
    std::optional<std::uint64_t> tasks_found;
    /// The name of the file beside the dump that has the types of its kernel; empty if there is none.
    std::string types_file;
    /// The types are in the dump.
    bool types_in_dump = false;
    /// The memory that was registered as vmcoreinfo no longer holds any.
    bool vmcoreinfo_lost = false;
    /// The series that SidecarRegion::id belongs to; "unknown" if the sidecar does not say.
    std::string id_series = "unknown";
    std::vector<std::string> remarks;
    std::optional<std::string> incomplete_because;
    std::vector<SidecarRegion> regions;
};

/// Reads the sidecar of the dump at `path`. Nothing if there is none; an error if it is damaged.
kmd::Result<std::optional<Sidecar>> read_sidecar(const std::string& path);

/// The same for the text of a sidecar.
kmd::Result<Sidecar> parse_sidecar(const std::string& text);

} // namespace kmdump
