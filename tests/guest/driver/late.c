// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rings that are under way for long, by the host's order: the device has taken them and
 * does not act on them. Whoever loses his doorbell meanwhile loses no work, as the end of
 * the binding looks for it (ORD-8 (b) and (c), DDI-DC-5, DEV-4), and what comes late is
 * done once (ORD-25). Nothing else of a submission samples here: the doorbell is connected
 * before the work is published.
 */
#include <pthread.h>
#include "tap.h"
#include "debugfs.h"
#include "host.h"
#include "rival.h"

#define PROPERTY	"inject-hold-rings"
#define WAIT_NS		(20ull * 1000 * 1000 * 1000)
#define QUIET_US	20000u	/* long enough for work to run that should not */
#define WALKERS		2u
#define QUEUES		4u	/* of a walker */
#define STEPS		20u	/* of each queue, less than its ring holds */

#define CONNECTED	DXG_DOORBELLSTATUS_CONNECTED
#define RETRY		DXG_DOORBELLSTATUS_DISCONNECTED_RETRY

static void hold(bool on)
{
	if (dxg_host_set(PROPERTY, on ? "on" : "off"))
		bail("the host does not answer");
}

static bool stays(const struct queue *queue, uint64_t fence)
{
	kmt_sleep_us(QUIET_US);
	return *queue->fence_cpu == fence;
}

/*
 * Work whose ring is held back, of a connected queue; its fence value. The device may be
 * at the last look of earlier work and find it by that, so more than one attempt.
 */
static uint64_t held_work(struct queue *queue)
{
	unsigned int attempt;
	uint64_t fence;

	if (*queue->stat != CONNECTED)
		must(doorbell_connect(queue->session->fd, queue->doorbell), "connect");
	for (attempt = 0; attempt < 20; attempt++) {
		kmt_sleep_us(QUIET_US);
		fence = queue_publish_fence(queue);
		if (queue_ring(queue) != CONNECTED)
			bail("the doorbell is gone");
		if (stays(queue, fence - 1))
			return fence;
	}
	bail("no ring is held back");
}

static void rotation(struct queue *queue, struct rival *rival)
{
	unsigned int rounds = dxg_count(10, 500), lost = 0, round;
	uint64_t fence;

	for (round = 0; round < rounds && !lost; round++) {
		fence = held_work(queue);
		if (!rival_steal(rival, queue))
			bail("the rival cannot take the slot in round %u", round);
		lost += !queue_completes(queue, fence, WAIT_NS);
	}
	ok(!lost, "%u times a doorbell was taken before its ring had come, and the work ran (ORD-8)",
	   rounds);
	fence = queue_publish_fence(queue);
	ok(queue_ring(queue) == RETRY, "it is disconnected");
	hold(false);
	ok(stays(queue, fence - 1),
	   "a ring that was served at the end of the binding does not come again");
	hold(true);
	must(doorbell_connect(queue->session->fd, queue->doorbell), "reconnect");
	ok(queue_completes(queue, fence, WAIT_NS), "a connect looks for work, too (ORD-7)");
	fence = held_work(queue);
	ok(doorbell_destroy(queue->session->fd, queue->doorbell) == STATUS_SUCCESS &&
	   queue_doorbell_create(queue, 0) == STATUS_SUCCESS, "a doorbell goes with a ring under way");
	queue_publish_fence(queue);
	fence = *queue->fence_cpu;
	hold(false);
	ok(*queue->stat == RETRY && stays(queue, fence),
	   "it rings nothing of the next one (KMT-CD-5)");
	ok(queue_probe(queue) == STATUS_SUCCESS, "which works when it is connected");
	hold(true);
	fence = held_work(queue);
	hold(false);
	ok(queue_completes(queue, fence, WAIT_NS), "a late ring runs work");
}

struct walker {
	pthread_t thread;
	struct kmt_session session;
	struct queue queues[QUEUES];
	int32_t status;
};

static void *walk(void *argument)
{
	struct walker *walker = argument;
	unsigned int step, i;

	for (step = 0; step < STEPS; step++) {
		for (i = 0; i < QUEUES && NT_SUCCESS(walker->status); i++) {
			queue_publish_fence(&walker->queues[i]);
			walker->status = queue_deliver(&walker->queues[i]);
		}
	}
	return NULL;
}

/* Two that take each other's doorbells, while rings come late now and then. */
static void walkers(void)
{
	struct walker walkers[WALKERS] = { 0 };
	unsigned long long before, after;
	unsigned int i, j, wrong = 0;

	for (i = 0; i < WALKERS; i++) {
		must(kmt_session_open(&walkers[i].session, NULL, 0), "session");
		for (j = 0; j < QUEUES; j++)
			must(queue_create(&walkers[i].queues[j], &walkers[i].session,
					  walkers[i].session.context, QUEUE_RING_BYTES), "queue");
	}
	dxg_host_stat("entries_completed", &before);
	for (i = 0; i < WALKERS; i++)
		pthread_create(&walkers[i].thread, NULL, walk, &walkers[i]);
	for (i = 0; i < 10; i++) {
		hold(true);
		kmt_sleep_us(5000 + 3000 * (i % 4));
		hold(false);
		kmt_sleep_us(1000);
	}
	for (i = 0; i < WALKERS; i++) {
		pthread_join(walkers[i].thread, NULL);
		must(walkers[i].status, "a walker's submission");
		for (j = 0; j < QUEUES; j++)
			wrong += !queue_completes(&walkers[i].queues[j], STEPS, WAIT_NS);
	}
	ok(!wrong, "%u queues that share a doorbell have done all their work", WALKERS * QUEUES);
	dxg_host_stat("entries_completed", &after);
	ok(after - before == WALKERS * QUEUES * STEPS, "each entry once (%llu)", after - before);
	for (i = 0; i < WALKERS; i++) {
		for (j = 0; j < QUEUES; j++)
			must(queue_destroy(&walkers[i].queues[j]), "queue");
		must(kmt_session_close(&walkers[i].session), "session");
	}
}

int main(void)
{
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct kmt_session session;
	struct rival rival;
	struct queue queue;

	if (!ok(counters_read(before), "the driver tells its object counts"))
		bail("no counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(rival_create(&rival), "rival");
	must(queue_probe(&queue), "a queue that works");
	if (!ok(!dxg_host_set(PROPERTY, "on"), "the host holds rings back"))
		bail("no side channel");
	rotation(&queue, &rival);
	walkers();
	ok(queue_destroy(&queue) == STATUS_SUCCESS && rival_destroy(&rival) == STATUS_SUCCESS &&
	   kmt_session_close(&session) == STATUS_SUCCESS, "all is destroyed");
	if (!ok(counters_settle(before, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", before, last);
	return done();
}
