/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin for one QEMU release: kmemdump-md-RELEASE.so.
 */
#include "qemu_compat.h"

#if KMD_QEMU_SINCE(11, 0)
#include "plugins/qemu-plugin.h"
#else
#include "qemu/qemu-plugin.h"
#endif

#include "kmemdump_md_device.h"
#include "part.h"
#include "triggers.h"

static const char *register_types(void)
{
    if (object_class_by_name(TYPE_KMEMDUMP_MD)) {
        return "this QEMU has the controller built in: leave out -plugin and "
               "LD_PRELOAD";
    }
    kmemdump_md_register_platform_type();
    kmemdump_md_register_pci_type();
    kmemdump_md_watch_machine();
    return NULL;
}

QEMU_PLUGIN_EXPORT const struct kmemdump_md_part kmemdump_md_part = {
    .interface = KMEMDUMP_MD_PART_INTERFACE,
    .plugin_version = KMD_PLUGIN_VERSION,
    .qemu_version = QEMU_VERSION,
    .plugin_api = QEMU_PLUGIN_VERSION,
    .register_types = register_types,
};
