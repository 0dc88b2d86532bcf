// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the result of a dump.
 */
#include <linux/device.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/time64.h>

#include "kmemdump_md_internal.h"

static const char *reason_name(u32 reason)
{
	switch (reason) {
	case KMD_REASON_PANIC:
		return "panic";
	case KMD_REASON_REQUEST:
		return "request";
	case KMD_REASON_ABANDONED:
		return "abandoned";
	case KMD_REASON_HOST:
		return "host";
	case KMD_REASON_RESET:
		return "reset";
	case KMD_REASON_SHUTDOWN:
		return "shutdown";
	case KMD_REASON_HANG:
		return "hang";
	default:
		return "unknown";
	}
}

static const char *result_name(u32 result)
{
	switch (result) {
	case KMD_RESULT_NONE:
		return "no attempt";
	case KMD_RESULT_COMPLETE:
		return "complete";
	case KMD_RESULT_PARTIAL:
		return "partial";
	case KMD_RESULT_INCOMPLETE:
		return "incomplete, the host could not write all of it";
	case KMD_RESULT_FAILED:
		return "failed, the host wrote nothing";
	case KMD_RESULT_EMPTY:
		return "empty, no region could be saved";
	case KMD_RESULT_LIMIT:
		return "not taken, the host's limit is reached";
	default:
		return "unknown result";
	}
}

/**
 * kmemdump_md_dump_saved() - whether an attempt left a complete file
 * @result: the result of the attempt
 */
bool kmemdump_md_dump_saved(u32 result)
{
	return result == KMD_RESULT_COMPLETE || result == KMD_RESULT_PARTIAL;
}

/**
 * kmemdump_md_print_result() - print one line about the last attempt
 * @md: the controller
 * @level: log level of the line
 * @prefix: how the line begins; only a dump that was saved has a number
 */
void kmemdump_md_print_result(struct kmemdump_md *md, const char *level,
			      const char *prefix)
{
	u64 nanoseconds = readq(md->base + KMD_LAST_NANOSECONDS);
	u32 result = md_read(md, KMD_LAST_RESULT);
	char number[12] = "";

	if (kmemdump_md_dump_saved(result))
		scnprintf(number, sizeof(number), " %u",
			  md_read(md, KMD_DUMP_COUNT));

	dev_printk(level, md->dev,
		   "%s%s (%s) %s: %u regions, %llu bytes, %llu us, %u rejected\n",
		   prefix, number, reason_name(md_read(md, KMD_LAST_REASON)),
		   result_name(result), md_read(md, KMD_LAST_REGIONS),
		   (unsigned long long)readq(md->base + KMD_LAST_BYTES),
		   (unsigned long long)div_u64(nanoseconds, NSEC_PER_USEC),
		   md_read(md, KMD_LAST_REJECTED));
}
