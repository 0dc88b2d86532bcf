// SPDX-License-Identifier: GPL-2.0
/*
 * Finds symbols that the kernel does not export: in the symbol table, which is
 * found through a kprobe, and in the vmcoreinfo text, which also has the layout of
 * private structures.
 */
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include "kmemdump_compat.h"
#include "kmemdump_internal.h"

static unsigned long (*lookup_name)(const char *name);
static int (*lookup_size)(unsigned long addr, unsigned long *size,
			  unsigned long *offset);
static struct module *(*module_at)(unsigned long addr);

#ifdef MODULE
static void * __init probe_address(const char *function)
{
	struct kprobe probe = { .symbol_name = function };
	void *addr;

	if (register_kprobe(&probe))
		return NULL;
	addr = probe.addr;
	unregister_kprobe(&probe);
	return addr;
}

static unsigned long __init exported_address(const char *name)
{
	unsigned long addr = (unsigned long)__symbol_get(name);

	/* A symbol of the kernel itself stays valid without a reference. */
	if (addr)
		__symbol_put(name);
	return addr;
}
#else
static inline unsigned long exported_address(const char *name)
{
	return 0;
}
#endif

/**
 * kmemdump_symbols_init() - find the kernel's symbol table
 *
 * Return: 0, or -ENOENT if it is not found; vmcoreinfo still works then.
 */
int __init kmemdump_symbols_init(void)
{
#ifdef MODULE
	lookup_name = probe_address("kallsyms_lookup_name");
	if (!lookup_name)
		return -ENOENT;
	lookup_size = (void *)lookup_name("kallsyms_lookup_size_offset");
	module_at = (void *)lookup_name("__module_address");
#else
	lookup_name = kallsyms_lookup_name;
	lookup_size = kallsyms_lookup_size_offset;
#endif
	return 0;
}

/* A module may be unloaded, and its symbol only happens to have the same name. */
static bool __init is_of_a_module(unsigned long addr)
{
	bool found;

	if (!module_at)
		return false;
	preempt_disable();
	found = module_at(addr);
	preempt_enable();
	return found;
}

/**
 * kmemdump_symbol() - address of a symbol of the kernel
 * @name: name of the symbol
 *
 * Looks in kallsyms, which has no data symbols without CONFIG_KALLSYMS_ALL, then
 * in the vmcoreinfo text, then among the symbols exported to modules.
 *
 * Return: its address, or NULL if it is not found or belongs to a module.
 */
void * __init kmemdump_symbol(const char *name)
{
	unsigned long addr = 0;
	char key[64];

	if (lookup_name)
		addr = lookup_name(name);
	if (!addr) {
		snprintf(key, sizeof(key), "SYMBOL(%s)", name);
		if (kmemdump_vmcoreinfo_value(key, &addr))
			addr = exported_address(name);
	}
	return is_of_a_module(addr) ? NULL : (void *)addr;
}

/**
 * kmemdump_symbol_size() - distance from a symbol to the next one
 * @addr: address of the symbol
 *
 * This is an upper bound of the size of the object.
 *
 * Return: the distance in bytes, or 0 if it is not known.
 */
size_t __init kmemdump_symbol_size(const void *addr)
{
	unsigned long size = 0, offset = 0;

	if (!lookup_size || !lookup_size((unsigned long)addr, &size, &offset))
		return 0;
	return offset ? 0 : size;
}

/*
 * The copy for crash kernels. If the kernel has not made one, the function returns
 * the physical address of NULL, which can be any number.
 */
static char * __init vmcoreinfo_in_note(void)
{
	phys_addr_t phys = paddr_vmcoreinfo_note();
	char *name;

	if (!phys || !pfn_valid(PHYS_PFN(phys)))
		return NULL;
	name = (char *)phys_to_virt(phys) + sizeof(struct elf_note);
	if (memcmp(name, VMCOREINFO_NOTE_NAME, sizeof(VMCOREINFO_NOTE_NAME)))
		return NULL;
	return name + VMCOREINFO_NOTE_NAME_BYTES;
}

/**
 * kmemdump_vmcoreinfo() - the vmcoreinfo text
 *
 * Return: VMCOREINFO_BYTES bytes, zero padded, or NULL.
 */
char * __init kmemdump_vmcoreinfo(void)
{
	char **data = lookup_name ? (char **)lookup_name("vmcoreinfo_data") :
				    NULL;

	return data ? *data : vmcoreinfo_in_note();
}

/**
 * kmemdump_vmcoreinfo_value() - look a value up in the vmcoreinfo text
 * @key: the text before the equals sign, such as "SIZE(list_head)"
 * @value: the value, which the text has in hexadecimal for a SYMBOL, otherwise in
 *	decimal
 *
 * Return: 0 or -ENOENT.
 */
int __init kmemdump_vmcoreinfo_value(const char *key, unsigned long *value)
{
	const char *text = kmemdump_vmcoreinfo();
	const char *end = text ? text + strnlen(text, VMCOREINFO_BYTES) : NULL;
	size_t key_len = strlen(key);

	while (text < end) {
		const char *newline = memchr(text, '\n', end - text);
		size_t len = (newline ?: end) - text;
		char number[24];

		if (len > key_len && text[key_len] == '=' &&
		    !memcmp(text, key, key_len) &&
		    len - key_len <= sizeof(number)) {
			memcpy(number, text + key_len + 1, len - key_len - 1);
			number[len - key_len - 1] = '\0';
			if (kstrtoul(number, str_has_prefix(key, "SYMBOL(") ?
				     16 : 10, value))
				return -ENOENT;
			return 0;
		}
		text += len + 1;
	}
	return -ENOENT;
}
