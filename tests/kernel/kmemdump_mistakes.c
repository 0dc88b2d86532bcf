// SPDX-License-Identifier: GPL-2.0
/*
 * Three mistakes on purpose, so that it is known that a kernel which reports
 * none would have reported them: memory that is leaked, two locks that are
 * taken in either order, and memory that is used after it was freed.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

/* Many: an old copy of a pointer, in a register or on a stack, hides one. */
static void leak(void)
{
	void *memory;
	int i;

	for (i = 0; i < 32; i++) {
		memory = kmalloc(100, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(memory);
	}
}

static void take(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

static void use_after_free(void)
{
	char *memory = kmalloc(100, GFP_KERNEL);

	if (!memory)
		return;
	kfree(memory);
	OPTIMIZER_HIDE_VAR(memory);
	WRITE_ONCE(memory[0], 1);
}

static int __init mistakes_init(void)
{
	leak();
	take(&first, &second);
	take(&second, &first);
	/* Last: lockdep gives up after a report of KASAN. */
	use_after_free();
	return 0;
}
module_init(mistakes_init);

static void __exit mistakes_exit(void)
{
}
module_exit(mistakes_exit);

MODULE_DESCRIPTION("Mistakes that a debug kernel has to find");
MODULE_LICENSE("GPL");
