/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: creation, device state, interrupt causes, reset.
 *
 * The state machine: DISABLED -> (ENABLE) -> ENABLED -> (RESET) -> RESETTING
 * -> DISABLED; RESET is also taken in DISABLED. A reset by register is carried
 * out by the workers between two steps, so the register write never waits and
 * no DMA is in flight when it is done (DEV-12). A reset of the system does the
 * same with the worker parked, and clears the registers too.
 */
#include <stdlib.h>
#include <string.h>

#include "state.h"

/*
 * The worker sleeps only after it has cleared awake and then found nothing to
 * do, so whoever makes work first and then finds awake set need not kick.
 */
void dxgpu_core_wake(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    if (!atomic_exchange(&w->awake, true)) {
        core->ops.kick(core->opaque, w->index);
    }
}

/* Those that have something to do. */
void dxgpu_core_wake_all(struct dxgpu_core *core)
{
    struct dxgpu_worker *w;
    uint32_t i;

    for (i = 0; i < core->config.workers; i++) {
        w = &core->workers[i];
        if (atomic_load(&w->attention) || dxgpu_queue_any_pending(core, w)) {
            dxgpu_core_wake(core, w);
        }
    }
}

void dxgpu_core_yield(struct dxgpu_core *core)
{
    uint32_t i;

    for (i = 0; i < core->config.workers; i++) {
        atomic_store(&core->workers[i].attention, true);
    }
}

uint64_t dxgpu_core_new_tag(struct dxgpu_core *core)
{
    return atomic_fetch_add_explicit(&core->next_tag, 1,
                                     memory_order_relaxed);
}

static bool in_range(uint32_t value, uint32_t max)
{
    return value >= 1 && value <= max;
}

static bool config_ok(const struct dxgpu_core_config *c)
{
    return in_range(c->slots, DXGPU_CORE_LIMIT_SLOTS) &&
           in_range(c->queues, DXGPU_CORE_LIMIT_QUEUES) &&
           in_range(c->contexts, DXGPU_CORE_LIMIT_CONTEXTS) &&
           in_range(c->spaces, DXGPU_CORE_LIMIT_SPACES) &&
           in_range(c->packet_budget, DXGPU_CORE_LIMIT_BUDGET) &&
           in_range(c->workers, DXGPU_CORE_LIMIT_WORKERS) &&
           in_range(c->nodes, DXGPU_MAX_NODES) &&
           !(c->kernel_nodes >> c->nodes) && dxgpu_doorbell_layout_ok(c) &&
           c->ring_max_entries >= DXGPU_CORE_RING_MIN_ENTRIES &&
           c->ring_max_entries <= DXGPU_CORE_LIMIT_RING_ENTRIES &&
           (c->ring_max_entries & (c->ring_max_entries - 1)) == 0;
}

static void clear_worker(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    uint32_t i;

    for (i = 0; i < core->num_words; i++) {
        atomic_store(&w->pending[i], 0);
    }
    for (i = 0; i < core->num_summaries; i++) {
        atomic_store(&w->pending_words[i], 0);
    }
    w->arrived = false;
    w->requests = NULL;
    w->requests_end = &w->requests;
    w->held = NULL;
    memset(w->tlb, 0, sizeof(w->tlb));
}

/*
 * All objects gone. The lock is held and no worker runs: all have arrived at a
 * reset, or are parked. Requests that wait are dropped with their
 * fences: their objects are gone, and who waits sees the state of the device.
 */
void dxgpu_core_clear_objects(struct dxgpu_core *core)
{
    const struct dxgpu_core_config *c = &core->config;
    uint32_t i, j;

    dxgpu_doorbell_clear(core);
    for (i = 0; i < c->workers; i++) {
        clear_worker(core, &core->workers[i]);
    }
    for (i = 0; i < c->queues; i++) {
        struct dxgpu_queue *q = &core->queues[i];

        q->present = false;
        q->removing = false;
        q->on_runlist = false;
        q->hung = false;
        q->remove.queued = false;
        q->remove.fence_due = false;
        q->remove.forced = false;
    }
    for (i = 0; i < c->contexts; i++) {
        struct dxgpu_context *context = &core->contexts[i];

        context->present = false;
        context->suspend_wanted = false;
        context->suspended = false;
        context->queues = NULL;
        context->suspend.queued = false;
        context->suspend.fence_due = false;
        context->suspend.forced = false;
    }
    for (i = 0; i < c->spaces; i++) {
        struct dxgpu_space *space = &core->spaces[i];

        space->present = false;
        space->contexts = 0;
        space->unserved = 0;
        for (j = 0; j < c->workers; j++) {
            space->invalidate[j].queued = false;
        }
    }
    dxgpu_engine_clear(core);
    for (i = DXGPU_STAT_NUMBERS; i < DXGPU_STAT_COUNT; i++) {
        atomic_store(&core->stats[i], 0);
    }
}

static void clear_tables(struct dxgpu_core *core)
{
    pthread_mutex_lock(&core->lock);
    dxgpu_core_clear_objects(core);
    dxgpu_status_clear(core);
    pthread_mutex_unlock(&core->lock);
}

static bool init_workers(struct dxgpu_core *core)
{
    struct dxgpu_worker *w;
    uint32_t i;

    for (i = 0; i < core->config.workers; i++) {
        w = &core->workers[i];
        w->index = i;
        w->pending = calloc(core->num_words, sizeof(*w->pending));
        w->pending_words = calloc(core->num_summaries,
                                  sizeof(*w->pending_words));
        w->chunk = malloc(DXGPU_CHUNK_BYTES);
        if (!w->pending || !w->pending_words || !w->chunk) {
            return false;
        }
    }
    return true;
}

/* The core, wholly made or not, and what it has. */
static void free_arrays(struct dxgpu_core *core)
{
    uint32_t i;

    for (i = 0; i < core->config.workers; i++) {
        free(core->workers[i].pending);
        free(core->workers[i].pending_words);
        free(core->workers[i].chunk);
    }
    free(core->slots);
    free(core->spaces);
    free(core->contexts);
    free(core->queues);
    free(core);
}

struct dxgpu_core *dxgpu_core_create(const struct dxgpu_core_config *config,
                                     const struct dxgpu_core_ops *ops,
                                     void *opaque, void *status)
{
    struct dxgpu_core *core;
    uint32_t i, j;

    if (!config_ok(config)) {
        return NULL;
    }
    core = calloc(1, sizeof(*core));
    if (!core) {
        return NULL;
    }
    core->config = *config;
    core->ops = *ops;
    core->opaque = opaque;
    core->status = status;
    dxgpu_status_layout(config, &core->layout);
    dxgpu_doorbell_layout(config, &core->doorbells);
    core->num_words = (config->queues + 63) / 64;
    core->num_summaries = (core->num_words + 63) / 64;

    core->slots = calloc(config->slots, sizeof(*core->slots));
    core->spaces = calloc(config->spaces, sizeof(*core->spaces));
    core->contexts = calloc(config->contexts, sizeof(*core->contexts));
    core->queues = calloc(config->queues, sizeof(*core->queues));
    if (!core->slots || !core->spaces || !core->contexts || !core->queues ||
        !init_workers(core) || pthread_mutex_init(&core->lock, NULL)) {
        free_arrays(core);
        return NULL;
    }

    for (i = 0; i < config->queues; i++) {
        core->queues[i].id = i;
        core->queues[i].remove.id = i;
        core->queues[i].remove.kind = DXGPU_CMD_QUEUE_REMOVE;
    }
    for (i = 0; i < config->contexts; i++) {
        core->contexts[i].suspend.id = i;
        core->contexts[i].suspend.kind = DXGPU_CMD_CONTEXT_SUSPEND;
    }
    for (i = 0; i < config->spaces; i++) {
        for (j = 0; j < config->workers; j++) {
            core->spaces[i].invalidate[j].id = i;
            core->spaces[i].invalidate[j].kind = DXGPU_CMD_SPACE_INVALIDATE;
        }
    }
    atomic_store(&core->next_tag, 1);
    atomic_store(&core->state, DXGPU_STATUS_DISABLED);
    clear_tables(core);
    return core;
}

void dxgpu_core_destroy(struct dxgpu_core *core)
{
    if (!core) {
        return;
    }
    pthread_mutex_destroy(&core->lock);
    free_arrays(core);
}

uint32_t dxgpu_core_status(struct dxgpu_core *core)
{
    return atomic_load(&core->state);
}

/* RESET wins over ENABLE; bits that make no sense in a state are ignored. */
void dxgpu_core_control(struct dxgpu_core *core, uint32_t bits)
{
    uint32_t disabled = DXGPU_STATUS_DISABLED;
    uint32_t old;

    if (bits & DXGPU_CONTROL_RESET) {
        /* Under the lock, so that no command is half-way. */
        pthread_mutex_lock(&core->lock);
        old = atomic_exchange(&core->state, DXGPU_STATUS_RESETTING);
        pthread_mutex_unlock(&core->lock);
        if (old == DXGPU_STATUS_RESETTING) {
            return;
        }
        atomic_store(&core->reset_requested, true);
        dxgpu_core_yield(core);
        dxgpu_core_wake_all(core);
    } else if (bits & DXGPU_CONTROL_ENABLE) {
        atomic_compare_exchange_strong(&core->state, &disabled,
                                       DXGPU_STATUS_ENABLED);
    }
}

void dxgpu_core_set_asleep(struct dxgpu_core *core, bool asleep)
{
    atomic_store(&core->asleep, asleep);
    if (!asleep) {
        pthread_mutex_lock(&core->lock);
        dxgpu_queue_mark_all(core);
        pthread_mutex_unlock(&core->lock);
        dxgpu_core_wake_all(core);
    }
}

uint32_t dxgpu_core_reset_count(struct dxgpu_core *core)
{
    return atomic_load(&core->reset_count);
}

uint32_t dxgpu_core_int_cause(struct dxgpu_core *core)
{
    return atomic_load(&core->int_cause);
}

void dxgpu_core_int_clear(struct dxgpu_core *core, uint32_t bits)
{
    atomic_fetch_and(&core->int_cause, ~bits);
}

uint32_t dxgpu_core_int_enable(struct dxgpu_core *core)
{
    return atomic_load(&core->int_enable);
}

/*
 * A cause that waits while it is disabled fires when it is enabled, so a
 * driver that enables late misses nothing.
 */
void dxgpu_core_set_int_enable(struct dxgpu_core *core, uint32_t bits)
{
    uint32_t old;

    bits &= DXGPU_INT_ACK | DXGPU_INT_FAULT | DXGPU_INT_RESET_DONE;
    old = atomic_exchange(&core->int_enable, bits);
    if (bits & ~old & atomic_load(&core->int_cause)) {
        core->ops.raise_vector(core->opaque, DXGPU_VECTOR_EVENT);
    }
}

void dxgpu_core_post(struct dxgpu_core *core, uint32_t cause)
{
    uint32_t old = atomic_fetch_or(&core->int_cause, cause);

    if (!(old & cause) && (atomic_load(&core->int_enable) & cause)) {
        core->ops.raise_vector(core->opaque, DXGPU_VECTOR_EVENT);
    }
}

/*
 * worker: a reset was requested. Who arrives does nothing more until it is
 * done, which the last one does, as no other can be at DMA then (DEV-12); if
 * the reset is not to end, whoever is woken when it may.
 * Returns true if the worker is to sleep. INT_ENABLE stays, or RESET_DONE could
 * never be delivered; the other causes go with the objects they spoke of.
 */
bool dxgpu_core_arrive(struct dxgpu_core *core, struct dxgpu_worker *w)
{
    uint32_t i, count;
    bool rests;

    pthread_mutex_lock(&core->lock);
    if (!atomic_load(&core->reset_requested)) {
        pthread_mutex_unlock(&core->lock);
        return false;
    }
    w->arrived = true;
    rests = core->hold_reset;
    for (i = 0; i < core->config.workers; i++) {
        rests |= !core->workers[i].arrived;
    }
    if (rests) {
        /* Before others can finish: work that comes then has to kick. */
        atomic_store(&w->awake, false);
        pthread_mutex_unlock(&core->lock);
        return true;
    }
    dxgpu_core_clear_objects(core);
    dxgpu_status_clear(core);
    atomic_store(&core->reset_requested, false);
    pthread_mutex_unlock(&core->lock);

    dxgpu_core_count(core, DXGPU_STAT_RESETS, 1);
    atomic_store(&core->int_cause, 0);
    /* Who sees the count finds the state. */
    atomic_store(&core->state, DXGPU_STATUS_DISABLED);
    count = atomic_fetch_add(&core->reset_count, 1) + 1;
    dxgpu_trace(core, DXGPU_EVENT_RESET, 0, count, 0);
    dxgpu_core_post(core, DXGPU_INT_RESET_DONE);
    return false;
}

void dxgpu_core_cold_reset(struct dxgpu_core *core)
{
    clear_tables(core);
    atomic_store(&core->reset_requested, false);
    atomic_store(&core->asleep, false);
    atomic_store(&core->int_enable, 0);
    atomic_store(&core->int_cause, 0);
    atomic_store(&core->reset_count, 0);
    atomic_store(&core->state, DXGPU_STATUS_DISABLED);
}
