// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmdump/kernel/task_layout.h"

#include "common/architecture.h"
#include "kmdump/kernel/kernel_layout.h"

#include <utility>
#include <vector>

namespace kmdump
{

namespace
{

/// The members without which there are no tasks, and those without which some is not known of them.
struct TaskMembers {
    std::vector<MemberName> needed;
    std::vector<MemberName> wanted;
};

TaskMembers task_members(const kmd::Architecture& architecture)
{
    const auto in_task = [](const char* member) { return MemberName{"task_struct", member}; };
    TaskMembers members{{in_task("tasks"),
                         in_task("pid"),
                         in_task("tgid"),
                         in_task("comm"),
                         in_task("signal"),
                         in_task("thread_node"),
                         in_task("thread"),
                         {"signal_struct", "thread_head"},
                         {"thread_struct", architecture.saved_context}},
                        {}};
    members.wanted = members.needed;
    members.wanted.insert(members.wanted.end(), {in_task("__state"),
                                                 in_task("exit_state"),
                                                 in_task("on_cpu"),
                                                 in_task("se"),
                                                 {"sched_entity", "sum_exec_runtime"},
                                                 {"thread_info", "cpu"}});
    return members;
}

kmd::Result<MemberOffsets> checked(MemberOffsets layout, const TaskMembers& members)
{
    for (const MemberName& name : members.needed) {
        if (!layout.contains(name)) {
            return kmd::Error{"expected " + name.structure + "." + name.member +
                              " in the type information, found none"};
        }
    }
    return layout;
}

kmd::Result<MemberOffsets> layout_in_dump(const Dump& dump, const TaskMembers& members)
{
    const kmd::Vmcoreinfo text = find_layout(dump.core);
    if (!text.number("OFFSET(task_struct.tasks)")) {
        return kmd::Error{"the dump does not say where the members of the kernel's structures lie: give the "
                          "kernel's vmlinux file with --vmlinux, or list the tasks with drgn"};
    }
    MemberOffsets layout;
    for (const MemberName& name : members.wanted) {
        if (const auto offset = text.number("OFFSET(" + name.structure + "." + name.member + ")")) {
            layout[name] = *offset;
        }
    }
    return checked(std::move(layout), members);
}

kmd::Result<MemberOffsets> layout_in_file(const Dump& dump, const TaskMembers& members,
                                          const std::string& vmlinux)
{
    auto found = read_member_offsets(vmlinux, members.wanted, dump.vmcoreinfo);
    auto layout = found ? checked(std::move(found.value()), members) : std::move(found);
    if (!layout) {
        return kmd::Error{vmlinux + ": " + layout.error().what};
    }
    return layout;
}

} // namespace

kmd::Error unknown_machine(const Dump& dump)
{
    return {"expected the tasks of " + kmd::names_of_architectures() + ", found those of " +
            kmd::machine_name(dump.core.summary().machine)};
}

kmd::Result<MemberOffsets> read_task_layout(const Dump& dump, const std::string& vmlinux)
{
    const kmd::Architecture* const architecture = kmd::find_architecture(dump.core.summary().machine);
    if (architecture == nullptr) {
        return unknown_machine(dump);
    }
    const TaskMembers members = task_members(*architecture);
    return vmlinux.empty() ? layout_in_dump(dump, members) : layout_in_file(dump, members, vmlinux);
}

} // namespace kmdump
