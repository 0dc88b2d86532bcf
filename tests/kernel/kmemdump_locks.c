// SPDX-License-Identifier: GPL-2.0
/*
 * Who waits for kmemdump, and for how long: callers that hold a spinlock while
 * the table is in use, and a kernel that lives while the tasks are looked up.
 */
#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include <kmemdump_md_regs.h>

#include "kmemdump.h"
#include "ktap.h"

/* The backend holds the table until it was tried, at most this long. */
#define TABLE_IN_USE_MS (20 * MSEC_PER_SEC)
/* Pointers that may be followed before others have a turn, with room for one task. */
#define MOST_PEEKS_AT_ONCE 1024

static u8 first[8], second[8];
static DECLARE_COMPLETION(in_use);
static DECLARE_COMPLETION(tried);
static DEFINE_SPINLOCK(lock);
static int uid_of_first;

static int slow_register(const struct kmemdump_backend *be,
			 enum kmemdump_uid uid, void *vaddr, size_t size)
{
	if (vaddr == first) {
		complete(&in_use);
		wait_for_completion_timeout(&tried,
					    msecs_to_jiffies(TABLE_IN_USE_MS));
	}
	return 0;
}

static int slow_unregister(const struct kmemdump_backend *be,
			   enum kmemdump_uid uid)
{
	return 0;
}

static const struct kmemdump_backend slow = {
	.name = "slow",
	.register_region = slow_register,
	.unregister_region = slow_unregister,
};

static int use_the_table(void *data)
{
	uid_of_first = kmemdump_register(first, sizeof(first));
	complete(data);
	return 0;
}

static struct device *find_controller(void)
{
	struct device_node *node =
		of_find_compatible_node(NULL, NULL, KMD_DT_COMPATIBLE);
	struct platform_device *pdev = node ? of_find_device_by_node(node) : NULL;

	of_node_put(node);
	return pdev ? &pdev->dev : NULL;
}

static void holder_of_a_spinlock_does_not_sleep(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct device *controller = find_controller();
	struct task_struct *thread;
	unsigned long switches;
	int uid;

	if (controller)
		device_release_driver(controller);
	EXPECT_EQ(kmemdump_register_backend(&slow), 0);

	thread = kthread_create(use_the_table, &done, "use_the_table");
	kthread_bind(thread, cpumask_any_but(cpu_online_mask, raw_smp_processor_id()));
	wake_up_process(thread);
	wait_for_completion(&in_use);

	spin_lock(&lock);
	switches = current->nvcsw;
	uid = kmemdump_register(second, sizeof(second));
	EXPECT_EQ(current->nvcsw, switches);
	spin_unlock(&lock);
	complete(&tried);
	EXPECT_EQ(uid, -EWOULDBLOCK);

	wait_for_completion(&done);
	EXPECT_EQ(uid_of_first >= KMEMDUMP_ID_DYNAMIC, true);
	kmemdump_unregister(uid_of_first);
	if (uid > 0)
		kmemdump_unregister(uid);
	kmemdump_unregister_backend(&slow);
	if (controller)
		EXPECT_EQ(device_attach(controller), 1);
}

static struct task_struct *looker;
static unsigned int peeks, peeks_at_once, most_peeks_at_once;

static int count_peek(struct kprobe *probe, struct pt_regs *regs)
{
	if (current == looker) {
		peeks++;
		most_peeks_at_once = max(most_peeks_at_once, ++peeks_at_once);
	}
	return 0;
}

static int count_rest(struct kprobe *probe, struct pt_regs *regs)
{
	if (current == looker)
		peeks_at_once = 0;
	return 0;
}

static void others_have_their_turn_while_tasks_are_looked_up(void)
{
	static struct kprobe peek = { .symbol_name = "kmemdump_peek",
				      .pre_handler = count_peek };
	static struct kprobe rest = { .symbol_name = "kmemdump_rest",
				      .pre_handler = count_rest };

	EXPECT_EQ(register_kprobe(&peek), 0);
	EXPECT_EQ(register_kprobe(&rest), 0);

	looker = current;
	kmemdump_refresh();
	looker = NULL;

	unregister_kprobe(&rest);
	unregister_kprobe(&peek);
	pr_info("figures: %u pointers, %u at once\n", peeks, most_peeks_at_once);
	EXPECT_EQ(peeks > 2 * MOST_PEEKS_AT_ONCE, true);
	EXPECT_EQ(most_peeks_at_once < MOST_PEEKS_AT_ONCE, true);
}

static int __init locks_init(void)
{
	ktap_plan(2);
	ktap_run(holder_of_a_spinlock_does_not_sleep,
		 "holder_of_a_spinlock_does_not_sleep");
	ktap_run(others_have_their_turn_while_tasks_are_looked_up,
		 "others_have_their_turn_while_tasks_are_looked_up");
	return 0;
}
module_init(locks_init);

static void __exit locks_exit(void)
{
}
module_exit(locks_exit);

MODULE_DESCRIPTION("Test of how long kmemdump keeps others waiting");
MODULE_LICENSE("GPL");
