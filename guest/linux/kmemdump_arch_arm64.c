// SPDX-License-Identifier: GPL-2.0
/* Architecture support: arm64. */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/stddef.h>

#include <asm/sysreg.h>

#include "kmemdump_arch.h"

const char *const kmemdump_arch_variables[] = {
	"idmap_pg_dir",
	"kimage_voffset",
	"memstart_addr",
	NULL,
};

const char *const kmemdump_arch_irq_stack = "irq_stack_ptr";

const struct kmemdump_number kmemdump_arch_numbers[] = {
	{ "OFFSET(thread_struct.cpu_context)",
	  offsetof(struct thread_struct, cpu_context) },
	{}
};

/*
 * Lets the CPU translate: it reads tables that may be corrupt, never faults, and
 * tells memory from devices. See AT S1E1R and PAR_EL1 in the Arm Architecture
 * Reference Manual.
 */
bool kmemdump_arch_walk(unsigned long addr, phys_addr_t *phys)
{
	unsigned long flags;
	u64 par;

	/* An interrupt handler may use PAR_EL1 as well. */
	local_irq_save(flags);
	asm volatile("at s1e1r, %0" : : "r"(addr));
	isb();
	par = read_sysreg_par();
	local_irq_restore(flags);

	/* Bits 63:60 are the outer attributes: 0 means a device. */
	if (par & SYS_PAR_EL1_F || !(par >> 60))
		return false;
	*phys = (par & GENMASK_ULL(51, PAGE_SHIFT)) | offset_in_page(addr);
	return pfn_is_map_memory(PHYS_PFN(*phys));
}
