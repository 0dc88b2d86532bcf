// SPDX-License-Identifier: GPL-2.0-or-later
//
// A value or the reason why there is none. Stands in for std::expected, which C++20 lacks.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace kmd
{

/// Why something did not work: one sentence for a person, without a final full stop.
struct Error {
    std::string what;
};

template <class T> class [[nodiscard]] Result
{
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }

    /// Only valid when the result is true.
    T& value() { return *std::get_if<0>(&state_); }
    const T& value() const { return *std::get_if<0>(&state_); }

    /// Only valid when the result is false.
    const Error& error() const { return *std::get_if<1>(&state_); }

  private:
    std::variant<T, Error> state_;
};

} // namespace kmd
