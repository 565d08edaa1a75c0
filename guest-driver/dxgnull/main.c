// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: the module, its table of functions, the life of an adapter.
 *
 * A bus driver calls DxgkAddAdapter() when its probe finds a device. There is
 * no bus here, so the module makes platform devices of its own and is their
 * driver, too: unbind and bind in sysfs work as for real ones.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/version.h>
#include "dxgnull.h"

static unsigned int adapters = 1;
module_param(adapters, uint, 0444);
MODULE_PARM_DESC(adapters, "adapters to make, 1..8");

static unsigned int slots = 4;
module_param(slots, uint, 0444);
MODULE_PARM_DESC(slots, "physical doorbells of each adapter, 1..64");

static DEFINE_MUTEX(dxgnull_list_lock);
static LIST_HEAD(dxgnull_list);		/* of dxgnull_adapter; dxgnull_list_lock */

bool dxgnull_notify;

/* -EAGAIN: some doorbells keep the old answer until their next connect. */
static int dxgnull_notify_set(const char *text, const struct kernel_param *kp)
{
	struct dxgnull_adapter *adapter;
	bool before = dxgnull_notify;
	int ret = param_set_bool(text, kp);

	if (ret || dxgnull_notify == before)
		return ret;
	mutex_lock(&dxgnull_list_lock);
	list_for_each_entry(adapter, &dxgnull_list, node) {
		if (!NT_SUCCESS(dxgnull_slots_disconnect(adapter)))
			ret = -EAGAIN;
	}
	mutex_unlock(&dxgnull_list_lock);
	return ret;
}

static const struct kernel_param_ops dxgnull_notify_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = dxgnull_notify_set,
	.get = param_get_bool,
};

module_param_cb(notify, &dxgnull_notify_ops, &dxgnull_notify, 0644);
__MODULE_PARM_TYPE(notify, "bool");
MODULE_PARM_DESC(notify, "connect answers CONNECTED_NOTIFY_KMD, and such queues are not polled");

unsigned int dxgnull_poll_us = 50;
module_param_named(poll_us, dxgnull_poll_us, uint, 0644);
MODULE_PARM_DESC(poll_us, "time between two looks at the write pointers of bound queues");

#define DXGNULL_MAX_ADAPTERS	8

static struct dxgk_miniport *dxgnull_miniport;
static struct platform_device *dxgnull_devices[DXGNULL_MAX_ADAPTERS];

/* DxgkDdiAddDevice: NO_MEMORY. */
static NTSTATUS dxgnull_add_device(struct device *dev, void **context)
{
	struct dxgnull_adapter *adapter;
	unsigned int i;

	adapter = kzalloc(sizeof(*adapter), GFP_KERNEL);
	if (!adapter)
		return STATUS_NO_MEMORY;
	adapter->dev = dev;
	adapter->num_slots = slots;
	mutex_init(&adapter->lock);
	init_waitqueue_head(&adapter->changed);
	INIT_LIST_HEAD(&adapter->line);
	for (i = 0; i < DXGNULL_NODES; i++) {
		struct dxgnull_engine *engine = &adapter->engines[i];

		engine->adapter = adapter;
		engine->node = i;
		init_waitqueue_head(&engine->wake);
		INIT_LIST_HEAD(&engine->queues);
	}
	mutex_lock(&dxgnull_list_lock);
	list_add(&adapter->node, &dxgnull_list);
	mutex_unlock(&dxgnull_list_lock);
	*context = adapter;
	return STATUS_SUCCESS;
}

static void dxgnull_remove_device(HANDLE hadapter)
{
	struct dxgnull_adapter *adapter = hadapter;

	mutex_lock(&dxgnull_list_lock);
	list_del(&adapter->node);
	mutex_unlock(&dxgnull_list_lock);
	mutex_destroy(&adapter->lock);
	kfree(adapter);
}

/* DxgkDdiStartDevice: NO_MEMORY. */
static NTSTATUS dxgnull_start_device(HANDLE hadapter, const DXGK_START_INFO *info,
				     const DXGKRNL_INTERFACE *interface)
{
	struct dxgnull_adapter *adapter = hadapter;
	size_t bytes = adapter->num_slots * PAGE_SIZE;

	adapter->os = *interface;
	adapter->doorbells = alloc_pages_exact(bytes, GFP_KERNEL | __GFP_ZERO);
	if (!adapter->doorbells)
		return STATUS_NO_MEMORY;
	if (dxgnull_engines_start(adapter)) {
		free_pages_exact(adapter->doorbells, bytes);
		return STATUS_NO_MEMORY;
	}
	return STATUS_SUCCESS;
}

/* DxgkDdiStopDevice: on return nothing reads or writes memory any more. */
static NTSTATUS dxgnull_stop_device(HANDLE hadapter)
{
	struct dxgnull_adapter *adapter = hadapter;

	dxgnull_engines_stop(adapter);
	free_pages_exact(adapter->doorbells, adapter->num_slots * PAGE_SIZE);
	return STATUS_SUCCESS;
}

/* DxgkDdiCollectDbgInfo: there are no registers, and the slots are told by PrintSlots. */
static void dxgnull_collect_dbg_info(HANDLE hadapter, struct seq_file *m)
{
	seq_puts(m, "hardware state=none\n");
}

static const DRIVER_INITIALIZATION_DATA dxgnull_ddi = {
	.Version = DXGKDDI_INTERFACE_VERSION_WDDM3_2,
	.Name = KBUILD_MODNAME,
	.DxgkDdiAddDevice = dxgnull_add_device,
	.DxgkDdiStartDevice = dxgnull_start_device,
	.DxgkDdiStopDevice = dxgnull_stop_device,
	.DxgkDdiRemoveDevice = dxgnull_remove_device,
	.DxgkDdiQueryAdapterInfo = dxgnull_query_adapter_info,
	.DxgkDdiGetNodeMetadata = dxgnull_get_node_metadata,
	.DxgkDdiCreateProcess = dxgnull_create_process,
	.DxgkDdiDestroyProcess = dxgnull_destroy_process,
	.DxgkDdiCreateDevice = dxgnull_create_device,
	.DxgkDdiDestroyDevice = dxgnull_destroy_device,
	.DxgkDdiCreateContext = dxgnull_create_context,
	.DxgkDdiDestroyContext = dxgnull_destroy_context,
	.DxgkDdiCreateHwQueue = dxgnull_create_hwqueue,
	.DxgkDdiDestroyHwQueue = dxgnull_destroy_hwqueue,
	.DxgkDdiCreateAllocation = dxgnull_create_allocation,
	.DxgkDdiDestroyAllocation = dxgnull_destroy_allocation,
	.DxgkDdiBuildPagingBuffer = dxgnull_build_paging_buffer,
	.DxgkDdiCreateDoorbell = dxgnull_create_doorbell,
	.DxgkDdiConnectDoorbell = dxgnull_connect_doorbell,
	.DxgkDdiDisconnectDoorbell = dxgnull_disconnect_doorbell,
	.DxgkDdiDestroyDoorbell = dxgnull_destroy_doorbell,
	.DxgkDdiNotifyWorkSubmission = dxgnull_notify_work_submission,
	.DxgkDdiSuspendContext = dxgnull_suspend_context,
	.DxgkDdiResumeContext = dxgnull_resume_context,
	.DxgkDdiQueryEngineStatus = dxgnull_query_engine_status,
	.DxgkDdiQueryHwQueueStatus = dxgnull_query_hwqueue_status,
	.DxgkDdiResetHwEngine = dxgnull_reset_hw_engine,
	.DxgkDdiResumeHwEngine = dxgnull_resume_hw_engine,
	.DxgkDdiResetFromTimeout = dxgnull_reset_from_timeout,
	.DxgkDdiRestartFromTimeout = dxgnull_restart_from_timeout,
	.DxgkDdiSetPowerState = dxgnull_set_power_state,
	.DxgkDdiCollectDbgInfo = dxgnull_collect_dbg_info,
	.DxgkDdiPrintSlots = dxgnull_print_slots,
};

static int dxgnull_probe(struct platform_device *pdev)
{
	struct dxgadapter *os_adapter;
	int ret;

	/* The OS layer hands out addresses of the DMA API; engines reach all memory. */
	ret = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	ret = DxgkAddAdapter(dxgnull_miniport, &pdev->dev, &os_adapter);
	if (ret)
		return ret;
	platform_set_drvdata(pdev, os_adapter);
	dxgnull_power_init(pdev);
	return 0;
}

static void dxgnull_do_remove(struct platform_device *pdev)
{
	dxgnull_power_fini(pdev);
	DxgkRemoveAdapter(platform_get_drvdata(pdev), false);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define dxgnull_remove dxgnull_do_remove
#else
static int dxgnull_remove(struct platform_device *pdev)
{
	dxgnull_do_remove(pdev);
	return 0;
}
#endif

static struct platform_driver dxgnull_driver = {
	.driver.name = KBUILD_MODNAME,
	.driver.pm = pm_ptr(&dxgnull_pm_ops),
	.probe = dxgnull_probe,
	.remove = dxgnull_remove,
};

static void dxgnull_devices_remove(void)
{
	unsigned int i;

	for (i = 0; i < DXGNULL_MAX_ADAPTERS; i++) {
		if (!IS_ERR_OR_NULL(dxgnull_devices[i]))
			platform_device_unregister(dxgnull_devices[i]);
	}
}

static int __init dxgnull_init(void)
{
	const DRIVER_INITIALIZATION_DATA *table;
	unsigned int i;
	NTSTATUS status;
	int ret;

	if (!adapters || adapters > DXGNULL_MAX_ADAPTERS || !slots || slots > DXGNULL_MAX_SLOTS) {
		pr_err("dxgnull: adapters=%u (1..%u), slots=%u (1..%u)\n", adapters,
		       DXGNULL_MAX_ADAPTERS, slots, DXGNULL_MAX_SLOTS);
		return -EINVAL;
	}
	table = dxgnull_misbehave(&dxgnull_ddi);
	if (!table)
		return -ENOMEM;
	status = DxgkInitialize(THIS_MODULE, table, &dxgnull_miniport);
	if (!NT_SUCCESS(status)) {
		ret = status == STATUS_NO_MEMORY ? -ENOMEM : -EINVAL;
		goto err_misbehave;
	}
	ret = platform_driver_register(&dxgnull_driver);
	if (ret)
		goto err_uninitialize;
	for (i = 0; i < adapters; i++) {
		dxgnull_devices[i] = platform_device_register_simple(KBUILD_MODNAME, i, NULL, 0);
		ret = PTR_ERR_OR_ZERO(dxgnull_devices[i]);
		if (ret)
			goto err_devices;
	}
	return 0;

err_devices:
	dxgnull_devices_remove();
	platform_driver_unregister(&dxgnull_driver);
err_uninitialize:
	DxgkUnInitialize(dxgnull_miniport);
err_misbehave:
	dxgnull_misbehave_end();
	return ret;
}
module_init(dxgnull_init);

static void __exit dxgnull_exit(void)
{
	dxgnull_devices_remove();
	platform_driver_unregister(&dxgnull_driver);
	DxgkUnInitialize(dxgnull_miniport);
	dxgnull_misbehave_end();
}
module_exit(dxgnull_exit);

MODULE_DESCRIPTION("dxgnull miniport: WDDM user-mode work submission without hardware");
MODULE_LICENSE("GPL");
