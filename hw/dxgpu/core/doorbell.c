/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: the doorbells: where they lie, and what a write to them does.
 *
 * The primary doorbells of all slots come first, then, if the device has them,
 * the secondary ones, in the same order. A secondary doorbell is no object of
 * its own: it names the slot, so binding, unbinding, the pending bit and the
 * sample are the slot's, and there is no state in which one of the two rings a
 * queue and the other does not (MOD-10). Rejected: the two of a slot side by
 * side. The first part would not be the same with and without the second, and
 * the stride not that of pages.
 *
 * A process can call this at any rate (SEC-7): no lock, no wait, no allocation.
 */
#include "state.h"

void dxgpu_doorbell_layout(const struct dxgpu_core_config *config,
                           struct dxgpu_doorbell_layout *layout)
{
    uint32_t bytes = config->slots * DXGPU_CORE_DOORBELL_STRIDE;

    *layout = (struct dxgpu_doorbell_layout) {
        .stride = DXGPU_CORE_DOORBELL_STRIDE,
        .size = bytes,
    };
    if (config->secondary_doorbells) {
        layout->secondary_offset = bytes;
        layout->secondary_stride = DXGPU_CORE_DOORBELL_STRIDE;
        layout->secondary_bytes = DXGPU_DOORBELL_BYTES;
        layout->size = 2 * bytes;
    }
}

bool dxgpu_core_doorbell(struct dxgpu_core *core, uint32_t slot,
                         uint64_t value)
{
    struct dxgpu_queue *q;
    uint32_t id;

    if (atomic_load_explicit(&core->asleep, memory_order_relaxed)) {
        dxgpu_core_count(core, DXGPU_STAT_DOORBELL_ASLEEP, 1);
        return false;
    }
    id = slot < core->config.slots ? atomic_load(&core->slots[slot])
                                   : DXGPU_NONE;
    if (id == DXGPU_NONE) {
        dxgpu_core_count(core, DXGPU_STAT_DOORBELL_UNBOUND, 1);
        return false;
    }
    q = &core->queues[id];
    atomic_store_explicit(&q->ring_value, (uint32_t)value,
                          memory_order_relaxed);
    atomic_fetch_add_explicit(&q->rings, 1, memory_order_relaxed);
    dxgpu_core_count(core, DXGPU_STAT_DOORBELL_WRITES, 1);
    dxgpu_queue_mark_pending(core, id);
    dxgpu_core_wake(core, dxgpu_queue_worker(core, q));
    return true;
}

bool dxgpu_core_doorbell_write(struct dxgpu_core *core, uint64_t offset,
                               uint32_t bytes, uint64_t value)
{
    uint64_t page = offset / DXGPU_CORE_DOORBELL_STRIDE;
    uint32_t slots = core->config.slots;

    if (offset % DXGPU_CORE_DOORBELL_STRIDE || (bytes != 4 && bytes != 8)) {
        dxgpu_core_count(core, DXGPU_STAT_DOORBELL_BAD_ACCESS, 1);
        return false;
    }
    if (page < slots) {
        dxgpu_core_doorbell(core, page, value);
    } else if (core->config.secondary_doorbells && page < 2ull * slots) {
        if (dxgpu_core_doorbell(core, page - slots, value)) {
            dxgpu_core_count(core, DXGPU_STAT_DOORBELL_SECONDARY, 1);
        }
    } else {
        /* The BAR is rounded up: no slot lies there. */
        dxgpu_core_doorbell(core, DXGPU_NONE, value);
    }
    return true;
}
