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
#include "qapi/error.h"

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

bool dxgpu_doorbell_check(DxgpuState *s, Error **errp)
{
    struct dxgpu_core_config *c = &s->config;
    struct dxgpu_doorbell_layout layout;
    const char *model = s->doorbell_model ? s->doorbell_model : "dedicated";
    uint32_t least;

    c->global_doorbells = !strcmp(model, "global");
    if (!c->global_doorbells && strcmp(model, "dedicated")) {
        error_setg(errp, "dxgpu: property 'doorbell-model' is '%s', must be "
                   "dedicated or global", model);
        return false;
    }
    if (dxgpu_doorbell_layout_ok(c)) {
        return true;
    }
    least = c->global_doorbells ? DXGPU_CORE_DOORBELL_PAGE
                                : DXGPU_CORE_MIN_STRIDE;
    if (c->doorbell_stride < least ||
        c->doorbell_stride > DXGPU_CORE_LIMIT_STRIDE ||
        !is_power_of_2(c->doorbell_stride)) {
        error_setg(errp, "dxgpu: property 'doorbell-stride' is %u, must be a "
                   "power of two in %u..%u with doorbell-model=%s",
                   c->doorbell_stride, least, DXGPU_CORE_LIMIT_STRIDE, model);
        return false;
    }
    dxgpu_doorbell_layout(c, &layout);
    if (c->doorbell_stride < DXGPU_CORE_DOORBELL_PAGE) {
        error_setg(errp, "dxgpu: property 'slots' is %u, must be a multiple of "
                   "%u, or less than that, with doorbell-stride=%u",
                   layout.count, DXGPU_CORE_DOORBELL_PAGE / c->doorbell_stride,
                   c->doorbell_stride);
    } else {
        error_setg(errp, "dxgpu: %u doorbell slots of %u bytes, must be %u "
                   "bytes at most", layout.count, c->doorbell_stride,
                   DXGPU_CORE_LIMIT_DOORBELL_BYTES);
    }
    return false;
}

void dxgpu_doorbell_init(DxgpuState *s)
{
    struct dxgpu_doorbell_layout layout;

    dxgpu_doorbell_layout(&s->config, &layout);
    memory_region_init_io(&s->doorbells, OBJECT(s), &dxgpu_doorbell_ops, s,
                          "dxgpu-doorbell", pow2ceil(layout.size));
}
