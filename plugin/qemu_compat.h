/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that differs between QEMU releases, and every QEMU header that
 * kmemdump-md includes. docs/qemu.md lists the releases that were run.
 */
#ifndef KMEMDUMP_QEMU_COMPAT_H
#define KMEMDUMP_QEMU_COMPAT_H

#include "qemu/osdep.h"

/* Major and minor number of the release whose headers these are. */
#define KMD_QEMU_SINCE(major, minor)                                           \
    (QEMU_VERSION_MAJOR > (major) ||                                           \
     (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

#if !KMD_QEMU_SINCE(7, 2)
#error "kmemdump-md needs QEMU 7.2 or newer"
#endif

#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/notify.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "qapi/qapi-events-dump.h"
#include "qapi/qapi-visit-common.h"
#include "qapi/visitor.h"
#include "chardev/char.h"
#include "chardev/char-fe.h"
#include "hw/core/cpu.h"
#include "hw/core/sysemu-cpu-ops.h"
#include "migration/vmstate.h"
#include "monitor/monitor.h"
#include "elf.h"

#if KMD_QEMU_SINCE(11, 0)
#include "hw/core/boards.h"
#include "hw/core/qdev.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#else
#include "hw/boards.h"
#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#endif

#if KMD_QEMU_SINCE(10, 1)
#include "system/address-spaces.h"
#include "system/memory.h"
#else
#include "exec/address-spaces.h"
#include "exec/memory.h"
#endif

#if KMD_QEMU_SINCE(10, 0)
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "system/cpus.h"
#include "system/device_tree.h"
#include "system/dump.h"
#include "system/dump-arch.h"
#include "system/memory_mapping.h"
#include "system/replay.h"
#include "system/reset.h"
#include "system/runstate.h"
#include "system/system.h"
#else
#include "qapi/qmp/qdict.h"
#include "qapi/qmp/qjson.h"
#include "sysemu/cpus.h"
#include "sysemu/device_tree.h"
#include "sysemu/dump.h"
#include "sysemu/dump-arch.h"
#include "sysemu/memory_mapping.h"
#include "sysemu/replay.h"
#include "sysemu/reset.h"
#include "sysemu/runstate.h"
#include "sysemu/sysemu.h"
#endif

#include "hw/pci/pci.h"
#if KMD_QEMU_SINCE(8, 0)
#include "hw/pci/pci_device.h"
#endif

/* Properties: since 10.0 a constant array without an end marker. */
#if KMD_QEMU_SINCE(10, 0)
typedef const Property KmdProperty;
#define KMD_PROPERTIES_END
#else
typedef Property KmdProperty;
#define KMD_PROPERTIES_END DEFINE_PROP_END_OF_LIST(),
#endif

/* What class_init() gets as its second argument. */
#if KMD_QEMU_SINCE(10, 1)
typedef const void KmdClassData;
#else
typedef void KmdClassData;
#endif

#if !KMD_QEMU_SINCE(10, 2)
typedef CharBackend CharFrontend;
#endif

/* The event DUMP_COMPLETED; `error` is NULL when all went well. */
static inline void kmd_send_dump_completed(DumpQueryResult *result,
                                           const char *error)
{
#if KMD_QEMU_SINCE(8, 0)
    qapi_event_send_dump_completed(result, error);
#else
    qapi_event_send_dump_completed(result, error != NULL, error);
#endif
}

/*
 * Attaches a QMP monitor to a character device that was made with
 * qemu_chardev_new().
 */
static inline void kmd_add_qmp_monitor(Chardev *chardev)
{
#if KMD_QEMU_SINCE(11, 1)
    monitor_new_qmp(NULL, chardev->label, false, &error_fatal);
    /* The monitor reads nothing before it is told that somebody is there. */
    qemu_chr_be_event(chardev, CHR_EVENT_OPENED);
#else
    monitor_init_qmp(chardev, false, &error_fatal);
#endif
}

/* What a CPU's migration state consists of, as its target describes it. */
static inline const VMStateDescription *kmd_cpu_state_description(CPUState *cpu)
{
    const SysemuCPUOps *ops = CPU_GET_CLASS(cpu)->sysemu_ops;

    return ops && ops->legacy_vmsd ? ops->legacy_vmsd
                                   : qdev_get_vmsd(DEVICE(cpu));
}

#endif
