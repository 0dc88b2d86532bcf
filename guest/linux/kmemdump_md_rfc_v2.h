/* SPDX-License-Identifier: GPL-2.0 */
/* RFC v2's kmemdump, and the functions for backends that only ours has. */
#ifndef _KMEMDUMP_MD_RFC_V2_H
#define _KMEMDUMP_MD_RFC_V2_H

#include <linux/kmemdump.h>
#include <linux/types.h>

const char *kmemdump_uid_name(enum kmemdump_uid uid);

/* kmemdump_names.c */
const char *kmemdump_identifier_name(enum kmemdump_uid uid);

/* kmemdump_phys.c */
int kmemdump_virt_to_phys(const void *zone, size_t size, phys_addr_t *phys);

#endif /* _KMEMDUMP_MD_RFC_V2_H */
