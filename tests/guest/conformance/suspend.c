// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Contexts that stand: what their doorbells, rings and processes see. The administrator
 * suspends and resumes a process's contexts by the driver's debugfs files. One slot, so
 * that another process's connect takes it.
 */
#include <glob.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "driver/child.h"
#include "driver/debugfs.h"
#include "driver/modules.h"
#include "driver/queue.h"
#include "host.h"

#define WAIT_NS		(20ull * 1000 * 1000 * 1000)
#define QUIET_US	60000u	/* long enough for work to run that should not */
#define TEST_SECONDS	120u
#define STATE_HUNG	3u

#define CONNECTED	DXG_DOORBELLSTATUS_CONNECTED
#define RETRY		DXG_DOORBELLSTATUS_DISCONNECTED_RETRY

enum { STAGE_READY = 1, STAGE_CONNECT, STAGE_END };

static struct kmt_session session;
static struct queue queue;

static bool stays(const struct queue *of, uint64_t fence)
{
	kmt_sleep_us(QUIET_US);
	return *of->fence_cpu == fence && queue_read_pointer(of) == of->wp - 1;
}

/* Writes a process id to "suspend" or "resume" of the first adapter: 0 or errno. */
static int write_file(const char *name, pid_t pid)
{
	char pattern[64], number[16];
	glob_t found;
	int error;

	snprintf(pattern, sizeof(pattern), "/sys/kernel/debug/dxg/*/%s", name);
	snprintf(number, sizeof(number), "%d", pid);
	if (glob(pattern, 0, NULL, &found))
		bail("no %s", pattern);
	error = sysfs_write(found.gl_pathv[0], "", number);
	globfree(&found);
	return error;
}

static void hold(const char *name, pid_t pid)
{
	int error = write_file(name, pid);

	if (error)
		bail("%s of %d: errno %d", name, pid, error);
}

/* Does "state" have a queue of the process that stands for this reason? */
static bool stands_for(pid_t pid, const char *why)
{
	char line[512], key[32], reason[48];
	bool found = false;
	glob_t files;
	FILE *file;

	snprintf(key, sizeof(key), "queue pid=%d ", pid);
	snprintf(reason, sizeof(reason), " why=%s", why);
	if (glob("/sys/kernel/debug/dxg/*/state", 0, NULL, &files))
		return false;
	file = fopen(files.gl_pathv[0], "re");
	while (file && fgets(line, sizeof(line), file))
		found |= !strncmp(line, key, strlen(key)) && strstr(line, reason);
	if (file)
		fclose(file);
	globfree(&files);
	return found;
}

/* Another process: takes the slot when it is told to, and then works on. */
static int other(struct child_report *report, void *argument)
{
	struct kmt_session own;
	struct queue mine;
	int32_t status = queue_open(&mine, &own);

	(void)argument;
	child_stage(report, STAGE_READY);
	if (NT_SUCCESS(status))
		status = queue_probe(&mine);
	child_stage(report, STAGE_CONNECT);
	while (NT_SUCCESS(status) && report->go < STAGE_END) {
		status = queue_probe(&mine);
		report->values[0]++;
	}
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	return 0;
}

static void rung(void)
{
	uint64_t fence;

	must(queue_probe(&queue), "probe");
	hold("suspend", getpid());
	ok(*queue.stat == CONNECTED, "suspended: the doorbell stays connected (T15 DDI-SC-5)");
	fence = queue_publish_fence(&queue);
	ok(queue_ring(&queue) == CONNECTED && stays(&queue, fence - 1),
	   "a ring is accepted, and nothing is executed (T15 DDI-SC-5 ILL-8)");
	ok(stands_for(getpid(), "context-suspended"), "and the driver says why");
	hold("suspend", getpid());
	ok(stays(&queue, fence - 1), "suspended again: as before (DDI-SC-1)");
	hold("resume", getpid());
	ok(queue_completes(&queue, fence, WAIT_NS),
	   "resumed: it is executed without another ring (T17 DDI-RC-1)");
	hold("resume", getpid());
	ok(queue_probe(&queue) == STATUS_SUCCESS, "resumed again: no effect (DDI-RC-2)");
}

/* The slot goes to another process and comes back, all of it while suspended. */
static void rotated(void)
{
	struct child_report *report = child_reports(1);
	uint64_t first, second, third, begin;
	pid_t pid = child_start(other, report, NULL, true, TEST_SECONDS);
	char how[32];

	if (!child_await(report, pid, STAGE_READY, 20000))
		bail("child: %s", report->problem);
	must(queue_probe(&queue), "probe");
	hold("suspend", getpid());
	first = queue_publish_fence(&queue);
	queue_ring(&queue);
	report->go = STAGE_READY;
	ok(child_await(report, pid, STAGE_CONNECT, 20000) && *queue.stat == RETRY,
	   "another process takes the doorbell of a suspended queue, and works (DDI-SC-6 MOD-4)");
	second = queue_publish_fence(&queue);
	ok(queue_ring(&queue) == RETRY, "a ring goes to the dummy, and STAT says so (T10)");
	begin = kmt_now_ns();
	must(doorbell_connect(session.fd, queue.doorbell), "connect");
	ok(*queue.stat == CONNECTED && kmt_now_ns() - begin < WAIT_NS,
	   "it is connected while it is suspended: the process does not stand (T16 KMT-CN-13)");
	third = queue_publish_fence(&queue);
	ok(queue_ring(&queue) == CONNECTED && *queue.fence_cpu == first - 1,
	   "and rung once more; still nothing is executed (T16)");
	report->go = STAGE_CONNECT;
	while (!report->values[0] && !report->problem[0])
		kmt_sleep_us(1000);
	hold("resume", getpid());
	ok(queue_completes(&queue, third, WAIT_NS) && second == third - 1 &&
	   queue_read_pointer(&queue) == queue.wp,
	   "resumed: all three are executed, each once (T17 DDI-RC-1 ORD-10)");

	report->go = STAGE_END;
	if (!ok(child_reap(pid, how, sizeof(how)), "the other has not noticed"))
		diag("%s, %s", how, report->problem);
}

static void unconnected(void)
{
	struct child_report *report = child_reports(1);
	pid_t pid = child_start(other, report, NULL, true, TEST_SECONDS);
	uint64_t fence;
	char how[32];

	must(queue_probe(&queue), "probe");
	hold("suspend", getpid());
	report->go = STAGE_READY;
	if (!child_await(report, pid, STAGE_CONNECT, 20000))
		bail("child: %s", report->problem);
	fence = queue_publish_fence(&queue);
	ok(queue_ring(&queue) == RETRY, "suspended and disconnected, a ring goes to the dummy");
	hold("resume", getpid());
	ok(queue_completes(&queue, fence, WAIT_NS) && *queue.stat == RETRY,
	   "resumed: it is executed, connected or not (DDI-RC-1 T17), and not connected (SM-2)");
	report->go = STAGE_END;
	ok(child_reap(pid, how, sizeof(how)), "the other has not noticed");
}

/* Suspended processes end as others do. */
static void ended(void)
{
	struct child_report *report = child_reports(1);
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32];
	unsigned int i;
	pid_t pid;

	counters_read(before);
	for (i = 0; i < 2; i++) {
		memset(report, 0, sizeof(*report));
		pid = child_start(other, report, NULL, true, TEST_SECONDS);
		report->go = STAGE_READY;
		if (!child_await(report, pid, STAGE_CONNECT, 20000))
			bail("child: %s", report->problem);
		hold("suspend", pid);
		if (i)
			kill(pid, SIGKILL);
		else
			report->go = STAGE_END;
		child_reap(pid, how, sizeof(how));
		if (!ok(counters_settle(before, 20000, last), "a suspended process %s: nothing is left",
			i ? "is killed" : "ends"))
			diag("before: %s; after: %s", before, last);
	}
	ok(write_file("suspend", pid) != 0, "a process that is not there: an error");
}

/* The device does not acknowledge: its engine is reset, the owner is guilty, others go on. */
static void unacknowledged(void)
{
	struct child_report *report = child_reports(1);
	uint64_t done, waited;
	char how[32];
	pid_t pid = child_start(other, report, NULL, true, TEST_SECONDS);

	report->go = STAGE_CONNECT;
	while (!report->values[0] && !report->problem[0])
		kmt_sleep_us(1000);
	sysfs_write("/sys/module/dxgkrnl/parameters/tdr_timeout_ms", "", "300");
	if (dxg_host_set("inject-hold-suspends", "on"))
		bail("no side channel");
	must(queue_probe(&queue), "probe");
	hold("suspend", getpid());
	for (waited = 0; waited < 20000 && *queue.stat != 3; waited++)
		kmt_sleep_us(1000);
	dxg_host_set("inject-hold-suspends", "off");
	ok(*queue.stat == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT,
	   "no acknowledgment: the owner's doorbell is ABORT (DDI-SC-3 T23)");
	for (waited = 0; waited < 5000 &&
	     kmt_execution_state(session.fd, session.device) != STATE_HUNG; waited++)
		kmt_sleep_us(1000);
	ok(kmt_execution_state(session.fd, session.device) == STATE_HUNG,
	   "its device is guilty (FH-7 FH-23)");
	done = report->values[0];
	for (waited = 0; waited < 20000 && report->values[0] < done + 5; waited++)
		kmt_sleep_us(1000);
	ok(report->values[0] >= done + 5 && !adapter_value("resets"),
	   "the other process's queue on the same engine goes on (DDI-SC-3 T24)");
	report->go = STAGE_END;
	if (!ok(child_reap(pid, how, sizeof(how)), "and has lost nothing"))
		diag("%s, %s", how, report->problem);
	queue_destroy(&queue);
	must(kmt_session_renew(&session, 0), "a new device");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	ok(queue_probe(&queue) == STATUS_SUCCESS, "a new device of the guilty process works (FH-8)");
}

int main(void)
{
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];

	if (!counters_read(before))
		bail("no counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	rung();
	if (kmt_global(&session)) {
		skip(9, "no doorbell is taken from another one in the global model");
	} else {
		rotated();
		unconnected();
	}
	ended();
	if (access("/sys/module/dxgnull", F_OK))
		unacknowledged();
	else
		skip(5, "an engine of the null miniport never hangs");
	hold("suspend", getpid());
	ok(queue_destroy(&queue) == STATUS_SUCCESS && kmt_session_close(&session) == STATUS_SUCCESS,
	   "what is suspended can be destroyed");
	if (!ok(counters_settle(before, 20000, last), "nothing is left"))
		diag("before: %s; after: %s", before, last);
	return done();
}
