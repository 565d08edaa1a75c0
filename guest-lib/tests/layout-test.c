// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The published layouts: sizes of the D3DKMT structures, and the ioctl numbers that
 * WSL's /dev/dxg has for the same calls, which contain the sizes. src/layout.c
 * proves the two headers equal to each other; this holds them against the outside.
 */
#include <dxg/d3dkmthk.h>
#include <uapi/dxg.h>
#include "tap.h"

#define SIZE(type, bytes) { #type, sizeof(type), bytes }
#define NUMBER(name, value) { #name, name, value }

static const struct {
	const char *name;
	unsigned long ours, published;
} rows[] = {
	SIZE(LUID, 8),
	SIZE(D3DKMT_ADAPTERINFO, 20),
	SIZE(D3DKMT_NODEMETADATA, 78),
	SIZE(DXGK_NODEMETADATA, 74),
	SIZE(D3DDDI_ALLOCATIONINFO2, 96),
	SIZE(D3DKMT_CREATE_DOORBELL, 72),
	SIZE(D3DKMT_CONNECT_DOORBELL, 8),
	SIZE(D3DKMT_DESTROY_DOORBELL, 4),
	SIZE(D3DKMT_NOTIFY_WORK_SUBMISSION, 8),
	SIZE(D3DKMT_DEVICEPAGEFAULT_STATE, 32),
	SIZE(D3DDDI_CREATEHWQUEUEFLAGS, 4),
	SIZE(D3DDDICB_SIGNALFLAGS, 4),
	SIZE(D3DKMT_CREATEALLOCATIONFLAGS, 4),
	SIZE(D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE, 8),
	NUMBER(LX_DXOPENADAPTERFROMLUID, 0xc00c4701),
	NUMBER(LX_DXCREATEDEVICE, 0xc0404702),
	NUMBER(LX_DXCREATECONTEXTVIRTUAL, 0xc0284704),
	NUMBER(LX_DXDESTROYCONTEXT, 0xc0044705),
	NUMBER(LX_DXCREATEALLOCATION, 0xc0484706),
	NUMBER(LX_DXCREATEPAGINGQUEUE, 0xc0204707),
	NUMBER(LX_DXRESERVEGPUVIRTUALADDRESS, 0xc0484708),
	NUMBER(LX_DXQUERYADAPTERINFO, 0xc0184709),
	NUMBER(LX_DXMAKERESIDENT, 0xc030470b),
	NUMBER(LX_DXMAPGPUVIRTUALADDRESS, 0xc068470c),
	NUMBER(LX_DXGETDEVICESTATE, 0xc038470e),
	NUMBER(LX_DXDESTROYALLOCATION2, 0xc0184713),
	NUMBER(LX_DXENUMADAPTERS2, 0xc0104714),
	NUMBER(LX_DXCLOSEADAPTER, 0xc0044715),
	NUMBER(LX_DXCREATEHWQUEUE, 0xc0304718),
	NUMBER(LX_DXDESTROYDEVICE, 0xc0044719),
	NUMBER(LX_DXDESTROYHWQUEUE, 0xc004471b),
	NUMBER(LX_DXDESTROYPAGINGQUEUE, 0xc004471c),
	NUMBER(LX_DXDESTROYSYNCHRONIZATIONOBJECT, 0xc004471d),
	NUMBER(LX_DXEVICT, 0xc020471e),
	NUMBER(LX_DXFREEGPUVIRTUALADDRESS, 0xc0184720),
	NUMBER(LX_DXLOCK2, 0xc0184725),
	NUMBER(LX_DXSUBMITCOMMANDTOHWQUEUE, 0xc0384734),
	NUMBER(LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE, 0xc0284735),
	NUMBER(LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE, 0xc0184736),
	NUMBER(LX_DXUNLOCK2, 0xc0084737),
	NUMBER(LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, 0xc028473a),
	NUMBER(LX_DXENUMADAPTERS3, 0xc018473e),
};

/* A named bit and the published bit number, through the flag word's two views. */
static void test_bits(void)
{
	D3DDDI_CREATEHWQUEUEFLAGS queue = { .UserModeSubmission = 1 };
	D3DDDI_CREATECONTEXTFLAGS context = { .HwQueueSupported = 1 };
	D3DKMT_CREATEALLOCATIONFLAGS allocation = { .ExistingSysMem = 1, .Zeroed = 1 };
	DXGK_NODEMETADATA_FLAGS node = { .UserModeSubmission = 1 };
	D3DKMT_CREATE_DOORBELL_FLAGS doorbell = { .ResizeRingBufferOperation = 1 };
	DXGK_FAULT_ERROR_CODE code = { .Value = 2 << 1 | 1 };
	D3DKMT_ADAPTERTYPE type = { .ComputeOnly = 1 };

	ok(queue.Value == DXG_HWQUEUE_USER_MODE_SUBMISSION, "UserModeSubmission is b4");
	ok(context.Value == DXG_CONTEXT_HW_QUEUE_SUPPORTED, "HwQueueSupported is b4");
	ok(allocation.Value == (DXG_ALLOCATION_EXISTING_SYSMEM | DXG_ALLOCATION_ZEROED),
	   "ExistingSysMem is b5, Zeroed b14");
	ok(node.Value == 1u << 3, "the node's UserModeSubmission, which has this name alone, is b3 (DDI-NM-3)");
	ok(doorbell.Value == DXG_DOORBELL_RESIZE, "ResizeRingBufferOperation is b1");
	ok(code.IsDeviceSpecificCode && code.DeviceSpecificCode == 2,
	   "a fault code's two views");
	ok(type.Value == 1u << 11, "ComputeOnly is b11");
	ok(D3DDDI_DOORBELL_STATUS_CONNECTED_NOTIFY == 1, "one spelling of the doorbell status");
	ok((int)D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT,
	   "and the other (OP-1)");
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ok(rows[i].ours == rows[i].published, "%s is 0x%lx", rows[i].name,
		   rows[i].published);
	test_bits();
	return done();
}
