/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TIMESTAMP, DELAY and INDIRECT: time on the device's clock, a node that is
 * held and given back, command buffers within command buffers.
 */
#include <string.h>

#include "fake.h"
#include "snapshot.h"

#define DELAY_NS        1000000

static void put_timestamp(struct fake_queue *q, uint64_t gpuva)
{
    struct dxgpu_packet_timestamp p = {
        .header = { .opcode = DXGPU_OP_TIMESTAMP, .bytes = sizeof(p) },
        .gpuva = gpuva,
    };

    fake_put(q, &p, sizeof(p));
}

static void put_delay(struct fake_queue *q, uint64_t ns)
{
    struct dxgpu_packet_delay p = {
        .header = { .opcode = DXGPU_OP_DELAY, .bytes = sizeof(p) },
        .ns = ns,
    };

    fake_put(q, &p, sizeof(p));
}

static void put_indirect(struct fake_queue *q, uint64_t gpuva, uint32_t bytes)
{
    struct dxgpu_packet_indirect p = {
        .header = { .opcode = DXGPU_OP_INDIRECT, .bytes = sizeof(p) },
        .gpuva = gpuva,
        .bytes = bytes,
    };

    fake_put(q, &p, sizeof(p));
}

/* What was put for the queue becomes a buffer at this place of its data. */
static uint32_t to_data(struct fake_queue *q, uint32_t at)
{
    uint64_t from = q->commands_bus + q->wp % q->entries * FAKE_COMMAND_BYTES;
    uint32_t length = q->length;

    memcpy(fake_ptr(q->f, q->data_bus + at), fake_ptr(q->f, from), length);
    q->length = 0;
    return length;
}

static uint64_t data(struct fake_queue *q, uint32_t at)
{
    return fake_load(q->f, q->data_bus + at);
}

static void kick(struct fake_queue *q)
{
    g_assert_cmpuint(fake_cmd1(q->f, DXGPU_CMD_QUEUE_KICK, q->id), ==, 0);
    fake_run(q->f);
}

/* A delay between two timestamps, and a fence. */
static void submit_delay(struct fake_queue *q, uint64_t ns)
{
    put_timestamp(q, q->data);
    put_delay(q, ns);
    put_timestamp(q, q->data + 8);
    fake_put_fence(q, q->data + 16, 1, 0);
    fake_submit(q);
}

static void test_delay(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 3, 0);

    submit_delay(&q, DELAY_NS);
    kick(&q);
    g_assert_cmpuint(data(&q, 16), ==, 1);
    g_assert_cmpuint(data(&q, 8) - data(&q, 0), >=, DELAY_NS);
    g_assert_cmpuint(data(&q, 8) - data(&q, 0), <, DELAY_NS + 1000);
    g_assert_cmpuint(fake_node_status(f, 0)->busy_ns, >=, DELAY_NS);
    g_assert_cmpuint(fake_node_status(f, 0)->runnable, ==, 0);
    g_assert_cmpuint(fake_node_status(f, 0)->running_queue, ==,
                     DXGPU_NO_QUEUE);
    g_assert_cmpuint(fake_node_status(f, 0)->packets, ==, 4);

    /* None at all is allowed. */
    submit_delay(&q, 0);
    kick(&q);
    g_assert_cmpuint(data(&q, 8) - data(&q, 0), <, 1000);
    fake_free(f);
}

/* The node is held, other nodes go on. */
static void test_delay_holds_node(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue a = fake_bound_queue(f, 3, 0);
    struct fake_queue b = fake_queue(f, 4, 0, a.root, 16);
    struct fake_queue c;

    fake_context(f, 1, 0, 1);
    c = fake_queue(f, 5, 1, a.root, 16);
    f->clock_stands = true;
    submit_delay(&a, DELAY_NS);
    kick(&a);
    g_assert_cmpuint(f->wake_at[0], >, f->clock);
    g_assert_cmpuint(f->wake_at[0], <=, f->clock + DELAY_NS);
    fake_submit_fence(&b, 7);
    kick(&b);
    fake_submit_fence(&c, 8);
    kick(&c);
    g_assert_cmpuint(data(&a, 16), ==, 0);
    g_assert_cmpuint(data(&b, 0), ==, 0);
    g_assert_cmpuint(data(&c, 0), ==, 8);
    g_assert_cmpuint(fake_node_status(f, 0)->running_queue, ==, 3);
    g_assert_cmpuint(fake_node_status(f, 0)->runnable, ==, 2);
    g_assert_cmpuint(fake_queue_status(f, 3)->state, ==, DXGPU_QUEUE_RUNNING);
    g_assert_cmpuint(fake_queue_status(f, 4)->state, ==, DXGPU_QUEUE_READY);
    /* A ring for the holder changes nothing. */
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    g_assert_cmpuint(fake_node_status(f, 0)->runnable, ==, 2);

    f->clock_stands = false;
    fake_run(f);
    g_assert_cmpuint(data(&a, 16), ==, 1);
    g_assert_cmpuint(data(&b, 0), ==, 7);
    fake_free(f);
}

/* Suspended at once; the rest of the time follows after the resume. */
static void test_delay_is_preempted(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue a = fake_bound_queue(f, 3, 0);
    struct fake_queue b;
    uint64_t rest;

    fake_context(f, 1, 0, 0);
    b = fake_queue(f, 4, 1, a.root, 16);
    f->clock_stands = true;
    submit_delay(&a, DELAY_NS);
    kick(&a);
    f->clock += DELAY_NS / 4;
    fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 9);
    fake_run(f);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 9);
    g_assert_cmpuint(fake_queue_status(f, 3)->state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    g_assert_cmpuint(fake_node_status(f, 0)->runnable, ==, 0);
    fake_submit_fence(&b, 7);
    kick(&b);
    g_assert_cmpuint(data(&b, 0), ==, 7);
    f->clock += 10 * DELAY_NS;

    fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_run(f);
    g_assert_cmpuint(data(&a, 16), ==, 0);
    rest = f->wake_at[0] - f->clock;
    g_assert_cmpuint(rest, <=, DELAY_NS * 3 / 4);
    g_assert_cmpuint(rest, >, DELAY_NS / 2);
    f->clock_stands = false;
    fake_run(f);
    g_assert_cmpuint(data(&a, 16), ==, 1);
    fake_free(f);
}

static void test_delay_and_removal(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue a = fake_bound_queue(f, 3, 0);
    struct fake_queue b = fake_queue(f, 4, 0, a.root, 16);

    f->clock_stands = true;
    submit_delay(&a, DELAY_NS);
    kick(&a);
    fake_submit_fence(&b, 7);
    kick(&b);
    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 3, 9);
    fake_run(f);
    g_assert_cmpuint(fake_queue_status(f, 3)->remove_fence, ==, 9);
    g_assert_cmpuint(data(&b, 0), ==, 7);
    g_assert_cmpuint(fake_node_status(f, 0)->runnable, ==, 0);

    /* A holder whose WP is found impossible faults, and the node is free. */
    submit_delay(&b, DELAY_NS);
    kick(&b);
    fake_store_wp(&b, 99);
    kick(&b);
    fake_assert_fault(&b, DXGPU_FAULT_WP);
    g_assert_cmpuint(fake_node_status(f, 0)->runnable, ==, 0);

    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    fake_run(f);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_DISABLED);
    fake_free(f);
}

/* A buffer that is called from a buffer that is called from a buffer. */
static void put_nest(struct fake_queue *q)
{
    uint32_t inner, outer;

    fake_put_fence(q, q->data + 0x10000, 1, 0);
    put_timestamp(q, q->data + 0x10008);
    inner = to_data(q, 0x100);
    put_indirect(q, q->data + 0x100, inner);
    fake_put_fence(q, q->data + 0x10010, 2, 0);
    put_indirect(q, q->data + 0x100, inner);
    outer = to_data(q, 0x200);
    put_indirect(q, q->data + 0x200, outer);
    fake_put_fence(q, q->data + 0x10018, 3, 0);
    put_indirect(q, q->data + 0x200, outer);
}

static void test_indirect(void)
{
    struct dxgpu_core_config config = fake_config();
    struct fake *f;
    struct fake_queue q;

    for (config.packet_budget = 1; config.packet_budget < 20;
         config.packet_budget++) {
        f = fake_new(&config);
        q = fake_bound_queue(f, 3, 0);
        put_nest(&q);
        fake_submit(&q);
        kick(&q);
        g_assert_cmpuint(fake_queue_status(f, 3)->fault_code, ==, 0);
        g_assert_cmpuint(data(&q, 0x10000), ==, 1);
        g_assert_cmpuint(data(&q, 0x10008), >, 0);
        g_assert_cmpuint(data(&q, 0x10010), ==, 2);
        g_assert_cmpuint(data(&q, 0x10018), ==, 3);
        g_assert_cmpuint(fake_control(&q)->rp, ==, 1);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FENCE_WRITES), ==, 7);
        fake_free(f);
    }
}

static void test_too_deep(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 3, 0);
    uint32_t length;

    /* It calls itself: the third time is the one too many. */
    put_timestamp(&q, q.data + 0x10000);
    put_indirect(&q, q.data + 0x100, 40);
    length = to_data(&q, 0x100);
    g_assert_cmpuint(length, ==, 40);
    put_indirect(&q, q.data + 0x100, length);
    fake_submit(&q);
    kick(&q);
    fake_assert_fault(&q, DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(fake_node_status(f, 0)->packets, ==, 4);
    fake_free(f);
}

/* A buffer that is not there; and one that writes over what follows in it. */
static void test_bad_buffers(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 3, 0);
    uint64_t gpuva = 0x7000000000ull;
    uint32_t length;

    put_indirect(&q, gpuva, 64);
    fake_submit(&q);
    kick(&q);
    g_assert_cmpuint(fake_assert_fault(&q, DXGPU_FAULT_UNMAPPED)->fault_gpuva,
                     ==, gpuva);
    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 3, 1);
    fake_run(f);

    q = fake_queue(f, 4, 0, q.root, 16);
    fake_put_fill(&q, q.data + 0x100 + 24, 24, 0xffffffff);
    fake_put_fence(&q, q.data, 1, 0);
    length = to_data(&q, 0x100);
    put_indirect(&q, q.data + 0x100, length);
    put_indirect(&q, q.data + 0x100, length);
    fake_submit(&q);
    kick(&q);
    fake_assert_fault(&q, DXGPU_FAULT_OPCODE);
    fake_free(f);
}

/* Saved in the middle of nested buffers and of a delay. */
static void test_saved(void)
{
    struct dxgpu_core_config config = fake_config();
    struct dxgpu_snapshot s;
    struct fake *f, *g;
    struct fake_queue q;
    unsigned int i, turns, fences;
    char why[160];

    config.packet_budget = 1;
    for (i = 1; i < 20; i++) {
        f = fake_new(&config);
        q = fake_bound_queue(f, 3, 0);
        put_nest(&q);
        put_delay(&q, DELAY_NS);
        fake_submit(&q);
        fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 3);
        for (turns = 0; turns < i; turns++) {
            dxgpu_core_run(f->core, 0);
        }
        f->clock += DELAY_NS / 2;
        fences = fake_stat(f, DXGPU_STAT_FENCE_WRITES);
        g_assert_true(dxgpu_snapshot_init(&config, &s));
        dxgpu_core_save(f->core, &s);

        g = fake_new(&config);
        memcpy(g->mem, f->mem, f->mem_used);
        memcpy(g->status, f->status, f->layout.size);
        g->clock_stands = true;
        g_assert_true(dxgpu_core_load(g->core, &s, why, sizeof(why)));
        g_assert_cmpuint(fake_stat(g, DXGPU_STAT_FENCE_WRITES), ==, fences);
        dxgpu_snapshot_free(&s);
        fake_run(g);
        g_assert_cmpuint(fake_stat(g, DXGPU_STAT_FENCE_WRITES), ==, 7);
        g_assert_cmpuint(g->wake_at[0], >, g->clock);
        g_assert_cmpuint(g->wake_at[0], <=, g->clock + DELAY_NS);
        g->clock_stands = false;
        fake_run(g);
        q.f = g;
        g_assert_cmpuint(fake_control(&q)->rp, ==, 1);
        fake_free(f);
        fake_free(g);
    }
}

/* A node without user submission: commands only. */
static void test_kernel_node(void)
{
    struct dxgpu_core_config config = fake_config();
    struct fake_queue q;
    struct fake *f;

    config.nodes = DXGPU_MAX_NODES;
    config.kernel_nodes = 1u << 15;
    f = fake_new(&config);
    q = fake_bound_queue(f, 3, 0);
    fake_context(f, 1, 0, 15);
    q = fake_queue(f, 4, 1, q.root, 16);
    g_assert_cmpuint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 1, 4), ==,
                     DXGPU_CMD_ERR_ARGUMENT);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SLOTS_BOUND), ==, 1);
    fake_submit_fence(&q, 7);
    kick(&q);
    g_assert_cmpuint(data(&q, 0), ==, 7);
    g_assert_cmpuint(fake_node_status(f, 15)->packets, ==, 1);
    g_assert_cmpuint(fake_cmd3(f, DXGPU_CMD_CONTEXT_CREATE, 2, 0, 16), ==,
                     DXGPU_CMD_ERR_ID);
    fake_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delay/takes-time", test_delay);
    g_test_add_func("/delay/holds-its-node", test_delay_holds_node);
    g_test_add_func("/delay/DEV-10-preempted", test_delay_is_preempted);
    g_test_add_func("/delay/removal-and-fault", test_delay_and_removal);
    g_test_add_func("/indirect/nested", test_indirect);
    g_test_add_func("/indirect/too-deep", test_too_deep);
    g_test_add_func("/indirect/bad-buffers", test_bad_buffers);
    g_test_add_func("/indirect/saved", test_saved);
    g_test_add_func("/node/kernel", test_kernel_node);
    return g_test_run();
}
