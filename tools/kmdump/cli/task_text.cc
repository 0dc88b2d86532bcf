// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/task_text.h"

#include "common/text.h"
#include "kmdump/kernel/cpu_states.h"

#include <array>
#include <cinttypes>
#include <cstdio>

namespace kmdump
{

std::string waiting_text(const Task& task, const Symbols& symbols)
{
    const auto frame = waiting_place(task, symbols);
    return frame ? place_of(symbols, *frame).value_or(kmd::hex_digits(frame->address)) : "";
}

std::string run_time_text(const Task& task)
{
    if (!task.run_time) {
        return "-";
    }
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%" PRIu64 ".%03" PRIu64, *task.run_time / 1000000000,
                  *task.run_time / 1000000 % 1000);
    return text.data();
}

Json task_json(const Task& task)
{
    return {{"pid", task.pid},
            {"tgid", task.tgid},
            {"comm", task.comm},
            {"state", task_state_letter(task)},
            {"cpu", json_or_null(task.cpu)},
            {"run_time_ns", json_or_null(task.run_time)},
            {"task_struct", json_address(task.address)}};
}

} // namespace kmdump
