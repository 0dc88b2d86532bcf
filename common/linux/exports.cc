// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/linux/exports.h"

#include "common/little_endian.h"

#include <algorithm>
#include <optional>

namespace kmd
{

namespace
{

using Exports = std::map<std::string, std::uint64_t, std::less<>>;

constexpr std::size_t kEntry = 12;
constexpr std::size_t kNameOffset = 4;
constexpr std::size_t kAlignment = 4;
constexpr std::size_t kLongestName = 256;
/// Texts that are the name of the anchor, and entries that refer to one of them.
constexpr unsigned kMostTexts = 4;
constexpr unsigned kMostEntries = 4;
/// Bytes that look like an entry by chance have no neighbours that do.
constexpr std::size_t kFewestEntries = 3;
/// Several times what a kernel exports.
constexpr std::size_t kLargestTable = 1 << 17;

bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '$';
}

class Search
{
  public:
    Search(std::span<const std::byte> image, std::uint64_t begin)
        : image_(image), text_(reinterpret_cast<const char*>(image.data()), image.size()), begin_(begin)
    {
    }

    /// The offset of an entry whose name is at `name`, from `from` on.
    std::optional<std::size_t> find_entry(std::size_t name, std::size_t from) const
    {
        for (std::size_t at = from; at + kEntry <= image_.size(); at += kAlignment) {
            if (name_of(at) == name) {
                return at;
            }
        }
        return std::nullopt;
    }

    /// The entries of the table around one of them. None if they are too few for a table.
    Exports read_table(std::size_t entry, const std::set<std::string_view>& wanted) const
    {
        std::size_t first = entry;
        while (first >= kEntry && (entry - first) / kEntry < kLargestTable &&
               name_at(name_of(first - kEntry))) {
            first -= kEntry;
        }
        Exports found;
        std::size_t count = 0;
        for (std::size_t at = first; at + kEntry <= image_.size() && count < 2 * kLargestTable;
             at += kEntry, ++count) {
            const auto name = name_at(name_of(at));
            if (!name) {
                break;
            }
            if (wanted.contains(*name)) {
                found.emplace(*name, begin_ + at + offset_at(at));
            }
        }
        return count < kFewestEntries ? Exports() : found;
    }

  private:
    /// As it is added to an address.
    std::uint64_t offset_at(std::size_t at) const
    {
        return static_cast<std::uint64_t>(std::int64_t{load<std::int32_t>(image_, at)});
    }

    /// Where in the image the name of an entry would be; possibly outside.
    std::uint64_t name_of(std::size_t entry) const
    {
        return entry + kNameOffset + offset_at(entry + kNameOffset);
    }

    /// The name at an offset; none if there is none. It can be the end of another: the linker merges such
    /// texts.
    std::optional<std::string_view> name_at(std::uint64_t offset) const
    {
        if (offset >= text_.size()) {
            return std::nullopt;
        }
        const std::string_view rest = text_.substr(offset, kLongestName);
        const auto name = rest.substr(0, rest.find('\0'));
        const bool is_name =
            !name.empty() && name.size() < rest.size() && std::ranges::all_of(name, is_name_character);
        return is_name ? std::optional(name) : std::nullopt;
    }

    std::span<const std::byte> image_;
    std::string_view text_;
    std::uint64_t begin_;
};

} // namespace

Exports find_exports(std::span<const std::byte> image, std::uint64_t begin, std::string_view anchor,
                     const std::set<std::string_view>& wanted)
{
    const Search search(image, begin);
    const std::string_view text(reinterpret_cast<const char*>(image.data()), image.size());
    const std::string name = std::string(anchor) + '\0';
    unsigned texts = 0;
    // Not by its first character, a zero: most of an image is zeros.
    for (std::size_t at = text.find(name, 1); texts < kMostTexts && at != std::string_view::npos;
         at = text.find(name, at + 1)) {
        if (text[at - 1] != '\0') {
            continue;
        }
        ++texts;
        auto entry = search.find_entry(at, 0);
        for (unsigned j = 0; j < kMostEntries && entry; ++j) {
            if (auto found = search.read_table(*entry, wanted); !found.empty()) {
                return found;
            }
            entry = search.find_entry(at, *entry + kAlignment);
        }
    }
    return {};
}

} // namespace kmd
