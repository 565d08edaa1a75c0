/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a stream of migration from a hostile source. A device with
 * spaces, contexts and queues in the midst of work is saved; numbers of the
 * snapshot are changed; it is loaded. One that is refused has changed nothing
 * and said why; one that is accepted is saved again with the same numbers, and
 * the device works on with it, whatever they are: all that fuzz_check() knows
 * must hold (DEV-14, SEC-1).
 *
 * The status region travels as memory and is here what an honest source would
 * have sent; the device never reads it.
 *
 * Input: how doorbells lie, then one record after the other; its first byte
 * mod 8 is what to do, see record(). The world is fuzz_new_mirror()'s.
 */
#include <string.h>

#include "fuzz.h"
#include "snapshot.h"

#define MAX_RECORDS     200
#define MAX_TURNS       200
#define MAX_BYTES       (8u << 20)
#define WHY_BYTES       160

/* What queues execute, by GPUVA: fills. */
#define COMMANDS        0xa000
#define COMMAND_BYTES   (4 * sizeof(struct dxgpu_packet_fill))
#define RING(i)         (0x2000 + (i) * 0x400)
#define CONTROL(i)      (0x6000 + (i) * 0x80)
#define QUEUES          4
/* Each takes three steps; all its pages are one. */
#define TARGET          0x10000
#define TARGET_BYTES    0x28000
#define TARGET_PAGE     (FAKE_BASE + 0xc000)

struct world {
    struct fake *f;
    struct dxgpu_snapshot s;    /* the next to be loaded */
    uint32_t left;              /* turns */
};

static void put(struct fake *f, uint32_t at, const void *what, size_t bytes)
{
    memcpy(f->mem + at, what, bytes);
}

/* Four queues on two nodes and in two spaces, with work; two are bound. */
static void start(struct fake *f)
{
    struct dxgpu_packet_fill fill = {
        .header = { .opcode = DXGPU_OP_FILL, .bytes = sizeof(fill) },
        .dst_gpuva = TARGET,
        .bytes = TARGET_BYTES,
    };
    struct dxgpu_ring_entry entry = {
        .command_gpuva = COMMANDS,
        .command_bytes = COMMAND_BYTES,
        .fence_value = 1,
    };
    uint64_t pte = TARGET_PAGE | DXGPU_PTE_VALID | FAKE_RW, wp = 3;
    uint32_t i, k;

    for (i = 0; i < TARGET_BYTES / DXGPU_PAGE_SIZE; i++) {
        put(f, (TARGET / DXGPU_PAGE_SIZE + i) * sizeof(pte), &pte,
            sizeof(pte));
    }
    for (i = 0; i < COMMAND_BYTES; i += sizeof(fill)) {
        put(f, COMMANDS + i, &fill, sizeof(fill));
    }
    for (i = 0; i < 2; i++) {
        fake_cmd2(f, DXGPU_CMD_SPACE_CREATE, i, FAKE_BASE);
        fake_cmd3(f, DXGPU_CMD_CONTEXT_CREATE, i, i, i);
    }
    for (i = 0; i < QUEUES; i++) {
        for (k = 0; k < 8; k++) {
            put(f, RING(i) + k * sizeof(entry), &entry, sizeof(entry));
        }
        put(f, CONTROL(i) + offsetof(struct dxgpu_ring_control, wp), &wp, 8);
        fake_command(f, DXGPU_CMD_QUEUE_CREATE, i, i % 2, RING(i), 8,
                     CONTROL(i), 0);
        fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, i);
    }
    for (i = 0; i < 2; i++) {
        fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, i, i);
    }
}

/* The status region of the device that was loaded. */
static void sync_status(struct fake *f)
{
    uint32_t i;

    memset((uint8_t *)f->status + f->layout.fault_offset, 0,
           (f->config.queues + 63) / 64 * 8);
    for (i = 0; i < f->config.queues; i++) {
        volatile struct dxgpu_queue_status *s = fake_queue_status(f, i);
        struct dxgpu_queue *q = &f->core->queues[i];

        memset((void *)(uintptr_t)s, 0, sizeof(*s));
        if (q->present) {
            s->rp = q->rp;
            s->entries = q->completed;
            s->state = q->faulted ? DXGPU_QUEUE_FAULTED : DXGPU_QUEUE_IDLE;
            s->fault_code = q->faulted ? DXGPU_FAULT_OPERAND : 0;
            *((uint64_t *)((uint8_t *)f->status + f->layout.fault_offset) +
              i / 64) |= (uint64_t)q->faulted << i % 64;
        }
    }
    for (i = 0; i < f->config.contexts; i++) {
        fake_context_status(f, i)->suspended = f->core->contexts[i].suspended;
    }
}

static void save(struct world *w)
{
    dxgpu_snapshot_free(&w->s);
    g_assert_true(dxgpu_snapshot_init(&w->f->config, &w->s));
    dxgpu_core_save(w->f->core, &w->s);
}

static bool has(uint32_t flags, uint32_t flag)
{
    return flags & flag;
}

/* What the compiler has left free between two fields; input reaches it, too. */
#define clear_gap(object, field, next) \
    memset((uint8_t *)(object) + offsetof(typeof(*(object)), field) + \
               sizeof((object)->field), 0, \
           offsetof(typeof(*(object)), next) - \
               offsetof(typeof(*(object)), field) - sizeof((object)->field))

/* Numbers that mean nothing by the flags are not kept: cleared in both. */
static void forget(struct dxgpu_snapshot *s)
{
    uint32_t i;

    for (i = 0; i < DXGPU_MAX_NODES; i++) {
        clear_gap(&s->nodes[i], flags, packets);
    }
    for (i = 0; i < s->num_spaces; i++) {
        if (!has(s->spaces[i].flags, DXGPU_SNAPSHOT_FENCE_DUE)) {
            s->spaces[i].fence = 0;
        }
    }
    for (i = 0; i < s->num_contexts; i++) {
        if (!has(s->contexts[i].flags, DXGPU_SNAPSHOT_PRESENT)) {
            s->contexts[i].space = s->contexts[i].node = 0;
        }
    }
    for (i = 0; i < s->num_queues; i++) {
        struct dxgpu_snapshot_queue *q = &s->queues[i];
        size_t end = sizeof(*q);

        clear_gap(q, depth, frames);
        clear_gap(q, op_flags, bytes);
        if (!has(q->flags, DXGPU_SNAPSHOT_REMOVING)) {
            q->fence = 0;
        }
        if (!has(q->flags, DXGPU_SNAPSHOT_ACTIVE)) {
            end = offsetof(struct dxgpu_snapshot_queue, entry_fence);
        } else {
            memset(&q->frames[q->depth + 1], 0,
                   (DXGPU_CORE_INDIRECT_DEPTH - q->depth) *
                   sizeof(q->frames[0]));
            if (!has(q->flags, DXGPU_SNAPSHOT_OP_VALID)) {
                end = offsetof(struct dxgpu_snapshot_queue, opcode);
            }
        }
        memset((uint8_t *)q + end, 0, sizeof(*q) - end);
    }
}

#define assert_same(a, b, what, count) \
    g_assert_cmpmem((a)->what, (count) * sizeof(*(a)->what), \
                    (b)->what, (count) * sizeof(*(b)->what))

/* What the device says of itself is what it was told. */
static void check_loaded(struct fake *f, const struct dxgpu_snapshot *told)
{
    struct dxgpu_snapshot s, t;

    g_assert_true(dxgpu_snapshot_init(&f->config, &s));
    g_assert_true(dxgpu_snapshot_init(&f->config, &t));
    dxgpu_core_save(f->core, &s);
    t.state = told->state;
    g_assert_cmpuint(s.state, ==, told->state);
    g_assert_cmpuint(s.reset_count, ==, told->reset_count);
    g_assert_cmpuint(s.int_cause, ==, told->int_cause);
    g_assert_cmpuint(s.int_enable, ==, told->int_enable);
    g_assert_cmpuint(s.num_spaces, ==, t.num_spaces = told->num_spaces);
    g_assert_cmpuint(s.num_contexts, ==, t.num_contexts = told->num_contexts);
    g_assert_cmpuint(s.num_queues, ==, t.num_queues = told->num_queues);
    memcpy(t.spaces, told->spaces, t.num_spaces * sizeof(*t.spaces));
    memcpy(t.contexts, told->contexts, t.num_contexts * sizeof(*t.contexts));
    memcpy(t.queues, told->queues, t.num_queues * sizeof(*t.queues));
    memcpy(t.nodes, told->nodes, sizeof(t.nodes));
    forget(&s);
    forget(&t);
    assert_same(&s, &t, spaces, s.num_spaces);
    assert_same(&s, &t, contexts, s.num_contexts);
    assert_same(&s, &t, queues, s.num_queues);
    assert_same(&s, &t, nodes, f->config.nodes);
    dxgpu_snapshot_free(&s);
    dxgpu_snapshot_free(&t);
}

static void load(struct world *w, uint8_t room)
{
    static struct fuzz_objects before, after;
    struct fake *f = w->f;
    uint32_t state = dxgpu_core_status(f->core);
    char why[WHY_BYTES + 1];
    size_t size = room % WHY_BYTES + 1;

    memset(why, 'x', sizeof(why));
    fuzz_take(f, &before);
    if (dxgpu_core_load(f->core, &w->s, why, size)) {
        check_loaded(f, &w->s);
        sync_status(f);
    } else {
        fuzz_take(f, &after);
        g_assert_true(!memcmp(&before, &after, sizeof(before)));
        g_assert_cmpuint(dxgpu_core_status(f->core), ==, state);
        g_assert_cmpuint(strnlen(why, size), <, size);
        g_assert_true(size == 1 || why[0]);
    }
    g_assert_cmpint(why[size], ==, 'x');
    save(w);
}

/* Of an array of the snapshot, the element that the input names. */
static uint8_t *element(struct world *w, uint8_t kind, uint8_t index,
                        size_t *bytes)
{
    const struct dxgpu_core_config *c = &w->f->config;
    struct dxgpu_snapshot *s = &w->s;

    switch (kind % 8) {
    case 0:
        *bytes = offsetof(struct dxgpu_snapshot, spaces);
        return (uint8_t *)s;
    case 1:
        *bytes = sizeof(s->spaces[0]);
        return (uint8_t *)&s->spaces[index % c->spaces];
    case 2:
        *bytes = sizeof(s->contexts[0]);
        return (uint8_t *)&s->contexts[index % c->contexts];
    case 3:
        *bytes = sizeof(s->nodes[0]);
        return (uint8_t *)&s->nodes[index % c->nodes];
    default:
        *bytes = sizeof(s->queues[0]);
        return (uint8_t *)&s->queues[index % c->queues];
    }
}

static void record(struct world *w, struct input *in)
{
    struct fake *f = w->f;
    uint8_t *at, *from, kind;
    size_t bytes, offset;
    uint64_t value;

    switch (input_u8(in) % 8) {
    default:                    /* a number becomes another */
        kind = input_u8(in);
        at = element(w, kind, input_u8(in), &bytes);
        offset = input_u8(in) % (bytes / 4) * 4;
        value = kind & 0x80 ? input_u64(in) : input_u8(in);
        memcpy(at + offset, &value, offset + 8 <= bytes && kind & 8 ? 8 : 4);
        break;
    case 3:                     /* a bit of one becomes the other */
        kind = input_u8(in);
        at = element(w, kind, input_u8(in), &bytes);
        offset = input_u16(in) % (bytes * 8);
        at[offset / 8] ^= 1u << offset % 8;
        break;
    case 4:                     /* a copy of another object */
        kind = input_u8(in);
        at = element(w, kind, input_u8(in), &bytes);
        from = element(w, kind, input_u8(in), &bytes);
        memmove(at + 4, from + 4, bytes - 4);
        break;
    case 5:
        load(w, input_u8(in));
        break;
    case 6:                     /* the device works, and is saved */
        value = 1 + input_u8(in) % 16;
        kind = input_u8(in);    /* the slot, in the global model the value */
        fuzz_ring(f, (uint64_t)kind % 16 * f->config.doorbell_stride, 8,
                  DXGPU_DOORBELL_VALUE(kind / 16 % 4u, kind / 64));
        while (value-- && w->left &&
               fake_stat(f, DXGPU_STAT_DMA_WRITE_BYTES) < MAX_BYTES) {
            w->left--;
            fuzz_run(f);
        }
        save(w);
        break;
    case 7:                     /* memory, tables included */
        offset = input_u16(in) & ~7u;
        value = input_u64(in);
        put(f, offset, &value, sizeof(value));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct world w = { .f = fuzz_new_mirror(&in), .left = MAX_TURNS };
    uint32_t records = 0;

    start(w.f);
    save(&w);
    while (in.left && records++ < MAX_RECORDS) {
        record(&w, &in);
        fuzz_check(w.f);
    }
    load(&w, UINT8_MAX);
    dxgpu_snapshot_free(&w.s);
    fuzz_end(w.f);
    return 0;
}
