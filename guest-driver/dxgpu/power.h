/* SPDX-License-Identifier: GPL-2.0 */
/* dxgpu.ko: what the PCI core asks for besides probe and remove; see power.c, recovery.c. */
#ifndef _DXGPU_POWER_H
#define _DXGPU_POWER_H

#include <linux/pci.h>
#include <linux/pm.h>
#include <d3dkmddi.h>

extern const struct dev_pm_ops dxgpu_pm_ops;
extern const struct pci_error_handlers dxgpu_error_handlers;

NTSTATUS dxgpu_set_power_state(HANDLE hadapter, DEVICE_POWER_STATE state);
void dxgpu_power_init(struct pci_dev *pdev);
void dxgpu_power_fini(struct pci_dev *pdev);

#endif /* _DXGPU_POWER_H */
