/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving and loading: a device goes on as if nothing had been, and a snapshot
 * with any impossible number is refused without effect.
 */
#include <string.h>

#include "fake.h"
#include "snapshot.h"

/* Another device with the memory and the status region of the first. */
static struct fake *copy_world(struct fake *f)
{
    struct fake *g = fake_new(&f->config);

    dxgpu_core_control(g->core, DXGPU_CONTROL_RESET);
    fake_run(g);
    memcpy(g->mem, f->mem, f->mem_used);
    g->mem_used = f->mem_used;
    memcpy(g->status, f->status, f->layout.size);
    return g;
}

static struct fake *move(struct fake *f)
{
    struct fake *g = copy_world(f);
    struct dxgpu_snapshot s;
    char why[160] = "";

    g_assert_true(dxgpu_snapshot_init(&f->config, &s));
    dxgpu_core_save(f->core, &s);
    g_assert_true(dxgpu_core_load(g->core, &s, why, sizeof(why)));
    g_assert_cmpstr(why, ==, "");
    dxgpu_snapshot_free(&s);
    fake_free(f);
    return g;
}

/* A queue in the middle of a long packet, with another packet behind it. */
static struct fake_queue start(struct fake *f)
{
    struct fake_queue q = fake_bound_queue(f, 5, 1);

    fake_put_fill(&q, q.data, FAKE_DATA_BYTES, 0xa5a5a5a5);
    fake_put_crc(&q, q.data, q.data, FAKE_DATA_BYTES, 0);
    fake_put_fence(&q, q.data + 8, 77, 0);
    fake_submit(&q);
    dxgpu_core_doorbell(f->core, 1, 1);
    g_assert_true(dxgpu_core_run(f->core, 0));
    return q;
}

static void test_mid_packet(void)
{
    struct dxgpu_core_config config = fake_config();
    uint64_t fills, crcs;
    struct fake_queue q;
    struct fake *f;
    unsigned int i;

    config.packet_budget = 1;
    for (i = 0; i < 12; i++) {
        unsigned int turns = i;

        f = fake_new(&config);
        q = start(f);
        while (turns-- && dxgpu_core_run(f->core, 0)) {
            continue;
        }
        fills = fake_stat(f, DXGPU_STAT_FILL_BYTES);
        crcs = fake_stat(f, DXGPU_STAT_CRC_BYTES);
        q.f = f = move(f);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FILL_BYTES), ==, fills);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_CRC_BYTES), ==, crcs);
        fake_run(f);
        g_assert_cmpuint(fake_load(f, q.data_bus + 8), ==, 77);
        g_assert_cmpuint(fake_control(&q)->rp, ==, 1);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FILL_BYTES), ==,
                         FAKE_DATA_BYTES);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_CRC_BYTES), ==,
                         FAKE_DATA_BYTES);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_BINDS), ==, 1);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_UNBINDS), ==, 0);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_ENTRIES_COMPLETED), ==, 1);
        g_assert_cmpuint(fake_queue_status(f, 5)->entries, ==, 1);
        g_assert_cmpuint(fake_queue_status(f, 5)->rings, ==, 1);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SLOTS_BOUND), ==, 1);
        fake_submit_fence(&q, 78);
        dxgpu_core_doorbell(f->core, 1, 2);
        fake_run(f);
        g_assert_cmpuint(fake_load(f, q.data_bus), ==, 78);
        fake_free(f);
    }
}

static void test_requests(void)
{
    struct fake *f = fake_new(NULL);

    fake_bound_queue(f, 5, 1);
    fake_space(f, 2);
    fake_run(f);
    fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 11);
    fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 2, 0, 0, 12);
    fake_cmd1(f, DXGPU_CMD_SPACE_DESTROY, 2);
    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 5, 13);
    dxgpu_core_set_int_enable(f->core, DXGPU_INT_ACK);
    f = move(f);
    g_assert_cmpuint(fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 5), ==,
                     DXGPU_CMD_ERR_BUSY);
    fake_run(f);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 11);
    g_assert_cmpuint(fake_context_status(f, 0)->suspended, ==, 1);
    g_assert_cmpuint(fake_space_status(f, 2)->invalidate_fence, ==, 12);
    g_assert_cmpuint(fake_queue_status(f, 5)->remove_fence, ==, 13);
    g_assert_cmpuint(f->vectors[DXGPU_VECTOR_EVENT], ==, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_QUEUES), ==, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SPACES), ==, 1);
    fake_free(f);
}

static void test_faulted(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 5, 1);

    fake_store_wp(&q, 99);
    dxgpu_core_doorbell(f->core, 1, 1);
    fake_run(f);
    q.f = f = move(f);
    fake_assert_fault(&q, DXGPU_FAULT_WP);
    fake_store_wp(&q, 0);
    dxgpu_core_doorbell(f->core, 1, 0);
    fake_run(f);
    fake_assert_fault(&q, DXGPU_FAULT_WP);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FAULTS), ==, 1);
    fake_free(f);
}

static void test_reset(void)
{
    struct fake *f = fake_new(NULL);

    fake_bound_queue(f, 5, 1);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    f = move(f);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_RESETTING);
    fake_run(f);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_DISABLED);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_QUEUES), ==, 0);
    fake_free(f);
}

#define EVERY_NUMBER(X) \
    X(s->state = 3) \
    X(s->state = DXGPU_STATUS_DISABLED) \
    X((s->state = DXGPU_STATUS_DISABLED, s->num_spaces = s->num_contexts = \
       s->num_queues = 0, s->nodes[1].flags = DXGPU_SNAPSHOT_HALTED)) \
    X(s->nodes[0].flags = DXGPU_SNAPSHOT_REQUESTED) \
    X(s->nodes[2].flags = DXGPU_SNAPSHOT_FENCE_DUE) \
    X(s->nodes[0].flags = DXGPU_SNAPSHOT_FAULTED) \
    X(s->int_cause = 8) \
    X(s->int_enable = ~0u) \
    X(s->num_spaces = f->config.spaces + 1) \
    X(s->num_contexts = f->config.contexts + 1) \
    X(s->num_queues = f->config.queues + 1) \
    X(s->spaces[0].id = f->config.spaces) \
    X(s->spaces[0].flags = 0) \
    X(s->spaces[0].flags |= DXGPU_SNAPSHOT_REQUESTED) \
    X(s->spaces[0].flags |= DXGPU_SNAPSHOT_FAULTED) \
    X(s->spaces[0].flags = DXGPU_SNAPSHOT_REQUESTED | \
                           DXGPU_SNAPSHOT_FENCE_DUE) \
    X(s->spaces[0].root |= 8) \
    X(s->spaces[0].root |= 1ull << 52) \
    X(s->spaces[1].id = s->spaces[0].id) \
    X(s->contexts[0].id = f->config.contexts) \
    X(s->contexts[0].flags = 0) \
    X(s->contexts[0].flags |= DXGPU_SNAPSHOT_FENCE_DUE) \
    X(s->contexts[0].flags = DXGPU_SNAPSHOT_SUSPENDED) \
    X(s->contexts[0].flags = DXGPU_SNAPSHOT_REQUESTED) \
    X(s->contexts[0].space = 1) \
    X(s->contexts[0].space = ~0u) \
    X(s->contexts[0].node = f->config.nodes) \
    X(s->queues[0].id = f->config.queues) \
    X(s->queues[0].flags |= 1u << 31) \
    X(s->queues[0].flags |= DXGPU_SNAPSHOT_REMOVING) \
    X(s->queues[0].flags |= DXGPU_SNAPSHOT_FAULTED) \
    X(s->queues[0].flags &= ~DXGPU_SNAPSHOT_ACTIVE) \
    X(s->queues[0].context = 1) \
    X(s->queues[0].slot = f->config.slots) \
    X(s->queues[1].slot = s->queues[0].slot) \
    X(s->queues[1].id = s->queues[0].id) \
    X(s->queues[0].entries = 0) \
    X(s->queues[0].entries = 3) \
    X(s->queues[0].entries = f->config.ring_max_entries * 2) \
    X(s->queues[0].ring |= 32) \
    X(s->queues[0].ring = 1ull << 48) \
    X(s->queues[0].control |= 64) \
    X(s->queues[0].control = ~127ull) \
    X(s->queues[0].wp = s->queues[0].rp + 17) \
    X(s->queues[0].wp = s->queues[0].rp - 1) \
    X(s->queues[0].wp = s->queues[0].rp) \
    X(s->queues[0].frames[0].gpuva |= 1) \
    X(s->queues[0].frames[0].gpuva = ~7ull) \
    X(s->queues[0].frames[0].bytes = 0) \
    X(s->queues[0].frames[0].bytes = ~7u) \
    X(s->queues[0].frames[0].offset = s->queues[0].frames[0].bytes + 8) \
    X(s->queues[0].frames[0].offset |= 1) \
    X((s->queues[0].frames[0].offset = s->queues[0].frames[0].bytes, \
       s->queues[0].flags &= ~DXGPU_SNAPSHOT_OP_VALID)) \
    X((s->queues[0].flags |= DXGPU_SNAPSHOT_HUNG, \
       s->queues[0].flags &= ~DXGPU_SNAPSHOT_OP_VALID)) \
    X((s->queues[0].flags |= DXGPU_SNAPSHOT_HUNG, \
       s->nodes[0].flags = DXGPU_SNAPSHOT_HALTED)) \
    X((s->queues[0].flags |= DXGPU_SNAPSHOT_HUNG, \
       s->queues[1] = s->queues[0], s->queues[1].id++, \
       s->queues[1].slot = UINT32_MAX)) \
    X(s->queues[0].depth = 3) \
    X(s->queues[0].depth = 1) \
    X(s->queues[0].opcode = 0xff) \
    X(s->queues[0].opcode = DXGPU_OP_NOP) \
    X(s->queues[0].opcode = DXGPU_OP_FENCE_WRITE) \
    X(s->queues[0].op_flags = 0x80) \
    X(s->queues[0].bytes = ~3u) \
    X(s->queues[0].bytes = s->queues[0].done) \
    X(s->queues[0].done = ~0xffffu) \
    X(s->queues[0].done |= 4) \
    X(s->queues[0].dst |= 1) \
    X(s->queues[0].dst = DXGPU_MAX_GPUVA)

#define DXGPU_MAX_GPUVA ((1ull << DXGPU_GPUVA_BITS) - 4)

static void test_refused(void)
{
    struct dxgpu_core_config config = fake_config();
    struct dxgpu_snapshot good, *s = &good;
    struct fake *f, *g;
    struct fake_queue q;
    char why[160];

    config.packet_budget = 1;
    f = fake_new(&config);
    q = start(f);
    fake_space(f, 2);
    fake_queue(f, 6, 0, q.root, 16);
    g = copy_world(f);

#define TRY(change) \
    do { \
        g_assert_true(dxgpu_snapshot_init(&config, s)); \
        dxgpu_core_save(f->core, s); \
        g_assert_cmpuint(s->queues[0].flags, ==, DXGPU_SNAPSHOT_ACTIVE | \
                         DXGPU_SNAPSHOT_OP_VALID); \
        change; \
        why[0] = 0; \
        if (dxgpu_core_load(g->core, s, why, sizeof(why)) || !why[0]) { \
            g_test_message("not refused: %s (%s)", #change, why); \
            g_test_fail(); \
        } \
        dxgpu_snapshot_free(s); \
    } while (0);
    EVERY_NUMBER(TRY)

    g_assert_cmpuint(dxgpu_core_status(g->core), ==, DXGPU_STATUS_DISABLED);
    g_assert_cmpuint(fake_stat(g, DXGPU_STAT_QUEUES), ==, 0);
    fake_free(f);
    fake_free(g);
}

/* One number of a record of this size becomes another, often a likely one. */
static void mutate(GRand *rand, void *records, size_t bytes)
{
    static const uint64_t likely[] = {
        0, 1, 2, 3, 7, 8, 16, 127, 128, 4096, 0xffff, 0x10000, 1u << 31,
        UINT32_MAX, 1ull << 47, 1ull << 48, UINT64_MAX - 7, UINT64_MAX,
    };
    uint64_t value = likely[g_rand_int_range(rand, 0, G_N_ELEMENTS(likely))];
    size_t size = g_rand_boolean(rand) ? 4 : 8;
    size_t at = g_rand_int_range(rand, 0, bytes / size) * size;

    if (g_rand_int_range(rand, 0, 4) == 0) {
        value = 1ull << g_rand_int_range(rand, 0, 64);
    }
    memcpy((char *)records + at, &value, size);
}

/*
 * Whatever is accepted is safe to run: some numbers are changed at random, and
 * the device works on with what came of it, resets, and works again.
 */
static void test_random(void)
{
    struct dxgpu_core_config config = fake_config();
    struct dxgpu_snapshot s;
    struct fake *f, *g;
    struct fake_queue q;
    GRand *rand = g_rand_new_with_seed(20261121);
    unsigned int i, n, accepted = 0;
    char why[160];

    config.packet_budget = 1;
    f = fake_new(&config);
    q = start(f);
    fake_space(f, 2);
    fake_queue(f, 6, 0, q.root, 16);
    g = copy_world(f);
    for (i = 0; i < 3000; i++) {
        g_assert_true(dxgpu_snapshot_init(&config, &s));
        dxgpu_core_save(f->core, &s);
        for (n = g_rand_int_range(rand, 1, 4); n; n--) {
            switch (g_rand_int_range(rand, 0, 8)) {
            case 0:
                mutate(rand, s.spaces, 2 * sizeof(*s.spaces));
                break;
            case 1:
                mutate(rand, s.contexts, sizeof(*s.contexts));
                break;
            case 2:
                mutate(rand, s.nodes, sizeof(s.nodes));
                break;
            default:
                mutate(rand, s.queues, 2 * sizeof(*s.queues));
                break;
            }
        }
        if (dxgpu_core_load(g->core, &s, why, sizeof(why))) {
            accepted++;
            for (n = 0; n < 20; n++) {
                dxgpu_core_run(g->core, 0);
            }
            dxgpu_core_doorbell(g->core, 1, 1);
            dxgpu_core_control(g->core, DXGPU_CONTROL_RESET);
            dxgpu_core_run(g->core, 0);
            g_assert_cmpuint(dxgpu_core_status(g->core), ==,
                             DXGPU_STATUS_DISABLED);
        }
        dxgpu_snapshot_free(&s);
    }
    g_test_message("%u of %u accepted", accepted, i);
    g_assert_cmpuint(accepted, >, 100);
    g_assert_cmpuint(accepted, <, i);
    g_rand_free(rand);
    fake_free(f);
    fake_free(g);
}

/* The message is cut to the room that there is. */
static void test_short_message(void)
{
    struct fake *f = fake_new(NULL);
    struct dxgpu_snapshot s;
    char why[8];

    g_assert_true(dxgpu_snapshot_init(&f->config, &s));
    s.state = 99;
    g_assert_false(dxgpu_core_load(f->core, &s, why, sizeof(why)));
    g_assert_cmpstr(why, ==, "STATUS ");
    dxgpu_snapshot_free(&s);
    fake_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/snapshot/mid-packet", test_mid_packet);
    g_test_add_func("/snapshot/requests", test_requests);
    g_test_add_func("/snapshot/faulted", test_faulted);
    g_test_add_func("/snapshot/in-a-reset", test_reset);
    g_test_add_func("/snapshot/refused", test_refused);
    g_test_add_func("/snapshot/random", test_random);
    g_test_add_func("/snapshot/short-message", test_short_message);
    return g_test_run();
}
