// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of fields.h: which values of which field are refused, and with what. */
#include "fields.h"

#include <string.h>

#define WORLD_BASE	(1ull << 32)	/* GPU addresses that the table uses */
#define WORLD_FREE	(2ull << 32)
#define WORLD_RANGE	65536ull
#define PRIVATE_BYTES	16u
#define BAD		STATUS_INVALID_PARAMETER
#define SMALL		STATUS_BUFFER_TOO_SMALL

#define ROW(structure, member, ...) \
	{ #member, offsetof(struct structure, member), sizeof(((struct structure *)0)->member), \
	  __VA_ARGS__ }
#define ANY(structure, member)		ROW(structure, member, FIELD_ANY, 0, { { 0 } })
#define ZERO(structure, member)		ROW(structure, member, FIELD_ZERO, 0, { { 0 } })
#define FLAGS(structure, member, mask)	ROW(structure, member, FIELD_FLAGS, mask, { { 0 } })
#define HANDLE(structure, member, kind)	\
	ROW(structure, member, FIELD_HANDLE, 1u << OBJECT_##kind, { { 0 } })
#define HANDLES(structure, member, kind) \
	ROW(structure, member, FIELD_HANDLES, 1u << OBJECT_##kind, { { 0 } })
#define INPUT(structure, member, bytes)	ROW(structure, member, FIELD_INPUT, bytes, { { 0 } })
#define BOTH(structure, member, bytes)	ROW(structure, member, FIELD_BOTH, bytes, { { 0 } })
#define NUMBER(structure, member, ...)	ROW(structure, member, FIELD_NUMBER, 0, { __VA_ARGS__ })
/* The upper half of a 64-bit field of which only the lower one means something. */
#define HALF(structure, member)	\
	{ #member " (upper half)", offsetof(struct structure, member) + 4, 4, FIELD_ANY, 0, \
	  { { 0 } } }
#define LOWER(structure, member, ...) \
	{ #member, offsetof(struct structure, member), 4, FIELD_NUMBER, 0, { __VA_ARGS__ } }
#define END	{ NULL, 0, 0, FIELD_ANY, 0, { { 0 } } }
#define HEADER(structure) \
	NUMBER(structure, header.size, { 0, BAD }, { 15, BAD }, \
	       { sizeof(struct structure) - 1, BAD }, { KMT_PAGE_BYTES + 1, BAD }, \
	       { 0xffffffff, BAD }), \
	ZERO(structure, header.flags), \
	ANY(structure, header.status), \
	ZERO(structure, header.reserved)

uint32_t fields_spare(struct fields_world *world, enum object kind)
{
	if (!world->spare[kind])
		world->spare[kind] = object_make(&world->session, kind, &world->bare);
	return world->spare[kind];
}

static uint64_t address(const void *memory)
{
	return (uintptr_t)memory;
}

/* ---- adapters ---- */

static void open_fill(struct fields_world *world, void *argument)
{
	struct dxg_openadapterfromluid *args = argument;

	args->adapter_luid = world->session.luid;
}

static void open_undo(struct fields_world *world, void *argument)
{
	const struct dxg_openadapterfromluid *args = argument;

	kmt_call_handle(world->session.fd, LX_DXCLOSEADAPTER, args->adapter);
}

static const struct field open_fields[] = {
	NUMBER(dxg_openadapterfromluid, adapter_luid.low_part, { 0xdeadbeef, BAD }),
	NUMBER(dxg_openadapterfromluid, adapter_luid.high_part, { 0xdeadbeef, BAD }),
	ANY(dxg_openadapterfromluid, adapter),
	END
};

static void enum_fill(struct fields_world *world, void *argument)
{
	struct dxg_enumadapters2 *args = argument;

	args->num_adapters = sizeof(world->blob) / sizeof(struct dxg_adapterinfo);
	args->adapters = address(world->blob);
}

static void enum_undo(struct fields_world *world, void *argument)
{
	const struct dxg_adapterinfo *found = (const void *)world->blob;
	const struct dxg_enumadapters2 *args = argument;
	uint32_t i;

	for (i = 0; i < args->num_adapters; i++)
		kmt_call_handle(world->session.fd, LX_DXCLOSEADAPTER, found[i].adapter);
}

static const struct field enum_fields[] = {
	NUMBER(dxg_enumadapters2, num_adapters, { 0, SMALL }),
	ANY(dxg_enumadapters2, reserved),
	/* 0 asks for the number alone. */
	NUMBER(dxg_enumadapters2, adapters, { 16, KMT_ERRNO(14) },
	       { 0xffff888000000000, KMT_ERRNO(14) }, { ~0ull, KMT_ERRNO(14) }),
	END
};

static void enum3_fill(struct fields_world *world, void *argument)
{
	struct dxg_enumadapters3 *args = argument;

	args->filter = 1;
	args->num_adapters = sizeof(world->blob) / sizeof(struct dxg_adapterinfo);
	args->adapters = address(world->blob);
}

static void enum3_undo(struct fields_world *world, void *argument)
{
	struct dxg_enumadapters2 list = {
		.num_adapters = ((struct dxg_enumadapters3 *)argument)->num_adapters,
	};

	enum_undo(world, &list);
}

static const struct field enum3_fields[] = {
	FLAGS(dxg_enumadapters3, filter, 7),
	NUMBER(dxg_enumadapters3, num_adapters, { 0, SMALL }),
	ANY(dxg_enumadapters3, reserved),
	NUMBER(dxg_enumadapters3, adapters, { 16, KMT_ERRNO(14) },
	       { 0xffff888000000000, KMT_ERRNO(14) }, { ~0ull, KMT_ERRNO(14) }),
	END
};

static void query_fill(struct fields_world *world, void *argument)
{
	struct dxg_queryadapterinfo *args = argument;

	args->adapter = world->session.adapter;
	args->private_data = address(world->blob);
	args->private_data_size = sizeof(struct dxgpu_umd_caps);
}

static const struct field query_fields[] = {
	HANDLE(dxg_queryadapterinfo, adapter, ADAPTER),
	NUMBER(dxg_queryadapterinfo, type, { 1, BAD }, { 81, BAD }, { 0xffffffff, BAD }),
	BOTH(dxg_queryadapterinfo, private_data, sizeof(struct dxgpu_umd_caps)),
	NUMBER(dxg_queryadapterinfo, private_data_size, { 0, SMALL },
	       { sizeof(struct dxgpu_umd_caps) - 1, SMALL }, { 4097, BAD }, { 0xffffffff, BAD }),
	ANY(dxg_queryadapterinfo, reserved),
	END
};

/* ---- destroy calls with one handle ---- */

static void handle_undo(struct fields_world *world, void *argument)
{
	const struct dxg_handle_arg *args = argument;
	unsigned int kind;

	for (kind = 0; kind < NUM_OBJECTS; kind++)
		if (world->spare[kind] == args->handle)
			world->spare[kind] = 0;
}

#define DESTROY(lower, kind) \
static void lower##_fill(struct fields_world *world, void *argument) \
{ \
	((struct dxg_handle_arg *)argument)->handle = fields_spare(world, OBJECT_##kind); \
} \
static const struct field lower##_fields[] = { HANDLE(dxg_handle_arg, handle, kind), END }

DESTROY(close_adapter, ADAPTER);
DESTROY(destroy_device, DEVICE);
DESTROY(destroy_context, CONTEXT);
DESTROY(destroy_paging_queue, PAGING_QUEUE);
DESTROY(destroy_hwqueue, HWQUEUE);

/* Fences end with their queue: this call refuses every handle. */
static void destroy_fence_fill(struct fields_world *world, void *argument)
{
	((struct dxg_handle_arg *)argument)->handle = world->queue.fence;
}

static const struct field destroy_fence_fields[] = {
	NUMBER(dxg_handle_arg, handle, { 0, BAD }, { 0xffffffff, BAD }),
	END
};

/* ---- device, context, queue ---- */

static void device_fill(struct fields_world *world, void *argument)
{
	((struct dxg_createdevice *)argument)->adapter = world->session.adapter;
}

static void device_undo(struct fields_world *world, void *argument)
{
	const struct dxg_createdevice *args = argument;

	kmt_call_handle(world->session.fd, LX_DXDESTROYDEVICE, args->device);
}

static const struct field device_fields[] = {
	HANDLE(dxg_createdevice, adapter, ADAPTER),
	HALF(dxg_createdevice, adapter_pointer),
	FLAGS(dxg_createdevice, flags, 1u << 2),
	ANY(dxg_createdevice, device),
	ANY(dxg_createdevice, command_buffer),
	ANY(dxg_createdevice, command_buffer_size),
	ANY(dxg_createdevice, reserved0),
	ANY(dxg_createdevice, allocation_list),
	ANY(dxg_createdevice, allocation_list_size),
	ANY(dxg_createdevice, reserved1),
	ANY(dxg_createdevice, patch_location_list),
	ANY(dxg_createdevice, patch_location_list_size),
	ANY(dxg_createdevice, reserved2),
	END
};

static void state_fill(struct fields_world *world, void *argument)
{
	struct dxg_getdevicestate *args = argument;

	args->device = world->session.device;
	args->state_type = 1;
}

static const struct field state_fields[] = {
	HANDLE(dxg_getdevicestate, device, DEVICE),
	NUMBER(dxg_getdevicestate, state_type, { 0, BAD }, { 2, BAD }, { 4, BAD }, { 6, BAD },
	       { 0xffffffff, BAD }),
	ANY(dxg_getdevicestate, largest),
	END
};

static void context_fill(struct fields_world *world, void *argument)
{
	struct dxg_createcontextvirtual *args = argument;

	args->device = world->session.device;
	args->flags = DXG_CONTEXT_HW_QUEUE_SUPPORTED;
	args->priv_drv_data = address(world->blob);
	args->priv_drv_data_size = PRIVATE_BYTES;
}

static void context_undo(struct fields_world *world, void *argument)
{
	const struct dxg_createcontextvirtual *args = argument;

	kmt_call_handle(world->session.fd, LX_DXDESTROYCONTEXT, args->context);
}

static const struct field context_fields[] = {
	HANDLE(dxg_createcontextvirtual, device, DEVICE),
	NUMBER(dxg_createcontextvirtual, node_ordinal, { 64, BAD }, { 0xffffffff, BAD }),
	NUMBER(dxg_createcontextvirtual, engine_affinity, { 2, BAD }, { 3, BAD },
	       { 0xffffffff, BAD }),
	ROW(dxg_createcontextvirtual, flags, FIELD_FLAGS,
	    DXG_CONTEXT_HW_QUEUE_SUPPORTED | DXG_CONTEXT_DISABLE_GPU_TIMEOUT, { { 0, BAD } }),
	BOTH(dxg_createcontextvirtual, priv_drv_data, PRIVATE_BYTES),
	NUMBER(dxg_createcontextvirtual, priv_drv_data_size, { 4097, BAD }, { 0xffffffff, BAD }),
	ANY(dxg_createcontextvirtual, client_hint),
	ANY(dxg_createcontextvirtual, context),
	ANY(dxg_createcontextvirtual, reserved),
	END
};

static void hwqueue_fill(struct fields_world *world, void *argument)
{
	struct dxg_createhwqueue *args = argument;

	args->context = world->session.context;
	args->flags = DXG_HWQUEUE_USER_MODE_SUBMISSION;
	args->priv_drv_data = address(world->blob);
	args->priv_drv_data_size = PRIVATE_BYTES;
}

static void hwqueue_undo(struct fields_world *world, void *argument)
{
	const struct dxg_createhwqueue *args = argument;

	kmt_call_handle(world->session.fd, LX_DXDESTROYHWQUEUE, args->queue);
}

static const struct field hwqueue_fields[] = {
	HANDLE(dxg_createhwqueue, context, CONTEXT),
	FLAGS(dxg_createhwqueue, flags, 0x1f),
	NUMBER(dxg_createhwqueue, priv_drv_data_size, { 4097, BAD }, { 0xffffffff, BAD }),
	ANY(dxg_createhwqueue, reserved0),
	BOTH(dxg_createhwqueue, priv_drv_data, PRIVATE_BYTES),
	ANY(dxg_createhwqueue, queue),
	ANY(dxg_createhwqueue, progress_fence),
	ANY(dxg_createhwqueue, progress_fence_cpu_va),
	ANY(dxg_createhwqueue, progress_fence_gpu_va),
	END
};

static void paging_fill(struct fields_world *world, void *argument)
{
	((struct dxg_createpagingqueue *)argument)->device = world->session.device;
}

static void paging_undo(struct fields_world *world, void *argument)
{
	const struct dxg_createpagingqueue *args = argument;

	kmt_call_handle(world->session.fd, LX_DXDESTROYPAGINGQUEUE, args->paging_queue);
}

static const struct field paging_fields[] = {
	HANDLE(dxg_createpagingqueue, device, DEVICE),
	NUMBER(dxg_createpagingqueue, priority, { 2, BAD }, { 0xfffffffe, BAD },
	       { 0x80000000, BAD }),
	ANY(dxg_createpagingqueue, paging_queue),
	ANY(dxg_createpagingqueue, sync_object),
	ANY(dxg_createpagingqueue, fence_cpu_virtual_address),
	ZERO(dxg_createpagingqueue, physical_adapter_index),
	ANY(dxg_createpagingqueue, reserved),
	END
};

/* ---- memory ---- */

static void allocation_fill(struct fields_world *world, void *argument)
{
	struct dxg_createallocation *args = argument;

	world->data = (struct dxgpu_allocation_data) {
		.size = sizeof(world->data),
		.bytes = KMT_PAGE_BYTES,
	};
	world->info = (struct dxg_allocationinfo2) {
		.priv_drv_data = address(&world->data),
		.priv_drv_data_size = sizeof(world->data),
	};
	args->device = world->session.device;
	args->alloc_count = 1;
	args->allocation_info = address(&world->info);
}

static void allocation_undo(struct fields_world *world, void *argument)
{
	(void)argument;
	kmt_allocation_destroy(&world->session, world->info.allocation);
}

static const struct field allocation_fields[] = {
	HANDLE(dxg_createallocation, device, DEVICE),
	ZERO(dxg_createallocation, resource),
	ANY(dxg_createallocation, global_share),
	ANY(dxg_createallocation, reserved0),
	ANY(dxg_createallocation, private_runtime_data),
	ZERO(dxg_createallocation, private_runtime_data_size),
	ANY(dxg_createallocation, reserved1),
	ANY(dxg_createallocation, priv_drv_data),
	ZERO(dxg_createallocation, priv_drv_data_size),
	NUMBER(dxg_createallocation, alloc_count, { 0, BAD }, { DXG_ALLOCATION_MAX_COUNT + 1, BAD },
	       { 0xffffffff, BAD }),
	BOTH(dxg_createallocation, allocation_info, sizeof(struct dxg_allocationinfo2)),
	FLAGS(dxg_createallocation, flags, DXG_ALLOCATION_EXISTING_SYSMEM |
	      DXG_ALLOCATION_READ_ONLY | DXG_ALLOCATION_CACHED | DXG_ALLOCATION_ZEROED |
	      DXG_ALLOCATION_NO_KMD_ACCESS),
	ANY(dxg_createallocation, reserved2),
	ANY(dxg_createallocation, private_runtime_resource_handle),
	END
};

static const struct field info_fields[] = {
	ANY(dxg_allocationinfo2, allocation),
	ANY(dxg_allocationinfo2, reserved0),
	ZERO(dxg_allocationinfo2, sysmem),
	BOTH(dxg_allocationinfo2, priv_drv_data, sizeof(struct dxgpu_allocation_data)),
	NUMBER(dxg_allocationinfo2, priv_drv_data_size, { 0, BAD },
	       { sizeof(struct dxgpu_allocation_data) - 1, BAD }, { 4097, BAD },
	       { 0xffffffff, BAD }),
	ANY(dxg_allocationinfo2, vidpn_source_id),
	ZERO(dxg_allocationinfo2, flags),
	ANY(dxg_allocationinfo2, reserved1),
	ANY(dxg_allocationinfo2, gpu_virtual_address),
	ANY(dxg_allocationinfo2, priority),
	ZERO(dxg_allocationinfo2, reserved[0]),
	ZERO(dxg_allocationinfo2, reserved[1]),
	ZERO(dxg_allocationinfo2, reserved[2]),
	ZERO(dxg_allocationinfo2, reserved[3]),
	ZERO(dxg_allocationinfo2, reserved[4]),
	END
};

static const struct field data_fields[] = {
	NUMBER(dxgpu_allocation_data, size, { 0, BAD },
	       { sizeof(struct dxgpu_allocation_data) - 1, BAD },
	       { sizeof(struct dxgpu_allocation_data) + 1, BAD }, { 0xffffffff, BAD }),
	ZERO(dxgpu_allocation_data, flags),
	NUMBER(dxgpu_allocation_data, bytes, { 0, BAD }, { 1ull << 60, BAD }, { ~0ull, BAD }),
	END
};

static void destroy_allocation_fill(struct fields_world *world, void *argument)
{
	struct dxg_destroyallocation2 *args = argument;

	world->handle = fields_spare(world, OBJECT_ALLOCATION);
	args->device = world->session.device;
	args->allocations = address(&world->handle);
	args->alloc_count = 1;
}

static void destroy_allocation_undo(struct fields_world *world, void *argument)
{
	(void)argument;
	world->spare[OBJECT_ALLOCATION] = 0;
}

static const struct field destroy_allocation_fields[] = {
	HANDLE(dxg_destroyallocation2, device, DEVICE),
	ZERO(dxg_destroyallocation2, resource),
	HANDLES(dxg_destroyallocation2, allocations, ALLOCATION),
	NUMBER(dxg_destroyallocation2, alloc_count, { 0, BAD },
	       { DXG_ALLOCATION_MAX_COUNT + 1, BAD }, { 0xffffffff, BAD }),
	FLAGS(dxg_destroyallocation2, flags, 3),
	END
};

static void lock_fill(struct fields_world *world, void *argument)
{
	struct dxg_lock2 *args = argument;

	args->device = world->session.device;
	args->allocation = world->buffer.allocation;
}

static void lock_undo(struct fields_world *world, void *argument)
{
	struct dxg_unlock2 unlock = {
		.device = world->session.device,
		.allocation = world->buffer.allocation,
	};

	(void)argument;
	kmt_call(world->session.fd, LX_DXUNLOCK2, &unlock);
}

static const struct field lock_fields[] = {
	HANDLE(dxg_lock2, device, DEVICE),
	HANDLE(dxg_lock2, allocation, ALLOCATION),
	ZERO(dxg_lock2, flags),
	ANY(dxg_lock2, reserved),
	ANY(dxg_lock2, data),
	END
};

static void unlock_fill(struct fields_world *world, void *argument)
{
	struct dxg_unlock2 *args = argument;

	args->device = world->session.device;
	args->allocation = world->buffer.allocation;
}

static void unlock_undo(struct fields_world *world, void *argument)
{
	(void)argument;
	kmt_lock(&world->session, world->buffer.allocation, &world->buffer.cpu);
}

static const struct field unlock_fields[] = {
	HANDLE(dxg_unlock2, device, DEVICE),
	HANDLE(dxg_unlock2, allocation, ALLOCATION),
	END
};

static void resident_fill(struct fields_world *world, void *argument)
{
	struct dxg_makeresident *args = argument;

	world->handle = world->buffer.allocation;
	args->paging_queue = world->session.paging_queue;
	args->alloc_count = 1;
	args->allocation_list = address(&world->handle);
}

static void resident_undo(struct fields_world *world, void *argument)
{
	(void)argument;
	kmt_evict(&world->session, world->buffer.allocation);
}

static const struct field resident_fields[] = {
	HANDLE(dxg_makeresident, paging_queue, PAGING_QUEUE),
	NUMBER(dxg_makeresident, alloc_count, { 0, BAD }, { DXG_MAKERESIDENT_MAX_COUNT + 1, BAD },
	       { 0xffffffff, BAD }),
	HANDLES(dxg_makeresident, allocation_list, ALLOCATION),
	ANY(dxg_makeresident, priority_list),
	FLAGS(dxg_makeresident, flags, 3),
	ANY(dxg_makeresident, reserved),
	ANY(dxg_makeresident, paging_fence_value),
	ANY(dxg_makeresident, num_bytes_to_trim),
	END
};

static void evict_fill(struct fields_world *world, void *argument)
{
	struct dxg_evict *args = argument;

	world->handle = world->buffer.allocation;
	args->device = world->session.device;
	args->alloc_count = 1;
	args->allocations = address(&world->handle);
}

static void evict_undo(struct fields_world *world, void *argument)
{
	(void)argument;
	kmt_make_resident(&world->session, world->buffer.allocation);
}

static const struct field evict_fields[] = {
	HANDLE(dxg_evict, device, DEVICE),
	NUMBER(dxg_evict, alloc_count, { 0, BAD }, { DXG_MAKERESIDENT_MAX_COUNT + 1, BAD },
	       { 0xffffffff, BAD }),
	HANDLES(dxg_evict, allocations, ALLOCATION),
	FLAGS(dxg_evict, flags, 3),
	ANY(dxg_evict, reserved),
	ANY(dxg_evict, num_bytes_to_trim),
	END
};

/* ---- GPU addresses ---- */

static void reserve_fill(struct fields_world *world, void *argument)
{
	struct dxg_reservegpuvirtualaddress *args = argument;

	args->adapter_or_paging_queue = world->session.adapter;
	args->base_address = WORLD_BASE;
	args->size = WORLD_RANGE;
}

static void reserve_undo(struct fields_world *world, void *argument)
{
	const struct dxg_reservegpuvirtualaddress *args = argument;

	kmt_unmap(&world->session, args->virtual_address, args->size);
}

static const struct field reserve_fields[] = {
	ROW(dxg_reservegpuvirtualaddress, adapter_or_paging_queue, FIELD_HANDLE,
	    1u << OBJECT_ADAPTER | 1u << OBJECT_PAGING_QUEUE, { { 0 } }),
	ANY(dxg_reservegpuvirtualaddress, reserved0),
	NUMBER(dxg_reservegpuvirtualaddress, base_address, { 1, BAD }, { 0x1000, BAD },
	       { 1ull << 60, BAD }, { ~0xffffull, BAD }),
	/* Limits are for a base address of 0. */
	ANY(dxg_reservegpuvirtualaddress, minimum_address),
	ANY(dxg_reservegpuvirtualaddress, maximum_address),
	NUMBER(dxg_reservegpuvirtualaddress, size, { 0, BAD }, { 4095, BAD }, { 1ull << 60, BAD },
	       { ~0xfffull, BAD }),
	LOWER(dxg_reservegpuvirtualaddress, reservation_type, { 3, BAD }, { 0xffffffff, BAD }),
	HALF(dxg_reservegpuvirtualaddress, reservation_type),
	ZERO(dxg_reservegpuvirtualaddress, driver_protection),
	ANY(dxg_reservegpuvirtualaddress, virtual_address),
	ANY(dxg_reservegpuvirtualaddress, paging_fence_value),
	END
};

static void map_fill(struct fields_world *world, void *argument)
{
	struct dxg_mapgpuvirtualaddress *args = argument;

	args->paging_queue = world->session.paging_queue;
	args->allocation = world->buffer.allocation;
	args->size_in_pages = 1;
	args->protection = DXG_PROTECTION_WRITE;
}

static void map_undo(struct fields_world *world, void *argument)
{
	const struct dxg_mapgpuvirtualaddress *args = argument;

	kmt_unmap(&world->session, args->virtual_address, KMT_PAGE_BYTES);
}

static const struct field map_fields[] = {
	HANDLE(dxg_mapgpuvirtualaddress, paging_queue, PAGING_QUEUE),
	ANY(dxg_mapgpuvirtualaddress, reserved0),
	NUMBER(dxg_mapgpuvirtualaddress, base_address, { 1, BAD }, { 4095, BAD },
	       { 1ull << 60, BAD }, { ~0xfffull, BAD }),
	NUMBER(dxg_mapgpuvirtualaddress, minimum_address, { 1ull << 60, BAD }, { ~0ull, BAD }),
	NUMBER(dxg_mapgpuvirtualaddress, maximum_address, { 1, BAD }, { 0x1000, BAD }),
	HANDLE(dxg_mapgpuvirtualaddress, allocation, ALLOCATION),
	ANY(dxg_mapgpuvirtualaddress, reserved1),
	NUMBER(dxg_mapgpuvirtualaddress, offset_in_pages, { 4, BAD }, { 1ull << 52, BAD },
	       { ~0ull, BAD }),
	NUMBER(dxg_mapgpuvirtualaddress, size_in_pages, { 0, BAD }, { 5, BAD },
	       { 1ull << 52, BAD }, { ~0ull, BAD }),
	FLAGS(dxg_mapgpuvirtualaddress, protection, DXG_PROTECTION_WRITE),
	ZERO(dxg_mapgpuvirtualaddress, driver_protection),
	ZERO(dxg_mapgpuvirtualaddress, reserved2),
	ANY(dxg_mapgpuvirtualaddress, reserved3),
	ZERO(dxg_mapgpuvirtualaddress, reserved4),
	ANY(dxg_mapgpuvirtualaddress, virtual_address),
	ANY(dxg_mapgpuvirtualaddress, paging_fence_value),
	END
};

/* What is to be freed is reserved anew when it is gone. */
static void free_fill(struct fields_world *world, void *argument)
{
	struct dxg_freegpuvirtualaddress *args = argument;
	struct dxg_reservegpuvirtualaddress reserve = {
		.adapter_or_paging_queue = world->session.adapter,
		.base_address = WORLD_FREE,
		.size = WORLD_RANGE,
	};

	kmt_call(world->session.fd, LX_DXRESERVEGPUVIRTUALADDRESS, &reserve);
	args->adapter = world->session.adapter;
	args->base_address = WORLD_FREE;
	args->size = WORLD_RANGE;
}

static const struct field free_fields[] = {
	HANDLE(dxg_freegpuvirtualaddress, adapter, ADAPTER),
	ANY(dxg_freegpuvirtualaddress, reserved),
	NUMBER(dxg_freegpuvirtualaddress, base_address, { 0, BAD }, { WORLD_FREE + 1, BAD },
	       { WORLD_FREE + 4096, BAD }, { 1ull << 60, BAD }, { ~0xfffull, BAD }),
	NUMBER(dxg_freegpuvirtualaddress, size, { 0, BAD }, { WORLD_RANGE - 1, BAD },
	       { WORLD_RANGE / 2, BAD }, { 2 * WORLD_RANGE, BAD }, { ~0xfffull, BAD }),
	END
};

/* ---- waits ---- */

static void wait_fill(struct fields_world *world, void *argument)
{
	struct dxg_waitforsyncobjectfromcpu *args = argument;

	world->handle = world->queue.fence;
	world->number = 0;
	args->device = world->session.device;
	args->object_count = 1;
	args->objects = address(&world->handle);
	args->fence_values = address(&world->number);
}

static const struct field wait_fields[] = {
	HANDLE(dxg_waitforsyncobjectfromcpu, device, DEVICE),
	NUMBER(dxg_waitforsyncobjectfromcpu, object_count, { 0, BAD },
	       { DXG_WAIT_MAX_OBJECTS + 1, BAD }, { 0xffffffff, BAD }),
	HANDLES(dxg_waitforsyncobjectfromcpu, objects, FENCE),
	INPUT(dxg_waitforsyncobjectfromcpu, fence_values, 8),
	/* No descriptor, one that is no eventfd, one with more than 32 bits. */
	NUMBER(dxg_waitforsyncobjectfromcpu, async_event, { 0x7fffffff, BAD }, { 1, BAD },
	       { 0xffffffff, BAD }, { 1ull << 32, BAD }, { ~0ull, BAD }),
	FLAGS(dxg_waitforsyncobjectfromcpu, flags, DXG_WAIT_ANY),
	ANY(dxg_waitforsyncobjectfromcpu, reserved),
	END
};

/* ---- doorbells ---- */

static void doorbell_undo(struct fields_world *world, void *argument)
{
	const struct dxg_createdoorbell *args = argument;

	doorbell_destroy(world->session.fd, args->doorbell);
}

static void doorbell_fill(struct fields_world *world, void *argument)
{
	struct dxg_createdoorbell *args = argument;

	if (world->spare[OBJECT_DOORBELL])
		doorbell_destroy(world->session.fd, world->spare[OBJECT_DOORBELL]);
	world->spare[OBJECT_DOORBELL] = 0;
	args->queue = world->bare.queue;
	args->ring_buffer = world->bare.ring.allocation;
	args->ring_buffer_control = world->bare.control.allocation;
	args->priv_drv_data = address(world->blob);
	args->priv_drv_data_size = PRIVATE_BYTES;
}

static const struct field doorbell_fields[] = {
	HEADER(dxg_createdoorbell),
	HANDLE(dxg_createdoorbell, queue, HWQUEUE),
	HANDLE(dxg_createdoorbell, ring_buffer, ALLOCATION),
	HANDLE(dxg_createdoorbell, ring_buffer_control, ALLOCATION),
	FLAGS(dxg_createdoorbell, flags, DXG_DOORBELL_REQUIRE_SECONDARY | DXG_DOORBELL_RESIZE),
	NUMBER(dxg_createdoorbell, priv_drv_data_size, { DXG_DOORBELL_PRIVATE_MAX_BYTES + 1, BAD },
	       { 0xffffffff, BAD }),
	ANY(dxg_createdoorbell, reserved0),
	BOTH(dxg_createdoorbell, priv_drv_data, PRIVATE_BYTES),
	ANY(dxg_createdoorbell, doorbell_cpu_va),
	ANY(dxg_createdoorbell, doorbell_secondary_cpu_va),
	ANY(dxg_createdoorbell, doorbell_status_cpu_va),
	ANY(dxg_createdoorbell, last_queued_value_cpu_va),
	ANY(dxg_createdoorbell, doorbell),
	ANY(dxg_createdoorbell, reserved1),
	END
};

static void flags_fill(struct fields_world *world, void *argument)
{
	((struct dxg_doorbell_flags *)argument)->doorbell = world->queue.doorbell;
}

static const struct field flags_fields[] = {
	HEADER(dxg_doorbell_flags),
	HANDLE(dxg_doorbell_flags, doorbell, DOORBELL),
	ZERO(dxg_doorbell_flags, flags),
	END
};

static void destroy_doorbell_fill(struct fields_world *world, void *argument)
{
	((struct dxg_destroydoorbell *)argument)->doorbell = fields_spare(world, OBJECT_DOORBELL);
}

static void destroy_doorbell_undo(struct fields_world *world, void *argument)
{
	(void)argument;
	world->spare[OBJECT_DOORBELL] = 0;
}

static const struct field destroy_doorbell_fields[] = {
	HEADER(dxg_destroydoorbell),
	HANDLE(dxg_destroydoorbell, doorbell, DOORBELL),
	ZERO(dxg_destroydoorbell, reserved),
	END
};

#define CALL(name, command, lower, undo) \
	{ name, command, ANSWER_NEEDED, lower##_fill, undo, 0, 0, lower##_fields }
#define QUIET(name, command, lower, undo) \
	{ name, command, ANSWER_NONE, lower##_fill, undo, 0, 0, lower##_fields }
#define INNER(name, command, fill, undo, member, rows) \
	{ name, command, ANSWER_NEEDED, fill, undo, offsetof(struct fields_world, member), \
	  sizeof(((struct fields_world *)0)->member), rows }

const struct fields_call fields_calls[] = {
	CALL("OpenAdapterFromLuid", LX_DXOPENADAPTERFROMLUID, open, open_undo),
	CALL("EnumAdapters2", LX_DXENUMADAPTERS2, enum, enum_undo),
	CALL("EnumAdapters3", LX_DXENUMADAPTERS3, enum3, enum3_undo),
	CALL("QueryAdapterInfo", LX_DXQUERYADAPTERINFO, query, NULL),
	QUIET("CloseAdapter", LX_DXCLOSEADAPTER, close_adapter, handle_undo),
	CALL("CreateDevice", LX_DXCREATEDEVICE, device, device_undo),
	CALL("GetDeviceState", LX_DXGETDEVICESTATE, state, NULL),
	QUIET("DestroyDevice", LX_DXDESTROYDEVICE, destroy_device, handle_undo),
	CALL("CreateContextVirtual", LX_DXCREATECONTEXTVIRTUAL, context, context_undo),
	QUIET("DestroyContext", LX_DXDESTROYCONTEXT, destroy_context, handle_undo),
	CALL("CreateHwQueue", LX_DXCREATEHWQUEUE, hwqueue, hwqueue_undo),
	QUIET("DestroyHwQueue", LX_DXDESTROYHWQUEUE, destroy_hwqueue, handle_undo),
	CALL("CreatePagingQueue", LX_DXCREATEPAGINGQUEUE, paging, paging_undo),
	QUIET("DestroyPagingQueue", LX_DXDESTROYPAGINGQUEUE, destroy_paging_queue, handle_undo),
	QUIET("DestroySynchronizationObject", LX_DXDESTROYSYNCHRONIZATIONOBJECT, destroy_fence,
	      NULL),
	CALL("CreateAllocation2", LX_DXCREATEALLOCATION, allocation, allocation_undo),
	INNER("D3DDDI_ALLOCATIONINFO2", LX_DXCREATEALLOCATION, allocation_fill, allocation_undo,
	      info, info_fields),
	INNER("dxgpu_allocation_data", LX_DXCREATEALLOCATION, allocation_fill, allocation_undo,
	      data, data_fields),
	QUIET("DestroyAllocation2", LX_DXDESTROYALLOCATION2, destroy_allocation,
	      destroy_allocation_undo),
	CALL("Lock2", LX_DXLOCK2, lock, lock_undo),
	QUIET("Unlock2", LX_DXUNLOCK2, unlock, unlock_undo),
	CALL("MakeResident", LX_DXMAKERESIDENT, resident, resident_undo),
	CALL("Evict", LX_DXEVICT, evict, evict_undo),
	CALL("ReserveGpuVirtualAddress", LX_DXRESERVEGPUVIRTUALADDRESS, reserve, reserve_undo),
	CALL("MapGpuVirtualAddress", LX_DXMAPGPUVIRTUALADDRESS, map, map_undo),
	QUIET("FreeGpuVirtualAddress", LX_DXFREEGPUVIRTUALADDRESS, free, NULL),
	QUIET("WaitForSynchronizationObjectFromCpu", LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU,
	      wait, NULL),
	CALL("CreateDoorbell", DXG_CREATEDOORBELL, doorbell, doorbell_undo),
	CALL("ConnectDoorbell", DXG_CONNECTDOORBELL, flags, NULL),
	CALL("NotifyWorkSubmission", DXG_NOTIFYWORKSUBMISSION, flags, NULL),
	CALL("DestroyDoorbell", DXG_DESTROYDOORBELL, destroy_doorbell, destroy_doorbell_undo),
};

const unsigned int num_fields_calls = sizeof(fields_calls) / sizeof(fields_calls[0]);
