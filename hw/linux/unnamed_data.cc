// SPDX-License-Identifier: GPL-2.0-or-later
//
// A kernel whose kallsyms names functions only: what it exports, and what its types and page tables tell.
#include "hw/linux/linux_kernel.h"

#include "common/linux/exports.h"
#include "common/little_endian.h"
#include "hw/linux/kernel_image.h"
#include "hw/linux/kernel_names.h"

#include <utility>

namespace kmd
{

namespace
{

/// Larger than the code of any module. Bytes.
constexpr std::uint64_t kMostOfAModule = 64 << 20;

} // namespace

void LinuxKernel::find_unnamed_data(const LiveKernelMemory& memory, std::set<std::string_view> wanted,
                                    std::uint64_t end_of_text)
{
    for (const std::string_view name : wanted) {
        if (const auto address = vmcoreinfo_.symbol("SYMBOL(" + std::string(name) + ")")) {
            symbols_.emplace(name, Symbol{*address, 0});
        }
    }
    wanted.insert(kExportedPerCpuVariables.begin(), kExportedPerCpuVariables.end());
    const KernelImage image = KernelImage::read(memory, end_of_text);
    for (const auto& [name, address] : find_exports(image.bytes(), image.begin(), "init_task", wanted)) {
        symbols_.emplace(name, Symbol{address, 0});
    }
    if (!symbol("init_task")) {
        missing_.push_back(
            "the kernel's symbols do not name its data (CONFIG_KALLSYMS_ALL), nor do its exports, so "
            "its tasks, modules and variables are not found");
        return;
    }
    image_begin_ = image.begin();
    image_size_ = image.bytes().size();
    if (const auto btf = find_btf(image.bytes())) {
        const std::uint64_t begin =
            image.begin() + static_cast<std::uint64_t>(btf->data() - image.bytes().data());
        symbols_.emplace("__start_BTF", Symbol{begin, btf->size()});
        symbols_.emplace("__stop_BTF", Symbol{begin + btf->size(), 0});
    }
}

void LinuxKernel::find_per_cpu_variables(const Btf& btf)
{
    for (const std::string_view anchor : kExportedPerCpuVariables) {
        const auto exported = symbol(anchor);
        const auto described = btf.per_cpu_variable(anchor);
        if (!exported || !described) {
            continue;
        }
        const std::uint64_t begin = exported->address - described->offset;
        symbols_.emplace(kPerCpuArea, Symbol{begin, btf.per_cpu_size()});
        for (const std::string_view name :
             {std::string_view("runqueues"), architecture_->irq_stack_pointer}) {
            if (const auto variable = btf.per_cpu_variable(name)) {
                symbols_.emplace(name, Symbol{begin + variable->offset, variable->size});
            }
        }
        return;
    }
}

void LinuxKernel::refresh(const LiveKernelMemory& memory)
{
    if (image_size_ == 0) {
        return;
    }
    const std::uint64_t page = memory.page_size();
    unnamed_data_.clear();
    for (std::uint64_t at = image_begin_; at < image_begin_ + image_size_; at += page) {
        if (!memory.is_in_image(at) || !memory.is_writable(at)) {
            continue;
        }
        if (!unnamed_data_.empty() && unnamed_data_.back().last + 1 == at) {
            unnamed_data_.back().last += page;
        } else {
            unnamed_data_.push_back({at, at + page - 1});
        }
    }
    symbols_.erase("modules");
    find_modules(memory);
    remarks_.clear();
    if (!symbol("modules")) {
        remarks_.emplace_back(
            "no list of modules is found: none is loaded, or it cannot be found because the "
            "kernel's symbols do not name its data (CONFIG_KALLSYMS_ALL)");
    }
}

/// The list of modules is a head in .data, whose first entry is the member of something that has the name of
/// a module and its code.
void LinuxKernel::find_modules(const LiveKernelMemory& memory)
{
    const auto list = offset("module", "list");
    const auto name = offset("module", "name");
    const auto code = module_memory("MOD_TEXT", "core_layout");
    if (!list || !name || !code) {
        return;
    }
    const auto in_image = [&](std::uint64_t address) { return address - image_begin_ < image_size_; };
    const auto is_module = [&](std::uint64_t module) {
        const auto text = memory.read_u64(module + *name).value_or(0);
        const auto first = static_cast<char>(text & 0xff);
        const std::uint64_t base = memory.pointer(module + code->base);
        const std::uint64_t size = memory.read_u32(module + code->text_size).value_or(0);
        return first >= '0' && first <= 'z' && base != 0 && base % memory.page_size() == 0 && size > 0 &&
               size < kMostOfAModule;
    };
    std::vector<std::byte> page(memory.page_size());
    for (const AddressRange& range : unnamed_data_) {
        for (std::uint64_t at = range.first; at < range.last && memory.read(at, page); at += page.size()) {
            for (std::size_t i = 0; i + 16 <= page.size(); i += 8) {
                const auto next = load<std::uint64_t>(page, i);
                const auto previous = load<std::uint64_t>(page, i + 8);
                if (next % 8 == 0 && previous % 8 == 0 && architecture_->is_kernel_address(next) &&
                    architecture_->is_kernel_address(previous) && !in_image(next) && !in_image(previous) &&
                    memory.read_u64(next + 8) == at + i && memory.read_u64(previous) == at + i &&
                    is_module(next - *list)) {
                    symbols_.emplace("modules", Symbol{at + i, 16});
                    return;
                }
            }
        }
    }
}

} // namespace kmd
