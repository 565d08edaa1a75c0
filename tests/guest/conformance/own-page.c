// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parameters of doorbell calls lie on doorbell pages, those of the same doorbell too:
 * whoever copied from or to the process with a doorbell's lock held would wait for
 * itself in the page fault (KMT-0.6). A child does it, and has a time limit.
 */
#include <sys/ioctl.h>
#include "tap.h"
#include "driver/child.h"
#include "driver/queue.h"

#define CHILD_SECONDS	60u

#define CONNECTED	DXG_DOORBELLSTATUS_CONNECTED

/* Connect and destroy by parameters on the doorbell's own page, which is memory before. */
static int32_t own(struct queue *queue)
{
	struct dxg_doorbell_flags connect = {
		.header.size = sizeof(connect),
		.doorbell = queue->doorbell,
	};

	*(volatile struct dxg_doorbell_flags *)queue->bell = connect;
	if (ioctl(queue->session->fd, DXG_CONNECTDOORBELL, queue->bell) ||
	    *queue->stat != CONNECTED)
		return STATUS_UNSUCCESSFUL;
	return queue_probe(queue);
}

/* Notify, destroy and create of one doorbell by parameters on the page of another. */
static int32_t others(struct queue *queue, struct queue *page)
{
	struct dxg_doorbell_flags notify = {
		.header.size = sizeof(notify),
		.doorbell = queue->doorbell,
	};
	struct dxg_destroydoorbell destroy = {
		.header.size = sizeof(destroy),
		.doorbell = page->doorbell,
	};
	struct dxg_createdoorbell create = {
		.header.size = sizeof(create),
		.queue = queue->queue,
		.ring_buffer = queue->ring.allocation,
		.ring_buffer_control = queue->control.allocation,
	};
	volatile struct dxg_createdoorbell *answer = (volatile void *)page->bell;
	int fd = queue->session->fd;

	*(volatile struct dxg_doorbell_flags *)page->bell = notify;
	if (ioctl(fd, DXG_NOTIFYWORKSUBMISSION, page->bell) || answer->header.status)
		return STATUS_UNSUCCESSFUL;
	doorbell_destroy(fd, queue->doorbell);
	*answer = create;
	if (ioctl(fd, DXG_CREATEDOORBELL, page->bell) || answer->header.status)
		return STATUS_UNSUCCESSFUL;
	queue->doorbell = answer->doorbell;
	/* Its own end: the answer has no place any more. */
	*(volatile struct dxg_destroydoorbell *)page->bell = destroy;
	ioctl(fd, DXG_DESTROYDOORBELL, page->bell);
	return doorbell_connect(fd, page->doorbell) == STATUS_INVALID_PARAMETER ?
	       STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

static int child(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue, page;
	unsigned int round;
	int32_t status;

	(void)argument;
	status = kmt_session_open(&session, NULL, 0);
	for (round = 0; round < dxg_count(8, 200) && NT_SUCCESS(status); round++) {
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
		if (NT_SUCCESS(status))
			status = queue_create(&page, &session, session.context, QUEUE_RING_BYTES);
		report->values[0] = 1;
		if (NT_SUCCESS(status))
			status = own(&queue);
		report->values[0] = 2;
		if (NT_SUCCESS(status))
			status = others(&queue, &page);
		report->values[0] = 3;
		page.doorbell = 0;
		if (NT_SUCCESS(status))
			status = queue_destroy(&page);
		if (NT_SUCCESS(status))
			status = queue_destroy(&queue);
		report->values[1]++;
	}
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	return 0;
}

int main(void)
{
	struct child_report *report = child_reports(1);
	char how[32];

	if (!ok(child_reap(child_start(child, report, NULL, true, CHILD_SECONDS), how, sizeof(how)),
		"%llu rounds of calls whose parameters lie on doorbell pages (KMT-0.6)",
		(unsigned long long)report->values[1]))
		diag("%s, %s, in step %llu", how, report->problem,
		     (unsigned long long)report->values[0]);
	return done();
}
