// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: what the device says of itself, and the queries that pass it on.
 *
 * The device's registers are the only source of a count or size (DDI-QA-3). They
 * are checked once, at start, against what the driver relies on later without
 * looking: that every record of the status region and every slot lies inside
 * its BAR, and that a doorbell has a page of its own (DEV-6), or that all pages
 * have as many, since the OS layer maps whole pages to processes. That holds for
 * secondary doorbells, too. In the global model each address space has a slot, so
 * no process lacks one, and a page of its own.
 */
#include <linux/log2.h>
#include <linux/string.h>
#include <dxgpu/pte.h>
#include <dxgpu/ring.h>
#include <uapi/dxgpu_umd.h>
#include "adapter.h"

static u32 dxgpu_reg(struct dxgpu_adapter *adapter, u32 offset)
{
	return readl(adapter->regs + offset);
}

static bool dxgpu_records_fit(u32 offset, u32 stride, u32 count, size_t record_bytes,
			      size_t region_bytes)
{
	return IS_ALIGNED(offset, 8) && IS_ALIGNED(stride, 8) && stride >= record_bytes &&
	       offset <= region_bytes && count <= (region_bytes - offset) / stride;
}

/* As far apart as pages, or several to each page of equal number, or on one page. */
static bool dxgpu_stride_fit(const struct dxgpu_caps *caps)
{
	u32 stride = caps->doorbell_stride;

	if (IS_ALIGNED(stride, PAGE_SIZE))
		return stride;
	return is_power_of_2(stride) && stride >= PAGE_SIZE / DXGPU_PLACES_MAX &&
	       stride >= caps->doorbell_size && stride >= caps->secondary_size &&
	       !caps->global_doorbells && !(caps->num_slots % caps->doorbell_places);
}

/* Behind all primary ones, so that no page has slots of both. */
static bool dxgpu_secondary_fit(const struct dxgpu_caps *caps, size_t doorbell_bytes)
{
	u64 first_free = PAGE_ALIGN((u64)caps->num_slots * caps->doorbell_stride);

	return IS_ALIGNED(caps->secondary_size, 8) && caps->secondary_size <= PAGE_SIZE &&
	       caps->secondary_stride &&
	       (caps->secondary_stride == caps->doorbell_stride ||
		(IS_ALIGNED(caps->secondary_stride, PAGE_SIZE) &&
		 IS_ALIGNED(caps->doorbell_stride, PAGE_SIZE))) &&
	       IS_ALIGNED(caps->secondary_offset, PAGE_SIZE) &&
	       caps->secondary_offset >= first_free &&
	       caps->secondary_offset <= doorbell_bytes &&
	       caps->num_slots <= (doorbell_bytes - caps->secondary_offset) /
				  caps->secondary_stride;
}

static const char *dxgpu_caps_problem(const struct dxgpu_caps *caps, size_t doorbell_bytes,
				      size_t status_bytes)
{
	if (!caps->num_nodes || caps->num_nodes > DXGPU_MAX_NODES)
		return "node count";
	if (!caps->max_queues || !caps->max_contexts || !caps->max_spaces)
		return "object count";
	if (!caps->doorbell_size || !IS_ALIGNED(caps->doorbell_size, 8) ||
	    caps->doorbell_size > PAGE_SIZE)
		return "doorbell size";
	if (!caps->num_slots || !dxgpu_stride_fit(caps))
		return "doorbell stride (a slot has its own page, or all pages have as many)";
	if (caps->num_slots > doorbell_bytes / caps->doorbell_stride)
		return "slot count";
	if (caps->global_doorbells && caps->num_slots < caps->max_spaces)
		return "slot count (fewer than address spaces)";
	if (caps->secondary_size && !dxgpu_secondary_fit(caps, doorbell_bytes))
		return "place of the secondary doorbells";
	if (!is_power_of_2(caps->ring_min_entries) || !is_power_of_2(caps->ring_max_entries) ||
	    caps->ring_min_entries > caps->ring_max_entries)
		return "ring limits";
	if (caps->gpuva_bits <= DXGPU_PAGE_SHIFT || caps->gpuva_bits > DXGPU_GPUVA_BITS)
		return "GPU virtual address bits";
	if (!dxgpu_records_fit(caps->queue_offset, caps->queue_stride, caps->max_queues,
			       sizeof(struct dxgpu_queue_status), status_bytes) ||
	    !dxgpu_records_fit(caps->context_offset, caps->context_stride,
			       caps->max_contexts, sizeof(struct dxgpu_context_status),
			       status_bytes) ||
	    !dxgpu_records_fit(caps->space_offset, caps->space_stride, caps->max_spaces,
			       sizeof(struct dxgpu_space_status), status_bytes) ||
	    !dxgpu_records_fit(caps->node_offset, caps->node_stride, caps->num_nodes,
			       sizeof(struct dxgpu_node_status), status_bytes) ||
	    !dxgpu_records_fit(caps->fault_offset, sizeof(u64),
			       DIV_ROUND_UP(caps->max_queues, 64), sizeof(u64),
			       status_bytes))
		return "status region layout";
	return NULL;
}

/**
 * dxgpu_caps_read() - read and check the capability registers
 * @adapter: the adapter; regs is mapped
 * @doorbell_bytes: size of the doorbell BAR
 * @status_bytes: size of the status BAR
 *
 * Return: 0, -ENODEV if this is no dxgpu of a known version or has not one of the
 * two doorbell models, -EINVAL if a register contradicts the BARs (logged).
 */
int dxgpu_caps_read(struct dxgpu_adapter *adapter, size_t doorbell_bytes,
		    size_t status_bytes)
{
	struct device *dev = &adapter->pdev->dev;
	struct dxgpu_caps *caps = &adapter->caps;
	const char *problem;
	u32 magic = dxgpu_reg(adapter, DXGPU_REG_MAGIC);
	u32 features = dxgpu_reg(adapter, DXGPU_REG_CAPS);
	u32 i;

	caps->version = dxgpu_reg(adapter, DXGPU_REG_VERSION);
	if (magic != DXGPU_MAGIC || caps->version >> 16 != DXGPU_VERSION_MAJOR ||
	    !(features & DXGPU_CAPS_DEDICATED) == !(features & DXGPU_CAPS_GLOBAL)) {
		dev_err(dev, "magic 0x%08x, version 0x%08x, features 0x%x: want 0x%08x, major %u, one doorbell model\n",
			magic, caps->version, features, DXGPU_MAGIC, DXGPU_VERSION_MAJOR);
		return -ENODEV;
	}

	caps->global_doorbells = features & DXGPU_CAPS_GLOBAL;
	caps->engine_reset = features & DXGPU_CAPS_ENGINE_RESET;
	caps->num_nodes = dxgpu_reg(adapter, DXGPU_REG_NUM_NODES);
	caps->num_slots = dxgpu_reg(adapter, DXGPU_REG_NUM_SLOTS);
	caps->max_queues = dxgpu_reg(adapter, DXGPU_REG_MAX_QUEUES);
	caps->max_contexts = dxgpu_reg(adapter, DXGPU_REG_MAX_CONTEXTS);
	caps->max_spaces = dxgpu_reg(adapter, DXGPU_REG_MAX_SPACES);
	caps->doorbell_stride = dxgpu_reg(adapter, DXGPU_REG_DOORBELL_STRIDE);
	caps->doorbell_places = 1;
	if (caps->doorbell_stride && caps->doorbell_stride < PAGE_SIZE)
		caps->doorbell_places = min_t(u32, PAGE_SIZE / caps->doorbell_stride,
					      caps->num_slots);
	caps->doorbell_size = dxgpu_reg(adapter, DXGPU_REG_DOORBELL_SIZE);
	caps->ring_min_entries = dxgpu_reg(adapter, DXGPU_REG_RING_MIN_ENTRIES);
	caps->ring_max_entries = dxgpu_reg(adapter, DXGPU_REG_RING_MAX_ENTRIES);
	caps->max_command_bytes = dxgpu_reg(adapter, DXGPU_REG_MAX_COMMAND_BYTES);
	caps->max_transfer_bytes = dxgpu_reg(adapter, DXGPU_REG_MAX_TRANSFER_BYTES);
	caps->gpuva_bits = dxgpu_reg(adapter, DXGPU_REG_GPUVA_BITS);
	caps->queue_offset = dxgpu_reg(adapter, DXGPU_REG_STATUS_QUEUE_OFFSET);
	caps->queue_stride = dxgpu_reg(adapter, DXGPU_REG_STATUS_QUEUE_STRIDE);
	caps->context_offset = dxgpu_reg(adapter, DXGPU_REG_STATUS_CONTEXT_OFFSET);
	caps->context_stride = dxgpu_reg(adapter, DXGPU_REG_STATUS_CONTEXT_STRIDE);
	caps->space_offset = dxgpu_reg(adapter, DXGPU_REG_STATUS_SPACE_OFFSET);
	caps->space_stride = dxgpu_reg(adapter, DXGPU_REG_STATUS_SPACE_STRIDE);
	caps->node_offset = dxgpu_reg(adapter, DXGPU_REG_STATUS_NODE_OFFSET);
	caps->node_stride = dxgpu_reg(adapter, DXGPU_REG_STATUS_NODE_STRIDE);
	caps->fault_offset = dxgpu_reg(adapter, DXGPU_REG_STATUS_FAULT_OFFSET);
	if (features & DXGPU_CAPS_SECONDARY) {
		caps->secondary_offset = dxgpu_reg(adapter, DXGPU_REG_SECONDARY_OFFSET);
		caps->secondary_stride = dxgpu_reg(adapter, DXGPU_REG_SECONDARY_STRIDE);
		caps->secondary_size = dxgpu_reg(adapter, DXGPU_REG_SECONDARY_SIZE);
	}
	for (i = 0; i < caps->num_nodes && i < DXGPU_MAX_NODES; i++)
		caps->node_flags[i] = dxgpu_reg(adapter, DXGPU_REG_NODE_FLAGS(i));

	status_bytes = min_t(size_t, status_bytes, dxgpu_reg(adapter, DXGPU_REG_STATUS_SIZE));
	problem = dxgpu_caps_problem(caps, doorbell_bytes, status_bytes);
	if (problem) {
		dev_err(dev, "capability registers: bad %s\n", problem);
		return -EINVAL;
	}
	return 0;
}

static void dxgpu_fill_umd_caps(struct dxgpu_adapter *adapter, void *out)
{
	const struct dxgpu_caps *caps = &adapter->caps;

	*(struct dxgpu_umd_caps *)out = (struct dxgpu_umd_caps){
		.size = sizeof(struct dxgpu_umd_caps),
		.hardware_version = caps->version,
		.num_nodes = caps->num_nodes,
		.num_slots = caps->num_slots,
		.ring_min_entries = caps->ring_min_entries,
		.ring_max_entries = caps->ring_max_entries,
		.ring_control_bytes = sizeof(struct dxgpu_ring_control),
		.ring_control_align = DXGPU_RING_CONTROL_ALIGN,
		.max_command_bytes = caps->max_command_bytes,
		.max_transfer_bytes = caps->max_transfer_bytes,
		.doorbell_bytes = caps->doorbell_size,
		.gpuva_bits = caps->gpuva_bits,
		.secondary_doorbell_bytes = caps->secondary_size,
		.doorbell_model = caps->global_doorbells ? DXGPU_DOORBELLS_GLOBAL :
							   DXGPU_DOORBELLS_DEDICATED,
	};
}

static void dxgpu_fill_driver_caps(struct dxgpu_adapter *adapter, void *out)
{
	DXGK_DRIVERCAPS *caps = out;

	memset(caps, 0, sizeof(*caps));
	caps->NbAsymetricProcessingNodes = adapter->caps.num_nodes;
	snprintf(caps->Description, sizeof(caps->Description), "dxgpu %u.%u",
		 adapter->caps.version >> 16, adapter->caps.version & 0xffff);
}

static void dxgpu_fill_gpummu_caps(struct dxgpu_adapter *adapter, void *out)
{
	*(DXGK_GPUMMUCAPS *)out = (DXGK_GPUMMUCAPS){
		.VirtualAddressBitCount = adapter->caps.gpuva_bits,
		.PageSizeInBytes = DXGPU_PAGE_SIZE,
	};
}

static void dxgpu_fill_submission_caps(struct dxgpu_adapter *adapter, void *out)
{
	u32 secondary = adapter->caps.secondary_size;

	*(DXGK_USERMODESUBMISSION_CAPS *)out = (DXGK_USERMODESUBMISSION_CAPS){
		.Flags = secondary ? DXGK_USERMODESUBMISSION_SECONDARY : 0,
		.DoorbellSizeInBytes = adapter->caps.doorbell_size,
		.SecondaryDoorbellSizeInBytes = secondary,
	};
}

static void dxgpu_fill_aperture(struct dxgpu_adapter *adapter, void *out)
{
	const struct dxgpu_caps *caps = &adapter->caps;
	u64 end = (u64)caps->num_slots * caps->doorbell_stride;

	if (caps->secondary_size)
		end = caps->secondary_offset + (u64)caps->num_slots * caps->secondary_stride;
	*(DXGK_DOORBELLAPERTURE *)out = (DXGK_DOORBELLAPERTURE){
		.KernelCpuVirtualAddress = (void __force *)adapter->doorbells,
		.PhysicalAddress = pci_resource_start(adapter->pdev, DXGPU_BAR_DOORBELL),
		.Size = PAGE_ALIGN(end),
	};
}

static const struct {
	DXGK_QUERYADAPTERINFOTYPE type;
	size_t bytes;
	void (*fill)(struct dxgpu_adapter *adapter, void *out);
} dxgpu_queries[] = {
	{ DXGKQAITYPE_UMDRIVERPRIVATE, sizeof(struct dxgpu_umd_caps), dxgpu_fill_umd_caps },
	{ DXGKQAITYPE_DRIVERCAPS, sizeof(DXGK_DRIVERCAPS), dxgpu_fill_driver_caps },
	{ DXGKQAITYPE_GPUMMUCAPS, sizeof(DXGK_GPUMMUCAPS), dxgpu_fill_gpummu_caps },
	{ DXGKQAITYPE_USERMODESUBMISSION_CAPS, sizeof(DXGK_USERMODESUBMISSION_CAPS),
	  dxgpu_fill_submission_caps },
	{ DXGKQAITYPE_DOORBELLAPERTURE, sizeof(DXGK_DOORBELLAPERTURE), dxgpu_fill_aperture },
};

/* DxgkDdiQueryAdapterInfo: BUFFER_TOO_SMALL; NOT_SUPPORTED for other types (DDI-QA-1). */
NTSTATUS dxgpu_query_adapter_info(HANDLE hadapter, const DXGKARG_QUERYADAPTERINFO *args)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxgpu_queries); i++) {
		if (dxgpu_queries[i].type != args->Type)
			continue;
		if (args->OutputDataSize < dxgpu_queries[i].bytes)
			return STATUS_BUFFER_TOO_SMALL;
		dxgpu_queries[i].fill(hadapter, args->pOutputData);
		return STATUS_SUCCESS;
	}
	return STATUS_NOT_SUPPORTED;
}

/* DxgkDdiGetNodeMetadata: INVALID_PARAMETER for an ordinal that is not there (DDI-NM-1). */
NTSTATUS dxgpu_get_node_metadata(HANDLE hadapter, UINT ordinal,
				 DXGKARG_GETNODEMETADATA *args)
{
	static const char compute[] = "Compute";
	struct dxgpu_adapter *adapter = hadapter;
	u32 type;
	u32 i;

	if (ordinal >= adapter->caps.num_nodes)
		return STATUS_INVALID_PARAMETER;

	type = dxgpu_reg(adapter, DXGPU_REG_NODE_TYPE(ordinal));
	memset(args, 0, sizeof(*args));
	args->EngineType = type;
	args->GpuMmuSupported = 1;
	args->Flags = DXGK_NODEMETADATA_CONTEXT_SCHEDULING;
	if (adapter->caps.node_flags[ordinal] & DXGPU_NODE_USER_SUBMISSION)
		args->Flags |= DXGK_NODEMETADATA_USER_MODE_SUBMISSION;
	for (i = 0; type == DXGPU_NODE_TYPE_COMPUTE && i < sizeof(compute); i++)
		args->FriendlyName[i] = compute[i];
	return STATUS_SUCCESS;
}

/*
 * DxgkDdiQueryEngineStatus: a node is responsive if it is idle or has executed
 * a packet since the last query (DDI-QS-1). Succeeds for each node that exists.
 */
NTSTATUS dxgpu_query_engine_status(HANDLE hadapter, DXGKARG_QUERYENGINESTATUS *args)
{
	struct dxgpu_adapter *adapter = hadapter;
	struct dxgpu_node *node;
	void __iomem *record;
	u64 packets;

	if (args->NodeOrdinal >= adapter->caps.num_nodes || args->EngineOrdinal)
		return STATUS_INVALID_PARAMETER;

	node = &adapter->nodes[args->NodeOrdinal];
	record = dxgpu_node_record(adapter, args->NodeOrdinal);
	packets = dxgpu_read64(record, dxgpu_node_status, packets);
	args->EngineStatus = packets != node->last_packets ||
			     !dxgpu_read32(record, dxgpu_node_status, runnable);
	node->last_packets = packets;
	return STATUS_SUCCESS;
}
