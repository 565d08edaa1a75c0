// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of a doorbell's page: dummy, physical doorbell, dummy again, at one
 * address for ever; and each case of the lost-wakeup argument that can be staged by
 * one thread (SM-1, SM-2, OBJ-4, OBJ-5, OBJ-6, OBJ-8, OBJ-9, OBJ-10, OBJ-11, ORD-1, ORD-2,
 * ORD-3, ORD-6, ORD-7, ORD-8, ORD-10, ORD-14, ORD-17, ORD-23, ORD-25, CB-DC-3, MAP-3,
 * MAP-6, MAP-9, KMT-CD-5, KMT-CN-3, KMT-CN-9, KMT-CN-12, KMT-CN-15, KMT-NW-4, DDI-CN-9, SEC-21).
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "fault.h"
#include "rival.h"

#define WAIT_NS		(10ull * 1000 * 1000 * 1000)
#define QUIET_US	60000u	/* long enough for work to run that should not */

#define CONNECTED	DXG_DOORBELLSTATUS_CONNECTED
#define RETRY		DXG_DOORBELLSTATUS_DISCONNECTED_RETRY

/* A command that only writes its fence; not rung. */
static bool completes(struct queue *queue, uint64_t fence)
{
	int32_t status = queue_wait(queue, fence, WAIT_NS);

	if (status != STATUS_SUCCESS)
		diag("status %#x: wp %llu rp %llu fence %llu stat %llu", (uint32_t)status,
		     (unsigned long long)queue->wp, (unsigned long long)queue_read_pointer(queue),
		     (unsigned long long)*queue->fence_cpu, (unsigned long long)*queue->stat);
	return status == STATUS_SUCCESS && *queue->fence_cpu == fence;
}

static bool stays(struct queue *queue, uint64_t fence)
{
	kmt_sleep_us(QUIET_US);
	return *queue->fence_cpu == fence;
}

static int32_t connect_queue(struct queue *queue)
{
	return doorbell_connect(queue->session->fd, queue->doorbell);
}

/* Memory keeps what is stored; of a device's doorbell, zero is read. */
static uint64_t dummy_mark;

static bool is_dummy(struct queue *queue)
{
	dummy_mark += 0x0101010101010101;
	*queue->bell = dummy_mark;
	return *queue->bell == dummy_mark;
}

/* Not the page that is_dummy() has marked: that of a miniport may be memory, too. */
static bool is_doorbell(struct queue *queue)
{
	return *queue->bell != dummy_mark;
}

/* Words between the cells of a cell's page that are not 0; a cell has the first of 8. */
static unsigned int strange_words(const volatile uint64_t *cell)
{
	const volatile uint64_t *page =
		(const volatile uint64_t *)((uintptr_t)cell & ~(uintptr_t)(KMT_PAGE_BYTES - 1));
	unsigned int i, strange = 0;

	for (i = 0; i < KMT_PAGE_BYTES / sizeof(*page); i++)
		strange += i % 8 && page[i];
	return strange;
}

/* A new doorbell is a dummy; connecting it is an implicit ring. */
static void first_life(struct queue *queue)
{
	uint64_t fence;

	ok(*queue->stat == RETRY, "a new doorbell's STAT is RETRY (OBJ-8)");
	ok(*queue->last_queued == 0 && *queue->fence_cpu == 0, "its fence and LQ are 0 (OBJ-9)");
	ok(!strange_words(queue->stat) && !strange_words(queue->last_queued) &&
	   !strange_words(queue->fence_cpu), "the pages of its cells hold nothing else (SEC-21)");
	ok(queue_ring(queue) == RETRY, "ringing it says RETRY");
	fence = queue_publish_fence(queue);
	ok(queue_ring(queue) == RETRY && stays(queue, 0), "and has no effect on work (KMT-CD-5)");
	ok(doorbell_notify(queue->session->fd, queue->doorbell) == STATUS_SUCCESS,
	   "Notify on RETRY is a hint (KMT-NW-4)");
	ok(is_dummy(queue), "its page is memory");
	must(connect_queue(queue), "connect");
	ok(*queue->stat == CONNECTED && is_doorbell(queue),
	   "after ConnectDoorbell STAT is CONNECTED, and its page is a doorbell");
	ok(completes(queue, fence), "and the work before it runs without a ring (KMT-CN-15)");
}

static void connected_life(struct queue *queue)
{
	volatile uint32_t *half = (volatile uint32_t *)(uintptr_t)queue->bell;
	unsigned int i;
	uint64_t fence;

	fence = queue_publish_fence(queue);
	ok(queue_ring(queue) == CONNECTED && completes(queue, fence), "a 64-bit ring runs work");
	fence = queue_publish_fence(queue);
	*half = (uint32_t)queue->wp;
	ok(completes(queue, fence), "a 32-bit ring runs work");
	fence = queue_publish_fence(queue);
	*queue->bell = ~0ull;
	ok(completes(queue, fence), "a ring of a wrong value runs work: it is a hint");
	for (i = 0; i < 1000; i++)
		*queue->bell = i * 0x9e3779b97f4a7c15ull;
	ok(stays(queue, fence) && queue_read_pointer(queue) == queue->wp,
	   "1000 rings without work do nothing (ORD-25)");
	fence = queue_publish_fence(queue);
	ok(connect_queue(queue) == STATUS_SUCCESS && *queue->stat == CONNECTED &&
	   completes(queue, fence), "a second connect is a sample (KMT-CN-9)");
	fence = queue_publish_fence(queue);
	ok(doorbell_notify(queue->session->fd, queue->doorbell) == STATUS_SUCCESS,
	   "Notify on CONNECTED is a hint");
	queue_ring(queue);
	ok(completes(queue, fence), "and harms nothing");
}

/* Victimised: RETRY, dummy, and back. */
static void stolen(struct queue *queue, struct rival *rival)
{
	volatile uint64_t *bell = queue->bell;
	uint64_t fence = *queue->fence_cpu;

	ok(rival_steal(rival, queue), "a rival takes the slot");
	ok(*queue->stat == RETRY, "STAT is RETRY");
	/* When work of later has run, the last sample of the unbind is over (ORD-8). */
	ok(queue_probe(&rival->queues[0]) == STATUS_SUCCESS, "and the rival works");
	queue_publish_fence(queue);
	ok(queue_ring(queue) == RETRY && stays(queue, fence), "a ring has no effect (ORD-1)");
	ok(is_dummy(queue), "because it lands in memory, not in the rival's doorbell (ORD-2)");
	ok(queue_probe(&rival->queues[0]) == STATUS_SUCCESS, "nor the rival: it works");
	must(connect_queue(queue), "reconnect");
	ok(completes(queue, fence + 1), "after reconnect the old work runs, once (ORD-23)");
	fence = queue_publish_fence(queue);
	*bell = queue->wp;
	ok(completes(queue, fence), "the address of the doorbell is the same (OBJ-4)");
}

/*
 * The dummy's translation is warm when the connect comes: it must be gone before
 * STAT says CONNECTED, else the ring that follows is lost in the dummy (ORD-17).
 */
static void warm_dummy(struct queue *queue, struct rival *rival)
{
	unsigned int rounds = dxg_count(100, 5000), lost = 0, round;

	for (round = 0; round < rounds; round++) {
		uint64_t fence;

		if (!rival_steal(rival, queue))
			bail("the rival cannot take the slot in round %u", round);
		queue_ring(queue);
		must(connect_queue(queue), "connect");
		fence = queue_publish_fence(queue);
		if (queue_ring(queue) == CONNECTED && !completes(queue, fence))
			lost++;
	}
	ok(!lost, "%u rings right after a connect, over a warm dummy, all arrived (ORD-17)",
	   rounds);
}

/*
 * Work whose ring never came, or overtook nothing: the unbind's final sample must
 * find it, without any connect (case 2 of 2.4, ORD-8).
 */
static void final_sample(struct queue *queue, struct rival *rival)
{
	unsigned int rounds = dxg_count(100, 5000), lost = 0, round;

	for (round = 0; round < rounds; round++) {
		uint64_t fence;

		if (*queue->stat != CONNECTED)
			must(connect_queue(queue), "connect");
		fence = queue_publish_fence(queue);
		if (!rival_steal(rival, queue))
			bail("the rival cannot take the slot in round %u", round);
		if (!completes(queue, fence))
			lost++;
	}
	ok(!lost, "%u times work without a ring was found by the final sample", rounds);
}

static void *connect_thread(void *argument)
{
	return (void *)(intptr_t)connect_queue(argument);
}

static void concurrent_connects(struct queue *queue, struct rival *rival)
{
	uint64_t before = adapter_value("connects");
	pthread_t threads[4];
	unsigned int i, failed = 0;

	if (!rival_steal(rival, queue))
		bail("the rival cannot take the slot");
	before = adapter_value("connects");
	for (i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, connect_thread, queue);
	for (i = 0; i < 4; i++) {
		void *status;

		pthread_join(threads[i], &status);
		failed += (int32_t)(intptr_t)status != STATUS_SUCCESS;
	}
	ok(!failed && *queue->stat == CONNECTED, "four connects at once all succeed (KMT-CN-12)");
	before = adapter_value("connects") - before;
	ok(before == 1, "and are one of the miniport's (%llu)", (unsigned long long)before);
}

static void no_victim_needed(struct queue *queue, struct rival *rival)
{
	uint64_t before;

	rival_steal(rival, queue);
	must(rival_yield(rival), "the rival's new doorbells");
	before = adapter_value("victimizations");
	must(connect_queue(queue), "connect");
	ok(adapter_value("victimizations") == before, "a free slot is taken before a victim's");
	ok(*rival->queues[0].stat == RETRY, "a doorbell made anew is disconnected (SM-2)");
}

/* Memory that the device still reads outlives its handle (OBJ-11). */
static void orphaned_ring(struct kmt_session *session)
{
	struct queue queue;
	uint64_t fence;

	must(queue_create(&queue, session, session->context, QUEUE_RING_BYTES), "queue");
	fence = queue_publish_fence(&queue);
	ok(kmt_allocation_destroy(session, queue.ring.allocation) == STATUS_SUCCESS &&
	   kmt_allocation_destroy(session, queue.control.allocation) == STATUS_SUCCESS,
	   "ring and control can be destroyed under a doorbell (OP-3)");
	ok(kmt_allocation_destroy(session, queue.ring.allocation) == STATUS_INVALID_PARAMETER,
	   "their handles are dead");
	must(connect_queue(&queue), "connect");
	ok(completes(&queue, fence), "but the device still reads them (OBJ-11)");
	queue.ring.allocation = 0;
	queue.control.allocation = 0;
	ok(queue_destroy(&queue) == STATUS_SUCCESS, "and the queue is destroyed");
}

/* The doorbell goes and comes back, the ring and the queue stay (OBJ-10, T29, T30). */
static void second_life(struct queue *queue, struct rival *rival)
{
	volatile uint64_t *bell = queue->bell;
	uint64_t fence = *queue->fence_cpu;
	unsigned int i;

	/* It has a slot when it is destroyed. */
	if (*queue->stat != CONNECTED)
		must(connect_queue(queue), "connect");
	must(doorbell_destroy(queue->session->fd, queue->doorbell), "destroy");
	ok(fault_of_store(bell, 0) != 0, "a destroyed doorbell's address raises a signal (OP-5)");
	ok(*(volatile uint64_t *)queue->control.cpu != 0, "its ring control is still there");
	must(queue_doorbell_create(queue, DXG_DOORBELL_RESIZE), "doorbell after a resize");
	ok(*queue->stat == RETRY, "the new doorbell's STAT is RETRY");
	ok(*queue->last_queued == fence, "its LQ is the fence's value (OBJ-9)");
	queue_publish_fence(queue);
	for (i = 0; i < 5; i++)
		must(queue_probe(&rival->queues[0]), "the rival's work");
	ok(*queue->stat == RETRY && stays(queue, fence),
	   "nothing of the old one runs its work when others work (KMT-CD-5)");
	ok(queue_probe(queue) == STATUS_SUCCESS && *queue->fence_cpu == fence + 2,
	   "connected, it does");
}

/* Rings of a disconnected doorbell land in the process's own page (SEC-21). */
static void dummies(struct queue *queue, struct rival *rival)
{
	struct queue *theirs = &rival->queues[0];

	if (!rival_steal(rival, queue))
		bail("the rival cannot take the slot");
	must(rival_yield(rival), "the rival's new doorbells");
	*queue->bell = 0x5ec2e7;
	ok(*theirs->bell != 0x5ec2e7, "what one process writes to its dummy no other reads");
}

static void everything(const char *path, const char *what)
{
	struct kmt_session session;
	struct rival rival;
	struct queue queue;

	diag("%s", what);
	must(kmt_session_open(&session, path, 0), what);
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(rival_create(&rival), "rival");
	first_life(&queue);
	connected_life(&queue);
	stolen(&queue, &rival);
	warm_dummy(&queue, &rival);
	final_sample(&queue, &rival);
	concurrent_connects(&queue, &rival);
	no_victim_needed(&queue, &rival);
	orphaned_ring(&session);
	second_life(&queue, &rival);
	dummies(&queue, &rival);
	ok(queue_destroy(&queue) == STATUS_SUCCESS && rival_destroy(&rival) == STATUS_SUCCESS &&
	   kmt_session_close(&session) == STATUS_SUCCESS, "all is destroyed");
}

/* A node of the same device elsewhere has pages of its own that must go too (MAP-6). */
static const char *second_node(void)
{
	static const char path[] = "/tmp/dxg-second-node";
	struct stat node;

	if (stat(DXG_DEVICE_PATH, &node))
		return NULL;
	unlink(path);
	if (mknod(path, S_IFCHR | 0600, node.st_rdev))
		return NULL;
	return path;
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	const char *path;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	everything(NULL, "by /dev/dxg");
	path = second_node();
	if (path) {
		everything(path, "by a second device node");
		unlink(path);
	} else {
		skip(1, "no second device node can be made");
	}
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
