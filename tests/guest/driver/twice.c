// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several threads destroy the same object at once, while another makes new ones: exactly
 * one succeeds, the others get INVALID_PARAMETER, and no new object loses its handle
 * (KMT-0.7, KMT-DD-1, KMT-DD-2, KMT-CN-14, OBJ-16, OBJ-17, DDI-DS-2, T31).
 *
 *   driver-twice [ROUNDS]
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "queue.h"

#define THREADS		3u

enum { ADAPTER, DEVICE, CONTEXT, PAGING_QUEUE, ALLOCATION, HWQUEUE, DOORBELL, NUM_TYPES };

static const char *const names[NUM_TYPES] = {
	"adapter", "device", "context", "paging queue", "allocation", "hardware queue", "doorbell",
};

static struct kmt_session session;

/* What all threads are at. */
static struct {
	pthread_barrier_t begin, end;
	int type;		/* NUM_TYPES: no more rounds */
	uint32_t handle;
	int32_t statuses[THREADS];
} attempt;

static int32_t destroy(int type, uint32_t handle)
{
	static const unsigned long commands[NUM_TYPES] = {
		[ADAPTER] = LX_DXCLOSEADAPTER,
		[DEVICE] = LX_DXDESTROYDEVICE,
		[CONTEXT] = LX_DXDESTROYCONTEXT,
		[PAGING_QUEUE] = LX_DXDESTROYPAGINGQUEUE,
		[HWQUEUE] = LX_DXDESTROYHWQUEUE,
	};

	if (type == ALLOCATION)
		return kmt_allocation_destroy(&session, handle);
	if (type == DOORBELL)
		return doorbell_destroy(session.fd, handle);
	return kmt_call_handle(session.fd, commands[type], handle);
}

static void *destroyer(void *argument)
{
	unsigned int number = (unsigned int)(uintptr_t)argument;

	for (;;) {
		pthread_barrier_wait(&attempt.begin);
		if (attempt.type == NUM_TYPES)
			return NULL;
		attempt.statuses[number] = destroy(attempt.type, attempt.handle);
		pthread_barrier_wait(&attempt.end);
	}
}

/* One of a type, by itself as far as it can be; queue is what a doorbell needs. */
static uint32_t make(int type, struct queue *queue)
{
	struct dxg_createpagingqueue paging = { .device = session.device };
	struct dxg_createhwqueue hwqueue;
	struct dxg_luid luid;
	uint32_t handle = 0;

	switch (type) {
	case ADAPTER:
		kmt_adapter_open(session.fd, &luid, &handle);
		break;
	case DEVICE:
		kmt_device_create(session.fd, session.adapter, &handle);
		break;
	case CONTEXT:
		kmt_context_create(session.fd, session.device, 0, &handle);
		break;
	case PAGING_QUEUE:
		if (!kmt_call(session.fd, LX_DXCREATEPAGINGQUEUE, &paging))
			handle = paging.paging_queue;
		break;
	case ALLOCATION:
		kmt_allocation_create(&session, KMT_PAGE_BYTES, &handle);
		break;
	case HWQUEUE:
		if (!hwqueue_create(session.fd, session.context, &hwqueue))
			handle = hwqueue.queue;
		break;
	default:
		if (!queue_doorbell_create(queue, 0) && !queue_probe(queue))
			handle = queue->doorbell;
		break;
	}
	return handle;
}

/* True if one thread alone destroyed it, and what was made meanwhile is alive. */
static bool one_round(int type, struct queue *queue)
{
	unsigned int good = 0, refused = 0, i;
	uint32_t fresh[4];

	attempt.type = type;
	attempt.handle = make(type, queue);
	if (!attempt.handle)
		bail("no %s", names[type]);
	pthread_barrier_wait(&attempt.begin);
	for (i = 0; i < 4; i++)
		if (kmt_device_create(session.fd, session.adapter, &fresh[i]))
			fresh[i] = 0;
	pthread_barrier_wait(&attempt.end);
	for (i = 0; i < THREADS; i++) {
		good += attempt.statuses[i] == STATUS_SUCCESS;
		refused += attempt.statuses[i] == STATUS_INVALID_PARAMETER;
	}
	for (i = 0; i < 4; i++) {
		if (fresh[i] == attempt.handle ||
		    kmt_call_handle(session.fd, LX_DXDESTROYDEVICE, fresh[i])) {
			diag("%s %#x: device %#x, made meanwhile, is lost", names[type],
			     attempt.handle, fresh[i]);
			return false;
		}
	}
	if (type == DOORBELL)
		queue->doorbell = 0;
	if (good == 1 && refused == THREADS - 1)
		return true;
	diag("%s %#x: %u successes, %u times refused", names[type], attempt.handle, good, refused);
	return false;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       dxg_count(30, 3000);
	char baseline[DEBUGFS_TEXT_BYTES], before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	pthread_t threads[THREADS];
	struct queue queue;
	unsigned int i;
	int type;

	if (!ok(counters_read(before), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    doorbell_destroy(session.fd, queue.doorbell))
		bail("no queue");
	queue.doorbell = 0;
	pthread_barrier_init(&attempt.begin, NULL, THREADS + 1);
	pthread_barrier_init(&attempt.end, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, destroyer, (void *)(uintptr_t)i))
			bail("no thread");
	for (type = 0; type < NUM_TYPES; type++) {
		unsigned int good = 0;

		counters_read(baseline);
		for (i = 0; i < rounds; i++)
			good += one_round(type, &queue);
		ok(good == rounds, "%s: %u of %u destroys by %u threads had one winner", names[type],
		   good, rounds, THREADS);
		if (!ok(counters_settle(baseline, 10000, last), "%s: nothing is left", names[type]))
			diag("before: %s; after: %s", baseline, last);
	}
	attempt.type = NUM_TYPES;
	pthread_barrier_wait(&attempt.begin);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok(!queue_destroy(&queue) && !kmt_session_close(&session), "the rest is destroyed");
	if (!ok(counters_settle(before, 10000, last), "at the end nothing is left"))
		diag("before: %s; after: %s", before, last);
	return done();
}
