// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A job that hangs, by the host's order, and its process is killed or ends its queue or
 * context: the engine is reset, its owner is guilty, and those beside it lose nothing and
 * do nothing twice. If the engine cannot be reset the adapter is, and everybody is told
 * (FH-6, FH-7, FH-8, FH-10, FH-23, FH-24, FH-27, OBJ-24, DDI-RE-1, DDI-RE-5, DDI-SC-3, T23,
 * T24, T25).
 *
 *   driver-engine [ROUNDS]
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "host.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "guilty.h"
#include "modules.h"

#define STEPS		50u
#define WAIT_NS		(60ull * 1000 * 1000 * 1000)
#define TEST_SECONDS	600u
#define STATE_ACTIVE	1u
#define STATE_HUNG	3u
#define STATE_RESET	2u
/* dxgkrnl's: engine resets of a process, and resets of an adapter. */
#define HANGS_PER_MINUTE	4u
#define RESETS_PER_MINUTE	5u

/* The bounds on the way there are some seconds together; a busy host may take its time. */
#define PROMOTED_MS	30000u

enum { STAGE_RUNNING = 1, STAGE_HUNG, STAGE_ACT };
enum { MODE_KILLED, MODE_QUEUE, MODE_CONTEXT, NUM_MODES };

static const char *const mode_names[NUM_MODES] = {
	"its process is killed", "it destroys its queue", "it destroys its context",
};

static uint64_t engine_resets(void)
{
	unsigned long long resets;

	return dxg_host_stat("engine_resets", &resets) ? 0 : resets;
}

static void parameter(const char *path, const char *value)
{
	if (sysfs_write(path, "", value))
		bail("%s cannot be set to %s", path, value);
}

/* The guilty process, with a second queue on another engine. */
static int guilty(struct child_report *report, void *argument)
{
	int mode = *(int *)argument;
	unsigned int waited;
	struct guilty self;
	uint32_t state = 0;
	int32_t status;

	status = guilty_open(&self);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	child_stage(report, STAGE_HUNG);

	if (mode == MODE_KILLED)
		for (;;)
			kmt_sleep_us(100000);
	status = mode == MODE_QUEUE ?
		 kmt_call_handle(self.session.fd, LX_DXDESTROYHWQUEUE, self.queue.queue) :
		 kmt_call_handle(self.session.fd, LX_DXDESTROYCONTEXT, self.session.context);
	if (status != STATUS_SUCCESS)
		child_problem(report, "destroy: status %#x", (uint32_t)status);
	for (waited = 0; waited < 20000 && state != STATE_HUNG; waited += 5) {
		state = kmt_execution_state(self.session.fd, self.session.device);
		/* ABORT is there before any call says that the device is removed. */
		if (state != STATE_ACTIVE &&
		    *self.other.stat != DXG_DOORBELLSTATUS_DISCONNECTED_ABORT)
			child_problem(report, "state %u with STAT %llu on another engine", state,
				      (unsigned long long)*self.other.stat);
		kmt_sleep_us(5000);
	}
	if (state != STATE_HUNG)
		child_problem(report, "the device is in state %u", state);
	return report->problem[0] != 0;
}

/* Works all the time and checks it; an ABORT that is expected ends it well. */
static int streamer(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue;
	struct chain chain;
	int32_t status;

	status = kmt_session_open(&session, NULL, *(uint32_t *)argument);
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = chain_create(&chain, &queue, STEPS);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	report->stage = STAGE_RUNNING;
	while (!report->go) {
		status = chain_lap(&chain, (uint32_t)report->values[0], 4, WAIT_NS,
				   report->problem, sizeof(report->problem));
		if (status != STATUS_SUCCESS)
			break;
		report->problem[0] = '\0';
		report->values[0]++;
	}
	report->values[1] = (uint32_t)status;
	/* ABORT comes before the state (FH-10). */
	do {
		report->values[2] = kmt_execution_state(session.fd, session.device);
	} while (status == STATUS_DEVICE_REMOVED && report->values[2] == STATE_ACTIVE);
	report->values[3] = queue.wp;
	report->values[4] = queue_read_pointer(&queue);
	return status != STATUS_SUCCESS;
}

/* One guilty process from its start to its end; false with a diagnostic. */
static bool round_of(unsigned int round, int mode, uint64_t hangs, const char *baseline)
{
	struct child_report *report = child_reports(1);
	char last[DEBUGFS_TEXT_BYTES], how[32];
	bool good = true;
	pid_t pid;

	pid = child_start(guilty, report, &mode, true, TEST_SECONDS);
	if (!child_await(report, pid, STAGE_HUNG, 60000)) {
		diag("round %u: %s", round, report->problem);
		good = false;
	}
	if (good)
		good = guilty_await(hangs);
	if (mode == MODE_KILLED)
		kill(pid, SIGKILL);
	else
		report->go = STAGE_HUNG;
	if (!child_reap(pid, how, sizeof(how)) && mode != MODE_KILLED) {
		diag("round %u, %s: %s, %s", round, mode_names[mode], how, report->problem);
		good = false;
	}
	if (baseline && !counters_settle(baseline, 20000, last)) {
		diag("round %u, %s: before: %s; after: %s", round, mode_names[mode], baseline,
		     last);
		good = false;
	}
	return good;
}

static pid_t streamers_start(struct child_report *reports, pid_t pids[2])
{
	static uint32_t nodes[2] = { 0, 2 };
	int i;

	for (i = 0; i < 2; i++) {
		pids[i] = child_start(streamer, &reports[i], &nodes[i], true, TEST_SECONDS);
		if (!child_await(&reports[i], pids[i], STAGE_RUNNING, 60000))
			bail("streamer %d: %s", i, reports[i].problem);
	}
	return pids[0];
}

static void test_innocents(unsigned int rounds)
{
	struct child_report *reports = child_reports(2);
	uint64_t hangs = guilty_hangs(), resets = engine_resets();
	unsigned int bad[NUM_MODES] = { 0 }, round, failed = 0;
	char baseline[DEBUGFS_TEXT_BYTES], how[32];
	pid_t pids[2];
	int i;

	streamers_start(reports, pids);
	counters_read(baseline);
	for (round = 0; round < rounds && failed < 3; round++) {
		if (!round_of(round, (int)(round % NUM_MODES), ++hangs, baseline)) {
			bad[round % NUM_MODES]++;
			failed++;
		}
	}
	for (i = 0; i < NUM_MODES; i++)
		ok(!bad[i], "a job hangs and %s: guilty, and nothing is left", mode_names[i]);
	ok(round == rounds, "all %u rounds were made", rounds);
	for (i = 0; i < 2; i++) {
		reports[i].go = 1;
		if (!ok(child_reap(pids[i], how, sizeof(how)) &&
			reports[i].values[3] == reports[i].values[4],
			"%s: %llu laps right, none lost, none twice",
			i ? "another engine" : "the same engine",
			(unsigned long long)reports[i].values[0]))
			diag("%s: %s", how, reports[i].problem);
	}
	/* A busy host may be late with other acknowledgments, which takes no work away. */
	ok(guilty_hangs() == hangs && engine_resets() >= resets + rounds,
	   "%u hangs, %llu engine resets", rounds,
	   (unsigned long long)(engine_resets() - resets));
	ok(!adapter_value("resets"), "and no adapter reset");
}

/* The engine cannot be reset: everybody loses, is told so, and can begin anew. */
static void test_promoted(const char *how_not)
{
	struct child_report *reports = child_reports(2);
	uint64_t resets = adapter_value("resets");
	struct kmt_session session;
	struct queue queue;
	uint64_t start, ms;
	char how[32];
	pid_t pids[2];
	int i;

	streamers_start(reports, pids);
	dxg_host_set("inject-engine-reset", how_not);
	start = kmt_now_ns();
	round_of(0, MODE_KILLED, guilty_hangs() + 1, NULL);
	for (i = 0; i < 2; i++) {
		child_reap(pids[i], how, sizeof(how));
		ok((int32_t)reports[i].values[1] == STATUS_DEVICE_REMOVED &&
		   reports[i].values[2] == STATE_RESET, "%s: told, state %u, status %#x", how_not,
		   (unsigned int)reports[i].values[2], (uint32_t)reports[i].values[1]);
	}
	ms = (kmt_now_ns() - start) / 1000000;
	dxg_host_set("inject-engine-reset", "ok");
	ok(ms < PROMOTED_MS, "%s: after %llu ms (FH-6)", how_not, (unsigned long long)ms);
	ok(adapter_value("resets") == resets + 1, "%s: one adapter reset", how_not);
	ok(NT_SUCCESS(kmt_session_open(&session, NULL, 0)) &&
	   NT_SUCCESS(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES)) &&
	   queue_probe(&queue) == STATUS_SUCCESS, "%s: a new device works", how_not);
	queue_destroy(&queue);
	kmt_session_close(&session);
}

/* One session that hangs its engine and ends; DEVICE_REMOVED if it got no device. */
static int32_t hang_and_end(uint64_t hangs)
{
	struct kmt_session session;
	struct queue queue;
	int32_t status;

	status = kmt_session_open(&session, NULL, 0);
	if (!NT_SUCCESS(status))
		return status;
	status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = guilty_submit(&queue);
	if (NT_SUCCESS(status) && !guilty_await(hangs))
		status = STATUS_TIMEOUT;
	kmt_session_close(&session);
	return status;
}

static int stubborn(struct child_report *report, void *argument)
{
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	uint64_t hangs = guilty_hangs();
	int32_t status = STATUS_SUCCESS;

	(void)argument;
	counters_read(before);
	for (; NT_SUCCESS(status) && report->values[0] < 2 * HANGS_PER_MINUTE; report->values[0]++) {
		status = hang_and_end(++hangs);
		if (!counters_settle(before, 20000, last))
			child_fail(report, "before: %.100s; after: %.100s", before, last);
	}
	report->values[1] = (uint32_t)status;
	return 0;
}

/*
 * FH-5: who hangs engines again and again gets no device for a while, though it closes all
 * its files each time; others do.
 */
static void test_too_often(void)
{
	struct child_report *report = child_reports(1);
	struct kmt_session session;
	char how[32];
	/* The side channel is root's. */
	pid_t pid = child_start(stubborn, report, NULL, false, TEST_SECONDS);
	bool ended = child_reap(pid, how, sizeof(how));

	ok(ended && report->values[0] == HANGS_PER_MINUTE + 1 &&
	   (int32_t)report->values[1] == STATUS_DEVICE_REMOVED,
	   "too often: no device after %llu hangs, status %#x (FH-5)",
	   (unsigned long long)report->values[0] - 1, (uint32_t)report->values[1]);
	ok(NT_SUCCESS(kmt_session_open(&session, NULL, 0)) &&
	   kmt_session_close(&session) == STATUS_SUCCESS, "too often: another process gets one");
}

/* The last one: an adapter that needs one reset after the other is given up (FH-5, FH-6). */
static void test_given_up(void)
{
	uint64_t resets = adapter_value("resets"), hangs = guilty_hangs();
	int32_t status = STATUS_SUCCESS;
	unsigned int i;

	dxg_host_set("inject-engine-reset", "refuse");
	for (i = 0; NT_SUCCESS(status) && i < 2 * RESETS_PER_MINUTE; i++)
		status = hang_and_end(++hangs);
	dxg_host_set("inject-engine-reset", "ok");
	ok(status == STATUS_DEVICE_REMOVED && i <= RESETS_PER_MINUTE + 2,
	   "given up: stopped after %llu resets more (FH-5)",
	   (unsigned long long)(adapter_value("resets") - resets));
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
						dxg_count(30, 100);
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];

	if (!ok(counters_read(before), "the driver tells its object counts"))
		bail("no counters");
	parameter("/sys/module/dxgkrnl/parameters/tdr_timeout_ms%s", "100");
	parameter("/sys/module/dxgpu/parameters/command_timeout_ms%s", "500");
	if (!ok(!dxg_host_set("inject-hang-fence", GUILTY_FENCE), "the host breaks the device"))
		bail("no side channel");
	test_innocents(rounds);
	parameter("/sys/module/dxgpu/parameters/command_timeout_ms%s", "2000");
	test_promoted("refuse");
	test_promoted("ignore");
	test_too_often();
	test_given_up();
	if (!ok(counters_settle(before, 20000, last), "at the end all is as before"))
		diag("before: %s; after: %s", before, last);
	return done();
}
