// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_types.h"

#include "kmdump/cli/output_file.h"
#include "kmdump/kernel/symbol_source.h"
#include "kmdump/kernel/types.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

namespace kmdump
{

std::optional<kmd::Error> write_types(const TypesOptions& options, std::ostream& out)
{
    const auto opened = open_with_symbols(options.path, "");
    if (!opened) {
        return opened.error();
    }
    const auto types = find_types(opened.value().dump, opened.value().source.symbols, options.path, "");
    if (!types) {
        return types.error();
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
        json["source"] = escape(types.value().source);
        out << json_text(json) << "\n";
    } else {
        out << options.output << ": " << bytes.size() << " bytes of types, from the "
            << (types.value().source == "dump" ? "dump" : "file " + escape(types.value().source)) << "\n";
    }
    return std::nullopt;
}

} // namespace kmdump
