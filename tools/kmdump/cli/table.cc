// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/table.h"

#include <algorithm>
#include <cstddef>

namespace kmdump
{

namespace
{

std::vector<std::size_t> widths_of(std::span<const Column> columns,
                                   const std::vector<std::vector<std::string>>& rows)
{
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        std::size_t width = std::string(columns[i].title).size();
        for (const auto& row : rows) {
            width = std::max(width, row[i].size());
        }
        widths.push_back(width);
    }
    return widths;
}

std::string line_of(std::span<const Column> columns, const std::vector<std::size_t>& widths,
                    const std::vector<std::string>& row)
{
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::string padding(widths[i] - row[i].size(), ' ');
        line += (i > 0 ? "  " : "") + (columns[i].right ? padding + row[i] : row[i] + padding);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

} // namespace

void print_table(std::span<const Column> columns, const std::vector<std::vector<std::string>>& rows,
                 const Style& style, std::ostream& out)
{
    const auto widths = widths_of(columns, rows);
    std::vector<std::string> titles;
    for (const Column& column : columns) {
        titles.emplace_back(column.title);
    }
    out << style.heading(line_of(columns, widths, titles)) << "\n";
    for (const auto& row : rows) {
        out << line_of(columns, widths, row) << "\n";
    }
}

} // namespace kmdump
