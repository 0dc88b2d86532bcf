// SPDX-License-Identifier: GPL-2.0-or-later
#include "ktap.h"

#include <regex>
#include <sstream>

namespace boot
{

KtapReport read_ktap(const std::string& console)
{
    static const std::regex plan(R"(^\[ *[0-9.]+\] 1\.\.([0-9]+)\s*$)");
    static const std::regex result(R"(^\[ *[0-9.]+\] (not ok|ok) [0-9]+ (\S+)\s*$)");
    KtapReport report;
    std::istringstream lines(console);
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (std::regex_match(line, match, plan)) {
            report.planned = std::stoul(match[1]);
        } else if (std::regex_match(line, match, result)) {
            report.cases.push_back({.name = match[2], .passed = match[1] == "ok"});
        }
    }
    return report;
}

} // namespace boot
