// SPDX-License-Identifier: GPL-2.0
/*
 * Contexts: the unit of suspension.
 *
 * Suspend is a request with a fence value that grows per context; the
 * miniport's interrupt reports the value when the device has let go of all that
 * the context can reach (DDI-SC-1..4). An older value says nothing. Without
 * the acknowledgment in time the engine is reset, and if that fails the adapter,
 * after which nothing is in use either (FH-23, engine.c). A context is created
 * resumed (KMT-HQ-8) and suspended to be destroyed or because its device is in
 * error (ending), until D0 (power.c), or because the administrator holds it, who writes
 * a process id to "suspend" and "resume" in debugfs: its doorbells stay connected and can
 * be taken away and connected as ever, its rings take work, and all of it
 * is done when it is resumed (T15..T17).
 */
#include <linux/jiffies.h>
#include <linux/slab.h>

#include "dxgkrnl.h"
#include "trace.h"

static void dxg_context_release(struct dxg_object *obj)
{
	struct dxg_context *context = container_of(obj, struct dxg_context, obj);
	struct dxg_device *device = context->device;

	dxg_quota_uncharge(obj->process, DXG_QUOTA_CONTEXTS, 1);
	kfree(context);
	dxg_object_put(&device->obj);
}

/**
 * dxg_context_suspend_completed() - the acknowledgment, from the interrupt
 * @adapter: of the context
 * @id: OS handle of the context
 * @fence: value of the suspend that is complete
 *
 * Any context.
 */
void dxg_context_suspend_completed(struct dxgadapter *adapter, HANDLE id, u64 fence)
{
	struct dxg_context *context;
	struct dxg_object *obj;
	unsigned long flags;

	xa_lock_irqsave(&dxg_ids, flags);
	obj = xa_load(&dxg_ids, (unsigned long)id);
	if (obj && obj->type == DXG_TYPE_CONTEXT) {
		context = container_of(obj, struct dxg_context, obj);
		if (fence > context->suspended_fence) {
			/* Pairs with dxg_context_acknowledged(). */
			smp_store_release(&context->suspended_fence, fence);
			trace_dxg_context_suspended(obj->process->pid, obj->handle, fence);
		}
	}
	xa_unlock_irqrestore(&dxg_ids, flags);
	wake_up_all(&adapter->events);
}

/* Has the last suspend that was asked for been reported complete? */
bool dxg_context_acknowledged(const struct dxg_context *context)
{
	/* Pairs with dxg_context_suspend_completed(): the device is done before we go on. */
	return smp_load_acquire(&context->suspended_fence) >= context->suspend_fence;
}

/*
 * Takes a context off the hardware, and notes why in @reason. false: it took a reset. On
 * return the device uses nothing of the context.
 */
static bool dxg_context_stop(struct dxg_context *context, bool *reason)
{
	struct dxgadapter *adapter = dxg_device_adapter(context->device);
	DXGKARG_SUSPENDCONTEXT args = { };
	unsigned int resets;
	NTSTATUS status;

	lockdep_assert_held(&context->device->pa->lock);

	if (!dxg_adapter_enter_destroy(adapter))
		return true;
	/* A power-down and D0 while we wait must not resume it. */
	*reason = true;
	if (context->suspended || !context->kmd) {
		dxg_adapter_exit(adapter);
		return true;
	}
	resets = adapter->resets;
	args.hContext = context->kmd;
	args.contextSuspendFence = ++context->suspend_fence;
	trace_dxg_context_suspend(context->obj.process->pid, context->obj.handle,
				  context->suspend_fence);
	status = adapter->ddi->DxgkDdiSuspendContext(adapter->context, &args);
	dxg_adapter_exit(adapter);

	if (status == STATUS_PENDING) {
		wait_event_timeout(adapter->events,
				   dxg_context_acknowledged(context) ||
				   READ_ONCE(adapter->resets) != resets ||
				   READ_ONCE(adapter->state) == DXG_ADAPTER_REMOVED,
				   msecs_to_jiffies(dxg_tdr_timeout_ms));
		if (dxg_context_acknowledged(context))
			status = STATUS_SUCCESS;
	}
	/* DEVICE_REMOVED: hardware that is gone uses no memory. */
	if (status == STATUS_SUCCESS || status == STATUS_DEVICE_REMOVED) {
		context->suspended = true;
		return true;
	}
	dxg_engine_reset(context, resets, "context suspend not acknowledged");
	return false;
}

/**
 * dxg_context_suspend() - take a context off the hardware for good
 * @context: pa->lock held
 *
 * Waits for the acknowledgment up to tdr_timeout_ms, without the guard, and
 * resets the engine or the adapter if it does not come. On return the device uses
 * nothing of the context.
 *
 * Return: false if it took a reset.
 */
bool dxg_context_suspend(struct dxg_context *context)
{
	return dxg_context_stop(context, &context->ending);
}

/* The same until dxg_context_unhold(), and only if it is in order. pa->lock held. */
void dxg_context_hold(struct dxg_context *context)
{
	if (NT_SUCCESS(dxg_device_status(context->device)) && !context->ending)
		dxg_context_stop(context, &context->held);
}

/* The device samples the queues when it is resumed, and that takes it a while. */
void dxg_context_trust(struct dxg_context *context)
{
	struct dxg_hwqueue *queue;

	list_for_each_entry(queue, &context->queues, node) {
		if (queue->doorbell)
			dxg_doorbell_trust(queue->doorbell);
	}
}

/* Resumes what dxg_context_hold() has suspended, unless there is another reason. pa->lock held. */
void dxg_context_unhold(struct dxg_context *context)
{
	struct dxgadapter *adapter = dxg_device_adapter(context->device);
	DXGKARG_RESUMECONTEXT args = { };
	NTSTATUS status = STATUS_SUCCESS;
	unsigned int resets;

	lockdep_assert_held(&context->device->pa->lock);

	if (!context->held || !dxg_adapter_enter_running(adapter))
		return;
	resets = adapter->resets;
	context->held = false;
	if (context->suspended && context->kmd && !context->ending &&
	    NT_SUCCESS(dxg_device_status(context->device))) {
		args.hContext = context->kmd;
		context->suspended = false;
		trace_dxg_context_resume(context->obj.process->pid, context->obj.handle);
		dxg_context_trust(context);
		status = adapter->ddi->DxgkDdiResumeContext(adapter->context, &args);
	}
	dxg_adapter_exit(adapter);
	if (!NT_SUCCESS(status))
		dxg_adapter_reset(adapter, resets, context->device, "context not resumed");
}

/* pa->lock and a reference held. false: destroyed before. */
bool dxg_context_destroy(struct dxg_context *context)
{
	struct dxgadapter *adapter = dxg_device_adapter(context->device);
	struct dxg_hwqueue *queue, *next;
	bool entered;

	if (context->obj.dead)
		return false;
	context->obj.dead = true;

	dxg_context_suspend(context);
	list_for_each_entry_safe(queue, next, &context->queues, node)
		dxg_hwqueue_destroy(queue);

	entered = dxg_adapter_enter_destroy(adapter);
	if (entered && context->kmd)
		adapter->ddi->DxgkDdiDestroyContext(context->kmd);
	context->kmd = NULL;
	dxg_id_free(context->id);
	list_del_init(&context->node);
	if (entered)
		dxg_adapter_exit(adapter);
	dxg_handle_withdraw(&context->obj);
	return true;
}

static NTSTATUS dxg_context_kmd_create(struct dxg_context *context, u32 flags, void *private,
				       u32 private_size)
{
	struct dxg_device *device = context->device;
	struct dxgadapter *adapter = dxg_device_adapter(device);
	HANDLE id = dxg_id_to_handle(context->id);
	DXGKARG_CREATECONTEXT args = {
		.hContext = id,
		.NodeOrdinal = context->node_ordinal,
		.EngineAffinity = 1,
		/* b2 VirtualAddressing: what this call stands for. */
		.Flags = flags | 1u << 2,
		.pPrivateDriverData = private,
		.PrivateDriverDataSize = private_size,
	};
	NTSTATUS status;

	status = dxg_adapter_enter(adapter);
	if (!NT_SUCCESS(status))
		return status;
	status = adapter->ddi->DxgkDdiCreateContext(device->kmd, &args);
	if (NT_SUCCESS(status) && (!args.hContext || args.hContext == id))
		status = STATUS_UNSUCCESSFUL;
	if (NT_SUCCESS(status)) {
		context->kmd = args.hContext;
		list_add_tail(&context->node, &device->contexts);
	}
	dxg_adapter_exit(adapter);
	return status;
}

/**
 * dxg_create_context_virtual() - D3DKMTCreateContextVirtual
 * @call: struct dxg_createcontextvirtual
 *
 * Return: INVALID_PARAMETER for a bad handle, node (below the adapter's count),
 * affinity (0 or 1), flag or private data size (0 .. 4096), and if
 * HwQueueSupported is not set; DEVICE_REMOVED; NO_MEMORY beyond memory or quota
 * (max_contexts); ACCESS_VIOLATION.
 */
NTSTATUS dxg_create_context_virtual(struct dxg_call *call)
{
	struct dxg_createcontextvirtual *args = call->args;
	struct dxg_context *context = NULL;
	struct dxg_process_adapter *pa;
	struct dxg_device *device;
	void *private = NULL;
	NTSTATUS status;
	u32 handle = 0;

	if (!(args->flags & DXG_CONTEXT_HW_QUEUE_SUPPORTED) || args->engine_affinity > 1 ||
	    (args->flags & ~(DXG_CONTEXT_HW_QUEUE_SUPPORTED | DXG_CONTEXT_DISABLE_GPU_TIMEOUT)))
		return STATUS_INVALID_PARAMETER;
	device = dxg_device_lookup(call->process, args->device, &status);
	if (!device)
		return status;
	pa = device->pa;
	status = STATUS_INVALID_PARAMETER;
	if (args->node_ordinal >= pa->adapter->caps.NbAsymetricProcessingNodes)
		goto out_put;
	status = dxg_copy_private(args->priv_drv_data, args->priv_drv_data_size,
				  DXG_PRIVATE_MAX_BYTES, &private);
	if (!NT_SUCCESS(status))
		goto out_put;

	status = STATUS_NO_MEMORY;
	if (!dxg_quota_charge(call->process, DXG_QUOTA_CONTEXTS, 1))
		goto out_put;
	context = kzalloc(sizeof(*context), GFP_KERNEL_ACCOUNT);
	if (!context) {
		dxg_quota_uncharge(call->process, DXG_QUOTA_CONTEXTS, 1);
		goto out_put;
	}
	dxg_object_init(&context->obj, DXG_TYPE_CONTEXT, call->process, dxg_context_release);
	dxg_object_get(&device->obj);
	context->device = device;
	context->node_ordinal = args->node_ordinal;
	INIT_WORK(&context->invalidate_work, dxg_engine_invalidate_work);
	INIT_LIST_HEAD(&context->node);
	INIT_LIST_HEAD(&context->queues);

	mutex_lock(&pa->lock);
	status = device->obj.dead ? STATUS_INVALID_PARAMETER : dxg_device_status(device);
	if (NT_SUCCESS(status))
		status = dxg_handle_reserve(call->process, &handle);
	if (NT_SUCCESS(status))
		status = dxg_id_alloc(&context->obj, &context->id);
	if (NT_SUCCESS(status))
		status = dxg_context_kmd_create(context, args->flags, private,
						args->priv_drv_data_size);
	if (NT_SUCCESS(status)) {
		args->context = handle;
		call->created = handle;
		dxg_handle_publish(&context->obj, handle);
	} else {
		dxg_id_free(context->id);
		dxg_handle_unreserve(call->process, handle);
		dxg_object_put(&context->obj);
	}
	mutex_unlock(&pa->lock);

	if (NT_SUCCESS(status) && args->priv_drv_data_size)
		status = dxg_copy_out(args->priv_drv_data, private, args->priv_drv_data_size);
out_put:
	kfree(private);
	dxg_object_put(&device->obj);
	return status;
}
