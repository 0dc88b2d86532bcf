/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Defaults of the numeric and boolean properties of the output; output.h has
 * those of the strings. In C, for both sides of the interface.
 */
#ifndef KMEMDUMP_MD_OUTPUT_DEFAULTS_H
#define KMEMDUMP_MD_OUTPUT_DEFAULTS_H

enum kmd_output_default {
    KMD_DEFAULT_KEEP = 0,
    KMD_DEFAULT_CHARDEV_TIMEOUT_MS = 10000,
    KMD_DEFAULT_SIDECAR = 1,
};

#endif
