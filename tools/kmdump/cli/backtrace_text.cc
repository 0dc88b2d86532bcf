// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/backtrace_text.h"

#include "common/text.h"
#include "kmdump/kernel/cpu_states.h"
#include "kmdump/text/escape.h"

namespace kmdump
{

std::string frame_text(const Symbols& symbols, const Frame& frame)
{
    const auto place = place_of(symbols, frame);
    return kmd::hex_digits(frame.address) + (place ? "  " + escape(*place) : "");
}

void print_backtrace(const Backtrace& backtrace, const Symbols& symbols, std::string_view indent,
                     std::ostream& out)
{
    for (const Frame& frame : backtrace.frames) {
        out << indent << frame_text(symbols, frame) << "\n";
    }
    if (!backtrace.cut.empty()) {
        out << indent << "(it ends here: " << backtrace.cut << ")\n";
    }
}

Json frame_json(const Symbols& symbols, const Frame& frame)
{
    return {{"address", json_address(frame.address)}, {"symbol", json_or_null(place_of(symbols, frame))}};
}

void add_backtrace(Json& json, const Backtrace& backtrace, const Symbols& symbols)
{
    Json frames = Json::array();
    for (const Frame& frame : backtrace.frames) {
        frames.push_back(frame_json(symbols, frame));
    }
    json["backtrace"] = std::move(frames);
    json["backtrace_cut"] = backtrace.cut.empty() ? Json(nullptr) : Json(backtrace.cut);
}

} // namespace kmdump
