// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: D0 and D3, for the sleep of the system and for an idle device.
 *
 * DOC: power
 *
 * The PCI core saves the configuration, takes the function to D3hot, and back; the
 * OS layer empties the hardware before (dxgkrnl/power.c). What is left to do here is to
 * keep off the BARs, which are not there in D3hot (DDI-PW-11): the event interrupt is
 * disabled and over, no work item is left, and the state ASLEEP lets no command out.
 *
 * The device keeps all it has in D3hot (NO_SOFT_RESET), so D0 needs no more than a look
 * whether it did: it is enabled still, and has not been reset since. If not, a
 * bus reset or a platform that took the power has come between, and DEVICE_REMOVED
 * makes the OS layer begin anew.
 *
 * An idle device sleeps only if user space wants it: power/control is "on" until
 * somebody writes "auto" there, as for every PCI function.
 */
#include <linux/interrupt.h>
#include <linux/pm_runtime.h>
#include "command.h"
#include "power.h"
#include "process.h"

static int autosuspend_delay_ms = 1000;
module_param(autosuspend_delay_ms, int, 0444);
MODULE_PARM_DESC(autosuspend_delay_ms,
		 "time without work before the device sleeps if power/control is auto, in ms; negative: never");

static void dxgpu_sleep(struct dxgpu_adapter *adapter)
{
	mutex_lock(&adapter->command_lock);
	if (adapter->state == DXGPU_HARDWARE_RUNNING) {
		writel(0, adapter->regs + DXGPU_REG_INT_ENABLE);
		adapter->resets_before_sleep = readl(adapter->regs + DXGPU_REG_RESET_COUNT);
		/* The generation stays: what is on the device is still there. */
		WRITE_ONCE(adapter->state, DXGPU_HARDWARE_ASLEEP);
	}
	mutex_unlock(&adapter->command_lock);

	synchronize_irq(pci_irq_vector(adapter->pdev, DXGPU_VECTOR_EVENT));
	cancel_work_sync(&adapter->reset_seen_work);
}

static NTSTATUS dxgpu_wake(struct dxgpu_adapter *adapter)
{
	NTSTATUS status = STATUS_SUCCESS;
	bool woken = false;

	mutex_lock(&adapter->command_lock);
	if (adapter->state == DXGPU_HARDWARE_ASLEEP) {
		woken = dxgpu_hardware_present(adapter) &&
			readl(adapter->regs + DXGPU_REG_STATUS) == DXGPU_STATUS_ENABLED &&
			readl(adapter->regs + DXGPU_REG_RESET_COUNT) ==
				adapter->resets_before_sleep;
		if (woken) {
			WRITE_ONCE(adapter->state, DXGPU_HARDWARE_RUNNING);
			writel(DXGPU_INT_CAUSES, adapter->regs + DXGPU_REG_INT_CAUSE);
			writel(DXGPU_INT_CAUSES, adapter->regs + DXGPU_REG_INT_ENABLE);
		} else {
			WRITE_ONCE(adapter->state, DXGPU_HARDWARE_STOPPED);
			WRITE_ONCE(adapter->generation, adapter->generation + 1);
			status = STATUS_DEVICE_REMOVED;
		}
	}
	mutex_unlock(&adapter->command_lock);

	/* What the interrupt was not there to tell. */
	if (woken)
		dxgpu_hwqueues_faulted(adapter);
	wake_up_all(&adapter->ack_wait);
	dxgpu_contexts_acknowledge(adapter);
	return status;
}

/* DxgkDdiSetPowerState: SUCCESS; DEVICE_REMOVED from D0 if the device has lost its state. */
NTSTATUS dxgpu_set_power_state(HANDLE hadapter, DEVICE_POWER_STATE state)
{
	if (state == PowerDeviceD0)
		return dxgpu_wake(hadapter);
	dxgpu_sleep(hadapter);
	return STATUS_SUCCESS;
}

static int dxgpu_pm_suspend(struct device *dev)
{
	struct dxgpu_adapter *adapter = dev_get_drvdata(dev);

	return DxgkSuspendAdapter(adapter->os_adapter, true);
}

static int dxgpu_pm_runtime_suspend(struct device *dev)
{
	struct dxgpu_adapter *adapter = dev_get_drvdata(dev);

	return DxgkSuspendAdapter(adapter->os_adapter, false);
}

static int dxgpu_pm_resume(struct device *dev)
{
	struct dxgpu_adapter *adapter = dev_get_drvdata(dev);

	DxgkResumeAdapter(adapter->os_adapter);
	return 0;
}

const struct dev_pm_ops dxgpu_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(dxgpu_pm_suspend, dxgpu_pm_resume)
	RUNTIME_PM_OPS(dxgpu_pm_runtime_suspend, dxgpu_pm_resume, NULL)
};

/**
 * dxgpu_power_init() - from now on the device may sleep when it is idle
 * @pdev: the function, at the end of its probe
 */
void dxgpu_power_init(struct pci_dev *pdev)
{
	pm_runtime_set_autosuspend_delay(&pdev->dev, autosuspend_delay_ms);
	pm_runtime_use_autosuspend(&pdev->dev);
	/* The use that the PCI core took before the probe. */
	pm_runtime_put_noidle(&pdev->dev);
}

/**
 * dxgpu_power_fini() - no longer
 * @pdev: the function, awake, at the beginning of its remove
 */
void dxgpu_power_fini(struct pci_dev *pdev)
{
	pm_runtime_get_noresume(&pdev->dev);
	pm_runtime_dont_use_autosuspend(&pdev->dev);
}
