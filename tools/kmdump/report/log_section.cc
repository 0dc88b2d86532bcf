// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/log_section.h"

#include "kmdump/report/html.h"
#include "kmdump/report/page_text.h"

#include <array>

namespace kmdump
{

namespace
{

struct Level {
    const char* name;
    const char* style;
};

Level level_of(const LogRecord& record)
{
    constexpr std::array<Level, 8> levels = {{{"emerg", "bad-line"},
                                              {"alert", "bad-line"},
                                              {"crit", "bad-line"},
                                              {"err", "bad-line"},
                                              {"warn", "warn-line"},
                                              {"notice", "plain-line"},
                                              {"info", "plain-line"},
                                              {"debug", "debug-line"}}};
    return record.level && *record.level < levels.size() ? levels[*record.level] : Level{"", "plain-line"};
}

} // namespace

void write_log_lines(std::span<const LogRecord> records, std::ostream& out)
{
    out << "<ol class=\"log\">\n";
    for (const LogRecord& record : records) {
        const Level level = level_of(record);
        out << "<li class=\"" << level.style << "\"><time>" << seconds_text(record.time_ns) << "</time><b>"
            << level.name << "</b><span>" << html(record.text) << "</span></li>\n";
    }
    out << "</ol>\n";
}

void write_log_section(const Report& report, std::ostream& out)
{
    out << "<section id=\"log\">\n<h2>Log</h2>\n";
    if (!report.log) {
        out << note("No log: " + report.log.error().what) << "</section>\n";
        return;
    }
    const PrintkLog& log = report.log.value();
    if (log.damaged > 0) {
        out << note("Records left out because they are damaged: " + std::to_string(log.damaged));
    }
    out << "<input type=\"radio\" name=\"lines\" id=\"all-lines\" checked> <label class=\"choice\" "
           "for=\"all-lines\">all "
        << log.records.size() << " records</label>\n"
        << "<input type=\"radio\" name=\"lines\" id=\"only-warnings\"> <label class=\"choice\" "
           "for=\"only-warnings\">"
        << "warnings and worse</label>\n";
    write_log_lines(log.records, out);
    out << "</section>\n";
}

} // namespace kmdump
