/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engines that hang, requests that are held back, and the reset of an engine:
 * the queue that holds the node is stopped, the others lose nothing and do
 * nothing twice (DEV-13, DDI-RE-1, DDI-RE-3, DDI-RE-7, FH-16, FH-23, FH-27,
 * OBJ-24). Also rings that are late (ORD-8) and a fetch that faults (FH-13).
 */
#include <string.h>

#include "fake.h"
#include "snapshot.h"

#define BAD     0xbadbadull     /* the fence value that hangs */

/*
 * Node 0 has the contexts 0 (queue 0, which is to hang, and queue 1) and 1
 * (queue 2), node 1 has context 2 (queue 3). All are bound to slots.
 */
struct world {
    struct fake *f;
    struct fake_queue q[4];
};

static struct world world_of(const struct dxgpu_core_config *config)
{
    static const uint32_t contexts[] = { 0, 0, 1, 2 };
    struct world w = { .f = fake_new(config) };
    uint64_t root = fake_space(w.f, 0);
    uint32_t i;

    for (i = 0; i < 3; i++) {
        fake_context(w.f, i, 0, i / 2);
    }
    for (i = 0; i < G_N_ELEMENTS(w.q); i++) {
        w.q[i] = fake_queue(w.f, i, contexts[i], root, 16);
        g_assert_cmpint(fake_cmd2(w.f, DXGPU_CMD_DOORBELL_BIND, i, i), ==,
                        DXGPU_CMD_OK);
    }
    fake_run(w.f);
    dxgpu_core_int_clear(w.f->core, ~0u);
    return w;
}

static void inject(struct fake *f, struct dxgpu_inject faults)
{
    dxgpu_core_inject(f->core, &faults);
}

#define INJECT(f, ...)  inject(f, (struct dxgpu_inject){ __VA_ARGS__ })

/* An entry of NOPs before a fence, with the fence value of the ones to hang. */
static void submit_bad(struct fake_queue *q)
{
    fake_put_nop(q, 8);
    fake_put_fence(q, q->data, 1, 0);
    fake_submit(q);
    fake_entry(q, q->wp - 1)->fence_value = BAD;
    dxgpu_core_doorbell(q->f->core, q->id, q->wp);
}

static void submit_good(struct fake_queue *q)
{
    fake_submit_fence(q, q->wp + 1);
    dxgpu_core_doorbell(q->f->core, q->id, q->wp);
}

/* All that was submitted is done, each entry once. */
static void assert_done(struct fake_queue *q)
{
    g_assert_cmpuint(fake_load(q->f, q->data_bus), ==, q->wp);
    g_assert_cmpuint(fake_control(q)->rp, ==, q->wp);
    g_assert_cmpuint(fake_queue_status(q->f, q->id)->entries, ==, q->wp);
}

static void assert_not_begun(struct fake_queue *q)
{
    g_assert_cmpuint(fake_load(q->f, q->data_bus), ==, 0);
    g_assert_cmpuint(fake_control(q)->rp, ==, 0);
}

static struct world hang(const struct dxgpu_core_config *config)
{
    struct world w = world_of(config);
    uint32_t i;

    INJECT(w.f, .hang_fence = BAD);
    submit_bad(&w.q[0]);
    fake_run(w.f);
    for (i = 1; i < 4; i++) {
        submit_good(&w.q[i]);
    }
    fake_run(w.f);
    return w;
}

static uint32_t reset(struct fake *f, uint32_t node, uint64_t fence)
{
    return fake_cmd2(f, DXGPU_CMD_ENGINE_RESET, node, fence);
}

static uint32_t resume(struct fake *f, uint32_t node)
{
    return fake_cmd1(f, DXGPU_CMD_ENGINE_RESUME, node);
}

/* The others of the node wait, other nodes go on, nobody gets an answer. */
static void test_hang(void)
{
    struct world w = hang(NULL);
    volatile struct dxgpu_node_status *node = fake_node_status(w.f, 0);
    uint64_t packets = node->packets, samples;

    g_assert_cmpuint(fake_queue_status(w.f, 0)->state, ==,
                     DXGPU_QUEUE_RUNNING);
    g_assert_cmpuint(node->running_queue, ==, 0);
    g_assert_cmpuint(node->runnable, ==, 3);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_HANGS), ==, 1);
    assert_not_begun(&w.q[0]);
    assert_not_begun(&w.q[1]);
    assert_not_begun(&w.q[2]);
    assert_done(&w.q[3]);

    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 11);
    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 0, 12);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 0);
    g_assert_cmpuint(fake_queue_status(w.f, 0)->remove_fence, ==, 0);

    /* Others get theirs: a neighbour's suspend and removal, any invalidate. */
    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 1, 13);
    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 2, 14);
    fake_cmd4(w.f, DXGPU_CMD_SPACE_INVALIDATE, 0, 0, 0, 15);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 1)->suspend_fence, ==, 13);
    g_assert_cmpuint(fake_queue_status(w.f, 2)->remove_fence, ==, 14);
    g_assert_cmpuint(fake_space_status(w.f, 0)->invalidate_fence, ==, 15);

    /* It touches nothing, so nothing can make it stop. */
    samples = fake_stat(w.f, DXGPU_STAT_SAMPLES);
    w.f->bus_master = false;
    fake_store_wp(&w.q[0], 99);
    dxgpu_core_doorbell(w.f->core, 0, 99);
    fake_run(w.f);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_SAMPLES), ==, samples);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_FAULTS), ==, 0);
    g_assert_cmpuint(node->packets, ==, packets);
    fake_free(w.f);
}

/* A hang that ends, as if nothing had been; answers come late. */
static void test_hang_ends(void)
{
    struct world w = hang(NULL);
    int i;

    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 11);
    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 12);
    fake_run(w.f);
    /* Another fault does not concern it. */
    INJECT(w.f, .hang_fence = BAD, .hold_removals = true);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 0);

    INJECT(w.f, 0);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 12);
    assert_not_begun(&w.q[0]);
    fake_cmd1(w.f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_run(w.f);
    for (i = 0; i < 4; i++) {
        assert_done(&w.q[i]);
    }
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_FAULTS), ==, 0);
    fake_free(w.f);
}

/* Removal of a queue in a hang that ends: acknowledged, and not executed. */
static void test_hang_ends_removal(void)
{
    struct world w = hang(NULL);

    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 0, 12);
    fake_run(w.f);
    INJECT(w.f, 0);
    fake_run(w.f);
    g_assert_cmpuint(fake_queue_status(w.f, 0)->remove_fence, ==, 12);
    g_assert_cmpuint(fake_queue_status(w.f, 0)->state, ==, DXGPU_QUEUE_ABSENT);
    assert_not_begun(&w.q[0]);
    assert_done(&w.q[1]);
    assert_done(&w.q[2]);
    fake_free(w.f);
}

/* Whatever a broken node takes up hangs; the next one after a reset too. */
static void test_hang_node(void)
{
    struct world w = world_of(NULL);
    int i;

    INJECT(w.f, .hang_nodes = 1);
    for (i = 0; i < 4; i++) {
        submit_good(&w.q[i]);
    }
    fake_run(w.f);
    for (i = 0; i < 3; i++) {
        assert_not_begun(&w.q[i]);
    }
    assert_done(&w.q[3]);
    reset(w.f, 0, 1);
    resume(w.f, 0);
    fake_run(w.f);
    resume(w.f, 0);
    fake_run(w.f);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_HANGS), ==, 2);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_FAULTS), ==, 1);

    INJECT(w.f, 0);
    fake_run(w.f);
    for (i = 0; i < 4; i++) {
        if (fake_queue_status(w.f, i)->state == DXGPU_QUEUE_FAULTED) {
            assert_not_begun(&w.q[i]);
        } else {
            assert_done(&w.q[i]);
        }
    }
    fake_free(w.f);
}

/* The reset stops the one that hangs; the others go on after the resume. */
static void test_reset(void)
{
    struct world w = hang(NULL);
    volatile struct dxgpu_queue_status *status;
    volatile struct dxgpu_node_status *node = fake_node_status(w.f, 0);

    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 11);
    fake_run(w.f);
    dxgpu_core_int_clear(w.f->core, ~0u);
    g_assert_cmpint(reset(w.f, 0, 20), ==, DXGPU_CMD_OK);
    fake_run(w.f);

    g_assert_cmpuint(node->reset_fence, ==, 20);
    g_assert_cmpuint(node->reset_queue, ==, 0);
    g_assert_cmpuint(node->reset_entry, ==, BAD);
    g_assert_cmpuint(node->running_queue, ==, DXGPU_NO_QUEUE);
    g_assert_cmpuint(dxgpu_core_int_cause(w.f->core), ==,
                     DXGPU_INT_ACK | DXGPU_INT_FAULT);
    status = fake_assert_fault(&w.q[0], DXGPU_FAULT_RESET);
    g_assert_cmpuint(status->fault_fence, ==, BAD);
    g_assert_cmpuint(status->fault_rp, ==, 0);
    g_assert_cmpuint(status->fault_gpuva, ==, 0);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 11);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_ENGINE_RESETS), ==, 1);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_RESETS), ==, 0);

    /* The node stands until it is resumed; what comes meanwhile is seen then. */
    submit_good(&w.q[2]);
    fake_run(w.f);
    assert_not_begun(&w.q[2]);
    submit_good(&w.q[3]);
    fake_run(w.f);
    assert_done(&w.q[3]);
    fake_submit_fence(&w.q[2], w.q[2].wp + 1);  /* no ring */
    g_assert_cmpint(resume(w.f, 0), ==, DXGPU_CMD_OK);
    fake_run(w.f);
    assert_done(&w.q[2]);
    assert_not_begun(&w.q[0]);
    assert_not_begun(&w.q[1]);

    /* Its neighbour in the suspended context has lost nothing either. */
    fake_cmd1(w.f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_run(w.f);
    assert_done(&w.q[1]);
    assert_not_begun(&w.q[0]);
    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 0, 21);
    fake_run(w.f);
    g_assert_cmpuint(fake_queue_status(w.f, 0)->remove_fence, ==, 21);
    g_assert_false(fake_fault_bit(w.f, 0));
    g_assert_cmpuint(node->runnable, ==, 0);
    fake_free(w.f);
}

/* A ring that was lost while the node stood: the resume looks (DDI-RE-7). */
static void test_resume_samples(void)
{
    struct world w = world_of(NULL);

    reset(w.f, 0, 1);
    fake_run(w.f);
    fake_submit_fence(&w.q[2], 1);      /* no ring */
    fake_run(w.f);
    assert_not_begun(&w.q[2]);
    resume(w.f, 0);
    fake_run(w.f);
    assert_done(&w.q[2]);
    fake_free(w.f);
}

/* A removal that waits is acknowledged by the reset. */
static void test_reset_ends_removal(void)
{
    struct world w = hang(NULL);

    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 0, 12);
    fake_run(w.f);
    reset(w.f, 0, 20);
    fake_run(w.f);
    g_assert_cmpuint(fake_queue_status(w.f, 0)->remove_fence, ==, 12);
    g_assert_false(fake_fault_bit(w.f, 0));
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_QUEUES), ==, 3);
    resume(w.f, 0);
    fake_run(w.f);
    assert_done(&w.q[1]);
    assert_done(&w.q[2]);
    fake_free(w.f);
}

/* A queue that gave its node up between two steps is not on it. */
static void test_reset_preempted(void)
{
    struct world w = world_of(NULL);
    int i;

    for (i = 0; i < 20; i++) {
        fake_put_nop(&w.q[1], 8);
    }
    submit_good(&w.q[1]);
    g_assert_true(dxgpu_core_run(w.f->core, 0));
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_PACKETS), ==, 8);
    reset(w.f, 0, 1);
    fake_run(w.f);
    g_assert_cmpuint(fake_node_status(w.f, 0)->reset_fence, ==, 1);
    g_assert_cmpuint(fake_node_status(w.f, 0)->reset_queue, ==,
                     DXGPU_NO_QUEUE);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_PACKETS), ==, 8);
    g_assert_cmpuint(dxgpu_core_int_cause(w.f->core), ==, DXGPU_INT_ACK);
    resume(w.f, 0);
    fake_run(w.f);
    assert_done(&w.q[1]);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_PACKETS), ==, 21);
    fake_free(w.f);
}

static void submit_delay(struct fake_queue *q, uint64_t ns)
{
    struct dxgpu_packet_delay p = {
        .header = { .opcode = DXGPU_OP_DELAY, .bytes = sizeof(p) },
        .ns = ns,
    };

    fake_put(q, &p, sizeof(p));
    submit_good(q);
}

/* A delay holds its node: it is stopped, that of another node is not. */
static void test_reset_delay(void)
{
    struct world w = world_of(NULL);

    w.f->clock_stands = true;
    submit_delay(&w.q[0], 1000000);
    fake_run(w.f);
    submit_delay(&w.q[3], 1000000);
    submit_good(&w.q[2]);
    fake_run(w.f);
    reset(w.f, 0, 1);
    reset(w.f, 0, 2);
    fake_run(w.f);
    fake_assert_fault(&w.q[0], DXGPU_FAULT_RESET);
    g_assert_cmpuint(fake_node_status(w.f, 0)->reset_fence, ==, 2);
    resume(w.f, 0);
    w.f->clock_stands = false;
    fake_run(w.f);
    assert_done(&w.q[2]);
    assert_done(&w.q[3]);
    assert_not_begun(&w.q[0]);
    g_assert_cmpuint(fake_node_status(w.f, 1)->reset_fence, ==, 0);
    fake_free(w.f);
}

/* Acknowledgements that the hardware owes, late or by a reset of the node. */
static void test_held_back(void)
{
    struct world w = world_of(NULL);

    INJECT(w.f, .hold_suspends = true, .hold_removals = true);
    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 1);
    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 2, 2);
    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 2, 3);
    fake_run(w.f);
    submit_good(&w.q[1]);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 0);
    g_assert_cmpuint(fake_context_status(w.f, 2)->suspend_fence, ==, 0);
    g_assert_cmpuint(fake_queue_status(w.f, 2)->remove_fence, ==, 0);
    assert_not_begun(&w.q[1]);

    /* Node 0's are forced, the other's is not, a new one is not. */
    reset(w.f, 0, 4);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 1);
    g_assert_cmpuint(fake_queue_status(w.f, 2)->remove_fence, ==, 3);
    g_assert_cmpuint(fake_context_status(w.f, 2)->suspend_fence, ==, 0);
    resume(w.f, 0);
    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 5);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 1);

    INJECT(w.f, 0);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 5);
    g_assert_cmpuint(fake_context_status(w.f, 2)->suspend_fence, ==, 2);
    fake_cmd1(w.f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_run(w.f);
    assert_done(&w.q[1]);
    fake_free(w.f);
}

/* A context that was held back comes anew on the node of another worker. */
static void test_held_back_elsewhere(void)
{
    struct dxgpu_core_config config = fake_config();
    struct world w;

    config.workers = 2;
    w = world_of(&config);
    INJECT(w.f, .hold_suspends = true);
    fake_context(w.f, 5, 0, 1);
    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 5, 1);
    fake_run(w.f);
    fake_cmd1(w.f, DXGPU_CMD_CONTEXT_DESTROY, 5);
    fake_context(w.f, 5, 0, 0);
    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 5, 2);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 5)->suspend_fence, ==, 0);
    reset(w.f, 0, 3);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 5)->suspend_fence, ==, 2);
    g_assert_cmpuint(fake_context_status(w.f, 5)->suspended, ==, 1);
    fake_free(w.f);
}

static void test_reset_refused(void)
{
    struct world w = hang(NULL);

    INJECT(w.f, .hang_fence = BAD,
           .engine_reset = DXGPU_INJECT_RESET_REFUSE);
    g_assert_cmpint(reset(w.f, 0, 1), ==, DXGPU_CMD_ERR_HARDWARE);
    g_assert_cmpint(reset(w.f, w.f->config.nodes, 1), ==, DXGPU_CMD_ERR_ID);
    g_assert_cmpint(resume(w.f, w.f->config.nodes), ==, DXGPU_CMD_ERR_ID);
    fake_run(w.f);
    g_assert_cmpuint(fake_node_status(w.f, 0)->reset_fence, ==, 0);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_FAULTS), ==, 0);

    INJECT(w.f, .hang_fence = BAD,
           .engine_reset = DXGPU_INJECT_RESET_IGNORE);
    g_assert_cmpint(reset(w.f, 0, 2), ==, DXGPU_CMD_OK);
    fake_run(w.f);
    g_assert_cmpuint(fake_node_status(w.f, 0)->reset_fence, ==, 0);
    g_assert_cmpint(resume(w.f, 0), ==, DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(fake_queue_status(w.f, 0)->state, ==,
                     DXGPU_QUEUE_RUNNING);

    /* A late one is one all the same. */
    INJECT(w.f, .hang_fence = BAD);
    fake_run(w.f);
    g_assert_cmpuint(fake_node_status(w.f, 0)->reset_fence, ==, 2);
    g_assert_cmpint(resume(w.f, 0), ==, DXGPU_CMD_OK);
    fake_run(w.f);
    assert_done(&w.q[1]);
    assert_done(&w.q[2]);
    fake_free(w.f);
}

/* The whole device's reset ends a hang, and what was held back is forgotten. */
static void test_device_reset(void)
{
    struct world w = hang(NULL);
    struct fake_queue q;

    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 11);
    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 0, 12);
    reset(w.f, 1, 13);
    fake_run(w.f);
    dxgpu_core_control(w.f->core, DXGPU_CONTROL_RESET);
    fake_run(w.f);
    g_assert_cmpuint(dxgpu_core_status(w.f->core), ==, DXGPU_STATUS_DISABLED);
    g_assert_cmpuint(fake_node_status(w.f, 1)->reset_fence, ==, 0);
    dxgpu_core_control(w.f->core, DXGPU_CONTROL_ENABLE);
    INJECT(w.f, 0);
    q = fake_bound_queue(w.f, 0, 0);
    submit_good(&q);
    fake_run(w.f);
    assert_done(&q);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 0);
    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 0, 14);
    fake_run(w.f);
    g_assert_cmpuint(fake_queue_status(w.f, 0)->remove_fence, ==, 14);
    fake_free(w.f);
}

/* Another device takes over, with what faults it has; true: the same. */
static struct world move(struct world w, bool broken)
{
    struct world n = w;
    struct dxgpu_snapshot s;
    char why[160] = "";
    int i;

    n.f = fake_new(&w.f->config);
    memcpy(n.f->mem, w.f->mem, w.f->mem_used);
    n.f->mem_used = w.f->mem_used;
    memcpy(n.f->status, w.f->status, w.f->layout.size);
    g_assert_true(dxgpu_snapshot_init(&w.f->config, &s));
    dxgpu_core_save(w.f->core, &s);
    if (broken) {
        INJECT(n.f, .hang_fence = BAD);
    }
    g_assert_true(dxgpu_core_load(n.f->core, &s, why, sizeof(why)));
    dxgpu_snapshot_free(&s);
    fake_free(w.f);
    for (i = 0; i < 4; i++) {
        n.q[i].f = n.f;
    }
    return n;
}

/* Saved in a hang with requests: it hangs on, or goes on where it stood. */
static void test_snapshot_hang(void)
{
    struct world w = hang(NULL);

    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 11);
    fake_run(w.f);
    w = move(w, true);
    fake_run(w.f);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 0);
    assert_not_begun(&w.q[0]);
    assert_not_begun(&w.q[2]);
    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 0, 12);
    fake_run(w.f);
    g_assert_cmpuint(fake_queue_status(w.f, 0)->remove_fence, ==, 0);
    w = move(w, false);
    fake_run(w.f);
    g_assert_cmpuint(fake_queue_status(w.f, 0)->remove_fence, ==, 12);
    g_assert_cmpuint(fake_context_status(w.f, 0)->suspend_fence, ==, 11);
    fake_cmd1(w.f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_run(w.f);
    assert_not_begun(&w.q[0]);
    assert_done(&w.q[1]);
    assert_done(&w.q[2]);
    assert_done(&w.q[3]);
    fake_free(w.f);
}

/* Saved before a reset is served, and while the node stands. */
static void test_snapshot_reset(void)
{
    struct world w = hang(NULL);

    reset(w.f, 0, 5);
    w = move(w, true);
    fake_run(w.f);
    g_assert_cmpuint(fake_node_status(w.f, 0)->reset_fence, ==, 5);
    assert_not_begun(&w.q[2]);
    w = move(w, true);
    fake_run(w.f);
    assert_not_begun(&w.q[2]);
    resume(w.f, 0);
    w = move(w, true);
    fake_run(w.f);
    fake_assert_fault(&w.q[0], DXGPU_FAULT_RESET);
    assert_done(&w.q[1]);
    assert_done(&w.q[2]);
    fake_free(w.f);
}

static void hold_rings(struct fake *f, bool on)
{
    INJECT(f, .hold_rings = on);
}

/*
 * A ring that is held back is counted and comes late, to its queue alone; and a
 * queue without it is as it was (DEV-13, KMT-CD-5).
 */
static void test_rings_held(void)
{
    struct world w = world_of(NULL);
    uint64_t samples;

    hold_rings(w.f, true);
    submit_good(&w.q[0]);
    fake_submit_fence(&w.q[1], 1);
    fake_run(w.f);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_DOORBELL_WRITES), ==, 1);
    assert_not_begun(&w.q[0]);
    INJECT(w.f, .hold_rings = true, .hang_fence = BAD);
    fake_run(w.f);
    assert_not_begun(&w.q[0]);

    hold_rings(w.f, false);
    fake_run(w.f);
    assert_done(&w.q[0]);
    assert_not_begun(&w.q[1]);
    samples = fake_stat(w.f, DXGPU_STAT_SAMPLES);
    hold_rings(w.f, false);
    fake_run(w.f);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_SAMPLES), ==, samples);
    submit_good(&w.q[0]);
    fake_run(w.f);
    assert_done(&w.q[0]);
    fake_free(w.f);
}

/* The rings come to the queues of each worker. */
static void test_rings_held_workers(void)
{
    struct dxgpu_core_config config = fake_config();
    struct world w;
    uint32_t i;

    config.workers = 2;
    w = world_of(&config);
    hold_rings(w.f, true);
    for (i = 0; i < 4; i++) {
        submit_good(&w.q[i]);
    }
    fake_run(w.f);
    assert_not_begun(&w.q[0]);
    assert_not_begun(&w.q[3]);
    hold_rings(w.f, false);
    fake_run(w.f);
    for (i = 0; i < 4; i++) {
        assert_done(&w.q[i]);
    }
    fake_free(w.f);
}

/*
 * What samples for a reason of its own finds the work of a ring that is held
 * back: the end of the binding (ORD-8, DEV-4), a bind, a kick, a resume. When
 * the ring comes, there is nothing left to do, and the work is not done again.
 */
static void test_rings_held_samples(void)
{
    struct world w = world_of(NULL);
    uint32_t i;

    hold_rings(w.f, true);
    for (i = 0; i < 4; i++) {
        submit_good(&w.q[i]);
    }
    fake_cmd1(w.f, DXGPU_CMD_DOORBELL_UNBIND, 0);
    fake_cmd1(w.f, DXGPU_CMD_QUEUE_KICK, 1);
    fake_cmd2(w.f, DXGPU_CMD_CONTEXT_SUSPEND, 1, 1);
    fake_run(w.f);
    fake_cmd1(w.f, DXGPU_CMD_CONTEXT_RESUME, 1);
    fake_run(w.f);
    assert_done(&w.q[0]);
    assert_done(&w.q[1]);
    assert_done(&w.q[2]);
    assert_not_begun(&w.q[3]);
    fake_submit_fence(&w.q[0], 2);
    fake_cmd2(w.f, DXGPU_CMD_DOORBELL_BIND, 0, 0);
    fake_run(w.f);
    assert_done(&w.q[0]);

    hold_rings(w.f, false);
    fake_run(w.f);
    for (i = 0; i < 4; i++) {
        assert_done(&w.q[i]);
    }
    fake_free(w.f);
}

/* A ring that is held back does not outlive its queue (KMT-CD-5). */
static void test_rings_held_removal(void)
{
    struct world w = world_of(NULL);
    struct fake_queue q;

    hold_rings(w.f, true);
    submit_good(&w.q[2]);
    fake_cmd2(w.f, DXGPU_CMD_QUEUE_REMOVE, 2, 1);
    fake_run(w.f);
    q = fake_queue(w.f, 2, 1, w.q[0].root, 16);
    fake_submit_fence(&q, 1);
    hold_rings(w.f, false);
    fake_run(w.f);
    assert_not_begun(&q);
    g_assert_cmpuint(fake_queue_status(w.f, 2)->samples, ==, 0);
    fake_free(w.f);
}

/* The n-th entry that is fetched stops its queue, and no other one. */
static void test_fault_entry(void)
{
    struct world w = world_of(NULL);
    volatile struct dxgpu_queue_status *status;

    dxgpu_core_set_fault_entry(w.f->core, 3);
    submit_good(&w.q[0]);
    fake_run(w.f);
    g_assert_cmpuint(dxgpu_core_fault_entry(w.f->core), ==, 2);
    INJECT(w.f, .hold_reset = true);
    submit_good(&w.q[1]);
    fake_run(w.f);
    g_assert_cmpuint(dxgpu_core_fault_entry(w.f->core), ==, 1);
    submit_good(&w.q[0]);
    submit_good(&w.q[0]);
    fake_run(w.f);
    g_assert_cmpuint(dxgpu_core_fault_entry(w.f->core), ==, 0);

    status = fake_assert_fault(&w.q[0], DXGPU_FAULT_UNMAPPED);
    g_assert_cmphex(status->fault_gpuva, ==,
                    w.q[0].ring + sizeof(struct dxgpu_ring_entry));
    g_assert_cmpuint(fake_load(w.f, w.q[0].data_bus), ==, 1);
    g_assert_cmpuint(fake_control(&w.q[0])->rp, ==, 1);
    g_assert_cmpuint(fake_stat(w.f, DXGPU_STAT_FAULTS), ==, 1);
    submit_good(&w.q[1]);
    submit_good(&w.q[2]);
    submit_good(&w.q[3]);
    fake_run(w.f);
    assert_done(&w.q[1]);
    assert_done(&w.q[2]);
    assert_done(&w.q[3]);
    fake_free(w.f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/engine/hang", test_hang);
    g_test_add_func("/engine/hang-ends", test_hang_ends);
    g_test_add_func("/engine/hang-ends-removal", test_hang_ends_removal);
    g_test_add_func("/engine/hang-node", test_hang_node);
    g_test_add_func("/engine/reset", test_reset);
    g_test_add_func("/engine/resume-samples", test_resume_samples);
    g_test_add_func("/engine/reset-ends-removal", test_reset_ends_removal);
    g_test_add_func("/engine/reset-preempted", test_reset_preempted);
    g_test_add_func("/engine/reset-delay", test_reset_delay);
    g_test_add_func("/engine/held-back", test_held_back);
    g_test_add_func("/engine/held-back-elsewhere", test_held_back_elsewhere);
    g_test_add_func("/engine/reset-refused", test_reset_refused);
    g_test_add_func("/engine/device-reset", test_device_reset);
    g_test_add_func("/engine/rings-held", test_rings_held);
    g_test_add_func("/engine/rings-held-workers", test_rings_held_workers);
    g_test_add_func("/engine/rings-held-samples", test_rings_held_samples);
    g_test_add_func("/engine/rings-held-removal", test_rings_held_removal);
    g_test_add_func("/engine/fault-entry", test_fault_entry);
    g_test_add_func("/engine/snapshot-hang", test_snapshot_hang);
    g_test_add_func("/engine/snapshot-reset", test_snapshot_reset);
    return g_test_run();
}
