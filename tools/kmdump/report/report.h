// SPDX-License-Identifier: GPL-2.0-or-later
//
// The page of `kmdump report` and its data.
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

/// The data of the page. An error says why a part is missing.
struct Report {
    std::string file; ///< name of the dump, without its folder
    std::uint64_t file_size = 0;
    CoreSummary core;
    kmd::Vmcoreinfo vmcoreinfo;
    std::optional<Sidecar> sidecar;
    std::vector<Content> contents;
    std::optional<std::uint64_t> ram_bytes; ///< from _totalram_pages
    std::string node_name;                  ///< of the guest; empty if it is not in the dump
    std::string kernel_version;             ///< the kernel's build number and date; likewise
    kmd::Result<PrintkLog> log;
    SymbolSource symbols;
    kmd::Result<std::vector<CpuState>> cpus;
    kmd::Result<TaskList> tasks;
};

/// The identifier of the region that holds _totalram_pages in the named series of identifiers. Nothing if the
/// series is unknown: an identifier has a meaning only within its series.
std::optional<std::uint64_t> total_ram_id(std::string_view id_series);

/// Reads all parts that the dump has. `vmlinux` may be empty. An error if the dump or its sidecar cannot be
/// read, or if `vmlinux` lacks type information or is of another kernel.
kmd::Result<Report> make_report(const std::string& path, const std::string& vmlinux);

/// Writes a self-contained HTML page without scripts.
void write_page(const Report& report, std::ostream& out);

} // namespace kmdump
