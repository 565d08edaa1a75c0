// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: hardware queues.
 *
 * DOC: hardware queues
 *
 * A hardware queue has an id from its creation on, by which interrupts name it.
 * The device's own queue of that id needs a ring and exists while the queue has
 * a doorbell object (doorbell.c).
 *
 * A victim's DxgkCbDisconnectDoorbell runs without a lock while its owner may be
 * destroying the doorbell. The handles in the call stay good, because the
 * destroy of the hardware queue waits for the callbacks that name it (@callbacks);
 * the OS layer answers INVALID_PARAMETER if the doorbell is gone (DDI-CN-10).
 *
 * DOC: samples
 *
 * The device samples when it comes to it, and only counts its samples. One that is counted
 * after an unbind or kick may have been under way before, and have read an older WP. The next
 * has not, for the device makes those of a queue one after the other. So the sample of a
 * disconnect, whether the process's, a victim's or the OS layer's, is made when there are
 * two more than before it; after the first the device is asked for another. Rejected: a time,
 * within which a busy host may give it none.
 */
#include <linux/slab.h>
#include "command.h"
#include "process.h"

static const char * const dxgpu_queue_state_names[] = {
	[DXGPU_QUEUE_ABSENT] = "absent",
	[DXGPU_QUEUE_IDLE] = "idle",
	[DXGPU_QUEUE_READY] = "ready",
	[DXGPU_QUEUE_RUNNING] = "running",
	[DXGPU_QUEUE_SUSPENDED] = "suspended",
	[DXGPU_QUEUE_FAULTED] = "faulted",
};

/*
 * DxgkDdiCreateHwQueue: NO_MEMORY (also when all queue ids are in use);
 * DEVICE_REMOVED if the context is of a generation that was reset.
 */
NTSTATUS dxgpu_create_hwqueue(HANDLE hcontext, DXGKARG_CREATEHWQUEUE *args)
{
	struct dxgpu_context *context = hcontext;
	struct dxgpu_adapter *adapter = context->adapter;
	struct dxgpu_hwqueue *queue;
	int id;

	if (context->generation != READ_ONCE(adapter->generation))
		return STATUS_DEVICE_REMOVED;

	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue)
		return STATUS_NO_MEMORY;
	queue->adapter = adapter;
	queue->context = context;
	queue->os_handle = args->hHwQueue;

	id = ida_alloc_max(&adapter->queue_ids, adapter->caps.max_queues - 1, GFP_KERNEL);
	if (id < 0)
		goto free_queue;
	queue->id = id;
	if (xa_err(xa_store_irq(&adapter->queues, id, queue, GFP_KERNEL)))
		goto free_id;

	args->hHwQueue = queue;
	return STATUS_SUCCESS;

free_id:
	ida_free(&adapter->queue_ids, id);
free_queue:
	kfree(queue);
	return STATUS_NO_MEMORY;
}

/* DxgkDdiDestroyHwQueue: its doorbell is destroyed before. */
NTSTATUS dxgpu_destroy_hwqueue(HANDLE hhwqueue)
{
	struct dxgpu_hwqueue *queue = hhwqueue;
	struct dxgpu_adapter *adapter = queue->adapter;

	xa_erase_irq(&adapter->queues, queue->id);
	/* A report that found the queue before is over when the lock can be had. */
	spin_lock_irq(&adapter->object_lock);
	spin_unlock_irq(&adapter->object_lock);
	dxgpu_slots_wait_callbacks(&adapter->slots, queue);

	ida_free(&adapter->queue_ids, queue->id);
	kfree(queue);
	return STATUS_SUCCESS;
}

/* Samples of the queue so far. */
static u64 dxgpu_hwqueue_samples(struct dxgpu_hwqueue *queue)
{
	return dxgpu_read64(dxgpu_queue_record(queue->adapter, queue->id), dxgpu_queue_status,
			    samples);
}

/**
 * dxgpu_hwqueue_expect_sample() - an unbind or the kick of a disconnect is about to ask for one
 * @queue: on the device, which is not asked if it cannot be reached; nobody else is at this
 *         for the same queue, as a disconnect waits for the end of its slot's unbind
 */
void dxgpu_hwqueue_expect_sample(struct dxgpu_hwqueue *queue)
{
	if (dxgpu_hardware_reachable(queue->adapter))
		WRITE_ONCE(queue->sampled_at, dxgpu_hwqueue_samples(queue) + 2);
}

/* Is that to come still? The queue is on the device. Who waits for it has it proved. */
static bool dxgpu_hwqueue_sample_pending(struct dxgpu_hwqueue *queue, bool awaited)
{
	u64 sampled_at = READ_ONCE(queue->sampled_at);
	u64 samples = dxgpu_hwqueue_samples(queue);

	if (samples >= sampled_at)
		return false;
	if (awaited && samples + 1 == sampled_at)
		dxgpu_command(queue->adapter, queue->context->generation, DXGPU_CMD_QUEUE_KICK,
			      queue->id);
	return true;
}

/* OS handle of the queue that a node executes, NULL if none. */
static HANDLE dxgpu_running_queue(struct dxgpu_adapter *adapter, u32 node)
{
	u32 id = dxgpu_read32(dxgpu_node_record(adapter, node), dxgpu_node_status, running_queue);
	struct dxgpu_hwqueue *queue;
	HANDLE os_handle;

	spin_lock_irq(&adapter->object_lock);
	queue = id == DXGPU_NO_QUEUE ? NULL : xa_load(&adapter->queues, id);
	os_handle = queue ? queue->os_handle : NULL;
	spin_unlock_irq(&adapter->object_lock);
	return os_handle;
}

/* DxgkDdiQueryHwQueueStatus: the device's word; always succeeds. */
NTSTATUS dxgpu_query_hwqueue_status(HANDLE hadapter, DXGKARG_QUERYHWQUEUESTATUS *args)
{
	struct dxgpu_adapter *adapter = hadapter;
	struct dxgpu_hwqueue *queue = args->hHwQueue;
	void __iomem *record = dxgpu_queue_record(adapter, queue->id);
	bool live = READ_ONCE(queue->on_device) && dxgpu_hardware_reachable(adapter) &&
		    queue->context->generation == READ_ONCE(adapter->generation);
	u32 state = DXGPU_QUEUE_ABSENT;

	args->WritePointer = 0;
	args->ReadPointer = 0;
	args->FaultCode = 0;
	args->hRunningHwQueue = NULL;
	args->SamplePending = false;
	if (live) {
		/* First, for what it found is what follows. */
		args->SamplePending = dxgpu_hwqueue_sample_pending(queue, args->SampleAwaited);
		args->hRunningHwQueue = dxgpu_running_queue(adapter, queue->context->node);
		args->FaultCode = dxgpu_read32(record, dxgpu_queue_status, fault_code);
		state = dxgpu_read32(record, dxgpu_queue_status, state);
		args->ReadPointer = dxgpu_read64(record, dxgpu_queue_status, rp);
		args->WritePointer = dxgpu_read64(record, dxgpu_queue_status, wp);
	}
	args->State = state;
	args->StateName = state < ARRAY_SIZE(dxgpu_queue_state_names) ?
			  dxgpu_queue_state_names[state] : "unknown";
	args->Slot = adapter->caps.global_doorbells ? dxgpu_global_find(queue) :
						      dxgpu_slots_find(&adapter->slots, queue);
	return STATUS_SUCCESS;
}

/*
 * A fault of the address translation has an address; one of the command stream
 * has a code instead (FH-13, FH-14).
 */
static void dxgpu_fault_report(struct dxgpu_hwqueue *queue)
{
	struct dxgpu_adapter *adapter = queue->adapter;
	void __iomem *record = dxgpu_queue_record(adapter, queue->id);
	u32 code = dxgpu_read32(record, dxgpu_queue_status, fault_code);
	DXGKARGCB_NOTIFY_INTERRUPT_DATA data = {
		.InterruptType = DXGK_INTERRUPT_HWQUEUE_PAGE_FAULTED,
		.HwQueuePageFaulted.FaultedHwQueue = queue->os_handle,
		.HwQueuePageFaulted.FaultedFenceId =
			dxgpu_read64(record, dxgpu_queue_status, fault_fence),
		.HwQueuePageFaulted.NodeOrdinal = queue->context->node,
		.HwQueuePageFaulted.PageTableLevel =
			dxgpu_read32(record, dxgpu_queue_status, fault_level),
	};

	switch (code) {
	case DXGPU_FAULT_UNMAPPED:
	case DXGPU_FAULT_PROTECTION:
	case DXGPU_FAULT_PTE:
	case DXGPU_FAULT_BUS:
	case DXGPU_FAULT_ADDRESS:
		data.HwQueuePageFaulted.FaultErrorCode =
			DXGK_FAULT_ERROR_GENERAL(DXGK_GENERAL_ERROR_PAGE_FAULT);
		data.HwQueuePageFaulted.FaultedVirtualAddress =
			dxgpu_read64(record, dxgpu_queue_status, fault_gpuva);
		break;
	case DXGPU_FAULT_OPCODE:
		data.HwQueuePageFaulted.FaultErrorCode =
			DXGK_FAULT_ERROR_GENERAL(DXGK_GENERAL_ERROR_INVALID_INSTRUCTION);
		break;
	default:
		data.HwQueuePageFaulted.FaultErrorCode = DXGK_FAULT_ERROR_DEVICE(code);
		break;
	}
	if (dxgpu_read32(record, dxgpu_queue_status, fault_access) == DXGPU_ACCESS_WRITE)
		data.HwQueuePageFaulted.PageFaultFlags |= DXGK_PAGE_FAULT_WRITE;
	if (!data.HwQueuePageFaulted.FaultedFenceId)
		data.HwQueuePageFaulted.PageFaultFlags |= DXGK_PAGE_FAULT_FENCE_INVALID;

	adapter->os.DxgkCbNotifyInterrupt(adapter->os.DeviceHandle, &data);
}

/**
 * dxgpu_hwqueue_invalidate() - report work that was lost to an engine reset
 * @queue: the queue; object_lock held
 * @fence: of the entry, 0 if unknown
 * @collateral: the reset was for another
 */
void dxgpu_hwqueue_invalidate(struct dxgpu_hwqueue *queue, u64 fence, bool collateral)
{
	struct dxgpu_adapter *adapter = queue->adapter;
	DXGKARGCB_INVALIDATEHWCONTEXT args = {
		.hHwContext = queue->context->os_handle,
		.Flags = collateral ? DXGK_INVALIDATEHWCONTEXT_COLLATERAL : 0,
		.hHwQueue = queue->os_handle,
		.AbortedFenceId = fence,
	};

	lockdep_assert_held(&adapter->object_lock);
	adapter->os.DxgkCbInvalidateHwContext(adapter->os.DeviceHandle, &args);
}

/*
 * The queue held its node when the node was reset. It is the reason if something
 * was asked of it that the device had not done, or says only now that it has.
 */
static void dxgpu_reset_report(struct dxgpu_hwqueue *queue)
{
	struct dxgpu_context *context = queue->context;
	bool asked = queue->removing || context->suspended ||
		     !list_empty(&context->suspend_link);

	dxgpu_hwqueue_invalidate(queue, dxgpu_read64(dxgpu_queue_record(queue->adapter, queue->id),
						     dxgpu_queue_status, fault_fence), !asked);
}

static u32 dxgpu_fault_code(struct dxgpu_hwqueue *queue)
{
	return dxgpu_read32(dxgpu_queue_record(queue->adapter, queue->id), dxgpu_queue_status,
			    fault_code);
}

/**
 * dxgpu_hwqueues_faulted() - report each queue that the fault bitmap shows, once
 * @adapter: the adapter
 *
 * Any context, also hard interrupt. A queue's bit stays set until the queue is
 * removed.
 */
void dxgpu_hwqueues_faulted(struct dxgpu_adapter *adapter)
{
	void __iomem *bitmap = adapter->status + adapter->caps.fault_offset;
	unsigned long flags;
	u32 base;

	spin_lock_irqsave(&adapter->object_lock, flags);
	for (base = 0; base < adapter->caps.max_queues; base += 64) {
		u64 bits = readq(bitmap + base / 8);

		while (bits) {
			u32 id = base + __ffs64(bits);
			struct dxgpu_hwqueue *queue = xa_load(&adapter->queues, id);

			bits &= bits - 1;
			if (!queue || !queue->on_device || queue->fault_reported)
				continue;
			queue->fault_reported = true;
			if (dxgpu_fault_code(queue) == DXGPU_FAULT_RESET)
				dxgpu_reset_report(queue);
			else
				dxgpu_fault_report(queue);
		}
	}
	spin_unlock_irqrestore(&adapter->object_lock, flags);
}
