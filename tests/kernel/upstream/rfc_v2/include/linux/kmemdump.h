/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a backend sees of RFC v2 of the kmemdump series, declared anew: the
 * names, numbers and signatures of it and nothing else.
 */
#ifndef _LINUX_KMEMDUMP_H
#define _LINUX_KMEMDUMP_H

#include <linux/types.h>

enum kmemdump_uid {
	KMEMDUMP_ID_START = 0,
	KMEMDUMP_ID_COREIMAGE_ELF = 1,
	KMEMDUMP_ID_COREIMAGE_VMCOREINFO = 2,
	KMEMDUMP_ID_COREIMAGE_CONFIG = 3,
	KMEMDUMP_ID_COREIMAGE_MEMSECT = 4,
	KMEMDUMP_ID_COREIMAGE__totalram_pages = 5,
	KMEMDUMP_ID_COREIMAGE___cpu_possible_mask = 6,
	KMEMDUMP_ID_COREIMAGE___cpu_present_mask = 7,
	KMEMDUMP_ID_COREIMAGE___cpu_online_mask = 8,
	KMEMDUMP_ID_COREIMAGE___cpu_active_mask = 9,
	KMEMDUMP_ID_COREIMAGE_jiffies_64 = 10,
	KMEMDUMP_ID_COREIMAGE_linux_banner = 11,
	KMEMDUMP_ID_COREIMAGE_nr_threads = 12,
	KMEMDUMP_ID_COREIMAGE_nr_irqs = 13,
	KMEMDUMP_ID_COREIMAGE_tainted_mask = 14,
	KMEMDUMP_ID_COREIMAGE_taint_flags = 15,
	KMEMDUMP_ID_COREIMAGE_mem_section = 16,
	KMEMDUMP_ID_COREIMAGE_node_data = 17,
	KMEMDUMP_ID_COREIMAGE_node_states = 18,
	KMEMDUMP_ID_COREIMAGE___per_cpu_offset = 19,
	KMEMDUMP_ID_COREIMAGE_nr_swapfiles = 20,
	KMEMDUMP_ID_COREIMAGE_init_uts_ns = 21,
	KMEMDUMP_ID_COREIMAGE_printk_rb_static = 22,
	KMEMDUMP_ID_COREIMAGE_printk_rb_dynamic = 23,
	KMEMDUMP_ID_COREIMAGE_prb = 24,
	KMEMDUMP_ID_COREIMAGE_prb_descs = 25,
	KMEMDUMP_ID_COREIMAGE_prb_infos = 26,
	KMEMDUMP_ID_COREIMAGE_prb_data = 27,
	KMEMDUMP_ID_COREIMAGE_runqueues = 28,
	KMEMDUMP_ID_COREIMAGE_high_memory = 29,
	KMEMDUMP_ID_COREIMAGE_init_mm = 30,
	KMEMDUMP_ID_COREIMAGE_init_mm_pgd = 31,
	KMEMDUMP_ID_USER_START = 32,
	KMEMDUMP_ID_USER_END = 33,
	KMEMDUMP_ID_NO_ID = 34,
};

#define KMEMDUMP_BACKEND_MAX_NAME 128

struct kmemdump_backend {
	char name[KMEMDUMP_BACKEND_MAX_NAME];
	int (*register_region)(const struct kmemdump_backend *be,
			       enum kmemdump_uid uid, void *vaddr, size_t size);
	int (*unregister_region)(const struct kmemdump_backend *be,
				 enum kmemdump_uid uid);
};

int kmemdump_register_backend(const struct kmemdump_backend *be);
void kmemdump_unregister_backend(const struct kmemdump_backend *be);
int kmemdump_register_id(enum kmemdump_uid uid, void *zone, size_t size);
void kmemdump_unregister(enum kmemdump_uid uid);

#endif /* _LINUX_KMEMDUMP_H */
