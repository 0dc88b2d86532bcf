// SPDX-License-Identifier: GPL-2.0
/*
 * Names of the core image identifiers, for our kmemdump and for RFC v2's, in which
 * the backends name them.
 */
#ifdef KMEMDUMP_MD_RFC_V2
#include "kmemdump_md_rfc_v2.h"
#else
#include "kmemdump_internal.h"
#endif

/*
 * They fit into a controller's slot, and match the file names that existing tools
 * for such controllers expect.
 */
static const char * const names[KMEMDUMP_ID_NO_ID] = {
	[KMEMDUMP_ID_COREIMAGE_ELF] = "ELF",
	[KMEMDUMP_ID_COREIMAGE_VMCOREINFO] = "vmcoreinfo",
	[KMEMDUMP_ID_COREIMAGE_CONFIG] = "config",
	[KMEMDUMP_ID_COREIMAGE_MEMSECT] = "memsect",
	[KMEMDUMP_ID_COREIMAGE__totalram_pages] = "totalram",
	[KMEMDUMP_ID_COREIMAGE___cpu_possible_mask] = "cpu_possible",
	[KMEMDUMP_ID_COREIMAGE___cpu_present_mask] = "cpu_present",
	[KMEMDUMP_ID_COREIMAGE___cpu_online_mask] = "cpu_online",
	[KMEMDUMP_ID_COREIMAGE___cpu_active_mask] = "cpu_active",
	[KMEMDUMP_ID_COREIMAGE_jiffies_64] = "jiffies",
	[KMEMDUMP_ID_COREIMAGE_linux_banner] = "linux_banner",
	[KMEMDUMP_ID_COREIMAGE_nr_threads] = "nr_threads",
	[KMEMDUMP_ID_COREIMAGE_nr_irqs] = "nr_irqs",
	[KMEMDUMP_ID_COREIMAGE_tainted_mask] = "tainted_mask",
	[KMEMDUMP_ID_COREIMAGE_taint_flags] = "taint_flags",
	[KMEMDUMP_ID_COREIMAGE_mem_section] = "mem_section",
	[KMEMDUMP_ID_COREIMAGE_node_data] = "node_data",
	[KMEMDUMP_ID_COREIMAGE_node_states] = "node_states",
	[KMEMDUMP_ID_COREIMAGE___per_cpu_offset] = "__per_cpu_offset",
	[KMEMDUMP_ID_COREIMAGE_nr_swapfiles] = "nr_swapfiles",
	[KMEMDUMP_ID_COREIMAGE_init_uts_ns] = "init_uts_ns",
	[KMEMDUMP_ID_COREIMAGE_printk_rb_static] = "printk_rb_static",
	[KMEMDUMP_ID_COREIMAGE_printk_rb_dynamic] = "printk_rb_dyn",
	[KMEMDUMP_ID_COREIMAGE_prb] = "prb",
	[KMEMDUMP_ID_COREIMAGE_prb_descs] = "prb_descs",
	[KMEMDUMP_ID_COREIMAGE_prb_infos] = "prb_infos",
	[KMEMDUMP_ID_COREIMAGE_prb_data] = "prb_data",
	[KMEMDUMP_ID_COREIMAGE_runqueues] = "runqueues",
	[KMEMDUMP_ID_COREIMAGE_high_memory] = "high_memory",
	[KMEMDUMP_ID_COREIMAGE_init_mm] = "init_mm",
	[KMEMDUMP_ID_COREIMAGE_init_mm_pgd] = "init_mm_pgd",
	[KMEMDUMP_ID_USER_START] = "user_start",
	[KMEMDUMP_ID_USER_END] = "user_end",
};

/**
 * kmemdump_identifier_name() - the name of a region with a fixed number
 * @uid: its number
 *
 * Return: a name of at most 16 characters, or NULL for any other number.
 */
const char *kmemdump_identifier_name(enum kmemdump_uid uid)
{
	return uid < KMEMDUMP_ID_NO_ID ? names[uid] : NULL;
}
