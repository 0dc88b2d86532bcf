// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/receive/trailer_result.h"

#include <nlohmann/json.hpp>

#include <cstddef>

namespace kmdump
{

namespace
{

using Json = nlohmann::json;

class ResultOf : public nlohmann::json_sax<Json>
{
  public:
    std::string result;

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t&) override { return value(); }
    bool binary(binary_t&) override { return value(); }
    bool string(string_t& text) override
    {
        if (wanted_) {
            result = text;
        }
        return value();
    }
    bool key(string_t& name) override
    {
        wanted_ = depth_ == 1 && name == "result";
        return true;
    }
    bool start_object(std::size_t) override
    {
        ++depth_;
        wanted_ = false;
        return true;
    }
    bool end_object() override
    {
        --depth_;
        return true;
    }
    bool start_array(std::size_t) override { return depth_ > 0 && start_object(0); }
    bool end_array() override { return end_object(); }
    bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

  private:
    /// Fails unless the value is inside an object.
    bool value()
    {
        wanted_ = false;
        return depth_ > 0;
    }

    unsigned depth_ = 0;
    bool wanted_ = false;
};

} // namespace

std::optional<std::string> read_result(std::FILE* file)
{
    ResultOf found;
    return Json::sax_parse(file, &found) ? std::optional(found.result) : std::nullopt;
}

} // namespace kmdump
