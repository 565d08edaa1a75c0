/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reset by register and by the system: everything unbound and gone, nothing
 * executes any more, and the device can be used again (DEV-12, FH-12).
 */
#include <string.h>

#include "fake.h"

static void check_empty(struct fake *f)
{
    struct dxgpu_node_status nodes[3];
    const uint8_t *status = f->status;
    uint32_t i;

    memset(nodes, 0, sizeof(nodes));
    for (i = 0; i < f->config.nodes; i++) {
        nodes[i].running_queue = DXGPU_NO_QUEUE;
    }
    for (i = 0; i < f->layout.node_offset; i++) {
        g_assert_cmpuint(status[i], ==, 0);
    }
    g_assert_cmpmem(status + f->layout.node_offset, sizeof(nodes), nodes,
                    sizeof(nodes));
    for (i = f->layout.fault_offset; i < f->layout.size; i++) {
        g_assert_cmpuint(status[i], ==, 0);
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SLOTS_BOUND), ==, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_QUEUES), ==, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_CONTEXTS), ==, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_SPACES), ==, 0);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_DISABLED);
}

/* A device with a faulted queue, one in mid-entry, a suspended context. */
static struct fake_queue make_busy(struct fake *f)
{
    struct fake_queue a = fake_bound_queue(f, 0, 0);
    struct fake_queue b = fake_queue(f, 1, 0, a.root, 16);
    int i;

    fake_context(f, 1, 0, 1);
    fake_queue(f, 2, 1, a.root, 16);
    fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, 1, 5);
    fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 1, 1);
    fake_store_wp(&b, 99);
    dxgpu_core_doorbell(f->core, 1, 0);
    fake_run(f);
    fake_assert_fault(&b, DXGPU_FAULT_WP);

    for (i = 0; i < 12; i++) {
        fake_put_nop(&a, 8);
    }
    fake_put_fence(&a, a.data, 1, 0);
    fake_submit(&a);
    dxgpu_core_doorbell(f->core, 0, 1);
    g_assert_true(dxgpu_core_run(f->core, 0));
    return a;
}

static void test_register(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = make_busy(f);

    dxgpu_core_set_int_enable(f->core, DXGPU_INT_RESET_DONE);
    g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 0);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET | DXGPU_CONTROL_ENABLE);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_RESETTING);
    dxgpu_core_control(f->core, DXGPU_CONTROL_ENABLE);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_RESETTING);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);

    check_empty(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 0);
    g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 1);
    g_assert_cmpuint(dxgpu_core_int_cause(f->core), ==, DXGPU_INT_RESET_DONE);
    g_assert_cmpuint(dxgpu_core_int_enable(f->core), ==, DXGPU_INT_RESET_DONE);
    g_assert_cmpuint(f->vectors[DXGPU_VECTOR_EVENT], ==, 1);

    /* Rings reach nobody. */
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 0);
    fake_free(f);
}

static void test_cold(void)
{
    struct fake *f = fake_new(NULL);

    make_busy(f);
    dxgpu_core_set_int_enable(f->core, 7);
    dxgpu_core_cold_reset(f->core);
    check_empty(f);
    g_assert_cmpuint(dxgpu_core_int_cause(f->core), ==, 0);
    g_assert_cmpuint(dxgpu_core_int_enable(f->core), ==, 0);
    g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 0);
    fake_run(f);
    check_empty(f);
    fake_free(f);
}

/* A cold reset ends a reset by register that the worker has not begun. */
static void test_cold_during_register(void)
{
    struct fake *f = fake_new(NULL);

    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    dxgpu_core_cold_reset(f->core);
    fake_run(f);
    g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 0);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_DISABLED);
    fake_free(f);
}

/* Requests that nobody served do not come back on the objects made after. */
static void test_drops_requests(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 0, 1);
    fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, 0, 2);
    fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, 0, 0, 3);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    fake_run(f);
    check_empty(f);

    dxgpu_core_control(f->core, DXGPU_CONTROL_ENABLE);
    q = fake_bound_queue(f, 0, 0);
    fake_submit_fence(&q, 6);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 6);
    g_assert_cmpuint(fake_context_status(f, 0)->suspend_fence, ==, 0);

    /* And new ones of the same objects are served. */
    fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, 0, 0, 4);
    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 0, 5);
    fake_run(f);
    g_assert_cmpuint(fake_space_status(f, 0)->invalidate_fence, ==, 4);
    g_assert_cmpuint(fake_queue_status(f, 0)->remove_fence, ==, 5);
    fake_free(f);
}

/* It ends when the last worker has come to rest, whoever that is (DEV-12). */
static void test_workers(void)
{
    struct dxgpu_core_config config = fake_config();
    struct fake *f;
    uint32_t last, i;

    config.workers = 3;
    f = fake_new(&config);
    for (last = 0; last < config.workers; last++) {
        dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
        for (i = 1; i < config.workers; i++) {
            g_assert_false(dxgpu_core_run(f->core,
                                          (last + i) % config.workers));
            g_assert_cmpuint(dxgpu_core_status(f->core), ==,
                             DXGPU_STATUS_RESETTING);
        }
        dxgpu_core_run(f->core, last);
        g_assert_cmpuint(dxgpu_core_status(f->core), ==,
                         DXGPU_STATUS_DISABLED);
        g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, last + 1);
    }
    fake_free(f);
}

/* By the host's order a reset stays under way: nothing executes, and it ends late. */
static void check_held(uint32_t workers)
{
    const struct dxgpu_inject held = { .hold_reset = true }, none = { 0 };
    struct dxgpu_core_config config = fake_config();
    struct fake_queue q;
    struct fake *f;

    config.workers = workers;
    f = fake_new(&config);
    q = make_busy(f);
    dxgpu_core_inject(f->core, &held);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    fake_run(f);
    dxgpu_core_doorbell(f->core, 0, 1);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET | DXGPU_CONTROL_ENABLE);
    fake_run(f);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_RESETTING);
    g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 0);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 0);

    dxgpu_core_inject(f->core, &none);
    fake_run(f);
    check_empty(f);
    g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 1);
    g_assert_cmpuint(dxgpu_core_int_cause(f->core), ==, DXGPU_INT_RESET_DONE);

    /* One of the system ends it as well, and the next one is held again. */
    dxgpu_core_inject(f->core, &held);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    fake_run(f);
    dxgpu_core_cold_reset(f->core);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_DISABLED);
    dxgpu_core_control(f->core, DXGPU_CONTROL_ENABLE);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    fake_run(f);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_RESETTING);
    fake_free(f);
}

static void test_held(void)
{
    check_held(1);
    check_held(2);
}

/* A reset of a device that does not run is a reset too. */
static void test_when_disabled(void)
{
    struct fake *f = fake_new(NULL);

    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    fake_run(f);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    fake_run(f);
    g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 2);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_RESETS), ==, 2);
    fake_free(f);
}

/* Of several workers the last one to arrive resets, as the others may be at DMA until then. */
static void test_waits_for_workers(void)
{
    struct dxgpu_core_config config = fake_config();
    struct fake *f;

    config.workers = 2;
    f = fake_new(&config);
    dxgpu_core_control(f->core, DXGPU_CONTROL_RESET);
    dxgpu_core_run(f->core, 1);
    g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 0);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_RESETTING);
    dxgpu_core_run(f->core, 0);
    g_assert_cmpuint(dxgpu_core_reset_count(f->core), ==, 1);
    g_assert_cmpuint(dxgpu_core_status(f->core), ==, DXGPU_STATUS_DISABLED);
    fake_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reset/register", test_register);
    g_test_add_func("/reset/cold", test_cold);
    g_test_add_func("/reset/cold-during-register", test_cold_during_register);
    g_test_add_func("/reset/drops-requests", test_drops_requests);
    g_test_add_func("/reset/DEV-12-workers", test_workers);
    g_test_add_func("/reset/DEV-13-held", test_held);
    g_test_add_func("/reset/when-disabled", test_when_disabled);
    g_test_add_func("/reset/DEV-12-waits-for-workers", test_waits_for_workers);
    return g_test_run();
}
