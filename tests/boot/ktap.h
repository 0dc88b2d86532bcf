// SPDX-License-Identifier: GPL-2.0-or-later
//
// Results of the test modules, as the guest's kernel prints them (Documentation/dev-tools/ktap.rst).
#pragma once

#include <string>
#include <vector>

namespace boot
{

struct KtapCase {
    std::string name;
    bool passed = false;
};

struct KtapReport {
    /// How many cases the plan announces; 0 when there is no plan.
    std::size_t planned = 0;
    std::vector<KtapCase> cases;
};

/// Reads the report out of a console that has other lines too.
KtapReport read_ktap(const std::string& console);

} // namespace boot
