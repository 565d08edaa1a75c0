// SPDX-License-Identifier: GPL-2.0
/*
 * Adapter reset, stop, and the end of all miniport objects at removal. All of it
 * with the guard held exclusively.
 *
 * A reset is the last rung: the reset of an engine failed (engine.c), or the device
 * reported an engine time-out. Every doorbell of
 * every process goes to ABORT and every device into error; new devices can be
 * made afterwards through the same open file (FH-8). More than five resets in a
 * minute, or one that fails, stop the adapter for good (FH-5, FH-6).
 */
#include <linux/device.h>
#include <linux/jiffies.h>

#include "dxgkrnl.h"
#include "trace.h"

/* Everything in error; waiters are released after all doorbells are ABORT. */
static void dxg_adapter_fail_all(struct dxgadapter *adapter, const struct dxg_device *guilty,
				 enum dxg_execution_state guilty_state,
				 enum dxg_execution_state state)
{
	struct dxg_process_adapter *pa;
	struct dxg_device *device;

	list_for_each_entry(pa, &adapter->processes, adapter_node) {
		list_for_each_entry(device, &pa->devices, node)
			dxg_device_abort_doorbells(device);
	}
	list_for_each_entry(pa, &adapter->processes, adapter_node) {
		list_for_each_entry(device, &pa->devices, node)
			dxg_device_set_error(device, device == guilty ? guilty_state : state, NULL);
	}
}

/* Nothing of any context is in use any more. */
static void dxg_adapter_mark_suspended(struct dxgadapter *adapter)
{
	struct dxg_process_adapter *pa;
	struct dxg_context *context;
	struct dxg_device *device;

	list_for_each_entry(pa, &adapter->processes, adapter_node) {
		list_for_each_entry(device, &pa->devices, node) {
			list_for_each_entry(context, &device->contexts, node)
				context->suspended = true;
		}
	}
}

/* guard held exclusively. */
void dxg_adapter_stop_locked(struct dxgadapter *adapter, enum dxg_adapter_state state)
{
	dxg_adapter_fail_all(adapter, NULL, DXG_EXECUTION_STOPPED, DXG_EXECUTION_STOPPED);
	WRITE_ONCE(adapter->state, state);
	dxg_wait_notify(adapter);
}

static bool dxg_adapter_resets_too_often(const struct dxgadapter *adapter)
{
	unsigned long oldest = adapter->reset_jiffies[adapter->hangs % DXG_RESETS_PER_MINUTE];

	return adapter->hangs >= DXG_RESETS_PER_MINUTE &&
	       time_before(jiffies, oldest + 60 * HZ);
}

/* guard held exclusively. Everything ends; on return the device is quiet. The miniport's status. */
NTSTATUS dxg_adapter_reset_begin_locked(struct dxgadapter *adapter, struct dxg_device *guilty,
					const char *reason)
{
	NTSTATUS status;

	dev_err(adapter->dev, "dxgkrnl: adapter reset %u: %s, pid %d\n", adapter->resets + 1,
		reason, guilty ? guilty->obj.process->pid : 0);
	trace_dxg_adapter_reset(adapter->luid, adapter->resets + 1);

	dxg_hang_capture(adapter, reason, guilty);
	dxg_adapter_fail_all(adapter, guilty, DXG_EXECUTION_HUNG, DXG_EXECUTION_RESET);
	status = adapter->ddi->DxgkDdiResetFromTimeout(adapter->context);
	dxg_adapter_mark_suspended(adapter);
	WRITE_ONCE(adapter->resets, adapter->resets + 1);
	return status;
}

/* guard held exclusively. New work can come, or, if @status is a failure, never again (FH-6). */
void dxg_adapter_reset_end_locked(struct dxgadapter *adapter, NTSTATUS status)
{
	if (NT_SUCCESS(status))
		status = adapter->ddi->DxgkDdiRestartFromTimeout(adapter->context);
	if (!NT_SUCCESS(status)) {
		dev_err(adapter->dev, "dxgkrnl: adapter stopped: status %#x or more than %d hangs in 60 s\n",
			status, DXG_RESETS_PER_MINUTE);
		dxg_adapter_stop_locked(adapter, DXG_ADAPTER_STOPPED);
	}
	trace_dxg_adapter_reset_done(adapter->luid, status);
}

/* guard held exclusively. @hang: it counts for the limit of FH-5. */
void dxg_adapter_reset_locked(struct dxgadapter *adapter, struct dxg_device *guilty,
			      const char *reason, bool hang)
{
	NTSTATUS status = dxg_adapter_reset_begin_locked(adapter, guilty, reason);

	if (hang) {
		if (NT_SUCCESS(status) && dxg_adapter_resets_too_often(adapter))
			status = STATUS_UNSUCCESSFUL;
		adapter->reset_jiffies[adapter->hangs % DXG_RESETS_PER_MINUTE] = jiffies;
		adapter->hangs++;
	}
	dxg_adapter_reset_end_locked(adapter, status);
}

/**
 * dxg_adapter_reset() - reset the whole adapter
 * @adapter: kept by the caller, who holds neither guard nor doorbell locks
 * @seen_resets: adapter->resets when the reason arose; if another reset came
 *	since, it served this caller too
 * @guilty: whose device caused it, or NULL
 * @reason: for the log
 */
void dxg_adapter_reset(struct dxgadapter *adapter, unsigned int seen_resets,
		       struct dxg_device *guilty, const char *reason)
{
	/* Readers of the guard wake the device first; so does this. */
	dxg_power_get(adapter);
	down_write(&adapter->guard);
	while (adapter->asleep) {
		up_write(&adapter->guard);
		wait_event(adapter->gate, !READ_ONCE(adapter->asleep));
		down_write(&adapter->guard);
	}
	if (adapter->state == DXG_ADAPTER_RUNNING && adapter->resets == seen_resets &&
	    !adapter->resetting)
		dxg_adapter_reset_locked(adapter, guilty, reason, true);
	up_write(&adapter->guard);
	dxg_power_put(adapter);
	dxg_wait_notify(adapter);
}

/* The miniport reported a lost device. A reset that came since has served it too. */
void dxg_adapter_reset_work(struct work_struct *work)
{
	struct dxgadapter *adapter = container_of(work, struct dxgadapter, reset_work);

	dxg_adapter_reset(adapter, READ_ONCE(adapter->reset_seen), NULL,
			  "engine time-out reported");
}

/* false: the miniport cannot do it. */
static bool dxg_context_suspend_begin(struct dxgadapter *adapter, struct dxg_context *context)
{
	DXGKARG_SUSPENDCONTEXT args = { .hContext = context->kmd };
	NTSTATUS status;

	if (context->suspended || !context->kmd)
		return true;
	args.contextSuspendFence = ++context->suspend_fence;
	trace_dxg_context_suspend(context->obj.process->pid, context->obj.handle,
				  context->suspend_fence);
	status = adapter->ddi->DxgkDdiSuspendContext(adapter->context, &args);
	context->suspended = status == STATUS_SUCCESS || status == STATUS_DEVICE_REMOVED;
	return context->suspended || status == STATUS_PENDING;
}

/* Ask for all suspensions, then wait for them with one deadline. guard held exclusively. */
bool dxg_adapter_suspend_all(struct dxgadapter *adapter)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(dxg_tdr_timeout_ms);
	struct dxg_process_adapter *pa;
	struct dxg_context *context;
	struct dxg_device *device;

	list_for_each_entry(pa, &adapter->processes, adapter_node) {
		list_for_each_entry(device, &pa->devices, node) {
			list_for_each_entry(context, &device->contexts, node) {
				if (!dxg_context_suspend_begin(adapter, context))
					return false;
			}
		}
	}
	list_for_each_entry(pa, &adapter->processes, adapter_node) {
		list_for_each_entry(device, &pa->devices, node) {
			list_for_each_entry(context, &device->contexts, node) {
				long left = (long)(deadline - jiffies);

				if (context->suspended || !context->kmd)
					continue;
				wait_event_timeout(adapter->events,
						   dxg_context_acknowledged(context),
						   max(left, 0L));
				if (!dxg_context_acknowledged(context))
					return false;
			}
		}
	}
	return true;
}

static void dxg_context_kmd_destroy_all(struct dxgadapter *adapter, struct dxg_context *context)
{
	struct dxg_hwqueue *queue;

	list_for_each_entry(queue, &context->queues, node) {
		if (queue->doorbell)
			dxg_doorbell_kmd_destroy(queue->doorbell);
		if (queue->kmd)
			adapter->ddi->DxgkDdiDestroyHwQueue(queue->kmd);
		queue->kmd = NULL;
	}
	if (context->kmd)
		adapter->ddi->DxgkDdiDestroyContext(context->kmd);
	context->kmd = NULL;
}

/**
 * dxg_adapter_destroy_kmd_objects_locked() - removal: leave the miniport nothing
 * @adapter: guard held exclusively, all doorbells ABORT
 * @surprise: the hardware is gone, nothing is waited for
 *
 * The objects of the processes stay and lose their miniport side, so that later
 * destroys succeed without it.
 */
void dxg_adapter_destroy_kmd_objects_locked(struct dxgadapter *adapter, bool surprise)
{
	struct dxg_allocation *allocation;
	struct dxg_process_adapter *pa;
	struct dxg_context *context;
	struct dxg_device *device;

	if (!surprise && !dxg_adapter_suspend_all(adapter))
		adapter->ddi->DxgkDdiResetFromTimeout(adapter->context);
	dxg_adapter_mark_suspended(adapter);

	list_for_each_entry(pa, &adapter->processes, adapter_node) {
		list_for_each_entry(device, &pa->devices, node) {
			list_for_each_entry(context, &device->contexts, node)
				dxg_context_kmd_destroy_all(adapter, context);
			list_for_each_entry(allocation, &device->allocations, node) {
				if (allocation->kmd)
					adapter->ddi->DxgkDdiDestroyAllocation(adapter->context,
									       allocation->kmd);
				allocation->kmd = NULL;
			}
			if (device->kmd)
				adapter->ddi->DxgkDdiDestroyDevice(device->kmd);
			device->kmd = NULL;
		}
		dxg_process_adapter_kmd_destroy(pa);
	}
}

/* Removal, after the device has stopped: guard held exclusively. */
void dxg_adapter_dma_unmap_locked(struct dxgadapter *adapter)
{
	struct dxg_allocation *allocation;
	struct dxg_process_adapter *pa;
	struct dxg_device *device;

	list_for_each_entry(pa, &adapter->processes, adapter_node) {
		dxg_cell_pages_dma_unmap(pa);
		list_for_each_entry(device, &pa->devices, node) {
			list_for_each_entry(allocation, &device->allocations, node)
				dxg_memory_dma_unmap(&allocation->memory, adapter->dev);
		}
	}
}
