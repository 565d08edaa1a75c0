// SPDX-License-Identifier: GPL-2.0
/*
 * Residency and paging queues.
 *
 * The memory of an allocation is pinned for its whole life; resident means that
 * the device can see it, i.e. that page-table entries are written for all its
 * GPU mappings. Residency is counted: n make-resident calls need n evict calls
 * (OBJ-25). A ring or ring control in use stays visible until its doorbell is
 * gone, whatever the count says (OP-3). An access to what is not resident is a
 * fault of the accessing device (OBJ-27).
 *
 * A paging queue orders such operations and has a fence that grows by one with
 * each. All operations here are complete when the call returns, so the fence is
 * written before that and no call answers PENDING.
 */
#include <linux/slab.h>

#include "dxgkrnl.h"

static void dxg_clear_all(struct dxg_allocation *allocation)
{
	struct dxg_process_adapter *pa = allocation->device->pa;
	struct dxg_va *va;

	/* Each waits for the device: a reset must be able to come in between. */
	list_for_each_entry(va, &allocation->mappings, node) {
		if (!dxg_adapter_enter_destroy(pa->adapter))
			break;
		dxg_va_clear_entries(pa, va);
		dxg_adapter_exit(pa->adapter);
	}
	allocation->entries_present = false;
}

/* pa->lock. Hide the allocation from the device if nothing asks for it any more. */
void dxg_allocation_update_entries(struct dxg_allocation *allocation)
{
	if (allocation->entries_present && !allocation->resident && !allocation->doorbells)
		dxg_clear_all(allocation);
}

/* pa->lock. NO_MEMORY, DEVICE_REMOVED and CANCELLED leave the count as it was. */
NTSTATUS dxg_allocation_make_resident(struct dxg_allocation *allocation)
{
	struct dxg_process_adapter *pa = allocation->device->pa;
	NTSTATUS status = STATUS_SUCCESS;
	struct dxg_va *va;

	if (allocation->resident == U32_MAX)
		return STATUS_NO_MEMORY;
	if (!allocation->entries_present) {
		status = dxg_adapter_enter(pa->adapter);
		if (!NT_SUCCESS(status))
			return status;
		list_for_each_entry(va, &allocation->mappings, node) {
			status = dxg_va_write_entries(pa, va,
						      allocation->memory.bus + va->first_page,
						      va->writable);
			if (!NT_SUCCESS(status))
				break;
		}
		dxg_adapter_exit(pa->adapter);
		/* Clearing what was never written is harmless. */
		if (!NT_SUCCESS(status)) {
			dxg_clear_all(allocation);
			return status;
		}
		allocation->entries_present = true;
	}
	allocation->resident++;
	return STATUS_SUCCESS;
}

/* pa->lock; the count is above 0. */
void dxg_allocation_evict(struct dxg_allocation *allocation)
{
	allocation->resident--;
	dxg_allocation_update_entries(allocation);
}

/* pa->lock. An operation on the queue has ended: its fence value. */
u64 dxg_paging_queue_complete(struct dxg_paging_queue *queue)
{
	dxg_cell_write(&queue->fence->cell, ++queue->fence_value);
	dxg_wait_notify(dxg_device_adapter(queue->device));
	return queue->fence_value;
}

/* The allocations of a list of user handles, with references. NULL and *status on failure. */
static struct dxg_object **dxg_residency_lookup(struct dxg_process *process,
						struct dxg_process_adapter *pa, u64 user, u32 count,
						NTSTATUS *status)
{
	struct dxg_object **objects;
	u32 *handles;
	u32 i;

	*status = STATUS_NO_MEMORY;
	handles = kvcalloc(count, sizeof(*handles), GFP_KERNEL_ACCOUNT);
	objects = kvcalloc(count, sizeof(*objects), GFP_KERNEL_ACCOUNT);
	if (!handles || !objects)
		goto err_free;
	*status = dxg_copy_in(handles, user, count * sizeof(*handles));
	if (!NT_SUCCESS(*status))
		goto err_free;

	for (i = 0; i < count; i++) {
		objects[i] = dxg_handle_get(process, handles[i], DXG_TYPE_ALLOCATION);
		if (!objects[i] ||
		    container_of(objects[i], struct dxg_allocation, obj)->device->pa != pa) {
			*status = STATUS_INVALID_PARAMETER;
			goto err_put;
		}
	}
	kvfree(handles);
	return objects;

err_put:
	for (i = 0; i < count; i++)
		dxg_object_put(objects[i]);
err_free:
	kvfree(objects);
	kvfree(handles);
	return NULL;
}

static void dxg_residency_put(struct dxg_object **objects, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		dxg_object_put(objects[i]);
	kvfree(objects);
}

/**
 * dxg_make_resident() - D3DKMTMakeResident
 * @call: struct dxg_makeresident
 *
 * All or none. Complete on return; paging_fence_value has been reached.
 *
 * Return: INVALID_PARAMETER for bad handles, flags or count (1 .. 10240),
 * DEVICE_REMOVED, NO_MEMORY, ACCESS_VIOLATION.
 */
NTSTATUS dxg_make_resident(struct dxg_call *call)
{
	struct dxg_makeresident *args = call->args;
	struct dxg_paging_queue *queue;
	struct dxg_process_adapter *pa;
	struct dxg_object **objects;
	struct dxg_object *keep;
	NTSTATUS status;
	u32 i;

	/* b0 CantTrimFurther and b1 MustSucceed: there is never anything to trim. */
	if (!args->alloc_count || args->alloc_count > DXG_MAKERESIDENT_MAX_COUNT ||
	    (args->flags & ~3u))
		return STATUS_INVALID_PARAMETER;
	keep = dxg_handle_get(call->process, args->paging_queue, DXG_TYPE_PAGING_QUEUE);
	if (!keep)
		return STATUS_INVALID_PARAMETER;
	queue = container_of(keep, struct dxg_paging_queue, obj);
	pa = queue->device->pa;
	objects = dxg_residency_lookup(call->process, pa, args->allocation_list, args->alloc_count,
				       &status);
	if (!objects)
		goto out_put;

	mutex_lock(&pa->lock);
	status = keep->dead ? STATUS_INVALID_PARAMETER : dxg_device_status(queue->device);
	for (i = 0; i < args->alloc_count && NT_SUCCESS(status); i++) {
		if (objects[i]->dead)
			status = STATUS_INVALID_PARAMETER;
		else
			status = dxg_allocation_make_resident(container_of(objects[i],
									   struct dxg_allocation,
									   obj));
		if (!NT_SUCCESS(status)) {
			while (i--)
				dxg_allocation_evict(container_of(objects[i],
								  struct dxg_allocation, obj));
			break;
		}
	}
	if (NT_SUCCESS(status)) {
		args->paging_fence_value = dxg_paging_queue_complete(queue);
		args->num_bytes_to_trim = 0;
	}
	mutex_unlock(&pa->lock);
	dxg_residency_put(objects, args->alloc_count);

out_put:
	dxg_object_put(keep);
	return status;
}

/**
 * dxg_evict() - D3DKMTEvict
 * @call: struct dxg_evict
 *
 * Return: INVALID_PARAMETER for bad handles, flags, count (1 .. 10240) or an
 * allocation whose count is 0 (those before it in the list are evicted),
 * DEVICE_REMOVED, NO_MEMORY, ACCESS_VIOLATION.
 */
NTSTATUS dxg_evict(struct dxg_call *call)
{
	struct dxg_evict *args = call->args;
	struct dxg_allocation *allocation;
	struct dxg_process_adapter *pa;
	struct dxg_object **objects;
	struct dxg_device *device;
	NTSTATUS status;
	u32 i;

	/* b0 EvictOnlyIfNecessary and b1 NotWrittenTo are hints. */
	if (!args->alloc_count || args->alloc_count > DXG_MAKERESIDENT_MAX_COUNT ||
	    (args->flags & ~3u))
		return STATUS_INVALID_PARAMETER;
	device = dxg_device_lookup(call->process, args->device, &status);
	if (!device)
		return status;
	pa = device->pa;
	objects = dxg_residency_lookup(call->process, pa, args->allocations, args->alloc_count,
				       &status);
	if (!objects)
		goto out_put;

	mutex_lock(&pa->lock);
	for (i = 0; i < args->alloc_count; i++) {
		allocation = container_of(objects[i], struct dxg_allocation, obj);
		if (objects[i]->dead || allocation->device != device || !allocation->resident) {
			status = STATUS_INVALID_PARAMETER;
			break;
		}
		dxg_allocation_evict(allocation);
	}
	args->num_bytes_to_trim = 0;
	mutex_unlock(&pa->lock);
	dxg_residency_put(objects, args->alloc_count);

out_put:
	dxg_object_put(&device->obj);
	return status;
}

static void dxg_paging_queue_release(struct dxg_object *obj)
{
	struct dxg_paging_queue *queue = container_of(obj, struct dxg_paging_queue, obj);
	struct dxg_device *device = queue->device;

	if (queue->fence)
		dxg_object_put(&queue->fence->obj);
	kfree(queue);
	dxg_object_put(&device->obj);
}

/* pa->lock and a reference held. false: destroyed before. */
bool dxg_paging_queue_destroy(struct dxg_paging_queue *queue)
{
	struct dxgadapter *adapter = dxg_device_adapter(queue->device);
	bool entered;

	if (queue->obj.dead)
		return false;
	queue->obj.dead = true;
	entered = dxg_adapter_enter_destroy(adapter);
	list_del_init(&queue->node);
	if (entered)
		dxg_adapter_exit(adapter);
	dxg_fence_destroy(queue->fence);
	dxg_handle_withdraw(&queue->obj);
	return true;
}

/**
 * dxg_create_paging_queue() - D3DKMTCreatePagingQueue
 * @call: struct dxg_createpagingqueue
 *
 * Return: INVALID_PARAMETER for a bad handle, priority (-1 .. 1) or adapter index
 * (0), DEVICE_REMOVED, NO_MEMORY.
 */
NTSTATUS dxg_create_paging_queue(struct dxg_call *call)
{
	struct dxg_createpagingqueue *args = call->args;
	struct dxg_paging_queue *queue;
	struct dxg_process_adapter *pa;
	struct dxg_device *device;
	NTSTATUS status;
	u32 handle = 0;

	if (args->physical_adapter_index || args->priority < -1 || args->priority > 1)
		return STATUS_INVALID_PARAMETER;
	device = dxg_device_lookup(call->process, args->device, &status);
	if (!device)
		return status;
	pa = device->pa;

	queue = kzalloc(sizeof(*queue), GFP_KERNEL_ACCOUNT);
	if (!queue) {
		status = STATUS_NO_MEMORY;
		goto out_put;
	}
	dxg_object_init(&queue->obj, DXG_TYPE_PAGING_QUEUE, call->process,
			dxg_paging_queue_release);
	dxg_object_get(&device->obj);
	queue->device = device;

	mutex_lock(&pa->lock);
	status = device->obj.dead ? STATUS_INVALID_PARAMETER : dxg_device_status(device);
	if (NT_SUCCESS(status))
		status = dxg_handle_reserve(call->process, &handle);
	if (NT_SUCCESS(status))
		status = dxg_fence_create(device, 0, &queue->fence);
	if (!NT_SUCCESS(status))
		goto out_unlock;
	status = dxg_adapter_enter(pa->adapter);
	if (!NT_SUCCESS(status)) {
		dxg_fence_destroy(queue->fence);
		goto out_unlock;
	}
	list_add_tail(&queue->node, &device->paging_queues);
	dxg_adapter_exit(pa->adapter);

	args->paging_queue = handle;
	args->sync_object = queue->fence->obj.handle;
	args->fence_cpu_virtual_address = dxg_cell_user_addr(&queue->fence->cell);
	call->created = handle;
	dxg_handle_publish(&queue->obj, handle);

out_unlock:
	mutex_unlock(&pa->lock);
	if (!NT_SUCCESS(status)) {
		dxg_handle_unreserve(call->process, handle);
		dxg_object_put(&queue->obj);
	}
out_put:
	dxg_object_put(&device->obj);
	return status;
}
