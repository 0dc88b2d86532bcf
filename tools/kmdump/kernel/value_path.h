// SPDX-License-Identifier: GPL-2.0-or-later
//
// Expressions that lead to a value, such as "init_task.comm" or "*init_task.parent->mm".
#pragma once

#include "common/result.h"
#include "kmdump/kernel/typed_value.h"
#include "kmdump/kernel/variables.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kmdump
{

struct ValuePath {
    /// Number of asterisks in front: how often to follow the pointer that the rest leads to.
    unsigned stars = 0;
    /// A symbol, or "0x" and hexadecimal digits.
    std::string base;
    /// A member or, if the name is empty, an element.
    struct Step {
        std::string member;
        std::uint64_t index = 0;
    };
    std::vector<Step> steps;
};

/// Steps and asterisks of one expression.
constexpr std::size_t kMostSteps = 64;

/// The grammar: {*} BASE { .MEMBER | ->MEMBER | [NUMBER] }. Both arrows and dots follow pointers.
kmd::Result<ValuePath> parse_value_path(const std::string& text);

/// Finds the value. `type`: that of the base, such as "task_struct" or "struct page *"; if it is empty, that
/// of the variable, which is known for per-CPU variables and for those that every dump has. `cpu`: whose
/// instance of a per-CPU variable. An error names the step that failed.
kmd::Result<ValuePlace> find_value(const ValueSource& source, const ValuePath& path, const std::string& type,
                                   std::optional<std::uint64_t> cpu);

} // namespace kmdump
