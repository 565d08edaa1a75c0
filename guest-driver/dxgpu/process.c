// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: processes, which are address spaces of the device.
 *
 * DOC: address spaces
 *
 * A process owns an address-space id and a page table whose tables are
 * coherent DMA memory, so that a vIOMMU may stand between. The page table
 * outlives a reset of the device: the restart gives the device its root again.
 *
 * FLUSH_TLB is SPACE_INVALIDATE with acknowledgment. When tables have been
 * retired it invalidates the whole space instead of the range, because the
 * device may hold the entry that led to such a table under any address, and
 * frees them afterwards.
 */
#include <linux/dma-mapping.h>
#include <linux/slab.h>
#include "command.h"
#include "process.h"

static struct dxgpu_table *dxgpu_table_alloc(void *owner, bool children)
{
	struct dxgpu_process *process = owner;
	struct dxgpu_table *table;
	dma_addr_t bus;

	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	if (children) {
		table->children = kcalloc(DXGPU_PT_ENTRIES, sizeof(*table->children),
					  GFP_KERNEL_ACCOUNT);
		if (!table->children)
			goto free_table;
	}
	table->entries = dma_alloc_coherent(&process->adapter->pdev->dev, DXGPU_PT_BYTES,
					    &bus, GFP_KERNEL_ACCOUNT);
	if (!table->entries)
		goto free_children;
	table->bus = bus;
	return table;

free_children:
	kfree(table->children);
free_table:
	kfree(table);
	return NULL;
}

static void dxgpu_table_free(void *owner, struct dxgpu_table *table)
{
	struct dxgpu_process *process = owner;

	dma_free_coherent(&process->adapter->pdev->dev, DXGPU_PT_BYTES, table->entries,
			  table->bus);
	kfree(table->children);
	kfree(table);
}

static const struct dxgpu_pagetable_ops dxgpu_table_ops = {
	.alloc = dxgpu_table_alloc,
	.free = dxgpu_table_free,
};

static NTSTATUS dxgpu_space_create(struct dxgpu_process *process)
{
	struct dxgpu_adapter *adapter = process->adapter;

	process->generation = READ_ONCE(adapter->generation);
	return dxgpu_command(adapter, process->generation, DXGPU_CMD_SPACE_CREATE,
			     process->space_id, process->pagetable.root->bus);
}

/*
 * DxgkDdiCreateProcess: NO_MEMORY (also when all address-space ids are in use)
 * or DEVICE_REMOVED.
 */
NTSTATUS dxgpu_create_process(HANDLE hadapter, DXGKARG_CREATEPROCESS *args)
{
	struct dxgpu_adapter *adapter = hadapter;
	struct dxgpu_process *process;
	NTSTATUS status = STATUS_NO_MEMORY;
	int id;

	process = kzalloc(sizeof(*process), GFP_KERNEL_ACCOUNT);
	if (!process)
		return STATUS_NO_MEMORY;
	process->adapter = adapter;
	mutex_init(&process->lock);

	id = ida_alloc_max(&adapter->space_ids, adapter->caps.max_spaces - 1, GFP_KERNEL);
	if (id < 0)
		goto free_process;
	process->space_id = id;

	if (dxgpu_pagetable_init(&process->pagetable, &dxgpu_table_ops, process))
		goto free_id;

	mutex_lock(&adapter->process_lock);
	status = dxgpu_space_create(process);
	if (NT_SUCCESS(status))
		list_add_tail(&process->link, &adapter->processes);
	mutex_unlock(&adapter->process_lock);
	if (!NT_SUCCESS(status))
		goto free_pagetable;

	args->hKmdProcess = process;
	return STATUS_SUCCESS;

free_pagetable:
	dxgpu_pagetable_fini(&process->pagetable);
free_id:
	ida_free(&adapter->space_ids, process->space_id);
free_process:
	kfree(process);
	return status;
}

/* DxgkDdiDestroyProcess: the process has no context left. */
NTSTATUS dxgpu_destroy_process(HANDLE hadapter, HANDLE hprocess)
{
	struct dxgpu_adapter *adapter = hadapter;
	struct dxgpu_process *process = hprocess;
	NTSTATUS status;

	mutex_lock(&adapter->process_lock);
	list_del(&process->link);
	mutex_unlock(&adapter->process_lock);

	status = dxgpu_command(adapter, process->generation, DXGPU_CMD_SPACE_DESTROY,
			       process->space_id);
	/* A space that will not go may still be walked: its tables are to be freed now. */
	if (!NT_SUCCESS(status) && status != STATUS_DEVICE_REMOVED)
		dxgpu_hardware_lost(adapter, "failed destroy of address space",
				    process->space_id);

	dxgpu_pagetable_fini(&process->pagetable);
	ida_free(&adapter->space_ids, process->space_id);
	mutex_destroy(&process->lock);
	kfree(process);
	return STATUS_SUCCESS;
}

/**
 * dxgpu_processes_restore() - give the device the address spaces after a restart
 * @adapter: the adapter, enabled
 *
 * Return: SUCCESS, or the status of the first space that could not be made.
 */
NTSTATUS dxgpu_processes_restore(struct dxgpu_adapter *adapter)
{
	struct dxgpu_process *process;
	NTSTATUS status = STATUS_SUCCESS;

	mutex_lock(&adapter->process_lock);
	list_for_each_entry(process, &adapter->processes, link) {
		status = dxgpu_space_create(process);
		if (!NT_SUCCESS(status))
			break;
	}
	mutex_unlock(&adapter->process_lock);
	return status;
}

static NTSTATUS dxgpu_update_page_table(struct dxgpu_process *process,
					const DXGKARG_BUILDPAGINGBUFFER *args)
{
	int ret = 0;
	u64 i;

	for (i = 0; args->pBusAddresses && i < args->NumPages; i++) {
		if (args->pBusAddresses[i] & ~DXGPU_PTE_ADDR_MASK)
			return STATUS_INVALID_PARAMETER;
	}

	mutex_lock(&process->lock);
	if (args->pBusAddresses)
		ret = dxgpu_pagetable_map(&process->pagetable, args->FirstVirtualAddress,
					  args->NumPages, args->pBusAddresses,
					  args->Writable);
	else
		dxgpu_pagetable_unmap(&process->pagetable, args->FirstVirtualAddress,
				      args->NumPages);
	mutex_unlock(&process->lock);
	return ret ? STATUS_NO_MEMORY : STATUS_SUCCESS;
}

static NTSTATUS dxgpu_flush_tlb(struct dxgpu_process *process,
				const DXGKARG_BUILDPAGINGBUFFER *args)
{
	struct dxgpu_adapter *adapter = process->adapter;
	u32 generation = process->generation;
	u64 first = args->FirstVirtualAddress;
	u64 bytes = args->NumPages << DXGPU_PAGE_SHIFT;
	LIST_HEAD(retired);
	NTSTATUS status;
	u64 fence;

	mutex_lock(&process->lock);
	list_splice_init(&process->pagetable.retired, &retired);
	mutex_unlock(&process->lock);

	if (!list_empty(&retired)) {
		first = 0;
		bytes = 0;
	}
	status = dxgpu_command_async(adapter, generation, &fence, DXGPU_CMD_SPACE_INVALIDATE,
				     process->space_id, first, bytes);
	if (NT_SUCCESS(status))
		dxgpu_command_wait(adapter, generation,
				   dxgpu_space_record(adapter, process->space_id), fence,
				   "failed invalidate of address space", process->space_id);
	else if (status != STATUS_DEVICE_REMOVED)
		dxgpu_hardware_lost(adapter, "failed invalidate of address space",
				    process->space_id);

	/* Acknowledged, or the device is reset or gone: nothing is in use. */
	dxgpu_pagetable_free_list(&process->pagetable, &retired);
	return READ_ONCE(adapter->generation) == generation ? STATUS_SUCCESS :
							      STATUS_DEVICE_REMOVED;
}

/* DxgkDdiBuildPagingBuffer: INVALID_PARAMETER for a range that the device does not have. */
NTSTATUS dxgpu_build_paging_buffer(HANDLE hadapter, DXGKARG_BUILDPAGINGBUFFER *args)
{
	struct dxgpu_adapter *adapter = hadapter;
	struct dxgpu_process *process = args->hKmdProcess;
	u64 limit = 1ull << (adapter->caps.gpuva_bits - DXGPU_PAGE_SHIFT);
	u64 first = args->FirstVirtualAddress >> DXGPU_PAGE_SHIFT;

	if (args->FirstVirtualAddress & (DXGPU_PAGE_SIZE - 1) || !args->NumPages ||
	    first >= limit || args->NumPages > limit - first)
		return STATUS_INVALID_PARAMETER;

	switch (args->Operation) {
	case DXGK_OPERATION_UPDATE_PAGE_TABLE:
		return dxgpu_update_page_table(process, args);
	case DXGK_OPERATION_FLUSH_TLB:
		return dxgpu_flush_tlb(process, args);
	default:
		return STATUS_NOT_SUPPORTED;
	}
}
