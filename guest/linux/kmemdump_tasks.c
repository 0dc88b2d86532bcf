// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over the kernel's tasks and process numbers.
 */
#include <linux/cpumask.h>
#include <linux/idr.h>
#include <linux/kasan.h>
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
/* The size of a group's run queue is private; this is an upper bound. */
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

/* The scheduling groups of a task. */
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

static void count_task(struct kmemdump_walk *walk, struct task_struct *task)
{
	walk->tasks++;
	add_task(walk, task);
}

static void add_if_running(struct kmemdump_walk *walk, struct task_struct *task)
{
#ifdef CONFIG_SMP
	typeof(task->on_cpu) on_cpu;

	if (kmemdump_look(walk, &on_cpu, &task->on_cpu, sizeof(on_cpu)) && on_cpu)
		add_task(walk, task);
#endif
}

typedef void visit_task(struct kmemdump_walk *walk, struct task_struct *task);

static void visit_threads(struct kmemdump_walk *walk, struct task_struct *leader,
			  visit_task *visit)
{
	struct signal_struct *signal = kmemdump_pointer_at(walk, &leader->signal);
	struct kmemdump_ring ring;

	visit(walk, leader);
	if (!signal)
		return;

	ring = kmemdump_ring_of(&signal->thread_head, false);
	while (kmemdump_ring_next(walk, &ring)) {
		struct task_struct *task =
			container_of(ring.at, struct task_struct, thread_node);

		if (task != leader)
			visit(walk, task);
	}
	if (!kmemdump_ring_is_whole(&ring))
		walk->broken++;
}

static bool visit_list(struct kmemdump_walk *walk, bool back, visit_task *visit)
{
	struct kmemdump_ring ring = kmemdump_ring_of(&init_task.tasks, back);

	while (kmemdump_ring_next(walk, &ring))
		visit_threads(walk, container_of(ring.at, struct task_struct,
						 tasks), visit);
	return kmemdump_ring_is_whole(&ring);
}

static void visit_processes(struct kmemdump_walk *walk, visit_task *visit)
{
	if (visit_list(walk, false, visit))
		return;
	walk->broken++;
	/* Entries after the break can be reached from the other end. */
	visit_list(walk, true, visit);
}

static void visit_idle_tasks(struct kmemdump_walk *walk, visit_task *visit)
{
	unsigned int cpu;

	if (!idle_task_of)
		return;
	for_each_possible_cpu(cpu)
		visit(walk, kasan_reset_tag(idle_task_of(cpu)));
}

static unsigned long next_step(unsigned long number, unsigned char shift)
{
	return (number | (BIT(shift) - 1)) + 1;
}

/* The entry at a number in a node, or at the next number that has one. */
static void *next_slot(struct kmemdump_walk *walk, struct xa_node *node,
		       unsigned char shift, unsigned long *number)
{
	unsigned long i = *number >> shift & XA_CHUNK_MASK;
	void *entry = kmemdump_pointer_at(walk, &node->slots[i]);

	while (!entry && ++i < XA_CHUNK_SIZE) {
		*number = next_step(*number, shift);
		entry = kmemdump_pointer_at(walk, &node->slots[i]);
	}
	return entry;
}

/*
 * The entry at a number, or at the next number that has one, which is stored in
 * @number. Starts from the root each time, so that nodes may be freed between two
 * calls.
 */
static struct pid *next_pid(struct kmemdump_walk *walk, unsigned long *number)
{
	while (walk->steps) {
		void *entry = kmemdump_pointer_at(walk, &init_pid_ns.idr.idr_rt.xa_head);
		unsigned char shift, above = BITS_PER_LONG;

		while (xa_is_node(entry)) {
			struct xa_node *node = xa_to_node(entry);

			/* The shift decreases with each level, or it is not a tree. */
			if (!kmemdump_look(walk, &shift, &node->shift, sizeof(shift)) ||
			    shift >= above) {
				walk->broken++;
				entry = NULL;
				break;
			}
			if (above == BITS_PER_LONG &&
			    *number >> shift >> XA_CHUNK_SHIFT)
				return NULL;
			above = shift;
			kmemdump_pages_add(walk->pages, node, sizeof(*node));
			entry = next_slot(walk, node, shift, number);
		}
		if (entry && !xa_is_value(entry) && !xa_is_internal(entry))
			return entry;
		if (above == BITS_PER_LONG)
			return NULL;
		*number = next_step(*number, above);
	}
	return NULL;
}

/* Lists all process numbers; with @with_tasks also their tasks. */
static void add_pids(struct kmemdump_walk *walk, bool with_tasks)
{
	unsigned long number = 0;
	struct hlist_node *first;
	struct pid *pid;

	while ((pid = next_pid(walk, &number))) {
		add_pid(walk, pid);
		first = with_tasks ?
			kmemdump_pointer_at(walk, &pid->tasks[PIDTYPE_PID].first) : NULL;
		if (first)
			count_task(walk, hlist_entry(first, struct task_struct,
						     pid_links[PIDTYPE_PID]));
		number++;
		kmemdump_rested(walk);
	}
}

/**
 * kmemdump_tasks_init() - find where the walks start
 */
void __init kmemdump_tasks_init(void)
{
	idle_task_of = kmemdump_symbol("idle_task");
}

/**
 * kmemdump_running_tasks_add() - list the current task, in a panic also those of
 *	other CPUs
 * @walk: the walk
 *
 * Called before all else, so that there is room for these tasks.
 */
void kmemdump_running_tasks_add(struct kmemdump_walk *walk)
{
	const unsigned int broken = walk->broken;

	add_task(walk, current);
	if (walk->stop)
		return;
	visit_idle_tasks(walk, add_if_running);
	visit_processes(walk, add_if_running);
	/* kmemdump_tasks_add() counts broken lists. */
	walk->broken = broken;
}

/**
 * kmemdump_tasks_add() - list every task and the memory that belongs to it
 * @walk: the walk
 *
 * Outside a panic it goes by process numbers, because that walk can be
 * interrupted; in a panic by the list of processes, as debuggers do.
 */
void kmemdump_tasks_add(struct kmemdump_walk *walk)
{
	visit_idle_tasks(walk, count_task);
	if (!walk->stop)
		visit_processes(walk, count_task);
	add_pids(walk, walk->stop);
}
