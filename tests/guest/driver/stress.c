// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Submissions by the million, while somebody takes the doorbells away all the time: as
 * many queues as slots, one more, four times, and 64 times as many (ORD-2, ORD-3, ORD-6, ORD-7,
 * ORD-8, ORD-10, ORD-23, ORD-24, SM-6, OBJ-2, KMT-CN-3, KMT-CN-4, KMT-CN-7, MOD-8, UMD-5).
 *
 *   driver-stress [SUBMISSIONS [SEED]]
 *
 * Four processes of two threads each; a thread takes any queue of its process and adds a
 * command. The parent's rival connects queues of its own, so that all slots are taken from
 * the others, and now and then destroys its doorbells, so that slots are nobody's: there the
 * device counts a ring that comes through a mapping which should be gone (ORD-2).
 *
 * That each command ran exactly once the chain of chain.h shows; a fence that is WAIT_NS
 * late is stuck. The seed is printed; the same seed draws the same queues and pauses.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include "../host.h"
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "noise.h"
#include "rival.h"

#define PROCESSES	4u
#define THREADS		2u
#define STEPS		64u
#define WAIT_NS		(60ull * 1000 * 1000 * 1000)
#define WORK_SECONDS	dxg_count(120, 7200)
#define MOST_PAUSE_US	2000u
#define YIELD_EVERY	16u

enum { STAGE_DONE = 1, STAGE_EXIT = 2 };
enum { SUBMITTED, RINGS, RETRIES, CONNECTS, BUSY, FENCES, WRONG, SLOWEST_NS, NUM_VALUES };

/* A queue that any thread of its process may use, by its lock. */
struct lane {
	pthread_mutex_t lock;
	struct queue queue;
	struct chain chain;
	uint32_t laps;
};

/* What a process is to do. */
struct share {
	unsigned int queues;
	unsigned int commands;
	uint64_t seed;
};

struct process {
	struct child_report *report;
	const struct share *share;
	struct kmt_session session;
	struct lane *lanes;
	atomic_uint taken;		/* commands, one more per thread at the end */
	atomic_uint started;		/* threads */
	atomic_uint_fast64_t slowest_ns;
	atomic_bool failed;
};

static void lane_problem(struct process *process, const struct lane *lane, const char *what,
			 int32_t status)
{
	child_problem(process->report, "queue %td, lap %u: %s: status %#x: wp %llu rp %llu fence %llu stat %llu",
		      lane - process->lanes, lane->laps, what, (uint32_t)status,
		      (unsigned long long)lane->queue.wp,
		      (unsigned long long)queue_read_pointer(&lane->queue),
		      (unsigned long long)*lane->queue.fence_cpu,
		      (unsigned long long)*lane->queue.stat);
	atomic_store(&process->failed, true);
}

/* Waits for all that the lane has and checks its lap. */
static bool lane_end(struct process *process, struct lane *lane)
{
	uint64_t start = kmt_now_ns(), took, slowest = atomic_load(&process->slowest_ns);
	int32_t status = lane->laps & 1 ?
		kmt_wait(&process->session, lane->queue.fence, lane->queue.wp) :
		queue_wait(&lane->queue, lane->queue.wp, WAIT_NS);
	char problem[128];

	if (status != STATUS_SUCCESS) {
		lane_problem(process, lane, "wait", status);
		return false;
	}
	took = kmt_now_ns() - start;
	while (took > slowest &&
	       !atomic_compare_exchange_weak(&process->slowest_ns, &slowest, took))
		;
	if (chain_check(&lane->chain, problem, sizeof(problem))) {
		process->report->values[WRONG]++;
		lane_problem(process, lane, problem, STATUS_SUCCESS);
		return false;
	}
	return true;
}

static void lane_submit(struct process *process, struct lane *lane)
{
	int32_t status;

	pthread_mutex_lock(&lane->lock);
	if (lane->chain.steps == STEPS && lane_end(process, lane))
		chain_begin(&lane->chain, ++lane->laps * 1000003u +
					  (uint32_t)(lane - process->lanes));
	if (!atomic_load(&process->failed)) {
		chain_publish(&lane->chain);
		status = queue_deliver(&lane->queue);
		if (!NT_SUCCESS(status))
			lane_problem(process, lane, "deliver", status);
	}
	pthread_mutex_unlock(&lane->lock);
}

static void *submit(void *argument)
{
	struct process *process = argument;
	struct noise source = { process->share->seed + atomic_fetch_add(&process->started, 1) };

	while (!atomic_load(&process->failed) &&
	       atomic_fetch_add(&process->taken, 1) < process->share->commands)
		lane_submit(process,
			    &process->lanes[noise_below(&source, process->share->queues)]);
	return NULL;
}

static void begin(struct process *process)
{
	unsigned int i;
	int32_t status = kmt_session_open(&process->session, NULL, 0);

	process->lanes = calloc(process->share->queues, sizeof(*process->lanes));
	if (!NT_SUCCESS(status) || !process->lanes)
		child_fail(process->report, "session: status %#x", (uint32_t)status);
	for (i = 0; i < process->share->queues; i++) {
		struct lane *lane = &process->lanes[i];

		pthread_mutex_init(&lane->lock, NULL);
		status = queue_create(&lane->queue, &process->session, process->session.context,
				      QUEUE_RING_BYTES);
		if (NT_SUCCESS(status))
			status = chain_create(&lane->chain, &lane->queue, STEPS);
		if (!NT_SUCCESS(status))
			child_fail(process->report, "queue %u: status %#x", i, (uint32_t)status);
		chain_begin(&lane->chain, i);
	}
}

/* All fences, and then once more, as a duplicate would come late. */
static void sum_up(struct process *process)
{
	volatile uint64_t *values = process->report->values;
	unsigned int i;

	for (i = 0; i < process->share->queues && !process->failed; i++)
		lane_end(process, &process->lanes[i]);
	kmt_sleep_us(20000);
	for (i = 0; i < process->share->queues; i++) {
		struct lane *lane = &process->lanes[i];

		if (!process->failed)
			lane_end(process, lane);
		values[SUBMITTED] += lane->queue.wp;
		values[RINGS] += lane->queue.rings;
		values[RETRIES] += lane->queue.retries;
		values[CONNECTS] += lane->queue.connects;
		values[BUSY] += lane->queue.busy;
		values[FENCES] += *lane->queue.fence_cpu;
	}
	values[SLOWEST_NS] = process->slowest_ns;
}

static int work(struct child_report *report, void *argument)
{
	struct process process = { .report = report, .share = argument };
	pthread_t threads[THREADS];
	unsigned int i;

	if (process.share->queues) {
		begin(&process);
		for (i = 0; i < THREADS; i++)
			if (pthread_create(&threads[i], NULL, submit, &process))
				child_fail(report, "thread %u cannot start", i);
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		sum_up(&process);
	}
	child_stage(report, STAGE_DONE);
	return report->problem[0] ? 1 : 0;
}

/* The thread that takes slots away; the rival is its own. */
struct thief {
	struct rival rival;
	struct noise source;
	atomic_bool stop;
	uint64_t connects, yields;
	int32_t status;			/* the first that was neither SUCCESS nor BUSY */
};

static void *steal(void *argument)
{
	struct thief *thief = argument;

	while (!atomic_load(&thief->stop)) {
		struct queue *queue = &thief->rival.queues[thief->connects++ % thief->rival.count];
		int32_t status = doorbell_connect(thief->rival.session.fd, queue->doorbell);

		if (status != STATUS_SUCCESS && status != STATUS_DEVICE_BUSY && !thief->status)
			thief->status = status;
		if (thief->connects % YIELD_EVERY == 0) {
			status = rival_yield(&thief->rival);
			thief->yields++;
			if (!NT_SUCCESS(status) && !thief->status)
				thief->status = status;
		}
		kmt_sleep_us((unsigned int)noise_below(&thief->source, MOST_PAUSE_US));
	}
	return NULL;
}

static void phase(struct thief *thief, unsigned int queues, unsigned int commands, uint64_t seed)
{
	unsigned int slots = thief->rival.count, given = 0, i, v;
	struct child_report *reports = child_reports(PROCESSES);
	uint64_t total[NUM_VALUES] = { 0 }, taken = adapter_value("victimizations"), start;
	unsigned long long stray_before, stray = 0;
	bool device = !dxg_host_stat("doorbell_unbound", &stray_before), reached = true, well = true;
	struct share shares[PROCESSES];
	pid_t pids[PROCESSES];
	pthread_t thread;
	char how[32];

	for (i = 0; i < PROCESSES; i++) {
		shares[i].queues = queues / PROCESSES + (i < queues % PROCESSES);
		/* Each queue gets its part; what is left over, the first process. */
		shares[i].commands = (unsigned int)((uint64_t)commands * shares[i].queues / queues);
		shares[i].seed = seed + 1000 * (i + 1);
		given += shares[i].commands;
	}
	shares[0].commands += commands - given;
	atomic_store(&thief->stop, false);
	thief->source.state = seed;
	thief->connects = thief->yields = 0;
	start = kmt_now_ns();
	for (i = 0; i < PROCESSES; i++)
		pids[i] = child_start(work, &reports[i], &shares[i], true, WORK_SECONDS);
	if (pthread_create(&thread, NULL, steal, thief))
		bail("the rival's thread cannot start");
	for (i = 0; i < PROCESSES; i++)
		reached &= child_await(&reports[i], pids[i], STAGE_DONE, WORK_SECONDS * 1000);
	atomic_store(&thief->stop, true);
	pthread_join(thread, NULL);
	taken = adapter_value("victimizations") - taken;
	for (i = 0; i < PROCESSES; i++) {
		for (v = 0; v < SLOWEST_NS; v++)
			total[v] += reports[i].values[v];
		if (reports[i].values[SLOWEST_NS] > total[SLOWEST_NS])
			total[SLOWEST_NS] = reports[i].values[SLOWEST_NS];
		reports[i].go = STAGE_EXIT;
	}
	for (i = 0; i < PROCESSES; i++)
		if (!child_reap(pids[i], how, sizeof(how)) || reports[i].problem[0]) {
			diag("process %u: %s: %s", i, how, reports[i].problem);
			well = false;
		}
	diag("%u queues, %u slots: %llu submissions in %llu ms, rings %llu, retries %llu, connects %llu, busy %llu; rival's connects %llu, yields %llu; victimizations %llu; slowest wait %llu us",
	     queues, slots, (unsigned long long)total[SUBMITTED],
	     (unsigned long long)(kmt_now_ns() - start) / 1000000,
	     (unsigned long long)total[RINGS], (unsigned long long)total[RETRIES],
	     (unsigned long long)total[CONNECTS], (unsigned long long)total[BUSY],
	     (unsigned long long)thief->connects, (unsigned long long)thief->yields,
	     (unsigned long long)taken, (unsigned long long)total[SLOWEST_NS] / 1000);
	ok(reached && well, "%u queues: no fence is stuck, no call failed", queues);
	ok(total[SUBMITTED] == commands && !total[WRONG] && total[FENCES] == commands,
	   "%u queues: %u commands, each executed exactly once (%llu, %llu fences, %llu wrong)",
	   queues, commands, (unsigned long long)total[SUBMITTED],
	   (unsigned long long)total[FENCES], (unsigned long long)total[WRONG]);
	ok((kmt_global(&thief->rival.session) ? !taken : taken >= slots) && !thief->status,
	   "%u queues: %llu doorbells were taken away (%#x)", queues, (unsigned long long)taken,
	   (uint32_t)thief->status);
	if (device)
		ok(!dxg_host_stat("doorbell_unbound", &stray) && stray == stray_before,
		   "%u queues: no ring came through a mapping that was revoked (ORD-2; %llu)",
		   queues, stray - stray_before);
}

int main(int argc, char **argv)
{
	unsigned int commands = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
					   dxg_count(10000, 1000000);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct thief thief = { 0 };
	unsigned int slots;
	int32_t status;

	if (!ok(counters_read(before), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	status = rival_create(&thief.rival);
	if (!NT_SUCCESS(status))
		bail("rival: status %#x", (uint32_t)status);
	slots = thief.rival.count;
	diag("%u submissions, seed %llu", commands, (unsigned long long)seed);
	phase(&thief, slots, commands / 4, seed);
	phase(&thief, slots + 1, commands / 4, seed + 1);
	phase(&thief, 4 * slots, commands / 4, seed + 2);
	phase(&thief, 64 * slots, commands - 3 * (commands / 4), seed + 3);
	ok(rival_destroy(&thief.rival) == STATUS_SUCCESS, "the rival is destroyed");
	if (!ok(counters_settle(before, 10000, last), "nothing is left"))
		diag("before: %s; after: %s", before, last);
	return done();
}
