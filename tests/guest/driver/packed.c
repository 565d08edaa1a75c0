// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Doorbell slots that share pages: a page is one process's at a time, a doorbell that is
 * taken or ended leaves its neighbours on the page alone, and a page that goes to another
 * process is taken from all who were on it (DEV-6, MOD-8, MOD-9, ORD-27, KMT-CD-19, DDI-CN-5,
 * DDI-CN-6, OBJ-4, SEC-6).
 *
 * The device has two pages of PLACES slots each; the test takes the number from the
 * addresses that it gets.
 */
#include <signal.h>
#include "../host.h"
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "queue.h"

#define CONNECTED	((uint64_t)DXG_DOORBELLSTATUS_CONNECTED)
#define RETRY		((uint64_t)DXG_DOORBELLSTATUS_DISCONNECTED_RETRY)
#define WAIT_NS		(30ull * 1000 * 1000 * 1000)
#define PLACES		4u
#define QUEUES		(2 * PLACES)
#define STRIDE		(KMT_PAGE_BYTES / PLACES)

enum { STAGE_READY = 1, STAGE_CONNECTED, STAGE_SWEPT };

static unsigned long long stat_of(const char *name)
{
	unsigned long long value;
	int error = dxg_host_stat(name, &value);

	if (error)
		bail("no counter %s: error %d", name, error);
	return value;
}

static unsigned int offset_of(const struct queue *queue)
{
	return (uintptr_t)queue->bell % KMT_PAGE_BYTES;
}

static unsigned int count_of(const struct queue *queues, uint64_t stat)
{
	unsigned int i, count = 0;

	for (i = 0; i < QUEUES; i++)
		count += *queues[i].stat == stat;
	return count;
}

/* The other process: one queue, and all places of its page. */
static int neighbour(struct child_report *report, void *argument)
{
	struct kmt_session session;
	volatile uint64_t *page;
	struct queue queue;
	unsigned int i;
	int32_t status = kmt_session_open(&session, NULL, 0);

	(void)argument;
	if (status == STATUS_SUCCESS)
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (status != STATUS_SUCCESS)
		child_fail(report, "session and queue: status %#x", (uint32_t)status);
	child_stage(report, STAGE_READY);
	status = queue_probe(&queue);
	if (status != STATUS_SUCCESS || *queue.stat != CONNECTED)
		child_fail(report, "first submission: status %#x", (uint32_t)status);
	child_stage(report, STAGE_CONNECTED);
	page = (volatile uint64_t *)((uintptr_t)queue.bell & ~(uintptr_t)(KMT_PAGE_BYTES - 1));
	for (i = 0; i < PLACES; i++)
		page[i * STRIDE / sizeof(*page)] = i;
	child_stage(report, STAGE_SWEPT);
	queue_destroy(&queue);
	return report->problem[0] ? 1 : 0;
}

static void addresses(struct queue *queues)
{
	unsigned int i, aligned = 0, used[PLACES] = { 0 }, even = 0;

	for (i = 0; i < QUEUES; i++) {
		aligned += offset_of(&queues[i]) % STRIDE == 0 &&
			   offset_of(&queues[i]) % queues[i].session->caps.doorbell_bytes == 0;
		used[offset_of(&queues[i]) / STRIDE % PLACES]++;
	}
	for (i = 0; i < PLACES; i++)
		even += used[i] == QUEUES / PLACES;
	ok(aligned == QUEUES && even == PLACES,
	   "a doorbell's address has a place in its page from the beginning (KMT-CD-19)");
}

/* What is given up: within the process. */
static void neighbours_of_one_process(struct queue *queues)
{
	struct queue *rung = &queues[1];
	volatile uint64_t *by = (volatile uint64_t *)((uintptr_t)queues[0].bell +
						      offset_of(rung) - offset_of(&queues[0]));
	uint64_t fence = queue_publish_fence(rung);

	*by = rung->wp;
	ok(queue_wait(rung, fence, WAIT_NS) == STATUS_SUCCESS,
	   "a queue is rung through the page of another one of the process (DDI-CN-5)");
}

/* One that is ended leaves the others their slots, and their pages mapped (MOD-8). */
static void ended(struct queue *queues, struct kmt_session *session)
{
	uint64_t faults, disconnects;
	unsigned int i, good = 0;

	for (i = 0; i < QUEUES; i++)
		must(queue_probe(&queues[i]), "before");
	disconnects = adapter_value("disconnects");
	must(doorbell_destroy(session->fd, queues[2].doorbell), "destroy");
	faults = state_sum("doorbell", 0, "faults_slot", NULL);
	for (i = 0; i < QUEUES; i++)
		good += i != 2 && queue_ring(&queues[i]) == CONNECTED;
	ok(good == QUEUES - 1 && adapter_value("disconnects") == disconnects + 1 &&
	   state_sum("doorbell", 0, "faults_slot", NULL) == faults,
	   "a doorbell that ends leaves its neighbours alone (MOD-8 ORD-27)");
	must(queue_doorbell_create(&queues[2], 0), "create");
	must(queue_probe(&queues[2]), "after");
	ok(count_of(queues, CONNECTED) == QUEUES, "and another takes its place");
}

static void other_process(struct queue *queues, struct child_report *report, pid_t pid)
{
	uint64_t taken = slots_value("pages_taken"), victims = adapter_value("victimizations");
	unsigned int i, wrong = 0, good = 0;
	unsigned long long unbound;
	uint64_t fences[QUEUES];
	bool kept[QUEUES];
	char how[32];

	report->go = STAGE_READY;
	ok(child_await(report, pid, STAGE_CONNECTED, 60000), "another process connects");
	ok(slots_value("pages_taken") == taken + 1 &&
	   adapter_value("victimizations") == victims + PLACES &&
	   count_of(queues, RETRY) == PLACES && count_of(queues, CONNECTED) == PLACES,
	   "for which one page is taken, from all who were on it (MOD-9)");
	for (i = 0; i < QUEUES; i++) {
		kept[i] = *queues[i].stat == CONNECTED;
		fences[i] = queue_publish_fence(&queues[i]);
		if (!kept[i]) {
			*queues[i].bell = 0x5ec2e7 + i;
			wrong += *queues[i].bell != 0x5ec2e7 + i;
		}
	}
	ok(!wrong, "their addresses lead to memory, which tells nobody anything (SEC-6)");
	unbound = stat_of("doorbell_unbound");
	report->go = STAGE_CONNECTED;
	ok(child_await(report, pid, STAGE_SWEPT, 60000) &&
	   stat_of("doorbell_unbound") == unbound + PLACES - 1,
	   "whatever it writes to its page, it rings no queue but its own (MOD-9)");
	for (i = 0; i < QUEUES; i++)
		wrong += *queues[i].fence_cpu >= fences[i];
	ok(!wrong, "nothing of ours has been executed by that");
	for (i = 0; i < QUEUES; i++)
		if (kept[i])
			good += queue_ring(&queues[i]) == CONNECTED &&
				queue_wait(&queues[i], fences[i], WAIT_NS) == STATUS_SUCCESS;
	ok(good == PLACES, "those of the other page work all the time (MOD-8)");
	for (i = 0; i < QUEUES; i++)
		if (!kept[i])
			good += queue_deliver(&queues[i]) == STATUS_SUCCESS &&
				queue_wait(&queues[i], fences[i], WAIT_NS) == STATUS_SUCCESS;
	ok(good == QUEUES, "and the others after a connect, at the address that they had (OBJ-4)");
	report->go = STAGE_SWEPT;
	ok(child_reap(pid, how, sizeof(how)), "the other process ends well (%s %s)", how,
	   report->problem);
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct child_report *report = child_reports(1);
	struct kmt_session session;
	struct queue queues[QUEUES];
	unsigned int i;
	pid_t pid;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	ok(slots_value("count") == QUEUES && slots_value("places") == PLACES,
	   "%u slots, %u to a page (DEV-6)", QUEUES, PLACES);
	pid = child_start(neighbour, report, NULL, true, 100);
	if (!child_await(report, pid, STAGE_READY, 60000))
		bail("the other process does not start: %s", report->problem);
	for (i = 0; i < QUEUES; i++) {
		must(queue_create(&queues[i], &session, session.context, QUEUE_RING_BYTES), "queue");
		must(queue_probe(&queues[i]), "submission");
	}
	ok(count_of(queues, CONNECTED) == QUEUES && !slots_value("pages_taken"),
	   "as many queues as slots: all are connected");
	addresses(queues);
	neighbours_of_one_process(queues);
	ended(queues, &session);
	other_process(queues, report, pid);
	for (i = 0; i < QUEUES; i++)
		must(queue_destroy(&queues[i]), "destroy");
	must(kmt_session_close(&session), "close");
	if (!ok(counters_settle(baseline, 10000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
