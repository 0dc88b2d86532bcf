// SPDX-License-Identifier: GPL-2.0-or-later
//
// A dump for the tools of Qualcomm's minidump: a table of contents, and one file for each region.
// docs/outputs.md has the layout.
#pragma once

#include "common/result.h"
#include "hw/image/plan.h"
#include "hw/memory/guest_memory.h"
#include "hw/memory/region.h"

namespace kmd
{

/// A plan with parts. An error if there are too many regions to create a file for each while the guest waits,
/// or if they share more memory than the guest may make the host store repeatedly.
Result<Plan> compose_qcom_image(const CheckedRegions& regions, GuestMemory& memory);

} // namespace kmd
