// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/report.h"

#include "common/text.h"
#include "kmdump/kernel/log_text.h"
#include "kmdump/report/html.h"
#include "kmdump/report/log_section.h"
#include "kmdump/report/memory_section.h"
#include "kmdump/report/page_style.h"
#include "kmdump/report/page_text.h"
#include "kmdump/report/summary_section.h"
#include "kmdump/report/tasks_section.h"

#include <string>

namespace kmdump
{

namespace
{

/// Blocks scripts, images and forms, in case text from the guest got into the markup.
constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

void write_fact(const char* name, const std::string& guest_text, std::ostream& out)
{
    if (!guest_text.empty()) {
        out << "<div><dt>" << name << "</dt><dd>" << html(guest_text) << "</dd></div>\n";
    }
}

std::string panic_of(const Report& report)
{
    return report.log ? std::string(find_panic_line(report.log.value().records).value_or("")) : "";
}

std::string kernel_of(const Report& report)
{
    return "Linux " + std::string(report.vmcoreinfo.text("OSRELEASE").value_or("of unknown release"));
}

void write_head(const Report& report, std::ostream& out)
{
    out << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        << "<meta http-equiv=\"Content-Security-Policy\" content=\"" << kPolicy << "\">\n"
        << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        << "<meta name=\"referrer\" content=\"no-referrer\">\n"
        << "<title>" << html(kernel_of(report)) << ": " << html(report.file) << "</title>\n<style>"
        << kPageStyle << "</style>\n</head>\n<body>\n<header>\n<h1>" << html(kernel_of(report))
        << "</h1>\n<p class=\"file\">" << html(report.file) << ", " << size_text(report.file_size)
        << "</p>\n";
    const std::string panic = panic_of(report);
    if (!panic.empty()) {
        out << "<p class=\"banner bad\"><code>" << html(panic) << "</code></p>\n";
    } else {
        out << "<p class=\"banner\">"
            << (report.log ? "The log has no panic."
                           : "Whether the kernel panicked is unknown: its log cannot be read.")
            << "</p>\n";
    }
    out << "<nav aria-label=\"Parts\"><a href=\"#cpus\">CPUs</a><a href=\"#tasks\">Tasks</a>"
        << "<a href=\"#log\">Log</a><a href=\"#facts\">The dump</a><a "
           "href=\"#memory\">Memory</a></nav>\n</header>\n<main>\n";
}

void write_facts(const Report& report, std::ostream& out)
{
    out << "<section id=\"facts\">\n<h2>The dump</h2>\n<dl class=\"facts\">\n";
    if (report.sidecar) {
        write_fact("Reason", report.sidecar->reason, out);
        write_fact("Taken", report.sidecar->time, out);
        write_fact("Result", report.sidecar->result, out);
    }
    if (report.log && !report.log.value().records.empty()) {
        std::string uptime = seconds_text(report.log.value().records.back().time_ns);
        uptime.erase(0, uptime.find_first_not_of(' '));
        write_fact("Uptime at the last log line", uptime + " s", out);
    }
    write_fact("CPUs", std::to_string(report.core.prstatus.size()), out);
    write_fact("RAM, as the kernel counts it", report.ram_bytes ? size_text(*report.ram_bytes) : "", out);
    write_fact("Memory in the dump",
               size_text(report.core.memory_bytes) + " in " + std::to_string(report.core.segments) +
                   " segments",
               out);
    write_fact("Complete", report.core.complete ? "yes" : "no, the host could not write everything", out);
    const auto kaslr = report.vmcoreinfo.symbol("KERNELOFFSET");
    write_fact("KASLR offset", kaslr ? kmd::hex(*kaslr) : "", out);
    write_fact("Host name", report.node_name, out);
    write_fact("Kernel version", report.kernel_version, out);
    write_fact("Build ID", std::string(report.vmcoreinfo.text("BUILD-ID").value_or("")), out);
    write_fact("Symbols from", report.symbols.name, out);
    out << "</dl>\n";
    if (report.sidecar) {
        for (const LeftOut& left_out : report.sidecar->left_out) {
            out << "<p class=\"soft\">Left out: " << html(left_out.what) << "</p>\n";
        }
        for (const std::string& text : report.sidecar->remarks) {
            out << "<p class=\"soft\">" << html(text) << "</p>\n";
        }
    }
    out << "</section>\n";
}

} // namespace

void write_page(const Report& report, std::ostream& out)
{
    write_head(report, out);
    write_summary_section(report, out);
    write_cpus_section(report, out);
    write_tasks_section(report, out);
    write_log_section(report, out);
    write_facts(report, out);
    write_memory_section(report, out);
    out << "<footer>Made by kmdump report. What the guest said is shown as it is in the dump; \\x.. stands "
           "for a byte that cannot be shown, and \\\\ for a backslash.</footer>\n</main>\n</body>\n</html>\n";
}

} // namespace kmdump
