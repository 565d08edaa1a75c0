// SPDX-License-Identifier: MIT
/*
 * D3DKMT calls about doorbells. They are 'X' calls: the kernel's structure is a
 * header, which carries the exact status back, and then the D3DKMT structure.
 */
#include <string.h>
#include <dxg/d3dkmthk.h>
#include <uapi/dxg.h>
#include "kernel.h"

static NTSTATUS call_x(unsigned long request, struct dxg_call_header *header,
		       UINT bytes)
{
	NTSTATUS status;

	header->size = bytes;
	status = dxg_kernel_call(request, header, DXG_CALL_WITH_HANDLE);
	return NT_SUCCESS(status) ? header->status : status;
}

static NTSTATUS null_argument(const char *function)
{
	return dxg_report(STATUS_INVALID_PARAMETER, "%s: the argument is NULL",
			  function);
}

NTSTATUS D3DKMTCreateDoorbell(D3DKMT_CREATE_DOORBELL *args)
{
	struct dxg_createdoorbell call = { 0 };
	unsigned char *body = (unsigned char *)&call + sizeof(call.header);
	NTSTATUS status;

	if (!args)
		return null_argument(__func__);
	memcpy(body, args, sizeof(*args));
	/* Padding of the caller's structure, which C leaves undefined. */
	call.reserved0 = 0;
	call.reserved1 = 0;
	status = call_x(DXG_CREATEDOORBELL, &call.header, sizeof(call));
	if (NT_SUCCESS(status))
		memcpy(args, body, sizeof(*args));
	return dxg_report(status,
			  "%s: hHwQueue 0x%x, hRingBuffer 0x%x, hRingBufferControl 0x%x, Flags 0x%x (allowed 0x3), PrivateDriverDataSize %u bytes (0..%u)",
			  __func__, args->hHwQueue, args->hRingBuffer,
			  args->hRingBufferControl, args->Flags.Value,
			  args->PrivateDriverDataSize,
			  D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1);
}

static NTSTATUS call_with_flags(unsigned long request, D3DKMT_HANDLE doorbell,
				UINT flags)
{
	struct dxg_doorbell_flags call = {
		.doorbell = doorbell,
		.flags = flags,
	};

	return call_x(request, &call.header, sizeof(call));
}

NTSTATUS D3DKMTConnectDoorbell(const D3DKMT_CONNECT_DOORBELL *args)
{
	if (!args)
		return null_argument(__func__);
	return dxg_report(call_with_flags(DXG_CONNECTDOORBELL, args->hDoorbell,
					  args->Flags.Value),
			  "%s: hDoorbell 0x%x, Flags 0x%x (allowed 0)", __func__,
			  args->hDoorbell, args->Flags.Value);
}

NTSTATUS D3DKMTNotifyWorkSubmission(const D3DKMT_NOTIFY_WORK_SUBMISSION *args)
{
	if (!args)
		return null_argument(__func__);
	return dxg_report(call_with_flags(DXG_NOTIFYWORKSUBMISSION, args->hDoorbell,
					  args->Flags.Value),
			  "%s: hDoorbell 0x%x, Flags 0x%x (allowed 0)", __func__,
			  args->hDoorbell, args->Flags.Value);
}

NTSTATUS D3DKMTDestroyDoorbell(const D3DKMT_DESTROY_DOORBELL *args)
{
	struct dxg_destroydoorbell call = { 0 };

	if (!args)
		return null_argument(__func__);
	call.doorbell = args->hDoorbell;
	return dxg_report(call_x(DXG_DESTROYDOORBELL, &call.header, sizeof(call)),
			  "%s: hDoorbell 0x%x", __func__, args->hDoorbell);
}
