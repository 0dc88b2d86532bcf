// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_modules.h"

#include "common/text.h"
#include "kmdump/cli/table.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/kernel_layout.h"
#include "kmdump/kernel/module_symbols.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <array>
#include <vector>

namespace kmdump
{

namespace
{

constexpr std::array<Column, 4> kColumns = {
    {{"code at", false}, {"bytes", true}, {"symbols", true}, {"name", false}}};

} // namespace

std::optional<kmd::Error> print_modules(const ModulesOptions& options, const Style& style, std::ostream& out)
{
    const auto dump = open_dump(options.path);
    if (!dump) {
        return dump.error();
    }
    const kmd::Vmcoreinfo layout = find_layout(dump.value().core);
    const auto modules = read_module_symbols(dump.value().memory(), layout);
    if (modules.tables.empty() && !modules.cut.empty()) {
        return kmd::Error{"no modules: " + modules.cut};
    }
    Json json = json_document("modules", options.path);
    json["cut"] = modules.cut.empty() ? Json(nullptr) : Json(modules.cut);
    json["modules"] = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const SymbolTable& module : modules.tables) {
        const std::uint64_t size = module.end - module.begin;
        json["modules"].push_back({{"name", module.module},
                                   {"text", json_address(module.begin)},
                                   {"size", size},
                                   {"symbols", module.symbols.size()}});
        rows.push_back({kmd::hex(module.begin), std::to_string(size), std::to_string(module.symbols.size()),
                        escape(module.module)});
    }
    if (options.json) {
        out << json_text(json) << "\n";
        return std::nullopt;
    }
    if (rows.empty()) {
        out << "no modules\n";
    } else {
        print_table(kColumns, rows, style, out);
    }
    if (!modules.cut.empty()) {
        out << "\nthere may be more modules: " << modules.cut << "\n";
    }
    return std::nullopt;
}

} // namespace kmdump
