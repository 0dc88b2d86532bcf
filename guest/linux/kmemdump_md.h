/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between the driver of the controller, which knows slots and triggers, and
 * its front end, which knows where the regions come from. There is one front
 * end in a build; Kbuild selects it.
 */
#ifndef _KMEMDUMP_MD_H
#define _KMEMDUMP_MD_H

#include <linux/types.h>

#include <kmemdump_md_regs.h>

struct device;
struct pt_regs;
struct kmemdump_md;

/**
 * struct kmemdump_md_region - what goes into a slot
 * @id: the kernel's own number of the region
 * @kind: what the bytes are
 * @vital: of the log, which is worth more than all else
 * @name: up to KMD_NAME_SIZE characters of it are kept
 * @phys: physical address of the first byte
 * @virt: kernel virtual address of the first byte, for who reads the dump
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
 * kmemdump_md_attach() - start feeding regions; every front end has one
 * @dev: the controller's device; the front end ends with it (devm)
 * @md: the controller
 *
 * Every region there is has been offered to the controller when this returns.
 *
 * Return: 0, or a negative errno after one line that says why.
 */
int kmemdump_md_attach(struct device *dev, struct kmemdump_md *md);

/**
 * kmemdump_md_prepare() - the doorbell is rung next; every front end has one
 * @regs: registers of this CPU when the kernel panics, NULL otherwise
 *
 * In process context, or in that of a panic notifier.
 */
void kmemdump_md_prepare(struct pt_regs *regs);

#endif /* _KMEMDUMP_MD_H */
