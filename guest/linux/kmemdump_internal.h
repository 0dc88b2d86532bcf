/* SPDX-License-Identifier: GPL-2.0 */
/* Between the files of kmemdump.ko. */
#ifndef _KMEMDUMP_INTERNAL_H
#define _KMEMDUMP_INTERNAL_H

#include <linux/init.h>
#include <linux/types.h>

#include "kmemdump.h"

/* As long as a name in a controller's slot, plus the terminator. */
#define KMEMDUMP_NAME_SIZE 17

/**
 * struct kmemdump_zone - one region in the table; its index is its number
 * @zone: first byte; NULL marks a free entry
 * @phys: physical address of the first byte
 * @size: length in bytes
 * @accepted: the current backend has taken it
 * @name: of a region without a number of its own, may be empty
 */
struct kmemdump_zone {
	void *zone;
	phys_addr_t phys;
	size_t size;
	bool accepted;
	char name[KMEMDUMP_NAME_SIZE];
};

/* kmemdump_coreimage.c */
int kmemdump_coreimage_init(void);
void kmemdump_coreimage_exit(void);
void kmemdump_coreimage_invalidate(void);
void kmemdump_coreimage_rebuild(const struct kmemdump_zone *zones);

/* kmemdump_symbols.c */
int kmemdump_symbols_init(void);
void *kmemdump_symbol(const char *name);
size_t kmemdump_symbol_size(const void *addr);
char *kmemdump_vmcoreinfo(void);
int kmemdump_vmcoreinfo_value(const char *key, unsigned long *value);

/* kmemdump_areas.c */
void kmemdump_areas_register(void);

#endif /* _KMEMDUMP_INTERNAL_H */
