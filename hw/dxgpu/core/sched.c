/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: what the worker does next.
 *
 * Order of one dxgpu_core_run(): a reset, then requests (invalidate, suspend,
 * resume, remove, engine reset), then samples, then one turn of one queue.
 * Nodes take turns, and the queues of a node in a circle (DEV-8). Requests are
 * served between turns, when no queue executes, which is why to serve them is
 * to acknowledge them; the attention flag cuts a turn short for them. What
 * hangs, what is held back and how an engine is reset is told in engine.c.
 *
 * A queue in a delay holds its node: it is on no list, and no other queue of
 * the node gets a turn until the device clock has advanced by what its packet
 * says. Who takes it off the node before that (suspend, removal, a fault at a
 * sample) leaves the rest of the time in the packet. The worker does not wait:
 * it asks to be woken when the first delay is over.
 */
#include "state.h"

/*
 * front, under the lock: gives the worker a request; the caller wakes the
 * worker after it has released the lock.
 */
void dxgpu_sched_request(struct dxgpu_worker *w, struct dxgpu_request *r)
{
    if (!r->queued) {
        r->queued = true;
        r->next = NULL;
        *w->requests_end = r;
        w->requests_end = &r->next;
    }
    atomic_store(&w->attention, true);
}

/*
 * front, under the lock: from now on no worker finds an older translation, and
 * when each has been between two turns none is in use any more.
 */
void dxgpu_sched_invalidate(struct dxgpu_core *core, struct dxgpu_space *space,
                            uint64_t fence)
{
    uint32_t i;

    space->fence = fence;
    space->unserved = (1u << core->config.workers) - 1;
    atomic_store(&space->tag, dxgpu_core_new_tag(core));
    for (i = 0; i < core->config.workers; i++) {
        dxgpu_sched_request(&core->workers[i], &space->invalidate[i]);
    }
}

/* Under the lock: to the end of the node's run list, if not on it. */
void dxgpu_sched_push(struct dxgpu_core *core, struct dxgpu_queue *q)
{
    struct dxgpu_node *node = &core->nodes[q->context->node];

    if (!q->on_runlist && node->holder != q) {
        q->on_runlist = true;
        q->next = NULL;
        q->prev = node->tail;
        if (node->tail) {
            node->tail->next = q;
        } else {
            node->head = q;
        }
        node->tail = q;
        node->runnable++;
        dxgpu_status_queue_state(core, q, DXGPU_QUEUE_READY);
        dxgpu_status_node(core, q->context->node, node->holder ?
                          node->holder->id : DXGPU_NO_QUEUE);
    }
}

static void unlink_queue(struct dxgpu_node *node, struct dxgpu_queue *q)
{
    if (q->prev) {
        q->prev->next = q->next;
    } else {
        node->head = q->next;
    }
    if (q->next) {
        q->next->prev = q->prev;
    } else {
        node->tail = q->prev;
    }
    q->on_runlist = false;
}

/* Under the lock: what has passed of the delay that holds the node. */
uint64_t dxgpu_sched_held_ns(struct dxgpu_core *core, uint32_t node)
{
    struct dxgpu_node *n = &core->nodes[node];
    uint64_t ns;

    if (!n->holder || n->holder->hung) {
        return 0;
    }
    ns = core->ops.clock_ns(core->opaque) - n->held_since;
    return ns < n->holder->op.value ? ns : n->holder->op.value;
}

/* Under the lock: the holder goes off its node, with the rest of its delay. */
static void end_hold(struct dxgpu_core *core, uint32_t node)
{
    struct dxgpu_node *n = &core->nodes[node];
    uint64_t ns = dxgpu_sched_held_ns(core, node);

    n->holder->op.value -= ns;
    n->holder = NULL;
    n->busy_ns += ns;
}

/* Under the lock: off the run list or the node, if on it. */
void dxgpu_sched_remove(struct dxgpu_core *core, struct dxgpu_queue *q)
{
    struct dxgpu_node *node = &core->nodes[q->context->node];

    if (node->holder == q) {
        end_hold(core, q->context->node);
        node->runnable--;
        dxgpu_status_node(core, q->context->node, DXGPU_NO_QUEUE);
    } else if (q->on_runlist) {
        unlink_queue(node, q);
        node->runnable--;
        dxgpu_status_node(core, q->context->node, node->holder ?
                          node->holder->id : DXGPU_NO_QUEUE);
    }
}

/* worker, under the lock: the fence of the request has been written. */
void dxgpu_sched_acknowledge(struct dxgpu_core *core, struct dxgpu_request *r,
                             uint64_t fence, enum dxgpu_stat stat)
{
    dxgpu_core_count(core, stat, 1);
    dxgpu_trace(core, DXGPU_EVENT_ACK, r->id, r->kind, fence);
    r->fence_due = false;
}

/* The fence outlives its queue; the id is free when the fence is visible. */
static void serve_remove(struct dxgpu_core *core, struct dxgpu_request *r)
{
    struct dxgpu_queue *q = &core->queues[r->id];

    dxgpu_sched_remove(core, q);
    if (q->context_prev) {
        q->context_prev->context_next = q->context_next;
    } else {
        q->context->queues = q->context_next;
    }
    if (q->context_next) {
        q->context_next->context_prev = q->context_prev;
    }
    dxgpu_queue_forget_pending(core, q);
    q->present = false;
    q->removing = false;
    dxgpu_core_count(core, DXGPU_STAT_QUEUES, -1ull);
    dxgpu_status_queue_removed(core, q->id, r->fence);
    dxgpu_sched_acknowledge(core, r, r->fence, DXGPU_STAT_REMOVES);
}

/* Under the lock: the state to report of a queue that is not in a turn. */
static uint32_t resting_state(struct dxgpu_core *core, struct dxgpu_queue *q)
{
    if (q->context->suspend_wanted) {
        return DXGPU_QUEUE_SUSPENDED;
    }
    if (core->nodes[q->context->node].holder == q) {
        return DXGPU_QUEUE_RUNNING;
    }
    return q->on_runlist ? DXGPU_QUEUE_READY : DXGPU_QUEUE_IDLE;
}

/*
 * Suspend and resume share one request, as only the last word counts: a resume
 * that comes before its suspend was served cancels it, and the suspend's fence
 * is still acknowledged, with suspended = 0. Every resume samples.
 */
static void serve_suspend(struct dxgpu_core *core, struct dxgpu_request *r)
{
    struct dxgpu_context *context = &core->contexts[r->id];
    struct dxgpu_queue *q;

    if (context->present) {
        for (q = context->queues; q; q = q->context_next) {
            if (context->suspend_wanted) {
                dxgpu_sched_remove(core, q);
            } else {
                dxgpu_queue_mark_pending(core, q->id);
            }
            if (!q->faulted) {
                dxgpu_status_queue_state(core, q, resting_state(core, q));
            }
        }
        context->suspended = context->suspend_wanted;
        dxgpu_status_context(core, r->id, context->suspended);
    }
    if (r->fence_due) {
        dxgpu_status_context_fence(core, r->id, r->fence);
        dxgpu_sched_acknowledge(core, r, r->fence, DXGPU_STAT_SUSPENDS);
    }
}

/*
 * The last worker acknowledges; true then. A space that is gone, or another
 * under its id, is as good.
 */
static bool serve_invalidate(struct dxgpu_core *core, struct dxgpu_worker *w,
                             struct dxgpu_request *r)
{
    struct dxgpu_space *space = &core->spaces[r->id];

    space->unserved &= ~(1u << w->index);
    if (space->unserved) {
        return false;
    }
    dxgpu_status_space_fence(core, r->id, space->fence);
    dxgpu_sched_acknowledge(core, r, space->fence, DXGPU_STAT_INVALIDATES);
    return true;
}

/*
 * Under the lock: the worker that a request should have gone to, if it is not
 * this one: its context was made anew, on another node, before it was served.
 */
static struct dxgpu_worker *misdirected(struct dxgpu_core *core,
                                        struct dxgpu_worker *w,
                                        const struct dxgpu_request *r)
{
    const struct dxgpu_context *context;
    struct dxgpu_worker *right;

    if (r->kind != DXGPU_CMD_CONTEXT_SUSPEND) {
        return NULL;
    }
    context = &core->contexts[r->id];
    if (!context->present) {
        return NULL;
    }
    right = dxgpu_worker_of(core, context->node);
    return right == w ? NULL : right;
}

/*
 * Serves the oldest request, or holds it back; returns false if there was none.
 */
static bool serve_request(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    struct dxgpu_worker *other = NULL;
    struct dxgpu_request *r;
    bool acknowledged = false, faulted = false, resumed = false;

    pthread_mutex_lock(&core->lock);
    r = w->requests;
    if (r) {
        w->requests = r->next;
        if (!w->requests) {
            w->requests_end = &w->requests;
        }
        r->queued = false;
        other = misdirected(core, w, r);
    }
    if (other) {
        dxgpu_sched_request(other, r);
    } else if (r && !dxgpu_engine_holds(core, w, r)) {
        acknowledged = r->fence_due;
        switch (r->kind) {
        case DXGPU_CMD_QUEUE_REMOVE:
            serve_remove(core, r);
            break;
        case DXGPU_CMD_CONTEXT_SUSPEND:
            serve_suspend(core, r);
            break;
        case DXGPU_CMD_ENGINE_RESET:
            faulted = dxgpu_engine_reset(core, r);
            break;
        case DXGPU_CMD_ENGINE_RESUME:
            resumed = true;
            break;
        default:
            acknowledged = serve_invalidate(core, w, r);
            break;
        }
    }
    pthread_mutex_unlock(&core->lock);

    if (other) {
        dxgpu_core_wake(core, other);
    }
    if (resumed) {
        dxgpu_queue_mark_node(core, r->id);
    }
    if (faulted) {
        dxgpu_core_post(core, DXGPU_INT_FAULT);
    }
    if (acknowledged) {
        dxgpu_core_post(core, DXGPU_INT_ACK);
    }
    return r;
}

/*
 * As many as there can be objects at most, so that a front that goes on asking
 * does not keep the queues from running. The lock is given back after each.
 */
static void serve_requests(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    const struct dxgpu_core_config *c = &core->config;
    uint32_t left = c->queues + c->contexts + c->spaces + 2 * c->nodes;

    while (left-- && serve_request(core, w)) {
        continue;
    }
}

/* Under the lock: the next queue that may run, off its list; NULL if none. */
static struct dxgpu_queue *pick(struct dxgpu_core *core,
                                struct dxgpu_worker *w)
{
    struct dxgpu_queue *q;
    struct dxgpu_node *node;
    uint32_t i, index;

    for (i = 0; i < core->config.nodes; i++) {
        index = w->node_cursor;
        node = &core->nodes[index];
        w->node_cursor = (w->node_cursor + 1) % core->config.nodes;
        if (dxgpu_worker_of(core, index) != w || node->halted) {
            continue;
        }
        q = node->holder;
        if (q) {
            if (q->hung || dxgpu_sched_held_ns(core, index) < q->op.value) {
                continue;
            }
            end_hold(core, index);
            return q;
        }
        while ((q = node->head)) {
            if (!q->removing && !q->context->suspend_wanted) {
                unlink_queue(node, q);
                return q;
            }
            /* The request that waits for it sets its state. */
            dxgpu_sched_remove(core, q);
        }
    }
    return NULL;
}

/* Under the lock: the queue's delay begins, or goes on; or it hangs. */
void dxgpu_sched_hold(struct dxgpu_core *core, struct dxgpu_queue *q)
{
    struct dxgpu_node *node = &core->nodes[q->context->node];

    node->holder = q;
    node->held_since = core->ops.clock_ns(core->opaque);
    node->runnable++;
}

/* Asks to be woken when the first delay is over. */
static void wake_for_delays(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    uint64_t end, first = UINT64_MAX;
    uint32_t i;

    pthread_mutex_lock(&core->lock);
    for (i = 0; i < core->config.nodes; i++) {
        struct dxgpu_node *node = &core->nodes[i];

        if (node->holder && !node->holder->hung &&
            dxgpu_worker_of(core, i) == w) {
            end = node->held_since + node->holder->op.value;
            first = end < first ? end : first;
        }
    }
    pthread_mutex_unlock(&core->lock);
    if (first != UINT64_MAX) {
        core->ops.wake_at(core->opaque, w->index, first);
    }
}

/* One turn of one queue. Returns true if any queue can still run. */
static bool run_queue(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    struct dxgpu_fault fault = { 0 };
    struct dxgpu_queue *q;
    uint32_t node, i;
    uint64_t start;
    bool ok, held = false, more = false;

    pthread_mutex_lock(&core->lock);
    q = pick(core, w);
    if (!q) {
        pthread_mutex_unlock(&core->lock);
        return false;
    }
    node = q->context->node;
    dxgpu_status_queue_state(core, q, DXGPU_QUEUE_RUNNING);
    dxgpu_status_node(core, node, q->id);
    pthread_mutex_unlock(&core->lock);

    start = core->ops.clock_ns(core->opaque);
    ok = dxgpu_exec_turn(core, q, &fault);
    if (!ok) {
        dxgpu_queue_fault(core, q, &fault);
    }

    pthread_mutex_lock(&core->lock);
    core->nodes[node].busy_ns += core->ops.clock_ns(core->opaque) - start;
    core->nodes[node].runnable--;
    if (ok && (q->hung || dxgpu_in_delay(q))) {
        dxgpu_sched_hold(core, q);
        held = true;
    } else if (ok && q->wp != q->rp) {
        dxgpu_sched_push(core, q);
    } else if (ok) {
        /* One look more before the queue is left alone (ORD-29). */
        dxgpu_status_queue_state(core, q, DXGPU_QUEUE_IDLE);
        dxgpu_queue_mark_pending(core, q->id);
    }
    dxgpu_status_node(core, node, held ? q->id : DXGPU_NO_QUEUE);
    for (i = 0; i < core->config.nodes; i++) {
        more |= core->nodes[i].head && !core->nodes[i].holder &&
                !core->nodes[i].halted && dxgpu_worker_of(core, i) == w;
    }
    pthread_mutex_unlock(&core->lock);
    if (held && q->hung) {
        dxgpu_core_count(core, DXGPU_STAT_HANGS, 1);
        dxgpu_trace(core, DXGPU_EVENT_HANG, q->id, q->entry.fence_value, node);
    }
    return more;
}

static bool has_work(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    return atomic_load(&w->attention) || dxgpu_queue_any_pending(core, w);
}

bool dxgpu_core_run(struct dxgpu_core *core, uint32_t worker)
{
    struct dxgpu_worker *w = &core->workers[worker];
    bool more;

    atomic_store(&w->attention, false);
    if (atomic_load(&core->reset_requested) && dxgpu_core_arrive(core, w)) {
        return false;
    }
    if (atomic_exchange(&w->reconsider, false)) {
        dxgpu_engine_reconsider(core, w);
    }
    serve_requests(core, w);
    more = dxgpu_queue_sample_pending(core, w);
    more |= run_queue(core, w);
    if (more || has_work(core, w)) {
        return true;
    }

    /* See dxgpu_core_wake(): clear, then look once more. */
    atomic_store(&w->awake, false);
    if (has_work(core, w)) {
        atomic_store(&w->awake, true);
        return true;
    }
    wake_for_delays(core, w);
    return false;
}
