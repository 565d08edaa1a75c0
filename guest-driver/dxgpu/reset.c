// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: enable, reset and restart of the device.
 *
 * DOC: reset
 *
 * A reset ends in the device state DISABLED: nothing is bound, no object is
 * left, no DMA is in flight (DEV-12). The driver polls for it with a bound; a
 * device that does not come back loses its bus mastering, which stops its DMA
 * just as well, and counts as removed. The generation changes under
 * command_lock, so no command of the old one can follow.
 *
 * A device that did not acknowledge a command in time is reset by the driver
 * itself, since DxgkDdiDestroyDoorbell may not return before the memory is
 * out of use, and the OS layer is told by GPU_ENGINE_TIMEOUT: it then goes
 * through ResetFromTimeout and RestartFromTimeout for the rest. The same is done
 * for a device that somebody else has reset, by sysfs or a debugger: RESET_DONE
 * tells at once, and the next command at the latest.
 */
#include <linux/iopoll.h>
#include "command.h"
#include "process.h"

static unsigned int reset_timeout_ms = 2000;
module_param(reset_timeout_ms, uint, 0644);
MODULE_PARM_DESC(reset_timeout_ms,
		 "longest wait for a reset or enable of the device, in ms; its bus mastering is taken away then");

#define DXGPU_POLL_US	50

/**
 * dxgpu_hardware_present() - does the device answer as itself
 * @adapter: the adapter
 *
 * Return: false if it is no longer on the bus or does not decode its BARs.
 */
bool dxgpu_hardware_present(struct dxgpu_adapter *adapter)
{
	return readl(adapter->regs + DXGPU_REG_MAGIC) == DXGPU_MAGIC;
}

/**
 * dxgpu_hardware_reachable() - may registers and status region be read?
 * @adapter: the adapter
 *
 * Touches nothing itself.
 */
bool dxgpu_hardware_reachable(struct dxgpu_adapter *adapter)
{
	enum dxgpu_hardware_state state = READ_ONCE(adapter->state);

	return state != DXGPU_HARDWARE_GONE && state != DXGPU_HARDWARE_ASLEEP &&
	       !pci_channel_offline(adapter->pdev);
}

/* Until the register has the @value, or, if not @becomes, has it no longer. */
static int dxgpu_poll(struct dxgpu_adapter *adapter, u32 reg, bool becomes, u32 value)
{
	u32 now;
	int ret;

	ret = readl_poll_timeout(adapter->regs + reg, now,
				 (now == value) == becomes || now == DXGPU_ALL_ONES,
				 DXGPU_POLL_US, (u64)reset_timeout_ms * USEC_PER_MSEC);
	if (now == DXGPU_ALL_ONES)
		return -ENODEV;
	return ret;
}

static void dxgpu_set_state(struct dxgpu_adapter *adapter, enum dxgpu_hardware_state state)
{
	lockdep_assert_held(&adapter->command_lock);
	WRITE_ONCE(adapter->state, state);
	WRITE_ONCE(adapter->generation, adapter->generation + 1);
}

static int dxgpu_reset_locked(struct dxgpu_adapter *adapter)
{
	int ret = -ENODEV;
	u32 resets;

	lockdep_assert_held(&adapter->command_lock);
	/* A link that is about to be reset: no access, but no DMA either. */
	if (adapter->state != DXGPU_HARDWARE_GONE &&
	    adapter->pdev->error_state == pci_channel_io_frozen) {
		pci_clear_master(adapter->pdev);
		dxgpu_set_state(adapter, DXGPU_HARDWARE_STOPPED);
		return 0;
	}
	if (adapter->state != DXGPU_HARDWARE_GONE && dxgpu_hardware_present(adapter)) {
		/*
		 * A device that was disabled before tells by the count alone. Others may
		 * reset it meanwhile, so it can grow by more than one; if it grew for a
		 * reset that was before ours, the state still waits for ours.
		 */
		resets = readl(adapter->regs + DXGPU_REG_RESET_COUNT);
		writel(DXGPU_CONTROL_RESET, adapter->regs + DXGPU_REG_CONTROL);
		ret = dxgpu_poll(adapter, DXGPU_REG_RESET_COUNT, false, resets);
		if (!ret)
			ret = dxgpu_poll(adapter, DXGPU_REG_STATUS, true, DXGPU_STATUS_DISABLED);
	}
	if (ret == -ETIMEDOUT)
		dev_err(&adapter->pdev->dev,
			"reset not done in %u ms: bus mastering is taken away, the device given up\n",
			reset_timeout_ms);
	if (ret) {
		pci_clear_master(adapter->pdev);
		dxgpu_set_state(adapter, DXGPU_HARDWARE_GONE);
	} else {
		dxgpu_set_state(adapter, DXGPU_HARDWARE_STOPPED);
	}
	return ret;
}

/**
 * dxgpu_hardware_gone() - the device is known to be off the bus
 * @adapter: the adapter
 *
 * Not one register is touched from now on (FH-28).
 */
void dxgpu_hardware_gone(struct dxgpu_adapter *adapter)
{
	mutex_lock(&adapter->command_lock);
	dxgpu_set_state(adapter, DXGPU_HARDWARE_GONE);
	mutex_unlock(&adapter->command_lock);
	wake_up_all(&adapter->ack_wait);
	dxgpu_contexts_acknowledge(adapter);
}

/**
 * dxgpu_hardware_reset() - stop all DMA and forget all objects of the device
 * @adapter: the adapter
 *
 * May sleep. When it returns no DMA is in flight, whatever the result.
 *
 * Return: 0, or -ENODEV (removed) or -ETIMEDOUT (hung): final in both cases.
 */
int dxgpu_hardware_reset(struct dxgpu_adapter *adapter)
{
	int ret;

	mutex_lock(&adapter->command_lock);
	ret = dxgpu_reset_locked(adapter);
	mutex_unlock(&adapter->command_lock);
	wake_up_all(&adapter->ack_wait);
	dxgpu_contexts_acknowledge(adapter);
	return ret;
}

/* One try; -EAGAIN: the device was reset meanwhile, by somebody else. */
static int dxgpu_enable_once(struct dxgpu_adapter *adapter)
{
	u32 resets = readl(adapter->regs + DXGPU_REG_RESET_COUNT);
	u32 status;
	int ret;

	writel(DXGPU_INT_CAUSES, adapter->regs + DXGPU_REG_INT_CAUSE);
	writel(DXGPU_INT_CAUSES, adapter->regs + DXGPU_REG_INT_ENABLE);
	writel(DXGPU_CONTROL_ENABLE, adapter->regs + DXGPU_REG_CONTROL);
	ret = readl_poll_timeout(adapter->regs + DXGPU_REG_STATUS, status,
				 status == DXGPU_STATUS_ENABLED || status == DXGPU_ALL_ONES ||
				 readl(adapter->regs + DXGPU_REG_RESET_COUNT) != resets,
				 DXGPU_POLL_US, (u64)reset_timeout_ms * USEC_PER_MSEC);
	if (status == DXGPU_ALL_ONES)
		return -ENODEV;
	if (status == DXGPU_STATUS_ENABLED)
		return 0;
	return ret ? ret : -EAGAIN;
}

/**
 * dxgpu_hardware_enable() - make a stopped device take commands and interrupt
 * @adapter: the adapter
 *
 * Return: 0, -ENODEV (removed) or -ETIMEDOUT.
 */
int dxgpu_hardware_enable(struct dxgpu_adapter *adapter)
{
	ktime_t end = ktime_add_ms(ktime_get(), reset_timeout_ms);
	int ret;

	mutex_lock(&adapter->command_lock);
	if (adapter->state == DXGPU_HARDWARE_GONE) {
		ret = -ENODEV;
		goto unlock;
	}
	do {
		ret = dxgpu_enable_once(adapter);
	} while (ret == -EAGAIN && ktime_before(ktime_get(), end));
	if (ret == -EAGAIN)
		ret = -ETIMEDOUT;
	if (!ret)
		dxgpu_set_state(adapter, DXGPU_HARDWARE_RUNNING);
unlock:
	mutex_unlock(&adapter->command_lock);
	return ret;
}

/**
 * dxgpu_hardware_lost() - the device did not do what it must: take it down
 * @adapter: the adapter
 * @what: what it did not do, for the log
 * @id: of which object
 *
 * May sleep. When it returns no DMA is in flight.
 */
void dxgpu_hardware_lost(struct dxgpu_adapter *adapter, const char *what, u32 id)
{
	DXGKARGCB_NOTIFY_INTERRUPT_DATA data = {
		.InterruptType = DXGK_INTERRUPT_GPU_ENGINE_TIMEOUT,
	};
	bool running;

	mutex_lock(&adapter->command_lock);
	running = adapter->state == DXGPU_HARDWARE_RUNNING;
	if (running) {
		dxgpu_debug_lost(adapter, what, id);
		dxgpu_reset_locked(adapter);
	}
	mutex_unlock(&adapter->command_lock);
	if (!running)
		return;

	dev_err(&adapter->pdev->dev, "%s %u: the device is %s\n", what, id,
		adapter->state == DXGPU_HARDWARE_GONE ? "gone" : "reset");
	wake_up_all(&adapter->ack_wait);
	dxgpu_contexts_acknowledge(adapter);
	adapter->os.DxgkCbNotifyInterrupt(adapter->os.DeviceHandle, &data);
}

/* After a RESET_DONE: a reset of our own has left the state that the device is in. */
void dxgpu_reset_seen(struct work_struct *work)
{
	struct dxgpu_adapter *adapter = container_of(work, struct dxgpu_adapter,
						     reset_seen_work);
	bool lost;

	mutex_lock(&adapter->command_lock);
	lost = adapter->state == DXGPU_HARDWARE_RUNNING &&
	       readl(adapter->regs + DXGPU_REG_STATUS) != DXGPU_STATUS_ENABLED;
	mutex_unlock(&adapter->command_lock);
	if (lost)
		dxgpu_hardware_lost(adapter, "foreign reset, count",
				    readl(adapter->regs + DXGPU_REG_RESET_COUNT));
}

/* DxgkDdiResetFromTimeout (DDI-RE-6); no other DDI function runs meanwhile. */
NTSTATUS dxgpu_reset_from_timeout(HANDLE hadapter)
{
	return dxgpu_hardware_reset(hadapter) ? STATUS_DEVICE_REMOVED : STATUS_SUCCESS;
}

/* DxgkDdiRestartFromTimeout: living processes get their address spaces again. */
NTSTATUS dxgpu_restart_from_timeout(HANDLE hadapter)
{
	struct dxgpu_adapter *adapter = hadapter;
	int ret;

	ret = dxgpu_hardware_enable(adapter);
	if (ret) {
		dev_err(&adapter->pdev->dev, "restart after reset failed: %d\n", ret);
		return STATUS_DEVICE_REMOVED;
	}
	return dxgpu_processes_restore(adapter);
}
