/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Learns of a panic after which QEMU lets the guest run on.
 */
#ifndef KMEMDUMP_GUEST_PANIC_H
#define KMEMDUMP_GUEST_PANIC_H

/*
 * From now on calls `panicked` when QEMU tells its management of a panic under
 * `-action panic=none`. That is in the thread of the CPU, with the big lock and
 * locks of the monitor held: it may schedule work, and no more. Once, when the
 * machine is complete.
 */
void kmemdump_md_watch_for_panics(void (*panicked)(void));

#endif
