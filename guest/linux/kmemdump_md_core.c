// SPDX-License-Identifier: GPL-2.0
/*
 * Driver of the kmemdump-md minidump controller: slots, doorbell, panic. The
 * interface is docs/register-spec.md; the sections named below are sections of
 * that page. Where the regions come from is the front end's business.
 */
#define pr_fmt(fmt) "kmemdump-md: " fmt

#include <linux/bitmap.h>
#include <linux/build_bug.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/kexec.h>
#include <linux/kstrtox.h>
#include <linux/math64.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/of.h>
#include <linux/panic_notifier.h>
#include <linux/platform_device.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/time64.h>

#include "kmemdump_md.h"

/* How long a dump may take before we go on without its result. */
#define DUMP_TIMEOUT_US 1000000
#define PANIC_POLL_US 10
#define REQUEST_POLL_US 100

static bool panic_dump = true;
module_param(panic_dump, bool, 0644);
MODULE_PARM_DESC(panic_dump, "Ask for a dump when the kernel panics (default: Y)");

/**
 * struct kmemdump_md - one controller
 * @dev: the device
 * @base: the register window
 * @slots: slot 0, in the window
 * @slot_count: slots in the window
 * @full: a region found no slot, and none was emptied since
 * @taken: a bit for each slot, set when a region of ours is in it
 * @request_lock: serialises requests from user space
 * @panic: what a panic calls
 */
struct kmemdump_md {
	struct device *dev;
	void __iomem *base;
	void __iomem *slots;
	u32 slot_count;
	unsigned long *taken;
	bool full;
	struct mutex request_lock;	/* one request from user space at a time */
	struct notifier_block panic;
};

static u32 md_read(struct kmemdump_md *md, enum kmd_register reg)
{
	return readl(md->base + reg);
}

/* Section 6 */
struct slot_error {
	enum kmd_slot_status status;
	int error;
	const char *reason;
};

static const struct slot_error slot_errors[] = {
	{ KMD_SLOT_EMPTY, -EIO, "the commit had no effect" },
	{ KMD_SLOT_BAD_SIZE, -EINVAL, "its size is 0" },
	{ KMD_SLOT_WRAPS, -ERANGE, "its end passes the end of the address space" },
	{ KMD_SLOT_NOT_RAM, -EFAULT, "some of it is not RAM" },
	{ KMD_SLOT_BAD_FLAGS, -EOPNOTSUPP, "its kind or a flag is not known" },
	{ KMD_SLOT_DUPLICATE, -EEXIST, "its number or its kind is there already" },
	{ KMD_SLOT_REFUSED, -EPERM, "the host refuses it" },
};

static const struct slot_error *find_slot_error(u32 status)
{
	static const struct slot_error unknown = {
		.error = -EPROTO, .reason = "for a reason unknown here",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slot_errors); i++)
		if (slot_errors[i].status == status)
			return &slot_errors[i];
	return &unknown;
}

static int no_slot(struct kmemdump_md *md,
		   const struct kmemdump_md_region *region)
{
	if (!md->full)
		dev_err(md->dev,
			"region %s (uid %u) and those behind it are not saved, expected a free slot: %u of %u are taken\n",
			region->name, region->id,
			md_read(md, KMD_REGION_COUNT), md->slot_count);
	md->full = true;
	return -ENOSPC;
}

/**
 * kmemdump_md_add() - put a region into a free slot
 * @md: the controller
 * @region: what to put there; not needed any more afterwards
 *
 * Any context; the caller sees to it that there is one call to this or to
 * kmemdump_md_remove() at a time.
 *
 * Return: the slot, or a negative errno after one line that says why; a full
 * table has one line for all that find no slot.
 */
int kmemdump_md_add(struct kmemdump_md *md,
		    const struct kmemdump_md_region *region)
{
	const struct slot_error *error;
	__le64 name_words[KMD_NAME_SIZE / sizeof(__le64)] = {};
	void __iomem *slot;
	u32 index, status;

	static_assert(ARRAY_SIZE(name_words) == 2);

	/* An access costs more than the search: the device is not asked. */
	index = find_first_zero_bit(md->taken, md->slot_count);
	if (index >= md->slot_count)
		return no_slot(md, region);
	slot = md->slots + index * KMD_SLOT_STRIDE_VALUE;

	/* Bytes in memory order, whatever our own byte order is. */
	memcpy(name_words, region->name, strnlen(region->name, KMD_NAME_SIZE));

	writeq(region->phys, slot + KMD_SLOT_PHYS);
	writeq(region->virt, slot + KMD_SLOT_VIRT);
	writeq(region->size, slot + KMD_SLOT_SIZE);
	writeq(le64_to_cpu(name_words[0]), slot + KMD_SLOT_NAME);
	writeq(le64_to_cpu(name_words[1]), slot + KMD_SLOT_NAME + 8);
	writeq(region->id | (u64)region->kind << 32, slot + KMD_SLOT_ID);
	writel(1, slot + KMD_SLOT_COMMIT);

	status = readl(slot + KMD_SLOT_STATUS);
	if (status == KMD_SLOT_OK || status == KMD_SLOT_OK_OVERLAP) {
		set_bit(index, md->taken);
		return index;
	}
	if (status == KMD_SLOT_TABLE_FULL)
		return no_slot(md, region);

	error = find_slot_error(status);
	dev_err(md->dev,
		"region %s (uid %u, %zu bytes at %pap) not accepted, status %u: %s\n",
		region->name, region->id, region->size, &region->phys, status,
		error->reason);
	return error->error;
}

/**
 * kmemdump_md_remove() - empty a slot
 * @md: the controller
 * @slot: what kmemdump_md_add() returned
 *
 * The memory may be freed when this has returned 0.
 *
 * Return: 0, or -EIO if the device keeps the slot.
 */
int kmemdump_md_remove(struct kmemdump_md *md, u32 slot)
{
	void __iomem *commit = md->slots + slot * KMD_SLOT_STRIDE_VALUE +
			       KMD_SLOT_COMMIT;

	writel(0, commit);
	md->full = false;
	/* The memory may be freed next: wait until the device knows. */
	if (readl(commit))
		return -EIO;
	clear_bit(slot, md->taken);
	return 0;
}

/**
 * kmemdump_md_has() - what the controller can do
 * @md: the controller
 * @feature: one of section 4.1
 */
bool kmemdump_md_has(struct kmemdump_md *md, enum kmd_feature feature)
{
	return md_read(md, KMD_FEATURES) & feature;
}

static const char *reason_name(u32 reason)
{
	switch (reason) {
	case KMD_REASON_PANIC:
		return "panic";
	case KMD_REASON_REQUEST:
		return "request";
	case KMD_REASON_HOST:
		return "host";
	case KMD_REASON_RESET:
		return "reset";
	case KMD_REASON_SHUTDOWN:
		return "shutdown";
	case KMD_REASON_HANG:
		return "hang";
	default:
		return "unknown";
	}
}

static const char *result_name(u32 result)
{
	switch (result) {
	case KMD_RESULT_NONE:
		return "no attempt";
	case KMD_RESULT_COMPLETE:
		return "complete";
	case KMD_RESULT_PARTIAL:
		return "partial";
	case KMD_RESULT_INCOMPLETE:
		return "incomplete, the host could not write all of it";
	case KMD_RESULT_FAILED:
		return "failed, the host wrote nothing";
	case KMD_RESULT_EMPTY:
		return "empty, no region could be saved";
	case KMD_RESULT_LIMIT:
		return "not taken, the host's limit is reached";
	default:
		return "unknown result";
	}
}

static bool dump_saved(u32 result)
{
	return result == KMD_RESULT_COMPLETE || result == KMD_RESULT_PARTIAL;
}

/* One line about the last attempt; only a dump that was saved has a number. */
static void print_result(struct kmemdump_md *md, const char *level,
			 const char *prefix)
{
	u64 nanoseconds = readq(md->base + KMD_LAST_NANOSECONDS);
	u32 result = md_read(md, KMD_LAST_RESULT);
	char number[12] = "";

	if (dump_saved(result))
		scnprintf(number, sizeof(number), " %u",
			  md_read(md, KMD_DUMP_COUNT));

	dev_printk(level, md->dev,
		   "%s%s (%s) %s: %u regions, %llu bytes, %llu us, %u rejected\n",
		   prefix, number, reason_name(md_read(md, KMD_LAST_REASON)),
		   result_name(result), md_read(md, KMD_LAST_REGIONS),
		   (unsigned long long)readq(md->base + KMD_LAST_BYTES),
		   (unsigned long long)div_u64(nanoseconds, NSEC_PER_USEC),
		   md_read(md, KMD_LAST_REJECTED));
}

/* For the panic: takes no lock, does not sleep. False if it takes too long. */
static bool wait_until_idle(struct kmemdump_md *md)
{
	unsigned int waited;

	for (waited = 0; md_read(md, KMD_STATUS) & KMD_STATUS_BUSY;
	     waited += PANIC_POLL_US) {
		if (waited >= DUMP_TIMEOUT_US)
			return false;
		udelay(PANIC_POLL_US);
	}
	return true;
}

static int md_panic(struct notifier_block *nb, unsigned long action, void *data)
{
	struct kmemdump_md *md = container_of(nb, struct kmemdump_md, panic);
	struct pt_regs regs;
	bool idle;

	if (!panic_dump)
		return NOTIFY_DONE;

	/* Here, because this function is on the stack when the bell rings. */
	crash_setup_regs(&regs, NULL);
	kmemdump_md_prepare(&regs);

	/* The CPU that asked for another dump may have been stopped here. */
	idle = wait_until_idle(md);
	if (idle) {
		/* Orders the contents of the regions before the doorbell. */
		writel(KMD_REASON_PANIC, md->base + KMD_DOORBELL);
		idle = wait_until_idle(md);
	}

	if (idle)
		print_result(md, KERN_EMERG, "dump");
	else
		dev_emerg(md->dev, "dump not done, expected an end within %u us\n",
			  DUMP_TIMEOUT_US);
	return NOTIFY_DONE;
}

static int md_request_dump(struct kmemdump_md *md)
{
	u32 status;
	int ret;

	kmemdump_md_prepare(NULL);
	writel(KMD_REASON_REQUEST, md->base + KMD_DOORBELL);
	ret = readl_poll_timeout(md->base + KMD_STATUS, status,
				 !(status & KMD_STATUS_BUSY), REQUEST_POLL_US,
				 DUMP_TIMEOUT_US);
	if (ret) {
		dev_err(md->dev, "dump not done, expected an end within %u us\n",
			DUMP_TIMEOUT_US);
		return ret;
	}

	if (!dump_saved(md_read(md, KMD_LAST_RESULT))) {
		print_result(md, KERN_ERR, "dump");
		return -EIO;
	}

	print_result(md, KERN_INFO, "dump");
	return 0;
}

static ssize_t dump_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t count)
{
	struct kmemdump_md *md = dev_get_drvdata(dev);
	unsigned int value;
	int ret;

	ret = kstrtouint(buf, 0, &value);
	if (ret)
		return ret;
	if (value != 1)
		return -EINVAL;

	mutex_lock(&md->request_lock);
	ret = md_request_dump(md);
	mutex_unlock(&md->request_lock);

	return ret ?: count;
}
static DEVICE_ATTR_WO(dump);

static struct attribute *md_attrs[] = {
	&dev_attr_dump.attr,
	NULL
};
ATTRIBUTE_GROUPS(md);

/* Sections 2 and 4: nothing else is touched before this is right. */
static int md_identify(struct kmemdump_md *md, resource_size_t window)
{
	u32 magic, version, stride, offset, count;
	u64 end;

	if (window < KMD_SLOT_OFFSET_VALUE) {
		dev_err(md->dev, "window has %pa bytes, expected %#x at least\n",
			&window, KMD_SLOT_OFFSET_VALUE);
		return -ENODEV;
	}

	magic = md_read(md, KMD_MAGIC);
	if (magic != KMD_MAGIC_VALUE) {
		dev_err(md->dev, "magic is %#x, expected %#x\n", magic,
			KMD_MAGIC_VALUE);
		return -ENODEV;
	}

	version = md_read(md, KMD_VERSION);
	if (version >> 16 != KMD_VERSION_MAJOR) {
		dev_err(md->dev, "version is %u.%u, expected %u.x\n",
			version >> 16, version & 0xffff, KMD_VERSION_MAJOR);
		return -ENODEV;
	}

	stride = md_read(md, KMD_SLOT_STRIDE);
	offset = md_read(md, KMD_SLOT_OFFSET);
	count = md_read(md, KMD_SLOT_COUNT);
	end = offset + (u64)count * stride;
	if (stride != KMD_SLOT_STRIDE_VALUE || !count ||
	    count > KMD_SLOT_COUNT_MAX || end > window) {
		dev_err(md->dev,
			"%u slots of %u bytes at %#x, expected slots of %u inside %pa bytes\n",
			count, stride, offset, KMD_SLOT_STRIDE_VALUE, &window);
		return -ENODEV;
	}

	md->slots = md->base + offset;
	md->slot_count = count;
	dev_info(md->dev, "version %u.%u, %u slots\n", version >> 16,
		 version & 0xffff, count);
	return 0;
}

static void md_unregister_panic(void *data)
{
	struct kmemdump_md *md = data;

	atomic_notifier_chain_unregister(&panic_notifier_list, &md->panic);
}

static int md_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	struct kmemdump_md *md;
	struct resource *window;
	int ret;

	md = devm_kzalloc(dev, sizeof(*md), GFP_KERNEL);
	if (!md)
		return -ENOMEM;

	md->dev = dev;
	mutex_init(&md->request_lock);
	platform_set_drvdata(pdev, md);

	md->base = devm_platform_get_and_ioremap_resource(pdev, 0, &window);
	if (IS_ERR(md->base))
		return PTR_ERR(md->base);

	ret = md_identify(md, resource_size(window));
	if (ret)
		return ret;

	md->taken = devm_bitmap_zalloc(dev, md->slot_count, GFP_KERNEL);
	if (!md->taken)
		return -ENOMEM;

	if (md_read(md, KMD_LAST_RESULT) != KMD_RESULT_NONE)
		print_result(md, KERN_INFO, "last dump");

	/* A kernel before this one may have left without a reset. */
	writel(1, md->base + KMD_RESET_TABLE);

	ret = kmemdump_md_attach(dev, md);
	if (ret)
		return ret;

	/* First, before a notifier can hang or change what is to be saved. */
	md->panic.notifier_call = md_panic;
	md->panic.priority = INT_MAX;
	ret = atomic_notifier_chain_register(&panic_notifier_list, &md->panic);
	if (ret)
		return ret;
	return devm_add_action_or_reset(dev, md_unregister_panic, md);
}

/*
 * An orderly reboot or power-off is no crash: without regions the host takes
 * no dump when the machine stops.
 */
static void md_shutdown(struct platform_device *pdev)
{
	struct kmemdump_md *md = platform_get_drvdata(pdev);

	writel(1, md->base + KMD_RESET_TABLE);
}

static const struct of_device_id md_of_match[] = {
	{ .compatible = KMD_DT_COMPATIBLE },
	{ }
};
MODULE_DEVICE_TABLE(of, md_of_match);

static struct platform_driver md_driver = {
	.probe = md_probe,
	.shutdown = md_shutdown,
	.driver = {
		.name = "kmemdump-md",
		.of_match_table = md_of_match,
		.dev_groups = md_groups,
	},
};

static int __init md_init(void)
{
	struct device_node *node =
		of_find_compatible_node(NULL, NULL, KMD_DT_COMPATIBLE);

	if (!node)
		pr_err("no controller here, expected one that is \"%s\" in the device tree\n",
		       KMD_DT_COMPATIBLE);
	of_node_put(node);
	return platform_driver_register(&md_driver);
}

/* Built in, it is there before the initcalls that drivers may panic in. */
subsys_initcall_sync(md_init);

static void __exit md_exit(void)
{
	platform_driver_unregister(&md_driver);
}
module_exit(md_exit);

MODULE_DESCRIPTION("Driver of the kmemdump-md minidump controller");
MODULE_LICENSE("GPL");
