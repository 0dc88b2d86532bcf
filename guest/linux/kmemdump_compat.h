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

/* Since 6.4 the memory of a module is divided by what is in it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define kmemdump_module_memory module_memory
#define kmemdump_module_data(module) (&(module)->mem[MOD_DATA])
#else
#define kmemdump_module_memory module_layout
#define kmemdump_module_data(module) (&(module)->core_layout)
#endif

/* Until 6.18 a module has a second table of symbols, for those under GPL. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
#define KMEMDUMP_GPL_SYMBOLS_APART
#endif

/* 6.9 split the vmcoreinfo declarations off, with an option of their own. */
#ifdef CONFIG_VMCORE_INFO
#include <linux/vmcore_info.h>
#else
#include <linux/crash_core.h>
#endif

#endif /* _KMEMDUMP_COMPAT_H */
