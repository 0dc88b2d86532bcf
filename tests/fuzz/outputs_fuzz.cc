// SPDX-License-Identifier: GPL-2.0-or-later
//
// Any place and form of a dump, failures and limits on the way there, and any peer of the chardev: what says
// that it is complete is complete.
#include "fuzzed_machine.h"

#include <nlohmann/json.hpp>
#include <zstd.h>

#include <fstream>
#include <iterator>

namespace
{

using kmd::fuzz::require;

std::string text_of(const std::filesystem::path& path)
{
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

kmd::Config any_config(FuzzedDataProvider& data)
{
    kmd::Config config;
    config.slots = 8;
    config.max_dumps = 6;
    config.format = data.PickValueInArray({"enriched", "coreimage", "qcom"});
    config.compress = data.PickValueInArray({"none", "zstd"});
    config.sidecar = data.ConsumeBool();
    config.keep = data.ConsumeIntegralInRange<std::uint64_t>(0, 2);
    config.max_bytes = data.ConsumeBool() ? data.ConsumeIntegralInRange<std::uint64_t>(0, 600000) : 0;
    config.chardev_timeout_ms = 1;
    if (data.ConsumeBool()) {
        config.faults.write_cut = data.ConsumeIntegralInRange<std::uint64_t>(0, 100000);
        config.faults.write_fail = data.ConsumeIntegralInRange<std::uint64_t>(0, 100000);
        config.faults.refuse = data.ConsumeIntegralInRange<std::uint64_t>(0, 4);
    }
    switch (data.ConsumeIntegralInRange<int>(0, 2)) {
    case 0:
        config.chardev = "peer";
        config.keep = 0;
        break;
    case 1:
        config.chardev = "peer";
        config.output = kmd::fuzz::Machine::folder();
        break;
    default:
        config.output = kmd::fuzz::Machine::folder();
        break;
    }
    return config;
}

/// A peer that takes what it likes.
void set_peer(kmd::test::FakeHost& host, FuzzedDataProvider& data)
{
    host.connected = data.ConsumeIntegralInRange(0, 7) != 0;
    host.at_a_time = data.ConsumeBool() ? data.ConsumeIntegralInRange<std::size_t>(1000, 100000) : 1 << 30;
    const auto some = [&] {
        return data.ConsumeBool() ? std::string::npos : data.ConsumeIntegralInRange<std::size_t>(0, 1 << 20);
    };
    host.stalls_after = some();
    host.leaves_after = some();
    host.can_disconnect = data.ConsumeBool();
}

/// Everything between magic number and last program header is in the file.
void check_elf(const std::string& elf)
{
    require(elf.size() >= 64 && elf.compare(0, 4, "\177ELF") == 0, "a complete dump is an ELF file");
    require((elf[48] & 1) == 0, "a complete dump is not marked incomplete");
}

std::string decompressed(const std::string& bytes)
{
    std::string out(std::size_t{8} << 20, '\0');
    ZSTD_DCtx* context = ZSTD_createDCtx();
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    ZSTD_outBuffer buffer{out.data(), out.size(), 0};
    std::size_t left = 1;
    while (in.pos < in.size && buffer.pos < buffer.size) {
        left = ZSTD_decompressStream(context, &buffer, &in);
        require(!ZSTD_isError(left), "a complete compressed dump can be decompressed");
    }
    ZSTD_freeDCtx(context);
    require(left == 0 || buffer.pos == buffer.size, "it has an end");
    out.resize(buffer.pos);
    return out;
}

void check_folder(const kmd::Config& config)
{
    for (const auto& entry : std::filesystem::directory_iterator(kmd::fuzz::Machine::folder())) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(".json")) {
            require(nlohmann::json::accept(text_of(entry.path())), "a sidecar is JSON");
        } else if (name.ends_with(".elf")) {
            check_elf(text_of(entry.path()));
        } else if (name.ends_with(".zst")) {
            check_elf(decompressed(text_of(entry.path())));
        } else if (!name.ends_with(".incomplete")) {
            require(config.format == "qcom" &&
                        text_of(entry.path() / "md_toc.bin").substr(0, 4) == std::string("\1\0\0\0", 4),
                    "a complete folder has a table that says so");
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size)
{
    FuzzedDataProvider data(bytes, size);
    const auto config = any_config(data);
    kmd::fuzz::Machine machine(config);
    if (!machine.controller) {
        return 0;
    }
    set_peer(machine.host, data);
    for (int i = 0; i < 60 && data.remaining_bytes() > 0; ++i) {
        kmd::fuzz::act(machine, data);
        if (data.ConsumeIntegralInRange(0, 15) == 0) {
            machine.host.sent.clear();
            set_peer(machine.host, data);
        }
    }
    machine.check();
    check_folder(config);
    return 0;
}
