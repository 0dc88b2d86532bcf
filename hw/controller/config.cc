// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/config.h"

#include "common/kmemdump_md_regs.h"
#include "common/text.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace kmd
{

namespace
{

std::optional<Format> parse_format(const std::string& name)
{
    for (const Format format : {Format::kEnriched, Format::kCoreimage, Format::kQcom}) {
        if (name == format_name(format)) {
            return format;
        }
    }
    return std::nullopt;
}

template <class Value> using Words = std::initializer_list<std::pair<const char*, Value>>;

template <class Value> std::optional<Value> find_word(const std::string& name, Words<Value> words)
{
    for (const auto& [word, value] : words) {
        if (name == word) {
            return value;
        }
    }
    return std::nullopt;
}

std::optional<LinuxCapture> parse_linux_capture(const std::string& name)
{
    return find_word<LinuxCapture>(
        name, {{"off", LinuxCapture::kOff}, {"auto", LinuxCapture::kAuto}, {"only", LinuxCapture::kOnly}});
}

std::optional<TypesWanted> parse_types(const std::string& name)
{
    return find_word<TypesWanted>(name, {{"auto", TypesWanted::kAuto},
                                         {"in", TypesWanted::kInDump},
                                         {"beside", TypesWanted::kBesideDump},
                                         {"none", TypesWanted::kNone}});
}

/// Why what the controller has to find cannot be had; none if it can.
std::optional<Error> check_extras(const Settings& settings)
{
    const std::string property =
        settings.asks_for_types() ? "types=" + settings.types : "capture=" + settings.capture;
    if (settings.asks_for_extras() && !settings.finds_kernel()) {
        return Error{property + " needs linux=auto or linux=only, format=enriched, and regions in capture="};
    }
    if (settings.types_wanted == TypesWanted::kBesideDump && settings.chardev) {
        return Error{property + " makes a file beside the dump, which chardev= cannot: types=in stores the "
                                "types in the dump"};
    }
    return std::nullopt;
}

/// 0 means no limit.
std::uint64_t smaller_limit(std::uint64_t a, std::uint64_t b)
{
    return a == 0 || b == 0 ? std::max(a, b) : std::min(a, b);
}

} // namespace

const char* format_name(Format format)
{
    switch (format) {
    case Format::kEnriched:
        return "enriched";
    case Format::kCoreimage:
        return "coreimage";
    case Format::kQcom:
        return "qcom";
    }
    return "unknown";
}

Result<Settings> Settings::of(const Config& config)
{
    if (config.slots < 1 || config.slots > KMD_SLOT_COUNT_MAX) {
        return Error{"slots=" + std::to_string(config.slots) + " is out of range: 1 to " +
                     std::to_string(KMD_SLOT_COUNT_MAX)};
    }
    if (config.max_regions > config.slots) {
        return Error{"max-regions=" + std::to_string(config.max_regions) +
                     " is more than slots=" + std::to_string(config.slots)};
    }
    const auto format = parse_format(config.format);
    if (!format) {
        return Error{"format=" + config.format + " is unknown: expected enriched, coreimage or qcom"};
    }
    const auto capture = parse_capture(config.capture);
    if (!capture) {
        return capture.error();
    }
    const auto linux_wanted = parse_linux_capture(config.linux_capture);
    if (!linux_wanted) {
        return Error{"linux=" + printable(config.linux_capture) + " is unknown: expected off, auto or only"};
    }
    const auto types_wanted = parse_types(config.types);
    if (!types_wanted) {
        return Error{"types=" + printable(config.types) + " is unknown: expected auto, in, beside or none"};
    }
    Settings settings{config, *format, capture.value(), *linux_wanted, *types_wanted};
    if (auto wrong = check_extras(settings)) {
        return *wrong;
    }
    return settings;
}

TypesPlace Settings::types_place() const
{
    switch (types_wanted) {
    case TypesWanted::kInDump:
        return TypesPlace::kInDump;
    case TypesWanted::kBesideDump:
        return TypesPlace::kBesideDump;
    case TypesWanted::kAuto:
        return chardev ? TypesPlace::kNone : TypesPlace::kBesideDump;
    case TypesWanted::kNone:
        break;
    }
    return TypesPlace::kNone;
}

std::uint32_t Settings::capacity() const
{
    return static_cast<std::uint32_t>(smaller_limit(slots, smaller_limit(max_regions, faults.full)));
}

bool Settings::finds_kernel() const
{
    return linux_wanted != LinuxCapture::kOff && dump_format == Format::kEnriched && captured.regions;
}

/// The other formats hold only the guest's regions.
std::uint32_t Settings::features() const
{
    std::uint32_t features = KMD_FEATURE_VMCOREINFO;
    if (dump_format == Format::kEnriched) {
        features |= captured.cpus ? std::uint32_t{KMD_FEATURE_CPU_NOTES} : 0u;
        features |= captured.stacks ? std::uint32_t{KMD_FEATURE_STACKS} : 0u;
        features |= captured.tables ? std::uint32_t{KMD_FEATURE_TABLES} : 0u;
        features |= captured.regions ? std::uint32_t{KMD_FEATURE_LISTS} : 0u;
    }
    return features;
}

} // namespace kmd
