// SPDX-License-Identifier: GPL-2.0
/*
 * Breaks a list of the kernel, as its parameter says, and panics: whatever a
 * dump needs has to be found all the same.
 */
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

/* The console of QEMU's virt machine: reading there would take a character. */
#define UART_PHYS 0x09000000

static char *what = "";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "cut, circle, device, stack, thread, pids or module");

/* The tenth process of the list. */
static struct task_struct *tenth(void)
{
	struct task_struct *task = &init_task;
	int i;

	for (i = 0; i < 10; i++)
		task = list_next_entry(task, tasks);
	return task;
}

static void point_to_a_device(struct task_struct *task)
{
	void __iomem *uart = ioremap(UART_PHYS, PAGE_SIZE);

	if (uart)
		task->tasks.next = (void __force *)uart;
}

static void turn_the_tree_of_numbers_into_a_circle(void)
{
	struct xarray *numbers = &init_pid_ns.idr.idr_rt;
	void *root = rcu_dereference_raw(numbers->xa_head);

	if (xa_is_node(root))
		RCU_INIT_POINTER(xa_to_node(root)->slots[1], root);
}

/*
 * What sysfs shows of a module: sections without end, notes on a device. Not the
 * names of its functions: the kernel itself reads them when it panics.
 */
static void spoil_this_module(void)
{
	static struct bin_attribute section;
	static struct attribute_group sections;
	static void *endless[PAGE_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(endless); i++)
		endless[i] = &section;
	sections.bin_attrs = (void *)endless;
	section.attr.name = (void *)1;
	THIS_MODULE->sect_attrs = (void *)&sections;
	THIS_MODULE->notes_attrs = (void __force *)ioremap(UART_PHYS, PAGE_SIZE);
}

static int __init corrupt_init(void)
{
	struct task_struct *task = tenth();

	local_irq_disable();
	if (!strcmp(what, "cut"))
		task->tasks.next = (void *)0xdead000000000100;
	else if (!strcmp(what, "circle"))
		task->tasks.next = &list_prev_entry(task, tasks)->tasks;
	else if (!strcmp(what, "device"))
		point_to_a_device(task);
	else if (!strcmp(what, "stack"))
		task->stack = (void *)0xffff7fffdeadbeef;
	else if (!strcmp(what, "thread"))
		task->signal->thread_head.next = (void *)1;
	else if (!strcmp(what, "pids"))
		turn_the_tree_of_numbers_into_a_circle();
	else if (!strcmp(what, "module"))
		spoil_this_module();
	panic("corrupted: %s", what);
}
module_init(corrupt_init);

MODULE_DESCRIPTION("Panics with a kernel whose lists are broken");
MODULE_LICENSE("GPL");
