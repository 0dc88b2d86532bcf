// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the physical address of a region: by arithmetic in the linear map, from
 * the linker's symbols in the kernel image, and by a walk of the page tables for
 * everything else (module data, per-CPU chunks outside the linear map, and on some
 * architectures the kernel image, if this is a module).
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include <asm/sections.h>

#include "kmemdump.h"

/* A module cannot use the linker's symbols of the kernel image. */
static bool in_image(unsigned long first, unsigned long last)
{
#ifdef MODULE
	return false;
#else
	return __is_kernel(first) && __is_kernel(last);
#endif
}

static int page_table_phys(const void *addr, phys_addr_t *phys)
{
	struct page *page = vmalloc_to_page(addr);

	if (!page)
		return -EINVAL;
	*phys = page_to_phys(page) + offset_in_page(addr);
	return 0;
}

/**
 * kmemdump_virt_to_phys() - physical address of a contiguous region
 * @zone: first byte, a kernel virtual address
 * @size: length in bytes
 * @phys: the physical address
 *
 * Return: 0, or -EINVAL if the region is empty, wraps around, is not mapped,
 * or is not contiguous in physical memory.
 */
int kmemdump_virt_to_phys(const void *zone, size_t size, phys_addr_t *phys)
{
	unsigned long first = (unsigned long)kasan_reset_tag(zone);
	unsigned long last = first + size - 1;
	unsigned long addr;
	phys_addr_t start;

	if (!zone || !size || last < first)
		return -EINVAL;

	zone = (const void *)first;
	if (in_image(first, last)) {
		*phys = __pa_symbol(zone);
		return 0;
	}

	if (virt_addr_valid(zone)) {
		if (!virt_addr_valid((void *)last))
			return -EINVAL;
		*phys = virt_to_phys((void *)zone);
		return 0;
	}

	if (page_table_phys(zone, &start))
		return -EINVAL;

	/* Compare pages, not addresses: the last page may end at ~0. */
	addr = first & PAGE_MASK;
	while (addr != (last & PAGE_MASK)) {
		phys_addr_t here;

		addr += PAGE_SIZE;
		if (page_table_phys((void *)addr, &here) ||
		    here - start != addr - first)
			return -EINVAL;
	}

	*phys = start;
	return 0;
}
EXPORT_SYMBOL_GPL(kmemdump_virt_to_phys);
