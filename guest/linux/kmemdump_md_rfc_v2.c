// SPDX-License-Identifier: GPL-2.0
/*
 * RFC v2 leaves it to the backends to name the regions.
 */
#include "kmemdump_md_rfc_v2.h"

/**
 * kmemdump_uid_name() - what to call a region
 * @uid: its number
 *
 * Return: a name, never NULL.
 */
const char *kmemdump_uid_name(enum kmemdump_uid uid)
{
	return kmemdump_identifier_name(uid) ?: "unnamed";
}
