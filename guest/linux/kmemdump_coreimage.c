// SPDX-License-Identifier: GPL-2.0
/*
 * The head of the core image: a region that describes all others.
 *
 * This region, the vmcoreinfo region and the memory of every program header, in
 * this order and each padded to four bytes, make a valid ELF core file when they
 * are concatenated.
 *
 * A dump can be taken at any instruction. So the header must never describe a
 * set of regions that the backend does not have: e_phnum is zero from before a
 * change until after it.
 */
#include <linux/align.h>
#include <linux/build_bug.h>
#include <linux/elf.h>
#include <linux/elfcore.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "kmemdump_compat.h"
#include "kmemdump_internal.h"

#define REGION_ALIGN 4
#define CORE_NAME "CORE"
#define CORE_NAME_BYTES ALIGN(sizeof(CORE_NAME), REGION_ALIGN)

struct prstatus_note {
	struct elf_note head;
	char name[CORE_NAME_BYTES];
	struct elf_prstatus desc;
} __packed __aligned(REGION_ALIGN);

struct prpsinfo_note {
	struct elf_note head;
	char name[CORE_NAME_BYTES];
	struct elf_prpsinfo desc;
} __packed __aligned(REGION_ALIGN);

/* The descriptor of this note is the next region of the file. */
struct vmcoreinfo_note {
	struct elf_note head;
	char name[VMCOREINFO_NOTE_NAME_BYTES];
} __packed __aligned(REGION_ALIGN);

struct coreimage_head {
	struct elfhdr ehdr;
	struct elf_phdr phdrs[1 + KMEMDUMP_ID_MAX];
	struct prstatus_note prstatus;
	struct prpsinfo_note prpsinfo;
	struct vmcoreinfo_note vmcoreinfo;
} __packed __aligned(REGION_ALIGN);

static_assert(sizeof(struct coreimage_head) ==
	      offsetofend(struct coreimage_head, vmcoreinfo));
static_assert(1 + KMEMDUMP_ID_MAX < PN_XNUM);

static struct coreimage_head *head;

static void fill_note(struct elf_note *note, char *name, const char *text,
		      size_t name_bytes, u32 type, size_t desc_bytes)
{
	note->n_namesz = strlen(text) + 1;
	note->n_descsz = desc_bytes;
	note->n_type = type;
	memcpy(name, text, min_t(size_t, name_bytes, note->n_namesz));
}

static void fill_constants(void)
{
	struct elfhdr *ehdr = &head->ehdr;

	memcpy(ehdr->e_ident, ELFMAG, SELFMAG);
	ehdr->e_ident[EI_CLASS] = ELF_CLASS;
	ehdr->e_ident[EI_DATA] = ELF_DATA;
	ehdr->e_ident[EI_VERSION] = EV_CURRENT;
	ehdr->e_ident[EI_OSABI] = ELF_OSABI;
	ehdr->e_type = ET_CORE;
	ehdr->e_machine = ELF_ARCH;
	ehdr->e_version = EV_CURRENT;
	ehdr->e_phoff = offsetof(struct coreimage_head, phdrs);
#ifdef ELF_CORE_EFLAGS
	ehdr->e_flags = ELF_CORE_EFLAGS;
#endif
	ehdr->e_ehsize = sizeof(*ehdr);
	ehdr->e_phentsize = sizeof(head->phdrs[0]);

	/* The host has the registers: no code fills them in here at a crash. */
	fill_note(&head->prstatus.head, head->prstatus.name, CORE_NAME,
		  CORE_NAME_BYTES, NT_PRSTATUS, sizeof(head->prstatus.desc));
	head->prstatus.desc.common.pr_pid = 1;

	/* No arguments: the command line may contain secrets. */
	fill_note(&head->prpsinfo.head, head->prpsinfo.name, CORE_NAME,
		  CORE_NAME_BYTES, NT_PRPSINFO, sizeof(head->prpsinfo.desc));
	head->prpsinfo.desc.pr_sname = 'R';
	strscpy(head->prpsinfo.desc.pr_fname, "vmlinux",
		sizeof(head->prpsinfo.desc.pr_fname));
}

/**
 * kmemdump_coreimage_invalidate() - make the header describe nothing
 *
 * Called with the table locked, before the backend is told of a change.
 */
void kmemdump_coreimage_invalidate(void)
{
	if (!head)
		return;

	WRITE_ONCE(head->ehdr.e_phnum, 0);
	/* Orders the zero before all stores of the change. */
	smp_wmb();
}

/**
 * kmemdump_coreimage_rebuild() - describe the regions that the backend has taken
 * @regions: the table, KMEMDUMP_ID_MAX entries
 *
 * Called with the table locked, after kmemdump_coreimage_invalidate().
 */
void kmemdump_coreimage_rebuild(const struct kmemdump_region *regions)
{
	const struct kmemdump_region *info =
		&regions[KMEMDUMP_ID_COREIMAGE_VMCOREINFO];
	const size_t notes = offsetof(struct coreimage_head, prstatus);
	size_t notes_end = offsetof(struct coreimage_head, vmcoreinfo);
	size_t offset = sizeof(*head);
	struct elf_phdr *phdr;
	unsigned int uid;

	if (!head)
		return;

	if (info->zone && info->accepted) {
		size_t size = ALIGN(info->size, REGION_ALIGN);

		fill_note(&head->vmcoreinfo.head, head->vmcoreinfo.name,
			  VMCOREINFO_NOTE_NAME, VMCOREINFO_NOTE_NAME_BYTES, 0,
			  size);
		offset += size;
		notes_end = offset;
	}

	phdr = head->phdrs;
	memset(phdr, 0, sizeof(head->phdrs));
	phdr->p_type = PT_NOTE;
	phdr->p_offset = notes;
	phdr->p_filesz = notes_end - notes;
	phdr++;

	for (uid = KMEMDUMP_ID_COREIMAGE_VMCOREINFO + 1; uid < KMEMDUMP_ID_MAX;
	     uid++) {
		const struct kmemdump_region *r = &regions[uid];

		if (!r->zone || !r->accepted)
			continue;

		phdr->p_type = PT_LOAD;
		phdr->p_flags = PF_R | PF_W;
		phdr->p_offset = offset;
		phdr->p_vaddr = (unsigned long)r->zone;
		phdr->p_paddr = r->phys;
		phdr->p_filesz = ALIGN(r->size, REGION_ALIGN);
		phdr->p_memsz = phdr->p_filesz;
		offset += phdr->p_filesz;
		phdr++;
	}

	/* Orders everything above before the count that makes it valid. */
	smp_wmb();
	WRITE_ONCE(head->ehdr.e_phnum, phdr - head->phdrs);
}

/**
 * kmemdump_coreimage_registers() - write the note of a CPU to crash_notes
 * @to: the CPU's buffer; not changed if it has a note already
 * @regs: the registers
 *
 * For a panic. Readers of the dump may look there.
 */
void kmemdump_coreimage_registers(note_buf_t *to, struct pt_regs *regs)
{
	struct prstatus_note *note = (void *)to;

	/* An empty note ends the buffer. */
	static_assert(sizeof(*note) + sizeof(struct elf_note) <= sizeof(*to));

	if (note->head.n_namesz)
		return;
	memset(&note->desc, 0, sizeof(note->desc));
	elf_core_copy_regs(&note->desc.pr_reg, regs);
	fill_note(&note->head, note->name, CORE_NAME, CORE_NAME_BYTES,
		  NT_PRSTATUS, sizeof(note->desc));
}

/**
 * kmemdump_coreimage_init() - make the header and register it
 *
 * Without it the other regions are still registered; the backend then has to
 * describe them itself.
 *
 * Return: 0 or a negative errno.
 */
int __init kmemdump_coreimage_init(void)
{
	int ret;

	/* Physically contiguous for any size of the table. */
	head = alloc_pages_exact(sizeof(*head), GFP_KERNEL | __GFP_ZERO);
	if (!head)
		return -ENOMEM;

	fill_constants();

	ret = kmemdump_register_id(KMEMDUMP_ID_COREIMAGE_ELF, head,
				   sizeof(*head));
	if (ret < 0) {
		kmemdump_coreimage_exit();
		return ret;
	}
	return 0;
}

/**
 * kmemdump_coreimage_exit() - free the header, after its region was unregistered
 */
void kmemdump_coreimage_exit(void)
{
	if (!head)
		return;

	free_pages_exact(head, sizeof(*head));
	head = NULL;
}
