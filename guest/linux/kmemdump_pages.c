// SPDX-License-Identifier: GPL-2.0
/*
 * The list of extents: memory whose place is known only when the machine dies,
 * page by page. It lies at one place for as long as kmemdump is loaded, and a
 * controller reads it when it takes a dump, which can be at any instruction. So
 * there is no moment at which an entry is wrong: its size is 0 while it
 * changes.
 *
 * Nothing here allocates, locks or faults after the start. One caller at a time
 * goes from kmemdump_pages_begin() to kmemdump_pages_end(); a panic may begin
 * anew in the middle.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/hash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "kmemdump_internal.h"

/* Of the slots of the set, how many it has for each page it can hold. */
#define SLOTS_PER_PAGE 2

static struct kmemdump_extent *extents;
static unsigned int capacity;

/* Virtual page numbers that are listed already, by open addressing; 0: free. */
static unsigned long *seen;
static unsigned int seen_bits;

static struct kmemdump_pages_count count;
/* Entries from here on are empty. */
static unsigned int used_before;

/**
 * kmemdump_pages_init() - make an empty list
 * @max_pages: as many pages as it can hold
 *
 * Return: 0 or -ENOMEM.
 */
int __init kmemdump_pages_init(unsigned int max_pages)
{
	seen_bits = order_base_2(max_pages) + order_base_2(SLOTS_PER_PAGE);
	seen = vzalloc(sizeof(*seen) << seen_bits);
	/* Physically contiguous, as the controller reads it. */
	extents = alloc_pages_exact(max_pages * sizeof(*extents),
				    GFP_KERNEL | __GFP_ZERO);
	capacity = max_pages;
	if (!seen || !extents) {
		kmemdump_pages_exit();
		return -ENOMEM;
	}
	return 0;
}

/**
 * kmemdump_pages_exit() - free the list; no controller reads it any more
 */
void kmemdump_pages_exit(void)
{
	vfree(seen);
	seen = NULL;
	if (extents)
		free_pages_exact(extents, capacity * sizeof(*extents));
	extents = NULL;
}

/**
 * kmemdump_pages_list() - the list
 * @size: its length in bytes
 *
 * Return: the first entry, or NULL if there is no list.
 */
const struct kmemdump_extent *kmemdump_pages_list(size_t *size)
{
	*size = capacity * sizeof(*extents);
	return extents;
}

/**
 * kmemdump_pages_begin() - start over
 *
 * What is in the list stays there until it is replaced.
 */
void kmemdump_pages_begin(void)
{
	used_before = max(used_before, count.extents);
	memset(&count, 0, sizeof(count));
	memset(seen, 0, sizeof(*seen) << seen_bits);
}

/* False if it is there already. */
static bool note_page(unsigned long number)
{
	const unsigned long mask = BIT(seen_bits) - 1;
	unsigned long at = hash_long(number, seen_bits);

	/* There are more slots than pages, so it ends. */
	while (seen[at]) {
		if (seen[at] == number)
			return false;
		at = (at + 1) & mask;
	}
	seen[at] = number;
	return true;
}

static void list_page(unsigned long virt, phys_addr_t phys)
{
	struct kmemdump_extent *last, *next;
	u64 size;

	if (count.extents) {
		last = &extents[count.extents - 1];
		size = le64_to_cpu(last->size);
		if (le64_to_cpu(last->phys) + size == phys &&
		    le64_to_cpu(last->virt) + size == virt) {
			WRITE_ONCE(last->size, cpu_to_le64(size + PAGE_SIZE));
			return;
		}
	}

	next = &extents[count.extents++];
	WRITE_ONCE(next->size, 0);
	/* Orders the size before and after what it vouches for. */
	smp_wmb();
	next->phys = cpu_to_le64(phys);
	next->virt = cpu_to_le64(virt);
	smp_wmb();
	WRITE_ONCE(next->size, cpu_to_le64(PAGE_SIZE));
}

/**
 * kmemdump_pages_add() - list the pages of an object
 * @object: first byte, a kernel virtual address that may be anything
 * @size: length in bytes
 *
 * What is not mapped to RAM is left out.
 */
void kmemdump_pages_add(const void *object, size_t size)
{
	unsigned long first = (unsigned long)object & PAGE_MASK;
	unsigned long pages, i;

	if (!object || !size)
		return;
	pages = PFN_UP((unsigned long)object - first + size);

	for (i = 0; i < pages; i++) {
		unsigned long virt = first + i * PAGE_SIZE;
		phys_addr_t phys;

		if (count.pages >= capacity) {
			count.full = true;
			return;
		}
		if (!kmemdump_ram_phys((void *)virt, &phys)) {
			count.unmapped++;
			continue;
		}
		if (note_page(virt >> PAGE_SHIFT)) {
			count.pages++;
			list_page(virt, phys);
		}
	}
}

/**
 * kmemdump_pages_end() - take out what was in the list before
 *
 * Return: what it holds now.
 */
const struct kmemdump_pages_count *kmemdump_pages_end(void)
{
	unsigned int i;

	for (i = count.extents; i < used_before; i++)
		WRITE_ONCE(extents[i].size, 0);
	used_before = count.extents;
	return &count;
}
