// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware queues.
 *
 * A queue has a progress fence, made with it, and at most one doorbell at a time
 * (OBJ-1). Whether it takes user-mode submission is fixed at creation (OBJ-22).
 *
 * Page faults and bad commands stop the queue in the device and arrive here by
 * interrupt; the rest runs in a work item: device in error, all its doorbells
 * ABORT, waiters released (FH-10), then its contexts are suspended and its
 * slots given back, so that nothing of it executes any more (FH-12, T23). Other
 * devices, also of the same process, are not touched (FH-13).
 */
#include <linux/delay.h>
#include <linux/slab.h>

#include "dxgkrnl.h"
#include "trace.h"

/* How long a fault's work item waits for its process before it stands in line again. */
#define DXG_FAULT_RETRY_MS	4

#define DXG_HWQUEUE_FLAGS	0x1fu	/* b0 .. b4; no native fences, no test queues */

static void dxg_hwqueue_release(struct dxg_object *obj)
{
	struct dxg_hwqueue *queue = container_of(obj, struct dxg_hwqueue, obj);
	struct dxg_context *context = queue->context;

	if (queue->fence)
		dxg_object_put(&queue->fence->obj);
	dxg_quota_uncharge(obj->process, DXG_QUOTA_QUEUES, 1);
	kfree(queue);
	dxg_object_put(&context->obj);
}

/**
 * dxg_hwqueue_faulted() - a page fault or bad command, from the interrupt
 * @adapter: of the queue
 * @data: the report
 *
 * Any context. Only the first report of a queue counts: it has stopped.
 */
void dxg_hwqueue_faulted(struct dxgadapter *adapter, const DXGKARGCB_NOTIFY_INTERRUPT_DATA *data)
{
	struct dxg_hwqueue *queue;
	struct dxg_object *obj;
	unsigned long flags;

	atomic64_inc(&adapter->faults);
	xa_lock_irqsave(&dxg_ids, flags);
	obj = xa_load(&dxg_ids, (unsigned long)data->HwQueuePageFaulted.FaultedHwQueue);
	if (obj && obj->type == DXG_TYPE_HWQUEUE) {
		queue = container_of(obj, struct dxg_hwqueue, obj);
		if (!test_and_set_bit(0, &queue->fault_seen)) {
			queue->fault.fence = data->HwQueuePageFaulted.FaultedFenceId;
			queue->fault.address = data->HwQueuePageFaulted.FaultedVirtualAddress;
			queue->fault.sequence =
				data->HwQueuePageFaulted.FaultedPrimitiveAPISequenceNumber;
			queue->fault.stage = data->HwQueuePageFaulted.FaultedPipelineStage;
			queue->fault.bind_entry = data->HwQueuePageFaulted.FaultedBindTableEntry;
			queue->fault.flags = data->HwQueuePageFaulted.PageFaultFlags;
			queue->fault.level = data->HwQueuePageFaulted.PageTableLevel;
			queue->fault.error = data->HwQueuePageFaulted.FaultErrorCode;
			dxg_object_get(obj);
			queue_work(dxg_wq, &queue->fault_work);
		}
	}
	xa_unlock_irqrestore(&dxg_ids, flags);
}

void dxg_hwqueue_fault_work(struct work_struct *work)
{
	struct dxg_hwqueue *queue = container_of(work, struct dxg_hwqueue, fault_work);
	struct dxg_device *device = queue->context->device;
	const u32 page_fault = DXGK_FAULT_ERROR_GENERAL(DXGK_GENERAL_ERROR_PAGE_FAULT);
	struct dxg_process_adapter *pa = device->pa;

	/*
	 * A process can hold up its own lock for long (mmap_lock, FUSE). It must not
	 * fill the workqueue, in which the faults and waits of others are, too.
	 */
	if (!mutex_trylock(&pa->lock)) {
		msleep(DXG_FAULT_RETRY_MS);
		queue_work(dxg_wq, work);
		return;
	}
	trace_dxg_queue_fault(pa->process->pid, queue->obj.handle, queue->fault.address,
			      queue->fault.error);
	if (queue->obj.dead)
		goto out_unlock;
	dxg_device_set_error(device, queue->fault.error == page_fault ?
			     DXG_EXECUTION_ERROR_DMAPAGEFAULT : DXG_EXECUTION_ERROR_DMAFAULT,
			     &queue->fault);
	dxg_device_quiesce(device);

out_unlock:
	mutex_unlock(&pa->lock);
	dxg_object_put(&queue->obj);
}

/**
 * dxg_hwqueue_pending() - may work still be executed?
 * @queue: pa->lock held
 * @progress: grows by the entries completed, to tell standing from moving
 *
 * The process's word (last-queued above the fence) is a hint and may be a lie, so
 * the device has to confirm it (PF-5, SEC-8); but until the device has taken the
 * final sample of a disconnect, the hint counts, however long that takes (FH-19).
 */
bool dxg_hwqueue_pending(struct dxg_hwqueue *queue, u64 *progress)
{
	struct dxgadapter *adapter = dxg_device_adapter(queue->context->device);
	DXGKARG_QUERYHWQUEUESTATUS args = { .SampleAwaited = true };
	NTSTATUS status = STATUS_DEVICE_REMOVED;

	lockdep_assert_held(&queue->context->device->pa->lock);

	if (!queue->doorbell ||
	    dxg_cell_read(&queue->doorbell->last_queued) <= dxg_fence_value(queue->fence))
		return false;
	if (dxg_adapter_enter_running(adapter)) {
		args.hHwQueue = queue->kmd;
		status = adapter->ddi->DxgkDdiQueryHwQueueStatus(adapter->context, &args);
		dxg_adapter_exit(adapter);
	}
	*progress += args.ReadPointer;
	return NT_SUCCESS(status) && (args.SamplePending || args.WritePointer != args.ReadPointer);
}

/* pa->lock and a reference held. A living doorbell goes first (OBJ-21). false: destroyed before. */
bool dxg_hwqueue_destroy(struct dxg_hwqueue *queue)
{
	struct dxgadapter *adapter = dxg_device_adapter(queue->context->device);
	bool entered;

	if (queue->obj.dead)
		return false;
	queue->obj.dead = true;

	if (queue->doorbell)
		dxg_doorbell_destroy(queue->doorbell);
	entered = dxg_adapter_enter_destroy(adapter);
	if (entered && queue->kmd)
		adapter->ddi->DxgkDdiDestroyHwQueue(queue->kmd);
	queue->kmd = NULL;
	dxg_id_free(queue->id);
	list_del_init(&queue->node);
	if (entered)
		dxg_adapter_exit(adapter);
	dxg_fence_destroy(queue->fence);
	trace_dxg_queue_destroy(queue->obj.process->pid, queue->obj.handle);
	dxg_handle_withdraw(&queue->obj);
	return true;
}

static NTSTATUS dxg_hwqueue_kmd_create(struct dxg_hwqueue *queue, void *private, u32 private_size)
{
	struct dxg_context *context = queue->context;
	struct dxgadapter *adapter = dxg_device_adapter(context->device);
	HANDLE id = dxg_id_to_handle(queue->id);
	DXGKARG_CREATEHWQUEUE args = {
		.hHwQueue = id,
		.Flags = queue->flags,
		.PrivateDriverDataSize = private_size,
		.pPrivateDriverData = private,
		.hHwQueueProgressFence = queue->fence->obj.handle,
		.HwQueueProgressFenceCPUVirtualAddress = dxg_cell_kernel_addr(&queue->fence->cell),
		.HwQueueProgressFenceGPUVirtualAddress = dxg_cell_gpu_addr(&queue->fence->cell),
	};
	NTSTATUS status;

	status = dxg_adapter_enter(adapter);
	if (!NT_SUCCESS(status))
		return status;
	status = adapter->ddi->DxgkDdiCreateHwQueue(context->kmd, &args);
	if (NT_SUCCESS(status) && (!args.hHwQueue || args.hHwQueue == id))
		status = STATUS_UNSUCCESSFUL;
	if (NT_SUCCESS(status)) {
		queue->kmd = args.hHwQueue;
		list_add_tail(&queue->node, &context->queues);
	}
	dxg_adapter_exit(adapter);
	return status;
}

/* pa->lock. All of a new queue that can fail; undone on failure. */
static NTSTATUS dxg_hwqueue_build(struct dxg_hwqueue *queue, void *private, u32 private_size)
{
	struct dxg_context *context = queue->context;
	struct dxg_device *device = context->device;
	NTSTATUS status;

	status = context->obj.dead ? STATUS_INVALID_PARAMETER : dxg_device_status(device);
	if (!NT_SUCCESS(status))
		return status;
	status = dxg_fence_create(device, 0, &queue->fence);
	if (!NT_SUCCESS(status))
		return status;
	status = dxg_id_alloc(&queue->obj, &queue->id);
	if (NT_SUCCESS(status))
		status = dxg_hwqueue_kmd_create(queue, private, private_size);
	if (!NT_SUCCESS(status)) {
		dxg_id_free(queue->id);
		dxg_fence_destroy(queue->fence);
	}
	return status;
}

/**
 * dxg_create_hwqueue() - D3DKMTCreateHwQueue
 * @call: struct dxg_createhwqueue
 *
 * Return: INVALID_PARAMETER for a bad handle, flag or private data size (0 ..
 * 4096); NOT_SUPPORTED if user-mode submission is asked for on a node without it
 * (KMT-HQ-1); NO_MEMORY beyond memory or quota (max_queues); DEVICE_REMOVED;
 * ACCESS_VIOLATION.
 */
NTSTATUS dxg_create_hwqueue(struct dxg_call *call)
{
	struct dxg_createhwqueue *args = call->args;
	struct dxg_process *process = call->process;
	struct dxg_process_adapter *pa;
	struct dxg_context *context;
	struct dxg_hwqueue *queue;
	struct dxg_object *keep;
	void *private = NULL;
	NTSTATUS status;
	u32 handle = 0;

	if (args->flags & ~DXG_HWQUEUE_FLAGS)
		return STATUS_INVALID_PARAMETER;
	keep = dxg_handle_get(process, args->context, DXG_TYPE_CONTEXT);
	if (!keep)
		return STATUS_INVALID_PARAMETER;
	context = container_of(keep, struct dxg_context, obj);
	pa = context->device->pa;
	status = dxg_device_status(context->device);
	if (!NT_SUCCESS(status))
		goto out_put;
	status = STATUS_NOT_SUPPORTED;
	if ((args->flags & DXG_HWQUEUE_USER_MODE_SUBMISSION) &&
	    !(pa->adapter->nodes[context->node_ordinal].Flags &
	      DXGK_NODEMETADATA_USER_MODE_SUBMISSION))
		goto out_put;
	status = dxg_copy_private(args->priv_drv_data, args->priv_drv_data_size,
				  DXG_PRIVATE_MAX_BYTES, &private);
	if (!NT_SUCCESS(status))
		goto out_put;

	status = STATUS_NO_MEMORY;
	if (!dxg_quota_charge(process, DXG_QUOTA_QUEUES, 1))
		goto out_put;
	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue) {
		dxg_quota_uncharge(process, DXG_QUOTA_QUEUES, 1);
		goto out_put;
	}
	dxg_object_init(&queue->obj, DXG_TYPE_HWQUEUE, process, dxg_hwqueue_release);
	dxg_object_get(keep);
	queue->context = context;
	queue->flags = args->flags;
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->node);
	INIT_WORK(&queue->fault_work, dxg_hwqueue_fault_work);

	mutex_lock(&pa->lock);
	status = dxg_handle_reserve(process, &handle);
	if (NT_SUCCESS(status))
		status = dxg_hwqueue_build(queue, private, args->priv_drv_data_size);
	if (NT_SUCCESS(status)) {
		args->queue = handle;
		args->progress_fence = queue->fence->obj.handle;
		args->progress_fence_cpu_va = dxg_cell_user_addr(&queue->fence->cell);
		args->progress_fence_gpu_va = dxg_cell_gpu_addr(&queue->fence->cell);
		call->created = handle;
		dxg_handle_publish(&queue->obj, handle);
		trace_dxg_queue_create(process->pid, handle, context->node_ordinal);
	} else {
		dxg_handle_unreserve(process, handle);
		dxg_object_put(&queue->obj);
	}
	mutex_unlock(&pa->lock);

	if (NT_SUCCESS(status) && args->priv_drv_data_size)
		status = dxg_copy_out(args->priv_drv_data, private, args->priv_drv_data_size);
out_put:
	kfree(private);
	dxg_object_put(keep);
	return status;
}
