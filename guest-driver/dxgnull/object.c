// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: devices, contexts, hardware queues, allocations.
 *
 * None of them has a counterpart in hardware here; they are where the next one
 * finds its parent. A create call gets the OS layer's handle and leaves its own
 * in the same field (OBJ-18); children are destroyed before parents.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/dxgpu_umd.h>
#include "dxgnull.h"

/* DxgkDdiCreateDevice: INVALID_PARAMETER without a process; NO_MEMORY. */
NTSTATUS dxgnull_create_device(HANDLE hadapter, DXGKARG_CREATEDEVICE *args)
{
	struct dxgnull_device *device;

	if (!args->hKmdProcess)
		return STATUS_INVALID_PARAMETER;
	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device)
		return STATUS_NO_MEMORY;
	device->space = args->hKmdProcess;
	args->hDevice = device;
	return STATUS_SUCCESS;
}

/* DxgkDdiDestroyDevice. */
NTSTATUS dxgnull_destroy_device(HANDLE hdevice)
{
	kfree(hdevice);
	return STATUS_SUCCESS;
}

/* DxgkDdiCreateContext: INVALID_PARAMETER for a node or engine that is not there; NO_MEMORY. */
NTSTATUS dxgnull_create_context(HANDLE hdevice, DXGKARG_CREATECONTEXT *args)
{
	struct dxgnull_device *device = hdevice;
	struct dxgnull_context *context;

	if (args->NodeOrdinal >= DXGNULL_NODES || args->EngineAffinity > 1)
		return STATUS_INVALID_PARAMETER;
	context = kzalloc(sizeof(*context), GFP_KERNEL_ACCOUNT);
	if (!context)
		return STATUS_NO_MEMORY;
	context->space = device->space;
	context->os_handle = args->hContext;
	context->node = args->NodeOrdinal;
	args->hContext = context;
	return STATUS_SUCCESS;
}

/* DxgkDdiDestroyContext: suspended and acknowledged, or the adapter was reset; no queues. */
NTSTATUS dxgnull_destroy_context(HANDLE hcontext)
{
	kfree(hcontext);
	return STATUS_SUCCESS;
}

/* DxgkDdiCreateHwQueue: NO_MEMORY. Nothing runs before it has a doorbell. */
NTSTATUS dxgnull_create_hwqueue(HANDLE hcontext, DXGKARG_CREATEHWQUEUE *args)
{
	struct dxgnull_queue *queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);

	if (!queue)
		return STATUS_NO_MEMORY;
	queue->context = hcontext;
	queue->os_handle = args->hHwQueue;
	INIT_LIST_HEAD(&queue->link);
	args->hHwQueue = queue;
	return STATUS_SUCCESS;
}

/* DxgkDdiDestroyHwQueue: its doorbell is destroyed before. */
NTSTATUS dxgnull_destroy_hwqueue(HANDLE hhwqueue)
{
	kfree(hhwqueue);
	return STATUS_SUCCESS;
}

static u32 dxgnull_queue_state(const struct dxgnull_queue *queue)
{
	struct dxgnull_context *context = queue->context;

	if (list_empty(&queue->link) || queue->lost)
		return DXGPU_QUEUE_ABSENT;
	if (queue->faulted)
		return DXGPU_QUEUE_FAULTED;
	if (context->space->adapter->engines[context->node].running == queue)
		return DXGPU_QUEUE_RUNNING;
	if (context->suspended)
		return DXGPU_QUEUE_SUSPENDED;
	return queue->wp == queue->rp ? DXGPU_QUEUE_IDLE : DXGPU_QUEUE_READY;
}

/* DxgkDdiQueryHwQueueStatus: always succeeds. */
NTSTATUS dxgnull_query_hwqueue_status(HANDLE hadapter, DXGKARG_QUERYHWQUEUESTATUS *args)
{
	static const char * const names[] = {
		[DXGPU_QUEUE_ABSENT] = "absent",
		[DXGPU_QUEUE_IDLE] = "idle",
		[DXGPU_QUEUE_READY] = "ready",
		[DXGPU_QUEUE_RUNNING] = "running",
		[DXGPU_QUEUE_SUSPENDED] = "suspended",
		[DXGPU_QUEUE_FAULTED] = "faulted",
	};
	struct dxgnull_adapter *adapter = hadapter;
	struct dxgnull_queue *queue = args->hHwQueue;

	mutex_lock(&adapter->lock);
	args->State = dxgnull_queue_state(queue);
	args->StateName = names[args->State];
	args->WritePointer = queue->wp;
	args->ReadPointer = READ_ONCE(queue->rp);
	args->Slot = queue->slot ? queue->slot - adapter->slots : -1;
	args->SamplePending = queue->sample && !queue->lost && !queue->faulted;
	mutex_unlock(&adapter->lock);
	return STATUS_SUCCESS;
}

/*
 * DxgkDdiCreateAllocation: the OS layer owns the memory; the blob of the user-mode
 * driver says its size. INVALID_PARAMETER for a blob that is not valid; NO_MEMORY.
 */
NTSTATUS dxgnull_create_allocation(HANDLE hadapter, DXGKARG_CREATEALLOCATION *args)
{
	DXGK_ALLOCATIONINFO *info = args->pAllocationInfo;
	struct dxgpu_allocation_data data;
	struct dxgnull_allocation *allocation;

	if (args->NumAllocations != 1 || !info->pPrivateDriverData ||
	    info->PrivateDriverDataSize < sizeof(data))
		return STATUS_INVALID_PARAMETER;
	memcpy(&data, info->pPrivateDriverData, sizeof(data));
	if (data.size != sizeof(data) || data.flags || !data.bytes ||
	    data.bytes > 1ull << DXGNULL_GPUVA_BITS)
		return STATUS_INVALID_PARAMETER;
	allocation = kzalloc(sizeof(*allocation), GFP_KERNEL_ACCOUNT);
	if (!allocation)
		return STATUS_NO_MEMORY;
	allocation->bytes = data.bytes;
	info->Alignment = 0;
	info->Size = data.bytes;
	info->hAllocation = allocation;
	return STATUS_SUCCESS;
}

/* DxgkDdiDestroyAllocation. */
NTSTATUS dxgnull_destroy_allocation(HANDLE hadapter, HANDLE hallocation)
{
	kfree(hallocation);
	return STATUS_SUCCESS;
}
