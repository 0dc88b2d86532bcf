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

    /// Where the address and the size of the code of a module are.
    void module_text(const std::string& name, std::string_view type, std::string_view layout)
    {
        if (const auto at = kernel_.module_memory(type, layout)) {
            offset("module." + name, at->base);
            offset("module." + name + "_size", at->text_size);
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
    for (const KernelVariable& variable : kKernelVariables) {
        text.symbol(variable.name);
    }
    for (const std::string_view other : {std::string_view("__start_BTF"), std::string_view("__stop_BTF"),
                                         std::string_view("runqueues"), kernel.architecture().cpu_numbers}) {
        text.symbol(other);
    }
    for (const std::string_view name : kUnwindingSymbols) {
        text.symbol(name);
    }
    for (const KernelMember& member : kKernelMembers) {
        text.member(member.structure, member.member);
    }
    text.member("thread_struct", kernel.architecture().saved_context);
    text.module_text("text", "MOD_TEXT", "core_layout");
    text.module_text("init_text", "MOD_INIT_TEXT", "init_layout");
    return text.take();
}

} // namespace kmd
