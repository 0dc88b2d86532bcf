/* SPDX-License-Identifier: GPL-2.0 */
/* Contents that a test knows again: byte i of a pattern is seed + 7 * i. */
#ifndef _PATTERN_H
#define _PATTERN_H

#include <linux/types.h>

static inline void fill_pattern(u8 *bytes, size_t size, u8 seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = seed + 7 * i;
}

#endif /* _PATTERN_H */
