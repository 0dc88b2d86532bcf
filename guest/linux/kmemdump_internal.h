/* SPDX-License-Identifier: GPL-2.0 */
/* Declarations shared by the files of kmemdump, as a module or built in. */
#ifndef _KMEMDUMP_INTERNAL_H
#define _KMEMDUMP_INTERNAL_H

#include <linux/init.h>
#include <linux/sched.h>
#include <linux/types.h>

#include "kmemdump.h"
#include "kmemdump_compat.h"

/* The length of a name in a controller's slot, plus the terminator. */
#define KMEMDUMP_NAME_SIZE 17

/* Of a region that was registered before the kernel could find its address. */
#define KMEMDUMP_PHYS_UNKNOWN (~(phys_addr_t)0)

/**
 * struct kmemdump_region - one region in the table; its index is its number
 * @zone: first byte; NULL marks a free entry
 * @phys: physical address of the first byte, or KMEMDUMP_PHYS_UNKNOWN
 * @size: length in bytes
 * @accepted: the current backend has taken it
 * @name: of a region without a fixed number, may be empty
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
 * Neither a user address nor a small number. Kernel mappings can begin below the
 * linear map.
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
 * @capacity: number of entries, and of pages, that it can hold
 * @used: number of entries in use
 * @count: number of pages in them, each counted once
 * @unmapped: number of pages that were to be listed and are not mapped to RAM
 * @noted: number of pages in @seen
 * @not_listed: number of extents for which there was no room
 * @seen: hash table of the virtual page numbers seen so far, with open
 *	addressing; 0 is free
 * @seen_bits: binary logarithm of its length
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
 * @pages: the list to which it adds memory
 * @stacks: whether to add stacks
 * @stop: NULL in a panic. Otherwise the walk ends when this becomes true, and
 *	holds the RCU read lock except in kmemdump_rested()
 * @steps: budget: how many more pointers it may follow
 * @steps_at_rest: value of @steps when it last rested
 * @tasks: number of tasks found
 * @broken: number of lists that did not end where they began
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
 * @head: the head, where it ends
 * @at: the current entry
 * @mark: an earlier entry; coming back to it means a circle without @head
 * @length: number of entries since @mark
 * @limit: number of entries until @mark moves
 * @back: follow prev instead of next
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
