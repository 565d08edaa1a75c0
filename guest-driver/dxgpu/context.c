// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: contexts, with suspend and resume.
 *
 * DOC: suspend
 *
 * The OS layer counts its suspend fences per context, and the device keeps the
 * fence of a context id over the context's end. So the device gets a fence of
 * the adapter's own counter, and the OS layer's is kept beside it until the
 * device's appears in the status record; then it is reported once (DDI-SC-1).
 * A later suspend replaces both, which makes an older acknowledgment
 * meaningless (DDI-SC-2); a resume forgets them. Suspends that are under way
 * when the device is reset are reported too: nothing of them runs any more.
 *
 * Acknowledgements are looked for at the interrupt and once after the command
 * was accepted, because the device may answer before the driver has noted the
 * fence.
 */
#include <linux/slab.h>
#include "command.h"
#include "process.h"

/*
 * DxgkDdiCreateContext: INVALID_PARAMETER for a node or engine that is not
 * there; NO_MEMORY (also when all context ids are in use); DEVICE_REMOVED.
 */
NTSTATUS dxgpu_create_context(HANDLE hdevice, DXGKARG_CREATECONTEXT *args)
{
	struct dxgpu_device *device = hdevice;
	struct dxgpu_process *process = device->process;
	struct dxgpu_adapter *adapter = process->adapter;
	struct dxgpu_context *context;
	NTSTATUS status = STATUS_NO_MEMORY;
	int id;

	/* One physical adapter: the affinity mask may name engine 0 or nothing. */
	if (args->NodeOrdinal >= adapter->caps.num_nodes || args->EngineAffinity > 1)
		return STATUS_INVALID_PARAMETER;

	context = kzalloc(sizeof(*context), GFP_KERNEL_ACCOUNT);
	if (!context)
		return STATUS_NO_MEMORY;
	context->adapter = adapter;
	context->os_handle = args->hContext;
	context->node = args->NodeOrdinal;
	context->process = process;
	context->generation = process->generation;
	INIT_LIST_HEAD(&context->suspend_link);

	id = ida_alloc_max(&adapter->context_ids, adapter->caps.max_contexts - 1, GFP_KERNEL);
	if (id < 0)
		goto free_context;
	context->id = id;

	status = dxgpu_command(adapter, context->generation, DXGPU_CMD_CONTEXT_CREATE,
			       context->id, process->space_id, context->node);
	if (!NT_SUCCESS(status))
		goto free_id;

	args->hContext = context;
	return STATUS_SUCCESS;

free_id:
	ida_free(&adapter->context_ids, context->id);
free_context:
	kfree(context);
	return status;
}

/* DxgkDdiDestroyContext: suspended and acknowledged, or the device was reset; no queues. */
NTSTATUS dxgpu_destroy_context(HANDLE hcontext)
{
	struct dxgpu_context *context = hcontext;
	struct dxgpu_adapter *adapter = context->adapter;
	NTSTATUS status;

	spin_lock_irq(&adapter->object_lock);
	list_del_init(&context->suspend_link);
	spin_unlock_irq(&adapter->object_lock);

	status = dxgpu_command(adapter, context->generation, DXGPU_CMD_CONTEXT_DESTROY,
			       context->id);
	if (!NT_SUCCESS(status) && status != STATUS_DEVICE_REMOVED)
		dxgpu_hardware_lost(adapter, "failed destroy of context", context->id);

	ida_free(&adapter->context_ids, context->id);
	kfree(context);
	return STATUS_SUCCESS;
}

/**
 * dxgpu_contexts_acknowledge() - report the suspends that the device has done
 * @adapter: the adapter
 *
 * Any context, also hard interrupt.
 */
void dxgpu_contexts_acknowledge(struct dxgpu_adapter *adapter)
{
	struct dxgpu_context *context, *next;
	unsigned long flags;

	spin_lock_irqsave(&adapter->object_lock, flags);
	list_for_each_entry_safe(context, next, &adapter->suspending, suspend_link) {
		void __iomem *record = dxgpu_context_record(adapter, context->id);
		DXGKARGCB_NOTIFY_INTERRUPT_DATA data = {
			.InterruptType = DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED,
			.SuspendContextCompleted.hContext = context->os_handle,
			.SuspendContextCompleted.ContextSuspendFence = context->os_suspend_fence,
		};

		if (context->generation == READ_ONCE(adapter->generation) &&
		    !dxgpu_fence_reached(dxgpu_read64(record, dxgpu_context_status, suspend_fence),
					 context->suspend_fence))
			continue;
		list_del_init(&context->suspend_link);
		context->suspended = true;
		adapter->os.DxgkCbNotifyInterrupt(adapter->os.DeviceHandle, &data);
	}
	spin_unlock_irqrestore(&adapter->object_lock, flags);
}

/*
 * DxgkDdiSuspendContext: PENDING and a report later; SUCCESS if nothing of the
 * context runs already, which a reset or removal of the device includes.
 */
NTSTATUS dxgpu_suspend_context(HANDLE hadapter, const DXGKARG_SUSPENDCONTEXT *args)
{
	struct dxgpu_adapter *adapter = hadapter;
	struct dxgpu_context *context = args->hContext;
	bool suspended;
	NTSTATUS status;
	u64 fence;

	spin_lock_irq(&adapter->object_lock);
	suspended = context->suspended;
	list_del_init(&context->suspend_link);
	spin_unlock_irq(&adapter->object_lock);
	if (suspended)
		return STATUS_SUCCESS;

	status = dxgpu_command_async(adapter, context->generation, &fence,
				     DXGPU_CMD_CONTEXT_SUSPEND, context->id);
	if (status == STATUS_DEVICE_REMOVED)
		return STATUS_SUCCESS;
	if (!NT_SUCCESS(status)) {
		dxgpu_hardware_lost(adapter, "failed suspend of context", context->id);
		return STATUS_SUCCESS;
	}

	spin_lock_irq(&adapter->object_lock);
	context->suspend_fence = fence;
	context->os_suspend_fence = args->contextSuspendFence;
	list_add_tail(&context->suspend_link, &adapter->suspending);
	spin_unlock_irq(&adapter->object_lock);
	dxgpu_contexts_acknowledge(adapter);
	return STATUS_PENDING;
}

/* DxgkDdiResumeContext: of a running context a success without effect (DDI-RC-2). */
NTSTATUS dxgpu_resume_context(HANDLE hadapter, const DXGKARG_RESUMECONTEXT *args)
{
	struct dxgpu_adapter *adapter = hadapter;
	struct dxgpu_context *context = args->hContext;

	spin_lock_irq(&adapter->object_lock);
	context->suspended = false;
	list_del_init(&context->suspend_link);
	spin_unlock_irq(&adapter->object_lock);

	return dxgpu_command(adapter, context->generation, DXGPU_CMD_CONTEXT_RESUME,
			     context->id);
}
