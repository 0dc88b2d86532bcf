/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A part that has to be refused: of another kmemdump-md, or for another QEMU.
 */
#include "plugin/part.h"

#include <stdlib.h>

static const char* register_types(void)
{
    abort();
}

__attribute__((visibility("default"))) const struct kmemdump_md_part kmemdump_md_part = {
    .interface = KMEMDUMP_MD_PART_INTERFACE,
    .plugin_version = KMD_PLUGIN_VERSION,
    .qemu_version = "6.9.9",
    .plugin_api = 1,
    .register_types = register_types,
};
