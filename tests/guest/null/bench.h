/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests on the null miniport do in the same way: orders and records that must be
 * there, sleep and waking of the adapter, and what is left in the end.
 */
#ifndef DXG_TESTS_BENCH_H
#define DXG_TESTS_BENCH_H

#include "tap.h"
#include "driver/debugfs.h"
#include "driver/kmt.h"
#include "driver/modules.h"
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

/* Runtime PM of the only adapter. */
static inline void device_write(const char *file, const char *text)
{
	int error = sysfs_write("/sys/bus/platform/devices/dxgnull.0/power/%s", file, text);

	if (error)
		bail("%s cannot be set to %s: errno %d", file, text, error);
}

static inline void await_asleep(bool asleep)
{
	unsigned int waited;

	for (waited = 0; !!adapter_value("asleep") != asleep; waited++) {
		if (waited == 30000)
			bail("the adapter does not %s", asleep ? "sleep" : "wake");
		kmt_sleep_us(1000);
	}
}

/* Whatever processes had is gone. */
static inline bool nothing_left(void)
{
	char text[DEBUGFS_TEXT_BYTES] = "";
	unsigned int waited;

	for (waited = 0; waited < 20000; waited += 5) {
		if (counters_read(text) && counters_all_zero(text))
			return true;
		kmt_sleep_us(5000);
	}
	diag("counters: %s", text);
	return false;
}

#endif /* DXG_TESTS_BENCH_H */
