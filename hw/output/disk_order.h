// SPDX-License-Identifier: GPL-2.0-or-later
//
// The order in which bytes and names reach the disk, with few waits while the guest is held.
//
// A dump that is stored waits for the disk twice:
//
// 1. for its data (fdatasync). Its description was sent to the disk before, so that one wait is enough for
//    what both of them changed in the file system. The mark of completeness is written after that, because
//    it must not be on the disk without the data.
// 2. for its name and that of the description (fsync of the folder).
//
// The mark and the description have to be on the disk no later than the names. Neither needs a wait of its
// own where order_before_names() can rely on the file system: once the disk has accepted the bytes, a journal
// makes it flush them before it stores the change of a name. The mark changes a block in place, so it is in
// no journal itself. Elsewhere each of them is waited for. If the disk ignores the flush, or data and journal
// are on two disks, a power failure can lose the mark or the description, but never the data.
#pragma once

#include <optional>
#include <string>

namespace kmd
{

/// Starts to send the file's bytes to the disk.
void start_writing(int fd);

/// Waits until the disk has accepted the file's bytes. They need not be safe from a power failure. Returns
/// the cause of a failure.
std::optional<std::string> send_to_disk(int fd);

/// Makes sure that the file's bytes are on the disk before a name that is changed after that in the same
/// folder, or one around it. Returns the cause of a failure.
std::optional<std::string> order_before_names(int fd);

} // namespace kmd
