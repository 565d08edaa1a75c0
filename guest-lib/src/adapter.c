// SPDX-License-Identifier: MIT
/* D3DKMT calls about adapters. */
#include <dxg/d3dkmthk.h>
#include <uapi/dxg.h>
#include "kernel.h"

NTSTATUS D3DKMTEnumAdapters2(D3DKMT_ENUMADAPTERS2 *args)
{
	return DXG_THUNK(LX_DXENUMADAPTERS2, DXG_CALL_MAY_OPEN, args,
			 "NumAdapters %u, node " DXG_DEVICE_PATH,
			 args->NumAdapters);
}

NTSTATUS D3DKMTEnumAdapters3(D3DKMT_ENUMADAPTERS3 *args)
{
	return DXG_THUNK(LX_DXENUMADAPTERS3, DXG_CALL_MAY_OPEN, args,
			 "NumAdapters %u, Filter 0x%llx (bits 0x7 are defined), node "
			 DXG_DEVICE_PATH, args->NumAdapters,
			 (unsigned long long)args->Filter.Value);
}

NTSTATUS D3DKMTOpenAdapterFromLuid(D3DKMT_OPENADAPTERFROMLUID *args)
{
	return DXG_THUNK(LX_DXOPENADAPTERFROMLUID, DXG_CALL_MAY_OPEN, args,
			 "AdapterLuid %x:%x, node " DXG_DEVICE_PATH,
			 (UINT)args->AdapterLuid.HighPart,
			 args->AdapterLuid.LowPart);
}

NTSTATUS D3DKMTCloseAdapter(const D3DKMT_CLOSEADAPTER *args)
{
	return DXG_THUNK(LX_DXCLOSEADAPTER, DXG_CALL_WITH_HANDLE, args,
			 "hAdapter 0x%x", args->hAdapter);
}

NTSTATUS D3DKMTQueryAdapterInfo(const D3DKMT_QUERYADAPTERINFO *args)
{
	return DXG_THUNK(LX_DXQUERYADAPTERINFO, DXG_CALL_WITH_HANDLE, args,
			 "hAdapter 0x%x, Type %d, PrivateDriverDataSize %u bytes",
			 args->hAdapter, args->Type, args->PrivateDriverDataSize);
}
