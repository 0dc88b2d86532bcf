// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/vmlinux_file.h"

#include "kmdump/kernel/build_id.h"

#include <utility>

namespace kmdump
{

kmd::Result<VmlinuxFile> open_vmlinux(const std::string& path, const kmd::Vmcoreinfo& vmcoreinfo)
{
    auto file = File::open(path, "a vmlinux file");
    if (!file) {
        return file.error();
    }
    elf_version(EV_CURRENT);
    ElfHandle elf(elf_begin(file.value().descriptor(), ELF_C_READ, nullptr));
    if (!elf || elf_kind(elf.get()) != ELF_K_ELF) {
        return kmd::Error{"expected a vmlinux file, found something that is not ELF"};
    }
    if (auto error = check_kernel(elf.get(), vmcoreinfo)) {
        return *error;
    }
    return VmlinuxFile{std::move(file.value()), std::move(elf)};
}

} // namespace kmdump
