// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over the kernel's tasks and their numbers.
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

static struct task_struct *(*idle_task_of)(int cpu);

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
				kmemdump_pointer_at(walk, &mm->rss_stat[i].counters);

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
		kmemdump_pages_add(walk->pages, kmemdump_pointer_at(walk, &entity->cfs_rq),
				   CFS_RQ_BYTES);
		entity = kmemdump_pointer_at(walk, &entity->parent);
	}
#endif
}

static void add_task(struct kmemdump_walk *walk, struct task_struct *task)
{
	void *stack = kmemdump_pointer_at(walk, &task->stack);
	struct mm_struct *mm;

	walk->tasks++;
	kmemdump_pages_add(walk->pages, task, sizeof(*task));
	if (walk->stacks)
		kmemdump_pages_add(walk->pages, PTR_ALIGN_DOWN(stack, THREAD_SIZE),
				   THREAD_SIZE);
	add_pid(walk, kmemdump_pointer_at(walk, &task->thread_pid));
	kmemdump_pages_add(walk->pages, kmemdump_pointer_at(walk, &task->signal),
			   sizeof(*task->signal));
	mm = kmemdump_pointer_at(walk, &task->mm);
	if (mm)
		add_mm(walk, mm);
	add_groups(walk, task);
}

static void add_threads(struct kmemdump_walk *walk, struct task_struct *leader)
{
	struct signal_struct *signal = kmemdump_pointer_at(walk, &leader->signal);
	struct kmemdump_ring ring;

	add_task(walk, leader);
	if (!signal)
		return;

	ring = kmemdump_ring_of(&signal->thread_head, false);
	while (kmemdump_ring_next(walk, &ring)) {
		struct task_struct *task =
			container_of(ring.at, struct task_struct, thread_node);

		if (task != leader)
			add_task(walk, task);
	}
	if (!kmemdump_ring_is_whole(&ring))
		walk->broken++;
}

static bool add_processes(struct kmemdump_walk *walk, bool back)
{
	struct kmemdump_ring ring = kmemdump_ring_of(&init_task.tasks, back);

	while (kmemdump_ring_next(walk, &ring))
		add_threads(walk, container_of(ring.at, struct task_struct,
					       tasks));
	return kmemdump_ring_is_whole(&ring);
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
	if (!kmemdump_look(walk, &shift, &node->shift, sizeof(shift)) || shift >= above) {
		walk->broken++;
		return;
	}
	kmemdump_pages_add(walk->pages, node, sizeof(*node));
	for (i = 0; i < XA_CHUNK_SIZE; i++)
		add_pids(walk, kmemdump_pointer_at(walk, &node->slots[i]),
			 shift);
}

/**
 * kmemdump_tasks_init() - find what the walks start from
 */
void __init kmemdump_tasks_init(void)
{
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
	add_pids(walk, kmemdump_pointer_at(walk, &init_pid_ns.idr.idr_rt.xa_head),
		 BITS_PER_LONG);
}
