// SPDX-License-Identifier: GPL-2.0
/*
 * GPU virtual addresses of one process on one adapter.
 *
 * Users get 64 KiB .. 2^47 (the lower half, if the device has less than 48
 * bits); the part above belongs to the kernel, which maps fence cells there.
 * Two interval trees under pa->lock: reservations, and mappings. A mapping lies
 * wholly inside one reservation or wholly outside all of them, and never over
 * another mapping.
 *
 * A mapping says where an allocation is to be seen. Its page-table entries exist
 * only while the allocation is resident (allocation->entries_present), so the
 * device faults on what is not (OBJ-27).
 *
 * The table update of the miniport is synchronous (BuildPagingBuffer), hence
 * every paging fence value handed out has been reached already.
 *
 * Ranges and mapped pages of a process are counted: both cost kernel memory,
 * page tables included, that no other quota sees (SEC-17).
 */
#include <linux/slab.h>

#include "dxgkrnl.h"

#define DXG_VA_FIRST		SZ_64K
#define DXG_VA_ALIGN		SZ_64K
#define DXG_GPU_PAGE_SHIFT	12

u64 dxg_va_start(const struct dxg_va *va)
{
	return va->range.start;
}

u64 dxg_va_pages(const struct dxg_va *va)
{
	return ((u64)va->range.last - va->range.start + 1) >> DXG_GPU_PAGE_SHIFT;
}

/* First range of either kind that overlaps, by address. */
static struct interval_tree_node *dxg_va_overlap(struct dxg_process_adapter *pa, u64 start,
						 u64 last)
{
	struct interval_tree_node *node;

	node = interval_tree_iter_first(&pa->reservations, start, last);
	return node ? node : interval_tree_iter_first(&pa->mappings, start, last);
}

static bool dxg_va_find_between(struct dxg_process_adapter *pa, u64 low, u64 high, u64 bytes,
				u64 *out)
{
	struct interval_tree_node *node;
	u64 start = ALIGN(low, DXG_VA_ALIGN);

	while (start < high && bytes <= high - start) {
		node = dxg_va_overlap(pa, start, start + bytes - 1);
		if (!node) {
			*out = start;
			return true;
		}
		start = ALIGN((u64)node->last + 1, DXG_VA_ALIGN);
	}
	return false;
}

/* Next fit: from where the last search ended, then from the start. */
static bool dxg_va_find(struct dxg_process_adapter *pa, u64 low, u64 high, u64 bytes, u64 *out)
{
	u64 hint = clamp(pa->va_hint, low, high);

	if (!dxg_va_find_between(pa, hint, high, bytes, out) &&
	    !dxg_va_find_between(pa, low, high, bytes, out))
		return false;
	pa->va_hint = *out + bytes;
	return true;
}

static struct dxg_va *dxg_va_new(u64 start, u64 bytes)
{
	struct dxg_va *va = kzalloc(sizeof(*va), GFP_KERNEL_ACCOUNT);

	if (!va)
		return NULL;
	va->range.start = start;
	va->range.last = start + bytes - 1;
	INIT_LIST_HEAD(&va->node);
	return va;
}

/* pa->lock. A range of the user part, a mapping if @allocation is set. NO_MEMORY beyond a quota. */
static struct dxg_va *dxg_va_user_new(struct dxg_process_adapter *pa, u64 start, u64 bytes,
				      struct dxg_allocation *allocation)
{
	unsigned long pages = allocation ? bytes >> DXG_GPU_PAGE_SHIFT : 0;
	struct dxg_va *va;

	if (!dxg_quota_charge(pa->process, DXG_QUOTA_RANGES, 1))
		return NULL;
	if (!dxg_quota_charge(pa->process, DXG_QUOTA_VIEWS, pages))
		goto err_uncharge_range;
	va = dxg_va_new(start, bytes);
	if (!va)
		goto err_uncharge_views;
	va->allocation = allocation;
	return va;

err_uncharge_views:
	dxg_quota_uncharge(pa->process, DXG_QUOTA_VIEWS, pages);
err_uncharge_range:
	dxg_quota_uncharge(pa->process, DXG_QUOTA_RANGES, 1);
	return NULL;
}

/* pa->lock. In none of the trees any more. */
static void dxg_va_user_free(struct dxg_process_adapter *pa, struct dxg_va *va)
{
	dxg_quota_uncharge(pa->process, DXG_QUOTA_RANGES, 1);
	if (va->allocation)
		dxg_quota_uncharge(pa->process, DXG_QUOTA_VIEWS, dxg_va_pages(va));
	kfree(va);
}

/* pa->lock. A range in the kernel's part, without entries. */
NTSTATUS dxg_va_alloc_kernel(struct dxg_process_adapter *pa, u64 bytes, struct dxg_va **out)
{
	struct dxg_va *va;
	u64 start;

	if (!dxg_va_find_between(pa, pa->user_va_end, pa->kernel_va_end, bytes, &start))
		return STATUS_NO_MEMORY;
	va = dxg_va_new(start, bytes);
	if (!va)
		return STATUS_NO_MEMORY;
	interval_tree_insert(&va->range, &pa->mappings);
	*out = va;
	return STATUS_SUCCESS;
}

void dxg_va_free_kernel(struct dxg_process_adapter *pa, struct dxg_va *va)
{
	interval_tree_remove(&va->range, &pa->mappings);
	kfree(va);
}

/* guard shared, adapter running. @bus: one address per page of the range. */
NTSTATUS dxg_va_write_entries(struct dxg_process_adapter *pa, struct dxg_va *va, const u64 *bus,
			      bool writable)
{
	struct dxgadapter *adapter = pa->adapter;
	DXGKARG_BUILDPAGINGBUFFER args = {
		.Operation = DXGK_OPERATION_UPDATE_PAGE_TABLE,
		.hKmdProcess = pa->kmd,
		.FirstVirtualAddress = dxg_va_start(va),
		.NumPages = dxg_va_pages(va),
		.pBusAddresses = bus,
		.Writable = writable,
	};

	return adapter->ddi->DxgkDdiBuildPagingBuffer(adapter->context, &args);
}

/* guard shared, KMD reachable. On return the device uses none of the addresses. */
void dxg_va_clear_entries(struct dxg_process_adapter *pa, struct dxg_va *va)
{
	struct dxgadapter *adapter = pa->adapter;
	DXGKARG_BUILDPAGINGBUFFER args = {
		.Operation = DXGK_OPERATION_UPDATE_PAGE_TABLE,
		.hKmdProcess = pa->kmd,
		.FirstVirtualAddress = dxg_va_start(va),
		.NumPages = dxg_va_pages(va),
	};

	adapter->ddi->DxgkDdiBuildPagingBuffer(adapter->context, &args);
	args.Operation = DXGK_OPERATION_FLUSH_TLB;
	adapter->ddi->DxgkDdiBuildPagingBuffer(adapter->context, &args);
}

static void dxg_va_remove_mapping(struct dxg_process_adapter *pa, struct dxg_va *va)
{
	if (va->allocation->entries_present && dxg_adapter_enter_destroy(pa->adapter)) {
		if (pa->kmd)
			dxg_va_clear_entries(pa, va);
		dxg_adapter_exit(pa->adapter);
	}
	list_del(&va->node);
	interval_tree_remove(&va->range, &pa->mappings);
	dxg_va_user_free(pa, va);
}

/* pa->lock; the allocation goes. */
void dxg_va_remove_mappings(struct dxg_allocation *allocation)
{
	struct dxg_va *va, *next;

	list_for_each_entry_safe(va, next, &allocation->mappings, node)
		dxg_va_remove_mapping(allocation->device->pa, va);
}

/* pa->lock. The end of the address space: only reservations can be left. */
void dxg_va_destroy_all(struct dxg_process_adapter *pa)
{
	struct interval_tree_node *node;

	WARN_ON_ONCE(!RB_EMPTY_ROOT(&pa->mappings.rb_root));
	while ((node = interval_tree_iter_first(&pa->reservations, 0, ULONG_MAX))) {
		interval_tree_remove(node, &pa->reservations);
		dxg_va_user_free(pa, container_of(node, struct dxg_va, range));
	}
}

/* pa->lock. The first mapping made that shows the whole allocation, or NULL. */
struct dxg_va *dxg_va_whole_mapping(struct dxg_allocation *allocation)
{
	struct dxg_va *va;

	list_for_each_entry(va, &allocation->mappings, node) {
		if (!va->first_page && dxg_va_pages(va) == allocation->memory.count)
			return va;
	}
	return NULL;
}

/* A user's range: non-empty, whole pages, no wrap, inside the user part. */
static bool dxg_va_user_range_ok(struct dxg_process_adapter *pa, u64 start, u64 bytes)
{
	return bytes && !(bytes & (SZ_4K - 1)) && !(start & (SZ_4K - 1)) &&
	       start >= DXG_VA_FIRST && start < pa->user_va_end && bytes <= pa->user_va_end - start;
}

/* Where a new range goes: at @base, or anywhere between the limits if @base is 0. */
static NTSTATUS dxg_va_place(struct dxg_process_adapter *pa, u64 base, u64 low, u64 high, u64 bytes,
			     u64 *start)
{
	u64 end = high ? min(high, pa->user_va_end) : pa->user_va_end;

	low = max_t(u64, low, DXG_VA_FIRST);
	if (base) {
		*start = base;
		return dxg_va_user_range_ok(pa, base, bytes) ? STATUS_SUCCESS :
							       STATUS_INVALID_PARAMETER;
	}
	if (low >= end || bytes > end - low)
		return STATUS_INVALID_PARAMETER;
	return dxg_va_find(pa, low, end, bytes, start) ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}

/* The address space that a paging queue or adapter handle stands for, with a reference on *keep. */
static struct dxg_process_adapter *dxg_va_owner(struct dxg_process *process, u32 handle,
						struct dxg_object **keep,
						struct dxg_paging_queue **queue)
{
	struct dxg_object *obj = dxg_handle_get_any(process, handle);

	*queue = NULL;
	*keep = obj;
	if (obj && obj->type == DXG_TYPE_PAGING_QUEUE) {
		*queue = container_of(obj, struct dxg_paging_queue, obj);
		return (*queue)->device->pa;
	}
	if (obj && obj->type == DXG_TYPE_ADAPTER)
		return container_of(obj, struct dxg_adapter_handle, obj)->pa;
	dxg_object_put(obj);
	*keep = NULL;
	return NULL;
}

/**
 * dxg_reserve_gpu_va() - D3DKMTReserveGpuVirtualAddress
 * @call: struct dxg_reservegpuvirtualaddress
 *
 * Return: INVALID_PARAMETER for a bad handle, size, base (64 KiB aligned), limit,
 * reservation type or an overlap; DEVICE_REMOVED; NO_MEMORY if no range is free or
 * beyond the quota (max_gpu_ranges).
 */
NTSTATUS dxg_reserve_gpu_va(struct dxg_call *call)
{
	struct dxg_reservegpuvirtualaddress *args = call->args;
	struct dxg_process_adapter *pa;
	struct dxg_paging_queue *queue;
	struct dxg_object *keep;
	struct dxg_va *va;
	NTSTATUS status;
	u64 start;

	if (args->driver_protection || (u32)args->reservation_type > 2 ||
	    !args->size || args->size & (SZ_4K - 1) || args->base_address & (DXG_VA_ALIGN - 1))
		return STATUS_INVALID_PARAMETER;

	pa = dxg_va_owner(call->process, args->adapter_or_paging_queue, &keep, &queue);
	if (!pa)
		return STATUS_INVALID_PARAMETER;

	mutex_lock(&pa->lock);
	if (queue) {
		status = keep->dead ? STATUS_INVALID_PARAMETER : dxg_device_status(queue->device);
		if (!NT_SUCCESS(status))
			goto out_unlock;
	} else if (pa->ended) {
		status = STATUS_INVALID_PARAMETER;
		goto out_unlock;
	} else if (!dxg_adapter_running(pa->adapter)) {
		status = STATUS_DEVICE_REMOVED;
		goto out_unlock;
	}

	status = dxg_va_place(pa, args->base_address, args->minimum_address, args->maximum_address,
			      args->size, &start);
	if (!NT_SUCCESS(status))
		goto out_unlock;
	if (dxg_va_overlap(pa, start, start + args->size - 1)) {
		status = STATUS_INVALID_PARAMETER;
		goto out_unlock;
	}
	va = dxg_va_user_new(pa, start, args->size, NULL);
	if (!va) {
		status = STATUS_NO_MEMORY;
		goto out_unlock;
	}
	interval_tree_insert(&va->range, &pa->reservations);
	args->virtual_address = start;
	args->paging_fence_value = queue ? dxg_paging_queue_complete(queue) : 0;

out_unlock:
	mutex_unlock(&pa->lock);
	dxg_object_put(keep);
	return status;
}

/* pa->lock. A mapping may fill a free range or part of one reservation. */
static bool dxg_va_mappable(struct dxg_process_adapter *pa, u64 start, u64 bytes)
{
	struct interval_tree_node *node;
	u64 last = start + bytes - 1;

	if (interval_tree_iter_first(&pa->mappings, start, last))
		return false;
	node = interval_tree_iter_first(&pa->reservations, start, last);
	return !node || (node->start <= start && node->last >= last);
}

static NTSTATUS dxg_va_map_locked(struct dxg_process_adapter *pa, struct dxg_allocation *allocation,
				  struct dxg_mapgpuvirtualaddress *args)
{
	bool writable = args->protection & DXG_PROTECTION_WRITE;
	u64 pages = args->size_in_pages;
	struct dxg_va *va;
	NTSTATUS status;
	u64 start;

	if (!pages || args->offset_in_pages >= allocation->memory.count ||
	    pages > allocation->memory.count - args->offset_in_pages)
		return STATUS_INVALID_PARAMETER;
	if (writable && (allocation->flags & DXG_ALLOCATION_READ_ONLY))
		return STATUS_INVALID_PARAMETER;

	status = dxg_va_place(pa, args->base_address, args->minimum_address, args->maximum_address,
			      pages << DXG_GPU_PAGE_SHIFT, &start);
	if (!NT_SUCCESS(status))
		return status;
	if (!dxg_va_mappable(pa, start, pages << DXG_GPU_PAGE_SHIFT))
		return STATUS_INVALID_PARAMETER;

	va = dxg_va_user_new(pa, start, pages << DXG_GPU_PAGE_SHIFT, allocation);
	if (!va)
		return STATUS_NO_MEMORY;
	va->first_page = args->offset_in_pages;
	va->writable = writable;

	if (allocation->entries_present) {
		status = dxg_adapter_enter(pa->adapter);
		if (!NT_SUCCESS(status)) {
			dxg_va_user_free(pa, va);
			return status;
		}
		status = dxg_va_write_entries(pa, va, allocation->memory.bus + va->first_page,
					      writable);
		/* Nothing is mapped, but tables that were made wait for a flush. */
		if (!NT_SUCCESS(status))
			dxg_va_clear_entries(pa, va);
		dxg_adapter_exit(pa->adapter);
		if (!NT_SUCCESS(status)) {
			dxg_va_user_free(pa, va);
			return status;
		}
	}
	interval_tree_insert(&va->range, &pa->mappings);
	list_add_tail(&va->node, &allocation->mappings);
	args->virtual_address = start;
	return STATUS_SUCCESS;
}

/**
 * dxg_map_gpu_va() - D3DKMTMapGpuVirtualAddress
 * @call: struct dxg_mapgpuvirtualaddress
 *
 * Shows pages of an allocation at a GPU address; effective while the allocation is
 * resident. Complete on return.
 *
 * Return: INVALID_PARAMETER for bad handles, an allocation of another process, a
 * range beyond the allocation or the user part, an overlap, write access to a
 * read-only allocation, unknown protection bits; DEVICE_REMOVED; NO_MEMORY beyond
 * memory or quota (max_gpu_ranges, or mappings of four times max_pinned_mb).
 */
NTSTATUS dxg_map_gpu_va(struct dxg_call *call)
{
	struct dxg_mapgpuvirtualaddress *args = call->args;
	struct dxg_paging_queue *queue;
	struct dxg_allocation *allocation;
	struct dxg_process_adapter *pa;
	struct dxg_object *keep, *obj;
	NTSTATUS status = STATUS_INVALID_PARAMETER;

	if (args->reserved2 || args->reserved4 || args->driver_protection ||
	    (args->protection & ~DXG_PROTECTION_WRITE))
		return STATUS_INVALID_PARAMETER;

	keep = dxg_handle_get(call->process, args->paging_queue, DXG_TYPE_PAGING_QUEUE);
	obj = dxg_handle_get(call->process, args->allocation, DXG_TYPE_ALLOCATION);
	if (!keep || !obj)
		goto out_put;
	queue = container_of(keep, struct dxg_paging_queue, obj);
	allocation = container_of(obj, struct dxg_allocation, obj);
	pa = queue->device->pa;
	if (allocation->device->pa != pa)
		goto out_put;

	mutex_lock(&pa->lock);
	if (!keep->dead && !obj->dead) {
		status = dxg_device_status(queue->device);
		if (NT_SUCCESS(status))
			status = dxg_va_map_locked(pa, allocation, args);
		if (NT_SUCCESS(status))
			args->paging_fence_value = dxg_paging_queue_complete(queue);
	}
	mutex_unlock(&pa->lock);

out_put:
	dxg_object_put(obj);
	dxg_object_put(keep);
	return status;
}

/**
 * dxg_free_gpu_va() - D3DKMTFreeGpuVirtualAddress
 * @call: struct dxg_freegpuvirtualaddress
 *
 * Frees exactly one reservation with all mappings in it, or exactly one mapping.
 * On return the device uses no address of the range.
 *
 * Return: INVALID_PARAMETER for a bad handle or a range that is neither.
 */
NTSTATUS dxg_free_gpu_va(struct dxg_call *call)
{
	struct dxg_freegpuvirtualaddress *args = call->args;
	struct interval_tree_node *node, *mapping;
	NTSTATUS status = STATUS_INVALID_PARAMETER;
	struct dxg_process_adapter *pa;
	struct dxg_object *keep;
	u64 last;

	keep = dxg_handle_get(call->process, args->adapter, DXG_TYPE_ADAPTER);
	if (!keep)
		return STATUS_INVALID_PARAMETER;
	pa = container_of(keep, struct dxg_adapter_handle, obj)->pa;

	mutex_lock(&pa->lock);
	if (!dxg_va_user_range_ok(pa, args->base_address, args->size))
		goto out_unlock;
	last = args->base_address + args->size - 1;

	node = interval_tree_iter_first(&pa->reservations, args->base_address, last);
	if (node && node->start == args->base_address && node->last == last) {
		while ((mapping = interval_tree_iter_first(&pa->mappings, args->base_address,
							   last)))
			dxg_va_remove_mapping(pa, container_of(mapping, struct dxg_va, range));
		interval_tree_remove(node, &pa->reservations);
		dxg_va_user_free(pa, container_of(node, struct dxg_va, range));
		status = STATUS_SUCCESS;
		goto out_unlock;
	}

	mapping = interval_tree_iter_first(&pa->mappings, args->base_address, last);
	if (mapping && mapping->start == args->base_address && mapping->last == last) {
		dxg_va_remove_mapping(pa, container_of(mapping, struct dxg_va, range));
		status = STATUS_SUCCESS;
	}

out_unlock:
	mutex_unlock(&pa->lock);
	dxg_object_put(keep);
	return status;
}
