/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between architectures. A build has one kmemdump_arch_NAME.c:
 * the architecture's own, or kmemdump_arch_generic.c.
 */
#ifndef _KMEMDUMP_ARCH_H
#define _KMEMDUMP_ARCH_H

#include <linux/types.h>

/**
 * kmemdump_arch_walk() - is there RAM at an address outside the linear map?
 * @addr: a kernel virtual address without a tag
 * @phys: its physical address
 *
 * For the panic: takes no lock, does not fault whatever the page tables hold,
 * and tells RAM from devices.
 */
bool kmemdump_arch_walk(unsigned long addr, phys_addr_t *phys);

/*
 * Variables that only kernels of this architecture have, and that readers
 * need. Ends with NULL.
 */
extern const char *const kmemdump_arch_variables[];

#define KMEMDUMP_ARCH_VARIABLES_MAX 8

/*
 * A per-CPU variable that points to the CPU's stack for interrupts, of
 * THREAD_SIZE bytes. NULL if there is none.
 */
extern const char *const kmemdump_arch_irq_stack;

#endif /* _KMEMDUMP_ARCH_H */
