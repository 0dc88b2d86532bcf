// SPDX-License-Identifier: GPL-2.0
/*
 * Lists the memory of every module that readers need: its structure, its data, the
 * names of its functions, and the addresses of its sections, from which a debugger
 * finds out where the debugging information belongs.
 */
#include <linux/kallsyms.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>

#include "kmemdump_compat.h"
#include "kmemdump_internal.h"

/* More than any module has; a corrupt module can claim more. */
#define MOST_ATTRIBUTES 1024U
#define MOST_SYMBOLS 65536U
#define MOST_OF_STRINGS SZ_2M
/* The notes are a build ID and how the module was linked. */
#define MOST_OF_A_NOTE SZ_4K
/* Length of the name of a section. */
#define NAME_BYTES 64

static struct list_head *modules_list;

/**
 * kmemdump_modules_init() - find where the walk starts
 */
void __init kmemdump_modules_init(void)
{
	modules_list = kmemdump_symbol("modules");
}

/*
 * An exported symbol. The kernel's structure is private. Each field is the offset
 * from the field to its target.
 */
struct exported {
	s32 value_offset;
	s32 name_offset;
	s32 namespace_offset;
};

static void add_exports(struct kmemdump_walk *walk, const struct exported *symbols,
			unsigned int count)
{
	unsigned int i;
	s32 offset;

	if (!IS_ENABLED(CONFIG_HAVE_ARCH_PREL32_RELOCATIONS))
		return;
	for (i = 0; i < count; i++) {
		const s32 *field = &symbols[i].name_offset;

		kmemdump_pages_add(walk->pages, &symbols[i], sizeof(symbols[i]));
		if (!kmemdump_look(walk, &offset, field, sizeof(offset)))
			break;
		kmemdump_pages_add(walk->pages, (char *)field + offset, KSYM_NAME_LEN);
	}
}

#ifdef CONFIG_KALLSYMS
/*
 * A loaded module has its symbol table in its data. While it is being initialised,
 * it uses the table of its file, which is freed with its init memory.
 */
static void add_symbols(struct kmemdump_walk *walk, struct module *module)
{
	struct mod_kallsyms *at = kmemdump_pointer_at(walk, &module->kallsyms);
	struct kmemdump_module_memory data;
	struct mod_kallsyms table;
	const void *strings;
	unsigned int count;

	if (!at || !kmemdump_look(walk, &table, at, sizeof(table)))
		return;
	count = min(table.num_symtab, MOST_SYMBOLS);
	strings = (const void __force *)table.strtab;
	kmemdump_pages_add(walk->pages, at, sizeof(*at));
	kmemdump_pages_add(walk->pages, (const void __force *)table.symtab,
			   count * sizeof(*table.symtab));
	kmemdump_pages_add(walk->pages, (const void __force *)table.typetab, count);
	if (kmemdump_look(walk, &data, kmemdump_module_init_data(module), sizeof(data)) &&
	    strings >= data.base && strings < data.base + data.size)
		kmemdump_pages_add(walk->pages, strings,
				   min_t(size_t, data.base + data.size - strings,
					 MOST_OF_STRINGS));
}
#else
static inline void add_symbols(struct kmemdump_walk *walk, struct module *module)
{
}
#endif

#ifdef KMEMDUMP_MODULE_ATTRIBUTES
/* Before 6.14 the address of a section follows its attribute. */
static void add_attribute(struct kmemdump_walk *walk,
			  const struct bin_attribute *attribute)
{
	kmemdump_pages_add(walk->pages, attribute,
			   sizeof(*attribute) + sizeof(unsigned long));
	kmemdump_pages_add(walk->pages,
			   kmemdump_pointer_at(walk, &attribute->attr.name),
			   NAME_BYTES);
}

static void add_note(struct kmemdump_walk *walk,
		     const struct bin_attribute *attribute)
{
	size_t size;

	add_attribute(walk, attribute);
	if (kmemdump_look(walk, &size, &attribute->size, sizeof(size)))
		kmemdump_pages_add(walk->pages,
				   kmemdump_pointer_at(walk, &attribute->private),
				   min_t(size_t, size, MOST_OF_A_NOTE));
}

static void add_group(struct kmemdump_walk *walk,
		      const struct attribute_group *group,
		      void (*add)(struct kmemdump_walk *walk,
				  const struct bin_attribute *attribute))
{
	const void *const *list;
	unsigned int i;

	if (!group)
		return;
	/* Before 6.14 the number of attributes follows the group. */
	kmemdump_pages_add(walk->pages, group, sizeof(*group) + sizeof(int));
	list = kmemdump_pointer_at(walk, &group->bin_attrs);
	for (i = 0; list && i < MOST_ATTRIBUTES; i++) {
		const void *attribute = kmemdump_pointer_at(walk, &list[i]);

		kmemdump_pages_add(walk->pages, &list[i], sizeof(list[i]));
		if (!attribute)
			break;
		add(walk, attribute);
	}
}

/*
 * Since 6.14 the notes are a group, followed by the first attribute. Before, they
 * were an array, whose structure is private as well.
 */
struct array_of_notes {
	struct kobject *dir;
	unsigned int count;
	const struct bin_attribute attributes[];
};

static void add_notes(struct kmemdump_walk *walk, const void *notes)
{
	const struct attribute_group *group = notes;
	const struct array_of_notes *array = notes;
	const void *list;
	unsigned int i, count;

	if (!notes)
		return;
	list = kmemdump_pointer_at(walk, &group->bin_attrs);
	if (kmemdump_pointer_at(walk, list) == group + 1) {
		add_group(walk, group, add_note);
		return;
	}
	kmemdump_pages_add(walk->pages, array, sizeof(*array));
	count = min(kmemdump_number_at(walk, &array->count), MOST_ATTRIBUTES);
	for (i = 0; i < count; i++)
		add_note(walk, &array->attributes[i]);
}

static void add_attributes(struct kmemdump_walk *walk, struct module *module)
{
	add_group(walk, kmemdump_pointer_at(walk, &module->sect_attrs),
		  add_attribute);
	add_notes(walk, kmemdump_pointer_at(walk, &module->notes_attrs));
}
#else
static inline void add_attributes(struct kmemdump_walk *walk,
				  struct module *module)
{
}
#endif

/* crash needs all of a module's data because of the names in it. */
static void add_module(struct kmemdump_walk *walk, struct module *module)
{
	struct kmemdump_module_memory data;

	kmemdump_pages_add(walk->pages, module, sizeof(*module));
	if (kmemdump_look(walk, &data, kmemdump_module_data(module), sizeof(data)))
		kmemdump_pages_add(walk->pages, data.base, data.size);
	add_exports(walk, kmemdump_pointer_at(walk, &module->syms),
		    kmemdump_number_at(walk, &module->num_syms));
#ifdef KMEMDUMP_GPL_SYMBOLS_APART
	add_exports(walk, kmemdump_pointer_at(walk, &module->gpl_syms),
		    kmemdump_number_at(walk, &module->num_gpl_syms));
#endif
	add_symbols(walk, module);
	add_attributes(walk, module);
}

/**
 * kmemdump_modules_add() - list every module
 * @walk: the walk
 */
void kmemdump_modules_add(struct kmemdump_walk *walk)
{
	unsigned int done = 0, i;
	struct kmemdump_ring ring;

	if (!modules_list)
		return;
	ring = kmemdump_ring_of(modules_list, false);
	while (kmemdump_ring_next(walk, &ring)) {
		add_module(walk, container_of(ring.at, struct module, list));
		done++;
		if (!kmemdump_rested(walk))
			continue;
		/* Start again, and go on to the same position. */
		ring = kmemdump_ring_of(modules_list, false);
		for (i = 0; i < done && kmemdump_ring_next(walk, &ring); i++)
			;
		if (i < done)
			break;
	}
	if (!kmemdump_ring_is_whole(&ring))
		walk->broken++;
}
