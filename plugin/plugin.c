/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry point of `-plugin kmemdump-md.so`: makes sure that this QEMU is
 * the one the binary was built for, then registers the device type.
 */
#include "qemu_compat.h"

#include "guest_access.h"
#include "kmemdump_md_device.h"

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* For programs that look at the file before they start a QEMU with it. */
QEMU_PLUGIN_EXPORT const char kmemdump_md_built_for_qemu[] = KMD_BUILT_FOR;

/* Structure layouts differ between releases: with another one, do nothing. */
static bool is_the_right_qemu(void)
{
    VersionInfo *running = qmp_query_version(NULL);
    g_autofree char *version = g_strdup_printf(
        "%" PRId64 ".%" PRId64 ".%" PRId64, running->qemu->major,
        running->qemu->minor, running->qemu->micro);
    bool same = g_str_equal(version, KMD_BUILT_FOR);

    if (!same) {
        error_report("kmemdump-md: this plugin was built for QEMU %s and "
                     "cannot run in QEMU %s; build it again with "
                     "./scripts/build where QEMU %s is installed",
                     KMD_BUILT_FOR, version, version);
    }
    qapi_free_VersionInfo(running);
    return same;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
                                           const qemu_info_t *info, int argc,
                                           char **argv)
{
    if (!is_the_right_qemu()) {
        return 1;
    }
    if (!info->system_emulation) {
        error_report("kmemdump-md: needs a machine, not user emulation");
        return 1;
    }
    if (argc > 0) {
        error_report("kmemdump-md: -plugin takes no argument ('%s'); "
                     "properties go to -device kmemdump-md,...",
                     argv[0]);
        return 1;
    }
    kmemdump_md_set_max_cpus(info->system.max_vcpus);
    kmemdump_md_register_type();
    return 0;
}
