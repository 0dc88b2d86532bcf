// SPDX-License-Identifier: GPL-2.0-or-later
//
// A text file that is written completely or not at all: first a draft, then its name.
#pragma once

#include "common/result.h"
#include "hw/output/os_file.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace kmd
{

class TextDraft
{
  public:
    /// Writes `text` to NAME.incomplete in `folder`, which outlives it, and starts to send it to the disk.
    /// Removes what fails.
    static Result<TextDraft> write(int folder, const std::string& name, const std::string& text,
                                   Existing existing);
    TextDraft(TextDraft&&) = default;
    TextDraft& operator=(TextDraft&&) = delete;
    TextDraft(const TextDraft&) = delete;
    TextDraft& operator=(const TextDraft&) = delete;
    /// Removes the draft unless it was published.
    ~TextDraft();

    /// order_before_names() for its text.
    std::optional<std::string> order_before_names() const;

    /// Gives it its name. `wanted`: whether it may still get it. Returns the cause of a failure.
    std::optional<std::string> publish(const std::function<bool()>& wanted);

  private:
    TextDraft(int folder, std::string name, Existing existing, Descriptor fd)
        : folder_(folder), name_(std::move(name)), existing_(existing), fd_(std::move(fd))
    {
    }
    std::string draft_name() const;

    int folder_;
    std::string name_;
    Existing existing_;
    /// Invalid once it is published.
    Descriptor fd_;
};

} // namespace kmd
