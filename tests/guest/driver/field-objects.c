// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of fields.h: adapters, devices, contexts, queues. */
#include "field-rows.h"

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

static void command_fill(struct fields_world *world, void *argument)
{
	((struct dxg_submitcommandtohwqueue *)argument)->queue = world->kernel_queue;
}

/* What is refused is not looked at further. */
static const struct field command_fields[] = {
	HANDLE(dxg_submitcommandtohwqueue, queue, HWQUEUE),
	ANY(dxg_submitcommandtohwqueue, reserved0),
	ANY(dxg_submitcommandtohwqueue, progress_fence_id),
	ANY(dxg_submitcommandtohwqueue, command_buffer),
	ANY(dxg_submitcommandtohwqueue, command_length),
	ANY(dxg_submitcommandtohwqueue, priv_drv_data_size),
	ANY(dxg_submitcommandtohwqueue, priv_drv_data),
	ANY(dxg_submitcommandtohwqueue, num_primaries),
	ANY(dxg_submitcommandtohwqueue, reserved1),
	ANY(dxg_submitcommandtohwqueue, written_primaries),
	END
};

static void signal_fill(struct fields_world *world, void *argument)
{
	struct dxg_submitsignalsyncobjectstohwqueue *args = argument;

	world->handle = world->kernel_queue;
	args->queue_count = 1;
	args->queues = address(&world->handle);
}

static const struct field signal_fields[] = {
	FLAGS(dxg_submitsignalsyncobjectstohwqueue, flags, DXG_SIGNAL_FLAGS),
	NUMBER(dxg_submitsignalsyncobjectstohwqueue, queue_count, { 0, BAD },
	       { DXG_BROADCAST_MAX_QUEUES + 1, BAD }, { 0x80000000, BAD }, { 0xffffffff, BAD }),
	HANDLES(dxg_submitsignalsyncobjectstohwqueue, queues, HWQUEUE),
	ANY(dxg_submitsignalsyncobjectstohwqueue, object_count),
	ANY(dxg_submitsignalsyncobjectstohwqueue, reserved),
	ANY(dxg_submitsignalsyncobjectstohwqueue, objects),
	ANY(dxg_submitsignalsyncobjectstohwqueue, fence_values),
	END
};

static void wait_fill(struct fields_world *world, void *argument)
{
	((struct dxg_submitwaitforsyncobjectstohwqueue *)argument)->queue = world->kernel_queue;
}

static const struct field wait_fields[] = {
	HANDLE(dxg_submitwaitforsyncobjectstohwqueue, queue, HWQUEUE),
	ANY(dxg_submitwaitforsyncobjectstohwqueue, object_count),
	ANY(dxg_submitwaitforsyncobjectstohwqueue, objects),
	ANY(dxg_submitwaitforsyncobjectstohwqueue, fence_values),
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

const struct fields_call fields_object_calls[] = {
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
	QUIET("SubmitCommandToHwQueue", LX_DXSUBMITCOMMANDTOHWQUEUE, command, NULL),
	QUIET("SubmitSignalSyncObjectsToHwQueue", LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE, signal,
	      NULL),
	QUIET("SubmitWaitForSyncObjectsToHwQueue", LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE, wait,
	      NULL),
	CALL("CreatePagingQueue", LX_DXCREATEPAGINGQUEUE, paging, paging_undo),
	QUIET("DestroyPagingQueue", LX_DXDESTROYPAGINGQUEUE, destroy_paging_queue, handle_undo),
	QUIET("DestroySynchronizationObject", LX_DXDESTROYSYNCHRONIZATIONOBJECT, destroy_fence,
	      NULL),
	END_CALLS
};
