// SPDX-License-Identifier: GPL-2.0-or-later
//
// The objects of a Linux kernel for which people ask a dump, as a graph: the variables where the search
// begins, and the members that lead from an object to others. A row whose variable, structure or member a
// kernel lacks is skipped, so rows for several releases stand side by side.
#pragma once

#include "hw/linux/kernel_names.h"

#include <array>
#include <string_view>

namespace kmd
{

/// What is at a place that leads to objects.
enum class Leads {
    /// The object itself, or an array of them.
    kHere,
    /// A pointer to it.
    kTo,
    /// Pointers to objects, as many as fit.
    kHeld,
    /// A pointer to an array of pointers; the member `by` of the same structure says how many.
    kToPointers,
    /// A pointer to an array of objects; the member `by` of the same structure, or the variable `by`, says
    /// how
    /// many.
    kToArray,
    /// struct list_head.
    kList,
    /// An object and, from its struct list_head `by`, all others in the same list.
    kRing,
    /// struct hlist_head, one or more.
    kBuckets,
    /// struct rb_root.
    kTree,
    /// struct maple_tree.
    kMaple,
    /// struct xarray, or an IDR, which begins with one.
    kXarray,
    /// A pointer to an object of each CPU.
    kPerCpu,
    /// Pointers to strings or to something else that is short, as many as fit.
    kBytes,
};

using enum Leads;

/// Whether `by` says how many objects there are.
constexpr bool leads_to_array(Leads leads)
{
    return leads == kToPointers || leads == kToArray;
}

/// The name of a structure, without the role behind '/': some objects lead further than others of their kind.
constexpr std::string_view structure_name(std::string_view with_role)
{
    return with_role.substr(0, with_role.find('/'));
}

/// A member of a structure. The members may be paths, such as "f_path.mnt".
struct KernelReference {
    std::string_view structure;
    std::string_view member;
    Leads leads;
    /// The structure that it leads to.
    std::string_view to = {};
    /// The member of that structure to which the pointers lead; empty: its beginning.
    std::string_view by = {};
};

/// A variable where the search begins.
struct KernelRoot {
    std::string_view variable;
    Leads leads;
    std::string_view to = {};
    std::string_view by = {};
    /// Each CPU has its own.
    bool per_cpu = false;
};

inline constexpr auto kKernelRoots = std::to_array<KernelRoot>({
    {"init_task", kRing, "task_struct", "tasks"},
    {"runqueues", kHere, "rq", {}, true},
    {"workqueues", kList, "workqueue_struct", "list"},
    {"worker_pool_idr", kXarray, "worker_pool"},
    {"unbound_pool_hash", kBuckets, "worker_pool", "hash_node"},
    {"timer_bases", kHere, "timer_base", {}, true},
    {"hrtimer_bases", kHere, "hrtimer_cpu_base", {}, true},
    // A maple tree since Linux 6.5.
    {"sparse_irqs", kMaple, "irq_desc"},
    {"irq_desc_tree", kXarray, "irq_desc"},
    {"init_net", kHere, "net"},
    {"neigh_tables", kHeld, "neigh_table"},
    // Since Linux 6.4 it is the set of all classes that leads to their devices.
    {"block_class", kHere, "class"},
    {"class_kset", kTo, "kset"},
    {"bus_kset", kTo, "kset"},
    {"blockdev_superblock", kTo, "super_block/block devices"},
    {"cdev_map", kTo, "kobj_map"},
    {"chrdevs", kHeld, "char_device_struct"},
    {"pci_root_buses", kList, "pci_bus", "node"},
    {"ioport_resource", kHere, "resource"},
    {"iomem_resource", kHere, "resource"},
    {"cgrp_dfl_root", kHere, "cgroup_root"},
    {"slab_caches", kList, "kmem_cache", "list"},
    {"vmap_area_list", kList, "vmap_area", "list"},
    {"vmap_nodes", kToArray, "vmap_node", "nr_vmap_nodes"},
    {"node_data", kTo, "pglist_data"},
    {"memory_blocks", kXarray, "memory_block"},
    {"memory_stats", kHere, "memory_stat"},
    {"vmstat_text", kBytes},
    {"hwcap_str", kBytes},
});

inline constexpr auto kKernelReferences = std::to_array<KernelReference>({
    // Tasks
    {"rq", "idle", kTo, "task_struct"},
    {"task_struct", "signal", kTo, "signal_struct"},
    {"signal_struct", "thread_head", kList, "task_struct", "thread_node"},
    {"signal_struct", "shared_pending.list", kList, "sigqueue", "list"},
    {"task_struct", "pending.list", kList, "sigqueue", "list"},
    {"task_struct", "sighand", kTo, "sighand_struct"},
    {"task_struct", "cred", kTo, "cred"},
    {"task_struct", "real_cred", kTo, "cred"},
    {"task_struct", "nsproxy", kTo, "nsproxy"},
    {"cred", "user", kTo, "user_struct"},
    {"cred", "group_info", kTo, "group_info"},
    {"cred", "user_ns", kTo, "user_namespace"},
    {"nsproxy", "uts_ns", kTo, "uts_namespace"},
    {"nsproxy", "ipc_ns", kTo, "ipc_namespace"},
    {"nsproxy", "mnt_ns", kTo, "mnt_namespace"},
    {"nsproxy", "net_ns", kTo, "net"},
    // Files
    {"task_struct", "files", kTo, "files_struct"},
    {"files_struct", "fdt", kTo, "fdtable"},
    {"fdtable", "fd", kToPointers, "file", "max_fds"},
    {"fdtable", "open_fds", kBytes},
    {"file", "f_path.dentry", kTo, "dentry"},
    {"file", "f_path.mnt", kTo, "mount", "mnt"},
    {"file", "f_inode", kTo, "inode"},
    {"file", "f_op", kTo, "file_operations"},
    {"dentry", "d_name.name", kBytes},
    {"dentry", "d_parent", kTo, "dentry"},
    {"dentry", "d_inode", kTo, "inode"},
    {"dentry", "d_op", kTo, "dentry_operations"},
    {"inode", "i_sb", kTo, "super_block"},
    // Mounts: a list up to Linux 6.7, a tree since then
    {"task_struct", "fs", kTo, "fs_struct"},
    {"fs_struct", "root.mnt", kTo, "mount", "mnt"},
    {"fs_struct", "root.dentry", kTo, "dentry"},
    {"fs_struct", "pwd.mnt", kTo, "mount", "mnt"},
    {"fs_struct", "pwd.dentry", kTo, "dentry"},
    {"mnt_namespace", "root", kTo, "mount"},
    {"mnt_namespace", "mounts", kTree, "mount", "mnt_node"},
    {"mnt_namespace", "list", kList, "mount", "mnt_list"},
    {"mount", "mnt_parent", kTo, "mount"},
    {"mount", "mnt_mountpoint", kTo, "dentry"},
    {"mount", "mnt_mp", kTo, "mountpoint"},
    {"mount", "mnt_devname", kBytes},
    {"mount", "mnt.mnt_root", kTo, "dentry"},
    {"mount", "mnt.mnt_sb", kTo, "super_block"},
    {"super_block", "s_type", kTo, "file_system_type"},
    {"super_block", "s_root", kTo, "dentry"},
    {"super_block", "s_bdev", kTo, "block_device"},
    {"file_system_type", "name", kBytes},
    // Address spaces
    {"task_struct", "mm", kTo, "mm_struct"},
    {"mm_struct", "mm_mt", kMaple, "vm_area_struct"},
    {"mm_struct", "exe_file", kTo, "file"},
    {"vm_area_struct", "vm_file", kTo, "file"},
    {"vm_area_struct", "anon_name", kBytes},
    {"vm_area_struct", "vm_ops", kTo, "vm_operations_struct"},
    // Of [vdso] and the like; of others it is another object.
    {"vm_area_struct", "vm_private_data", kTo, "vm_special_mapping"},
    {"vm_special_mapping", "name", kBytes},
    // Workqueues
    {"workqueue_struct", "pwqs", kList, "pool_workqueue", "pwqs_node"},
    {"workqueue_struct", "rescuer", kTo, "worker"},
    {"pool_workqueue", "pool", kTo, "worker_pool"},
    {"pool_workqueue", "inactive_works", kList, "work_struct", "entry"},
    {"worker_pool", "worklist", kList, "work_struct", "entry"},
    {"worker_pool", "workers", kList, "worker", "node"},
    {"worker_pool", "idle_list", kList, "worker", "entry"},
    {"worker_pool", "busy_hash", kBuckets, "worker", "hentry"},
    {"worker_pool", "attrs", kTo, "workqueue_attrs"},
    {"worker", "current_work", kTo, "work_struct"},
    {"worker", "current_pwq", kTo, "pool_workqueue"},
    {"worker", "scheduled", kList, "work_struct", "entry"},
    // Timers
    {"timer_base", "vectors", kBuckets, "timer_list", "entry"},
    {"hrtimer_cpu_base", "clock_base", kHere, "hrtimer_clock_base"},
    {"hrtimer_clock_base", "active.rb_root.rb_root", kTree, "hrtimer", "node.node"},
    // Interrupts
    {"irq_desc", "action", kTo, "irqaction"},
    {"irq_desc", "name", kBytes},
    {"irq_desc", "irq_common_data.affinity", kBytes},
    {"irq_desc", "kstat_irqs", kPerCpu, "irqstat"},
    {"irq_desc", "irq_data.chip", kTo, "irq_chip"},
    {"irq_desc", "irq_data.domain", kTo, "irq_domain"},
    {"irqaction", "next", kTo, "irqaction"},
    {"irqaction", "name", kBytes},
    {"irqaction", "thread", kTo, "task_struct"},
    {"irq_chip", "name", kBytes},
    {"irq_domain", "name", kBytes},
    // Network devices
    {"net", "dev_base_head", kList, "net_device", "dev_list"},
    {"net", "dev_name_head", kBytes},
    {"net", "dev_index_head", kBytes},
    {"net_device", "name_node", kTo, "netdev_name_node"},
    {"net_device", "ip_ptr", kTo, "in_device"},
    {"net_device", "ip6_ptr", kTo, "inet6_dev"},
    {"net_device", "_tx", kToArray, "netdev_queue", "num_tx_queues"},
    {"net_device", "_rx", kToArray, "netdev_rx_queue", "num_rx_queues"},
    {"net_device", "dev_addr", kBytes},
    {"net_device", "netdev_ops", kTo, "net_device_ops"},
    {"netdev_queue", "qdisc", kTo, "Qdisc"},
    {"in_device", "ifa_list", kTo, "in_ifaddr"},
    {"in_ifaddr", "ifa_next", kTo, "in_ifaddr"},
    {"inet6_dev", "addr_list", kList, "inet6_ifaddr", "if_list"},
    {"neigh_table", "nht", kTo, "neigh_hash_table"},
    {"neigh_table", "gc_list", kList, "neighbour", "gc_list"},
    {"neigh_hash_table", "hash_buckets", kBytes},
    {"neigh_hash_table", "hash_heads", kBytes},
    // Character devices, devices on PCI, and resources
    {"kobj_map", "probes", kHeld, "probe"},
    {"probe", "next", kTo, "probe"},
    {"probe", "data", kTo, "cdev"},
    {"char_device_struct", "next", kTo, "char_device_struct"},
    {"char_device_struct", "cdev", kTo, "cdev"},
    {"pci_bus", "devices", kList, "pci_dev", "bus_list"},
    {"pci_bus", "children", kList, "pci_bus", "node"},
    {"pci_dev", "dev.kobj.name", kBytes},
    {"resource", "child", kTo, "resource"},
    {"resource", "sibling", kTo, "resource"},
    {"resource", "name", kBytes},
    // Block devices and their requests
    {"class", "p", kTo, "subsys_private"},
    {"kset", "list", kList, "subsys_private", "subsys.kobj.entry"},
    {"subsys_private", "class", kTo, "class"},
    {"class", "name", kBytes},
    {"super_block/block devices", "s_inodes", kList, "bdev_inode", "vfs_inode.i_sb_list"},
    {"bdev_inode", "bdev", kHere, "block_device"},
    {"block_device", "bd_disk", kTo, "gendisk"},
    {"block_device", "bd_queue", kTo, "request_queue"},
    {"block_device", "bd_mapping", kTo, "address_space"},
    {"block_device", "bd_inode", kTo, "inode"},
    {"address_space", "host", kTo, "inode"},
    {"block_device", "bd_device.p", kTo, "device_private"},
    {"block_device", "bd_device.kobj.name", kBytes},
    {"block_device", "bd_stats", kPerCpu, "disk_stats"},
    {"gendisk", "part0", kTo, "block_device"},
    {"gendisk", "part_tbl", kXarray, "block_device"},
    {"gendisk", "queue", kTo, "request_queue"},
    {"request_queue", "tag_set", kTo, "blk_mq_tag_set"},
    {"request_queue", "elevator", kTo, "elevator_queue"},
    {"elevator_queue", "type", kTo, "elevator_type"},
    {"request_queue", "queue_hw_ctx", kToPointers, "blk_mq_hw_ctx", "nr_hw_queues"},
    {"request_queue", "hctx_table", kXarray, "blk_mq_hw_ctx"},
    {"blk_mq_tag_set", "tags", kToPointers, "blk_mq_tags", "nr_hw_queues"},
    {"blk_mq_hw_ctx", "tags", kTo, "blk_mq_tags"},
    {"blk_mq_hw_ctx", "sched_tags", kTo, "blk_mq_tags"},
    {"blk_mq_tags", "rqs", kToPointers, "request", "nr_tags"},
    {"blk_mq_tags", "bitmap_tags.sb.map", kToArray, "sbitmap_word", "bitmap_tags.sb.map_nr"},
    {"request", "bio", kTo, "bio"},
    {"request", "part", kTo, "block_device"},
    // Control groups
    {"task_struct", "cgroups", kTo, "css_set"},
    {"css_set", "dfl_cgrp", kTo, "cgroup"},
    {"css_set", "subsys", kHeld, "cgroup_subsys_state"},
    {"cgroup_root", "cgrp", kHere, "cgroup"},
    {"cgroup", "self.children", kList, "cgroup", "self.sibling"},
    {"cgroup", "subsys", kHeld, "cgroup_subsys_state"},
    {"cgroup", "kn", kTo, "kernfs_node"},
    {"cgroup_subsys_state", "cgroup", kTo, "cgroup"},
    {"kernfs_node", "name", kBytes},
    {"kernfs_node", "parent", kTo, "kernfs_node"},
    {"kernfs_node", "__parent", kTo, "kernfs_node"},
    // Memory
    {"kmem_cache", "name", kBytes},
    {"kmem_cache", "node", kHeld, "kmem_cache_node"},
    {"kmem_cache", "cpu_slab", kPerCpu, "kmem_cache_cpu"},
    {"vmap_node", "busy.head", kList, "vmap_area", "list"},
    {"vmap_area", "vm", kTo, "vm_struct"},
    {"vm_struct", "next", kTo, "vm_struct"},
    {"pglist_data", "per_cpu_nodestats", kPerCpu, "per_cpu_nodestat"},
    {"pglist_data", "node_zones", kHere, "zone"},
    {"memory_block", "dev.p", kTo, "device_private"},
    {"memory_stat", "name", kBytes},
    {"zone", "name", kBytes},
    {"zone", "per_cpu_pageset", kPerCpu, "per_cpu_pages"},
    {"zone", "per_cpu_zonestats", kPerCpu, "per_cpu_zonestat"},
});

/// What leads on in the nodes of the kernel's trees.
inline constexpr KernelMember kMapleRoot = {"maple_tree", "ma_root"};
inline constexpr KernelMember kMapleRange = {"maple_range_64", "slot"};
inline constexpr KernelMember kMapleAllocation = {"maple_arange_64", "slot"};

} // namespace kmd
