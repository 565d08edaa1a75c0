/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: a function that does not come back from its FLR (inject-hold-flr).
 *
 * Its configuration space reads all ones and drops writes (pci.c), and so do
 * the places where its BARs were. It decodes none of them after a reset, so a
 * read there is one that nobody answers: a PCI Express host gives all ones, by
 * which a driver knows that its hardware is gone, QEMU's gives zeros. The
 * regions that give ones lie below all others: a place that the guest gives to
 * another function meanwhile is that function's.
 *
 * BQL for all of it.
 */
#include "qemu/osdep.h"

#include "dxgpu.h"

static uint64_t dxgpu_absent_read(void *opaque, hwaddr addr, unsigned size)
{
    return UINT64_MAX;
}

static void dxgpu_absent_write(void *opaque, hwaddr addr, uint64_t value,
                               unsigned size)
{
}

static const MemoryRegionOps dxgpu_absent_ops = {
    .read = dxgpu_absent_read,
    .write = dxgpu_absent_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
    },
    .impl = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
    },
};

void dxgpu_absent_init(DxgpuState *s)
{
    PCIDevice *pci = PCI_DEVICE(s);
    int i;

    for (i = 0; i < ARRAY_SIZE(s->absent_bars); i++) {
        if (pci->io_regions[i].size) {
            memory_region_init_io(&s->absent_bars[i], OBJECT(s),
                                  &dxgpu_absent_ops, s, "dxgpu-absent",
                                  pci->io_regions[i].size);
        }
    }
}

void dxgpu_absent_begin(DxgpuState *s)
{
    PCIDevice *pci = PCI_DEVICE(s);
    int i;

    s->absent = true;
    for (i = 0; i < ARRAY_SIZE(s->absent_bars); i++) {
        if (pci->io_regions[i].size &&
            pci->io_regions[i].addr != PCI_BAR_UNMAPPED) {
            memory_region_add_subregion_overlap(pci_address_space(pci),
                                                pci->io_regions[i].addr,
                                                &s->absent_bars[i], -1);
        }
    }
}

void dxgpu_absent_end(DxgpuState *s)
{
    PCIDevice *pci = PCI_DEVICE(s);
    int i;

    s->absent = false;
    for (i = 0; i < ARRAY_SIZE(s->absent_bars); i++) {
        if (memory_region_is_mapped(&s->absent_bars[i])) {
            memory_region_del_subregion(pci_address_space(pci),
                                        &s->absent_bars[i]);
        }
    }
}
