/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests on the null miniport do in the same way: orders and records that must be
 * there, and statuses that must be SUCCESS for a test to go on.
 */
#ifndef DXG_TESTS_BENCH_H
#define DXG_TESTS_BENCH_H

#include "tap.h"
#include "driver/kmt.h"
#include "driver/null.h"

#define CONNECTED	DXG_DOORBELLSTATUS_CONNECTED
#define NOTIFY		DXG_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD
#define RETRY		DXG_DOORBELLSTATUS_DISCONNECTED_RETRY
#define ABORT		DXG_DOORBELLSTATUS_DISCONNECTED_ABORT

static inline void orders(const char *text)
{
	int error = null_orders(text);

	if (error)
		bail("orders '%s': errno %d", text, error);
}

static inline void forget(void)
{
	if (!null_forget())
		bail("no record of calls");
}

static inline struct null_record snapshot(void)
{
	struct null_record record;

	if (!null_record(&record))
		bail("no record of calls, or not a whole one");
	return record;
}

static inline const struct null_line *need(const struct null_record *record, bool leave,
					   const char *name)
{
	const struct null_line *line = null_next(record, 0, leave, name);

	if (!line)
		bail("no call of %s in the record", name);
	return line;
}

/* Returns when so many calls of a function have begun since the record was emptied. */
static inline void await_calls(const char *name, unsigned int count)
{
	unsigned int waited;

	for (waited = 0; null_calls(name) < count; waited++) {
		if (waited == 30000)
			bail("%s was not called %u times in half a minute", name, count);
		kmt_sleep_us(1000);
	}
}

#endif /* DXG_TESTS_BENCH_H */
