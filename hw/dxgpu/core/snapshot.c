/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: saving and loading, see snapshot.h.
 *
 * Loading is two passes: check everything (snapshot-check.c), then install
 * everything. So a bad snapshot leaves the device as it was, and the second
 * pass cannot fail.
 */
#include <stdlib.h>
#include <string.h>

#include "snapshot-check.h"

bool dxgpu_snapshot_init(const struct dxgpu_core_config *config,
                         struct dxgpu_snapshot *snapshot)
{
    memset(snapshot, 0, sizeof(*snapshot));
    snapshot->spaces = calloc(config->spaces, sizeof(*snapshot->spaces));
    snapshot->contexts = calloc(config->contexts,
                                sizeof(*snapshot->contexts));
    snapshot->queues = calloc(config->queues, sizeof(*snapshot->queues));
    if (!snapshot->spaces || !snapshot->contexts || !snapshot->queues) {
        dxgpu_snapshot_free(snapshot);
        return false;
    }
    return true;
}

void dxgpu_snapshot_free(struct dxgpu_snapshot *snapshot)
{
    free(snapshot->spaces);
    free(snapshot->contexts);
    free(snapshot->queues);
    memset(snapshot, 0, sizeof(*snapshot));
}

static uint32_t request_flags(const struct dxgpu_request *r)
{
    return (r->queued ? DXGPU_SNAPSHOT_REQUESTED : 0) |
           (r->fence_due ? DXGPU_SNAPSHOT_FENCE_DUE : 0);
}

static void save_space(const struct dxgpu_space *space,
                       struct dxgpu_snapshot_space *out)
{
    out->id = space->invalidate[0].id;
    out->flags = (space->present ? DXGPU_SNAPSHOT_PRESENT : 0) |
                 (space->unserved ? DXGPU_SNAPSHOT_REQUESTED |
                                    DXGPU_SNAPSHOT_FENCE_DUE : 0);
    out->root = space->root;
    out->fence = space->fence;
}

static void save_context(struct dxgpu_core *core,
                         const struct dxgpu_context *context,
                         struct dxgpu_snapshot_context *out)
{
    out->id = context->suspend.id;
    out->flags = request_flags(&context->suspend) |
                 (context->present ? DXGPU_SNAPSHOT_PRESENT : 0) |
                 (context->suspend_wanted ? DXGPU_SNAPSHOT_SUSPEND_WANTED : 0) |
                 (context->suspended ? DXGPU_SNAPSHOT_SUSPENDED : 0);
    out->space = context->present ? context->space - core->spaces : 0;
    out->node = context->present ? context->node : 0;
    out->fence = context->suspend.fence;
}

static void save_queue(struct dxgpu_core *core, struct dxgpu_queue *q,
                       struct dxgpu_snapshot_queue *out)
{
    uint32_t i;

    memset(out, 0, sizeof(*out));
    out->id = q->id;
    out->flags = (q->removing ? DXGPU_SNAPSHOT_REMOVING : 0) |
                 (q->faulted ? DXGPU_SNAPSHOT_FAULTED : 0);
    out->context = q->context - core->contexts;
    out->slot = q->slot;
    out->entries = q->entries;
    out->ring_value = atomic_load(&q->ring_value);
    out->ring = q->ring;
    out->control = q->control;
    out->wp = q->wp;
    out->rp = q->rp;
    out->samples = q->samples;
    out->completed = q->completed;
    out->rings = atomic_load(&q->rings);
    out->rings_seen = q->rings_seen;
    out->fence = q->remove.fence;
    if (q->faulted || !q->active) {
        return;
    }
    out->flags |= DXGPU_SNAPSHOT_ACTIVE;
    out->entry_fence = q->entry.fence_value;
    out->depth = q->depth;
    for (i = 0; i <= q->depth; i++) {
        out->frames[i].gpuva = q->frames[i].gpuva;
        out->frames[i].bytes = q->frames[i].bytes;
        out->frames[i].offset = q->frames[i].offset;
    }
    if (!q->op_valid) {
        return;
    }
    out->flags |= DXGPU_SNAPSHOT_OP_VALID |
                  (q->hung ? DXGPU_SNAPSHOT_HUNG : 0);
    out->opcode = q->op.opcode;
    out->op_flags = q->op.flags;
    out->bytes = q->op.bytes;
    out->done = q->op.done;
    out->pattern = q->op.pattern;
    out->src = q->op.src;
    out->dst = q->op.dst;
    out->value = q->op.value;
    if (core->nodes[q->context->node].holder == q) {
        out->value -= dxgpu_sched_held_ns(core, q->context->node);
    }
}

void dxgpu_core_save(struct dxgpu_core *core, struct dxgpu_snapshot *snapshot)
{
    uint32_t i;

    pthread_mutex_lock(&core->lock);
    snapshot->state = atomic_load(&core->state);
    snapshot->reset_count = atomic_load(&core->reset_count);
    snapshot->int_cause = atomic_load(&core->int_cause);
    snapshot->int_enable = atomic_load(&core->int_enable);
    snapshot->num_spaces = 0;
    for (i = 0; i < core->config.spaces; i++) {
        if (core->spaces[i].present || core->spaces[i].unserved) {
            save_space(&core->spaces[i],
                       &snapshot->spaces[snapshot->num_spaces++]);
        }
    }
    snapshot->num_contexts = 0;
    for (i = 0; i < core->config.contexts; i++) {
        if (core->contexts[i].present || core->contexts[i].suspend.queued) {
            save_context(core, &core->contexts[i],
                         &snapshot->contexts[snapshot->num_contexts++]);
        }
    }
    snapshot->num_queues = 0;
    for (i = 0; i < core->config.queues; i++) {
        if (core->queues[i].present) {
            save_queue(core, &core->queues[i],
                       &snapshot->queues[snapshot->num_queues++]);
        }
    }
    for (i = 0; i < core->config.nodes; i++) {
        snapshot->nodes[i].flags = request_flags(&core->nodes[i].reset) |
            (core->nodes[i].halted ? DXGPU_SNAPSHOT_HALTED : 0);
        snapshot->nodes[i].packets = core->nodes[i].packets;
        snapshot->nodes[i].busy_ns = core->nodes[i].busy_ns +
                                     dxgpu_sched_held_ns(core, i);
        snapshot->nodes[i].fence = core->nodes[i].reset.fence;
    }
    for (i = 0; i < DXGPU_STAT_COUNT; i++) {
        snapshot->stats[i] = dxgpu_core_stat(core, i);
    }
    pthread_mutex_unlock(&core->lock);
}

static void load_request(struct dxgpu_worker *w, struct dxgpu_request *r,
                         uint32_t flags, uint64_t fence)
{
    r->fence = fence;
    r->fence_due = flags & DXGPU_SNAPSHOT_FENCE_DUE;
    if (flags & DXGPU_SNAPSHOT_REQUESTED) {
        dxgpu_sched_request(w, r);
    }
}

static void load_space(struct dxgpu_core *core,
                       const struct dxgpu_snapshot_space *s)
{
    struct dxgpu_space *space = &core->spaces[s->id];

    space->present = s->flags & DXGPU_SNAPSHOT_PRESENT;
    space->root = s->root;
    atomic_store(&space->tag, dxgpu_core_new_tag(core));
    dxgpu_core_count(core, DXGPU_STAT_SPACES, space->present);
    if (s->flags & DXGPU_SNAPSHOT_REQUESTED) {
        dxgpu_sched_invalidate(core, space, s->fence);
    }
}

static void load_context(struct dxgpu_core *core,
                         const struct dxgpu_snapshot_context *s)
{
    struct dxgpu_context *context = &core->contexts[s->id];

    if (s->flags & DXGPU_SNAPSHOT_PRESENT) {
        context->present = true;
        context->suspend_wanted = s->flags & DXGPU_SNAPSHOT_SUSPEND_WANTED;
        context->suspended = s->flags & DXGPU_SNAPSHOT_SUSPENDED;
        context->node = s->node;
        context->space = &core->spaces[s->space];
        context->space->contexts++;
        dxgpu_core_count(core, DXGPU_STAT_CONTEXTS, 1);
    }
    load_request(dxgpu_worker_of(core, s->node), &context->suspend, s->flags,
                 s->fence);
}

static void load_queue(struct dxgpu_core *core,
                       const struct dxgpu_snapshot_queue *s)
{
    struct dxgpu_queue *q = &core->queues[s->id];
    uint32_t i;

    q->context = &core->contexts[s->context];
    atomic_store(&q->worker, dxgpu_worker_of(core, q->context->node)->index);
    q->entries = s->entries;
    q->ring = s->ring;
    q->control = s->control;
    q->wp = s->wp;
    q->rp = s->rp;
    q->samples = s->samples;
    q->completed = s->completed;
    q->faulted = s->flags & DXGPU_SNAPSHOT_FAULTED;
    q->active = s->flags & DXGPU_SNAPSHOT_ACTIVE;
    q->op_valid = s->flags & DXGPU_SNAPSHOT_OP_VALID;
    q->entry = dxgpu_snapshot_entry(s);
    q->depth = s->depth;
    for (i = 0; i <= s->depth && i <= DXGPU_CORE_INDIRECT_DEPTH; i++) {
        q->frames[i].gpuva = s->frames[i].gpuva;
        q->frames[i].bytes = s->frames[i].bytes;
        q->frames[i].offset = s->frames[i].offset;
    }
    q->op = dxgpu_snapshot_op(s);
    atomic_store(&q->rings, s->rings);
    atomic_store(&q->ring_value, s->ring_value);
    q->rings_seen = s->rings_seen;
    dxgpu_queue_link(core, q);
    if (s->flags & DXGPU_SNAPSHOT_HUNG) {
        dxgpu_sched_hold(core, q);
        q->hung = true;
    }
    if (s->slot != DXGPU_NONE) {
        dxgpu_doorbell_bind(core, q, s->slot);
    }
    if (s->flags & DXGPU_SNAPSHOT_REMOVING) {
        q->removing = true;
        load_request(dxgpu_queue_worker(core, q), &q->remove,
                     DXGPU_SNAPSHOT_REQUESTED | DXGPU_SNAPSHOT_FENCE_DUE,
                     s->fence);
    }
}

bool dxgpu_core_load(struct dxgpu_core *core,
                     const struct dxgpu_snapshot *snapshot, char *why,
                     size_t size)
{
    uint32_t i;

    if (!dxgpu_snapshot_check(&core->config, snapshot, why, size)) {
        return false;
    }
    pthread_mutex_lock(&core->lock);
    dxgpu_core_clear_objects(core);
    for (i = 0; i < snapshot->num_spaces; i++) {
        load_space(core, &snapshot->spaces[i]);
    }
    for (i = 0; i < snapshot->num_contexts; i++) {
        load_context(core, &snapshot->contexts[i]);
    }
    for (i = 0; i < snapshot->num_queues; i++) {
        load_queue(core, &snapshot->queues[i]);
    }
    for (i = 0; i < core->config.nodes; i++) {
        core->nodes[i].packets = snapshot->nodes[i].packets;
        core->nodes[i].busy_ns = snapshot->nodes[i].busy_ns;
        core->nodes[i].halted = snapshot->nodes[i].flags &
                                DXGPU_SNAPSHOT_HALTED;
        load_request(dxgpu_worker_of(core, i), &core->nodes[i].reset,
                     snapshot->nodes[i].flags, snapshot->nodes[i].fence);
        dxgpu_status_node(core, i, core->nodes[i].holder ?
                          core->nodes[i].holder->id : DXGPU_NO_QUEUE);
    }
    /* What the loading itself has counted was counted before. */
    for (i = 0; i < DXGPU_STAT_NUMBERS; i++) {
        atomic_store_explicit(&core->stats[i], snapshot->stats[i],
                              memory_order_relaxed);
    }
    dxgpu_queue_mark_all(core);
    atomic_store(&core->reset_count, snapshot->reset_count);
    atomic_store(&core->int_enable, snapshot->int_enable);
    atomic_store(&core->int_cause, snapshot->int_cause);
    atomic_store(&core->state, snapshot->state);
    atomic_store(&core->reset_requested,
                 snapshot->state == DXGPU_STATUS_RESETTING);
    pthread_mutex_unlock(&core->lock);
    dxgpu_engine_changed(core);
    return true;
}
