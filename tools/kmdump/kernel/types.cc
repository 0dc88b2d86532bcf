// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/types.h"

#include "common/address_range.h"
#include "common/linux/btf.h"
#include "common/text.h"
#include "kmdump/core/file.h"
#include "kmdump/core/sidecar_file.h"
#include "kmdump/kernel/kernel_layout.h"
#include "kmdump/kernel/vmlinux_file.h"

#include <bpf/libbpf.h>

#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace kmdump
{

namespace
{

/// Where the kernel has its types. Nothing if that is not known.
std::optional<kmd::AddressRange> types_at(const Dump& dump, const Symbols& symbols)
{
    const kmd::Vmcoreinfo layout = find_layout(dump.core);
    const auto address = [&](const std::string& name) {
        const auto found = layout.symbol("SYMBOL(" + name + ")");
        return found ? found : symbols.address_of(name);
    };
    const auto begin = address("__start_BTF");
    const auto end = address("__stop_BTF");
    const bool is_sound = begin && end && *begin < *end && *end - *begin <= kmd::Btf::kMostBytes;
    return is_sound ? std::optional(kmd::AddressRange{*begin, *end - 1}) : std::nullopt;
}

/// Nothing if the dump does not have them.
std::optional<std::vector<std::byte>> bytes_in_dump(const Dump& dump, const Symbols& symbols)
{
    const auto at = types_at(dump, symbols);
    return at ? dump.memory().read_array(at->first, at->last - at->first + 1) : std::nullopt;
}

kmd::Result<std::vector<std::byte>> read_file(const std::string& path)
{
    const auto file = File::open(path, "a file of types");
    if (!file) {
        return kmd::Error{path + ": " + file.error().what};
    }
    if (file.value().size() > kmd::Btf::kMostBytes) {
        return kmd::Error{path + ": expected at most " + std::to_string(kmd::Btf::kMostBytes) + " bytes"};
    }
    std::vector<std::byte> bytes(file.value().size());
    if (!file.value().read(0, bytes)) {
        return kmd::Error{path + ": it cannot be read"};
    }
    return bytes;
}

kmd::Result<Types> types_beside(const Dump& dump, const std::string& path)
{
    const auto sidecar = read_sidecar(path);
    if (!sidecar) {
        return sidecar.error();
    }
    const std::string name = sidecar.value() ? sidecar.value()->types_file : "";
    if (name.empty()) {
        return kmd::Error{
            "the dump has no types of its kernel: give the kernel's vmlinux file with --vmlinux, or "
            "take dumps with the property types=in or types=beside"};
    }
    const std::string own = std::string(dump.vmcoreinfo.text("BUILD-ID").value_or("")) + ".btf";
    if (name != own || name.find('/') != std::string::npos) {
        return kmd::Error{"the sidecar names '" + kmd::printable(name) +
                          "' as the types of the kernel, whose file is " + kmd::printable(own)};
    }
    const std::string file = (std::filesystem::path(path).parent_path() / name).string();
    auto bytes = read_file(file);
    return bytes ? parse_types(std::move(bytes.value()), file) : bytes.error();
}

kmd::Result<Types> types_of_vmlinux(const Dump& dump, const std::string& path)
{
    const auto file = open_vmlinux(path, dump.vmcoreinfo);
    if (!file) {
        return kmd::Error{path + ": " + file.error().what};
    }
    libbpf_set_print(nullptr);
    Types types{BtfHandle(btf__parse_elf(path.c_str(), nullptr)), {}, path};
    if (!types.handle) {
        return kmd::Error{path + ": expected a vmlinux file with BTF, found none"};
    }
    return types;
}

} // namespace

kmd::Result<Types> parse_types(std::vector<std::byte> bytes, std::string source)
{
    libbpf_set_print(nullptr);
    Types types{BtfHandle(btf__new(bytes.data(), static_cast<__u32>(bytes.size()))), {}, ""};
    if (!types.handle) {
        return kmd::Error{"the types of the kernel in " + source + " are corrupt: expected BTF"};
    }
    types.bytes = std::move(bytes);
    types.source = std::move(source);
    return types;
}

kmd::Result<Types> find_types(const Dump& dump, const Symbols& symbols, const std::string& path,
                              const std::string& vmlinux)
{
    if (!vmlinux.empty()) {
        return types_of_vmlinux(dump, vmlinux);
    }
    if (auto bytes = bytes_in_dump(dump, symbols)) {
        return parse_types(std::move(*bytes), "dump");
    }
    return types_beside(dump, path);
}

} // namespace kmdump
