// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "common/architecture.h"

namespace kmd
{

extern const Architecture kX86_64;

} // namespace kmd
