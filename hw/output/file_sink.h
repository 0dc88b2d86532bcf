// SPDX-License-Identifier: GPL-2.0-or-later
//
// Writes a single file that is always the last complete dump.
#pragma once

#include "common/result.h"
#include "hw/output/sink.h"

#include <memory>
#include <string>

namespace kmd
{

class FileSink final : public Sink
{
  public:
    /// `path`: name of the file, in an existing folder. An error names property file=.
    static Result<std::unique_ptr<Sink>> create(const std::string& path, const StoreOptions& options);

    /// Writes a temporary file that replaces the file once it is complete. Removes an incomplete one of an
    /// earlier attempt. Several processes can use the same path.
    Result<Stored> store(const Dump& dump) override;

  private:
    FileSink(std::string folder, std::string name, const StoreOptions& options)
        : folder_(std::move(folder)), name_(std::move(name)), options_(options)
    {
    }

    std::string folder_;
    std::string name_;
    StoreOptions options_;
};

} // namespace kmd
