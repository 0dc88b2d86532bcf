// SPDX-License-Identifier: GPL-2.0
/*
 * How to go through the kernel's lists when the kernel may be broken: each
 * pointer is looked at with kmemdump_peek(), a list that runs in a circle is
 * left, and all that one walk follows together has a limit.
 */
#include <linux/compiler.h>
#include <linux/kasan.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "kmemdump_internal.h"

/* Pointers that are followed before a kernel that lives may do something else. */
#define STEPS_BETWEEN_RESTS 128U

/**
 * kmemdump_look() - read memory that may not be there
 * @walk: the walk that this is a step of
 * @to: where to put it
 * @from: any address whatsoever
 * @size: bytes, at most a page
 *
 * Return: false when it cannot be read, or the walk is at its end.
 */
bool kmemdump_look(struct kmemdump_walk *walk, void *to, const void *from,
		   size_t size)
{
	if (!walk->steps || (walk->stop && READ_ONCE(*walk->stop)))
		return false;
	walk->steps--;
	return kmemdump_peek(to, from, size);
}

/**
 * kmemdump_pointer_at() - what a member that is a pointer points to
 * @walk: the walk that this is a step of
 * @member: any address whatsoever
 *
 * Return: NULL if it cannot be read.
 */
void *kmemdump_pointer_at(struct kmemdump_walk *walk, const void *member)
{
	void *pointer;

	return kmemdump_look(walk, &pointer, member, sizeof(pointer)) ? pointer :
									NULL;
}

/**
 * kmemdump_number_at() - the value of a member
 * @walk: the walk that this is a step of
 * @member: any address whatsoever
 *
 * Return: 0 if it cannot be read.
 */
unsigned int kmemdump_number_at(struct kmemdump_walk *walk,
				const unsigned int *member)
{
	unsigned int number;

	return kmemdump_look(walk, &number, member, sizeof(number)) ? number : 0;
}

/* A function of its own, so that a test can tell when others had their turn. */
static noinline void kmemdump_rest(void)
{
	rcu_read_unlock();
	cond_resched();
	rcu_read_lock();
}

/**
 * kmemdump_rested() - let others have their turn now and then
 * @walk: the walk, which can start anew from what it knows for sure
 *
 * Return: true if they had: nothing that the walk has come by need be there any
 * more. Never in a panic.
 */
bool kmemdump_rested(struct kmemdump_walk *walk)
{
	if (!walk->stop ||
	    walk->steps_at_rest - walk->steps < STEPS_BETWEEN_RESTS)
		return false;
	walk->steps_at_rest = walk->steps;
	kmemdump_rest();
	return true;
}

/**
 * kmemdump_ring_of() - begin a walk along a circular list
 * @head: its head
 * @back: along prev, not next
 *
 * Return: the walk, which stands on the head.
 */
struct kmemdump_ring kmemdump_ring_of(const struct list_head *head, bool back)
{
	/* Two pointers to one object can have different tags. */
	head = kasan_reset_tag(head);
	return (struct kmemdump_ring){
		.head = head, .at = head, .mark = head, .limit = 1,
		.back = back,
	};
}

/**
 * kmemdump_ring_next() - go to the next entry
 * @walk: the walk that this is a step of
 * @ring: the list
 *
 * Return: false at the end; then @at is the head, unless the list is broken.
 */
bool kmemdump_ring_next(struct kmemdump_walk *walk, struct kmemdump_ring *ring)
{
	const struct list_head *next;

	next = kmemdump_pointer_at(walk, ring->back ? &ring->at->prev :
						      &ring->at->next);
	/* Brent's: a circle of any length is seen after three rounds at most. */
	if (ring->length++ == ring->limit) {
		ring->mark = ring->at;
		ring->limit *= 2;
		ring->length = 0;
	}
	ring->at = kasan_reset_tag(next);
	return next && ring->at != ring->head && ring->at != ring->mark;
}

/**
 * kmemdump_ring_is_whole() - whether a list that ended did so at its head
 * @ring: the list
 *
 * Return: false if it is broken.
 */
bool kmemdump_ring_is_whole(const struct kmemdump_ring *ring)
{
	return ring->at == ring->head;
}
