// SPDX-License-Identifier: GPL-2.0-or-later
//
// Objects of a fake kernel to which its variables and tasks lead: types for each way that kernel_objects.h
// knows.
#pragma once

#include "fake_kernel.h"

#include <cstdint>

namespace kmd::test
{

class FakeObjects
{
  public:
    /// Describes the types and places the variables, which are 0.
    explicit FakeObjects(FakeKernel& kernel)
        : workqueues(kernel.place("workqueues", 16)), worker_pool_idr(kernel.place("worker_pool_idr", 24)),
          sparse_irqs(kernel.place("sparse_irqs", 16)), hrtimer_bases(kernel.place("hrtimer_bases", 256)),
          node_data(kernel.place("node_data", 8)), iomem_resource(kernel.place("iomem_resource", 64)),
          init_net(kernel.place("init_net", 64))
    {
        BtfMaker& types = kernel.types;
        const auto pointer = types.pointer();
        const auto number = types.integer(4);
        const auto word = types.integer(8);
        const auto list = types.structure("list_head", 16, {{"next", pointer, 0}});
        describe_files(types, pointer, number);
        types.structure("mm_struct", 512,
                        {{"pgd", pointer, 0}, {"arg_start", word, 8}, {"env_end", word, 16}});
        // Lists, and buckets of a hash table
        types.structure("workqueue_struct", 64, {{"pwqs", list, 0}, {"list", list, 16}});
        types.structure("pool_workqueue", 64,
                        {{"pool", pointer, 0}, {"inactive_works", list, 8}, {"pwqs_node", list, 32}});
        types.structure("work_struct", 32, {{"entry", list, 8}});
        types.structure("worker_pool", 128, {{"busy_hash", types.array(pointer, 4), 32}});
        types.structure("worker", 64, {{"hentry", pointer, 16}});
        // A chain, and arrays whose length a member says
        types.structure("resource", 64, {{"sibling", pointer, 8}});
        types.structure("net", 64, {{"dev_base_head", list, 0}});
        types.structure("net_device", 64,
                        {{"dev_list", list, 0}, {"_tx", pointer, 16}, {"num_tx_queues", number, 24}});
        types.structure("netdev_queue", 8, {});
        // An array in an object
        const auto zone = types.structure("zone", 32, {{"name", pointer, 8}});
        types.structure("pglist_data", 128, {{"node_zones", types.array(zone, 3), 16}});
        describe_trees(types, pointer);
    }

    std::uint64_t workqueues;
    std::uint64_t worker_pool_idr;
    std::uint64_t sparse_irqs;
    std::uint64_t hrtimer_bases;
    std::uint64_t node_data;
    std::uint64_t iomem_resource;
    std::uint64_t init_net;

  private:
    static void describe_files(BtfMaker& types, std::uint32_t pointer, std::uint32_t number)
    {
        const auto path = types.structure("path", 16, {{"mnt", pointer, 0}, {"dentry", pointer, 8}});
        const auto string = types.structure("qstr", 16, {{"name", pointer, 8}});
        types.structure("files_struct", 64, {{"fdt", pointer, 32}});
        types.structure("fdtable", 64, {{"max_fds", number, 0}, {"fd", pointer, 8}});
        types.structure("file", 128, {{"f_path", path, 64}});
        types.structure("dentry", 192, {{"d_name", string, 32}});
    }

    static void describe_trees(BtfMaker& types, std::uint32_t pointer)
    {
        const auto slots = types.array(pointer, 16);
        types.structure("maple_tree", 16, {{"ma_root", pointer, 8}});
        types.structure("maple_arange_64", 256, {{"slot", types.array(pointer, 10), 80}});
        types.structure("maple_range_64", 256, {{"slot", slots, 128}});
        types.structure("xarray", 16, {{"xa_head", pointer, 8}});
        types.structure("xa_node", 256, {{"slots", slots, 40}});
        types.structure("irq_desc", 128, {{"name", pointer, 0}, {"kstat_irqs", pointer, 8}});
        types.structure("irqstat", 8, {});
        const auto tree = types.structure("rb_root", 8, {{"rb_node", pointer, 0}});
        const auto cached = types.structure("rb_root_cached", 16, {{"rb_root", tree, 0}});
        const auto queue = types.structure("timerqueue_head", 16, {{"rb_root", cached, 0}});
        const auto clock = types.structure("hrtimer_clock_base", 64, {{"active", queue, 32}});
        types.structure("hrtimer_cpu_base", 256, {{"clock_base", types.array(clock, 3), 64}});
        const auto node = types.structure("rb_node", 24, {});
        const auto entry = types.structure("timerqueue_node", 32, {{"node", node, 0}});
        types.structure("hrtimer", 64, {{"node", entry, 16}});
    }
};

/// A task with one open file: the addresses of what leads to the file's name.
struct OpenFile {
    std::uint64_t files;
    std::uint64_t table;
    std::uint64_t pointers;
    std::uint64_t file;
    std::uint64_t entry;
    std::uint64_t name;
};

/// `descriptors`: how many the table of the task has; the file is number 1.
inline OpenFile open_a_file(FakeKernel& kernel, std::uint32_t descriptors)
{
    const auto page = [&] { return kernel.allocate(1) + 0x80; };
    const OpenFile made{page(), page(), page(), page(), page(), page()};
    const std::uint64_t task = kernel.add_task("init");
    kernel.put64_at(task + FakeKernel::kFiles, made.files);
    kernel.put64_at(made.files + 32, made.table);
    kernel.put64_at(made.table, descriptors);
    kernel.put64_at(made.table + 8, made.pointers);
    kernel.put64_at(made.pointers + 8, made.file);
    kernel.put64_at(made.file + 64 + 8, made.entry);
    kernel.put64_at(made.entry + 32 + 8, made.name);
    return made;
}

} // namespace kmd::test
