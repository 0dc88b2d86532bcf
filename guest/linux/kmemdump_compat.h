/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernel versions these modules build for, and
 * nothing else.
 */
#ifndef _KMEMDUMP_COMPAT_H
#define _KMEMDUMP_COMPAT_H

#include <linux/version.h>

/* Since 6.2 each CPU counts the pages of a process for itself. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && IS_ENABLED(CONFIG_SMP)
#define KMEMDUMP_RSS_PER_CPU
#endif

/* 6.9 split the vmcoreinfo declarations off, with an option of their own. */
#ifdef CONFIG_VMCORE_INFO
#include <linux/vmcore_info.h>
#else
#include <linux/crash_core.h>
#endif

#endif /* _KMEMDUMP_COMPAT_H */
