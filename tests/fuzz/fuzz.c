/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fuzz.h declares. */
#include <string.h>

#include "fuzz.h"

/* Requests are served in one round; samples take one per budget. */
#define END_ROUNDS 1000
#define MIRROR_PAGES 16

/* The last run said that there is more: the worker does not sleep. */
static bool worker_runs[DXGPU_CORE_LIMIT_WORKERS];

void input_bytes(struct input *in, void *buf, size_t len)
{
    size_t have = MIN(len, in->left);

    memset(buf, 0, len);
    if (have) {
        memcpy(buf, in->at, have);
        in->at += have;
        in->left -= have;
    }
}

uint64_t input_u64(struct input *in)
{
    uint64_t v;

    input_bytes(in, &v, sizeof(v));
    return dxgpu_le64(v);
}

uint32_t input_u32(struct input *in)
{
    uint32_t v;

    input_bytes(in, &v, sizeof(v));
    return dxgpu_le32(v);
}

uint16_t input_u16(struct input *in)
{
    uint16_t v;

    input_bytes(in, &v, sizeof(v));
    return dxgpu_le16(v);
}

uint8_t input_u8(struct input *in)
{
    uint8_t v;

    input_bytes(in, &v, sizeof(v));
    return v;
}

struct fake *fuzz_new(const struct dxgpu_core_config *config)
{
    struct fake *f = fake_new(config);

    memset(f->mem, 0, FAKE_BYTES);
    memset(worker_runs, 0, sizeof(worker_runs));
    return f;
}

#define OBJECTS(of) G_N_ELEMENTS(((struct fuzz_objects *)0)->of)

#define FIRST_LAYOUT    0xf8

/* How doorbells lie, by the first byte of an input less FIRST_LAYOUT. */
static const struct {
    bool global, secondary;
    uint32_t stride;
} layouts[] = {
    { false, true, 4096 },
    { false, true, 64 },
    { false, true, 2048 },
    { false, false, 65536 },
    { true, true, 4096 },
    { true, false, 4096 },
    { true, true, 8192 },
    { true, false, 65536 },
};

struct fake *fuzz_new_mirror(struct input *in)
{
    struct dxgpu_core_config c = fake_config();
    uint8_t layout = 0;
    struct fake *f;
    uint64_t pte;
    uint32_t i;

    if (in->left && *in->at >= FIRST_LAYOUT) {
        layout = input_u8(in) - FIRST_LAYOUT;
    }
    c.queues = OBJECTS(queues);
    c.contexts = OBJECTS(contexts);
    c.spaces = OBJECTS(spaces);
    c.slots = OBJECTS(slots);
    c.packet_budget = 4;
    c.workers = OBJECTS(requests);
    c.kernel_nodes = 4;
    c.global_doorbells = layouts[layout].global;
    c.secondary_doorbells = layouts[layout].secondary;
    c.doorbell_stride = layouts[layout].stride;
    f = fuzz_new(&c);
    for (i = 0; i < MIRROR_PAGES; i++) {
        /* The first: root, and each level below it. */
        pte = (FAKE_BASE + i * DXGPU_PAGE_SIZE) | DXGPU_PTE_VALID | FAKE_RW;
        memcpy(f->mem + i * sizeof(pte), &pte, sizeof(pte));
    }
    return f;
}

/* The queue that a ring of this slot must reach, by what is bound to it. */
static struct dxgpu_queue *expect_rung(struct fake *f, uint64_t slot,
                                       uint32_t value)
{
    struct dxgpu_core *core = f->core;
    uint32_t id = value & 0xffffff;
    struct dxgpu_queue *q;

    if (!f->config.global_doorbells) {
        id = slot < f->config.slots ? core->slots[slot] : DXGPU_NONE;
        return id == DXGPU_NONE ? NULL : &core->queues[id];
    }
    if (id >= f->config.queues) {
        return NULL;
    }
    q = &core->queues[id];
    return q->present && q->slot == slot && q->context->node == value >> 24
           ? q : NULL;
}

void fuzz_ring(struct fake *f, uint64_t offset, uint32_t bytes, uint64_t value)
{
    struct dxgpu_core *core = f->core;
    uint64_t rings = fake_stat(f, DXGPU_STAT_DOORBELL_WRITES);
    uint64_t second = fake_stat(f, DXGPU_STAT_DOORBELL_SECONDARY);
    uint32_t stride = f->config.doorbell_stride;
    uint32_t count = f->config.global_doorbells ? f->config.spaces
                                                : f->config.slots;
    /* Of one kind of doorbells, in whole pages. */
    uint64_t part = (count * stride + 4095ull) & ~4095ull, queue_rings = 0;
    bool valid = offset % stride == 0 && (bytes == 4 || bytes == 8);
    bool secondary = f->config.secondary_doorbells && offset >= part;
    struct dxgpu_queue *q = NULL;

    if (valid && !core->asleep) {
        q = expect_rung(f, (secondary ? offset - part : offset) / stride,
                        value);
        queue_rings = q ? q->rings : 0;
    }
    g_assert_cmpint(dxgpu_core_doorbell_write(core, offset, bytes, value), ==,
                    valid);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_WRITES) - rings, ==,
                     !!q);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_SECONDARY) - second, ==,
                     q && secondary);
    if (q) {
        g_assert_cmpuint(q->rings, ==, queue_rings + 1);
        g_assert_cmpuint(q->ring_value, ==, (uint32_t)value);
    }
}

void fuzz_take(struct fake *f, struct fuzz_objects *o)
{
    struct dxgpu_core *core = f->core;
    uint32_t i;

    memset(o, 0, sizeof(*o));
    memcpy(o->spaces, core->spaces, sizeof(o->spaces));
    memcpy(o->contexts, core->contexts, sizeof(o->contexts));
    memcpy(o->queues, core->queues, sizeof(o->queues));
    memcpy(o->nodes, core->nodes, sizeof(o->nodes));
    for (i = 0; i < OBJECTS(slots); i++) {
        o->slots[i] = core->slots[i];
    }
    for (i = 0; i < OBJECTS(requests); i++) {
        o->pending[i][0] = core->workers[i].pending[0];
        o->pending[i][1] = core->workers[i].pending[1];
        o->requests[i] = core->workers[i].requests;
    }
}

static void check_queue(struct fake *f, struct dxgpu_queue *q)
{
    struct dxgpu_node *node = &f->core->nodes[q->context->node];
    volatile struct dxgpu_queue_status *s = fake_queue_status(f, q->id);
    uint32_t i;

    g_assert_true(q->context->present);
    g_assert_cmpuint(q->wp - q->rp, <=, q->entries);
    g_assert_true(dxgpu_queue_geometry_ok(&f->config, q->ring, q->entries,
                                          q->control));
    g_assert_cmpuint(s->rp, ==, q->rp);
    g_assert_cmpuint(s->entries, ==, q->completed);
    g_assert_cmpuint(s->state, !=, DXGPU_QUEUE_ABSENT);
    g_assert_cmpint(s->state == DXGPU_QUEUE_FAULTED, ==, q->faulted);
    g_assert_cmpint(s->fault_code != DXGPU_FAULT_NONE, ==, q->faulted);
    g_assert_cmpint(fake_fault_bit(f, q->id), ==, q->faulted);
    if (q->faulted) {
        g_assert_false(q->on_runlist);
        g_assert_true(node->holder != q);
        g_assert_cmpuint(s->fault_code, <=, DXGPU_FAULT_RESET);
        g_assert_false(q->hung);
    } else if (q->active) {
        g_assert_cmpuint(q->depth, <=, DXGPU_CORE_INDIRECT_DEPTH);
        g_assert_cmpuint(q->wp, !=, q->rp);
        for (i = 0; i <= q->depth; i++) {
            g_assert_cmpuint(q->frames[i].bytes, <=,
                             DXGPU_CORE_MAX_COMMAND_BYTES);
            g_assert_cmpuint(q->frames[i].offset, <=, q->frames[i].bytes);
        }
        g_assert_true(!q->op_valid || q->op.done <= q->op.bytes);
    }
    if (q->hung) {
        g_assert_true(q->op_valid && node->holder == q);
    }
    if (q->removing) {
        g_assert_cmpuint(q->slot, ==, DXGPU_NONE);
        g_assert_true(q->remove.queued);
    }
    if (q->slot != DXGPU_NONE && f->config.global_doorbells) {
        /* That of its own address space: decision 9. */
        g_assert_true(&f->core->spaces[q->slot] == q->context->space);
    } else if (q->slot != DXGPU_NONE) {
        g_assert_cmpuint(q->slot, <, f->config.slots);
        g_assert_cmpuint(f->core->slots[q->slot], ==, q->id);
    }
}

static void check_node(struct fake *f, uint32_t index)
{
    struct dxgpu_node *node = &f->core->nodes[index];
    struct dxgpu_queue *q, *prev = NULL;
    uint32_t runnable = 0;

    for (q = node->head; q; prev = q, q = q->next) {
        g_assert_cmpuint(runnable++, <, f->config.queues);
        g_assert_true(q->present && q->on_runlist && q->prev == prev);
        g_assert_cmpuint(q->context->node, ==, index);
    }
    g_assert_true(node->tail == prev);
    if (node->holder) {
        g_assert_true(node->holder->present && !node->holder->on_runlist);
        g_assert_true(node->holder->hung || dxgpu_in_delay(node->holder));
        g_assert_false(node->halted);
        runnable++;
    }
    g_assert_cmpuint(node->runnable, ==, runnable);
    g_assert_cmpuint(fake_node_status(f, index)->runnable, ==, runnable);
}

static void check_contexts(struct fake *f)
{
    struct dxgpu_core *core = f->core;
    uint32_t present = 0, queues = 0, spaces = 0, used = 0, i;
    struct dxgpu_queue *q, *prev;

    for (i = 0; i < f->config.contexts; i++) {
        struct dxgpu_context *context = &core->contexts[i];

        if (!context->present) {
            continue;
        }
        present++;
        g_assert_true(context->space->present);
        for (prev = NULL, q = context->queues; q;
             prev = q, q = q->context_next) {
            g_assert_cmpuint(queues++, <, f->config.queues);
            g_assert_true(q->present && q->context == context &&
                          q->context_prev == prev);
        }
        g_assert_cmpuint(fake_context_status(f, i)->suspended, ==,
                         context->suspended);
    }
    for (i = 0; i < f->config.spaces; i++) {
        spaces += core->spaces[i].present;
        used += core->spaces[i].contexts;
    }
    g_assert_cmpuint(used, ==, present);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_CONTEXTS), ==, present);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SPACES), ==, spaces);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_QUEUES), ==, queues);
}

void fuzz_check(struct fake *f)
{
    struct dxgpu_core *core = f->core;
    uint32_t queues = 0, listed = 0, bound = 0, i;

    for (i = 0; i < f->config.queues; i++) {
        struct dxgpu_queue *q = &core->queues[i];

        if (q->present) {
            queues++;
            listed += q->on_runlist;
            bound += f->config.global_doorbells && q->slot != DXGPU_NONE;
            check_queue(f, q);
        } else {
            g_assert_false(q->on_runlist || q->removing);
            g_assert_cmpuint(q->slot, ==, DXGPU_NONE);
            g_assert_cmpuint(fake_queue_status(f, i)->state, ==,
                             DXGPU_QUEUE_ABSENT);
            g_assert_false(fake_fault_bit(f, i));
        }
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_QUEUES), ==, queues);
    check_contexts(f);
    for (i = 0; i < f->config.nodes; i++) {
        struct dxgpu_node *node = &core->nodes[i];

        check_node(f, i);
        listed -= node->runnable - !!node->holder;
    }
    g_assert_cmpuint(listed, ==, 0);
    for (i = 0; i < f->config.slots; i++) {
        uint32_t id = core->slots[i];

        if (id != DXGPU_NONE) {
            bound++;
            g_assert_cmpuint(id, <, f->config.queues);
            g_assert_true(core->queues[id].present);
            g_assert_cmpuint(core->queues[id].slot, ==, i);
        }
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SLOTS_BOUND), ==, bound);
    /*
     * A worker that sleeps was kicked for all that waits (DEV-1). One that the
     * end of a delay woke runs without a kick.
     */
    for (i = 0; i < f->config.workers; i++) {
        struct dxgpu_worker *w = &core->workers[i];

        /* Who arrived at a reset rests until it is done. */
        if (!w->arrived && (w->requests || core->reset_requested ||
                            dxgpu_queue_any_pending(core, w))) {
            g_assert_true(w->awake || worker_runs[i]);
        }
    }
}

static bool run_worker(struct fake *f, uint32_t worker)
{
    uint64_t packets = fake_stat(f, DXGPU_STAT_PACKETS);
    uint64_t entries = fake_stat(f, DXGPU_STAT_ENTRIES_COMPLETED);
    uint64_t samples = fake_stat(f, DXGPU_STAT_SAMPLES);
    uint64_t faults = fake_stat(f, DXGPU_STAT_FAULTS);
    uint64_t read = fake_stat(f, DXGPU_STAT_DMA_READ_BYTES);
    uint32_t budget = f->config.packet_budget;
    bool more = dxgpu_core_run(f->core, worker);

    worker_runs[worker] = more;
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_PACKETS) - packets, <=, budget);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_ENTRIES_COMPLETED) - entries, <=,
                     budget);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SAMPLES) - samples, <=, budget);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FAULTS) - faults, <=, budget + 1 +
                     f->config.nodes);
    /* Each step: a chunk, and at most a table walk for each page of it. */
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DMA_READ_BYTES) - read, <=,
                     (budget + 1ull) * 2 * DXGPU_CHUNK_BYTES);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FENCE_INTERRUPTS), <=,
                     fake_stat(f, DXGPU_STAT_FENCE_WRITES));
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_COMMAND_ERRORS), <=,
                     fake_stat(f, DXGPU_STAT_COMMANDS));
    fuzz_check(f);
    return more;
}

bool fuzz_run(struct fake *f)
{
    bool more = false;
    uint32_t i;

    for (i = 0; i < f->config.workers; i++) {
        more |= run_worker(f, i);
    }
    return more;
}

void fuzz_end(struct fake *f)
{
    static const struct dxgpu_inject none;
    struct dxgpu_core *core = f->core;
    uint32_t rounds = 0, removed = 0, i;
    uint32_t count;

    fuzz_check(f);
    dxgpu_core_inject(core, &none);
    if (dxgpu_core_status(core) == DXGPU_STATUS_ENABLED) {
        for (i = 0; i < f->config.queues; i++) {
            if (core->queues[i].present && !core->queues[i].removing) {
                g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, i, ~0ull),
                                ==, DXGPU_CMD_OK);
                removed++;
            }
        }
        do {
            g_assert_cmpuint(rounds++, <, END_ROUNDS);
        } while (fuzz_run(f));
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_QUEUES), ==, 0);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SLOTS_BOUND), ==, 0);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_REMOVES), >=, removed);
        for (i = 0; i < f->config.workers; i++) {
            g_assert_null(core->workers[i].held);
        }
    }
    count = dxgpu_core_reset_count(core);
    dxgpu_core_control(core, DXGPU_CONTROL_RESET);
    g_assert_cmpuint(dxgpu_core_status(core), ==, DXGPU_STATUS_RESETTING);
    for (rounds = 0; fuzz_run(f); rounds++) {
        g_assert_cmpuint(rounds, <, END_ROUNDS);
    }
    g_assert_cmpuint(dxgpu_core_reset_count(core), ==, count + 1);
    g_assert_cmpuint(dxgpu_core_status(core), ==, DXGPU_STATUS_DISABLED);
    g_assert_cmpuint(dxgpu_core_int_cause(core), ==, DXGPU_INT_RESET_DONE);
    for (i = DXGPU_STAT_SLOTS_BOUND; i < DXGPU_STAT_COUNT; i++) {
        g_assert_cmpuint(fake_stat(f, i), ==, 0);
    }
    for (i = 0; i < f->config.nodes; i++) {
        g_assert_cmpuint(fake_node_status(f, i)->running_queue, ==,
                         DXGPU_NO_QUEUE);
    }
    for (i = 0; i < f->config.workers; i++) {
        g_assert_null(core->workers[i].requests);
        g_assert_null(core->workers[i].held);
    }
    fake_free(f);
}
