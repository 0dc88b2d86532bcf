// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_report.h"

#include "kmdump/cli/output_file.h"
#include "kmdump/cli/task_text.h"
#include "kmdump/report/report.h"
#include "kmdump/text/json.h"

namespace kmdump
{

namespace
{

Json tasks_to_json(const TaskList& list)
{
    Json tasks = Json::array();
    for (const Task& task : list.tasks) {
        tasks.push_back(task_json(task));
    }
    return tasks;
}

Json to_json(const ReportOptions& options, const Report& report)
{
    Json json = json_document("report", options.path);
    json["page"] = options.output.empty() ? Json() : Json(options.output);
    json["tasks"] = report.tasks ? tasks_to_json(report.tasks.value()) : Json();
    json["tasks_missing"] = report.tasks ? Json() : Json(report.tasks.error().what);
    json["tasks_cut"] =
        report.tasks && !report.tasks.value().cut.empty() ? Json(report.tasks.value().cut) : Json();
    return json;
}

} // namespace

std::optional<kmd::Error> write_report(const ReportOptions& options, std::ostream& out)
{
    const auto report = make_report(options.path, options.vmlinux);
    if (!report) {
        return report.error();
    }
    if (!options.output.empty()) {
        const auto write = [&](std::ostream& file) { write_page(report.value(), file); };
        if (auto error = write_output_file(options.output, "the page", write)) {
            return error;
        }
    }
    if (options.json) {
        out << json_text(to_json(options, report.value())) << "\n";
    } else if (options.output.empty()) {
        write_page(report.value(), out);
    }
    return std::nullopt;
}

} // namespace kmdump
