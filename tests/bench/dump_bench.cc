// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a dump costs beside the copy itself: the same bytes written from one buffer into a new file of the
// same folder. Both sides take turns within one run, so that their ratio means something on any machine.
#include "fake_host.h"
#include "hw/controller/controller.h"
#include "worst_tables.h"

#include <benchmark/benchmark.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace
{

constexpr std::uint64_t kRam = 0x40000000;
constexpr std::uint64_t kBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kPage = 4096;

/// The folder for all files: KMD_BENCH_FOLDER, or one in memory, where the disk plays no part.
const std::string& folder()
{
    static const std::string path = [] {
        const char* chosen = std::getenv("KMD_BENCH_FOLDER");
        std::string name = std::string(chosen == nullptr ? "/dev/shm" : chosen) + "/kmemdump-bench-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("cannot make a folder in " + name);
        }
        return name;
    }();
    return path;
}

void empty_folder()
{
    for (const auto& entry : std::filesystem::directory_iterator(folder())) {
        std::filesystem::remove_all(entry.path());
    }
}

/// One GiB of guest RAM, filled, and all of it registered in so many regions that do not touch.
class Machine
{
  public:
    explicit Machine(std::uint64_t regions, bool sidecar = false)
    {
        const std::uint64_t size = kBytes / regions / kPage * kPage;
        host.guest.add_ram(kRam, kBytes + regions * kPage);
        host.guest.fill(kRam, kBytes + regions * kPage, 0x5a);
        kmd::Config config;
        config.slots = regions;
        config.max_dumps = 0;
        config.sidecar = sidecar;
        config.output = folder();
        auto created = kmd::Controller::create(config, host);
        if (!created) {
            throw std::runtime_error(created.error().what);
        }
        controller = std::move(created.value());
        for (std::uint64_t i = 0; i < regions; ++i) {
            const std::uint64_t slot = 0x1000 + i * 64;
            controller->write(slot + 0x00, kRam + i * (size + kPage), 8);
            controller->write(slot + 0x08, 0xffff000000000000 + i * (size + kPage), 8);
            controller->write(slot + 0x10, size, 8);
            controller->write(slot + 0x38, 1, 4);
        }
        if (controller->read(0x02c, 4) != regions) {
            throw std::runtime_error("not all regions are registered");
        }
        bytes = regions * size;
    }

    kmd::test::FakeHost host;
    std::unique_ptr<kmd::Controller> controller;
    std::uint64_t bytes = 0;
};

std::int64_t peak_kib()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

void dump(benchmark::State& state)
{
    Machine machine(static_cast<std::uint64_t>(state.range(0)), state.range(1) != 0);
    const auto before = peak_kib();
    for (auto _ : state) {
        machine.controller->write(0x020, 2, 4);
        machine.host.run_scheduled(*machine.controller);
        state.PauseTiming();
        if (machine.controller->read(0x048, 4) != 1) {
            state.SkipWithError("the dump is not complete");
        }
        empty_folder();
        state.ResumeTiming();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(machine.bytes * state.iterations()));
    state.counters["extra_KiB"] = static_cast<double>(peak_kib() - before);
}

void plain_write(benchmark::State& state)
{
    Machine machine(1);
    const auto bytes = machine.host.guest.map(kRam, machine.bytes);
    for (auto _ : state) {
        const int fd = ::open((folder() + "/plain").c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
        std::size_t written = 0;
        while (written < bytes.size()) {
            const ssize_t now =
                ::pwrite(fd, bytes.data() + written, bytes.size() - written, static_cast<off_t>(written));
            if (now <= 0) {
                state.SkipWithError("cannot write");
                break;
            }
            written += static_cast<std::size_t>(now);
        }
        ::fsync(fd);
        ::close(fd);
        state.PauseTiming();
        empty_folder();
        state.ResumeTiming();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(machine.bytes * state.iterations()));
}

/// One region over all others comes and goes.
void commit(benchmark::State& state, const kmd::test::Layout& layout)
{
    kmd::test::TestMachine machine(kmd::test::with_most_slots());
    kmd::test::fill_table(machine, layout, 1);
    machine.fill_slot(0, kmd::test::ram_region(0, kmd::test::kRamSize));
    for (auto _ : state) {
        machine.commit(0);
        machine.invalidate(0);
    }
}

void load_state(benchmark::State& state, const kmd::test::Layout& layout)
{
    kmd::test::TestMachine machine(kmd::test::with_most_slots());
    kmd::test::fill_table(machine, layout);
    const auto saved = machine.controller->save_state();
    for (auto _ : state) {
        if (machine.controller->load_state(saved)) {
            state.SkipWithError("it is refused");
        }
    }
}

/// A full table and a full list, with the sidecar; `slots`: of a format that takes fewer.
void worst_dump(benchmark::State& state, const kmd::test::Layout& layout, const char* format,
                std::uint32_t slots)
{
    auto config = kmd::test::with_most_slots();
    config.format = format;
    config.sidecar = true;
    config.output = folder();
    kmd::test::TestMachine machine(config);
    kmd::test::add_largest_list(machine);
    kmd::test::fill_table(machine, layout, 1, slots);
    for (auto _ : state) {
        machine.dump(2);
        state.PauseTiming();
        if (machine.last_result() != 1) {
            state.SkipWithError("the dump is not complete");
        }
        empty_folder();
        state.ResumeTiming();
    }
}

/// CPU time is what counts: the bounds are 50 us for a commit and 2 s for the rest.
void add_worst_cases()
{
    for (const auto& layout : kmd::test::layouts()) {
        const std::string name = std::string("/") + layout.name;
        benchmark::RegisterBenchmark(("commit_and_back" + name).c_str(), commit, layout)
            ->Unit(benchmark::kMicrosecond);
        benchmark::RegisterBenchmark(("load_state" + name).c_str(), load_state, layout)
            ->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark(("worst_enriched" + name).c_str(), worst_dump, layout, "enriched",
                                     kmd::test::kMostSlots)
            ->Unit(benchmark::kMillisecond);
    }
    benchmark::RegisterBenchmark("worst_qcom/8192", worst_dump, kmd::test::layouts().back(), "qcom", 8192u)
        ->Unit(benchmark::kMillisecond);
}

BENCHMARK(plain_write)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(dump)->ArgsProduct({{1, 1000, 60000}, {0, 1}})->Unit(benchmark::kMillisecond)->UseRealTime();

} // namespace

int main(int argc, char** argv)
{
    add_worst_cases();
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    std::filesystem::remove_all(folder());
    return 0;
}
