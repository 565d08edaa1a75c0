// SPDX-License-Identifier: GPL-2.0-or-later
/* See guilty.h. */
#include <signal.h>
#include <stdlib.h>
#include "../host.h"
#include "../tap.h"
#include "guilty.h"

#define AWAIT_MS	30000u

int32_t guilty_submit(struct queue *queue)
{
	struct dxgpu_ring_entry entry = { .fence_value = strtoull(GUILTY_FENCE, NULL, 0) };
	struct dxg_commands commands = queue_commands(queue);

	dxg_commands_fence(&commands, queue->fence_gpuva, *queue->fence_cpu + 1,
			   DXGPU_FENCE_INTERRUPT);
	entry.command_gpuva = commands.gpuva;
	entry.command_bytes = commands.bytes;
	*queue->last_queued = *queue->fence_cpu + 1;
	queue_publish_entry(queue, &entry);
	return queue_deliver(queue);
}

int32_t guilty_open(struct guilty *guilty)
{
	struct kmt_session *session = &guilty->session;
	uint32_t context;
	int32_t status;

	status = kmt_session_open(session, NULL, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&guilty->queue, session, session->context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = kmt_context_create(session->fd, session->device, 1, &context);
	if (NT_SUCCESS(status))
		status = queue_create(&guilty->other, session, context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = queue_probe(&guilty->other);
	if (NT_SUCCESS(status))
		status = guilty_submit(&guilty->queue);
	return status;
}

int guilty_run(struct child_report *report, void *argument)
{
	struct guilty self;
	int32_t status = guilty_open(&self);

	(void)argument;
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	report->stage = GUILTY_HUNG;
	for (;;)
		kmt_sleep_us(100000);
}

bool guilty_kill(unsigned int alarm_seconds, pid_t *pid)
{
	struct child_report *report = child_reports(1);
	uint64_t hangs = guilty_hangs();
	bool good;

	*pid = child_start(guilty_run, report, NULL, true, alarm_seconds);
	good = child_await(report, *pid, GUILTY_HUNG, AWAIT_MS) && guilty_await(hangs + 1);
	if (!good)
		diag("guilty: stage %d, %s", report->stage, report->problem);
	kill(*pid, SIGKILL);
	return good;
}

uint64_t guilty_hangs(void)
{
	unsigned long long hangs;

	return dxg_host_stat("hangs", &hangs) ? 0 : hangs;
}

bool guilty_await(uint64_t hangs)
{
	unsigned int waited;

	for (waited = 0; waited < AWAIT_MS; waited += 2) {
		if (guilty_hangs() >= hangs)
			return true;
		kmt_sleep_us(2000);
	}
	return false;
}
