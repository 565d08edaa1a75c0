// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Doorbells: create, connect, notify, destroy; good and bad input.
 *
 *   api-doorbell [secondary]
 *
 * secondary: the device has secondary doorbells; without it, it must have none.
 */
#include <dxgpu/ring.h>
#include "api.h"

static struct dxg_session *session;
static struct dxg_session_handles handles;

/* A queue with what a doorbell needs, but without doorbell. */
struct parts {
	D3DKMT_CREATEHWQUEUE queue;
	struct dxg_buffer ring, control;
};

static void parts_create(struct parts *parts)
{
	parts->queue = (D3DKMT_CREATEHWQUEUE) {
		.hHwContext = handles.context,
		.Flags.UserModeSubmission = 1,
	};
	if (D3DKMTCreateHwQueue(&parts->queue) ||
	    dxg_buffer_create(session, 4096, 0, &parts->ring) ||
	    dxg_buffer_create(session, 4096, 0, &parts->control))
		bail("no queue or ring: %s", dxg_last_error());
}

static void parts_destroy(struct parts *parts)
{
	D3DKMT_DESTROYHWQUEUE destroy = { .hHwQueue = parts->queue.hHwQueue };

	D3DKMTDestroyHwQueue(&destroy);
	dxg_buffer_destroy(session, &parts->ring);
	dxg_buffer_destroy(session, &parts->control);
}

static D3DKMT_CREATE_DOORBELL good(const struct parts *parts)
{
	return (D3DKMT_CREATE_DOORBELL) {
		.hHwQueue = parts->queue.hHwQueue,
		.hRingBuffer = parts->ring.allocation,
		.hRingBufferControl = parts->control.allocation,
	};
}

static NTSTATUS connect_doorbell(D3DKMT_HANDLE doorbell, UINT flags)
{
	D3DKMT_CONNECT_DOORBELL args = { .hDoorbell = doorbell, .Flags.Value = flags };

	return D3DKMTConnectDoorbell(&args);
}

static NTSTATUS notify_doorbell(D3DKMT_HANDLE doorbell, UINT flags)
{
	D3DKMT_NOTIFY_WORK_SUBMISSION args = {
		.hDoorbell = doorbell,
		.Flags.Value = flags,
	};

	return D3DKMTNotifyWorkSubmission(&args);
}

static NTSTATUS destroy_doorbell(D3DKMT_HANDLE doorbell)
{
	D3DKMT_DESTROY_DOORBELL args = { .hDoorbell = doorbell };

	return D3DKMTDestroyDoorbell(&args);
}

static void test_life(void)
{
	struct parts parts;
	D3DKMT_CREATE_DOORBELL create;
	volatile UINT64 *status, *queued, *bell;

	parts_create(&parts);
	create = good(&parts);
	expect(D3DKMTCreateDoorbell(NULL), STATUS_INVALID_PARAMETER, "CreateDoorbell(NULL)");
	expect(D3DKMTCreateDoorbell(&create), STATUS_SUCCESS, "create a doorbell");
	status = create.DoorbellStatusCPUVirtualAddress;
	queued = create.HwQueueProgressFenceLastQueuedValueCPUVirtualAddress;
	bell = create.DoorbellCPUVirtualAddress;
	ok(create.hDoorbell && status && queued && bell &&
	   !create.DoorbellSecondaryCPUVirtualAddress,
	   "all addresses but the secondary one are there (KMT-CD-3, KMT-CD-15)");
	if (!status || !queued || !bell)
		bail("nothing to go on with");
	ok(*status == D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
	   "the status word reads RETRY (OBJ-8)");
	ok(*queued == 0, "the last-queued word is 0 (OBJ-9)");
	ok(api_store_refused((volatile UINT64 *)status),
	   "a store to the status word faults (OBJ-7)");
	ok(!api_store_refused(bell), "a ring before any connect is legal (KMT-CD-6)");
	ok(*status == D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY, "and changes nothing");

	expect(notify_doorbell(create.hDoorbell, 0), STATUS_SUCCESS,
	       "notify while disconnected is a hint (KMT-NW-4)");
	expect(connect_doorbell(create.hDoorbell, 0), STATUS_SUCCESS, "connect");
	ok(*status == D3DDDI_DOORBELLSTATUS_CONNECTED, "the status word reads CONNECTED");
	expect(connect_doorbell(create.hDoorbell, 0), STATUS_SUCCESS,
	       "connect again (KMT-CN-9)");
	*bell = 0;
	ok(*status == D3DDDI_DOORBELLSTATUS_CONNECTED,
	   "a ring without work is harmless (ORD-25)");
	expect(notify_doorbell(create.hDoorbell, 0), STATUS_SUCCESS, "notify");
	expect(connect_doorbell(create.hDoorbell, 1), STATUS_INVALID_PARAMETER,
	       "connect with a flag");
	expect(notify_doorbell(create.hDoorbell, 1), STATUS_INVALID_PARAMETER,
	       "notify with a flag");
	expect(destroy_doorbell(create.hDoorbell), STATUS_SUCCESS, "destroy");
	expect(destroy_doorbell(create.hDoorbell), STATUS_INVALID_PARAMETER,
	       "destroy again (KMT-DD-2)");
	expect(connect_doorbell(create.hDoorbell, 0), STATUS_INVALID_PARAMETER,
	       "connect what is destroyed");
	expect(notify_doorbell(create.hDoorbell, 0), STATUS_INVALID_PARAMETER,
	       "notify what is destroyed");
	((volatile unsigned char *)parts.ring.cpu)[0] = 1;
	ok(true, "the ring is the process's still (OBJ-10)");

	create = good(&parts);
	create.Flags.ResizeRingBufferOperation = 1;
	expect(D3DKMTCreateDoorbell(&create), STATUS_SUCCESS,
	       "create one for the same queue with the resize hint (KMT-CD-16)");
	parts_destroy(&parts);
	expect(destroy_doorbell(create.hDoorbell), STATUS_INVALID_PARAMETER,
	       "the queue's end was the doorbell's (OBJ-21)");
}

static void test_bad_handles(void)
{
	struct parts parts, other;
	D3DKMT_CREATE_DOORBELL create, second;

	parts_create(&parts);
	parts_create(&other);
	create = good(&parts);
	create.hHwQueue = handles.context;
	expect(D3DKMTCreateDoorbell(&create), STATUS_INVALID_PARAMETER,
	       "a context's handle as queue");
	create = good(&parts);
	create.hRingBuffer = 0;
	expect(D3DKMTCreateDoorbell(&create), STATUS_INVALID_PARAMETER, "no ring");
	create = good(&parts);
	create.hRingBufferControl = 0;
	expect(D3DKMTCreateDoorbell(&create), STATUS_INVALID_PARAMETER,
	       "no ring control (KMT-CD-14)");
	create = good(&parts);
	create.hRingBufferControl = create.hRingBuffer;
	expect(D3DKMTCreateDoorbell(&create), STATUS_INVALID_PARAMETER,
	       "one allocation as both (KMT-CD-13)");

	create = good(&parts);
	expect(D3DKMTCreateDoorbell(&create), STATUS_SUCCESS, "a good one after all that");
	second = good(&parts);
	expect(D3DKMTCreateDoorbell(&second), STATUS_INVALID_PARAMETER,
	       "a second one for the queue (OBJ-1)");
	second = good(&other);
	second.hRingBuffer = parts.ring.allocation;
	expect(D3DKMTCreateDoorbell(&second), STATUS_INVALID_PARAMETER,
	       "a ring that another doorbell uses (KMT-CD-13)");
	second = good(&other);
	expect(D3DKMTCreateDoorbell(&second), STATUS_SUCCESS,
	       "the other queue's doorbell: a failure left nothing (KMT-CD-4)");
	parts_destroy(&other);
	parts_destroy(&parts);
}

static void test_bad_values(void)
{
	struct parts parts;
	D3DKMT_CREATE_DOORBELL create;
	struct dxg_buffer odd;
	unsigned char data[32] = { 0 };

	parts_create(&parts);
	create = good(&parts);
	create.Flags.Value = 4;
	expect(D3DKMTCreateDoorbell(&create), STATUS_INVALID_PARAMETER, "a reserved flag");
	create = good(&parts);
	create.PrivateDriverData = data;
	create.PrivateDriverDataSize = 17;
	expect(D3DKMTCreateDoorbell(&create), STATUS_INVALID_PARAMETER,
	       "17 bytes of private data");
	ok(strstr(dxg_last_error(), "17 bytes (0..16)"), "the text has value and range: %s",
	   dxg_last_error());
	create.PrivateDriverData = BAD_POINTER;
	create.PrivateDriverDataSize = 16;
	expect(D3DKMTCreateDoorbell(&create), STATUS_ACCESS_VIOLATION,
	       "unreadable private data");

	if (dxg_buffer_create(session, 3 * 4096, 0, &odd))
		bail("no buffer: %s", dxg_last_error());
	create = good(&parts);
	create.hRingBuffer = odd.allocation;
	expect(D3DKMTCreateDoorbell(&create), STATUS_INVALID_PARAMETER,
	       "a ring of three pages (KMT-CD-12)");
	dxg_buffer_destroy(session, &odd);
	parts_destroy(&parts);
}

/* KMT-CD-15 */
static void test_secondary(bool supported)
{
	struct parts parts;
	D3DKMT_CREATE_DOORBELL create;
	volatile UINT64 *second, *status;

	parts_create(&parts);
	create = good(&parts);
	create.Flags.RequireSecondaryCpuVA = 1;
	if (!supported) {
		expect(D3DKMTCreateDoorbell(&create), STATUS_NOT_SUPPORTED,
		       "a secondary doorbell on a device without");
		ok(!create.hDoorbell && !create.DoorbellSecondaryCPUVirtualAddress,
		   "and there is none");
		parts_destroy(&parts);
		return;
	}
	expect(D3DKMTCreateDoorbell(&create), STATUS_SUCCESS, "create with a secondary doorbell");
	second = create.DoorbellSecondaryCPUVirtualAddress;
	status = create.DoorbellStatusCPUVirtualAddress;
	if (!ok(second && (void *)second != create.DoorbellCPUVirtualAddress,
		"it has a second address"))
		bail("nothing to go on with");
	*second = 0x5a5a;
	ok(*second == 0x5a5a && *status == D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
	   "which is memory before the first connect");
	expect(connect_doorbell(create.hDoorbell, 0), STATUS_SUCCESS, "connect");
	ok(!api_store_refused(second) && *second == 0 &&
	   *status == D3DDDI_DOORBELLSTATUS_CONNECTED, "and a doorbell after it");
	expect(destroy_doorbell(create.hDoorbell), STATUS_SUCCESS, "destroy");
	ok(api_store_refused(second), "and gone with it");
	parts_destroy(&parts);
}

static void test_residency(void)
{
	struct parts parts;
	D3DKMT_CREATE_DOORBELL create;
	D3DKMT_EVICT evict = { .hDevice = handles.device, .NumAllocations = 1 };

	parts_create(&parts);
	create = good(&parts);
	evict.AllocationList = &parts.ring.allocation;
	expect(D3DKMTEvict(&evict), STATUS_SUCCESS, "evict the ring");
	expect(D3DKMTCreateDoorbell(&create), STATUS_INVALID_PARAMETER,
	       "a ring that is not resident (KMT-CD-10)");
	parts_destroy(&parts);
}

/* OBJ-11: the ring's handle may die while the doorbell lives, its memory not. */
static void test_ring_destroyed(void)
{
	struct parts parts;
	D3DKMT_CREATE_DOORBELL create;
	D3DKMT_DESTROYALLOCATION2 destroy = {
		.hDevice = handles.device,
		.AllocationCount = 1,
	};

	parts_create(&parts);
	create = good(&parts);
	expect(D3DKMTCreateDoorbell(&create), STATUS_SUCCESS, "create");
	expect(connect_doorbell(create.hDoorbell, 0), STATUS_SUCCESS, "connect");
	destroy.phAllocationList = &parts.ring.allocation;
	expect(D3DKMTDestroyAllocation2(&destroy), STATUS_SUCCESS,
	       "destroy the ring under the doorbell (OP-3)");
	expect(D3DKMTDestroyAllocation2(&destroy), STATUS_INVALID_PARAMETER,
	       "its handle is dead");
	*(volatile UINT64 *)create.DoorbellCPUVirtualAddress = 0;
	expect(connect_doorbell(create.hDoorbell, 0), STATUS_SUCCESS,
	       "the doorbell does not mind");
	expect(destroy_doorbell(create.hDoorbell), STATUS_SUCCESS, "destroy");
	memset(&parts.ring, 0, sizeof(parts.ring));
	parts_destroy(&parts);
}

int main(int argc, char **argv)
{
	session = api_session(&handles);
	test_life();
	test_bad_handles();
	test_bad_values();
	test_secondary(argc > 1 && !strcmp(argv[1], "secondary"));
	test_residency();
	test_ring_destroyed();
	expect(connect_doorbell(BAD_HANDLE, 0), STATUS_INVALID_PARAMETER,
	       "connect a wild handle");
	expect(D3DKMTConnectDoorbell(NULL), STATUS_INVALID_PARAMETER, "ConnectDoorbell(NULL)");
	expect(D3DKMTDestroyDoorbell(NULL), STATUS_INVALID_PARAMETER, "DestroyDoorbell(NULL)");
	expect(D3DKMTNotifyWorkSubmission(NULL), STATUS_INVALID_PARAMETER,
	       "NotifyWorkSubmission(NULL)");
	dxg_session_close(session);
	return done();
}
