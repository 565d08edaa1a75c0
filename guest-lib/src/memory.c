// SPDX-License-Identifier: MIT
/* D3DKMT calls about allocations, residency, CPU access and GPU addresses. */
#include <dxg/d3dkmthk.h>
#include <uapi/dxg.h>
#include "kernel.h"

NTSTATUS D3DKMTCreateAllocation2(D3DKMT_CREATEALLOCATION *args)
{
	return DXG_THUNK(LX_DXCREATEALLOCATION, DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x, NumAllocations %u (1..%u), Flags 0x%x",
			 args->hDevice, args->NumAllocations,
			 D3DKMT_CREATEALLOCATION_MAX, args->Flags.Value);
}

NTSTATUS D3DKMTDestroyAllocation2(const D3DKMT_DESTROYALLOCATION2 *args)
{
	return DXG_THUNK(LX_DXDESTROYALLOCATION2, DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x, AllocationCount %u (1..%u), Flags 0x%x",
			 args->hDevice, args->AllocationCount,
			 D3DKMT_CREATEALLOCATION_MAX, args->Flags.Value);
}

NTSTATUS D3DKMTCreatePagingQueue(D3DKMT_CREATEPAGINGQUEUE *args)
{
	return DXG_THUNK(LX_DXCREATEPAGINGQUEUE, DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x, Priority %d (-1..1), PhysicalAdapterIndex %u (0)",
			 args->hDevice, args->Priority, args->PhysicalAdapterIndex);
}

NTSTATUS D3DKMTDestroyPagingQueue(D3DDDI_DESTROYPAGINGQUEUE *args)
{
	return DXG_THUNK(LX_DXDESTROYPAGINGQUEUE, DXG_CALL_WITH_HANDLE, args,
			 "hPagingQueue 0x%x", args->hPagingQueue);
}

NTSTATUS D3DKMTMakeResident(D3DDDI_MAKERESIDENT *args)
{
	return DXG_THUNK(LX_DXMAKERESIDENT, DXG_CALL_WITH_HANDLE, args,
			 "hPagingQueue 0x%x, NumAllocations %u (1..%u), Flags 0x%x (allowed 0x3)",
			 args->hPagingQueue, args->NumAllocations,
			 D3DKMT_MAKERESIDENT_ALLOC_MAX, args->Flags.Value);
}

NTSTATUS D3DKMTEvict(D3DKMT_EVICT *args)
{
	return DXG_THUNK(LX_DXEVICT, DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x, NumAllocations %u (1..%u), Flags 0x%x (allowed 0x3)",
			 args->hDevice, args->NumAllocations,
			 D3DKMT_MAKERESIDENT_ALLOC_MAX, args->Flags.Value);
}

NTSTATUS D3DKMTLock2(D3DKMT_LOCK2 *args)
{
	return DXG_THUNK(LX_DXLOCK2, DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x, hAllocation 0x%x, Flags 0x%x (allowed 0)",
			 args->hDevice, args->hAllocation, args->Flags.Value);
}

NTSTATUS D3DKMTUnlock2(const D3DKMT_UNLOCK2 *args)
{
	return DXG_THUNK(LX_DXUNLOCK2, DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x, hAllocation 0x%x", args->hDevice,
			 args->hAllocation);
}

NTSTATUS D3DKMTReserveGpuVirtualAddress(D3DDDI_RESERVEGPUVIRTUALADDRESS *args)
{
	return DXG_THUNK(LX_DXRESERVEGPUVIRTUALADDRESS, DXG_CALL_WITH_HANDLE, args,
			 "hAdapter 0x%x, BaseAddress 0x%llx (64 KiB aligned), Size 0x%llx bytes",
			 args->hAdapter, (unsigned long long)args->BaseAddress,
			 (unsigned long long)args->Size);
}

NTSTATUS D3DKMTMapGpuVirtualAddress(D3DDDI_MAPGPUVIRTUALADDRESS *args)
{
	return DXG_THUNK(LX_DXMAPGPUVIRTUALADDRESS, DXG_CALL_WITH_HANDLE, args,
			 "hPagingQueue 0x%x, hAllocation 0x%x, BaseAddress 0x%llx, OffsetInPages %llu, SizeInPages %llu, Protection 0x%llx (allowed 0x1)",
			 args->hPagingQueue, args->hAllocation,
			 (unsigned long long)args->BaseAddress,
			 (unsigned long long)args->OffsetInPages,
			 (unsigned long long)args->SizeInPages,
			 (unsigned long long)args->Protection.Value);
}

NTSTATUS D3DKMTFreeGpuVirtualAddress(const D3DKMT_FREEGPUVIRTUALADDRESS *args)
{
	return DXG_THUNK(LX_DXFREEGPUVIRTUALADDRESS, DXG_CALL_WITH_HANDLE, args,
			 "hAdapter 0x%x, BaseAddress 0x%llx, Size 0x%llx bytes",
			 args->hAdapter, (unsigned long long)args->BaseAddress,
			 (unsigned long long)args->Size);
}
