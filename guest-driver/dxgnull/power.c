// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: D0 and D3, for the sleep of the system and for an idle device.
 *
 * The OS layer empties the miniport before D3 and fills it again after D0; memory needs no
 * power, so there is nothing to do in DxgkDdiSetPowerState. What a bus driver does is
 * here: runtime PM asks for D3 when nobody has used the device for a while, and for D0 when
 * somebody wants to. As with a PCI function, only if user space has written "auto" to
 * power/control.
 *
 * The sleep of the whole system asks nobody: the work goes on after it (T32). A device that
 * sleeps already is woken first, as the PCI core does with a function that cannot be left
 * so; the platform bus does not. So runtime PM has it active, and nobody who wants D0 wakes
 * it: the OS layer has him wait until the system is back.
 */
#include <linux/pm_runtime.h>
#include "dxgnull.h"

#define DXGNULL_AUTOSUSPEND_MS	1000

/* DxgkDdiSetPowerState */
NTSTATUS dxgnull_set_power_state(HANDLE hadapter, DEVICE_POWER_STATE state)
{
	return STATUS_SUCCESS;
}

static int dxgnull_pm_suspend(struct device *dev)
{
	int ret = pm_runtime_resume(dev);

	return ret < 0 ? ret : DxgkSuspendAdapter(dev_get_drvdata(dev), true);
}

static int dxgnull_pm_runtime_suspend(struct device *dev)
{
	return DxgkSuspendAdapter(dev_get_drvdata(dev), false);
}

static int dxgnull_pm_resume(struct device *dev)
{
	DxgkResumeAdapter(dev_get_drvdata(dev));
	return 0;
}

const struct dev_pm_ops dxgnull_pm_ops = {
	SYSTEM_SLEEP_PM_OPS(dxgnull_pm_suspend, dxgnull_pm_resume)
	RUNTIME_PM_OPS(dxgnull_pm_runtime_suspend, dxgnull_pm_resume, NULL)
};

/**
 * dxgnull_power_init() - from now on the device may sleep when it is idle
 * @pdev: at the end of its probe
 */
void dxgnull_power_init(struct platform_device *pdev)
{
	pm_runtime_set_active(&pdev->dev);
	pm_runtime_set_autosuspend_delay(&pdev->dev, DXGNULL_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(&pdev->dev);
	pm_runtime_forbid(&pdev->dev);
	pm_runtime_enable(&pdev->dev);
}

/**
 * dxgnull_power_fini() - no longer
 * @pdev: at the beginning of its remove, for which the driver core has woken it
 */
void dxgnull_power_fini(struct platform_device *pdev)
{
	pm_runtime_disable(&pdev->dev);
	pm_runtime_dont_use_autosuspend(&pdev->dev);
}
