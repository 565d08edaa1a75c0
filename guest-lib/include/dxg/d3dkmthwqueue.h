/* SPDX-License-Identifier: MIT */
/*
 * The structures of hardware queues and of submissions to them through the kernel.
 * The calls are in <dxg/d3dkmthk.h>, which includes this.
 */
#ifndef DXG_D3DKMTHWQUEUE_H
#define DXG_D3DKMTHWQUEUE_H

#include <dxg/d3dukmdt.h>

typedef struct _D3DKMT_CREATEHWQUEUE {
	D3DKMT_HANDLE hHwContext;		/* a context with HwQueueSupported */
	D3DDDI_CREATEHWQUEUEFLAGS Flags;	/* UserModeSubmission */
	UINT PrivateDriverDataSize;
	void *pPrivateDriverData;
	D3DKMT_HANDLE hHwQueue;			/* out */
	D3DKMT_HANDLE hHwQueueProgressFence;	/* out */
	void *HwQueueProgressFenceCPUVirtualAddress; /* out: UINT64, read-only */
	D3DGPU_VIRTUAL_ADDRESS HwQueueProgressFenceGPUVirtualAddress; /* out */
} D3DKMT_CREATEHWQUEUE;

DXG_ASSERT_SIZE(D3DKMT_CREATEHWQUEUE, 48);

typedef struct _D3DKMT_DESTROYHWQUEUE {
	D3DKMT_HANDLE hHwQueue;
} D3DKMT_DESTROYHWQUEUE;

typedef struct _D3DKMT_SUBMITCOMMANDTOHWQUEUE {
	D3DKMT_HANDLE hHwQueue;
	UINT64 HwQueueProgressFenceId;
	D3DGPU_VIRTUAL_ADDRESS CommandBuffer;
	UINT CommandLength;			/* bytes */
	UINT PrivateDriverDataSize;
	void *pPrivateDriverData;
	UINT NumPrimaries;
	const D3DKMT_HANDLE *WrittenPrimaries;
} D3DKMT_SUBMITCOMMANDTOHWQUEUE;

DXG_ASSERT_SIZE(D3DKMT_SUBMITCOMMANDTOHWQUEUE, 56);

typedef struct _D3DKMT_SUBMITWAITFORSYNCOBJECTSTOHWQUEUE {
	D3DKMT_HANDLE hHwQueue;
	UINT ObjectCount;
	const D3DKMT_HANDLE *ObjectHandleArray;
	const UINT64 *FenceValueArray;
} D3DKMT_SUBMITWAITFORSYNCOBJECTSTOHWQUEUE;

DXG_ASSERT_SIZE(D3DKMT_SUBMITWAITFORSYNCOBJECTSTOHWQUEUE, 24);

typedef struct _D3DKMT_SUBMITSIGNALSYNCOBJECTSTOHWQUEUE {
	D3DDDICB_SIGNALFLAGS Flags;
	UINT BroadcastHwQueueCount;		/* 1 .. D3DDDI_MAX_BROADCAST_CONTEXT */
	const D3DKMT_HANDLE *BroadcastHwQueueArray;
	UINT ObjectCount;
	const D3DKMT_HANDLE *ObjectHandleArray;
	const UINT64 *FenceValueArray;
} D3DKMT_SUBMITSIGNALSYNCOBJECTSTOHWQUEUE;

DXG_ASSERT_SIZE(D3DKMT_SUBMITSIGNALSYNCOBJECTSTOHWQUEUE, 40);

#endif /* DXG_D3DKMTHWQUEUE_H */
