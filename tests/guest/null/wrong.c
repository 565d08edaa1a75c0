// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Wrongs of a miniport that take more than one call to show: a secondary doorbell that
 * is not there, addresses that are not unique or another process's, a page table that has
 * no memory at each step of a life.
 */
#include <signal.h>
#include <string.h>
#include "tap.h"
#include "driver/child.h"
#include "driver/debugfs.h"
#include "driver/queue.h"
#include "bench.h"

#define STATE_FAULT	6u
#define LAYER		"tdr_timeout_ms=300"

static struct kmt_session session;

static void load(const char *parameters)
{
	int error = null_load(LAYER, parameters);

	if (error)
		bail("dxgnull %s: errno %d", parameters, error);
}

/* Both pages are memory of the process's: what is stored stays, and reaches nobody. */
static bool both_dummy(struct queue *queue)
{
	*queue->bell = 0x1234;
	*queue->secondary = 0x5678;
	return *queue->secondary == 0x5678 && *queue->stat == ABORT;
}

static void no_secondary(const char *connect_orders, const char *what)
{
	struct null_record record;
	struct queue queue;

	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(doorbell_destroy(session.fd, queue.doorbell), "doorbell");
	must(queue_doorbell_create(&queue, DXG_DOORBELL_REQUIRE_SECONDARY), "doorbell");
	ok(queue.secondary && *queue.stat == RETRY,
	   "%s: a doorbell with a secondary one can be created", what);
	null_forget();
	orders(connect_orders);
	ok(doorbell_connect(session.fd, queue.doorbell) == STATUS_DEVICE_REMOVED &&
	   *queue.stat == ABORT, "%s: its connect fails, STAT is ABORT (MOD-10)", what);
	ok(both_dummy(&queue), "%s: neither address leads to a doorbell (MOD-10)", what);
	if (!null_record(&record))
		bail("no record");
	ok(null_count(&record, "DisconnectDoorbell") == (*connect_orders ? 1 : 0),
	   "%s: a binding that the miniport believes in is undone (DDI-CN-2)", what);
	null_record_free(&record);
	must(doorbell_destroy(session.fd, queue.doorbell), "doorbell");
	must(queue_doorbell_create(&queue, 0), "doorbell");
	ok(queue_probe(&queue) == STATUS_SUCCESS, "%s: without the flag all is well", what);
	must(queue_destroy(&queue), "queue");
	must(kmt_session_close(&session), "session");
}

static void secondary(void)
{
	struct dxg_createdoorbell create;
	struct queue queue;

	load("slots=2 orders=QueryAdapterInfo=secondary:8");
	no_secondary("", "a miniport that refuses");
	no_secondary("ConnectDoorbell=single*1", "a miniport that gives half");
	ok(!null_unload(), "the modules unload");

	load("slots=2 orders=QueryAdapterInfo=secondary:12");
	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(doorbell_destroy(session.fd, queue.doorbell), "doorbell");
	ok(doorbell_create(session.fd, queue.queue, queue.ring.allocation,
			   queue.control.allocation, DXG_DOORBELL_REQUIRE_SECONDARY, &create) ==
	   STATUS_NOT_SUPPORTED, "secondary doorbells of 12 bytes are none (KMT-CD-15)");
	must(queue_doorbell_create(&queue, 0), "doorbell");
	ok(queue_probe(&queue) == STATUS_SUCCESS, "and the adapter works without");
	must(queue_destroy(&queue), "queue");
	must(kmt_session_close(&session), "session");
	ok(!null_unload(), "the modules unload");
}

/* Two doorbells at one address. */
static void not_unique(void)
{
	struct queue queues[2];
	unsigned int i;

	must(kmt_session_open(&session, NULL, 0), "session");
	orders("ConnectDoorbell=same");
	for (i = 0; i < 2; i++) {
		must(queue_create(&queues[i], &session, session.context, QUEUE_RING_BYTES), "queue");
		must(doorbell_connect(session.fd, queues[i].doorbell), "connect");
	}
	ok(*queues[0].stat == CONNECTED && *queues[1].stat == CONNECTED &&
	   queue_probe(&queues[0]) == STATUS_SUCCESS && queue_probe(&queues[1]) == STATUS_SUCCESS,
	   "two doorbells with one address both work (DDI-CN-5)");
	must(queue_destroy(&queues[0]), "queue");
	ok(*queues[1].stat == CONNECTED && queue_probe(&queues[1]) == STATUS_SUCCESS,
	   "one of them goes, the other stays (DDI-CN-5)");
	orders("");
	must(queue_destroy(&queues[1]), "queue");
	must(kmt_session_close(&session), "session");
}

#define CLAIM	0x1122334455667788ull

enum neighbour_value {
	NEIGHBOUR_CONNECT,		/* status */
	NEIGHBOUR_STAT,
	NEIGHBOUR_SEES,			/* what it reads at its doorbell before its own store */
	NEIGHBOUR_PROBE,
};

/* Another process, whose doorbell is connected as the orders of the moment say. */
static int neighbour(struct child_report *report, void *argument)
{
	struct queue queue;
	int32_t status = kmt_session_open(&session, NULL, 0);

	(void)argument;
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	report->values[NEIGHBOUR_CONNECT] = (uint32_t)doorbell_connect(session.fd, queue.doorbell);
	report->values[NEIGHBOUR_STAT] = *queue.stat;
	report->values[NEIGHBOUR_SEES] = *queue.bell;
	*queue.bell = ~CLAIM;
	if (*queue.stat != ABORT)
		report->values[NEIGHBOUR_PROBE] = (uint32_t)queue_probe(&queue);
	status = queue_destroy(&queue);
	if (NT_SUCCESS(status))
		status = kmt_session_close(&session);
	if (!NT_SUCCESS(status))
		child_fail(report, "end: status %#x", (uint32_t)status);
	return 0;
}

static struct child_report *neighbour_run(void)
{
	struct child_report *report = child_reports(1);
	pid_t pid = child_start(neighbour, report, NULL, true, 60);
	char how[32];

	if (!child_reap(pid, how, sizeof(how)))
		bail("neighbour: %s %s", how, report->problem);
	return report;
}

/*
 * The slots are memory here, so what one process stores where it rings is what every other one
 * reads there that sees the page.
 */
static void another_process(void)
{
	struct child_report *report;
	struct null_record record;
	struct queue queue;

	load("slots=2");
	orders("ConnectDoorbell=same");
	must(queue_open(&queue, &session), "queue");
	must(doorbell_connect(session.fd, queue.doorbell), "connect");
	*queue.bell = CLAIM;
	null_forget();
	report = neighbour_run();
	ok(report->values[NEIGHBOUR_CONNECT] == (uint32_t)STATUS_DEVICE_REMOVED &&
	   report->values[NEIGHBOUR_STAT] == ABORT,
	   "a connect to a page that another process sees fails, STAT is ABORT (MOD-9 DDI-CN-2)");
	ok(report->values[NEIGHBOUR_SEES] != CLAIM && *queue.bell == CLAIM,
	   "neither of them sees what the other one stores there (MOD-9)");
	if (!null_record(&record))
		bail("no record");
	ok(null_count(&record, "DisconnectDoorbell") >= 1,
	   "a binding that the miniport believes in is undone (DDI-CN-2)");
	null_record_free(&record);
	ok(*queue.stat == CONNECTED && queue_probe(&queue) == STATUS_SUCCESS,
	   "whose page it is notices nothing");
	must(doorbell_destroy(session.fd, queue.doorbell), "doorbell");
	report = neighbour_run();
	ok(report->values[NEIGHBOUR_CONNECT] == STATUS_SUCCESS && !report->values[NEIGHBOUR_PROBE],
	   "when the last doorbell there has gone, the page can be another process's");
	orders("");
	must(queue_doorbell_create(&queue, 0), "doorbell");
	must(queue_probe(&queue), "probe");
	must(queue_destroy(&queue), "queue");
	must(kmt_session_close(&session), "session");
	ok(!null_unload(), "the modules unload");

	load("slots=2 orders=QueryAdapterInfo=shared");
	orders("ConnectDoorbell=same");
	must(queue_open(&queue, &session), "queue");
	must(doorbell_connect(session.fd, queue.doorbell), "connect");
	report = neighbour_run();
	ok(report->values[NEIGHBOUR_CONNECT] == STATUS_SUCCESS && !report->values[NEIGHBOUR_PROBE] &&
	   queue_probe(&queue) == STATUS_SUCCESS,
	   "hardware that has no page for each process says so, and both work (MOD-9)");
	orders("");
	must(queue_destroy(&queue), "queue");
	must(kmt_session_close(&session), "session");
	ok(!null_unload(), "the modules unload");
}

/* A life as far as it goes; its first failure. */
static int32_t life(void)
{
	struct queue queue;
	int32_t status, last;

	status = kmt_session_open(&session, NULL, 0);
	if (!NT_SUCCESS(status))
		return status;
	status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status)) {
		status = queue_probe(&queue);
		last = queue_destroy(&queue);
		status = NT_SUCCESS(status) ? last : status;
	}
	last = kmt_session_close(&session);
	return NT_SUCCESS(status) ? last : status;
}

/* Page tables without memory, at each step; what unmaps must not fail, so it never does. */
static void paging(void)
{
	unsigned int calls, maps, step, wrong = 0;
	struct null_record record;
	char text[80];
	int32_t status;

	null_forget();
	must(life(), "a life");
	if (!null_record(&record))
		bail("no record");
	calls = null_count(&record, "BuildPagingBuffer");
	maps = null_count_if(&record, "BuildPagingBuffer", "Map", 1);
	for (step = 0; step < calls; step++) {
		const struct null_line *line = null_next(&record, 0, false, "BuildPagingBuffer");
		unsigned int i;

		for (i = 0; i < step; i++)
			line = null_next(&record, null_at(&record, line) + 1, false,
					 "BuildPagingBuffer");
		if (!null_value(line, "Map"))
			continue;
		snprintf(text, sizeof(text), "BuildPagingBuffer=status:0xc0000017*1@%u", step);
		orders(text);
		status = life();
		orders("");
		if (status != STATUS_NO_MEMORY || !nothing_left()) {
			diag("step %u of %u: status %#x", step, calls, (uint32_t)status);
			wrong++;
		}
	}
	null_record_free(&record);
	ok(maps > 3 && !wrong, "%u mappings fail one by one: NO_MEMORY, and nothing is left (KMT-CD-4)",
	   maps);
	ok(life() == STATUS_SUCCESS, "the next life is whole");
}

static int32_t untimed_queue(struct queue *queue)
{
	struct dxg_createhwqueue create = {
		.context = session.context,
		.flags = DXG_HWQUEUE_USER_MODE_SUBMISSION | DXG_HWQUEUE_DISABLE_GPU_TIMEOUT,
	};
	int32_t status = queue_create(queue, &session, session.context, QUEUE_RING_BYTES);

	if (!NT_SUCCESS(status))
		return status;
	doorbell_destroy(session.fd, queue->doorbell);
	kmt_call_handle(session.fd, LX_DXDESTROYHWQUEUE, queue->queue);
	status = kmt_call(session.fd, LX_DXCREATEHWQUEUE, &create);
	queue->queue = create.queue;
	queue->fence = create.progress_fence;
	queue->fence_cpu = (const volatile uint64_t *)(uintptr_t)create.progress_fence_cpu_va;
	queue->fence_gpuva = create.progress_fence_gpu_va;
	return NT_SUCCESS(status) ? queue_doorbell_create(queue, 0) : status;
}

/* Killed by its parent in the midst of a job. */
static int untimed_child(struct child_report *report, void *argument)
{
	struct queue queue;
	int32_t status = kmt_session_open(&session, NULL, 0);

	(void)argument;
	if (NT_SUCCESS(status))
		status = untimed_queue(&queue);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	child_stage(report, 1);
	return 0;
}

/* DisableGpuTimeout is about one rule; the others hold. */
static void untimed(void)
{
	struct child_report *report = child_reports(1);
	struct dxgpu_ring_entry entry = { .fence_value = 1 };
	struct null_record record;
	struct queue queue;
	unsigned int waited;
	char how[32];
	pid_t pid;

	must(kmt_session_open(&session, NULL, 0), "session");
	null_forget();
	must(untimed_queue(&queue), "queue");
	if (!null_record(&record))
		bail("no record");
	ok(null_count_if(&record, "CreateHwQueue", "Flags",
			 DXG_HWQUEUE_USER_MODE_SUBMISSION | DXG_HWQUEUE_DISABLE_GPU_TIMEOUT) == 1,
	   "the miniport is told of DisableGpuTimeout");
	null_record_free(&record);
	ok(queue_probe(&queue) == STATUS_SUCCESS, "such a queue works");
	entry.command_gpuva = 1ull << 40;
	entry.command_bytes = 8;
	queue_publish_entry(&queue, &entry);
	queue_ring(&queue);
	for (waited = 0; waited < 10000 && *queue.stat != ABORT; waited += 5)
		kmt_sleep_us(5000);
	ok(*queue.stat == ABORT, "a page fault of it is the end of its device (KMT-HQ-6)");
	queue_destroy(&queue);
	kmt_session_close(&session);

	must(kmt_session_open(&session, NULL, 0), "session");
	must(untimed_queue(&queue), "queue");
	must(queue_probe(&queue), "probe");
	null_forget();
	orders("SuspendContext=silent*1");
	must(queue_destroy(&queue), "queue");
	ok(kmt_session_close(&session) == STATUS_SUCCESS && null_calls("ResetHwEngine") == 1,
	   "a suspension of it that is not acknowledged is a hang (KMT-HQ-6)");
	orders("");

	pid = child_start(untimed_child, report, NULL, true, 60);
	if (!child_await(report, pid, 1, 20000))
		bail("child: %s", report->problem);
	kill(pid, SIGKILL);
	child_reap(pid, how, sizeof(how));
	ok(nothing_left(), "its process is killed: nothing is left (KMT-HQ-6)");
}

int main(void)
{
	secondary();
	another_process();
	load("slots=2");
	not_unique();
	paging();
	untimed();
	ok(nothing_left(), "nothing is left");
	ok(!null_unload(), "the modules unload");
	return done();
}
