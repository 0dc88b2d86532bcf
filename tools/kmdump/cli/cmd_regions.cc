// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_regions.h"

#include "common/text.h"
#include "kmdump/core/core_file.h"
#include "kmdump/core/sidecar_file.h"
#include "kmdump/inspect/memory_contents.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <algorithm>
#include <array>
#include <vector>

namespace kmdump
{

namespace
{

constexpr std::size_t kColumns = 7;
using Row = std::array<std::string, kColumns>;

/// Numeric columns are aligned to the right, text to the left.
constexpr std::array<bool, kColumns> kNumber = {true, true, true, true, true, false, false};

Row to_row(const Content& content)
{
    std::string name = content.name.empty() ? "-" : escape(content.name);
    if (!content.status.empty()) {
        name += " (" + escape(content.status) + ")";
    }
    return {kmd::hex(content.phys),
            kmd::hex(content.virt),
            std::to_string(content.size),
            content.file_offset ? kmd::hex(*content.file_offset) : "-",
            content.id ? std::to_string(*content.id) : "-",
            escape(content.kind),
            name};
}

void print_table(const std::vector<Content>& contents, const Style& style, std::ostream& out)
{
    std::vector<Row> rows = {{"physical", "virtual", "bytes", "in the file", "id", "kind", "name"}};
    std::transform(contents.begin(), contents.end(), std::back_inserter(rows), to_row);
    std::array<std::size_t, kColumns> widths{};
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < kColumns; ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < kColumns; ++i) {
            const std::string padding(widths[i] - row[i].size(), ' ');
            line += (i > 0 ? "  " : "") + (kNumber[i] ? padding + row[i] : row[i] + padding);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out << (&row == &rows.front() ? style.heading(line) : line) << "\n";
    }
}

Json to_json(const Content& content)
{
    return {{"phys", json_address(content.phys)},
            {"virt", json_address(content.virt)},
            {"size", content.size},
            {"file_offset", json_or_null(content.file_offset)},
            {"id", json_or_null(content.id)},
            {"kind", content.kind},
            {"name", content.name},
            {"status", content.status}};
}

} // namespace

std::optional<kmd::Error> print_regions(const RegionsOptions& options, const Style& style, std::ostream& out)
{
    const auto core = CoreFile::open(options.path);
    if (!core) {
        return core.error();
    }
    const auto sidecar = read_sidecar(options.path);
    if (!sidecar) {
        return sidecar.error();
    }
    const auto contents = list_contents(core.value(), sidecar.value());
    if (options.json) {
        Json json = json_document("regions", options.path);
        json["sidecar"] = sidecar.value().has_value();
        JsonStream stream(json, out);
        stream.begin_list("regions");
        for (const Content& content : contents) {
            stream.add(to_json(content));
        }
        stream.end_list();
        stream.end();
        return std::nullopt;
    }
    print_table(contents, style, out);
    if (!sidecar.value()) {
        out << "\nno names: there is no sidecar " << options.path << ".json\n";
    }
    return std::nullopt;
}

} // namespace kmdump
