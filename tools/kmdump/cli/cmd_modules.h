// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump modules: the kernel modules that were loaded.
#pragma once

#include "common/result.h"
#include "kmdump/cli/style.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct ModulesOptions {
    std::string path;
    bool json = false;
};

/// Writes to `out`. A list that is cut short is an error only if it has no module; the output says so
/// otherwise.
std::optional<kmd::Error> print_modules(const ModulesOptions& options, const Style& style, std::ostream& out);

} // namespace kmdump
