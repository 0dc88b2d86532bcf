// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over the kernel's tasks, their numbers and its modules, when the kernel
 * may be broken: each pointer is looked at with kmemdump_peek(), a list that
 * runs in a circle is left, and all walks together have a limit.
 */
#include <linux/cpumask.h>
#include <linux/idr.h>
#include <linux/kallsyms.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/percpu_counter.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/xarray.h>

#include "kmemdump_compat.h"
#include "kmemdump_internal.h"

/* Deeper than any kernel nests its groups of tasks. */
#define MAX_GROUP_DEPTH 8
/* Of the run queue of a group its layout is private; more than it takes. */
#define CFS_RQ_BYTES 1024

static struct list_head *modules_list;
static struct task_struct *(*idle_task_of)(int cpu);

/* False when there is nothing to be read, or the walk is at its end. */
static bool look(struct kmemdump_walk *walk, void *to, const void *from,
		 size_t size)
{
	if (!walk->steps || walk->pages->full ||
	    (walk->stop && READ_ONCE(*walk->stop)))
		return false;
	walk->steps--;
	return kmemdump_peek(to, from, size);
}

/* What a member that is a pointer points to; NULL if it cannot be read. */
static void *pointer_at(struct kmemdump_walk *walk, const void *member)
{
	void *pointer;

	return look(walk, &pointer, member, sizeof(pointer)) ? pointer : NULL;
}

static unsigned int number_at(struct kmemdump_walk *walk, const unsigned int *member)
{
	unsigned int number;

	return look(walk, &number, member, sizeof(number)) ? number : 0;
}

/**
 * struct ring - a walk along a circular list
 * @head: where it ends
 * @at: the entry it stands on
 * @mark: an entry it was on; to be there again is a circle without @head
 * @length: entries since @mark
 * @limit: entries until @mark moves on
 * @back: along prev, not next
 */
struct ring {
	const struct list_head *head;
	const struct list_head *at;
	const struct list_head *mark;
	unsigned int length;
	unsigned int limit;
	bool back;
};

static struct ring ring_of(const struct list_head *head, bool back)
{
	return (struct ring){
		.head = head, .at = head, .mark = head, .limit = 1,
		.back = back,
	};
}

/* False at the end; then @at is the head, unless the list is broken. */
static bool ring_next(struct kmemdump_walk *walk, struct ring *ring)
{
	const struct list_head *next;

	next = pointer_at(walk, ring->back ? &ring->at->prev :
					       &ring->at->next);
	/* Brent's: a circle of any length is seen after three rounds at most. */
	if (ring->length++ == ring->limit) {
		ring->mark = ring->at;
		ring->limit *= 2;
		ring->length = 0;
	}
	ring->at = next;
	return next && next != ring->head && next != ring->mark;
}

static bool ring_is_whole(const struct ring *ring)
{
	return ring->at == ring->head;
}

static void add_pid(struct kmemdump_walk *walk, const struct pid *pid)
{
	kmemdump_pages_add(walk->pages, pid, sizeof(*pid) + sizeof(pid->numbers[0]));
}

static void add_mm(struct kmemdump_walk *walk, struct mm_struct *mm)
{
	kmemdump_pages_add(walk->pages, mm, sizeof(*mm));
#ifdef KMEMDUMP_RSS_PER_CPU
	{
		unsigned int cpu, i;

		for (i = 0; i < NR_MM_COUNTERS; i++) {
			s32 __percpu *counters = (s32 __percpu __force *)
				pointer_at(walk, &mm->rss_stat[i].counters);

			if (!counters)
				continue;
			for_each_possible_cpu(cpu)
				kmemdump_pages_add(walk->pages, per_cpu_ptr(counters, cpu),
						   sizeof(*counters));
		}
	}
#endif
}

/* What a runnable task hangs on. */
static void add_groups(struct kmemdump_walk *walk, struct task_struct *task)
{
#ifdef CONFIG_FAIR_GROUP_SCHED
	struct sched_entity *entity = &task->se;
	unsigned int depth;

	for (depth = 0; entity && depth < MAX_GROUP_DEPTH; depth++) {
		kmemdump_pages_add(walk->pages, entity, sizeof(*entity));
		kmemdump_pages_add(walk->pages, pointer_at(walk, &entity->cfs_rq),
				   CFS_RQ_BYTES);
		entity = pointer_at(walk, &entity->parent);
	}
#endif
}

static void add_task(struct kmemdump_walk *walk, struct task_struct *task)
{
	void *stack = pointer_at(walk, &task->stack);
	struct mm_struct *mm;

	walk->tasks++;
	kmemdump_pages_add(walk->pages, task, sizeof(*task));
	if (walk->stacks)
		kmemdump_pages_add(walk->pages, PTR_ALIGN_DOWN(stack, THREAD_SIZE),
				   THREAD_SIZE);
	add_pid(walk, pointer_at(walk, &task->thread_pid));
	kmemdump_pages_add(walk->pages, pointer_at(walk, &task->signal),
			   sizeof(*task->signal));
	mm = pointer_at(walk, &task->mm);
	if (mm)
		add_mm(walk, mm);
	add_groups(walk, task);
}

static void add_threads(struct kmemdump_walk *walk, struct task_struct *leader)
{
	struct signal_struct *signal = pointer_at(walk, &leader->signal);
	struct ring ring;

	add_task(walk, leader);
	if (!signal)
		return;

	ring = ring_of(&signal->thread_head, false);
	while (ring_next(walk, &ring)) {
		struct task_struct *task =
			container_of(ring.at, struct task_struct, thread_node);

		if (task != leader)
			add_task(walk, task);
	}
	if (!ring_is_whole(&ring))
		walk->broken++;
}

static bool add_processes(struct kmemdump_walk *walk, bool back)
{
	struct ring ring = ring_of(&init_task.tasks, back);

	while (ring_next(walk, &ring))
		add_threads(walk, container_of(ring.at, struct task_struct,
					       tasks));
	return ring_is_whole(&ring);
}

static void add_idle_tasks(struct kmemdump_walk *walk)
{
	unsigned int cpu;

	if (!idle_task_of)
		return;
	for_each_possible_cpu(cpu)
		add_task(walk, idle_task_of(cpu));
}

/* An entry of an xarray that is in a node whose index counts from @shift. */
static void add_pids(struct kmemdump_walk *walk, void *entry, int above)
{
	struct xa_node *node;
	unsigned char shift;
	unsigned int i;

	if (!xa_is_node(entry)) {
		if (!xa_is_value(entry) && !xa_is_internal(entry))
			add_pid(walk, entry);
		return;
	}

	node = xa_to_node(entry);
	/* Each level counts in smaller steps, or it is not a tree. */
	if (!look(walk, &shift, &node->shift, sizeof(shift)) || shift >= above) {
		walk->broken++;
		return;
	}
	kmemdump_pages_add(walk->pages, node, sizeof(*node));
	for (i = 0; i < XA_CHUNK_SIZE; i++)
		add_pids(walk, pointer_at(walk, &node->slots[i]),
			 shift);
}

/**
 * kmemdump_tasks_init() - find what the walks start from
 */
void __init kmemdump_tasks_init(void)
{
	modules_list = kmemdump_symbol("modules");
	idle_task_of = kmemdump_symbol("idle_task");
}

/**
 * kmemdump_tasks_add() - list every task and what belongs to it
 * @walk: what is wanted, and what came of it
 */
void kmemdump_tasks_add(struct kmemdump_walk *walk)
{
	/* First who is alive for sure. */
	add_task(walk, current);
	add_idle_tasks(walk);
	if (!add_processes(walk, false)) {
		walk->broken++;
		/* Those behind the break can be had from the other end. */
		add_processes(walk, true);
	}
	add_pids(walk, pointer_at(walk, &init_pid_ns.idr.idr_rt.xa_head),
		 BITS_PER_LONG);
}

/*
 * An exported symbol, whose structure the kernel keeps to itself: what its
 * fields point to lies as far from them as they say.
 */
struct exported {
	s32 value_offset;
	s32 name_offset;
	s32 namespace_offset;
};

static void add_exports(struct kmemdump_walk *walk, const struct exported *symbols,
			unsigned int count)
{
	unsigned int i;
	s32 offset;

	if (!IS_ENABLED(CONFIG_HAVE_ARCH_PREL32_RELOCATIONS))
		return;
	for (i = 0; i < count; i++) {
		const s32 *field = &symbols[i].name_offset;

		kmemdump_pages_add(walk->pages, &symbols[i], sizeof(symbols[i]));
		if (!look(walk, &offset, field, sizeof(offset)))
			break;
		kmemdump_pages_add(walk->pages, (char *)field + offset, KSYM_NAME_LEN);
	}
}

/* crash wants all of a module's data for the names in it. */
static void add_module(struct kmemdump_walk *walk, struct module *module)
{
	struct kmemdump_module_memory data;

	kmemdump_pages_add(walk->pages, module, sizeof(*module));
	if (look(walk, &data, kmemdump_module_data(module), sizeof(data)))
		kmemdump_pages_add(walk->pages, data.base, data.size);
	add_exports(walk, pointer_at(walk, &module->syms),
		    number_at(walk, &module->num_syms));
#ifdef KMEMDUMP_GPL_SYMBOLS_APART
	add_exports(walk, pointer_at(walk, &module->gpl_syms),
		    number_at(walk, &module->num_gpl_syms));
#endif
}

/**
 * kmemdump_modules_add() - list every module
 * @walk: what came of it
 */
void kmemdump_modules_add(struct kmemdump_walk *walk)
{
	struct ring ring;

	if (!modules_list)
		return;
	ring = ring_of(modules_list, false);
	while (ring_next(walk, &ring))
		add_module(walk, container_of(ring.at, struct module, list));
	if (!ring_is_whole(&ring))
		walk->broken++;
}
