// SPDX-License-Identifier: GPL-2.0-or-later
//
// kmdump types: the types of the dump's kernel, or of one of its modules, as a file for other tools.
#pragma once

#include "common/result.h"

#include <optional>
#include <ostream>
#include <string>

namespace kmdump
{

struct TypesOptions {
    std::string path;
    std::string module; ///< empty for the kernel
    std::string output; ///< the file, which must not exist
    bool json = false;
};

/// Writes the BTF of the kernel or of the module to the file and a line about it to `out`.
std::optional<kmd::Error> write_types(const TypesOptions& options, std::ostream& out);

} // namespace kmdump
