// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/pending_dump.h"

#include "common/elapsed.h"
#include "hw/output/disk_order.h"
#include "hw/output/part_files.h"
#include "hw/output/shared_file.h"
#include "hw/output/sparse_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>
#include <utility>

namespace kmd
{

namespace
{

using Clock = std::chrono::steady_clock;

/// Limit of the writers that replace one file at the same time.
constexpr unsigned kMostWriters = 100;

/// Disk space of a small file besides its contents, rounded up generously.
constexpr std::uint64_t kFileOverhead = 8192;

std::optional<std::string> set_mark(int fd, std::uint64_t offset, std::uint32_t flags)
{
    const bool done = ::pwrite(fd, &flags, sizeof(flags), static_cast<off_t>(offset)) == sizeof(flags);
    return done ? std::nullopt : std::optional(os_error());
}

std::string sidecar_of(const std::string& dump)
{
    return dump + ".json";
}

void lack_description(const std::string& cause, const std::string& dump, Stored& stored)
{
    stored.sidecar_bytes = 0;
    stored.remarks.push_back("there is no " + sidecar_of(dump) + ": " + cause);
}

std::uint64_t bytes_on_disk(int fd)
{
    constexpr std::uint64_t kBlock = 512;
    struct stat about;
    return ::fstat(fd, &about) == 0 ? static_cast<std::uint64_t>(about.st_blocks) * kBlock : 0;
}

/// The mark of an incomplete dump, from the plan.
std::uint32_t incomplete_flags(const Plan& plan)
{
    std::uint32_t flags = 0;
    std::memcpy(&flags, plan.head.data() + plan.flags_offset, sizeof(flags));
    return flags;
}

} // namespace

std::string name_suffix(const Plan& plan, Compression compression)
{
    return plan.parts.empty() ? std::string(".elf") + suffix(compression) : std::string();
}

std::optional<PendingDump> PendingDump::create(int folder, const std::string& name, const Plan& plan)
{
    PendingDump pending(folder, name);
    const std::string incomplete = pending.incomplete_name_;
    if (plan.parts.empty()) {
        pending.marked_ = create_file(folder, incomplete);
    }
    if (plan.parts.empty() ? !pending.marked_ : ::mkdirat(folder, incomplete.c_str(), 0700) != 0) {
        return std::nullopt;
    }
    // Another writer may have just finished a dump of this name. From here on nobody else can.
    if (::faccessat(folder, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        ::unlinkat(folder, incomplete.c_str(), plan.parts.empty() ? 0 : AT_REMOVEDIR);
        errno = EEXIST;
        return std::nullopt;
    }
    if (plan.parts.empty()) {
        return pending;
    }
    pending.parts_ =
        Descriptor(::openat(folder, incomplete.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (pending.parts_ && ::fchmod(pending.parts_.get(), 0700) == 0) {
        pending.marked_ = create_file(pending.parts_.get(), plan.parts.front().name);
        if (pending.marked_) {
            return pending;
        }
    }
    const int cause = errno;
    ::unlinkat(folder, incomplete.c_str(), AT_REMOVEDIR);
    errno = cause;
    return std::nullopt;
}

std::optional<PendingDump> PendingDump::claim(int folder, const std::string& name)
{
    PendingDump pending(folder, name);
    for (unsigned i = 1; i <= kMostWriters; ++i) {
        pending.incomplete_name_ = name + (i == 1 ? "" : "." + std::to_string(i)) + kIncompleteSuffix;
        pending.marked_ = claim_file(folder, pending.incomplete_name_);
        if (pending.marked_) {
            ::unlinkat(folder, sidecar_of(pending.incomplete_name_).c_str(), 0);
            return pending;
        }
        if (errno != EEXIST) {
            break;
        }
    }
    return std::nullopt;
}

void PendingDump::write(const Dump& dump, const StoreOptions& options, Stored& stored)
{
    if (!parts_ && options.compression == Compression::kNone) {
        SparseFile file(marked_.get(), dump.plan.file_size);
        encode_dump(dump, options, options.sidecar, file, progress_, stored);
        return;
    }
    if (!parts_) {
        FileBytes file(marked_.get());
        encode_dump(dump, options, options.sidecar, file, progress_, stored);
        return;
    }
    PartFiles files(parts_.get(), dump.plan.parts, marked_.get());
    encode_dump(dump, options, options.sidecar, files, progress_, stored);
    if (stored.incomplete_because.empty()) {
        stored.incomplete_because = files.finish().value_or("");
    }
}

void PendingDump::complete(const Dump& dump, const StoreOptions& options, const std::string& folder_name,
                           Existing existing, Stored& stored)
{
    const auto written = Clock::now();
    auto failure = send_to_disk(marked_.get());
    stored.sync_nanoseconds = elapsed_ns(written);
    const std::string incomplete = std::exchange(stored.where, folder_name + "/" + name_);
    if (!failure) {
        if (dump.types) {
            store_types(dump, stored);
        }
        auto description =
            options.sidecar ? draft_description(dump, stored, existing) : std::optional<TextDraft>();
        failure = publish(dump, options, existing, description, stored);
    }
    if (failure) {
        stored.where = incomplete;
        stored.incomplete_because = *failure;
        stored.sidecar_bytes = 0;
    }
}

std::optional<std::string> PendingDump::publish(const Dump& dump, const StoreOptions& options,
                                                Existing existing, std::optional<TextDraft>& description,
                                                Stored& stored)
{
    const std::uint64_t offset = stored_flags_offset(dump.plan, options.compression);
    // See disk_order.h for the order of these steps.
    if (::fdatasync(marked_.get()) != 0) {
        return os_error();
    }
    if (auto cause = description ? description->order_before_names() : std::nullopt) {
        lack_description(*cause, name_, stored);
        description.reset();
    }
    auto failure = set_mark(marked_.get(), offset, dump.plan.complete_flags);
    if (!failure) {
        failure = order_before_names(marked_.get());
    }
    if (!failure && !is_called(incomplete_name_)) {
        failure = "another process removed or renamed its file";
    }
    if (!failure && options.sidecar && existing == Existing::kReplace) {
        // It describes the dump that is about to be replaced.
        ::unlinkat(folder_, sidecar_of(name_).c_str(), 0);
    }
    if (!failure && !rename_in(folder_, incomplete_name_, name_, existing)) {
        failure = "it cannot be renamed to its final name: " + os_error();
    }
    if (failure) {
        // Best effort: the name says "incomplete" in any case.
        (void)set_mark(marked_.get(), offset, incomplete_flags(dump.plan));
        (void)::fdatasync(marked_.get());
        return failure;
    }
    if (auto cause = description ? description->publish([&] { return is_called(name_); }) : std::nullopt) {
        lack_description(*cause, name_, stored);
    }
    return std::nullopt;
}

void PendingDump::discard(const Plan& plan)
{
    for (const Part& part : plan.parts) {
        ::unlinkat(parts_.get(), part.name.c_str(), 0);
    }
    if (is_called(incomplete_name_)) {
        ::unlinkat(folder_, incomplete_name_.c_str(), plan.parts.empty() ? 0 : AT_REMOVEDIR);
    }
}

Result<TextDraft> PendingDump::write_description(const Dump& dump, Stored& stored, const std::string& name,
                                                 Existing existing) const
{
    try {
        const std::string text = dump.describe(stored, false);
        if (text.size() > dump.room - std::min(dump.room, stored.room() + stored.types_bytes)) {
            return Error{kOutOfRoom};
        }
        auto draft = TextDraft::write(folder_, sidecar_of(name), text, existing);
        stored.sidecar_bytes = draft ? text.size() : 0;
        return draft;
    } catch (const std::bad_alloc&) {
        return Error{"the host is out of memory"};
    }
}

std::optional<TextDraft> PendingDump::draft_description(const Dump& dump, Stored& stored,
                                                        Existing existing) const
{
    auto draft = write_description(dump, stored, name_, existing);
    if (draft) {
        return std::move(draft.value());
    }
    lack_description(draft.error().what, name_, stored);
    return std::nullopt;
}

std::optional<std::string> PendingDump::describe_part(const Dump& dump, Stored& stored,
                                                      Existing existing) const
{
    auto draft = write_description(dump, stored, incomplete_name_, existing);
    if (!draft) {
        return draft.error().what;
    }
    auto failure = draft.value().order_before_names();
    return failure ? failure : draft.value().publish([&] { return is_called(incomplete_name_); });
}

bool PendingDump::make_room(const Dump& dump, Stored& stored) const
{
    Stored worst = stored;
    worst.image_bytes = dump.plan.vital_size;
    const std::uint64_t needed = dump.describe(worst, false).size() + kFileOverhead;
    struct statvfs about;
    const bool no_more_files = ::fstatvfs(folder_, &about) == 0 && about.f_files > 0 && about.f_favail == 0;
    if (parts_ || no_more_files) {
        return false;
    }
    const Stored whole = stored;
    const std::uint64_t before = bytes_on_disk(marked_.get());
    // A hole at the end makes no room.
    for (std::uint64_t cut = needed;; cut *= 2) {
        const std::uint64_t shorter = whole.bytes - std::min(whole.bytes, cut);
        if (progress_.image_bytes(shorter) < dump.plan.vital_size ||
            ::ftruncate(marked_.get(), static_cast<off_t>(shorter)) != 0) {
            return false;
        }
        stored.bytes = shorter;
        stored.holes = whole.holes - std::min(whole.holes, cut);
        stored.image_bytes = progress_.image_bytes(shorter);
        if (cut >= needed + whole.holes || before >= bytes_on_disk(marked_.get()) + needed) {
            return true;
        }
    }
}

/// Leaves the description its room.
void PendingDump::store_types(const Dump& dump, Stored& stored) const
{
    std::string cause;
    try {
        const std::uint64_t used = stored.room() + dump.describe(stored, false).size() + kFileOverhead;
        const auto written =
            store_shared_file(folder_, *dump.types, dump.room - std::min(dump.room, used), kOutOfRoom);
        if (written) {
            stored.types_file = dump.types->name;
            stored.types_bytes = written.value();
            return;
        }
        cause = written.error().what;
    } catch (const std::bad_alloc&) {
        cause = "the host is out of memory";
    }
    stored.remarks.push_back("there is no " + dump.types->name +
                             ", which describes the kernel's types: " + cause);
}

void PendingDump::describe_incomplete(const Dump& dump, Stored& stored, Existing existing) const
{
    auto failure = describe_part(dump, stored, existing);
    if (failure && make_room(dump, stored)) {
        failure = describe_part(dump, stored, existing);
    }
    if (failure) {
        lack_description(*failure, incomplete_name_, stored);
    }
}

Result<Stored> PendingDump::store(const Dump& dump, const StoreOptions& options,
                                  const std::string& folder_name, Existing existing)
{
    const FileSizeSignalBlocked blocked;
    Stored stored;
    stored.where = folder_name + "/" + incomplete_name_;
    const auto start = Clock::now();
    write(dump, options, stored);
    stored.write_nanoseconds = elapsed_ns(start);
    if (!stored.incomplete_because.empty() &&
        stored.bytes < smallest_useful(dump.plan, options.compression)) {
        discard(dump.plan);
        return Error{"cannot write to " + folder_name + ": " + stored.incomplete_because};
    }
    std::optional<FolderLock> alone;
    if (stored.incomplete_because.empty()) {
        if (existing == Existing::kReplace) {
            alone.emplace(folder_);
        }
        complete(dump, options, folder_name, existing, stored);
    }
    if (!stored.incomplete_because.empty() && options.sidecar) {
        describe_incomplete(dump, stored, existing);
    }
    // Write both names to the disk.
    ::fsync(folder_);
    return stored;
}

} // namespace kmd
