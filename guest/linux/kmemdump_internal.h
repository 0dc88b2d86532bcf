/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of kmemdump, module or built in. */
#ifndef _KMEMDUMP_INTERNAL_H
#define _KMEMDUMP_INTERNAL_H

#include <linux/init.h>
#include <linux/types.h>

#include "kmemdump.h"

/* As long as a name in a controller's slot, plus the terminator. */
#define KMEMDUMP_NAME_SIZE 17

/* Of a region from before the kernel could tell. */
#define KMEMDUMP_PHYS_UNKNOWN (~(phys_addr_t)0)

/**
 * struct kmemdump_region - one region in the table; its index is its number
 * @zone: first byte; NULL marks a free entry
 * @phys: physical address of the first byte, or KMEMDUMP_PHYS_UNKNOWN
 * @size: length in bytes
 * @accepted: the current backend has taken it
 * @name: of a region without a number of its own, may be empty
 */
struct kmemdump_region {
	void *zone;
	phys_addr_t phys;
	size_t size;
	bool accepted;
	char name[KMEMDUMP_NAME_SIZE];
};

/* kmemdump_coreimage.c */
#if defined(MODULE) || IS_ENABLED(CONFIG_KMEMDUMP_COREIMAGE)
int kmemdump_coreimage_init(void);
void kmemdump_coreimage_exit(void);
void kmemdump_coreimage_invalidate(void);
void kmemdump_coreimage_rebuild(const struct kmemdump_region *regions);
#else
static inline int kmemdump_coreimage_init(void)
{
	return 0;
}

static inline void kmemdump_coreimage_exit(void)
{
}

static inline void kmemdump_coreimage_invalidate(void)
{
}

static inline void
kmemdump_coreimage_rebuild(const struct kmemdump_region *regions)
{
}
#endif

/* kmemdump_symbols.c */
int kmemdump_symbols_init(void);
void *kmemdump_symbol(const char *name);
size_t kmemdump_symbol_size(const void *addr);
char *kmemdump_vmcoreinfo(void);
int kmemdump_vmcoreinfo_value(const char *key, unsigned long *value);

/* kmemdump_areas.c */
void kmemdump_areas_register(void);

/* kmemdump_peek.c */
bool kmemdump_ram_phys(const void *addr, phys_addr_t *phys);
bool kmemdump_peek(void *to, const void *from, size_t size);

/* kmemdump_pages.c */

/**
 * struct kmemdump_pages_count - what came together
 * @pages: pages in the list, each once
 * @extents: entries that they take
 * @unmapped: pages of objects that are no RAM, or not mapped
 * @full: there were more than the list can hold
 */
struct kmemdump_pages_count {
	unsigned int pages;
	unsigned int extents;
	unsigned int unmapped;
	bool full;
};

int kmemdump_pages_init(unsigned int max_pages);
void kmemdump_pages_exit(void);
const struct kmemdump_extent *kmemdump_pages_list(size_t *size);
void kmemdump_pages_begin(void);
void kmemdump_pages_add(const void *object, size_t size);
const struct kmemdump_pages_count *kmemdump_pages_end(void);

/* kmemdump_tasks.c */

/**
 * struct kmemdump_walk - one walk over the kernel's lists
 * @stacks: whether the stacks are wanted
 * @steps: how many pointers it may still follow
 * @tasks: tasks that it came by
 * @broken: lists that did not end where they began
 */
struct kmemdump_walk {
	bool stacks;
	unsigned int steps;
	unsigned int tasks;
	unsigned int broken;
};

void kmemdump_tasks_init(void);
void kmemdump_tasks_add(struct kmemdump_walk *walk);
void kmemdump_modules_add(struct kmemdump_walk *walk);

/* kmemdump_profile.c */
void kmemdump_profile_init(void);
void kmemdump_profile_exit(void);

#endif /* _KMEMDUMP_INTERNAL_H */
