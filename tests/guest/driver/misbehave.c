// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A wrong miniport: dxgnull.ko breaks its contract on demand, function by function,
 * and the OS layer answers with the status that the semantics give, lets nobody
 * else suffer, and forgets nothing (DDI-CD-4, DDI-CD-7, DDI-CN-2, DDI-CN-6, DDI-QA-2,
 * DDI-SC-2, DDI-SC-3, CB-DC-1, CB-DC-6, KMT-CN-5, KMT-CN-6, ORD-2, SEC-18, FH-6, OBJ-20).
 *
 * Every case is an order to the miniport (dxgnull's orders.c), a life that must
 * end as told, and after that a life without an order that must be whole.
 */
#include <pthread.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "modules.h"
#include "null.h"
#include "queue.h"

#define STAT_CONNECTED	0u
#define STAT_RETRY	2u
#define STAT_ABORT	3u
#define ANY_FAILURE	((int32_t)0x80000000)
#define NO_MEMORY	((int32_t)0xc0000017)

enum stage {
	OPEN,			/* adapter, device, context, paging queue */
	QUEUE,			/* queue, memory, doorbell */
	CONNECT,
	WORK,
	CLOSE,
	WHOLE,
};

static const char * const stage_names[] = {
	"opening", "making a queue", "connecting", "working", "closing", "nothing",
};

struct result {
	enum stage stage;	/* that failed */
	int32_t status;
	uint64_t stat;		/* after a failed connect */
};

static void give_orders(const char *orders)
{
	int error = null_orders(orders);

	if (error)
		bail("orders '%s': errno %d", orders, error);
}

static struct result live(void)
{
	struct result result = { WHOLE, STATUS_SUCCESS, STAT_RETRY };
	struct kmt_session session;
	struct queue queue;
	int32_t status;

	status = kmt_session_open(&session, NULL, 0);
	if (!NT_SUCCESS(status))
		return (struct result){ OPEN, status, 0 };
	status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (!NT_SUCCESS(status)) {
		result.stage = QUEUE;
		result.status = status;
		kmt_session_close(&session);
		return result;
	}
	status = doorbell_connect(session.fd, queue.doorbell);
	if (status != STATUS_SUCCESS) {
		result.stage = CONNECT;
		result.status = status;
		result.stat = *queue.stat;
		/* It was passing (T5): the next one succeeds. */
		if (status == STATUS_DEVICE_BUSY &&
		    (doorbell_connect(session.fd, queue.doorbell) || queue_probe(&queue)))
			result.stat = STAT_ABORT;
	} else {
		status = queue_probe(&queue);
		if (status != STATUS_SUCCESS) {
			result.stage = WORK;
			result.status = status;
		}
	}
	status = queue_destroy(&queue);
	if (NT_SUCCESS(status))
		status = kmt_session_close(&session);
	else
		kmt_session_close(&session);
	if (!NT_SUCCESS(status) && result.stage == WHOLE) {
		result.stage = CLOSE;
		result.status = status;
	}
	return result;
}

struct wrong {
	const char *orders;
	enum stage stage;	/* in which the life ends */
	int32_t status;		/* ANY_FAILURE: any error */
	uint64_t stat;		/* of a connect that fails */
	const char *shows;
};

static const struct wrong wrongs[] = {
	{ "CreateProcess=status:0xc0000017*1", OPEN, NO_MEMORY, 0, "passed on" },
	{ "CreateProcess=null*1", OPEN, ANY_FAILURE, 0, "a null handle is a failure" },
	{ "CreateDevice=status:0xc0000017*1", OPEN, NO_MEMORY, 0, "passed on" },
	{ "CreateDevice=null*1", OPEN, ANY_FAILURE, 0, "a null handle is a failure" },
	{ "CreateContext=status:0xc0000017*1", OPEN, NO_MEMORY, 0, "passed on" },
	{ "CreateContext=null*1", OPEN, ANY_FAILURE, 0, "a null handle is a failure" },
	{ "CreateHwQueue=status:0xc0000017*1", QUEUE, NO_MEMORY, 0, "passed on" },
	{ "CreateHwQueue=null*1", QUEUE, ANY_FAILURE, 0, "a null handle is a failure" },
	{ "CreateAllocation=status:0xc0000017*1", QUEUE, NO_MEMORY, 0, "passed on" },
	{ "CreateAllocation=null*1", QUEUE, ANY_FAILURE, 0, "a null handle is a failure" },
	{ "CreateDoorbell=status:0xc0000017*1", QUEUE, NO_MEMORY, 0, "passed on (DDI-CD-4)" },
	{ "CreateDoorbell=null*1", QUEUE, ANY_FAILURE, 0, "a null handle is a failure (DDI-CD-7)" },
	{ "CreateDoorbell=bind*1", QUEUE, ANY_FAILURE, 0,
	  "a physical doorbell that is given in create (ILL-1 DDI-CD-5)" },
	{ "CreateDoorbell=place:4*1", QUEUE, ANY_FAILURE, 0,
	  "a place that is not aligned (KMT-CD-19)" },
	{ "CreateDoorbell=place:4096*1", QUEUE, ANY_FAILURE, 0,
	  "a place in the next page (KMT-CD-19 SEC-14)" },
	{ "CreateDoorbell=place:4294967288*1", QUEUE, ANY_FAILURE, 0,
	  "a place that is far away (KMT-CD-19 SEC-14)" },
	{ "CreateDoorbell=place:8*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "connected at another place than was said (DDI-CN-6 OBJ-4)" },
	{ "CreateDoorbell=late:50*1", WHOLE, 0, 0, "lateness harms nobody" },
	{ "ConnectDoorbell=status:0xc0000001*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "a connect that fails is final (KMT-CN-5)" },
	{ "ConnectDoorbell=status:0xc00002b6*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "a lost GPU is final (KMT-CN-5, T4)" },
	{ "ConnectDoorbell=status:0x80000011*1", CONNECT, STATUS_DEVICE_BUSY, STAT_RETRY,
	  "busy changes nothing (KMT-CN-6, T5)" },
	{ "ConnectDoorbell=address*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "an address outside of the aperture (DDI-CN-6)" },
	{ "ConnectDoorbell=below*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "the page before the aperture (DDI-CN-6 SEC-14)" },
	{ "ConnectDoorbell=kernel*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "a page of the kernel's (DDI-CN-6 SEC-14)" },
	{ "ConnectDoorbell=misaligned*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "another in-page offset (DDI-CN-6)" },
	{ "ConnectDoorbell=answer:2*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "connected with RETRY (DDI-CN-2 ILL-2)" },
	{ "ConnectDoorbell=answer:3*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "connected with ABORT (DDI-CN-2 ILL-2)" },
	{ "ConnectDoorbell=answer:4294967295*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "connected with nonsense (DDI-CN-2)" },
	{ "ConnectDoorbell=stranger*1", WHOLE, 0, 0,
	  "a callback for a doorbell that is not the queue's (CB-DC-1)" },
	{ "ConnectDoorbell=self*1", WHOLE, 0, 0,
	  "a callback for the doorbell that is being connected is refused (CB-DC-6)" },
	{ "ConnectDoorbell=deputy*1", WHOLE, 0, 0,
	  "also from another thread, which the connect waits for (CB-DC-6)" },
	{ "ConnectDoorbell=claims:0xc0000001*1", CONNECT, STATUS_DEVICE_REMOVED, STAT_ABORT,
	  "connected, and says that it is not" },
	{ "ConnectDoorbell=late:50*1", WHOLE, 0, 0, "lateness harms nobody" },
	{ "DisconnectDoorbell=claims:0xc0000001", WHOLE, 0, 0,
	  "its status is not asked for (DDI-DC-1)" },
	{ "DestroyDoorbell=claims:0xc0000001", WHOLE, 0, 0,
	  "its status is not asked for (DDI-DS-1)" },
	{ "DestroyHwQueue=claims:0xc0000001", WHOLE, 0, 0, "its status is not asked for" },
	{ "DestroyContext=claims:0xc0000001", WHOLE, 0, 0, "its status is not asked for" },
	{ "DestroyDevice=claims:0xc0000001", WHOLE, 0, 0, "its status is not asked for" },
	{ "DestroyProcess=claims:0xc0000001", WHOLE, 0, 0, "its status is not asked for" },
	{ "DestroyAllocation=claims:0xc0000001", WHOLE, 0, 0, "its status is not asked for" },
	{ "DestroyDoorbell=late:50*1", WHOLE, 0, 0, "lateness harms nobody" },
	{ "SuspendContext=stale*1", WHOLE, 0, 0, "an older fence acknowledges nothing (DDI-SC-2)" },
	{ "SuspendContext=late:50*1", WHOLE, 0, 0, "lateness harms nobody" },
	{ "SuspendContext=silent*1", WHOLE, 0, 0, "no acknowledgment: reset (DDI-SC-3)" },
	{ "SuspendContext=status:0xc0000001*1", WHOLE, 0, 0, "no suspend: reset" },
	{ "ResumeContext=status:0xc0000001*1", WHOLE, 0, 0, "harms nobody" },
};

static void try(const struct wrong *wrong)
{
	struct result result;
	char last[DEBUGFS_TEXT_BYTES];
	bool good;

	give_orders(wrong->orders);
	result = live();
	give_orders("");
	good = result.stage == wrong->stage &&
	       (wrong->stage == WHOLE || result.status == wrong->status ||
		(wrong->status == ANY_FAILURE && result.status < 0)) &&
	       (wrong->stage != CONNECT || result.stat == wrong->stat);
	if (!ok(good, "%s: %s", wrong->orders, wrong->shows))
		diag("%s ended with status %#x, STAT %llu; wanted %s, %#x, %llu",
		     stage_names[result.stage], (uint32_t)result.status,
		     (unsigned long long)result.stat, stage_names[wrong->stage],
		     (uint32_t)wrong->status, (unsigned long long)wrong->stat);
	if (!ok(counters_settle(NULL, 10000, last), "%s: nothing is left", wrong->orders))
		diag("counters: %s", last);
	result = live();
	ok(result.stage == WHOLE, "%s: the next life is whole (%s, %#x)", wrong->orders,
	   stage_names[result.stage], (uint32_t)result.status);
}

static bool load(const char *parameters)
{
	int error = null_load("tdr_timeout_ms=200", parameters);

	if (error)
		diag("insmod dxgnull %s: errno %d", parameters, error);
	return !error;
}

/* A miniport that is wrong from the start: no adapter, or one without the feature. */
static void starts(void)
{
	static const struct {
		const char *orders;
		enum stage stage;
	} cases[] = {
		{ "AddDevice=status:0xc0000017", OPEN },
		{ "AddDevice=null", OPEN },
		{ "StartDevice=status:0xc0000001", OPEN },
		{ "QueryAdapterInfo=status:0xc0000001", OPEN },
		{ "GetNodeMetadata=status:0xc0000001", OPEN },
		{ "QueryAdapterInfo=bytes:0", QUEUE },
		{ "QueryAdapterInfo=bytes:12", QUEUE },
		{ "QueryAdapterInfo=bytes:8192", QUEUE },
	};
	struct result result;
	char parameters[100];
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(parameters, sizeof(parameters), "orders=%s", cases[i].orders);
		if (!ok(load(parameters), "%s: the module loads", cases[i].orders))
			continue;
		result = live();
		ok(result.stage == cases[i].stage && result.status < 0,
		   "%s: %s fails (%s, %#x)", cases[i].orders, stage_names[cases[i].stage],
		   stage_names[result.stage], (uint32_t)result.status);
		ok(!module_unload("dxgnull"), "%s: the module unloads", cases[i].orders);
	}
}

/* A reset that fails stops the adapter for good (FH-6). */
static void stopped(void)
{
	struct kmt_session session;
	struct result result;
	char last[DEBUGFS_TEXT_BYTES];
	struct queue queue;

	if (!NT_SUCCESS(kmt_session_open(&session, NULL, 0)) ||
	    !NT_SUCCESS(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES)))
		bail("no queue");
	give_orders("SuspendContext=silent*1 ResetFromTimeout=status:0xc0000001*1");
	result = live();
	ok(queue_why_gets(getpid(), queue.queue, "adapter-stopped"),
	   "why=adapter-stopped for those who were there");
	queue_destroy(&queue);
	kmt_session_close(&session);
	ok(result.stage == WHOLE, "everything can be destroyed on an adapter that stops (%s, %#x)",
	   stage_names[result.stage], (uint32_t)result.status);
	result = live();
	ok(result.status == STATUS_DEVICE_REMOVED, "and nothing new can be made (%s, %#x)",
	   stage_names[result.stage], (uint32_t)result.status);
	if (!ok(counters_settle(NULL, 10000, last), "nothing is left"))
		diag("counters: %s", last);
}

static void *connect_it(void *argument)
{
	struct queue *queue = argument;

	doorbell_connect(queue->session->fd, queue->doorbell);
	return NULL;
}

/* What a reader sees while the miniport looks for a slot. */
static void slow_connect(void)
{
	struct kmt_session session;
	struct queue queue;
	pthread_t thread;

	if (!NT_SUCCESS(kmt_session_open(&session, NULL, 0)) ||
	    !NT_SUCCESS(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES)))
		bail("no queue");
	give_orders("ConnectDoorbell=late:1000*1");
	if (pthread_create(&thread, NULL, connect_it, &queue))
		bail("no thread");
	ok(queue_why_gets(getpid(), queue.queue, "waiting-for-slot"), "why=waiting-for-slot");
	pthread_join(thread, NULL);
	ok(queue_probe(&queue) == STATUS_SUCCESS, "and then it works");
	give_orders("");
	queue_destroy(&queue);
	kmt_session_close(&session);
}

struct connecting {
	struct queue *queue;
	pthread_t thread;
	int32_t status;
	_Atomic bool over;
};

static void *connecting_main(void *argument)
{
	struct connecting *connecting = argument;
	struct queue *queue = connecting->queue;

	connecting->status = doorbell_connect(queue->session->fd, queue->doorbell);
	connecting->over = true;
	return NULL;
}

static void connecting_start(struct connecting *connecting, struct queue *queue)
{
	*connecting = (struct connecting){ .queue = queue };
	if (pthread_create(&connecting->thread, NULL, connecting_main, connecting))
		bail("no thread");
}

/* What the miniport holds goes on. */
static int32_t connecting_end(struct connecting *connecting)
{
	give_orders("");
	pthread_join(connecting->thread, NULL);
	return connecting->status;
}

/*
 * A victim whose own connect is under way, for as long as if its thread got no CPU. There is
 * one slot. The first connect has it already, but its process is not told yet: it keeps it,
 * and who wants it is refused. One that only asks for a sample holds up nobody.
 */
static void slow_victim(void)
{
	struct kmt_session session;
	struct connecting victim;
	struct queue queues[2];
	uint64_t binds, taken;
	unsigned int i;
	int32_t status;

	if (!NT_SUCCESS(kmt_session_open(&session, NULL, 0)))
		bail("no session");
	for (i = 0; i < 2; i++)
		if (!NT_SUCCESS(queue_create(&queues[i], &session, session.context,
					     QUEUE_RING_BYTES)))
			bail("no queue");

	binds = slots_value("binds");
	taken = slots_value("victimizations");
	give_orders("ConnectDoorbell=linger*1");
	connecting_start(&victim, &queues[0]);
	for (i = 0; i < 10000 && slots_value("binds") == binds; i++)
		kmt_sleep_us(1000);
	status = doorbell_connect(session.fd, queues[1].doorbell);
	ok(status == STATUS_DEVICE_BUSY && *queues[1].stat == STAT_RETRY && !victim.over,
	   "the connect of the victim does not end: busy changes nothing (CB-DC-6 KMT-CN-6) (%#x)",
	   (uint32_t)status);
	ok(slots_value("binds") == binds + 1 && slots_value("victimizations") == taken,
	   "its slot is nobody else's (ORD-2)");
	status = connecting_end(&victim);
	ok(status == STATUS_SUCCESS && *queues[0].stat == STAT_CONNECTED, "it is connected (%#x)",
	   (uint32_t)status);
	ok(queue_probe(&queues[0]) == STATUS_SUCCESS && queue_probe(&queues[1]) == STATUS_SUCCESS,
	   "and it is a victim as any other then (SEC-18)");

	status = doorbell_connect(session.fd, queues[0].doorbell);
	if (status != STATUS_SUCCESS || !null_forget())
		bail("connect: %#x", (uint32_t)status);
	give_orders("ConnectDoorbell=hold*1");
	connecting_start(&victim, &queues[0]);
	for (i = 0; i < 10000 && !null_calls("ConnectDoorbell"); i++)
		kmt_sleep_us(1000);
	status = doorbell_connect(session.fd, queues[1].doorbell);
	ok(status == STATUS_SUCCESS && *queues[0].stat == STAT_RETRY && !victim.over,
	   "a connected doorbell's connect holds up nobody who takes its slot (CB-DC-6) (%#x)",
	   (uint32_t)status);
	status = connecting_end(&victim);
	ok(status == STATUS_SUCCESS, "nor does it fail (%#x)", (uint32_t)status);
	ok(queue_probe(&queues[0]) == STATUS_SUCCESS && queue_probe(&queues[1]) == STATUS_SUCCESS,
	   "both work");

	for (i = 0; i < 2; i++)
		queue_destroy(&queues[i]);
	kmt_session_close(&session);
}

int main(void)
{
	unsigned int i;

	starts();
	if (!load("slots=1"))
		bail("dxgnull cannot be loaded");
	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		/* Five resets a minute stop an adapter (FH-5): a new one for those who reset. */
		if (strstr(wrongs[i].orders, "Suspend")) {
			module_unload("dxgnull");
			load("slots=1");
		}
		try(&wrongs[i]);
	}
	slow_connect();
	slow_victim();
	stopped();
	ok(!module_unload("dxgnull"), "the module unloads");
	ok(!module_unload("dxgkrnl"), "so does the layer");
	return done();
}
