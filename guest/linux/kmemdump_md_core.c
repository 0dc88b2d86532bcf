// SPDX-License-Identifier: GPL-2.0
/*
 * Driver of the kmemdump-md minidump controller: probe, shutdown, sleep,
 * doorbell, panic. docs/register-spec.md describes the interface; section
 * numbers below refer to that page. The front end supplies the regions.
 */
#define pr_fmt(fmt) "kmemdump-md: " fmt

#include <linux/bitmap.h>
#include <linux/crash_dump.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/errno.h>
#include <linux/iopoll.h>
#include <linux/kexec.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/panic_notifier.h>
#include <linux/pm.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "kmemdump_md_internal.h"

/* How long a dump may take before the driver continues without its result. */
#define DUMP_TIMEOUT_US 1000000
#define PANIC_POLL_US 10
#define REQUEST_POLL_US 100

static bool panic_dump = true;
module_param(panic_dump, bool, 0644);
MODULE_PARM_DESC(panic_dump, "Ask for a dump when the kernel panics (default: Y)");

/**
 * kmemdump_md_set_id_series() - say which series the region numbers belong to
 * @md: the controller
 * @series: the series of the front end
 */
void kmemdump_md_set_id_series(struct kmemdump_md *md,
			       enum kmd_id_series series)
{
	md->id_series = series;
	kmemdump_md_describe_table(md);
}

/**
 * kmemdump_md_has() - whether the controller has a feature
 * @md: the controller
 * @feature: a feature of section 4.1
 */
bool kmemdump_md_has(struct kmemdump_md *md, enum kmd_feature feature)
{
	return md_read(md, KMD_FEATURES) & feature;
}

/* Sections 2 and 4: check these before any other access. */
static int md_identify(struct kmemdump_md *md)
{
	u32 magic, version, stride, offset, count;
	u64 end;

	if (md->window < KMD_SLOT_OFFSET_VALUE) {
		dev_err(md->dev, "window has %pa bytes, expected %#x at least\n",
			&md->window, KMD_SLOT_OFFSET_VALUE);
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
	    count > KMD_SLOT_COUNT_MAX || end > md->window) {
		dev_err(md->dev,
			"%u slots of %u bytes at %#x, expected slots of %u inside %pa bytes\n",
			count, stride, offset, KMD_SLOT_STRIDE_VALUE,
			&md->window);
		return -ENODEV;
	}

	md->minor = version & 0xffff;
	md->slots = md->base + offset;
	md->slot_count = min_t(u32, count, MD_MOST_SLOTS);
	return 0;
}

/*
 * Wakes a device up. In the meantime another QEMU may have been started, with
 * other properties.
 */
static int md_wake(struct device *dev)
{
	struct kmemdump_md *md = dev_get_drvdata(dev);
	const u32 slots = md->slot_count;
	int ret;

	ret = md_identify(md);
	if (ret)
		return ret;
	md->slot_count = min(slots, md->slot_count);
	md->asleep = false;
	kmemdump_md_clear(md);
	kmemdump_md_fill(md, slots);
	return 0;
}

/* For a panic: takes no lock, does not sleep. False if it takes too long. */
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
	if (md->asleep && md_wake(md->dev))
		return NOTIFY_DONE;

	/* Here, because this function's frame still exists at the doorbell. */
	crash_setup_regs(&regs, NULL);
	kmemdump_md_prepare(&regs);
	kmemdump_md_mark_freed(md);

	/* The CPU that asked for another dump may have been stopped here. */
	idle = wait_until_idle(md);
	if (idle) {
		/* Orders the contents of the regions before the doorbell. */
		md_write(md, KMD_REASON_PANIC, KMD_DOORBELL);
		idle = wait_until_idle(md);
	}

	if (idle)
		kmemdump_md_print_result(md, KERN_EMERG, "dump");
	else
		dev_emerg(md->dev, "dump not finished within %u us\n",
			  DUMP_TIMEOUT_US);
	return NOTIFY_DONE;
}

/* Rings the doorbell and waits for the result. Process context. */
static int md_ring(struct kmemdump_md *md, enum kmd_reason reason)
{
	u32 status;
	int ret;

	md_write(md, reason, KMD_DOORBELL);
	ret = readl_poll_timeout(md->base + KMD_STATUS, status,
				 !(status & KMD_STATUS_BUSY), REQUEST_POLL_US,
				 DUMP_TIMEOUT_US);
	if (ret)
		dev_err(md->dev, "dump not finished within %u us\n",
			DUMP_TIMEOUT_US);
	return ret;
}

static int md_request_dump(struct kmemdump_md *md)
{
	int ret;

	kmemdump_md_prepare(NULL);
	ret = md_ring(md, KMD_REASON_REQUEST);
	if (ret)
		return ret;

	if (!kmemdump_md_dump_saved(md_read(md, KMD_LAST_RESULT))) {
		kmemdump_md_print_result(md, KERN_ERR, "dump");
		return -EIO;
	}

	kmemdump_md_print_result(md, KERN_INFO, "dump");
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

static const struct attribute_group md_group = {
	.attrs = md_attrs,
};

const struct attribute_group *kmemdump_md_groups[] = {
	&md_group,
	NULL
};

static void md_unregister_panic(void *data)
{
	struct kmemdump_md *md = data;

	atomic_notifier_chain_unregister(&panic_notifier_list, &md->panic);
}

/*
 * The notifier is registered before the regions and unregistered after them, so
 * that a panic in between gives a dump of the regions registered by then. It is
 * first in the chain, before another notifier can hang or change memory that is
 * to be saved.
 */
static int md_register_panic(struct kmemdump_md *md)
{
	int ret;

	md->panic.notifier_call = md_panic;
	md->panic.priority = INT_MAX;
	ret = atomic_notifier_chain_register(&panic_notifier_list, &md->panic);
	if (ret)
		return ret;
	return devm_add_action_or_reset(md->dev, md_unregister_panic, md);
}

/*
 * A driver that is removed empties the table, and so does a reset. Regions that
 * are still in it belong to a kernel that did neither: it is worth a dump.
 */
static void md_take_over(struct kmemdump_md *md)
{
	u32 left = md_read(md, KMD_REGION_COUNT);

	if (left) {
		dev_warn(md->dev, "%u regions of an earlier kernel are still in the table: asking for a dump of them\n",
			 left);
		if (!md_ring(md, md->minor >= 1 ? KMD_REASON_ABANDONED :
						  KMD_REASON_REQUEST))
			kmemdump_md_print_result(md, KERN_WARNING, "dump");
	}
	kmemdump_md_clear(md);
}

/**
 * kmemdump_md_probe() - take over a controller
 * @dev: the device
 * @window: where its registers are
 *
 * Everything is managed by @dev, which belongs to the driver afterwards.
 */
int kmemdump_md_probe(struct device *dev, struct resource *window)
{
	struct kmemdump_md *md;
	int ret;

	/* The table is all that is left of the kernel that died. */
	if (is_kdump_kernel()) {
		dev_info(dev, "this is a crash kernel, the regions of the kernel that died are left as they are\n");
		return -ENODEV;
	}

	md = devm_kzalloc(dev, sizeof(*md), GFP_KERNEL);
	if (!md)
		return -ENOMEM;

	md->dev = dev;
	mutex_init(&md->request_lock);
	dev_set_drvdata(dev, md);

	md->base = devm_ioremap_resource(dev, window);
	if (IS_ERR(md->base))
		return PTR_ERR(md->base);
	md->window = resource_size(window);

	ret = md_identify(md);
	if (ret)
		return ret;
	dev_info(dev, "version %u.%u, %u slots\n", KMD_VERSION_MAJOR, md->minor,
		 md_read(md, KMD_SLOT_COUNT));

	md->taken = devm_bitmap_zalloc(dev, md->slot_count, GFP_KERNEL);
	md->held = devm_kcalloc(dev, md->slot_count, sizeof(*md->held),
				GFP_KERNEL);
	if (!md->taken || !md->held)
		return -ENOMEM;

	if (md_read(md, KMD_LAST_RESULT) != KMD_RESULT_NONE)
		kmemdump_md_print_result(md, KERN_INFO, "last dump");
	md_take_over(md);

	ret = md_register_panic(md);
	return ret ?: kmemdump_md_attach(dev, md);
}

/**
 * kmemdump_md_shutdown() - empty the table before the machine stops
 * @dev: the device
 *
 * An orderly reboot or power-off is not a crash: if the table is empty, the host
 * takes no dump when the machine stops.
 */
void kmemdump_md_shutdown(struct device *dev)
{
	kmemdump_md_clear(dev_get_drvdata(dev));
}

/*
 * Hibernation: called before the image is made, before the power goes off, and
 * in the kernel that reads the image: its regions must not be in the table when
 * its memory is replaced by another kernel's. With an empty table the host takes
 * no dump when the machine is off.
 */
static int md_sleep(struct device *dev)
{
	struct kmemdump_md *md = dev_get_drvdata(dev);

	md->asleep = true;
	kmemdump_md_clear(md);
	return 0;
}

const struct dev_pm_ops kmemdump_md_pm = {
	.freeze_noirq = md_sleep,
	.thaw_noirq = md_wake,
	.poweroff_noirq = md_sleep,
	.restore_noirq = md_wake,
};
