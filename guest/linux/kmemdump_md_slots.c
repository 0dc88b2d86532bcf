// SPDX-License-Identifier: GPL-2.0
/*
 * The slots of the controller: their contents, regions that found no slot, and
 * regions whose memory was freed. Section numbers refer to docs/register-spec.md.
 */
#include <linux/bitmap.h>
#include <linux/build_bug.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kasan.h>
#include <linux/kernel.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "kmemdump_md_internal.h"

/* How many pages of a region are checked; larger regions are sampled. */
#define MOST_PAGES_LOOKED_AT 4096
/* How many lines about single regions a panic prints. */
#define MOST_FREED_LINES 8

/* Section 6 */
struct slot_error {
	enum kmd_slot_status status;
	int error;
	const char *reason;
};

static const struct slot_error slot_errors[] = {
	{ KMD_SLOT_EMPTY, -EIO, "the commit had no effect" },
	{ KMD_SLOT_BAD_SIZE, -EINVAL, "its size is 0" },
	{ KMD_SLOT_WRAPS, -ERANGE, "it reaches past the end of the address space" },
	{ KMD_SLOT_NOT_RAM, -EFAULT, "some of it is not RAM" },
	{ KMD_SLOT_BAD_FLAGS, -EOPNOTSUPP, "its kind or a flag is not known" },
	{ KMD_SLOT_DUPLICATE, -EEXIST, "its number or its kind is in use already" },
	{ KMD_SLOT_REFUSED, -EPERM, "the host refuses it" },
};

static const struct slot_error *find_slot_error(u32 status)
{
	static const struct slot_error unknown = {
		.error = -EPROTO, .reason = "the driver does not know this status",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slot_errors); i++)
		if (slot_errors[i].status == status)
			return &slot_errors[i];
	return &unknown;
}

/* Section 4.4, since 1.1: regions that the guest wants saved and that have no slot. */
static void tell_missing(struct kmemdump_md *md)
{
	if (md->minor >= 1 && !md->asleep)
		md_write(md, md->missing_known + md->missing_more,
			 KMD_NOT_REGISTERED);
}

/* Readers of a dump do not know tags, and an object can have several. */
static unsigned long untagged(unsigned long virt)
{
	return (unsigned long)kasan_reset_tag((void *)virt);
}

static unsigned int find_missing(struct kmemdump_md *md, unsigned long virt)
{
	unsigned int i;

	for (i = 0; i < md->missing_known; i++)
		if (md->missing[i] == virt)
			break;
	return i;
}

/* A region that is offered several times counts once. */
static void note_missing(struct kmemdump_md *md, unsigned long virt)
{
	if (find_missing(md, virt) < md->missing_known)
		return;
	if (md->missing_known < MD_MOST_MISSING)
		md->missing[md->missing_known++] = virt;
	else
		md->missing_more++;
	tell_missing(md);
}

/**
 * kmemdump_md_forget() - a region that found no slot is no longer wanted
 * @md: the controller
 * @virt: address of its first byte
 *
 * Same context as kmemdump_md_add(). Ignores unknown regions.
 */
void kmemdump_md_forget(struct kmemdump_md *md, unsigned long virt)
{
	unsigned int i = find_missing(md, untagged(virt));

	if (i == md->missing_known)
		return;
	md->missing[i] = md->missing[--md->missing_known];
	tell_missing(md);
}

/**
 * kmemdump_md_not_listed() - report how many extents found no room in the list
 * @md: the controller
 * @count: the number of extents
 *
 * Any context.
 */
void kmemdump_md_not_listed(struct kmemdump_md *md, u32 count)
{
	if (count == md->not_listed)
		return;
	md->not_listed = count;
	if (md->minor >= 1 && !md->asleep)
		md_write(md, count, KMD_NOT_LISTED);
}

static int no_slot(struct kmemdump_md *md, const struct md_slot *held)
{
	if (!md->full)
		dev_err(md->dev,
			"region %.16s (uid %u) and those after it are not saved, expected a free slot: %u of %u are taken\n",
			(const char *)held->name, held->id,
			md_read(md, KMD_REGION_COUNT),
			md_read(md, KMD_SLOT_COUNT));
	md->full = true;
	return -ENOSPC;
}

static int not_accepted(struct kmemdump_md *md, const struct md_slot *held,
			u32 status)
{
	const struct slot_error *error;

	if (status == KMD_SLOT_TABLE_FULL)
		return no_slot(md, held);

	error = find_slot_error(status);
	dev_err(md->dev,
		"region %.16s (uid %u, %zu bytes at %pap) not accepted, status %u: %s\n",
		(const char *)held->name, held->id, held->size, &held->phys,
		status, error->reason);
	return error->error;
}

static void __iomem *slot_at(struct kmemdump_md *md, u32 index)
{
	return md->slots + index * KMD_SLOT_STRIDE_VALUE;
}

static bool is_accepted(u32 status)
{
	return status == KMD_SLOT_OK || status == KMD_SLOT_OK_OVERLAP;
}

/* Section 6, steps 2 to 4. Returns SLOT_STATUS. */
static u32 commit(struct kmemdump_md *md, u32 index, const struct md_slot *held)
{
	void __iomem *slot = slot_at(md, index);

	static_assert(ARRAY_SIZE(held->name) == 2);

	writeq(held->phys, slot + KMD_SLOT_PHYS);
	writeq(held->virt, slot + KMD_SLOT_VIRT);
	writeq(held->size, slot + KMD_SLOT_SIZE);
	writeq(le64_to_cpu(held->name[0]), slot + KMD_SLOT_NAME);
	writeq(le64_to_cpu(held->name[1]), slot + KMD_SLOT_NAME + 8);
	writeq(held->id | (u64)held->flags << 32, slot + KMD_SLOT_ID);
	writel(1, slot + KMD_SLOT_COMMIT);
	return readl(slot + KMD_SLOT_STATUS);
}

/* NULL if there is no such page, or no longer. */
static struct page *page_of(phys_addr_t phys)
{
	return pfn_valid(PHYS_PFN(phys)) ? pfn_to_online_page(PHYS_PFN(phys)) :
					   NULL;
}

/*
 * A page without references is free, unless its type shows that it belongs to an
 * allocator that does not use the reference count.
 */
static bool is_free(struct page *page)
{
	struct page *head = compound_head(page);

	if (page_count(head))
		return false;
	return PageBuddy(head) || !(PageSlab(head) || page_has_type(head));
}

/* Whether every sampled page passes a check. */
static bool all_pages(const struct md_slot *held,
		      bool (*check)(const struct md_slot *held,
				    struct page *page))
{
	const phys_addr_t first = PAGE_ALIGN_DOWN(held->phys);
	const u64 pages = PHYS_PFN(held->phys + held->size - 1 - first) + 1;
	const u64 step = DIV_ROUND_UP_ULL(pages, MOST_PAGES_LOOKED_AT);
	u64 i;

	for (i = 0; i < pages; i += step)
		if (!check(held, page_of(first + (i << PAGE_SHIFT))))
			return false;
	return true;
}

static bool page_is_reserved(const struct md_slot *held, struct page *page)
{
	return page && !PageCompound(page) && PageReserved(page);
}

static bool page_is_as_it_was(const struct md_slot *held, struct page *page)
{
	if (held->reserved)
		return page_is_reserved(held, page);
	return page && !is_free(page);
}

static void describe(struct md_slot *held,
		     const struct kmemdump_md_region *region, bool flags)
{
	memset(held, 0, sizeof(*held));
	held->phys = region->phys;
	held->virt = untagged(region->virt);
	held->size = region->size;
	held->id = region->id;
	held->flags = region->kind;
	if (flags && region->vital)
		held->flags |= KMD_FLAG_VITAL;
	memcpy(held->name, region->name, strnlen(region->name, KMD_NAME_SIZE));
	held->reserved = region->size && all_pages(held, page_is_reserved);
}

/**
 * kmemdump_md_add() - put a region into a free slot
 * @md: the controller
 * @region: the region; not used after the call
 *
 * Any context. The caller serialises calls to this function,
 * kmemdump_md_remove() and kmemdump_md_forget().
 *
 * Return: the slot, or a negative errno after one line that says why; a full
 * table prints one line for all regions that find no slot. A region without a
 * slot counts as missing until it gets one, or until kmemdump_md_forget().
 */
int kmemdump_md_add(struct kmemdump_md *md,
		    const struct kmemdump_md_region *region)
{
	struct md_slot held;
	u32 index, status;
	int ret;

	describe(&held, region, md->minor >= 1);
	/* Do not ask the device: an access costs more than the search. */
	index = find_first_zero_bit(md->taken, md->slot_count);
	if (index >= md->slot_count) {
		ret = no_slot(md, &held);
		note_missing(md, held.virt);
		return ret;
	}
	status = md->asleep ? KMD_SLOT_OK : commit(md, index, &held);
	if (!is_accepted(status)) {
		ret = not_accepted(md, &held, status);
		note_missing(md, held.virt);
		return ret;
	}
	md->held[index] = held;
	set_bit(index, md->taken);
	kmemdump_md_forget(md, held.virt);
	return index;
}

/**
 * kmemdump_md_remove() - empty a slot
 * @md: the controller
 * @slot: the slot that kmemdump_md_add() returned
 *
 * After this returned 0, the memory may be freed.
 *
 * Return: 0, or -EIO if the device keeps the slot.
 */
int kmemdump_md_remove(struct kmemdump_md *md, u32 slot)
{
	void __iomem *at = slot_at(md, slot) + KMD_SLOT_COMMIT;

	if (!md->asleep && slot < md->slot_count) {
		writel(0, at);
		/* The memory may be freed next: make sure that the device knows. */
		if (readl(at))
			return -EIO;
	}
	md->full = false;
	clear_bit(slot, md->taken);
	kmemdump_md_forget(md, md->held[slot].virt);
	return 0;
}

/**
 * kmemdump_md_clear() - empty all slots of the device
 * @md: the controller
 *
 * This includes the regions of another kernel.
 */
void kmemdump_md_clear(struct kmemdump_md *md)
{
	md_write(md, 1, KMD_RESET_TABLE);
}

/**
 * kmemdump_md_describe_table() - write the registers of section 4.4
 * @md: the controller, after a reset of its table
 */
void kmemdump_md_describe_table(struct kmemdump_md *md)
{
	if (md->minor < 1)
		return;
	md_write(md, md->id_series, KMD_ID_SERIES);
	md_write(md, md->not_listed, KMD_NOT_LISTED);
	tell_missing(md);
}

/**
 * kmemdump_md_fill() - restore the regions that the device has lost
 * @md: the controller, whose table is empty
 * @slots: number of slots that were used; the device may have fewer now
 *
 * Any context, including a panic. A region that the device no longer accepts
 * counts as missing.
 */
void kmemdump_md_fill(struct kmemdump_md *md, u32 slots)
{
	u32 index;

	for_each_set_bit(index, md->taken, slots) {
		const struct md_slot *held = &md->held[index];
		u32 status = index < md->slot_count ? commit(md, index, held) :
						      KMD_SLOT_TABLE_FULL;

		if (is_accepted(status))
			continue;
		not_accepted(md, held, status);
		note_missing(md, held->virt);
	}
	kmemdump_md_describe_table(md);
}

/* Makes the device leave the region out; version 1.1 and later also say why. */
static void mark(struct kmemdump_md *md, u32 index)
{
	struct md_slot held = md->held[index];

	writel(0, slot_at(md, index) + KMD_SLOT_COMMIT);
	if (md->minor < 1)
		return;
	held.flags |= KMD_FLAG_FREED;
	/* If the host refuses it, the region counts as missing. */
	if (!is_accepted(commit(md, index, &held)))
		note_missing(md, held.virt);
}

/**
 * kmemdump_md_mark_freed() - mark regions whose memory was freed or unplugged
 * @md: the controller
 *
 * For a panic, before the doorbell. Without the mark such memory would be saved
 * as if it still held the region. Memory that was freed and allocated again is
 * not detected.
 */
void kmemdump_md_mark_freed(struct kmemdump_md *md)
{
	unsigned int freed = 0;
	u32 index;

	for_each_set_bit(index, md->taken, md->slot_count) {
		const struct md_slot *held = &md->held[index];

		if (all_pages(held, page_is_as_it_was))
			continue;
		mark(md, index);
		if (freed++ < MOST_FREED_LINES)
			dev_emerg(md->dev,
				  "region %.16s (uid %u, %zu bytes at %pap) is not saved: its memory was freed or unplugged\n",
				  (const char *)held->name, held->id,
				  held->size, &held->phys);
	}
	if (freed > MOST_FREED_LINES)
		dev_emerg(md->dev, "%u regions are not saved for that reason\n",
			  freed);
}
