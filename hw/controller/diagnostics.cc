// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/controller/diagnostics.h"

#include "common/text.h"
#include "hw/mmio/register_map.h"

namespace kmd
{

void Diagnostics::trace_access(const char* access, std::uint64_t offset, unsigned size, std::uint64_t value)
{
    if (trace_) {
        const std::string name = register_name(offset);
        events_.trace(std::string(access) + " " + hex(offset) + (name.empty() ? "" : " " + name) + " size " +
                      std::to_string(size) + " value " + hex(value));
    }
}

void Diagnostics::trace(const std::string& message)
{
    if (trace_) {
        events_.trace(message);
    }
}

void Diagnostics::warn(const std::string& message)
{
    remarks_.push_back(message);
    if (warnings_left_ == 0) {
        return;
    }
    --warnings_left_;
    events_.warn(message + (warnings_left_ == 0 ? "; no more of these warnings from now on" : ""));
}

void Diagnostics::warn_no_dump(const std::string& title, const std::string& cause)
{
    if (warnings_left_ > 0) {
        events_.dump_done(0, cause);
    }
    warn(title + ": " + cause);
}

} // namespace kmd
