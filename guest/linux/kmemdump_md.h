/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface between the driver of the controller, which manages slots and
 * triggers, and its front end, which supplies the regions. A build has one front
 * end; Kbuild selects it.
 */
#ifndef _KMEMDUMP_MD_H
#define _KMEMDUMP_MD_H

#include <linux/types.h>

#include <kmemdump_md_regs.h>

struct device;
struct pt_regs;
struct kmemdump_md;

/**
 * struct kmemdump_md_region - a region to put into a slot
 * @id: the kernel's number of the region
 * @kind: kind of the contents
 * @vital: part of the log, which is more important than all else
 * @name: up to KMD_NAME_SIZE characters of it are kept
 * @phys: physical address of the first byte
 * @virt: kernel virtual address of the first byte, for readers of the dump
 * @size: length in bytes, physically contiguous
 */
struct kmemdump_md_region {
	u32 id;
	enum kmd_kind kind;
	bool vital;
	const char *name;
	phys_addr_t phys;
	unsigned long virt;
	size_t size;
};

int kmemdump_md_add(struct kmemdump_md *md,
		    const struct kmemdump_md_region *region);
int kmemdump_md_remove(struct kmemdump_md *md, u32 slot);
void kmemdump_md_forget(struct kmemdump_md *md, unsigned long virt);
void kmemdump_md_not_listed(struct kmemdump_md *md, u32 count);
void kmemdump_md_set_id_series(struct kmemdump_md *md,
			       enum kmd_id_series series);
bool kmemdump_md_has(struct kmemdump_md *md, enum kmd_feature feature);

/**
 * kmemdump_md_attach() - start offering regions; every front end implements this
 * @dev: the controller's device; the front end is released with it (devm)
 * @md: the controller
 *
 * When this returns, all existing regions have been offered to the controller.
 *
 * Return: 0, or a negative errno after one line that says why.
 */
int kmemdump_md_attach(struct device *dev, struct kmemdump_md *md);

/**
 * kmemdump_md_prepare() - called before the doorbell is rung; every front end
 *	implements this
 * @regs: registers of this CPU when the kernel panics, NULL otherwise
 *
 * Called in process context or by a panic notifier.
 */
void kmemdump_md_prepare(struct pt_regs *regs);

#endif /* _KMEMDUMP_MD_H */
