// SPDX-License-Identifier: GPL-2.0
/*
 * Devices: what a process does on an adapter, and what fails together.
 *
 * A device in error stays in error (KMT-0.9). It gets there by
 * dxg_device_set_error() alone, in this order: STAT=ABORT on every doorbell,
 * then the state that makes API calls fail, then the waiters (FH-10). Creating
 * a doorbell takes pa->lock as this does, so none is born in between.
 */
#include <linux/slab.h>

#include "dxgkrnl.h"
#include "trace.h"

#define DXG_CREATEDEVICE_DISABLE_GPU_TIMEOUT	BIT(2)

#define DXG_DEVICESTATE_EXECUTION	1
#define DXG_DEVICESTATE_PAGE_FAULT	5

/* DEVICE_REMOVED if the device is in error or its adapter stopped or gone. */
NTSTATUS dxg_device_status(const struct dxg_device *device)
{
	/* Pairs with dxg_device_set_error(). */
	if (smp_load_acquire(&device->state) != DXG_EXECUTION_ACTIVE ||
	    !dxg_adapter_running(dxg_device_adapter(device)))
		return STATUS_DEVICE_REMOVED;
	return STATUS_SUCCESS;
}

/* A working device of the caller, with a reference; else NULL and why. */
struct dxg_device *dxg_device_lookup(struct dxg_process *process, u32 handle, NTSTATUS *status)
{
	struct dxg_object *obj = dxg_handle_get(process, handle, DXG_TYPE_DEVICE);
	struct dxg_device *device;

	if (!obj) {
		*status = STATUS_INVALID_PARAMETER;
		return NULL;
	}
	device = container_of(obj, struct dxg_device, obj);
	*status = dxg_device_status(device);
	if (!NT_SUCCESS(*status)) {
		dxg_object_put(obj);
		return NULL;
	}
	return device;
}

/* pa->lock held, or guard held exclusively. */
void dxg_device_abort_doorbells(struct dxg_device *device)
{
	struct dxg_context *context;
	struct dxg_hwqueue *queue;

	list_for_each_entry(context, &device->contexts, node) {
		list_for_each_entry(queue, &context->queues, node) {
			if (queue->doorbell)
				dxg_doorbell_abort(queue->doorbell);
		}
	}
}

/**
 * dxg_device_set_error() - put a device in error
 * @device: pa->lock held, or guard held exclusively
 * @state: why; not ACTIVE
 * @fault: for the page-fault query, or NULL
 *
 * The first error wins.
 */
void dxg_device_set_error(struct dxg_device *device, enum dxg_execution_state state,
			  const struct dxg_fault *fault)
{
	if (device->state != DXG_EXECUTION_ACTIVE)
		return;
	dxg_device_abort_doorbells(device);
	trace_dxg_device_error(device->obj.process->pid, device->obj.handle, state);
	if (fault)
		device->fault = *fault;
	/* Pairs with dxg_device_status(): who sees the error sees the fault and ABORT. */
	smp_store_release(&device->state, state);
	dxg_wait_notify(dxg_device_adapter(device));
}

/**
 * dxg_device_quiesce() - nothing of a device in error executes any more (FH-12, T23)
 * @device: pa->lock held, guard not
 *
 * Its contexts are suspended, which may take an engine reset for each, and its
 * slots given back.
 */
void dxg_device_quiesce(struct dxg_device *device)
{
	struct dxg_context *context;
	struct dxg_hwqueue *queue;

	list_for_each_entry(context, &device->contexts, node) {
		dxg_context_suspend(context);
		list_for_each_entry(queue, &context->queues, node) {
			if (queue->doorbell)
				dxg_doorbell_disconnect(queue->doorbell,
							D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT,
							DXG_CAUSE_ERROR);
		}
	}
}

static void dxg_device_release(struct dxg_object *obj)
{
	struct dxg_device *device = container_of(obj, struct dxg_device, obj);
	struct dxg_process_adapter *pa = device->pa;

	kfree(device);
	dxg_process_adapter_put(pa);
}

/**
 * dxg_device_destroy() - end a device with all that it has (OBJ-20)
 * @device: pa->lock and a reference held
 *
 * The caller gives up the device's use of pa afterwards, without pa->lock.
 *
 * Return: false if it was destroyed before.
 */
bool dxg_device_destroy(struct dxg_device *device)
{
	struct dxgadapter *adapter = dxg_device_adapter(device);
	struct dxg_allocation *allocation, *next_allocation;
	struct dxg_paging_queue *paging, *next_paging;
	struct dxg_context *context, *next_context;
	bool entered;

	if (device->obj.dead)
		return false;
	device->obj.dead = true;

	list_for_each_entry_safe(context, next_context, &device->contexts, node)
		dxg_context_destroy(context);
	list_for_each_entry_safe(paging, next_paging, &device->paging_queues, node)
		dxg_paging_queue_destroy(paging);
	list_for_each_entry_safe(allocation, next_allocation, &device->allocations, node)
		dxg_allocation_destroy(allocation);

	entered = dxg_adapter_enter_destroy(adapter);
	if (entered && device->kmd)
		adapter->ddi->DxgkDdiDestroyDevice(device->kmd);
	device->kmd = NULL;
	list_del_init(&device->node);
	if (entered)
		dxg_adapter_exit(adapter);
	dxg_handle_withdraw(&device->obj);
	return true;
}

static NTSTATUS dxg_device_kmd_create(struct dxg_device *device, u32 flags)
{
	struct dxgadapter *adapter = dxg_device_adapter(device);
	DXGKARG_CREATEDEVICE args = {
		.hDevice = device,
		.Flags = flags,
	};
	NTSTATUS status;

	status = dxg_adapter_enter(adapter);
	if (!NT_SUCCESS(status))
		return status;
	args.hKmdProcess = device->pa->kmd;
	status = adapter->ddi->DxgkDdiCreateDevice(adapter->context, &args);
	if (NT_SUCCESS(status) && (!args.hDevice || args.hDevice == (HANDLE)device))
		status = STATUS_UNSUCCESSFUL;
	if (NT_SUCCESS(status)) {
		device->kmd = args.hDevice;
		list_add_tail(&device->node, &device->pa->devices);
	}
	dxg_adapter_exit(adapter);
	return status;
}

/**
 * dxg_create_device() - D3DKMTCreateDevice
 * @call: struct dxg_createdevice
 *
 * Return: INVALID_PARAMETER for a bad handle or flag, DEVICE_REMOVED (also for a
 * process that has hung engines too often, FH-5), NO_MEMORY.
 */
NTSTATUS dxg_create_device(struct dxg_call *call)
{
	struct dxg_createdevice *args = call->args;
	struct dxg_process_adapter *pa;
	struct dxg_device *device;
	struct dxg_object *keep;
	NTSTATUS status;
	u32 handle = 0;

	if (args->flags & ~DXG_CREATEDEVICE_DISABLE_GPU_TIMEOUT)
		return STATUS_INVALID_PARAMETER;
	keep = dxg_handle_get(call->process, args->adapter, DXG_TYPE_ADAPTER);
	if (!keep)
		return STATUS_INVALID_PARAMETER;
	pa = container_of(keep, struct dxg_adapter_handle, obj)->pa;
	if (dxg_quota_hung_too_often(call->process)) {
		status = STATUS_DEVICE_REMOVED;
		goto out_put;
	}
	if (!dxg_process_adapter_use(pa)) {
		status = STATUS_INVALID_PARAMETER;
		goto out_put;
	}

	status = STATUS_NO_MEMORY;
	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device)
		goto err_unuse;
	dxg_object_init(&device->obj, DXG_TYPE_DEVICE, call->process, dxg_device_release);
	kref_get(&pa->kref);
	device->pa = pa;
	device->state = DXG_EXECUTION_ACTIVE;
	INIT_LIST_HEAD(&device->node);
	INIT_LIST_HEAD(&device->contexts);
	INIT_LIST_HEAD(&device->paging_queues);
	INIT_LIST_HEAD(&device->allocations);

	status = dxg_handle_reserve(call->process, &handle);
	if (!NT_SUCCESS(status))
		goto err_free;
	mutex_lock(&pa->lock);
	status = dxg_device_kmd_create(device, args->flags);
	if (NT_SUCCESS(status)) {
		args->device = handle;
		call->created = handle;
		dxg_handle_publish(&device->obj, handle);
	}
	mutex_unlock(&pa->lock);
	if (NT_SUCCESS(status))
		goto out_put;

err_free:
	dxg_handle_unreserve(call->process, handle);
	dxg_object_put(&device->obj);
err_unuse:
	dxg_process_adapter_unuse(pa);
out_put:
	dxg_object_put(keep);
	return status;
}

/**
 * dxg_get_device_state() - D3DKMTGetDeviceState
 * @call: struct dxg_getdevicestate
 *
 * Works on a device in error too. Knows the execution state and, of the fault that
 * ended it, the page-fault record (zero if there was none).
 *
 * Return: INVALID_PARAMETER for a bad handle or state type.
 */
NTSTATUS dxg_get_device_state(struct dxg_call *call)
{
	struct dxg_getdevicestate *args = call->args;
	enum dxg_execution_state state;
	struct dxg_device *device;
	struct dxg_object *obj;

	if (args->state_type != DXG_DEVICESTATE_EXECUTION &&
	    args->state_type != DXG_DEVICESTATE_PAGE_FAULT)
		return STATUS_INVALID_PARAMETER;
	obj = dxg_handle_get(call->process, args->device, DXG_TYPE_DEVICE);
	if (!obj)
		return STATUS_INVALID_PARAMETER;
	device = container_of(obj, struct dxg_device, obj);

	/* Pairs with dxg_device_set_error(): the fault record is complete. */
	state = smp_load_acquire(&device->state);
	memset(args->largest, 0, sizeof(args->largest));
	if (args->state_type == DXG_DEVICESTATE_EXECUTION) {
		args->execution_state = state;
	} else if (state != DXG_EXECUTION_ACTIVE) {
		args->page_fault.primitive_sequence_number = device->fault.sequence;
		args->page_fault.pipeline_stage = device->fault.stage;
		args->page_fault.bind_table_entry = device->fault.bind_entry;
		args->page_fault.flags = device->fault.flags;
		args->page_fault.error_code = device->fault.error;
		args->page_fault.virtual_address = device->fault.address;
	}
	dxg_object_put(obj);
	return STATUS_SUCCESS;
}
