// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sleep of the idle adapter, as the miniport sees it: what is done before D3 and after D0,
 * in which order, and what is asked once more so that no work is slept over. A call that is held
 * up shows what need not have been done yet.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>
#include "bench.h"
#include "user.h"

#define AUTOSUSPEND_MS	"100"
#define WAIT_NS		(20ull * 1000 * 1000 * 1000)
#define D0		1u		/* DEVICE_POWER_STATE */
#define D3		4u

static struct kmt_session session;

/* The first call with a value, or NULL. */
static const struct null_line *first_with(const struct null_record *record, const char *name,
					  const char *key, uint64_t value)
{
	const struct null_line *line = null_next(record, 0, false, name);

	while (line && null_value(line, key) != value)
		line = null_next(record, null_at(record, line) + 1, false, name);
	return line;
}

/* ORD-12, DDI-PW-9, DDI-PW-10, T21, KMT-CN-11: what is done before D3, and after D0 for a connect. */
static void powered(struct queue queues[2])
{
	const struct null_line *off, *on, *connect;
	struct null_record record;

	must(queue_probe(&queues[0]), "probe");
	must(queue_probe(&queues[1]), "probe");
	forget();
	device_write("control", "auto");
	await_asleep(true);
	/* Once is enough. */
	device_write("autosuspend_delay_ms", "100000");
	must(doorbell_connect(session.fd, queues[0].doorbell), "connect");
	device_write("control", "on");
	device_write("autosuspend_delay_ms", AUTOSUSPEND_MS);
	await_asleep(false);
	record = snapshot();
	off = first_with(&record, "SetPowerState", "DevicePowerState", D3);
	on = first_with(&record, "SetPowerState", "DevicePowerState", D0);
	if (!off || !on)
		bail("no power state was set");
	ok(ended_before(&record, "SuspendContext", need(&record, false, "DisconnectDoorbell")) == 2,
	   "both contexts are suspended before the first doorbell is taken away (ORD-12 DDI-PW-9)");
	ok(ended_before(&record, "DisconnectDoorbell", off) == 2,
	   "both doorbells are disconnected before D3 (ORD-12 DDI-PW-9)");
	ok(ended_before(&record, "ResumeContext", null_end(&record, on)) == 0 &&
	   null_count(&record, "ResumeContext") == 2,
	   "both contexts are resumed after D0 (ORD-12 DDI-PW-10)");
	connect = need(&record, false, "ConnectDoorbell");
	ok(ended_before(&record, "SetPowerState", connect) == 2,
	   "a connect asks for D0, which is there before the miniport is asked (ORD-12 T21 KMT-CN-11)");
	ok(null_count(&record, "ConnectDoorbell") == 1 && *queues[0].stat == CONNECTED &&
	   *queues[1].stat == RETRY, "and no other doorbell is connected (SM-2 SM-6)");
	null_record_free(&record);
}

/*
 * ORD-13: one context is suspended, the suspend of the other is held, and in between a
 * process rings a doorbell that says CONNECTED. Nobody but the OS layer can know of it.
 */
static void second_look(struct queue queues[2])
{
	struct null_record record;
	uint64_t fence, stat;
	bool early;

	must(queue_probe(&queues[0]), "probe");
	must(queue_probe(&queues[1]), "probe");
	forget();
	orders("SuspendContext=hold*1@1");
	device_write("control", "auto");
	await_calls("SuspendContext", 2);
	fence = queue_publish_fence(&queues[0]);
	stat = queue_ring(&queues[0]);
	/* Longer than the engine's pause between two looks. */
	kmt_sleep_us(20000);
	early = *queues[0].fence_cpu == fence;
	orders("");
	ok(stat == CONNECTED && !early,
	   "a ring between suspend and revoke: CONNECTED, and it does not run (DDI-SC-5)");
	ok(queue_completes(&queues[0], fence, WAIT_NS),
	   "the OS layer has seen it, and does not sleep over it (ORD-13)");
	record = snapshot();
	ok(!ended_before(&record, "SetPowerState", need(&record, false, "ResumeContext")),
	   "the contexts were resumed without D3 (ORD-13)");
	ok(!null_count(&record, "ConnectDoorbell") && *queues[0].stat == RETRY &&
	   *queues[1].stat == RETRY, "and the doorbells stay RETRY (ORD-13)");
	null_record_free(&record);
	device_write("control", "on");
	await_asleep(false);
}

/*
 * ORD-13, SEC-8: who says that it has work when its doorbell is taken away holds up the sleep
 * for as long as the device may take to sample the queue, and no longer. Never sooner, however
 * slow the machine is. Without a delay the PM core would not try again by itself.
 */
static void liar(struct queue *queue)
{
	uint64_t start;

	must(queue_probe(queue), "probe");
	*queue->last_queued = ~0ull;
	forget();
	orders("SuspendContext=hold*1");
	device_write("autosuspend_delay_ms", "0");
	device_write("control", "auto");
	await_calls("SuspendContext", 1);
	start = kmt_now_ns();
	orders("");
	await_asleep(true);
	ok(kmt_now_ns() - start >= SAMPLE_GRACE_NS,
	   "a device that is resumed has time to sample before its word counts (ORD-13 SEC-8)");
	device_write("control", "on");
	device_write("autosuspend_delay_ms", AUTOSUSPEND_MS);
	await_asleep(false);
}

/* A slot's last ring may be unsampled when the slot is taken, and the victim knows nothing. */
static void unsampled(struct queue *queue)
{
	uint64_t start;

	*queue->last_queued = *queue->fence_cpu;
	must(queue_probe(queue), "probe");
	*queue->last_queued = ~0ull;
	device_write("autosuspend_delay_ms", "0");
	start = kmt_now_ns();
	call_back("1");
	device_write("control", "auto");
	await_asleep(true);
	ok(kmt_now_ns() - start >= SAMPLE_GRACE_NS,
	   "a victim's word counts until the device has had time to sample (ORD-13 ORD-8)");
	device_write("control", "on");
	device_write("autosuspend_delay_ms", AUTOSUSPEND_MS);
	await_asleep(false);
	call_back("0");
}

static void hold(const char *file)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (sysfs_write("/sys/kernel/debug/dxg/dxgnull.0/%s", file, pid))
		bail("%s cannot be written", file);
}

/* The same for what was rung while the process was held. */
static void released(struct queue *queue)
{
	uint64_t start;

	*queue->last_queued = *queue->fence_cpu;
	must(queue_probe(queue), "probe");
	call_back("1");
	hold("suspend");
	/* So that the revoke counts no more. */
	kmt_sleep_us(SAMPLE_GRACE_NS / 1000 + 50000);
	*queue->last_queued = ~0ull;
	device_write("autosuspend_delay_ms", "0");
	start = kmt_now_ns();
	hold("resume");
	device_write("control", "auto");
	await_asleep(true);
	ok(kmt_now_ns() - start >= SAMPLE_GRACE_NS,
	   "the word of who was held counts until the device has had time to sample (ORD-13)");
	device_write("control", "on");
	device_write("autosuspend_delay_ms", AUTOSUSPEND_MS);
	await_asleep(false);
	call_back("0");
}

/* The wait of a power-down is bounded as well: D3 without an acknowledgment takes a reset. */
static void unanswered(void)
{
	uint64_t resets = adapter_value("resets");
	unsigned int waited;
	struct user user;

	user_start(&user);
	forget();
	orders("SuspendContext=silent*1");
	device_write("control", "auto");
	for (waited = 0; waited < 10000 && !null_calls("ResetFromTimeout"); waited += 10)
		kmt_sleep_us(10000);
	ok(null_calls("ResetFromTimeout") == 1,
	   "before D3 no acknowledgment comes: the adapter is reset (DDI-SC-3 DDI-PW-9)");
	orders("");
	device_write("control", "on");
	await_asleep(false);
	ok(adapter_value("resets") == resets + 1 && *user.queue.stat == ABORT,
	   "once, and who was on it is told (T25 FH-8)");
	user_end(&user);
}

int main(void)
{
	char last[DEBUGFS_TEXT_BYTES];
	struct queue queues[2];
	uint32_t context;

	if (null_load("tdr_timeout_ms=300", "slots=4"))
		bail("the modules cannot be loaded");
	device_write("autosuspend_delay_ms", AUTOSUSPEND_MS);
	must(kmt_session_open(&session, NULL, 0), "session");
	must(kmt_context_create(session.fd, session.device, 0, &context), "another context");
	must(queue_create(&queues[0], &session, session.context, QUEUE_RING_BYTES), "queue");
	must(queue_create(&queues[1], &session, context, QUEUE_RING_BYTES), "queue");
	powered(queues);
	second_look(queues);
	liar(&queues[0]);
	unsampled(&queues[0]);
	released(&queues[0]);
	must(queue_destroy(&queues[0]), "queue");
	must(queue_destroy(&queues[1]), "queue");
	must(kmt_call_handle(session.fd, LX_DXDESTROYCONTEXT, context), "context");
	must(kmt_session_close(&session), "session");
	unanswered();
	if (!ok(counters_settle(NULL, 20000, last), "nothing is left"))
		diag("%s", last);
	ok(!null_unload(), "the modules unload");
	return done();
}
