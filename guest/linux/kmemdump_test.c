// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the table and of the head of the core image. The tests register
 * as the backend, so they need a kernel without another one. They see the header as
 * a backend does, as the region KMEMDUMP_ID_COREIMAGE_ELF.
 */
#include <kunit/test.h>
#include <linux/align.h>
#include <linux/elf.h>
#include <linux/elfcore.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kasan.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "kmemdump.h"
#include "kmemdump_compat.h"
#include "kmemdump_internal.h"
#include "kmemdump_vital.h"

#define TEST_BYTES 64

/**
 * struct recorder - a backend that records its callbacks
 * @be: the callbacks for kmemdump
 * @held: the regions it has, by number; NULL if it does not have the region
 * @held_count: number of regions in @held
 * @asked: how often a region was offered
 * @last_uid: the last region that was offered
 * @out_of_order: a region was offered after one with a higher number
 * @refuse: the number of the region to refuse, 0 for none
 * @refused: how often it was refused
 * @header: the ELF header, as soon as it is known
 * @counted: the header counted program headers during a callback
 */
struct recorder {
	struct kmemdump_backend be;
	struct kmemdump_zone held[KMEMDUMP_ID_MAX];
	unsigned int held_count;
	unsigned int asked;
	enum kmemdump_uid last_uid;
	bool out_of_order;
	enum kmemdump_uid refuse;
	unsigned int refused;
	struct elfhdr *header;
	bool counted;
};

static void look_at_header(struct recorder *rec)
{
	if (rec->header && READ_ONCE(rec->header->e_phnum))
		rec->counted = true;
}

static bool comes_before(enum kmemdump_uid a, enum kmemdump_uid b)
{
	if (kmemdump_is_vital(a) != kmemdump_is_vital(b))
		return kmemdump_is_vital(a);
	return a < b;
}

static int record_region(const struct kmemdump_backend *be,
			 enum kmemdump_uid uid, void *vaddr, size_t size)
{
	struct recorder *rec = container_of(be, struct recorder, be);

	if (uid == KMEMDUMP_ID_COREIMAGE_ELF)
		rec->header = vaddr;
	look_at_header(rec);

	if (rec->asked++ && comes_before(uid, rec->last_uid))
		rec->out_of_order = true;
	rec->last_uid = uid;

	if (uid == rec->refuse) {
		rec->refused++;
		return -ENOSPC;
	}
	rec->held[uid].zone = vaddr;
	rec->held[uid].size = size;
	rec->held_count++;
	return 0;
}

static int forget_region(const struct kmemdump_backend *be,
			 enum kmemdump_uid uid)
{
	struct recorder *rec = container_of(be, struct recorder, be);

	look_at_header(rec);
	if (!rec->held[uid].zone)
		return -ENOENT;
	rec->held[uid].zone = NULL;
	rec->held_count--;
	return 0;
}

static struct recorder *make_recorder(struct kunit *test)
{
	struct recorder *rec = kunit_kzalloc(test, sizeof(*rec), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rec);
	strscpy(rec->be.name, "kunit", sizeof(rec->be.name));
	rec->be.register_region = record_region;
	rec->be.unregister_region = forget_region;
	return rec;
}

/* Every test starts as the backend of the table that the kernel has filled. */
static int become_backend(struct kunit *test)
{
	struct recorder *rec = make_recorder(test);
	int ret = kmemdump_register_backend(&rec->be);

	if (ret) {
		kunit_err(test, "expected a kernel without a kmemdump backend\n");
		return ret;
	}
	test->priv = rec;
	return 0;
}

static void be_backend_no_more(struct kunit *test)
{
	struct recorder *rec = test->priv;

	if (rec)
		kmemdump_unregister_backend(&rec->be);
}

static void *make_memory(struct kunit *test)
{
	void *memory = kunit_kzalloc(test, TEST_BYTES, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	return memory;
}

/* The address without its tag: pointers to the same memory can differ in tags. */
static void *kept(void *zone)
{
	return kasan_reset_tag(zone);
}

static int register_any(struct kunit *test, void *zone, size_t size)
{
	int uid = kmemdump_register(zone, size);

	KUNIT_ASSERT_GT(test, uid, 0);
	return uid;
}

/* ------------------------------------------------------------- the table */

static void region_reaches_the_backend(struct kunit *test)
{
	struct recorder *rec = test->priv;
	void *zone = make_memory(test);
	int uid = register_any(test, zone, TEST_BYTES);

	KUNIT_EXPECT_PTR_EQ(test, rec->held[uid].zone, kept(zone));
	KUNIT_EXPECT_EQ(test, rec->held[uid].size, TEST_BYTES);

	kmemdump_unregister(uid);
	KUNIT_EXPECT_NULL(test, rec->held[uid].zone);
}

static void number_out_of_range_is_refused(struct kunit *test)
{
	void *zone = make_memory(test);

	KUNIT_EXPECT_EQ(test, kmemdump_register_id(KMEMDUMP_ID_START, zone, 8),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, kmemdump_register_id(KMEMDUMP_ID_MAX, zone, 8),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, kmemdump_register_id(KMEMDUMP_ID_MAX + 1, zone, 8),
			-EINVAL);
	KUNIT_EXPECT_EQ(test,
			kmemdump_register_id((enum kmemdump_uid)-1, zone, 8),
			-EINVAL);
}

static void no_address_no_size_and_wrap_are_refused(struct kunit *test)
{
	void *zone = make_memory(test);

	KUNIT_EXPECT_EQ(test, kmemdump_register(NULL, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmemdump_register(zone, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, kmemdump_register(zone, SIZE_MAX), -EINVAL);
}

static void scattered_pages_are_refused(struct kunit *test)
{
	struct page *first = alloc_pages(GFP_KERNEL, 1);
	struct page *there[] = { first, first + 1 };
	struct page *back[] = { first + 1, first };
	phys_addr_t phys = 0;
	void *zone;
	int uid;

	KUNIT_ASSERT_NOT_NULL(test, first);

	zone = vmap(back, ARRAY_SIZE(back), VM_MAP, PAGE_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, zone);
	KUNIT_EXPECT_EQ(test, kmemdump_register(zone, 2 * PAGE_SIZE), -EINVAL);
	vunmap(zone);

	zone = vmap(there, ARRAY_SIZE(there), VM_MAP, PAGE_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, zone);
	uid = kmemdump_register(zone, 2 * PAGE_SIZE);
	KUNIT_EXPECT_GT(test, uid, 0);
	KUNIT_EXPECT_EQ(test, kmemdump_virt_to_phys(zone, 2 * PAGE_SIZE, &phys),
			0);
	KUNIT_EXPECT_EQ(test, phys, page_to_phys(first));
	if (uid > 0)
		kmemdump_unregister(uid);
	vunmap(zone);

	__free_pages(first, 1);
}

static void number_that_is_taken_is_ealready(struct kunit *test)
{
	struct recorder *rec = test->priv;
	char *zone = make_memory(test);

	KUNIT_ASSERT_EQ(test,
			kmemdump_register_id(KMEMDUMP_ID_USER_START, zone, 8),
			KMEMDUMP_ID_USER_START);
	KUNIT_EXPECT_EQ(test,
			kmemdump_register_id(KMEMDUMP_ID_USER_START, zone + 8, 8),
			-EALREADY);
	KUNIT_EXPECT_PTR_EQ(test, rec->held[KMEMDUMP_ID_USER_START].zone,
			    kept(zone));
	kmemdump_unregister(KMEMDUMP_ID_USER_START);
}

static void any_number_is_the_lowest_behind_no_id(struct kunit *test)
{
	void *zone = make_memory(test);
	int first = register_any(test, zone, 8);
	int second = register_any(test, zone, 8);

	KUNIT_EXPECT_GE(test, first, KMEMDUMP_ID_DYNAMIC);
	KUNIT_EXPECT_GT(test, second, first);
	kmemdump_unregister(first);
	KUNIT_EXPECT_EQ(test, register_any(test, zone, 8), first);
	kmemdump_unregister(first);
	kmemdump_unregister(second);
}

static void full_table_is_enospc(struct kunit *test)
{
	struct recorder *rec = test->priv;
	void *zone = make_memory(test);
	int last = 0, uid, first = 0;

	for (;;) {
		uid = kmemdump_register(zone, 8);
		if (uid < 0)
			break;
		first = first ?: uid;
		last = uid;
	}
	KUNIT_EXPECT_EQ(test, uid, -ENOSPC);
	KUNIT_EXPECT_EQ(test, last, KMEMDUMP_ID_MAX - 1);
	/* Fixed numbers are still free. */
	KUNIT_EXPECT_EQ(test, kmemdump_register_id(KMEMDUMP_ID_USER_END, zone, 8),
			KMEMDUMP_ID_USER_END);
	KUNIT_EXPECT_EQ(test, rec->header->e_phnum, rec->held_count - 1);
	kmemdump_unregister(KMEMDUMP_ID_USER_END);
	for (uid = first; uid <= last; uid++)
		if (rec->held[uid].zone == kept(zone))
			kmemdump_unregister(uid);
}

static void new_backend_gets_the_log_first_then_ascending(struct kunit *test)
{
	struct recorder *rec = test->priv;
	struct recorder *next = make_recorder(test);
	void *zone = make_memory(test);
	int uid = register_any(test, zone, 8);
	unsigned int count = rec->held_count;

	kmemdump_unregister_backend(&rec->be);
	KUNIT_EXPECT_EQ(test, rec->held_count, 0);

	KUNIT_ASSERT_EQ(test, kmemdump_register_backend(&next->be), 0);
	KUNIT_EXPECT_EQ(test, next->held_count, count);
	KUNIT_EXPECT_FALSE(test, next->out_of_order);
	KUNIT_EXPECT_PTR_EQ(test, next->held[uid].zone, kept(zone));
	kmemdump_unregister(uid);
	kmemdump_unregister_backend(&next->be);
}

static void refusal_is_returned_and_nothing_registered(struct kunit *test)
{
	struct recorder *rec = test->priv;
	void *zone = make_memory(test);

	rec->refuse = KMEMDUMP_ID_USER_START;
	KUNIT_EXPECT_EQ(test,
			kmemdump_register_id(KMEMDUMP_ID_USER_START, zone, 8),
			-ENOSPC);
	KUNIT_EXPECT_EQ(test, kmemdump_find_uid(zone), -ENOENT);
	rec->refuse = 0;
	KUNIT_EXPECT_EQ(test,
			kmemdump_register_id(KMEMDUMP_ID_USER_START, zone, 8),
			KMEMDUMP_ID_USER_START);
	kmemdump_unregister(KMEMDUMP_ID_USER_START);
}

static void region_refused_by_one_backend_is_kept_for_the_next(struct kunit *test)
{
	struct recorder *rec = test->priv;
	struct recorder *picky = make_recorder(test);
	void *zone = make_memory(test);
	int uid = register_any(test, zone, 8);

	kmemdump_unregister_backend(&rec->be);
	picky->refuse = uid;
	KUNIT_ASSERT_EQ(test, kmemdump_register_backend(&picky->be), 0);
	KUNIT_EXPECT_EQ(test, picky->refused, 1);
	KUNIT_EXPECT_EQ(test, picky->header->e_phnum, picky->held_count - 1);
	kmemdump_unregister_backend(&picky->be);
	KUNIT_EXPECT_EQ(test, picky->held_count, 0);

	KUNIT_ASSERT_EQ(test, kmemdump_register_backend(&rec->be), 0);
	KUNIT_EXPECT_PTR_EQ(test, rec->held[uid].zone, kept(zone));
	kmemdump_unregister(uid);
}

static void second_backend_is_ebusy(struct kunit *test)
{
	struct recorder *rec = test->priv;
	struct recorder *second = make_recorder(test);

	KUNIT_EXPECT_EQ(test, kmemdump_register_backend(&second->be), -EBUSY);
	KUNIT_EXPECT_EQ(test, second->asked, 0);
	KUNIT_EXPECT_GT(test, rec->held_count, 0);

	/* Unregistering it has no effect either. */
	kmemdump_unregister_backend(&second->be);
	KUNIT_EXPECT_GT(test, rec->held_count, 0);
}

static void backend_without_callback_is_einval(struct kunit *test)
{
	struct recorder *bad = make_recorder(test);

	KUNIT_EXPECT_EQ(test, kmemdump_register_backend(NULL), -EINVAL);
	bad->be.register_region = NULL;
	KUNIT_EXPECT_EQ(test, kmemdump_register_backend(&bad->be), -EINVAL);
	bad->be.register_region = record_region;
	bad->be.unregister_region = NULL;
	KUNIT_EXPECT_EQ(test, kmemdump_register_backend(&bad->be), -EINVAL);
}

static void unregistering_what_is_not_there_changes_nothing(struct kunit *test)
{
	struct recorder *rec = test->priv;
	unsigned int count = rec->held_count;

	kmemdump_unregister(KMEMDUMP_ID_START);
	kmemdump_unregister(KMEMDUMP_ID_USER_START);
	kmemdump_unregister(KMEMDUMP_ID_NO_ID);
	kmemdump_unregister(KMEMDUMP_ID_MAX - 1);
	kmemdump_unregister(KMEMDUMP_ID_MAX);
	kmemdump_unregister((enum kmemdump_uid)-1);
	KUNIT_EXPECT_EQ(test, rec->held_count, count);
}

static void atomic_context_is_refused(struct kunit *test)
{
	struct recorder *rec = test->priv;
	void *zone = make_memory(test);
	unsigned int asked = rec->asked;
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = kmemdump_register(zone, 8);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, ret, -EWOULDBLOCK);
	KUNIT_EXPECT_EQ(test, rec->asked, asked);
}

static void physical_address_is_that_of_the_memory(struct kunit *test)
{
	void *zone = make_memory(test);
	phys_addr_t phys = 0;

	KUNIT_EXPECT_EQ(test, kmemdump_virt_to_phys(zone, 8, &phys), 0);
	KUNIT_EXPECT_EQ(test, phys, virt_to_phys(zone));
#ifndef MODULE
	/* Memory for which virt_to_phys() must not be used. */
	KUNIT_EXPECT_EQ(test, kmemdump_virt_to_phys(linux_banner, 8, &phys), 0);
	KUNIT_EXPECT_EQ(test, phys, __pa_symbol(linux_banner));
#endif
}

#ifndef MODULE
static void table_of_annotations_is_an_array(struct kunit *test)
{
	const struct kmemdump_zone *entry, *other;
	unsigned int count = 0;

	KUNIT_EXPECT_EQ(test, ((char *)__kmemdump_table_end -
			       (char *)__kmemdump_table) % sizeof(*entry), 0);
	for_each_kmemdump_entry(entry) {
		count++;
		KUNIT_EXPECT_GT(test, entry->id, KMEMDUMP_ID_COREIMAGE_CONFIG);
		KUNIT_EXPECT_LE(test, entry->id, KMEMDUMP_ID_NO_ID);
		KUNIT_EXPECT_NOT_NULL(test, entry->zone);
		KUNIT_EXPECT_NE(test, entry->size, 0);
		for_each_kmemdump_entry(other)
			if (entry != other && entry->id != KMEMDUMP_ID_NO_ID)
				KUNIT_EXPECT_NE(test, entry->id, other->id);
	}
	KUNIT_EXPECT_GT(test, count, 20);
}

/* An annotation whose number was taken, for example by the dynamic log buffer. */
static void allocation_comes_before_annotation(struct kunit *test)
{
	struct recorder *rec = test->priv;
	const struct kmemdump_zone *entry;

	for_each_kmemdump_entry(entry) {
		if (entry->id == KMEMDUMP_ID_NO_ID)
			continue;
		KUNIT_EXPECT_EQ(test,
				kmemdump_register_id(entry->id, entry->zone,
						     entry->size), -EALREADY);
		KUNIT_EXPECT_NOT_NULL(test, rec->held[entry->id].zone);
	}
}
#endif

/* ------------------------------------------- wrappers of the allocators */

static void *allocate(size_t size, bool works)
{
	return works ? kzalloc(size, GFP_KERNEL) : NULL;
}

static phys_addr_t allocate_phys(size_t size, bool works)
{
	void *memory = allocate(size, works);

	return memory ? virt_to_phys(memory) : 0;
}

static void allocation_is_registered_and_freed(struct kunit *test)
{
	struct recorder *rec = test->priv;
	const struct kmemdump_zone *held = &rec->held[KMEMDUMP_ID_USER_START];
	void *zone = kmemdump_alloc_id_size(KMEMDUMP_ID_USER_START, TEST_BYTES,
					    allocate, TEST_BYTES, true);

	KUNIT_ASSERT_NOT_NULL(test, zone);
	KUNIT_EXPECT_PTR_EQ(test, held->zone, kept(zone));
	KUNIT_EXPECT_EQ(test, held->size, TEST_BYTES);
	kmemdump_free_id(KMEMDUMP_ID_USER_START, kfree, zone);
	KUNIT_EXPECT_NULL(test, held->zone);
}

static void allocation_that_failed_changes_nothing(struct kunit *test)
{
	struct recorder *rec = test->priv;
	const struct kmemdump_zone *held = &rec->held[KMEMDUMP_ID_USER_START];
	unsigned int count = rec->held_count;
	void *zone = make_memory(test);

	KUNIT_EXPECT_NULL(test, kmemdump_alloc_id_size(KMEMDUMP_ID_USER_START, 8,
						       allocate, 8, false));
	KUNIT_EXPECT_NULL(test, kmemdump_alloc_size(8, allocate, 8, false));
	KUNIT_EXPECT_EQ(test, kmemdump_phys_alloc_size(8, allocate_phys, 8, false),
			0);
	KUNIT_EXPECT_EQ(test, rec->held_count, count);

	kmemdump_register_id(KMEMDUMP_ID_USER_START, zone, 8);
	KUNIT_EXPECT_NULL(test,
			  kmemdump_alloc_id_size_replace(KMEMDUMP_ID_USER_START,
							 8, allocate, 8, false));
	KUNIT_EXPECT_PTR_EQ(test, held->zone, kept(zone));
	kmemdump_unregister(KMEMDUMP_ID_USER_START);
}

static void replacing_takes_the_number_over(struct kunit *test)
{
	struct recorder *rec = test->priv;
	const struct kmemdump_zone *held = &rec->held[KMEMDUMP_ID_USER_START];
	void *old = make_memory(test);
	void *zone;

	kmemdump_register_id(KMEMDUMP_ID_USER_START, old, 8);
	zone = kmemdump_alloc_id_size_replace(KMEMDUMP_ID_USER_START, TEST_BYTES,
					      allocate, TEST_BYTES, true);
	KUNIT_ASSERT_NOT_NULL(test, zone);
	KUNIT_EXPECT_PTR_EQ(test, held->zone, kept(zone));
	KUNIT_EXPECT_EQ(test, held->size, TEST_BYTES);
	kmemdump_free_id(KMEMDUMP_ID_USER_START, kfree, zone);
}

static void number_of_an_allocation_is_not_lost(struct kunit *test)
{
	struct recorder *rec = test->priv;
	unsigned int count = rec->held_count;
	void *zone = kmemdump_alloc_size(TEST_BYTES, allocate, TEST_BYTES, true);
	int uid;

	KUNIT_ASSERT_NOT_NULL(test, zone);
	uid = kmemdump_find_uid(zone);
	KUNIT_ASSERT_GE(test, uid, KMEMDUMP_ID_DYNAMIC);
	KUNIT_EXPECT_PTR_EQ(test, rec->held[uid].zone, kept(zone));
	kmemdump_free(zone, kfree, zone);
	KUNIT_EXPECT_EQ(test, kmemdump_find_uid(zone), -ENOENT);
	KUNIT_EXPECT_EQ(test, rec->held_count, count);
}

static void physical_allocation_is_registered_in_the_linear_map(struct kunit *test)
{
	struct recorder *rec = test->priv;
	phys_addr_t phys;
	int uid;

	phys = kmemdump_phys_alloc_id_size(KMEMDUMP_ID_USER_END, TEST_BYTES,
					   allocate_phys, TEST_BYTES, true);
	KUNIT_ASSERT_NE(test, phys, 0);
	KUNIT_EXPECT_PTR_EQ(test, rec->held[KMEMDUMP_ID_USER_END].zone,
			    __va(phys));
	kmemdump_free_id(KMEMDUMP_ID_USER_END, kfree, __va(phys));

	phys = kmemdump_phys_alloc_size(TEST_BYTES, allocate_phys, TEST_BYTES,
					true);
	KUNIT_ASSERT_NE(test, phys, 0);
	uid = kmemdump_find_uid(__va(phys));
	KUNIT_EXPECT_GE(test, uid, KMEMDUMP_ID_DYNAMIC);
	kmemdump_free(__va(phys), kfree, __va(phys));
}

/* --------------------------------------------------------- the ELF header */

static const struct elf_phdr *phdr_at(const struct recorder *rec,
				      unsigned int index)
{
	return (const void *)((const char *)rec->header + rec->header->e_phoff +
			      index * rec->header->e_phentsize);
}

static size_t header_size(const struct recorder *rec)
{
	return rec->held[KMEMDUMP_ID_COREIMAGE_ELF].size;
}

static size_t vmcoreinfo_bytes(const struct recorder *rec)
{
	const struct kmemdump_zone *info =
		&rec->held[KMEMDUMP_ID_COREIMAGE_VMCOREINFO];

	return info->zone ? ALIGN(info->size, 4) : 0;
}

/* The header has to describe the regions that the backend holds. */
static void expect_header(struct kunit *test, const struct recorder *rec)
{
	const struct elfhdr *ehdr = rec->header;
	size_t offset = header_size(rec) + vmcoreinfo_bytes(rec);
	struct elf_phdr expected;
	unsigned int uid, index = 1;

	for (uid = KMEMDUMP_ID_COREIMAGE_CONFIG; uid < KMEMDUMP_ID_MAX; uid++) {
		const struct kmemdump_zone *zone = &rec->held[uid];

		if (!zone->zone)
			continue;
		KUNIT_ASSERT_LT(test, index, ehdr->e_phnum);
		memset(&expected, 0, sizeof(expected));
		expected.p_type = PT_LOAD;
		expected.p_flags = PF_R | PF_W;
		expected.p_offset = offset;
		expected.p_vaddr = (unsigned long)zone->zone;
		KUNIT_ASSERT_EQ(test, kmemdump_virt_to_phys(zone->zone, zone->size,
							    (phys_addr_t *)&expected.p_paddr), 0);
		expected.p_filesz = ALIGN(zone->size, 4);
		expected.p_memsz = expected.p_filesz;
		KUNIT_EXPECT_MEMEQ(test, phdr_at(rec, index), &expected,
				   sizeof(expected));
		offset += expected.p_filesz;
		index++;
	}
	KUNIT_EXPECT_EQ(test, ehdr->e_phnum, index);

	/* Nothing after the last one. */
	memset(&expected, 0, sizeof(expected));
	for (; index < 1 + KMEMDUMP_ID_MAX; index++)
		KUNIT_EXPECT_MEMEQ(test, phdr_at(rec, index), &expected,
				   sizeof(expected));
}

static void header_is_that_of_a_core_file(struct kunit *test)
{
	struct recorder *rec = test->priv;
	const struct elfhdr *ehdr = rec->header;
	const unsigned char ident[EI_NIDENT] = {
		ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELF_CLASS, ELF_DATA,
		EV_CURRENT, ELF_OSABI,
	};

	KUNIT_ASSERT_NOT_NULL(test, ehdr);
	KUNIT_EXPECT_MEMEQ(test, ehdr->e_ident, ident, sizeof(ident));
	KUNIT_EXPECT_EQ(test, ehdr->e_type, ET_CORE);
	KUNIT_EXPECT_EQ(test, ehdr->e_machine, ELF_ARCH);
	KUNIT_EXPECT_EQ(test, ehdr->e_version, EV_CURRENT);
	KUNIT_EXPECT_EQ(test, ehdr->e_entry, 0);
	KUNIT_EXPECT_EQ(test, ehdr->e_phoff, sizeof(*ehdr));
	KUNIT_EXPECT_EQ(test, ehdr->e_shoff, 0);
	KUNIT_EXPECT_EQ(test, ehdr->e_ehsize, sizeof(*ehdr));
	KUNIT_EXPECT_EQ(test, ehdr->e_phentsize, sizeof(struct elf_phdr));
	KUNIT_EXPECT_EQ(test, ehdr->e_shnum, 0);
#ifdef ELF_CORE_EFLAGS
	KUNIT_EXPECT_EQ(test, ehdr->e_flags, ELF_CORE_EFLAGS);
#else
	KUNIT_EXPECT_EQ(test, ehdr->e_flags, 0);
#endif
	expect_header(test, rec);
}

/* The notes as a reader walks them. */
static const struct elf_note *note_at(const struct recorder *rec, size_t *offset,
				      const char **name)
{
	const struct elf_note *note = (const void *)((const char *)rec->header +
						     *offset);

	*name = (const char *)(note + 1);
	*offset += sizeof(*note) + ALIGN(note->n_namesz, 4);
	return note;
}

static void notes_are_inside_the_region_and_counted_once(struct kunit *test)
{
	struct recorder *rec = test->priv;
	const struct elf_phdr *phdr = phdr_at(rec, 0);
	size_t offset = phdr->p_offset;
	const struct elf_prpsinfo *info;
	const struct elf_note *note;
	const char *name;

	KUNIT_EXPECT_EQ(test, phdr->p_type, PT_NOTE);
	KUNIT_EXPECT_GE(test, offset, rec->header->e_phoff +
			(1 + KMEMDUMP_ID_MAX) * sizeof(*phdr));

	note = note_at(rec, &offset, &name);
	KUNIT_EXPECT_STREQ(test, name, "CORE");
	KUNIT_EXPECT_EQ(test, note->n_namesz, sizeof("CORE"));
	KUNIT_EXPECT_EQ(test, note->n_type, NT_PRSTATUS);
	KUNIT_EXPECT_EQ(test, note->n_descsz, sizeof(struct elf_prstatus));
	offset += ALIGN(note->n_descsz, 4);

	note = note_at(rec, &offset, &name);
	KUNIT_EXPECT_STREQ(test, name, "CORE");
	KUNIT_EXPECT_EQ(test, note->n_type, NT_PRPSINFO);
	KUNIT_EXPECT_EQ(test, note->n_descsz, sizeof(*info));
	info = (const void *)((const char *)rec->header + offset);
	KUNIT_EXPECT_STREQ(test, info->pr_fname, "vmlinux");
	KUNIT_EXPECT_EQ(test, info->pr_sname, 'R');
	/* The command line may contain secrets. */
	KUNIT_EXPECT_EQ(test, info->pr_psargs[0], '\0');
	offset += ALIGN(note->n_descsz, 4);

	note = note_at(rec, &offset, &name);
	KUNIT_EXPECT_STREQ(test, name, "VMCOREINFO");
	KUNIT_EXPECT_EQ(test, note->n_type, 0);
	KUNIT_EXPECT_EQ(test, note->n_descsz, vmcoreinfo_bytes(rec));

	/* The text of the last note is the next region of the file. */
	KUNIT_EXPECT_EQ(test, offset, header_size(rec));
	KUNIT_EXPECT_EQ(test, phdr->p_filesz,
			offset - phdr->p_offset + vmcoreinfo_bytes(rec));
}

static void vmcoreinfo_has_room_for_what_a_panic_appends(struct kunit *test)
{
	struct recorder *rec = test->priv;
	const struct kmemdump_zone *info =
		&rec->held[KMEMDUMP_ID_COREIMAGE_VMCOREINFO];

	KUNIT_ASSERT_NOT_NULL(test, info->zone);
	KUNIT_EXPECT_EQ(test, info->size, VMCOREINFO_BYTES);
	KUNIT_EXPECT_LT(test, strnlen(info->zone, info->size) +
			sizeof("CRASHTIME=18446744073709551615"),
			info->size);
}

static void header_counts_nothing_while_it_changes(struct kunit *test)
{
	struct recorder *rec = test->priv;
	void *zone = make_memory(test);
	int uid;

	KUNIT_EXPECT_FALSE(test, rec->counted);
	uid = register_any(test, zone, 8);
	KUNIT_EXPECT_FALSE(test, rec->counted);
	KUNIT_EXPECT_NE(test, rec->header->e_phnum, 0);
	kmemdump_unregister(uid);
	KUNIT_EXPECT_FALSE(test, rec->counted);
	KUNIT_EXPECT_NE(test, rec->header->e_phnum, 0);
	kmemdump_unregister_backend(&rec->be);
	KUNIT_EXPECT_FALSE(test, rec->counted);
}

static void every_change_is_described(struct kunit *test)
{
	struct recorder *rec = test->priv;
	void *zone = make_memory(test);
	int uid = register_any(test, zone, TEST_BYTES);

	expect_header(test, rec);
	kmemdump_unregister(uid);
	expect_header(test, rec);
}

static void sizes_are_padded_to_four_bytes(struct kunit *test)
{
	struct recorder *rec = test->priv;
	char *zone = make_memory(test);
	int odd = register_any(test, zone, 5);
	int next = register_any(test, zone + 8, 8);
	const struct elf_phdr *last = phdr_at(rec, rec->header->e_phnum - 1);

	KUNIT_EXPECT_EQ(test, rec->held[odd].size, 5);
	KUNIT_EXPECT_EQ(test, last[-1].p_filesz, 8);
	KUNIT_EXPECT_EQ(test, last->p_offset, last[-1].p_offset + 8);
	expect_header(test, rec);
	kmemdump_unregister(odd);
	kmemdump_unregister(next);
}

static void order_is_that_of_the_numbers_after_registering_again(struct kunit *test)
{
	struct recorder *rec = test->priv;
	void *zone = make_memory(test);
	int first = register_any(test, zone, 8);
	int second = register_any(test, zone + 8, 16);

	kmemdump_unregister(first);
	KUNIT_EXPECT_EQ(test, register_any(test, zone + 32, 24), first);
	KUNIT_EXPECT_EQ(test,
			kmemdump_register_id(KMEMDUMP_ID_USER_START, zone, 4),
			KMEMDUMP_ID_USER_START);
	expect_header(test, rec);
	kmemdump_unregister(KMEMDUMP_ID_USER_START);
	kmemdump_unregister(first);
	kmemdump_unregister(second);
}

/* Same address, same size: only the number tells which one is removed. */
static void twins_are_removed_by_number(struct kunit *test)
{
	struct recorder *rec = test->priv;
	void *zone = make_memory(test);
	int first = register_any(test, zone, 8);
	int between = register_any(test, zone + 8, 16);
	int second = register_any(test, zone, 8);

	kmemdump_unregister(second);
	expect_header(test, rec);
	KUNIT_EXPECT_EQ(test, phdr_at(rec, rec->header->e_phnum - 1)->p_vaddr,
			(unsigned long)kept(zone + 8));
	kmemdump_unregister(first);
	kmemdump_unregister(between);
	expect_header(test, rec);
}

static void refused_region_is_not_described(struct kunit *test)
{
	struct recorder *rec = test->priv;
	struct recorder *picky = make_recorder(test);
	void *zone = make_memory(test);
	int uid = register_any(test, zone, 8);
	int behind = register_any(test, zone + 8, 16);

	kmemdump_unregister_backend(&rec->be);
	picky->refuse = uid;
	KUNIT_ASSERT_EQ(test, kmemdump_register_backend(&picky->be), 0);
	expect_header(test, picky);
	kmemdump_unregister_backend(&picky->be);

	KUNIT_ASSERT_EQ(test, kmemdump_register_backend(&rec->be), 0);
	expect_header(test, rec);
	kmemdump_unregister(uid);
	kmemdump_unregister(behind);
}

/* The header has room for a full table. */
static void full_table_fits_into_the_header(struct kunit *test)
{
	struct recorder *rec = test->priv;
	void *zone = make_memory(test);
	int uid;

	while (kmemdump_register(zone, 8) > 0)
		;
	expect_header(test, rec);
	KUNIT_EXPECT_LE(test, rec->header->e_phoff +
			rec->header->e_phnum * sizeof(struct elf_phdr),
			phdr_at(rec, 0)->p_offset);
	for (uid = KMEMDUMP_ID_DYNAMIC; uid < KMEMDUMP_ID_MAX; uid++)
		if (rec->held[uid].zone == kept(zone))
			kmemdump_unregister(uid);
	expect_header(test, rec);
}

#ifndef MODULE
#define TEST_PAGES 8

static u64 listed_bytes(const struct kmemdump_pages *pages)
{
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < pages->capacity; i++)
		bytes += le64_to_cpu(pages->extents[i].size);
	return bytes;
}

static void objects_in_one_page_are_listed_once(struct kunit *test)
{
	char *page = (char *)__get_free_page(GFP_KERNEL);
	struct kmemdump_pages pages;

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, kmemdump_pages_init(&pages, TEST_PAGES), 0);
	kmemdump_pages_begin(&pages);
	kmemdump_pages_add(&pages, page + 16, 32);
	kmemdump_pages_add(&pages, page + PAGE_SIZE - 1, 1);
	kmemdump_pages_end(&pages);
	KUNIT_EXPECT_EQ(test, pages.count, 1u);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(pages.extents[0].virt),
			(u64)(unsigned long)kept(page));
	KUNIT_EXPECT_EQ(test, le64_to_cpu(pages.extents[0].phys),
			(u64)virt_to_phys(page));
	KUNIT_EXPECT_EQ(test, listed_bytes(&pages), (u64)PAGE_SIZE);
	kmemdump_pages_exit(&pages);
	free_page((unsigned long)page);
}

static void pages_side_by_side_are_one_extent(struct kunit *test)
{
	char *four = alloc_pages_exact(4 * PAGE_SIZE, GFP_KERNEL);
	struct kmemdump_pages pages;

	KUNIT_ASSERT_NOT_NULL(test, four);
	KUNIT_ASSERT_EQ(test, kmemdump_pages_init(&pages, TEST_PAGES), 0);
	kmemdump_pages_begin(&pages);
	/* One byte of the fourth page. */
	kmemdump_pages_add(&pages, four + 1, 3 * PAGE_SIZE);
	kmemdump_pages_end(&pages);
	KUNIT_EXPECT_EQ(test, pages.used, 1u);
	KUNIT_EXPECT_EQ(test, pages.count, 4u);
	KUNIT_EXPECT_EQ(test, listed_bytes(&pages), (u64)(4 * PAGE_SIZE));
	kmemdump_pages_exit(&pages);
	free_pages_exact(four, 4 * PAGE_SIZE);
}

static void addresses_that_are_none_are_left_out(struct kunit *test)
{
	static const unsigned long wild[] = {
		0, 1, PAGE_SIZE, 0xdead000000000100UL, ~0UL, ~0UL - PAGE_SIZE,
		PAGE_OFFSET - PAGE_SIZE,
	};
	struct kmemdump_pages pages;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, kmemdump_pages_init(&pages, TEST_PAGES), 0);
	kmemdump_pages_begin(&pages);
	for (i = 0; i < ARRAY_SIZE(wild); i++)
		kmemdump_pages_add(&pages, (void *)wild[i], 2 * PAGE_SIZE);
	kmemdump_pages_end(&pages);
	KUNIT_EXPECT_EQ(test, pages.count, 0u);
	KUNIT_EXPECT_EQ(test, listed_bytes(&pages), (u64)0);
	kmemdump_pages_exit(&pages);
}

static void full_list_says_so_and_keeps_what_it_has(struct kunit *test)
{
	const size_t bytes = (TEST_PAGES + 1) * PAGE_SIZE;
	char *many = alloc_pages_exact(bytes, GFP_KERNEL);
	struct kmemdump_pages pages;

	KUNIT_ASSERT_NOT_NULL(test, many);
	KUNIT_ASSERT_EQ(test, kmemdump_pages_init(&pages, TEST_PAGES), 0);
	kmemdump_pages_begin(&pages);
	kmemdump_pages_add(&pages, many, TEST_PAGES * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pages.not_listed, 0U);
	kmemdump_pages_add(&pages, many, bytes);
	kmemdump_pages_end(&pages);
	KUNIT_EXPECT_EQ(test, pages.not_listed, 1U);
	KUNIT_EXPECT_EQ(test, pages.count, (unsigned int)TEST_PAGES);
	KUNIT_EXPECT_EQ(test, listed_bytes(&pages),
			(u64)(TEST_PAGES * PAGE_SIZE));
	kmemdump_pages_exit(&pages);
	free_pages_exact(many, bytes);
}

static void shorter_list_forgets_what_was_behind_it(struct kunit *test)
{
	char *three = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL);
	struct kmemdump_pages pages;

	KUNIT_ASSERT_NOT_NULL(test, three);
	KUNIT_ASSERT_EQ(test, kmemdump_pages_init(&pages, TEST_PAGES), 0);
	kmemdump_pages_begin(&pages);
	kmemdump_pages_add(&pages, three, 1);
	kmemdump_pages_add(&pages, three + 2 * PAGE_SIZE, 1);
	kmemdump_pages_end(&pages);
	KUNIT_EXPECT_EQ(test, pages.used, 2u);

	/* Until then the old entries stay. */
	kmemdump_pages_begin(&pages);
	KUNIT_EXPECT_EQ(test, listed_bytes(&pages), (u64)(2 * PAGE_SIZE));
	kmemdump_pages_add(&pages, three + PAGE_SIZE, 1);
	kmemdump_pages_end(&pages);
	KUNIT_EXPECT_EQ(test, listed_bytes(&pages), (u64)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(pages.extents[0].virt),
			(u64)(unsigned long)kept(three + PAGE_SIZE));
	kmemdump_pages_exit(&pages);
	free_pages_exact(three, 3 * PAGE_SIZE);
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(objects_in_one_page_are_listed_once),
	KUNIT_CASE(pages_side_by_side_are_one_extent),
	KUNIT_CASE(addresses_that_are_none_are_left_out),
	KUNIT_CASE(full_list_says_so_and_keeps_what_it_has),
	KUNIT_CASE(shorter_list_forgets_what_was_behind_it),
	{}
};

static struct kunit_suite pages_suite = {
	.name = "kmemdump_pages",
	.test_cases = pages_cases,
};

kunit_test_suite(pages_suite);
#endif

static struct kunit_case core_cases[] = {
	KUNIT_CASE(region_reaches_the_backend),
	KUNIT_CASE(number_out_of_range_is_refused),
	KUNIT_CASE(no_address_no_size_and_wrap_are_refused),
	KUNIT_CASE(scattered_pages_are_refused),
	KUNIT_CASE(number_that_is_taken_is_ealready),
	KUNIT_CASE(any_number_is_the_lowest_behind_no_id),
	KUNIT_CASE(full_table_is_enospc),
	KUNIT_CASE(new_backend_gets_the_log_first_then_ascending),
	KUNIT_CASE(refusal_is_returned_and_nothing_registered),
	KUNIT_CASE(region_refused_by_one_backend_is_kept_for_the_next),
	KUNIT_CASE(second_backend_is_ebusy),
	KUNIT_CASE(backend_without_callback_is_einval),
	KUNIT_CASE(unregistering_what_is_not_there_changes_nothing),
	KUNIT_CASE(atomic_context_is_refused),
	KUNIT_CASE(physical_address_is_that_of_the_memory),
#ifndef MODULE
	KUNIT_CASE(table_of_annotations_is_an_array),
	KUNIT_CASE(allocation_comes_before_annotation),
#endif
	KUNIT_CASE(allocation_is_registered_and_freed),
	KUNIT_CASE(allocation_that_failed_changes_nothing),
	KUNIT_CASE(replacing_takes_the_number_over),
	KUNIT_CASE(number_of_an_allocation_is_not_lost),
	KUNIT_CASE(physical_allocation_is_registered_in_the_linear_map),
	{}
};

static struct kunit_case coreimage_cases[] = {
	KUNIT_CASE(header_is_that_of_a_core_file),
	KUNIT_CASE(notes_are_inside_the_region_and_counted_once),
	KUNIT_CASE(vmcoreinfo_has_room_for_what_a_panic_appends),
	KUNIT_CASE(header_counts_nothing_while_it_changes),
	KUNIT_CASE(every_change_is_described),
	KUNIT_CASE(sizes_are_padded_to_four_bytes),
	KUNIT_CASE(order_is_that_of_the_numbers_after_registering_again),
	KUNIT_CASE(twins_are_removed_by_number),
	KUNIT_CASE(refused_region_is_not_described),
	KUNIT_CASE(full_table_fits_into_the_header),
	{}
};

static struct kunit_suite core_suite = {
	.name = "kmemdump_core",
	.init = become_backend,
	.exit = be_backend_no_more,
	.test_cases = core_cases,
};

static struct kunit_suite coreimage_suite = {
	.name = "kmemdump_coreimage",
	.init = become_backend,
	.exit = be_backend_no_more,
	.test_cases = coreimage_cases,
};

kunit_test_suites(&core_suite, &coreimage_suite);

#ifndef MODULE
/* For tests that need a panic before user space starts. */
static bool panic_initcall;
module_param(panic_initcall, bool, 0);
MODULE_PARM_DESC(panic_initcall, "Panic in an initcall (default: N)");

static int __init panic_if_told(void)
{
	if (panic_initcall)
		panic("kmemdump_test.panic_initcall is set");
	return 0;
}
late_initcall_sync(panic_if_told);
#endif

MODULE_DESCRIPTION("KUnit tests of kmemdump");
MODULE_LICENSE("GPL");
