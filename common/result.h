// SPDX-License-Identifier: GPL-2.0-or-later
//
// A value or an error. Stands in for std::expected, which C++20 lacks.
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace kmd
{

/// Why an operation failed: one sentence for the user, without a final full stop.
struct Error {
    std::string what;
};

template <class T> class [[nodiscard]] Result
{
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }

    /// Valid only if the result is true.
    T& value() { return *std::get_if<0>(&state_); }
    const T& value() const { return *std::get_if<0>(&state_); }

    /// Valid only if the result is false.
    const Error& error() const { return *std::get_if<1>(&state_); }

  private:
    std::variant<T, Error> state_;
};

} // namespace kmd
