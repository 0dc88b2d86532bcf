// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/report/report.h"
#include "kmdump/kernel/task_layout.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

namespace kmdump
{

namespace
{

std::optional<std::uint64_t> ram_of(const Dump& dump, const std::vector<Content>& contents,
                                    const std::optional<Sidecar>& sidecar)
{
    const auto total_ram = total_ram_id(sidecar ? sidecar->id_series : "");
    const auto page_size = dump.vmcoreinfo.page_size();
    const auto found = std::find_if(contents.begin(), contents.end(), [&](const Content& content) {
        return total_ram && content.id == total_ram && content.size == 8;
    });
    if (!page_size || found == contents.end()) {
        return std::nullopt;
    }
    const auto pages = dump.memory().read_u64(found->virt);
    return pages && *pages < (std::uint64_t{1} << 40) ? std::optional(*pages * *page_size) : std::nullopt;
}

/// The dump's own symbols, else those of `vmlinux`, which may have types but no symbols.
SymbolSource symbols_of(const Dump& dump, const std::string& vmlinux)
{
    auto own = find_symbols(dump, "");
    if (own && own.value().missing && !vmlinux.empty()) {
        if (auto other = find_symbols(dump, vmlinux)) {
            return std::move(other.value());
        }
    }
    return own ? std::move(own.value()) : SymbolSource{{}, "none", own.error().what};
}

/// Member `number` of struct new_utsname in init_uts_ns.
std::string uts_text(const Dump& dump, unsigned number)
{
    constexpr std::size_t kLength = 65; // __NEW_UTS_LEN and a zero byte
    const auto symbol = dump.vmcoreinfo.symbol("SYMBOL(init_uts_ns)");
    const auto offset = dump.vmcoreinfo.number("OFFSET(uts_namespace.name)");
    std::array<std::byte, kLength> bytes{};
    if (!symbol || !offset || !dump.memory().read(*symbol + *offset + number * kLength, bytes)) {
        return "";
    }
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return std::string(text.substr(0, text.find('\0')));
}

} // namespace

std::optional<std::uint64_t> total_ram_id(std::string_view id_series)
{
    if (id_series == "kmemdump") {
        return 5; // KMEMDUMP_ID_COREIMAGE__totalram_pages
    }
    if (id_series == "meminspect") {
        return 4; // MEMINSPECT_ID__totalram_pages; 5 is __cpu_possible_mask there
    }
    return std::nullopt;
}

kmd::Result<Report> make_report(const std::string& path, const std::string& vmlinux)
{
    const auto dump = open_dump(path);
    if (!dump) {
        return dump.error();
    }
    auto sidecar = read_sidecar(path);
    if (!sidecar) {
        return sidecar.error();
    }
    auto contents = list_contents(dump.value().core, sidecar.value());
    auto symbols = symbols_of(dump.value(), vmlinux);
    auto cpus = read_cpu_states(dump.value(), symbols.symbols, sidecar.value());
    auto layout = read_task_layout(dump.value(), vmlinux);
    if (!layout && !vmlinux.empty()) {
        return layout.error();
    }
    kmd::Result<TaskList> tasks = layout
                                      ? read_tasks(dump.value(), symbols.symbols, std::move(layout.value()))
                                      : kmd::Result<TaskList>(layout.error());
    const auto ram = ram_of(dump.value(), contents, sidecar.value());
    return Report{std::filesystem::path(path).filename().string(),
                  dump.value().core.file_size(),
                  dump.value().core.summary(),
                  dump.value().vmcoreinfo,
                  std::move(sidecar.value()),
                  std::move(contents),
                  ram,
                  uts_text(dump.value(), 1),
                  uts_text(dump.value(), 3),
                  read_printk_log(dump.value().memory(), dump.value().vmcoreinfo),
                  std::move(symbols),
                  std::move(cpus),
                  std::move(tasks)};
}

} // namespace kmdump
