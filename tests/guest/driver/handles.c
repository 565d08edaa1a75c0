// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Handles: stale, foreign, of the wrong type, and a descriptor in the hands of
 * another process (OBJ-16, OBJ-17, OBJ-20, OBJ-21, KMT-CD-9, KMT-DD-2, T31,
 * SEC-10). Every misuse gives INVALID_PARAMETER and has no effect.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "objects.h"

#define STALE_ROUNDS	4000u

/* Each destroy call on each handle of another type. */
static void wrong_type(struct kmt_session *session, struct queue *queue)
{
	uint32_t handles[NUM_OBJECTS];
	enum object as, of;

	objects_gather(session, queue, handles);
	for (as = 0; as < NUM_OBJECTS; as++) {
		unsigned int accepted = 0;

		for (of = 0; of < NUM_OBJECTS; of++) {
			int32_t status;

			if (of == as)
				continue;
			status = object_destroy(session, as, handles[of]);
			if (status != STATUS_INVALID_PARAMETER) {
				diag("%s handle: status %#x", object_names[of], (uint32_t)status);
				accepted++;
			}
		}
		ok(!accepted, "destroy of a%s %s takes no other type",
		   object_names[as][0] == 'a' ? "n" : "", object_names[as]);
	}
	ok(queue_probe(queue) == STATUS_SUCCESS, "the queue still works after all that");
}

/* Values that no table has given out yet, as any handle. */
static void invented(struct kmt_session *session)
{
	static const uint32_t values[] = { 0, 0x40000001, 0x7fffffff, 0x80000000, 0xffffffff };
	unsigned int accepted = 0, i;
	enum object as;

	for (as = 0; as < NUM_OBJECTS; as++)
		for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
			if (object_destroy(session, as, values[i]) != STATUS_INVALID_PARAMETER)
				accepted++;
	ok(!accepted, "invented handles are refused by every destroy call");
}

/* The creating calls with handles of other objects, and of none. */
static void wrong_arguments(struct kmt_session *session, struct queue *queue)
{
	int fd = session->fd;
	struct dxg_createdoorbell doorbell;
	struct dxg_createhwqueue hwqueue;
	struct kmt_buffer ring, control;
	uint32_t out;

	if (kmt_buffer_create(session, KMT_PAGE_BYTES, 0, &ring) ||
	    kmt_buffer_create(session, KMT_PAGE_BYTES, 0, &control))
		bail("no memory for a ring");
	ok(kmt_device_create(fd, session->device, &out) == STATUS_INVALID_PARAMETER,
	   "CreateDevice on a device");
	ok(kmt_context_create(fd, session->adapter, 0, &out) == STATUS_INVALID_PARAMETER,
	   "CreateContextVirtual on an adapter");
	ok(hwqueue_create(fd, session->device, &hwqueue) == STATUS_INVALID_PARAMETER,
	   "CreateHwQueue on a device");
	ok(doorbell_create(fd, session->context, ring.allocation, control.allocation, 0,
			   &doorbell) == STATUS_INVALID_PARAMETER,
	       "CreateDoorbell on a context");
	if (hwqueue_create(fd, session->context, &hwqueue))
		bail("no hardware queue");
	ok(doorbell_create(fd, hwqueue.queue, queue->queue, control.allocation, 0,
			   &doorbell) == STATUS_INVALID_PARAMETER,
	       "CreateDoorbell with a queue as its ring");
	ok(doorbell_create(fd, hwqueue.queue, ring.allocation, queue->fence, 0,
			   &doorbell) == STATUS_INVALID_PARAMETER,
	       "CreateDoorbell with a fence as its ring control");
	ok(doorbell_connect(fd, queue->queue) == STATUS_INVALID_PARAMETER,
	   "ConnectDoorbell on a queue (OP-16)");
	ok(doorbell_notify(fd, queue->queue) == STATUS_INVALID_PARAMETER,
	   "NotifyWorkSubmission on a queue");
	ok(kmt_make_resident(session, queue->queue) == STATUS_INVALID_PARAMETER,
	   "MakeResident of a queue");
	ok(kmt_wait(session, queue->doorbell, 1) == STATUS_INVALID_PARAMETER,
	   "a wait for a doorbell");
	kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, hwqueue.queue);
	kmt_buffer_destroy(session, &ring);
	kmt_buffer_destroy(session, &control);
}

/* A second device of the same process: its objects do not mix with the first one's. */
static void other_device(struct kmt_session *session)
{
	struct kmt_session second = *session;
	struct dxg_createdoorbell doorbell;
	struct dxg_createhwqueue hwqueue;
	struct kmt_buffer ring, control;
	int fd = session->fd;

	if (kmt_device_create(fd, session->adapter, &second.device) ||
	    kmt_context_create(fd, second.device, 0, &second.context) ||
	    hwqueue_create(fd, second.context, &hwqueue) ||
	    kmt_buffer_create(session, KMT_PAGE_BYTES, 0, &ring) ||
	    kmt_buffer_create(session, KMT_PAGE_BYTES, 0, &control))
		bail("no second device");
	ok(doorbell_create(fd, hwqueue.queue, ring.allocation, control.allocation, 0,
			   &doorbell) == STATUS_INVALID_PARAMETER,
	       "a ring of another device is refused (KMT-CD-9)");
	ok(kmt_evict(&second, ring.allocation) == STATUS_INVALID_PARAMETER,
	   "Evict by another device is refused");
	ok(kmt_allocation_destroy(&second, ring.allocation) == STATUS_INVALID_PARAMETER,
	   "DestroyAllocation2 by another device is refused");
	kmt_buffer_destroy(session, &ring);
	kmt_buffer_destroy(session, &control);

	/* OBJ-20: the device takes everything of it along. */
	ok(kmt_call_handle(fd, LX_DXDESTROYDEVICE, second.device) == STATUS_SUCCESS,
	   "a device with a context and a queue can be destroyed");
	ok(kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, hwqueue.queue) == STATUS_INVALID_PARAMETER &&
	   kmt_call_handle(fd, LX_DXDESTROYCONTEXT, second.context) ==
	       STATUS_INVALID_PARAMETER,
	       "then its context and its queue are gone too");
}

/* Old handles stay dead while new objects take their places. */
static void stale(struct kmt_session *session)
{
	unsigned int revived = 0, reused = 0, round;
	uint32_t first = 0, old = 0;

	for (round = 0; round < STALE_ROUNDS; round++) {
		uint32_t device, context;

		if (kmt_device_create(session->fd, session->adapter, &device) ||
		    kmt_context_create(session->fd, device, 0, &context))
			bail("no device in round %u", round);
		if (!round)
			first = device;
		else if (device == old || device == first || context == old)
			reused++;
		if (round && object_destroy(session, OBJECT_DEVICE, old) != STATUS_INVALID_PARAMETER)
			revived++;
		if (round && object_destroy(session, OBJECT_CONTEXT, old) != STATUS_INVALID_PARAMETER)
			revived++;
		if (object_destroy(session, OBJECT_DEVICE, device))
			bail("a device cannot be destroyed in round %u", round);
		old = device;
	}
	ok(!revived, "%u stale handles were refused", STALE_ROUNDS);
	diag("%u of %u handle values came again", reused, STALE_ROUNDS);
}

/* Destroyed objects: each second destroy and each later use is refused (T31). */
static void destroyed(struct kmt_session *session)
{
	struct queue queue;
	uint32_t handle;
	int fd = session->fd;

	if (queue_create(&queue, session, session->context, QUEUE_RING_BYTES) ||
	    queue_probe(&queue))
		bail("no queue");
	handle = queue.doorbell;
	queue.doorbell = 0;
	ok(doorbell_destroy(fd, handle) == STATUS_SUCCESS, "a connected doorbell is destroyed");
	ok(doorbell_destroy(fd, handle) == STATUS_INVALID_PARAMETER, "but not twice");
	ok(doorbell_connect(fd, handle) == STATUS_INVALID_PARAMETER, "nor connected");
	ok(doorbell_notify(fd, handle) == STATUS_INVALID_PARAMETER, "nor notified");
	ok(queue_destroy(&queue) == STATUS_SUCCESS, "the rest is destroyed");

	if (queue_create(&queue, session, session->context, QUEUE_RING_BYTES) ||
	    queue_probe(&queue))
		bail("no second queue");
	handle = queue.queue;
	queue.queue = 0;
	ok(kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, handle) == STATUS_SUCCESS,
	   "a queue is destroyed under its doorbell (OP-4)");
	ok(doorbell_connect(fd, queue.doorbell) == STATUS_INVALID_PARAMETER &&
	   doorbell_destroy(fd, queue.doorbell) == STATUS_INVALID_PARAMETER,
	       "and takes the doorbell along (OBJ-21)");
	queue.doorbell = 0;
	queue_destroy(&queue);
}

struct inheritance {
	struct kmt_session *session;
	struct queue *queue;
};

/*
 * In a child with the parent's descriptor and handles. errno: 'G' calls that start
 * a conversation tell a stranger ENOTTY, so that libdxg opens the node anew; others
 * INVALID_PARAMETER.
 */
static int heir(struct child_report *report, void *argument)
{
	struct inheritance *inherited = argument;
	struct kmt_session *session = inherited->session;
	struct dxg_enumadapters3 list = { .filter = 1 };
	uint32_t handles[NUM_OBJECTS], out;
	enum object type;

	objects_gather(session, inherited->queue, handles);
	if (ioctl(session->fd, LX_DXENUMADAPTERS3, &list) != -1 || errno != ENOTTY)
		child_problem(report, "EnumAdapters3: errno %d, not ENOTTY", errno);
	for (type = 0; type < NUM_OBJECTS; type++)
		if (object_destroy(session, type, handles[type]) != STATUS_INVALID_PARAMETER)
			child_problem(report, "destroy of the %s is not refused", object_names[type]);
	if (doorbell_connect(session->fd, handles[OBJECT_DOORBELL]) != STATUS_INVALID_PARAMETER)
		child_problem(report, "ConnectDoorbell is not refused");
	if (kmt_device_create(session->fd, session->adapter, &out) != STATUS_INVALID_PARAMETER)
		child_problem(report, "CreateDevice is not refused");
	if (kmt_wait(session, handles[OBJECT_FENCE], 0) != STATUS_INVALID_PARAMETER)
		child_problem(report, "a wait is not refused");
	return report->problem[0] ? 1 : 0;
}

/* In a child that opened the node itself: another process's handle values mean nothing. */
static int stranger(struct child_report *report, void *argument)
{
	struct inheritance *inherited = argument;
	struct kmt_session own = *inherited->session;
	uint32_t handles[NUM_OBJECTS];
	enum object type;

	objects_gather(inherited->session, inherited->queue, handles);
	own.fd = open(DXG_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	if (own.fd < 0)
		child_fail(report, "open: errno %d", errno);
	for (type = 0; type < NUM_OBJECTS; type++)
		if (object_destroy(&own, type, handles[type]) != STATUS_INVALID_PARAMETER)
			child_problem(report, "destroy of the %s is not refused", object_names[type]);
	if (doorbell_connect(own.fd, handles[OBJECT_DOORBELL]) != STATUS_INVALID_PARAMETER)
		child_problem(report, "ConnectDoorbell is not refused");
	return report->problem[0] ? 1 : 0;
}

static void other_process(struct kmt_session *session, struct queue *queue, const char *what,
			  int (*function)(struct child_report *report, void *argument))
{
	struct inheritance inherited = { session, queue };
	struct child_report *report = child_reports(1);
	char how[32];
	pid_t pid = child_start(function, report, &inherited, true, 30);

	if (!ok(child_reap(pid, how, sizeof(how)), "%s can do nothing", what))
		diag("%s: %s", how, report->problem);
	ok(queue_probe(queue) == STATUS_SUCCESS, "and the owner's queue still works");
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct kmt_session session;
	struct queue queue;
	int32_t status;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	status = kmt_session_open(&session, NULL, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (!NT_SUCCESS(status))
		bail("set-up: status %#x", (uint32_t)status);
	ok(queue_probe(&queue) == STATUS_SUCCESS, "a queue works");

	wrong_type(&session, &queue);
	invented(&session);
	wrong_arguments(&session, &queue);
	other_device(&session);
	destroyed(&session);
	stale(&session);
	other_process(&session, &queue, "a child with the descriptor", heir);
	other_process(&session, &queue, "a process with the handle values", stranger);

	ok(queue_probe(&queue) == STATUS_SUCCESS, "the first queue works to the end");
	ok(queue_destroy(&queue) == STATUS_SUCCESS, "and is destroyed");
	ok(kmt_session_close(&session) == STATUS_SUCCESS, "as is all else");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
