/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that stands on nothing: not in a vCPU's thread, and not within a
 * device's operation. A bottom half or a timer can be: a device that waits for
 * its disk runs them from wherever it was called.
 */
#ifndef KMEMDUMP_MAIN_LOOP_WORK_H
#define KMEMDUMP_MAIN_LOOP_WORK_H

/* Says what to do, with the big lock held. Once. */
void kmemdump_md_set_main_loop_work(void (*work)(void));

/*
 * Asks for it to be done soon, once however often this is called; a guest that
 * is on its way here is waited for. The caller has the big lock, in any thread.
 */
void kmemdump_md_want_main_loop_work(void);

#endif
