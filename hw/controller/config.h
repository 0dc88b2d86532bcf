// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the user can set; docs/device.md describes each property.
#pragma once

#include "common/result.h"
#include "hw/controller/defaults.h"
#include "hw/linux/linux_guest.h"
#include "hw/output/faults.h"
#include "hw/output/output.h"
#include "hw/snapshot/capture.h"

#include <cstdint>
#include <optional>
#include <string>

namespace kmd
{

/// How a dump is composed.
enum class Format {
    /// The region table and the CPUs: compose_core_image().
    kEnriched,
    /// The guest's own ELF header: compose_guest_image(). Falls back to kEnriched, with a warning, if that
    /// header cannot be used.
    kCoreimage,
    /// A table of contents and one file for each region: compose_qcom_image(). Same fallback.
    kQcom,
};

/// The value of property format=, such as "enriched".
const char* format_name(Format format);

/// Whether a dump has what the controller finds of the guest's Linux kernel by itself.
enum class LinuxCapture {
    kOff,
    /// If the guest did not register its vmcoreinfo, as our driver does with all that is worth saving.
    kAuto,
    /// Always, and nothing that the guest registered.
    kOnly,
};

/// Where the description of the kernel's types and the names of all its symbols go.
enum class TypesWanted {
    /// A file beside the dump, if dumps are files, of a kernel that the controller found by itself.
    kAuto,
    kInDump,
    kBesideDump,
    kNone,
};

struct Config : OutputConfig {
    /// Slots in the table, 1 to 65536.
    std::uint64_t slots = KMD_DEFAULT_SLOTS;
    /// How many of them can be valid at the same time; 0: all.
    std::uint64_t max_regions = KMD_DEFAULT_MAX_REGIONS;
    /// "enriched", "coreimage" or "qcom": see Format.
    std::string format = "enriched";
    /// What an enriched dump holds: see parse_capture().
    std::string capture = "regions,cpus,stacks,tables";
    /// "off", "auto" or "only": see LinuxCapture.
    std::string linux_capture = "auto";
    /// "auto", "in", "beside" or "none": see TypesWanted.
    std::string types = "auto";
    /// How many files the guest can cause until power-off; 0: no limit. A guest can ring the doorbell for
    /// ever.
    std::uint64_t max_dumps = KMD_DEFAULT_MAX_DUMPS;
    /// Limit of the total size of these files, sidecars included. Bytes; 0: no limit.
    std::uint64_t max_bytes = KMD_DEFAULT_MAX_BYTES;
    Faults faults;
    /// The controller is a PCI function; otherwise its window is at a fixed address.
    bool pci = false;
    /// For the sidecar.
    std::string plugin_version = "unknown";
    std::string qemu_version = "unknown";
    /// Which events take a dump if the guest has regions registered, or its kernel crashed without any. A
    /// guest that shuts down in an orderly way has unregistered them by then.
    bool on_reset = KMD_DEFAULT_ON_RESET;
    bool on_shutdown = KMD_DEFAULT_ON_SHUTDOWN;
    bool on_quit = KMD_DEFAULT_ON_QUIT;
    /// Keep the guest stopped after a dump after which it would otherwise continue.
    bool pause = KMD_DEFAULT_PAUSE;
};

/// A valid configuration with its strings parsed.
struct Settings : Config {
    Format dump_format = Format::kEnriched;
    Capture captured;
    LinuxCapture linux_wanted = LinuxCapture::kAuto;
    TypesWanted types_wanted = TypesWanted::kAuto;

    /// An error names the property and what it accepts.
    static Result<Settings> of(const Config& config);

    /// Whether a dump can have what is found of a kernel that registers nothing.
    bool finds_kernel() const;
    /// Whether the user asked for types, even those of a kernel that registers everything else.
    bool asks_for_types() const
    {
        return types_wanted == TypesWanted::kInDump || types_wanted == TypesWanted::kBesideDump;
    }
    /// Whether a dump of such a kernel has something that the controller has to find.
    bool asks_for_extras() const { return asks_for_types() || captured.data || captured.more; }
    /// Where the types of a kernel go.
    TypesPlace types_place() const;
    /// How many slots can be valid at the same time.
    std::uint32_t capacity() const;
    /// Bits of enum kmd_feature: what the host adds to the guest's regions.
    std::uint32_t features() const;
};

} // namespace kmd
