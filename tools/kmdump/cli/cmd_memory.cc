// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/cli/cmd_memory.h"

#include "common/text.h"
#include "kmdump/kernel/symbol_source.h"
#include "kmdump/kernel/variables.h"
#include "kmdump/text/json.h"
#include "kmdump/text/number.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace kmdump
{

namespace
{

constexpr std::size_t kBytesPerLine = 16;
using Line = std::vector<std::optional<std::byte>>;

std::optional<std::uint64_t> number(std::string_view text)
{
    return text.starts_with("0x") ? parse_hexadecimal(text) : parse_decimal(text);
}

kmd::Result<std::uint64_t> address_of(const Dump& dump, const std::string& name, const std::string& vmlinux)
{
    const auto source = find_symbols(dump, vmlinux);
    if (!source) {
        return source.error();
    }
    const auto found = address_of_symbol(dump, source.value().symbols, name);
    return found ? kmd::Result<std::uint64_t>(*found) : unknown_symbol(name);
}

kmd::Result<std::uint64_t> find_start(const Dump& dump, const MemoryOptions& options)
{
    const std::size_t plus = options.where.find('+');
    const std::string base = options.where.substr(0, plus);
    const auto offset =
        plus == std::string::npos ? 0 : number(std::string_view(options.where).substr(plus + 1));
    if (!offset) {
        return kmd::Error{"expected a number of bytes after '+' in '" + kmd::printable(options.where) + "'"};
    }
    if (base.starts_with("0x")) {
        if (const auto address = number(base)) {
            return *address + *offset;
        }
    }
    if (options.physical) {
        return kmd::Error{"expected a physical address such as 0x40000000, found '" + kmd::printable(base) +
                          "'"};
    }
    const auto address = address_of(dump, base, options.vmlinux);
    return address ? kmd::Result<std::uint64_t>(address.value() + *offset) : address;
}

/// Reads lines of memory; the last can be shorter.
class LineReader
{
  public:
    LineReader(const Dump& dump, bool physical)
        : core_(dump.core), memory_(dump.memory()), physical_(physical)
    {
    }

    Line read(std::uint64_t address, std::size_t size) const
    {
        std::vector<std::byte> bytes(size);
        if (read_all(address, bytes)) {
            return {bytes.begin(), bytes.end()};
        }
        Line line(size);
        for (std::size_t i = 0; i < size; ++i) {
            if (read_all(address + i, std::span(bytes).first(1))) {
                line[i] = bytes[0];
            }
        }
        return line;
    }

  private:
    bool read_all(std::uint64_t address, std::span<std::byte> out) const
    {
        return physical_ ? core_.read_physical(address, out) : memory_.read(address, out);
    }

    const CoreFile& core_;
    KernelMemory memory_;
    bool physical_;
};

std::string hexadecimal(const std::optional<std::byte>& byte)
{
    constexpr std::string_view digits = "0123456789abcdef";
    if (!byte) {
        return "--";
    }
    const auto value = std::to_integer<unsigned>(*byte);
    return {digits[value / 16], digits[value % 16]};
}

char printed(const std::optional<std::byte>& byte)
{
    const char c = byte ? static_cast<char>(*byte) : ' ';
    return byte && (c < ' ' || c > '~') ? '.' : c;
}

void print_line(std::uint64_t address, const Line& line, std::ostream& out)
{
    out << kmd::hex_digits(address);
    for (std::size_t i = 0; i < kBytesPerLine; ++i) {
        out << (i % 8 == 0 ? " " : "") << " " << (i < line.size() ? hexadecimal(line[i]) : "  ");
    }
    out << "  |";
    for (const auto& byte : line) {
        out << printed(byte);
    }
    out << "|\n";
}

bool is_missing(const Line& line)
{
    return std::none_of(line.begin(), line.end(), [](const auto& byte) { return byte.has_value(); });
}

} // namespace

std::optional<kmd::Error> print_memory(const MemoryOptions& options, std::ostream& out)
{
    const auto dump = open_dump(options.path);
    if (!dump) {
        return dump.error();
    }
    const auto start = find_start(dump.value(), options);
    if (!start) {
        return start.error();
    }
    const LineReader reader(dump.value(), options.physical);
    std::vector<Line> lines;
    for (std::uint64_t at = 0; at < options.length; at += kBytesPerLine) {
        lines.push_back(
            reader.read(start.value() + at, std::min(options.length - at, std::uint64_t{kBytesPerLine})));
    }
    if (std::all_of(lines.begin(), lines.end(), is_missing)) {
        return kmd::Error{"the dump has no memory at " + kmd::hex(start.value())};
    }
    Json json = json_document("memory", options.path);
    json["address"] = json_address(start.value());
    json["lines"] = Json::array();
    std::uint64_t address = start.value();
    for (const Line& line : lines) {
        if (options.json) {
            std::string text;
            for (const auto& byte : line) {
                text += hexadecimal(byte);
            }
            json["lines"].push_back({{"address", json_address(address)}, {"hex", text}});
        } else {
            print_line(address, line, out);
        }
        address += line.size();
    }
    if (options.json) {
        out << json_text(json) << "\n";
    }
    return std::nullopt;
}

} // namespace kmdump
