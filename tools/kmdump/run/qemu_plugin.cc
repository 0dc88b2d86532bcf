// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/run/qemu_plugin.h"

#include "kmdump/core/elf_handle.h"
#include "kmdump/core/file.h"
#include "kmdump/run/child_process.h"

#include <gelf.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <system_error>

namespace kmdump
{

namespace
{

namespace fs = std::filesystem;

constexpr const char* kPlugin = "kmemdump-md.so";
constexpr std::string_view kPartPrefix = "kmemdump-md-";
constexpr std::string_view kPartSuffix = ".so";

kmd::Result<std::string> find_qemu(const std::string& name)
{
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        const fs::path candidate = fs::path(folder.empty() ? "." : folder) / name;
        if (::access(candidate.c_str(), X_OK) == 0) {
            return candidate.string();
        }
    }
    return kmd::Error{"expected " + name + " in PATH, found none: install it or give --qemu"};
}

kmd::Result<std::string> find_plugin()
{
    std::error_code failure;
    const fs::path here = fs::read_symlink("/proc/self/exe", failure).parent_path();
    // The build folder, the folder of the command, and the installation.
    const fs::path candidates[] = {here / "../../plugin" / kPlugin, here / kPlugin,
                                   fs::path(KMDUMP_PLUGIN_FOLDER) / kPlugin};
    for (const fs::path& candidate : candidates) {
        if (fs::is_regular_file(candidate, failure)) {
            return candidate.lexically_normal().string();
        }
    }
    return kmd::Error{std::string("expected the plugin ") + kPlugin + " in the build folder or in " +
                      KMDUMP_PLUGIN_FOLDER + ", found none: build it with ./scripts/build or give --plugin"};
}

/// The names of the dynamic symbols that an ELF file defines.
std::set<std::string> exported_symbols(Elf* elf)
{
    std::set<std::string> names;
    Elf_Scn* section = nullptr;
    while ((section = elf_nextscn(elf, section)) != nullptr) {
        GElf_Shdr header{};
        Elf_Data* const data = elf_getdata(section, nullptr);
        if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_DYNSYM || data == nullptr) {
            continue;
        }
        GElf_Sym symbol{};
        for (int i = 0; gelf_getsym(data, i, &symbol) != nullptr; ++i) {
            const char* const name = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (name != nullptr && symbol.st_shndx != SHN_UNDEF) {
                names.insert(name);
            }
        }
    }
    return names;
}

/// "10.0.13, 7.2.22": the releases for which the folder has a part.
std::string releases_in(const fs::path& folder)
{
    std::set<std::string> releases;
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(folder, failure)) {
        const std::string name = entry.path().filename();
        if (name.starts_with(kPartPrefix) && name.ends_with(kPartSuffix)) {
            releases.insert(
                name.substr(kPartPrefix.size(), name.size() - kPartPrefix.size() - kPartSuffix.size()));
        }
    }
    std::string list;
    for (const auto& release : releases) {
        list += (list.empty() ? "" : ", ") + release;
    }
    return list.empty() ? "no QEMU" : list;
}

/// Whether QEMU lists the device without a plugin.
bool has_device(const std::string& program)
{
    const auto devices = output_of({program, "-M", "none", "-device", "help"});
    return devices && devices.value().find("name \"kmemdump-md\"") != std::string::npos;
}

} // namespace

std::optional<std::string> parse_qemu_version(std::string_view text)
{
    static const std::regex pattern(R"(QEMU emulator version (\d+\.\d+\.\d+))");
    std::match_results<std::string_view::const_iterator> match;
    if (!std::regex_search(text.begin(), text.end(), match, pattern)) {
        return std::nullopt;
    }
    return match[1].str();
}

std::optional<WayIn> way_into(const std::string& program)
{
    const auto file = File::open(program, "a program");
    if (!file) {
        return WayIn::kPlugin;
    }
    elf_version(EV_CURRENT);
    const ElfHandle elf(elf_begin(file.value().descriptor(), ELF_C_READ, nullptr));
    if (elf_kind(elf.get()) != ELF_K_ELF) {
        return WayIn::kPlugin;
    }
    const auto symbols = exported_symbols(elf.get());
    if (symbols.contains("kmemdump_md_vmstate")) {
        return WayIn::kBuiltIn;
    }
    if (!symbols.contains("type_register_static")) {
        return std::nullopt;
    }
    return symbols.contains("qemu_plugin_register_vcpu_init_cb") ? WayIn::kPlugin : WayIn::kPreload;
}

std::optional<kmd::Error> check_plugin(const std::string& plugin, const std::string& release)
{
    const auto file = File::open(plugin, "a plugin");
    if (!file) {
        return kmd::Error{plugin + ": " + file.error().what};
    }
    elf_version(EV_CURRENT);
    const ElfHandle elf(elf_begin(file.value().descriptor(), ELF_C_READ, nullptr));
    if (!exported_symbols(elf.get()).contains("kmemdump_md_front")) {
        return kmd::Error{plugin + ": expected the plugin " + kPlugin + ", found something else"};
    }
    const fs::path folder = fs::absolute(plugin).lexically_normal().parent_path();
    std::string part(kPartPrefix);
    part.append(release).append(kPartSuffix);
    std::error_code failure;
    if (!fs::is_regular_file(folder / part, failure)) {
        return kmd::Error{"expected " + part + ", the part of the plugin for QEMU " + release + ", in " +
                          folder.string() + ", found parts for " + releases_in(folder) +
                          ": build it with ./scripts/build where that QEMU is installed, or with "
                          "./scripts/build --qemu-source TREE"};
    }
    return std::nullopt;
}

kmd::Result<QemuAndPlugin> find_qemu_and_plugin(const std::string& qemu, const std::string& name,
                                                const std::string& plugin)
{
    const auto program = qemu.empty() ? find_qemu(name) : kmd::Result<std::string>(qemu);
    if (!program) {
        return program.error();
    }
    const auto text = output_of({program.value(), "--version"});
    if (!text) {
        return text.error();
    }
    const auto version = parse_qemu_version(text.value());
    if (!version) {
        return kmd::Error{program.value() +
                          ": expected a QEMU that prints its version, found something else"};
    }
    const auto way = way_into(program.value());
    if (way == WayIn::kBuiltIn || (!way && has_device(program.value()))) {
        return QemuAndPlugin{program.value(), *version, WayIn::kBuiltIn, ""};
    }
    if (!way) {
        return kmd::Error{"QEMU " + *version + " at " + program.value() +
                          " was built without modules, so no plugin can add a device to it: give another "
                          "with --qemu, or build the controller into it with ./scripts/integrate-qemu"};
    }
    const auto plugin_path = plugin.empty() ? find_plugin() : kmd::Result<std::string>(plugin);
    if (!plugin_path) {
        return plugin_path.error();
    }
    if (const auto wrong = check_plugin(plugin_path.value(), *version)) {
        return *wrong;
    }
    return QemuAndPlugin{program.value(), *version, *way, fs::absolute(plugin_path.value()).string()};
}

} // namespace kmdump
