// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What comes first: at the end of a process, killed or not, at an error, with an engine that
 * gets no CPU or cannot be reset. The record has the order of the calls, and a call that is
 * held up shows what has to be done before it, what may not have been yet, and what need not
 * wait for it. What is about the sleep of the idle adapter: asleep.c.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "driver/child.h"
#include "driver/debugfs.h"
#include "driver/modules.h"
#include "driver/fault.h"
#include "driver/queue.h"
#include "bench.h"
#include "user.h"

#define AUTOSUSPEND_MS	"100"
#define WAIT_NS		(20ull * 1000 * 1000 * 1000)
#define BUSY_NS		(400ull * 1000 * 1000)	/* of work that goes on */
#define TDR_TIMEOUT_MS	"/sys/module/dxgkrnl/parameters/tdr_timeout_ms"
#define TDR_MS		"300"
#define TDR_LONG_MS	"30000"
#define STAND_NS	(800ull * 1000 * 1000)	/* more, and the scheduler lets others in */
#define MARK		0x27d4eb2fu
#define NEVER_MAPPED	(1ull << 40)
#define STATE_ACTIVE	1u
#define STATE_RESET	2u

/* An entry whose commands are nowhere, rung. */
static void commit_fault(struct queue *queue)
{
	struct dxgpu_ring_entry entry = { .command_gpuva = NEVER_MAPPED, .command_bytes = 8 };

	queue_publish_entry(queue, &entry);
	queue_ring(queue);
}

/*
 * DDI-DC-4, CB-DC-2: work that the device has seen goes on whatever becomes of the doorbell,
 * and nobody waits for it.
 */
static void midway(void)
{
	struct user user;
	struct queue *queue = &user.queue;
	bool seen = false, dummy = true, done = true;
	unsigned int tries;
	uint64_t fence;

	user_start(&user);
	/* On a slow host the work may be over before anybody looks. */
	for (tries = 0; tries < 20 && !seen; tries++) {
		must(queue_probe(queue), "probe");
		fence = queue_publish_delay(queue, BUSY_NS);
		must(queue_deliver(queue), "work");
		call_back("1");
		seen = *queue->stat == RETRY && *queue->fence_cpu < fence;
		dummy = dummy && !fault_of_store(queue->bell, 0) && *queue->stat == RETRY;
		done = done && queue_completes(queue, fence, WAIT_NS) && *queue->stat == RETRY;
		call_back("0");
	}
	ok(seen, "a disconnect is no drain: RETRY while the work goes on (DDI-DC-4 CB-DC-2)");
	ok(dummy, "a ring goes to the dummy, and changes nothing (CB-DC-2)");
	ok(done, "nor a cancel: the work is done without another connect (DDI-DC-4)");
	user_end(&user);
}

struct destroyer {
	struct user *user;
	int32_t status;
};

static void *destroy_doorbell(void *argument)
{
	struct destroyer *destroyer = argument;

	destroyer->status = doorbell_destroy(destroyer->user->session.fd,
					     destroyer->user->queue.doorbell);
	return NULL;
}

static uint64_t pages(void)
{
	char text[DEBUGFS_TEXT_BYTES];
	const char *at = counters_read(text) ? strstr(text, "pages=") : NULL;

	return at ? strtoull(at + strlen("pages="), NULL, 0) : 0;
}

/* KMT-DD-4: the miniport is held in its destroy; what comes after it has not been done. */
static void taken_apart(void)
{
	struct destroyer destroyer = { .status = -1 };
	struct user user;
	pthread_t thread;
	uint64_t held;

	user_start(&user);
	destroyer.user = &user;
	/* Its last reference is the doorbell's (OBJ-11). */
	must(kmt_allocation_destroy(&user.session, user.queue.ring.allocation), "ring");
	held = pages();
	forget();
	orders("DestroyDoorbell=hold*1");
	if (pthread_create(&thread, NULL, destroy_doorbell, &destroyer))
		bail("no thread");
	await_calls("DestroyDoorbell", 1);
	ok(*user.queue.stat != CONNECTED,
	   "a doorbell is revoked before the miniport destroys it (KMT-DD-4)");
	ok(held && pages() == held && !fault_of_load(user.queue.stat),
	   "until it has, the ring is there, and the mappings (KMT-DD-4)");
	orders("");
	pthread_join(thread, NULL);
	ok(destroyer.status == STATUS_SUCCESS && pages() < held &&
	   fault_of_store(user.queue.bell, 0),
	   "then the ring goes, and the doorbell's address (KMT-DD-4)");
	must(kmt_call_handle(user.session.fd, LX_DXDESTROYHWQUEUE, user.queue.queue), "queue");
	must(kmt_session_close(&user.session), "session");
}

/*
 * ORD-26, SM-3, ILL-7, T14: a doorbell is ABORT, the miniport is still in its disconnect
 * and has a slot for it, and calls back.
 */
static void final(void)
{
	const struct null_line *callback;
	struct null_record record;
	unsigned int waited;
	struct user user;
	pthread_t thread;

	user_start(&user);
	forget();
	orders("DisconnectDoorbell=hold*1");
	commit_fault(&user.queue);
	await_calls("DisconnectDoorbell", 1);
	ok(*user.queue.stat == ABORT, "a fault: ABORT while the miniport disconnects (ORD-15)");
	if (pthread_create(&thread, NULL, call_back, "1"))
		bail("no thread");
	await_calls("CbDisconnectDoorbell", 1);
	for (waited = 0; waited < 10000; waited++) {
		record = snapshot();
		if (null_next(&record, 0, true, "CbDisconnectDoorbell"))
			break;
		null_record_free(&record);
		kmt_sleep_us(1000);
	}
	ok(waited < 10000, "a callback does not wait for a disconnect in the miniport (ORD-26)");
	orders("");
	pthread_join(thread, NULL);
	null_record_free(&record);
	record = snapshot();
	callback = need(&record, false, "CbDisconnectDoorbell");
	ok(null_value(callback, "Reason") == RETRY &&
	   null_value(null_end(&record, callback), "status") == 0 && *user.queue.stat == ABORT,
	   "a callback with RETRY succeeds, and it stays ABORT (SM-3 ILL-7 T14)");
	null_record_free(&record);
	call_back("0");
	device_write("control", "auto");
	await_asleep(true);
	device_write("control", "on");
	await_asleep(false);
	ok(*user.queue.stat == ABORT, "it stays so over D3 (SM-3)");
	ok(doorbell_connect(user.session.fd, user.queue.doorbell) == STATUS_DEVICE_REMOVED &&
	   *user.queue.stat == ABORT, "and a connect does not help");
	user_end(&user);
}

struct waiter {
	struct user *user;
	int32_t status;
	uint64_t stat;
};

static void *wait_far(void *argument)
{
	struct waiter *waiter = argument;

	waiter->status = kmt_wait(&waiter->user->session, waiter->user->queue.fence, 1000);
	waiter->stat = *waiter->user->queue.stat;
	return NULL;
}

/*
 * FH-10: who learns of the error finds ABORT. The miniport holds up all that comes after the
 * waiters, so they cannot find what was done later.
 */
static void told(void)
{
	struct waiter waiter = { 0 };
	struct null_record record;
	struct user user;
	pthread_t thread;
	uint64_t stat;

	user_start(&user);
	waiter.user = &user;
	if (pthread_create(&thread, NULL, wait_far, &waiter))
		bail("no thread");
	forget();
	orders("SuspendContext=hold*1");
	commit_fault(&user.queue);
	while (kmt_execution_state(user.session.fd, user.session.device) == STATE_ACTIVE)
		kmt_sleep_us(1000);
	stat = *user.queue.stat;
	pthread_join(thread, NULL);
	ok(stat == ABORT, "a device's state says error: its doorbell is ABORT (FH-10)");
	ok(waiter.status == STATUS_DEVICE_REMOVED && waiter.stat == ABORT,
	   "a waiter is released: its doorbell is ABORT (FH-10)");
	orders("");
	await_calls("DisconnectDoorbell", 1);
	record = snapshot();
	ok(ended_before(&record, "SuspendContext", need(&record, false, "DisconnectDoorbell")) == 1,
	   "its context is suspended, then its slot is free: it runs no more (FH-12 T23)");
	null_record_free(&record);
	user_end(&user);
}

static int victim(struct child_report *report, void *argument)
{
	struct kmt_session own;
	struct queue queue;
	int32_t status = queue_open(&queue, &own);

	(void)argument;
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	child_stage(report, 1);
	return 0;
}

/* FH-22, OBJ-20 */
static void killed(void)
{
	struct child_report *report = child_reports(1);
	struct null_record record;
	char how[32];
	pid_t pid = child_start(victim, report, NULL, true, 60);

	if (!child_await(report, pid, 1, 20000))
		bail("child: %s", report->problem);
	forget();
	kill(pid, SIGKILL);
	child_reap(pid, how, sizeof(how));
	await_calls("DestroyContext", 1);
	record = snapshot();
	ok(ended_before(&record, "SuspendContext", need(&record, false, "DestroyDoorbell")) == 1 &&
	   ended_before(&record, "SuspendContext", need(&record, false, "DestroyHwQueue")) == 1,
	   "a process is killed: its context is suspended before its queue is destroyed (FH-22 OBJ-20)");
	null_record_free(&record);
}

/* For the calling process, or another's thread. */
static void use_cpu(pid_t pid, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(pid, sizeof(set), &set))
		bail("process %d cannot be put on CPU %u", (int)pid, cpu);
}

/* The engines are threads; their names begin with the adapter's. */
static void engines_use_cpu(unsigned int cpu)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	unsigned int found = 0;

	while (folder && (entry = readdir(folder))) {
		char path[300], name[32] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = atoi(entry->d_name) ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) && !strncmp(name, "dxgnull.0/", 10)) {
			use_cpu(atoi(entry->d_name), cpu);
			found++;
		}
		fclose(file);
	}
	if (folder)
		closedir(folder);
	if (!found)
		bail("no engine's thread");
}

static volatile uint32_t *shared;	/* a page, from starved() on; its first word is the mark */

/* Nobody else comes to run on this CPU; says whether the mark came all the same. */
static int occupy(struct child_report *report, void *argument)
{
	const struct sched_param first = { .sched_priority = 1 };
	uint64_t start;

	(void)argument;
	use_cpu(0, 1);
	if (sched_setscheduler(0, SCHED_FIFO, &first))
		child_fail(report, "no real-time priority");
	start = kmt_now_ns();
	report->stage = 1;
	while (kmt_now_ns() - start < STAND_NS)
		continue;
	report->values[0] = *shared == MARK;
	return 0;
}

/* Leaves work in its ring whose ring nobody has seen, and ends by itself. */
static int leaver(struct child_report *report, void *argument)
{
	struct dxg_commands commands;
	struct kmt_session own;
	uint32_t allocation;
	struct queue queue;
	uint64_t gpuva = 0;
	int32_t status = queue_open(&queue, &own);

	(void)argument;
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (NT_SUCCESS(status))
		status = kmt_allocation_pin(&own, (void *)(uintptr_t)shared, KMT_PAGE_BYTES,
					    &allocation);
	if (NT_SUCCESS(status))
		status = kmt_make_resident(&own, allocation);
	if (NT_SUCCESS(status))
		status = kmt_map(&own, allocation, 0, 1, DXG_PROTECTION_WRITE, &gpuva);
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	child_stage(report, 1);
	commands = queue_commands(&queue);
	dxg_commands_fill(&commands, gpuva, MARK, sizeof(MARK) * 2);
	queue_publish(&queue, &commands);
	return 0;
}

/*
 * FH-19, PF-7: a device that gets no time makes the final sample late. For as long as it may
 * take for anything, the process's word counts, and what is in the ring runs.
 */
static void starved(void)
{
	struct child_report *reports = child_reports(2);
	char how[32], last[DEBUGFS_TEXT_BYTES];
	pid_t occupier, pid;
	bool good;

	shared = mmap(NULL, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		bail("no shared memory");
	if (sysfs_write(TDR_TIMEOUT_MS, "", TDR_LONG_MS))
		bail("tdr_timeout_ms cannot be set");
	use_cpu(0, 0);
	engines_use_cpu(1);
	pid = child_start(leaver, &reports[0], NULL, true, 60);
	if (!child_await(&reports[0], pid, 1, 20000))
		bail("child: %s", reports[0].problem);
	occupier = child_start(occupy, &reports[1], NULL, false, 60);
	if (!child_await(&reports[1], occupier, 1, 20000))
		bail("occupier: %s", reports[1].problem);
	reports[0].go = 1;
	good = child_reap(pid, how, sizeof(how));
	if (!child_reap(occupier, last, sizeof(last)))
		bail("occupier: %s %s", last, reports[1].problem);
	if (reports[1].values[0])
		diag("the engine ran meanwhile: not looked at");
	ok(good && counters_settle(NULL, 20000, last) && *shared == MARK,
	   "an engine that does not run for %llu ms: the work of a process that ends normally runs (FH-19 PF-7)",
	   STAND_NS / 1000000);
	if (sysfs_write(TDR_TIMEOUT_MS, "", TDR_MS))
		bail("tdr_timeout_ms cannot be set back");
}

/*
 * ORD-13, T20: the same when a slot is taken, and the adapter is to sleep: it stays awake until
 * the sample is made, and what was rung runs, although nobody calls any more.
 */
static void starved_victim(void)
{
	struct child_report *report = child_reports(1);
	char how[DEBUGFS_TEXT_BYTES];
	struct user user;
	uint64_t fence, start, stat;
	bool early, ran = false;
	pid_t occupier;

	user_start(&user);
	device_write("autosuspend_delay_ms", "0");
	occupier = child_start(occupy, report, NULL, false, 60);
	if (!child_await(report, occupier, 1, 20000))
		bail("occupier: %s", report->problem);
	fence = queue_publish_fence(&user.queue);
	stat = queue_ring(&user.queue);
	call_back("1");
	early = *user.queue.fence_cpu == fence;
	device_write("control", "auto");
	/* The timer of another try may be on the CPU that is taken; this one is made here. */
	kmt_sleep_us(SAMPLE_GRACE_NS / 1000 + 50000);
	if (!adapter_value("asleep")) {
		device_write("control", "on");
		device_write("control", "auto");
	}
	for (start = kmt_now_ns(); !ran && kmt_now_ns() - start < WAIT_NS; kmt_sleep_us(5000))
		ran = *user.queue.fence_cpu == fence;
	if (stat != CONNECTED || early)
		diag("the engine ran meanwhile: not looked at");
	ok(ran, "an engine that does not run for %llu ms: no sleep before the sample of a victim (ORD-13 T20)",
	   STAND_NS / 1000000);
	await_asleep(true);
	if (!child_reap(occupier, how, sizeof(how)))
		bail("occupier: %s %s", how, report->problem);
	device_write("control", "on");
	device_write("autosuspend_delay_ms", AUTOSUSPEND_MS);
	await_asleep(false);
	call_back("0");
	user_end(&user);
}

/* DDI-SC-3, FH-23, DDI-RE-5, FH-6: no acknowledgment comes, and the engine cannot be reset. */
static void promoted(void)
{
	uint64_t resets = adapter_value("resets");
	struct user guilty, bystander;
	const struct null_line *reset;
	struct null_record record;

	user_start(&bystander);
	user_start(&guilty);
	forget();
	orders("SuspendContext=silent*1");
	user_end(&guilty);
	orders("");
	record = snapshot();
	reset = need(&record, false, "ResetHwEngine");
	ok(null_value(null_end(&record, reset), "status") == (uint32_t)STATUS_NOT_SUPPORTED &&
	   null_count(&record, "ResetFromTimeout") == 1 &&
	   null_next(&record, 0, false, "ResetFromTimeout") > null_end(&record, reset) &&
	   null_count(&record, "RestartFromTimeout") == 1 && adapter_value("resets") == resets + 1,
	   "no acknowledgment, and no engine reset: the adapter is reset (DDI-SC-3 DDI-RE-5 FH-6)");
	null_record_free(&record);
	ok(*bystander.queue.stat == ABORT &&
	   kmt_execution_state(bystander.session.fd, bystander.session.device) == STATE_RESET,
	   "and everybody is told (T25 FH-8)");
	user_end(&bystander);
	user_start(&guilty);
	user_end(&guilty);
}

struct caller {
	struct user *user;
	_Atomic unsigned int started;
};

static void *connect_again(void *argument)
{
	struct caller *caller = argument;

	caller->started++;
	doorbell_connect(caller->user->session.fd, caller->user->queue.doorbell);
	return NULL;
}

static void *notify(void *argument)
{
	struct caller *caller = argument;

	caller->started++;
	doorbell_notify(caller->user->session.fd, caller->user->queue.doorbell);
	return NULL;
}

static void *make_device(void *argument)
{
	struct caller *caller = argument;
	uint32_t device;

	caller->started++;
	kmt_device_create(caller->user->session.fd, caller->user->session.adapter, &device);
	return NULL;
}

static void *end_user(void *argument)
{
	user_end(argument);
	return NULL;
}

/* What begins within a call, but for those of runtime power. */
static unsigned int within(const struct null_record *record, const struct null_line *begin)
{
	const struct null_line *end = null_end(record, begin), *line;
	unsigned int count = 0;

	for (line = begin + 1; end && line < end; line++) {
		if (!line->leave && strncmp(line->name, "SetPower", strlen("SetPower"))) {
			diag("%s begins within %s", line->name, begin->name);
			count++;
		}
	}
	return count;
}

/* DDI-RE-6: the adapter's reset is held, and everybody calls. */
static void alone(void)
{
	void *(*const calls[])(void *argument) = { connect_again, notify, make_device };
	struct user guilty, bystanders[3];
	struct caller callers[3];
	const struct null_line *reset;
	struct null_record record;
	pthread_t threads[3], killer;
	unsigned int i;

	user_start(&guilty);
	for (i = 0; i < 3; i++) {
		user_start(&bystanders[i]);
		callers[i] = (struct caller){ .user = &bystanders[i] };
	}
	forget();
	orders("SuspendContext=silent*1 ResetFromTimeout=hold*1");
	if (pthread_create(&killer, NULL, end_user, &guilty))
		bail("no thread");
	await_calls("ResetFromTimeout", 1);
	for (i = 0; i < 3; i++)
		if (pthread_create(&threads[i], NULL, calls[i], &callers[i]))
			bail("no thread");
	for (i = 0; i < 3; i++)
		while (!callers[i].started)
			kmt_sleep_us(1000);
	/* Long enough to get to the miniport, if anybody lets them. */
	kmt_sleep_us(200000);
	orders("");
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	pthread_join(killer, NULL);
	record = snapshot();
	reset = need(&record, false, "ResetFromTimeout");
	ok(null_end(&record, reset) && !within(&record, reset),
	   "no call begins while the adapter is reset (DDI-RE-6)");
	null_record_free(&record);
	for (i = 0; i < 3; i++)
		user_end(&bystanders[i]);
	user_start(&guilty);
	user_end(&guilty);
}

int main(void)
{
	char last[DEBUGFS_TEXT_BYTES];

	if (null_load("tdr_timeout_ms=" TDR_MS, "slots=4"))
		bail("the modules cannot be loaded");
	device_write("autosuspend_delay_ms", AUTOSUSPEND_MS);
	midway();
	taken_apart();
	final();
	told();
	killed();
	starved();
	starved_victim();
	promoted();
	alone();
	if (!ok(counters_settle(NULL, 20000, last), "nothing is left"))
		diag("%s", last);
	ok(!null_unload(), "the modules unload");
	return done();
}
