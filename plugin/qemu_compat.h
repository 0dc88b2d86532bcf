/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that differs between QEMU releases, and every QEMU header that
 * kmemdump-md includes. Releases: 7.2.
 */
#ifndef KMEMDUMP_QEMU_COMPAT_H
#define KMEMDUMP_QEMU_COMPAT_H

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/notify.h"
#include "qemu/qemu-plugin.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-control.h"
#include "qapi/qapi-events-dump.h"
#include "qapi/qapi-visit-common.h"
#include "qapi/qmp/qdict.h"
#include "qapi/qmp/qjson.h"
#include "qapi/visitor.h"
#include "chardev/char.h"
#include "chardev/char-fe.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/boards.h"
#include "hw/core/cpu.h"
#include "hw/core/sysemu-cpu-ops.h"
#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "migration/vmstate.h"
#include "monitor/monitor.h"
#include "elf.h"
#include "sysemu/cpus.h"
#include "sysemu/device_tree.h"
#include "sysemu/dump.h"
#include "sysemu/dump-arch.h"
#include "sysemu/memory_mapping.h"
#include "sysemu/replay.h"
#include "sysemu/reset.h"
#include "sysemu/runstate.h"
#include "sysemu/sysemu.h"

#if QEMU_VERSION_MAJOR != 7 || QEMU_VERSION_MINOR != 2
#error "kmemdump-md does not know this QEMU release yet: 7.2 is supported"
#endif

/* The release whose structures the binary was compiled with. */
#ifndef KMD_BUILT_FOR
#define KMD_BUILT_FOR QEMU_VERSION
#endif

/* What a CPU's migration state consists of, as its target describes it. */
static inline const VMStateDescription *kmd_cpu_state_description(CPUState *cpu)
{
    const SysemuCPUOps *ops = CPU_GET_CLASS(cpu)->sysemu_ops;

    return ops && ops->legacy_vmsd ? ops->legacy_vmsd
                                   : qdev_get_vmsd(DEVICE(cpu));
}

#endif
