// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: allocations.
 *
 * All memory is system memory that the OS layer owns and maps; the miniport
 * only reads the user-mode driver's description of it. The blob comes from a
 * process, in a kernel copy.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/dxgpu_umd.h>
#include "process.h"

/*
 * DxgkDdiCreateAllocation: INVALID_PARAMETER if the blob's size, flags or bytes
 * are not valid or the allocation is larger than the GPU address space; NO_MEMORY.
 */
NTSTATUS dxgpu_create_allocation(HANDLE hadapter, DXGKARG_CREATEALLOCATION *args)
{
	struct dxgpu_adapter *adapter = hadapter;
	DXGK_ALLOCATIONINFO *info = args->pAllocationInfo;
	struct dxgpu_allocation_data data;
	struct dxgpu_allocation *allocation;

	if (args->NumAllocations != 1 || !info->pPrivateDriverData ||
	    info->PrivateDriverDataSize < sizeof(data))
		return STATUS_INVALID_PARAMETER;
	memcpy(&data, info->pPrivateDriverData, sizeof(data));
	if (data.size != sizeof(data) || data.flags || !data.bytes ||
	    data.bytes > 1ull << adapter->caps.gpuva_bits)
		return STATUS_INVALID_PARAMETER;

	allocation = kzalloc(sizeof(*allocation), GFP_KERNEL_ACCOUNT);
	if (!allocation)
		return STATUS_NO_MEMORY;
	allocation->bytes = data.bytes;
	info->Alignment = 0;
	info->Size = data.bytes;
	info->hAllocation = allocation;
	return STATUS_SUCCESS;
}

/* DxgkDdiDestroyAllocation. */
NTSTATUS dxgpu_destroy_allocation(HANDLE hadapter, HANDLE hallocation)
{
	kfree(hallocation);
	return STATUS_SUCCESS;
}
