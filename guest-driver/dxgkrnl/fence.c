// SPDX-License-Identifier: GPL-2.0
/*
 * Fences: 64-bit values that grow.
 *
 * The two kinds here belong to a queue each, live as long as it does and have no
 * destroy call of their own: the progress fence of a hardware queue, which the
 * device writes (PF-1), and the fence of a paging queue, which this driver
 * writes. The value is a cell, read-only for the process (PF-8).
 *
 * A waiter keeps the fence and by it the page that the value lies in, so a value
 * can be read at any time without a lock.
 */
#include <linux/slab.h>

#include "dxgkrnl.h"

static void dxg_fence_release(struct dxg_object *obj)
{
	struct dxg_fence *fence = container_of(obj, struct dxg_fence, obj);
	struct dxg_device *device = fence->device;

	if (fence->page)
		dxg_object_put(&fence->page->obj);
	kfree(fence);
	dxg_object_put(&device->obj);
}

/**
 * dxg_fence_create() - make a fence and publish its handle
 * @device: pa->lock held
 * @initial: value
 * @out: the fence, with a reference for the caller beside the handle's
 *
 * Return: NO_MEMORY, DEVICE_REMOVED, CANCELLED.
 */
NTSTATUS dxg_fence_create(struct dxg_device *device, u64 initial, struct dxg_fence **out)
{
	struct dxg_process *process = device->obj.process;
	struct dxg_fence *fence;
	NTSTATUS status;
	u32 handle;

	status = dxg_handle_reserve(process, &handle);
	if (!NT_SUCCESS(status))
		return status;
	fence = kzalloc(sizeof(*fence), GFP_KERNEL_ACCOUNT);
	if (!fence) {
		status = STATUS_NO_MEMORY;
		goto err_unreserve;
	}
	dxg_object_init(&fence->obj, DXG_TYPE_FENCE, process, dxg_fence_release);
	dxg_object_get(&device->obj);
	fence->device = device;

	status = dxg_cell_alloc(device->pa, DXG_CELL_FENCE, initial, &fence->cell);
	if (!NT_SUCCESS(status))
		goto err_put;
	fence->page = fence->cell.page;
	dxg_object_get(&fence->page->obj);
	fence->value = dxg_cell_kernel_addr(&fence->cell);

	dxg_object_get(&fence->obj);
	dxg_handle_publish(&fence->obj, handle);
	*out = fence;
	return STATUS_SUCCESS;

err_put:
	dxg_object_put(&fence->obj);
err_unreserve:
	dxg_handle_unreserve(process, handle);
	return status;
}

/* pa->lock. The queue is gone: waits on it end, the handle dies. NULL is no fence. */
void dxg_fence_destroy(struct dxg_fence *fence)
{
	if (!fence)
		return;
	WRITE_ONCE(fence->obj.dead, true);
	dxg_cell_free(&fence->cell);
	dxg_wait_notify(dxg_device_adapter(fence->device));
	dxg_handle_withdraw(&fence->obj);
}

u64 dxg_fence_value(const struct dxg_fence *fence)
{
	return READ_ONCE(*fence->value);
}
