// SPDX-License-Identifier: GPL-2.0
/*
 * Walks the lists of a kernel that may be broken: each pointer is read with
 * kmemdump_peek(), circular lists are left, and each walk has a budget of pointers.
 */
#include <linux/compiler.h>
#include <linux/kasan.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "kmemdump_internal.h"

/* How many pointers a walk outside a panic follows before it may reschedule. */
#define STEPS_BETWEEN_RESTS 128U

/**
 * kmemdump_look() - read memory that may not be mapped, as a step of a walk
 * @walk: the walk
 * @to: where to put it
 * @from: any address, valid or not
 * @size: length in bytes, at most a page
 *
 * Return: false if it cannot be read, or if the walk has ended.
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
 * kmemdump_pointer_at() - read a pointer, as a step of a walk
 * @walk: the walk
 * @member: any address, valid or not
 *
 * Return: the pointer, or NULL if it cannot be read.
 */
void *kmemdump_pointer_at(struct kmemdump_walk *walk, const void *member)
{
	void *pointer;

	return kmemdump_look(walk, &pointer, member, sizeof(pointer)) ? pointer :
									NULL;
}

/**
 * kmemdump_number_at() - read a number, as a step of a walk
 * @walk: the walk
 * @member: any address, valid or not
 *
 * Return: the number, or 0 if it cannot be read.
 */
unsigned int kmemdump_number_at(struct kmemdump_walk *walk,
				const unsigned int *member)
{
	unsigned int number;

	return kmemdump_look(walk, &number, member, sizeof(number)) ? number : 0;
}

/* A separate function, so that a test can tell when it is called. */
static noinline void kmemdump_rest(void)
{
	rcu_read_unlock();
	cond_resched();
	rcu_read_lock();
}

/**
 * kmemdump_rested() - reschedule from time to time, except in a panic
 * @walk: the walk
 *
 * Return: true if it left the RCU read lock. Objects that the walk has found may be
 * freed by now, so it has to start again from a safe place.
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
 * @back: follow prev instead of next
 *
 * Return: the walk, positioned on the head.
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
 * kmemdump_ring_next() - go to the next entry, as a step of a walk
 * @walk: the walk
 * @ring: the list
 *
 * Return: false at the end; then @ring->at is the head, unless the list is broken.
 */
bool kmemdump_ring_next(struct kmemdump_walk *walk, struct kmemdump_ring *ring)
{
	const struct list_head *next;

	next = kmemdump_pointer_at(walk, ring->back ? &ring->at->prev :
						      &ring->at->next);
	/* Brent's algorithm: finds any circle after at most three rounds. */
	if (ring->length++ == ring->limit) {
		ring->mark = ring->at;
		ring->limit *= 2;
		ring->length = 0;
	}
	ring->at = kasan_reset_tag(next);
	return next && ring->at != ring->head && ring->at != ring->mark;
}

/**
 * kmemdump_ring_is_whole() - whether a list ended at its head
 * @ring: the list, after kmemdump_ring_next() returned false
 *
 * Return: false if the list is broken.
 */
bool kmemdump_ring_is_whole(const struct kmemdump_ring *ring)
{
	return ring->at == ring->head;
}
