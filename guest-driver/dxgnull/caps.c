// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: what the adapter says of itself.
 *
 * A miniport of hardware reads all of this from the device (DDI-QA-3). The blob for
 * the user-mode driver is dxgpu's, because the packets are: libd3dkmt's
 * submission helper works on both.
 */
#include <linux/io.h>
#include <linux/string.h>
#include <uapi/dxgpu_umd.h>
#include "dxgnull.h"

static const struct {
	DXGK_ENGINE_TYPE type;
	bool user;			/* takes user-mode submission */
	const char *name;
} dxgnull_nodes[DXGNULL_NODES] = {
	{ DXGK_ENGINE_TYPE_3D, true, "" },
	/* Kernel work only: shows that such nodes refuse (KMT-HQ-1). */
	{ DXGK_ENGINE_TYPE_COPY, false, "" },
	{ DXGK_ENGINE_TYPE_OTHER, true, "Compute" },
};

/* Can a queue of this node have a doorbell? */
bool dxgnull_node_is_user(unsigned int node)
{
	return dxgnull_nodes[node].user;
}

static void dxgnull_fill_umd_caps(struct dxgnull_adapter *adapter, void *out)
{
	*(struct dxgpu_umd_caps *)out = (struct dxgpu_umd_caps){
		.size = sizeof(struct dxgpu_umd_caps),
		.hardware_version = 1 << 16,
		.num_nodes = DXGNULL_NODES,
		.num_slots = adapter->num_slots,
		.ring_min_entries = DXGNULL_RING_MIN_ENTRIES,
		.ring_max_entries = DXGNULL_RING_MAX_ENTRIES,
		.ring_control_bytes = sizeof(struct dxgpu_ring_control),
		.ring_control_align = DXGPU_RING_CONTROL_ALIGN,
		.max_command_bytes = DXGNULL_MAX_COMMAND_BYTES,
		.max_transfer_bytes = DXGNULL_MAX_TRANSFER_BYTES,
		.doorbell_bytes = sizeof(u64),
		.gpuva_bits = DXGNULL_GPUVA_BITS,
	};
}

static void dxgnull_fill_driver_caps(struct dxgnull_adapter *adapter, void *out)
{
	DXGK_DRIVERCAPS *caps = out;

	memset(caps, 0, sizeof(*caps));
	caps->NbAsymetricProcessingNodes = DXGNULL_NODES;
	strscpy(caps->Description, "dxgnull", sizeof(caps->Description));
}

static void dxgnull_fill_gpummu_caps(struct dxgnull_adapter *adapter, void *out)
{
	*(DXGK_GPUMMUCAPS *)out = (DXGK_GPUMMUCAPS){
		.VirtualAddressBitCount = DXGNULL_GPUVA_BITS,
		.PageSizeInBytes = PAGE_SIZE,
	};
}

static void dxgnull_fill_submission_caps(struct dxgnull_adapter *adapter, void *out)
{
	*(DXGK_USERMODESUBMISSION_CAPS *)out = (DXGK_USERMODESUBMISSION_CAPS){
		.DoorbellSizeInBytes = sizeof(u64),
	};
}

/* The flag makes the OS layer map them as the memory that they are. */
static void dxgnull_fill_aperture(struct dxgnull_adapter *adapter, void *out)
{
	*(DXGK_DOORBELLAPERTURE *)out = (DXGK_DOORBELLAPERTURE){
		.KernelCpuVirtualAddress = adapter->doorbells,
		.PhysicalAddress = virt_to_phys(adapter->doorbells),
		.Size = adapter->num_slots * PAGE_SIZE,
		.Flags = DXGK_DOORBELLAPERTURE_SYSTEM_MEMORY,
	};
}

static const struct {
	DXGK_QUERYADAPTERINFOTYPE type;
	size_t bytes;
	void (*fill)(struct dxgnull_adapter *adapter, void *out);
} dxgnull_queries[] = {
	{ DXGKQAITYPE_UMDRIVERPRIVATE, sizeof(struct dxgpu_umd_caps), dxgnull_fill_umd_caps },
	{ DXGKQAITYPE_DRIVERCAPS, sizeof(DXGK_DRIVERCAPS), dxgnull_fill_driver_caps },
	{ DXGKQAITYPE_GPUMMUCAPS, sizeof(DXGK_GPUMMUCAPS), dxgnull_fill_gpummu_caps },
	{ DXGKQAITYPE_USERMODESUBMISSION_CAPS, sizeof(DXGK_USERMODESUBMISSION_CAPS),
	  dxgnull_fill_submission_caps },
	{ DXGKQAITYPE_DOORBELLAPERTURE, sizeof(DXGK_DOORBELLAPERTURE), dxgnull_fill_aperture },
};

/* DxgkDdiQueryAdapterInfo: BUFFER_TOO_SMALL; NOT_SUPPORTED for other types (DDI-QA-1). */
NTSTATUS dxgnull_query_adapter_info(HANDLE hadapter, const DXGKARG_QUERYADAPTERINFO *args)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxgnull_queries); i++) {
		if (dxgnull_queries[i].type != args->Type)
			continue;
		if (args->OutputDataSize < dxgnull_queries[i].bytes)
			return STATUS_BUFFER_TOO_SMALL;
		dxgnull_queries[i].fill(hadapter, args->pOutputData);
		return STATUS_SUCCESS;
	}
	return STATUS_NOT_SUPPORTED;
}

/* DxgkDdiGetNodeMetadata: INVALID_PARAMETER for an ordinal that is not there (DDI-NM-1). */
NTSTATUS dxgnull_get_node_metadata(HANDLE hadapter, UINT ordinal, DXGKARG_GETNODEMETADATA *args)
{
	unsigned int i;

	if (ordinal >= DXGNULL_NODES)
		return STATUS_INVALID_PARAMETER;
	memset(args, 0, sizeof(*args));
	args->EngineType = dxgnull_nodes[ordinal].type;
	for (i = 0; dxgnull_nodes[ordinal].name[i]; i++)
		args->FriendlyName[i] = dxgnull_nodes[ordinal].name[i];
	args->Flags = DXGK_NODEMETADATA_CONTEXT_SCHEDULING;
	if (dxgnull_nodes[ordinal].user)
		args->Flags |= DXGK_NODEMETADATA_USER_MODE_SUBMISSION;
	args->GpuMmuSupported = 1;
	return STATUS_SUCCESS;
}

/* DxgkDdiQueryEngineStatus: responsive if idle, or a packet was done since (DDI-QS-1). */
NTSTATUS dxgnull_query_engine_status(HANDLE hadapter, DXGKARG_QUERYENGINESTATUS *args)
{
	struct dxgnull_adapter *adapter = hadapter;
	struct dxgnull_engine *engine;
	u64 packets;

	if (args->NodeOrdinal >= DXGNULL_NODES || args->EngineOrdinal)
		return STATUS_INVALID_PARAMETER;
	engine = &adapter->engines[args->NodeOrdinal];
	mutex_lock(&adapter->lock);
	packets = READ_ONCE(engine->packets);
	args->EngineStatus = !engine->running || packets != engine->last_packets;
	engine->last_packets = packets;
	mutex_unlock(&adapter->lock);
	return STATUS_SUCCESS;
}
