// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the OS layer asks of a miniport in the lives of a few doorbells: which call, when, how
 * often, with what; the null miniport's record tells. Two slots. Several processes at once:
 * together.c.
 */
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "driver/child.h"
#include "driver/debugfs.h"
#include "driver/queue.h"
#include "bench.h"

#define REKICK		(1u << 31)

static struct kmt_session session;

static void expect(int32_t status, int32_t wanted, const char *what)
{
	if (!ok(status == wanted, "%s", what))
		diag("status %#x, wanted %#x", (uint32_t)status, (uint32_t)wanted);
}

/* Slots that the miniport has given away. */
static unsigned int bound_slots(void)
{
	unsigned int bound = 0;
	char line[128];
	FILE *file = fopen("/sys/kernel/debug/dxg/dxgnull.0/slots", "re");

	while (file && fgets(line, sizeof(line), file))
		bound += strstr(line, "state=bound") != NULL;
	if (file)
		fclose(file);
	return bound;
}

static int32_t create_with(const struct queue *queue, uint32_t flags, void *data, uint32_t bytes,
			   uint32_t *doorbell)
{
	struct dxg_createdoorbell create = {
		.queue = queue->queue,
		.ring_buffer = queue->ring.allocation,
		.ring_buffer_control = queue->control.allocation,
		.flags = flags,
		.priv_drv_data = (uintptr_t)data,
		.priv_drv_data_size = bytes,
	};
	int32_t status = kmt_call_x(session.fd, DXG_CREATEDOORBELL, &create.header);

	*doorbell = create.doorbell;
	return status;
}

/* The first doorbell of a queue: one call, with the OS layer's word on everything. */
static void created(struct queue *queue)
{
	const struct null_line *queue_end, *begin, *end;
	struct null_record record;

	forget();
	must(queue_create(queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	record = snapshot();
	queue_end = need(&record, true, "CreateHwQueue");
	begin = need(&record, false, "CreateDoorbell");
	end = need(&record, true, "CreateDoorbell");
	ok(null_count(&record, "CreateDoorbell") == 1,
	   "one D3DKMTCreateDoorbell is one DxgkDdiCreateDoorbell (KMT-CD-1 KMT-CD-7 DDI-CD-1)");
	ok(null_value(begin, "hHwQueue") == null_value(queue_end, "hHwQueue"),
	   "for the queue by the miniport's handle (DDI-CD-1 OBJ-18)");
	ok(null_value(begin, "hDoorbell") && null_value(end, "hDoorbell") &&
	   null_value(begin, "hDoorbell") != null_value(end, "hDoorbell"),
	   "the OS layer's handle goes in, the miniport's comes out (DDI-CD-2 OBJ-18)");
	ok(null_value(begin, "Ring") == queue->ring.gpuva &&
	   null_value(begin, "RingSize") == queue->ring.bytes &&
	   null_value(begin, "Control") == queue->control.gpuva &&
	   null_value(begin, "ControlSize") == queue->control.bytes &&
	   !null_value(begin, "InitialWritePointer"),
	   "ring and ring control are told as the OS layer knows them (DDI-CD-8 KMT-CD-11)");
	ok(!null_value(begin, "Flags"), "without a flag that was not given");
	ok(null_value(begin, "passive"), "it may sleep (DDI-CD-9)");
	ok(!null_count(&record, "ConnectDoorbell") && !bound_slots() && *queue->stat == RETRY,
	   "it is not connected, and no slot is bound (DDI-CD-5 ILL-1 KMT-CD-5)");
	ok(!((uintptr_t)queue->bell % session.caps.doorbell_bytes),
	   "its address is aligned to a doorbell's %u bytes (KMT-CD-19)",
	   session.caps.doorbell_bytes);
	null_record_free(&record);
}

/* What validation refuses does not reach the miniport. */
static void refused(struct queue *queue)
{
	struct dxg_createhwqueue kernel_queue = { .context = session.context }, other;
	struct dxg_createdoorbell create;
	uint32_t doorbell, context;
	uint8_t data[32] = { 0 };
	int fd = session.fd;

	must(kmt_call(fd, LX_DXCREATEHWQUEUE, &kernel_queue), "a queue for kernel submission");
	forget();
	expect(doorbell_create(fd, kernel_queue.queue, queue->ring.allocation,
			       queue->control.allocation, 0, &create), STATUS_INVALID_PARAMETER,
	       "a doorbell for a queue without user-mode submission (KMT-HQ-5)");
	expect(create_with(queue, 0, NULL, 0, &doorbell), STATUS_INVALID_PARAMETER,
	       "a second doorbell of a queue");
	must(doorbell_destroy(fd, queue->doorbell), "doorbell");
	expect(create_with(queue, 1u << 2, NULL, 0, &doorbell), STATUS_INVALID_PARAMETER,
	       "a reserved flag");
	expect(create_with(queue, DXG_DOORBELL_REQUIRE_SECONDARY, NULL, 0, &doorbell),
	       STATUS_NOT_SUPPORTED, "a secondary doorbell");
	expect(create_with(queue, 0, data, 17, &doorbell), STATUS_INVALID_PARAMETER,
	       "17 bytes of private data");
	expect(doorbell_create(fd, queue->queue, queue->ring.allocation, 0, 0, &create),
	       STATUS_INVALID_PARAMETER, "no ring control");
	expect(doorbell_create(fd, queue->queue, queue->ring.allocation, queue->ring.allocation, 0,
			       &create), STATUS_INVALID_PARAMETER, "one allocation as both");
	ok(!null_calls("CreateDoorbell"),
	   "none of that has reached the miniport (KMT-CD-7 KMT-HQ-5)");

	must(kmt_context_create(fd, session.device, 1, &context), "a context for kernel work");
	null_forget();
	expect(hwqueue_create(fd, context, &other), STATUS_NOT_SUPPORTED,
	       "a queue for user-mode submission on a node without it (DDI-NM-2 KMT-HQ-1)");
	ok(!null_calls("CreateHwQueue"), "does not reach it either");
	other.flags = 0;
	expect(kmt_call(fd, LX_DXCREATEHWQUEUE, &other), STATUS_SUCCESS, "another can be had there");
	expect(doorbell_create(fd, other.queue, queue->ring.allocation, queue->control.allocation,
			       0, &create), STATUS_INVALID_PARAMETER,
	       "but no doorbell for it (DDI-NM-2)");
	kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, other.queue);
	kmt_call_handle(fd, LX_DXDESTROYCONTEXT, context);
	kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, kernel_queue.queue);
}

/* Flags and private data reach it as a copy, and private data comes back. */
static void handed_over(struct queue *queue)
{
	uint8_t data[16] = { 0xaa, 0xbb, 0xcc, 0xdd, 0xee };
	const struct null_line *begin;
	struct null_record record;
	uint32_t doorbell, word;

	forget();
	orders("CreateDoorbell=data:0x12345678*1");
	must(create_with(queue, DXG_DOORBELL_RESIZE, data, sizeof(data), &doorbell), "doorbell");
	record = snapshot();
	begin = need(&record, false, "CreateDoorbell");
	memcpy(&word, data, sizeof(word));
	ok(null_value(begin, "Flags") == 1, "the resize hint is passed on (KMT-CD-16)");
	ok(null_value(begin, "PrivateDriverDataSize") == sizeof(data) &&
	   strstr(begin->text, " Data=aabbccddee0000"),
	   "private data goes in (DDI-CD-2 KMT-CD-18)");
	ok(word == 0x12345678 && data[4] == 0xee, "and comes back (DDI-CD-2 KMT-CD-2 KMT-CD-18)");
	null_record_free(&record);
	must(doorbell_destroy(session.fd, doorbell), "doorbell");

	orders("CreateDoorbell=status:0xc00000bb*1");
	expect(create_with(queue, 0, NULL, 0, &doorbell), STATUS_NOT_SUPPORTED,
	       "the miniport's status is the caller's (KMT-CD-8)");
	ok(!doorbell, "and there is no doorbell (DDI-CD-3 DDI-CD-4)");
	must(queue_doorbell_create(queue, 0), "doorbell");
}

/* Connect, connect again, a wrong key. */
static void connected(struct queue *queue)
{
	const struct null_line *begin, *end;
	struct null_record record;
	uint64_t kmd;

	forget();
	expect(doorbell_connect(session.fd, queue->queue), STATUS_INVALID_PARAMETER,
	       "connect names the doorbell, not the queue (KMT-CN-1)");
	ok(!null_calls("ConnectDoorbell"), "a wrong key reaches nobody");
	must(doorbell_destroy(session.fd, queue->doorbell), "doorbell");
	must(queue_doorbell_create(queue, 0), "doorbell");
	forget();
	must(doorbell_destroy(session.fd, queue->doorbell), "doorbell");
	must(queue_doorbell_create(queue, 0), "doorbell");
	must(doorbell_connect(session.fd, queue->doorbell), "connect");
	record = snapshot();
	kmd = null_value(need(&record, true, "CreateDoorbell"), "hDoorbell");
	begin = need(&record, false, "ConnectDoorbell");
	end = need(&record, true, "ConnectDoorbell");
	ok(null_count(&record, "ConnectDoorbell") == 1 && null_value(begin, "hDoorbell") == kmd,
	   "a connect is one DxgkDdiConnectDoorbell of the same doorbell (KMT-CN-1 KMT-CN-7)");
	ok(!null_value(begin, "Flags") && null_value(begin, "passive"),
	   "no secondary doorbell is asked for, and it may sleep (DDI-CN-1 DDI-CN-11)");
	ok(null_value(end, "status") == 0 && null_value(end, "Status") == CONNECTED &&
	   null_value(end, "Address"), "it gives an address and the status (DDI-CN-2 DDI-CN-3)");
	ok(bound_slots() == 1 && state_sum("queue", getpid(), "wp", NULL) == 0 &&
	   *queue->stat == CONNECTED,
	   "a slot is bound to the queue, and STAT says so (DDI-CN-3 KMT-CN-8)");
	null_record_free(&record);

	forget();
	must(doorbell_connect(session.fd, queue->doorbell), "connect again");
	record = snapshot();
	ok(null_count(&record, "ConnectDoorbell") == 1 &&
	   null_count_if(&record, "ConnectDoorbell", "Flags", REKICK) == 1 && bound_slots() == 1,
	   "a connect of a connected doorbell asks for a sample, not for a slot (ILL-4 KMT-CN-9)");
	null_record_free(&record);
	expect(queue_probe(queue), STATUS_SUCCESS, "work is executed (DDI-CD-3)");
}

/* A third queue on two slots. */
static void victimized(struct queue *queues)
{
	const struct null_line *connect, *callback, *line;
	struct queue *victim;
	struct null_record record;
	uint64_t os = 0;
	unsigned int i;

	for (i = 1; i < 3; i++)
		must(queue_create(&queues[i], &session, session.context, QUEUE_RING_BYTES),
		     "queue");
	must(doorbell_connect(session.fd, queues[1].doorbell), "connect");
	ok(bound_slots() == 2, "two connected queues have two slots (DDI-CN-3 KMT-CN-8)");
	for (i = 0; i < 2; i++) {
		forget();
		must(doorbell_destroy(session.fd, queues[i].doorbell), "doorbell");
		must(queue_doorbell_create(&queues[i], 0), "doorbell");
		must(doorbell_connect(session.fd, queues[i].doorbell), "connect");
		record = snapshot();
		if (!i)
			os = null_value(need(&record, false, "CreateDoorbell"), "hDoorbell");
		null_record_free(&record);
	}
	expect(queue_probe(&queues[0]), STATUS_SUCCESS, "the first works");
	expect(queue_probe(&queues[1]), STATUS_SUCCESS, "then the second");
	forget();
	must(doorbell_connect(session.fd, queues[2].doorbell), "the third connect");
	record = snapshot();
	victim = *queues[0].stat == RETRY ? &queues[0] : &queues[1];
	connect = need(&record, false, "ConnectDoorbell");
	callback = need(&record, false, "CbDisconnectDoorbell");
	ok(null_count(&record, "CbDisconnectDoorbell") == 1 && callback > connect &&
	   callback->tid == connect->tid && null_end(&record, callback) < null_end(&record, connect),
	   "the miniport takes a slot from within the connect of another (CB-DC-6)");
	ok(null_value(null_end(&record, callback), "status") == 0 && *victim->stat == RETRY &&
	   (null_value(callback, "hDoorbell") == os) == (victim == &queues[0]),
	   "SUCCESS, and the one that it names is disconnected (CB-DC-1)");
	line = null_next(&record, null_at(&record, callback) + 1, false, NULL);
	ok((!line || line > null_end(&record, callback)) &&
	   !null_count(&record, "DisconnectDoorbell"),
	   "no call comes from within the callback (CB-DC-5)");
	null_record_free(&record);
	expect(queue_probe(victim), STATUS_SUCCESS, "the victim connects again, and works");
}

static void notified(struct queue *queue)
{
	struct dxg_doorbell_flags notify = { .doorbell = queue->doorbell, .flags = 1 };
	struct null_record record;
	unsigned int i, others = 0;
	uint64_t kmd;

	forget();
	must(doorbell_destroy(session.fd, queue->doorbell), "doorbell");
	must(queue_doorbell_create(queue, 0), "doorbell");
	record = snapshot();
	kmd = null_value(need(&record, false, "CreateDoorbell"), "hHwQueue");
	null_record_free(&record);
	must(doorbell_connect(session.fd, queue->doorbell), "connect");
	forget();
	for (i = 0; i < 5; i++)
		must(doorbell_notify(session.fd, queue->doorbell), "notify");
	expect(doorbell_notify(session.fd, queue->queue), STATUS_INVALID_PARAMETER,
	       "notify names the doorbell, not the queue (KMT-NW-1)");
	notify.doorbell = queue->doorbell;
	expect(kmt_call_x(session.fd, DXG_NOTIFYWORKSUBMISSION, &notify.header),
	       STATUS_INVALID_PARAMETER, "notify has no flags (KMT-NW-1)");
	record = snapshot();
	ok(null_count(&record, "NotifyWorkSubmission") == 5 &&
	   null_count_if(&record, "NotifyWorkSubmission", "hHwQueue", kmd) == 5,
	   "five calls are five DxgkDdiNotifyWorkSubmission for the queue (KMT-NW-2 DDI-NW-1)");
	for (i = 0; i < record.count; i++)
		others += strcmp(record.lines[i].name, "NotifyWorkSubmission") != 0;
	ok(!others, "and nothing else: no ring is made up for the caller (KMT-NW-5)");
	null_record_free(&record);
	orders("NotifyWorkSubmission=claims:0xc0000001*1");
	expect(doorbell_notify(session.fd, queue->doorbell), STATUS_SUCCESS,
	       "it always succeeds (DDI-NW-1)");
}

static void destroyed(struct queue *queues)
{
	struct dxg_createdoorbell unused;
	const struct null_line *line;
	struct null_record record;
	unsigned int before = bound_slots();
	uint64_t fence, executed;

	expect(doorbell_destroy(session.fd, queues[2].queue), STATUS_INVALID_PARAMETER,
	       "destroy names the doorbell, not the queue (KMT-DD-7)");
	must(doorbell_connect(session.fd, queues[2].doorbell), "connect");
	fence = *queues[2].fence_cpu;
	forget();
	must(doorbell_destroy(session.fd, queues[2].doorbell), "destroy");
	record = snapshot();
	line = need(&record, false, "DestroyDoorbell");
	ok(null_count(&record, "DestroyDoorbell") == 1 && null_value(line, "Bound") == 1,
	   "a destroy is one DxgkDdiDestroyDoorbell, also of a bound one (DDI-DS-1 KMT-DD-3)");
	null_record_free(&record);
	ok(bound_slots() < before || before < 2, "its slot is free (DDI-DS-1)");
	/* What is written now is nobody's. */
	queues[2].fence_base = fence;
	{
		struct dxg_commands commands = queue_commands(&queues[2]);

		queue_publish(&queues[2], &commands);
	}
	kmt_sleep_us(50000);
	executed = *queues[2].fence_cpu;
	ok(executed == fence, "its ring is not fetched any more (DDI-DS-1)");
	forget();
	doorbell_connect(session.fd, queues[2].doorbell);
	doorbell_notify(session.fd, queues[2].doorbell);
	doorbell_destroy(session.fd, queues[2].doorbell);
	ok(!null_calls("ConnectDoorbell") && !null_calls("NotifyWorkSubmission") &&
	   !null_calls("DestroyDoorbell"), "no call comes for what is destroyed (ILL-5)");
	expect(doorbell_create(session.fd, queues[2].queue, queues[2].ring.allocation,
			       queues[2].control.allocation, 0, &unused), STATUS_SUCCESS,
	       "its queue can have another");
	queues[2].doorbell = unused.doorbell;
}

/* Nothing is suspended that nobody has suspended. */
static void running(const struct null_record *record)
{
	ok(!null_count(record, "ResumeContext") && !null_count(record, "SuspendContext"),
	   "contexts and queues have run without a resume: they are made running (KMT-HQ-8)");
}

/* A process that ends with a doorbell that it has connected, and one that it has not. */
static int leaver(struct child_report *report, void *argument)
{
	struct queue connected, idle;
	struct kmt_session own;
	int32_t status;

	(void)argument;
	status = queue_open(&connected, &own);
	if (NT_SUCCESS(status))
		status = queue_create(&idle, &own, own.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = queue_probe(&connected);
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x", (uint32_t)status);
	return 0;
}

static void left(const char *baseline)
{
	struct child_report *report = child_reports(1);
	const struct null_line *line;
	struct null_record record;
	unsigned int bound = 0, idle = 0, released = 0;
	char how[32], last[DEBUGFS_TEXT_BYTES];

	forget();
	if (!child_reap(child_start(leaver, report, NULL, true, 30), how, sizeof(how)))
		bail("child: %s, %s", how, report->problem);
	counters_settle(baseline, 10000, last);
	record = snapshot();
	for (line = null_next(&record, 0, false, "DisconnectDoorbell"); line;
	     line = null_next(&record, null_at(&record, line) + 1, false, "DisconnectDoorbell")) {
		const struct null_line *end = null_end(&record, line);

		bound += null_value(line, "Bound") == 1;
		idle += null_value(line, "Bound") == 0;
		released += end && !null_value(end, "Bound") && !null_value(end, "status");
	}
	ok(bound == 1 && idle == 1 && released == 2,
	   "a process ends: both doorbells are disconnected, the idle one too (DDI-DC-1 DDI-DC-2)");
	ok(null_count(&record, "DestroyDoorbell") == 2 &&
	   null_next(&record, 0, false, "DestroyDoorbell") >
	   null_next(&record, 0, true, "DisconnectDoorbell"),
	   "before they are destroyed: a disconnect destroys nothing (DDI-DC-2 DDI-DS-2)");
	null_record_free(&record);
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct null_record record;
	struct queue queues[3];
	unsigned int i;

	if (null_load("", "slots=2"))
		bail("the modules cannot be loaded");
	must(kmt_session_open(&session, NULL, 0), "session");
	created(&queues[0]);
	refused(&queues[0]);
	handed_over(&queues[0]);
	connected(&queues[0]);
	record = snapshot();
	running(&record);
	null_record_free(&record);
	victimized(queues);
	notified(&queues[1]);
	destroyed(queues);
	for (i = 0; i < 3; i++)
		expect(queue_destroy(&queues[i]), STATUS_SUCCESS, "a queue is destroyed");
	expect(kmt_session_close(&session), STATUS_SUCCESS, "and the session");
	counters_read(baseline);
	for (i = 0; i < 2000 && !counters_all_zero(baseline); i++) {
		kmt_sleep_us(5000);
		counters_read(baseline);
	}
	left(baseline);
	if (!ok(counters_settle(baseline, 10000, last) && counters_all_zero(last),
		"nothing is left"))
		diag("%s", last);
	ok(!null_unload(), "the modules unload");
	return done();
}
