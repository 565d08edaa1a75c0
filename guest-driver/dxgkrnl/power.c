// SPDX-License-Identifier: GPL-2.0
/*
 * Power, and resets that somebody else makes: what the bus driver of a miniport
 * asks for.
 *
 * DOC: power
 *
 * To D3 (T20, DDI-PW-9, ORD-12): every context is suspended and acknowledged, every
 * doorbell revoked with RETRY and unbound, and then the miniport lets go of its
 * hardware; the bus driver's caller takes the function to D3. Back in D0 the contexts
 * that were suspended here are resumed, all of them and whatever the reason of the
 * wake-up; the device samples each of their queues (T21, T22, T32). No doorbell is
 * connected by that (SM-2).
 *
 * In between adapter->asleep keeps every KMD call out, so there is no MMIO (DDI-PW-11).
 * dxg_adapter_enter() asks for D0, and every connect goes through it: a connect wakes the
 * device (T21). Whoever holds the guard keeps the device awake, because going to sleep
 * takes it exclusively.
 *
 * A process may be killed while it waits for D0 (KMT-0.8), and the PM core's own waits
 * heed no signal. So it counts as a user of the device (dxg_power_want()), and if it then
 * finds adapter->asleep a work item wakes the device (dxg_power_wake()). asleep is what
 * keeps calls out, so its end is what to wait for. Rejected: pm_runtime_get(), which does
 * not wait; that the device could not be woken, which stops the adapter, it tells nobody.
 *
 * An idle device goes to sleep by runtime PM, if user space allows it in
 * power/control. Idle means: no queue has completed anything since the last look,
 * and none has work. Work whose ring the device has not come to yet, only its process knows
 * of, and says so by its last-queued value (ORD-13). That counts
 *
 *  - if a doorbell is connected until the revoke of this very sleep: its context is suspended,
 *    so the sample of the revoke is made after a resume, and sleep would be without it;
 *  - while the sample of an earlier revoke, whosever it was, is to come, as the miniport
 *    says, however long that takes, unless the context is suspended for another reason: then
 *    its work is to wait;
 *  - for DXG_SAMPLE_GRACE_MS from a revoke or a resume. No work depends on that, for a busy
 *    host takes longer. But few samples do, and without it every ring that is not sampled at
 *    once would have all contexts suspended and all doorbells revoked to no purpose.
 *
 * Otherwise the device has seen all there is, and its word decides. So a process that lies
 * holds up sleep for as long as a sample takes, or that time, no more, unless a slot of its own
 * is taken again or somebody wakes the device (SEC-8). Sleep of the whole system does not ask:
 * the work goes on afterwards.
 *
 * A refusal has to be followed by another try, since a process may never call again. The
 * PM core makes one by itself only if the autosuspend delay, counted from the refusal, is not
 * over when it looks: never with a delay of 0, and not surely with one of a few ms on a loaded
 * machine. It takes no request from the callback itself. So idle_work asks again
 * DXG_IDLE_RETRY_MS later; it waits for a callback that is still on its way, and leaves it
 * to the PM core if the delay is longer.
 *
 * DOC: resets by others
 *
 * A function-level reset or the recovery from a bus error is an adapter reset whose two
 * halves the bus driver calls. In between adapter->resetting holds back calls that
 * need the device, for a bounded time; destroys go on, the miniport knows that its
 * objects are gone. Such a reset is nobody's fault and does not count as a hang.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/pm_runtime.h>

#include "dxgkrnl.h"
#include "trace.h"

#define DXG_IDLE_RETRY_MS	50

/**
 * dxg_power_get() - the hardware is to be in D0
 * @adapter: kept by the caller, who holds no guard
 *
 * Sleeps. A device that cannot be woken is found lost here, which stops the adapter.
 */
void dxg_power_get(struct dxgadapter *adapter)
{
	int ret = pm_runtime_get_sync(adapter->dev);

	/* EACCES: there is no runtime PM, or the system is going to sleep or waking up. */
	if (ret < 0 && ret != -EACCES)
		DxgkResumeAdapter(adapter);
}

/* The same without the wait: the device stays awake if it is, until dxg_power_put(). */
void dxg_power_want(struct dxgadapter *adapter)
{
	pm_runtime_get_noresume(adapter->dev);
}

/*
 * Begins to wake the device; adapter->gate tells. guard held, so that removal, which waits
 * for the work, comes later.
 */
void dxg_power_wake(struct dxgadapter *adapter)
{
	queue_work(dxg_wq, &adapter->wake_work);
}

void dxg_power_wake_work(struct work_struct *work)
{
	struct dxgadapter *adapter = container_of(work, struct dxgadapter, wake_work);

	dxg_power_get(adapter);
	dxg_power_put(adapter);
}

void dxg_power_put(struct dxgadapter *adapter)
{
	pm_runtime_mark_last_busy(adapter->dev);
	pm_runtime_put_autosuspend(adapter->dev);
}

/* A refusal's second try; that may refuse, too, and queues this again. */
void dxg_power_idle_work(struct work_struct *work)
{
	struct dxgadapter *adapter = container_of(to_delayed_work(work), struct dxgadapter,
						  idle_work);

	pm_runtime_autosuspend(adapter->dev);
}

typedef void (*dxg_context_fn)(struct dxgadapter *adapter, struct dxg_context *context,
			       void *data);

/* guard held exclusively. */
static void dxg_visit_contexts(struct dxgadapter *adapter, dxg_context_fn fn, void *data)
{
	struct dxg_process_adapter *pa;
	struct dxg_context *context;
	struct dxg_device *device;

	list_for_each_entry(pa, &adapter->processes, adapter_node) {
		list_for_each_entry(device, &pa->devices, node) {
			list_for_each_entry(context, &device->contexts, node)
				fn(adapter, context, data);
		}
	}
}

/* Contexts that are suspended for other reasons stay so: they are about to end, or held. */
static void dxg_context_choose(struct dxgadapter *adapter, struct dxg_context *context, void *data)
{
	context->asleep = context->kmd && !context->suspended && !context->ending &&
			  !context->held;
}

static void dxg_context_slept(struct dxgadapter *adapter, struct dxg_context *context, void *data)
{
	context->suspended |= context->asleep;
}

static void dxg_context_wake(struct dxgadapter *adapter, struct dxg_context *context, void *data)
{
	DXGKARG_RESUMECONTEXT args = { .hContext = context->kmd };
	bool *lost = data;

	if (!context->asleep)
		return;
	context->asleep = false;
	if (context->ending || !NT_SUCCESS(dxg_device_status(context->device)))
		return;
	context->suspended = false;
	trace_dxg_context_resume(context->obj.process->pid, context->obj.handle);
	dxg_context_trust(context);
	if (!NT_SUCCESS(adapter->ddi->DxgkDdiResumeContext(adapter->context, &args)))
		*lost = true;
}

/* How far the queues of an adapter are, to tell idle from busy. */
struct dxg_activity {
	u64 progress;
	bool pending;
};

/*
 * Does the process say that it has work, which the device may not have sampled yet? @pending:
 * it surely has not, and will.
 */
static bool dxg_hwqueue_unseen(const struct dxg_hwqueue *queue, bool pending)
{
	return queue->doorbell &&
	       (pending || ktime_get_ns() < READ_ONCE(queue->doorbell->trusted_until)) &&
	       dxg_cell_read(&queue->doorbell->last_queued) > dxg_fence_value(queue->fence);
}

static void dxg_context_look(struct dxgadapter *adapter, struct dxg_context *context, void *data)
{
	struct dxg_activity *activity = data;
	struct dxg_hwqueue *queue;

	list_for_each_entry(queue, &context->queues, node) {
		DXGKARG_QUERYHWQUEUESTATUS args = {
			.hHwQueue = queue->kmd,
			.SampleAwaited = true,
		};

		if (!queue->kmd)
			continue;
		adapter->ddi->DxgkDdiQueryHwQueueStatus(adapter->context, &args);
		activity->progress += args.ReadPointer + 1;
		if ((args.ReadPointer != args.WritePointer ||
		     dxg_hwqueue_unseen(queue, args.SamplePending && !context->suspended)) &&
		    NT_SUCCESS(dxg_device_status(context->device)))
			activity->pending = true;
	}
}

static void dxg_context_disconnect(struct dxgadapter *adapter, struct dxg_context *context,
				   void *data)
{
	struct dxg_activity *activity = data;
	struct dxg_hwqueue *queue;

	list_for_each_entry(queue, &context->queues, node) {
		DXGKARG_QUERYHWQUEUESTATUS args = { .hHwQueue = queue->kmd };
		bool revoked;

		if (!queue->doorbell || !queue->kmd)
			continue;
		revoked = dxg_doorbell_power_down(queue->doorbell);
		if (!NT_SUCCESS(dxg_device_status(context->device)) ||
		    dxg_cell_read(&queue->doorbell->last_queued) <= dxg_fence_value(queue->fence))
			continue;
		adapter->ddi->DxgkDdiQueryHwQueueStatus(adapter->context, &args);
		/* The sample of this revoke cannot be made before a resume. */
		if (revoked || args.WritePointer != args.ReadPointer)
			activity->pending = true;
	}
}

/* guard held exclusively. Nothing has happened since the last look, and nothing waits. */
static bool dxg_adapter_idle(struct dxgadapter *adapter)
{
	struct dxg_activity activity = { };
	bool moved;

	if (adapter->state != DXG_ADAPTER_RUNNING || adapter->resetting)
		return true;
	dxg_visit_contexts(adapter, dxg_context_look, &activity);
	moved = activity.progress != adapter->idle_progress;
	adapter->idle_progress = activity.progress;
	return !moved && !activity.pending;
}

/* guard held exclusively. Resumes what dxg_adapter_quiesce() has suspended. */
static void dxg_adapter_unquiesce(struct dxgadapter *adapter)
{
	bool lost = false;

	dxg_visit_contexts(adapter, dxg_context_wake, &lost);
	if (lost)
		dxg_adapter_reset_locked(adapter, NULL, "contexts lost in D3", false);
}

/* guard held exclusively: steps (1) and (2) of DDI-PW-9. True: work is left. */
static bool dxg_adapter_quiesce(struct dxgadapter *adapter)
{
	struct dxg_activity activity = { };

	if (adapter->state != DXG_ADAPTER_RUNNING || adapter->resetting)
		return false;
	dxg_visit_contexts(adapter, dxg_context_choose, NULL);
	if (!dxg_adapter_suspend_all(adapter))
		dxg_adapter_reset_locked(adapter, NULL, "context suspend not acknowledged", true);
	dxg_visit_contexts(adapter, dxg_context_slept, NULL);
	dxg_visit_contexts(adapter, dxg_context_disconnect, &activity);
	return activity.pending;
}

int DxgkSuspendAdapter(struct dxgadapter *adapter, bool forced)
{
	int ret = 0;
	bool pending;

	down_write(&adapter->guard);
	if (adapter->asleep || adapter->state == DXG_ADAPTER_REMOVED)
		goto out_unlock;
	ret = -EBUSY;
	if (!forced && !dxg_adapter_idle(adapter))
		goto out_unlock;
	pending = dxg_adapter_quiesce(adapter);
	if (pending && !forced) {
		dxg_adapter_unquiesce(adapter);
		goto out_unlock;
	}
	trace_dxg_adapter_power(adapter->luid, false, pending);
	adapter->ddi->DxgkDdiSetPowerState(adapter->context, PowerDeviceD3);
	WRITE_ONCE(adapter->asleep, true);
	adapter->sleeps++;
	ret = 0;
out_unlock:
	if (ret) {
		/* The delay begins anew, and somebody has to try again: see above. */
		pm_runtime_mark_last_busy(adapter->dev);
		queue_delayed_work(pm_wq, &adapter->idle_work,
				   msecs_to_jiffies(DXG_IDLE_RETRY_MS));
	}
	up_write(&adapter->guard);
	return ret;
}
EXPORT_SYMBOL_GPL(DxgkSuspendAdapter);

/* guard held exclusively. */
void dxg_adapter_wake_locked(struct dxgadapter *adapter)
{
	NTSTATUS status;

	if (!adapter->asleep)
		return;
	status = adapter->ddi->DxgkDdiSetPowerState(adapter->context, PowerDeviceD0);
	WRITE_ONCE(adapter->asleep, false);
	trace_dxg_adapter_power(adapter->luid, true, !NT_SUCCESS(status));
	if (NT_SUCCESS(status) || adapter->state != DXG_ADAPTER_RUNNING)
		dxg_adapter_unquiesce(adapter);
	else
		dxg_adapter_reset_locked(adapter, NULL, "state lost in D3", false);
	wake_up_all(&adapter->gate);
}

void DxgkResumeAdapter(struct dxgadapter *adapter)
{
	down_write(&adapter->guard);
	dxg_adapter_wake_locked(adapter);
	up_write(&adapter->guard);
	/* The PM core does so itself when it wakes the device, but not after a system's sleep. */
	pm_runtime_mark_last_busy(adapter->dev);
	dxg_wait_notify(adapter);
}
EXPORT_SYMBOL_GPL(DxgkResumeAdapter);

void DxgkBeginReset(struct dxgadapter *adapter, const char *reason)
{
	down_write(&adapter->guard);
	if (adapter->state == DXG_ADAPTER_RUNNING && !adapter->resetting && !adapter->asleep) {
		adapter->reset_status = dxg_adapter_reset_begin_locked(adapter, NULL, reason);
		WRITE_ONCE(adapter->resetting, true);
	}
	up_write(&adapter->guard);
	dxg_wait_notify(adapter);
}
EXPORT_SYMBOL_GPL(DxgkBeginReset);

void DxgkEndReset(struct dxgadapter *adapter, bool usable)
{
	NTSTATUS status = STATUS_DEVICE_REMOVED;

	down_write(&adapter->guard);
	if (adapter->resetting) {
		/* Whatever was done to the device, begin with a clean one. */
		if (usable && NT_SUCCESS(adapter->reset_status))
			status = adapter->ddi->DxgkDdiResetFromTimeout(adapter->context);
		dxg_adapter_reset_end_locked(adapter, status);
		WRITE_ONCE(adapter->resetting, false);
		wake_up_all(&adapter->gate);
	}
	up_write(&adapter->guard);
	dxg_wait_notify(adapter);
}
EXPORT_SYMBOL_GPL(DxgkEndReset);
