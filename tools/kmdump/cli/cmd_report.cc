// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_report.h"

#include "kmdump/cli/task_text.h"
#include "kmdump/report/report.h"
#include "kmdump/text/json.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

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

std::optional<kmd::Error> write_file(const Report& report, const std::string& path)
{
    const std::string pending = path + "." + std::to_string(::getpid()) + ".incomplete";
    std::ofstream file(pending, std::ios::binary | std::ios::trunc);
    write_page(report, file);
    file.close();
    if (!file || std::rename(pending.c_str(), path.c_str()) != 0) {
        const std::string cause = std::strerror(errno);
        std::remove(pending.c_str());
        return kmd::Error{"the page cannot be written to " + path + ": " + cause};
    }
    return std::nullopt;
}

} // namespace

std::optional<kmd::Error> write_report(const ReportOptions& options, std::ostream& out)
{
    const auto report = make_report(options.path, options.vmlinux);
    if (!report) {
        return report.error();
    }
    if (!options.output.empty()) {
        if (auto error = write_file(report.value(), options.output)) {
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
