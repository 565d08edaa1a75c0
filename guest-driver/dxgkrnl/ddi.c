// SPDX-License-Identifier: GPL-2.0
/*
 * The four entry points of miniports and the three callbacks (contract:
 * d3dkmddi.h).
 *
 * An adapter's capabilities are read once, here, and checked before anything is
 * shown to processes. A miniport whose doorbells cannot be shown to user space
 * (size, aperture) loses user-mode submission on all nodes, not its adapter
 * (DDI-QA-2).
 */
#include <linux/device.h>
#include <linux/slab.h>

#include "dxgkrnl.h"

static LIST_HEAD(dxgk_miniports);
static atomic_t dxg_next_luid = ATOMIC_INIT(0);

/* DxgkCbNotifyInterrupt: any context. */
static void dxg_cb_notify_interrupt(HANDLE device, const DXGKARGCB_NOTIFY_INTERRUPT_DATA *data)
{
	struct dxgadapter *adapter = device;

	switch (data->InterruptType) {
	case DXGK_INTERRUPT_MONITORED_FENCE_SIGNALED:
		dxg_wait_notify(adapter);
		break;
	case DXGK_INTERRUPT_HWQUEUE_PAGE_FAULTED:
		dxg_hwqueue_faulted(adapter, data);
		break;
	case DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED:
		dxg_context_suspend_completed(adapter, data->SuspendContextCompleted.hContext,
					      data->SuspendContextCompleted.ContextSuspendFence);
		break;
	case DXGK_INTERRUPT_GPU_ENGINE_TIMEOUT:
		WRITE_ONCE(adapter->reset_seen, READ_ONCE(adapter->resets));
		queue_work(dxg_wq, &adapter->reset_work);
		break;
	case DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE:
		/* An engine that goes idle or busy: no power states are managed, nothing to do. */
		break;
	}
}

/* DxgkCbInvalidateHwContext: any context. */
static void dxg_cb_invalidate_hw_context(HANDLE device, const DXGKARGCB_INVALIDATEHWCONTEXT *data)
{
	dxg_engine_invalidated(device, data);
}

#define DXG_DDI(field) { #field, offsetof(DRIVER_INITIALIZATION_DATA, field) }

static const struct {
	const char *name;
	size_t offset;
} dxg_ddi_members[] = {
	DXG_DDI(Name),
	DXG_DDI(DxgkDdiAddDevice),
	DXG_DDI(DxgkDdiStartDevice),
	DXG_DDI(DxgkDdiStopDevice),
	DXG_DDI(DxgkDdiRemoveDevice),
	DXG_DDI(DxgkDdiQueryAdapterInfo),
	DXG_DDI(DxgkDdiGetNodeMetadata),
	DXG_DDI(DxgkDdiCreateProcess),
	DXG_DDI(DxgkDdiDestroyProcess),
	DXG_DDI(DxgkDdiCreateDevice),
	DXG_DDI(DxgkDdiDestroyDevice),
	DXG_DDI(DxgkDdiCreateContext),
	DXG_DDI(DxgkDdiDestroyContext),
	DXG_DDI(DxgkDdiCreateHwQueue),
	DXG_DDI(DxgkDdiDestroyHwQueue),
	DXG_DDI(DxgkDdiCreateAllocation),
	DXG_DDI(DxgkDdiDestroyAllocation),
	DXG_DDI(DxgkDdiBuildPagingBuffer),
	DXG_DDI(DxgkDdiCreateDoorbell),
	DXG_DDI(DxgkDdiConnectDoorbell),
	DXG_DDI(DxgkDdiDisconnectDoorbell),
	DXG_DDI(DxgkDdiDestroyDoorbell),
	DXG_DDI(DxgkDdiNotifyWorkSubmission),
	DXG_DDI(DxgkDdiSuspendContext),
	DXG_DDI(DxgkDdiResumeContext),
	DXG_DDI(DxgkDdiQueryEngineStatus),
	DXG_DDI(DxgkDdiQueryHwQueueStatus),
	DXG_DDI(DxgkDdiResetHwEngine),
	DXG_DDI(DxgkDdiResumeHwEngine),
	DXG_DDI(DxgkDdiResetFromTimeout),
	DXG_DDI(DxgkDdiRestartFromTimeout),
	DXG_DDI(DxgkDdiSetPowerState),
	DXG_DDI(DxgkDdiCollectDbgInfo),
	DXG_DDI(DxgkDdiPrintSlots),
};

/* The first member of the table that is missing, or NULL. All of them are pointers. */
static const char *dxg_ddi_missing(const DRIVER_INITIALIZATION_DATA *ddi)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxg_ddi_members); i++) {
		if (!*(const void * const *)((const u8 *)ddi + dxg_ddi_members[i].offset))
			return dxg_ddi_members[i].name;
	}
	return NULL;
}

NTSTATUS DxgkInitialize(struct module *owner, const DRIVER_INITIALIZATION_DATA *pData,
			struct dxgk_miniport **ppMiniport)
{
	const char *missing = dxg_ddi_missing(pData);
	struct dxgk_miniport *miniport;

	if (pData->Version != DXGKDDI_INTERFACE_VERSION_WDDM3_2 || missing) {
		pr_err("dxgkrnl: miniport %s: interface version %#x (%#x), missing member: %s\n",
		       pData->Name ?: "?", pData->Version, DXGKDDI_INTERFACE_VERSION_WDDM3_2,
		       missing ?: "none");
		return STATUS_INVALID_PARAMETER;
	}

	miniport = kzalloc(sizeof(*miniport), GFP_KERNEL);
	if (!miniport)
		return STATUS_NO_MEMORY;
	miniport->owner = owner;
	miniport->ddi = *pData;
	mutex_lock(&dxg_adapters_lock);
	list_add_tail(&miniport->node, &dxgk_miniports);
	mutex_unlock(&dxg_adapters_lock);
	*ppMiniport = miniport;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(DxgkInitialize);

void DxgkUnInitialize(struct dxgk_miniport *miniport)
{
	mutex_lock(&dxg_adapters_lock);
	WARN_ON(miniport->adapters);
	list_del(&miniport->node);
	mutex_unlock(&dxg_adapters_lock);
	kfree(miniport);
}
EXPORT_SYMBOL_GPL(DxgkUnInitialize);

static NTSTATUS dxg_query_cap(struct dxgadapter *adapter, DXGK_QUERYADAPTERINFOTYPE type, void *out,
			      u32 size)
{
	DXGKARG_QUERYADAPTERINFO args = {
		.Type = type,
		.pOutputData = out,
		.OutputDataSize = size,
	};

	return adapter->ddi->DxgkDdiQueryAdapterInfo(adapter->context, &args);
}

/* Can doorbells of this adapter be mapped to user space, a page each? */
static bool dxg_doorbells_usable(const struct dxgadapter *adapter)
{
	const DXGK_DOORBELLAPERTURE *aperture = &adapter->aperture;
	u32 bytes = adapter->ums_caps.DoorbellSizeInBytes;

	return bytes && !(bytes & 7) && bytes <= PAGE_SIZE && aperture->Size &&
	       PAGE_ALIGNED(aperture->PhysicalAddress) && PAGE_ALIGNED(aperture->Size) &&
	       aperture->Size <= U64_MAX - aperture->PhysicalAddress &&
	       offset_in_page(aperture->KernelCpuVirtualAddress) == 0;
}

/* A miniport that says wrong things of its secondary doorbells is one without them. */
static void dxg_secondary_check(struct dxgadapter *adapter)
{
	DXGK_USERMODESUBMISSION_CAPS *caps = &adapter->ums_caps;
	u32 bytes = caps->SecondaryDoorbellSizeInBytes;

	if (!(caps->Flags & DXGK_USERMODESUBMISSION_SECONDARY) ||
	    (bytes && !(bytes & 7) && bytes <= PAGE_SIZE))
		return;
	dev_warn(adapter->dev, "dxgkrnl: secondary doorbells of %u bytes (8..%lu): none are used\n",
		 bytes, PAGE_SIZE);
	caps->Flags &= ~DXGK_USERMODESUBMISSION_SECONDARY;
}

static NTSTATUS dxg_adapter_read_caps(struct dxgadapter *adapter)
{
	DXGK_DRIVERCAPS *caps = &adapter->caps;
	NTSTATUS status;
	u32 i;

	status = dxg_query_cap(adapter, DXGKQAITYPE_DRIVERCAPS, caps, sizeof(*caps));
	if (NT_SUCCESS(status))
		status = dxg_query_cap(adapter, DXGKQAITYPE_GPUMMUCAPS, &adapter->mmu_caps,
				       sizeof(adapter->mmu_caps));
	if (!NT_SUCCESS(status))
		return status;
	caps->Description[sizeof(caps->Description) - 1] = 0;

	if (!caps->NbAsymetricProcessingNodes || caps->NbAsymetricProcessingNodes > DXG_MAX_NODES ||
	    adapter->mmu_caps.PageSizeInBytes != PAGE_SIZE ||
	    adapter->mmu_caps.VirtualAddressBitCount < 32 ||
	    adapter->mmu_caps.VirtualAddressBitCount > 63) {
		dev_err(adapter->dev, "dxgkrnl: %u nodes (1..%u), %u-bit GPU addresses (32..63), %u-byte pages (%lu)\n",
			caps->NbAsymetricProcessingNodes, DXG_MAX_NODES,
			adapter->mmu_caps.VirtualAddressBitCount, adapter->mmu_caps.PageSizeInBytes,
			PAGE_SIZE);
		return STATUS_GRAPHICS_DRIVER_MISMATCH;
	}

	for (i = 0; i < caps->NbAsymetricProcessingNodes; i++) {
		status = adapter->ddi->DxgkDdiGetNodeMetadata(adapter->context, i,
							      &adapter->nodes[i]);
		if (!NT_SUCCESS(status))
			return status;
	}

	status = dxg_query_cap(adapter, DXGKQAITYPE_USERMODESUBMISSION_CAPS, &adapter->ums_caps,
			       sizeof(adapter->ums_caps));
	if (NT_SUCCESS(status))
		status = dxg_query_cap(adapter, DXGKQAITYPE_DOORBELLAPERTURE, &adapter->aperture,
				       sizeof(adapter->aperture));
	if (!NT_SUCCESS(status) || !dxg_doorbells_usable(adapter)) {
		dev_warn(adapter->dev, "dxgkrnl: doorbells of %u bytes in %llu bytes at %#llx: no user-mode submission\n",
			 adapter->ums_caps.DoorbellSizeInBytes, adapter->aperture.Size,
			 adapter->aperture.PhysicalAddress);
		for (i = 0; i < caps->NbAsymetricProcessingNodes; i++)
			adapter->nodes[i].Flags &= ~DXGK_NODEMETADATA_USER_MODE_SUBMISSION;
	}
	dxg_secondary_check(adapter);
	return STATUS_SUCCESS;
}

static struct dxgadapter *dxg_adapter_alloc(struct dxgk_miniport *miniport, struct device *dev)
{
	struct dxgadapter *adapter = kzalloc(sizeof(*adapter), GFP_KERNEL);

	if (!adapter)
		return NULL;
	kref_init(&adapter->kref);
	adapter->miniport = miniport;
	adapter->ddi = &miniport->ddi;
	adapter->dev = get_device(dev);
	adapter->luid = atomic_inc_return(&dxg_next_luid);
	init_rwsem(&adapter->guard);
	init_waitqueue_head(&adapter->gate);
	mutex_init(&adapter->hang_lock);
	spin_lock_init(&adapter->shown_lock);
	hash_init(adapter->shown);
	mutex_init(&adapter->lock);
	INIT_LIST_HEAD(&adapter->processes);
	init_waitqueue_head(&adapter->events);
	mutex_init(&adapter->waiters_lock);
	INIT_LIST_HEAD(&adapter->waiters);
	INIT_DELAYED_WORK(&adapter->scan_work, dxg_wait_scan_work);
	INIT_DELAYED_WORK(&adapter->idle_work, dxg_power_idle_work);
	INIT_WORK(&adapter->reset_work, dxg_adapter_reset_work);
	INIT_WORK(&adapter->wake_work, dxg_power_wake_work);
	adapter->interface.Size = sizeof(adapter->interface);
	adapter->interface.Version = DXGKDDI_INTERFACE_VERSION_WDDM3_2;
	adapter->interface.DeviceHandle = adapter;
	adapter->interface.DxgkCbNotifyInterrupt = dxg_cb_notify_interrupt;
	adapter->interface.DxgkCbDisconnectDoorbell = dxg_doorbell_disconnect_callback;
	adapter->interface.DxgkCbInvalidateHwContext = dxg_cb_invalidate_hw_context;
	return adapter;
}

/* Works that interrupts, calls or the PM core may have queued; none comes any more. */
static void dxg_adapter_drain(struct dxgadapter *adapter)
{
	cancel_delayed_work_sync(&adapter->idle_work);
	cancel_work_sync(&adapter->reset_work);
	cancel_work_sync(&adapter->wake_work);
	/* A pending scan holds a reference: dxg_wait_notify(). */
	if (cancel_delayed_work_sync(&adapter->scan_work))
		dxg_adapter_put(adapter);
}

int DxgkAddAdapter(struct dxgk_miniport *miniport, struct device *dev,
		   struct dxgadapter **ppAdapter)
{
	const DRIVER_INITIALIZATION_DATA *ddi = &miniport->ddi;
	struct dxgadapter *adapter;
	DXGK_START_INFO start;
	NTSTATUS status;

	adapter = dxg_adapter_alloc(miniport, dev);
	if (!adapter)
		return -ENOMEM;

	status = ddi->DxgkDdiAddDevice(dev, &adapter->context);
	if (NT_SUCCESS(status) && !adapter->context)
		status = STATUS_UNSUCCESSFUL;
	if (!NT_SUCCESS(status))
		goto err_put;
	start.AdapterLuid = adapter->luid;
	status = ddi->DxgkDdiStartDevice(adapter->context, &start, &adapter->interface);
	if (!NT_SUCCESS(status))
		goto err_remove;
	status = dxg_adapter_read_caps(adapter);
	if (!NT_SUCCESS(status))
		goto err_stop;

	*ppAdapter = adapter;
	mutex_lock(&dxg_adapters_lock);
	miniport->adapters++;
	list_add_tail(&adapter->node, &dxg_adapters);
	mutex_unlock(&dxg_adapters_lock);
	dxg_debugfs_add(adapter);
	return 0;

err_stop:
	ddi->DxgkDdiStopDevice(adapter->context);
err_remove:
	ddi->DxgkDdiRemoveDevice(adapter->context);
err_put:
	dxg_adapter_drain(adapter);
	dxg_adapter_put(adapter);
	return dxg_status_to_errno(status) ?: -EIO;
}
EXPORT_SYMBOL_GPL(DxgkAddAdapter);

void DxgkRemoveAdapter(struct dxgadapter *adapter, bool surprise)
{
	struct dxgk_miniport *miniport = adapter->miniport;

	mutex_lock(&dxg_adapters_lock);
	list_del(&adapter->node);
	mutex_unlock(&dxg_adapters_lock);
	/* Waits for readers, who take the guard. */
	dxg_debugfs_remove(adapter);

	down_write(&adapter->guard);
	dxg_adapter_wake_locked(adapter);
	/* ABORT everywhere, then errors, then waiters: FH-10, FH-28. */
	dxg_adapter_stop_locked(adapter, DXG_ADAPTER_STOPPED);
	dxg_adapter_destroy_kmd_objects_locked(adapter, surprise);
	adapter->ddi->DxgkDdiStopDevice(adapter->context);
	/* No DMA any more. */
	dxg_adapter_dma_unmap_locked(adapter);
	adapter->ddi->DxgkDdiRemoveDevice(adapter->context);
	adapter->context = NULL;
	dxg_adapter_stop_locked(adapter, DXG_ADAPTER_REMOVED);
	WRITE_ONCE(adapter->resetting, false);
	wake_up_all(&adapter->gate);
	up_write(&adapter->guard);

	dxg_adapter_drain(adapter);
	dxg_wait_scan(adapter);
	mutex_lock(&dxg_adapters_lock);
	miniport->adapters--;
	mutex_unlock(&dxg_adapters_lock);
	dxg_adapter_put(adapter);
}
EXPORT_SYMBOL_GPL(DxgkRemoveAdapter);
