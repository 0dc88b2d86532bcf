// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/run/qemu_plugin.h"

#include "kmdump/core/elf_handle.h"
#include "kmdump/core/file.h"
#include "kmdump/run/child_process.h"

#include <gelf.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <regex>
#include <sstream>
#include <system_error>

namespace kmdump
{

namespace
{

namespace fs = std::filesystem;

constexpr const char* kProgram = "qemu-system-aarch64";
constexpr const char* kPlugin = "kmemdump-md.so";

kmd::Result<std::string> find_qemu()
{
    const char* const path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
        const fs::path candidate = fs::path(folder.empty() ? "." : folder) / kProgram;
        if (::access(candidate.c_str(), X_OK) == 0) {
            return candidate.string();
        }
    }
    return kmd::Error{std::string("expected ") + kProgram +
                      " in PATH, found none: install it or give --qemu"};
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

/// The bytes from a symbol to the end of its section; empty if there is no such symbol.
std::string_view bytes_of_symbol(Elf* elf, std::string_view name)
{
    Elf_Scn* section = nullptr;
    while ((section = elf_nextscn(elf, section)) != nullptr) {
        GElf_Shdr header{};
        Elf_Data* const data = elf_getdata(section, nullptr);
        if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_DYNSYM || data == nullptr) {
            continue;
        }
        GElf_Sym symbol{};
        for (int i = 0; gelf_getsym(data, i, &symbol) != nullptr; ++i) {
            const char* const found = elf_strptr(elf, header.sh_link, symbol.st_name);
            if (found == nullptr || name != found) {
                continue;
            }
            Elf_Scn* const home = elf_getscn(elf, symbol.st_shndx);
            GElf_Shdr home_header{};
            Elf_Data* const content = home == nullptr ? nullptr : elf_rawdata(home, nullptr);
            if (content == nullptr || gelf_getshdr(home, &home_header) == nullptr ||
                symbol.st_value < home_header.sh_addr ||
                symbol.st_value - home_header.sh_addr >= content->d_size) {
                return {};
            }
            const auto offset = symbol.st_value - home_header.sh_addr;
            return {static_cast<const char*>(content->d_buf) + offset, content->d_size - offset};
        }
    }
    return {};
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

kmd::Result<std::string> built_for(const std::string& plugin)
{
    const auto file = File::open(plugin, "a plugin");
    if (!file) {
        return kmd::Error{plugin + ": " + file.error().what};
    }
    elf_version(EV_CURRENT);
    const ElfHandle elf(elf_begin(file.value().descriptor(), ELF_C_READ, nullptr));
    const auto bytes = bytes_of_symbol(elf.get(), "kmemdump_md_built_for_qemu");
    const auto end = bytes.find('\0');
    if (end == std::string_view::npos) {
        return kmd::Error{plugin + ": expected the plugin kmemdump-md.so, found something else"};
    }
    return std::string(bytes.substr(0, end));
}

kmd::Result<QemuAndPlugin> find_qemu_and_plugin(const std::string& qemu, const std::string& plugin)
{
    const auto program = qemu.empty() ? find_qemu() : kmd::Result<std::string>(qemu);
    if (!program) {
        return program.error();
    }
    const auto plugin_path = plugin.empty() ? find_plugin() : kmd::Result<std::string>(plugin);
    if (!plugin_path) {
        return plugin_path.error();
    }
    const auto wanted = built_for(plugin_path.value());
    if (!wanted) {
        return wanted.error();
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
    if (*version != wanted.value()) {
        return kmd::Error{"expected QEMU " + wanted.value() + ", which the plugin " + plugin_path.value() +
                          " was built for, found QEMU " + *version + " at " + program.value() +
                          ": build the plugin again with ./scripts/build"};
    }
    return QemuAndPlugin{program.value(), *version, plugin_path.value()};
}

} // namespace kmdump
