/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler: round robin with a budget, nodes, and suspend, resume, remove
 * and invalidate against queues that wait or are in the middle of an entry
 * (DEV-8, DEV-10, DDI-SC-1, DDI-SC-2, DDI-SC-4, DDI-SC-5, DDI-RC-1, OBJ-24).
 */
#include <string.h>

#include "fake.h"

/* count queues of one node, bound to nothing, each with one entry of NOPs. */
static void make_queues(struct fake *f, struct fake_queue *q, int count,
                        int nops)
{
    uint64_t root = fake_space(f, 0);
    int i, j;

    fake_context(f, 0, 0, 0);
    for (i = 0; i < count; i++) {
        q[i] = fake_queue(f, i, 0, root, 16);
        for (j = 0; j < nops; j++) {
            fake_put_nop(&q[i], 8);
        }
        fake_put_fence(&q[i], q[i].data, 1, 0);
        fake_submit(&q[i]);
        fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, i);
    }
}

static int done(struct fake_queue *q)
{
    return fake_control(q)->rp == 1;
}

/* Turns of 8 packets: 20 packets take 3 turns, and all queues take turns. */
static void test_round_robin(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q[3];
    int turn;

    make_queues(f, q, 3, 19);
    for (turn = 1; turn <= 9; turn++) {
        dxgpu_core_run(f->core, 0);
        g_assert_cmpuint(fake_stat(f, DXGPU_STAT_PACKETS), ==,
                         turn <= 6 ? turn * 8 : 48 + (turn - 6) * 4);
        g_assert_cmpint(done(&q[0]), ==, turn >= 7);
        g_assert_cmpint(done(&q[1]), ==, turn >= 8);
        g_assert_cmpint(done(&q[2]), ==, turn >= 9);
    }
    fake_run(f);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_PACKETS), ==, 60);
    fake_free(f);
}

/* A long transfer is a step for each chunk, so it yields to the neighbour. */
static void test_long_packet_yields(void)
{
    struct dxgpu_core_config config = fake_config();
    struct fake *f;
    struct fake_queue a, b;

    config.packet_budget = 1;
    f = fake_new(&config);
    a = fake_bound_queue(f, 0, 0);
    b = fake_queue(f, 1, 0, a.root, 16);
    fake_put_fill(&a, a.data, 3 * 65536, 1);
    fake_submit(&a);
    fake_submit_fence(&b, 5);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 1);
    dxgpu_core_run(f->core, 0);
    g_assert_cmpuint(fake_load(f, b.data_bus), ==, 0);
    dxgpu_core_run(f->core, 0);
    dxgpu_core_run(f->core, 0);
    g_assert_cmpuint(fake_load(f, b.data_bus), ==, 5);
    g_assert_cmpuint(fake_control(&a)->rp, ==, 0);
    fake_run(f);
    g_assert_cmpuint(fake_control(&a)->rp, ==, 1);
    fake_free(f);
}

/* Nodes take turns, however many queues each has. */
static void test_nodes(void)
{
    struct fake *f = fake_new(NULL);
    uint64_t root = fake_space(f, 0);
    struct fake_queue q[8];
    int i, j, context;

    fake_context(f, 0, 0, 0);
    fake_context(f, 1, 0, 2);
    for (i = 0; i < 8; i++) {
        context = i == 7;
        q[i] = fake_queue(f, i, context, root, 16);
        for (j = 0; j < 8; j++) {
            fake_put_nop(&q[i], 8);
        }
        fake_submit(&q[i]);
        fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, i);
    }
    dxgpu_core_run(f->core, 0);
    g_assert_cmpuint(fake_node_status(f, 0)->runnable, ==, 6);
    g_assert_cmpuint(fake_node_status(f, 2)->runnable, ==, 1);
    dxgpu_core_run(f->core, 0);
    g_assert_true(done(&q[7]));
    g_assert_cmpuint(fake_node_status(f, 2)->packets, ==, 8);
    g_assert_cmpuint(fake_node_status(f, 2)->busy_ns, >, 0);
    fake_run(f);
    for (i = 0; i < 3; i++) {
        g_assert_cmpuint(fake_node_status(f, i)->runnable, ==, 0);
        g_assert_cmpuint(fake_node_status(f, i)->running_queue, ==,
                         DXGPU_NO_QUEUE);
    }
    fake_free(f);
}

static void suspend(struct fake *f, uint32_t context, uint64_t fence)
{
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, context, fence),
                    ==, DXGPU_CMD_OK);
}

/* In the middle of an entry: it stops, and goes on where it was. */
static void test_suspend_resume(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q[2];

    make_queues(f, q, 2, 19);
    dxgpu_core_set_int_enable(f->core, DXGPU_INT_ACK);
    dxgpu_core_run(f->core, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_PACKETS), ==, 8);
    suspend(f, 0, 41);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 0);
    fake_run(f);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 41);
    g_assert_cmpuint(fake_context_status(f, 0)->suspended, ==, 1);
    g_assert_cmpuint(fake_queue_status(f, 0)->state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    g_assert_cmpuint(fake_queue_status(f, 1)->state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    g_assert_cmpuint(fake_node_status(f, 0)->runnable, ==, 0);
    g_assert_cmpuint(f->vectors[DXGPU_VECTOR_EVENT], ==, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_PACKETS), ==, 8);

    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 0), ==,
                    DXGPU_CMD_OK);
    fake_run(f);
    g_assert_cmpuint(fake_context_status(f, 0)->suspended, ==, 0);
    g_assert_true(done(&q[0]) && done(&q[1]));
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_PACKETS), ==, 40);
    fake_free(f);
}

/* While suspended, memory is not touched, and rings are remembered. */
static void test_ring_while_suspended(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint64_t samples;

    suspend(f, 0, 1);
    fake_run(f);
    samples = fake_stat(f, DXGPU_STAT_SAMPLES);
    f->bus_master = false;      /* any access would fault */
    fake_submit_fence(&q, 3);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 0);
    fake_cmd1(f, DXGPU_CMD_DOORBELL_UNBIND, 0);
    fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 1, 0);
    fake_run(f);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SAMPLES), ==, samples);
    g_assert_cmpuint(fake_queue_status(f, 0)->state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    g_assert_cmpuint(fake_queue_status(f, 0)->rings, ==, 1);

    f->bus_master = true;
    fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 3);
    fake_free(f);
}

/* The last word counts; every fence is acknowledged. */
static void test_suspend_races(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    suspend(f, 0, 1);
    fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_submit_fence(&q, 3);
    fake_run(f);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 1);
    g_assert_cmpuint(fake_context_status(f, 0)->suspended, ==, 0);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 3);

    suspend(f, 0, 2);
    fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 0);
    suspend(f, 0, 3);
    fake_run(f);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 3);
    g_assert_cmpuint(fake_context_status(f, 0)->suspended, ==, 1);

    /* Already suspended: acknowledged again. */
    suspend(f, 0, 4);
    fake_run(f);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 4);
    fake_free(f);
}

/* A context that was destroyed before the worker came still answers. */
static void test_suspend_then_destroy(void)
{
    struct fake *f = fake_new(NULL);
    uint64_t root = fake_space(f, 0);
    struct fake_queue q;

    fake_context(f, 0, 0, 0);
    suspend(f, 0, 9);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_CONTEXT_DESTROY, 0), ==,
                    DXGPU_CMD_OK);
    fake_context(f, 0, 0, 1);
    q = fake_queue(f, 0, 0, root, 16);
    fake_submit_fence(&q, 1);
    fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 0);
    fake_run(f);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 9);
    g_assert_cmpuint(fake_context_status(f, 0)->suspended, ==, 0);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 1);
    fake_free(f);
}

static void test_queue_in_suspended_context(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    struct fake_queue b;

    suspend(f, 0, 1);
    fake_run(f);
    b = fake_queue(f, 1, 0, q.root, 16);
    g_assert_cmpuint(fake_queue_status(f, 1)->state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    fake_submit_fence(&b, 1);
    fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 1);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, b.data_bus), ==, 0);
    fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, b.data_bus), ==, 1);
    fake_free(f);
}

/* Removal in mid-entry: acknowledged, the record zero, the slot free. */
static void test_remove(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q[2];
    volatile struct dxgpu_queue_status *status;

    make_queues(f, q, 2, 19);
    fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 0, 0);
    dxgpu_core_run(f->core, 0);
    dxgpu_core_doorbell(f->core, 0, 1);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 0, 12), ==,
                    DXGPU_CMD_OK);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SLOTS_BOUND), ==, 0);

    /* Until the acknowledgement the id is neither usable nor free. */
    g_assert_cmpuint(fake_queue_status(f, 0)->remove_fence, ==, 0);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 0, 13), ==,
                    DXGPU_CMD_ERR_BUSY);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 0), ==,
                    DXGPU_CMD_ERR_BUSY);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 0, 0), ==,
                    DXGPU_CMD_ERR_BUSY);
    g_assert_cmpint(fake_command(f, DXGPU_CMD_QUEUE_CREATE, 0, 0, q[0].ring,
                                 16, q[0].control, 0), ==,
                    DXGPU_CMD_ERR_BUSY);
    fake_run(f);

    status = fake_queue_status(f, 0);
    g_assert_cmpuint(status->remove_fence, ==, 12);
    g_assert_cmpuint(status->state, ==, DXGPU_QUEUE_ABSENT);
    g_assert_cmpuint(status->rings, ==, 0);
    g_assert_false(done(&q[0]));
    g_assert_true(done(&q[1]));
    g_assert_cmpuint(dxgpu_core_int_cause(f->core), ==, DXGPU_INT_ACK);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_QUEUES), ==, 1);

    /* The id starts from nothing. */
    g_assert_cmpint(fake_command(f, DXGPU_CMD_QUEUE_CREATE, 0, 0, q[0].ring,
                                 16, q[0].control, 0), ==, DXGPU_CMD_OK);
    fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 0);
    fake_run(f);
    g_assert_true(done(&q[0]));
    g_assert_cmpuint(status->remove_fence, ==, 12);
    fake_free(f);
}

/* A queue with work that is removed while suspended never runs again. */
static void test_remove_suspended(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q[2];

    make_queues(f, q, 2, 1);
    suspend(f, 0, 1);
    fake_run(f);
    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 0, 2);
    fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_run(f);
    g_assert_cmpuint(fake_queue_status(f, 0)->remove_fence, ==, 2);
    g_assert_false(done(&q[0]));
    g_assert_true(done(&q[1]));
    fake_free(f);
}

/* An order in mid-turn is served after one step, not after the turn. */
static struct fake *interrupted;

static void order_suspend(struct fake *f)
{
    if (f == interrupted && fake_stat(f, DXGPU_STAT_FILL_BYTES) == 65536) {
        suspend(f, 0, 6);
    }
}

static void test_attention(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    interrupted = f;
    f->on_write = order_suspend;
    fake_put_fill(&q, q.data, 4 * 65536, 1);
    fake_submit(&q);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FILL_BYTES), ==, 2 * 65536);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 6);

    f->on_write = NULL;
    fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, 0);
    fake_run(f);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FILL_BYTES), ==, 4 * 65536);
    fake_free(f);
}

/* More pending queues than one round samples: all are served. */
static void test_many_pending(void)
{
    struct fake *f = fake_new(NULL);
    static struct fake_queue q[130];
    int i;

    make_queues(f, q, 130, 0);
    /* However many there are, somebody runs after the first few (SEC-7). */
    dxgpu_core_run(f->core, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SAMPLES), <=,
                     f->config.packet_budget);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_PACKETS), >, 0);
    fake_run(f);
    for (i = 0; i < 130; i++) {
        g_assert_true(done(&q[i]));
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FENCE_WRITES), ==, 130);
    fake_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sched/round-robin", test_round_robin);
    g_test_add_func("/sched/long-packet-yields", test_long_packet_yields);
    g_test_add_func("/sched/nodes", test_nodes);
    g_test_add_func("/sched/many-pending", test_many_pending);
    g_test_add_func("/sched/attention", test_attention);
    g_test_add_func("/suspend/resume", test_suspend_resume);
    g_test_add_func("/suspend/ring", test_ring_while_suspended);
    g_test_add_func("/suspend/races", test_suspend_races);
    g_test_add_func("/suspend/destroy", test_suspend_then_destroy);
    g_test_add_func("/suspend/new-queue", test_queue_in_suspended_context);
    g_test_add_func("/remove/acknowledged", test_remove);
    g_test_add_func("/remove/suspended", test_remove_suspended);
    return g_test_run();
}
