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
#include "objects.h"

#define THREADS		3u

static struct kmt_session session;

/* What all threads are at. */
static struct {
	pthread_barrier_t begin, end;
	enum object type;		/* NUM_OBJECTS: no more rounds */
	uint32_t handle;
	int32_t statuses[THREADS];
} attempt;

static void *destroyer(void *argument)
{
	unsigned int number = (unsigned int)(uintptr_t)argument;

	for (;;) {
		pthread_barrier_wait(&attempt.begin);
		if (attempt.type == NUM_OBJECTS)
			return NULL;
		attempt.statuses[number] = object_destroy(&session, attempt.type,
							  attempt.handle);
		pthread_barrier_wait(&attempt.end);
	}
}

/* One to destroy; a doorbell that is connected. */
static uint32_t make(enum object type, struct queue *queue)
{
	uint32_t handle = object_make(&session, type, queue);

	return type == OBJECT_DOORBELL && handle && queue_probe(queue) ? 0 : handle;
}

/* True if one thread alone destroyed it, and what was made meanwhile is alive. */
static bool one_round(enum object type, struct queue *queue)
{
	unsigned int good = 0, refused = 0, i;
	uint32_t fresh[4];

	attempt.type = type;
	attempt.handle = make(type, queue);
	if (!attempt.handle)
		bail("no %s", object_names[type]);
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
			diag("%s %#x: device %#x, made meanwhile, is lost", object_names[type],
			     attempt.handle, fresh[i]);
			return false;
		}
	}
	if (type == OBJECT_DOORBELL)
		queue->doorbell = 0;
	if (good == 1 && refused == THREADS - 1)
		return true;
	diag("%s %#x: %u successes, %u times refused", object_names[type], attempt.handle, good,
	     refused);
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
	enum object type;

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
	for (type = 0; type < NUM_OBJECTS; type++) {
		unsigned int good = 0;

		if (type == OBJECT_FENCE)
			continue;
		counters_read(baseline);
		for (i = 0; i < rounds; i++)
			good += one_round(type, &queue);
		ok(good == rounds, "%s: %u of %u destroys by %u threads had one winner",
		   object_names[type], good, rounds, THREADS);
		if (!ok(counters_settle(baseline, 10000, last), "%s: nothing is left",
			object_names[type]))
			diag("before: %s; after: %s", baseline, last);
	}
	attempt.type = NUM_OBJECTS;
	pthread_barrier_wait(&attempt.begin);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ok(!queue_destroy(&queue) && !kmt_session_close(&session), "the rest is destroyed");
	if (!ok(counters_settle(before, 10000, last), "at the end nothing is left"))
		diag("before: %s; after: %s", before, last);
	return done();
}
