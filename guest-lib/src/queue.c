// SPDX-License-Identifier: MIT
/* A submit queue's life: hardware queue, ring, ring control, doorbell. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "barrier.h"
#include "kernel.h"
#include "session.h"
#include "submit.h"

/*
 * A ring is a whole number of pages: the kernel knows an allocation's size in
 * pages, and the device takes the size of the ring from there (KMT-CD-11).
 */
#define RING_PAGE_ENTRIES	(4096 / (UINT)sizeof(struct dxgpu_ring_entry))

/* One millisecond apart. */
#define STATE_LOOKS	20

static void doorbell_store(void *doorbell, UINT64 value)
{
	__atomic_store_n((UINT64 *)doorbell, value, __ATOMIC_RELAXED);
}

const struct dxg_submit_ops dxg_submit_kmt_ops = {
	.ring = doorbell_store,
	.connect = D3DKMTConnectDoorbell,
	.notify = D3DKMTNotifyWorkSubmission,
	.wait = D3DKMTWaitForSynchronizationObjectFromCpu,
	.device_state = D3DKMTGetDeviceState,
};

void dxg_submit_queue_init(struct dxg_submit_queue *queue)
{
	UINT i;

	pthread_mutex_init(&queue->lock, NULL);
	pthread_mutex_init(&queue->events.lock, NULL);
	for (i = 0; i < DXG_EVENTS; i++)
		queue->events.events[i].fd = -1;
}

void dxg_submit_queue_fini(struct dxg_submit_queue *queue)
{
	UINT i;

	for (i = 0; i < DXG_EVENTS; i++)
		if (queue->events.events[i].fd >= 0)
			close(queue->events.events[i].fd);
	pthread_mutex_destroy(&queue->events.lock);
	pthread_mutex_destroy(&queue->lock);
}

NTSTATUS dxg_submit_queue_check(const struct dxg_submit_queue *queue,
				const char *function)
{
	if (!queue)
		return dxg_report(STATUS_INVALID_PARAMETER, "%s: the queue is NULL",
				  function);
	if (queue->instance != dxg_kernel_instance())
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "%s: the queue belongs to another process (fork)",
				  function);
	return STATUS_SUCCESS;
}

static const char *execution_state_name(D3DKMT_DEVICEEXECUTION_STATE state)
{
	switch (state) {
	case D3DKMT_DEVICEEXECUTION_ACTIVE:
		return "active";
	case D3DKMT_DEVICEEXECUTION_RESET:
		return "reset";
	case D3DKMT_DEVICEEXECUTION_HUNG:
		return "hung";
	case D3DKMT_DEVICEEXECUTION_STOPPED:
		return "stopped";
	case D3DKMT_DEVICEEXECUTION_ERROR_OUTOFMEMORY:
		return "out of memory";
	case D3DKMT_DEVICEEXECUTION_ERROR_DMAFAULT:
		return "bad command";
	case D3DKMT_DEVICEEXECUTION_ERROR_DMAPAGEFAULT:
		return "page fault";
	}
	return "unknown";
}

/*
 * The kernel stores ABORT before it puts the device in error (FH-10), so for a
 * moment a lost queue's device is still active: look again for some milliseconds.
 */
static const char *lost_state(struct dxg_submit_queue *queue)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	D3DKMT_GETDEVICESTATE state = {
		.hDevice = queue->device,
		.StateType = D3DKMT_DEVICESTATE_EXECUTION,
	};
	UINT looks;

	for (looks = 0; looks < STATE_LOOKS; looks++) {
		if (!NT_SUCCESS(queue->ops->device_state(&state)))
			return "gone";
		if (state.ExecutionState != D3DKMT_DEVICEEXECUTION_ACTIVE)
			break;
		nanosleep(&pause, NULL);
	}
	return execution_state_name(state.ExecutionState);
}

NTSTATUS dxg_submit_queue_lose(struct dxg_submit_queue *queue, const char *function)
{
	D3DKMT_GETDEVICESTATE state = {
		.hDevice = queue->device,
		.StateType = D3DKMT_DEVICESTATE_PAGE_FAULT,
	};
	D3DKMT_DEVICEPAGEFAULT_STATE fault = { 0 };
	const char *name = lost_state(queue);

	atomic_store(&queue->lost, true);
	if (NT_SUCCESS(queue->ops->device_state(&state)))
		fault = state.PageFaultState;
	return dxg_report(STATUS_DEVICE_REMOVED,
			  "%s: queue 0x%x is lost; device 0x%x: %s, %s code %u, GPU address 0x%" PRIx64 "; destroy it and start anew",
			  function, queue->hwqueue, queue->device, name,
			  fault.FaultErrorCode.IsDeviceSpecificCode ? "device" :
								      "general",
			  (UINT)fault.FaultErrorCode.GeneralErrorCode,
			  fault.FaultedVirtualAddress);
}

static NTSTATUS choose_entries(const struct dxg_session *session,
			       const struct dxg_submit_queue_options *options, UINT *entries)
{
	UINT least = session->caps.ring_min_entries > RING_PAGE_ENTRIES ?
		     session->caps.ring_min_entries : RING_PAGE_ENTRIES;
	UINT most = session->caps.ring_max_entries;

	if (options && options->size != sizeof(*options))
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "dxg_submit_queue_create: options.size %u (%zu)",
				  options->size, sizeof(*options));
	*entries = options && options->ring_entries ? options->ring_entries : least;
	if (*entries & (*entries - 1) || *entries < least || *entries > most)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "dxg_submit_queue_create: ring_entries %u (power of two, %u..%u)",
				  *entries, least, most);
	return STATUS_SUCCESS;
}

static NTSTATUS queue_hwqueue(struct dxg_submit_queue *queue, D3DKMT_HANDLE context)
{
	D3DKMT_CREATEHWQUEUE create = {
		.hHwContext = context,
		.Flags.UserModeSubmission = 1,
	};
	NTSTATUS status = D3DKMTCreateHwQueue(&create);

	if (!NT_SUCCESS(status))
		return status;
	queue->hwqueue = create.hHwQueue;
	queue->progress_fence = create.hHwQueueProgressFence;
	queue->progress = create.HwQueueProgressFenceCPUVirtualAddress;
	queue->progress_gpuva = create.HwQueueProgressFenceGPUVirtualAddress;
	queue->first_fence = dxg_load_acquire(queue->progress) + 1;
	return status;
}

static NTSTATUS queue_doorbell(struct dxg_submit_queue *queue)
{
	struct dxgpu_doorbell_data data = { .size = sizeof(data) };
	D3DKMT_CREATE_DOORBELL create = {
		.hHwQueue = queue->hwqueue,
		.PrivateDriverData = &data,
		.PrivateDriverDataSize = sizeof(data),
		.hRingBuffer = queue->ring_buffer.allocation,
		.hRingBufferControl = queue->control_buffer.allocation,
	};
	NTSTATUS status = D3DKMTCreateDoorbell(&create);

	if (!NT_SUCCESS(status))
		return status;
	queue->doorbell = create.hDoorbell;
	queue->doorbell_va = create.DoorbellCPUVirtualAddress;
	queue->rings_value = data.flags & DXGPU_DOORBELL_DATA_VALUE;
	queue->ring_value = data.value;
	queue->status = create.DoorbellStatusCPUVirtualAddress;
	queue->last_queued =
		create.HwQueueProgressFenceLastQueuedValueCPUVirtualAddress;
	return status;
}

NTSTATUS dxg_submit_queue_create(struct dxg_session *session,
				 const struct dxg_submit_queue_options *options,
				 struct dxg_submit_queue **out)
{
	struct dxg_submit_queue *queue;
	NTSTATUS status;

	if (!out)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "%s: the result pointer is NULL", __func__);
	*out = NULL;
	status = dxg_session_check(session, __func__);
	if (!NT_SUCCESS(status))
		return status;
	queue = calloc(1, sizeof(*queue));
	if (!queue)
		return dxg_report(STATUS_NO_MEMORY, "%s: no memory for a queue", __func__);
	dxg_submit_queue_init(queue);
	queue->ops = &dxg_submit_kmt_ops;
	queue->instance = session->instance;
	queue->session = session;
	queue->device = session->handles.device;
	queue->max_command_bytes = session->caps.max_command_bytes;

	status = choose_entries(session, options, &queue->entries);
	if (NT_SUCCESS(status))
		status = queue_hwqueue(queue, session->handles.context);
	if (NT_SUCCESS(status))
		status = dxg_buffer_create(session,
					   queue->entries * sizeof(*queue->ring), 0,
					   &queue->ring_buffer);
	if (NT_SUCCESS(status))
		status = dxg_buffer_create(session, session->caps.ring_control_bytes,
					   0, &queue->control_buffer);
	if (NT_SUCCESS(status))
		status = queue_doorbell(queue);
	if (!NT_SUCCESS(status)) {
		dxg_submit_queue_destroy(queue, 0);
		return status;
	}
	queue->ring = queue->ring_buffer.cpu;
	queue->control = queue->control_buffer.cpu;
	*out = queue;
	return STATUS_SUCCESS;
}

void dxg_submit_queue_destroy(struct dxg_submit_queue *queue, UINT64 drain_timeout_ns)
{
	D3DKMT_DESTROY_DOORBELL doorbell;
	D3DKMT_DESTROYHWQUEUE hwqueue;
	UINT64 submitted;

	if (!queue)
		return;
	if (queue->instance == dxg_kernel_instance()) {
		submitted = atomic_load(&queue->wp);
		if (submitted && drain_timeout_ns)
			dxg_wait(queue, queue->first_fence + submitted - 1,
				 drain_timeout_ns);
		doorbell.hDoorbell = queue->doorbell;
		if (doorbell.hDoorbell)
			D3DKMTDestroyDoorbell(&doorbell);
		hwqueue.hHwQueue = queue->hwqueue;
		if (hwqueue.hHwQueue)
			D3DKMTDestroyHwQueue(&hwqueue);
		dxg_buffer_destroy(queue->session, &queue->control_buffer);
		dxg_buffer_destroy(queue->session, &queue->ring_buffer);
		dxg_submit_queue_fini(queue);
	}
	/* In a child the event numbers may stand for other files by now. */
	free(queue);
}

UINT64 dxg_submit_queue_progress(const struct dxg_submit_queue *queue)
{
	return dxg_load_acquire(queue->progress);
}

UINT64 dxg_submit_queue_completed(const struct dxg_submit_queue *queue)
{
	return dxg_load_acquire(&queue->control->rp);
}

D3DKMT_HANDLE dxg_submit_queue_fence(const struct dxg_submit_queue *queue)
{
	return queue->progress_fence;
}

void dxg_submit_queue_get_stats(const struct dxg_submit_queue *queue,
				struct dxg_submit_stats *stats)
{
	const struct dxg_submit_counters *counters = &queue->counters;
	UINT64 connects = atomic_load(&counters->connects);

	*stats = (struct dxg_submit_stats) {
		.submissions = atomic_load(&queue->wp),
		.rings = atomic_load(&counters->rings),
		.connects_first = connects ? 1 : 0,
		.reconnects = connects ? connects - 1 : 0,
		.retries = atomic_load(&counters->retries),
		.notifies = atomic_load(&counters->notifies),
		.busy = atomic_load(&counters->busy),
		.accepted = atomic_load(&counters->accepted),
	};
}
