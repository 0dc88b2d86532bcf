/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the properties of the output are that nobody sets: numbers and switches.
 * Words have theirs in output.h. In C, for both sides of the interface.
 */
#ifndef KMEMDUMP_MD_OUTPUT_DEFAULTS_H
#define KMEMDUMP_MD_OUTPUT_DEFAULTS_H

enum kmd_output_default {
    KMD_DEFAULT_KEEP = 0,
    KMD_DEFAULT_CHARDEV_TIMEOUT_MS = 10000,
    KMD_DEFAULT_SIDECAR = 1,
};

#endif
