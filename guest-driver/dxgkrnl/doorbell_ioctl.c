// SPDX-License-Identifier: GPL-2.0
/*
 * The doorbell calls: create, connect, notify, and the destroy that all ends of a
 * doorbell share.
 *
 * Everything that a create call hands out is made before the miniport is asked
 * (KMT-CD-7, MAP-10) and taken back in reverse if anything fails (KMT-CD-4).
 */
#include <linux/slab.h>

#include "dxgkrnl.h"
#include "trace.h"

static void dxg_doorbell_release(struct dxg_object *obj)
{
	struct dxg_doorbell *doorbell = container_of(obj, struct dxg_doorbell, obj);
	struct dxg_hwqueue *queue = doorbell->queue;

	dxg_object_put(&doorbell->ring->obj);
	dxg_object_put(&doorbell->control->obj);
	kfree(doorbell);
	dxg_object_put(&queue->obj);
}

static void dxg_doorbell_ring_get(struct dxg_allocation *allocation)
{
	dxg_allocation_hw_get(allocation);
	allocation->doorbells++;
}

static void dxg_doorbell_ring_put(struct dxg_allocation *allocation)
{
	allocation->doorbells--;
	dxg_allocation_hw_put(allocation);
}

/* What can be undone without the miniport: pa->lock, state DESTROYED. */
static void dxg_doorbell_free_parts(struct dxg_doorbell *doorbell)
{
	dxg_region_unmap(&doorbell->region, doorbell->user_addr);
	dxg_cell_free(&doorbell->last_queued);
	dxg_cell_free(&doorbell->stat);
	dxg_doorbell_ring_put(doorbell->ring);
	dxg_doorbell_ring_put(doorbell->control);
}

/**
 * dxg_doorbell_destroy() - end a doorbell in any state (KMT-DD-1..6)
 * @doorbell: pa->lock held, and a reference
 *
 * The order is revoke, miniport, mappings, ring references (OP-14).
 *
 * Return: false if it was destroyed before.
 */
bool dxg_doorbell_destroy(struct dxg_doorbell *doorbell)
{
	struct dxg_hwqueue *queue = doorbell->queue;
	struct dxgadapter *adapter = dxg_device_adapter(queue->context->device);
	bool entered;

	if (doorbell->obj.dead)
		return false;
	doorbell->obj.dead = true;

	entered = dxg_adapter_enter_destroy(adapter);
	dxg_doorbell_end(doorbell, entered);
	dxg_id_free(doorbell->id);
	spin_lock(&queue->lock);
	queue->doorbell = NULL;
	spin_unlock(&queue->lock);
	if (entered)
		dxg_adapter_exit(adapter);

	dxg_doorbell_free_parts(doorbell);
	dxg_handle_withdraw(&doorbell->obj);
	return true;
}

/*
 * A miniport that gives a physical doorbell in create would run out of them (DDI-CD-5), and
 * one that nobody has asked for is no object of ours. The guard is held.
 */
static bool dxg_doorbell_kmd_idle(struct dxg_doorbell *doorbell, HANDLE kmd)
{
	struct dxg_hwqueue *queue = doorbell->queue;
	struct dxgadapter *adapter = dxg_device_adapter(queue->context->device);
	DXGKARG_QUERYHWQUEUESTATUS status = { .hHwQueue = queue->kmd, .Slot = -1 };
	DXGKARG_DESTROYDOORBELL destroy = { .hDoorbell = kmd };

	adapter->ddi->DxgkDdiQueryHwQueueStatus(adapter->context, &status);
	if (status.Slot < 0)
		return true;
	dev_warn_once(adapter->dev, "miniport bound doorbell %d when one was created\n",
		      status.Slot);
	adapter->ddi->DxgkDdiDestroyDoorbell(&destroy);
	return false;
}

static NTSTATUS dxg_doorbell_kmd_create(struct dxg_doorbell *doorbell, u32 flags, void *private,
					u32 private_size)
{
	struct dxg_hwqueue *queue = doorbell->queue;
	struct dxgadapter *adapter = dxg_device_adapter(queue->context->device);
	HANDLE id = dxg_id_to_handle(doorbell->id);
	DXGKARG_CREATEDOORBELL args = {
		.hHwQueue = queue->kmd,
		.hDoorbell = id,
		.PrivateDriverDataSize = private_size,
		.PrivateDriverData = private,
		.hRingBuffer = doorbell->ring->kmd,
		.hRingBufferControl = doorbell->control->kmd,
		.Flags = flags & DXG_DOORBELL_RESIZE ? DXGK_CREATEDOORBELL_RESIZE : 0,
		.RingBufferGpuVirtualAddress = dxg_va_start(dxg_va_whole_mapping(doorbell->ring)),
		.RingBufferSize = (u64)doorbell->ring->memory.count << PAGE_SHIFT,
		.RingBufferControlGpuVirtualAddress =
			dxg_va_start(dxg_va_whole_mapping(doorbell->control)),
		.RingBufferControlSize = (u64)doorbell->control->memory.count << PAGE_SHIFT,
	};
	NTSTATUS status;

	status = dxg_adapter_enter(adapter);
	if (!NT_SUCCESS(status))
		return status;
	status = adapter->ddi->DxgkDdiCreateDoorbell(&args);
	if (NT_SUCCESS(status) && (!args.hDoorbell || args.hDoorbell == id))
		status = STATUS_UNSUCCESSFUL;
	else if (NT_SUCCESS(status) && !dxg_doorbell_kmd_idle(doorbell, args.hDoorbell))
		status = STATUS_UNSUCCESSFUL;
	if (NT_SUCCESS(status)) {
		doorbell->kmd = args.hDoorbell;
		if (!dxg_doorbell_set_offset(doorbell, args.DoorbellOffset)) {
			dxg_doorbell_kmd_destroy(doorbell);
			status = STATUS_UNSUCCESSFUL;
		}
	}
	if (NT_SUCCESS(status)) {
		spin_lock(&queue->lock);
		queue->doorbell = doorbell;
		spin_unlock(&queue->lock);
	}
	dxg_adapter_exit(adapter);
	return status;
}

/* pa->lock. A ring or ring control is resident, wholly mapped and not in use as either. */
static bool dxg_doorbell_ring_ok(const struct dxg_hwqueue *queue, struct dxg_allocation *allocation)
{
	return !allocation->obj.dead && allocation->device == queue->context->device &&
	       allocation->resident && !allocation->doorbells && dxg_va_whole_mapping(allocation);
}

/* pa->lock. Takes the ring references and all parts; on failure has taken none. */
static NTSTATUS dxg_doorbell_build(struct dxg_doorbell *doorbell, u32 flags, void *private,
				   u32 private_size)
{
	struct dxg_hwqueue *queue = doorbell->queue;
	struct dxg_process_adapter *pa = queue->context->device->pa;
	NTSTATUS status;

	status = dxg_device_status(queue->context->device);
	if (!NT_SUCCESS(status))
		return status;
	if (queue->obj.dead || queue->doorbell || doorbell->ring == doorbell->control ||
	    !dxg_doorbell_ring_ok(queue, doorbell->ring) ||
	    !dxg_doorbell_ring_ok(queue, doorbell->control))
		return STATUS_INVALID_PARAMETER;

	dxg_doorbell_ring_get(doorbell->ring);
	dxg_doorbell_ring_get(doorbell->control);
	status = dxg_cell_alloc(pa, DXG_CELL_STAT, D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
				&doorbell->stat);
	if (NT_SUCCESS(status))
		status = dxg_cell_alloc(pa, DXG_CELL_LAST_QUEUED, dxg_fence_value(queue->fence),
					&doorbell->last_queued);
	if (NT_SUCCESS(status))
		status = dxg_region_map(&doorbell->region, &doorbell->user_addr);
	if (NT_SUCCESS(status))
		status = dxg_id_alloc(&doorbell->obj, &doorbell->id);
	if (NT_SUCCESS(status))
		status = dxg_doorbell_kmd_create(doorbell, flags, private, private_size);
	if (!NT_SUCCESS(status)) {
		dxg_id_free(doorbell->id);
		if (doorbell->stat.page)
			dxg_doorbell_end(doorbell, false);
		dxg_doorbell_free_parts(doorbell);
	}
	return status;
}

/**
 * dxg_create_doorbell() - D3DKMTCreateDoorbell
 * @call: struct dxg_createdoorbell
 *
 * Return: INVALID_PARAMETER for bad, foreign or missing handles, flags, private
 * data size (0 .. 16), a queue without user-mode submission or with a living
 * doorbell, a ring or ring control that is of another device, not resident, not
 * mapped as a whole, in use already, or of a size that the miniport refuses;
 * NOT_SUPPORTED for a secondary doorbell on an adapter without them (KMT-CD-15);
 * NO_MEMORY; DEVICE_REMOVED; ACCESS_VIOLATION.
 */
NTSTATUS dxg_create_doorbell(struct dxg_call *call)
{
	struct dxg_createdoorbell *args = call->args;
	struct dxg_process *process = call->process;
	struct dxg_object *queue_obj, *ring, *control;
	struct dxg_doorbell *doorbell;
	struct dxg_process_adapter *pa;
	struct dxg_hwqueue *queue;
	bool secondary = args->flags & DXG_DOORBELL_REQUIRE_SECONDARY;
	void *private = NULL;
	NTSTATUS status;
	u32 handle = 0;

	if (args->flags & ~(DXG_DOORBELL_REQUIRE_SECONDARY | DXG_DOORBELL_RESIZE))
		return STATUS_INVALID_PARAMETER;

	queue_obj = dxg_handle_get(process, args->queue, DXG_TYPE_HWQUEUE);
	ring = dxg_handle_get(process, args->ring_buffer, DXG_TYPE_ALLOCATION);
	control = dxg_handle_get(process, args->ring_buffer_control, DXG_TYPE_ALLOCATION);
	status = STATUS_INVALID_PARAMETER;
	if (!queue_obj || !ring || !control)
		goto out_put;
	queue = container_of(queue_obj, struct dxg_hwqueue, obj);
	pa = queue->context->device->pa;
	if (!(queue->flags & DXG_HWQUEUE_USER_MODE_SUBMISSION))
		goto out_put;
	status = STATUS_NOT_SUPPORTED;
	if (secondary &&
	    !(pa->adapter->ums_caps.Flags & DXGK_USERMODESUBMISSION_SECONDARY))
		goto out_put;
	status = dxg_copy_private(args->priv_drv_data, args->priv_drv_data_size,
				  DXG_DOORBELL_PRIVATE_MAX_BYTES, &private);
	if (!NT_SUCCESS(status))
		goto out_put;

	status = STATUS_NO_MEMORY;
	doorbell = kzalloc(sizeof(*doorbell), GFP_KERNEL_ACCOUNT);
	if (!doorbell)
		goto out_put;
	dxg_object_init(&doorbell->obj, DXG_TYPE_DOORBELL, process, dxg_doorbell_release);
	dxg_object_get(queue_obj);
	dxg_object_get(ring);
	dxg_object_get(control);
	doorbell->queue = queue;
	doorbell->ring = container_of(ring, struct dxg_allocation, obj);
	doorbell->control = container_of(control, struct dxg_allocation, obj);
	dxg_doorbell_init(doorbell, secondary);

	mutex_lock(&pa->lock);
	status = dxg_handle_reserve(process, &handle);
	if (NT_SUCCESS(status))
		status = dxg_doorbell_build(doorbell, args->flags, private,
					    args->priv_drv_data_size);
	if (NT_SUCCESS(status)) {
		args->doorbell_cpu_va = doorbell->user_addr + doorbell->offset;
		args->doorbell_secondary_cpu_va =
			secondary ? args->doorbell_cpu_va + PAGE_SIZE : 0;
		args->doorbell_status_cpu_va = dxg_cell_user_addr(&doorbell->stat);
		args->last_queued_value_cpu_va = dxg_cell_user_addr(&doorbell->last_queued);
		args->doorbell = handle;
		call->created = handle;
		dxg_handle_publish(&doorbell->obj, handle);
		trace_dxg_doorbell_create(process->pid, handle);
	} else {
		dxg_handle_unreserve(process, handle);
		dxg_object_put(&doorbell->obj);
	}
	mutex_unlock(&pa->lock);

	if (NT_SUCCESS(status) && args->priv_drv_data_size)
		status = dxg_copy_out(args->priv_drv_data, private, args->priv_drv_data_size);
out_put:
	kfree(private);
	dxg_object_put(control);
	dxg_object_put(ring);
	dxg_object_put(queue_obj);
	return status;
}

/**
 * dxg_connect_doorbell() - D3DKMTConnectDoorbell
 * @call: struct dxg_doorbell_flags
 *
 * Return: see dxg_doorbell_connect(); INVALID_PARAMETER for a bad handle or any
 * flag; DEVICE_REMOVED if the device is in error.
 */
NTSTATUS dxg_connect_doorbell(struct dxg_call *call)
{
	struct dxg_doorbell_flags *args = call->args;
	struct dxg_doorbell *doorbell;
	struct dxg_object *obj;
	NTSTATUS status;

	if (args->flags)
		return STATUS_INVALID_PARAMETER;
	obj = dxg_handle_get(call->process, args->doorbell, DXG_TYPE_DOORBELL);
	if (!obj)
		return STATUS_INVALID_PARAMETER;
	doorbell = container_of(obj, struct dxg_doorbell, obj);
	status = dxg_device_status(doorbell->queue->context->device);
	if (NT_SUCCESS(status))
		status = dxg_doorbell_connect(doorbell);
	dxg_object_put(obj);
	return status;
}

/**
 * dxg_destroy_doorbell() - D3DKMTDestroyDoorbell
 * @call: struct dxg_destroydoorbell
 *
 * Return: INVALID_PARAMETER for a bad handle; else always SUCCESS (KMT-DD-1, -2).
 */
NTSTATUS dxg_destroy_doorbell(struct dxg_call *call)
{
	struct dxg_destroydoorbell *args = call->args;
	struct dxg_object *obj;
	NTSTATUS status;

	if (args->reserved)
		return STATUS_INVALID_PARAMETER;
	obj = dxg_handle_get(call->process, args->doorbell, DXG_TYPE_DOORBELL);
	if (!obj)
		return STATUS_INVALID_PARAMETER;
	status = dxg_destroy_object(obj);
	dxg_object_put(obj);
	return status;
}

/**
 * dxg_notify_work_submission() - D3DKMTNotifyWorkSubmission
 * @call: struct dxg_doorbell_flags
 *
 * Forwarded once per call, whatever the doorbell's status but ABORT (KMT-NW-2, -4).
 *
 * Return: INVALID_PARAMETER for a bad handle or any flag; DEVICE_REMOVED; CANCELLED.
 */
NTSTATUS dxg_notify_work_submission(struct dxg_call *call)
{
	struct dxg_doorbell_flags *args = call->args;
	DXGKARG_NOTIFYWORKSUBMISSION notify = { };
	struct dxg_doorbell *doorbell;
	struct dxgadapter *adapter;
	struct dxg_object *obj;
	NTSTATUS status;

	if (args->flags)
		return STATUS_INVALID_PARAMETER;
	obj = dxg_handle_get(call->process, args->doorbell, DXG_TYPE_DOORBELL);
	if (!obj)
		return STATUS_INVALID_PARAMETER;
	doorbell = container_of(obj, struct dxg_doorbell, obj);
	adapter = dxg_device_adapter(doorbell->queue->context->device);
	status = dxg_device_status(doorbell->queue->context->device);
	if (!NT_SUCCESS(status))
		goto out_put;

	status = dxg_adapter_enter(adapter);
	if (!NT_SUCCESS(status))
		goto out_put;
	if (mutex_lock_killable(&doorbell->ops)) {
		status = STATUS_CANCELLED;
		goto out_exit;
	}
	/* A doorbell with a KMD object keeps its queue's KMD object. */
	status = STATUS_DEVICE_REMOVED;
	if (!doorbell->kmd) {
		status = STATUS_INVALID_PARAMETER;
	} else if (READ_ONCE(doorbell->state) != DXG_DOORBELL_DISCONNECTED_ABORT) {
		notify.hHwQueue = doorbell->queue->kmd;
		trace_dxg_doorbell_notify(obj->process->pid, obj->handle);
		adapter->ddi->DxgkDdiNotifyWorkSubmission(&notify);
		status = STATUS_SUCCESS;
	}
	mutex_unlock(&doorbell->ops);
out_exit:
	dxg_adapter_exit(adapter);
out_put:
	dxg_object_put(obj);
	return status;
}
