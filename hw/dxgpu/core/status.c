/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: writing the status region (BAR4).
 *
 * Every 64-bit word is one release store, two 32-bit fields that belong
 * together are one word, so a reader never sees half a field and whoever sees
 * an acknowledgement sees all that came before it. The region is output only:
 * nothing of it is ever read back, as a guest's writes would otherwise matter.
 */
#include "state.h"

/*
 * Arrays lie one after the other, in the order of registers, each on a
 * boundary of 64 bytes so that no two objects of different kinds share a line.
 */
void dxgpu_status_layout(const struct dxgpu_core_config *config,
                         struct dxgpu_status_layout *layout)
{
    uint32_t end = 0;

    layout->queue_offset = end;
    end += config->queues * (uint32_t)sizeof(struct dxgpu_queue_status);
    layout->context_offset = end;
    end += config->contexts * (uint32_t)sizeof(struct dxgpu_context_status);
    end = (end + 63) & ~63u;
    layout->space_offset = end;
    end += config->spaces * (uint32_t)sizeof(struct dxgpu_space_status);
    end = (end + 63) & ~63u;
    layout->node_offset = end;
    end += config->nodes * (uint32_t)sizeof(struct dxgpu_node_status);
    layout->fault_offset = end;
    end += (config->queues + 63) / 64 * 8;
    layout->size = (end + 63) & ~63u;
}

static _Atomic uint64_t *word_at(struct dxgpu_core *core, uint32_t offset)
{
    return (_Atomic uint64_t *)(void *)(core->status + offset);
}

static void put(struct dxgpu_core *core, uint32_t offset, uint64_t value)
{
    atomic_store_explicit(word_at(core, offset), dxgpu_le64(value),
                          memory_order_release);
}

/* Two 32-bit fields, the first at the lower address. */
static void put_pair(struct dxgpu_core *core, uint32_t offset, uint32_t first,
                     uint32_t second)
{
    put(core, offset, (uint64_t)second << 32 | first);
}

static void dirty(struct dxgpu_core *core, uint32_t offset, uint32_t len)
{
    core->ops.status_dirty(core->opaque, offset, len);
}

static uint32_t queue_at(struct dxgpu_core *core, uint32_t id)
{
    return core->layout.queue_offset +
           id * (uint32_t)sizeof(struct dxgpu_queue_status);
}

static uint32_t context_at(struct dxgpu_core *core, uint32_t id)
{
    return core->layout.context_offset +
           id * (uint32_t)sizeof(struct dxgpu_context_status);
}

#define Q(field) offsetof(struct dxgpu_queue_status, field)

void dxgpu_status_clear(struct dxgpu_core *core)
{
    uint32_t offset;

    for (offset = 0; offset < core->layout.size; offset += 8) {
        put(core, offset, 0);
    }
    for (offset = 0; offset < core->config.nodes; offset++) {
        dxgpu_status_node(core, offset, DXGPU_NO_QUEUE);
    }
    dirty(core, 0, core->layout.size);
}

void dxgpu_status_queue_new(struct dxgpu_core *core, struct dxgpu_queue *q,
                            uint32_t state)
{
    uint32_t at = queue_at(core, q->id);

    put(core, at + Q(rp), q->rp);
    put(core, at + Q(wp), q->wp);
    put_pair(core, at + Q(state), state, DXGPU_FAULT_NONE);
    dirty(core, at, sizeof(struct dxgpu_queue_status));
}

/* For queues that have not faulted: a fault's code stays with its state. */
void dxgpu_status_queue_state(struct dxgpu_core *core, struct dxgpu_queue *q,
                              uint32_t state)
{
    uint32_t at = queue_at(core, q->id);

    put_pair(core, at + Q(state), state, DXGPU_FAULT_NONE);
    dirty(core, at, 8);
}

/* active: the queue was rung, or its WP was found advanced (MOD-4). */
void dxgpu_status_queue_sample(struct dxgpu_core *core, struct dxgpu_queue *q,
                               bool active)
{
    uint32_t at = queue_at(core, q->id);

    put(core, at + Q(wp), q->wp);
    put(core, at + Q(rings), q->rings_seen);
    put(core, at + Q(samples), q->samples);
    if (active) {
        put(core, at + Q(last_active_ns), core->ops.clock_ns(core->opaque));
    }
    dirty(core, at, sizeof(struct dxgpu_queue_status));
}

void dxgpu_status_queue_progress(struct dxgpu_core *core,
                                 struct dxgpu_queue *q)
{
    uint32_t at = queue_at(core, q->id);

    put(core, at + Q(entries), q->completed);
    put(core, at + Q(rp), q->rp);
    dirty(core, at, sizeof(struct dxgpu_queue_status));
}

void dxgpu_status_queue_fault(struct dxgpu_core *core, struct dxgpu_queue *q,
                              const struct dxgpu_fault *fault)
{
    uint32_t at = queue_at(core, q->id);
    uint32_t word = core->layout.fault_offset + q->id / 64 * 8;

    put(core, at + Q(fault_gpuva), fault->gpuva);
    put(core, at + Q(fault_fence), q->active ? q->entry.fence_value : 0);
    put_pair(core, at + Q(fault_access), fault->access, fault->level);
    put(core, at + Q(fault_rp), q->rp);
    put_pair(core, at + Q(state), DXGPU_QUEUE_FAULTED, fault->code);
    dirty(core, at, sizeof(struct dxgpu_queue_status));

    atomic_fetch_or(word_at(core, word), dxgpu_le64(1ull << q->id % 64));
    dirty(core, word, 8);
}

/* The fence is stored last: who sees it finds the record zero, the id free. */
void dxgpu_status_queue_removed(struct dxgpu_core *core, uint32_t id,
                                uint64_t fence)
{
    uint32_t at = queue_at(core, id);
    uint32_t word = core->layout.fault_offset + id / 64 * 8;
    uint32_t offset;

    atomic_fetch_and(word_at(core, word), dxgpu_le64(~(1ull << id % 64)));
    dirty(core, word, 8);
    for (offset = 0; offset < sizeof(struct dxgpu_queue_status); offset += 8) {
        if (offset != Q(remove_fence)) {
            put(core, at + offset, 0);
        }
    }
    put(core, at + Q(remove_fence), fence);
    dirty(core, at, sizeof(struct dxgpu_queue_status));
}

void dxgpu_status_context(struct dxgpu_core *core, uint32_t id, bool suspended)
{
    uint32_t at = context_at(core, id);

    put_pair(core, at + offsetof(struct dxgpu_context_status, suspended),
             suspended, 0);
    dirty(core, at, sizeof(struct dxgpu_context_status));
}

void dxgpu_status_context_fence(struct dxgpu_core *core, uint32_t id,
                                uint64_t fence)
{
    uint32_t at = context_at(core, id);

    put(core, at + offsetof(struct dxgpu_context_status, suspend_fence),
        fence);
    dirty(core, at, sizeof(struct dxgpu_context_status));
}

void dxgpu_status_space_fence(struct dxgpu_core *core, uint32_t id,
                              uint64_t fence)
{
    uint32_t at = core->layout.space_offset +
                  id * (uint32_t)sizeof(struct dxgpu_space_status);

    put(core, at, fence);
    dirty(core, at, sizeof(struct dxgpu_space_status));
}

void dxgpu_status_node(struct dxgpu_core *core, uint32_t node,
                       uint32_t running)
{
    uint32_t at = core->layout.node_offset +
                  node * (uint32_t)sizeof(struct dxgpu_node_status);
    struct dxgpu_node *n = &core->nodes[node];

    put_pair(core, at, running, n->runnable);
    put(core, at + offsetof(struct dxgpu_node_status, packets), n->packets);
    put(core, at + offsetof(struct dxgpu_node_status, busy_ns), n->busy_ns);
    dirty(core, at, sizeof(struct dxgpu_node_status));
}

/* q: that the reset stopped, or NULL. The fence is stored last. */
void dxgpu_status_node_reset(struct dxgpu_core *core, uint32_t node,
                             const struct dxgpu_queue *q, uint64_t fence)
{
    uint32_t at = core->layout.node_offset +
                  node * (uint32_t)sizeof(struct dxgpu_node_status);

    put_pair(core, at + offsetof(struct dxgpu_node_status, reset_queue),
             q ? q->id : DXGPU_NO_QUEUE, 0);
    put(core, at + offsetof(struct dxgpu_node_status, reset_entry),
        q ? q->entry.fence_value : 0);
    put(core, at + offsetof(struct dxgpu_node_status, reset_fence), fence);
    dirty(core, at, sizeof(struct dxgpu_node_status));
}
