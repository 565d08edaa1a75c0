// SPDX-License-Identifier: GPL-2.0-or-later
/* Hardware queues and their progress fence; good and bad input. */
#include "api.h"

static struct dxg_session_handles handles;

static D3DKMT_CREATEHWQUEUE good_queue(void)
{
	return (D3DKMT_CREATEHWQUEUE) {
		.hHwContext = handles.context,
		.Flags.UserModeSubmission = 1,
	};
}

static NTSTATUS destroy(D3DKMT_HANDLE queue)
{
	D3DKMT_DESTROYHWQUEUE args = { .hHwQueue = queue };

	return D3DKMTDestroyHwQueue(&args);
}

static void test_create(void)
{
	D3DKMT_CREATEHWQUEUE create = good_queue();
	volatile UINT64 *fence;

	expect(D3DKMTCreateHwQueue(NULL), STATUS_INVALID_PARAMETER, "CreateHwQueue(NULL)");
	expect(D3DKMTCreateHwQueue(&create), STATUS_SUCCESS, "create a queue");
	fence = create.HwQueueProgressFenceCPUVirtualAddress;
	ok(create.hHwQueue && create.hHwQueueProgressFence && fence &&
	   create.HwQueueProgressFenceGPUVirtualAddress,
	   "it has a fence with handle, CPU and GPU address (KMT-HQ-2)");
	ok(!((uintptr_t)fence % 8) && *fence == 0, "the fence is aligned and 0");
	ok(api_store_refused((volatile UINT64 *)fence), "a CPU store to it faults (PF-8)");
	expect(destroy(create.hHwQueue), STATUS_SUCCESS, "destroy it");
	expect(destroy(create.hHwQueue), STATUS_INVALID_PARAMETER, "destroy it again");
}

static void test_bad_create(void)
{
	D3DKMT_CREATEHWQUEUE create = good_queue();

	create.Flags.Value |= 1u << 31;
	expect(D3DKMTCreateHwQueue(&create), STATUS_INVALID_PARAMETER, "a reserved flag");
	create = good_queue();
	create.hHwContext = handles.device;
	expect(D3DKMTCreateHwQueue(&create), STATUS_INVALID_PARAMETER,
	       "a device's handle as context");
	create.hHwContext = 0;
	expect(D3DKMTCreateHwQueue(&create), STATUS_INVALID_PARAMETER, "context 0");
	create = good_queue();
	create.PrivateDriverDataSize = 1u << 20;
	create.pPrivateDriverData = &create;
	expect(D3DKMTCreateHwQueue(&create), STATUS_INVALID_PARAMETER,
	       "private data of 1 MiB (KMT-CD-18)");
	create.PrivateDriverDataSize = 8;
	create.pPrivateDriverData = BAD_POINTER;
	expect(D3DKMTCreateHwQueue(&create), STATUS_ACCESS_VIOLATION,
	       "unreadable private data");
	expect(destroy(handles.context), STATUS_INVALID_PARAMETER,
	       "destroy a context as queue");
	expect(D3DKMTDestroyHwQueue(NULL), STATUS_INVALID_PARAMETER, "DestroyHwQueue(NULL)");
}

/* The handle of a destroyed object must stay dead, whatever is made in its place. */
static void test_stale(void)
{
	D3DKMT_CREATEHWQUEUE create = good_queue();
	D3DKMT_HANDLE stale;
	UINT hits = 0, i;

	if (D3DKMTCreateHwQueue(&create))
		bail("no queue: %s", dxg_last_error());
	stale = create.hHwQueue;
	destroy(stale);
	for (i = 0; i < 200; i++) {
		create = good_queue();
		if (D3DKMTCreateHwQueue(&create))
			bail("no queue: %s", dxg_last_error());
		hits += destroy(stale) != STATUS_INVALID_PARAMETER;
		destroy(create.hHwQueue);
	}
	ok(!hits, "a stale handle stays invalid over 200 new queues (OBJ-17)");
}

static void test_context_destroys(void)
{
	D3DKMT_CREATECONTEXTVIRTUAL context = {
		.hDevice = handles.device,
		.NodeOrdinal = handles.node,
		.Flags.HwQueueSupported = 1,
	};
	D3DKMT_DESTROYCONTEXT destroy_context;
	D3DKMT_CREATEHWQUEUE create = good_queue();

	expect(D3DKMTCreateContextVirtual(&context), STATUS_SUCCESS, "a second context");
	create.hHwContext = context.hContext;
	expect(D3DKMTCreateHwQueue(&create), STATUS_SUCCESS, "a queue on it");
	destroy_context.hContext = context.hContext;
	expect(D3DKMTDestroyContext(&destroy_context), STATUS_SUCCESS,
	       "destroy the context with its queue");
	expect(destroy(create.hHwQueue), STATUS_INVALID_PARAMETER, "the queue has gone too");
}

static void test_fence(void)
{
	D3DKMT_CREATEHWQUEUE create = good_queue();
	D3DKMT_DESTROYSYNCHRONIZATIONOBJECT destroy_fence;
	UINT64 value = 0;
	D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU wait = {
		.hDevice = handles.device,
		.ObjectCount = 1,
		.ObjectHandleArray = &create.hHwQueueProgressFence,
		.FenceValueArray = &value,
	};

	expect(D3DKMTCreateHwQueue(&create), STATUS_SUCCESS, "one more queue");
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_SUCCESS,
	       "value 0 of its fence has been reached");
	destroy_fence.hSyncObject = create.hHwQueueProgressFence;
	expect(D3DKMTDestroySynchronizationObject(&destroy_fence),
	       STATUS_INVALID_PARAMETER, "destroy a queue's own fence");
	expect(D3DKMTDestroySynchronizationObject(NULL), STATUS_INVALID_PARAMETER,
	       "DestroySynchronizationObject(NULL)");
	destroy_fence.hSyncObject = BAD_HANDLE;
	expect(D3DKMTDestroySynchronizationObject(&destroy_fence),
	       STATUS_INVALID_PARAMETER, "destroy a wild handle as fence");
	wait.ObjectHandleArray = &create.hHwQueue;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_INVALID_PARAMETER,
	       "a queue's handle as fence");
	destroy(create.hHwQueue);
	wait.ObjectHandleArray = &create.hHwQueueProgressFence;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_INVALID_PARAMETER,
	       "the fence of a destroyed queue");
}

int main(void)
{
	struct dxg_session *session = api_session(&handles);

	test_create();
	test_bad_create();
	test_stale();
	test_context_destroys();
	test_fence();
	dxg_session_close(session);
	return done();
}
