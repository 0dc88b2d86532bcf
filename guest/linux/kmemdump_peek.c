// SPDX-License-Identifier: GPL-2.0
/*
 * Looking at memory through pointers that nobody vouches for: they come from
 * the structures of a kernel that has just died.
 */
#include <linux/irqflags.h>
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#ifdef CONFIG_ARM64
#include <asm/sysreg.h>
#endif

#include "kmemdump_internal.h"

#ifdef CONFIG_ARM64
/*
 * The CPU's own walk: reads tables that may be corrupted and never faults, and
 * tells memory from devices. Arm Architecture Reference Manual, AT S1E1R and
 * PAR_EL1.
 */
static bool walk(unsigned long addr, phys_addr_t *phys)
{
	unsigned long flags;
	u64 par;

	/* Whoever interrupts may ask as well. */
	local_irq_save(flags);
	asm volatile("at s1e1r, %0" : : "r"(addr));
	isb();
	par = read_sysreg_par();
	local_irq_restore(flags);

	/* Bits 63:60 are the outer attributes: 0 is a device. */
	if (par & SYS_PAR_EL1_F || !(par >> 60))
		return false;
	*phys = (par & GENMASK_ULL(51, PAGE_SHIFT)) | offset_in_page(addr);
	return pfn_is_map_memory(PHYS_PFN(*phys));
}
#else
static bool walk(unsigned long addr, phys_addr_t *phys)
{
	return is_vmalloc_or_module_addr((void *)addr) &&
	       !kmemdump_virt_to_phys((void *)addr, 1, phys) &&
	       pfn_valid(PHYS_PFN(*phys));
}
#endif

/**
 * kmemdump_ram_phys() - is there RAM at a kernel virtual address?
 * @addr: any address whatsoever, with a tag or without
 * @phys: its physical address
 *
 * For the panic: takes no lock and does not fault.
 */
bool kmemdump_ram_phys(const void *addr, phys_addr_t *phys)
{
	addr = kasan_reset_tag(addr);
	if ((unsigned long)addr < PAGE_OFFSET)
		return false;
	if (virt_addr_valid(addr)) {
		*phys = virt_to_phys((void *)addr);
		return true;
	}
	return walk((unsigned long)addr, phys);
}

/**
 * kmemdump_peek() - read memory that may not be there
 * @to: where to put it
 * @from: any address whatsoever
 * @size: bytes, at most a page
 *
 * For the panic, as kmemdump_ram_phys(). Reads no device.
 *
 * Return: false if it cannot be read.
 */
bool kmemdump_peek(void *to, const void *from, size_t size)
{
	phys_addr_t phys;

	/* Through the address that matches the tag of any memory. */
	from = kasan_reset_tag(from);
	return kmemdump_ram_phys(from, &phys) &&
	       kmemdump_ram_phys(from + size - 1, &phys) &&
	       !copy_from_kernel_nofault(to, from, size);
}
