// SPDX-License-Identifier: GPL-2.0-or-later
#include "hw/linux/kernel_names.h"
#include "hw/linux/linux_guest.h"

#include <cstdio>

namespace kmd
{

namespace
{

class Text
{
  public:
    explicit Text(const LinuxKernel& kernel) : kernel_(kernel) {}

    void symbol(std::string_view name)
    {
        if (const std::uint64_t address = kernel_.address(name)) {
            char digits[17];
            std::snprintf(digits, sizeof(digits), "%llx", static_cast<unsigned long long>(address));
            text_ += "SYMBOL(" + std::string(name) + ")=" + digits + "\n";
        }
    }

    void offset(const std::string& name, std::optional<std::uint64_t> value)
    {
        if (value) {
            text_ += "OFFSET(" + name + ")=" + std::to_string(*value) + "\n";
        }
    }

    void member(std::string_view structure, std::string_view name)
    {
        offset(std::string(structure) + "." + std::string(name), kernel_.offset(structure, name));
    }

    /// A member of the memory of a module of one type.
    void module_memory(const std::string& name, std::string_view type, std::string_view layout,
                       std::string_view old_name, std::string_view new_name)
    {
        const auto all = kernel_.offset("module", "mem");
        const auto index = kernel_.enumerator("mod_mem_type", type);
        const auto one = kernel_.offset("module", layout);
        const auto size = kernel_.size_of("module_memory");
        const auto inside =
            all ? kernel_.offset("module_memory", new_name) : kernel_.offset("module_layout", old_name);
        if (all && index && size && inside) {
            offset("module." + name, *all + static_cast<std::uint64_t>(*index) * *size + *inside);
        } else if (!all && one && inside) {
            offset("module." + name, *one + *inside);
        }
    }

    std::string take() { return std::move(text_); }

  private:
    const LinuxKernel& kernel_;
    std::string text_ = "KMD_LAYOUT=1\n";
};

} // namespace

std::string layout_text(const LinuxKernel& kernel)
{
    Text text(kernel);
    for (const char* variable : {"init_task", "modules", "panic_cpu"}) {
        text.symbol(variable);
    }
    for (const KernelMember& member : kKernelMembers) {
        text.member(member.structure, member.member);
    }
    text.module_memory("text", "MOD_TEXT", "core_layout", "base", "base");
    text.module_memory("text_size", "MOD_TEXT", "core_layout", "text_size", "size");
    text.module_memory("init_text", "MOD_INIT_TEXT", "init_layout", "base", "base");
    text.module_memory("init_text_size", "MOD_INIT_TEXT", "init_layout", "text_size", "size");
    return text.take();
}

} // namespace kmd
