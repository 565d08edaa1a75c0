// SPDX-License-Identifier: MIT
/*
 * D3DKMT calls about doorbells. They are 'X' calls: the kernel's structure is a
 * header, which carries the exact status back, and then the D3DKMT structure.
 */
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

/* A copy of the caller's structure, or what is wrong with it. */
static NTSTATUS get(const char *function, void *copy, const void *args, UINT bytes)
{
	if (!args)
		return dxg_null_argument(function);
	if (!dxg_copy_from_caller(copy, args, bytes))
		return dxg_bad_argument(function, args);
	return STATUS_SUCCESS;
}

NTSTATUS D3DKMTCreateDoorbell(D3DKMT_CREATE_DOORBELL *args)
{
	struct dxg_createdoorbell call = { 0 };
	unsigned char *body = (unsigned char *)&call + sizeof(call.header);
	struct dxg_destroydoorbell undo = { 0 };
	NTSTATUS status = get(__func__, body, args, sizeof(*args));

	if (!NT_SUCCESS(status))
		return status;
	/* Padding of the caller's structure, which C leaves undefined. */
	call.reserved0 = 0;
	call.reserved1 = 0;
	status = call_x(DXG_CREATEDOORBELL, &call.header, sizeof(call));
	/* What cannot be told to the caller must not exist (KMT-0.5). */
	if (NT_SUCCESS(status) && !dxg_copy_to_caller(args, body, sizeof(*args))) {
		undo.doorbell = call.doorbell;
		call_x(DXG_DESTROYDOORBELL, &undo.header, sizeof(undo));
		return dxg_bad_argument(__func__, args);
	}
	return dxg_report(status,
			  "%s: hHwQueue 0x%x, hRingBuffer 0x%x, hRingBufferControl 0x%x, Flags 0x%x (allowed 0x3), PrivateDriverDataSize %u bytes (0..%u)",
			  __func__, call.queue, call.ring_buffer,
			  call.ring_buffer_control, call.flags, call.priv_drv_data_size,
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
	D3DKMT_CONNECT_DOORBELL copy;
	NTSTATUS status = get(__func__, &copy, args, sizeof(copy));

	if (!NT_SUCCESS(status))
		return status;
	return dxg_report(call_with_flags(DXG_CONNECTDOORBELL, copy.hDoorbell,
					  copy.Flags.Value),
			  "%s: hDoorbell 0x%x, Flags 0x%x (allowed 0)", __func__,
			  copy.hDoorbell, copy.Flags.Value);
}

NTSTATUS D3DKMTNotifyWorkSubmission(const D3DKMT_NOTIFY_WORK_SUBMISSION *args)
{
	D3DKMT_NOTIFY_WORK_SUBMISSION copy;
	NTSTATUS status = get(__func__, &copy, args, sizeof(copy));

	if (!NT_SUCCESS(status))
		return status;
	return dxg_report(call_with_flags(DXG_NOTIFYWORKSUBMISSION, copy.hDoorbell,
					  copy.Flags.Value),
			  "%s: hDoorbell 0x%x, Flags 0x%x (allowed 0)", __func__,
			  copy.hDoorbell, copy.Flags.Value);
}

NTSTATUS D3DKMTDestroyDoorbell(const D3DKMT_DESTROY_DOORBELL *args)
{
	struct dxg_destroydoorbell call = { 0 };
	D3DKMT_DESTROY_DOORBELL copy;
	NTSTATUS status = get(__func__, &copy, args, sizeof(copy));

	if (!NT_SUCCESS(status))
		return status;
	call.doorbell = copy.hDoorbell;
	return dxg_report(call_x(DXG_DESTROYDOORBELL, &call.header, sizeof(call)),
			  "%s: hDoorbell 0x%x", __func__, copy.hDoorbell);
}
