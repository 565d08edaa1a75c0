// SPDX-License-Identifier: MIT
/* D3DKMT calls about hardware queues and fences. */
#include <dxg/d3dkmthk.h>
#include <uapi/dxg.h>
#include "kernel.h"

NTSTATUS D3DKMTCreateHwQueue(D3DKMT_CREATEHWQUEUE *args)
{
	return DXG_THUNK(LX_DXCREATEHWQUEUE, DXG_CALL_WITH_HANDLE, args,
			 "hHwContext 0x%x, Flags 0x%x (allowed 0x11), PrivateDriverDataSize %u bytes",
			 args->hHwContext, args->Flags.Value,
			 args->PrivateDriverDataSize);
}

NTSTATUS D3DKMTDestroyHwQueue(const D3DKMT_DESTROYHWQUEUE *args)
{
	return DXG_THUNK(LX_DXDESTROYHWQUEUE, DXG_CALL_WITH_HANDLE, args,
			 "hHwQueue 0x%x", args->hHwQueue);
}

NTSTATUS D3DKMTSubmitCommandToHwQueue(const D3DKMT_SUBMITCOMMANDTOHWQUEUE *args)
{
	return DXG_THUNK(LX_DXSUBMITCOMMANDTOHWQUEUE, DXG_CALL_WITH_HANDLE, args,
			 "hHwQueue 0x%x, which takes no submission by call",
			 args->hHwQueue);
}

NTSTATUS
D3DKMTSubmitWaitForSyncObjectsToHwQueue(const D3DKMT_SUBMITWAITFORSYNCOBJECTSTOHWQUEUE *args)
{
	return DXG_THUNK(LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE, DXG_CALL_WITH_HANDLE,
			 args, "hHwQueue 0x%x, which takes no submission by call",
			 args->hHwQueue);
}

NTSTATUS
D3DKMTSubmitSignalSyncObjectsToHwQueue(const D3DKMT_SUBMITSIGNALSYNCOBJECTSTOHWQUEUE *args)
{
	return DXG_THUNK(LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE, DXG_CALL_WITH_HANDLE,
			 args,
			 "Flags 0x%x (allowed 0x7), BroadcastHwQueueCount %u (1..%u), none of which takes submission by call",
			 args->Flags.Value, args->BroadcastHwQueueCount,
			 D3DDDI_MAX_BROADCAST_CONTEXT);
}

NTSTATUS
D3DKMTWaitForSynchronizationObjectFromCpu(const D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU *args)
{
	return DXG_THUNK(LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU,
			 DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x, ObjectCount %u (1..%u), Flags 0x%x (allowed 0x1)",
			 args->hDevice, args->ObjectCount,
			 D3DDDI_MAX_OBJECT_WAITED_ON, args->Flags.Value);
}

NTSTATUS D3DKMTDestroySynchronizationObject(const D3DKMT_DESTROYSYNCHRONIZATIONOBJECT *args)
{
	return DXG_THUNK(LX_DXDESTROYSYNCHRONIZATIONOBJECT, DXG_CALL_WITH_HANDLE,
			 args, "hSyncObject 0x%x", args->hSyncObject);
}
