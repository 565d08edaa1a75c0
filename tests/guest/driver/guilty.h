/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who hangs an engine: a job that the host was told to let hang, and the device of the
 * process that submitted it, with a second queue on another engine that works.
 */
#ifndef DXG_TESTS_GUILTY_H
#define DXG_TESTS_GUILTY_H

#include "child.h"
#include "queue.h"

/* For dxg_host_set("inject-hang-fence", ...): jobs with this fence_value hang. */
#define GUILTY_FENCE		"0xbadbad"

struct guilty {
	struct kmt_session session;
	struct queue queue;		/* on node 0, which it is to hang */
	struct queue other;		/* on node 1, has done some work */
};

/* An entry that hangs once the host is told to; nothing of it is ever executed. */
int32_t guilty_submit(struct queue *queue);

/* The whole of it, submitted. On failure something may be left. */
int32_t guilty_open(struct guilty *guilty);

/* For child_start(): makes it, has stage GUILTY_HUNG and waits to be killed. */
#define GUILTY_HUNG		1
int guilty_run(struct child_report *report, void *argument);

/*
 * In the parent: such a child, unprivileged, whose engine hangs and which is killed for it;
 * *pid is to be reaped. False with a diagnostic.
 */
bool guilty_kill(unsigned int alarm_seconds, pid_t *pid);

/* How often an engine of the device hung so far; needs the side channel, which is root's. */
uint64_t guilty_hangs(void);

/* Until the device has hung so often; false after half a minute. */
bool guilty_await(uint64_t hangs);

#endif /* DXG_TESTS_GUILTY_H */
