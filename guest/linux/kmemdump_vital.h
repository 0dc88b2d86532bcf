/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which regions make up the log, for our kmemdump and for RFC v2's, which have the
 * same identifiers: include the header of one of them first.
 */
#ifndef _KMEMDUMP_VITAL_H
#define _KMEMDUMP_VITAL_H

#include <linux/types.h>

/* All of these are needed to read the log, and readers need vmcoreinfo. */
static inline bool kmemdump_is_vital(enum kmemdump_uid uid)
{
	switch (uid) {
	case KMEMDUMP_ID_COREIMAGE_VMCOREINFO:
	case KMEMDUMP_ID_COREIMAGE_printk_rb_static:
	case KMEMDUMP_ID_COREIMAGE_printk_rb_dynamic:
	case KMEMDUMP_ID_COREIMAGE_prb:
	case KMEMDUMP_ID_COREIMAGE_prb_descs:
	case KMEMDUMP_ID_COREIMAGE_prb_infos:
	case KMEMDUMP_ID_COREIMAGE_prb_data:
		return true;
	default:
		return false;
	}
}

#endif /* _KMEMDUMP_VITAL_H */
