// SPDX-License-Identifier: GPL-2.0
/*
 * The pages behind allocations.
 *
 * Either zeroed kernel pages, charged to the memory cgroup, or pages of the
 * process that stay pinned and are charged to its RLIMIT_MEMLOCK. Both count
 * against max_pinned_mb. Bus addresses come from the DMA API, page by page, so
 * an IOMMU is honoured and no contiguous memory is needed.
 *
 * The functions here take no lock; the owner orders them. Pinning touches user
 * memory and may wait for it: not under the guard.
 */
#include <linux/dma-mapping.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "dxgkrnl.h"

static bool dxg_memory_charge(struct dxg_process *process, unsigned long pages)
{
	if (!dxg_quota_charge(process, DXG_QUOTA_PAGES, pages))
		return false;
	atomic64_add(pages, &dxg_counts.pages);
	return true;
}

static void dxg_memory_uncharge(struct dxg_process *process, unsigned long pages)
{
	dxg_quota_uncharge(process, DXG_QUOTA_PAGES, pages);
	atomic64_sub(pages, &dxg_counts.pages);
}

static NTSTATUS dxg_memory_begin(struct dxg_process *process, u64 bytes, struct dxg_memory *memory)
{
	memset(memory, 0, sizeof(*memory));
	if (!bytes || bytes > ((u64)dxg_max_pinned_mb << 20))
		return bytes ? STATUS_NO_MEMORY : STATUS_INVALID_PARAMETER;

	memory->process = process;
	memory->count = bytes >> PAGE_SHIFT;
	if (!dxg_memory_charge(process, memory->count))
		return STATUS_NO_MEMORY;

	memory->pages = kvcalloc(memory->count, sizeof(*memory->pages), GFP_KERNEL_ACCOUNT);
	if (!memory->pages) {
		dxg_memory_uncharge(process, memory->count);
		return STATUS_NO_MEMORY;
	}
	return STATUS_SUCCESS;
}

static void dxg_memory_end(struct dxg_memory *memory)
{
	kvfree(memory->pages);
	memory->pages = NULL;
	dxg_memory_uncharge(memory->process, memory->count);
}

/**
 * dxg_memory_create() - zeroed kernel pages
 * @process: who pays
 * @bytes: whole pages, above 0
 * @memory: out
 *
 * Return: INVALID_PARAMETER for 0, NO_MEMORY beyond memory or quota, CANCELLED if
 * a fatal signal came.
 */
NTSTATUS dxg_memory_create(struct dxg_process *process, u64 bytes, struct dxg_memory *memory)
{
	NTSTATUS status;
	unsigned long i;

	status = dxg_memory_begin(process, bytes, memory);
	if (!NT_SUCCESS(status))
		return status;

	for (i = 0; i < memory->count; i++) {
		if (fatal_signal_pending(current)) {
			status = STATUS_CANCELLED;
			break;
		}
		memory->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO |
					      __GFP_RETRY_MAYFAIL | __GFP_NOWARN);
		if (!memory->pages[i]) {
			status = STATUS_NO_MEMORY;
			break;
		}
		cond_resched();
	}
	memory->writable = true;
	if (!NT_SUCCESS(status)) {
		while (i--)
			__free_page(memory->pages[i]);
		dxg_memory_end(memory);
	}
	return status;
}

/**
 * dxg_memory_pin() - memory that the process has already
 * @process: the caller's
 * @user_addr: page aligned
 * @bytes: whole pages, above 0
 * @writable: the device may write it
 * @memory: out
 *
 * Return: INVALID_PARAMETER for a bad address, NO_MEMORY beyond RLIMIT_MEMLOCK or
 * quota, ACCESS_VIOLATION if a page is not there (or not writable).
 */
NTSTATUS dxg_memory_pin(struct dxg_process *process, u64 user_addr, u64 bytes, bool writable,
			struct dxg_memory *memory)
{
	unsigned int flags = FOLL_LONGTERM | (writable ? FOLL_WRITE : 0);
	unsigned long done = 0;
	NTSTATUS status;

	if (!user_addr || !PAGE_ALIGNED(user_addr))
		return STATUS_INVALID_PARAMETER;
	status = dxg_memory_begin(process, bytes, memory);
	if (!NT_SUCCESS(status))
		return status;

	if (account_locked_vm(process->mm, memory->count, true)) {
		status = STATUS_NO_MEMORY;
		goto err_end;
	}

	while (done < memory->count) {
		int want = min_t(unsigned long, memory->count - done, 512);
		int got = pin_user_pages_fast(user_addr + (done << PAGE_SHIFT), want, flags,
					      memory->pages + done);

		if (got <= 0) {
			status = got == -ENOMEM ? STATUS_NO_MEMORY : STATUS_ACCESS_VIOLATION;
			goto err_unpin;
		}
		done += got;
	}
	memory->user_addr = user_addr;
	memory->writable = writable;
	return STATUS_SUCCESS;

err_unpin:
	unpin_user_pages(memory->pages, done);
	account_locked_vm(process->mm, memory->count, false);
err_end:
	dxg_memory_end(memory);
	return status;
}

static enum dma_data_direction dxg_memory_direction(const struct dxg_memory *memory)
{
	return memory->writable ? DMA_BIDIRECTIONAL : DMA_TO_DEVICE;
}

/* Make bus addresses; all or nothing. The memory must be page-exact for the device: no bounce. */
NTSTATUS dxg_memory_dma_map(struct dxg_memory *memory, struct device *dev)
{
	enum dma_data_direction direction = dxg_memory_direction(memory);
	unsigned long i;
	u64 *bus;

	bus = kvcalloc(memory->count, sizeof(*bus), GFP_KERNEL_ACCOUNT);
	if (!bus)
		return STATUS_NO_MEMORY;

	for (i = 0; i < memory->count; i++) {
		bus[i] = dma_map_page(dev, memory->pages[i], 0, PAGE_SIZE, direction);
		if (dma_mapping_error(dev, bus[i]))
			goto err_unmap;
	}
	memory->bus = bus;
	return STATUS_SUCCESS;

err_unmap:
	while (i--)
		dma_unmap_page(dev, bus[i], PAGE_SIZE, direction);
	kvfree(bus);
	return STATUS_NO_MEMORY;
}

/* Only when the device can no longer use the addresses (OBJ-24). */
void dxg_memory_dma_unmap(struct dxg_memory *memory, struct device *dev)
{
	enum dma_data_direction direction = dxg_memory_direction(memory);
	unsigned long i;

	if (!memory->bus)
		return;
	for (i = 0; i < memory->count; i++)
		dma_unmap_page(dev, memory->bus[i], PAGE_SIZE, direction);
	kvfree(memory->bus);
	memory->bus = NULL;
}

void dxg_memory_destroy(struct dxg_memory *memory)
{
	unsigned long i;

	if (!memory->pages)
		return;
	if (memory->user_addr) {
		unpin_user_pages_dirty_lock(memory->pages, memory->count, memory->writable);
		account_locked_vm(memory->process->mm, memory->count, false);
	} else {
		for (i = 0; i < memory->count; i++)
			put_page(memory->pages[i]);
	}
	dxg_memory_end(memory);
}
