// SPDX-License-Identifier: GPL-2.0
/*
 * Front end of the controller's driver: a backend of kmemdump, either ours or that
 * of RFC v2 of the kernel series, whose backends have the same two callbacks.
 */
#include <linux/build_bug.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#ifdef KMEMDUMP_MD_RFC_V2
#include "kmemdump_md_rfc_v2.h"
#else
#include "kmemdump.h"
#endif
#include "kmemdump_md.h"
#include "kmemdump_vital.h"

/* At least as many as any kmemdump has; RFC v2 does not export its limit. */
#define MD_BACKEND_IDS 512

/**
 * struct md_backend - the backend of one controller
 * @dev: its device
 * @md: the controller
 * @backend: the callbacks for kmemdump
 * @slot_of: slot of each region plus one, 0 if it has none. kmemdump serialises
 *	the callbacks, so it needs no lock.
 * @refused: address of each region that found no slot
 * @extents_offered: the list of extents was offered
 * @extents_slot: slot of the list plus one, 0 if it has none
 */
struct md_backend {
	struct device *dev;
	struct kmemdump_md *md;
	struct kmemdump_backend backend;
	u32 slot_of[MD_BACKEND_IDS];
	unsigned long refused[MD_BACKEND_IDS];
	bool extents_offered;
	u32 extents_slot;
};

static void md_offer_extents(struct md_backend *mb);

static enum kmd_kind region_kind(enum kmemdump_uid uid)
{
	switch (uid) {
	case KMEMDUMP_ID_COREIMAGE_ELF:
		return KMD_KIND_ELF_HEADER;
	case KMEMDUMP_ID_COREIMAGE_VMCOREINFO:
		return KMD_KIND_VMCOREINFO;
	default:
		return KMD_KIND_MEMORY;
	}
}

static int md_register_region(const struct kmemdump_backend *be,
			      enum kmemdump_uid uid, void *vaddr, size_t size)
{
	struct md_backend *mb = container_of(be, struct md_backend, backend);
	struct kmemdump_md_region region = {
		.id = uid,
		.kind = region_kind(uid),
		.vital = kmemdump_is_vital(uid),
		.name = kmemdump_uid_name(uid),
		.virt = (unsigned long)vaddr,
		.size = size,
	};
	int ret;

	if (uid >= MD_BACKEND_IDS) {
		dev_warn(mb->dev, "region %d not accepted, expected a number below %d\n",
			 (int)uid, MD_BACKEND_IDS);
		return -ERANGE;
	}
	if (mb->slot_of[uid])
		return -EEXIST;

	ret = kmemdump_virt_to_phys(vaddr, size, &region.phys);
	if (ret) {
		dev_warn(mb->dev, "region %s (uid %d) is not contiguous: %d\n",
			 region.name, uid, ret);
		return ret;
	}

	/* The log comes first, then the list with the tasks, then the rest. */
	if (!region.vital)
		md_offer_extents(mb);

	ret = kmemdump_md_add(mb->md, &region);
	if (ret < 0) {
		mb->refused[uid] = region.virt;
		return ret;
	}
	mb->refused[uid] = 0;
	mb->slot_of[uid] = ret + 1;
	return 0;
}

static int md_unregister_region(const struct kmemdump_backend *be,
				enum kmemdump_uid uid)
{
	struct md_backend *mb = container_of(be, struct md_backend, backend);
	u32 slot;

	if (uid >= MD_BACKEND_IDS)
		return -ENOENT;
	if (mb->refused[uid]) {
		kmemdump_md_forget(mb->md, mb->refused[uid]);
		mb->refused[uid] = 0;
	}
	if (!mb->slot_of[uid])
		return -ENOENT;

	slot = mb->slot_of[uid] - 1;
	mb->slot_of[uid] = 0;
	return kmemdump_md_remove(mb->md, slot);
}

static void md_unregister_backend(void *data)
{
	struct md_backend *mb = data;

	kmemdump_unregister_backend(&mb->backend);
}

#ifdef KMEMDUMP_MD_RFC_V2
static void md_offer_extents(struct md_backend *mb)
{
}

static inline int md_watch_extents(struct md_backend *mb)
{
	return 0;
}

void kmemdump_md_prepare(struct pt_regs *regs)
{
}
#else
/* The controller itself reads the list when it takes a dump. */
static void md_offer_extents(struct md_backend *mb)
{
	size_t size;
	const struct kmemdump_extent *list = kmemdump_extents(&size);
	struct kmemdump_md_region region = {
		.kind = KMD_KIND_LIST,
		.name = "extents",
		.phys = list ? virt_to_phys(list) : 0,
		.virt = (unsigned long)list,
		.size = size,
	};
	int slot;

	static_assert(sizeof(*list) == KMD_LIST_STRIDE_VALUE);

	if (mb->extents_offered || !list)
		return;
	mb->extents_offered = true;
	if (!kmemdump_md_has(mb->md, KMD_FEATURE_LISTS)) {
		dev_info(mb->dev, "the host reads no lists: a dump has the log and no tasks\n");
		return;
	}
	slot = kmemdump_md_add(mb->md, &region);
	/* On failure it printed the reason; a dump without tasks is still useful. */
	if (slot >= 0)
		mb->extents_slot = slot + 1;
}

static void md_list_changed(void *data, unsigned int not_listed)
{
	struct md_backend *mb = data;

	kmemdump_md_not_listed(mb->md, not_listed);
}

static void md_unwatch_extents(void *data)
{
	struct md_backend *mb = data;

	kmemdump_watch_extents(NULL, NULL);
	if (mb->extents_slot)
		kmemdump_md_remove(mb->md, mb->extents_slot - 1);
}

static int md_watch_extents(struct md_backend *mb)
{
	kmemdump_watch_extents(md_list_changed, mb);
	return devm_add_action_or_reset(mb->dev, md_unwatch_extents, mb);
}

void kmemdump_md_prepare(struct pt_regs *regs)
{
	if (regs)
		kmemdump_prepare_panic(regs);
	else
		kmemdump_refresh();
}
#endif

int kmemdump_md_attach(struct device *dev, struct kmemdump_md *md)
{
	struct md_backend *mb = devm_kzalloc(dev, sizeof(*mb), GFP_KERNEL);
	int ret;

	if (!mb)
		return -ENOMEM;

	mb->dev = dev;
	mb->md = md;
	strscpy(mb->backend.name, "kmemdump-md", sizeof(mb->backend.name));
	mb->backend.register_region = md_register_region;
	mb->backend.unregister_region = md_unregister_region;

	kmemdump_md_set_id_series(md, KMD_SERIES_KMEMDUMP);
	ret = kmemdump_register_backend(&mb->backend);
	if (ret)
		return dev_err_probe(dev, ret,
				     "expected to be the only kmemdump backend\n");
	ret = devm_add_action_or_reset(dev, md_unregister_backend, mb);
	return ret ?: md_watch_extents(mb);
}
