// SPDX-License-Identifier: MIT
/* D3DKMT calls about devices and contexts. */
#include <dxg/d3dkmthk.h>
#include <uapi/dxg.h>
#include "kernel.h"

NTSTATUS D3DKMTCreateDevice(D3DKMT_CREATEDEVICE *args)
{
	return DXG_THUNK(LX_DXCREATEDEVICE, DXG_CALL_WITH_HANDLE, args,
			 "hAdapter 0x%x, Flags 0x%x (allowed 0x4)", args->hAdapter,
			 args->Flags.Value);
}

NTSTATUS D3DKMTDestroyDevice(const D3DKMT_DESTROYDEVICE *args)
{
	return DXG_THUNK(LX_DXDESTROYDEVICE, DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x", args->hDevice);
}

NTSTATUS D3DKMTCreateContextVirtual(D3DKMT_CREATECONTEXTVIRTUAL *args)
{
	return DXG_THUNK(LX_DXCREATECONTEXTVIRTUAL, DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x, NodeOrdinal %u, EngineAffinity 0x%x (0..1), Flags 0x%x (allowed 0x4, required 0x10)",
			 args->hDevice, args->NodeOrdinal, args->EngineAffinity,
			 args->Flags.Value);
}

NTSTATUS D3DKMTDestroyContext(const D3DKMT_DESTROYCONTEXT *args)
{
	return DXG_THUNK(LX_DXDESTROYCONTEXT, DXG_CALL_WITH_HANDLE, args,
			 "hContext 0x%x", args->hContext);
}

NTSTATUS D3DKMTGetDeviceState(D3DKMT_GETDEVICESTATE *args)
{
	return DXG_THUNK(LX_DXGETDEVICESTATE, DXG_CALL_WITH_HANDLE, args,
			 "hDevice 0x%x, StateType %d (1 or 5)", args->hDevice,
			 args->StateType);
}
