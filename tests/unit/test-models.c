/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The doorbell models: whom a ring reaches when its value names the queue
 * (MOD-2, MOD-7, MOD-9, SEC-6), and where doorbells lie that share pages or
 * are further apart than one (DEV-6, MOD-8).
 */
#include "fake.h"
#include "snapshot.h"

#define SPACES  4
#define QUEUES  12

/* Queue i is of space i mod SPACES and of node i mod 3. */
struct world {
    struct fake *f;
    struct fake_queue q[QUEUES];
};

static struct dxgpu_core_config global_config(void)
{
    struct dxgpu_core_config config = fake_config();

    config.global_doorbells = true;
    config.secondary_doorbells = true;
    config.contexts = 32;
    return config;
}

static uint32_t space_of(uint32_t queue)
{
    return queue % SPACES;
}

static uint32_t value_of(uint32_t queue)
{
    return DXGPU_DOORBELL_VALUE(queue, queue % 3);
}

static enum dxgpu_cmd_result bind(struct fake *f, uint32_t slot, uint32_t id)
{
    return fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, slot, id);
}

static enum dxgpu_cmd_result unbind(struct fake *f, uint32_t slot, uint32_t id)
{
    return fake_cmd2(f, DXGPU_CMD_DOORBELL_UNBIND, slot, id);
}

static struct world global_world(void)
{
    struct dxgpu_core_config config = global_config();
    struct world w = { .f = fake_new(&config) };
    uint64_t roots[SPACES];
    uint32_t i;

    for (i = 0; i < SPACES; i++) {
        roots[i] = fake_space(w.f, i);
    }
    for (i = 0; i < QUEUES; i++) {
        fake_context(w.f, i, space_of(i), i % 3);
        w.q[i] = fake_queue(w.f, i, i, roots[space_of(i)], 16);
    }
    return w;
}

static void bind_all(struct world *w)
{
    uint32_t i;

    for (i = 0; i < QUEUES; i++) {
        g_assert_cmpint(bind(w->f, space_of(i), i), ==, DXGPU_CMD_OK);
    }
    fake_run(w->f);
}

static bool ring(struct fake *f, uint32_t slot, uint64_t value, bool second)
{
    struct dxgpu_doorbell_layout l;
    uint64_t before = fake_stat(f, DXGPU_STAT_DOORBELL_WRITES);

    dxgpu_doorbell_layout(&f->config, &l);
    g_assert_true(dxgpu_core_doorbell_write(
        f->core, second ? l.secondary_offset + slot * l.secondary_stride
                        : slot * l.stride, 8, value));
    return fake_stat(f, DXGPU_STAT_DOORBELL_WRITES) != before;
}

/* A value rings the queue that it names, by either doorbell, and executes. */
static void test_value_names_queue(void)
{
    struct world w = global_world();
    uint32_t i, j;

    bind_all(&w);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_SLOTS_BOUND), ==, QUEUES);
    for (i = 0; i < QUEUES; i++) {
        fake_submit_fence(&w.q[i], 1);
    }
    for (i = 0; i < QUEUES; i++) {
        g_assert_true(ring(w.f, space_of(i), value_of(i), i & 1));
        fake_run(w.f);
        for (j = 0; j < QUEUES; j++) {
            g_assert_cmpuint(fake_load(w.f, w.q[j].data_bus), ==, j <= i);
        }
    }
    /* No more than the lower half of a word is looked at. */
    fake_submit_fence(&w.q[5], 2);
    g_assert_true(ring(w.f, space_of(5), ~0ull << 32 | value_of(5), false));
    fake_run(w.f);
    g_assert_cmpuint(fake_load(w.f, w.q[5].data_bus), ==, 2);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_DOORBELL_MISMATCHES), ==, 0);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_DOORBELL_SECONDARY), ==,
                     QUEUES / 2);
    fake_free(w.f);
}

/*
 * Every value of every node and id that there can be, and many more, written to
 * each slot, reaches queues of that slot's address space alone (SEC-6, MOD-9).
 */
static void test_every_value(void)
{
    struct world w = global_world();
    uint32_t slot, node, id, i, own;
    uint64_t reached;

    bind_all(&w);
    for (slot = 0; slot < SPACES; slot++) {
        for (i = 0, own = 0; i < QUEUES; i++) {
            own += space_of(i) == slot;
        }
        reached = 0;
        for (node = 0; node < 256; node++) {
            for (id = 0; id < 256; id++) {
                reached += ring(w.f, slot, node << 24 | id, false);
            }
            for (id = 8; id < 24; id++) {
                for (i = 0; i < QUEUES; i++) {
                    g_assert_false(ring(w.f, slot,
                                        node << 24 | 1u << id | i, true));
                }
            }
        }
        g_assert_cmpuint(reached, ==, own);
        g_assert_false(ring(w.f, slot, UINT64_MAX, false));
        g_assert_false(ring(w.f, slot, UINT32_MAX, true));
        g_assert_false(ring(w.f, slot, 0xffffff, false));
    }
    fake_run(w.f);
    for (i = 0; i < QUEUES; i++) {
        /* Bound, and rung once: no more than that. */
        g_assert_cmpuint(fake_queue_status(w.f, i)->rings, ==, 1);
    }
    fake_free(w.f);
}

/* A queue is bound to the slot of its own address space or not at all. */
static void test_binding(void)
{
    struct world w = global_world();
    uint64_t errors = fake_stat(w.f, DXGPU_STAT_COMMAND_ERRORS);
    uint32_t slot;

    for (slot = 0; slot < SPACES; slot++) {
        if (slot != space_of(6)) {
            g_assert_cmpint(bind(w.f, slot, 6), ==, DXGPU_CMD_ERR_ARGUMENT);
            errors++;
        }
    }
    g_assert_cmpint(bind(w.f, SPACES, 6), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(bind(w.f, UINT32_MAX, 6), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(bind(w.f, 2, QUEUES), ==, DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(bind(w.f, 2, 6), ==, DXGPU_CMD_OK);
    g_assert_cmpint(bind(w.f, 2, 6), ==, DXGPU_CMD_ERR_BUSY);
    /* Another of the same slot: nothing is taken from anybody (MOD-7). */
    g_assert_cmpint(bind(w.f, 2, 10), ==, DXGPU_CMD_OK);
    g_assert_cmpint(unbind(w.f, 2, 2), ==, DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(unbind(w.f, 1, 6), ==, DXGPU_CMD_ERR_NOT_FOUND);
    g_assert_cmpint(unbind(w.f, SPACES, 6), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(unbind(w.f, 2, w.f->config.queues), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(unbind(w.f, 2, UINT32_MAX), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_COMMAND_ERRORS), ==,
                     errors + 9);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_SLOTS_BOUND), ==, 2);
    fake_free(w.f);
}

/* An unbind masks one queue, samples it, and leaves its neighbours (MOD-7). */
static void test_unbind(void)
{
    struct world w = global_world();
    struct fake_queue *q = &w.q[6], *neighbour = &w.q[10];

    bind_all(&w);
    fake_submit_fence(q, 1);
    g_assert_cmpint(unbind(w.f, 2, 6), ==, DXGPU_CMD_OK);
    fake_run(w.f);
    g_assert_cmpuint(fake_load(w.f, q->data_bus), ==, 1);
    fake_submit_fence(q, 2);
    g_assert_false(ring(w.f, 2, value_of(6), false));
    g_assert_false(ring(w.f, 2, value_of(6), true));
    fake_submit_fence(neighbour, 7);
    g_assert_true(ring(w.f, 2, value_of(10), false));
    fake_run(w.f);
    g_assert_cmpuint(fake_load(w.f, q->data_bus), ==, 1);
    g_assert_cmpuint(fake_load(w.f, neighbour->data_bus), ==, 7);
    /* Bound again it is sampled, without a ring (ORD-23). */
    g_assert_cmpint(bind(w.f, 2, 6), ==, DXGPU_CMD_OK);
    fake_run(w.f);
    g_assert_cmpuint(fake_load(w.f, q->data_bus), ==, 2);

    g_assert_cmpint(fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 6, 1), ==,
                    DXGPU_CMD_OK);
    g_assert_false(ring(w.f, 2, value_of(6), false));
    fake_run(w.f);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_SLOTS_BOUND), ==, QUEUES - 1);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_UNBINDS), ==, 2);

    dxgpu_core_control(w.f->core, DXGPU_CONTROL_RESET);
    fake_run(w.f);
    g_assert_false(ring(w.f, 2, value_of(10), false));
    fake_free(w.f);
}

static bool load_with_slot(struct world *w, struct fake *to, uint32_t slot)
{
    struct dxgpu_snapshot s;
    char why[160];
    bool ok;

    g_assert_true(dxgpu_snapshot_init(&w->f->config, &s));
    dxgpu_core_save(w->f->core, &s);
    g_assert_cmpuint(s.queues[6].slot, ==, 2);
    s.queues[6].slot = slot;
    ok = dxgpu_core_load(to->core, &s, why, sizeof(why));
    dxgpu_snapshot_free(&s);
    return ok;
}

/* Bindings travel, and those that no command makes are refused. */
static void test_snapshot(void)
{
    struct dxgpu_core_config config = global_config();
    struct world w = global_world();
    struct fake *g = fake_new(&config);

    bind_all(&w);
    g_assert_false(load_with_slot(&w, g, 1));
    g_assert_false(load_with_slot(&w, g, 3));
    g_assert_false(load_with_slot(&w, g, SPACES));
    g_assert_true(load_with_slot(&w, g, UINT32_MAX));
    g_assert_cmpuint(fake_stat(g, DXGPU_STAT_SLOTS_BOUND), ==, QUEUES - 1);
    g_assert_false(ring(g, 2, value_of(6), false));
    g_assert_true(load_with_slot(&w, g, 2));
    g_assert_cmpuint(fake_stat(g, DXGPU_STAT_SLOTS_BOUND), ==, QUEUES);
    g_assert_true(ring(g, 2, value_of(6), false));
    g_assert_false(ring(g, 1, value_of(6), false));
    fake_free(w.f);
    fake_free(g);
}

static void test_layouts(void)
{
    static const struct {
        uint32_t slots, spaces, stride;
        bool global, ok;
    } rows[] = {
        { 64, 8, 4096, false, true },
        { 1, 1, 65536, false, true },
        { 64, 8, 64, false, true },
        { 128, 8, 64, false, true },
        { 4096, 8, 65536, false, true },
        { 3, 8, 512, false, true },             /* a part of one page */
        { 64, 8, 32, false, false },
        { 64, 8, 131072, false, false },
        { 64, 8, 96, false, false },
        { 64, 8, 0, false, false },
        { 65, 8, 64, false, false },            /* pages unlike each other */
        { 12, 8, 512, false, false },
        { 1, 1024, 4096, true, true },
        { 1, 16384, 65536, true, true },
        { 1, 16385, 65536, true, false },       /* more than 1 GiB */
        { 64, 8, 2048, true, false },           /* processes on one page */
    };
    struct dxgpu_doorbell_layout l;
    struct dxgpu_core_config c;
    struct fake *f;
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        c = fake_config();
        c.slots = rows[i].slots;
        c.spaces = rows[i].spaces;
        c.doorbell_stride = rows[i].stride;
        c.global_doorbells = rows[i].global;
        c.secondary_doorbells = true;
        g_test_message("row %u", i);
        g_assert_cmpint(dxgpu_doorbell_layout_ok(&c), ==, rows[i].ok);
        if (!rows[i].ok) {
            continue;
        }
        dxgpu_doorbell_layout(&c, &l);
        g_assert_cmpuint(l.count, ==,
                         rows[i].global ? rows[i].spaces : rows[i].slots);
        g_assert_cmpuint(l.stride, ==, rows[i].stride);
        g_assert_cmpuint(l.secondary_stride, ==, rows[i].stride);
        g_assert_cmpuint(l.secondary_offset % 4096, ==, 0);
        g_assert_cmpuint(l.secondary_offset, >=, l.count * l.stride);
        g_assert_cmpuint(l.size, ==, 2 * l.secondary_offset);
        f = fake_new(&c);
        fake_free(f);
    }
}

/*
 * Neighbours on one page: each place rings the queue that is bound there, and
 * binding and unbinding one leaves the others (MOD-8).
 */
static void packed(const void *stride)
{
    struct dxgpu_core_config config = fake_config();
    struct dxgpu_doorbell_layout l;
    struct fake *f;
    uint64_t root, at;
    uint32_t i, place;

    config.doorbell_stride = GPOINTER_TO_UINT(stride);
    config.slots = 8;
    config.secondary_doorbells = true;
    f = fake_new(&config);
    dxgpu_doorbell_layout(&config, &l);
    root = fake_space(f, 0);
    fake_context(f, 0, 0, 0);
    for (i = 0; i < 8; i++) {
        fake_queue(f, i, 0, root, 4);
        g_assert_cmpint(bind(f, i, i), ==, DXGPU_CMD_OK);
    }
    g_assert_cmpint(unbind(f, 3, 0), ==, DXGPU_CMD_OK);
    fake_run(f);
    /* Each byte of both parts: the first of a doorbell is one. */
    for (at = 0; at < l.size; at += 8) {
        dxgpu_core_doorbell_write(f->core, at, 8, 0);
    }
    fake_run(f);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(fake_queue_status(f, i)->rings, ==, i == 3 ? 0 : 2);
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_WRITES), ==, 14);
    place = l.size / l.stride;
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_UNBOUND), ==,
                     place - 14);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_DOORBELL_BAD_ACCESS), ==,
                     l.size / 8 - place);
    fake_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/models/MOD-2-value-names-queue", test_value_names_queue);
    g_test_add_func("/models/SEC-6-every-value", test_every_value);
    g_test_add_func("/models/MOD-7-binding", test_binding);
    g_test_add_func("/models/MOD-7-unbind-masks-one", test_unbind);
    g_test_add_func("/models/global-snapshot", test_snapshot);
    g_test_add_func("/models/DEV-6-layouts", test_layouts);
    g_test_add_data_func("/models/MOD-8-packed-64", GUINT_TO_POINTER(64),
                         packed);
    g_test_add_data_func("/models/MOD-8-packed-512", GUINT_TO_POINTER(512),
                         packed);
    g_test_add_data_func("/models/DEV-6-far-apart", GUINT_TO_POINTER(65536),
                         packed);
    return g_test_run();
}
