// SPDX-License-Identifier: GPL-2.0-or-later
/* See stream.h. */
#include "stream.h"

#include <stdlib.h>
#include "chain.h"

#define STEPS		12u
#define WAIT_NS		(60ull * 1000 * 1000 * 1000)

static int32_t begin(struct kmt_session *session, struct queue *queue, struct chain *chain)
{
	int32_t status = queue_create(queue, session, session->context, QUEUE_RING_BYTES);

	return NT_SUCCESS(status) ? chain_create(chain, queue, STEPS) : status;
}

/* Until it works or nobody wants it any more: another reset may come in between. */
static int32_t renew(struct child_report *report, struct kmt_session *session,
		     struct queue *queue, struct chain *chain)
{
	int32_t status;

	do {
		status = kmt_session_renew(session, 0);
		if (NT_SUCCESS(status))
			status = begin(session, queue, chain);
	} while (status == STATUS_DEVICE_REMOVED && report->go < STREAM_DONE);
	report->values[STREAM_RENEWALS]++;
	return status;
}

int stream_run(struct child_report *report, void *argument)
{
	const struct stream *stream = argument;
	unsigned int seed = stream->salt;
	struct kmt_session session;
	struct queue queue;
	struct chain chain;
	char problem[200];
	int32_t status;
	uint32_t lap;

	status = kmt_session_open(&session, NULL, 0);
	if (NT_SUCCESS(status))
		status = begin(&session, &queue, &chain);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	child_stage(report, STREAM_READY);
	for (lap = 0; report->go < STREAM_DONE; lap++) {
		uint64_t connects = queue.connects;

		status = chain_lap(&chain, stream->salt * 1000003u + lap, lap % 3 + 1, WAIT_NS,
				   problem, sizeof(problem));
		if (status == STATUS_SUCCESS) {
			report->values[STREAM_LAPS]++;
			report->values[STREAM_CONNECTS] += queue.connects - connects;
		} else if (stream->recovers && status == STATUS_DEVICE_REMOVED) {
			status = renew(report, &session, &queue, &chain);
			if (!NT_SUCCESS(status))
				break;
		} else {
			child_fail(report, "lap %u: %s", lap, problem);
		}
		if (stream->pause_us)
			kmt_sleep_us(rand_r(&seed) % stream->pause_us);
	}
	report->stage = STREAM_DONE;
	if (!NT_SUCCESS(status) && status != STATUS_DEVICE_REMOVED)
		child_problem(report, "lap %u: status %#x", lap, (uint32_t)status);
	kmt_session_close(&session);
	return report->problem[0] ? 1 : 0;
}
