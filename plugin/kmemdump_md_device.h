/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device as the rest of the plugin sees it.
 */
#ifndef KMEMDUMP_MD_DEVICE_H
#define KMEMDUMP_MD_DEVICE_H

#define TYPE_KMEMDUMP_MD "kmemdump-md"

/*
 * Makes `-device kmemdump-md` known to QEMU, and hooks into reset and shutdown.
 * Once, before the machine has any device.
 */
void kmemdump_md_register_type(void);

/* How many CPUs the machine can have; their indices are below. */
void kmemdump_md_set_max_cpus(int count);

#endif
