/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: engines that go wrong, and the reset of one.
 *
 * Faults of the hardware are the host's to order (DEV-13): struct dxgpu_inject.
 *
 * Hang. A queue hangs before a step of a packet: it keeps its node as one in a
 * delay does, it touches no memory, and no end of it is known. Whoever asks the
 * queue's removal or the suspension of its context gets no answer. Other nodes
 * go on, and so do commands on other queues of this one; translations are
 * walked for again after the hang, so an invalidation is acknowledged.
 *
 * Held back. A request without an answer lies in its worker's list "held",
 * still marked as queued, so that a newer one of the object joins it and a
 * snapshot has it. It comes back to the queue of requests when the faults
 * change or when its node is reset, which then nothing holds back.
 *
 * Rings that are held back are counted and set no bit. What samples for another
 * reason, as the end of a binding does, finds their work (ORD-8); what is left
 * comes when they are held back no longer.
 *
 * Reset. The queue that holds the node, in a hang or in a delay, faults with
 * RESET. A queue that gave its node up between two steps is not on the engine
 * and keeps all it has. The node then stands until it is resumed, so that
 * nothing of a process that is to be stopped starts in between (DDI-RE-3,
 * FH-12); the resume samples (DDI-RE-7). Rejected: to fault also the queue that
 * had the last turn, which would be a matter of luck.
 */
#include <string.h>

#include "state.h"

/* No node has anything, nothing is held back. Under the lock. */
void dxgpu_engine_clear(struct dxgpu_core *core)
{
    struct dxgpu_node *node;
    uint32_t i;

    for (i = 0; i < DXGPU_MAX_NODES; i++) {
        node = &core->nodes[i];
        memset(node, 0, sizeof(*node));
        node->reset.id = i;
        node->reset.kind = DXGPU_CMD_ENGINE_RESET;
        node->resume.id = i;
        node->resume.kind = DXGPU_CMD_ENGINE_RESUME;
    }
}

/* front: each worker looks anew at what hangs and what is held back. */
void dxgpu_engine_changed(struct dxgpu_core *core)
{
    uint32_t i;

    for (i = 0; i < core->config.workers; i++) {
        atomic_store(&core->workers[i].reconsider, true);
    }
    dxgpu_core_yield(core);
    dxgpu_core_wake_all(core);
}

void dxgpu_core_inject(struct dxgpu_core *core,
                       const struct dxgpu_inject *inject)
{
    pthread_mutex_lock(&core->lock);
    atomic_store(&core->hang_fence, inject->hang_fence);
    atomic_store(&core->hang_nodes, inject->hang_nodes);
    atomic_store(&core->hold_rings, inject->hold_rings);
    core->hold_suspends = inject->hold_suspends;
    core->hold_removals = inject->hold_removals;
    core->hold_reset = inject->hold_reset;
    core->engine_reset = inject->engine_reset;
    pthread_mutex_unlock(&core->lock);
    dxgpu_engine_changed(core);
}

/* worker: is the entry in execution to hang? */
bool dxgpu_engine_hangs(struct dxgpu_core *core, struct dxgpu_queue *q)
{
    uint64_t fence = atomic_load_explicit(&core->hang_fence,
                                          memory_order_relaxed);
    uint32_t nodes = atomic_load_explicit(&core->hang_nodes,
                                          memory_order_relaxed);

    return (fence && q->entry.fence_value == fence) ||
           (nodes >> q->context->node & 1);
}

void dxgpu_core_set_fault_entry(struct dxgpu_core *core, uint32_t n)
{
    atomic_store(&core->fault_entry, n);
}

uint32_t dxgpu_core_fault_entry(struct dxgpu_core *core)
{
    return atomic_load(&core->fault_entry);
}

/* worker, before a fetch of a ring entry, which it counts: is it to fault? */
bool dxgpu_engine_faults(struct dxgpu_core *core)
{
    uint32_t n = atomic_load_explicit(&core->fault_entry,
                                      memory_order_relaxed);

    while (n && !atomic_compare_exchange_weak(&core->fault_entry, &n, n - 1)) {
        continue;
    }
    return n == 1;
}

static bool is_held(struct dxgpu_core *core, const struct dxgpu_request *r)
{
    const struct dxgpu_context *context;
    const struct dxgpu_queue *holder;

    switch (r->kind) {
    case DXGPU_CMD_QUEUE_REMOVE:
        return core->hold_removals || core->queues[r->id].hung;
    case DXGPU_CMD_CONTEXT_SUSPEND:
        context = &core->contexts[r->id];
        if (!context->present) {
            return core->hold_suspends;
        }
        holder = core->nodes[context->node].holder;
        return core->hold_suspends ||
               (holder && holder->hung && holder->context == context);
    case DXGPU_CMD_ENGINE_RESET:
        return core->engine_reset != DXGPU_INJECT_RESET_OK;
    default:
        return false;
    }
}

/*
 * worker, under the lock: true if this request, which is on no list, is not to
 * be served now; then it is held back.
 */
bool dxgpu_engine_holds(struct dxgpu_core *core, struct dxgpu_worker *w,
                        struct dxgpu_request *r)
{
    bool held = !r->forced && is_held(core, r);

    r->forced = false;
    if (held) {
        r->queued = true;
        r->next = w->held;
        w->held = r;
    }
    return held;
}

/* The queue that hung goes on where it was. Under the lock. */
static void end_hang(struct dxgpu_core *core, struct dxgpu_queue *q)
{
    dxgpu_sched_remove(core, q);
    q->hung = false;
    dxgpu_sched_push(core, q);
    dxgpu_queue_mark_pending(core, q->id);
}

/* worker, without the lock: what the present faults do not concern goes on. */
void dxgpu_engine_reconsider(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    struct dxgpu_request *r, *next;
    struct dxgpu_queue *q;
    uint32_t i;

    pthread_mutex_lock(&core->lock);
    for (i = 0; i < core->config.nodes; i++) {
        q = core->nodes[i].holder;
        if (dxgpu_worker_of(core, i) == w && q && q->hung &&
            !dxgpu_engine_hangs(core, q)) {
            end_hang(core, q);
        }
    }
    r = w->held;
    w->held = NULL;
    for (; r; r = next) {
        next = r->next;
        r->queued = false;
        dxgpu_sched_request(w, r);
    }
    pthread_mutex_unlock(&core->lock);
    if (!atomic_load(&core->hold_rings)) {
        dxgpu_queue_mark_rung(core, w);
    }
}

/* Under the lock. */
static bool is_of_node(struct dxgpu_core *core, const struct dxgpu_request *r,
                       uint32_t node)
{
    switch (r->kind) {
    case DXGPU_CMD_QUEUE_REMOVE:
        return core->queues[r->id].context->node == node;
    case DXGPU_CMD_CONTEXT_SUSPEND:
        return core->contexts[r->id].present &&
               core->contexts[r->id].node == node;
    default:
        return false;
    }
}

/* What was held back of the node is served next, by its worker. */
static void force_held(struct dxgpu_core *core, uint32_t node)
{
    struct dxgpu_request **at, *r;
    uint32_t i;

    for (i = 0; i < core->config.workers; i++) {
        at = &core->workers[i].held;
        while ((r = *at)) {
            if (is_of_node(core, r, node)) {
                *at = r->next;
                r->queued = false;
                r->forced = true;
                dxgpu_sched_request(dxgpu_worker_of(core, node), r);
            } else {
                at = &r->next;
            }
        }
    }
}

/*
 * The node's worker, under the lock: the reset, and its acknowledgement. True
 * if a queue was stopped by it: then INT_FAULT is due.
 */
bool dxgpu_engine_reset(struct dxgpu_core *core, struct dxgpu_request *r)
{
    struct dxgpu_node *node = &core->nodes[r->id];
    struct dxgpu_fault fault = { .code = DXGPU_FAULT_RESET };
    struct dxgpu_queue *q = node->holder;

    node->halted = true;
    if (q) {
        dxgpu_sched_remove(core, q);
        q->hung = false;
        dxgpu_queue_stop(core, q, &fault);
    }
    force_held(core, r->id);
    dxgpu_status_node_reset(core, r->id, q, r->fence);
    dxgpu_sched_acknowledge(core, r, r->fence, DXGPU_STAT_ENGINE_RESETS);
    return q;
}
