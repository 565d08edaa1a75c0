// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SIGKILL of a process at any instruction: nothing is left, and a neighbour's work
 * is right, the median lap at most 100 ms later than without them (FH-24, FH-25, FH-26, OBJ-24, MOD-8, SEC-11).
 *
 *   driver-kill [ROUNDS [SEED]]
 *
 * Each round starts an unprivileged victim with two threads and more queues than
 * slots, lets it live for a random time and kills it: in set-up, in mid-submission, in a
 * connect, in a wait that blocks, or in a fork of it that keeps the descriptor
 * open. Then the driver's object counts (handles and pinned pages among them) must come
 * back to what they were, and at the end no slot be in use. The seed is printed; the same
 * seed draws the same delays.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "pace.h"

#define VICTIM_THREADS	2u
#define VICTIM_STEPS	64u
#define NEIGHBOUR_STEPS	100u
#define ALONE_LAPS	50u
#define ADDED_NS	(100ull * 1000 * 1000)
#define WAIT_NS		(30ull * 1000 * 1000 * 1000)
#define TEST_SECONDS	dxg_count(300, 7200)

enum { STAGE_RUNNING = 1 };
enum { MODE_EARLY, MODE_SUBMITTING, MODE_BLOCKED, MODE_HEIR, NUM_MODES };

static const char *const mode_names[NUM_MODES] = {
	"in set-up", "in mid-submission", "in a blocking wait", "with an heir of its descriptor",
};

struct victim_thread {
	struct child_report *report;
	struct kmt_session *session;
	unsigned int queues;
};

/* Submits for ever; dies by the parent's hand. */
static void *victim_submit(void *argument)
{
	struct victim_thread *thread = argument;
	struct queue *queues = calloc(thread->queues, sizeof(*queues));
	struct chain *chains = calloc(thread->queues, sizeof(*chains));
	uint32_t salt = 0;
	unsigned int i;

	if (!queues || !chains)
		child_fail(thread->report, "no memory for %u queues", thread->queues);
	for (i = 0; i < thread->queues; i++) {
		int32_t status = queue_create(&queues[i], thread->session,
					      thread->session->context, QUEUE_RING_BYTES);

		if (NT_SUCCESS(status))
			status = chain_create(&chains[i], &queues[i], VICTIM_STEPS);
		if (!NT_SUCCESS(status))
			child_fail(thread->report, "queue %u: status %#x", i, (uint32_t)status);
	}
	for (;;) {
		for (i = 0; i < thread->queues; i++) {
			char problem[160];
			int32_t status = chain_lap(&chains[i], salt, 1 + salt % 5, WAIT_NS,
						   problem, sizeof(problem));

			salt++;
			if (status != STATUS_SUCCESS)
				child_fail(thread->report, "lap %u: %s", salt, problem);
		}
		thread->report->stage = STAGE_RUNNING;
	}
	return NULL;
}

static int victim(struct child_report *report, void *argument)
{
	int mode = *(int *)argument;
	struct kmt_session session;
	struct victim_thread thread = { .report = report, .session = &session };
	pthread_t threads[VICTIM_THREADS];
	unsigned int i;
	int32_t status;

	status = kmt_session_open(&session, NULL, 0);
	if (!NT_SUCCESS(status))
		child_fail(report, "session: status %#x", (uint32_t)status);
	if (mode == MODE_HEIR) {
		fcntl(session.fd, F_SETFD, 0);
		if (!fork()) {
			/* Holds the descriptor open a little longer than its parent lives. */
			kmt_sleep_us(150000);
			_exit(0);
		}
	}
	thread.queues = kmt_num_slots(&session) + 1;
	for (i = 0; i < VICTIM_THREADS; i++)
		if (pthread_create(&threads[i], NULL, victim_submit, &thread))
			child_fail(report, "thread %u cannot start", i);
	if (mode == MODE_BLOCKED) {
		struct queue queue;

		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
		if (!NT_SUCCESS(status))
			child_fail(report, "queue: status %#x", (uint32_t)status);
		status = kmt_wait(&session, queue.fence, 1);
		child_fail(report, "a wait for a value never written ended: %#x", (uint32_t)status);
	}
	pthread_join(threads[0], NULL);
	return 1;
}

/* What the neighbour reports of its laps. */
enum { LAPS, ALONE_NS, BESIDE_NS, SLOWEST_NS };

/* Works all the time, and checks what it gets; alone until the stage, beside victims then. */
static int neighbour(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue;
	static struct pace alone, beside;
	struct pace *pace = &alone;
	struct chain chain;
	int32_t status;

	(void)argument;
	status = kmt_session_open(&session, NULL, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = chain_create(&chain, &queue, NEIGHBOUR_STEPS);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	while (!report->go) {
		uint64_t start = kmt_now_ns();

		status = chain_lap(&chain, (uint32_t)report->values[LAPS], 4, WAIT_NS,
				   report->problem, sizeof(report->problem));
		if (status != STATUS_SUCCESS)
			return 1;
		pace_add(pace, kmt_now_ns() - start);
		report->problem[0] = '\0';
		report->values[LAPS]++;
		if (report->values[LAPS] == ALONE_LAPS) {
			pace = &beside;
			report->stage = STAGE_RUNNING;
		}
		kmt_sleep_us(1000);
	}
	report->values[ALONE_NS] = pace_median(&alone);
	report->values[BESIDE_NS] = pace_median(&beside);
	report->values[SLOWEST_NS] = beside.slowest_ns;
	chain_destroy(&chain);
	status = queue_destroy(&queue);
	if (NT_SUCCESS(status))
		status = kmt_session_close(&session);
	if (!NT_SUCCESS(status))
		child_fail(report, "clean-up: status %#x", (uint32_t)status);
	return 0;
}

/* One round; false if something is left or the victim failed by itself. */
static bool kill_round(unsigned int round, int mode, unsigned int delay_us, const char *baseline)
{
	struct child_report *report = child_reports(1);
	char last[DEBUGFS_TEXT_BYTES], how[32];
	bool good = true;
	pid_t pid;

	pid = child_start(victim, report, &mode, true, TEST_SECONDS);
	if (mode != MODE_EARLY && !child_await(report, pid, STAGE_RUNNING, 30000)) {
		diag("round %u %s: the victim never ran: %s", round, mode_names[mode],
		     report->problem);
		good = false;
	}
	kmt_sleep_us(delay_us);
	kill(pid, SIGKILL);
	child_reap(pid, how, sizeof(how));
	if (report->problem[0]) {
		diag("round %u %s: the victim found: %s", round, mode_names[mode],
		     report->problem);
		good = false;
	}
	if (!counters_settle(baseline, 10000, last)) {
		diag("round %u %s, killed after %u us: before: %s; after: %s", round,
		     mode_names[mode], delay_us, baseline, last);
		good = false;
	}
	return good;
}

/* Physical doorbells that are not free. */
static unsigned int slots_in_use(void)
{
	unsigned int used = 0;
	char text[8192], *at;

	if (!file_read("/sys/kernel/debug/dxg/*/slots", text, sizeof(text)))
		bail("no slots in debugfs");
	for (at = text; (at = strstr(at, " state=")); at++)
		used += strncmp(at, " state=free", 11) != 0;
	return used;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       dxg_count(100, 10000);
	unsigned int seed = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) :
				       (unsigned int)time(NULL);
	struct child_report *report = child_reports(1);
	char baseline[DEBUGFS_TEXT_BYTES], before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	unsigned int bad[NUM_MODES] = { 0 }, round, failed = 0;
	uint64_t laps, laps_before;
	char how[32];
	pid_t pid;
	int mode;

	if (!ok(counters_read(before), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	diag("%u rounds, seed %u", rounds, seed);
	pid = child_start(neighbour, report, NULL, true, TEST_SECONDS);
	if (!child_await(report, pid, STAGE_RUNNING, 30000))
		bail("the neighbour does not start: %s", report->problem);
	counters_read(baseline);

	laps_before = report->values[LAPS];
	for (round = 0; round < rounds && failed < 3; round++) {
		unsigned int delay_us = (unsigned int)rand_r(&seed) % 20000;

		mode = (int)(round % NUM_MODES);
		if (!kill_round(round, mode, delay_us, baseline)) {
			bad[mode]++;
			failed++;
		}
	}
	laps = report->values[LAPS] - laps_before;
	report->go = 1;
	for (mode = 0; mode < NUM_MODES; mode++)
		ok(!bad[mode], "killed %s: nothing is left", mode_names[mode]);
	ok(round == rounds, "all %u rounds were made", rounds);
	if (!ok(child_reap(pid, how, sizeof(how)), "the neighbour ended well (%s)", how))
		diag("%s", report->problem);
	ok(laps > 0 && report->values[BESIDE_NS] <= report->values[ALONE_NS] + ADDED_NS,
	   "the neighbour's %llu laps were right, their median %llu us, %llu us when it was alone; the slowest took %llu us",
	   (unsigned long long)laps, (unsigned long long)report->values[BESIDE_NS] / 1000,
	   (unsigned long long)report->values[ALONE_NS] / 1000,
	   (unsigned long long)report->values[SLOWEST_NS] / 1000);
	if (!ok(counters_settle(before, 10000, last), "at the end all is as before"))
		diag("before: %s; after: %s", before, last);
	ok(!slots_in_use(), "and no slot is in use");
	return done();
}
