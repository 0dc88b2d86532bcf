/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies between the file that users load (front.c, one for every QEMU) and
 * the part of the plugin that was built for one release. Neither includes more
 * of the other, and this includes nothing of QEMU's.
 */
#ifndef KMEMDUMP_PART_H
#define KMEMDUMP_PART_H

/* Changes whenever struct kmemdump_md_part or the meaning of a member does. */
#define KMEMDUMP_MD_PART_INTERFACE "kmemdump-md-part-1"

struct kmemdump_md_part {
    /* KMEMDUMP_MD_PART_INTERFACE; first in every version of this structure. */
    const char *interface;

    /* Version of kmemdump-md, and of the QEMU that the part was built for. */
    const char *plugin_version;
    const char *qemu_version;

    /* QEMU's plugin interface that the part was built for. */
    int plugin_api;

    /*
     * Makes the device types known to QEMU. Called once, after QEMU has its own
     * types and before it has a machine. Returns NULL, or why that is not
     * possible: a constant sentence.
     */
    const char *(*register_types)(void);
};

/* The name of the symbol in the part's file. */
#define KMEMDUMP_MD_PART_SYMBOL "kmemdump_md_part"

#endif
