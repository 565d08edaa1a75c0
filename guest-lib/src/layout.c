// SPDX-License-Identifier: MIT
/*
 * Proof that the D3DKMT structures are the kernel's, byte for byte, which is
 * why the thunks pass the caller's structure through. Nothing here makes code.
 */
#include <dxg/d3dkmthk.h>
#include <uapi/dxg.h>

#define SAME_SIZE(ours, theirs) \
	_Static_assert(sizeof(ours) == sizeof(struct theirs), #ours)
#define SAME_FIELD(ours, field, theirs, name) \
	_Static_assert(offsetof(ours, field) == offsetof(struct theirs, name) && \
		       sizeof(((ours *)0)->field) == \
		       sizeof(((struct theirs *)0)->name), #ours "." #field)
/* The same behind the header of an 'X' call. */
#define SAME_FIELD_X(ours, field, theirs, name) \
	_Static_assert(offsetof(ours, field) + sizeof(struct dxg_call_header) == \
		       offsetof(struct theirs, name) && \
		       sizeof(((ours *)0)->field) == \
		       sizeof(((struct theirs *)0)->name), #ours "." #field)

SAME_SIZE(LUID, dxg_luid);

SAME_SIZE(D3DKMT_OPENADAPTERFROMLUID, dxg_openadapterfromluid);
SAME_FIELD(D3DKMT_OPENADAPTERFROMLUID, hAdapter, dxg_openadapterfromluid, adapter);

SAME_SIZE(D3DKMT_CLOSEADAPTER, dxg_handle_arg);
SAME_SIZE(D3DKMT_DESTROYDEVICE, dxg_handle_arg);
SAME_SIZE(D3DKMT_DESTROYCONTEXT, dxg_handle_arg);
SAME_SIZE(D3DKMT_DESTROYHWQUEUE, dxg_handle_arg);
SAME_SIZE(D3DDDI_DESTROYPAGINGQUEUE, dxg_handle_arg);
SAME_SIZE(D3DKMT_DESTROYSYNCHRONIZATIONOBJECT, dxg_handle_arg);

SAME_SIZE(D3DKMT_ADAPTERINFO, dxg_adapterinfo);
SAME_FIELD(D3DKMT_ADAPTERINFO, AdapterLuid, dxg_adapterinfo, adapter_luid);
SAME_FIELD(D3DKMT_ADAPTERINFO, NumOfSources, dxg_adapterinfo, num_sources);
SAME_SIZE(D3DKMT_ENUMADAPTERS2, dxg_enumadapters2);
SAME_FIELD(D3DKMT_ENUMADAPTERS2, pAdapters, dxg_enumadapters2, adapters);
SAME_SIZE(D3DKMT_ENUMADAPTERS3, dxg_enumadapters3);
SAME_FIELD(D3DKMT_ENUMADAPTERS3, NumAdapters, dxg_enumadapters3, num_adapters);
SAME_FIELD(D3DKMT_ENUMADAPTERS3, pAdapters, dxg_enumadapters3, adapters);

SAME_SIZE(D3DKMT_QUERYADAPTERINFO, dxg_queryadapterinfo);
SAME_FIELD(D3DKMT_QUERYADAPTERINFO, Type, dxg_queryadapterinfo, type);
SAME_FIELD(D3DKMT_QUERYADAPTERINFO, pPrivateDriverData, dxg_queryadapterinfo,
	   private_data);
SAME_FIELD(D3DKMT_QUERYADAPTERINFO, PrivateDriverDataSize, dxg_queryadapterinfo,
	   private_data_size);

SAME_SIZE(D3DKMT_CREATEDEVICE, dxg_createdevice);
SAME_FIELD(D3DKMT_CREATEDEVICE, Flags, dxg_createdevice, flags);
SAME_FIELD(D3DKMT_CREATEDEVICE, hDevice, dxg_createdevice, device);
SAME_FIELD(D3DKMT_CREATEDEVICE, pPatchLocationList, dxg_createdevice,
	   patch_location_list);

SAME_SIZE(D3DKMT_CREATECONTEXTVIRTUAL, dxg_createcontextvirtual);
SAME_FIELD(D3DKMT_CREATECONTEXTVIRTUAL, NodeOrdinal, dxg_createcontextvirtual,
	   node_ordinal);
SAME_FIELD(D3DKMT_CREATECONTEXTVIRTUAL, Flags, dxg_createcontextvirtual, flags);
SAME_FIELD(D3DKMT_CREATECONTEXTVIRTUAL, pPrivateDriverData,
	   dxg_createcontextvirtual, priv_drv_data);
SAME_FIELD(D3DKMT_CREATECONTEXTVIRTUAL, hContext, dxg_createcontextvirtual, context);

SAME_SIZE(D3DDDI_ALLOCATIONINFO2, dxg_allocationinfo2);
SAME_FIELD(D3DDDI_ALLOCATIONINFO2, pSystemMem, dxg_allocationinfo2, sysmem);
SAME_FIELD(D3DDDI_ALLOCATIONINFO2, pPrivateDriverData, dxg_allocationinfo2,
	   priv_drv_data);
SAME_FIELD(D3DDDI_ALLOCATIONINFO2, Flags, dxg_allocationinfo2, flags);
SAME_FIELD(D3DDDI_ALLOCATIONINFO2, GpuVirtualAddress, dxg_allocationinfo2,
	   gpu_virtual_address);
SAME_FIELD(D3DDDI_ALLOCATIONINFO2, Reserved, dxg_allocationinfo2, reserved);

SAME_SIZE(D3DKMT_CREATEALLOCATION, dxg_createallocation);
SAME_FIELD(D3DKMT_CREATEALLOCATION, pPrivateRuntimeData, dxg_createallocation,
	   private_runtime_data);
SAME_FIELD(D3DKMT_CREATEALLOCATION, pPrivateDriverData, dxg_createallocation,
	   priv_drv_data);
SAME_FIELD(D3DKMT_CREATEALLOCATION, NumAllocations, dxg_createallocation, alloc_count);
SAME_FIELD(D3DKMT_CREATEALLOCATION, pAllocationInfo2, dxg_createallocation,
	   allocation_info);
SAME_FIELD(D3DKMT_CREATEALLOCATION, Flags, dxg_createallocation, flags);
SAME_FIELD(D3DKMT_CREATEALLOCATION, hPrivateRuntimeResourceHandle,
	   dxg_createallocation, private_runtime_resource_handle);
_Static_assert(D3DKMT_CREATEALLOCATION_MAX == DXG_ALLOCATION_MAX_COUNT, "limit");
_Static_assert(D3DKMT_MAKERESIDENT_ALLOC_MAX == DXG_MAKERESIDENT_MAX_COUNT, "limit");
_Static_assert(D3DDDI_MAX_OBJECT_WAITED_ON == DXG_WAIT_MAX_OBJECTS, "limit");

SAME_SIZE(D3DKMT_DESTROYALLOCATION2, dxg_destroyallocation2);
SAME_FIELD(D3DKMT_DESTROYALLOCATION2, phAllocationList, dxg_destroyallocation2,
	   allocations);
SAME_FIELD(D3DKMT_DESTROYALLOCATION2, AllocationCount, dxg_destroyallocation2,
	   alloc_count);

SAME_SIZE(D3DKMT_CREATEPAGINGQUEUE, dxg_createpagingqueue);
SAME_FIELD(D3DKMT_CREATEPAGINGQUEUE, hSyncObject, dxg_createpagingqueue, sync_object);
SAME_FIELD(D3DKMT_CREATEPAGINGQUEUE, FenceValueCPUVirtualAddress,
	   dxg_createpagingqueue, fence_cpu_virtual_address);

SAME_SIZE(D3DDDI_MAKERESIDENT, dxg_makeresident);
SAME_FIELD(D3DDDI_MAKERESIDENT, AllocationList, dxg_makeresident, allocation_list);
SAME_FIELD(D3DDDI_MAKERESIDENT, Flags, dxg_makeresident, flags);
SAME_FIELD(D3DDDI_MAKERESIDENT, PagingFenceValue, dxg_makeresident,
	   paging_fence_value);

SAME_SIZE(D3DKMT_EVICT, dxg_evict);
SAME_FIELD(D3DKMT_EVICT, AllocationList, dxg_evict, allocations);
SAME_FIELD(D3DKMT_EVICT, NumBytesToTrim, dxg_evict, num_bytes_to_trim);

SAME_SIZE(D3DKMT_LOCK2, dxg_lock2);
SAME_FIELD(D3DKMT_LOCK2, pData, dxg_lock2, data);
SAME_SIZE(D3DKMT_UNLOCK2, dxg_unlock2);

SAME_SIZE(D3DDDI_RESERVEGPUVIRTUALADDRESS, dxg_reservegpuvirtualaddress);
SAME_FIELD(D3DDDI_RESERVEGPUVIRTUALADDRESS, Size, dxg_reservegpuvirtualaddress, size);
SAME_FIELD(D3DDDI_RESERVEGPUVIRTUALADDRESS, VirtualAddress,
	   dxg_reservegpuvirtualaddress, virtual_address);

SAME_SIZE(D3DDDI_MAPGPUVIRTUALADDRESS, dxg_mapgpuvirtualaddress);
SAME_FIELD(D3DDDI_MAPGPUVIRTUALADDRESS, hAllocation, dxg_mapgpuvirtualaddress,
	   allocation);
SAME_FIELD(D3DDDI_MAPGPUVIRTUALADDRESS, SizeInPages, dxg_mapgpuvirtualaddress,
	   size_in_pages);
SAME_FIELD(D3DDDI_MAPGPUVIRTUALADDRESS, Protection, dxg_mapgpuvirtualaddress,
	   protection);
SAME_FIELD(D3DDDI_MAPGPUVIRTUALADDRESS, VirtualAddress, dxg_mapgpuvirtualaddress,
	   virtual_address);
SAME_FIELD(D3DDDI_MAPGPUVIRTUALADDRESS, PagingFenceValue, dxg_mapgpuvirtualaddress,
	   paging_fence_value);

SAME_SIZE(D3DKMT_FREEGPUVIRTUALADDRESS, dxg_freegpuvirtualaddress);
SAME_FIELD(D3DKMT_FREEGPUVIRTUALADDRESS, Size, dxg_freegpuvirtualaddress, size);

SAME_SIZE(D3DKMT_CREATEHWQUEUE, dxg_createhwqueue);
SAME_FIELD(D3DKMT_CREATEHWQUEUE, Flags, dxg_createhwqueue, flags);
SAME_FIELD(D3DKMT_CREATEHWQUEUE, hHwQueue, dxg_createhwqueue, queue);
SAME_FIELD(D3DKMT_CREATEHWQUEUE, hHwQueueProgressFence, dxg_createhwqueue,
	   progress_fence);
SAME_FIELD(D3DKMT_CREATEHWQUEUE, HwQueueProgressFenceCPUVirtualAddress,
	   dxg_createhwqueue, progress_fence_cpu_va);
SAME_FIELD(D3DKMT_CREATEHWQUEUE, HwQueueProgressFenceGPUVirtualAddress,
	   dxg_createhwqueue, progress_fence_gpu_va);

SAME_SIZE(D3DKMT_SUBMITCOMMANDTOHWQUEUE, dxg_submitcommandtohwqueue);
SAME_FIELD(D3DKMT_SUBMITCOMMANDTOHWQUEUE, CommandBuffer, dxg_submitcommandtohwqueue,
	   command_buffer);
SAME_FIELD(D3DKMT_SUBMITCOMMANDTOHWQUEUE, pPrivateDriverData,
	   dxg_submitcommandtohwqueue, priv_drv_data);
SAME_FIELD(D3DKMT_SUBMITCOMMANDTOHWQUEUE, WrittenPrimaries,
	   dxg_submitcommandtohwqueue, written_primaries);
SAME_SIZE(D3DKMT_SUBMITWAITFORSYNCOBJECTSTOHWQUEUE,
	  dxg_submitwaitforsyncobjectstohwqueue);
SAME_FIELD(D3DKMT_SUBMITWAITFORSYNCOBJECTSTOHWQUEUE, FenceValueArray,
	   dxg_submitwaitforsyncobjectstohwqueue, fence_values);
SAME_SIZE(D3DKMT_SUBMITSIGNALSYNCOBJECTSTOHWQUEUE,
	  dxg_submitsignalsyncobjectstohwqueue);
SAME_FIELD(D3DKMT_SUBMITSIGNALSYNCOBJECTSTOHWQUEUE, BroadcastHwQueueArray,
	   dxg_submitsignalsyncobjectstohwqueue, queues);
SAME_FIELD(D3DKMT_SUBMITSIGNALSYNCOBJECTSTOHWQUEUE, ObjectHandleArray,
	   dxg_submitsignalsyncobjectstohwqueue, objects);
_Static_assert(D3DDDI_MAX_BROADCAST_CONTEXT == DXG_BROADCAST_MAX_QUEUES, "limit");

_Static_assert(sizeof(D3DKMT_CREATE_DOORBELL) + sizeof(struct dxg_call_header) ==
	       sizeof(struct dxg_createdoorbell), "D3DKMT_CREATE_DOORBELL");
SAME_FIELD_X(D3DKMT_CREATE_DOORBELL, hHwQueue, dxg_createdoorbell, queue);
SAME_FIELD_X(D3DKMT_CREATE_DOORBELL, Flags, dxg_createdoorbell, flags);
SAME_FIELD_X(D3DKMT_CREATE_DOORBELL, PrivateDriverData, dxg_createdoorbell,
	     priv_drv_data);
SAME_FIELD_X(D3DKMT_CREATE_DOORBELL, DoorbellCPUVirtualAddress, dxg_createdoorbell,
	     doorbell_cpu_va);
SAME_FIELD_X(D3DKMT_CREATE_DOORBELL, DoorbellStatusCPUVirtualAddress,
	     dxg_createdoorbell, doorbell_status_cpu_va);
SAME_FIELD_X(D3DKMT_CREATE_DOORBELL,
	     HwQueueProgressFenceLastQueuedValueCPUVirtualAddress,
	     dxg_createdoorbell, last_queued_value_cpu_va);
SAME_FIELD_X(D3DKMT_CREATE_DOORBELL, hDoorbell, dxg_createdoorbell, doorbell);

SAME_SIZE(D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU, dxg_waitforsyncobjectfromcpu);
SAME_FIELD(D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU, FenceValueArray,
	   dxg_waitforsyncobjectfromcpu, fence_values);
SAME_FIELD(D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU, hAsyncEvent,
	   dxg_waitforsyncobjectfromcpu, async_event);
SAME_FIELD(D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU, Flags,
	   dxg_waitforsyncobjectfromcpu, flags);

SAME_SIZE(D3DKMT_GETDEVICESTATE, dxg_getdevicestate);
SAME_FIELD(D3DKMT_GETDEVICESTATE, ExecutionState, dxg_getdevicestate, execution_state);
SAME_FIELD(D3DKMT_GETDEVICESTATE, PageFaultState.FaultErrorCode, dxg_getdevicestate,
	   page_fault.error_code);
SAME_FIELD(D3DKMT_GETDEVICESTATE, PageFaultState.FaultedVirtualAddress,
	   dxg_getdevicestate, page_fault.virtual_address);
