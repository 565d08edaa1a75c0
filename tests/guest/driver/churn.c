// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects that one thread destroys while others use them: either order is allowed, the
 * loser gets INVALID_PARAMETER, and nothing stays behind (KMT-0.7, KMT-CN-12, KMT-CN-14,
 * KMT-DD-1, KMT-DD-2, KMT-DD-3, KMT-DD-5, OBJ-19, OBJ-21, OBJ-24, FH-26).
 *
 *   driver-churn [SECONDS]
 *
 * One thread makes and destroys queues in several ways, two connect, notify and ring
 * whatever handle is current, one destroys handles at random, one steals slots.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "rival.h"

#define USERS		2u
#define SHARED_QUEUES	4u

static struct kmt_session session;
static struct rival rival;
static atomic_bool stop;
static _Atomic uint32_t doorbells[SHARED_QUEUES];
static _Atomic uint32_t hwqueues[SHARED_QUEUES];
static atomic_uint made, connected, refused, odd;
static _Atomic int32_t odd_status;

/* What a call on an object may answer that somebody else may destroy at any time. */
static void note(int32_t status)
{
	if (status == STATUS_SUCCESS) {
		atomic_fetch_add(&connected, 1);
	} else if (status == STATUS_INVALID_PARAMETER || status == STATUS_DEVICE_BUSY) {
		atomic_fetch_add(&refused, 1);
	} else {
		atomic_fetch_add(&odd, 1);
		atomic_store(&odd_status, status);
	}
}

static void *use(void *argument)
{
	unsigned int seed = (unsigned int)(uintptr_t)argument;

	while (!atomic_load(&stop)) {
		unsigned int i = (unsigned int)rand_r(&seed) % SHARED_QUEUES;

		note(doorbell_connect(session.fd, atomic_load(&doorbells[i])));
		kmt_sleep_us((unsigned int)rand_r(&seed) % 100);
		if (rand_r(&seed) % 4 == 0)
			note(doorbell_notify(session.fd, atomic_load(&doorbells[i])));
	}
	return NULL;
}

static void *destroy(void *argument)
{
	unsigned int seed = (unsigned int)(uintptr_t)argument;

	while (!atomic_load(&stop)) {
		unsigned int i = (unsigned int)rand_r(&seed) % SHARED_QUEUES;

		if (rand_r(&seed) % 2)
			note(doorbell_destroy(session.fd, atomic_load(&doorbells[i])));
		else
			note(kmt_call_handle(session.fd, LX_DXDESTROYHWQUEUE,
					     atomic_load(&hwqueues[i])));
		kmt_sleep_us((unsigned int)rand_r(&seed) % 500);
	}
	return NULL;
}

static void *steal(void *argument)
{
	(void)argument;
	while (!atomic_load(&stop)) {
		note(doorbell_connect(rival.session.fd, rival.queues[0].doorbell));
		kmt_sleep_us(300);
	}
	return NULL;
}

/* Some of what a queue does in its life, while the others are at it. */
static void *make(void *argument)
{
	unsigned int seed = (unsigned int)(uintptr_t)argument;

	while (!atomic_load(&stop)) {
		unsigned int i = (unsigned int)rand_r(&seed) % SHARED_QUEUES;
		struct dxg_commands commands;
		struct queue queue;

		if (queue_create(&queue, &session, session.context, QUEUE_RING_BYTES)) {
			atomic_fetch_add(&odd, 1);
			continue;
		}
		commands = queue_commands(&queue);
		queue_publish(&queue, &commands);
		atomic_store(&hwqueues[i], queue.queue);
		atomic_store(&doorbells[i], queue.doorbell);
		kmt_sleep_us((unsigned int)rand_r(&seed) % 2000);

		/* Memory that the device may still read: its handle goes, it stays (OBJ-11). */
		if (rand_r(&seed) % 2) {
			kmt_allocation_destroy(&session, queue.ring.allocation);
			kmt_allocation_destroy(&session, queue.control.allocation);
			queue.ring.allocation = 0;
		}
		doorbell_destroy(session.fd, queue.doorbell);
		kmt_call_handle(session.fd, LX_DXDESTROYHWQUEUE, queue.queue);
		if (queue.ring.allocation) {
			kmt_buffer_destroy(&session, &queue.ring);
			kmt_buffer_destroy(&session, &queue.control);
		}
		kmt_buffer_destroy(&session, &queue.commands);
		atomic_fetch_add(&made, 1);
	}
	return NULL;
}

/* With the file its memory goes: whoever was writing to it gets a signal (OP-5). */
static void gone(int signal)
{
	(void)signal;
	_exit(0);
}

/* The descriptor is closed under threads that are in the middle of calls. */
static int close_under_calls(struct child_report *report, void *argument)
{
	pthread_t threads[USERS + 2];
	unsigned int i;

	(void)argument;
	if (kmt_session_open(&session, NULL, 0))
		child_fail(report, "no session");
	pthread_create(&threads[0], NULL, make, (void *)1);
	pthread_create(&threads[1], NULL, destroy, (void *)2);
	for (i = 0; i < USERS; i++)
		pthread_create(&threads[2 + i], NULL, use, (void *)(uintptr_t)(3 + i));
	kmt_sleep_us(100000);
	signal(SIGBUS, gone);
	signal(SIGSEGV, gone);
	close(session.fd);
	kmt_sleep_us(20000);
	_exit(0);	/* and the threads with it */
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       dxg_count(4, 60);
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32];
	void *(*const functions[])(void *) = { make, make, destroy, use, use, steal };
	struct child_report *report = child_reports(1);
	pthread_t threads[6];
	unsigned int processes = dxg_count(10, 200), i, bad = 0;
	int32_t status;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	for (i = 0; i < processes; i++) {
		if (child_reap(child_start(close_under_calls, report, NULL, true, 30), how,
			       sizeof(how)))
			continue;
		diag("process %u: %s", i, how);
		bad++;
	}
	ok(!bad && !report->problem[0], "%u processes closed the file under their threads",
	   processes);
	if (!ok(counters_settle(baseline, 10000, last), "nothing is left of them"))
		diag("before: %s; after: %s", baseline, last);

	status = kmt_session_open(&session, NULL, 0);
	if (NT_SUCCESS(status))
		status = rival_create(&rival);
	if (!NT_SUCCESS(status))
		bail("set-up: status %#x", (uint32_t)status);
	for (i = 0; i < 6; i++)
		if (pthread_create(&threads[i], NULL, functions[i], (void *)(uintptr_t)(i + 10)))
			bail("thread %u cannot start", i);
	kmt_sleep_us(seconds * 1000000);
	atomic_store(&stop, true);
	for (i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);

	diag("%u queues, %u calls succeeded, %u were refused", atomic_load(&made),
	     atomic_load(&connected), atomic_load(&refused));
	ok(atomic_load(&made) > 20, "queues came and went");
	ok(!atomic_load(&odd), "every call succeeded, or met nobody (%u others, last %#x)",
	   atomic_load(&odd), (uint32_t)atomic_load(&odd_status));
	ok(queue_probe(&rival.queues[0]) == STATUS_SUCCESS, "the rival's queue works");
	ok(rival_destroy(&rival) == STATUS_SUCCESS &&
	   kmt_session_close(&session) == STATUS_SUCCESS, "all is destroyed");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
