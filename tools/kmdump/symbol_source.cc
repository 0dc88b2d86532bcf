// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbol_source.h"

#include "kallsyms.h"
#include "kernel_layout.h"
#include "module_symbols.h"
#include "vmlinux.h"

#include <utility>

namespace kmdump
{

kmd::Result<SymbolSource> find_symbols(const Dump& dump, const std::string& vmlinux)
{
    const Vmcoreinfo layout = find_layout(dump.core);
    const KernelMemory memory = dump.memory();
    auto symbols = vmlinux.empty()
                       ? read_kallsyms(memory, dump.vmcoreinfo, layout)
                       : read_vmlinux(vmlinux, dump.vmcoreinfo.hex_number("KERNELOFFSET").value_or(0));
    if (!symbols && !vmlinux.empty()) {
        return kmd::Error{vmlinux + ": " + symbols.error().what};
    }
    SymbolSource source{{}, "none", std::nullopt};
    if (symbols) {
        source = {std::move(symbols.value()), vmlinux.empty() ? "kallsyms" : "vmlinux", std::nullopt};
    } else {
        source.missing = symbols.error().what;
    }
    source.symbols.add(read_module_symbols(memory, layout));
    return source;
}

} // namespace kmdump
