/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: a queue's ring: pending bits, samples of WP, entries, faults.
 *
 * A doorbell is a hint (DEV-1): it sets the pending bit of the queue that is
 * bound to the slot, and nothing else. Bits belong to queues, not to slots, so
 * unbinding a slot loses nothing and waits for nothing (DEV-4), and rings that
 * come faster than they are served fold into one sample (DEV-9, SEC-7). For
 * each bit the worker samples: it reads WP from ring control, once, as one
 * aligned 64-bit word, and makes the queue runnable if WP is not the private RP
 * (DEV-2, ORD-10). RP in ring control is output (SEC-5).
 *
 * RingNeeded is stored as 1 before WP is read, with a full barrier between: a
 * process that finds 0 there and does not ring is then seen by this sample
 * (ORD-29). The device never stores 0 as it never polls; and when it has done
 * all it knows of, it samples once more before it leaves the queue alone.
 *
 * A queue of a suspended context is not sampled, as the device must not touch
 * the context's memory; the resume samples it. Nor is one that hangs.
 */
#include "state.h"

void dxgpu_queue_mark_pending(struct dxgpu_core *core, uint32_t id)
{
    struct dxgpu_worker *w = dxgpu_queue_worker(core, &core->queues[id]);
    uint32_t word = id / 64;

    /* Bit before summary; the worker takes them in the other order. */
    atomic_fetch_or(&w->pending[word], 1ull << id % 64);
    atomic_fetch_or(&w->pending_words[word / 64], 1ull << word % 64);
}

/* Under the lock: every queue is to be sampled (DEV-14). */
void dxgpu_queue_mark_all(struct dxgpu_core *core)
{
    uint32_t i;

    for (i = 0; i < core->config.queues; i++) {
        if (core->queues[i].present) {
            dxgpu_queue_mark_pending(core, i);
        }
    }
}

/*
 * The queue's worker, under the lock, with no bits taken: the queue goes, and
 * what was to be sampled with it, or who gets its id next would be sampled
 * unasked (KMT-CD-5). It is unbound and takes no kick, so nobody sets the bit
 * again but a ring that found it bound and is late: that is at most one sample
 * of the next one (DEV-5).
 */
void dxgpu_queue_forget_pending(struct dxgpu_core *core, struct dxgpu_queue *q)
{
    struct dxgpu_worker *w = dxgpu_queue_worker(core, q);

    atomic_fetch_and(&w->pending[q->id / 64], ~(1ull << q->id % 64));
}

static bool is_of_node(struct dxgpu_queue *q, uint32_t node)
{
    return q->context->node == node;
}

/* A ring was counted after the last sample. For the worker with this index. */
static bool is_rung(struct dxgpu_queue *q, uint32_t worker)
{
    return atomic_load(&q->worker) == worker &&
           atomic_load(&q->rings) != q->rings_seen;
}

/* Without the lock, which is given back now and then, for there may be many. */
static void mark_those(struct dxgpu_core *core,
                       bool (*is_one)(struct dxgpu_queue *q, uint32_t arg),
                       uint32_t arg)
{
    const uint32_t stretch = 256;
    uint32_t i;

    pthread_mutex_lock(&core->lock);
    for (i = 0; i < core->config.queues; i++) {
        if (core->queues[i].present && is_one(&core->queues[i], arg)) {
            dxgpu_queue_mark_pending(core, i);
        }
        if (i % stretch == stretch - 1) {
            pthread_mutex_unlock(&core->lock);
            pthread_mutex_lock(&core->lock);
        }
    }
    pthread_mutex_unlock(&core->lock);
}

/* worker, without the lock: every queue of the node is to be sampled. */
void dxgpu_queue_mark_node(struct dxgpu_core *core, uint32_t node)
{
    mark_those(core, is_of_node, node);
}

/*
 * worker, without the lock, when rings are no longer held back: those that were
 * arrive. A ring is counted and then looks whether it is held back; this looks
 * the other way round, so no ring falls between.
 */
void dxgpu_queue_mark_rung(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    mark_those(core, is_rung, w->index);
}

bool dxgpu_queue_any_pending(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    uint32_t i;

    for (i = 0; i < core->num_summaries; i++) {
        if (atomic_load(&w->pending_words[i])) {
            return true;
        }
    }
    return false;
}

/* True if a ring and its control may lie there. Pure. */
bool dxgpu_queue_geometry_ok(const struct dxgpu_core_config *config,
                             uint64_t ring, uint64_t entries,
                             uint64_t control)
{
    return entries >= DXGPU_CORE_RING_MIN_ENTRIES &&
           entries <= config->ring_max_entries &&
           (entries & (entries - 1)) == 0 &&
           ring % DXGPU_RING_ALIGN == 0 &&
           dxgpu_gpuva_ok(ring, entries * sizeof(struct dxgpu_ring_entry)) &&
           control % DXGPU_RING_CONTROL_ALIGN == 0 &&
           dxgpu_gpuva_ok(control, sizeof(struct dxgpu_ring_control));
}

/* The queue, which is filled in, begins to exist. Under the lock. */
void dxgpu_queue_link(struct dxgpu_core *core, struct dxgpu_queue *q)
{
    struct dxgpu_context *context = q->context;

    q->context_prev = NULL;
    q->context_next = context->queues;
    if (context->queues) {
        context->queues->context_prev = q;
    }
    context->queues = q;
    q->present = true;
    dxgpu_core_count(core, DXGPU_STAT_QUEUES, 1);
}

/* worker: stops this queue alone; the caller posts DXGPU_INT_FAULT. */
void dxgpu_queue_stop(struct dxgpu_core *core, struct dxgpu_queue *q,
                      const struct dxgpu_fault *fault)
{
    q->faulted = true;
    dxgpu_core_count(core, DXGPU_STAT_FAULTS, 1);
    dxgpu_status_queue_fault(core, q, fault);
    dxgpu_trace(core, DXGPU_EVENT_FAULT, q->id, fault->code, fault->gpuva);
}

/* The same, without the lock, and the interrupt (FH-13, FH-14, FH-16). */
void dxgpu_queue_fault(struct dxgpu_core *core, struct dxgpu_queue *q,
                       const struct dxgpu_fault *fault)
{
    dxgpu_queue_stop(core, q, fault);
    dxgpu_core_post(core, DXGPU_INT_FAULT);
}

/* Reads WP; fails if ring control is not accessible or WP is impossible. */
static bool read_wp(struct dxgpu_core *core, struct dxgpu_queue *q,
                    struct dxgpu_fault *fault)
{
    uint64_t wp;

    if (!dxgpu_mem_store_u64(core, q, q->control +
                             offsetof(struct dxgpu_ring_control, ring_needed),
                             1, fault)) {
        return false;
    }
    atomic_thread_fence(memory_order_seq_cst);
    if (!dxgpu_mem_load_u64(core, q, q->control +
                            offsetof(struct dxgpu_ring_control, wp), &wp,
                            fault)) {
        return false;
    }
    q->samples++;
    dxgpu_core_count(core, DXGPU_STAT_SAMPLES, 1);
    dxgpu_trace(core, DXGPU_EVENT_SAMPLE, q->id, wp, q->rp);

    /* An entry in execution cannot be taken back either. */
    if (wp - q->rp > q->entries || (q->active && wp == q->rp)) {
        fault->code = DXGPU_FAULT_WP;
        return false;
    }
    q->wp = wp;
    return true;
}

/* Serves a pending bit. */
static void sample(struct dxgpu_core *core, struct dxgpu_worker *w,
                   uint32_t id)
{
    struct dxgpu_queue *q = &core->queues[id];
    struct dxgpu_fault fault = { 0 };
    uint64_t old_wp, rings;
    bool stopped, rung;

    pthread_mutex_lock(&core->lock);
    /* A bit may be left of a queue that was another worker's. */
    if (!q->present || q->removing || dxgpu_queue_worker(core, q) != w) {
        pthread_mutex_unlock(&core->lock);
        return;
    }
    stopped = q->faulted || q->hung || q->context->suspend_wanted ||
              q->context->suspended;
    pthread_mutex_unlock(&core->lock);

    rings = atomic_load_explicit(&q->rings, memory_order_relaxed);
    rung = rings != q->rings_seen;
    q->rings_seen = rings;
    old_wp = q->wp;

    if (!stopped && !read_wp(core, q, &fault)) {
        pthread_mutex_lock(&core->lock);
        dxgpu_sched_remove(core, q);
        pthread_mutex_unlock(&core->lock);
        dxgpu_queue_fault(core, q, &fault);
        stopped = true;
    }
    if (!stopped && rung && !core->config.global_doorbells &&
        atomic_load_explicit(&q->ring_value, memory_order_relaxed) !=
        (uint32_t)q->wp) {
        dxgpu_core_count(core, DXGPU_STAT_DOORBELL_MISMATCHES, 1);
    }
    dxgpu_status_queue_sample(core, q, rung || q->wp != old_wp);
    if (stopped) {
        return;
    }

    pthread_mutex_lock(&core->lock);
    if (q->wp != q->rp) {
        dxgpu_sched_push(core, q);
    } else {
        dxgpu_sched_remove(core, q);
        dxgpu_status_queue_state(core, q, DXGPU_QUEUE_IDLE);
    }
    pthread_mutex_unlock(&core->lock);
}

/* Gives back what was taken of a summary and of one of its words. */
static void restore(struct dxgpu_worker *w, uint32_t summary, uint64_t words,
                    uint32_t word, uint64_t bits)
{
    if (bits) {
        atomic_fetch_or(&w->pending[word], bits);
        words |= 1ull << word % 64;
    }
    if (words) {
        atomic_fetch_or(&w->pending_words[summary], words);
    }
}

/*
 * worker: samples pending queues, at most packet_budget of them and not past
 * an attention, but always one. Returns true if some may be left. The summary
 * to begin with rotates, so a storm on low ids does not starve high ones.
 */
bool dxgpu_queue_sample_pending(struct dxgpu_core *core,
                                struct dxgpu_worker *w)
{
    uint32_t budget = core->config.packet_budget;
    uint32_t left = budget;
    uint32_t i, summary, word;
    uint64_t words, bits;

    for (i = 0; i < core->num_summaries; i++) {
        summary = (w->sample_cursor + i) % core->num_summaries;
        words = atomic_exchange(&w->pending_words[summary], 0);
        while (words) {
            word = summary * 64 + __builtin_ctzll(words);
            words &= words - 1;
            bits = atomic_exchange(&w->pending[word], 0);
            while (bits) {
                if (!left || (left < budget && dxgpu_attention(w))) {
                    restore(w, summary, words, word, bits);
                    w->sample_cursor = summary + 1;
                    return true;
                }
                sample(core, w, word * 64 + __builtin_ctzll(bits));
                bits &= bits - 1;
                left--;
            }
        }
    }
    return false;
}

/* DXGPU_FAULT_NONE, ENTRY, or ADDRESS with *gpuva. Pure. */
uint32_t dxgpu_entry_check(const struct dxgpu_ring_entry *e, uint64_t *gpuva)
{
    *gpuva = 0;
    if (e->command_gpuva % 8 || e->command_bytes % 8 ||
        e->command_bytes == 0 ||
        e->command_bytes > DXGPU_CORE_MAX_COMMAND_BYTES ||
        e->flags || e->reserved) {
        return DXGPU_FAULT_ENTRY;
    }
    if (!dxgpu_gpuva_ok(e->command_gpuva, e->command_bytes)) {
        *gpuva = e->command_gpuva;
        return DXGPU_FAULT_ADDRESS;
    }
    return DXGPU_FAULT_NONE;
}

/* worker: the entry at RP becomes the private q->entry. */
bool dxgpu_queue_fetch(struct dxgpu_core *core, struct dxgpu_queue *q,
                       struct dxgpu_fault *fault)
{
    struct dxgpu_ring_entry *e = &q->entry;
    uint64_t gpuva = q->ring + (q->rp & (q->entries - 1)) * sizeof(*e);

    if (dxgpu_engine_faults(core)) {
        fault->code = DXGPU_FAULT_UNMAPPED;
        fault->access = DXGPU_ACCESS_READ;
        fault->gpuva = gpuva;
        return false;
    }
    if (!dxgpu_mem_read(core, q, gpuva, e, sizeof(*e), fault)) {
        return false;
    }
    e->command_gpuva = dxgpu_le64(e->command_gpuva);
    e->command_bytes = dxgpu_le32(e->command_bytes);
    e->fence_value = dxgpu_le64(e->fence_value);
    q->active = true;
    q->op_valid = false;
    q->depth = 0;
    q->frames[0].gpuva = e->command_gpuva;
    q->frames[0].bytes = e->command_bytes;
    q->frames[0].offset = 0;

    fault->code = dxgpu_entry_check(e, &fault->gpuva);
    if (fault->code) {
        return false;
    }
    dxgpu_trace(core, DXGPU_EVENT_ENTRY_START, q->id, q->rp,
                e->command_gpuva);
    return true;
}

/* worker: the entry is executed; RP goes to ring control and status. */
bool dxgpu_queue_complete(struct dxgpu_core *core, struct dxgpu_queue *q,
                          struct dxgpu_fault *fault)
{
    if (!dxgpu_mem_store_u64(core, q, q->control +
                             offsetof(struct dxgpu_ring_control, rp),
                             q->rp + 1, fault)) {
        return false;
    }
    q->active = false;
    q->rp++;
    q->completed++;
    dxgpu_core_count(core, DXGPU_STAT_ENTRIES_COMPLETED, 1);
    dxgpu_status_queue_progress(core, q);
    dxgpu_trace(core, DXGPU_EVENT_ENTRY_DONE, q->id, q->rp, 0);
    return true;
}
