// SPDX-License-Identifier: GPL-2.0
/*
 * The reset of one engine: who has to answer for it, and who goes on.
 *
 * The ladder, of which this is the second rung (FH-2, FH-3, FH-6):
 *
 *   suspend of a context	asked first, always; its acknowledgment is missing
 *   reset of its engine	here
 *   reset of the adapter	reset.c, if the engine's fails; stop if that fails
 *
 * dxg_engine_reset() is called for a context that has not let go of the hardware
 * in its bound. What else may find out that an engine hangs is to suspend the
 * running context first and then to come here the same way.
 *
 * The miniport names the contexts that lost work (DxgkCbInvalidateHwContext), at
 * any time and in any context, also after a reset that it had to do by itself when
 * it was told to destroy a queue. The device of such a context goes into error
 * (FH-7): HUNG if it was the reason, RESET if it was not. All others go on; they
 * lose nothing, and the resume has their queues sampled.
 *
 * Between reset and resume the engine stands, so what else the guilty device has
 * on it does not start in between (FH-12).
 */
#include <linux/delay.h>
#include <linux/device.h>

#include "dxgkrnl.h"
#include "trace.h"

/* How long an invalidation's work item waits for its process before it stands in line again. */
#define DXG_INVALIDATE_RETRY_MS	4

/**
 * dxg_engine_invalidated() - DxgkCbInvalidateHwContext
 * @adapter: of the context
 * @data: the report
 *
 * Any context.
 */
void dxg_engine_invalidated(struct dxgadapter *adapter, const DXGKARGCB_INVALIDATEHWCONTEXT *data)
{
	struct dxg_context *context;
	struct dxg_object *obj;
	unsigned long flags;

	xa_lock_irqsave(&dxg_ids, flags);
	obj = xa_load(&dxg_ids, (unsigned long)data->hHwContext);
	if (obj && obj->type == DXG_TYPE_CONTEXT) {
		context = container_of(obj, struct dxg_context, obj);
		context->invalidation.collateral =
			data->Flags & DXGK_INVALIDATEHWCONTEXT_COLLATERAL;
		context->invalidation.queue = (unsigned long)data->hHwQueue;
		context->invalidation.fence = data->AbortedFenceId;
		set_bit(0, &context->invalidated);
		dxg_object_get(obj);
		if (!queue_work(dxg_wq, &context->invalidate_work))
			dxg_object_put(obj);
	}
	xa_unlock_irqrestore(&dxg_ids, flags);
}

/* False: nothing was reported that has not been acted on. */
static bool dxg_engine_take(struct dxg_context *context, struct dxg_invalidation *lost)
{
	unsigned long flags;
	bool taken;

	xa_lock_irqsave(&dxg_ids, flags);
	taken = test_and_clear_bit(0, &context->invalidated);
	*lost = context->invalidation;
	xa_unlock_irqrestore(&dxg_ids, flags);
	return taken;
}

/* The handle that the process knows the queue by, and the value its fence has reached. */
static u32 dxg_engine_queue(const struct dxg_context *context, u32 id, u64 *value)
{
	const struct dxg_hwqueue *queue;

	list_for_each_entry(queue, &context->queues, node) {
		if (queue->id == id || (!id && queue->doorbell)) {
			*value = dxg_fence_value(queue->fence);
			return queue->obj.handle;
		}
	}
	*value = 0;
	return 0;
}

/*
 * The one line in the log, and the device into error: STAT of all its doorbells is
 * ABORT before any waiter is released (FH-10). pa->lock held.
 */
static void dxg_engine_blame(struct dxg_context *context, const struct dxg_invalidation *lost)
{
	struct dxg_device *device = context->device;
	struct dxg_process *process = device->obj.process;
	u64 value;
	u32 queue = dxg_engine_queue(context, lost->queue, &value);

	dev_warn(dxg_device_adapter(device)->dev,
		 "dxgkrnl: engine reset of node %u: pid %d, queue %#x, fence %llu aborted, %llu reached%s\n",
		 context->node_ordinal, process->pid, queue, lost->fence, value,
		 lost->collateral ? ", collateral" : "");
	trace_dxg_engine_reset(process->pid, context->node_ordinal, queue, lost->fence,
			       lost->collateral);
	if (!lost->collateral)
		dxg_quota_hang(process);
	dxg_device_set_error(device, lost->collateral ? DXG_EXECUTION_RESET : DXG_EXECUTION_HUNG,
			     NULL);
}

/* The miniport has reset the engine by itself. pa->lock held. */
static void dxg_engine_capture_late(const struct dxg_context *context)
{
	struct dxgadapter *adapter = dxg_device_adapter(context->device);

	if (!dxg_adapter_enter_awake(adapter))
		return;
	dxg_hang_capture_engine(context, "engine reset by the miniport");
	dxg_adapter_exit_awake(adapter);
}

void dxg_engine_invalidate_work(struct work_struct *work)
{
	struct dxg_context *context = container_of(work, struct dxg_context, invalidate_work);
	struct dxg_device *device = context->device;
	struct dxg_invalidation lost;

	/* As for a fault: a process that holds up its own lock does not fill the workqueue. */
	if (!mutex_trylock(&device->pa->lock)) {
		msleep(DXG_INVALIDATE_RETRY_MS);
		if (!queue_work(dxg_wq, work))
			dxg_object_put(&context->obj);
		return;
	}
	if (dxg_engine_take(context, &lost)) {
		if (!lost.collateral)
			dxg_engine_capture_late(context);
		dxg_engine_blame(context, &lost);
	}
	if (!device->obj.dead)
		dxg_device_quiesce(device);
	mutex_unlock(&device->pa->lock);
	dxg_object_put(&context->obj);
}

/* The context did not let go in time: its device is guilty, whatever the reset has hit. */
static void dxg_engine_blame_guilty(struct dxg_context *context)
{
	struct dxg_invalidation lost;

	if (!dxg_engine_take(context, &lost))
		lost = (struct dxg_invalidation){ };
	lost.collateral = false;
	dxg_engine_blame(context, &lost);
	/* The rest of its device, for which the engine need not stand, is quiesced there. */
	dxg_object_get(&context->obj);
	if (!queue_work(dxg_wq, &context->invalidate_work))
		dxg_object_put(&context->obj);
}

/**
 * dxg_engine_reset() - reset the engine of a context that does not let go
 * @context: pa->lock held, guard not
 * @seen_resets: adapter->resets when the suspend was asked for
 * @reason: for the log
 *
 * If the engine cannot be reset the adapter is. Either way the device uses nothing
 * of the context on return (OBJ-24).
 *
 * Return: true if it did not take the adapter's.
 */
bool dxg_engine_reset(struct dxg_context *context, unsigned int seen_resets, const char *reason)
{
	struct dxgadapter *adapter = dxg_device_adapter(context->device);
	DXGKARG_RESETHWENGINE reset = { .NodeOrdinal = context->node_ordinal };
	DXGKARG_RESUMEHWENGINE resume = { .NodeOrdinal = context->node_ordinal };
	NTSTATUS status;

	lockdep_assert_held(&context->device->pa->lock);

	if (!dxg_adapter_enter_running(adapter))
		return false;
	/* A reset that came since has served this context, too. */
	if (adapter->resets != seen_resets) {
		dxg_adapter_exit(adapter);
		return false;
	}
	/* Late, but there: nothing is left to reset (FH-2). */
	if (dxg_context_acknowledged(context)) {
		context->suspended = true;
		dxg_adapter_exit(adapter);
		return true;
	}
	dxg_hang_capture_engine(context, reason);
	status = adapter->ddi->DxgkDdiResetHwEngine(adapter->context, &reset);
	if (NT_SUCCESS(status)) {
		context->suspended = true;
		dxg_engine_blame_guilty(context);
		status = adapter->ddi->DxgkDdiResumeHwEngine(adapter->context, &resume);
	}
	dxg_adapter_exit(adapter);
	if (NT_SUCCESS(status))
		return true;
	dxg_adapter_reset(adapter, seen_resets, context->device, reason);
	return false;
}
