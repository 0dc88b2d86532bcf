// SPDX-License-Identifier: GPL-2.0
/*
 * Reads memory through pointers that may be invalid, because they come from the
 * structures of a kernel that has just died.
 */
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include "kmemdump_arch.h"
#include "kmemdump_internal.h"

/**
 * kmemdump_ram_phys() - is there RAM at a kernel virtual address?
 * @addr: any address, valid or not, with or without a tag
 * @phys: its physical address
 *
 * For a panic: takes no lock and does not fault.
 */
bool kmemdump_ram_phys(const void *addr, phys_addr_t *phys)
{
	addr = kasan_reset_tag(addr);
	if (!kmemdump_is_kernel_address(addr))
		return false;
	if (virt_addr_valid(addr)) {
		*phys = virt_to_phys((void *)addr);
		return true;
	}
	return kmemdump_arch_walk((unsigned long)addr, phys);
}

/**
 * kmemdump_peek() - read memory that may not be mapped
 * @to: where to put it
 * @from: any address, valid or not
 * @size: length in bytes, at most a page
 *
 * For a panic, like kmemdump_ram_phys(). Never reads a device.
 *
 * Return: false if it cannot be read.
 */
bool kmemdump_peek(void *to, const void *from, size_t size)
{
	phys_addr_t phys;

	/* Without a tag, which is allowed for memory with any tag. */
	from = kasan_reset_tag(from);
	return kmemdump_ram_phys(from, &phys) &&
	       kmemdump_ram_phys(from + size - 1, &phys) &&
	       !copy_from_kernel_nofault(to, from, size);
}
