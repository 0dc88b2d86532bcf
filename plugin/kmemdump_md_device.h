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

    uint64_t addr;
    uint64_t slots;
    uint64_t max_regions;
    uint64_t max_dumps;
    uint64_t max_bytes;
    char *output;
    char *name;
    char *file;
    CharBackend chardev;
    uint64_t chardev_timeout;
    char *compress;
    uint64_t keep;
    bool sidecar;
    uint64_t inject_refuse;
    uint64_t inject_full;
    uint64_t inject_write_fail;
    uint64_t inject_write_cut;
    uint64_t inject_stop;
    char *format;
    char *capture;
    bool pause;
    bool event;
    bool on_reset;
    bool on_shutdown;
    bool on_quit;
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
