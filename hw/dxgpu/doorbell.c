/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: BAR2, the doorbell slots.
 *
 * One region for all slots. The handler does what dxgpu_core_doorbell_write()
 * does and nothing else: no lock of its own, no wait, no allocation, no log
 * line, as a process can call it at any rate (SEC-7). No ioeventfd: under TCG
 * it is slower than the handler. Every size and alignment is accepted here so
 * that bad ones can be counted instead of vanishing in QEMU's memory code
 * (DEV-3).
 */
#include "qemu/osdep.h"

#include "dxgpu.h"
#include "trace.h"

static uint64_t dxgpu_doorbell_read(void *opaque, hwaddr addr, unsigned size)
{
    return 0;
}

static void dxgpu_doorbell_write(void *opaque, hwaddr addr, uint64_t value,
                                 unsigned size)
{
    DxgpuState *s = opaque;

    trace_dxgpu_doorbell(addr, size, value);
    if (!dxgpu_core_doorbell_write(s->core, addr, size, value)) {
        trace_dxgpu_doorbell_bad_access(addr, size);
    }
}

static const MemoryRegionOps dxgpu_doorbell_ops = {
    .read = dxgpu_doorbell_read,
    .write = dxgpu_doorbell_write,
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

void dxgpu_doorbell_init(DxgpuState *s)
{
    struct dxgpu_doorbell_layout layout;

    dxgpu_doorbell_layout(&s->config, &layout);
    memory_region_init_io(&s->doorbells, OBJECT(s), &dxgpu_doorbell_ops, s,
                          "dxgpu-doorbell", pow2ceil(layout.size));
}
