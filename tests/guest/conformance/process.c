// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a process's queue, ring, fence and last-queued value are to the OS layer: OBJ-12,
 * OBJ-22, OBJ-26, UMD-12, PF-1, PF-4, SEC-3, SEC-15, SEC-19, SEC-24, SEC-25, T30.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "driver/child.h"
#include "driver/debugfs.h"
#include "driver/objects.h"
#include "driver/pace.h"
#include "driver/rival.h"

#define WAIT_NS		(20ull * 1000 * 1000 * 1000)
#define SUBMISSIONS	200u
#define NOTIFIERS	2u
#define STORM_SAMPLES	50u
#define STORM_ADDED_NS	(100ull * 1000 * 1000)
#define STAGE_NOTIFYING	1
#define NOWHERE		0x7777000000ull
#define STATE_ACTIVE	1u

static struct kmt_session session;
static struct rival rival;
static struct child_report *storm_report;	/* in the child */

static void must_create(struct queue *queue)
{
	must(queue_create(queue, &session, session.context, QUEUE_RING_BYTES), "queue");
}

static uint64_t counter(const char *key)
{
	char text[DEBUGFS_TEXT_BYTES], pattern[32];
	const char *at;

	snprintf(pattern, sizeof(pattern), "%s=", key);
	at = counters_read(text) ? strstr(text, pattern) : NULL;
	return at ? strtoull(at + strlen(pattern), NULL, 0) : 0;
}

/* OBJ-12: the end of the device takes the rings; no other end does (OBJ-10). */
static void rings_end_with_the_device(void)
{
	uint64_t before = counter("allocations"), held;
	struct kmt_session second = session;
	struct queue queue;

	second.device = 0;
	must(kmt_session_renew(&second, 0), "second device");
	must(queue_create(&queue, &second, second.context, QUEUE_RING_BYTES), "queue");
	must(queue_probe(&queue), "work");
	held = counter("allocations");
	must(doorbell_destroy(session.fd, queue.doorbell), "doorbell");
	must(object_destroy(&second, OBJECT_HWQUEUE, queue.queue), "queue");
	must(object_destroy(&second, OBJECT_CONTEXT, second.context), "context");
	memset(queue.ring.cpu, 0xa5, queue.ring.bytes);
	ok(held > before && counter("allocations") == held,
	   "doorbell, queue and context leave the ring to the process (OBJ-10)");
	must(object_destroy(&second, OBJECT_DEVICE, second.device), "device");
	ok(counter("allocations") == before &&
	   kmt_allocation_destroy(&second, queue.ring.allocation) == STATUS_INVALID_PARAMETER,
	   "the device's end takes it (OBJ-12)");
}

/* OBJ-22: chosen per queue, for its whole life. */
static void modes(void)
{
	struct dxg_createhwqueue kernel = { .context = session.context }, user;
	struct dxg_createdoorbell doorbell;
	struct kmt_buffer ring, control;
	int fd = session.fd;

	must(kmt_call(fd, LX_DXCREATEHWQUEUE, &kernel), "queue for kernel submission");
	must(hwqueue_create(fd, session.context, &user), "queue for user submission");
	must(kmt_buffer_create(&session, QUEUE_RING_BYTES, 0, &ring), "ring");
	must(kmt_buffer_create(&session, KMT_PAGE_BYTES, 0, &control), "ring control");
	ok(doorbell_create(fd, kernel.queue, ring.allocation, control.allocation, 0, &doorbell) ==
	   STATUS_INVALID_PARAMETER, "a queue without the flag gets no doorbell (OBJ-22)");
	ok(doorbell_create(fd, user.queue, ring.allocation, control.allocation, 0, &doorbell) ==
	   STATUS_SUCCESS, "another one of the same context does");
	must(doorbell_destroy(fd, doorbell.doorbell), "doorbell");
	ok(doorbell_create(fd, kernel.queue, ring.allocation, control.allocation, 0, &doorbell) ==
	   STATUS_INVALID_PARAMETER, "and the first one not afterwards either");
	object_destroy(&session, OBJECT_HWQUEUE, kernel.queue);
	object_destroy(&session, OBJECT_HWQUEUE, user.queue);
	kmt_buffer_destroy(&session, &ring);
	kmt_buffer_destroy(&session, &control);
}

/* OBJ-26, KMT-CD-10: what counts is that it is resident, not that it was asked for. */
static void residency(void)
{
	struct dxg_makeresident resident = { .paging_queue = session.paging_queue, .alloc_count = 1 };
	struct dxg_createdoorbell doorbell;
	struct dxg_createhwqueue hwqueue;
	struct kmt_buffer ring, control;
	int fd = session.fd;
	int32_t status;

	must(hwqueue_create(fd, session.context, &hwqueue), "queue");
	must(kmt_buffer_create(&session, QUEUE_RING_BYTES, 0, &ring), "ring");
	must(kmt_buffer_create(&session, KMT_PAGE_BYTES, 0, &control), "ring control");
	must(kmt_evict(&session, ring.allocation), "evict");
	ok(doorbell_create(fd, hwqueue.queue, ring.allocation, control.allocation, 0, &doorbell) ==
	   STATUS_INVALID_PARAMETER, "a ring that was resident once is not enough");
	resident.allocation_list = (uintptr_t)&ring.allocation;
	status = kmt_call(fd, LX_DXMAKERESIDENT, &resident);
	ok((status == STATUS_SUCCESS || status == STATUS_PENDING) &&
	   (status == STATUS_PENDING || *session.paging_fence_cpu >= resident.paging_fence_value),
	   "MakeResident says whether it is done, and the paging fence when (OBJ-26)");
	while (*session.paging_fence_cpu < resident.paging_fence_value)
		kmt_sleep_us(100);
	ok(doorbell_create(fd, hwqueue.queue, ring.allocation, control.allocation, 0, &doorbell) ==
	   STATUS_SUCCESS, "once it is done the doorbell can be made");
	object_destroy(&session, OBJECT_HWQUEUE, hwqueue.queue);
	kmt_buffer_destroy(&session, &ring);
	kmt_buffer_destroy(&session, &control);
}

/* UMD-12, T30: drain, destroy, create with the flag and another ring, connect at first use. */
static void resize(void)
{
	struct kmt_buffer small, large, commands;
	struct queue queue;
	uint64_t fence, retries;
	uint32_t old;

	must_create(&queue);
	must(queue_probe(&queue), "work");
	fence = *queue.fence_cpu;
	ok(*queue.last_queued == fence, "drained: the progress fence is the last queued value");
	must(kmt_buffer_create(&session, 2 * QUEUE_RING_BYTES, 0, &large), "larger ring");
	must(kmt_buffer_create(&session, (uint64_t)queue.entries * 2 * QUEUE_COMMAND_BYTES, 0,
			       &commands), "command memory");
	old = queue.doorbell;
	must(doorbell_destroy(session.fd, old), "doorbell");
	small = queue.ring;
	queue.ring = large;
	must(kmt_buffer_destroy(&session, &queue.commands), "old command memory");
	queue.commands = commands;
	queue.entries *= 2;
	must(queue_doorbell_create(&queue, DXG_DOORBELL_RESIZE), "doorbell with the resize flag");
	must(kmt_buffer_destroy(&session, &small), "old ring");
	ok(queue.doorbell != old && *queue.last_queued == fence &&
	   *queue.stat == DXG_DOORBELLSTATUS_DISCONNECTED_RETRY,
	   "resized: another handle, RETRY, and the fence goes on where it was (UMD-12)");
	retries = queue.retries;
	while (queue.wp < queue.entries && queue_probe(&queue) == STATUS_SUCCESS)
		;
	ok(queue.wp == queue.entries && queue.retries > retries &&
	   *queue.fence_cpu == fence + queue.entries,
	   "connected at its first use, and all its entries are used");
	must(queue_destroy(&queue), "queue");
}

/* PF-1, PF-4: the device writes each value in its turn; the OS layer never writes LQ. */
static void fences(void)
{
	uint64_t last = 0, wrong = 0, lq_changed = 0, lie = 0x1234567890ull;
	struct queue queue;
	unsigned int i;

	must_create(&queue);
	for (i = 0; i < SUBMISSIONS; i++) {
		struct dxg_commands commands = queue_commands(&queue);
		uint64_t fence = queue_publish(&queue, &commands), seen;

		must(queue_deliver(&queue), "deliver");
		do {
			seen = *queue.fence_cpu;
			wrong += seen < last || seen > fence;
			last = seen;
		} while (seen < fence && *queue.stat != DXG_DOORBELLSTATUS_DISCONNECTED_ABORT);
		lq_changed += *queue.last_queued != fence;
	}
	ok(!wrong && last == SUBMISSIONS, "the progress fence takes each value, and none twice (PF-1)");
	*queue.last_queued = lie;
	rival_steal(&rival, &queue);
	must(doorbell_connect(session.fd, queue.doorbell), "connect");
	must(doorbell_notify(session.fd, queue.doorbell), "notify");
	ok(!lq_changed && *queue.last_queued == lie,
	   "whatever happens to the doorbell, LQ is what the process wrote (PF-4)");
	*queue.last_queued = 0;
	ok(queue_probe(&queue) == STATUS_SUCCESS, "and any value of it does no harm");
	must(queue_destroy(&queue), "queue");
}

/* SEC-3, SEC-24: nothing of a create call is looked at after it, and none of its private data. */
static void latched(void)
{
	uint32_t handles[NUM_OBJECTS];
	uint64_t private[2] = { 0xffff888000000000, 0 };
	struct dxg_createdoorbell *create = calloc(1, sizeof(*create));
	struct queue queue;

	must_create(&queue);
	must(doorbell_destroy(session.fd, queue.doorbell), "doorbell");
	/* Handles and addresses of others, as if they meant something. */
	objects_gather(&rival.session, &rival.queues[0], handles);
	private[1] = (uint64_t)handles[OBJECT_HWQUEUE] << 32 | handles[OBJECT_ALLOCATION];
	if (!create)
		bail("no memory");
	*create = (struct dxg_createdoorbell){
		.queue = queue.queue,
		.ring_buffer = queue.ring.allocation,
		.ring_buffer_control = queue.control.allocation,
		.priv_drv_data = (uintptr_t)private,
		.priv_drv_data_size = sizeof(private),
	};
	memset(queue.control.cpu, 0, KMT_PAGE_BYTES);
	must(kmt_call_x(session.fd, DXG_CREATEDOORBELL, &create->header), "doorbell");
	queue.doorbell = create->doorbell;
	queue.bell = (volatile uint64_t *)(uintptr_t)create->doorbell_cpu_va;
	queue.stat = (const volatile uint64_t *)(uintptr_t)create->doorbell_status_cpu_va;
	queue.last_queued = (volatile uint64_t *)(uintptr_t)create->last_queued_value_cpu_va;
	ok(queue_probe(&queue) == STATUS_SUCCESS,
	   "private data with others' handles and addresses means nothing (SEC-24)");
	create->ring_buffer = rival.queues[0].ring.allocation;
	create->ring_buffer_control = rival.queues[0].control.allocation;
	memset(private, 0xff, sizeof(private));
	ok((kmt_global(&session) || rival_steal(&rival, &queue)) &&
	   queue_probe(&queue) == STATUS_SUCCESS &&
	   queue_probe(&rival.queues[0]) == STATUS_SUCCESS,
	   "the call's memory, written over afterwards, neither (SEC-3)");
	free(create);
	must(queue_destroy(&queue), "queue");
}

/* SEC-15: a ring that the device fetches from stays where it is. */
static void held(void)
{
	uint64_t before, fence = 0;
	struct queue queue;
	unsigned int i;

	must_create(&queue);
	must(queue_probe(&queue), "first work");
	before = counter("pages");
	for (i = 0; i < 32; i++) {
		struct dxg_commands commands = queue_commands(&queue);
		struct dxgpu_packet_delay delay = {
			.header = { .opcode = DXGPU_OP_DELAY, .bytes = sizeof(delay) },
			.ns = 2000000,
		};

		dxg_commands_append(&commands, &delay, sizeof(delay));
		fence = queue_publish(&queue, &commands);
	}
	must(queue_deliver(&queue), "deliver");
	must(kmt_evict(&session, queue.ring.allocation), "evict");
	must(kmt_allocation_destroy(&session, queue.ring.allocation), "destroy");
	ok(counter("pages") == before, "a ring in use is evicted and destroyed, and stays");
	ok(queue_wait(&queue, fence, WAIT_NS) == STATUS_SUCCESS, "what was in it is done (SEC-15)");
	must(doorbell_destroy(session.fd, queue.doorbell), "doorbell");
	ok(counter("pages") < before, "it goes with the doorbell");
	queue.doorbell = 0;
	memset(&queue.ring, 0, sizeof(queue.ring));
	must(queue_destroy(&queue), "queue");
}

static void *notify_for_ever(void *argument)
{
	struct queue *queue = argument;
	struct child_report *report = storm_report;

	while (!report->go) {
		if (doorbell_notify(queue->session->fd, queue->doorbell) != STATUS_SUCCESS)
			child_fail(report, "a notification is refused");
		__atomic_add_fetch(&report->values[0], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Two threads, each with a queue, that notify and do nothing else. */
static int notifier(struct child_report *report, void *argument)
{
	pthread_t threads[NOTIFIERS];
	struct kmt_session own;
	struct queue queues[NOTIFIERS];
	unsigned int i;

	(void)argument;
	storm_report = report;
	if (kmt_session_open(&own, NULL, 0))
		child_fail(report, "no session");
	for (i = 0; i < NOTIFIERS; i++) {
		if (queue_create(&queues[i], &own, own.context, QUEUE_RING_BYTES) ||
		    queue_probe(&queues[i]))
			child_fail(report, "no queue %u", i);
	}
	for (i = 0; i < NOTIFIERS; i++)
		if (pthread_create(&threads[i], NULL, notify_for_ever, &queues[i]))
			child_fail(report, "no thread");
	report->stage = STAGE_NOTIFYING;
	for (i = 0; i < NOTIFIERS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < NOTIFIERS; i++)
		if (queue_probe(&queues[i]) || queue_destroy(&queues[i]))
			child_fail(report, "queue %u is the worse for it", i);
	return 0;
}

/* What needs a command of the device and the engine: a connect, and work. */
static uint64_t median_of_calls(struct queue *queue)
{
	struct pace *pace = calloc(1, sizeof(*pace));
	uint64_t median;
	unsigned int i;

	if (!pace)
		bail("no memory");
	for (i = 0; i < STORM_SAMPLES; i++) {
		uint64_t start = kmt_now_ns();

		must(doorbell_connect(queue->session->fd, queue->doorbell), "connect");
		must(queue_probe(queue), "work");
		pace_add(pace, kmt_now_ns() - start);
	}
	median = pace_median(pace);
	free(pace);
	return median;
}

/* SEC-19: who notifies without end costs others no more than any system call does. */
static void storm(void)
{
	struct child_report *report = child_reports(1);
	uint64_t calm, stormy, count;
	struct queue queue;
	char how[32];
	pid_t pid;

	must_create(&queue);
	must(queue_probe(&queue), "work");
	calm = median_of_calls(&queue);
	pid = child_start(notifier, report, NULL, true, 60);
	if (!child_await(report, pid, STAGE_NOTIFYING, 30000))
		bail("nobody notifies: %s", report->problem);
	count = report->values[0];
	stormy = median_of_calls(&queue);
	count = report->values[0] - count;
	report->go = STAGE_NOTIFYING;
	ok(count && stormy <= calm + STORM_ADDED_NS,
	   "beside %llu notifications of %u threads a connect and its work take %llu us, %llu us without (SEC-19)",
	   (unsigned long long)count, NOTIFIERS, (unsigned long long)stormy / 1000,
	   (unsigned long long)calm / 1000);
	ok(child_reap(pid, how, sizeof(how)), "the queues that notified are none the worse (%s) %s",
	   how, report->problem);
	must(queue_destroy(&queue), "queue");
}

/* SEC-25: who has made a fault reads of it, and nobody else. */
static void reports(void)
{
	struct kmt_session *other = &rival.session, guilty;
	struct dxg_commands commands;
	struct queue queue;

	must(kmt_session_open(&guilty, NULL, 0), "session");
	must(queue_create(&queue, &guilty, guilty.context, QUEUE_RING_BYTES), "queue");
	commands = queue_commands(&queue);
	dxg_commands_fill(&commands, NOWHERE, 1, 64);
	queue_wait(&queue, queue_publish(&queue, &commands), 0);
	queue_deliver(&queue);
	ok(queue_wait(&queue, 1, WAIT_NS) == STATUS_DEVICE_REMOVED, "a device faults");
	while (kmt_execution_state(guilty.fd, guilty.device) == STATE_ACTIVE)
		kmt_sleep_us(1000);
	ok(kmt_fault_address(guilty.fd, guilty.device) == NOWHERE, "it is told where");
	ok(!kmt_fault_address(session.fd, session.device) &&
	   !kmt_fault_address(other->fd, other->device) &&
	   kmt_execution_state(other->fd, other->device) == STATE_ACTIVE,
	   "other devices and processes are not (SEC-25)");
	queue_destroy(&queue);
	must(kmt_session_close(&guilty), "session");
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	must(rival_create(&rival), "rival");
	must(queue_probe(&rival.queues[0]), "the rival's work");
	rings_end_with_the_device();
	modes();
	residency();
	resize();
	fences();
	latched();
	held();
	storm();
	reports();
	ok(rival_destroy(&rival) == STATUS_SUCCESS && kmt_session_close(&session) == STATUS_SUCCESS,
	   "all is destroyed");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
