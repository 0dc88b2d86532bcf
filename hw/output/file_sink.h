// SPDX-License-Identifier: GPL-2.0-or-later
//
// One file that always is the last complete dump.
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
    /// `path`: what the file is called; its folder exists. An error names property file=.
    static Result<std::unique_ptr<Sink>> create(const std::string& path, const StoreOptions& options);

    /// Written beside the file, which it replaces when it is complete. What an earlier attempt left
    /// incomplete is removed. Any number of processes can have the same file.
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
