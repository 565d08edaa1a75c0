// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices, contexts, paging queues, device state; good and bad input. */
#include "api.h"

static void test_device(const struct dxg_session_handles *handles)
{
	D3DKMT_CREATEDEVICE create = { .hAdapter = handles->adapter };
	D3DKMT_DESTROYDEVICE destroy;

	expect(D3DKMTCreateDevice(NULL), STATUS_INVALID_PARAMETER, "CreateDevice(NULL)");
	expect(D3DKMTCreateDevice(&create), STATUS_SUCCESS, "create a device");
	destroy.hDevice = create.hDevice;
	expect(D3DKMTDestroyDevice(&destroy), STATUS_SUCCESS, "destroy it");
	expect(D3DKMTDestroyDevice(&destroy), STATUS_INVALID_PARAMETER, "destroy it again");
	expect(D3DKMTDestroyDevice(NULL), STATUS_INVALID_PARAMETER, "DestroyDevice(NULL)");

	create.Flags.Value = 1u << 31;
	expect(D3DKMTCreateDevice(&create), STATUS_INVALID_PARAMETER, "a reserved flag");
	create.Flags.Value = 0;
	create.hAdapter = handles->device;
	expect(D3DKMTCreateDevice(&create), STATUS_INVALID_PARAMETER,
	       "a device's handle as adapter");
	create.hAdapter = BAD_HANDLE;
	expect(D3DKMTCreateDevice(&create), STATUS_INVALID_PARAMETER, "a wild handle");
	destroy.hDevice = handles->adapter;
	expect(D3DKMTDestroyDevice(&destroy), STATUS_INVALID_PARAMETER,
	       "destroy an adapter as device");
}

static D3DKMT_CREATECONTEXTVIRTUAL good_context(const struct dxg_session_handles *handles)
{
	return (D3DKMT_CREATECONTEXTVIRTUAL) {
		.hDevice = handles->device,
		.NodeOrdinal = handles->node,
		.EngineAffinity = 1,
		.Flags.HwQueueSupported = 1,
	};
}

static void test_context(const struct dxg_session_handles *handles)
{
	D3DKMT_CREATECONTEXTVIRTUAL create = good_context(handles);
	D3DKMT_DESTROYCONTEXT destroy;

	expect(D3DKMTCreateContextVirtual(NULL), STATUS_INVALID_PARAMETER,
	       "CreateContextVirtual(NULL)");
	expect(D3DKMTCreateContextVirtual(&create), STATUS_SUCCESS, "create a context");
	destroy.hContext = create.hContext;
	expect(D3DKMTDestroyContext(&destroy), STATUS_SUCCESS, "destroy it");
	expect(D3DKMTDestroyContext(&destroy), STATUS_INVALID_PARAMETER, "destroy it again");
	expect(D3DKMTDestroyContext(NULL), STATUS_INVALID_PARAMETER, "DestroyContext(NULL)");
	destroy.hContext = handles->device;
	expect(D3DKMTDestroyContext(&destroy), STATUS_INVALID_PARAMETER,
	       "destroy a device as context");

	create = good_context(handles);
	create.NodeOrdinal = 99;
	expect(D3DKMTCreateContextVirtual(&create), STATUS_INVALID_PARAMETER, "node 99");
	create = good_context(handles);
	create.EngineAffinity = 2;
	expect(D3DKMTCreateContextVirtual(&create), STATUS_INVALID_PARAMETER, "affinity 2");
	create = good_context(handles);
	create.Flags.Value |= 1u << 30;
	expect(D3DKMTCreateContextVirtual(&create), STATUS_INVALID_PARAMETER,
	       "a reserved flag");
	create = good_context(handles);
	create.hDevice = handles->context;
	expect(D3DKMTCreateContextVirtual(&create), STATUS_INVALID_PARAMETER,
	       "a context's handle as device");
}

static void test_paging_queue(const struct dxg_session_handles *handles)
{
	D3DKMT_CREATEPAGINGQUEUE create = { .hDevice = handles->device };
	D3DDDI_DESTROYPAGINGQUEUE destroy;

	expect(D3DKMTCreatePagingQueue(NULL), STATUS_INVALID_PARAMETER,
	       "CreatePagingQueue(NULL)");
	expect(D3DKMTCreatePagingQueue(&create), STATUS_SUCCESS, "create a paging queue");
	ok(create.hSyncObject && create.FenceValueCPUVirtualAddress,
	   "it has a fence with a CPU address");
	ok(api_store_refused(create.FenceValueCPUVirtualAddress),
	   "the CPU cannot write that");
	destroy.hPagingQueue = create.hPagingQueue;
	expect(D3DKMTDestroyPagingQueue(&destroy), STATUS_SUCCESS, "destroy it");
	expect(D3DKMTDestroyPagingQueue(&destroy), STATUS_INVALID_PARAMETER,
	       "destroy it again");
	expect(D3DKMTDestroyPagingQueue(NULL), STATUS_INVALID_PARAMETER,
	       "DestroyPagingQueue(NULL)");
	create.Priority = (D3DDDI_PAGINGQUEUE_PRIORITY)2;
	expect(D3DKMTCreatePagingQueue(&create), STATUS_INVALID_PARAMETER, "priority 2");
	create.Priority = D3DDDI_PAGINGQUEUE_PRIORITY_NORMAL;
	create.PhysicalAdapterIndex = 1;
	expect(D3DKMTCreatePagingQueue(&create), STATUS_INVALID_PARAMETER,
	       "physical adapter 1");
}

static void test_state(const struct dxg_session_handles *handles)
{
	D3DKMT_GETDEVICESTATE state = {
		.hDevice = handles->device,
		.StateType = D3DKMT_DEVICESTATE_EXECUTION,
	};

	expect(D3DKMTGetDeviceState(NULL), STATUS_INVALID_PARAMETER, "GetDeviceState(NULL)");
	expect(D3DKMTGetDeviceState(&state), STATUS_SUCCESS, "ask for the state");
	ok(state.ExecutionState == D3DKMT_DEVICEEXECUTION_ACTIVE, "it is active");
	state.StateType = D3DKMT_DEVICESTATE_PAGE_FAULT;
	expect(D3DKMTGetDeviceState(&state), STATUS_SUCCESS, "ask for the page fault");
	ok(!state.PageFaultState.FaultedVirtualAddress, "there was none");
	state.StateType = (D3DKMT_DEVICESTATE_TYPE)77;
	expect(D3DKMTGetDeviceState(&state), STATUS_INVALID_PARAMETER, "type 77");
	state.StateType = D3DKMT_DEVICESTATE_EXECUTION;
	state.hDevice = BAD_HANDLE;
	expect(D3DKMTGetDeviceState(&state), STATUS_INVALID_PARAMETER, "a wild handle");
}

static void test_wait(const struct dxg_session_handles *handles)
{
	D3DKMT_HANDLE objects[2] = { handles->paging_fence, BAD_HANDLE };
	UINT64 values[2] = { 0, 0 };
	D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU wait = {
		.hDevice = handles->device,
		.ObjectCount = 1,
		.ObjectHandleArray = objects,
		.FenceValueArray = values,
	};

	expect(D3DKMTWaitForSynchronizationObjectFromCpu(NULL), STATUS_INVALID_PARAMETER,
	       "WaitForSynchronizationObjectFromCpu(NULL)");
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_SUCCESS,
	       "a fence value that has been reached");
	wait.ObjectCount = 2;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_INVALID_PARAMETER,
	       "a wild handle among them");
	wait.ObjectCount = 0;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_INVALID_PARAMETER,
	       "no object");
	wait.ObjectCount = D3DDDI_MAX_OBJECT_WAITED_ON + 1;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_INVALID_PARAMETER,
	       "33 objects");
	wait.ObjectCount = 1;
	wait.Flags.Value = 2;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_INVALID_PARAMETER,
	       "a reserved flag");
	wait.Flags.Value = 0;
	wait.hAsyncEvent = (HANDLE)(uintptr_t)0;
	wait.FenceValueArray = BAD_POINTER;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_ACCESS_VIOLATION,
	       "an unreadable array");
	wait.FenceValueArray = values;
	wait.hAsyncEvent = (HANDLE)(uintptr_t)1;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_INVALID_PARAMETER,
	       "an event that is no eventfd");
}

int main(void)
{
	struct dxg_session_handles handles;
	struct dxg_session *session = api_session(&handles);

	test_device(&handles);
	test_context(&handles);
	test_paging_queue(&handles);
	test_state(&handles);
	test_wait(&handles);
	dxg_session_close(session);
	return done();
}
