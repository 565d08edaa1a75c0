// SPDX-License-Identifier: GPL-2.0
/*
 * Destroying by handle, and the end of a process.
 *
 * Normal end (FH-18): every doorbell is disconnected, whose final sample picks up
 * work with a lost ring; then a bounded wait for what the process said it queued
 * and the device, once it has made that sample, confirms; then everything is
 * destroyed. Up to 100 ms of this happen in close() or exit(), the rest in a work
 * item (FH-20). The wait ends after tdr_timeout_ms without progress, or five times
 * that in all (PF-7). Rejected: to give the sample a shorter time of its own. What a
 * busy host does not run in that is lost work of a process that did nothing wrong.
 *
 * Killed, or in error (FH-22): devices go into error, and destruction starts at
 * once; it suspends each context before it takes the queues apart (OBJ-20).
 *
 * Both ways: nothing here needs the user's mappings; last-queued values are
 * read through the kernel's own (FH-25).
 */
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/jiffies.h>

#include "dxgkrnl.h"
#include "trace.h"

#define DXG_EXIT_WAIT_MS	100

static struct dxg_process_adapter *dxg_object_pa(struct dxg_object *obj)
{
	switch (obj->type) {
	case DXG_TYPE_DEVICE:
		return container_of(obj, struct dxg_device, obj)->pa;
	case DXG_TYPE_CONTEXT:
		return container_of(obj, struct dxg_context, obj)->device->pa;
	case DXG_TYPE_HWQUEUE:
		return container_of(obj, struct dxg_hwqueue, obj)->context->device->pa;
	case DXG_TYPE_DOORBELL:
		return container_of(obj, struct dxg_doorbell, obj)->queue->context->device->pa;
	case DXG_TYPE_ALLOCATION:
		return container_of(obj, struct dxg_allocation, obj)->device->pa;
	case DXG_TYPE_PAGING_QUEUE:
		return container_of(obj, struct dxg_paging_queue, obj)->device->pa;
	default:
		return NULL;
	}
}

static bool dxg_destroy_locked(struct dxg_object *obj)
{
	switch (obj->type) {
	case DXG_TYPE_DEVICE:
		return dxg_device_destroy(container_of(obj, struct dxg_device, obj));
	case DXG_TYPE_CONTEXT:
		return dxg_context_destroy(container_of(obj, struct dxg_context, obj));
	case DXG_TYPE_HWQUEUE:
		return dxg_hwqueue_destroy(container_of(obj, struct dxg_hwqueue, obj));
	case DXG_TYPE_DOORBELL:
		return dxg_doorbell_destroy(container_of(obj, struct dxg_doorbell, obj));
	case DXG_TYPE_ALLOCATION:
		return dxg_allocation_destroy(container_of(obj, struct dxg_allocation, obj));
	case DXG_TYPE_PAGING_QUEUE:
		return dxg_paging_queue_destroy(container_of(obj, struct dxg_paging_queue, obj));
	default:
		return false;
	}
}

static bool dxg_close_adapter(struct dxg_object *obj)
{
	struct dxg_adapter_handle *opened = container_of(obj, struct dxg_adapter_handle, obj);
	struct dxg_process *process = obj->process;
	bool first;

	mutex_lock(&process->lock);
	first = !obj->dead;
	obj->dead = true;
	mutex_unlock(&process->lock);
	if (!first)
		return false;
	dxg_process_adapter_unuse(opened->pa);
	dxg_handle_withdraw(obj);
	return true;
}

/**
 * dxg_destroy_object() - what every destroy call does
 * @obj: a reference held, no lock
 *
 * Return: INVALID_PARAMETER if it was destroyed before, or is a fence: those end
 * with their queue.
 */
NTSTATUS dxg_destroy_object(struct dxg_object *obj)
{
	struct dxg_process_adapter *pa = dxg_object_pa(obj);
	bool first;

	if (obj->type == DXG_TYPE_ADAPTER) {
		first = dxg_close_adapter(obj);
	} else if (pa) {
		mutex_lock(&pa->lock);
		first = dxg_destroy_locked(obj);
		mutex_unlock(&pa->lock);
		if (first && obj->type == DXG_TYPE_DEVICE)
			dxg_process_adapter_unuse(pa);
	} else {
		first = false;
	}
	return first ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/**
 * dxg_destroy_by_handle() - all destroy calls with one handle
 * @call: struct dxg_handle_arg; call->type is the type of the handle
 *
 * Works on devices in error and after removal (KMT-0.9, FH-28).
 *
 * Return: INVALID_PARAMETER for a bad handle.
 */
NTSTATUS dxg_destroy_by_handle(struct dxg_call *call)
{
	struct dxg_handle_arg *args = call->args;
	struct dxg_object *obj = dxg_handle_get(call->process, args->handle, call->type);
	NTSTATUS status;

	if (!obj)
		return STATUS_INVALID_PARAMETER;
	status = dxg_destroy_object(obj);
	dxg_object_put(obj);
	return status;
}

typedef void (*dxg_queue_fn)(struct dxg_hwqueue *queue, void *data);

/* Calls @fn, with pa->lock held, for each queue of the process that has a doorbell. */
static void dxg_visit_queues(struct dxg_process *process, dxg_queue_fn fn, void *data)
{
	struct dxg_process_adapter *pa;
	struct dxg_context *context;
	struct dxg_hwqueue *queue;
	struct dxg_device *device;

	mutex_lock(&process->lock);
	list_for_each_entry(pa, &process->adapters, process_node) {
		mutex_lock(&pa->lock);
		list_for_each_entry(device, &pa->devices, node) {
			list_for_each_entry(context, &device->contexts, node) {
				list_for_each_entry(queue, &context->queues, node) {
					if (queue->doorbell)
						fn(queue, data);
				}
			}
		}
		mutex_unlock(&pa->lock);
	}
	mutex_unlock(&process->lock);
}

/* On a device in error, which a killed process's is, the work stops as well (FH-12, FH-22). */
static void dxg_queue_disconnect(struct dxg_hwqueue *queue, void *data)
{
	if (!NT_SUCCESS(dxg_device_status(queue->context->device)))
		dxg_context_suspend(queue->context);
	dxg_doorbell_disconnect(queue->doorbell, D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
				DXG_CAUSE_ENDING);
}

struct dxg_drain {
	bool pending;
	u64 progress;
};

static void dxg_queue_drain(struct dxg_hwqueue *queue, void *data)
{
	struct dxg_drain *drain = data;

	if (NT_SUCCESS(dxg_device_status(queue->context->device)) &&
	    dxg_hwqueue_pending(queue, &drain->progress))
		drain->pending = true;
}

/* Wait until the queues are empty: true, or false after @still_ms without progress. */
static bool dxg_process_drain(struct dxg_process *process, unsigned int still_ms,
			      unsigned int total_ms)
{
	unsigned long start = jiffies, moved = jiffies;
	struct dxg_drain drain;
	u64 progress = 0;

	for (;;) {
		drain = (struct dxg_drain) { };
		dxg_visit_queues(process, dxg_queue_drain, &drain);
		if (!drain.pending)
			return true;
		if (drain.progress != progress)
			moved = jiffies;
		progress = drain.progress;
		if (time_after(jiffies, moved + msecs_to_jiffies(still_ms)) ||
		    time_after(jiffies, start + msecs_to_jiffies(total_ms)))
			return false;
		usleep_range(500, 1000);
	}
}

static void dxg_process_fail_devices(struct dxg_process *process)
{
	struct dxg_process_adapter *pa;
	struct dxg_device *device;

	mutex_lock(&process->lock);
	list_for_each_entry(pa, &process->adapters, process_node) {
		mutex_lock(&pa->lock);
		list_for_each_entry(device, &pa->devices, node)
			dxg_device_set_error(device, DXG_EXECUTION_STOPPED, NULL);
		mutex_unlock(&pa->lock);
	}
	mutex_unlock(&process->lock);
}

static void dxg_process_destroy_type(struct dxg_process *process, enum dxg_type type)
{
	struct dxg_object *obj;
	unsigned long handle;

	xa_for_each(&process->handles.objects, handle, obj) {
		obj = dxg_handle_get(process, handle, type);
		if (!obj)
			continue;
		dxg_destroy_object(obj);
		dxg_object_put(obj);
	}
}

/* Waits that an eventfd was given for and that nobody can satisfy any more. */
static void dxg_process_end_waits(struct dxg_process *process)
{
	struct dxg_process_adapter *pa;

	mutex_lock(&process->lock);
	list_for_each_entry(pa, &process->adapters, process_node)
		dxg_wait_scan(pa->adapter);
	mutex_unlock(&process->lock);
}

static void dxg_process_destroy(struct dxg_process *process)
{
	dxg_process_destroy_type(process, DXG_TYPE_DEVICE);
	dxg_process_end_waits(process);
	dxg_process_destroy_type(process, DXG_TYPE_ADAPTER);
	dxg_oom_process_ended(process);
	fput(process->map_file);
	trace_dxg_process_end(process->pid, 0);
	dxg_process_put(process);
}

void dxg_process_teardown_work(struct work_struct *work)
{
	struct dxg_process *process = container_of(work, struct dxg_process, teardown_work);

	if (!dxg_process_drain(process, dxg_tdr_timeout_ms, 5 * dxg_tdr_timeout_ms))
		dxg_process_fail_devices(process);
	dxg_process_destroy(process);
}

/* The address space ended and the file is still open somewhere: nobody can ring (FH-26). */
void dxg_process_mm_exit_work(struct work_struct *work)
{
	struct dxg_process *process = container_of(to_delayed_work(work), struct dxg_process,
						   mm_exit_work);

	if (READ_ONCE(process->killed))
		dxg_process_fail_devices(process);
	dxg_visit_queues(process, dxg_queue_disconnect, NULL);
}

/**
 * dxg_process_teardown() - the last close of a file
 * @process: its process; gone afterwards, or handed to a work item
 */
void dxg_process_teardown(struct dxg_process *process)
{
	dxg_process_release(process);

	if (process->killed) {
		dxg_process_fail_devices(process);
		dxg_process_destroy(process);
		return;
	}
	dxg_visit_queues(process, dxg_queue_disconnect, NULL);
	if (dxg_process_drain(process, DXG_EXIT_WAIT_MS, DXG_EXIT_WAIT_MS))
		dxg_process_destroy(process);
	else
		queue_work(dxg_exit_wq, &process->teardown_work);
}
