// SPDX-License-Identifier: MIT
/* Memory that CPU and device share: allocate, make resident, map on both sides. */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include "kernel.h"
#include "session.h"

#define PAGE_BYTES	4096u
#define MAX_BYTES	0x40000000ull

static NTSTATUS wait_paging(struct dxg_session *session, NTSTATUS status, UINT64 fence)
{
	D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU wait = {
		.hDevice = session->handles.device,
		.ObjectCount = 1,
		.ObjectHandleArray = &session->handles.paging_fence,
		.FenceValueArray = &fence,
	};

	if (status != STATUS_PENDING)
		return status;
	return D3DKMTWaitForSynchronizationObjectFromCpu(&wait);
}

static NTSTATUS allocate(struct dxg_session *session, struct dxg_buffer *buffer)
{
	struct dxgpu_allocation_data data = {
		.size = sizeof(data),
		.bytes = buffer->bytes,
	};
	D3DDDI_ALLOCATIONINFO2 info = {
		.pPrivateDriverData = &data,
		.PrivateDriverDataSize = sizeof(data),
	};
	D3DKMT_CREATEALLOCATION create = {
		.hDevice = session->handles.device,
		.NumAllocations = 1,
		.pAllocationInfo2 = &info,
		.Flags.CreateCached = 1,
		.Flags.Zeroed = 1,
	};
	NTSTATUS status = D3DKMTCreateAllocation2(&create);

	if (NT_SUCCESS(status))
		buffer->allocation = info.hAllocation;
	return status;
}

static NTSTATUS make_resident(struct dxg_session *session, struct dxg_buffer *buffer)
{
	D3DDDI_MAKERESIDENT resident = {
		.hPagingQueue = session->handles.paging_queue,
		.NumAllocations = 1,
		.AllocationList = &buffer->allocation,
	};
	NTSTATUS status = D3DKMTMakeResident(&resident);

	return wait_paging(session, status, resident.PagingFenceValue);
}

static NTSTATUS map_gpu(struct dxg_session *session, struct dxg_buffer *buffer)
{
	D3DDDI_MAPGPUVIRTUALADDRESS map = {
		.hPagingQueue = session->handles.paging_queue,
		.hAllocation = buffer->allocation,
		.SizeInPages = buffer->bytes / PAGE_BYTES,
		.Protection.Write = !(buffer->flags & DXG_BUFFER_GPU_READ_ONLY),
	};
	NTSTATUS status = D3DKMTMapGpuVirtualAddress(&map);

	if (NT_SUCCESS(status))
		buffer->gpuva = map.VirtualAddress;
	return wait_paging(session, status, map.PagingFenceValue);
}

static NTSTATUS map_cpu(struct dxg_session *session, struct dxg_buffer *buffer)
{
	D3DKMT_LOCK2 lock = {
		.hDevice = session->handles.device,
		.hAllocation = buffer->allocation,
	};
	NTSTATUS status = D3DKMTLock2(&lock);

	if (!NT_SUCCESS(status))
		return status;
	buffer->cpu = lock.pData;
	/* The kernel's mapping is not inherited anyway; another driver's might be. */
	if (madvise(buffer->cpu, buffer->bytes, MADV_DONTFORK))
		return dxg_report(STATUS_NO_MEMORY,
				  "dxg_buffer_create: MADV_DONTFORK of %" PRIu64 " bytes",
				  buffer->bytes);
	return STATUS_SUCCESS;
}

NTSTATUS dxg_buffer_create(struct dxg_session *session, UINT64 bytes, UINT flags,
			   struct dxg_buffer *buffer)
{
	NTSTATUS status = dxg_session_check(session, __func__);

	if (!NT_SUCCESS(status))
		return status;
	if (!buffer || !bytes || bytes > MAX_BYTES ||
	    flags & ~DXG_BUFFER_GPU_READ_ONLY)
		return dxg_report(STATUS_INVALID_PARAMETER,
				  "%s: %" PRIu64 " bytes (1..%llu), flags 0x%x (allowed 0x%x), buffer %p",
				  __func__, bytes, MAX_BYTES, flags,
				  DXG_BUFFER_GPU_READ_ONLY, (void *)buffer);
	memset(buffer, 0, sizeof(*buffer));
	buffer->bytes = (bytes + PAGE_BYTES - 1) & ~(UINT64)(PAGE_BYTES - 1);
	buffer->flags = flags;

	status = allocate(session, buffer);
	if (NT_SUCCESS(status))
		status = make_resident(session, buffer);
	if (NT_SUCCESS(status))
		status = map_gpu(session, buffer);
	if (NT_SUCCESS(status))
		status = map_cpu(session, buffer);
	if (!NT_SUCCESS(status))
		dxg_buffer_destroy(session, buffer);
	return status;
}

void dxg_buffer_destroy(struct dxg_session *session, struct dxg_buffer *buffer)
{
	D3DKMT_UNLOCK2 unlock = { .hAllocation = buffer->allocation };
	D3DKMT_FREEGPUVIRTUALADDRESS unmap = {
		.BaseAddress = buffer->gpuva,
		.Size = buffer->bytes,
	};
	D3DKMT_DESTROYALLOCATION2 destroy = {
		.phAllocationList = &buffer->allocation,
		.AllocationCount = 1,
	};

	if (buffer->allocation && session->instance == dxg_kernel_instance()) {
		unlock.hDevice = session->handles.device;
		if (buffer->cpu)
			D3DKMTUnlock2(&unlock);
		unmap.hAdapter = session->handles.adapter;
		if (buffer->gpuva)
			D3DKMTFreeGpuVirtualAddress(&unmap);
		destroy.hDevice = session->handles.device;
		D3DKMTDestroyAllocation2(&destroy);
	}
	memset(buffer, 0, sizeof(*buffer));
}
