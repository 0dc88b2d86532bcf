/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What qom-get shows of a controller while the machine runs, and what qom-set
 * asks of it. docs/watching.md lists them.
 */
#ifndef KMEMDUMP_RUNTIME_PROPERTIES_H
#define KMEMDUMP_RUNTIME_PROPERTIES_H

#include "qemu_compat.h"

void kmemdump_md_add_runtime_properties(ObjectClass *klass);

#endif
