// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the controller says of its work: warnings, of which a guest can cause no more than a few, remarks
// that go into the description of a dump, and the trace.
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
    /// Of the attempt that is under way.
    const std::vector<std::string>& remarks() const { return remarks_; }

    /// A remark that the person at the host hears as well, unless there were too many.
    void warn(const std::string& message);
    /// There is no dump, and `title` says of what kind it would have been: "no dump (panic)".
    void warn_of_no_dump(const std::string& title, const std::string& cause);

  private:
    Events& events_;
    bool trace_ = false;
    /// A guest can ring in vain for ever, and the host keeps its messages in a file.
    unsigned warnings_left_ = 16;
    std::vector<std::string> remarks_;
};

} // namespace kmd
