// SPDX-License-Identifier: GPL-2.0-or-later
#include "symbol_source.h"

#include "kallsyms.h"
#include "vmlinux.h"

#include <utility>

namespace kmdump
{

kmd::Result<SymbolSource> find_symbols(const Dump& dump, const std::string& vmlinux)
{
    if (vmlinux.empty()) {
        auto symbols = read_kallsyms(dump.memory(), dump.vmcoreinfo);
        if (!symbols) {
            return SymbolSource{{}, "none", symbols.error().what};
        }
        return SymbolSource{std::move(symbols.value()), "kallsyms", std::nullopt};
    }
    auto symbols = read_vmlinux(vmlinux, dump.vmcoreinfo.hex_number("KERNELOFFSET").value_or(0));
    if (!symbols) {
        return kmd::Error{vmlinux + ": " + symbols.error().what};
    }
    return SymbolSource{std::move(symbols.value()), "vmlinux", std::nullopt};
}

} // namespace kmdump
