// SPDX-License-Identifier: GPL-2.0
/*
 * Panics when the controller's driver calls a function for the nth time, so
 * that each stage of its coming and going can be the last one. Loaded before
 * the driver.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/panic.h>
#include <linux/string.h>

static char *function = "";
module_param(function, charp, 0);
MODULE_PARM_DESC(function, "Of kmemdump_md.ko, and the number of the call, such as kmemdump_md_add:3");

static unsigned int calls_left;

static int panic_at_the_call(struct kprobe *probe, struct pt_regs *regs)
{
	if (calls_left && !--calls_left)
		panic("stage: %s", function);
	return 0;
}

static struct kprobe probe = { .pre_handler = panic_at_the_call };

static int module_changes(struct notifier_block *nb, unsigned long state,
			  void *data)
{
	const struct module *module = data;

	if (state == MODULE_STATE_COMING && !strcmp(module->name, "kmemdump_md"))
		pr_info("stages: probe registered: %d\n",
			register_kprobe(&probe));
	return NOTIFY_OK;
}

static struct notifier_block notifier = { .notifier_call = module_changes };

static int __init stages_init(void)
{
	static char name[64];
	const char *colon = strchr(function, ':');

	if (!colon || kstrtouint(colon + 1, 10, &calls_left) ||
	    colon - function >= sizeof(name))
		return -EINVAL;
	memcpy(name, function, colon - function);
	probe.symbol_name = name;
	return register_module_notifier(&notifier);
}
module_init(stages_init);

MODULE_DESCRIPTION("Test of a kernel that dies while the driver comes or goes");
MODULE_LICENSE("GPL");
