/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between the kernel versions that these modules build for, and
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

/* Since 6.4 the memory of a module is divided by type. */
#ifdef for_each_mod_mem_type
#define kmemdump_module_memory module_memory
#define kmemdump_module_data(module) (&(module)->mem[MOD_DATA])
#define kmemdump_module_init_data(module) (&(module)->mem[MOD_INIT_DATA])
#define KMEMDUMP_MODULE_TEXT mem[MOD_TEXT].base
#define KMEMDUMP_MODULE_TEXT_SIZE mem[MOD_TEXT].size
#define KMEMDUMP_MODULE_INIT_TEXT mem[MOD_INIT_TEXT].base
#define KMEMDUMP_MODULE_INIT_TEXT_SIZE mem[MOD_INIT_TEXT].size
#else
#define kmemdump_module_memory module_layout
#define kmemdump_module_data(module) (&(module)->core_layout)
#define kmemdump_module_init_data(module) (&(module)->init_layout)
#define KMEMDUMP_MODULE_TEXT core_layout.base
#define KMEMDUMP_MODULE_TEXT_SIZE core_layout.text_size
#define KMEMDUMP_MODULE_INIT_TEXT init_layout.base
#define KMEMDUMP_MODULE_INIT_TEXT_SIZE init_layout.text_size
#endif

/* The attributes of a module in sysfs: its sections and its notes. */
#if defined(CONFIG_KALLSYMS) && defined(CONFIG_SYSFS)
#define KMEMDUMP_MODULE_ATTRIBUTES
#endif

/* Before symbols got flags, a module had a second table for its GPL-only symbols. */
#ifndef SYMBOL_FLAGS
#define KMEMDUMP_GPL_SYMBOLS_APART
#endif

/* 6.9 moved the vmcoreinfo declarations, with an option of their own. */
#ifdef CONFIG_VMCORE_INFO
#include <linux/vmcore_info.h>
#else
#include <linux/crash_core.h>
#endif

#endif /* _KMEMDUMP_COMPAT_H */
