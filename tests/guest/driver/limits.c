// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * As many queues, GPU addresses and as much memory as a process may have: beyond it
 * NO_MEMORY, for that process alone, and all of it comes back (OBJ-2, OBJ-3, KMT-CD-20,
 * SEC-16, SEC-17).
 */
#include <stdlib.h>
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "queue.h"

#define ENOUGH		1100u	/* beyond the default quota of 1024 queues */
#define MEGABYTE	(1024u * 1024u)
#define MANY_RANGES	40000u	/* beyond the default quota of 16384 GPU address ranges */
#define MANY_VIEWS	200u	/* of 16 MiB: beyond four times the quota of memory */

static struct kmt_session session;
static struct kmt_session other;

/* 64 doorbells per slot, never connected: no slot is taken (OBJ-3). */
static void many_doorbells(void)
{
	unsigned int count = 64 * session.caps.num_slots, i, lines;
	struct queue *queues = calloc(count, sizeof(*queues));
	struct queue user;

	must(queue_create(&user, &other, other.context, QUEUE_RING_BYTES), "the other's queue");
	must(queue_probe(&user), "the other's work");
	for (i = 0; i < count; i++)
		if (queue_create(&queues[i], &session, session.context, QUEUE_RING_BYTES))
			break;
	ok(i == count, "%u doorbells on %u slots (%u made)", count, session.caps.num_slots, i);
	state_sum("doorbell", 0, "stat", &lines);
	ok(lines == count + 1, "the driver shows them");
	ok(*user.stat == DXG_DOORBELLSTATUS_CONNECTED, "none of them took a slot away (OBJ-3)");
	while (i--)
		queue_destroy(&queues[i]);
	must(queue_destroy(&user), "the other's queue");
	free(queues);
}

static int one_queue(struct child_report *report, void *argument)
{
	struct dxg_createhwqueue queue;
	struct kmt_session own;
	int32_t status;

	(void)argument;
	status = kmt_session_open(&own, NULL, 0);
	if (NT_SUCCESS(status))
		status = hwqueue_create(own.fd, own.context, &queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	return 0;
}

static void queue_quota(void)
{
	struct dxg_createhwqueue *queues = calloc(ENOUGH, sizeof(*queues)), extra;
	struct child_report *report = child_reports(1);
	int32_t status = STATUS_SUCCESS;
	char how[32];
	unsigned int count, i;

	for (count = 0; count < ENOUGH; count++) {
		status = hwqueue_create(session.fd, session.context, &queues[count]);
		if (!NT_SUCCESS(status))
			break;
	}
	ok(count >= 1000 && count < ENOUGH && status == STATUS_NO_MEMORY,
	   "queues end at %u with NO_MEMORY (%#x)", count, (uint32_t)status);
	status = hwqueue_create(other.fd, other.context, &extra);
	ok(status == STATUS_NO_MEMORY, "another file of the process gets none (%#x)",
	   (uint32_t)status);
	ok(child_reap(child_start(one_queue, report, NULL, false, 30), how, sizeof(how)),
	   "another process still gets one (%s) %s", how, report->problem);
	for (i = 0; i < count; i++)
		kmt_call_handle(session.fd, LX_DXDESTROYHWQUEUE, queues[i].queue);
	status = hwqueue_create(session.fd, session.context, &extra);
	ok(status == STATUS_SUCCESS, "and so does this one, once it gave them back (%#x)",
	   (uint32_t)status);
	kmt_call_handle(session.fd, LX_DXDESTROYHWQUEUE, extra.queue);
	free(queues);
}

/* Asks for more than there is, in pieces and at once; the machine must survive it. */
static void memory(void)
{
	uint32_t handles[64];
	unsigned int count, i;
	int32_t status = STATUS_SUCCESS;

	status = kmt_allocation_create(&session, 1ull << 40, &handles[0]);
	ok(!NT_SUCCESS(status), "1 TiB is refused (%#x)", (uint32_t)status);
	for (count = 0; count < 64; count++) {
		status = kmt_allocation_create(&session, 64ull * MEGABYTE, &handles[count]);
		if (!NT_SUCCESS(status))
			break;
	}
	ok(status == STATUS_NO_MEMORY, "64 MiB pieces end after %u with NO_MEMORY (%#x)", count,
	   (uint32_t)status);
	for (i = 0; i < count; i++)
		kmt_allocation_destroy(&session, handles[i]);
	status = kmt_allocation_create(&session, MEGABYTE, &handles[0]);
	ok(status == STATUS_SUCCESS, "afterwards 1 MiB is there (%#x)", (uint32_t)status);
	kmt_allocation_destroy(&session, handles[0]);
}

static int32_t reserve(struct dxg_reservegpuvirtualaddress *args)
{
	*args = (struct dxg_reservegpuvirtualaddress) {
		.adapter_or_paging_queue = session.adapter,
		.size = 65536,
	};
	return kmt_call(session.fd, LX_DXRESERVEGPUVIRTUALADDRESS, args);
}

/* GPU addresses cost the kernel memory, too: trees for reservations, tables for mappings. */
static void addresses(void)
{
	uint64_t *at = calloc(MANY_RANGES, sizeof(*at)), gpuva;
	struct dxg_reservegpuvirtualaddress args;
	int32_t status = STATUS_SUCCESS;
	unsigned int count, i;
	uint32_t allocation;

	for (count = 0; count < MANY_RANGES; count++) {
		status = reserve(&args);
		if (!NT_SUCCESS(status))
			break;
		at[count] = args.virtual_address;
	}
	ok(count > 1000 && count < MANY_RANGES && status == STATUS_NO_MEMORY,
	   "reservations end after %u with NO_MEMORY (%#x)", count, (uint32_t)status);
	for (i = 0; i < count; i++)
		kmt_unmap(&session, at[i], 65536);
	status = reserve(&args);
	ok(status == STATUS_SUCCESS, "once they are given back there is one again (%#x)",
	   (uint32_t)status);
	kmt_unmap(&session, args.virtual_address, 65536);

	must(kmt_allocation_create(&session, 16ull * MEGABYTE, &allocation), "16 MiB");
	for (count = 0; count < MANY_VIEWS; count++) {
		status = kmt_map(&session, allocation, 0, 16ull * MEGABYTE / KMT_PAGE_BYTES, 0,
				 &at[count]);
		if (!NT_SUCCESS(status))
			break;
	}
	ok(count >= 16 && count < MANY_VIEWS && status == STATUS_NO_MEMORY,
	   "mappings of 16 MiB end after %u with NO_MEMORY (%#x)", count, (uint32_t)status);
	kmt_unmap(&session, at[0], 16ull * MEGABYTE);
	status = kmt_map(&session, allocation, 0, 16ull * MEGABYTE / KMT_PAGE_BYTES, 0, &gpuva);
	ok(status == STATUS_SUCCESS, "once one is given back there is one again (%#x)",
	   (uint32_t)status);
	kmt_allocation_destroy(&session, allocation);
	free(at);
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	must(kmt_session_open(&other, NULL, 0), "another session");
	many_doorbells();
	queue_quota();
	memory();
	addresses();
	ok(kmt_session_close(&session) == STATUS_SUCCESS &&
	   kmt_session_close(&other) == STATUS_SUCCESS, "all is destroyed");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
