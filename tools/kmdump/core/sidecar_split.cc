// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/core/sidecar_split.h"

#include <algorithm>
#include <cstddef>

namespace kmdump
{

namespace
{

constexpr std::size_t kMostRegionBytes = 65536;

class Splitter
{
  public:
    explicit Splitter(std::string_view text) : text_(text) {}

    SplitSidecar split()
    {
        SplitSidecar parts;
        std::size_t kept = 0;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"') {
                skip_text();
            } else if (c == '[' || c == '{') {
                if (c == '[' && depth_ == 1 && wanted_ && parts.regions.empty()) {
                    const std::size_t begin = at_ + 1;
                    if (cut_list(parts.regions)) {
                        parts.rest.append(text_.substr(kept, begin - kept));
                        kept = at_;
                    } else {
                        parts.regions.clear();
                        at_ = begin - 1;
                        ++depth_;
                    }
                    wanted_ = false;
                    continue;
                }
                ++depth_;
                wanted_ = false;
            } else if (c == ']' || c == '}') {
                --depth_;
            } else if (c == ':' && depth_ == 1) {
                wanted_ = last_text_ == "\"regions\"";
            } else if (c == ',') {
                wanted_ = false;
            }
        }
        parts.rest.append(text_.substr(std::min(kept, text_.size())));
        return parts;
    }

  private:
    /// Moves from a quotation mark to the closing one.
    void skip_text()
    {
        const std::size_t begin = at_;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            at_ += text_[at_] == '\\' ? 1 : 0;
        }
        last_text_ = text_.substr(begin, at_ + 1 - begin);
    }

    void skip_spaces()
    {
        while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
            ++at_;
        }
    }

    /// Moves from `{` past the matching `}`. Empty if there is none.
    std::string_view cut_object()
    {
        const std::size_t begin = at_;
        std::size_t open = 0;
        for (; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"') {
                skip_text();
            } else if (c == '{') {
                ++open;
            } else if (c == '}' && --open == 0) {
                ++at_;
                return text_.substr(begin, at_ - begin);
            }
        }
        return {};
    }

    /// Moves from `[` to the matching `]`. False if this is not a list of objects.
    bool cut_list(std::vector<std::string_view>& objects)
    {
        ++at_;
        for (;;) {
            skip_spaces();
            if (at_ >= text_.size() || text_[at_] != '{') {
                return false;
            }
            const auto object = cut_object();
            if (object.empty() || object.size() > kMostRegionBytes) {
                return false;
            }
            objects.push_back(object);
            skip_spaces();
            if (at_ < text_.size() && text_[at_] == ']') {
                return true;
            }
            if (at_ >= text_.size() || text_[at_] != ',') {
                return false;
            }
            ++at_;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    bool wanted_ = false;
    std::string_view last_text_;
};

} // namespace

SplitSidecar split_sidecar(std::string_view text)
{
    return Splitter(text).split();
}

} // namespace kmdump
