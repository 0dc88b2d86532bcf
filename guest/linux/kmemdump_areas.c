// SPDX-License-Identifier: GPL-2.0
/*
 * A table of the memory that each identifier of the core image stands for, and the
 * areas that get a number at run time: one for each node, CPU or memory section.
 */
#define pr_fmt(fmt) "kmemdump: " fmt

#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/panic.h>
#include <linux/percpu.h>
#include <linux/printk.h>
#include <linux/utsname.h>

#include "kmemdump_compat.h"
#include "kmemdump_internal.h"

static unsigned int registered __initdata;
static unsigned int missing __initdata;
static char missing_names[256] __initdata;

static void __init count_missing(const char *name)
{
	size_t used = strlen(missing_names);

	scnprintf(missing_names + used, sizeof(missing_names) - used, "%s%s",
		  missing++ ? " " : "", name);
}

static void __init count_result(const char *name, int ret)
{
	/* -EALREADY: the owner of the memory has registered it already. */
	if (ret >= 0 || ret == -EALREADY) {
		registered++;
		return;
	}
	pr_warn("cannot register %s: %d\n", name, ret);
	count_missing(name);
}

static __printf(3, 4) void __init register_dynamic(void *zone, size_t size,
						   const char *fmt, ...)
{
	char name[KMEMDUMP_NAME_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);

	count_result(name, kmemdump_register_named(name, zone, size));
}

/* The finders return the size in bytes, 0 if this kernel does not have the area. */

static size_t __init find_vmcoreinfo(void **zone)
{
	*zone = kmemdump_vmcoreinfo();
	/* The whole buffer, because the kernel appends to the text at a panic. */
	return *zone ? VMCOREINFO_BYTES : 0;
}

/* The data with the marks around it, by which tools recognize it. */
static size_t __init find_config(void **zone)
{
	static const char mark[8] __initconst = "IKCFG_ST";
	char *data = kmemdump_symbol("kernel_config_data");
	char *end = kmemdump_symbol("kernel_config_data_end");

	if (!data || !end || end < data)
		return 0;
	*zone = data - sizeof(mark);
	if (memcmp(*zone, mark, sizeof(mark)))
		return 0;
	return end - data + 2 * sizeof(mark);
}

static size_t __init find_memsect(void **zone)
{
#ifdef CONFIG_SPARSEMEM_EXTREME
	*zone = mem_section;
	return sizeof(*mem_section) * NR_SECTION_ROOTS;
#else
	return 0;
#endif
}

static size_t __init find_linux_banner(void **zone)
{
	*zone = kmemdump_symbol("linux_banner");
	return *zone ? strlen(*zone) + 1 : 0;
}

static void * __init prb_member(unsigned long offset)
{
	char **prb = kmemdump_symbol("prb");

	return prb && *prb ? *prb + offset : NULL;
}

/* If it is in use, prb points to it, and the symbol is not needed. */
static size_t __init find_printk_rb_dynamic(void **zone)
{
	void *used = prb_member(0);
	unsigned long size;

	if (kmemdump_vmcoreinfo_value("SIZE(printk_ringbuffer)", &size))
		return 0;
	*zone = kmemdump_symbol("printk_rb_dynamic");
	if (!*zone && used != kmemdump_symbol("printk_rb_static"))
		*zone = used;
	return *zone ? size : 0;
}

static void * __init prb_ring_member(const char *ring, const char *member)
{
	unsigned long ring_offset, offset;

	if (kmemdump_vmcoreinfo_value(ring, &ring_offset) ||
	    kmemdump_vmcoreinfo_value(member, &offset))
		return NULL;
	return prb_member(ring_offset + offset);
}

static size_t __init find_desc_array(void **zone, const char *member,
				     const char *element)
{
	static const char ring[] __initconst =
		"OFFSET(printk_ringbuffer.desc_ring)";
	unsigned int *bits =
		prb_ring_member(ring, "OFFSET(prb_desc_ring.count_bits)");
	void **array = prb_ring_member(ring, member);
	unsigned long size;

	if (!bits || !array || kmemdump_vmcoreinfo_value(element, &size))
		return 0;
	*zone = *array;
	return size << *bits;
}

static size_t __init find_prb_descs(void **zone)
{
	return find_desc_array(zone, "OFFSET(prb_desc_ring.descs)",
			       "SIZE(prb_desc)");
}

static size_t __init find_prb_infos(void **zone)
{
	return find_desc_array(zone, "OFFSET(prb_desc_ring.infos)",
			       "SIZE(printk_info)");
}

static size_t __init find_prb_data(void **zone)
{
	static const char ring[] __initconst =
		"OFFSET(printk_ringbuffer.text_data_ring)";
	unsigned int *bits =
		prb_ring_member(ring, "OFFSET(prb_data_ring.size_bits)");
	void **data = prb_ring_member(ring, "OFFSET(prb_data_ring.data)");

	if (!bits || !data)
		return 0;
	*zone = *data;
	return 1UL << *bits;
}

/* The runqueue of a CPU; the symbol itself is only the template. */
static size_t __init find_runqueue(void **zone, unsigned int cpu)
{
	void *template = kmemdump_symbol("runqueues");

	if (!template)
		return 0;
	*zone = per_cpu_ptr((void __percpu __force *)template, cpu);
	return kmemdump_symbol_size(template);
}

static size_t __init find_first_runqueue(void **zone)
{
	return find_runqueue(zone, cpumask_first(cpu_possible_mask));
}

static size_t __init find_init_mm_pgd(void **zone)
{
	struct mm_struct *mm = kmemdump_symbol("init_mm");

	if (!mm)
		return 0;
	*zone = &mm->pgd;
	return sizeof(mm->pgd);
}

/**
 * struct area - the memory that an identifier stands for
 * @uid: the identifier
 * @addr: address of the object, if it is exported to modules
 * @symbol: otherwise its name
 * @symbol2: its name in other kernel versions
 * @size: size of the object in bytes, if its type is public
 * @size_key: otherwise the key of its size in vmcoreinfo. Without a key the
 *	object reaches to the next symbol
 * @find: a function that finds address and size, instead of all of the above
 */
struct area {
	enum kmemdump_uid uid;
	void *addr;
	const char *symbol;
	const char *symbol2;
	size_t size;
	const char *size_key;
	size_t (*find)(void **zone);
};

#define ID(name) .uid = KMEMDUMP_ID_COREIMAGE_##name
#define EXPORTED(sym) .addr = (void *)&(sym), .size = sizeof(sym)

static const struct area areas[] __initconst = {
	{ ID(VMCOREINFO), .find = find_vmcoreinfo },
	{ ID(CONFIG), .find = find_config },
	{ ID(MEMSECT), .find = find_memsect },
	{ ID(_totalram_pages), EXPORTED(_totalram_pages) },
	{ ID(__cpu_possible_mask), EXPORTED(__cpu_possible_mask) },
	{ ID(__cpu_present_mask), EXPORTED(__cpu_present_mask) },
	{ ID(__cpu_online_mask), EXPORTED(__cpu_online_mask) },
	{ ID(__cpu_active_mask), EXPORTED(__cpu_active_mask) },
	{ ID(jiffies_64), EXPORTED(jiffies_64) },
	{ ID(linux_banner), .find = find_linux_banner },
	{ ID(nr_threads), .symbol = "nr_threads", .size = sizeof(int) },
	{ ID(nr_irqs), .symbol = "nr_irqs", .symbol2 = "total_nr_irqs",
	  .size = sizeof(int) },
	{ ID(tainted_mask), .symbol = "tainted_mask",
	  .size = sizeof(unsigned long) },
	{ ID(taint_flags), .symbol = "taint_flags",
	  .size = sizeof(struct taint_flag) * TAINT_FLAGS_COUNT },
#ifdef CONFIG_SPARSEMEM
	{ ID(mem_section), EXPORTED(mem_section) },
#else
	{ ID(mem_section) },
#endif
#ifdef CONFIG_NUMA
	{ ID(node_data), .addr = node_data,
	  .size = MAX_NUMNODES * sizeof(node_data[0]) },
#else
	{ ID(node_data) },
#endif
	{ ID(node_states), EXPORTED(node_states) },
#ifdef CONFIG_SMP
	{ ID(__per_cpu_offset), EXPORTED(__per_cpu_offset) },
#else
	{ ID(__per_cpu_offset) },
#endif
	{ ID(nr_swapfiles), .symbol = "nr_swapfiles", .size = sizeof(int) },
	{ ID(init_uts_ns), EXPORTED(init_uts_ns) },
	{ ID(printk_rb_static), .symbol = "printk_rb_static",
	  .size_key = "SIZE(printk_ringbuffer)" },
	{ ID(printk_rb_dynamic), .find = find_printk_rb_dynamic },
	{ ID(prb), .symbol = "prb", .size = sizeof(void *) },
	{ ID(prb_descs), .find = find_prb_descs },
	{ ID(prb_infos), .find = find_prb_infos },
	{ ID(prb_data), .find = find_prb_data },
	{ ID(runqueues), .find = find_first_runqueue },
	{ ID(high_memory), EXPORTED(high_memory) },
	/* To the next symbol, because the CPU mask after the structure has no name. */
	{ ID(init_mm), .symbol = "init_mm" },
	{ ID(init_mm_pgd), .find = find_init_mm_pgd },
};

static size_t __init find_area(const struct area *area, void **zone)
{
	unsigned long size = area->size;
	size_t room;

	if (area->find)
		return area->find(zone);

	if (area->addr) {
		*zone = area->addr;
		return size;
	}

	if (area->symbol)
		*zone = kmemdump_symbol(area->symbol);
	if (!*zone && area->symbol2)
		*zone = kmemdump_symbol(area->symbol2);
	if (!*zone)
		return 0;

	if (area->size_key && kmemdump_vmcoreinfo_value(area->size_key, &size))
		return 0;
	/* Never beyond the next symbol, whatever the type is in this kernel. */
	room = kmemdump_symbol_size(*zone);
	return size && room ? min_t(size_t, size, room) : size ?: room;
}

static void __init register_named_areas(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		enum kmemdump_uid uid = areas[i].uid;
		const char *name = kmemdump_uid_name(uid);
		void *zone = NULL;
		size_t size = find_area(&areas[i], &zone);

		if (zone && size)
			count_result(name,
				     kmemdump_register_id(uid, zone, size));
		else
			count_missing(name);
	}
}

static void __init register_runqueues(void)
{
	unsigned int first = cpumask_first(cpu_possible_mask);
	unsigned int cpu;

	for_each_possible_cpu(cpu) {
		void *zone = NULL;
		size_t size;

		if (cpu == first)
			continue;
		size = find_runqueue(&zone, cpu);
		if (size)
			register_dynamic(zone, size, "rq cpu%u", cpu);
	}
}

static void __init register_nodes(void)
{
	int nid;

	for_each_online_node(nid)
		register_dynamic(NODE_DATA(nid), sizeof(pg_data_t),
				 "pglist_data %d", nid);
}

#ifdef CONFIG_SPARSEMEM_EXTREME
static void __init register_section_leaves(void)
{
	unsigned long root;

	for (root = 0; root < NR_SECTION_ROOTS; root++)
		if (mem_section[root])
			register_dynamic(mem_section[root],
					 SECTIONS_PER_ROOT *
						 sizeof(struct mem_section),
					 "sections %lu", root);
}

/* The usage maps are small and mostly adjacent: one region for each run of them. */
static void __init register_section_usage(void)
{
	const size_t size = sizeof(struct mem_section_usage) +
			    BITS_TO_LONGS(SECTION_BLOCKFLAGS_BITS) *
				    sizeof(unsigned long);
	unsigned long nr, first = 0;
	char *start = NULL, *end = NULL;

	for (nr = 0; nr < NR_MEM_SECTIONS; nr++) {
		struct mem_section *section = __nr_to_section(nr);
		char *usage;

		if (!section) {
			/* There is no leaf, so skip all of its sections. */
			nr |= SECTION_ROOT_MASK;
			continue;
		}
		usage = (char *)section->usage;
		if (!usage)
			continue;
		if (start && usage == end) {
			end += size;
			continue;
		}
		if (start)
			register_dynamic(start, end - start, "usage %lu",
					 first);
		start = usage;
		end = usage + size;
		first = nr;
	}
	if (start)
		register_dynamic(start, end - start, "usage %lu", first);
}
#else
static inline void register_section_leaves(void) { }
static inline void register_section_usage(void) { }
#endif

/* The root of every translation: init_mm.pgd points here. */
static void __init register_page_table_root(void)
{
	void *pgd = kmemdump_symbol("swapper_pg_dir");

	if (pgd)
		register_dynamic(pgd, PAGE_SIZE, "swapper_pg_dir");
}

/**
 * kmemdump_areas_register() - register all areas that this kernel has
 */
void __init kmemdump_areas_register(void)
{
	register_named_areas();
	register_nodes();
	register_section_leaves();
	register_section_usage();
	register_runqueues();
	register_page_table_root();

	pr_info("%u areas registered, %u not available%s%s\n", registered,
		missing, missing ? ": " : "", missing_names);
}
