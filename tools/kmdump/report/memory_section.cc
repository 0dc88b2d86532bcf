// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/memory_section.h"

#include "common/text.h"
#include "kmdump/report/html.h"
#include "kmdump/report/memory_map.h"
#include "kmdump/report/page_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace kmdump
{

namespace
{

/// Width of a drawing in units of its viewBox.
constexpr double kWidth = 10000;
constexpr std::size_t kMostStretches = 8;

const char* colour_of(const Content& content)
{
    if (content.kind == kAdded || content.kind == kListedOrAdded) {
        return "host";
    }
    return content.kind == "memory" ? "region" : "table";
}

std::string name_of(const Content& content)
{
    return content.name.empty() ? content.kind : content.name;
}

/// A rectangle to scale; the style sheet makes it at least one pixel wide.
std::string rectangle(const DrawnRange& all, std::uint64_t begin, std::uint64_t end, const char* kind)
{
    const double scale = kWidth / static_cast<double>(std::max<std::uint64_t>(all.size(), 1));
    return formatted("<rect x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"10\" class=\"",
                     static_cast<double>(begin - all.begin) * scale,
                     static_cast<double>(end - begin) * scale) +
           kind + "\">";
}

void write_bar(const DrawnRange& range, const std::vector<const Content*>& contents, const std::string& label,
               std::ostream& out)
{
    out << "<svg class=\"bar\" viewBox=\"0 0 10000 10\" preserveAspectRatio=\"none\" role=\"img\" "
           "aria-label=\""
        << label << "\">\n";
    for (const Content* content : contents) {
        const std::uint64_t end = std::min(range.end, content->phys + content->size);
        out << rectangle(range, content->phys, std::max(end, content->phys), colour_of(*content)) << "<title>"
            << html(name_of(*content)) << ": " << kmd::hex(content->phys) << ", " << size_text(content->size)
            << "</title></rect>\n";
    }
    out << "</svg>\n<p class=\"ends\"><span>" << kmd::hex(range.begin) << "</span><span>"
        << kmd::hex(range.end) << "</span></p>\n";
}

/// Names and sizes of the largest regions in a stretch.
std::string largest_in(const Stretch& stretch)
{
    constexpr std::size_t most = 4;
    std::vector<const Content*> named;
    std::copy_if(stretch.contents.begin(), stretch.contents.end(), std::back_inserter(named),
                 [](const Content* content) { return !content->name.empty(); });
    std::stable_sort(named.begin(), named.end(),
                     [](const Content* a, const Content* b) { return a->size > b->size; });
    std::string text;
    for (const Content* content : std::span(named).first(std::min(most, named.size()))) {
        text += (text.empty() ? "" : ", ") + html(content->name) + " (" + size_text(content->size) + ")";
    }
    return text;
}

void write_stretch(const Stretch& stretch, const DrawnRange& all, std::ostream& out)
{
    const double times = static_cast<double>(all.size()) / static_cast<double>(stretch.range.size());
    out << "<div class=\"stretch\">\n<p>" << size_text(stretch.range.size()) << " at <code>"
        << kmd::hex(stretch.range.begin) << "</code>, " << formatted("%.0f", times)
        << " times the scale above, " << stretch.contents.size()
        << (stretch.contents.size() == 1 ? " piece" : " pieces") << "</p>\n"
        << "<svg class=\"where\" viewBox=\"0 0 10000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
        << rectangle(all, stretch.range.begin, stretch.range.end, "here") << "</rect></svg>\n";
    write_bar(stretch.range, stretch.contents, "Physical memory, enlarged", out);
    if (const std::string largest = largest_in(stretch); !largest.empty()) {
        out << "<p class=\"soft\">" << largest << "</p>\n";
    }
    out << "</div>\n";
}

void write_content_rows(const Report& report, std::ostream& out)
{
    out << "<details><summary>All " << report.contents.size()
        << " pieces</summary>\n<div class=\"scroll\"><table>\n"
        << "<thead><tr><th>physical</th><th>virtual</th><th "
           "class=\"number\">bytes</th><th>kind</th><th>name</th></tr></thead>\n<tbody>\n";
    for (const Content& content : report.contents) {
        out << "<tr><td><code>" << kmd::hex(content.phys) << "</code></td><td><code>"
            << kmd::hex(content.virt) << "</code></td><td class=\"number\">" << content.size << "</td><td>"
            << html(content.kind) << "</td><td class=\"wide\">" << html(content.name)
            << (content.status.empty() ? "" : " (" + html(content.status) + ")") << "</td></tr>\n";
    }
    out << "</tbody></table></div></details>\n";
}

/// The legend for memory outside regions.
const char* legend_outside_regions(const Report& report)
{
    const bool listed = std::any_of(report.contents.begin(), report.contents.end(),
                                    [](const Content& content) { return content.kind == kListedOrAdded; });
    return listed ? "listed by the guest (tasks, their stacks, variables), or added by the host (stacks of "
                    "CPUs, code, page tables)"
                  : "added by the host: stacks of CPUs, code, page tables";
}

} // namespace

void write_memory_section(const Report& report, std::ostream& out)
{
    out << "<section id=\"memory\">\n<h2>Where the memory lies</h2>\n";
    const auto stretches = cut_into_stretches(report.contents, kMostStretches);
    if (stretches.empty()) {
        out << note("The dump holds no memory.") << "</section>\n";
        return;
    }
    const DrawnRange all = overview_of(stretches);
    std::vector<const Content*> drawn;
    for (const Stretch& stretch : stretches) {
        drawn.insert(drawn.end(), stretch.contents.begin(), stretch.contents.end());
    }
    out << "<p>" << size_text(all.size()) << " of physical addresses, to scale; "
        << size_text(report.core.memory_bytes)
        << " of them are in the dump. Nothing is drawn narrower than one pixel. Names show under the "
           "pointer.</p>\n"
        << "<p class=\"legend\"><span><i class=\"region\"></i>regions of the guest</span>"
        << "<span><i class=\"table\"></i>vmcoreinfo and other tables</span>"
        << "<span><i class=\"host\"></i>" << legend_outside_regions(report) << "</span></p>\n";
    write_bar(all, drawn, "All physical memory that the dump reaches", out);
    out << "<h3>Enlarged</h3>\n";
    for (const Stretch& stretch : stretches) {
        write_stretch(stretch, all, out);
    }
    write_content_rows(report, out);
    out << "</section>\n";
}

} // namespace kmdump
