/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device as the rest of the plugin sees it.
 */
#ifndef KMEMDUMP_MD_DEVICE_H
#define KMEMDUMP_MD_DEVICE_H

#include "qemu_compat.h"

#include "hw/abi/kmemdump_md.h"

#define TYPE_KMEMDUMP_MD "kmemdump-md"

OBJECT_DECLARE_SIMPLE_TYPE(KmemdumpMd, KMEMDUMP_MD)

struct KmemdumpMd {
    DeviceState parent_obj;

    MemoryRegion mmio;
    Notifier machine_done;
    struct kmd_controller *controller;

    /* Properties. The controller's own are in `config`. */
    uint64_t addr;
    CharBackend chardev;
    bool event;
    struct kmd_config config;

    bool trace;

    /* The controller's state on its way to or from a snapshot. */
    uint8_t *state;
    uint32_t state_size;
};

/*
 * Makes `-device kmemdump-md` known to QEMU. Once, before the machine has any
 * device.
 */
void kmemdump_md_register_type(void);

#endif
