// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects the agreement of docs/register-spec.md and common/kmemdump_md_regs.h: each table row has its
// enumerator and each enumerator its row, with the same number.
#include "hw/mmio/register_map.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <regex>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace
{

using Names = std::map<std::string, std::uint64_t>;

std::vector<std::string> lines_of(const char* path)
{
    std::ifstream in(path);
    if (!in) {
        throw std::runtime_error(std::string("cannot open ") + path);
    }
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::uint64_t number(const std::string& text)
{
    std::size_t used = 0;
    const std::uint64_t value = std::stoull(text, &used, 0);
    if (used != text.size()) {
        throw std::runtime_error("not a number: " + text);
    }
    return value;
}

/// One table of the page: its section number, column names and rows.
struct Table {
    std::string section;
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;

    std::size_t column(const std::string& name) const
    {
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (columns[i] == name) {
                return i;
            }
        }
        throw std::runtime_error("section " + section + " has no column " + name);
    }

    /// The row with this name.
    const std::vector<std::string>& row(const std::string& name) const
    {
        for (const auto& cells : rows) {
            if (cells[column("name")] == name) {
                return cells;
            }
        }
        throw std::runtime_error("section " + section + " has no row " + name);
    }

    /// Name and number of each row.
    Names names(const std::string& number_column) const
    {
        Names found;
        for (const auto& cells : rows) {
            if (!found.emplace(cells[column("name")], number(cells[column(number_column)])).second) {
                throw std::runtime_error("twice in section " + section + ": " + cells[column("name")]);
            }
        }
        return found;
    }
};

std::vector<std::string> cells_of(const std::string& line)
{
    std::vector<std::string> cells;
    std::istringstream in(line.substr(1));
    for (std::string cell; std::getline(in, cell, '|');) {
        const auto first = cell.find_first_not_of(' ');
        const auto last = cell.find_last_not_of(' ');
        cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
    }
    return cells;
}

std::vector<Table> read_tables()
{
    static const std::regex kHeading(R"(#+ ([0-9.]*[0-9])\.? .*)");
    std::vector<Table> tables;
    std::string section;
    bool inside = false;
    for (const std::string& line : lines_of(KMD_SPEC_PATH)) {
        std::smatch heading;
        if (std::regex_match(line, heading, kHeading)) {
            section = heading[1];
        }
        if (!line.starts_with('|')) {
            inside = false;
        } else if (!inside) {
            tables.push_back({section, cells_of(line), {}});
            inside = true;
        } else if (line.find_first_not_of("|- ") != std::string::npos) {
            tables.back().rows.push_back(cells_of(line));
            if (tables.back().rows.back().size() != tables.back().columns.size()) {
                throw std::runtime_error("a row with another number of columns: " + line);
            }
        }
    }
    return tables;
}

/// The table of that section whose first column has that name.
Table table(const std::string& section, const std::string& first_column)
{
    for (const Table& candidate : read_tables()) {
        if (candidate.section == section && candidate.columns.at(0) == first_column) {
            return candidate;
        }
    }
    throw std::runtime_error("section " + section + " has no table of that kind");
}

/// Enumerations of the header, by name, without the prefix KMD_ of their enumerators. A line that
/// is not understood is an error, so that none is left out.
std::map<std::string, Names> read_header()
{
    static const std::regex kOpen(R"(enum (\w+) \{)");
    static const std::regex kMember(R"(\tKMD_(\w+) = (\w+)(?: << (\d+))?,)");
    static const std::regex kOneLine(R"(enum (\w+) \{ KMD_(\w+) = (\w+) \};)");
    static const std::regex kOther(R"((/\*| \*|#|\tKMD_).*|)");
    std::map<std::string, Names> enums;
    std::string current;
    for (const std::string& line : lines_of(KMD_REGS_PATH)) {
        std::smatch match;
        const auto value = [](std::string text) {
            if (text.ends_with('u')) {
                text.pop_back();
            }
            return number(text);
        };
        if (std::regex_match(line, match, kOneLine)) {
            enums[match[1]][match[2]] = value(match[3]);
        } else if (std::regex_match(line, match, kOpen)) {
            current = match[1];
        } else if (line == "};") {
            current.clear();
        } else if (!current.empty()) {
            if (!std::regex_match(line, match, kMember)) {
                throw std::runtime_error("not understood: " + line);
            }
            const std::uint64_t shift = match[3].matched ? number(match[3]) : 0;
            enums[current][match[1]] = value(match[2]) << shift;
        } else if (!std::regex_match(line, kOther)) {
            throw std::runtime_error("not understood: " + line);
        }
    }
    return enums;
}

Names enumerators(const std::string& name)
{
    auto enums = read_header();
    return enums[name];
}

/// First number in a cell such as "0x1000, offset of slot 0".
std::uint64_t leading_number(const std::string& cell)
{
    return std::stoull(cell, nullptr, 0);
}

Names bits(const std::string& section)
{
    Names names;
    for (const auto& [name, bit] : table(section, "bit").names("bit")) {
        names[name] = std::uint64_t{1} << bit;
    }
    return names;
}

TEST(Specification, RegistersAreThoseOfTheHeader)
{
    EXPECT_EQ(table("4", "offset").names("offset"), enumerators("kmd_register"));
    EXPECT_FALSE(enumerators("kmd_register").empty());
}

const char* word_of(kmd::Access access)
{
    switch (access) {
    case kmd::Access::kReadOnly:
        return "RO";
    case kmd::Access::kWriteOnly:
        return "WO";
    case kmd::Access::kReadWrite:
        return "RW";
    }
    return "";
}

/// Offset, name, bits and access of each row.
std::vector<std::string> rows_of(std::span<const kmd::RegisterInfo> map)
{
    std::vector<std::string> rows;
    for (const kmd::RegisterInfo& info : map) {
        rows.push_back(std::to_string(info.offset) + " " + info.name + " " + std::to_string(info.size * 8) +
                       " " + word_of(info.access));
    }
    return rows;
}

std::vector<std::string> rows_of(const Table& page)
{
    std::vector<std::string> rows;
    for (const auto& cells : page.rows) {
        rows.push_back(std::to_string(number(cells[page.column("offset")])) + " " +
                       cells[page.column("name")] + " " + cells[page.column("width")] + " " +
                       cells[page.column("access")]);
    }
    return rows;
}

TEST(Specification, TableOfRegistersIsTheMapThatTheControllerUses)
{
    EXPECT_EQ(rows_of(table("4", "offset")), rows_of(kmd::register_map()));
    EXPECT_EQ(rows_of(table("5", "offset")), rows_of(kmd::slot_map()));
}

TEST(Specification, RegistersDoNotOverlapAndAreAligned)
{
    const Table registers = table("4", "offset");
    std::uint64_t free_from = 0;
    for (const auto& row : registers.rows) {
        const std::uint64_t offset = number(row[registers.column("offset")]);
        const std::uint64_t bytes = number(row[registers.column("width")]) / 8;
        EXPECT_GE(offset, free_from) << row[1];
        EXPECT_EQ(offset % bytes, 0u) << row[1];
        free_from = offset + bytes;
    }
    EXPECT_LE(free_from, 0x1000u);
}

TEST(Specification, FixedValuesAreThoseOfTheHeader)
{
    const Table registers = table("4", "offset");
    const auto power_on = [&](const std::string& name) {
        return registers.row(name)[registers.column("value after power-on")];
    };
    const std::string slots = power_on("SLOT_COUNT");
    ASSERT_NE(slots.find(" to "), std::string::npos);
    const Names expected = {
        {"MAGIC_VALUE", leading_number(power_on("MAGIC"))},
        {"VERSION_VALUE", leading_number(power_on("VERSION"))},
        {"VERSION_MAJOR", leading_number(power_on("VERSION")) >> 16},
        {"SLOT_STRIDE_VALUE", leading_number(power_on("SLOT_STRIDE"))},
        {"SLOT_OFFSET_VALUE", leading_number(power_on("SLOT_OFFSET"))},
        {"SLOT_COUNT_MAX", leading_number(slots.substr(slots.find(" to ") + 4))},
    };
    EXPECT_EQ(expected, enumerators("kmd_identity"));
}

TEST(Specification, NoFreeSlotIsThatOfTheHeader)
{
    const Table registers = table("4", "offset");
    const std::string text = registers.row("FREE_SLOT")[registers.column("value after power-on")];
    const auto at = text.find("0x");
    ASSERT_NE(at, std::string::npos) << text;
    EXPECT_EQ((Names{{"NO_FREE_SLOT", leading_number(text.substr(at))}}), enumerators("kmd_free_slot"));
}

TEST(Specification, FeaturesAreThoseOfTheHeader)
{
    EXPECT_EQ(bits("4.1"), enumerators("kmd_feature"));
    EXPECT_FALSE(enumerators("kmd_feature").empty());
}

TEST(Specification, StatusBitsAreThoseOfTheHeader)
{
    EXPECT_EQ(bits("4.2"), enumerators("kmd_status"));
    EXPECT_FALSE(enumerators("kmd_status").empty());
}

TEST(Specification, SeriesOfIdentifiersAreThoseOfTheHeader)
{
    EXPECT_EQ(table("4.4", "series").names("series"), enumerators("kmd_id_series"));
    EXPECT_FALSE(enumerators("kmd_id_series").empty());
}

TEST(Specification, SlotFieldsAreThoseOfTheHeader)
{
    EXPECT_EQ(table("5", "offset").names("offset"), enumerators("kmd_slot_field"));
    EXPECT_FALSE(enumerators("kmd_slot_field").empty());
}

TEST(Specification, NameSizeIsThatOfTheHeader)
{
    const Table fields = table("5", "offset");
    const std::uint64_t width = number(fields.row("SLOT_NAME")[fields.column("width")]);
    EXPECT_EQ((Names{{"NAME_SIZE", width / 8}}), enumerators("kmd_name_size"));
}

TEST(Specification, FlagsAreThoseOfTheHeader)
{
    const Table flags = table("5.1", "bits");
    Names names;
    for (const auto& row : flags.rows) {
        if (row[flags.column("name")] == "-") {
            continue;
        }
        const std::string& range = row[flags.column("bits")];
        const std::uint64_t highest = leading_number(range);
        const std::uint64_t lowest = leading_number(range.substr(range.find(':') + 1));
        names[row[flags.column("name")]] =
            ((std::uint64_t{1} << (highest + 1)) - 1) & ~((std::uint64_t{1} << lowest) - 1);
    }
    EXPECT_EQ(names, enumerators("kmd_flags"));
    EXPECT_FALSE(names.empty());
}

TEST(Specification, KindsAreThoseOfTheHeader)
{
    EXPECT_EQ(table("5.1", "kind").names("kind"), enumerators("kmd_kind"));
    EXPECT_FALSE(enumerators("kmd_kind").empty());
}

TEST(Specification, ListsAreThoseOfTheHeader)
{
    EXPECT_EQ(table("5.2", "offset").names("offset"), enumerators("kmd_list_field"));
    EXPECT_FALSE(enumerators("kmd_list_field").empty());
    EXPECT_EQ(table("5.2", "constant").names("constant"), enumerators("kmd_list"));
    EXPECT_FALSE(enumerators("kmd_list").empty());
}

TEST(Specification, SlotStatusesAreThoseOfTheHeader)
{
    EXPECT_EQ(table("6", "value").names("value"), enumerators("kmd_slot_status"));
    EXPECT_FALSE(enumerators("kmd_slot_status").empty());
}

TEST(Specification, ReasonsAreThoseOfTheHeader)
{
    EXPECT_EQ(table("7", "value").names("value"), enumerators("kmd_reason"));
    EXPECT_FALSE(enumerators("kmd_reason").empty());
}

TEST(Specification, ResultsAreThoseOfTheHeader)
{
    EXPECT_EQ(table("8", "value").names("value"), enumerators("kmd_result"));
    EXPECT_FALSE(enumerators("kmd_result").empty());
}

TEST(Specification, EveryEnumerationOfTheHeaderIsCompared)
{
    std::vector<std::string> names;
    for (const auto& [name, members] : read_header()) {
        names.push_back(name);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"kmd_feature", "kmd_flags", "kmd_free_slot", "kmd_id_series",
                                               "kmd_identity", "kmd_kind", "kmd_list", "kmd_list_field",
                                               "kmd_name_size", "kmd_reason", "kmd_register", "kmd_result",
                                               "kmd_slot_field", "kmd_slot_status", "kmd_status"}));
}

TEST(Specification, EveryTableOfThePageIsCompared)
{
    std::string found;
    for (const Table& candidate : read_tables()) {
        found += candidate.section + " " + candidate.columns.at(0) + "\n";
    }
    EXPECT_EQ(found, "4 offset\n4.1 bit\n4.2 bit\n4.4 register\n4.4 series\n5 offset\n5.1 bits\n5.1 "
                     "kind\n5.2 offset\n5.2 constant\n6 "
                     "value\n7 value\n8 value\n8 after\n"
                     "10 version\n");
}

/// What a pattern captures in the first line of a file that matches it.
std::string find_in(const char* path, const std::regex& pattern)
{
    for (const std::string& line : lines_of(path)) {
        std::smatch match;
        if (std::regex_search(line, match, pattern)) {
            return match[1].str();
        }
    }
    return std::string("nothing in ") + path;
}

TEST(Specification, CompatibleStringIsThatOfTheHeader)
{
    EXPECT_EQ(find_in(KMD_SPEC_PATH, std::regex(R"rx(compatible = "([^"]+)")rx")),
              find_in(KMD_REGS_PATH, std::regex(R"rx(#define KMD_DT_COMPATIBLE "([^"]+)")rx")));
}

TEST(Specification, PciIdsAreThoseOfTheHeader)
{
    EXPECT_EQ(find_in(KMD_SPEC_PATH, std::regex(R"(vendor ID (0x[0-9a-f]{4}))")),
              find_in(KMD_REGS_PATH, std::regex(R"(#define KMD_PCI_VENDOR_ID (0x[0-9a-f]{4}))")));
    EXPECT_EQ(find_in(KMD_SPEC_PATH, std::regex(R"(device ID (0x[0-9a-f]{4}))")),
              find_in(KMD_REGS_PATH, std::regex(R"(#define KMD_PCI_DEVICE_ID (0x[0-9a-f]{4}))")));
}

TEST(Specification, VersionOfThePageIsTheOneInTheRegister)
{
    const std::string title = lines_of(KMD_SPEC_PATH).at(0);
    std::smatch match;
    ASSERT_TRUE(std::regex_search(title, match, std::regex(R"(version (\d+)\.(\d+))"))) << title;
    EXPECT_EQ(number(match[1]) << 16 | number(match[2]), enumerators("kmd_identity").at("VERSION_VALUE"));
}

} // namespace
