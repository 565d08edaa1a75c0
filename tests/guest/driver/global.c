// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The global doorbell model: the value of a ring names the queue, all doorbells of a
 * process show one page, nobody's is taken for another, and a process reaches its own
 * queues and no others, whatever it writes (MOD-2, MOD-7, MOD-9, SEC-6, UMD-10, DDI-CN-5).
 *
 * Whom a ring reached is seen by work that was published and not rung: it is executed if
 * and only if the device was made to look at its queue.
 */
#include <signal.h>
#include <stdlib.h>
#include "../host.h"
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "queue.h"

#define CONNECTED	((uint64_t)DXG_DOORBELLSTATUS_CONNECTED)
#define RETRY		((uint64_t)DXG_DOORBELLSTATUS_DISCONNECTED_RETRY)
#define WAIT_NS		(30ull * 1000 * 1000 * 1000)
#define MANY		64u		/* queues of each process */
#define IDS		65536u		/* more than any device has */
#define NODES		4u		/* one more than this device has */
#define RANDOM_RINGS	4096u

enum { STAGE_READY = 1, STAGE_PUBLISHED, STAGE_RUNG, STAGE_END };
enum { VALUE_EXECUTED };

static unsigned long long stat_of(const char *name)
{
	unsigned long long value;
	int error = dxg_host_stat(name, &value);

	if (error)
		bail("no counter %s: error %d", name, error);
	return value;
}

/*
 * Until the device has taken the last look at queues that it has done (ORD-29): one that
 * it still has to take would find what is published next.
 */
static void settle(void)
{
	unsigned long long samples = 0, last;
	unsigned int same = 0;

	while (same < 5) {
		last = samples;
		samples = stat_of("samples");
		same = samples == last ? same + 1 : 0;
		kmt_sleep_us(10000);
	}
}

/* Queues whose last entry has been executed. */
static unsigned int executed(struct queue *queues, unsigned int count)
{
	unsigned int i, done = 0;

	for (i = 0; i < count; i++)
		done += *queues[i].fence_cpu == queues[i].wp;
	return done;
}

/* The other process: its queues must hear nothing of what the first one does. */
static int neighbour(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queues[MANY];
	unsigned int i;
	int32_t status = kmt_session_open(&session, NULL, 0);

	(void)argument;
	if (status != STATUS_SUCCESS)
		child_fail(report, "session: status %#x", (uint32_t)status);
	for (i = 0; i < MANY; i++) {
		status = queue_create(&queues[i], &session, session.context, QUEUE_RING_BYTES);
		if (status == STATUS_SUCCESS)
			status = queue_probe(&queues[i]);
		if (status != STATUS_SUCCESS)
			child_fail(report, "queue %u: status %#x", i, (uint32_t)status);
	}
	child_stage(report, STAGE_READY);
	for (i = 0; i < MANY; i++)
		queue_publish_fence(&queues[i]);
	child_stage(report, STAGE_PUBLISHED);
	report->values[VALUE_EXECUTED] = executed(queues, MANY);
	child_stage(report, STAGE_RUNG);
	for (i = 0; i < MANY; i++) {
		if (queue_ring(&queues[i]) != CONNECTED)
			child_problem(report, "queue %u lost its doorbell", i);
		status = queue_wait(&queues[i], queues[i].wp, WAIT_NS);
		if (status != STATUS_SUCCESS)
			child_problem(report, "queue %u: status %#x", i, (uint32_t)status);
	}
	child_stage(report, STAGE_END);
	/* Killed here by the test, with all of them connected and work to do. */
	for (;;)
		for (i = 0; i < MANY; i++)
			queue_probe(&queues[i]);
}

/* How many of them do not share the page of the first. */
static unsigned int distinct_pages(struct queue *queues, unsigned int count)
{
	unsigned int i, same = 0;

	for (i = 1; i < count; i++)
		same += (uintptr_t)queues[i].bell >> 12 == (uintptr_t)queues[0].bell >> 12;
	return count - same;
}

static void connected(struct queue *queues, struct kmt_session *session)
{
	uint64_t victims = adapter_value("victimizations");
	unsigned long long unbinds = stat_of("unbinds");
	unsigned int i, first = 0, kept = 0;

	for (i = 0; i < MANY; i++)
		must(queue_create(&queues[i], session, session->context, QUEUE_RING_BYTES), "queue");
	for (i = 0; i < MANY; i++) {
		first += *queues[i].stat == RETRY;
		must(queue_probe(&queues[i]), "first submission");
	}
	for (i = 0; i < MANY; i++)
		kept += *queues[i].stat == CONNECTED && queues[i].connects == 1;
	ok(first == MANY && kept == MANY,
	   "%u queues: each began disconnected, connected once and stays so (SM-1 MOD-7)", MANY);
	ok(adapter_value("victimizations") == victims && stat_of("unbinds") == unbinds,
	   "no doorbell was taken for another (MOD-7)");
	ok(distinct_pages(queues, MANY) == MANY, "each has an address of its own (OBJ-4)");
}

/* Every id and node, many a bit, and chance, by the page of one of the doorbells. */
static unsigned long long sweep(volatile uint64_t *bell, const struct queue *spare)
{
	unsigned long long written = 0;
	unsigned int id, node, i;
	uint64_t value;

	for (node = 0; node < NODES; node++)
		for (id = 0; id < IDS; id++, written++)
			*(volatile uint32_t *)bell = node << 24 | id;
	for (i = 32; i < 64; i++, written++)
		*bell = 1ull << i | 0xff000000u;
	for (i = 16; i < 24; i++, written++)
		*bell = 1ull << i | queue_value(spare);
	for (i = 0; i < RANDOM_RINGS; i++, written++) {
		/* Of a node that there is not. */
		value = (uint64_t)random() << 32 | ((uint32_t)random() & 0xffffff) | 0xf0000000u;
		*bell = value;
	}
	*bell = ~0ull;
	return written + 1;
}

static void every_value(struct queue *queues, struct child_report *report, pid_t pid,
			struct kmt_session *session)
{
	unsigned long long rings, unbound, written;
	struct queue unconnected;
	unsigned int i;

	must(queue_create(&unconnected, session, session->context, QUEUE_RING_BYTES), "queue");
	queue_publish_fence(&unconnected);
	settle();
	report->go = STAGE_READY;
	if (!child_await(report, pid, STAGE_PUBLISHED, 60000))
		bail("the other process publishes nothing: %s", report->problem);
	for (i = 0; i < MANY; i++)
		queue_publish_fence(&queues[i]);
	ok(executed(queues, MANY) == 0, "what was published and not rung is not executed");
	rings = stat_of("doorbell_writes");
	unbound = stat_of("doorbell_unbound");
	written = sweep(queues[0].bell, &unconnected);
	rings = stat_of("doorbell_writes") - rings;
	unbound = stat_of("doorbell_unbound") - unbound;
	diag("%llu rings written, %llu reached a queue, %llu nobody", written, rings, unbound);
	ok(rings == MANY && unbound == written - MANY,
	   "of all values the %u of one's own connected queues reach one (SEC-6 MOD-9)", MANY);
	for (i = 0; i < MANY; i++)
		must(queue_wait(&queues[i], queues[i].wp, WAIT_NS), "own queue");
	ok(executed(queues, MANY) == MANY, "those are executed, by one doorbell's page (MOD-2 DDI-CN-5)");
	ok(*unconnected.fence_cpu == 0, "one's own queue without a doorbell is not (KMT-CD-5)");

	report->go = STAGE_PUBLISHED;
	ok(child_await(report, pid, STAGE_RUNG, 60000) && !report->values[VALUE_EXECUTED],
	   "the other process's work is not");
	report->go = STAGE_RUNG;
	ok(child_await(report, pid, STAGE_END, 60000) && !report->problem[0],
	   "until it rings itself: it has all its doorbells");
	if (report->problem[0])
		diag("%s", report->problem);

	rings = stat_of("doorbell_writes");
	unbound = stat_of("doorbell_unbound");
	*unconnected.bell = queue_value(&queues[0]);
	ok(stat_of("doorbell_writes") == rings && stat_of("doorbell_unbound") == unbound,
	   "the address of a disconnected doorbell leads to no device (KMT-CD-6)");
	must(doorbell_connect(session->fd, unconnected.doorbell), "connect");
	ok(queue_wait(&unconnected, unconnected.wp, WAIT_NS) == STATUS_SUCCESS,
	   "connected, its work is executed without a ring (ORD-23)");
	must(queue_destroy(&unconnected), "destroy");
}

/* A queue whose doorbell is gone is masked in the device, and nobody else is. */
static void masked(struct queue *queues, struct kmt_session *session)
{
	uint64_t value = queue_value(&queues[3]);
	unsigned long long unbound;
	unsigned int i, kept = 0;

	queue_publish_fence(&queues[3]);
	must(doorbell_destroy(session->fd, queues[3].doorbell), "destroy");
	unbound = stat_of("doorbell_unbound");
	*queues[4].bell = value;
	ok(stat_of("doorbell_unbound") == unbound + 1,
	   "a neighbour's page does not lead to a queue without a doorbell (MOD-7)");
	for (i = 0; i < MANY; i++)
		kept += i != 3 && *queues[i].stat == CONNECTED &&
			queue_probe(&queues[i]) == STATUS_SUCCESS;
	ok(kept == MANY - 1, "the others have theirs (ORD-27)");
	must(queue_doorbell_create(&queues[3], 0), "doorbell");
	ok(queue_probe(&queues[3]) == STATUS_SUCCESS, "the queue works with a new one");
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32];
	unsigned long long bound = stat_of("slots_bound");
	struct child_report *report = child_reports(1);
	struct kmt_session session;
	struct queue queues[MANY];
	pid_t pid;
	unsigned int i;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	ok(session.caps.doorbell_model == DXGPU_DOORBELLS_GLOBAL,
	   "the miniport says that values name queues (DDI-QA-3)");
	pid = child_start(neighbour, report, NULL, true, 200);
	if (!child_await(report, pid, STAGE_READY, 60000))
		bail("the other process does not start: %s", report->problem);
	connected(queues, &session);
	ok(queues[0].data.flags & DXGPU_DOORBELL_DATA_VALUE &&
	   queue_value(&queues[0]) != queue_value(&queues[1]),
	   "each doorbell's private data tells what its ring writes (UMD-10)");
	ok(stat_of("slots_bound") == bound + 2 * MANY, "all are bound at a time");
	every_value(queues, report, pid, &session);
	masked(queues, &session);

	report->go = STAGE_END;
	kmt_sleep_us(20000);
	kill(pid, SIGKILL);
	child_reap(pid, how, sizeof(how));
	for (i = 0; i < MANY; i++)
		if (queue_probe(&queues[i]) != STATUS_SUCCESS)
			break;
	ok(i == MANY, "the other process is killed at work (%s): nobody else notices", how);
	for (i = 0; i < MANY; i++)
		must(queue_destroy(&queues[i]), "destroy");
	must(kmt_session_close(&session), "close");
	if (!ok(counters_settle(baseline, 10000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	ok(stat_of("slots_bound") == bound, "nor is anything bound");
	return done();
}
