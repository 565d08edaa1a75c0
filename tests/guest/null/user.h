/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process's part on the null miniport: a session with one queue; and the taking of its
 * slot, and what of a call had ended before another, in the record.
 */
#ifndef DXG_TESTS_USER_H
#define DXG_TESTS_USER_H

#include <string.h>
#include "driver/debugfs.h"
#include "driver/null.h"
#include "driver/queue.h"
#include "tap.h"

/* A session with a queue that has worked and is connected. */
struct user {
	struct kmt_session session;
	struct queue queue;
};

static inline void user_start(struct user *user)
{
	must(queue_open(&user->queue, &user->session), "a session with a queue");
	must(queue_probe(&user->queue), "its first work");
}

static inline void user_end(struct user *user)
{
	queue_destroy(&user->queue);
	kmt_session_close(&user->session);
}

/* Makes the miniport call back with RETRY for each of its slots. */
static inline void *call_back(void *argument)
{
	if (sysfs_write("/sys/module/dxgnull/parameters/notify", "", argument))
		bail("notify cannot be set");
	return NULL;
}

/* Calls of a function that have ended before a line. */
static inline unsigned int ended_before(const struct null_record *record, const char *name,
					const struct null_line *end)
{
	const struct null_line *line;
	unsigned int count = 0;

	for (line = record->lines; end && line < end; line++)
		count += line->leave && !strcmp(line->name, name);
	return count;
}

#endif /* DXG_TESTS_USER_H */
