// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two adapters and one open file, whose handles are of one table: work on both at once with
 * more queues than doorbells; each call that takes two handles refuses those of two
 * adapters, and nothing comes of it; what happens to one adapter is its own affair
 * (KMT-CD-9, KMT-0.9, FH-8, FH-12, FH-13, FH-29, T25, T26, MOD-8).
 *
 *   driver-adapters DRIVER	the miniport: "dxgpu" or "dxgnull"
 */
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "debugfs.h"
#include "modules.h"
#include "objects.h"

#define QUEUES		3u	/* on fewer slots */
#define LAP_STEPS	16u
#define LAPS		5u	/* of each adapter, before it counts as at work */
#define WAIT_NS		(30ull * 1000 * 1000 * 1000)
#define PATIENCE_MS	30000u
#define NOWHERE		0x7777000000ull
#define STATE_ACTIVE	1u

/* What the process has on one adapter. */
struct side {
	struct kmt_session session;
	struct queue queues[QUEUES];
	struct chain chains[QUEUES];
	pthread_t thread;
	volatile bool stop;
	volatile uint64_t laps;
	int32_t status;			/* of the thread, when it is joined */
	char problem[200];
};

static struct side left, right;
static bool pci;

static void side_fill(struct side *side)
{
	unsigned int i;

	for (i = 0; i < QUEUES; i++) {
		must(queue_create(&side->queues[i], &side->session, side->session.context,
				  QUEUE_RING_BYTES), "queue");
		must(chain_create(&side->chains[i], &side->queues[i], LAP_STEPS), "chain");
	}
}

/* Whatever its adapter has become, its objects can be destroyed (KMT-0.9, FH-28). */
static int32_t side_empty(struct side *side)
{
	int32_t status = STATUS_SUCCESS, first = STATUS_SUCCESS;
	unsigned int i;

	for (i = 0; i < QUEUES; i++) {
		status = chain_destroy(&side->chains[i]);
		first = NT_SUCCESS(first) ? status : first;
		status = queue_destroy(&side->queues[i]);
		first = NT_SUCCESS(first) ? status : first;
	}
	return first;
}

static void *work(void *argument)
{
	struct side *side = argument;
	uint32_t salt = 0;
	unsigned int i;

	side->status = STATUS_SUCCESS;
	while (!side->stop && side->status == STATUS_SUCCESS) {
		for (i = 0; i < QUEUES && side->status == STATUS_SUCCESS; i++)
			side->status = chain_lap(&side->chains[i], salt++, 4, WAIT_NS,
						 side->problem, sizeof(side->problem));
		side->laps++;
	}
	return NULL;
}

static void work_begin(struct side *side)
{
	side->stop = false;
	side->laps = 0;
	side->problem[0] = '\0';
	if (pthread_create(&side->thread, NULL, work, side))
		bail("no thread");
}

static int32_t work_end(struct side *side)
{
	side->stop = true;
	pthread_join(side->thread, NULL);
	return side->status;
}

/* Some more laps from now on. */
static bool goes_on(const struct side *side)
{
	uint64_t laps = side->laps + LAPS;
	unsigned int waited;

	for (waited = 0; side->laps < laps; waited++) {
		if (waited == PATIENCE_MS)
			return false;
		kmt_sleep_us(1000);
	}
	return true;
}

static void both_at_once(void)
{
	bool going;

	work_begin(&left);
	work_begin(&right);
	going = goes_on(&left) && goes_on(&right) && goes_on(&left);
	ok(work_end(&left) == STATUS_SUCCESS && work_end(&right) == STATUS_SUCCESS && going,
	   "%u queues of each adapter do their work at once: %llu and %llu rounds %s%s", QUEUES,
	   (unsigned long long)left.laps, (unsigned long long)right.laps, left.problem,
	   right.problem);
}

/* A list of two allocations, the first of the session's own adapter and not resident. */
static int32_t resident_both(struct side *a, struct side *b)
{
	struct kmt_buffer own;
	uint32_t list[2];
	struct dxg_makeresident resident = {
		.paging_queue = a->session.paging_queue,
		.alloc_count = 2,
		.allocation_list = (uintptr_t)list,
	};
	int32_t status;

	must(kmt_buffer_create(&a->session, KMT_PAGE_BYTES, KMT_BUFFER_NOT_RESIDENT, &own),
	     "buffer");
	list[0] = own.allocation;
	list[1] = b->chains[0].cells.allocation;
	status = kmt_call(a->session.fd, LX_DXMAKERESIDENT, &resident);
	/* All or none: it may not have become resident. */
	if (kmt_evict(&a->session, own.allocation) != STATUS_INVALID_PARAMETER)
		status = STATUS_UNSUCCESSFUL;
	must(kmt_buffer_destroy(&a->session, &own), "buffer");
	return status;
}

/* Fences of both adapters, which have been reached; with an eventfd or without. */
static int32_t wait_both(struct side *a, struct side *b, bool event, uint32_t flags)
{
	uint32_t fences[2] = { a->queues[0].fence, b->queues[0].fence };
	uint64_t values[2] = { 0, 0 };
	struct dxg_waitforsyncobjectfromcpu wait = {
		.device = a->session.device,
		.object_count = 2,
		.objects = (uintptr_t)fences,
		.fence_values = (uintptr_t)values,
		.flags = flags,
	};
	int file = event ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
	eventfd_t signals;
	int32_t status;

	if (event && file < 0)
		bail("no eventfd");
	wait.async_event = event ? (uint64_t)file : 0;
	status = kmt_call(a->session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait);
	if (event && !eventfd_read(file, &signals))
		status = STATUS_UNSUCCESSFUL;
	if (event)
		close(file);
	return status;
}

/* On a's new queue, with the ring and the ring control of others. */
static int32_t doorbell_of(struct side *a, struct side *ring, struct side *control)
{
	struct dxg_createhwqueue hwqueue;
	struct dxg_createdoorbell create;
	int32_t status;

	must(hwqueue_create(a->session.fd, a->session.context, &hwqueue), "queue");
	status = doorbell_create(a->session.fd, hwqueue.queue, ring->queues[0].ring.allocation,
				 control->queues[0].control.allocation, 0, &create);
	must(object_destroy(&a->session, OBJECT_HWQUEUE, hwqueue.queue), "queue");
	return status;
}

static int32_t unlock_other(struct side *a, struct side *b)
{
	struct dxg_unlock2 unlock = {
		.device = a->session.device,
		.allocation = b->chains[0].cells.allocation,
	};

	return kmt_call(a->session.fd, LX_DXUNLOCK2, &unlock);
}

/* Each call that takes two handles, with a's first and b's second. */
static void cross(struct side *a, struct side *b, const char *way)
{
	uint32_t other = b->chains[0].cells.allocation;
	char before[DEBUGFS_TEXT_BYTES], after[DEBUGFS_TEXT_BYTES];
	unsigned int wrong = 0, i;
	uint64_t gpuva;
	void *cpu;

	counters_read(before);
	const struct {
		const char *name;
		int32_t status;
	} calls[] = {
		{ "MakeResident", kmt_make_resident(&a->session, other) },
		{ "MakeResident of two", resident_both(a, b) },
		{ "Evict", kmt_evict(&a->session, other) },
		{ "MapGpuVirtualAddress", kmt_map(&a->session, other, 0, 1, 0, &gpuva) },
		{ "Lock2", kmt_lock(&a->session, other, &cpu) },
		{ "Unlock2", unlock_other(a, b) },
		{ "DestroyAllocation2", kmt_allocation_destroy(&a->session, other) },
		{ "Wait", kmt_wait(&a->session, b->queues[0].fence, 0) },
		{ "Wait for both", wait_both(a, b, false, 0) },
		{ "Wait for any", wait_both(a, b, false, DXG_WAIT_ANY) },
		{ "Wait by an eventfd", wait_both(a, b, true, 0) },
		{ "CreateDoorbell, the ring", doorbell_of(a, b, a) },
		{ "CreateDoorbell, the ring control", doorbell_of(a, a, b) },
		{ "CreateDoorbell, both", doorbell_of(a, b, b) },
	};
	counters_read(after);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].status == STATUS_INVALID_PARAMETER)
			continue;
		diag("%s: status %#x", calls[i].name, (uint32_t)calls[i].status);
		wrong++;
	}
	ok(!wrong, "%u calls with handles of two adapters, %s: refused (KMT-CD-9)", i, way);
	if (!ok(!strcmp(before, after), "and nothing comes of them"))
		diag("before: %s; after: %s", before, after);
}

/* The same GPU address is another one on the other adapter. */
static void addresses(void)
{
	struct kmt_buffer one, two;
	struct dxg_commands commands;
	uint64_t gpuva;
	unsigned int i, wrong = 0;

	must(kmt_buffer_create(&left.session, KMT_PAGE_BYTES, 0, &one), "buffer");
	must(kmt_buffer_create(&right.session, KMT_PAGE_BYTES, 0, &two), "buffer");
	gpuva = two.gpuva;
	diag("GPU addresses %#llx and %#llx", (unsigned long long)one.gpuva,
	     (unsigned long long)gpuva);
	must(kmt_buffer_destroy(&left.session, &one), "buffer");
	commands = queue_commands(&right.queues[0]);
	dxg_commands_fill(&commands, gpuva, 0x51, KMT_PAGE_BYTES);
	i = (unsigned int)queue_publish(&right.queues[0], &commands);
	must(queue_deliver(&right.queues[0]), "deliver");
	must(queue_wait(&right.queues[0], i, WAIT_NS), "wait");
	for (i = 0; i < KMT_PAGE_BYTES / sizeof(uint32_t); i++)
		wrong += ((volatile uint32_t *)two.cpu)[i] != 0x51;
	ok(!wrong, "an address freed on one adapter stays what it is on the other");
	must(kmt_buffer_destroy(&right.session, &two), "buffer");
}

/* The name of an adapter's device, by its line in "state". */
static void adapter_name(const struct kmt_session *session, char *name, size_t bytes)
{
	char line[DEBUGFS_TEXT_BYTES], luid[64];
	glob_t found;
	size_t i;

	snprintf(luid, sizeof(luid), "adapter luid=%x:%x ", (uint32_t)session->luid.high_part,
		 session->luid.low_part);
	if (glob("/sys/kernel/debug/dxg/*/state", 0, NULL, &found))
		bail("no adapters in debugfs");
	*name = '\0';
	for (i = 0; i < found.gl_pathc; i++) {
		if (file_read(found.gl_pathv[i], line, sizeof(line)) && strstr(line, luid)) {
			*strrchr(found.gl_pathv[i], '/') = '\0';
			snprintf(name, bytes, "%s", strrchr(found.gl_pathv[i], '/') + 1);
		}
	}
	globfree(&found);
	if (!*name)
		bail("no adapter %sin debugfs", luid);
}

static void must_write(const char *path_format, const char *name, const char *text)
{
	int error = sysfs_write(path_format, name, text);

	if (error)
		bail(path_format, name);
}

/* What may happen to an adapter; its device's name may be needed. */
static void fault(const char *name)
{
	struct dxg_commands commands;
	struct queue queue;

	(void)name;
	must(queue_create(&queue, &left.session, left.session.context, QUEUE_RING_BYTES), "queue");
	commands = queue_commands(&queue);
	dxg_commands_fill(&commands, NOWHERE, 1, 64);
	queue_publish(&queue, &commands);
	queue_deliver(&queue);
	if (queue_wait(&queue, 1, WAIT_NS) != STATUS_DEVICE_REMOVED)
		bail("no fault");
	must(queue_destroy(&queue), "queue");
}

static void reset(const char *name)
{
	must_write("/sys/bus/pci/devices/%s/reset", name, "1");
}

static void remove_device(const char *name)
{
	if (pci)
		must_write("/sys/bus/pci/devices/%s/remove", name, "1");
	else
		must_write("/sys/bus/platform/drivers/dxgnull/unbind", name, name);
}

static void bring_back(const char *name)
{
	if (pci)
		must_write("/sys/bus/pci/rescan", name, "1");
	else
		must_write("/sys/bus/platform/drivers/dxgnull/bind", name, name);
}

/* An adapter comes a moment after its device. */
static void left_open(void)
{
	int32_t status;
	unsigned int waited;

	for (waited = 0; waited < PATIENCE_MS; waited += 10) {
		status = kmt_session_open_other(&left.session, &right.session, 0);
		if (NT_SUCCESS(status))
			break;
		kmt_sleep_us(10000);
	}
	must(status, "session");
	side_fill(&left);
}

static void happens(const char *what, void (*event)(const char *name),
		    void (*undo)(const char *name))
{
	int32_t status, cleaned;
	char name[64];
	bool going;

	adapter_name(&left.session, name, sizeof(name));
	work_begin(&left);
	work_begin(&right);
	going = goes_on(&left) && goes_on(&right);
	event(name);
	/* It ends by itself. */
	pthread_join(left.thread, NULL);
	status = left.status;
	going &= goes_on(&right);
	if (!ok(status == STATUS_DEVICE_REMOVED, "%s: the adapter's work ends with DEVICE_REMOVED",
		what))
		diag("status %#x %s", (uint32_t)status, left.problem);
	cleaned = side_empty(&left);
	if (NT_SUCCESS(cleaned))
		cleaned = kmt_session_close(&left.session);
	ok(cleaned == STATUS_SUCCESS, "%s: what was on it can be destroyed (KMT-0.9)", what);
	if (undo)
		undo(name);
	left_open();
	going &= goes_on(&right);
	work_begin(&left);
	ok(goes_on(&left) && work_end(&left) == STATUS_SUCCESS, "%s: it works again (FH-8, FH-12)", what);
	going &= goes_on(&right);
	status = work_end(&right);
	if (!ok(going && status == STATUS_SUCCESS &&
		kmt_execution_state(right.session.fd, right.session.device) == STATE_ACTIVE,
		"%s: the other adapter's %llu rounds know nothing of it (MOD-8)", what,
		(unsigned long long)right.laps))
		diag("status %#x %s", (uint32_t)status, right.problem);
}

int main(int argc, char **argv)
{
	char last[DEBUGFS_TEXT_BYTES];

	if (argc != 2)
		bail("driver-adapters DRIVER");
	pci = !strcmp(argv[1], "dxgpu");
	must(kmt_session_open(&right.session, NULL, 0), "session");
	must(kmt_session_open_other(&left.session, &right.session, 0), "session on another adapter");
	side_fill(&right);
	side_fill(&left);
	both_at_once();
	cross(&left, &right, "one way");
	cross(&right, &left, "the other way");
	addresses();
	happens("fault", fault, NULL);
	if (pci)
		happens("reset", reset, NULL);
	happens("removal", remove_device, bring_back);
	both_at_once();
	must(side_empty(&left), "destroy");
	must(side_empty(&right), "destroy");
	must(kmt_session_close(&left.session), "close");
	must(kmt_session_close(&right.session), "close");
	if (!ok(counters_settle(NULL, 10000, last), "nothing is left"))
		diag("%s", last);
	return done();
}
