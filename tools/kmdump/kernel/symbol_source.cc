// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/symbol_source.h"

#include "kmdump/kernel/kallsyms.h"
#include "kmdump/kernel/kernel_layout.h"
#include "kmdump/kernel/module_symbols.h"
#include "kmdump/kernel/vmlinux.h"

#include <utility>

namespace kmdump
{

kmd::Result<SymbolSource> find_symbols(const Dump& dump, const std::string& vmlinux)
{
    const kmd::Vmcoreinfo layout = find_layout(dump.core);
    const KernelMemory memory = dump.memory();
    SymbolSource source{{}, "none", std::nullopt};
    if (!vmlinux.empty()) {
        auto symbols = read_vmlinux(vmlinux, dump.vmcoreinfo);
        if (!symbols) {
            return kmd::Error{vmlinux + ": " + symbols.error().what};
        }
        if (symbols.value().count() > 0) {
            source = {std::move(symbols.value()), "vmlinux", std::nullopt};
        }
    }
    if (source.name == "none") {
        auto own = read_kallsyms(memory, dump.vmcoreinfo, layout);
        if (own) {
            source = {std::move(own.value()), "kallsyms", std::nullopt};
        } else {
            source.missing =
                (vmlinux.empty() ? "" : vmlinux + " names no functions, and ") + own.error().what;
        }
    }
    source.symbols.add(read_module_symbols(memory, layout).tables);
    return source;
}

kmd::Result<DumpWithSymbols> open_with_symbols(const std::string& path, const std::string& vmlinux)
{
    auto dump = open_dump(path);
    if (!dump) {
        return dump.error();
    }
    auto source = find_symbols(dump.value(), vmlinux);
    if (!source) {
        return source.error();
    }
    return DumpWithSymbols{std::move(dump.value()), std::move(source.value())};
}

} // namespace kmdump
