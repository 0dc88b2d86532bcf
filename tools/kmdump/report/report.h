// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the page of `kmdump report` shows, and the page.
#pragma once

#include "common/result.h"
#include "kmdump/core/sidecar_file.h"
#include "kmdump/inspect/memory_contents.h"
#include "kmdump/kernel/cpu_states.h"
#include "kmdump/kernel/dump.h"
#include "kmdump/kernel/printk_log.h"
#include "kmdump/kernel/symbol_source.h"
#include "kmdump/kernel/tasks.h"

#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace kmdump
{

/// All parts, or why a part is missing.
struct Report {
    std::string file; ///< name of the dump
    std::uint64_t file_size = 0;
    CoreSummary core;
    kmd::Vmcoreinfo vmcoreinfo;
    std::optional<Sidecar> sidecar;
    std::vector<Content> contents;
    std::optional<std::uint64_t> ram_bytes; ///< as the guest's kernel counts it
    std::string node_name;                  ///< of the guest; empty when it is not in the dump
    std::string kernel_version;             ///< the kernel's build number and date; likewise
    kmd::Result<PrintkLog> log;
    SymbolSource symbols;
    kmd::Result<std::vector<CpuState>> cpus;
    kmd::Result<TaskList> tasks;
};

/// The number of the region that holds _totalram_pages, in a series of identifiers as the sidecar names it;
/// nothing when the series is unknown: a number means something only together with the series.
std::optional<std::uint64_t> total_ram_id(std::string_view id_series);

/// Reads what there is. `vmlinux` may be empty. An error when the dump is none, or `vmlinux` is of no use.
kmd::Result<Report> make_report(const std::string& path, const std::string& vmlinux);

/// One HTML page that needs nothing else: no script, no file, no network.
void write_page(const Report& report, std::ostream& out);

} // namespace kmdump
