/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of kmemdump, module or built in. */
#ifndef _KMEMDUMP_INTERNAL_H
#define _KMEMDUMP_INTERNAL_H

#include <linux/init.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "kmemdump.h"
#include "kmemdump_compat.h"

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

/* kmemdump_names.c */
const char *kmemdump_identifier_name(enum kmemdump_uid uid);

/* kmemdump_coreimage.c */
#if defined(MODULE) || IS_ENABLED(CONFIG_KMEMDUMP_COREIMAGE)
int kmemdump_coreimage_init(void);
void kmemdump_coreimage_exit(void);
void kmemdump_coreimage_invalidate(void);
void kmemdump_coreimage_rebuild(const struct kmemdump_region *regions);
void kmemdump_coreimage_registers(note_buf_t *to, struct pt_regs *regs);
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

static inline void kmemdump_coreimage_registers(note_buf_t *to,
						struct pt_regs *regs)
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

/*
 * Not a user's, and no number: what the kernel maps can begin below its linear
 * map.
 */
static inline bool kmemdump_is_kernel_address(const void *addr)
{
	return (unsigned long)addr >= TASK_SIZE_MAX;
}

/* kmemdump_peek.c */
bool kmemdump_ram_phys(const void *addr, phys_addr_t *phys);
bool kmemdump_peek(void *to, const void *from, size_t size);

/* kmemdump_pages.c */

/**
 * struct kmemdump_pages - a list of extents that grows page by page
 * @extents: @capacity entries, physically contiguous
 * @capacity: entries, and pages, that it can hold
 * @used: entries in use
 * @count: pages in them, each once
 * @unmapped: how often memory that was to be listed is not there
 * @noted: pages in @seen
 * @not_listed: extents for which there was no room
 * @seen: virtual page numbers that came by, by open addressing; 0 is free
 * @seen_bits: its length, a power of two
 */
struct kmemdump_pages {
	struct kmemdump_extent *extents;
	unsigned int capacity;
	unsigned int used;
	unsigned int count;
	unsigned int unmapped;
	unsigned int noted;
	unsigned int not_listed;
	unsigned long *seen;
	unsigned int seen_bits;
};

int kmemdump_pages_init(struct kmemdump_pages *pages, unsigned int capacity);
void kmemdump_pages_exit(struct kmemdump_pages *pages);
void kmemdump_pages_begin(struct kmemdump_pages *pages);
void kmemdump_pages_add(struct kmemdump_pages *pages, const void *object,
			size_t size);
void kmemdump_pages_end(struct kmemdump_pages *pages);

/* kmemdump_variables.c */
void kmemdump_variables_init(bool kallsyms);
void kmemdump_variables_add(struct kmemdump_pages *pages, bool stacks);
note_buf_t *kmemdump_crash_note(unsigned int cpu);

/* kmemdump_walk.c */

/**
 * struct kmemdump_walk - one walk over the kernel's lists
 * @pages: where to put what it comes by
 * @stacks: whether the stacks are wanted
 * @stop: the walk is that of a kernel that lives, and holds the RCU read lock
 *	but for where it rests; it ends when this becomes true. NULL in a panic
 * @steps: how many pointers it may still follow
 * @steps_at_rest: how many that were when it last rested
 * @tasks: tasks that it came by
 * @broken: lists that did not end where they began
 */
struct kmemdump_walk {
	struct kmemdump_pages *pages;
	bool stacks;
	const bool *stop;
	unsigned int steps;
	unsigned int steps_at_rest;
	unsigned int tasks;
	unsigned int broken;
};

/**
 * struct kmemdump_ring - a walk along a circular list
 * @head: where it ends
 * @at: the entry it stands on
 * @mark: an entry it was on; to be there again is a circle without @head
 * @length: entries since @mark
 * @limit: entries until @mark moves on
 * @back: along prev, not next
 */
struct kmemdump_ring {
	const struct list_head *head;
	const struct list_head *at;
	const struct list_head *mark;
	unsigned int length;
	unsigned int limit;
	bool back;
};

bool kmemdump_look(struct kmemdump_walk *walk, void *to, const void *from,
		   size_t size);
void *kmemdump_pointer_at(struct kmemdump_walk *walk, const void *member);
unsigned int kmemdump_number_at(struct kmemdump_walk *walk,
				const unsigned int *member);
bool kmemdump_rested(struct kmemdump_walk *walk);
struct kmemdump_ring kmemdump_ring_of(const struct list_head *head, bool back);
bool kmemdump_ring_next(struct kmemdump_walk *walk, struct kmemdump_ring *ring);
bool kmemdump_ring_is_whole(const struct kmemdump_ring *ring);

/* kmemdump_tasks.c */
void kmemdump_tasks_init(void);
void kmemdump_running_tasks_add(struct kmemdump_walk *walk);
void kmemdump_tasks_add(struct kmemdump_walk *walk);

/* kmemdump_modules.c */
void kmemdump_modules_init(void);
void kmemdump_modules_add(struct kmemdump_walk *walk);

/* kmemdump_layout.c */
void kmemdump_layout_number(const char *name, unsigned long value);
void kmemdump_layout_register(void);

/* kmemdump_profile.c */
void kmemdump_profile_init(void);
void kmemdump_profile_exit(void);

#endif /* _KMEMDUMP_INTERNAL_H */
