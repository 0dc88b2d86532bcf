// SPDX-License-Identifier: GPL-2.0
/* Architecture support: riscv64. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/stddef.h>
#include <linux/uaccess.h>

#include <asm/csr.h>

#include "kmemdump_arch.h"

const char *const kmemdump_arch_variables[] = {
	"kernel_map",
	"phys_ram_base",
	NULL,
};

const char *const kmemdump_arch_irq_stack = "irq_stack_ptr";

const struct kmemdump_number kmemdump_arch_numbers[] = {
	{ "OFFSET(thread_struct.ra)", offsetof(struct thread_struct, ra) },
	{}
};

/* An entry of a table; memory that firmware keeps to itself faults, and counts as no entry. */
static unsigned long read_entry(phys_addr_t at)
{
	unsigned long entry;

	if (!pfn_valid(PHYS_PFN(at)))
		return 0;
	__get_kernel_nofault(&entry, __va(at), unsigned long, fault);
	return entry;
fault:
	return 0;
}

/*
 * No instruction translates an address without a fault, so this walks the tables
 * of this CPU. See "Virtual address translation process" in the RISC-V privileged
 * architecture.
 */
bool kmemdump_arch_walk(unsigned long addr, phys_addr_t *phys)
{
	unsigned long satp = csr_read(CSR_SATP);
	unsigned long entry = (satp & SATP_PPN) << (_PAGE_PFN_SHIFT);
	int shift = PGDIR_SHIFT;

	for (; shift >= PAGE_SHIFT; shift -= PAGE_SHIFT - 3) {
		phys_addr_t table = (entry >> _PAGE_PFN_SHIFT) << PAGE_SHIFT;

		entry = read_entry(table + ((addr >> shift) % PTRS_PER_PTE) * sizeof(entry));
		if (!(entry & _PAGE_PRESENT))
			return false;
		if (entry & _PAGE_LEAF) {
			phys_addr_t in_page = addr & ((1UL << shift) - 1);

			*phys = (((entry & _PAGE_PFN_MASK) >> _PAGE_PFN_SHIFT) << PAGE_SHIFT) | in_page;
			return pfn_valid(PHYS_PFN(*phys));
		}
	}
	return false;
}
