// SPDX-License-Identifier: GPL-2.0
/*
 * Cells: 64-bit words shared with a process, 64 bytes apart, packed in pages.
 *
 * Three kinds, never on one page together, because they differ in who may write:
 * STAT (the kernel), last-queued value (the process), fence value (the device).
 * Pages belong to one process on one adapter and are zeroed when made, so they
 * carry nothing across processes (SEC-21). Each page is mapped into the process
 * once, when it is made; fence pages are also mapped into the kernel's part of
 * the GPU address space, writable for the device.
 *
 * A freed cell keeps its value and its page until the page's last cell is gone
 * (OBJ-23). A cell is given its initial value before its address leaves here; a
 * zero STAT would read as CONNECTED (OBJ-8).
 *
 * pa->lock orders all calls but reads and writes of the value.
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>

#include "dxgkrnl.h"

static void dxg_cell_page_release(struct dxg_object *obj)
{
	struct dxg_cell_page *page = container_of(obj, struct dxg_cell_page, obj);
	struct dxg_process_adapter *pa = page->pa;

	if (page->page) {
		__free_page(page->page);
		atomic64_dec(&dxg_counts.pages);
	}
	kfree(page);
	dxg_process_adapter_put(pa);
}

static vm_fault_t dxg_cell_page_fault(struct dxg_region *region, struct vm_fault *vmf)
{
	struct dxg_cell_page *page = container_of(region, struct dxg_cell_page, region);
	vm_fault_t ret = VM_FAULT_SIGBUS;

	if (mutex_lock_killable(&page->lock))
		return VM_FAULT_NOPAGE;
	if (!page->gone)
		ret = vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page->page));
	mutex_unlock(&page->lock);
	return ret;
}

static void dxg_cell_page_dma_unmap(struct dxg_cell_page *page)
{
	if (!page->bus_mapped)
		return;
	dma_unmap_page(page->pa->adapter->dev, page->bus, PAGE_SIZE, DMA_BIDIRECTIONAL);
	page->bus_mapped = false;
}

static NTSTATUS dxg_cell_page_gpu_map(struct dxg_cell_page *page)
{
	struct dxg_process_adapter *pa = page->pa;
	struct device *dev = pa->adapter->dev;
	NTSTATUS status;
	u64 bus;

	status = dxg_va_alloc_kernel(pa, PAGE_SIZE, &page->va);
	if (!NT_SUCCESS(status))
		return status;

	status = dxg_adapter_enter(pa->adapter);
	if (!NT_SUCCESS(status))
		return status;
	page->bus = dma_map_page(dev, page->page, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, page->bus)) {
		status = STATUS_NO_MEMORY;
	} else {
		page->bus_mapped = true;
		bus = page->bus;
		status = dxg_va_write_entries(pa, page->va, &bus, true);
		if (!NT_SUCCESS(status))
			dxg_cell_page_dma_unmap(page);
	}
	dxg_adapter_exit(pa->adapter);
	return status;
}

/* The page leaves the device, the process and the list, in this order. */
static void dxg_cell_page_destroy(struct dxg_cell_page *page)
{
	struct dxg_process_adapter *pa = page->pa;
	bool entered = dxg_adapter_enter_destroy(pa->adapter);

	if (page->bus_mapped && entered) {
		dxg_va_clear_entries(pa, page->va);
		dxg_cell_page_dma_unmap(page);
	}
	list_del_init(&page->node);
	if (entered)
		dxg_adapter_exit(pa->adapter);
	if (page->va)
		dxg_va_free_kernel(pa, page->va);

	mutex_lock(&page->lock);
	page->gone = true;
	dxg_region_zap(&page->region);
	mutex_unlock(&page->lock);
	dxg_region_unmap(&page->region, page->user_addr);
	dxg_object_put(&page->obj);
}

static NTSTATUS dxg_cell_page_create(struct dxg_process_adapter *pa, enum dxg_cell_kind kind,
				     struct dxg_cell_page **out)
{
	struct dxg_cell_page *page;
	NTSTATUS status;

	page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);
	if (!page)
		return STATUS_NO_MEMORY;

	kref_get(&pa->kref);
	page->pa = pa;
	page->kind = kind;
	mutex_init(&page->lock);
	INIT_LIST_HEAD(&page->node);
	dxg_object_init(&page->obj, DXG_TYPE_CELL_PAGE, pa->process, dxg_cell_page_release);
	dxg_region_init(&page->region, &page->obj, 1, kind == DXG_CELL_LAST_QUEUED);
	page->region.raw_pfn = true;
	page->region.fault = dxg_cell_page_fault;

	status = STATUS_NO_MEMORY;
	page->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!page->page)
		goto err_destroy;
	atomic64_inc(&dxg_counts.pages);

	/* On the list first: a removal has to find whatever is mapped for the device. */
	status = dxg_adapter_enter(pa->adapter);
	if (!NT_SUCCESS(status))
		goto err_destroy;
	list_add(&page->node, &pa->cell_pages);
	dxg_adapter_exit(pa->adapter);

	if (kind == DXG_CELL_FENCE) {
		status = dxg_cell_page_gpu_map(page);
		if (!NT_SUCCESS(status))
			goto err_destroy;
	}
	status = dxg_region_map(&page->region, &page->user_addr);
	if (!NT_SUCCESS(status))
		goto err_destroy;
	*out = page;
	return STATUS_SUCCESS;

err_destroy:
	dxg_cell_page_destroy(page);
	return status;
}

/**
 * dxg_cell_alloc() - take a cell
 * @pa: locked
 * @kind: which of the three
 * @initial: value, set before the cell can be found
 * @cell: out
 *
 * Must run in the process: a new page is mapped into it.
 *
 * Return: NO_MEMORY, DEVICE_REMOVED, CANCELLED.
 */
NTSTATUS dxg_cell_alloc(struct dxg_process_adapter *pa, enum dxg_cell_kind kind, u64 initial,
			struct dxg_cell *cell)
{
	struct dxg_cell_page *page;
	NTSTATUS status;

	lockdep_assert_held(&pa->lock);

	list_for_each_entry(page, &pa->cell_pages, node) {
		if (page->kind == kind && !bitmap_full(page->used, DXG_CELLS_PER_PAGE))
			goto found;
	}
	status = dxg_cell_page_create(pa, kind, &page);
	if (!NT_SUCCESS(status))
		return status;

found:
	cell->page = page;
	cell->index = find_first_zero_bit(page->used, DXG_CELLS_PER_PAGE);
	__set_bit(cell->index, page->used);
	dxg_cell_write(cell, initial);
	return STATUS_SUCCESS;
}

/* pa->lock; the device no longer writes the cell. */
void dxg_cell_free(struct dxg_cell *cell)
{
	struct dxg_cell_page *page = cell->page;

	if (!page)
		return;
	lockdep_assert_held(&page->pa->lock);
	cell->page = NULL;
	__clear_bit(cell->index, page->used);
	if (bitmap_empty(page->used, DXG_CELLS_PER_PAGE))
		dxg_cell_page_destroy(page);
}

static u64 *dxg_cell_word(const struct dxg_cell *cell)
{
	return page_address(cell->page->page) + cell->index * DXG_CELL_BYTES;
}

/* One 64-bit load or store: never torn (OBJ-7, DEV-11). */
u64 dxg_cell_read(const struct dxg_cell *cell)
{
	return READ_ONCE(*dxg_cell_word(cell));
}

void dxg_cell_write(const struct dxg_cell *cell, u64 value)
{
	WRITE_ONCE(*dxg_cell_word(cell), value);
}

u64 dxg_cell_user_addr(const struct dxg_cell *cell)
{
	return cell->page->user_addr + cell->index * DXG_CELL_BYTES;
}

u64 dxg_cell_gpu_addr(const struct dxg_cell *cell)
{
	return dxg_va_start(cell->page->va) + cell->index * DXG_CELL_BYTES;
}

void *dxg_cell_kernel_addr(const struct dxg_cell *cell)
{
	return dxg_cell_word(cell);
}

/* Removal, after the device has stopped: guard held exclusively. */
void dxg_cell_pages_dma_unmap(struct dxg_process_adapter *pa)
{
	struct dxg_cell_page *page;

	list_for_each_entry(page, &pa->cell_pages, node)
		dxg_cell_page_dma_unmap(page);
}
