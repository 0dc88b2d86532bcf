/* SPDX-License-Identifier: GPL-2.0 */
/* Declarations shared by the files of the controller's driver. */
#ifndef _KMEMDUMP_MD_INTERNAL_H
#define _KMEMDUMP_MD_INTERNAL_H

#include <linux/device.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pm.h>
#include <linux/types.h>

#include "kmemdump_md.h"

/* More than any front end offers; limits the memory that a driver needs. */
#define MD_MOST_SLOTS 1024
/* How many missing regions are remembered; further ones are only counted. */
#define MD_MOST_MISSING 64

/**
 * struct md_slot - contents of a slot, to restore it when the device has lost it
 * @phys: physical address of the first byte
 * @virt: kernel virtual address of the first byte
 * @size: length in bytes
 * @id: the kernel's number of the region
 * @flags: kind and flags, section 5.1
 * @name: in memory order, whatever the CPU's byte order is
 * @reserved: when it was registered, all pages of the region were reserved pages
 */
struct md_slot {
	phys_addr_t phys;
	unsigned long virt;
	size_t size;
	u32 id;
	u32 flags;
	__le64 name[KMD_NAME_SIZE / sizeof(__le64)];
	bool reserved;
};

/**
 * struct kmemdump_md - one controller
 * @dev: the device
 * @base: the register window
 * @window: its length in bytes
 * @slots: slot 0, in the window
 * @slot_count: number of slots that the driver uses
 * @minor: minor version of the register specification
 * @id_series: the series that the region numbers belong to
 * @full: a region found no slot, and no slot was emptied since
 * @asleep: the machine sleeps and the device is empty; waking up restores @held
 * @taken: a bit for each slot, set if one of our regions is in it
 * @held: contents of each slot that is taken
 * @missing: addresses of regions that are not saved
 * @missing_known: number of entries in @missing
 * @missing_more: number of further regions that are not saved
 * @not_listed: number of extents that found no room in the list
 * @request_lock: serialises requests from user space
 * @panic: the panic notifier
 */
struct kmemdump_md {
	struct device *dev;
	void __iomem *base;
	resource_size_t window;
	void __iomem *slots;
	u32 slot_count;
	u32 minor;
	enum kmd_id_series id_series;
	bool full;
	bool asleep;
	unsigned long *taken;
	struct md_slot *held;
	unsigned long missing[MD_MOST_MISSING];
	unsigned int missing_known;
	unsigned int missing_more;
	u32 not_listed;
	struct mutex request_lock;	/* one request from user space at a time */
	struct notifier_block panic;
};

static inline u32 md_read(struct kmemdump_md *md, enum kmd_register reg)
{
	return readl(md->base + reg);
}

static inline void md_write(struct kmemdump_md *md, u32 value,
			    enum kmd_register reg)
{
	writel(value, md->base + reg);
}

/* kmemdump_md_core.c */
int kmemdump_md_probe(struct device *dev, struct resource *window);
void kmemdump_md_shutdown(struct device *dev);
extern const struct attribute_group *kmemdump_md_groups[];
extern const struct dev_pm_ops kmemdump_md_pm;

/* kmemdump_md_slots.c */
void kmemdump_md_clear(struct kmemdump_md *md);
void kmemdump_md_fill(struct kmemdump_md *md, u32 slots);
void kmemdump_md_describe_table(struct kmemdump_md *md);
void kmemdump_md_mark_freed(struct kmemdump_md *md);

/* kmemdump_md_result.c */
bool kmemdump_md_dump_saved(u32 result);
void kmemdump_md_print_result(struct kmemdump_md *md, const char *level,
			      const char *prefix);

#endif /* _KMEMDUMP_MD_INTERNAL_H */
