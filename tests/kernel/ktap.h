/* SPDX-License-Identifier: GPL-2.0 */
/* Results in the kernel's log, in the format of Documentation/dev-tools/ktap.rst. */
#ifndef _KTAP_H
#define _KTAP_H

#include <linux/printk.h>
#include <linux/types.h>

static unsigned int ktap_number;
static bool ktap_case_ok;

static inline void ktap_plan(unsigned int cases)
{
	pr_info("KTAP version 1\n");
	pr_info("1..%u\n", cases);
}

static inline void ktap_run(void (*test)(void), const char *name)
{
	ktap_case_ok = true;
	test();
	pr_info("%sok %u %s\n", ktap_case_ok ? "" : "not ", ++ktap_number,
		name);
}

/* Goes on after a failure, as KUnit's EXPECT does. */
#define EXPECT_EQ(actual, expected)					\
	do {								\
		long long actual_ = (actual), expected_ = (expected);	\
									\
		if (actual_ != expected_) {				\
			ktap_case_ok = false;				\
			pr_err("# line %d: %s is %lld, expected %lld\n",	\
			       __LINE__, #actual, actual_, expected_);	\
		}							\
	} while (0)

#endif /* _KTAP_H */
