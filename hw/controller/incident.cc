// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/incident.h"

namespace kmd
{

bool Incident::takes_dump(kmd_reason reason) const
{
    switch (reason) {
    case KMD_REASON_REQUEST:
    case KMD_REASON_HOST:
    case KMD_REASON_HANG:
        // Explicitly requested.
        return true;
    case KMD_REASON_RESET:
    case KMD_REASON_SHUTDOWN:
        // The consequence of an incident that may have a dump already.
        return state_ == State::kNone;
    default:
        // The guest's own report. A dump of a suspected hang does not replace it.
        return state_ != State::kCause;
    }
}

void Incident::dumped(kmd_reason reason)
{
    if (reason == KMD_REASON_REQUEST || reason == KMD_REASON_HOST) {
        return;
    }
    if (reason != KMD_REASON_HANG) {
        state_ = State::kCause;
    } else if (state_ == State::kNone) {
        state_ = State::kHang;
    }
}

} // namespace kmd
