// SPDX-License-Identifier: GPL-2.0-or-later
//
// Protects every byte of a dump: guests described in golden/*.txt, with the file that each has to
// give written out by hand, field by field.
#include "test_machine.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>

namespace
{

using kmd::test::bytes_of;
using kmd::test::FakeHost;
using kmd::test::names_in;
using kmd::test::TempDir;

struct Line {
    unsigned number = 0;
    std::string text;
    std::vector<std::string> words;
};

[[noreturn]] void fail(const Line& line, const std::string& why)
{
    throw std::runtime_error("line " + std::to_string(line.number) + ": " + why + ": " + line.text);
}

/// Splits at blanks; "..." is one word, with \n in it, and is marked by its opening quote.
std::vector<std::string> split(const Line& line)
{
    std::vector<std::string> words;
    std::size_t i = 0;
    const std::string& text = line.text;
    while (i < text.size() && text[i] != '#') {
        if (text[i] == ' ') {
            ++i;
        } else if (text[i] == '"') {
            std::string word = "\"";
            for (++i; i < text.size() && text[i] != '"'; ++i) {
                if (text[i] == '\\') {
                    if (++i >= text.size() || text[i] != 'n') {
                        fail(line, "unknown escape");
                    }
                    word += '\n';
                } else {
                    word += text[i];
                }
            }
            if (i++ >= text.size()) {
                fail(line, "unfinished text");
            }
            words.push_back(word);
        } else {
            const std::size_t end = std::min(text.find_first_of(" #", i), text.size());
            words.push_back(text.substr(i, end - i));
            i = end;
        }
    }
    return words;
}

std::uint64_t number(const Line& line, std::size_t word)
{
    if (word >= line.words.size()) {
        fail(line, "a number is missing");
    }
    std::size_t used = 0;
    const std::uint64_t value = std::stoull(line.words[word], &used, 0);
    if (used != line.words[word].size()) {
        fail(line, "not a number");
    }
    return value;
}

std::string quoted(const Line& line, std::size_t word)
{
    if (word >= line.words.size() || line.words[word][0] != '"') {
        fail(line, "a quoted text is missing");
    }
    return line.words[word].substr(1);
}

/// The bytes of typed fields, and the line that each byte comes from.
struct Fields {
    std::vector<std::byte> bytes;
    std::vector<unsigned> lines;
};

void append(Fields& fields, const Line& line)
{
    static const std::map<std::string, unsigned> kWidths = {{"u8", 1}, {"u16", 2}, {"u32", 4}, {"u64", 8}};
    const std::string& type = line.words[0];
    std::vector<std::byte> bytes;
    std::size_t expected_words = 2;
    if (const auto width = kWidths.find(type); width != kWidths.end()) {
        const std::uint64_t value = number(line, 1);
        if (width->second < 8 && value >> (8 * width->second) != 0) {
            fail(line, "the value is too large");
        }
        for (unsigned i = 0; i < width->second; ++i) {
            bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
        }
    } else if (type == "ascii") {
        for (const char c : quoted(line, 1)) {
            bytes.push_back(static_cast<std::byte>(c));
        }
    } else if (type == "zero") {
        bytes.assign(number(line, 1), std::byte{0});
    } else if (type == "fill") {
        bytes.assign(number(line, 1), static_cast<std::byte>(number(line, 2)));
        expected_words = 3;
    } else {
        fail(line, "unknown type");
    }
    if (line.words.size() != expected_words) {
        fail(line, "too many words");
    }
    fields.bytes.insert(fields.bytes.end(), bytes.begin(), bytes.end());
    fields.lines.resize(fields.bytes.size(), line.number);
}

struct Golden {
    std::vector<Line> guest;
    Fields cpu_notes;
    Fields file;
    std::map<unsigned, std::string> text;
};

Golden read_golden(const std::string& path)
{
    std::ifstream in(path);
    if (!in) {
        throw std::runtime_error("cannot open " + path);
    }
    Golden golden;
    std::string section;
    Line line;
    while (std::getline(in, line.text)) {
        ++line.number;
        line.words = line.text.starts_with('[') ? std::vector<std::string>{line.text} : split(line);
        if (line.words.empty()) {
            continue;
        }
        golden.text[line.number] = line.text;
        if (line.text.starts_with('[')) {
            section = line.text;
        } else if (section == "[guest]") {
            golden.guest.push_back(line);
        } else if (section == "[cpu notes]") {
            append(golden.cpu_notes, line);
        } else if (section == "[file]") {
            append(golden.file, line);
        } else {
            fail(line, "in no section that is known");
        }
    }
    return golden;
}

/// A machine as the [guest] section describes it, with its regions registered.
class GoldenMachine
{
  public:
    explicit GoldenMachine(const Golden& golden)
    {
        config_.slots = 16;
        config_.output = folder_.path();
        config_.sidecar = false;
        host_.notes = golden.cpu_notes.bytes;
        for (const Line& line : golden.guest) {
            apply(line);
        }
    }

    std::vector<std::byte> dump()
    {
        controller().write(0x020, 1, 4);
        host_.run_scheduled(controller());
        const auto names = names_in(folder_.path());
        if (names != std::vector<std::string>{"kmemdump-0001-panic.elf"}) {
            throw std::runtime_error("there is no dump");
        }
        return bytes_of(folder_ / names[0]);
    }

  private:
    void apply(const Line& line)
    {
        const std::string& what = line.words[0];
        if (what == "machine") {
            host_.cpus.elf_machine = static_cast<std::uint16_t>(number(line, 1));
        } else if (what == "ram") {
            host_.guest.add_ram(number(line, 1), number(line, 2));
        } else if (what == "fill") {
            host_.guest.fill(number(line, 1), number(line, 2), static_cast<std::uint8_t>(number(line, 3)));
        } else if (what == "text") {
            host_.guest.put(number(line, 1), quoted(line, 2));
        } else if (what == "region") {
            add_region(line);
        } else {
            fail(line, "unknown");
        }
    }

    void add_region(const Line& line)
    {
        const std::uint64_t slot = 0x1000 + 64 * next_slot_++;
        std::string name = line.words.at(6);
        name.resize(16, '\0');
        std::uint64_t halves[2];
        std::memcpy(halves, name.data(), 16);
        controller().write(slot + 0x00, number(line, 1), 8);
        controller().write(slot + 0x08, number(line, 2), 8);
        controller().write(slot + 0x10, number(line, 3), 8);
        controller().write(slot + 0x18, halves[0], 8);
        controller().write(slot + 0x20, halves[1], 8);
        controller().write(slot + 0x28, number(line, 5) << 32 | number(line, 4), 8);
        controller().write(slot + 0x38, 1, 4);
        if (controller().read(slot + 0x38, 4) != 1) {
            fail(line, "rejected");
        }
    }

    /// Made when the first region needs it: the lines before it say what machine it is.
    kmd::Controller& controller()
    {
        if (!controller_) {
            auto created = kmd::Controller::create(config_, host_);
            if (!created) {
                throw std::runtime_error(created.error().what);
            }
            controller_ = std::move(created.value());
        }
        return *controller_;
    }

    TempDir folder_;
    FakeHost host_;
    kmd::Config config_;
    std::unique_ptr<kmd::Controller> controller_;
    std::uint64_t next_slot_ = 0;
};

void expect_golden(const std::string& name)
{
    const Golden golden = read_golden(std::string(KMD_GOLDEN_PATH) + "/" + name);
    ASSERT_FALSE(golden.file.bytes.empty());
    const auto actual = GoldenMachine(golden).dump();
    const auto& expected = golden.file.bytes;
    for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
        const unsigned line = golden.file.lines[i];
        ASSERT_EQ(std::to_integer<int>(actual[i]), std::to_integer<int>(expected[i]))
            << "byte " << i << " of the file, " << name << ":" << line << ": " << golden.text.at(line);
    }
    EXPECT_EQ(actual.size(), expected.size());
}

TEST(Golden, OneRegion)
{
    expect_golden("one-region.txt");
}

TEST(Golden, TwoRegionsVmcoreinfoAndACpu)
{
    expect_golden("two-regions-and-notes.txt");
}

TEST(Golden, TwoVirtualViewsOfOnePage)
{
    expect_golden("two-views-of-one-page.txt");
}

TEST(Golden, BytesThatFillNoPage)
{
    expect_golden("bytes-that-fill-no-page.txt");
}

TEST(Golden, EveryFileInTheFolderHasATest)
{
    EXPECT_EQ(names_in(KMD_GOLDEN_PATH),
              (std::vector<std::string>{"bytes-that-fill-no-page.txt", "one-region.txt",
                                        "two-regions-and-notes.txt", "two-views-of-one-page.txt"}));
}

} // namespace
