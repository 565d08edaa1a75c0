/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: the commands of the register window.
 *
 * Each command is checked completely before it changes anything, so an error
 * result means that nothing happened (SEC-22). Checks are made in the order:
 * opcode, state of the device, ids in range, other arguments, existence, use.
 * Commands take the core mutex, never wait, and never touch guest memory: what
 * needs the worker becomes a request that the worker acknowledges by fence.
 */
#include "state.h"

static enum dxgpu_cmd_result space_create(struct dxgpu_core *core,
                                          const uint64_t *args)
{
    struct dxgpu_space *space;

    if (args[0] >= core->config.spaces) {
        return DXGPU_CMD_ERR_ID;
    }
    if (args[1] & ~DXGPU_PTE_ADDR_MASK) {
        return DXGPU_CMD_ERR_ARGUMENT;
    }
    space = &core->spaces[args[0]];
    if (space->present) {
        return DXGPU_CMD_ERR_EXISTS;
    }
    space->present = true;
    space->contexts = 0;
    space->root = args[1];
    atomic_store(&space->tag, dxgpu_core_new_tag(core));
    dxgpu_core_count(core, DXGPU_STAT_SPACES, 1);
    return DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result space_destroy(struct dxgpu_core *core,
                                           const uint64_t *args)
{
    struct dxgpu_space *space;

    if (args[0] >= core->config.spaces) {
        return DXGPU_CMD_ERR_ID;
    }
    space = &core->spaces[args[0]];
    if (!space->present) {
        return DXGPU_CMD_ERR_NOT_FOUND;
    }
    if (space->contexts) {
        return DXGPU_CMD_ERR_BUSY;
    }
    space->present = false;
    dxgpu_core_count(core, DXGPU_STAT_SPACES, -1ull);
    return DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result space_invalidate(struct dxgpu_core *core,
                                              const uint64_t *args)
{
    struct dxgpu_space *space;

    if (args[0] >= core->config.spaces) {
        return DXGPU_CMD_ERR_ID;
    }
    if (!dxgpu_gpuva_ok(args[1], args[2])) {
        return DXGPU_CMD_ERR_ARGUMENT;
    }
    space = &core->spaces[args[0]];
    if (!space->present) {
        return DXGPU_CMD_ERR_NOT_FOUND;
    }
    dxgpu_sched_invalidate(core, space, args[3]);
    return DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result context_create(struct dxgpu_core *core,
                                            const uint64_t *args)
{
    struct dxgpu_context *context;
    struct dxgpu_space *space;

    if (args[0] >= core->config.contexts || args[1] >= core->config.spaces ||
        args[2] >= core->config.nodes) {
        return DXGPU_CMD_ERR_ID;
    }
    context = &core->contexts[args[0]];
    space = &core->spaces[args[1]];
    if (!space->present) {
        return DXGPU_CMD_ERR_NOT_FOUND;
    }
    if (context->present) {
        return DXGPU_CMD_ERR_EXISTS;
    }
    context->present = true;
    context->suspend_wanted = false;
    context->suspended = false;
    context->space = space;
    context->node = args[2];
    context->queues = NULL;
    space->contexts++;
    dxgpu_core_count(core, DXGPU_STAT_CONTEXTS, 1);
    return DXGPU_CMD_OK;
}

/* Also finds a context for the commands that concern an existing one. */
static enum dxgpu_cmd_result find_context(struct dxgpu_core *core, uint64_t id,
                                          struct dxgpu_context **context)
{
    if (id >= core->config.contexts) {
        return DXGPU_CMD_ERR_ID;
    }
    *context = &core->contexts[id];
    return (*context)->present ? DXGPU_CMD_OK : DXGPU_CMD_ERR_NOT_FOUND;
}

static enum dxgpu_cmd_result context_destroy(struct dxgpu_core *core,
                                             const uint64_t *args)
{
    struct dxgpu_context *context;
    enum dxgpu_cmd_result result = find_context(core, args[0], &context);

    if (result) {
        return result;
    }
    if (context->queues) {
        return DXGPU_CMD_ERR_BUSY;
    }
    context->present = false;
    context->suspend_wanted = false;
    context->suspended = false;
    context->space->contexts--;
    dxgpu_status_context(core, args[0], false);
    dxgpu_core_count(core, DXGPU_STAT_CONTEXTS, -1ull);
    return DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result context_suspend(struct dxgpu_core *core,
                                             const uint64_t *args)
{
    struct dxgpu_context *context;
    enum dxgpu_cmd_result result = find_context(core, args[0], &context);

    if (result) {
        return result;
    }
    context->suspend_wanted = true;
    context->suspend.fence = args[1];
    context->suspend.fence_due = true;
    dxgpu_sched_request(dxgpu_worker_of(core, context->node),
                        &context->suspend);
    return DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result context_resume(struct dxgpu_core *core,
                                            const uint64_t *args)
{
    struct dxgpu_context *context;
    enum dxgpu_cmd_result result = find_context(core, args[0], &context);

    if (result) {
        return result;
    }
    context->suspend_wanted = false;
    dxgpu_sched_request(dxgpu_worker_of(core, context->node),
                        &context->suspend);
    return DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result queue_create(struct dxgpu_core *core,
                                          const uint64_t *args)
{
    struct dxgpu_context *context;
    struct dxgpu_queue *q;
    enum dxgpu_cmd_result result;

    if (args[0] >= core->config.queues || args[1] >= core->config.contexts) {
        return DXGPU_CMD_ERR_ID;
    }
    if (!dxgpu_queue_geometry_ok(&core->config, args[2], args[3], args[4])) {
        return DXGPU_CMD_ERR_ARGUMENT;
    }
    result = find_context(core, args[1], &context);
    if (result) {
        return result;
    }
    q = &core->queues[args[0]];
    if (q->present) {
        return q->removing ? DXGPU_CMD_ERR_BUSY : DXGPU_CMD_ERR_EXISTS;
    }

    /* Latched here and never read from guest memory again (SEC-3). */
    q->context = context;
    atomic_store(&q->worker, dxgpu_worker_of(core, context->node)->index);
    q->ring = args[2];
    q->entries = args[3];
    q->control = args[4];
    q->wp = args[5];
    q->rp = args[5];
    q->samples = 0;
    q->completed = 0;
    q->active = false;
    q->op_valid = false;
    q->faulted = false;
    q->hung = false;
    q->rings_seen = 0;
    atomic_store(&q->rings, 0);
    dxgpu_queue_link(core, q);
    dxgpu_status_queue_new(core, q, context->suspend_wanted ?
                           DXGPU_QUEUE_SUSPENDED : DXGPU_QUEUE_IDLE);
    return DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result find_queue(struct dxgpu_core *core, uint64_t id,
                                        struct dxgpu_queue **q)
{
    if (id >= core->config.queues) {
        return DXGPU_CMD_ERR_ID;
    }
    *q = &core->queues[id];
    if (!(*q)->present) {
        return DXGPU_CMD_ERR_NOT_FOUND;
    }
    return (*q)->removing ? DXGPU_CMD_ERR_BUSY : DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result queue_remove(struct dxgpu_core *core,
                                          const uint64_t *args)
{
    struct dxgpu_queue *q;
    enum dxgpu_cmd_result result = find_queue(core, args[0], &q);

    if (result) {
        return result;
    }
    dxgpu_doorbell_unbind(core, q);
    q->removing = true;
    q->remove.fence = args[1];
    q->remove.fence_due = true;
    dxgpu_sched_request(dxgpu_queue_worker(core, q), &q->remove);
    return DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result queue_kick(struct dxgpu_core *core,
                                        const uint64_t *args)
{
    struct dxgpu_queue *q;
    enum dxgpu_cmd_result result = find_queue(core, args[0], &q);

    if (!result) {
        dxgpu_queue_mark_pending(core, q->id);
    }
    return result;
}

static enum dxgpu_cmd_result doorbell_bind(struct dxgpu_core *core,
                                           const uint64_t *args)
{
    struct dxgpu_queue *q;
    enum dxgpu_cmd_result result;

    if (args[0] >= core->doorbells.count) {
        return DXGPU_CMD_ERR_ID;
    }
    result = find_queue(core, args[1], &q);
    if (result) {
        return result;
    }
    if (core->config.kernel_nodes >> q->context->node & 1) {
        return DXGPU_CMD_ERR_ARGUMENT;
    }
    result = dxgpu_doorbell_bind(core, q, args[0]);
    if (!result) {
        dxgpu_queue_mark_pending(core, q->id);
        dxgpu_core_count(core, DXGPU_STAT_BINDS, 1);
    }
    return result;
}

static enum dxgpu_cmd_result doorbell_unbind(struct dxgpu_core *core,
                                             const uint64_t *args)
{
    uint32_t id;

    if (args[0] >= core->doorbells.count ||
        (core->config.global_doorbells && args[1] >= core->config.queues)) {
        return DXGPU_CMD_ERR_ID;
    }
    id = dxgpu_doorbell_bound(core, args[0], args[1]);
    if (id == DXGPU_NONE) {
        return DXGPU_CMD_ERR_NOT_FOUND;
    }
    dxgpu_doorbell_unbind(core, &core->queues[id]);
    dxgpu_queue_mark_pending(core, id);
    return DXGPU_CMD_OK;
}

static enum dxgpu_cmd_result engine_reset(struct dxgpu_core *core,
                                          const uint64_t *args)
{
    struct dxgpu_node *node;

    if (args[0] >= core->config.nodes) {
        return DXGPU_CMD_ERR_ID;
    }
    if (core->engine_reset == DXGPU_INJECT_RESET_REFUSE) {
        return DXGPU_CMD_ERR_HARDWARE;
    }
    node = &core->nodes[args[0]];
    node->reset.fence = args[1];
    node->reset.fence_due = true;
    dxgpu_sched_request(dxgpu_worker_of(core, args[0]), &node->reset);
    return DXGPU_CMD_OK;
}

/* The worker marks the queues, as there may be many of them. */
static enum dxgpu_cmd_result engine_resume(struct dxgpu_core *core,
                                           const uint64_t *args)
{
    struct dxgpu_node *node;

    if (args[0] >= core->config.nodes) {
        return DXGPU_CMD_ERR_ID;
    }
    node = &core->nodes[args[0]];
    if (node->reset.queued) {
        return DXGPU_CMD_ERR_BUSY;
    }
    node->halted = false;
    dxgpu_sched_request(dxgpu_worker_of(core, args[0]), &node->resume);
    return DXGPU_CMD_OK;
}

static const struct {
    uint32_t opcode;
    enum dxgpu_cmd_result (*run)(struct dxgpu_core *core,
                                 const uint64_t *args);
} commands[] = {
    { DXGPU_CMD_SPACE_CREATE, space_create },
    { DXGPU_CMD_SPACE_DESTROY, space_destroy },
    { DXGPU_CMD_SPACE_INVALIDATE, space_invalidate },
    { DXGPU_CMD_CONTEXT_CREATE, context_create },
    { DXGPU_CMD_CONTEXT_DESTROY, context_destroy },
    { DXGPU_CMD_CONTEXT_SUSPEND, context_suspend },
    { DXGPU_CMD_CONTEXT_RESUME, context_resume },
    { DXGPU_CMD_QUEUE_CREATE, queue_create },
    { DXGPU_CMD_QUEUE_REMOVE, queue_remove },
    { DXGPU_CMD_QUEUE_KICK, queue_kick },
    { DXGPU_CMD_DOORBELL_BIND, doorbell_bind },
    { DXGPU_CMD_DOORBELL_UNBIND, doorbell_unbind },
    { DXGPU_CMD_ENGINE_RESET, engine_reset },
    { DXGPU_CMD_ENGINE_RESUME, engine_resume },
};

enum dxgpu_cmd_result
dxgpu_core_command(struct dxgpu_core *core, uint32_t opcode,
                   const uint64_t args[DXGPU_CMD_NUM_ARGS])
{
    enum dxgpu_cmd_result result = DXGPU_CMD_ERR_OPCODE;
    size_t i;

    for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].opcode != opcode) {
            continue;
        }
        /* The state is checked under the lock, which a reset takes too. */
        pthread_mutex_lock(&core->lock);
        result = atomic_load(&core->state) == DXGPU_STATUS_ENABLED
                 ? commands[i].run(core, args) : DXGPU_CMD_ERR_STATE;
        pthread_mutex_unlock(&core->lock);
    }
    dxgpu_core_count(core, DXGPU_STAT_COMMANDS, 1);
    if (result) {
        dxgpu_core_count(core, DXGPU_STAT_COMMAND_ERRORS, 1);
    } else {
        dxgpu_core_wake_all(core);
    }
    return result;
}
