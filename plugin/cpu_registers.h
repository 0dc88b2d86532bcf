/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System registers of a CPU, by name, in every QEMU and for every target.
 */
#ifndef KMEMDUMP_CPU_REGISTERS_H
#define KMEMDUMP_CPU_REGISTERS_H

#include "qemu_compat.h"

#include "hw/abi/kmemdump_md.h"

/*
 * Fills in `value` and `known` of each of the registers, as the CPU has them
 * now. All CPUs are stopped, and their state is synchronised.
 */
void kmemdump_md_read_registers(CPUState *cpu,
                                struct kmd_cpu_register *registers,
                                size_t count);

#endif
