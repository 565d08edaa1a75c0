// SPDX-License-Identifier: GPL-2.0
/*
 * The calls that find, open and describe adapters.
 *
 * What an adapter is comes from the capability queries that were made once when
 * it was added; only the miniport's own blob is asked for per call.
 */
#include <linux/slab.h>

#include "dxgkrnl.h"

#define DXG_ADAPTERS_MAX	64
#define DXG_ENUM_FILTERS	0x7ull	/* compute only, display only, virtual GPU only */

/* KMTQUERYADAPTERINFOTYPE */
enum {
	DXG_QAI_UMDRIVERPRIVATE			= 0,
	DXG_QAI_DRIVERVERSION			= 13,
	DXG_QAI_ADAPTERTYPE			= 15,
	DXG_QAI_NODEMETADATA			= 25,
	DXG_QAI_PHYSICALADAPTERCOUNT		= 30,
	DXG_QAI_GPUMMU_CAPS			= 34,
	DXG_QAI_DRIVERVERSION_RENDER		= 56,
	DXG_QAI_ADAPTERTYPE_RENDER		= 57,
	DXG_QAI_DRIVER_DESCRIPTION		= 65,
	DXG_QAI_DRIVER_DESCRIPTION_RENDER	= 66,
	DXG_QAI_WDDM_2_7_CAPS			= 70,
	DXG_QAI_WDDM_3_1_CAPS			= 80,
};

#define DXG_DRIVERVERSION_WDDM_3_2		3200
#define DXG_ADAPTERTYPE_RENDER_SUPPORTED	BIT(0)
#define DXG_WDDM_2_7_HWSCH_SUPPORTED_ENABLED	0x3u
#define DXG_DRIVER_DESCRIPTION_CHARS		4096

struct dxg_query_nodemetadata {
	u32 node_and_adapter;		/* in: node, adapter << 16 */
	DXGKARG_GETNODEMETADATA data;
} __packed;

struct dxg_query_gpummu_caps {
	u32 physical_adapter_index;	/* in */
	u32 flags;
	u32 va_bit_count;
};

static_assert(sizeof(struct dxg_query_nodemetadata) == 78);
static_assert(sizeof(struct dxg_query_gpummu_caps) == 12);

static void dxg_adapter_handle_release(struct dxg_object *obj)
{
	struct dxg_adapter_handle *opened = container_of(obj, struct dxg_adapter_handle, obj);
	struct dxg_process_adapter *pa = opened->pa;

	kfree(opened);
	dxg_process_adapter_put(pa);
}

/* Open an adapter for a process: a new handle. */
static NTSTATUS dxg_adapter_open(struct dxg_process *process, struct dxgadapter *adapter,
				 u32 *handle)
{
	struct dxg_adapter_handle *opened;
	NTSTATUS status;

	opened = kzalloc(sizeof(*opened), GFP_KERNEL_ACCOUNT);
	if (!opened)
		return STATUS_NO_MEMORY;
	status = dxg_process_adapter_open(process, adapter, &opened->pa);
	if (!NT_SUCCESS(status)) {
		kfree(opened);
		return status;
	}
	dxg_object_init(&opened->obj, DXG_TYPE_ADAPTER, process, dxg_adapter_handle_release);
	status = dxg_handle_reserve(process, handle);
	if (!NT_SUCCESS(status)) {
		dxg_process_adapter_unuse(opened->pa);
		dxg_object_put(&opened->obj);
		return status;
	}
	dxg_handle_publish(&opened->obj, *handle);
	return STATUS_SUCCESS;
}

/* All adapters shown now, with references. */
static unsigned int dxg_adapters_snapshot(struct dxgadapter **adapters)
{
	struct dxgadapter *adapter;
	unsigned int count = 0;

	mutex_lock(&dxg_adapters_lock);
	list_for_each_entry(adapter, &dxg_adapters, node) {
		if (count < DXG_ADAPTERS_MAX && dxg_adapter_running(adapter))
			adapters[count++] = dxg_adapter_get(adapter);
	}
	mutex_unlock(&dxg_adapters_lock);
	return count;
}

static void dxg_luid(const struct dxgadapter *adapter, struct dxg_luid *luid)
{
	luid->low_part = lower_32_bits(adapter->luid);
	luid->high_part = upper_32_bits(adapter->luid);
}

/**
 * dxg_open_adapter_from_luid() - D3DKMTOpenAdapterFromLuid
 * @call: struct dxg_openadapterfromluid
 *
 * Return: INVALID_PARAMETER if no adapter has the LUID, NO_MEMORY, DEVICE_REMOVED.
 */
NTSTATUS dxg_open_adapter_from_luid(struct dxg_call *call)
{
	struct dxg_openadapterfromluid *args = call->args;
	struct dxgadapter *adapter, *found = NULL;
	struct dxg_luid luid;
	NTSTATUS status;

	mutex_lock(&dxg_adapters_lock);
	list_for_each_entry(adapter, &dxg_adapters, node) {
		dxg_luid(adapter, &luid);
		if (luid.low_part == args->adapter_luid.low_part &&
		    luid.high_part == args->adapter_luid.high_part)
			found = dxg_adapter_get(adapter);
	}
	mutex_unlock(&dxg_adapters_lock);
	if (!found)
		return STATUS_INVALID_PARAMETER;

	status = dxg_adapter_open(call->process, found, &args->adapter);
	if (NT_SUCCESS(status))
		call->created = args->adapter;
	dxg_adapter_put(found);
	return status;
}

/*
 * Both enumerations: with no array the number of adapters, else each opened. An
 * adapter that vanishes meanwhile is left out.
 */
static NTSTATUS dxg_enum_adapters(struct dxg_call *call, u64 user, u32 *num)
{
	struct dxgadapter *adapters[DXG_ADAPTERS_MAX];
	struct dxg_adapterinfo *infos = NULL;
	NTSTATUS status = STATUS_SUCCESS;
	unsigned int count, i, done = 0;

	count = dxg_adapters_snapshot(adapters);
	if (!user || *num < count) {
		status = user ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
		*num = count;
		goto out_put;
	}

	infos = kcalloc(count + 1, sizeof(*infos), GFP_KERNEL_ACCOUNT);
	call->created_list = kvcalloc(count + 1, sizeof(u32), GFP_KERNEL_ACCOUNT);
	if (!infos || !call->created_list) {
		status = STATUS_NO_MEMORY;
		goto out_put;
	}
	for (i = 0; i < count; i++) {
		status = dxg_adapter_open(call->process, adapters[i], &infos[done].adapter);
		if (status == STATUS_DEVICE_REMOVED)
			continue;
		if (!NT_SUCCESS(status))
			goto out_put;
		dxg_luid(adapters[i], &infos[done].adapter_luid);
		call->created_list[call->created_count++] = infos[done++].adapter;
	}
	*num = done;
	status = dxg_copy_out(user, infos, done * sizeof(*infos));

out_put:
	for (i = 0; i < count; i++)
		dxg_adapter_put(adapters[i]);
	kfree(infos);
	return status;
}

/**
 * dxg_enum_adapters2() - D3DKMTEnumAdapters2
 * @call: struct dxg_enumadapters2
 *
 * Return: BUFFER_TOO_SMALL with the number needed, NO_MEMORY, ACCESS_VIOLATION.
 */
NTSTATUS dxg_enum_adapters2(struct dxg_call *call)
{
	struct dxg_enumadapters2 *args = call->args;

	return dxg_enum_adapters(call, args->adapters, &args->num_adapters);
}

/**
 * dxg_enum_adapters3() - D3DKMTEnumAdapters3
 * @call: struct dxg_enumadapters3
 *
 * Adapters here are full render adapters, which every filter includes.
 *
 * Return: as EnumAdapters2; INVALID_PARAMETER for an unknown filter bit.
 */
NTSTATUS dxg_enum_adapters3(struct dxg_call *call)
{
	struct dxg_enumadapters3 *args = call->args;

	if (args->filter & ~DXG_ENUM_FILTERS)
		return STATUS_INVALID_PARAMETER;
	return dxg_enum_adapters(call, args->adapters, &args->num_adapters);
}

/* The miniport's blob, both ways through a kernel copy. */
static NTSTATUS dxg_query_private(struct dxgadapter *adapter,
				  const struct dxg_queryadapterinfo *args)
{
	DXGKARG_QUERYADAPTERINFO query = {
		.Type = DXGKQAITYPE_UMDRIVERPRIVATE,
		.OutputDataSize = args->private_data_size,
		.InputDataSize = args->private_data_size,
	};
	void *data = NULL;
	NTSTATUS status;

	status = dxg_copy_private(args->private_data, args->private_data_size,
				  DXG_PRIVATE_MAX_BYTES, &data);
	if (!NT_SUCCESS(status))
		return status;
	query.pInputData = data;
	query.pOutputData = data;
	status = dxg_adapter_enter(adapter);
	if (NT_SUCCESS(status)) {
		status = adapter->ddi->DxgkDdiQueryAdapterInfo(adapter->context, &query);
		dxg_adapter_exit(adapter);
	}
	if (NT_SUCCESS(status))
		status = dxg_copy_out(args->private_data, data, args->private_data_size);
	kfree(data);
	return status;
}

static NTSTATUS dxg_query_reply(const struct dxg_queryadapterinfo *args, const void *data, u32 size)
{
	if (args->private_data_size < size)
		return STATUS_BUFFER_TOO_SMALL;
	return dxg_copy_out(args->private_data, data, size);
}

static NTSTATUS dxg_query_u32(const struct dxg_queryadapterinfo *args, u32 value)
{
	return dxg_query_reply(args, &value, sizeof(value));
}

static NTSTATUS dxg_query_node(struct dxgadapter *adapter, const struct dxg_queryadapterinfo *args)
{
	struct dxg_query_nodemetadata reply;
	NTSTATUS status;

	if (args->private_data_size < sizeof(reply))
		return STATUS_BUFFER_TOO_SMALL;
	status = dxg_copy_in(&reply.node_and_adapter, args->private_data,
			     sizeof(reply.node_and_adapter));
	if (!NT_SUCCESS(status))
		return status;
	/* The high half is the physical adapter: 0. */
	if (reply.node_and_adapter >= adapter->caps.NbAsymetricProcessingNodes)
		return STATUS_INVALID_PARAMETER;
	reply.data = adapter->nodes[reply.node_and_adapter];
	return dxg_query_reply(args, &reply, sizeof(reply));
}

static NTSTATUS dxg_query_mmu(struct dxgadapter *adapter, const struct dxg_queryadapterinfo *args)
{
	struct dxg_query_gpummu_caps reply = { };
	NTSTATUS status;

	if (args->private_data_size < sizeof(reply))
		return STATUS_BUFFER_TOO_SMALL;
	status = dxg_copy_in(&reply.physical_adapter_index, args->private_data,
			     sizeof(reply.physical_adapter_index));
	if (!NT_SUCCESS(status))
		return status;
	if (reply.physical_adapter_index)
		return STATUS_INVALID_PARAMETER;
	reply.va_bit_count = adapter->mmu_caps.VirtualAddressBitCount;
	return dxg_query_reply(args, &reply, sizeof(reply));
}

/* UTF-16 in a buffer of 4096 characters; the description is ASCII. */
static NTSTATUS dxg_query_description(struct dxgadapter *adapter,
				      const struct dxg_queryadapterinfo *args)
{
	NTSTATUS status;
	unsigned int i;
	u16 *text;

	text = kvcalloc(DXG_DRIVER_DESCRIPTION_CHARS, sizeof(*text), GFP_KERNEL_ACCOUNT);
	if (!text)
		return STATUS_NO_MEMORY;
	for (i = 0; i < sizeof(adapter->caps.Description) && adapter->caps.Description[i]; i++)
		text[i] = adapter->caps.Description[i];
	status = dxg_query_reply(args, text, DXG_DRIVER_DESCRIPTION_CHARS * sizeof(*text));
	kvfree(text);
	return status;
}

/**
 * dxg_query_adapter_info() - D3DKMTQueryAdapterInfo
 * @call: struct dxg_queryadapterinfo
 *
 * Return: INVALID_PARAMETER for a bad handle, node or unknown type;
 * BUFFER_TOO_SMALL; DEVICE_REMOVED; NO_MEMORY; ACCESS_VIOLATION.
 */
NTSTATUS dxg_query_adapter_info(struct dxg_call *call)
{
	struct dxg_queryadapterinfo *args = call->args;
	struct dxgadapter *adapter;
	struct dxg_object *obj;
	NTSTATUS status;

	obj = dxg_handle_get(call->process, args->adapter, DXG_TYPE_ADAPTER);
	if (!obj)
		return STATUS_INVALID_PARAMETER;
	adapter = container_of(obj, struct dxg_adapter_handle, obj)->pa->adapter;
	if (!dxg_adapter_running(adapter)) {
		dxg_object_put(obj);
		return STATUS_DEVICE_REMOVED;
	}

	switch (args->type) {
	case DXG_QAI_UMDRIVERPRIVATE:
		status = dxg_query_private(adapter, args);
		break;
	case DXG_QAI_DRIVERVERSION:
	case DXG_QAI_DRIVERVERSION_RENDER:
		status = dxg_query_u32(args, DXG_DRIVERVERSION_WDDM_3_2);
		break;
	case DXG_QAI_ADAPTERTYPE:
	case DXG_QAI_ADAPTERTYPE_RENDER:
		status = dxg_query_u32(args, DXG_ADAPTERTYPE_RENDER_SUPPORTED);
		break;
	case DXG_QAI_NODEMETADATA:
		status = dxg_query_node(adapter, args);
		break;
	case DXG_QAI_PHYSICALADAPTERCOUNT:
		status = dxg_query_u32(args, 1);
		break;
	case DXG_QAI_GPUMMU_CAPS:
		status = dxg_query_mmu(adapter, args);
		break;
	case DXG_QAI_DRIVER_DESCRIPTION:
	case DXG_QAI_DRIVER_DESCRIPTION_RENDER:
		status = dxg_query_description(adapter, args);
		break;
	case DXG_QAI_WDDM_2_7_CAPS:
		status = dxg_query_u32(args, DXG_WDDM_2_7_HWSCH_SUPPORTED_ENABLED);
		break;
	case DXG_QAI_WDDM_3_1_CAPS:
		/* b0 NativeGpuFenceSupported: not here. */
		status = dxg_query_u32(args, 0);
		break;
	default:
		status = STATUS_INVALID_PARAMETER;
		break;
	}
	dxg_object_put(obj);
	return status;
}
