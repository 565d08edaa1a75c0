// SPDX-License-Identifier: GPL-2.0-or-later
/* See fuzz-calls.h. */
#include "fuzz-calls.h"

#include <stddef.h>
#include <string.h>
#include "queue.h"

/* Parts of struct fuzz's memory. */
#define HANDLES_AT	0u
#define VALUES_AT	(8u * KMT_PAGE_BYTES)
#define INFOS_AT	(16u * KMT_PAGE_BYTES)
#define BLOBS_AT	(24u * KMT_PAGE_BYTES)
#define SYSMEM_AT	(32u * KMT_PAGE_BYTES)
#define ENTRIES		40u

enum kind {
	OBJECT,		/* value: its type */
	FLAGS,		/* value: those that exist */
	NUMBER,		/* 0 .. value, mostly small */
	HANDLES,	/* pointer to handles of the type value */
	VALUES,		/* pointer to 64-bit values */
	INFOS,		/* pointer to struct dxg_allocationinfo2 */
	BLOB,		/* pointer to bytes */
	ADDRESS,	/* of the GPU, or 0 */
	SIZE,		/* bytes, in pages */
	EVENT,		/* descriptor; never 0, so that no wait blocks for good */
};

struct field {
	uint16_t offset;
	uint8_t bytes;
	uint8_t kind;
	uint64_t value;
};

#define FIELD(type, member, kind, value) \
	{ offsetof(type, member), sizeof(((type *)0)->member), kind, value }

struct call {
	const char *name;
	unsigned long command;
	struct field fields[12];
	struct {
		uint16_t offset;
		uint8_t type;
	} made[2];		/* offset 0: none */
};

#define MADE(structure, member, kind) { offsetof(structure, member), kind }

static const struct call calls[] = {
	{ "OpenAdapterFromLuid", LX_DXOPENADAPTERFROMLUID, {
		FIELD(struct dxg_openadapterfromluid, adapter_luid.low_part, NUMBER, 2),
	}, { MADE(struct dxg_openadapterfromluid, adapter, FUZZ_ADAPTER) } },
	{ "EnumAdapters2", LX_DXENUMADAPTERS2, {
		FIELD(struct dxg_enumadapters2, num_adapters, NUMBER, 8),
		FIELD(struct dxg_enumadapters2, adapters, BLOB, 0),
	}, { { 0 } } },
	{ "EnumAdapters3", LX_DXENUMADAPTERS3, {
		FIELD(struct dxg_enumadapters3, filter, FLAGS, 7),
		FIELD(struct dxg_enumadapters3, num_adapters, NUMBER, 8),
		FIELD(struct dxg_enumadapters3, adapters, BLOB, 0),
	}, { { 0 } } },
	{ "CloseAdapter", LX_DXCLOSEADAPTER, {
		FIELD(struct dxg_handle_arg, handle, OBJECT, FUZZ_ADAPTER),
	}, { { 0 } } },
	{ "QueryAdapterInfo", LX_DXQUERYADAPTERINFO, {
		FIELD(struct dxg_queryadapterinfo, adapter, OBJECT, FUZZ_ADAPTER),
		FIELD(struct dxg_queryadapterinfo, type, NUMBER, 80),
		FIELD(struct dxg_queryadapterinfo, private_data, BLOB, 0),
		FIELD(struct dxg_queryadapterinfo, private_data_size, NUMBER, 8192),
	}, { { 0 } } },
	{ "CreateDevice", LX_DXCREATEDEVICE, {
		FIELD(struct dxg_createdevice, adapter, OBJECT, FUZZ_ADAPTER),
		FIELD(struct dxg_createdevice, flags, FLAGS, 1u << 2),
	}, { MADE(struct dxg_createdevice, device, FUZZ_DEVICE) } },
	{ "DestroyDevice", LX_DXDESTROYDEVICE, {
		FIELD(struct dxg_handle_arg, handle, OBJECT, FUZZ_DEVICE),
	}, { { 0 } } },
	{ "GetDeviceState", LX_DXGETDEVICESTATE, {
		FIELD(struct dxg_getdevicestate, device, OBJECT, FUZZ_DEVICE),
		FIELD(struct dxg_getdevicestate, state_type, NUMBER, 6),
	}, { { 0 } } },
	{ "CreateContextVirtual", LX_DXCREATECONTEXTVIRTUAL, {
		FIELD(struct dxg_createcontextvirtual, device, OBJECT, FUZZ_DEVICE),
		FIELD(struct dxg_createcontextvirtual, node_ordinal, NUMBER, 4),
		FIELD(struct dxg_createcontextvirtual, engine_affinity, NUMBER, 1),
		FIELD(struct dxg_createcontextvirtual, flags, FLAGS, 1u << 2 | 1u << 4),
		FIELD(struct dxg_createcontextvirtual, priv_drv_data, BLOB, 0),
		FIELD(struct dxg_createcontextvirtual, priv_drv_data_size, NUMBER, 4096),
	}, { MADE(struct dxg_createcontextvirtual, context, FUZZ_CONTEXT) } },
	{ "DestroyContext", LX_DXDESTROYCONTEXT, {
		FIELD(struct dxg_handle_arg, handle, OBJECT, FUZZ_CONTEXT),
	}, { { 0 } } },
	{ "CreatePagingQueue", LX_DXCREATEPAGINGQUEUE, {
		FIELD(struct dxg_createpagingqueue, device, OBJECT, FUZZ_DEVICE),
		FIELD(struct dxg_createpagingqueue, priority, NUMBER, 1),
	}, { MADE(struct dxg_createpagingqueue, paging_queue, FUZZ_PAGING_QUEUE),
	     MADE(struct dxg_createpagingqueue, sync_object, FUZZ_FENCE) } },
	{ "DestroyPagingQueue", LX_DXDESTROYPAGINGQUEUE, {
		FIELD(struct dxg_handle_arg, handle, OBJECT, FUZZ_PAGING_QUEUE),
	}, { { 0 } } },
	{ "CreateAllocation", LX_DXCREATEALLOCATION, {
		FIELD(struct dxg_createallocation, device, OBJECT, FUZZ_DEVICE),
		FIELD(struct dxg_createallocation, alloc_count, NUMBER, 3),
		FIELD(struct dxg_createallocation, allocation_info, INFOS, 0),
		FIELD(struct dxg_createallocation, flags, FLAGS, 1u << 5 | 1u << 7 | 1u << 14),
	}, { { 0 } } },
	{ "DestroyAllocation2", LX_DXDESTROYALLOCATION2, {
		FIELD(struct dxg_destroyallocation2, device, OBJECT, FUZZ_DEVICE),
		FIELD(struct dxg_destroyallocation2, allocations, HANDLES, FUZZ_ALLOCATION),
		FIELD(struct dxg_destroyallocation2, alloc_count, NUMBER, 2),
		FIELD(struct dxg_destroyallocation2, flags, FLAGS, 3),
	}, { { 0 } } },
	{ "MakeResident", LX_DXMAKERESIDENT, {
		FIELD(struct dxg_makeresident, paging_queue, OBJECT, FUZZ_PAGING_QUEUE),
		FIELD(struct dxg_makeresident, alloc_count, NUMBER, 3),
		FIELD(struct dxg_makeresident, allocation_list, HANDLES, FUZZ_ALLOCATION),
		FIELD(struct dxg_makeresident, flags, FLAGS, 3),
	}, { { 0 } } },
	{ "Evict", LX_DXEVICT, {
		FIELD(struct dxg_evict, device, OBJECT, FUZZ_DEVICE),
		FIELD(struct dxg_evict, alloc_count, NUMBER, 2),
		FIELD(struct dxg_evict, allocations, HANDLES, FUZZ_ALLOCATION),
		FIELD(struct dxg_evict, flags, FLAGS, 3),
	}, { { 0 } } },
	{ "ReserveGpuVirtualAddress", LX_DXRESERVEGPUVIRTUALADDRESS, {
		FIELD(struct dxg_reservegpuvirtualaddress, adapter_or_paging_queue, OBJECT,
		      FUZZ_ADAPTER),
		FIELD(struct dxg_reservegpuvirtualaddress, base_address, ADDRESS, 0),
		FIELD(struct dxg_reservegpuvirtualaddress, minimum_address, ADDRESS, 0),
		FIELD(struct dxg_reservegpuvirtualaddress, maximum_address, ADDRESS, 0),
		FIELD(struct dxg_reservegpuvirtualaddress, size, SIZE, 0),
		FIELD(struct dxg_reservegpuvirtualaddress, reservation_type, NUMBER, 2),
	}, { { 0 } } },
	{ "MapGpuVirtualAddress", LX_DXMAPGPUVIRTUALADDRESS, {
		FIELD(struct dxg_mapgpuvirtualaddress, paging_queue, OBJECT, FUZZ_PAGING_QUEUE),
		FIELD(struct dxg_mapgpuvirtualaddress, base_address, ADDRESS, 0),
		FIELD(struct dxg_mapgpuvirtualaddress, minimum_address, ADDRESS, 0),
		FIELD(struct dxg_mapgpuvirtualaddress, maximum_address, ADDRESS, 0),
		FIELD(struct dxg_mapgpuvirtualaddress, allocation, OBJECT, FUZZ_ALLOCATION),
		FIELD(struct dxg_mapgpuvirtualaddress, offset_in_pages, NUMBER, 1),
		FIELD(struct dxg_mapgpuvirtualaddress, size_in_pages, NUMBER, 3),
		FIELD(struct dxg_mapgpuvirtualaddress, protection, FLAGS, 1),
	}, { { 0 } } },
	{ "FreeGpuVirtualAddress", LX_DXFREEGPUVIRTUALADDRESS, {
		FIELD(struct dxg_freegpuvirtualaddress, adapter, OBJECT, FUZZ_ADAPTER),
		FIELD(struct dxg_freegpuvirtualaddress, base_address, ADDRESS, 0),
		FIELD(struct dxg_freegpuvirtualaddress, size, SIZE, 0),
	}, { { 0 } } },
	{ "Lock2", LX_DXLOCK2, {
		FIELD(struct dxg_lock2, device, OBJECT, FUZZ_DEVICE),
		FIELD(struct dxg_lock2, allocation, OBJECT, FUZZ_ALLOCATION),
	}, { { 0 } } },
	{ "Unlock2", LX_DXUNLOCK2, {
		FIELD(struct dxg_unlock2, device, OBJECT, FUZZ_DEVICE),
		FIELD(struct dxg_unlock2, allocation, OBJECT, FUZZ_ALLOCATION),
	}, { { 0 } } },
	{ "CreateHwQueue", LX_DXCREATEHWQUEUE, {
		FIELD(struct dxg_createhwqueue, context, OBJECT, FUZZ_CONTEXT),
		FIELD(struct dxg_createhwqueue, flags, FLAGS, 1u << 4 | 1),
		FIELD(struct dxg_createhwqueue, priv_drv_data_size, NUMBER, 4096),
		FIELD(struct dxg_createhwqueue, priv_drv_data, BLOB, 0),
	}, { MADE(struct dxg_createhwqueue, queue, FUZZ_QUEUE),
	     MADE(struct dxg_createhwqueue, progress_fence, FUZZ_FENCE) } },
	{ "DestroyHwQueue", LX_DXDESTROYHWQUEUE, {
		FIELD(struct dxg_handle_arg, handle, OBJECT, FUZZ_QUEUE),
	}, { { 0 } } },
	{ "WaitForSynchronizationObjectFromCpu", LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, {
		FIELD(struct dxg_waitforsyncobjectfromcpu, device, OBJECT, FUZZ_DEVICE),
		FIELD(struct dxg_waitforsyncobjectfromcpu, object_count, NUMBER, 3),
		FIELD(struct dxg_waitforsyncobjectfromcpu, objects, HANDLES, FUZZ_FENCE),
		FIELD(struct dxg_waitforsyncobjectfromcpu, fence_values, VALUES, 0),
		FIELD(struct dxg_waitforsyncobjectfromcpu, flags, FLAGS, 1),
		FIELD(struct dxg_waitforsyncobjectfromcpu, async_event, EVENT, 0),
	}, { { 0 } } },
	{ "CreateDoorbell", DXG_CREATEDOORBELL, {
		FIELD(struct dxg_createdoorbell, queue, OBJECT, FUZZ_QUEUE),
		FIELD(struct dxg_createdoorbell, ring_buffer, OBJECT, FUZZ_ALLOCATION),
		FIELD(struct dxg_createdoorbell, ring_buffer_control, OBJECT, FUZZ_CONTROL),
		FIELD(struct dxg_createdoorbell, flags, FLAGS, 3),
		FIELD(struct dxg_createdoorbell, priv_drv_data_size, NUMBER, 16),
		FIELD(struct dxg_createdoorbell, priv_drv_data, BLOB, 0),
	}, { MADE(struct dxg_createdoorbell, doorbell, FUZZ_DOORBELL) } },
	{ "ConnectDoorbell", DXG_CONNECTDOORBELL, {
		FIELD(struct dxg_doorbell_flags, doorbell, OBJECT, FUZZ_DOORBELL),
	}, { { 0 } } },
	{ "NotifyWorkSubmission", DXG_NOTIFYWORKSUBMISSION, {
		FIELD(struct dxg_doorbell_flags, doorbell, OBJECT, FUZZ_DOORBELL),
	}, { { 0 } } },
	{ "DestroyDoorbell", DXG_DESTROYDOORBELL, {
		FIELD(struct dxg_destroydoorbell, doorbell, OBJECT, FUZZ_DOORBELL),
	}, { { 0 } } },
	/* Always refused, so not counted among the others: fences end with their queue ... */
	{ NULL, LX_DXDESTROYSYNCHRONIZATIONOBJECT, {
		FIELD(struct dxg_handle_arg, handle, OBJECT, FUZZ_FENCE),
	}, { { 0 } } },
	/* ... and work comes by a ring. */
	{ NULL, LX_DXSUBMITCOMMANDTOHWQUEUE, {
		FIELD(struct dxg_submitcommandtohwqueue, queue, OBJECT, FUZZ_QUEUE),
		FIELD(struct dxg_submitcommandtohwqueue, progress_fence_id, NUMBER, 4),
		FIELD(struct dxg_submitcommandtohwqueue, command_buffer, ADDRESS, 0),
		FIELD(struct dxg_submitcommandtohwqueue, command_length, SIZE, 0),
		FIELD(struct dxg_submitcommandtohwqueue, priv_drv_data_size, NUMBER, 4096),
		FIELD(struct dxg_submitcommandtohwqueue, priv_drv_data, BLOB, 0),
		FIELD(struct dxg_submitcommandtohwqueue, num_primaries, NUMBER, 2),
		FIELD(struct dxg_submitcommandtohwqueue, written_primaries, HANDLES,
		      FUZZ_ALLOCATION),
	}, { { 0 } } },
	{ NULL, LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE, {
		FIELD(struct dxg_submitsignalsyncobjectstohwqueue, flags, FLAGS, 7),
		FIELD(struct dxg_submitsignalsyncobjectstohwqueue, queue_count, NUMBER, 3),
		FIELD(struct dxg_submitsignalsyncobjectstohwqueue, queues, HANDLES, FUZZ_QUEUE),
		FIELD(struct dxg_submitsignalsyncobjectstohwqueue, object_count, NUMBER, 3),
		FIELD(struct dxg_submitsignalsyncobjectstohwqueue, objects, HANDLES, FUZZ_FENCE),
		FIELD(struct dxg_submitsignalsyncobjectstohwqueue, fence_values, VALUES, 0),
	}, { { 0 } } },
	{ NULL, LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE, {
		FIELD(struct dxg_submitwaitforsyncobjectstohwqueue, queue, OBJECT, FUZZ_QUEUE),
		FIELD(struct dxg_submitwaitforsyncobjectstohwqueue, object_count, NUMBER, 3),
		FIELD(struct dxg_submitwaitforsyncobjectstohwqueue, objects, HANDLES, FUZZ_FENCE),
		FIELD(struct dxg_submitwaitforsyncobjectstohwqueue, fence_values, VALUES, 0),
	}, { { 0 } } },
};

#define NUM_CALLS	((unsigned int)(sizeof(calls) / sizeof(calls[0])))

_Static_assert(sizeof(calls) / sizeof(calls[0]) <= FUZZ_MAX_CALLS, "FUZZ_MAX_CALLS");

unsigned int fuzz_num_calls(void)
{
	return NUM_CALLS;
}

const char *fuzz_call_name(unsigned int call)
{
	return calls[call].name;
}

static uint32_t pick(struct fuzz *fuzz, unsigned int type)
{
	struct noise *source = &fuzz->source;

	switch (noise_below(source, 24)) {
	case 0:
		return (uint32_t)noise_value(source);
	case 1:
		return 0;
	case 2:
		type = (unsigned int)noise_below(source, FUZZ_TYPES);
		break;
	case 3:
		return fuzz->families[noise_below(source, FUZZ_FAMILIES)].handles[type];
	}
	return fuzz->families[fuzz->family].handles[type];
}

static void keep(struct fuzz *fuzz, unsigned int type, uint32_t handle)
{
	fuzz->families[fuzz->family].handles[type] = handle;
}

/* What a pointer points to is where it should be, mostly. */
static uint64_t point(struct fuzz *fuzz, uint32_t offset)
{
	struct noise *source = &fuzz->source;

	switch (noise_below(source, 32)) {
	case 0:
		return (uintptr_t)fuzz->shaken + KMT_PAGE_BYTES - noise_below(source, 64);
	case 1:
		return (uintptr_t)fuzz->memory + FUZZ_MEMORY_BYTES - noise_below(source, 64);
	case 2:
		return noise_value(source);
	default:
		return (uintptr_t)fuzz->memory + offset;
	}
}

static uint64_t make_infos(struct fuzz *fuzz)
{
	struct dxg_allocationinfo2 *infos = (void *)(fuzz->memory + INFOS_AT);
	struct dxgpu_allocation_data *blobs = (void *)(fuzz->memory + BLOBS_AT);
	bool sysmem = noise_below(&fuzz->source, 4) == 0;
	unsigned int i;

	for (i = 0; i < ENTRIES; i++) {
		uint64_t pages = 1 + noise_below(&fuzz->source, 4);

		if (noise_below(&fuzz->source, 64) == 0)
			pages = noise_value(&fuzz->source);
		blobs[i] = (struct dxgpu_allocation_data) {
			.size = sizeof(blobs[i]),
			.bytes = pages * KMT_PAGE_BYTES,
		};
		infos[i] = (struct dxg_allocationinfo2) {
			.sysmem = sysmem ? point(fuzz, SYSMEM_AT) & ~4095ull : 0,
			.priv_drv_data = point(fuzz, BLOBS_AT + i * (uint32_t)sizeof(blobs[i])),
			.priv_drv_data_size = sizeof(blobs[i]),
		};
	}
	return point(fuzz, INFOS_AT);
}

static uint64_t make_field(struct fuzz *fuzz, const struct field *field)
{
	struct noise *source = &fuzz->source;
	uint32_t *handles = (uint32_t *)(fuzz->memory + HANDLES_AT);
	uint64_t *values = (uint64_t *)(fuzz->memory + VALUES_AT);
	unsigned int i;

	switch (field->kind) {
	case OBJECT:
		return pick(fuzz, (unsigned int)field->value);
	case FLAGS:
		return noise(source) & field->value;
	case NUMBER:
		return noise_below(source, 2) ? noise_below(source, field->value + 1) :
						noise_below(source, 2);
	case HANDLES:
		for (i = 0; i < ENTRIES; i++)
			handles[i] = pick(fuzz, (unsigned int)field->value);
		return point(fuzz, HANDLES_AT);
	case VALUES:
		for (i = 0; i < ENTRIES; i++)
			values[i] = noise_below(source, 4);
		return point(fuzz, VALUES_AT);
	case INFOS:
		return make_infos(fuzz);
	case BLOB:
		return point(fuzz, BLOBS_AT);
	case ADDRESS:
		return noise_below(source, 2) ? 0 : noise_below(source, 2) ? fuzz->address :
		       (1 + noise_below(source, 64)) << 16;
	case SIZE:
		return noise_below(source, 2) ? 65536 : (1 + noise_below(source, 4)) * 4096;
	default:
		return (uint64_t)(3 + noise_below(source, 16));
	}
}

unsigned long fuzz_fill(struct fuzz *fuzz, unsigned int number, uint8_t *argument)
{
	const struct call *call = &calls[number];
	struct noise *source = &fuzz->source;
	size_t bytes = _IOC_SIZE(call->command);
	const struct field *field;
	unsigned int count = 0, wrong;

	fuzz->family = (unsigned int)noise_below(source, FUZZ_FAMILIES);
	memset(argument, 0, FUZZ_ARGUMENT_BYTES);
	for (field = call->fields; field->bytes; field++, count++) {
		uint64_t value = make_field(fuzz, field);

		memcpy(argument + field->offset, &value, field->bytes);
	}
	if (_IOC_TYPE(call->command) == DXG_IOCTL_TYPE_X)
		((struct dxg_call_header *)argument)->size = (uint32_t)bytes;
	wrong = noise_below(source, 4) ? 0 : 1 + (unsigned int)noise_below(source, 2);
	while (wrong--) {
		uint64_t value = noise_value(source);

		field = &call->fields[noise_below(source, count)];
		if (field->kind != EVENT)
			memcpy(argument + field->offset, &value, field->bytes);
	}
	/* Anything anywhere, reserved fields too; but no wait without an event. */
	if (noise_below(source, 16) == 0 &&
	    call->command != LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU) {
		uint32_t value = (uint32_t)noise_value(source);

		memcpy(argument + noise_below(source, bytes / 4) * 4, &value, sizeof(value));
	}
	return call->command;
}

bool fuzz_learn(struct fuzz *fuzz, unsigned int number, const uint8_t *argument, int result)
{
	const struct call *call = &calls[number];
	const struct dxg_allocationinfo2 *infos = (const void *)(fuzz->memory + INFOS_AT);
	unsigned int i;

	if (result < 0)
		return false;
	if (_IOC_TYPE(call->command) == DXG_IOCTL_TYPE_X &&
	    ((const struct dxg_call_header *)argument)->status < 0)
		return false;
	for (i = 0; i < 2; i++) {
		uint32_t handle;

		memcpy(&handle, argument + call->made[i].offset, sizeof(handle));
		if (call->made[i].offset)
			keep(fuzz, call->made[i].type, handle);
	}
	if (call->command == LX_DXCREATEALLOCATION)
		keep(fuzz, FUZZ_ALLOCATION, infos[0].allocation);
	if (call->command == LX_DXMAPGPUVIRTUALADDRESS)
		fuzz->address = ((const struct dxg_mapgpuvirtualaddress *)argument)->virtual_address;
	if (call->command == LX_DXRESERVEGPUVIRTUALADDRESS)
		fuzz->address =
			((const struct dxg_reservegpuvirtualaddress *)argument)->virtual_address;
	return true;
}

void fuzz_build(struct fuzz *fuzz, int fd)
{
	struct kmt_session session = { .fd = fd };
	struct dxg_createpagingqueue paging = { 0 };
	struct dxg_createdoorbell doorbell;
	struct kmt_buffer ring, control;
	struct dxg_createhwqueue queue;

	fuzz->family = fuzz->built++ % FUZZ_FAMILIES;
	memset(&fuzz->families[fuzz->family], 0, sizeof(fuzz->families[0]));
	fuzz->families[fuzz->family].file = fd;
	if (kmt_adapter_open(fd, &session.luid, &session.adapter) ||
	    kmt_device_create(fd, session.adapter, &session.device) ||
	    kmt_context_create(fd, session.device, 0, &session.context))
		return;
	keep(fuzz, FUZZ_ADAPTER, session.adapter);
	keep(fuzz, FUZZ_DEVICE, session.device);
	keep(fuzz, FUZZ_CONTEXT, session.context);
	paging.device = session.device;
	if (kmt_call(fd, LX_DXCREATEPAGINGQUEUE, &paging))
		return;
	session.paging_queue = paging.paging_queue;
	keep(fuzz, FUZZ_PAGING_QUEUE, paging.paging_queue);
	keep(fuzz, FUZZ_FENCE, paging.sync_object);
	if (kmt_buffer_create(&session, KMT_PAGE_BYTES, KMT_BUFFER_NO_CPU, &ring) ||
	    kmt_buffer_create(&session, KMT_PAGE_BYTES, KMT_BUFFER_NO_CPU, &control) ||
	    hwqueue_create(fd, session.context, &queue))
		return;
	keep(fuzz, FUZZ_ALLOCATION, ring.allocation);
	keep(fuzz, FUZZ_CONTROL, control.allocation);
	keep(fuzz, FUZZ_QUEUE, queue.queue);
	keep(fuzz, FUZZ_FENCE, queue.progress_fence);
	if (noise_below(&fuzz->source, 2) == 0)
		return;		/* a queue and a ring for CreateDoorbell */
	if (!doorbell_create(fd, queue.queue, ring.allocation, control.allocation, 0, &doorbell))
		keep(fuzz, FUZZ_DOORBELL, doorbell.doorbell);
}
