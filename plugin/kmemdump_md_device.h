/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A controller inside QEMU, whichever bus its window is on: what the platform
 * device and the PCI function have in common.
 */
#ifndef KMEMDUMP_MD_DEVICE_H
#define KMEMDUMP_MD_DEVICE_H

#include "qemu_compat.h"

#include "hw/abi/kmemdump_md.h"
#include "hw/controller/defaults.h"
#include "hw/output/defaults.h"

#define TYPE_KMEMDUMP_MD "kmemdump-md"
#define TYPE_KMEMDUMP_MD_PCI "kmemdump-md-pci"

/* Part of the state of either device. */
typedef struct KmemdumpMd {
    struct kmd_controller *controller;
    MemoryRegion mmio;

    /* Properties. The controller's own are in `config`. */
    CharFrontend chardev;
    bool event;
    struct kmd_config config;

    bool trace;

    /* The device that this is part of, and its name in messages; owned. */
    DeviceState *device;
    char *unit;

    /* The controller's state on its way to or from a snapshot. */
    uint64_t saved_slots;
    uint8_t *state;
    uint32_t state_size;
} KmemdumpMd;

/* The properties that both have; `s` is the KmemdumpMd in `State`. */
#define KMEMDUMP_MD_PROPERTIES(State, s)                                       \
    DEFINE_PROP_STRING("output", State, s.config.output),                      \
        DEFINE_PROP_STRING("name", State, s.config.name),                      \
        DEFINE_PROP_STRING("file", State, s.config.file),                      \
        DEFINE_PROP_CHR("chardev", State, s.chardev),                          \
        DEFINE_PROP_UINT64("chardev-timeout", State,                           \
                           s.config.chardev_timeout_ms,                        \
                           KMD_DEFAULT_CHARDEV_TIMEOUT_MS),                    \
        DEFINE_PROP_STRING("compress", State, s.config.compress),              \
        DEFINE_PROP_UINT64("keep", State, s.config.keep, KMD_DEFAULT_KEEP),    \
        DEFINE_PROP_BOOL("sidecar", State, s.config.sidecar,                   \
                         KMD_DEFAULT_SIDECAR),                                 \
        DEFINE_PROP_STRING("format", State, s.config.format),                  \
        DEFINE_PROP_STRING("capture", State, s.config.capture),                \
        DEFINE_PROP_STRING("linux", State, s.config.linux_capture),            \
        DEFINE_PROP_STRING("types", State, s.config.types),                    \
        DEFINE_PROP_UINT64("slots", State, s.config.slots, KMD_DEFAULT_SLOTS), \
        DEFINE_PROP_UINT64("max-regions", State, s.config.max_regions,         \
                           KMD_DEFAULT_MAX_REGIONS),                           \
        DEFINE_PROP_UINT64("max-dumps", State, s.config.max_dumps,             \
                           KMD_DEFAULT_MAX_DUMPS),                             \
        DEFINE_PROP_UINT64("max-bytes", State, s.config.max_bytes,             \
                           KMD_DEFAULT_MAX_BYTES),                             \
        DEFINE_PROP_BOOL("pause", State, s.config.pause, KMD_DEFAULT_PAUSE),   \
        DEFINE_PROP_BOOL("event", State, s.event, false),                      \
        DEFINE_PROP_BOOL("on-reset", State, s.config.on_reset,                 \
                         KMD_DEFAULT_ON_RESET),                                \
        DEFINE_PROP_BOOL("on-shutdown", State, s.config.on_shutdown,           \
                         KMD_DEFAULT_ON_SHUTDOWN),                             \
        DEFINE_PROP_BOOL("on-quit", State, s.config.on_quit,                   \
                         KMD_DEFAULT_ON_QUIT),                                 \
        DEFINE_PROP_UINT64("inject-refuse", State, s.config.inject_refuse, 0), \
        DEFINE_PROP_UINT64("inject-full", State, s.config.inject_full, 0),     \
        DEFINE_PROP_UINT64("inject-write-fail", State,                         \
                           s.config.inject_write_fail, 0),                     \
        DEFINE_PROP_UINT64("inject-write-cut", State,                          \
                           s.config.inject_write_cut, 0),                      \
        DEFINE_PROP_UINT64("inject-stop", State, s.config.inject_stop, 0)

/* A window at a fixed address: kmemdump_md_platform.c */
OBJECT_DECLARE_SIMPLE_TYPE(KmemdumpMdPlatform, KMEMDUMP_MD)

struct KmemdumpMdPlatform {
    DeviceState parent_obj;

    KmemdumpMd md;
    uint64_t addr;
    Notifier machine_done;
};

/* A window that is BAR 0 of a PCI function: kmemdump_md_pci.c */
OBJECT_DECLARE_SIMPLE_TYPE(KmemdumpMdPci, KMEMDUMP_MD_PCI)

struct KmemdumpMdPci {
    PCIDevice parent_obj;

    KmemdumpMd md;
};

/* The KmemdumpMd of a device of either type. */
KmemdumpMd *kmemdump_md_of(Object *device);

/*
 * Makes the controller of a device that is being realized, and its window
 * `mmio`, which the caller puts on its bus; on PCI its size is a power of two.
 * `unit` names the device in messages. Sets *errp and returns false if a
 * property is wrong.
 */
bool kmemdump_md_realize(KmemdumpMd *s, DeviceState *device, const char *unit,
                         bool pci, Error **errp);

/*
 * Ends all dumps of a device whose window is on no bus any more. A CPU that has
 * found the window before may still access it: the controller stays until
 * kmemdump_md_finalize(), which runs once nothing refers to the window.
 */
void kmemdump_md_unrealize(KmemdumpMd *s);
void kmemdump_md_finalize(KmemdumpMd *s);

/* What class_init() of both types does. */
void kmemdump_md_class_init(ObjectClass *klass);

/* A field of a device's migration state. */
extern const VMStateDescription kmemdump_md_vmstate;

/* The types, one for each bus. Called once. */
void kmemdump_md_register_platform_type(void);
void kmemdump_md_register_pci_type(void);

#endif
