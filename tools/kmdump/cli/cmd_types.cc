// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_types.h"

#include "kmdump/cli/output_file.h"
#include "kmdump/kernel/module_types.h"
#include "kmdump/kernel/symbol_source.h"
#include "kmdump/kernel/types.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <utility>

namespace kmdump
{

std::optional<kmd::Error> write_types(const TypesOptions& options, std::ostream& out)
{
    const auto opened = open_with_symbols(options.path, "");
    if (!opened) {
        return opened.error();
    }
    const auto& [dump, source] = opened.value();
    auto types = find_types(dump, source.symbols, options.path, "");
    if (!types) {
        return types.error();
    }
    if (!options.module.empty()) {
        auto of_module = find_module_types(dump, source.symbols, types.value(), options.module);
        if (!of_module) {
            return of_module.error();
        }
        types.value().bytes = std::move(of_module.value());
        types.value().source = "dump";
    }
    const auto& bytes = types.value().bytes;
    const auto write = [&](std::ostream& file) {
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    };
    if (auto error = write_output_file(options.output, "the types", write)) {
        return error;
    }
    if (options.json) {
        Json json = json_document("types", options.path);
        json["file"] = escape(options.output);
        json["bytes"] = bytes.size();
        json["module"] = options.module.empty() ? Json(nullptr) : Json(escape(options.module));
        json["source"] = escape(types.value().source);
        out << json_text(json) << "\n";
    } else {
        out << options.output << ": " << bytes.size() << " bytes of types, from the "
            << (types.value().source == "dump" ? "dump" : "file " + escape(types.value().source)) << "\n";
    }
    return std::nullopt;
}

} // namespace kmdump
