// SPDX-License-Identifier: GPL-2.0-or-later
//
// A dump that is being written to a folder. Until its last byte is on the disk, its name is NAME.incomplete
// and its contents are marked incomplete.
#pragma once

#include "hw/output/os_file.h"
#include "hw/output/sink.h"
#include "hw/output/text_draft.h"

#include <optional>
#include <string>

namespace kmd
{

/// The suffix of a complete dump of this plan: ".elf", ".elf.zst", or nothing for a folder.
std::string name_suffix(const Plan& plan, Compression compression);

class PendingDump
{
  public:
    /// Creates NAME.incomplete in `folder`, which outlives it: a file, or a folder if the plan has parts.
    /// None, with errno set, if that fails, including if NAME or NAME.incomplete exists.
    static std::optional<PendingDump> create(int folder, const std::string& name, const Plan& plan);

    /// The same for a file that replaces NAME. If other writers do the same, it is called NAME.2.incomplete,
    /// NAME.3.incomplete... Removes what dead writers left under its name.
    static std::optional<PendingDump> claim(int folder, const std::string& name);

    /// Writes the dump, gives it its final name, and describes it in NAME.json. `folder_name` is for
    /// messages. If writing fails, the part that was written keeps the incomplete name and is returned with
    /// the cause; if that part is useless, it is removed and the result is an error.
    Result<Stored> store(const Dump& dump, const StoreOptions& options, const std::string& folder_name,
                         Existing existing);

  private:
    PendingDump(int folder, std::string name)
        : folder_(folder), name_(std::move(name)), incomplete_name_(name_ + kIncompleteSuffix)
    {
    }

    void write(const Dump& dump, const StoreOptions& options, Stored& stored);
    /// Gives a dump that is written its final name.
    void complete(const Dump& dump, const StoreOptions& options, const std::string& folder_name,
                  Existing existing, Stored& stored);
    std::optional<std::string> publish(const Dump& dump, const StoreOptions& options, Existing existing,
                                       std::optional<TextDraft>& description, Stored& stored);
    void store_types(const Dump& dump, Stored& stored) const;
    /// The description of a dump that will have its final name. None, with a remark, if it cannot be written.
    std::optional<TextDraft> draft_description(const Dump& dump, Stored& stored, Existing existing) const;
    void describe_incomplete(const Dump& dump, Stored& stored, Existing existing) const;
    /// One try. Returns the cause of a failure.
    std::optional<std::string> describe_part(const Dump& dump, Stored& stored, Existing existing) const;
    Result<TextDraft> write_description(const Dump& dump, Stored& stored, const std::string& name,
                                        Existing existing) const;
    /// Truncates an incomplete dump to make room for its description, unless that would cut its vital part.
    bool make_room(const Dump& dump, Stored& stored) const;
    void discard(const Plan& plan);
    /// Whether `name` still refers to this dump and has not been replaced.
    bool is_called(const std::string& name) const
    {
        return is_name_of(folder_, name, parts_ ? parts_.get() : marked_.get());
    }

    int folder_;
    std::string name_;
    std::string incomplete_name_;
    /// The file that contains the mark of completeness.
    Descriptor marked_;
    /// The folder of the parts, if there are any.
    Descriptor parts_;
    Progress progress_;
};

} // namespace kmd
