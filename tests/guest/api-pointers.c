// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every D3DKMT function with an argument that is NULL, not there, half there, or not
 * writable: INVALID_PARAMETER or ACCESS_VIOLATION with a text, no signal, and no effect
 * (KMT-0.3, KMT-0.5).
 */
#include <stdio.h>
#include <sys/mman.h>
#include "api.h"

#define PAGE	4096u

typedef NTSTATUS (*call_fn)(void *args);

#define CALL(name, type) { #name, (call_fn)(void *)name, sizeof(type) }

static const struct call {
	const char *name;
	call_fn function;
	size_t bytes;
} calls[] = {
	CALL(D3DKMTEnumAdapters2, D3DKMT_ENUMADAPTERS2),
	CALL(D3DKMTEnumAdapters3, D3DKMT_ENUMADAPTERS3),
	CALL(D3DKMTOpenAdapterFromLuid, D3DKMT_OPENADAPTERFROMLUID),
	CALL(D3DKMTCloseAdapter, D3DKMT_CLOSEADAPTER),
	CALL(D3DKMTQueryAdapterInfo, D3DKMT_QUERYADAPTERINFO),
	CALL(D3DKMTCreateDevice, D3DKMT_CREATEDEVICE),
	CALL(D3DKMTDestroyDevice, D3DKMT_DESTROYDEVICE),
	CALL(D3DKMTGetDeviceState, D3DKMT_GETDEVICESTATE),
	CALL(D3DKMTCreateContextVirtual, D3DKMT_CREATECONTEXTVIRTUAL),
	CALL(D3DKMTDestroyContext, D3DKMT_DESTROYCONTEXT),
	CALL(D3DKMTCreateAllocation2, D3DKMT_CREATEALLOCATION),
	CALL(D3DKMTDestroyAllocation2, D3DKMT_DESTROYALLOCATION2),
	CALL(D3DKMTCreatePagingQueue, D3DKMT_CREATEPAGINGQUEUE),
	CALL(D3DKMTDestroyPagingQueue, D3DDDI_DESTROYPAGINGQUEUE),
	CALL(D3DKMTMakeResident, D3DDDI_MAKERESIDENT),
	CALL(D3DKMTEvict, D3DKMT_EVICT),
	CALL(D3DKMTLock2, D3DKMT_LOCK2),
	CALL(D3DKMTUnlock2, D3DKMT_UNLOCK2),
	CALL(D3DKMTReserveGpuVirtualAddress, D3DDDI_RESERVEGPUVIRTUALADDRESS),
	CALL(D3DKMTMapGpuVirtualAddress, D3DDDI_MAPGPUVIRTUALADDRESS),
	CALL(D3DKMTFreeGpuVirtualAddress, D3DKMT_FREEGPUVIRTUALADDRESS),
	CALL(D3DKMTCreateHwQueue, D3DKMT_CREATEHWQUEUE),
	CALL(D3DKMTDestroyHwQueue, D3DKMT_DESTROYHWQUEUE),
	CALL(D3DKMTSubmitCommandToHwQueue, D3DKMT_SUBMITCOMMANDTOHWQUEUE),
	CALL(D3DKMTSubmitWaitForSyncObjectsToHwQueue, D3DKMT_SUBMITWAITFORSYNCOBJECTSTOHWQUEUE),
	CALL(D3DKMTSubmitSignalSyncObjectsToHwQueue, D3DKMT_SUBMITSIGNALSYNCOBJECTSTOHWQUEUE),
	CALL(D3DKMTWaitForSynchronizationObjectFromCpu,
	     D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU),
	CALL(D3DKMTDestroySynchronizationObject, D3DKMT_DESTROYSYNCHRONIZATIONOBJECT),
	CALL(D3DKMTCreateDoorbell, D3DKMT_CREATE_DOORBELL),
	CALL(D3DKMTConnectDoorbell, D3DKMT_CONNECT_DOORBELL),
	CALL(D3DKMTNotifyWorkSubmission, D3DKMT_NOTIFY_WORK_SUBMISSION),
	CALL(D3DKMTDestroyDoorbell, D3DKMT_DESTROY_DOORBELL),
};

#define NUM_CALLS	(sizeof(calls) / sizeof(calls[0]))

static const uintptr_t nowhere[] = {
	0x10, 0x7ffffffff000, 0x800000000000, 0xffff888000000000, 0xfffffffffffffff8,
};

/* A page, and one behind it that nobody can reach; a hole would be filled by the library. */
static unsigned char *last_page(int protection)
{
	unsigned char *at = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at, PAGE, protection))
		bail("no memory");
	return at;
}

static bool counters(char text[1024])
{
	FILE *file = fopen("/sys/kernel/debug/dxg/counters", "re");
	size_t length = file ? fread(text, 1, 1023, file) : 0;

	text[length] = '\0';
	if (file)
		fclose(file);
	return length != 0;
}

static NTSTATUS call_at(const struct call *call, void *args)
{
	NTSTATUS status = call->function(args);

	if (NT_SUCCESS(status) || !strstr(dxg_last_error(), call->name))
		diag("%s at %p: %s; last error: %s", call->name, args, dxg_status_name(status),
		     dxg_last_error());
	return status;
}

static void refused_all(const char *when)
{
	unsigned char *half = last_page(PROT_READ | PROT_WRITE), *none = last_page(PROT_NONE);
	unsigned int wrong[4] = { 0 };
	size_t i, n;

	memset(half, 0, PAGE);
	for (i = 0; i < NUM_CALLS; i++) {
		wrong[0] += call_at(&calls[i], NULL) != STATUS_INVALID_PARAMETER;
		for (n = 0; n < sizeof(nowhere) / sizeof(nowhere[0]); n++)
			wrong[1] += call_at(&calls[i], (void *)nowhere[n]) !=
				    STATUS_ACCESS_VIOLATION;
		wrong[2] += call_at(&calls[i], none) != STATUS_ACCESS_VIOLATION;
		for (n = 1; n < calls[i].bytes; n += n < 8 ? 1 : 8)
			wrong[3] += call_at(&calls[i], half + PAGE - n) !=
				    STATUS_ACCESS_VIOLATION;
	}
	ok(!wrong[0], "%s: NULL is INVALID_PARAMETER", when);
	ok(!wrong[1], "%s: addresses outside of any process are ACCESS_VIOLATION", when);
	ok(!wrong[2], "%s: unreadable memory is ACCESS_VIOLATION", when);
	ok(!wrong[3], "%s: structures cut off at each place are ACCESS_VIOLATION", when);
	munmap(half, 2 * PAGE);
	munmap(none, 2 * PAGE);
}

/* A good call whose results cannot be written: nothing may come of it. */
static void unwritable(const char *name, call_fn function, const void *good, size_t bytes)
{
	unsigned char *at = last_page(PROT_READ | PROT_WRITE);
	char before[1024], after[1024];
	NTSTATUS status;

	memcpy(at, good, bytes);
	mprotect(at, PAGE, PROT_READ);
	if (!counters(before))
		bail("no counters");
	status = function(at);
	counters(after);
	if (!ok(status == STATUS_ACCESS_VIOLATION && !strcmp(before, after),
		"%s into read-only memory: ACCESS_VIOLATION, and nothing is made", name))
		diag("%s; before: %s after: %s", dxg_status_name(status), before, after);
	munmap(at, 2 * PAGE);
}

#define UNWRITABLE(name, args) unwritable(#name, (call_fn)(void *)name, &(args), sizeof(args))

static void unwritable_all(struct dxg_session *session, const struct dxg_session_handles *handles)
{
	D3DKMT_CREATEDEVICE device = { .hAdapter = handles->adapter };
	D3DKMT_CREATECONTEXTVIRTUAL context = {
		.hDevice = handles->device,
		.Flags.HwQueueSupported = 1,
	};
	D3DKMT_CREATEPAGINGQUEUE paging = { .hDevice = handles->device };
	D3DKMT_CREATEHWQUEUE queue = {
		.hHwContext = handles->context,
		.Flags.UserModeSubmission = 1,
	};
	D3DKMT_CREATE_DOORBELL doorbell = { 0 };
	struct dxg_buffer ring, control;

	UNWRITABLE(D3DKMTCreateDevice, device);
	UNWRITABLE(D3DKMTCreateContextVirtual, context);
	UNWRITABLE(D3DKMTCreatePagingQueue, paging);
	UNWRITABLE(D3DKMTCreateHwQueue, queue);
	if (D3DKMTCreateHwQueue(&queue) || dxg_buffer_create(session, PAGE, 0, &ring) ||
	    dxg_buffer_create(session, PAGE, 0, &control))
		bail("no queue or ring: %s", dxg_last_error());
	doorbell.hHwQueue = queue.hHwQueue;
	doorbell.hRingBuffer = ring.allocation;
	doorbell.hRingBufferControl = control.allocation;
	/* Its cells' pages are made with the first one. */
	if (D3DKMTCreateDoorbell(&doorbell) ||
	    D3DKMTDestroyDoorbell(&(D3DKMT_DESTROY_DOORBELL) { .hDoorbell = doorbell.hDoorbell }))
		bail("no doorbell: %s", dxg_last_error());
	UNWRITABLE(D3DKMTCreateDoorbell, doorbell);
	expect(D3DKMTCreateDoorbell(&doorbell), STATUS_SUCCESS, "and then it can be made");
}

int main(void)
{
	struct dxg_session_handles handles;
	struct dxg_session *session;

	refused_all("before the first call");
	session = api_session(&handles);
	refused_all("in a session");
	unwritable_all(session, &handles);
	dxg_session_close(session);
	return done();
}
