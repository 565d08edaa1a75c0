// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every call on a device: it works, or is refused for its own reason, while the device is
 * in order, and is DEVICE_REMOVED once a page fault has put the device in error; destroy
 * calls and queries go on (KMT-0.9). A call that names no device is not concerned.
 */
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "tap.h"
#include "driver/debugfs.h"
#include "driver/objects.h"

#define NEVER_MAPPED	0x123450000000ull
#define WAIT_NS		(20ull * 1000 * 1000 * 1000)
#define STATE_ACTIVE	1u

static struct kmt_session session;
static struct queue queue;	/* whole; gets the fault */
static struct queue bare;	/* hardware queue and memory without a doorbell */
static struct kmt_buffer buffer;
static int event;

static int32_t create_context(void)
{
	uint32_t context;

	return kmt_context_create(session.fd, session.device, 0, &context);
}

static int32_t create_paging_queue(void)
{
	struct dxg_createpagingqueue args = { .device = session.device };

	return kmt_call(session.fd, LX_DXCREATEPAGINGQUEUE, &args);
}

static int32_t create_allocation(void)
{
	uint32_t allocation;

	return kmt_allocation_create(&session, KMT_PAGE_BYTES, &allocation);
}

static int32_t create_hwqueue(void)
{
	struct dxg_createhwqueue args;

	return hwqueue_create(session.fd, session.context, &args);
}

static int32_t make_resident(void)
{
	return kmt_make_resident(&session, buffer.allocation);
}

static int32_t evict(void)
{
	return kmt_evict(&session, buffer.allocation);
}

static int32_t reserve(void)
{
	struct dxg_reservegpuvirtualaddress args = {
		.adapter_or_paging_queue = session.paging_queue,
		.size = 1u << 16,
	};

	return kmt_call(session.fd, LX_DXRESERVEGPUVIRTUALADDRESS, &args);
}

static int32_t map(void)
{
	uint64_t gpuva;

	return kmt_map(&session, buffer.allocation, 0, 1, DXG_PROTECTION_WRITE, &gpuva);
}

static int32_t lock(void)
{
	void *cpu;

	return kmt_lock(&session, buffer.allocation, &cpu);
}

static int32_t unlock(void)
{
	struct dxg_unlock2 args = { .device = session.device, .allocation = buffer.allocation };

	return kmt_call(session.fd, LX_DXUNLOCK2, &args);
}

static int32_t wait_blocking(void)
{
	return kmt_wait(&session, queue.fence, 0);
}

static int32_t wait_event(void)
{
	uint64_t value = 0;
	struct dxg_waitforsyncobjectfromcpu args = {
		.device = session.device,
		.object_count = 1,
		.objects = (uintptr_t)&queue.fence,
		.fence_values = (uintptr_t)&value,
		.async_event = (uint64_t)event,
	};

	return kmt_call(session.fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &args);
}

static int32_t submit_command(void)
{
	struct dxg_submitcommandtohwqueue args = { .queue = queue.queue };

	return kmt_call(session.fd, LX_DXSUBMITCOMMANDTOHWQUEUE, &args);
}

static int32_t submit_signal(void)
{
	struct dxg_submitsignalsyncobjectstohwqueue args = {
		.queue_count = 1,
		.queues = (uintptr_t)&queue.queue,
	};

	return kmt_call(session.fd, LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE, &args);
}

static int32_t submit_wait(void)
{
	struct dxg_submitwaitforsyncobjectstohwqueue args = { .queue = queue.queue };

	return kmt_call(session.fd, LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE, &args);
}

/* Its doorbell is destroyed again, so that the call is good the next time too. */
static int32_t create_doorbell(void)
{
	struct dxg_createdoorbell args;
	int32_t status = doorbell_create(session.fd, bare.queue, bare.ring.allocation,
					 bare.control.allocation, 0, &args);

	if (NT_SUCCESS(status))
		must(doorbell_destroy(session.fd, args.doorbell), "second doorbell");
	return status;
}

static int32_t connect_doorbell(void)
{
	return doorbell_connect(session.fd, queue.doorbell);
}

static int32_t notify(void)
{
	return doorbell_notify(session.fd, queue.doorbell);
}

/* In an order in which each of them works; what is made goes with the device. */
static const struct {
	const char *name;
	int32_t (*function)(void);
	int32_t before;			/* on a device in order */
} calls[] = {
	{ "CreateContextVirtual", create_context, STATUS_SUCCESS },
	{ "CreatePagingQueue", create_paging_queue, STATUS_SUCCESS },
	{ "CreateAllocation2", create_allocation, STATUS_SUCCESS },
	{ "CreateHwQueue", create_hwqueue, STATUS_SUCCESS },
	{ "MakeResident", make_resident, STATUS_SUCCESS },
	{ "Evict", evict, STATUS_SUCCESS },
	{ "ReserveGpuVirtualAddress", reserve, STATUS_SUCCESS },
	{ "MapGpuVirtualAddress", map, STATUS_SUCCESS },
	{ "Lock2", lock, STATUS_SUCCESS },
	{ "Unlock2", unlock, STATUS_SUCCESS },
	{ "WaitForSynchronizationObjectFromCpu", wait_blocking, STATUS_SUCCESS },
	{ "WaitForSynchronizationObjectFromCpu with an event", wait_event, STATUS_SUCCESS },
	{ "SubmitCommandToHwQueue", submit_command, STATUS_INVALID_PARAMETER },
	{ "SubmitSignalSyncObjectsToHwQueue", submit_signal, STATUS_INVALID_PARAMETER },
	{ "SubmitWaitForSyncObjectsToHwQueue", submit_wait, STATUS_INVALID_PARAMETER },
	{ "CreateDoorbell", create_doorbell, STATUS_SUCCESS },
	{ "ConnectDoorbell", connect_doorbell, STATUS_SUCCESS },
	{ "NotifyWorkSubmission", notify, STATUS_SUCCESS },
};

#define NUM_CALLS	(sizeof(calls) / sizeof(calls[0]))

static void put_in_error(void)
{
	struct dxg_commands commands = queue_commands(&queue);
	uint64_t start = kmt_now_ns();

	dxg_commands_copy(&commands, buffer.gpuva, NEVER_MAPPED, 64);
	queue_publish(&queue, &commands);
	queue_deliver(&queue);
	while (kmt_execution_state(session.fd, session.device) == STATE_ACTIVE)
		if (kmt_now_ns() - start > WAIT_NS)
			bail("the device is not put in error");
}

/* Queries, and calls of the adapter and of the process. */
static void goes_on(void)
{
	struct dxg_getdevicestate page_fault = { .device = session.device, .state_type = 5 };
	struct dxg_reservegpuvirtualaddress range = {
		.adapter_or_paging_queue = session.adapter,
		.size = 1u << 16,
	};
	struct dxgpu_umd_caps caps;
	uint32_t device;

	ok(kmt_execution_state(session.fd, session.device) != STATE_ACTIVE &&
	   kmt_call(session.fd, LX_DXGETDEVICESTATE, &page_fault) == STATUS_SUCCESS &&
	   page_fault.page_fault.virtual_address == NEVER_MAPPED,
	   "GetDeviceState tells the error and the fault (KMT-0.9)");
	ok(kmt_caps(session.fd, session.adapter, &caps) == STATUS_SUCCESS &&
	   kmt_call(session.fd, LX_DXRESERVEGPUVIRTUALADDRESS, &range) == STATUS_SUCCESS &&
	   kmt_unmap(&session, range.virtual_address, range.size) == STATUS_SUCCESS &&
	   kmt_device_create(session.fd, session.adapter, &device) == STATUS_SUCCESS &&
	   object_destroy(&session, OBJECT_DEVICE, device) == STATUS_SUCCESS,
	   "the adapter's calls are not concerned");
}

static void is_destroyed(void)
{
	static const enum object kinds[] = {
		OBJECT_DOORBELL, OBJECT_HWQUEUE, OBJECT_ALLOCATION, OBJECT_PAGING_QUEUE,
		OBJECT_CONTEXT, OBJECT_DEVICE, OBJECT_ADAPTER,
	};
	uint32_t handles[NUM_OBJECTS];
	unsigned int i;

	objects_gather(&session, &queue, handles);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		ok(object_destroy(&session, kinds[i], handles[kinds[i]]) == STATUS_SUCCESS,
		   "the %s of a device in error can be destroyed (KMT-0.9)",
		   object_names[kinds[i]]);
}

int main(void)
{
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	unsigned int i;
	int32_t status;

	if (!counters_read(before))
		bail("no counters");
	must(queue_open(&queue, &session), "queue");
	must(queue_create(&bare, &session, session.context, QUEUE_RING_BYTES), "second queue");
	must(doorbell_destroy(session.fd, bare.doorbell), "its doorbell");
	must(kmt_buffer_create(&session, KMT_PAGE_BYTES, 0, &buffer), "buffer");
	event = eventfd(0, EFD_CLOEXEC);
	if (event < 0)
		bail("no eventfd");
	must(queue_probe(&queue), "first work");
	for (i = 0; i < NUM_CALLS; i++) {
		status = calls[i].function();
		if (!ok(status == calls[i].before, "%s on a device in order", calls[i].name))
			diag("status %#x", (uint32_t)status);
	}
	put_in_error();
	for (i = 0; i < NUM_CALLS; i++) {
		status = calls[i].function();
		if (!ok(status == STATUS_DEVICE_REMOVED,
			"%s on a device in error: DEVICE_REMOVED (KMT-0.9)", calls[i].name))
			diag("status %#x", (uint32_t)status);
	}
	goes_on();
	is_destroyed();
	close(event);
	close(session.fd);
	if (!ok(counters_settle(before, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", before, last);
	return done();
}
