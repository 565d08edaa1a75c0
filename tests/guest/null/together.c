// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the OS layer asks of a miniport when several processes are at it: calls of different
 * doorbells go on beside one another, those of one never do, and a whole record of it keeps
 * the rules of lawful.h. Two slots.
 */
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "driver/child.h"
#include "driver/debugfs.h"
#include "driver/queue.h"
#include "bench.h"
#include "lawful.h"

#define CHILDREN	4
#define QUEUES		3
#define STATE_NS	(15ull * 1000 * 1000 * 1000)	/* 5 s, on a busy host */

enum { STAGE_READY = 1 };

static struct kmt_session session;

/* Makes, uses and destroys queues, to the rhythm of chance. */
static int churner(struct child_report *report, void *argument)
{
	unsigned int rounds = *(unsigned int *)argument, round, i;
	struct kmt_session own;
	struct queue queues[3];
	int32_t status;

	status = kmt_session_open(&own, NULL, 0);
	for (round = 0; round < rounds && NT_SUCCESS(status); round++) {
		for (i = 0; i < 3 && NT_SUCCESS(status); i++)
			status = queue_create(&queues[i], &own, own.context, QUEUE_RING_BYTES);
		for (i = 0; i < 24 && NT_SUCCESS(status); i++) {
			status = queue_probe(&queues[i % 3]);
			if (NT_SUCCESS(status) && i % 5 == 4)
				status = doorbell_connect(own.fd, queues[i % 3].doorbell);
		}
		for (i = 0; i < 3 && NT_SUCCESS(status); i++)
			status = queue_destroy(&queues[i]);
	}
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	return 0;
}

static void contended(const char *baseline)
{
	struct child_report *reports = child_reports(CHILDREN);
	unsigned int rounds = dxg_count(8, 20), i, bad = 0, busy = 0, failed = 0;
	char how[32], last[DEBUGFS_TEXT_BYTES], problem[512];
	const struct null_line *line;
	struct null_record record;
	pid_t pids[CHILDREN];

	forget();
	for (i = 0; i < CHILDREN; i++)
		pids[i] = child_start(churner, &reports[i], &rounds, true, 100);
	for (i = 0; i < CHILDREN; i++) {
		if (!child_reap(pids[i], how, sizeof(how))) {
			diag("child %u: %s, %s", i, how, reports[i].problem);
			bad++;
		}
	}
	ok(!bad, "%d processes with 3 queues each on 2 slots do their work (DDI-CN-8)", CHILDREN);
	counters_settle(baseline, 10000, last);
	record = snapshot();
	for (line = null_next(&record, 0, true, "ConnectDoorbell"); line;
	     line = null_next(&record, null_at(&record, line) + 1, true, "ConnectDoorbell")) {
		if (null_value(line, "status") == (uint32_t)STATUS_DEVICE_BUSY)
			busy++;
		else
			failed += null_value(line, "status") != 0;
	}
	ok(!failed && null_count(&record, "CbDisconnectDoorbell") > 10,
	   "%u connects, %u victims, %u busy on a slow host, no connect fails (DDI-CN-4)",
	   null_count(&record, "ConnectDoorbell"), null_count(&record, "CbDisconnectDoorbell"),
	   busy);
	if (!ok(lawful(&record, problem, sizeof(problem)),
		"in %u lines no rule of the record is broken (ILL-4 ILL-5 CB-DC-5 DDI-CN-11 DDI-CD-9)",
		record.count))
		diag("%s", problem);
	null_record_free(&record);
}

static int creator(struct child_report *report, void *argument)
{
	struct kmt_session own;
	struct queue queue;
	int32_t status = queue_open(&queue, &own);

	(void)argument;
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	return 0;
}

/* Two creates that sleep, at the same time. */
static void at_once(void)
{
	struct child_report *reports = child_reports(2);
	const struct null_line *first, *second;
	struct null_record record;
	pid_t pids[2];
	char how[32];
	unsigned int i, bad = 0;
	char text[16384];
	uint64_t start;

	forget();
	orders("CreateDoorbell=hold*2");
	for (i = 0; i < 2; i++)
		pids[i] = child_start(creator, &reports[i], NULL, true, 30);
	await_calls("CreateDoorbell", 2);
	start = kmt_now_ns();
	ok(file_read("/sys/kernel/debug/dxg/*/state", text, sizeof(text)) &&
	   strstr(text, "busy pid=") && kmt_now_ns() - start < STATE_NS,
	   "\"state\" does not wait for who sleeps in a create, and says so");
	orders("");
	for (i = 0; i < 2; i++)
		bad += !child_reap(pids[i], how, sizeof(how));
	record = snapshot();
	first = need(&record, false, "CreateDoorbell");
	second = null_next(&record, null_at(&record, first) + 1, false, "CreateDoorbell");
	ok(!bad && second && second < null_end(&record, first),
	   "two creates of different queues sleep at the same time (DDI-CD-9)");
	null_record_free(&record);
}

/* While one connect is inside the callback, other calls of other queues go on. */
static int newcomer(struct child_report *report, void *argument)
{
	struct kmt_session own;
	struct queue queue;
	int32_t status = queue_open(&queue, &own);

	(void)argument;
	child_stage(report, STAGE_READY);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	return 0;
}

static void unlocked(struct queue *queues)
{
	struct child_report *report = child_reports(1);
	const struct null_line *callback, *end;
	struct null_record record;
	unsigned int inside = 0, i;
	char how[32];
	pid_t pid;

	for (i = 0; i < 2; i++)
		must(queue_probe(&queues[i]), "probe");
	pid = child_start(newcomer, report, NULL, true, 30);
	if (!child_await(report, pid, STAGE_READY, 10000))
		bail("child: %s", report->problem);
	forget();
	orders("CbDisconnectDoorbell=hold*1");
	report->go = STAGE_READY;
	await_calls("CbDisconnectDoorbell", 1);
	must(doorbell_notify(session.fd, queues[0].doorbell), "notify");
	must(doorbell_destroy(session.fd, queues[2].doorbell), "destroy");
	must(queue_doorbell_create(&queues[2], 0), "create");
	orders("");
	child_reap(pid, how, sizeof(how));
	record = snapshot();
	callback = need(&record, false, "CbDisconnectDoorbell");
	end = null_end(&record, callback);
	for (i = null_at(&record, callback); end && &record.lines[i] < end; i++)
		inside += record.lines[i].leave && (!strcmp(record.lines[i].name, "CreateDoorbell") ||
						    !strcmp(record.lines[i].name, "DestroyDoorbell") ||
						    !strcmp(record.lines[i].name,
							    "NotifyWorkSubmission"));
	if (!ok(inside >= 3,
		"create, notify and destroy of other queues end while a callback sleeps (DDI-CN-8)"))
		diag("%u of 3", inside);
	null_record_free(&record);
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct queue queues[QUEUES];
	unsigned int i;

	if (null_load("", "slots=2"))
		bail("the modules cannot be loaded");
	if (!counters_read(baseline))
		bail("no counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	for (i = 0; i < QUEUES; i++)
		must(queue_create(&queues[i], &session, session.context, QUEUE_RING_BYTES),
		     "queue");
	unlocked(queues);
	at_once();
	for (i = 0; i < QUEUES; i++)
		must(queue_destroy(&queues[i]), "queue");
	must(kmt_session_close(&session), "session");
	contended(baseline);
	if (!ok(counters_settle(baseline, 10000, last) && counters_all_zero(last),
		"nothing is left"))
		diag("%s", last);
	ok(!null_unload(), "the modules unload");
	return done();
}
