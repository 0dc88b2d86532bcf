/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entry points of a controller that is built into QEMU.
 */
#include "qemu/osdep.h"
#include "plugin/qemu_compat.h"

#include "plugin/kmemdump_md_device.h"
#include "plugin/triggers.h"

type_init(kmemdump_md_register_platform_type)
    type_init(kmemdump_md_register_pci_type)

    /* When all types exist and no machine does, as under LD_PRELOAD. */
    migration_init(kmemdump_md_watch_machine)
