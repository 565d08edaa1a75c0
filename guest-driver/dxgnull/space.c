// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: GPU address spaces.
 *
 * DOC: spaces
 *
 * Real hardware walks tables in memory and keeps translations, so that a
 * miniport writes entries, flushes, and waits. Here a space is an xarray from GPU page
 * numbers to bus addresses, and the engines look into it at every step, under the
 * space's lock. So a flush is nothing but that lock's exclusion, and an unmap has
 * already had it.
 *
 * Bus addresses come from the DMA API of a device without an IOMMU: they are
 * physical ones. A page that is no memory faults as on the device, since
 * an engine must not follow a wrong address into nowhere.
 */
#include <linux/dma-direct.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "dxgnull.h"

#define DXGNULL_ENTRY_WRITABLE	1ul

/* An entry: the page's number, and b0 writable. */
static void *dxgnull_entry(u64 bus, bool writable)
{
	return xa_mk_value(bus >> PAGE_SHIFT << 1 | (writable ? DXGNULL_ENTRY_WRITABLE : 0));
}

/* DxgkDdiCreateProcess: NO_MEMORY. */
NTSTATUS dxgnull_create_process(HANDLE hadapter, DXGKARG_CREATEPROCESS *args)
{
	struct dxgnull_space *space = kzalloc(sizeof(*space), GFP_KERNEL_ACCOUNT);

	if (!space)
		return STATUS_NO_MEMORY;
	space->adapter = hadapter;
	init_rwsem(&space->lock);
	xa_init_flags(&space->pages, XA_FLAGS_ACCOUNT);
	args->hKmdProcess = space;
	return STATUS_SUCCESS;
}

/* DxgkDdiDestroyProcess: the process has no context left. */
NTSTATUS dxgnull_destroy_process(HANDLE hadapter, HANDLE hprocess)
{
	struct dxgnull_space *space = hprocess;

	xa_destroy(&space->pages);
	kfree(space);
	return STATUS_SUCCESS;
}

/* All or nothing: every entry is reserved before the first is written. */
static NTSTATUS dxgnull_map(struct dxgnull_space *space, u64 first,
			    const DXGKARG_BUILDPAGINGBUFFER *args)
{
	u64 i, reserved;

	for (reserved = 0; reserved < args->NumPages; reserved++) {
		if (xa_reserve(&space->pages, first + reserved, GFP_KERNEL_ACCOUNT))
			break;
	}
	if (reserved < args->NumPages) {
		while (reserved)
			xa_release(&space->pages, first + --reserved);
		return STATUS_NO_MEMORY;
	}
	for (i = 0; i < args->NumPages; i++)
		xa_store(&space->pages, first + i,
			 dxgnull_entry(args->pBusAddresses[i], args->Writable), GFP_KERNEL_ACCOUNT);
	return STATUS_SUCCESS;
}

static void dxgnull_unmap(struct dxgnull_space *space, u64 first, u64 pages)
{
	unsigned long index;
	void *entry;

	xa_for_each_range(&space->pages, index, entry, first, first + pages - 1)
		xa_erase(&space->pages, index);
}

/*
 * DxgkDdiBuildPagingBuffer: INVALID_PARAMETER for a range that the space has not or
 * an address that is no page's; NO_MEMORY; NOT_SUPPORTED for other operations.
 */
NTSTATUS dxgnull_build_paging_buffer(HANDLE hadapter, DXGKARG_BUILDPAGINGBUFFER *args)
{
	struct dxgnull_space *space = args->hKmdProcess;
	u64 first = args->FirstVirtualAddress >> PAGE_SHIFT;
	u64 limit = 1ull << (DXGNULL_GPUVA_BITS - PAGE_SHIFT);
	NTSTATUS status = STATUS_SUCCESS;
	u64 i;

	if (offset_in_page(args->FirstVirtualAddress) || !args->NumPages || first >= limit ||
	    args->NumPages > limit - first)
		return STATUS_INVALID_PARAMETER;

	switch (args->Operation) {
	case DXGK_OPERATION_UPDATE_PAGE_TABLE:
		for (i = 0; args->pBusAddresses && i < args->NumPages; i++) {
			if (offset_in_page(args->pBusAddresses[i]))
				return STATUS_INVALID_PARAMETER;
		}
		down_write(&space->lock);
		if (args->pBusAddresses)
			status = dxgnull_map(space, first, args);
		else
			dxgnull_unmap(space, first, args->NumPages);
		up_write(&space->lock);
		return status;
	case DXGK_OPERATION_FLUSH_TLB:
		/* No step keeps a translation, and the unmap has waited for those that did. */
		return STATUS_SUCCESS;
	default:
		return STATUS_NOT_SUPPORTED;
	}
}

/* Is the range inside the address space, without wrapping? */
bool dxgnull_gpuva_ok(u64 gpuva, u64 bytes)
{
	u64 limit = 1ull << DXGNULL_GPUVA_BITS;

	return gpuva < limit && bytes <= limit - gpuva;
}

/**
 * dxgnull_page() - the memory behind a GPU address
 * @space: its lock is held
 * @gpuva: any address
 * @bytes: in: wanted, out: what the page has of them
 * @write: whether it is to be written
 * @fault: out: why not
 *
 * Return: kernel address, or NULL with @fault.
 */
void *dxgnull_page(struct dxgnull_space *space, u64 gpuva, size_t *bytes, bool write,
		   struct dxgnull_fault *fault)
{
	unsigned long entry, pfn;
	void *value;

	lockdep_assert_held(&space->lock);
	fault->access = write ? DXGPU_ACCESS_WRITE : DXGPU_ACCESS_READ;
	fault->gpuva = gpuva;
	if (!dxgnull_gpuva_ok(gpuva, 1)) {
		fault->code = DXGPU_FAULT_ADDRESS;
		return NULL;
	}
	value = xa_load(&space->pages, gpuva >> PAGE_SHIFT);
	if (!value) {
		fault->code = DXGPU_FAULT_UNMAPPED;
		return NULL;
	}
	entry = xa_to_value(value);
	if (write && !(entry & DXGNULL_ENTRY_WRITABLE)) {
		fault->code = DXGPU_FAULT_PROTECTION;
		return NULL;
	}
	pfn = PHYS_PFN(dma_to_phys(space->adapter->dev, (dma_addr_t)(entry >> 1) << PAGE_SHIFT));
	if (!pfn_valid(pfn)) {
		fault->code = DXGPU_FAULT_BUS;
		return NULL;
	}
	*bytes = min_t(size_t, *bytes, PAGE_SIZE - offset_in_page(gpuva));
	return page_address(pfn_to_page(pfn)) + offset_in_page(gpuva);
}

/* Copies from GPU memory; false with @fault. space->lock held, as for all that follows. */
bool dxgnull_read(struct dxgnull_space *space, u64 gpuva, void *to, size_t bytes,
		  struct dxgnull_fault *fault)
{
	while (bytes) {
		size_t n = bytes;
		void *page = dxgnull_page(space, gpuva, &n, false, fault);

		if (!page)
			return false;
		memcpy(to, page, n);
		to += n;
		gpuva += n;
		bytes -= n;
	}
	return true;
}

/* Copies to GPU memory; false with @fault, and what lies before the fault is written. */
bool dxgnull_write(struct dxgnull_space *space, u64 gpuva, const void *from, size_t bytes,
		   struct dxgnull_fault *fault)
{
	while (bytes) {
		size_t n = bytes;
		void *page = dxgnull_page(space, gpuva, &n, true, fault);

		if (!page)
			return false;
		memcpy(page, from, n);
		from += n;
		gpuva += n;
		bytes -= n;
	}
	return true;
}

/* One aligned 64-bit read, before all later ones (DEV-2). */
bool dxgnull_load_u64(struct dxgnull_space *space, u64 gpuva, u64 *value,
		      struct dxgnull_fault *fault)
{
	size_t n = sizeof(*value);
	u64 *page = dxgnull_page(space, gpuva, &n, false, fault);

	if (!page)
		return false;
	/* Entries before it are looked at after it. */
	*value = smp_load_acquire(page);
	return true;
}

/* One aligned 64-bit write, after all earlier ones (DEV-11). */
bool dxgnull_store_u64(struct dxgnull_space *space, u64 gpuva, u64 value,
		       struct dxgnull_fault *fault)
{
	size_t n = sizeof(value);
	u64 *page = dxgnull_page(space, gpuva, &n, true, fault);

	if (!page)
		return false;
	/* Whoever sees it sees the work before it. */
	smp_store_release(page, value);
	return true;
}
