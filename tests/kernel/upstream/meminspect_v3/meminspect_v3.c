// SPDX-License-Identifier: GPL-2.0
/*
 * Behaves towards a reader as v3 of the meminspect series does: one table, an
 * atomic notifier chain, and replacement of an entry as a removal and an
 * addition. It has a few entries, and changes them when 1 is written to its
 * parameter "step": also by announcing again what is there already, as the
 * series does when its table is prepared.
 */
#define pr_fmt(fmt) "meminspect_v3: " fmt

#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/meminspect.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kmemdump_compat.h"
#include "pattern.h"

static DEFINE_MUTEX(lock);
static ATOMIC_NOTIFIER_HEAD(readers);
static struct inspect_entry entries[MEMINSPECT_ID_MAX];

void meminspect_table_lock(void)
{
	mutex_lock(&lock);
}
EXPORT_SYMBOL_GPL(meminspect_table_lock);

void meminspect_table_unlock(void)
{
	mutex_unlock(&lock);
}
EXPORT_SYMBOL_GPL(meminspect_table_unlock);

void meminspect_traverse(void *priv, meminspect_iter_cb_t cb)
{
	unsigned int id;

	WARN_ON(!mutex_is_locked(&lock));
	for (id = MEMINSPECT_ID_ELF; id < MEMINSPECT_ID_MAX; id++)
		if (entries[id].id)
			cb(priv, &entries[id]);
}
EXPORT_SYMBOL_GPL(meminspect_traverse);

int meminspect_notifier_register(struct notifier_block *nb)
{
	return atomic_notifier_chain_register(&readers, nb);
}
EXPORT_SYMBOL_GPL(meminspect_notifier_register);

int meminspect_notifier_unregister(struct notifier_block *nb)
{
	return atomic_notifier_chain_unregister(&readers, nb);
}
EXPORT_SYMBOL_GPL(meminspect_notifier_unregister);

static void announce(unsigned long event, unsigned int id)
{
	atomic_notifier_call_chain(&readers, event, &entries[id]);
}

static void remove(unsigned int id)
{
	if (!entries[id].id)
		return;
	announce(MEMINSPECT_NOTIFIER_REMOVE, id);
	memset(&entries[id], 0, sizeof(entries[id]));
}

static void add(unsigned int id, void *va, phys_addr_t pa, size_t size)
{
	remove(id);
	entries[id] = (struct inspect_entry) {
		.id = id, .va = va, .pa = pa, .size = size,
	};
	announce(MEMINSPECT_NOTIFIER_ADD, id);
}

static void add_linear(unsigned int id, void *va, size_t size)
{
	add(id, va, virt_to_phys(va), size);
}

static void announce_again(void *priv, const struct inspect_entry *e)
{
	announce(MEMINSPECT_NOTIFIER_ADD, e->id);
}

/* Three in the linear map, one page of the module's own memory. */
static u8 *first, *second, *late;
static u8 own[PAGE_SIZE] __aligned(PAGE_SIZE);

static int set_step(const char *value, const struct kernel_param *param)
{
	meminspect_table_lock();
	remove(MEMINSPECT_ID_jiffies_64);
	add_linear(MEMINSPECT_ID_DYNAMIC, second, 2 * PAGE_SIZE);
	add_linear(MEMINSPECT_ID_DYNAMIC + 2, late, 100);
	meminspect_traverse(NULL, announce_again);
	meminspect_table_unlock();
	pr_info("step done\n");
	return 0;
}

static const struct kernel_param_ops step_ops = { .set = set_step };
module_param_cb(step, &step_ops, NULL, 0200);
MODULE_PARM_DESC(step, "Remove an entry, replace one, add one, announce all again");

static u8 *alloc_pattern(size_t size, u8 seed)
{
	u8 *bytes = kmalloc(size, GFP_KERNEL);

	if (bytes)
		fill_pattern(bytes, size, seed);
	return bytes;
}

static void free_patterns(void)
{
	kfree(first);
	kfree(second);
	kfree(late);
}

static int __init meminspect_v3_init(void)
{
	/* Behind the header of the note and its name, both of 12 bytes. */
	void *vmcoreinfo = phys_to_virt(paddr_vmcoreinfo_note()) + 24;
	void *jiffies = lm_alias((void *)&jiffies_64);

	first = alloc_pattern(3 * PAGE_SIZE, 1);
	second = alloc_pattern(2 * PAGE_SIZE, 4);
	late = alloc_pattern(100, 3);
	if (!first || !second || !late) {
		free_patterns();
		return -ENOMEM;
	}
	fill_pattern(own, sizeof(own), 2);

	meminspect_table_lock();
	add_linear(MEMINSPECT_ID_VMCOREINFO, vmcoreinfo, strlen(vmcoreinfo));
	add_linear(MEMINSPECT_ID_jiffies_64, jiffies, sizeof(jiffies_64));
	add_linear(MEMINSPECT_ID_DYNAMIC, first, 3 * PAGE_SIZE);
	add(MEMINSPECT_ID_DYNAMIC + 1, own,
	    page_to_phys(vmalloc_to_page(own)), sizeof(own));
	meminspect_table_unlock();
	return 0;
}
module_init(meminspect_v3_init);

static void __exit meminspect_v3_exit(void)
{
	free_patterns();
}
module_exit(meminspect_v3_exit);

MODULE_DESCRIPTION("Stands in for v3 of the meminspect series in tests");
MODULE_LICENSE("GPL");
