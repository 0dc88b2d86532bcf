// SPDX-License-Identifier: GPL-2.0-or-later
//
// The types of a dump's kernel: BTF in the dump, in a file beside it, or in a vmlinux file.
#pragma once

#include "common/result.h"
#include "kmdump/kernel/btf_member.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/symbols.h"

#include <cstddef>
#include <string>
#include <vector>

namespace kmdump
{

struct Types {
    BtfHandle handle;
    /// As the kernel has them in its memory. Empty if they are from a vmlinux file.
    std::vector<std::byte> bytes;
    /// Where they are from: "dump", or the path of a file.
    std::string source;
};

/// An error if the bytes are not BTF. libbpf checks that every type and name is inside them, but not that
/// types refer to each other in a sensible way.
kmd::Result<Types> parse_types(std::vector<std::byte> bytes, std::string source);

/// Those of the file `vmlinux`; if it is empty, those in the dump at `path` or in the file that its sidecar
/// names. An error if there are none, or if a file is of another kernel.
kmd::Result<Types> find_types(const Dump& dump, const Symbols& symbols, const std::string& path,
                              const std::string& vmlinux);

} // namespace kmdump
