/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a reader sees of v3 of the meminspect series, declared anew: the names,
 * numbers and signatures of it and nothing else.
 */
#ifndef _LINUX_MEMINSPECT_H
#define _LINUX_MEMINSPECT_H

#include <linux/types.h>

struct notifier_block;

enum meminspect_uid {
	MEMINSPECT_ID_NONE = 0,
	MEMINSPECT_ID_ELF = 1,
	MEMINSPECT_ID_VMCOREINFO = 2,
	MEMINSPECT_ID_CONFIG = 3,
	MEMINSPECT_ID__totalram_pages = 4,
	MEMINSPECT_ID___cpu_possible_mask = 5,
	MEMINSPECT_ID___cpu_present_mask = 6,
	MEMINSPECT_ID___cpu_online_mask = 7,
	MEMINSPECT_ID___cpu_active_mask = 8,
	MEMINSPECT_ID_mem_section = 9,
	MEMINSPECT_ID_jiffies_64 = 10,
	MEMINSPECT_ID_linux_banner = 11,
	MEMINSPECT_ID_nr_threads = 12,
	MEMINSPECT_ID_total_nr_irqs = 13,
	MEMINSPECT_ID_tainted_mask = 14,
	MEMINSPECT_ID_taint_flags = 15,
	MEMINSPECT_ID_node_states = 16,
	MEMINSPECT_ID___per_cpu_offset = 17,
	MEMINSPECT_ID_nr_swapfiles = 18,
	MEMINSPECT_ID_init_uts_ns = 19,
	MEMINSPECT_ID_printk_rb_static = 20,
	MEMINSPECT_ID_printk_rb_dynamic = 21,
	MEMINSPECT_ID_prb = 22,
	MEMINSPECT_ID_prb_descs = 23,
	MEMINSPECT_ID_prb_infos = 24,
	MEMINSPECT_ID_prb_data = 25,
	MEMINSPECT_ID_clear_seq = 26,
	MEMINSPECT_ID_high_memory = 27,
	MEMINSPECT_ID_init_mm = 28,
	MEMINSPECT_ID_swapper_pg_dir = 42,
	MEMINSPECT_ID_tk_data = 43,
	MEMINSPECT_ID_DYNAMIC = 44,
	MEMINSPECT_ID_MAX = 201,
};

#define MEMINSPECT_NOTIFIER_ADD 0
#define MEMINSPECT_NOTIFIER_REMOVE 1

struct inspect_entry {
	enum meminspect_uid id;
	void *va;
	phys_addr_t pa;
	size_t size;
	unsigned int type;
};

typedef void (*meminspect_iter_cb_t)(void *priv, const struct inspect_entry *e);

void meminspect_table_lock(void);
void meminspect_table_unlock(void);
void meminspect_traverse(void *priv, meminspect_iter_cb_t cb);
int meminspect_notifier_register(struct notifier_block *nb);
int meminspect_notifier_unregister(struct notifier_block *nb);

#define meminspect_lock_traverse(...)			\
	do {						\
		meminspect_table_lock();		\
		meminspect_traverse(__VA_ARGS__);	\
		meminspect_table_unlock();		\
	} while (0)

#endif /* _LINUX_MEMINSPECT_H */
