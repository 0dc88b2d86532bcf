/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between the kernel versions these modules build for, and
 * nothing else.
 */
#ifndef _KMEMDUMP_COMPAT_H
#define _KMEMDUMP_COMPAT_H

#include <linux/export-internal.h>
#include <linux/mm_types.h>
#include <linux/module.h>

/* Since 6.2 each CPU counts the pages of a process for itself. */
#if !defined(SPLIT_RSS_COUNTING) && defined(CONFIG_SMP)
#define KMEMDUMP_RSS_PER_CPU
#endif

/* Since 6.4 the memory of a module is divided by what is in it. */
#ifdef for_each_mod_mem_type
#define kmemdump_module_memory module_memory
#define kmemdump_module_data(module) (&(module)->mem[MOD_DATA])
#else
#define kmemdump_module_memory module_layout
#define kmemdump_module_data(module) (&(module)->core_layout)
#endif

/* Until symbols got flags a module has a second table, of those under GPL. */
#ifndef SYMBOL_FLAGS
#define KMEMDUMP_GPL_SYMBOLS_APART
#endif

/* 6.9 split the vmcoreinfo declarations off, with an option of their own. */
#ifdef CONFIG_VMCORE_INFO
#include <linux/vmcore_info.h>
#else
#include <linux/crash_core.h>
#endif

#endif /* _KMEMDUMP_COMPAT_H */
