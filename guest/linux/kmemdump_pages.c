// SPDX-License-Identifier: GPL-2.0
/*
 * The list of extents: memory whose address is known only when the machine dies,
 * in whole pages. The list itself does not move while kmemdump is loaded. A
 * controller reads it when it takes a dump, which can be at any instruction. So
 * an entry must never be wrong: its size is 0 while it changes.
 *
 * After initialisation nothing here allocates, locks or faults. A panic may start
 * a new list while another CPU is filling one, and that CPU may even continue for a
 * moment. Then the list lacks entries, but nothing outside of it is changed.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/kasan.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "kmemdump_internal.h"

static size_t list_bytes(const struct kmemdump_pages *pages)
{
	return pages->capacity * sizeof(*pages->extents);
}

static size_t seen_bytes(const struct kmemdump_pages *pages)
{
	return sizeof(*pages->seen) << pages->seen_bits;
}

/**
 * kmemdump_pages_init() - make an empty list
 * @pages: the list
 * @capacity: how many pages it can hold, at least one
 *
 * Return: 0, or -ENOMEM.
 */
int kmemdump_pages_init(struct kmemdump_pages *pages, unsigned int capacity)
{
	memset(pages, 0, sizeof(*pages));
	pages->capacity = capacity;
	/* At least half of it stays free, so that searches are short. */
	pages->seen_bits = order_base_2(capacity) + 1;
	pages->seen = vzalloc(seen_bytes(pages));
	/* Physically contiguous, because the controller reads it. */
	pages->extents = alloc_pages_exact(list_bytes(pages),
					   GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (pages->seen && pages->extents)
		return 0;
	kmemdump_pages_exit(pages);
	return -ENOMEM;
}

/**
 * kmemdump_pages_exit() - free the list, which no controller reads any more
 * @pages: the list
 */
void kmemdump_pages_exit(struct kmemdump_pages *pages)
{
	vfree(pages->seen);
	if (pages->extents)
		free_pages_exact(pages->extents, list_bytes(pages));
	memset(pages, 0, sizeof(*pages));
}

/**
 * kmemdump_pages_begin() - start over
 * @pages: the list
 *
 * The old entries stay in the list until they are replaced.
 */
void kmemdump_pages_begin(struct kmemdump_pages *pages)
{
	pages->used = 0;
	pages->count = 0;
	pages->unmapped = 0;
	pages->noted = 0;
	pages->not_listed = 0;
	memset(pages->seen, 0, seen_bytes(pages));
}

/*
 * False if the page was noted before. Pages for which a full list has no room are
 * noted, too, until three quarters of the table are used and searches would take
 * long.
 */
static bool note_page(struct kmemdump_pages *pages, unsigned long number)
{
	const unsigned long mask = BIT(pages->seen_bits) - 1;
	unsigned long at = hash_long(number, pages->seen_bits);
	unsigned long i;

	for (i = 0; i <= mask; i++, at = (at + 1) & mask) {
		if (pages->seen[at] == number)
			return false;
		if (!pages->seen[at]) {
			if (pages->noted <= mask - mask / 4) {
				pages->seen[at] = number;
				pages->noted++;
			}
			return true;
		}
	}
	return false;
}

static bool continues(const struct kmemdump_extent *last, unsigned long virt,
		      phys_addr_t phys)
{
	const u64 size = le64_to_cpu(last->size);

	return le64_to_cpu(last->phys) + size == phys &&
	       le64_to_cpu(last->virt) + size == virt;
}

static void list_page(struct kmemdump_pages *pages, unsigned long virt,
		      phys_addr_t phys)
{
	const unsigned int used = READ_ONCE(pages->used);
	struct kmemdump_extent *entry;

	if (used && continues(&pages->extents[used - 1], virt, phys)) {
		entry = &pages->extents[used - 1];
		WRITE_ONCE(entry->size, cpu_to_le64(le64_to_cpu(entry->size) +
						    PAGE_SIZE));
		return;
	}
	if (used >= pages->capacity)
		return;

	entry = &pages->extents[used];
	WRITE_ONCE(entry->size, 0);
	/* The size must be 0 before the addresses change. */
	smp_wmb();
	entry->phys = cpu_to_le64(phys);
	entry->virt = cpu_to_le64(virt);
	/* The addresses must be written before the size. */
	smp_wmb();
	WRITE_ONCE(entry->size, cpu_to_le64(PAGE_SIZE));
	WRITE_ONCE(pages->used, used + 1);
}

/**
 * kmemdump_pages_add() - list the pages of an object
 * @pages: the list
 * @object: first byte, any address, valid or not
 * @size: length in bytes
 *
 * Leaves out pages that are not mapped to RAM. Counts objects for which there is
 * no room.
 */
void kmemdump_pages_add(struct kmemdump_pages *pages, const void *object,
			size_t size)
{
	const unsigned long first = (unsigned long)kasan_reset_tag(object) & PAGE_MASK;
	unsigned long virt = first;
	bool no_room = false;
	size_t left;

	if (!object || !size)
		return;

	for (left = PFN_UP(offset_in_page(object) + size); left;
	     left--, virt += PAGE_SIZE) {
		phys_addr_t phys;

		if (!kmemdump_ram_phys((void *)virt, &phys)) {
			pages->unmapped++;
			/* Without its first page it is not an object. */
			if (virt == first)
				return;
			continue;
		}
		if (!note_page(pages, virt >> PAGE_SHIFT))
			continue;
		if (pages->count < pages->capacity) {
			pages->count++;
			list_page(pages, virt, phys);
		} else {
			no_room = true;
		}
	}
	pages->not_listed += no_room;
}

/**
 * kmemdump_pages_end() - remove old entries that were not replaced
 * @pages: the list
 */
void kmemdump_pages_end(struct kmemdump_pages *pages)
{
	unsigned int i;

	for (i = pages->used; i < pages->capacity; i++)
		WRITE_ONCE(pages->extents[i].size, 0);
}
