/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can end the guest's work, as the emulator sees it. In C, for both sides
 * of the interface.
 */
#ifndef KMEMDUMP_MD_MACHINE_EVENT_H
#define KMEMDUMP_MD_MACHINE_EVENT_H

enum kmd_machine_event {
    /* A reset by the guest, a watchdog or the host; also where the emulator ends instead. */
    KMD_EVENT_RESET,
    /* The guest powers off. */
    KMD_EVENT_SHUTDOWN,
    /* The host ends the emulator. */
    KMD_EVENT_QUIT,
    /* The guest said through another device that it panicked. */
    KMD_EVENT_PANIC,
};

#endif
