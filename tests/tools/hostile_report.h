// SPDX-License-Identifier: GPL-2.0-or-later
//
// A report in which every text that a guest can choose tries to break out of the page.
#pragma once

#include "kmdump/report/report.h"

namespace kmdump_test
{

kmdump::Report hostile_report();

} // namespace kmdump_test
