// SPDX-License-Identifier: GPL-2.0-or-later
//
// A dump on its way into a folder of the host. It is called NAME.incomplete, and says so inside, until
// its last byte is on the disk.
#pragma once

#include "hw/output/os_file.h"
#include "hw/output/sink.h"

#include <optional>
#include <string>

namespace kmd
{

inline constexpr const char* kIncompleteSuffix = ".incomplete";

/// The name of a dump of this plan without it: ".elf", ".elf.zst", or nothing for a folder.
std::string name_suffix(const Plan& plan, Compression compression);

class PendingDump
{
  public:
    /// Makes NAME.incomplete in `folder`, which stays open longer: a file, or a folder when the plan has
    /// parts. Nothing, with errno set, when it cannot be made, also because something has that name, or NAME.
    static std::optional<PendingDump> create(int folder, const std::string& name, const Plan& plan);

    /// The same for a file that replaces NAME: when another writer is at it as well, it is called
    /// NAME.2.incomplete, NAME.3.incomplete... What writers that are gone left under its name is removed.
    static std::optional<PendingDump> claim(int folder, const std::string& name);

    /// Writes all of it, gives it its final name, and describes it in NAME.json. `folder_name` is for
    /// people. When writing fails in between, what was written stays under the incomplete name and is
    /// returned with the cause; when that is of no use, nothing stays and the result is the error.
    Result<Stored> store(const Dump& dump, const StoreOptions& options, const std::string& folder_name,
                         Existing existing);

  private:
    PendingDump(int folder, std::string name)
        : folder_(folder), name_(std::move(name)), incomplete_name_(name_ + kIncompleteSuffix)
    {
    }

    void write(const Dump& dump, const StoreOptions& options, Stored& stored);
    std::optional<std::string> publish(const Plan& plan, Compression compression, Existing existing);
    void describe(const Dump& dump, Stored& stored, Existing existing) const;
    std::optional<std::string> write_description(const Dump& dump, Stored& stored, Existing existing) const;
    /// Gives the end of an incomplete dump for its description, unless it is vital.
    bool make_room(const Dump& dump, Stored& stored) const;
    void discard(const Plan& plan);
    /// Whether a name is this dump's, and not that of one that took its place.
    bool is_called(const std::string& name) const
    {
        return is_name_of(folder_, name, parts_ ? parts_.get() : marked_.get());
    }
    const std::string& name_of(const Stored& stored) const
    {
        return stored.incomplete_because.empty() ? name_ : incomplete_name_;
    }
    std::string sidecar_name(const Stored& stored) const { return name_of(stored) + ".json"; }

    int folder_;
    std::string name_;
    std::string incomplete_name_;
    /// Of the file that has the mark of completeness.
    Descriptor marked_;
    /// Of the folder for the parts, if there are parts.
    Descriptor parts_;
    Progress progress_;
};

} // namespace kmd
