// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Resets of an engine that meet something else: a bystander's job that holds the engine at
 * that moment, an error of the bus in the midst of it, an acknowledgment that comes when
 * the driver has just given up, or is about to. Who lost work is told, once and rightly;
 * who did not goes on, and loses and repeats nothing; the engine works afterwards (FH-6, FH-7,
 * FH-8, FH-10, FH-23, FH-27, T23, T24, T25, DDI-RE-2, DDI-RE-3, DDI-RE-5, DDI-RE-7, DDI-SC-3).
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "../host.h"
#include "child.h"
#include "debugfs.h"
#include "guilty.h"
#include "modules.h"
#include "stream.h"

#define STREAMS		2u
#define TEST_SECONDS	200u
#define AWAIT_MS	30000u
#define DELAY_NS	1000000000ull
#define DELAYS		20u
#define BYSTANDER_ROUNDS	4u
#define LATE_ROUNDS	4u
#define LATE_MS		"40"

enum { STAGE_READY = 1, STAGE_END };
enum { STATUS, STAT, STATE };
enum { STATE_ACTIVE = 1, STATE_RESET, STATE_HUNG };

static void parameter(const char *path, const char *value)
{
	if (sysfs_write(path, "", value))
		bail("%s cannot be set to %s", path, value);
}

static void engine_patience(const char *ms)
{
	parameter("/sys/module/dxgpu/parameters/engine_reset_timeout_ms", ms);
}

/* Streams on the engine that is reset. @recovers: the device may be lost on the way. */
static void streams_start(struct child_report *reports, pid_t pids[STREAMS], bool recovers)
{
	static struct stream stream[STREAMS];
	unsigned int i;

	for (i = 0; i < STREAMS; i++) {
		stream[i] = (struct stream) { .salt = i + 1, .pause_us = 2000,
					      .recovers = recovers };
		pids[i] = child_start(stream_run, &reports[i], &stream[i], true, TEST_SECONDS);
		if (!child_await(&reports[i], pids[i], STREAM_READY, AWAIT_MS))
			bail("stream %u: %s", i, reports[i].problem);
		reports[i].go = STREAM_READY;
	}
}

static void streams_end(const char *how, struct child_report *reports, pid_t pids[STREAMS])
{
	char died[32];
	unsigned int i;

	for (i = 0; i < STREAMS; i++) {
		reports[i].go = STREAM_DONE;
		if (!ok(child_reap(pids[i], died, sizeof(died)) && reports[i].values[STREAM_LAPS],
			"%s: stream %u goes on, its laps are right", how, i))
			diag("%s: %s", died, reports[i].problem);
	}
}

/* Legal work that keeps the engine busy, and what became of it. */
static int bystander(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue;
	int32_t status;
	unsigned int i;

	(void)argument;
	status = queue_open(&queue, &session);
	for (i = 0; i < DELAYS && NT_SUCCESS(status); i++)
		queue_publish_delay(&queue, DELAY_NS);
	if (NT_SUCCESS(status))
		status = queue_deliver(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	report->stage = STAGE_READY;
	report->values[STATUS] = (uint32_t)kmt_wait(&session, queue.fence, queue.wp);
	report->values[STAT] = *queue.stat;
	report->values[STATE] = kmt_execution_state(session.fd, session.device);
	report->stage = STAGE_END;
	kmt_session_close(&session);
	return 0;
}

/* Does nothing, and its context does not let go of the engine when it is destroyed. */
static int suspect(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue;
	int32_t status;
	unsigned int waited;

	(void)argument;
	status = queue_open(&queue, &session);
	if (NT_SUCCESS(status))
		status = doorbell_connect(session.fd, queue.doorbell);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	child_stage(report, STAGE_READY);
	status = kmt_call_handle(session.fd, LX_DXDESTROYCONTEXT, session.context);
	for (waited = 0; waited < AWAIT_MS && report->values[STATE] != STATE_HUNG; waited += 5) {
		report->values[STATE] = kmt_execution_state(session.fd, session.device);
		kmt_sleep_us(5000);
	}
	report->values[STATUS] = (uint32_t)status;
	report->stage = STAGE_END;
	kmt_session_close(&session);
	return 0;
}

/*
 * 1 if the reset for the suspect's sake took the bystander's job, 0 if it did not hold the
 * engine at that moment, -1 if anything was wrong.
 */
static int bystander_round(void)
{
	struct child_report *reports = child_reports(2);
	volatile uint64_t *lost = reports[0].values;
	char died[32];
	int result = -1;
	pid_t pids[2];

	pids[0] = child_start(bystander, &reports[0], NULL, true, TEST_SECONDS);
	pids[1] = child_start(suspect, &reports[1], NULL, true, TEST_SECONDS);
	if (!child_await(&reports[0], pids[0], STAGE_READY, AWAIT_MS) ||
	    !child_await(&reports[1], pids[1], STAGE_READY, AWAIT_MS))
		bail("bystander: %s; suspect: %s", reports[0].problem, reports[1].problem);
	kmt_sleep_us(100000);
	dxg_host_set("inject-hold-suspends", "on");
	reports[1].go = STAGE_READY;
	child_await(&reports[1], pids[1], STAGE_END, AWAIT_MS);
	dxg_host_set("inject-hold-suspends", "off");
	if (reports[1].values[STATE] != STATE_HUNG || reports[1].values[STATUS])
		diag("the suspect: state %llu, status %#llx, %s",
		     (unsigned long long)reports[1].values[STATE],
		     (unsigned long long)reports[1].values[STATUS], reports[1].problem);
	else if (!child_await(&reports[0], pids[0], STAGE_END, 2000))
		result = 0;
	else if ((int32_t)lost[STATUS] == STATUS_DEVICE_REMOVED && lost[STATE] == STATE_RESET &&
		 lost[STAT] == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT)
		result = 1;
	else
		diag("the bystander: status %#llx, state %llu, STAT %llu",
		     (unsigned long long)lost[STATUS], (unsigned long long)lost[STATE],
		     (unsigned long long)lost[STAT]);
	kill(pids[0], SIGKILL);
	child_reap(pids[0], died, sizeof(died));
	child_reap(pids[1], died, sizeof(died));
	return result;
}

static void test_bystander(void)
{
	struct child_report *reports = child_reports(STREAMS);
	uint64_t resets = adapter_value("resets");
	unsigned int round;
	pid_t pids[STREAMS];
	int result = 0;

	streams_start(reports, pids, false);
	for (round = 0; round < BYSTANDER_ROUNDS && !result; round++)
		result = bystander_round();
	ok(result == 1, "bystander: its job held the engine, it is told so, and not guilty");
	streams_end("bystander", reports, pids);
	ok(adapter_value("resets") == resets, "bystander: no adapter reset");
}

/* The number of the last dump, which is made just before an engine is reset. */
static unsigned int dumps(void)
{
	static char text[1u << 20];
	unsigned int number = 0;

	if (file_read("/sys/kernel/debug/dxg/*/hang", text, sizeof(text)))
		sscanf(text, "hang number=%u ", &number);
	return number;
}

/* A process hangs its engine and is killed; on return the reset of the engine has begun. */
static bool reset_begins(pid_t *pid)
{
	unsigned int before = dumps(), waited;

	dxg_host_set("inject-engine-reset", "ignore");
	if (!guilty_kill(TEST_SECONDS, pid))
		return false;
	for (waited = 0; waited < AWAIT_MS && dumps() == before; waited += 2)
		kmt_sleep_us(2000);
	return dumps() != before;
}

/* @in_time: the engine is reset after all, while the recovery from the error waits. */
static void test_bus_error(bool in_time)
{
	const char *how = in_time ? "bus error, reset in time" : "bus error, reset given up";
	struct child_report *reports = child_reports(STREAMS);
	uint64_t resets = adapter_value("resets");
	pid_t pids[STREAMS], guilty;
	char answer[256], died[32];
	unsigned int waited;
	bool begun;

	streams_start(reports, pids, true);
	engine_patience(in_time ? "5000" : "1000");
	begun = reset_begins(&guilty);
	ok(begun && !dxg_host_request("aer COMP_TIME", answer, sizeof(answer)),
	   "%s: the error comes while the driver waits for the engine", how);
	if (in_time) {
		kmt_sleep_us(300000);
		dxg_host_set("inject-engine-reset", "ok");
	}
	for (waited = 0; waited < AWAIT_MS && adapter_value("resets") == resets; waited += 5)
		kmt_sleep_us(5000);
	child_reap(guilty, died, sizeof(died));
	dxg_host_set("inject-engine-reset", "ok");
	ok(queue_works() == STATUS_SUCCESS, "%s: a new device works", how);
	streams_end(how, reports, pids);
	resets = adapter_value("resets") - resets;
	/* Given up, the adapter is reset for the engine's sake, or has just been for the error's. */
	ok(resets == 1 || (!in_time && resets == 2), "%s: %llu adapter resets", how,
	   (unsigned long long)resets);
}

static void test_late(void)
{
	struct child_report *reports = child_reports(STREAMS);
	unsigned int round, promoted = 0, good = 0;
	pid_t pids[STREAMS], guilty;
	char died[32];

	streams_start(reports, pids, true);
	engine_patience(LATE_MS);
	for (round = 0; round < LATE_ROUNDS; round++) {
		uint64_t resets = adapter_value("resets");
		bool begun = reset_begins(&guilty);

		kmt_sleep_us(round * 15000);
		dxg_host_set("inject-engine-reset", "ok");
		child_reap(guilty, died, sizeof(died));
		good += begun && queue_works() == STATUS_SUCCESS;
		promoted += adapter_value("resets") != resets;
	}
	diag("%u of %u were given up", promoted, round);
	ok(good == round, "late: each time a new device works");
	streams_end("late", reports, pids);
}

int main(void)
{
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];

	alarm(TEST_SECONDS);
	if (!ok(counters_read(before), "the driver tells its object counts"))
		bail("no counters");
	parameter("/sys/module/dxgkrnl/parameters/tdr_timeout_ms", "100");
	if (dxg_host_set("inject-hang-fence", GUILTY_FENCE))
		bail("no side channel");
	test_bystander();
	test_bus_error(true);
	test_bus_error(false);
	test_late();
	if (!ok(counters_settle(before, 20000, last), "at the end all is as before"))
		diag("before: %s; after: %s", before, last);
	return done();
}
