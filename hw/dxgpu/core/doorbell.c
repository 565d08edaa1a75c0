/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: the doorbells: where they lie, and whom a write to them rings.
 *
 * Dedicated model (MOD-1): a slot is bound to one queue, and the place of a
 * write says which. Global model (MOD-2): the value says which, so any number
 * of queues are bound to a slot, and there is one slot for each address space,
 * which has its number. The slot says who rings: a value reaches a queue only
 * if that queue is bound to the slot that it was written to, and it can be
 * bound only to the slot of its own address space. So whoever has the page of a
 * slot reaches queues of that address space and no other, whatever he writes. A
 * queue keeps slot and value in one word, with which a ring is compared.
 *
 * The primary doorbells of all slots come first, then, if the device has them,
 * the secondary ones, in the same order. A secondary doorbell is no object of
 * its own: it names the slot, so binding, unbinding, the pending bit and the
 * sample are the slot's, and there is no state in which one of the two rings a
 * queue and the other does not (MOD-10). Rejected: the two of a slot side by
 * side. The first part would not be the same with and without the second, and
 * the stride not that of pages.
 *
 * Slots may be closer than a page (DEV-6); then each page has as many of them,
 * so that all pages are of equal use to a driver that gives pages away.
 *
 * A process can call this at any rate (SEC-7): no lock, no wait, no allocation.
 */
#include "state.h"

/*
 * Not bound. No ring can be this: a value names a queue below
 * DXGPU_CORE_LIMIT_QUEUES, and the lower half of this does not.
 */
#define NO_BELL         UINT64_MAX

static uint64_t bell(uint32_t slot, uint32_t value)
{
    return (uint64_t)slot << 32 | value;
}

static uint32_t slot_count(const struct dxgpu_core_config *config)
{
    return config->global_doorbells ? config->spaces : config->slots;
}

static uint64_t round_up(uint64_t bytes, uint64_t to)
{
    return (bytes + to - 1) / to * to;
}

bool dxgpu_doorbell_layout_ok(const struct dxgpu_core_config *config)
{
    uint32_t stride = config->doorbell_stride;
    uint32_t count = slot_count(config);
    uint32_t per_page = DXGPU_CORE_DOORBELL_PAGE / (stride ? stride : 1);

    return stride >= DXGPU_CORE_MIN_STRIDE &&
           stride <= DXGPU_CORE_LIMIT_STRIDE && (stride & (stride - 1)) == 0 &&
           (!config->global_doorbells || stride >= DXGPU_CORE_DOORBELL_PAGE) &&
           (uint64_t)count * stride <= DXGPU_CORE_LIMIT_DOORBELL_BYTES &&
           (per_page <= 1 || count <= per_page || count % per_page == 0);
}

void dxgpu_doorbell_layout(const struct dxgpu_core_config *config,
                           struct dxgpu_doorbell_layout *layout)
{
    uint32_t count = slot_count(config);
    uint32_t bytes = round_up((uint64_t)count * config->doorbell_stride,
                              DXGPU_CORE_DOORBELL_PAGE);

    *layout = (struct dxgpu_doorbell_layout) {
        .stride = config->doorbell_stride,
        .count = count,
        .size = bytes,
    };
    if (config->secondary_doorbells) {
        layout->secondary_offset = bytes;
        layout->secondary_stride = config->doorbell_stride;
        layout->secondary_bytes = DXGPU_DOORBELL_BYTES;
        layout->size = 2 * bytes;
    }
}

/* No queue is bound to anything. Under the lock, or before there is another. */
void dxgpu_doorbell_clear(struct dxgpu_core *core)
{
    uint32_t i;

    for (i = 0; i < core->config.slots; i++) {
        atomic_store(&core->slots[i], DXGPU_NONE);
    }
    for (i = 0; i < core->config.queues; i++) {
        core->queues[i].slot = DXGPU_NONE;
        atomic_store(&core->queues[i].bell, NO_BELL);
    }
}

/*
 * The command DOORBELL_BIND, but for its counter and sample. The queue exists
 * and is not being removed. Under the lock.
 */
enum dxgpu_cmd_result dxgpu_doorbell_bind(struct dxgpu_core *core,
                                          struct dxgpu_queue *q, uint32_t slot)
{
    if (core->config.global_doorbells &&
        slot != q->context->space - core->spaces) {
        return DXGPU_CMD_ERR_ARGUMENT;
    }
    if (q->slot != DXGPU_NONE ||
        (!core->config.global_doorbells &&
         atomic_load(&core->slots[slot]) != DXGPU_NONE)) {
        return DXGPU_CMD_ERR_BUSY;
    }
    q->slot = slot;
    if (core->config.global_doorbells) {
        atomic_store(&q->bell, bell(slot, DXGPU_DOORBELL_VALUE(
                                              q->id, q->context->node)));
    } else {
        atomic_store(&core->slots[slot], q->id);
    }
    dxgpu_core_count(core, DXGPU_STAT_SLOTS_BOUND, 1);
    return DXGPU_CMD_OK;
}

/* Ends the queue's binding, if it has one. Under the lock. */
void dxgpu_doorbell_unbind(struct dxgpu_core *core, struct dxgpu_queue *q)
{
    if (q->slot == DXGPU_NONE) {
        return;
    }
    if (core->config.global_doorbells) {
        atomic_store(&q->bell, NO_BELL);
    } else {
        atomic_store(&core->slots[q->slot], DXGPU_NONE);
    }
    q->slot = DXGPU_NONE;
    dxgpu_core_count(core, DXGPU_STAT_UNBINDS, 1);
    dxgpu_core_count(core, DXGPU_STAT_SLOTS_BOUND, -1ull);
}

/*
 * Of DOORBELL_UNBIND: the id of the queue that is bound to this slot, in the
 * global model if it is the one that is named; DXGPU_NONE if there is none.
 * Under the lock.
 */
uint32_t dxgpu_doorbell_bound(struct dxgpu_core *core, uint32_t slot,
                              uint32_t id)
{
    if (!core->config.global_doorbells) {
        return atomic_load(&core->slots[slot]);
    }
    return core->queues[id].slot == slot ? id : DXGPU_NONE;
}

/* front: the id of the queue that this ring reaches, or DXGPU_NONE. */
static uint32_t rung_queue(struct dxgpu_core *core, uint32_t slot,
                           uint32_t value)
{
    uint32_t id = DXGPU_DOORBELL_QUEUE(value);

    if (!core->config.global_doorbells) {
        return slot < core->config.slots ? atomic_load(&core->slots[slot])
                                         : DXGPU_NONE;
    }
    return id < core->config.queues &&
           atomic_load(&core->queues[id].bell) == bell(slot, value)
           ? id : DXGPU_NONE;
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
    id = rung_queue(core, slot, value);
    if (id == DXGPU_NONE) {
        dxgpu_core_count(core, DXGPU_STAT_DOORBELL_UNBOUND, 1);
        return false;
    }
    q = &core->queues[id];
    atomic_store_explicit(&q->ring_value, (uint32_t)value,
                          memory_order_relaxed);
    /* Counted before the look: see dxgpu_queue_mark_rung(). */
    atomic_fetch_add(&q->rings, 1);
    dxgpu_core_count(core, DXGPU_STAT_DOORBELL_WRITES, 1);
    if (atomic_load(&core->hold_rings)) {
        return true;
    }
    dxgpu_queue_mark_pending(core, id);
    dxgpu_core_wake(core, dxgpu_queue_worker(core, q));
    return true;
}

bool dxgpu_core_doorbell_write(struct dxgpu_core *core, uint64_t offset,
                               uint32_t bytes, uint64_t value)
{
    const struct dxgpu_doorbell_layout *layout = &core->doorbells;
    bool secondary;
    uint64_t slot;

    if (offset % layout->stride || (bytes != 4 && bytes != 8)) {
        dxgpu_core_count(core, DXGPU_STAT_DOORBELL_BAD_ACCESS, 1);
        return false;
    }
    secondary = layout->secondary_offset &&
                offset >= layout->secondary_offset;
    slot = (offset - (secondary ? layout->secondary_offset : 0)) /
           layout->stride;
    /* The BAR is rounded up, and so is each part: no slot may lie there. */
    if (dxgpu_core_doorbell(core, slot < layout->count ? slot : DXGPU_NONE,
                            value) && secondary) {
        dxgpu_core_count(core, DXGPU_STAT_DOORBELL_SECONDARY, 1);
    }
    return true;
}
