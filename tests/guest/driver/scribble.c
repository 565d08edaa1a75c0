// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that writes noise into every page that it may write: rings, ring controls,
 * doorbells, last queued values, commands and data, from two threads, while it submits.
 * Its neighbours' results stay right, each command executed once, and come in time, the median lap
 * at most 100 ms later than that of the neighbours alone; nothing of it is left (SEC-1, SEC-2, SEC-4, SEC-5, SEC-8, SEC-9, FH-13, FH-14, FH-15, FH-16, OBJ-24).
 *
 *   driver-scribble [SECONDS [SEED]]
 *
 * A life of the process ends when all its queues are in error, or after a while; then
 * it begins anew. Life n of attacker a draws from SEED + a + 1000 n.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "noise.h"
#include "pace.h"

#define ATTACKERS	2u
#define NEIGHBOURS	2u
#define QUEUES		4u
#define PAGES_PER_QUEUE	6u
#define LIFE_NS		(300ull * 1000 * 1000)
#define WAIT_NS		(30ull * 1000 * 1000 * 1000)
#define ADDED_NS	(100ull * 1000 * 1000)
#define ALONE_LAPS	50u
#define STAGE_RUNNING	1
#define STAGE_ATTACKED	1
#define STAGE_OVER	2

/* Values of an attacker's report. */
enum { LIVES, WRITES, ABORTS, ACCEPTED };
/* Of a neighbour's. */
enum { LAPS, ALONE, ATTACKED, SLOWEST };

struct attacker {
	unsigned int number;
	unsigned int seed;
};

struct page {
	volatile uint8_t *address;
	uint32_t bytes;
};

struct life {
	struct child_report *report;
	struct kmt_session session;
	struct queue queues[QUEUES];
	struct kmt_buffer data[QUEUES];
	struct page pages[QUEUES * PAGES_PER_QUEUE];
	unsigned int num_pages;
	struct noise source;
	volatile bool over;
};

static void page_add(struct life *life, volatile void *address, uint64_t bytes)
{
	uint64_t start = (uintptr_t)address & ~(uint64_t)(KMT_PAGE_BYTES - 1);

	if (bytes < KMT_PAGE_BYTES)
		bytes = KMT_PAGE_BYTES;
	life->pages[life->num_pages++] = (struct page) {
		.address = (volatile uint8_t *)(uintptr_t)start,
		.bytes = (uint32_t)bytes,
	};
}

static bool life_begin(struct life *life)
{
	struct kmt_session *session = &life->session;
	unsigned int i;

	if (kmt_session_open(session, NULL, 0))
		return false;
	for (i = 0; i < QUEUES; i++) {
		struct queue *queue = &life->queues[i];

		if (queue_create(queue, session, session->context, QUEUE_RING_BYTES) ||
		    kmt_buffer_create(session, 4 * KMT_PAGE_BYTES, 0, &life->data[i]))
			return false;
		page_add(life, queue->ring.cpu, queue->ring.bytes);
		page_add(life, queue->control.cpu, queue->control.bytes);
		page_add(life, queue->commands.cpu, queue->commands.bytes);
		page_add(life, life->data[i].cpu, life->data[i].bytes);
		page_add(life, queue->bell, 8);
		page_add(life, queue->last_queued, 8);
	}
	return true;
}

/* One write of 1 to 8 bytes, aligned or not. */
static void scribble(struct life *life, struct noise *source)
{
	const struct page *page = &life->pages[noise_below(source, life->num_pages)];
	uint32_t width = 1u << noise_below(source, 4);
	uint32_t offset = (uint32_t)noise_below(source, page->bytes - width + 1);
	uint64_t value = noise_value(source);
	volatile uint8_t *at = page->address + offset;
	uint32_t i;

	/* Mostly where something is: at the start of a page. */
	if (noise_below(source, 2))
		at = page->address + offset % 256 / width * width;
	if (noise_below(source, 4) == 0)
		value = life->data[0].gpuva + noise_below(source, 0x40000);
	if ((uintptr_t)at % width == 0 && width == 8)
		*(volatile uint64_t *)at = value;
	else
		for (i = 0; i < width; i++)
			at[i] = (uint8_t)(value >> 8 * i);
}

static void *scribbler(void *argument)
{
	struct life *life = argument;
	struct noise source = { life->source.state + 500 };

	while (!life->over) {
		unsigned int burst = (unsigned int)noise_below(&source, 20);

		life->report->values[WRITES] += burst;
		while (burst--)
			scribble(life, &source);
		kmt_sleep_us((unsigned int)noise_below(&source, 2000));
	}
	return NULL;
}

/* Honest work, as far as it comes before it is written over. */
static void submit(struct life *life, unsigned int index)
{
	struct queue *queue = &life->queues[index];
	struct dxg_commands commands;

	/* RP may be noise; what counts here is that we do not wait for ourselves. */
	if (!queue_has_room(queue))
		return;
	commands = queue_commands(queue);
	dxg_commands_fill(&commands, life->data[index].gpuva, 0x5a, 4096);
	queue_publish(queue, &commands);
	if (NT_SUCCESS(queue_deliver(queue)))
		life->report->values[ACCEPTED]++;
}

static unsigned int aborted(const struct life *life)
{
	unsigned int count = 0, i;

	for (i = 0; i < QUEUES; i++)
		count += *life->queues[i].stat == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT;
	return count;
}

static void live(struct life *life)
{
	uint64_t end = kmt_now_ns() + LIFE_NS;
	pthread_t thread;

	if (pthread_create(&thread, NULL, scribbler, life))
		child_fail(life->report, "no thread");
	while (kmt_now_ns() < end && aborted(life) < QUEUES) {
		unsigned int index = (unsigned int)noise_below(&life->source, QUEUES);
		unsigned int burst = (unsigned int)noise_below(&life->source, 8);

		submit(life, index);
		while (burst--)
			scribble(life, &life->source);
		sched_yield();
	}
	life->over = true;
	pthread_join(thread, NULL);
	life->report->values[ABORTS] += aborted(life);
}

static int attack(struct child_report *report, void *argument)
{
	const struct attacker *attacker = argument;
	uint64_t number;

	for (number = 0; !report->go; number++) {
		struct life life = {
			.report = report,
			.source = { attacker->seed + attacker->number + 1000 * number },
		};

		if (!life_begin(&life))
			child_fail(report, "life %llu cannot begin", (unsigned long long)number);
		report->stage = STAGE_RUNNING;
		live(&life);
		report->values[LIVES]++;
		close(life.session.fd);
	}
	return 0;
}

static int neighbour(struct child_report *report, void *argument)
{
	static struct pace alone, attacked;
	struct kmt_session session;
	struct queue queue;
	struct chain chain;

	(void)argument;
	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    chain_create(&chain, &queue, 64))
		child_fail(report, "no queue");
	while (report->go < STAGE_OVER) {
		struct pace *pace = report->go < STAGE_ATTACKED ? &alone : &attacked;
		uint64_t start = kmt_now_ns();
		char problem[200];

		if (chain_lap(&chain, (uint32_t)report->values[LAPS], 4, WAIT_NS, problem,
			      sizeof(problem)) != STATUS_SUCCESS)
			child_fail(report, "%s", problem);
		pace_add(pace, kmt_now_ns() - start);
		if (++report->values[LAPS] == ALONE_LAPS)
			report->stage = STAGE_RUNNING;
	}
	report->values[ALONE] = pace_median(&alone);
	report->values[ATTACKED] = pace_median(&attacked);
	report->values[SLOWEST] = attacked.slowest_ns;
	chain_destroy(&chain);
	if (queue_destroy(&queue) || kmt_session_close(&session))
		child_fail(report, "cannot clean up");
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       dxg_count(3, 30);
	unsigned int seed = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) :
				       (unsigned int)time(NULL);
	struct child_report *bad = child_reports(ATTACKERS), *good = child_reports(NEIGHBOURS);
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32];
	pid_t attackers[ATTACKERS], neighbours[NEIGHBOURS];
	unsigned int i;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	diag("%u s, seed %u", seconds, seed);
	for (i = 0; i < NEIGHBOURS; i++)
		neighbours[i] = child_start(neighbour, &good[i], NULL, true, seconds + 120);
	for (i = 0; i < NEIGHBOURS; i++) {
		if (!child_await(&good[i], neighbours[i], STAGE_RUNNING, 30000))
			bail("neighbour %u: %s", i, good[i].problem);
	}
	for (i = 0; i < ATTACKERS; i++) {
		struct attacker attacker = { .number = i, .seed = seed };

		attackers[i] = child_start(attack, &bad[i], &attacker, true, seconds + 120);
		if (!child_await(&bad[i], attackers[i], STAGE_RUNNING, 30000))
			bail("attacker %u: %s", i, bad[i].problem);
	}
	for (i = 0; i < NEIGHBOURS; i++)
		good[i].go = STAGE_ATTACKED;
	kmt_sleep_us(seconds * 1000000);
	for (i = 0; i < NEIGHBOURS; i++)
		good[i].go = STAGE_OVER;
	for (i = 0; i < ATTACKERS; i++)
		bad[i].go = 1;
	for (i = 0; i < ATTACKERS; i++)
		ok(child_reap(attackers[i], how, sizeof(how)) && bad[i].values[ABORTS],
		   "attacker %u: %llu lives, over %llu writes, %llu submissions accepted, %llu queues aborted (%s) %s",
		   i, (unsigned long long)bad[i].values[LIVES],
		   (unsigned long long)bad[i].values[WRITES],
		   (unsigned long long)bad[i].values[ACCEPTED],
		   (unsigned long long)bad[i].values[ABORTS], how, bad[i].problem);
	for (i = 0; i < NEIGHBOURS; i++) {
		ok(child_reap(neighbours[i], how, sizeof(how)) && good[i].values[LAPS],
		   "neighbour %u: %llu laps are right, nothing lost, nothing twice (%s) %s", i,
		   (unsigned long long)good[i].values[LAPS], how, good[i].problem);
		ok(good[i].values[ATTACKED] <= good[i].values[ALONE] + ADDED_NS,
		   "neighbour %u: the median %llu us, %llu us before, the slowest %llu us (FH-16)",
		   i, (unsigned long long)good[i].values[ATTACKED] / 1000,
		   (unsigned long long)good[i].values[ALONE] / 1000,
		   (unsigned long long)good[i].values[SLOWEST] / 1000);
	}
	if (!ok(counters_settle(baseline, 20000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	ok(!adapter_value("resets"), "and the adapter was never reset");
	return done();
}
