// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/output/output.h"

#include "hw/output/fallback_sink.h"
#include "hw/output/file_sink.h"
#include "hw/output/folder_sink.h"
#include "hw/output/name_pattern.h"
#include "hw/output/stream_sink.h"

#include <chrono>
#include <utility>

namespace kmd
{

namespace
{

/// Longer than anybody would want to stop a guest.
constexpr std::uint64_t kLongestTimeout = 600000;

std::optional<Error> check_combination(const OutputConfig& config, bool as_folder)
{
    if (config.file && (config.output || config.chardev)) {
        return Error{std::string("file= and ") + (config.output ? "output=" : "chardev=") +
                     " exclude each other: a dump goes to one file, or elsewhere"};
    }
    if (config.keep > 0 && (config.file || (config.chardev && !config.output))) {
        return Error{"keep= applies to the dumps in a folder: it needs output="};
    }
    if (as_folder && (config.file || config.chardev)) {
        return Error{std::string("format=qcom makes a folder for each dump: it needs output=, not ") +
                     (config.file ? "file=" : "chardev=")};
    }
    if (as_folder && config.compress != "none") {
        return Error{"format=qcom makes files that other tools read: compress= has to be none"};
    }
    if (config.chardev && (config.chardev_timeout_ms < 1 || config.chardev_timeout_ms > kLongestTimeout)) {
        return Error{"chardev-timeout=" + std::to_string(config.chardev_timeout_ms) +
                     " is out of range: 1 to " + std::to_string(kLongestTimeout) + " milliseconds"};
    }
    return std::nullopt;
}

Result<std::unique_ptr<Sink>> make_folder(const OutputConfig& config, const NamePattern& pattern,
                                          const StoreOptions& options)
{
    const auto folder = check_output_folder(config.output.value_or("."));
    if (!folder) {
        return folder.error();
    }
    return std::unique_ptr<Sink>(std::make_unique<FolderSink>(folder.value(), pattern, options, config.keep));
}

Result<std::unique_ptr<Sink>> make_sink(const OutputConfig& config, const NamePattern& pattern,
                                        const StoreOptions& options, Channel& channel)
{
    if (config.file) {
        return FileSink::create(*config.file, options);
    }
    if (!config.chardev) {
        return make_folder(config, pattern, options);
    }
    std::unique_ptr<Sink> stream = std::make_unique<StreamSink>(
        channel, *config.chardev, pattern, options, std::chrono::milliseconds(config.chardev_timeout_ms));
    if (!config.output) {
        return stream;
    }
    auto folder = make_folder(config, pattern, options);
    if (!folder) {
        return folder.error();
    }
    return std::unique_ptr<Sink>(
        std::make_unique<FallbackSink>(std::move(stream), std::move(folder.value())));
}

} // namespace

Result<Output> make_output(const OutputConfig& config, const Faults& faults, bool as_folder, Channel& channel)
{
    if (auto wrong = check_combination(config, as_folder)) {
        return *wrong;
    }
    const auto compression = parse_compression(config.compress);
    if (!compression) {
        return Error{"compress=" + config.compress + " is unknown: expected none or zstd"};
    }
    const auto pattern = NamePattern::parse(config.name);
    if (!pattern) {
        return pattern.error();
    }
    const StoreOptions options{*compression, config.sidecar, faults};
    auto sink = make_sink(config, pattern.value(), options, channel);
    if (!sink) {
        return sink.error();
    }
    return Output{std::move(sink.value()), options};
}

} // namespace kmd
