// SPDX-License-Identifier: GPL-2.0-or-later
/* Allocations, residency, CPU access, GPU addresses; good and bad input. */
#include <sys/mman.h>
#include <uapi/dxgpu_umd.h>
#include "api.h"

#define PAGE	4096u

static struct dxg_session_handles handles;

static NTSTATUS allocate(UINT64 bytes, UINT flags, void *memory, D3DKMT_HANDLE *allocation)
{
	struct dxgpu_allocation_data data = { .size = sizeof(data), .bytes = bytes };
	D3DDDI_ALLOCATIONINFO2 info = {
		.pSystemMem = memory,
		.pPrivateDriverData = &data,
		.PrivateDriverDataSize = sizeof(data),
	};
	D3DKMT_CREATEALLOCATION create = {
		.hDevice = handles.device,
		.NumAllocations = 1,
		.pAllocationInfo2 = &info,
		.Flags.Value = flags,
	};
	NTSTATUS status = D3DKMTCreateAllocation2(&create);

	*allocation = info.hAllocation;
	return status;
}

static NTSTATUS destroy(D3DKMT_HANDLE allocation)
{
	D3DKMT_DESTROYALLOCATION2 args = {
		.hDevice = handles.device,
		.phAllocationList = &allocation,
		.AllocationCount = 1,
	};

	return D3DKMTDestroyAllocation2(&args);
}

static void test_create(void)
{
	struct dxgpu_allocation_data data = { .size = sizeof(data), .bytes = PAGE };
	D3DDDI_ALLOCATIONINFO2 infos[3] = { 0 };
	D3DKMT_CREATEALLOCATION create = {
		.hDevice = handles.device,
		.NumAllocations = 3,
		.pAllocationInfo2 = infos,
	};
	D3DKMT_HANDLE list[3];
	D3DKMT_DESTROYALLOCATION2 args = {
		.hDevice = handles.device,
		.phAllocationList = list,
		.AllocationCount = 3,
	};
	UINT i;

	for (i = 0; i < 3; i++) {
		infos[i].pPrivateDriverData = &data;
		infos[i].PrivateDriverDataSize = sizeof(data);
	}
	expect(D3DKMTCreateAllocation2(NULL), STATUS_INVALID_PARAMETER,
	       "CreateAllocation2(NULL)");
	expect(D3DKMTDestroyAllocation2(NULL), STATUS_INVALID_PARAMETER,
	       "DestroyAllocation2(NULL)");
	expect(D3DKMTCreateAllocation2(&create), STATUS_SUCCESS, "create three");
	for (i = 0; i < 3; i++)
		list[i] = infos[i].hAllocation;
	ok(list[0] && list[1] && list[2] && list[0] != list[1], "three handles");
	list[2] = BAD_HANDLE;
	expect(D3DKMTDestroyAllocation2(&args), STATUS_INVALID_PARAMETER,
	       "destroy a list with a wild handle");
	list[2] = infos[2].hAllocation;
	expect(D3DKMTDestroyAllocation2(&args), STATUS_SUCCESS,
	       "destroy the three: none was destroyed before");
	expect(D3DKMTDestroyAllocation2(&args), STATUS_INVALID_PARAMETER,
	       "destroy them again");

	infos[1].Reserved[2] = 1;
	expect(D3DKMTCreateAllocation2(&create), STATUS_INVALID_PARAMETER,
	       "a reserved field in the second");
	infos[1].Reserved[2] = 0;
	infos[2].PrivateDriverDataSize = 4;
	expect(D3DKMTCreateAllocation2(&create), STATUS_INVALID_PARAMETER,
	       "private data of 4 bytes");
	infos[2].PrivateDriverDataSize = sizeof(data);
	infos[2].pPrivateDriverData = BAD_POINTER;
	expect(D3DKMTCreateAllocation2(&create), STATUS_ACCESS_VIOLATION,
	       "unreadable private data");
	create.NumAllocations = 0;
	expect(D3DKMTCreateAllocation2(&create), STATUS_INVALID_PARAMETER, "none");
	create.NumAllocations = D3DKMT_CREATEALLOCATION_MAX + 1;
	expect(D3DKMTCreateAllocation2(&create), STATUS_INVALID_PARAMETER, "1025");
	create.NumAllocations = 1;
	create.pAllocationInfo2 = BAD_POINTER;
	expect(D3DKMTCreateAllocation2(&create), STATUS_ACCESS_VIOLATION,
	       "an unreadable array");
	create.pAllocationInfo2 = infos;
	create.Flags.Value = 1u << 31;
	expect(D3DKMTCreateAllocation2(&create), STATUS_INVALID_PARAMETER,
	       "a reserved flag");
}

static void test_size(void)
{
	D3DKMT_HANDLE allocation;

	expect(allocate(0, 0, NULL, &allocation), STATUS_INVALID_PARAMETER, "0 bytes");
	ok(!NT_SUCCESS(allocate(1ull << 60, 0, NULL, &allocation)), "2^60 bytes are refused");
	expect(allocate(1, 0, NULL, &allocation), STATUS_SUCCESS, "1 byte");
	expect(destroy(allocation), STATUS_SUCCESS, "destroy it");
}

static void test_existing(void)
{
	D3DKMT_CREATEALLOCATIONFLAGS flags = { .ExistingSysMem = 1 };
	unsigned char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	D3DKMT_HANDLE allocation;

	expect(allocate(2 * PAGE, flags.Value, memory, &allocation), STATUS_SUCCESS,
	       "the process's own memory");
	expect(destroy(allocation), STATUS_SUCCESS, "destroy it");
	memory[0] = 1;
	expect(allocate(PAGE, flags.Value, memory + 8, &allocation),
	       STATUS_INVALID_PARAMETER, "misaligned memory");
	expect(allocate(PAGE, flags.Value, NULL, &allocation), STATUS_INVALID_PARAMETER,
	       "no memory with ExistingSysMem");
	expect(allocate(PAGE, 0, memory, &allocation), STATUS_INVALID_PARAMETER,
	       "memory without ExistingSysMem");
	munmap(memory, 2 * PAGE);
	ok(!NT_SUCCESS(allocate(PAGE, flags.Value, memory, &allocation)),
	   "unmapped memory is refused");
}

static void test_lock(D3DKMT_HANDLE allocation)
{
	D3DKMT_LOCK2 lock = { .hDevice = handles.device, .hAllocation = allocation };
	D3DKMT_UNLOCK2 unlock = { .hDevice = handles.device, .hAllocation = allocation };
	volatile unsigned char *memory;

	expect(D3DKMTLock2(NULL), STATUS_INVALID_PARAMETER, "Lock2(NULL)");
	expect(D3DKMTLock2(&lock), STATUS_SUCCESS, "lock");
	memory = lock.pData;
	ok(memory && !((uintptr_t)memory % PAGE) && !memory[0] && !memory[PAGE - 1],
	   "zeroed pages");
	memory[0] = 0x77;
	expect(D3DKMTUnlock2(&unlock), STATUS_SUCCESS, "unlock");
	lock.pData = NULL;
	expect(D3DKMTLock2(&lock), STATUS_SUCCESS, "lock again");
	ok(lock.pData && *(unsigned char *)lock.pData == 0x77, "it kept its contents");
	D3DKMTUnlock2(&unlock);
	lock.Flags.Value = 1;
	expect(D3DKMTLock2(&lock), STATUS_INVALID_PARAMETER, "a reserved flag");
	lock.Flags.Value = 0;
	lock.hAllocation = BAD_HANDLE;
	expect(D3DKMTLock2(&lock), STATUS_INVALID_PARAMETER, "a wild handle");
	unlock.hAllocation = BAD_HANDLE;
	expect(D3DKMTUnlock2(&unlock), STATUS_INVALID_PARAMETER, "unlock a wild handle");
	expect(D3DKMTUnlock2(NULL), STATUS_INVALID_PARAMETER, "Unlock2(NULL)");
}

static void test_residency(D3DKMT_HANDLE allocation)
{
	D3DDDI_MAKERESIDENT resident = {
		.hPagingQueue = handles.paging_queue,
		.NumAllocations = 1,
		.AllocationList = &allocation,
	};
	D3DKMT_EVICT evict = {
		.hDevice = handles.device,
		.NumAllocations = 1,
		.AllocationList = &allocation,
	};
	NTSTATUS status;
	UINT i;

	expect(D3DKMTMakeResident(NULL), STATUS_INVALID_PARAMETER, "MakeResident(NULL)");
	expect(D3DKMTEvict(NULL), STATUS_INVALID_PARAMETER, "Evict(NULL)");
	for (i = 0; i < 2; i++) {
		status = D3DKMTMakeResident(&resident);
		ok(status == STATUS_SUCCESS || status == STATUS_PENDING, "make resident");
	}
	expect(D3DKMTEvict(&evict), STATUS_SUCCESS, "evict once");
	expect(D3DKMTEvict(&evict), STATUS_SUCCESS, "evict twice (OBJ-25)");
	resident.NumAllocations = 0;
	expect(D3DKMTMakeResident(&resident), STATUS_INVALID_PARAMETER, "no allocation");
	resident.NumAllocations = 1;
	resident.Flags.Value = 1u << 20;
	expect(D3DKMTMakeResident(&resident), STATUS_INVALID_PARAMETER, "a reserved flag");
	resident.Flags.Value = 0;
	resident.hPagingQueue = handles.device;
	expect(D3DKMTMakeResident(&resident), STATUS_INVALID_PARAMETER,
	       "a device's handle as paging queue");
	resident.hPagingQueue = handles.paging_queue;
	resident.AllocationList = BAD_POINTER;
	expect(D3DKMTMakeResident(&resident), STATUS_ACCESS_VIOLATION,
	       "an unreadable list");
	evict.Flags.Value = 1u << 20;
	expect(D3DKMTEvict(&evict), STATUS_INVALID_PARAMETER, "evict: a reserved flag");
}

static NTSTATUS map(D3DKMT_HANDLE allocation, UINT64 base, UINT64 offset, UINT64 pages,
		    UINT64 protection, UINT64 *address)
{
	D3DDDI_MAPGPUVIRTUALADDRESS args = {
		.hPagingQueue = handles.paging_queue,
		.BaseAddress = base,
		.hAllocation = allocation,
		.OffsetInPages = offset,
		.SizeInPages = pages,
		.Protection.Value = protection,
	};
	NTSTATUS status = D3DKMTMapGpuVirtualAddress(&args);

	if (address)
		*address = args.VirtualAddress;
	return status == STATUS_PENDING ? STATUS_SUCCESS : status;
}

static NTSTATUS unmap(UINT64 base, UINT64 bytes)
{
	D3DKMT_FREEGPUVIRTUALADDRESS args = {
		.hAdapter = handles.adapter,
		.BaseAddress = base,
		.Size = bytes,
	};

	return D3DKMTFreeGpuVirtualAddress(&args);
}

static void test_map(D3DKMT_HANDLE allocation)
{
	UINT64 address = 0, second = 0;

	expect(D3DKMTMapGpuVirtualAddress(NULL), STATUS_INVALID_PARAMETER,
	       "MapGpuVirtualAddress(NULL)");
	expect(map(allocation, 0, 0, 4, 1, &address), STATUS_SUCCESS, "map 4 pages");
	ok(address && !(address % PAGE), "an aligned GPU address");
	expect(map(allocation, 0, 2, 2, 0, &second), STATUS_SUCCESS,
	       "map two of them again, read-only");
	ok(second != address, "at another address");
	expect(map(allocation, address, 0, 4, 1, NULL), STATUS_INVALID_PARAMETER,
	       "map over a mapping");
	expect(unmap(second, 2 * PAGE), STATUS_SUCCESS, "free the second");
	expect(unmap(second, 2 * PAGE), STATUS_INVALID_PARAMETER, "free it again");
	expect(unmap(address, 4 * PAGE), STATUS_SUCCESS, "free the first");
	expect(map(allocation, 0, 0, 5, 1, NULL), STATUS_INVALID_PARAMETER,
	       "more pages than the allocation has");
	expect(map(allocation, 0, 4, 1, 1, NULL), STATUS_INVALID_PARAMETER,
	       "pages beyond its end");
	expect(map(allocation, 0, UINT64_MAX, 2, 1, NULL), STATUS_INVALID_PARAMETER,
	       "an offset that wraps");
	expect(map(allocation, 0, 0, UINT64_MAX, 1, NULL), STATUS_INVALID_PARAMETER,
	       "a size that wraps");
	expect(map(allocation, 0, 0, 1, 1ull << 40, NULL), STATUS_INVALID_PARAMETER,
	       "a reserved protection bit");
	expect(map(allocation, 0x12345, 0, 1, 1, NULL), STATUS_INVALID_PARAMETER,
	       "a misaligned address");
	expect(map(allocation, 1ull << 60, 0, 1, 1, NULL), STATUS_INVALID_PARAMETER,
	       "an address beyond the space");
	expect(map(BAD_HANDLE, 0, 0, 1, 1, NULL), STATUS_INVALID_PARAMETER,
	       "a wild handle");
}

static void test_reserve(D3DKMT_HANDLE allocation)
{
	D3DDDI_RESERVEGPUVIRTUALADDRESS reserve = {
		.hAdapter = handles.adapter,
		.Size = 16 * 65536,
	};
	UINT64 address;

	expect(D3DKMTReserveGpuVirtualAddress(NULL), STATUS_INVALID_PARAMETER,
	       "ReserveGpuVirtualAddress(NULL)");
	expect(D3DKMTReserveGpuVirtualAddress(&reserve), STATUS_SUCCESS, "reserve 1 MiB");
	address = reserve.VirtualAddress;
	ok(address && !(address % 65536), "aligned to 64 KiB");
	expect(map(allocation, address + PAGE, 0, 4, 1, NULL), STATUS_SUCCESS,
	       "map into the reservation");
	reserve.BaseAddress = address;
	expect(D3DKMTReserveGpuVirtualAddress(&reserve), STATUS_INVALID_PARAMETER,
	       "reserve it again");
	reserve.BaseAddress = 4096;
	expect(D3DKMTReserveGpuVirtualAddress(&reserve), STATUS_INVALID_PARAMETER,
	       "a base that is not 64 KiB aligned");
	reserve.BaseAddress = 0;
	reserve.Size = 0;
	expect(D3DKMTReserveGpuVirtualAddress(&reserve), STATUS_INVALID_PARAMETER, "no bytes");
	expect(unmap(address, 16 * 65536), STATUS_SUCCESS,
	       "free the reservation with the mapping in it");
	expect(unmap(address, 16 * 65536), STATUS_INVALID_PARAMETER, "free it again");
	expect(D3DKMTFreeGpuVirtualAddress(NULL), STATUS_INVALID_PARAMETER,
	       "FreeGpuVirtualAddress(NULL)");
}

int main(void)
{
	struct dxg_session *session = api_session(&handles);
	D3DKMT_HANDLE allocation;

	test_create();
	test_size();
	test_existing();
	if (allocate(4 * PAGE, 0, NULL, &allocation))
		bail("no allocation: %s", dxg_last_error());
	test_lock(allocation);
	test_residency(allocation);
	test_map(allocation);
	test_reserve(allocation);
	expect(destroy(allocation), STATUS_SUCCESS, "destroy the allocation");
	dxg_session_close(session);
	return done();
}
