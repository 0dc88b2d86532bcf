/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's memory and CPUs, as the controller asks for them: see
 * struct kmd_host_ops. All CPUs are stopped but for map_ram.
 */
#ifndef KMEMDUMP_GUEST_ACCESS_H
#define KMEMDUMP_GUEST_ACCESS_H

#include "qemu_compat.h"

#include "hw/abi/kmemdump_md.h"

uint64_t kmemdump_md_map_ram(void *host, uint64_t phys, uint64_t size,
                             const void **bytes);
int kmemdump_md_next_ram(void *host, uint64_t phys, uint64_t *start);
void kmemdump_md_machine(void *host, struct kmd_machine *machine);
void kmemdump_md_cpu_notes(void *host, kmd_note_sink *put, void *sink);
void kmemdump_md_cpu_registers(void *host, unsigned cpu,
                               struct kmd_cpu_register *registers,
                               size_t count);

#endif
