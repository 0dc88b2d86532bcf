// SPDX-License-Identifier: GPL-2.0
/*
 * Front end of the controller's driver: a reader of the inspection table of
 * the meminspect series (v3).
 *
 * Its notifiers run in atomic context. Filling a slot takes a few stores to the
 * device and never sleeps, so the notifier does it directly. When the notifier
 * for a removal returns, the slot is empty and the memory may be freed.
 */
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/meminspect.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "kmemdump_md.h"

/**
 * struct md_entry - an entry of the table that has a slot
 * @pa: physical address of the first byte
 * @size: length in bytes, 0 if the entry has no slot
 * @slot: its slot
 */
struct md_entry {
	phys_addr_t pa;
	size_t size;
	u32 slot;
};

/**
 * struct md_reader - the reader of one controller
 * @dev: its device
 * @md: the controller
 * @notifier: the callback for meminspect
 * @lock: protects @entries and the slots
 * @entries: indexed by the numbers of meminspect
 */
struct md_reader {
	struct device *dev;
	struct kmemdump_md *md;
	struct notifier_block notifier;
	spinlock_t lock;	/* entries and slots */
	struct md_entry entries[MEMINSPECT_ID_MAX];
};

static const char * const names[MEMINSPECT_ID_DYNAMIC] = {
	[MEMINSPECT_ID_ELF] = "ELF",
	[MEMINSPECT_ID_VMCOREINFO] = "vmcoreinfo",
	[MEMINSPECT_ID_CONFIG] = "config",
	[MEMINSPECT_ID__totalram_pages] = "totalram",
	[MEMINSPECT_ID___cpu_possible_mask] = "cpu_possible",
	[MEMINSPECT_ID___cpu_present_mask] = "cpu_present",
	[MEMINSPECT_ID___cpu_online_mask] = "cpu_online",
	[MEMINSPECT_ID___cpu_active_mask] = "cpu_active",
	[MEMINSPECT_ID_mem_section] = "mem_section",
	[MEMINSPECT_ID_jiffies_64] = "jiffies",
	[MEMINSPECT_ID_linux_banner] = "linux_banner",
	[MEMINSPECT_ID_nr_threads] = "nr_threads",
	[MEMINSPECT_ID_total_nr_irqs] = "nr_irqs",
	[MEMINSPECT_ID_tainted_mask] = "tainted_mask",
	[MEMINSPECT_ID_taint_flags] = "taint_flags",
	[MEMINSPECT_ID_node_states] = "node_states",
	[MEMINSPECT_ID___per_cpu_offset] = "__per_cpu_offset",
	[MEMINSPECT_ID_nr_swapfiles] = "nr_swapfiles",
	[MEMINSPECT_ID_init_uts_ns] = "init_uts_ns",
	[MEMINSPECT_ID_printk_rb_static] = "printk_rb_static",
	[MEMINSPECT_ID_printk_rb_dynamic] = "printk_rb_dyn",
	[MEMINSPECT_ID_prb] = "prb",
	[MEMINSPECT_ID_prb_descs] = "prb_descs",
	[MEMINSPECT_ID_prb_infos] = "prb_infos",
	[MEMINSPECT_ID_prb_data] = "prb_data",
	[MEMINSPECT_ID_clear_seq] = "clear_seq",
	[MEMINSPECT_ID_high_memory] = "high_memory",
	[MEMINSPECT_ID_init_mm] = "init_mm",
	[MEMINSPECT_ID_swapper_pg_dir] = "swapper_pg_dir",
};

static const char *entry_name(enum meminspect_uid id)
{
	if (id < ARRAY_SIZE(names))
		return names[id] ?: "unnamed";
	return "dynamic";
}

static enum kmd_kind entry_kind(enum meminspect_uid id)
{
	switch (id) {
	case MEMINSPECT_ID_ELF:
		return KMD_KIND_ELF_HEADER;
	case MEMINSPECT_ID_VMCOREINFO:
		return KMD_KIND_VMCOREINFO;
	default:
		return KMD_KIND_MEMORY;
	}
}

/* All of these are needed to read the log, and readers need vmcoreinfo. */
static bool is_vital(enum meminspect_uid id)
{
	switch (id) {
	case MEMINSPECT_ID_VMCOREINFO:
	case MEMINSPECT_ID_printk_rb_static:
	case MEMINSPECT_ID_printk_rb_dynamic:
	case MEMINSPECT_ID_prb:
	case MEMINSPECT_ID_prb_descs:
	case MEMINSPECT_ID_prb_infos:
	case MEMINSPECT_ID_prb_data:
		return true;
	default:
		return false;
	}
}

static void forget(struct md_reader *reader, struct md_entry *known)
{
	if (!known->size)
		return;
	if (kmemdump_md_remove(reader->md, known->slot))
		dev_warn(reader->dev, "the device did not release slot %u\n",
			 known->slot);
	known->size = 0;
}

/* An entry may arrive twice: from the traversal and from a notifier. */
static void add_entry(void *data, const struct inspect_entry *e)
{
	struct md_reader *reader = data;
	struct kmemdump_md_region region = {
		.id = e->id,
		.kind = entry_kind(e->id),
		.vital = is_vital(e->id),
		.name = entry_name(e->id),
		.phys = e->pa,
		.virt = (unsigned long)e->va,
		.size = e->size,
	};
	struct md_entry *known;
	unsigned long flags;
	int slot;

	if (e->id >= MEMINSPECT_ID_MAX) {
		dev_warn(reader->dev, "region %d not accepted, expected a number below %d\n",
			 (int)e->id, MEMINSPECT_ID_MAX);
		return;
	}

	spin_lock_irqsave(&reader->lock, flags);
	known = &reader->entries[e->id];
	if (!known->size || known->pa != e->pa || known->size != e->size) {
		forget(reader, known);
		slot = kmemdump_md_add(reader->md, &region);
		if (slot >= 0) {
			known->pa = e->pa;
			known->size = e->size;
			known->slot = slot;
		}
	}
	spin_unlock_irqrestore(&reader->lock, flags);
}

static void add_vital_entry(void *data, const struct inspect_entry *e)
{
	if (is_vital(e->id))
		add_entry(data, e);
}

static void remove_entry(struct md_reader *reader,
			 const struct inspect_entry *e)
{
	unsigned long flags;

	if (e->id >= MEMINSPECT_ID_MAX)
		return;

	spin_lock_irqsave(&reader->lock, flags);
	forget(reader, &reader->entries[e->id]);
	/* It may be an entry that found no slot. */
	kmemdump_md_forget(reader->md, (unsigned long)e->va);
	spin_unlock_irqrestore(&reader->lock, flags);
}

static int md_notify(struct notifier_block *nb, unsigned long event, void *data)
{
	struct md_reader *reader = container_of(nb, struct md_reader, notifier);

	switch (event) {
	case MEMINSPECT_NOTIFIER_ADD:
		add_entry(reader, data);
		return NOTIFY_OK;
	case MEMINSPECT_NOTIFIER_REMOVE:
		remove_entry(reader, data);
		return NOTIFY_OK;
	default:
		return NOTIFY_DONE;
	}
}

static void md_stop_reading(void *data)
{
	struct md_reader *reader = data;
	unsigned int id, had = 0;

	/* Waits for a running notifier; no notifier runs after this. */
	meminspect_notifier_unregister(&reader->notifier);
	for (id = 0; id < MEMINSPECT_ID_MAX; id++) {
		had += !!reader->entries[id].size;
		forget(reader, &reader->entries[id]);
	}
	dev_info(reader->dev, "meminspect: %u regions given back\n", had);
}

void kmemdump_md_prepare(struct pt_regs *regs)
{
}

int kmemdump_md_attach(struct device *dev, struct kmemdump_md *md)
{
	struct md_reader *reader = devm_kzalloc(dev, sizeof(*reader),
						GFP_KERNEL);
	unsigned int id, taken = 0;
	int ret;

	if (!reader)
		return -ENOMEM;

	reader->dev = dev;
	reader->md = md;
	spin_lock_init(&reader->lock);
	reader->notifier.notifier_call = md_notify;
	kmemdump_md_set_id_series(md, KMD_SERIES_MEMINSPECT);

	/* In this order, so that no entry is missed between the two. */
	ret = meminspect_notifier_register(&reader->notifier);
	if (ret)
		return dev_err_probe(dev, ret,
				     "expected to become a reader of meminspect\n");
	meminspect_lock_traverse(reader, add_vital_entry);
	meminspect_lock_traverse(reader, add_entry);

	for (id = 0; id < MEMINSPECT_ID_MAX; id++)
		taken += !!READ_ONCE(reader->entries[id].size);
	dev_info(dev, "meminspect: %u regions\n", taken);
	return devm_add_action_or_reset(dev, md_stop_reading, reader);
}
