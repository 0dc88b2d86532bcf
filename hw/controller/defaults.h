/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Defaults of the numeric and boolean properties; config.h has those of the
 * strings. A device test compares docs/device.md with the defaults that QEMU
 * reports. In C, for both sides of the interface.
 */
#ifndef KMEMDUMP_MD_DEFAULTS_H
#define KMEMDUMP_MD_DEFAULTS_H

enum kmd_controller_default {
    KMD_DEFAULT_SLOTS = 512,
    KMD_DEFAULT_MAX_REGIONS = 0,
    KMD_DEFAULT_MAX_DUMPS = 16,
    KMD_DEFAULT_MAX_BYTES = 0,
    KMD_DEFAULT_ON_RESET = 1,
    KMD_DEFAULT_ON_SHUTDOWN = 1,
    KMD_DEFAULT_ON_QUIT = 0,
    KMD_DEFAULT_PAUSE = 0,
};

#endif
