// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: function-level resets and bus errors, as the PCI core tells of them.
 *
 * DOC: recovery
 *
 * Both are an adapter reset for the processes: whatever ran is lost, everything of
 * theirs is in error, and they can begin anew with the file they have (T25, FH-8).
 *
 * reset_prepare and reset_done stand around a reset that somebody asked for, by sysfs
 * or vfio. error_detected comes after an uncorrectable error. A non-fatal one leaves
 * the device in reach, but a transaction of it has been lost, nobody knows which; so
 * what it was doing cannot be trusted either. A fatal one means that the link is about
 * to be reset: nothing is read or written until slot_reset, and bus mastering is
 * taken away, so that the device does no more DMA. resume ends both. If the recovery
 * fails for another function's sake there is no call at all: who waits for the end gives
 * up after a while, and a remove or reset of this function cleans up.
 */
#include "command.h"
#include "power.h"

/* But not to a device that was given up: nobody knows what it would do with it. */
static void dxgpu_recovery_set_master(struct dxgpu_adapter *adapter)
{
	if (READ_ONCE(adapter->state) == DXGPU_HARDWARE_GONE)
		pci_clear_master(adapter->pdev);
	else
		pci_set_master(adapter->pdev);
}

static void dxgpu_pci_reset_prepare(struct pci_dev *pdev)
{
	struct dxgpu_adapter *adapter = pci_get_drvdata(pdev);

	DxgkBeginReset(adapter->os_adapter, "function-level reset");
}

static void dxgpu_pci_reset_done(struct pci_dev *pdev)
{
	struct dxgpu_adapter *adapter = pci_get_drvdata(pdev);

	dxgpu_recovery_set_master(adapter);
	DxgkEndReset(adapter->os_adapter, true);
}

static pci_ers_result_t dxgpu_pci_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct dxgpu_adapter *adapter = pci_get_drvdata(pdev);

	if (state == pci_channel_io_perm_failure)
		dxgpu_hardware_gone(adapter);
	DxgkBeginReset(adapter->os_adapter, state == pci_channel_io_normal ?
		       "non-fatal bus error" : "fatal bus error");
	if (state != pci_channel_io_perm_failure)
		return PCI_ERS_RESULT_NEED_RESET;
	DxgkEndReset(adapter->os_adapter, false);
	return PCI_ERS_RESULT_DISCONNECT;
}

static pci_ers_result_t dxgpu_pci_slot_reset(struct pci_dev *pdev)
{
	struct dxgpu_adapter *adapter = pci_get_drvdata(pdev);

	/* As they were at the end of the probe; saved again for the next time. */
	pci_restore_state(pdev);
	pci_save_state(pdev);
	dxgpu_recovery_set_master(adapter);
	if (dxgpu_hardware_present(adapter))
		return PCI_ERS_RESULT_RECOVERED;
	DxgkEndReset(adapter->os_adapter, false);
	return PCI_ERS_RESULT_DISCONNECT;
}

static void dxgpu_pci_resume(struct pci_dev *pdev)
{
	struct dxgpu_adapter *adapter = pci_get_drvdata(pdev);

	DxgkEndReset(adapter->os_adapter, true);
}

const struct pci_error_handlers dxgpu_error_handlers = {
	.error_detected = dxgpu_pci_error_detected,
	.slot_reset = dxgpu_pci_slot_reset,
	.resume = dxgpu_pci_resume,
	.reset_prepare = dxgpu_pci_reset_prepare,
	.reset_done = dxgpu_pci_reset_done,
};
