// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_print.h"

#include "kmdump/cli/value_text.h"
#include "kmdump/kernel/symbol_source.h"
#include "kmdump/text/escape.h"

namespace kmdump
{

std::optional<kmd::Error> print_value(const PrintOptions& options, const Style& style, std::ostream& out)
{
    const auto opened = open_with_symbols(options.path, options.vmlinux);
    if (!opened) {
        return opened.error();
    }
    const auto& [dump, source] = opened.value();
    const auto types = find_types(dump, source.symbols, options.path, options.vmlinux);
    if (!types) {
        return types.error();
    }
    const auto path = parse_value_path(options.expression);
    if (!path) {
        return path.error();
    }
    const ValueSource values{dump, source.symbols, types.value()};
    const auto place = find_value(values, path.value(), options.type, options.cpu);
    if (!place) {
        return place.error();
    }
    const TypedValue value = read_value(types.value(), dump.memory(), place.value());
    if (options.json) {
        Json json = json_document("print", options.path);
        json["value"] = escape(options.expression);
        json["type"] = escape(value.type);
        json["address"] = json_address(place.value().address);
        json["types"] = escape(types.value().source);
        json["contents"] = value_json(value, source.symbols);
        out << json_text(json) << "\n";
        return std::nullopt;
    }
    out << style.heading(escape(options.expression)) << " = ";
    print_value(value, source.symbols, out);
    return std::nullopt;
}

} // namespace kmdump
