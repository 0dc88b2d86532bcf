/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmemdump: kernel memory regions that are worth saving when the machine
 * dies, and the backends that can save them without the kernel's help.
 */
#ifndef _KMEMDUMP_H
#define _KMEMDUMP_H

#include <linux/types.h>

/**
 * enum kmemdump_uid - the number of a region, and its place in the core image
 *
 * @KMEMDUMP_ID_START: never a region
 * @KMEMDUMP_ID_COREIMAGE_ELF: ELF header, program headers and notes
 * @KMEMDUMP_ID_COREIMAGE_VMCOREINFO: the vmcoreinfo text
 * @KMEMDUMP_ID_COREIMAGE_CONFIG: the compressed kernel configuration
 * @KMEMDUMP_ID_COREIMAGE_MEMSECT: the array that ``mem_section`` points to
 * @KMEMDUMP_ID_COREIMAGE__totalram_pages: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE___cpu_possible_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE___cpu_present_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE___cpu_online_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE___cpu_active_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_jiffies_64: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_linux_banner: the string with its terminator
 * @KMEMDUMP_ID_COREIMAGE_nr_threads: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_nr_irqs: the variable, whatever its name today
 * @KMEMDUMP_ID_COREIMAGE_tainted_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_taint_flags: the array of that name
 * @KMEMDUMP_ID_COREIMAGE_mem_section: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_node_data: the array of pointers of that name
 * @KMEMDUMP_ID_COREIMAGE_node_states: the array of that name
 * @KMEMDUMP_ID_COREIMAGE___per_cpu_offset: the array of that name
 * @KMEMDUMP_ID_COREIMAGE_nr_swapfiles: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_init_uts_ns: the structure of that name
 * @KMEMDUMP_ID_COREIMAGE_printk_rb_static: the structure of that name
 * @KMEMDUMP_ID_COREIMAGE_printk_rb_dynamic: the structure of that name
 * @KMEMDUMP_ID_COREIMAGE_prb: pointer to the ring buffer in use
 * @KMEMDUMP_ID_COREIMAGE_prb_descs: descriptors of the ring buffer in use
 * @KMEMDUMP_ID_COREIMAGE_prb_infos: records of the ring buffer in use
 * @KMEMDUMP_ID_COREIMAGE_prb_data: text of the ring buffer in use
 * @KMEMDUMP_ID_COREIMAGE_runqueues: runqueue of the first possible CPU
 * @KMEMDUMP_ID_COREIMAGE_high_memory: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_init_mm: the structure of that name
 * @KMEMDUMP_ID_COREIMAGE_init_mm_pgd: its member ``pgd``
 * @KMEMDUMP_ID_USER_START: for platform code
 * @KMEMDUMP_ID_USER_END: for platform code
 * @KMEMDUMP_ID_NO_ID: asks for any free number; never a region itself
 * @KMEMDUMP_ID_DYNAMIC: the first number handed out for KMEMDUMP_ID_NO_ID
 * @KMEMDUMP_ID_MAX: one past the last number, the capacity of every table
 *
 * Numbers are also the order of the regions in a core image.
 */
enum kmemdump_uid {
	KMEMDUMP_ID_START = 0,
	KMEMDUMP_ID_COREIMAGE_ELF,
	KMEMDUMP_ID_COREIMAGE_VMCOREINFO,
	KMEMDUMP_ID_COREIMAGE_CONFIG,
	KMEMDUMP_ID_COREIMAGE_MEMSECT,
	KMEMDUMP_ID_COREIMAGE__totalram_pages,
	KMEMDUMP_ID_COREIMAGE___cpu_possible_mask,
	KMEMDUMP_ID_COREIMAGE___cpu_present_mask,
	KMEMDUMP_ID_COREIMAGE___cpu_online_mask,
	KMEMDUMP_ID_COREIMAGE___cpu_active_mask,
	KMEMDUMP_ID_COREIMAGE_jiffies_64,
	KMEMDUMP_ID_COREIMAGE_linux_banner,
	KMEMDUMP_ID_COREIMAGE_nr_threads,
	KMEMDUMP_ID_COREIMAGE_nr_irqs,
	KMEMDUMP_ID_COREIMAGE_tainted_mask,
	KMEMDUMP_ID_COREIMAGE_taint_flags,
	KMEMDUMP_ID_COREIMAGE_mem_section,
	KMEMDUMP_ID_COREIMAGE_node_data,
	KMEMDUMP_ID_COREIMAGE_node_states,
	KMEMDUMP_ID_COREIMAGE___per_cpu_offset,
	KMEMDUMP_ID_COREIMAGE_nr_swapfiles,
	KMEMDUMP_ID_COREIMAGE_init_uts_ns,
	KMEMDUMP_ID_COREIMAGE_printk_rb_static,
	KMEMDUMP_ID_COREIMAGE_printk_rb_dynamic,
	KMEMDUMP_ID_COREIMAGE_prb,
	KMEMDUMP_ID_COREIMAGE_prb_descs,
	KMEMDUMP_ID_COREIMAGE_prb_infos,
	KMEMDUMP_ID_COREIMAGE_prb_data,
	KMEMDUMP_ID_COREIMAGE_runqueues,
	KMEMDUMP_ID_COREIMAGE_high_memory,
	KMEMDUMP_ID_COREIMAGE_init_mm,
	KMEMDUMP_ID_COREIMAGE_init_mm_pgd,
	KMEMDUMP_ID_USER_START,
	KMEMDUMP_ID_USER_END,
	KMEMDUMP_ID_NO_ID,
	KMEMDUMP_ID_DYNAMIC,
	KMEMDUMP_ID_MAX = 512,
};

#define KMEMDUMP_BACKEND_MAX_NAME 32

/**
 * struct kmemdump_backend - somebody who can save regions
 * @name: for the kernel log
 * @register_region: take a region. Returns 0, or a negative errno, which
 *	refuses this region and no other. The memory is physically contiguous,
 *	see kmemdump_virt_to_phys().
 * @unregister_region: forget a region that @register_region has taken.
 *	Returns 0 or a negative errno.
 *
 * Both are called in process context, one call at a time, may sleep, and must
 * not call back into kmemdump, except for kmemdump_uid_name() and
 * kmemdump_virt_to_phys().
 */
struct kmemdump_backend {
	char name[KMEMDUMP_BACKEND_MAX_NAME];
	int (*register_region)(const struct kmemdump_backend *be,
			       enum kmemdump_uid uid, void *vaddr, size_t size);
	int (*unregister_region)(const struct kmemdump_backend *be,
				 enum kmemdump_uid uid);
};

int kmemdump_register_id(enum kmemdump_uid uid, void *zone, size_t size);
int kmemdump_register_named(const char *name, void *zone, size_t size);
void kmemdump_unregister(enum kmemdump_uid uid);

/**
 * kmemdump_register() - register a region under any free number
 * @zone: first byte, a kernel virtual address
 * @size: length in bytes
 *
 * Return: as kmemdump_register_id().
 */
static inline int kmemdump_register(void *zone, size_t size)
{
	return kmemdump_register_id(KMEMDUMP_ID_NO_ID, zone, size);
}

int kmemdump_register_backend(const struct kmemdump_backend *be);
void kmemdump_unregister_backend(const struct kmemdump_backend *be);

const char *kmemdump_uid_name(enum kmemdump_uid uid);
int kmemdump_virt_to_phys(const void *zone, size_t size, phys_addr_t *phys);

#endif /* _KMEMDUMP_H */
