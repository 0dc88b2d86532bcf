// SPDX-License-Identifier: GPL-2.0
/*
 * In RFC v2 the backends name the regions.
 */
#include "kmemdump_md_rfc_v2.h"

/**
 * kmemdump_uid_name() - the name of a region
 * @uid: its number
 *
 * Return: a name, never NULL.
 */
const char *kmemdump_uid_name(enum kmemdump_uid uid)
{
	return kmemdump_identifier_name(uid) ?: "unnamed";
}
