/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernel versions these modules build for, and
 * nothing else.
 */
#ifndef _KMEMDUMP_COMPAT_H
#define _KMEMDUMP_COMPAT_H

/* 6.9 split the vmcoreinfo declarations off, with an option of that name. */
#ifdef CONFIG_VMCORE_INFO
#include <linux/vmcore_info.h>
#else
#include <linux/crash_core.h>
#endif

#endif /* _KMEMDUMP_COMPAT_H */
