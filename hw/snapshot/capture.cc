// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/snapshot/capture.h"

#include <string_view>

namespace kmd
{

namespace
{

bool Capture::*member_of(std::string_view word)
{
    if (word == "regions") {
        return &Capture::regions;
    }
    if (word == "cpus") {
        return &Capture::cpus;
    }
    if (word == "stacks") {
        return &Capture::stacks;
    }
    if (word == "tables") {
        return &Capture::tables;
    }
    if (word == "data") {
        return &Capture::data;
    }
    if (word == "more") {
        return &Capture::more;
    }
    return nullptr;
}

} // namespace

Result<Capture> parse_capture(const std::string& list)
{
    Capture capture{false, false, false, false, false, false};
    std::string_view rest = list;
    while (true) {
        const auto word = rest.substr(0, rest.find_first_of(",+"));
        const auto member = member_of(word);
        if (member == nullptr) {
            return Error{"capture=" + list +
                         " is not valid: expected a list of regions, cpus, stacks, "
                         "tables, data and more, for example capture=regions+cpus"};
        }
        capture.*member = true;
        if (word.size() == rest.size()) {
            return capture;
        }
        rest.remove_prefix(word.size() + 1);
    }
}

} // namespace kmd
