/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to the machine, for the controllers in it. What they make of it
 * is theirs to say.
 */
#ifndef KMEMDUMP_TRIGGERS_H
#define KMEMDUMP_TRIGGERS_H

#include "qemu_compat.h"

#include "hw/abi/kmemdump_md.h"

/* Hooks into reset, shutdown and panics. Once, before there is a device. */
void kmemdump_md_watch_machine(void);

/* From now on, and until it is removed, this controller hears of it. */
void kmemdump_md_add_controller(struct kmd_controller *controller);
void kmemdump_md_remove_controller(struct kmd_controller *controller);

/* Takes the dumps that are asked for soon; in any thread with the big lock. */
void kmemdump_md_schedule_dumps(void);

/*
 * Takes a dump for the host now: see kmd_request_dump(). In the main loop's
 * thread.
 */
char *kmemdump_md_dump_now(struct kmd_controller *controller,
                           const char *reason);

#endif
