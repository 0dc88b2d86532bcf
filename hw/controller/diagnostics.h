// SPDX-License-Identifier: GPL-2.0-or-later
//
// The messages of the controller: warnings, of which a guest can cause only a few; remarks for the sidecar;
// and the trace.
#pragma once

#include "hw/controller/host.h"

#include <cstdint>
#include <string>
#include <vector>

namespace kmd
{

class Diagnostics
{
  public:
    /// `events` outlives it.
    explicit Diagnostics(Events& events) : events_(events) {}

    bool traces() const { return trace_; }
    void set_trace(bool on) { trace_ = on; }
    void trace_access(const char* access, std::uint64_t offset, unsigned size, std::uint64_t value);
    void trace(const std::string& message);

    void begin_attempt() { remarks_.clear(); }
    /// Remarks of the current attempt.
    const std::vector<std::string>& remarks() const { return remarks_; }

    /// Adds a remark and, up to a limit, warns the user.
    void warn(const std::string& message);
    /// Reports a missing dump. `title` says which, for example "no dump (panic)".
    void warn_no_dump(const std::string& title, const std::string& cause);

  private:
    Events& events_;
    bool trace_ = false;
    /// A guest can ring the doorbell for ever, and the host may log its messages to a file.
    unsigned warnings_left_ = 16;
    std::vector<std::string> remarks_;
};

} // namespace kmd
