/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A part of a kmemdump-md that never was: it has to be refused.
 */
#include "plugin/part.h"

#include <stdlib.h>

static const char* register_types(void)
{
    abort();
}

__attribute__((visibility("default"))) const struct kmemdump_md_part kmemdump_md_part = {
    .interface = KMEMDUMP_MD_PART_INTERFACE,
    .plugin_version = "0.0.1",
    .qemu_version = "6.9.9",
    .plugin_api = 1,
    .register_types = register_types,
};
