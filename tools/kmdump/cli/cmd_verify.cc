// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_verify.h"

#include "kmdump/core/core_file.h"
#include "kmdump/core/file.h"
#include "kmdump/core/sidecar_file.h"
#include "kmdump/inspect/dump_check.h"
#include "kmdump/text/escape.h"
#include "kmdump/text/json.h"

#include <algorithm>
#include <vector>

namespace kmdump
{

namespace
{

std::string plural(std::uint64_t number, const std::string& noun)
{
    return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

void print_json(const std::string& path, bool sound, const std::vector<Finding>& findings, std::ostream& out)
{
    Json json = json_document("verify", path);
    json["sound"] = sound;
    json["findings"] = Json::array();
    for (const Finding& finding : findings) {
        json["findings"].push_back({{"error", finding.error}, {"what", finding.what}});
    }
    out << json_text(json) << "\n";
}

} // namespace

kmd::Result<bool> verify(const VerifyOptions& options, const Style& style, std::ostream& out)
{
    const auto core = CoreFile::open(options.path);
    if (!core) {
        return core.error();
    }
    const auto file = File::open(options.path);
    if (!file) {
        return file.error();
    }
    auto sidecar = read_sidecar(options.path);
    std::vector<Finding> findings =
        check_dump(core.value(), sidecar ? sidecar.value() : std::nullopt, file.value().size());
    if (!sidecar) {
        findings.push_back({true, sidecar.error().what});
    }
    const bool sound =
        std::none_of(findings.begin(), findings.end(), [](const Finding& f) { return f.error; });
    if (options.json) {
        print_json(options.path, sound, findings, out);
        return sound;
    }
    for (const Finding& finding : findings) {
        out << (finding.error ? style.bad("error:") : style.heading("warning:")) << " "
            << escape(finding.what) << "\n";
    }
    if (sound) {
        const std::size_t regions = sidecar.value() ? sidecar.value()->regions.size() : 0;
        out << style.good("sound:") << " " << plural(core.value().segments().size(), "segment") << ", "
            << plural(core.value().layout().notes, "note") << ", "
            << (sidecar.value() ? plural(regions, "region") + " of the sidecar" : "no sidecar") << "\n";
    }
    return sound;
}

} // namespace kmdump
