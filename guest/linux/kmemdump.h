/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kmemdump: a table of kernel memory regions that are worth saving when the
 * machine dies, and backends that can save them without the kernel's help.
 */
#ifndef _KMEMDUMP_H
#define _KMEMDUMP_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/kconfig.h>
#include <linux/types.h>

/**
 * enum kmemdump_uid - the number of a region, and its place in the core image
 *
 * @KMEMDUMP_ID_START: never a region
 * @KMEMDUMP_ID_COREIMAGE_ELF: ELF header, program headers and notes
 * @KMEMDUMP_ID_COREIMAGE_VMCOREINFO: the vmcoreinfo text
 * @KMEMDUMP_ID_COREIMAGE_CONFIG: the compressed kernel configuration
 * @KMEMDUMP_ID_COREIMAGE_MEMSECT: the array that ``mem_section`` points to
 * @KMEMDUMP_ID_COREIMAGE__totalram_pages: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE___cpu_possible_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE___cpu_present_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE___cpu_online_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE___cpu_active_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_jiffies_64: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_linux_banner: the string with its terminator
 * @KMEMDUMP_ID_COREIMAGE_nr_threads: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_nr_irqs: the variable ``nr_irqs`` or ``total_nr_irqs``
 * @KMEMDUMP_ID_COREIMAGE_tainted_mask: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_taint_flags: the array of that name
 * @KMEMDUMP_ID_COREIMAGE_mem_section: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_node_data: the array of pointers of that name
 * @KMEMDUMP_ID_COREIMAGE_node_states: the array of that name
 * @KMEMDUMP_ID_COREIMAGE___per_cpu_offset: the array of that name
 * @KMEMDUMP_ID_COREIMAGE_nr_swapfiles: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_init_uts_ns: the structure of that name
 * @KMEMDUMP_ID_COREIMAGE_printk_rb_static: the structure of that name
 * @KMEMDUMP_ID_COREIMAGE_printk_rb_dynamic: the structure of that name
 * @KMEMDUMP_ID_COREIMAGE_prb: pointer to the ring buffer in use
 * @KMEMDUMP_ID_COREIMAGE_prb_descs: descriptors of the ring buffer in use
 * @KMEMDUMP_ID_COREIMAGE_prb_infos: records of the ring buffer in use
 * @KMEMDUMP_ID_COREIMAGE_prb_data: text of the ring buffer in use
 * @KMEMDUMP_ID_COREIMAGE_runqueues: runqueue of the first possible CPU
 * @KMEMDUMP_ID_COREIMAGE_high_memory: the variable of that name
 * @KMEMDUMP_ID_COREIMAGE_init_mm: the structure of that name
 * @KMEMDUMP_ID_COREIMAGE_init_mm_pgd: its member ``pgd``
 * @KMEMDUMP_ID_USER_START: for platform code
 * @KMEMDUMP_ID_USER_END: for platform code
 * @KMEMDUMP_ID_NO_ID: asks for any free number; never a region itself
 * @KMEMDUMP_ID_DYNAMIC: the first number handed out for KMEMDUMP_ID_NO_ID
 * @KMEMDUMP_ID_MAX: one past the last number, the capacity of every table
 *
 * The numbers also give the order of the regions in a core image.
 */
enum kmemdump_uid {
	KMEMDUMP_ID_START = 0,
	KMEMDUMP_ID_COREIMAGE_ELF,
	KMEMDUMP_ID_COREIMAGE_VMCOREINFO,
	KMEMDUMP_ID_COREIMAGE_CONFIG,
	KMEMDUMP_ID_COREIMAGE_MEMSECT,
	KMEMDUMP_ID_COREIMAGE__totalram_pages,
	KMEMDUMP_ID_COREIMAGE___cpu_possible_mask,
	KMEMDUMP_ID_COREIMAGE___cpu_present_mask,
	KMEMDUMP_ID_COREIMAGE___cpu_online_mask,
	KMEMDUMP_ID_COREIMAGE___cpu_active_mask,
	KMEMDUMP_ID_COREIMAGE_jiffies_64,
	KMEMDUMP_ID_COREIMAGE_linux_banner,
	KMEMDUMP_ID_COREIMAGE_nr_threads,
	KMEMDUMP_ID_COREIMAGE_nr_irqs,
	KMEMDUMP_ID_COREIMAGE_tainted_mask,
	KMEMDUMP_ID_COREIMAGE_taint_flags,
	KMEMDUMP_ID_COREIMAGE_mem_section,
	KMEMDUMP_ID_COREIMAGE_node_data,
	KMEMDUMP_ID_COREIMAGE_node_states,
	KMEMDUMP_ID_COREIMAGE___per_cpu_offset,
	KMEMDUMP_ID_COREIMAGE_nr_swapfiles,
	KMEMDUMP_ID_COREIMAGE_init_uts_ns,
	KMEMDUMP_ID_COREIMAGE_printk_rb_static,
	KMEMDUMP_ID_COREIMAGE_printk_rb_dynamic,
	KMEMDUMP_ID_COREIMAGE_prb,
	KMEMDUMP_ID_COREIMAGE_prb_descs,
	KMEMDUMP_ID_COREIMAGE_prb_infos,
	KMEMDUMP_ID_COREIMAGE_prb_data,
	KMEMDUMP_ID_COREIMAGE_runqueues,
	KMEMDUMP_ID_COREIMAGE_high_memory,
	KMEMDUMP_ID_COREIMAGE_init_mm,
	KMEMDUMP_ID_COREIMAGE_init_mm_pgd,
	KMEMDUMP_ID_USER_START,
	KMEMDUMP_ID_USER_END,
	KMEMDUMP_ID_NO_ID,
	KMEMDUMP_ID_DYNAMIC,
	KMEMDUMP_ID_MAX = 512,
};

#define KMEMDUMP_BACKEND_MAX_NAME 32

/**
 * struct kmemdump_backend - a driver that can save regions
 * @name: for the kernel log
 * @register_region: take a region. Returns 0, or a negative errno, which
 *	refuses only this region. The memory is physically contiguous, see
 *	kmemdump_virt_to_phys().
 * @unregister_region: forget a region that @register_region has taken or
 *	refused. Returns 0 or a negative errno.
 *
 * The callbacks are serialised. They must not sleep, because a kernel without
 * CONFIG_PREEMPT_COUNT cannot tell whether the caller that registers a region
 * may sleep. They must not call kmemdump, except for kmemdump_uid_name(),
 * kmemdump_virt_to_phys() and kmemdump_extents().
 */
struct kmemdump_backend {
	char name[KMEMDUMP_BACKEND_MAX_NAME];
	int (*register_region)(const struct kmemdump_backend *be,
			       enum kmemdump_uid uid, void *vaddr, size_t size);
	int (*unregister_region)(const struct kmemdump_backend *be,
				 enum kmemdump_uid uid);
};

/**
 * struct kmemdump_zone - one entry of the table of annotated variables
 * @id: the number, or KMEMDUMP_ID_NO_ID for any that is free
 * @zone: first byte, a kernel virtual address
 * @size: length in bytes
 * @name: name of the variable, for an entry without a fixed number
 */
struct kmemdump_zone {
	enum kmemdump_uid id;
	void *zone;
	size_t size;
	const char *name;
};

/**
 * struct kmemdump_extent - memory that is worth saving in addition to the regions
 * @phys: physical address of the first byte, page aligned
 * @virt: kernel virtual address of the first byte
 * @size: length in bytes, whole pages; 0: the entry is empty
 *
 * A controller can read the list of extents itself: see kmemdump_extents().
 */
struct kmemdump_extent {
	__le64 phys;
	__le64 virt;
	__le64 size;
};

struct pt_regs;

/* A kernel whose Kconfig does not have kmemdump can load it as a module. */
#if IS_ENABLED(CONFIG_KMEMDUMP) || !IS_ENABLED(CONFIG_HAVE_KMEMDUMP)

int kmemdump_register_id(enum kmemdump_uid uid, void *zone, size_t size);
int kmemdump_register_named(const char *name, void *zone, size_t size);
__printf(3, 4) int kmemdump_register_fmt(void *zone, size_t size,
					 const char *fmt, ...);
void kmemdump_unregister(enum kmemdump_uid uid);
int kmemdump_find_uid(const void *zone);

int kmemdump_register_backend(const struct kmemdump_backend *be);
void kmemdump_unregister_backend(const struct kmemdump_backend *be);

const char *kmemdump_uid_name(enum kmemdump_uid uid);
int kmemdump_virt_to_phys(const void *zone, size_t size, phys_addr_t *phys);

void kmemdump_allocated(enum kmemdump_uid uid, void *zone, size_t size);
void kmemdump_forget(const void *zone);

const struct kmemdump_extent *kmemdump_extents(size_t *size);
void kmemdump_watch_extents(void (*changed)(void *data, unsigned int not_listed),
			    void *data);
void kmemdump_refresh(void);
void kmemdump_prepare_panic(struct pt_regs *regs);

#else

static inline int kmemdump_register_id(enum kmemdump_uid uid, void *zone,
				       size_t size)
{
	return 0;
}

static inline int kmemdump_register_named(const char *name, void *zone,
					  size_t size)
{
	return 0;
}

static inline __printf(3, 4) int kmemdump_register_fmt(void *zone, size_t size,
						       const char *fmt, ...)
{
	return 0;
}

static inline void kmemdump_unregister(enum kmemdump_uid uid)
{
}

static inline void kmemdump_allocated(enum kmemdump_uid uid, void *zone,
				      size_t size)
{
}

static inline void kmemdump_forget(const void *zone)
{
}

static inline int kmemdump_find_uid(const void *zone)
{
	return -1;
}

#endif

/**
 * kmemdump_register() - register a region under any free number
 * @zone: first byte, a kernel virtual address
 * @size: length in bytes
 *
 * Return: as kmemdump_register_id().
 */
static inline int kmemdump_register(void *zone, size_t size)
{
	return kmemdump_register_id(KMEMDUMP_ID_NO_ID, zone, size);
}

/*
 * Annotations: a variable of built-in code becomes an entry of a table. A late
 * initcall registers the entry unless its number is taken by then.
 *
 * An entry states its alignment. Otherwise the compiler could align it to more
 * than the size of the structure, and the section would not be an array.
 */
#if !IS_ENABLED(CONFIG_KMEMDUMP)
#define __KMEMDUMP_ENTRY(...)
#elif defined(MODULE)
#define __KMEMDUMP_ENTRY(...)						\
	static_assert(0, "a module calls kmemdump_register_id(), and unregisters")
#else
#define __KMEMDUMP_ENTRY(uid, sym, sz)					\
	static const struct kmemdump_zone __UNIQUE_ID(__kmemdump_entry)	\
	__used __section(".kmemdump")					\
	__aligned(__alignof__(struct kmemdump_zone)) = {		\
		.id = (uid),						\
		.zone = (void *)&(sym),					\
		.size = (sz),						\
		.name = #sym,						\
	}
#endif

/**
 * KMEMDUMP_VAR_ID() - annotate a variable
 * @idx: its number, or KMEMDUMP_ID_NO_ID for any that is free
 * @sym: the variable
 * @sz: bytes to save
 */
#define KMEMDUMP_VAR_ID(idx, sym, sz) __KMEMDUMP_ENTRY(idx, sym, sz)

/**
 * KMEMDUMP_VAR_CORE() - annotate the variable that an identifier is named after
 * @sym: the variable; its number is KMEMDUMP_ID_COREIMAGE_sym
 * @sz: bytes to save
 */
#define KMEMDUMP_VAR_CORE(sym, sz) \
	__KMEMDUMP_ENTRY(KMEMDUMP_ID_COREIMAGE_##sym, sym, sz)

/**
 * KMEMDUMP_VAR_CORE_NAMED() - annotate a variable by another name
 * @label: its number is KMEMDUMP_ID_COREIMAGE_label
 * @sym: the variable
 * @sz: bytes to save
 */
#define KMEMDUMP_VAR_CORE_NAMED(label, sym, sz) \
	__KMEMDUMP_ENTRY(KMEMDUMP_ID_COREIMAGE_##label, sym, sz)

extern const struct kmemdump_zone __kmemdump_table[];
extern const struct kmemdump_zone __kmemdump_table_end[];

static inline struct kmemdump_zone const **
kmemdump_first_entry(const struct kmemdump_zone **entry)
{
	*entry = __kmemdump_table;
	return entry;
}

/**
 * for_each_kmemdump_entry() - walk the table of annotations
 * @entry: a const struct kmemdump_zone *
 */
#define for_each_kmemdump_entry(entry)					\
	for (const struct kmemdump_zone **__at = kmemdump_first_entry(&(entry)); \
	     *__at < __kmemdump_table_end; ++*__at)

/*
 * Wrappers of an allocator: register the memory that it returned. They never make
 * the allocation fail; a region that cannot be registered prints a line.
 */

/**
 * kmemdump_alloc_id_size() - allocate and register
 * @id: the number
 * @sz: bytes to save
 * @fn: the allocator, which returns a pointer; its arguments follow
 *
 * Return: what @fn returned.
 */
#define kmemdump_alloc_id_size(id, sz, fn, ...)				\
({									\
	void *__kmemdump_zone = fn(__VA_ARGS__);			\
									\
	if (__kmemdump_zone)						\
		kmemdump_allocated(id, __kmemdump_zone, sz);		\
	__kmemdump_zone;						\
})

/**
 * kmemdump_alloc_id_size_replace() - allocate and register in place of another
 * @id: the number; a region that already has it is unregistered
 * @sz: bytes to save
 * @fn: the allocator, which returns a pointer; its arguments follow
 *
 * Return: what @fn returned. If that is NULL, nothing has changed.
 */
#define kmemdump_alloc_id_size_replace(id, sz, fn, ...)			\
({									\
	const enum kmemdump_uid __kmemdump_uid = (id);			\
	void *__kmemdump_zone = fn(__VA_ARGS__);			\
									\
	if (__kmemdump_zone) {						\
		kmemdump_unregister(__kmemdump_uid);			\
		kmemdump_allocated(__kmemdump_uid, __kmemdump_zone, sz); \
	}								\
	__kmemdump_zone;						\
})

/**
 * kmemdump_alloc_size() - allocate and register under any free number
 * @sz: bytes to save
 * @fn: the allocator, which returns a pointer; its arguments follow
 *
 * kmemdump_find_uid() returns the number; kmemdump_free() undoes this.
 *
 * Return: what @fn returned.
 */
#define kmemdump_alloc_size(sz, fn, ...) \
	kmemdump_alloc_id_size(KMEMDUMP_ID_NO_ID, sz, fn, ##__VA_ARGS__)

/**
 * kmemdump_phys_alloc_id_size() - allocate and register
 * @id: the number
 * @sz: bytes to save
 * @fn: the allocator, which returns a physical address in the linear map, 0
 *	when it fails; its arguments follow
 *
 * Return: what @fn returned.
 */
#define kmemdump_phys_alloc_id_size(id, sz, fn, ...)			\
({									\
	phys_addr_t __kmemdump_phys = fn(__VA_ARGS__);			\
									\
	if (__kmemdump_phys)						\
		kmemdump_allocated(id, __va(__kmemdump_phys), sz);	\
	__kmemdump_phys;						\
})

/**
 * kmemdump_phys_alloc_size() - allocate and register under any free number
 * @sz: bytes to save
 * @fn: as for kmemdump_phys_alloc_id_size()
 *
 * Return: what @fn returned.
 */
#define kmemdump_phys_alloc_size(sz, fn, ...) \
	kmemdump_phys_alloc_id_size(KMEMDUMP_ID_NO_ID, sz, fn, ##__VA_ARGS__)

/**
 * kmemdump_free_id() - unregister and free, in this order
 * @id: the number
 * @fn: the function that frees; its arguments follow
 */
#define kmemdump_free_id(id, fn, ...)					\
do {									\
	kmemdump_unregister(id);					\
	fn(__VA_ARGS__);						\
} while (0)

/**
 * kmemdump_free() - unregister memory without a fixed number and free it
 * @zone: its first byte, a kernel virtual address
 * @fn: the function that frees; its arguments follow
 */
#define kmemdump_free(zone, fn, ...)					\
do {									\
	kmemdump_forget(zone);						\
	fn(__VA_ARGS__);						\
} while (0)

#endif /* _KMEMDUMP_H */
