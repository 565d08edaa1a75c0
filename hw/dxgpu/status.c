/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: BAR4, the status region.
 *
 * RAM, so that the guest reads it at memory speed and without an exit; read-
 * only to the guest, whose writes are dropped. The core writes through the host
 * pointer, and reports what it wrote so that dirty tracking sees it.
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"

#include "dxgpu.h"

#define DXGPU_STATUS_MIN_SIZE 4096

void dxgpu_status_dirty(void *opaque, uint32_t offset, uint32_t len)
{
    DxgpuState *s = opaque;

    memory_region_set_dirty(&s->status, offset, len);
}

bool dxgpu_status_init(DxgpuState *s, Error **errp)
{
    struct dxgpu_status_layout layout;

    dxgpu_status_layout(&s->config, &layout);
    if (!memory_region_init_ram(&s->status, OBJECT(s), "dxgpu-status",
                                pow2ceil(MAX(layout.size,
                                             DXGPU_STATUS_MIN_SIZE)),
                                errp)) {
        return false;
    }
    memory_region_set_readonly(&s->status, true);
    return true;
}
