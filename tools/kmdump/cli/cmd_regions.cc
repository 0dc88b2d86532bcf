// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_regions.h"

#include "common/text.h"
#include "kmdump/cli/table.h"
#include "kmdump/core/core_file.h"
#include "kmdump/core/sidecar_file.h"
#include "kmdump/inspect/memory_contents.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <vector>

namespace kmdump
{

namespace
{

constexpr std::array<Column, 7> kColumns = {{{"physical", true},
                                             {"virtual", true},
                                             {"bytes", true},
                                             {"in the file", true},
                                             {"id", true},
                                             {"kind", false},
                                             {"name", false}}};

std::vector<std::string> to_row(const Content& content)
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
    std::vector<std::vector<std::string>> rows;
    std::transform(contents.begin(), contents.end(), std::back_inserter(rows), to_row);
    print_table(kColumns, rows, style, out);
    if (!sidecar.value()) {
        out << "\nno names: there is no sidecar " << options.path << ".json\n";
    }
    return std::nullopt;
}

} // namespace kmdump
