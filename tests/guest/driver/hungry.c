// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A machine without memory: a process eats all of it, and takes what the driver gives it,
 * while others go on. The kernel ends the eater; calls of the others succeed or answer
 * NO_MEMORY, their results stay right, and nothing is left (SEC-16, SEC-17, KMT-CD-20).
 *
 *   driver-hungry [MEALS]
 *
 * For a machine of some 200 MB, and without a swap: "dxg exec --memory 192".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "modules.h"

#define MEGABYTE	(1024u * 1024u)
#define PIECE		(4u * MEGABYTE)
#define WAIT_NS		(60ull * 1000 * 1000 * 1000)
#define PATIENCE_S	120u
#define STAGE_RUNNING	1

/* Values of a worker's report. */
enum { MADE, REFUSED };

/* First allocations of the driver, up to what it gives; then pages, until the end. */
static int eater(struct child_report *report, void *argument)
{
	struct kmt_session session;
	uint32_t allocation;

	(void)argument;
	if (sysfs_write("/proc/self/oom_score_adj", "", "1000"))
		child_fail(report, "oom_score_adj cannot be set");
	if (kmt_session_open(&session, NULL, 0))
		child_fail(report, "no session");
	while (!kmt_allocation_create(&session, PIECE, &allocation))
		report->values[MADE]++;
	for (;;) {
		char *piece = mmap(NULL, MEGABYTE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		size_t at;

		if (piece == MAP_FAILED)
			child_fail(report, "no more addresses");
		for (at = 0; at < MEGABYTE; at += KMT_PAGE_BYTES)
			piece[at] = 1;
	}
	return 0;
}

/* Makes and destroys one of everything, again and again. */
static int worker(struct child_report *report, void *argument)
{
	(void)argument;
	report->stage = STAGE_RUNNING;
	while (!report->go) {
		struct kmt_session session = { .fd = -1 };
		struct queue queue;
		int32_t status = kmt_session_open(&session, NULL, 0);

		if (NT_SUCCESS(status)) {
			status = queue_create(&queue, &session, session.context,
					      4 * QUEUE_RING_BYTES);
			if (NT_SUCCESS(status))
				status = queue_probe(&queue);
			close(session.fd);
		}
		if (NT_SUCCESS(status))
			report->values[MADE]++;
		else if (status == STATUS_NO_MEMORY || status == KMT_ERRNO(ENOMEM))
			report->values[REFUSED]++;
		else
			child_fail(report, "status %#x", (uint32_t)status);
	}
	return 0;
}

/* Wants memory at every moment, a little: who comes to the killer while the eater ends. */
static int glutton(struct child_report *report, void *argument)
{
	(void)argument;
	while (!report->go) {
		char *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		size_t at;

		if (piece == MAP_FAILED)
			child_fail(report, "no addresses");
		for (at = 0; at < PIECE; at += KMT_PAGE_BYTES)
			piece[at] = 1;
		munmap(piece, PIECE);
		report->values[MADE]++;
	}
	return 0;
}

static int neighbour(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue;
	struct chain chain;

	(void)argument;
	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    chain_create(&chain, &queue, 64))
		child_fail(report, "no queue");
	report->stage = STAGE_RUNNING;
	while (!report->go) {
		char problem[200];

		if (chain_lap(&chain, (uint32_t)report->values[MADE]++, 4, WAIT_NS, problem,
			      sizeof(problem)) != STATUS_SUCCESS)
			child_fail(report, "%s", problem);
	}
	return 0;
}

static void meal(unsigned int number, const char *baseline)
{
	struct child_report *report = child_reports(1);
	char last[DEBUGFS_TEXT_BYTES], how[32];
	pid_t pid = child_start(eater, report, NULL, false, PATIENCE_S);

	child_reap(pid, how, sizeof(how));
	ok(!strcmp(how, "signal 9"), "meal %u: %llu MiB of the driver, then all there is (%s) %s",
	   number, (unsigned long long)report->values[MADE] * PIECE / MEGABYTE, how,
	   report->problem);
	/* The worker comes and goes: settled is what is seen once. */
	if (!ok(counters_settle(baseline, 30000, last), "meal %u: nothing is left", number))
		diag("before: %s; after: %s", baseline, last);
}

int main(int argc, char **argv)
{
	unsigned int meals = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
			     dxg_count(4, 20);
	struct child_report *reports = child_reports(3);
	char before[DEBUGFS_TEXT_BYTES], baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	unsigned int i;
	pid_t pids[3];
	char how[32];

	if (!ok(counters_read(before), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	pids[0] = child_start(neighbour, &reports[0], NULL, true, PATIENCE_S * meals + 60);
	if (!child_await(&reports[0], pids[0], STAGE_RUNNING, 30000))
		bail("no neighbour: %s", reports[0].problem);
	counters_read(baseline);
	pids[1] = child_start(worker, &reports[1], NULL, true, PATIENCE_S * meals + 60);
	child_await(&reports[1], pids[1], STAGE_RUNNING, 30000);
	pids[2] = child_start(glutton, &reports[2], NULL, true, PATIENCE_S * meals + 60);
	for (i = 0; i < meals; i++)
		meal(i, baseline);
	reports[2].go = 1;
	ok(child_reap(pids[2], how, sizeof(how)), "who wanted memory all the time was left alone (%s) %s",
	   how, reports[2].problem);
	reports[1].go = 1;
	ok(child_reap(pids[1], how, sizeof(how)) && reports[1].values[MADE],
	   "the worker: %llu successes, %llu times NO_MEMORY (%s) %s",
	   (unsigned long long)reports[1].values[MADE],
	   (unsigned long long)reports[1].values[REFUSED], how, reports[1].problem);
	reports[0].go = 1;
	ok(child_reap(pids[0], how, sizeof(how)) && reports[0].values[MADE],
	   "the neighbour was right in %llu laps (%s) %s",
	   (unsigned long long)reports[0].values[MADE], how, reports[0].problem);
	if (!ok(counters_settle(before, 30000, last), "at the end nothing is left"))
		diag("before: %s; after: %s", before, last);
	return done();
}
