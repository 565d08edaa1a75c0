/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: the configuration space: BARs, capabilities, power state, FLR, AER.
 *
 * Power. D0 and D3hot. In D3hot QEMU unmaps the BARs and the worker is
 * parked, so there is no register, no ring and no DMA; interrupts wait.
 * NO_SOFT_RESET is set: all state is kept, and on the way back to D0 every
 * queue is sampled, so a ring that a vCPU had under way when the BARs vanished
 * is not missed. Rejected: a soft reset, after which a driver would have to
 * build everything up again.
 *
 * Bus mastering needs no code here: with the bit off the bus-master address
 * space is empty, and a queue that needs memory then faults with code BUS.
 *
 * When the machine wakes up from S3 the function has kept all but its
 * configuration, as by auxiliary power: it goes on as from D3hot. Rejected: to
 * lose it all; work that is pending when a system goes to sleep has to complete
 * after it, and a driver would have to save what only the device knows, the
 * place within an entry.
 *
 * FLR is QEMU's reset of one function: dxgpu_reset_hold(), then the writable
 * bits of the configuration space. By the host's order the function does not
 * come back from it: it is absent, see absent.c.
 */
#include "qemu/osdep.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "qapi/error.h"

#include "dxgpu.h"
#include "trace.h"

#define DXGPU_PM_CAP_OFFSET     0x50
#define DXGPU_PCIE_CAP_OFFSET   0x80
#define DXGPU_AER_CAP_OFFSET    0x100

static void dxgpu_register_bars(DxgpuState *s)
{
    PCIDevice *pci = PCI_DEVICE(s);

    pci_register_bar(pci, DXGPU_BAR_REGS, PCI_BASE_ADDRESS_SPACE_MEMORY,
                     &s->regs);
    pci_register_bar(pci, DXGPU_BAR_DOORBELL,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &s->doorbells);
    pci_register_bar(pci, DXGPU_BAR_STATUS,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &s->status);
}

static bool dxgpu_init_pm(PCIDevice *pci, Error **errp)
{
    if (pci_pm_init(pci, DXGPU_PM_CAP_OFFSET, errp) < 0) {
        return false;
    }
    pci_set_word(pci->config + pci->pm_cap + PCI_PM_PMC, PCI_PM_CAP_VER_1_2);
    pci_set_word(pci->config + pci->pm_cap + PCI_PM_CTRL,
                 PCI_PM_CTRL_NO_SOFT_RESET);
    pci_set_word(pci->wmask + pci->pm_cap + PCI_PM_CTRL,
                 PCI_PM_CTRL_STATE_MASK);
    return true;
}

bool dxgpu_pci_init(DxgpuState *s, Error **errp)
{
    PCIDevice *pci = PCI_DEVICE(s);
    int vector;

    if (!dxgpu_init_pm(pci, errp)) {
        return false;
    }
    if (pcie_endpoint_cap_init(pci, DXGPU_PCIE_CAP_OFFSET) < 0) {
        error_setg(errp, "dxgpu: no room for the PCI Express capability");
        return false;
    }
    pcie_cap_flr_init(pci);
    pcie_cap_deverr_init(pci);
    if (pcie_aer_init(pci, PCI_ERR_VER, DXGPU_AER_CAP_OFFSET, PCI_ERR_SIZEOF,
                      errp) < 0) {
        return false;
    }
    dxgpu_register_bars(s);
    /* There is no INTx pin: without MSI-X the device is of no use. */
    if (msix_init_exclusive_bar(pci, dxgpu_vectors(s), DXGPU_BAR_MSIX,
                                errp) < 0) {
        pcie_aer_exit(pci);
        return false;
    }
    for (vector = 0; vector < dxgpu_vectors(s); vector++) {
        msix_vector_use(pci, vector);
    }
    dxgpu_absent_init(s);
    return true;
}

void dxgpu_pci_exit(DxgpuState *s)
{
    PCIDevice *pci = PCI_DEVICE(s);

    dxgpu_absent_end(s);
    msix_uninit_exclusive_bar(pci);
    pcie_aer_exit(pci);
}

static void dxgpu_power_update(DxgpuState *s)
{
    PCIDevice *pci = PCI_DEVICE(s);
    bool asleep = pci_get_word(pci->config + pci->pm_cap + PCI_PM_CTRL) &
                  PCI_PM_CTRL_STATE_MASK;

    if (asleep == s->asleep) {
        return;
    }
    trace_dxgpu_power(asleep);
    s->asleep = asleep;
    dxgpu_core_set_asleep(s->core, asleep);
    if (asleep) {
        dxgpu_worker_park(s, DXGPU_PARK_POWER);
    }
    /* Another vCPU may have woken the device while this one waited. */
    if (!s->asleep) {
        dxgpu_worker_unpark(s, DXGPU_PARK_POWER);
        dxgpu_irq_wake(s);
    }
}

uint32_t dxgpu_pci_config_read(PCIDevice *pci, uint32_t addr, int len)
{
    return DXGPU(pci)->absent ? ~0u : pci_default_read_config(pci, addr, len);
}

void dxgpu_pci_config_write(PCIDevice *pci, uint32_t addr, uint32_t value,
                            int len)
{
    if (DXGPU(pci)->absent) {
        return;
    }
    pci_default_write_config(pci, addr, value, len);
    pcie_cap_flr_write_config(pci, addr, value, len);
    pcie_aer_write_config(pci, addr, value, len);
    dxgpu_power_update(DXGPU(pci));
}

/* QEMU has reset the configuration, with it the power state; all else stays. */
void dxgpu_pci_wake(DxgpuState *s)
{
    if (!s->asleep) {
        return;
    }
    dxgpu_core_set_asleep(s->core, false);
    dxgpu_pci_reset(s);
    dxgpu_irq_wake(s);
}

/* The core is awake again by its own reset; QEMU resets the register. */
void dxgpu_pci_reset(DxgpuState *s)
{
    PCIDevice *pci = PCI_DEVICE(s);

    s->asleep = false;
    /* The bit is there until an FLR has ended. */
    if (s->hold_flr && !s->absent &&
        pci_get_word(pci->config + pci->exp.exp_cap + PCI_EXP_DEVCTL) &
        PCI_EXP_DEVCTL_BCR_FLR) {
        dxgpu_absent_begin(s);
    }
    dxgpu_worker_unpark(s, DXGPU_PARK_POWER);
}

void dxgpu_pci_post_load(DxgpuState *s)
{
    dxgpu_power_update(s);
}
