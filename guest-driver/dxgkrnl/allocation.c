// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations: memory that the device can see.
 *
 * Two kinds of references. The object count keeps the structure. hw_refs, under
 * pa->lock, keeps the memory where the device finds it: one for the handle, one
 * for each doorbell that uses the allocation as ring or ring control. A user's
 * destroy kills the handle at once, and the memory stays mapped, for the device,
 * until the doorbell drops it too (OBJ-11, SEC-15).
 *
 * When hw_refs reaches zero: page-table entries out and flushed, the miniport
 * told, bus addresses given back, user entries zapped, pages freed (OBJ-24).
 *
 * Lock2 maps the pages write-back into the process; the pages have references of
 * their own there, so ordinary I/O into them works.
 */
#include <linux/slab.h>

#include "dxgkrnl.h"

#define DXG_ALLOCATION_FLAGS \
	(DXG_ALLOCATION_EXISTING_SYSMEM | DXG_ALLOCATION_READ_ONLY | DXG_ALLOCATION_CACHED | \
	 DXG_ALLOCATION_ZEROED | DXG_ALLOCATION_NO_KMD_ACCESS)

static void dxg_allocation_release(struct dxg_object *obj)
{
	struct dxg_allocation *allocation = container_of(obj, struct dxg_allocation, obj);
	struct dxg_device *device = allocation->device;

	kfree(allocation);
	dxg_object_put(&device->obj);
}

static vm_fault_t dxg_allocation_fault(struct dxg_region *region, struct vm_fault *vmf)
{
	struct dxg_allocation *allocation = container_of(region, struct dxg_allocation, region);
	vm_fault_t ret = VM_FAULT_SIGBUS;
	unsigned long index = vmf->pgoff - region->pgoff;

	if (mutex_lock_killable(&allocation->lock))
		return VM_FAULT_NOPAGE;
	if (!allocation->gone && index < allocation->memory.count) {
		vmf->page = allocation->memory.pages[index];
		get_page(vmf->page);
		ret = 0;
	}
	mutex_unlock(&allocation->lock);
	return ret;
}

static void dxg_allocation_teardown(struct dxg_allocation *allocation)
{
	struct dxgadapter *adapter = dxg_device_adapter(allocation->device);

	dxg_va_remove_mappings(allocation);

	if (dxg_adapter_enter_destroy(adapter)) {
		if (allocation->kmd)
			adapter->ddi->DxgkDdiDestroyAllocation(adapter->context, allocation->kmd);
		allocation->kmd = NULL;
		dxg_memory_dma_unmap(&allocation->memory, adapter->dev);
		list_del_init(&allocation->node);
		dxg_adapter_exit(adapter);
	} else {
		list_del_init(&allocation->node);
	}

	mutex_lock(&allocation->lock);
	allocation->gone = true;
	dxg_region_zap(&allocation->region);
	mutex_unlock(&allocation->lock);
	dxg_memory_destroy(&allocation->memory);
}

/* pa->lock */
void dxg_allocation_hw_get(struct dxg_allocation *allocation)
{
	allocation->hw_refs++;
}

void dxg_allocation_hw_put(struct dxg_allocation *allocation)
{
	lockdep_assert_held(&allocation->device->pa->lock);
	if (!--allocation->hw_refs)
		dxg_allocation_teardown(allocation);
	else
		dxg_allocation_update_entries(allocation);
}

/**
 * dxg_allocation_destroy() - the handle's end of an allocation
 * @allocation: pa->lock held, and a reference
 *
 * Return: false if it was destroyed before.
 */
bool dxg_allocation_destroy(struct dxg_allocation *allocation)
{
	if (allocation->obj.dead)
		return false;
	allocation->obj.dead = true;
	dxg_region_unmap(&allocation->region, allocation->user_addr);
	allocation->user_addr = 0;
	dxg_allocation_hw_put(allocation);
	dxg_handle_withdraw(&allocation->obj);
	return true;
}

/* The miniport's part. Links the allocation, so that from here on removal finds it. */
static NTSTATUS dxg_allocation_kmd_create(struct dxg_allocation *allocation, void *private,
					  u32 private_size, u64 *bytes)
{
	struct dxg_device *device = allocation->device;
	struct dxgadapter *adapter = dxg_device_adapter(device);
	DXGK_ALLOCATIONINFO info = {
		.pPrivateDriverData = private,
		.PrivateDriverDataSize = private_size,
		.hAllocation = allocation,
	};
	DXGKARG_CREATEALLOCATION args = {
		.NumAllocations = 1,
		.pAllocationInfo = &info,
	};
	NTSTATUS status;

	mutex_lock(&device->pa->lock);
	status = device->obj.dead ? STATUS_INVALID_PARAMETER : dxg_device_status(device);
	if (!NT_SUCCESS(status))
		goto out_unlock;
	status = dxg_adapter_enter(adapter);
	if (!NT_SUCCESS(status))
		goto out_unlock;
	status = adapter->ddi->DxgkDdiCreateAllocation(adapter->context, &args);
	if (NT_SUCCESS(status)) {
		allocation->kmd = info.hAllocation;
		list_add_tail(&allocation->node, &device->allocations);
		*bytes = info.Size;
	}
	dxg_adapter_exit(adapter);
	if (!NT_SUCCESS(status))
		goto out_unlock;
	if (allocation->kmd == (HANDLE)allocation)
		allocation->kmd = NULL;
	if (!allocation->kmd || *bytes > U64_MAX - PAGE_SIZE)
		status = STATUS_UNSUCCESSFUL;
	*bytes = PAGE_ALIGN(*bytes);

out_unlock:
	mutex_unlock(&device->pa->lock);
	return status;
}

/* Pages, bus addresses, handle. */
static NTSTATUS dxg_allocation_populate(struct dxg_allocation *allocation, u64 sysmem, u64 bytes,
					u32 handle)
{
	struct dxg_device *device = allocation->device;
	struct dxgadapter *adapter = dxg_device_adapter(device);
	struct dxg_memory memory;
	NTSTATUS status;

	if (allocation->flags & DXG_ALLOCATION_EXISTING_SYSMEM)
		status = dxg_memory_pin(allocation->obj.process, sysmem, bytes,
					!(allocation->flags & DXG_ALLOCATION_READ_ONLY), &memory);
	else
		status = dxg_memory_create(allocation->obj.process, bytes, &memory);
	if (!NT_SUCCESS(status))
		return status;

	mutex_lock(&device->pa->lock);
	status = allocation->obj.dead ? STATUS_DEVICE_REMOVED : dxg_adapter_enter(adapter);
	if (NT_SUCCESS(status)) {
		status = dxg_memory_dma_map(&memory, adapter->dev);
		if (NT_SUCCESS(status)) {
			allocation->memory = memory;
			dxg_region_init(&allocation->region, &allocation->obj, memory.count, true);
			dxg_handle_publish(&allocation->obj, handle);
		}
		dxg_adapter_exit(adapter);
	}
	mutex_unlock(&device->pa->lock);

	if (!NT_SUCCESS(status))
		dxg_memory_destroy(&memory);
	return status;
}

static NTSTATUS dxg_allocation_create(struct dxg_device *device, struct dxg_allocationinfo2 *info,
				      u32 flags)
{
	struct dxg_process_adapter *pa = device->pa;
	struct dxg_allocation *allocation;
	void *private = NULL;
	u64 bytes = 0;
	NTSTATUS status;
	u32 handle;

	if (info->flags || memchr_inv(info->reserved, 0, sizeof(info->reserved)) ||
	    !!info->sysmem != !!(flags & DXG_ALLOCATION_EXISTING_SYSMEM))
		return STATUS_INVALID_PARAMETER;

	status = dxg_copy_private(info->priv_drv_data, info->priv_drv_data_size,
				  DXG_PRIVATE_MAX_BYTES, &private);
	if (!NT_SUCCESS(status))
		return status;
	status = dxg_handle_reserve(pa->process, &handle);
	if (!NT_SUCCESS(status))
		goto out_free;

	allocation = kzalloc(sizeof(*allocation), GFP_KERNEL_ACCOUNT);
	if (!allocation) {
		dxg_handle_unreserve(pa->process, handle);
		status = STATUS_NO_MEMORY;
		goto out_free;
	}
	dxg_object_init(&allocation->obj, DXG_TYPE_ALLOCATION, pa->process, dxg_allocation_release);
	dxg_object_get(&device->obj);
	allocation->device = device;
	allocation->flags = flags;
	allocation->hw_refs = 1;
	mutex_init(&allocation->lock);
	INIT_LIST_HEAD(&allocation->node);
	INIT_LIST_HEAD(&allocation->mappings);
	dxg_region_init(&allocation->region, &allocation->obj, 0, true);
	allocation->region.fault = dxg_allocation_fault;

	/* A concurrent end of the device may drop the first reference before we are done. */
	dxg_object_get(&allocation->obj);
	status = dxg_allocation_kmd_create(allocation, private, info->priv_drv_data_size, &bytes);
	if (NT_SUCCESS(status) && info->priv_drv_data_size)
		status = dxg_copy_out(info->priv_drv_data, private, info->priv_drv_data_size);
	if (NT_SUCCESS(status))
		status = dxg_allocation_populate(allocation, info->sysmem, bytes, handle);
	if (NT_SUCCESS(status)) {
		info->allocation = handle;
		info->gpu_virtual_address = 0;
	} else {
		mutex_lock(&pa->lock);
		dxg_allocation_destroy(allocation);
		mutex_unlock(&pa->lock);
		dxg_handle_unreserve(pa->process, handle);
	}
	dxg_object_put(&allocation->obj);

out_free:
	kfree(private);
	return status;
}

/**
 * dxg_create_allocation() - D3DKMTCreateAllocation2
 * @call: struct dxg_createallocation
 *
 * All or none of the allocations are made. Sizes come from the private data by
 * way of the miniport, rounded up to pages.
 *
 * Return: INVALID_PARAMETER for bad handle, flag, reserved field, count (1 ..
 * 1024) or private data; DEVICE_REMOVED; NO_MEMORY beyond memory, quota
 * (max_pinned_mb) or RLIMIT_MEMLOCK; ACCESS_VIOLATION for bad pointers.
 */
NTSTATUS dxg_create_allocation(struct dxg_call *call)
{
	struct dxg_createallocation *args = call->args;
	struct dxg_allocationinfo2 *infos;
	struct dxg_device *device;
	NTSTATUS status;
	size_t size;
	u32 i;

	if (!args->alloc_count || args->alloc_count > DXG_ALLOCATION_MAX_COUNT || args->resource ||
	    args->priv_drv_data_size || args->private_runtime_data_size ||
	    (args->flags & ~DXG_ALLOCATION_FLAGS))
		return STATUS_INVALID_PARAMETER;

	device = dxg_device_lookup(call->process, args->device, &status);
	if (!device)
		return status;

	size = array_size(args->alloc_count, sizeof(*infos));
	infos = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	call->created_list = kvcalloc(args->alloc_count, sizeof(u32), GFP_KERNEL_ACCOUNT);
	status = STATUS_NO_MEMORY;
	if (!infos || !call->created_list)
		goto out;
	status = dxg_copy_in(infos, args->allocation_info, size);

	for (i = 0; i < args->alloc_count && NT_SUCCESS(status); i++) {
		status = dxg_allocation_create(device, &infos[i], args->flags);
		if (NT_SUCCESS(status))
			call->created_list[call->created_count++] = infos[i].allocation;
	}
	if (NT_SUCCESS(status))
		status = dxg_copy_out(args->allocation_info, infos, size);
	args->global_share = 0;

out:
	kvfree(infos);
	dxg_object_put(&device->obj);
	return status;
}

/**
 * dxg_destroy_allocation2() - D3DKMTDestroyAllocation2
 * @call: struct dxg_destroyallocation2
 *
 * Checks all handles first: on failure none is destroyed.
 *
 * Return: INVALID_PARAMETER for a bad handle, a handle of another device, a
 * repeated one, count (1 .. 1024) or flag; ACCESS_VIOLATION; NO_MEMORY.
 */
NTSTATUS dxg_destroy_allocation2(struct dxg_call *call)
{
	struct dxg_destroyallocation2 *args = call->args;
	struct dxg_object **objects = NULL;
	struct dxg_device *device;
	struct dxg_object *keep;
	u32 *handles = NULL;
	NTSTATUS status;
	u32 i, j;

	/* b0 AssumeNotInUse and b1 SynchronousDestroy change nothing here. */
	if (!args->alloc_count || args->alloc_count > DXG_ALLOCATION_MAX_COUNT || args->resource ||
	    (args->flags & ~3u))
		return STATUS_INVALID_PARAMETER;
	keep = dxg_handle_get(call->process, args->device, DXG_TYPE_DEVICE);
	if (!keep)
		return STATUS_INVALID_PARAMETER;
	device = container_of(keep, struct dxg_device, obj);

	status = STATUS_NO_MEMORY;
	handles = kvcalloc(args->alloc_count, sizeof(*handles), GFP_KERNEL_ACCOUNT);
	objects = kvcalloc(args->alloc_count, sizeof(*objects), GFP_KERNEL_ACCOUNT);
	if (!handles || !objects)
		goto out;
	status = dxg_copy_in(handles, args->allocations, args->alloc_count * sizeof(*handles));
	if (!NT_SUCCESS(status))
		goto out;

	mutex_lock(&device->pa->lock);
	for (i = 0; i < args->alloc_count && NT_SUCCESS(status); i++) {
		objects[i] = dxg_handle_get(call->process, handles[i], DXG_TYPE_ALLOCATION);
		if (!objects[i] || objects[i]->dead ||
		    container_of(objects[i], struct dxg_allocation, obj)->device != device)
			status = STATUS_INVALID_PARAMETER;
		for (j = 0; j < i; j++) {
			if (objects[j] == objects[i])
				status = STATUS_INVALID_PARAMETER;
		}
	}
	for (i = 0; i < args->alloc_count && NT_SUCCESS(status); i++)
		dxg_allocation_destroy(container_of(objects[i], struct dxg_allocation, obj));
	mutex_unlock(&device->pa->lock);

	for (i = 0; i < args->alloc_count; i++)
		dxg_object_put(objects[i]);
out:
	kvfree(objects);
	kvfree(handles);
	dxg_object_put(keep);
	return status;
}

/* The allocation of a Lock2 or Unlock2 call; its device, in *keep, gets a reference as well. */
static struct dxg_allocation *dxg_lock_lookup(struct dxg_process *process, u32 device, u32 handle,
					      struct dxg_object **keep)
{
	struct dxg_object *obj;

	*keep = dxg_handle_get(process, device, DXG_TYPE_DEVICE);
	obj = dxg_handle_get(process, handle, DXG_TYPE_ALLOCATION);
	if (*keep && obj && &container_of(obj, struct dxg_allocation, obj)->device->obj == *keep)
		return container_of(obj, struct dxg_allocation, obj);
	dxg_object_put(obj);
	dxg_object_put(*keep);
	return NULL;
}

/**
 * dxg_lock2() - D3DKMTLock2: a CPU address of an allocation
 * @call: struct dxg_lock2
 *
 * The address is the same for all locks that are held at the same time, and valid
 * until the last one is given back.
 *
 * Return: INVALID_PARAMETER for bad handles or flags, DEVICE_REMOVED, NO_MEMORY.
 */
NTSTATUS dxg_lock2(struct dxg_call *call)
{
	struct dxg_lock2 *args = call->args;
	struct dxg_allocation *allocation;
	struct dxg_process_adapter *pa;
	struct dxg_object *keep;
	NTSTATUS status;

	if (args->flags)
		return STATUS_INVALID_PARAMETER;
	allocation = dxg_lock_lookup(call->process, args->device, args->allocation, &keep);
	if (!allocation)
		return STATUS_INVALID_PARAMETER;
	pa = allocation->device->pa;

	mutex_lock(&pa->lock);
	status = allocation->obj.dead ? STATUS_INVALID_PARAMETER :
					dxg_device_status(allocation->device);
	if (NT_SUCCESS(status) && allocation->locks == U32_MAX)
		status = STATUS_NO_MEMORY;
	if (NT_SUCCESS(status) && !allocation->memory.user_addr && !allocation->locks)
		status = dxg_region_map(&allocation->region, &allocation->user_addr);
	if (NT_SUCCESS(status)) {
		allocation->locks++;
		args->data = allocation->memory.user_addr ?: allocation->user_addr;
	}
	mutex_unlock(&pa->lock);
	dxg_object_put(&allocation->obj);
	dxg_object_put(keep);
	return status;
}

/**
 * dxg_unlock2() - D3DKMTUnlock2
 * @call: struct dxg_unlock2
 *
 * Return: INVALID_PARAMETER for bad handles or an allocation that is not locked;
 * DEVICE_REMOVED (KMT-0.9): a lock on a device in error goes with its allocation.
 */
NTSTATUS dxg_unlock2(struct dxg_call *call)
{
	struct dxg_unlock2 *args = call->args;
	struct dxg_allocation *allocation;
	struct dxg_process_adapter *pa;
	struct dxg_object *keep;
	NTSTATUS status;

	allocation = dxg_lock_lookup(call->process, args->device, args->allocation, &keep);
	if (!allocation)
		return STATUS_INVALID_PARAMETER;
	pa = allocation->device->pa;

	mutex_lock(&pa->lock);
	status = allocation->obj.dead ? STATUS_INVALID_PARAMETER :
					dxg_device_status(allocation->device);
	if (NT_SUCCESS(status) && !allocation->locks)
		status = STATUS_INVALID_PARAMETER;
	if (NT_SUCCESS(status) && !--allocation->locks) {
		dxg_region_unmap(&allocation->region, allocation->user_addr);
		allocation->user_addr = 0;
	}
	mutex_unlock(&pa->lock);
	dxg_object_put(&allocation->obj);
	dxg_object_put(keep);
	return status;
}
