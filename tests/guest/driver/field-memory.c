// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of fields.h: allocations and GPU addresses. */
#include "field-rows.h"

/* GPU addresses that the table uses. */
#define WORLD_BASE	(1ull << 32)
#define WORLD_FREE	(2ull << 32)
#define WORLD_RANGE	65536ull

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

const struct fields_call fields_memory_calls[] = {
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
	END_CALLS
};
