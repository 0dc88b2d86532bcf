// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/core/sidecar_file.h"

#include "common/text.h"
#include "kmdump/core/file.h"
#include "kmdump/core/sidecar_split.h"
#include "kmdump/text/json_bounds.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

namespace kmdump
{

namespace
{

/// A region table has at most 65536 regions of about 300 bytes each.
constexpr std::uint64_t kMostBytes = 64 << 20;
constexpr std::size_t kMostRegions = 131072;

/// Regions are three levels deep. `kBesideRegions` applies to the text without the regions, which can still
/// have an entry for each region in `left_out`.
constexpr JsonLimits kAll{.depth = 8, .values = 1 << 23, .token_bytes = 1 << 16};
constexpr JsonLimits kBesideRegions{.depth = 8, .values = 1 << 19, .token_bytes = 1 << 16};

/// Reads members and keeps an error for the first one that is not as expected.
class Members
{
  public:
    std::string text(const nlohmann::json& object, const char* name)
    {
        const auto found = object.find(name);
        if (found == object.end() || !found->is_string()) {
            wrong(name);
            return {};
        }
        return found->get<std::string>();
    }

    std::uint64_t number(const nlohmann::json& object, const char* name)
    {
        const auto found = object.find(name);
        if (found == object.end() || !found->is_number_unsigned()) {
            wrong(name);
            return 0;
        }
        return found->get<std::uint64_t>();
    }

    bool boolean(const nlohmann::json& object, const char* name)
    {
        const auto found = object.find(name);
        if (found == object.end() || !found->is_boolean()) {
            wrong(name);
            return false;
        }
        return found->get<bool>();
    }

    /// A hexadecimal string that starts with 0x.
    std::uint64_t address(const nlohmann::json& object, const char* name)
    {
        const std::string digits = text(object, name);
        std::uint64_t value = 0;
        const char* const end = digits.data() + digits.size();
        if (!digits.starts_with("0x")) {
            wrong(name);
            return 0;
        }
        const auto [stop, error] = std::from_chars(digits.data() + 2, end, value, 16);
        if (error != std::errc() || stop != end) {
            wrong(name);
        }
        return value;
    }

    /// Empty if there is no such member.
    std::vector<std::string> texts(const nlohmann::json& object, const char* name)
    {
        std::vector<std::string> list;
        if (object.contains(name)) {
            for (const auto& item : object[name]) {
                if (!item.is_string()) {
                    wrong(name);
                    return {};
                }
                list.push_back(item.get<std::string>());
            }
        }
        return list;
    }

    void wrong(const char* name)
    {
        if (!error_) {
            error_ = kmd::Error{std::string("its sidecar is damaged: expected a valid member ") + name};
        }
    }

    const std::optional<kmd::Error>& error() const { return error_; }

  private:
    std::optional<kmd::Error> error_;
};

SidecarRegion read_region(Members& members, const nlohmann::json& object)
{
    SidecarRegion region;
    region.slot = members.number(object, "slot");
    region.id = members.number(object, "id");
    region.name = members.text(object, "name");
    region.kind = members.text(object, "kind");
    region.phys = members.address(object, "phys");
    region.virt = members.address(object, "virt");
    region.size = members.number(object, "size");
    region.status = members.text(object, "status");
    region.accepted = members.boolean(object, "accepted");
    constexpr auto top = std::numeric_limits<std::uint64_t>::max();
    if (region.accepted &&
        (region.size == 0 || region.size - 1 > top - region.phys || region.size - 1 > top - region.virt)) {
        members.wrong("size");
    }
    return region;
}

/// The members that count missing regions or extents, and how to describe them.
constexpr std::pair<const char*, const char*> kCounts[] = {
    {"regions_rejected", "valid regions that the host left out"},
    {"regions_refused", "regions whose registration was refused"},
    {"regions_not_described", "valid regions that the guest's own ELF header does not describe"},
    {"regions_not_registered", "regions that the guest found no slot for"},
    {"extents_not_listed", "extents that the guest's list has no room for"},
    {"extents_rejected", "extents of the guest's list that are not RAM"},
    {"extents_stale", "extents of the guest's list that are not mapped any more"},
    {"kernel_pieces_missing", "pieces that the guest's kernel does not have: see the remarks"},
    {"kernel_lists_broken", "lists of the guest's kernel that are broken"},
    {"kernel_pages_left_out", "pages of the guest's kernel that a dump has no room for"},
};

bool vmcoreinfo_lost(Members& members, const nlohmann::json& json)
{
    return json.contains("vmcoreinfo_lost") && members.boolean(json, "vmcoreinfo_lost");
}

std::vector<std::string> read_shortfall(Members& members, const nlohmann::json& json)
{
    std::vector<std::string> lacks;
    for (const auto& [name, words] : kCounts) {
        const std::uint64_t count = json.contains(name) ? members.number(json, name) : 0;
        if (count > 0) {
            lacks.push_back(std::to_string(count) + " " + words);
        }
    }
    if (json.contains("list_cut") && members.boolean(json, "list_cut")) {
        lacks.emplace_back("the end of the guest's list");
    }
    if (json.contains("tables_cut") && members.boolean(json, "tables_cut")) {
        lacks.emplace_back("a part of the page tables, which are larger than any kernel's");
    }
    if (json.contains("kernel_search_cut") && members.boolean(json, "kernel_search_cut")) {
        lacks.emplace_back("what the search in the guest's kernel did not come to");
    }
    if (vmcoreinfo_lost(members, json)) {
        lacks.emplace_back("vmcoreinfo: the kernel that registered the regions is gone");
    }
    const auto cpus = json.find("cpus_of_another_kernel");
    if (cpus != json.end() && cpus->is_array() && !cpus->empty()) {
        lacks.push_back("the registers of " + std::to_string(cpus->size()) +
                        " CPUs, which ran another kernel");
    }
    return lacks;
}

/// Version 1 of the sidecar has a sentence here, which begins with "slot NUMBER " if it is about a slot.
LeftOut left_out_of_version_1(Members& members, const nlohmann::json& item)
{
    if (!item.is_string()) {
        members.wrong("left_out");
        return {};
    }
    LeftOut left_out{std::nullopt, item.get<std::string>()};
    constexpr std::string_view kSlot = "slot ";
    if (left_out.what.starts_with(kSlot)) {
        std::uint64_t slot = 0;
        const char* const end = left_out.what.data() + left_out.what.size();
        const auto number = std::from_chars(left_out.what.data() + kSlot.size(), end, slot);
        if (number.ec == std::errc() && number.ptr != end && *number.ptr == ' ') {
            left_out.slot = slot;
        }
    }
    return left_out;
}

LeftOut read_left_out(Members& members, const nlohmann::json& item)
{
    if (!item.is_object()) {
        members.wrong("left_out");
        return {};
    }
    const std::string name = "'" + members.text(item, "name") + "'";
    const std::string because = ": " + members.text(item, "reason");
    if (item.contains("slot")) {
        const std::uint64_t slot = members.number(item, "slot");
        return {slot, "slot " + std::to_string(slot) + " " + name + because};
    }
    const std::uint64_t size = members.number(item, "size");
    const std::uint64_t phys = members.address(item, "phys");
    return {std::nullopt, "region " + name + " (" + std::to_string(size) + " bytes at " + kmd::hex(phys) +
                              ") is in no slot" + because};
}

std::vector<LeftOut> read_left_out_list(Members& members, const nlohmann::json& json, std::uint64_t version)
{
    std::vector<LeftOut> list;
    const auto found = json.find("left_out");
    if (found == json.end()) {
        return list;
    }
    if (!found->is_array()) {
        members.wrong("left_out");
        return list;
    }
    for (const auto& item : *found) {
        list.push_back(version == 1 ? left_out_of_version_1(members, item) : read_left_out(members, item));
        if (members.error()) {
            break;
        }
    }
    return list;
}

/// An empty object if `text` is not an object, so that reading its members fails.
nlohmann::json parse_region(std::string_view text)
{
    auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
    return json.is_object() ? json : nlohmann::json::object();
}

/// `split`: the texts of those that split_sidecar() took out.
std::vector<SidecarRegion> read_regions(Members& members, const nlohmann::json& json,
                                        const std::vector<std::string_view>& split)
{
    std::vector<SidecarRegion> read;
    const auto regions = json.find("regions");
    if (regions == json.end() || !regions->is_array()) {
        members.wrong("regions");
        return read;
    }
    for (const auto& region : *regions) {
        read.push_back(read_region(members, region));
    }
    for (const std::string_view region : split) {
        read.push_back(read_region(members, parse_region(region)));
    }
    return read;
}

} // namespace

kmd::Result<Sidecar> parse_sidecar(const std::string& text)
{
    const auto damaged = [](const std::string& why) { return kmd::Error{"its sidecar is damaged: " + why}; };
    if (const auto error = JsonBounds(kAll).feed(text)) {
        return damaged(error->what);
    }
    const SplitSidecar split = split_sidecar(text);
    if (const auto error = JsonBounds(kBesideRegions).feed(split.rest)) {
        return damaged(error->what + " beside the regions");
    }
    if (split.regions.size() > kMostRegions) {
        return damaged("expected at most " + std::to_string(kMostRegions) + " regions");
    }
    const auto json = nlohmann::json::parse(split.rest, nullptr, false);
    if (!json.is_object() || !json.contains("kmemdump-md")) {
        return damaged("expected a JSON object with a member kmemdump-md");
    }
    Members members;
    const std::uint64_t version = members.number(json, "kmemdump-md");
    if (version != 1 && version != 2) {
        members.wrong("kmemdump-md");
    }
    Sidecar sidecar;
    sidecar.result = members.text(json, "result");
    sidecar.reason = members.text(json, "reason");
    sidecar.time = members.text(json, "time");
    sidecar.dump = members.text(json, "dump");
    sidecar.format = members.text(json, "format");
    sidecar.bytes = members.number(json, "bytes");
    sidecar.image_bytes = members.number(json, "image_bytes");
    sidecar.left_out = read_left_out_list(members, json, version);
    sidecar.remarks = members.texts(json, "remarks");
    sidecar.lacks = read_shortfall(members, json);
    sidecar.vmcoreinfo_lost = vmcoreinfo_lost(members, json);
    if (json.contains("tasks_found")) {
        sidecar.tasks_found = members.number(json, "tasks_found");
    }
    if (json.contains("types_file")) {
        sidecar.types_file = members.text(json, "types_file");
    }
    sidecar.types_in_dump = json.contains("types_in_dump") && members.boolean(json, "types_in_dump");
    if (json.contains("id_series")) {
        sidecar.id_series = members.text(json, "id_series");
    }
    if (json.contains("incomplete_because")) {
        sidecar.incomplete_because = members.text(json, "incomplete_because");
    }
    sidecar.regions = read_regions(members, json, split.regions);
    if (members.error()) {
        return *members.error();
    }
    return sidecar;
}

kmd::Result<std::optional<Sidecar>> read_sidecar(const std::string& path)
{
    const std::string beside = path + ".json";
    std::error_code ignored;
    if (!std::filesystem::exists(beside, ignored)) {
        return std::optional<Sidecar>();
    }
    const auto file = File::open(beside, "a sidecar");
    if (!file) {
        return kmd::Error{"its sidecar " + file.error().what};
    }
    if (file.value().size() > kMostBytes) {
        return kmd::Error{"its sidecar is damaged: expected at most 64 MiB"};
    }
    std::string text(file.value().size(), '\0');
    if (!file.value().read(0, std::as_writable_bytes(std::span(text)))) {
        return kmd::Error{"its sidecar cannot be read"};
    }
    auto sidecar = parse_sidecar(text);
    if (!sidecar) {
        return sidecar.error();
    }
    return std::optional<Sidecar>(std::move(sidecar.value()));
}

} // namespace kmdump
