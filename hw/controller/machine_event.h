/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of the machine that end what the guest was doing. In C, for both sides
 * of the interface.
 */
#ifndef KMEMDUMP_MD_MACHINE_EVENT_H
#define KMEMDUMP_MD_MACHINE_EVENT_H

enum kmd_machine_event {
    /* A reset by the guest, a watchdog or the host; also if the emulator exits instead. */
    KMD_EVENT_RESET,
    /* The guest powers off. */
    KMD_EVENT_SHUTDOWN,
    /* The host terminates the emulator. */
    KMD_EVENT_QUIT,
    /* The guest reported a panic through another device. */
    KMD_EVENT_PANIC,
};

#endif
