// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/words.h"

namespace kmd
{

const char* reason_name(kmd_reason reason)
{
    switch (reason) {
    case KMD_REASON_PANIC:
        return "panic";
    case KMD_REASON_REQUEST:
        return "request";
    case KMD_REASON_ABANDONED:
        return "abandoned";
    case KMD_REASON_HOST:
        return "host";
    case KMD_REASON_RESET:
        return "reset";
    case KMD_REASON_SHUTDOWN:
        return "shutdown";
    case KMD_REASON_HANG:
        return "hang";
    }
    return "unknown";
}

const char* result_text(kmd_result result)
{
    switch (result) {
    case KMD_RESULT_NONE:
        return "none was asked for";
    case KMD_RESULT_COMPLETE:
        return "it is complete";
    case KMD_RESULT_PARTIAL:
        return "it lacks some of what the guest wanted saved";
    case KMD_RESULT_INCOMPLETE:
        return "the host could not write all of it";
    case KMD_RESULT_FAILED:
        return "the host could not write it";
    case KMD_RESULT_EMPTY:
        return "the guest has no region that can be saved";
    case KMD_RESULT_LIMIT:
        return "max-dumps or max-bytes is reached";
    }
    return "its result is unknown";
}

bool has_file(kmd_result result)
{
    return result == KMD_RESULT_COMPLETE || result == KMD_RESULT_PARTIAL || result == KMD_RESULT_INCOMPLETE;
}

bool guest_can_cause(kmd_reason reason)
{
    return reason != KMD_REASON_HOST && reason != KMD_REASON_HANG;
}

} // namespace kmd
