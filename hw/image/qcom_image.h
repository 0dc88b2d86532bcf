// SPDX-License-Identifier: GPL-2.0-or-later
//
// A dump as tools for Qualcomm's minidump expect it: a table of contents, and a file for each region.
// docs/outputs.md has the layout.
#pragma once

#include "common/result.h"
#include "hw/image/plan.h"
#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

namespace kmd
{

/// A plan with parts. An error when there are more regions than a host can make files for while the guest
/// waits, or when they share so much memory that the files would be larger than what the guest can be
/// trusted with.
Result<Plan> compose_qcom_image(const CheckedRegions& regions, GuestMemory& memory);

} // namespace kmd
