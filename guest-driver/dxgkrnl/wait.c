// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for fence values from the CPU: in the call, or by eventfd.
 *
 * All waits of an adapter hang on one wait queue and one list. The fence
 * interrupt names no fence, so all of them are looked at (MF-4): one that sleeps in
 * the call has its condition looked at in the interrupt, a few loads, and is woken
 * only if it is over; the others on the list are for a work item. A waiter is on the
 * queue or the list before it looks the last time, so a signal in between is not
 * missed (PF-10); and it looks again every 100 ms, so that a lost interrupt costs
 * time, not a hang. The system may go to sleep meanwhile.
 *
 * A wait on a device in error, or on a removed adapter, ends with DEVICE_REMOVED
 * (PF-11); an eventfd is signalled then, and the caller finds out by
 * GetDeviceState. Waits end also when their fence's queue is destroyed.
 */
#include <linux/eventfd.h>
#include <linux/freezer.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "dxgkrnl.h"

#define DXG_WAIT_RECHECK_MS		100

struct dxg_wait {
	unsigned int count;
	bool any;
	struct dxg_fence *fences[DXG_WAIT_MAX_OBJECTS];	/* counted */
	u64 values[DXG_WAIT_MAX_OBJECTS];
};

/* A thread that sleeps in the call. */
struct dxg_sleeper {
	struct wait_queue_entry entry;	/* adapter->events */
	struct dxg_wait wait;
};

struct dxg_async_wait {
	struct list_head node;		/* adapter->waiters */
	struct dxg_wait wait;
	struct eventfd_ctx *event;	/* counted */
	struct dxg_process *process;	/* counted */
};

/* PENDING while the wait has to go on. */
static NTSTATUS dxg_wait_check(const struct dxg_wait *wait)
{
	unsigned int i, reached = 0;
	NTSTATUS status;

	for (i = 0; i < wait->count; i++) {
		if (dxg_fence_value(wait->fences[i]) >= wait->values[i])
			reached++;
	}
	if (reached == wait->count || (wait->any && reached))
		return STATUS_SUCCESS;

	for (i = 0; i < wait->count; i++) {
		status = dxg_device_status(wait->fences[i]->device);
		if (!NT_SUCCESS(status))
			return status;
		if (READ_ONCE(wait->fences[i]->obj.dead))
			return STATUS_INVALID_PARAMETER;
	}
	return STATUS_PENDING;
}

static void dxg_wait_put(struct dxg_wait *wait)
{
	while (wait->count)
		dxg_object_put(&wait->fences[--wait->count]->obj);
}

static NTSTATUS dxg_wait_init(struct dxg_wait *wait, struct dxg_process *process,
			      struct dxgadapter *adapter, struct dxg_waitforsyncobjectfromcpu *args)
{
	u32 handles[DXG_WAIT_MAX_OBJECTS];
	struct dxg_object *obj;
	NTSTATUS status;
	unsigned int i;

	wait->count = 0;
	wait->any = args->flags & DXG_WAIT_ANY;
	status = dxg_copy_in(handles, args->objects, args->object_count * sizeof(handles[0]));
	if (NT_SUCCESS(status))
		status = dxg_copy_in(wait->values, args->fence_values,
				     args->object_count * sizeof(wait->values[0]));
	if (!NT_SUCCESS(status))
		return status;

	for (i = 0; i < args->object_count; i++) {
		obj = dxg_handle_get(process, handles[i], DXG_TYPE_FENCE);
		if (!obj) {
			dxg_wait_put(wait);
			return STATUS_INVALID_PARAMETER;
		}
		wait->fences[wait->count++] = container_of(obj, struct dxg_fence, obj);
		if (dxg_device_adapter(wait->fences[i]->device) != adapter) {
			dxg_wait_put(wait);
			return STATUS_INVALID_PARAMETER;
		}
	}
	return STATUS_SUCCESS;
}

/**
 * dxg_wait_notify() - fence values or device states may have changed
 * @adapter: whose
 *
 * Any context, the hard interrupt included. A pending scan holds a reference on
 * the adapter, because the waits that kept it may be gone when it runs.
 */
void dxg_wait_notify(struct dxgadapter *adapter)
{
	wake_up_all(&adapter->events);
	if (list_empty_careful(&adapter->waiters))
		return;
	dxg_adapter_get(adapter);
	/* True: it was pending already, with a reference. */
	if (mod_delayed_work(dxg_wq, &adapter->scan_work, 0))
		dxg_adapter_put(adapter);
}

static void dxg_async_wait_free(struct dxg_async_wait *async)
{
	dxg_quota_uncharge(async->process, DXG_QUOTA_WAITS, 1);
	eventfd_ctx_put(async->event);
	dxg_wait_put(&async->wait);
	dxg_process_put(async->process);
	kfree(async);
}

/* Signal and free the waits that are over. The caller keeps the adapter. */
void dxg_wait_scan(struct dxgadapter *adapter)
{
	struct dxg_async_wait *async, *next;
	LIST_HEAD(done);

	mutex_lock(&adapter->waiters_lock);
	list_for_each_entry_safe(async, next, &adapter->waiters, node) {
		if (dxg_wait_check(&async->wait) != STATUS_PENDING)
			list_move_tail(&async->node, &done);
		cond_resched();
	}
	if (!list_empty(&adapter->waiters)) {
		dxg_adapter_get(adapter);
		if (!queue_delayed_work(dxg_wq, &adapter->scan_work,
					msecs_to_jiffies(DXG_WAIT_RECHECK_MS)))
			dxg_adapter_put(adapter);
	}
	mutex_unlock(&adapter->waiters_lock);

	list_for_each_entry_safe(async, next, &done, node) {
		dxg_eventfd_signal(async->event);
		dxg_async_wait_free(async);
	}
}

void dxg_wait_scan_work(struct work_struct *work)
{
	struct dxgadapter *adapter = container_of(to_delayed_work(work), struct dxgadapter,
						  scan_work);

	dxg_wait_scan(adapter);
	/* The reference of the pending work. */
	dxg_adapter_put(adapter);
}

static NTSTATUS dxg_wait_async(struct dxg_process *process, struct dxgadapter *adapter,
			       struct dxg_waitforsyncobjectfromcpu *args)
{
	struct dxg_async_wait *async;
	struct eventfd_ctx *event;
	NTSTATUS status;

	if (args->async_event > INT_MAX)
		return STATUS_INVALID_PARAMETER;
	event = eventfd_ctx_fdget(args->async_event);
	if (IS_ERR(event))
		return STATUS_INVALID_PARAMETER;

	status = STATUS_NO_MEMORY;
	if (!dxg_quota_charge(process, DXG_QUOTA_WAITS, 1))
		goto err_put;
	async = kzalloc(sizeof(*async), GFP_KERNEL_ACCOUNT);
	if (!async)
		goto err_uncharge;
	status = dxg_wait_init(&async->wait, process, adapter, args);
	if (!NT_SUCCESS(status)) {
		kfree(async);
		goto err_uncharge;
	}
	async->event = event;
	async->process = dxg_process_get(process);

	mutex_lock(&adapter->waiters_lock);
	list_add_tail(&async->node, &adapter->waiters);
	mutex_unlock(&adapter->waiters_lock);
	/* The look after the registration. */
	dxg_wait_scan(adapter);
	return STATUS_SUCCESS;

err_uncharge:
	dxg_quota_uncharge(process, DXG_QUOTA_WAITS, 1);
err_put:
	eventfd_ctx_put(event);
	return status;
}

/* Whoever wakes the queue, also in the hard interrupt: is this one concerned? */
static int dxg_sleeper_wake(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct dxg_sleeper *sleeper = container_of(entry, struct dxg_sleeper, entry);

	if (dxg_wait_check(&sleeper->wait) == STATUS_PENDING)
		return 0;
	return default_wake_function(entry, mode, flags, key);
}

static NTSTATUS dxg_wait_blocking(struct dxg_process *process, struct dxgadapter *adapter,
				  struct dxg_waitforsyncobjectfromcpu *args)
{
	struct dxg_sleeper sleeper;
	NTSTATUS status;

	status = dxg_wait_init(&sleeper.wait, process, adapter, args);
	if (!NT_SUCCESS(status))
		return status;
	init_wait(&sleeper.entry);
	sleeper.entry.func = dxg_sleeper_wake;
	for (;;) {
		prepare_to_wait(&adapter->events, &sleeper.entry, TASK_KILLABLE);
		status = dxg_wait_check(&sleeper.wait);
		if (status == STATUS_PENDING && fatal_signal_pending(current))
			status = STATUS_CANCELLED;
		if (status != STATUS_PENDING)
			break;
		schedule_timeout(msecs_to_jiffies(DXG_WAIT_RECHECK_MS));
		__set_current_state(TASK_RUNNING);
		/* Nothing is held; a long wait must not keep the system awake. */
		try_to_freeze();
	}
	finish_wait(&adapter->events, &sleeper.entry);
	dxg_wait_put(&sleeper.wait);
	return status;
}

/**
 * dxg_wait_from_cpu() - D3DKMTWaitForSynchronizationObjectFromCpu
 * @call: struct dxg_waitforsyncobjectfromcpu
 *
 * Return: SUCCESS when reached, or, with an eventfd, when registered;
 * INVALID_PARAMETER for bad handles, flags, count (1 .. 32) or descriptor, or if a
 * fence was destroyed; DEVICE_REMOVED; NO_MEMORY beyond 1024 asynchronous waits of
 * the process; ACCESS_VIOLATION.
 */
NTSTATUS dxg_wait_from_cpu(struct dxg_call *call)
{
	struct dxg_waitforsyncobjectfromcpu *args = call->args;
	struct dxgadapter *adapter;
	struct dxg_device *device;
	NTSTATUS status;

	if (!args->object_count || args->object_count > DXG_WAIT_MAX_OBJECTS ||
	    (args->flags & ~DXG_WAIT_ANY))
		return STATUS_INVALID_PARAMETER;
	device = dxg_device_lookup(call->process, args->device, &status);
	if (!device)
		return status;
	adapter = dxg_device_adapter(device);
	if (args->async_event)
		status = dxg_wait_async(call->process, adapter, args);
	else
		status = dxg_wait_blocking(call->process, adapter, args);
	dxg_object_put(&device->obj);
	return status;
}
