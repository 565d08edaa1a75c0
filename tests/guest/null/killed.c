// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Callers that are killed while they wait (KMT-0.8): behind another connect, in the line for
 * the slot of a victim, for D0, for a reset. The miniport holds the call that all wait for
 * until the test lets it go, so whoever is gone before did not wait for its end. The others
 * who wait for the same get what they asked for.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "driver/child.h"
#include "driver/queue.h"
#include "bench.h"

#define STACK_BYTES	65536u
#define CALLERS		3u
#define SETTLE_US	200000u		/* after which who was to be waiting is */
#define GONE_MS		5000u		/* "at once" on a slow machine; the miniport holds a minute */
#define RESET_WAIT_MS	10000u		/* the OS layer's patience with a reset */
#define D0		1u		/* DEVICE_POWER_STATE */

static struct kmt_session session;
static struct queue queues[CALLERS];

/* A task of its own that shares this address space: its calls are this process's. */
struct caller {
	uint32_t doorbell;
	int32_t status;
	pid_t pid;
};

static struct caller callers[CALLERS];
static char *stacks;

static int caller_main(void *argument)
{
	struct caller *caller = argument;

	caller->status = doorbell_connect(session.fd, caller->doorbell);
	return 0;
}

static void caller_start(unsigned int number, const struct queue *queue)
{
	struct caller *caller = &callers[number];

	caller->doorbell = queue->doorbell;
	caller->status = STATUS_PENDING;
	caller->pid = clone(caller_main, stacks + (number + 1) * STACK_BYTES,
			    CLONE_VM | CLONE_FILES | SIGCHLD, caller);
	if (caller->pid < 0)
		bail("no task");
}

/* Kills it; true if it is gone while what it waited for is not over. Else it is reaped later. */
static bool dies(pid_t pid)
{
	unsigned int waited;

	kill(pid, SIGKILL);
	for (waited = 0; waited < GONE_MS; waited++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		kmt_sleep_us(1000);
	}
	return false;
}

static bool caller_dies(unsigned int number)
{
	kmt_sleep_us(SETTLE_US);
	return dies(callers[number].pid) && callers[number].status == STATUS_PENDING;
}

/* What the miniport holds goes on, and all end that are not dead. */
static void let_go(void)
{
	orders("");
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void start(void)
{
	unsigned int i;

	must(kmt_session_open(&session, NULL, 0), "session");
	for (i = 0; i < CALLERS; i++)
		must(queue_create(&queues[i], &session, session.context, QUEUE_RING_BYTES), "queue");
	null_forget();
}

static void end(const char *what)
{
	unsigned int i;

	for (i = 0; i < CALLERS; i++)
		queue_destroy(&queues[i]);
	kmt_session_close(&session);
	ok(nothing_left(), "%s: nothing is left", what);
}

static void all_work(const char *what)
{
	unsigned int i, work = 0;

	for (i = 0; i < CALLERS; i++)
		work += queue_probe(&queues[i]) == STATUS_SUCCESS;
	ok(work == CALLERS, "%s: all queues work afterwards (KMT-0.8)", what);
}

static void same_doorbell(void)
{
	start();
	orders("ConnectDoorbell=hold*1");
	caller_start(0, &queues[0]);
	await_calls("ConnectDoorbell", 1);
	caller_start(1, &queues[0]);
	ok(caller_dies(1), "killed while it waits for another connect of the doorbell (KMT-0.8)");
	let_go();
	ok(callers[0].status == STATUS_SUCCESS && *queues[0].stat == CONNECTED &&
	   null_calls("ConnectDoorbell") == 1, "which has gone well, and was the only one (KMT-0.8)");
	all_work("a connect of the same doorbell");
	end("a connect of the same doorbell");
}

/* There is one slot, and it is being taken from its owner. */
static void victim(void)
{
	start();
	must(doorbell_connect(session.fd, queues[0].doorbell), "connect");
	orders("CbDisconnectDoorbell=hold*1");
	null_forget();
	caller_start(1, &queues[1]);
	await_calls("CbDisconnectDoorbell", 1);
	caller_start(2, &queues[2]);
	ok(caller_dies(2), "killed in the line behind the revoke of a victim (KMT-0.8)");
	ok(*queues[2].stat == RETRY && *queues[0].stat == CONNECTED,
	   "its doorbell is as before, and the victim's is (KMT-0.8 KMT-CN-6)");
	let_go();
	ok(callers[1].status == STATUS_SUCCESS && *queues[1].stat == CONNECTED &&
	   *queues[0].stat == RETRY && *queues[2].stat == RETRY,
	   "who was before it in the line has the slot (KMT-0.8)");
	all_work("the revoke of a victim");

	must(doorbell_connect(session.fd, queues[0].doorbell), "connect");
	orders("CbDisconnectDoorbell=late:2000*1");
	null_forget();
	caller_start(1, &queues[1]);
	await_calls("CbDisconnectDoorbell", 1);
	must(doorbell_destroy(session.fd, queues[0].doorbell), "destroy");
	let_go();
	ok(callers[1].status == STATUS_SUCCESS && *queues[1].stat == CONNECTED,
	   "a victim that is destroyed meanwhile holds up nobody");
	must(queue_doorbell_create(&queues[0], 0), "doorbell");
	end("the revoke of a victim");
}

static void sleep_now(void)
{
	device_write("autosuspend_delay_ms", "100");
	device_write("control", "auto");
	await_asleep(true);
	/* Once is enough. */
	device_write("autosuspend_delay_ms", "100000");
}

/* D0 takes its time. The first of the callers is the one that asks for it. */
static void power_up(void)
{
	struct null_record record;

	start();
	must(doorbell_connect(session.fd, queues[0].doorbell), "connect");
	sleep_now();
	orders("SetPowerState=hold*1");
	null_forget();
	caller_start(0, &queues[0]);
	await_calls("SetPowerState", 1);
	caller_start(1, &queues[1]);
	caller_start(2, &queues[2]);
	ok(caller_dies(0), "killed while it waits for the D0 that it has asked for (KMT-0.8)");
	ok(caller_dies(1), "killed while it waits for the D0 that another has asked for (KMT-0.8)");
	ok(*queues[0].stat == RETRY && *queues[1].stat == RETRY && callers[2].status == STATUS_PENDING,
	   "their doorbells are as before, and nobody has gone on (KMT-0.8 KMT-CN-6)");
	let_go();
	ok(callers[2].status == STATUS_SUCCESS && *queues[2].stat == CONNECTED,
	   "who was not killed is connected then (KMT-0.8 T21)");
	record = snapshot();
	ok(null_count_if(&record, "SetPowerState", "DevicePowerState", D0) == 1 &&
	   null_count(&record, "SetPowerState") == 1 && null_count(&record, "ConnectDoorbell") == 1,
	   "the device was woken once, and nobody else was connected (KMT-0.8)");
	null_record_free(&record);
	all_work("a power-up");
	sleep_now();
	ok(true, "nobody who was killed keeps the device awake (KMT-0.8)");
	device_write("control", "on");
	await_asleep(false);
	end("a power-up");
}

/* The life of another session, whose context is not acknowledged: the adapter is reset. */
static int disturber(struct child_report *report, void *argument)
{
	struct kmt_session own;
	struct queue queue;

	(void)argument;
	if (queue_open(&queue, &own) != STATUS_SUCCESS)
		child_fail(report, "no queue");
	child_stage(report, 1);
	queue_destroy(&queue);
	kmt_session_close(&own);
	return 0;
}

static int newcomer(struct child_report *report, void *argument)
{
	struct kmt_session own;
	uint64_t start_ns;

	(void)argument;
	report->stage = 1;
	start_ns = kmt_now_ns();
	report->values[0] = (uint32_t)kmt_session_open(&own, NULL, 0);
	report->values[1] = (kmt_now_ns() - start_ns) / 1000000;
	return 0;
}

static pid_t newcomer_start(struct child_report *report)
{
	pid_t pid = child_start(newcomer, report, NULL, true, 60);

	if (!child_await(report, pid, 1, 20000))
		bail("child: %s", report->problem);
	kmt_sleep_us(SETTLE_US);
	return pid;
}

/* The reset of a hung adapter keeps all calls out. */
static void hung(void)
{
	struct child_report *reports = child_reports(2);
	pid_t pid;

	start();
	must(doorbell_connect(session.fd, queues[0].doorbell), "connect");
	pid = child_start(disturber, &reports[0], NULL, true, 60);
	if (!child_await(&reports[0], pid, 1, 20000))
		bail("child: %s", reports[0].problem);
	null_forget();
	orders("SuspendContext=silent*1 ResetHwEngine=status:0xc0000001*1 ResetFromTimeout=hold*1");
	reports[0].go = 1;
	await_calls("ResetFromTimeout", 1);
	pid = newcomer_start(&reports[1]);
	ok(dies(pid), "a process is killed while another one's hang is reset (KMT-0.8)");
	let_go();
	ok(*queues[0].stat == ABORT, "the reset has gone its way (KMT-0.8)");
	end("a reset");
}

/* A reset that the bus makes: calls wait for its end, but not for ever. */
static void bus_reset(void)
{
	struct child_report *reports = child_reports(3);
	pid_t pids[3];
	bool dead[2];

	start();
	orders("NotifyWorkSubmission=reset*1");
	must(doorbell_notify(session.fd, queues[0].doorbell), "notify");
	await_calls("ResetFromTimeout", 1);
	pids[0] = newcomer_start(&reports[0]);
	pids[1] = newcomer_start(&reports[1]);
	pids[2] = newcomer_start(&reports[2]);
	dead[1] = dies(pids[1]);
	dead[0] = dies(pids[0]);
	ok(dead[0], "a process is killed while it waits for a reset's end (KMT-0.8)");
	ok(dead[1], "and one that waits behind it (KMT-0.8)");
	waitpid(pids[2], NULL, 0);
	ok(reports[2].values[0] == (uint32_t)STATUS_DEVICE_REMOVED &&
	   reports[2].values[1] >= RESET_WAIT_MS,
	   "who is not killed gets DEVICE_REMOVED after %u ms (KMT-CN-6)", RESET_WAIT_MS);
	let_go();
	end("a reset by the bus");
}

int main(void)
{
	int error = null_load("tdr_timeout_ms=300", "slots=1");

	if (error)
		bail("dxgnull: errno %d", error);
	stacks = mmap(NULL, CALLERS * STACK_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stacks == MAP_FAILED)
		bail("no stacks");
	same_doorbell();
	victim();
	power_up();
	hung();
	bus_reset();
	ok(!null_unload(), "the modules unload");
	return done();
}
