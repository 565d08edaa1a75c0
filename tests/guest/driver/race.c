// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lost-wakeup argument of 2.4 under fire: one thread submits and rings without a
 * single system call, another connects its doorbell for it, a rival takes the slot
 * away. A ring that read CONNECTED is never repeated; its work must come (cases 1, 2
 * and 4; ORD-1, ORD-2, ORD-3, ORD-4, ORD-6, ORD-7, ORD-8, ORD-9, ORD-10, ORD-16, ORD-17,
 * ORD-18, UMD-7, MOD-8, MAP-3, MAP-9, CB-DC-2, ILL-6).
 *
 *   driver-race [SECONDS]
 *
 * A kernel that shows the dummy page before STAT says RETRY, or says CONNECTED before
 * every CPU has forgotten the dummy, or that frees a slot without a final sample,
 * leaves a fence stuck here. Two things would hide the fault, as each of them is a
 * sample: the next unbind, and a connect that nobody asked for. So the rival steals once
 * and keeps still until the submission that it may have hit has ended, or is stuck for
 * good; and the other thread connects only when a ring has found RETRY.
 *
 * A page that is there too early or too late loses nothing as long as a sample
 * follows. So before all this the pages themselves are looked at: who has marked the
 * dummy finds the mark there and never in a slot, where nobody rings yet.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "tap.h"
#include "debugfs.h"
#include "rival.h"

#define STUCK_NS	(4ull * 1000 * 1000 * 1000)

struct race {
	struct kmt_session session;
	struct queue queue;
	struct rival rival;
	atomic_bool stop;
	atomic_bool wanted;		/* a ring found RETRY: please connect */
	int32_t connect_status;		/* first failure of the connecting thread */
	int32_t rival_status;
	atomic_uint_fast64_t submissions;	/* completed */
	uint64_t retries;		/* rings that found RETRY */
	uint64_t reconnected;		/* submissions that came over a RETRY */
	uint64_t connects;
	uint64_t steals;
	bool stuck;
	atomic_uint_fast64_t robberies;	/* calls of rob() that have returned */
	atomic_bool watching;		/* of watch() */
	atomic_bool resting;
	uint64_t looks;
	uint64_t wrong;
};

#define MARK	1u

static void stay_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);	/* with one CPU there is none to choose */
}

/* The clock is read by vDSO, or else seldom: the point is to stay out of the kernel. */
static void *submit(void *argument)
{
	struct race *race = argument;
	struct queue *queue = &race->queue;

	stay_on_cpu(0);
	while (!atomic_load(&race->stop)) {
		struct dxg_commands commands = queue_commands(queue);
		uint64_t fence = queue_publish(queue, &commands);
		uint64_t spins = 0, start = 0;
		bool retried = false;

		while (queue_ring(queue) != DXG_DOORBELLSTATUS_CONNECTED) {
			race->retries++;
			retried = true;
			atomic_store(&race->wanted, true);
			while (*queue->stat != DXG_DOORBELLSTATUS_CONNECTED &&
			       !atomic_load(&race->stop))
				__builtin_ia32_pause();
			if (atomic_load(&race->stop))
				return NULL;
		}
		race->reconnected += retried;
		if (retried)
			atomic_store(&race->wanted, false);
		while (*queue->fence_cpu < fence) {
			__builtin_ia32_pause();
			if (++spins % 100000)
				continue;
			if (!start)
				start = kmt_now_ns();
			else if (kmt_now_ns() - start > STUCK_NS)
				race->stuck = true;
			if (race->stuck)
				return NULL;
		}
		atomic_fetch_add(&race->submissions, 1);
	}
	return NULL;
}

static void *reconnect(void *argument)
{
	struct race *race = argument;

	stay_on_cpu(1);
	while (!atomic_load(&race->stop)) {
		int32_t status;

		if (!atomic_load(&race->wanted) ||
		    *race->queue.stat != DXG_DOORBELLSTATUS_DISCONNECTED_RETRY) {
			kmt_sleep_us(20);
			continue;
		}
		status = doorbell_connect(race->session.fd, race->queue.doorbell);
		race->connects++;
		if (status != STATUS_SUCCESS && status != STATUS_DEVICE_BUSY &&
		    !race->connect_status)
			race->connect_status = status;
	}
	return NULL;
}

/* The whole submission after the one that was hit: from 2 to 9 of them, at random. */
static void keep_still(struct race *race, unsigned int *seed)
{
	uint64_t until = atomic_load(&race->submissions) + 2 + (unsigned int)rand_r(seed) % 8;

	while (atomic_load(&race->submissions) < until && !atomic_load(&race->stop))
		kmt_sleep_us(50);
}

static void *steal(void *argument)
{
	struct race *race = argument;
	unsigned int seed = 1;
	uint32_t next = 0;

	stay_on_cpu(1);
	while (!atomic_load(&race->stop)) {
		struct queue *queue = &race->rival.queues[next++ % race->rival.count];
		int32_t status = doorbell_connect(race->rival.session.fd, queue->doorbell);

		race->steals++;
		if (status != STATUS_SUCCESS && status != STATUS_DEVICE_BUSY &&
		    !race->rival_status)
			race->rival_status = status;
		keep_still(race, &seed);
	}
	return NULL;
}

static void *rob(void *argument)
{
	struct race *race = argument;
	uint32_t next = 0;

	stay_on_cpu(1);
	while (!atomic_load(&race->stop)) {
		doorbell_connect(race->rival.session.fd,
				 race->rival.queues[next++ % race->rival.count].doorbell);
		atomic_fetch_add(&race->robberies, 1);
		kmt_sleep_us(200);
	}
	return NULL;
}

/* Only this thread connects, a rival takes away: what STAT says before and after a look. */
static void look_at_revokes(struct race *race, unsigned int seconds)
{
	uint64_t end = kmt_now_ns() + seconds * 1000000000ull, seen, stat;
	uint64_t looks = 0, revokes = 0, early = 0, late = 0, robberies;
	struct queue *queue = &race->queue;
	pthread_t thread;

	stay_on_cpu(0);
	if (pthread_create(&thread, NULL, rob, race))
		bail("the robber cannot start");
	while (kmt_now_ns() < end) {
		seen = *queue->bell;
		atomic_thread_fence(memory_order_seq_cst);
		stat = *queue->stat;
		looks++;
		early += seen == MARK && stat == DXG_DOORBELLSTATUS_CONNECTED;
		if (stat == DXG_DOORBELLSTATUS_CONNECTED)
			continue;
		revokes++;
		/* Once the call that took it has returned, the slot is the rival's. */
		robberies = atomic_load(&race->robberies);
		while (atomic_load(&race->robberies) == robberies)
			kmt_sleep_us(50);
		late += *queue->bell != MARK;
		doorbell_connect(race->session.fd, queue->doorbell);
	}
	atomic_store(&race->stop, true);
	pthread_join(thread, NULL);
	atomic_store(&race->stop, false);
	diag("%llu looks, %llu revokes; the dummy was seen too early %llu times, the slot too late %llu",
	     (unsigned long long)looks, (unsigned long long)revokes, (unsigned long long)early,
	     (unsigned long long)late);
	ok(looks && revokes > 10 && !early,
	   "who sees the dummy reads no CONNECTED after it (ORD-1 ORD-6 ORD-16)");
	ok(!late, "a slot that was taken is seen no more (ORD-2 ORD-9)");
}

/* While nobody takes the doorbell away: under CONNECTED there is no dummy. */
static void *watch(void *argument)
{
	struct race *race = argument;
	uint64_t stat;

	stay_on_cpu(0);
	while (!atomic_load(&race->stop)) {
		if (!atomic_load(&race->watching)) {
			atomic_store(&race->resting, true);
			continue;
		}
		stat = *race->queue.stat;
		atomic_thread_fence(memory_order_seq_cst);
		race->wrong += *race->queue.bell == MARK && stat == DXG_DOORBELLSTATUS_CONNECTED;
		race->looks++;
	}
	return NULL;
}

static void look_at_connects(struct race *race, unsigned int rounds)
{
	unsigned int i, connected = 0;
	pthread_t thread;

	stay_on_cpu(1);
	if (pthread_create(&thread, NULL, watch, race))
		bail("the watching thread cannot start");
	for (i = 0; i < rounds; i++) {
		atomic_store(&race->watching, false);
		atomic_store(&race->resting, false);
		while (!atomic_load(&race->resting))
			kmt_sleep_us(20);
		rival_steal(&race->rival, &race->queue);
		atomic_store(&race->watching, true);
		kmt_sleep_us(200);
		connected += doorbell_connect(race->session.fd, race->queue.doorbell) ==
			     STATUS_SUCCESS;
		kmt_sleep_us(200);
	}
	atomic_store(&race->stop, true);
	pthread_join(thread, NULL);
	atomic_store(&race->stop, false);
	ok(connected > rounds / 2 && !race->wrong,
	   "who reads CONNECTED sees no dummy after it (ORD-1 ORD-4 ORD-7)");
	diag("%llu looks at %u connects, %llu wrong", (unsigned long long)race->looks, connected,
	     (unsigned long long)race->wrong);
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       dxg_count(6, 120);
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	void *(*const functions[])(void *) = { submit, reconnect, steal };
	pthread_t threads[3];
	struct race race = { 0 };
	unsigned int i, waited;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&race.session, NULL, 0), "session");
	must(queue_create(&race.queue, &race.session, race.session.context, QUEUE_RING_BYTES),
	     "queue");
	must(rival_create(&race.rival), "rival");
	*race.queue.bell = MARK;
	look_at_revokes(&race, dxg_count(1, 20));
	look_at_connects(&race, dxg_count(100, 2000));
	for (i = 0; i < 3; i++)
		if (pthread_create(&threads[i], NULL, functions[i], &race))
			bail("thread %u cannot start", i);
	for (waited = 0; waited < seconds * 100 && !race.stuck; waited++)
		kmt_sleep_us(10000);
	atomic_store(&race.stop, true);
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);

	diag("submissions %llu retries %llu reconnected %llu connects %llu steals %llu victims %llu",
	     (unsigned long long)race.submissions, (unsigned long long)race.retries,
	     (unsigned long long)race.reconnected, (unsigned long long)race.connects,
	     (unsigned long long)race.steals, (unsigned long long)adapter_value("victimizations"));
	if (!ok(!race.stuck, "no fence is stuck"))
		diag("wp %llu rp %llu fence %llu stat %llu", (unsigned long long)race.queue.wp,
		     (unsigned long long)queue_read_pointer(&race.queue),
		     (unsigned long long)*race.queue.fence_cpu,
		     (unsigned long long)*race.queue.stat);
	ok(!race.connect_status, "no connect failed (%#x)", (uint32_t)race.connect_status);
	ok(!race.rival_status, "nor one of the rival (%#x)", (uint32_t)race.rival_status);
	ok(race.submissions > 100 && race.reconnected > 10,
	   "%llu submissions, %llu of them over a reconnect",
	   (unsigned long long)race.submissions, (unsigned long long)race.reconnected);
	ok(queue_probe(&race.queue) == STATUS_SUCCESS &&
	   *race.queue.fence_cpu == race.queue.wp, "afterwards fence and WP agree");
	ok(queue_destroy(&race.queue) == STATUS_SUCCESS &&
	   rival_destroy(&race.rival) == STATUS_SUCCESS &&
	   kmt_session_close(&race.session) == STATUS_SUCCESS, "all is destroyed");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
