// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: the PCI driver and the life of an adapter.
 *
 * DOC: adapter life
 *
 * The PCI core's probe adds an adapter to the OS layer, which calls back AddDevice
 * and StartDevice here; the PCI core's remove takes it away, through
 * StopDevice and RemoveDevice. StartDevice always begins with a reset of the
 * device, whatever an earlier driver or kernel has left in it.
 *
 * The doorbell BAR is mapped uncached by plain ioremap: user mappings of its
 * pages are uncached as well, and one memory type per page is a rule of x86.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <dxgpu/pte.h>
#include "adapter.h"
#include "power.h"
#include "process.h"

static struct dxgk_miniport *dxgpu_miniport;

static NTSTATUS dxgpu_add_device(struct device *dev, void **context)
{
	struct dxgpu_adapter *adapter;

	adapter = kvzalloc(sizeof(*adapter), GFP_KERNEL);
	if (!adapter)
		return STATUS_NO_MEMORY;
	adapter->pdev = to_pci_dev(dev);
	adapter->state = DXGPU_HARDWARE_STOPPED;
	mutex_init(&adapter->command_lock);
	init_waitqueue_head(&adapter->ack_wait);
	INIT_WORK(&adapter->reset_seen_work, dxgpu_reset_seen);
	spin_lock_init(&adapter->object_lock);
	xa_init_flags(&adapter->queues, XA_FLAGS_LOCK_IRQ);
	dxgpu_engines_init(adapter);
	INIT_LIST_HEAD(&adapter->suspending);
	mutex_init(&adapter->process_lock);
	INIT_LIST_HEAD(&adapter->processes);
	ida_init(&adapter->space_ids);
	ida_init(&adapter->context_ids);
	ida_init(&adapter->queue_ids);
	dev_set_drvdata(dev, adapter);
	*context = adapter;
	return STATUS_SUCCESS;
}

static void dxgpu_remove_device(HANDLE hadapter)
{
	struct dxgpu_adapter *adapter = hadapter;

	ida_destroy(&adapter->space_ids);
	ida_destroy(&adapter->context_ids);
	ida_destroy(&adapter->queue_ids);
	xa_destroy(&adapter->queues);
	mutex_destroy(&adapter->process_lock);
	mutex_destroy(&adapter->command_lock);
	kvfree(adapter);
}

/* The size of a BAR by the device itself: of one without address the kernel has forgotten it. */
static u64 dxgpu_bar_bytes(struct pci_dev *pdev, int bar)
{
	int offset = PCI_BASE_ADDRESS_0 + 4 * bar;
	u32 low, low_mask, high, high_mask = 0;
	u16 command;
	u64 mask;

	/* Nothing may be decoded at the address that the question makes. */
	pci_read_config_word(pdev, PCI_COMMAND, &command);
	pci_write_config_word(pdev, PCI_COMMAND, command & ~PCI_COMMAND_MEMORY);
	pci_read_config_dword(pdev, offset, &low);
	pci_write_config_dword(pdev, offset, ~0);
	pci_read_config_dword(pdev, offset, &low_mask);
	pci_write_config_dword(pdev, offset, low);
	if (low & PCI_BASE_ADDRESS_MEM_TYPE_64) {
		pci_read_config_dword(pdev, offset + 4, &high);
		pci_write_config_dword(pdev, offset + 4, ~0);
		pci_read_config_dword(pdev, offset + 4, &high_mask);
		pci_write_config_dword(pdev, offset + 4, high);
	}
	pci_write_config_word(pdev, PCI_COMMAND, command);
	mask = (u64)high_mask << 32 | (low_mask & PCI_BASE_ADDRESS_MEM_MASK);
	return mask & -mask;
}

/*
 * Has every BAR an address? Behind a port, firmware and kernel may have had no room
 * for one, and then nothing else can be done than to say what would help.
 */
static int dxgpu_check_bars(struct pci_dev *pdev)
{
	static const struct {
		int bar;
		const char *content;
		const char *property;
	} bars[] = {
		{ DXGPU_BAR_REGS, "registers", "mem-reserve" },
		{ DXGPU_BAR_MSIX, "MSI-X table", "mem-reserve" },
		{ DXGPU_BAR_DOORBELL, "doorbells", "pref64-reserve" },
		{ DXGPU_BAR_STATUS, "status region", "pref64-reserve" },
	};
	unsigned int i;
	u64 bytes;

	for (i = 0; i < ARRAY_SIZE(bars); i++) {
		if (pci_resource_start(pdev, bars[i].bar))
			continue;
		bytes = dxgpu_bar_bytes(pdev, bars[i].bar);
		/* As much again for the BAR beside it. */
		dev_err(&pdev->dev, "BAR %d (%s, %llu bytes) has no address: no room behind its port; give QEMU's pcie-root-port %s=%lluM or more\n",
			bars[i].bar, bars[i].content, bytes, bars[i].property,
			max_t(u64, 2 * bytes, SZ_2M) / SZ_1M);
		return -ENOSPC;
	}
	return 0;
}

static void dxgpu_unmap_bars(struct dxgpu_adapter *adapter)
{
	if (adapter->status)
		iounmap(adapter->status);
	if (adapter->doorbells)
		iounmap(adapter->doorbells);
	if (adapter->regs)
		iounmap(adapter->regs);
	adapter->status = NULL;
	adapter->doorbells = NULL;
	adapter->regs = NULL;
}

static int dxgpu_map_bars(struct dxgpu_adapter *adapter)
{
	struct pci_dev *pdev = adapter->pdev;

	if (pci_resource_len(pdev, DXGPU_BAR_REGS) < DXGPU_REGS_SIZE) {
		dev_err(&pdev->dev, "register BAR has %llu bytes, want %u\n",
			(u64)pci_resource_len(pdev, DXGPU_BAR_REGS), DXGPU_REGS_SIZE);
		return -ENODEV;
	}
	adapter->regs = pci_ioremap_bar(pdev, DXGPU_BAR_REGS);
	adapter->doorbells = pci_ioremap_bar(pdev, DXGPU_BAR_DOORBELL);
	adapter->status = pci_ioremap_bar(pdev, DXGPU_BAR_STATUS);
	if (adapter->regs && adapter->doorbells && adapter->status)
		return 0;
	dxgpu_unmap_bars(adapter);
	return -ENOMEM;
}

static int dxgpu_start_hardware(struct dxgpu_adapter *adapter)
{
	struct pci_dev *pdev = adapter->pdev;
	int ret;

	ret = pci_enable_device_mem(pdev);
	if (ret)
		return ret;
	ret = pci_request_regions(pdev, KBUILD_MODNAME);
	if (ret)
		goto disable_device;
	/* A page-table entry holds this much of a bus address. */
	ret = dma_set_mask_and_coherent(&pdev->dev, DXGPU_PTE_ADDR_MASK | (PAGE_SIZE - 1));
	if (ret)
		goto release_regions;
	ret = dxgpu_map_bars(adapter);
	if (ret)
		goto release_regions;
	ret = dxgpu_caps_read(adapter, pci_resource_len(pdev, DXGPU_BAR_DOORBELL),
			      pci_resource_len(pdev, DXGPU_BAR_STATUS));
	if (ret)
		goto unmap_bars;
	ret = dxgpu_slots_init(&adapter->slots, adapter,
			       adapter->caps.global_doorbells ? 0 : adapter->caps.num_slots,
			       adapter->caps.doorbell_places);
	if (ret)
		goto unmap_bars;
	ret = dxgpu_hardware_reset(adapter);
	if (ret)
		goto fini_slots;
	pci_set_master(pdev);
	ret = dxgpu_interrupt_request(adapter);
	if (ret)
		goto clear_master;
	ret = dxgpu_hardware_enable(adapter);
	if (ret)
		goto free_interrupts;
	return 0;

free_interrupts:
	dxgpu_interrupt_free(adapter);
	cancel_work_sync(&adapter->reset_seen_work);
clear_master:
	pci_clear_master(pdev);
fini_slots:
	dxgpu_slots_fini(&adapter->slots);
unmap_bars:
	dxgpu_unmap_bars(adapter);
release_regions:
	pci_release_regions(pdev);
disable_device:
	pci_disable_device(pdev);
	return ret;
}

static NTSTATUS dxgpu_start_device(HANDLE hadapter, const DXGK_START_INFO *info,
				   const DXGKRNL_INTERFACE *interface)
{
	struct dxgpu_adapter *adapter = hadapter;
	int ret;

	adapter->os = *interface;
	if (dxgpu_check_bars(adapter->pdev))
		return STATUS_UNSUCCESSFUL;
	ret = dxgpu_start_hardware(adapter);
	if (ret) {
		dev_err(&adapter->pdev->dev, "start failed: %d\n", ret);
		return ret == -ENOMEM ? STATUS_NO_MEMORY : STATUS_UNSUCCESSFUL;
	}
	dev_info(&adapter->pdev->dev,
		 "dxgpu %u.%u: %u nodes, %u doorbell slots, %u queues\n",
		 adapter->caps.version >> 16, adapter->caps.version & 0xffff,
		 adapter->caps.num_nodes, adapter->caps.num_slots, adapter->caps.max_queues);
	return STATUS_SUCCESS;
}

static NTSTATUS dxgpu_stop_device(HANDLE hadapter)
{
	struct dxgpu_adapter *adapter = hadapter;
	struct pci_dev *pdev = adapter->pdev;

	dxgpu_hardware_reset(adapter);
	dxgpu_interrupt_free(adapter);
	cancel_work_sync(&adapter->reset_seen_work);
	pci_clear_master(pdev);
	dxgpu_slots_fini(&adapter->slots);
	dxgpu_unmap_bars(adapter);
	pci_release_regions(pdev);
	pci_disable_device(pdev);
	return STATUS_SUCCESS;
}

static const DRIVER_INITIALIZATION_DATA dxgpu_ddi = {
	.Version = DXGKDDI_INTERFACE_VERSION_WDDM3_2,
	.Name = KBUILD_MODNAME,
	.DxgkDdiAddDevice = dxgpu_add_device,
	.DxgkDdiStartDevice = dxgpu_start_device,
	.DxgkDdiStopDevice = dxgpu_stop_device,
	.DxgkDdiRemoveDevice = dxgpu_remove_device,
	.DxgkDdiQueryAdapterInfo = dxgpu_query_adapter_info,
	.DxgkDdiGetNodeMetadata = dxgpu_get_node_metadata,
	.DxgkDdiCreateProcess = dxgpu_create_process,
	.DxgkDdiDestroyProcess = dxgpu_destroy_process,
	.DxgkDdiCreateDevice = dxgpu_create_device,
	.DxgkDdiDestroyDevice = dxgpu_destroy_device,
	.DxgkDdiCreateContext = dxgpu_create_context,
	.DxgkDdiDestroyContext = dxgpu_destroy_context,
	.DxgkDdiCreateHwQueue = dxgpu_create_hwqueue,
	.DxgkDdiDestroyHwQueue = dxgpu_destroy_hwqueue,
	.DxgkDdiCreateAllocation = dxgpu_create_allocation,
	.DxgkDdiDestroyAllocation = dxgpu_destroy_allocation,
	.DxgkDdiBuildPagingBuffer = dxgpu_build_paging_buffer,
	.DxgkDdiCreateDoorbell = dxgpu_create_doorbell,
	.DxgkDdiConnectDoorbell = dxgpu_connect_doorbell,
	.DxgkDdiDisconnectDoorbell = dxgpu_disconnect_doorbell,
	.DxgkDdiDestroyDoorbell = dxgpu_destroy_doorbell,
	.DxgkDdiNotifyWorkSubmission = dxgpu_notify_work_submission,
	.DxgkDdiSuspendContext = dxgpu_suspend_context,
	.DxgkDdiResumeContext = dxgpu_resume_context,
	.DxgkDdiQueryEngineStatus = dxgpu_query_engine_status,
	.DxgkDdiQueryHwQueueStatus = dxgpu_query_hwqueue_status,
	.DxgkDdiResetHwEngine = dxgpu_reset_hw_engine,
	.DxgkDdiResumeHwEngine = dxgpu_resume_hw_engine,
	.DxgkDdiResetFromTimeout = dxgpu_reset_from_timeout,
	.DxgkDdiRestartFromTimeout = dxgpu_restart_from_timeout,
	.DxgkDdiSetPowerState = dxgpu_set_power_state,
	.DxgkDdiCollectDbgInfo = dxgpu_collect_dbg_info,
	.DxgkDdiPrintSlots = dxgpu_print_slots,
};

static int dxgpu_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct dxgpu_adapter *adapter;
	struct dxgadapter *os_adapter;
	int ret;

	ret = DxgkAddAdapter(dxgpu_miniport, &pdev->dev, &os_adapter);
	if (ret)
		return ret;
	adapter = pci_get_drvdata(pdev);
	adapter->os_adapter = os_adapter;
	/* What a bus reset takes away and dxgpu_error_handlers give back. */
	pci_save_state(pdev);
	dxgpu_power_init(pdev);
	return 0;
}

static void dxgpu_pci_remove(struct pci_dev *pdev)
{
	struct dxgpu_adapter *adapter = pci_get_drvdata(pdev);
	bool surprise = !pci_device_is_present(pdev);

	dxgpu_power_fini(pdev);
	if (surprise)
		dxgpu_hardware_gone(adapter);
	DxgkRemoveAdapter(adapter->os_adapter, surprise);
}

static const struct pci_device_id dxgpu_pci_ids[] = {
	{ PCI_DEVICE(DXGPU_PCI_VENDOR_ID, DXGPU_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, dxgpu_pci_ids);

static struct pci_driver dxgpu_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = dxgpu_pci_ids,
	.probe = dxgpu_pci_probe,
	.remove = dxgpu_pci_remove,
	.err_handler = &dxgpu_error_handlers,
	.driver.pm = pm_ptr(&dxgpu_pm_ops),
};

static int __init dxgpu_init(void)
{
	NTSTATUS status;
	int ret;

	status = DxgkInitialize(THIS_MODULE, &dxgpu_ddi, &dxgpu_miniport);
	if (!NT_SUCCESS(status))
		return status == STATUS_NO_MEMORY ? -ENOMEM : -EINVAL;
	ret = pci_register_driver(&dxgpu_pci_driver);
	if (ret)
		DxgkUnInitialize(dxgpu_miniport);
	return ret;
}
module_init(dxgpu_init);

static void __exit dxgpu_exit(void)
{
	pci_unregister_driver(&dxgpu_pci_driver);
	DxgkUnInitialize(dxgpu_miniport);
}
module_exit(dxgpu_exit);

MODULE_DESCRIPTION("dxgpu miniport: WDDM user-mode work submission on the dxgpu device");
MODULE_LICENSE("GPL");
