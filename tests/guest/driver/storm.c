// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an unprivileged process can write at full rate: its doorbell, its ring control, its
 * last queued value, and connect calls without end. Others' results stay right, and the median
 * lap, but for full rings beside it, is at most 100 ms later than without a storm (SEC-5, SEC-6, SEC-7, SEC-8,
 * SEC-18, PF-6, MOD-8).
 *
 *   driver-storm [SECONDS PER STORM]
 */
#include <stdlib.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "pace.h"

#define WAIT_NS		(30ull * 1000 * 1000 * 1000)
#define ALONE_LAPS	50u
#define ATTACKERS_QUEUES	8u
#define ADDED_NS	(100ull * 1000 * 1000)
#define STAGE_STORMING	1

enum storm { STORM_RINGS, STORM_CONTROL, STORM_CONNECTS, STORM_WORK, NUM_STORMS };

static const char *const names[NUM_STORMS] = {
	"rings without work", "random RP, RingNeeded and LQ", "connects without end",
	"full rings",
};

/* Keeps the ring full of the largest fills that a command may hold. */
static void work(struct queue *queue, const struct kmt_buffer *target)
{
	while (queue_has_room(queue)) {
		struct dxg_commands commands = queue_commands(queue);

		dxg_commands_fill(&commands, target->gpuva, 1, (uint32_t)target->bytes);
		queue_publish(queue, &commands);
	}
	queue_deliver(queue);
}

static void storm(enum storm kind, struct queue *queues, unsigned int count,
		  const struct kmt_buffer *target, unsigned int *seed)
{
	struct queue *queue = &queues[(unsigned int)rand_r(seed) % count];
	volatile struct dxgpu_ring_control *control = queue->control.cpu;
	unsigned int i;

	switch (kind) {
	case STORM_RINGS:
		for (i = 0; i < 1000; i++)
			*queue->bell = (uint64_t)(unsigned int)rand_r(seed) << 33;
		break;
	case STORM_CONTROL:
		for (i = 0; i < 100; i++) {
			control->rp = (uint64_t)(unsigned int)rand_r(seed) << 20;
			control->ring_needed = (uint32_t)rand_r(seed);
			*queue->last_queued = (uint64_t)(unsigned int)rand_r(seed) << 30;
			*queue->bell = i;
		}
		break;
	case STORM_CONNECTS:
		for (i = 0; i < count; i++)
			doorbell_connect(queues[i].session->fd, queues[i].doorbell);
		break;
	default:
		work(queue, target);
		break;
	}
}

static int attacker(struct child_report *report, void *argument)
{
	enum storm kind = *(enum storm *)argument;
	struct kmt_buffer target;
	struct kmt_session session;
	struct queue queues[ATTACKERS_QUEUES];
	unsigned int seed = 7, i;

	if (kmt_session_open(&session, NULL, 0) ||
	    kmt_buffer_create(&session, session.caps.max_transfer_bytes, KMT_BUFFER_NO_CPU,
			      &target))
		child_fail(report, "no session");
	if (target.bytes > session.caps.max_transfer_bytes)
		target.bytes = session.caps.max_transfer_bytes;
	for (i = 0; i < ATTACKERS_QUEUES; i++)
		if (queue_create(&queues[i], &session, session.context, QUEUE_RING_BYTES) ||
		    queue_probe(&queues[i]))
			child_fail(report, "no queue %u", i);
	report->stage = STAGE_STORMING;
	while (!report->go) {
		storm(kind, queues, ATTACKERS_QUEUES, &target, &seed);
		report->values[0]++;
	}
	for (i = 0; i < ATTACKERS_QUEUES; i++)
		*queues[i].last_queued = *queues[i].fence_cpu;
	return 0;
}

static void weather(enum storm kind, struct chain *neighbour, unsigned int seconds,
		    uint64_t alone_ns)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32], problem[200] = "";
	struct child_report *report = child_reports(1);
	struct pace *pace = calloc(1, sizeof(*pace));
	uint64_t end, median;
	int32_t status = STATUS_SUCCESS;
	unsigned int laps = 0;
	pid_t pid;

	if (!pace)
		bail("no memory");
	counters_read(baseline);
	pid = child_start(attacker, report, &kind, true, 120);
	if (!child_await(report, pid, STAGE_STORMING, 30000))
		bail("%s: no attacker: %s", names[kind], report->problem);
	for (end = kmt_now_ns() + seconds * 1000000000ull;
	     kmt_now_ns() < end && status == STATUS_SUCCESS; laps++) {
		uint64_t start = kmt_now_ns();

		status = chain_lap(neighbour, (uint32_t)kind << 16 | laps, 4, WAIT_NS, problem,
				   sizeof(problem));
		pace_add(pace, kmt_now_ns() - start);
	}
	report->go = 1;
	ok(status == STATUS_SUCCESS, "%s: %u laps of the neighbour are right %s", names[kind], laps,
	   problem);
	median = pace_median(pace);
	if (kind == STORM_WORK)
		/* Work beside work: how long its entries take is the attacker's to say, up to a limit. */
		diag("%s: their median %llu us", names[kind], (unsigned long long)median / 1000);
	else
		ok(median <= alone_ns + ADDED_NS,
		   "%s: their median %llu us, %llu us without it, the slowest %llu us, %llu storms (SEC-7)",
		   names[kind], (unsigned long long)median / 1000,
		   (unsigned long long)alone_ns / 1000,
		   (unsigned long long)pace->slowest_ns / 1000,
		   (unsigned long long)report->values[0]);
	ok(child_reap(pid, how, sizeof(how)), "%s: the attacker ends (%s) %s", names[kind], how,
	   report->problem);
	if (!ok(counters_settle(baseline, 20000, last), "%s: nothing is left", names[kind]))
		diag("before: %s; after: %s", baseline, last);
	free(pace);
}

/* The median lap without a storm. */
static uint64_t calm(struct chain *neighbour)
{
	struct pace *pace = calloc(1, sizeof(*pace));
	char problem[200] = "";
	uint64_t median;
	unsigned int i;

	if (!pace)
		bail("no memory");
	for (i = 0; i < ALONE_LAPS; i++) {
		uint64_t start = kmt_now_ns();

		if (chain_lap(neighbour, i, 4, WAIT_NS, problem, sizeof(problem)))
			bail("a lap without a storm: %s", problem);
		pace_add(pace, kmt_now_ns() - start);
	}
	median = pace_median(pace);
	free(pace);
	return median;
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       dxg_count(2, 30);
	struct kmt_session session;
	struct queue queue;
	struct chain chain;
	uint64_t alone_ns;
	int kind;

	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    chain_create(&chain, &queue, 64))
		bail("no neighbour");
	alone_ns = calm(&chain);
	for (kind = 0; kind < NUM_STORMS; kind++)
		weather((enum storm)kind, &chain, seconds, alone_ns);
	return done();
}
