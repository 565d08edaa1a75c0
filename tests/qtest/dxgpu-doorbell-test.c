/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: doorbell slots, binding, and the samples of ORD-10.
 *
 * That a sample took place is shown by its effect: work of which the device can
 * know by no other means is executed. Races between a ring and an unbind are
 * not waited for but made: while the machine is parked the worker rests, so the
 * two arrive in the order written here and are served at once.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

static void assert_not_executed(DxQueue *q)
{
    dx_settle(q->space->t);
    g_assert_cmpuint(dx_fence_now(q), <, q->fence_value);
}

static void test_ring_executes(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    struct dxgpu_queue_status status;

    dx_bind(q, 3);
    dx_settle(t);
    dx_submit_fence(q);
    assert_not_executed(q);
    dx_ring(t, 3, q->wp);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);

    dx_submit_fence(q);
    qpci_io_writel(t->pci, t->doorbells, 3 * t->stride, q->wp);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 2);

    dx_settle(t);
    status = dx_queue_status(t, q->id);
    g_assert_cmpuint(status.rings, ==, 2);
    g_assert_cmpuint(status.entries, ==, 2);
    g_assert_cmpuint(status.rp, ==, 2);
    g_assert_cmpuint(status.wp, ==, 2);
    g_assert_cmpuint(status.state, ==, DXGPU_QUEUE_IDLE);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 2);
    g_assert_cmpuint(dx_stat(t, "doorbell_mismatches"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 2);
    dx_stop(t);
}

static void test_value_is_ignored(void)
{
    static const uint64_t values[] = {
        0, 2, 1000, 0xffffffff, 1ull << 63, ~0ull,
    };
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    unsigned int i;

    dx_bind(q, 0);
    dx_submit_fence(q);
    dx_ring(t, 0, 1);
    dx_wait_done(q);
    for (i = 0; i < G_N_ELEMENTS(values); i++) {
        dx_ring(t, 0, values[i]);
        dx_settle(t);
        g_assert_cmpuint(dx_queue_status(t, q->id).state, ==,
                         DXGPU_QUEUE_IDLE);
        g_assert_cmpuint(dx_stat(t, "doorbell_mismatches"), ==, i + 1);
    }
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "faults"), ==, 0);
    /* A wrong value brings the right work to execution all the same. */
    dx_submit_fence(q);
    dx_ring(t, 0, 77);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 2);
    dx_stop(t);
}

static void test_ring_without_work(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t samples;
    unsigned int i;

    dx_bind(q, 0);
    dx_submit_fence(q);
    dx_ring(t, 0, q->wp);
    dx_wait_done(q);
    dx_settle(t);
    for (i = 0; i < 10; i++) {
        samples = dx_queue_status(t, q->id).samples;
        dx_ring(t, 0, q->wp);
        dx_settle(t);
        g_assert_cmpuint(dx_queue_status(t, q->id).samples, ==, samples + 1);
    }
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "fence_writes"), ==, 1);
    dx_stop(t);
}

static void test_unbound_slot(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint32_t i;

    dx_submit_fence(q);
    for (i = 0; i < t->slots; i++) {
        dx_ring(t, i, q->wp);
    }
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, t->slots);
    assert_not_executed(q);
    g_assert_cmpuint(dx_stat(t, "samples"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 0);
    dx_stop(t);
}

/* BAR2 is rounded up: what lies behind the last slot belongs to no queue. */
static void test_slots_beyond_the_last(void)
{
    DxTest *t = dx_start("slots=5");
    DxQueue *q = dx_new_queue(t);
    uint32_t i;

    g_assert_cmpuint(t->doorbells_size, ==, 8 * t->stride);
    dx_bind(q, 4);
    dx_settle(t);
    dx_submit_fence(q);
    for (i = 5; i < 8; i++) {
        dx_ring(t, i, q->wp);
    }
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 3);
    assert_not_executed(q);
    dx_ring(t, 4, q->wp);
    dx_wait_done(q);
    dx_stop(t);
}

static void test_bad_sizes_and_places(void)
{
    static const uint32_t places[] = { 4, 8, 16, 64, 2048, 4088 };
    DxTest *t = dx_start("slots=4");
    DxQueue *q = dx_new_queue(t);
    uint64_t slot = 2 * t->stride;
    uint64_t bad;
    unsigned int i;

    dx_bind(q, 2);
    dx_settle(t);
    dx_submit_fence(q);
    qpci_io_writeb(t->pci, t->doorbells, slot, q->wp);
    qpci_io_writew(t->pci, t->doorbells, slot, q->wp);
    g_assert_cmpuint(dx_stat(t, "doorbell_bad_access"), ==, 2);
    for (i = 0; i < G_N_ELEMENTS(places); i++) {
        bad = dx_stat(t, "doorbell_bad_access");
        qpci_io_writel(t->pci, t->doorbells, slot + places[i], q->wp);
        qpci_io_writeq(t->pci, t->doorbells, slot + places[i], q->wp);
        /* QEMU may cut what is not aligned. */
        g_assert_cmpuint(dx_stat(t, "doorbell_bad_access"), >=, bad + 2);
    }
    for (i = 1; i < 4; i++) {
        bad = dx_stat(t, "doorbell_bad_access");
        qpci_io_writel(t->pci, t->doorbells, slot + i, q->wp);
        g_assert_cmpuint(dx_stat(t, "doorbell_bad_access"), >, bad);
    }
    assert_not_executed(q);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 0);
    dx_stop(t);
}

static void test_reads_tell_nothing(void)
{
    DxTest *t = dx_start("slots=4");
    DxQueue *q = dx_new_queue(t);
    uint32_t i;

    dx_bind(q, 1);
    dx_submit_fence(q);
    dx_ring(t, 1, 0x1122334455667788ull);
    dx_wait_done(q);
    for (i = 0; i < 4; i++) {
        uint64_t slot = (uint64_t)i * t->stride;

        g_assert_cmphex(qpci_io_readb(t->pci, t->doorbells, slot), ==, 0);
        g_assert_cmphex(qpci_io_readw(t->pci, t->doorbells, slot + 2), ==, 0);
        g_assert_cmphex(qpci_io_readl(t->pci, t->doorbells, slot), ==, 0);
        g_assert_cmphex(qpci_io_readq(t->pci, t->doorbells, slot), ==, 0);
        g_assert_cmphex(qpci_io_readq(t->pci, t->doorbells, slot + 512), ==, 0);
    }
    /* To read is not to ring. */
    dx_submit_fence(q);
    qpci_io_readq(t->pci, t->doorbells, t->stride);
    assert_not_executed(q);
    dx_stop(t);
}

static void test_bind_samples(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_submit_fence(q);
    dx_submit_fence(q);
    assert_not_executed(q);
    dx_bind(q, 7);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 2);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "binds"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 1);
    dx_stop(t);
}

static void test_unbind_samples(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 7);
    dx_settle(t);
    dx_submit_fence(q);
    assert_not_executed(q);
    dx_unbind(t, 7);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "unbinds"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 0);
    dx_stop(t);
}

static void test_kick_samples(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_submit_fence(q);
    assert_not_executed(q);
    dx_kick(q);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    g_assert_cmpuint(dx_stat(t, "binds"), ==, 0);
    dx_stop(t);
}

/* The ring came, the slot went and came to another, then the worker woke. */
static void test_ring_before_unbind(void)
{
    DxTest *t = dx_start("");
    DxQueue *old = dx_new_queue(t);
    DxQueue *new = dx_new_queue(t);

    dx_bind(old, 5);
    dx_settle(t);
    dx_park(t);
    dx_submit_fence(old);
    dx_ring(t, 5, old->wp);
    dx_unbind(t, 5);
    dx_bind(new, 5);
    g_assert_cmpuint(dx_fence_now(old), ==, 0);
    dx_unpark(t);
    dx_wait_done(old);
    g_assert_cmpuint(dx_fence_now(old), ==, 1);
    dx_settle(t);
    g_assert_cmpuint(dx_queue_status(t, old->id).rings, ==, 1);
    g_assert_cmpuint(dx_queue_status(t, new->id).rings, ==, 0);
    g_assert_cmpuint(dx_queue_status(t, new->id).entries, ==, 0);
    dx_stop(t);
}

static void test_ring_after_rebind(void)
{
    DxTest *t = dx_start("");
    DxQueue *old = dx_new_queue(t);
    DxQueue *new = dx_new_queue(t);
    uint64_t samples;

    dx_bind(old, 5);
    dx_settle(t);
    dx_unbind(t, 5);
    dx_bind(new, 5);
    dx_settle(t);
    samples = dx_queue_status(t, new->id).samples;
    dx_submit_fence(old);
    dx_ring(t, 5, old->wp);
    assert_not_executed(old);
    g_assert_cmpuint(dx_queue_status(t, new->id).samples, ==, samples + 1);
    g_assert_cmpuint(dx_queue_status(t, new->id).entries, ==, 0);
    dx_stop(t);
}

static void test_unbind_is_of_one_slot(void)
{
    DxTest *t = dx_start("slots=3");
    DxQueue *q[3];
    unsigned int i;

    for (i = 0; i < 3; i++) {
        q[i] = dx_new_queue(t);
        dx_bind(q[i], i);
    }
    dx_unbind(t, 1);
    dx_settle(t);
    for (i = 0; i < 3; i++) {
        dx_submit_fence(q[i]);
        dx_ring(t, i, q[i]->wp);
    }
    dx_wait_done(q[0]);
    dx_wait_done(q[2]);
    assert_not_executed(q[1]);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 1);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_UNBIND, 1), ==,
                     DXGPU_CMD_ERR_NOT_FOUND);
    dx_stop(t);
}

/* Slot i serves queue (i * 5) mod slots, so no index stands for another. */
static void test_every_slot_rings_its_queue(void)
{
    DxTest *t = dx_start("slots=16");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 2);
    DxQueue *q[16];
    uint32_t i;

    for (i = 0; i < 16; i++) {
        q[i] = dx_queue(space, context, 4);
    }
    for (i = 0; i < 16; i++) {
        dx_bind(q[i * 5 % 16], i);
    }
    dx_settle(t);
    for (i = 0; i < 16; i++) {
        dx_submit_fence(q[i]);
    }
    for (i = 0; i < 16; i++) {
        g_assert_cmpuint(dx_fence_now(q[i * 5 % 16]), ==, 0);
        dx_ring(t, i, 1);
        dx_wait_done(q[i * 5 % 16]);
        dx_settle(t);
        g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, i + 1);
    }
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 16);
    dx_stop(t);
}

/* The driver's everyday: one slot goes round among many queues. */
static void test_one_slot_for_many_queues(void)
{
    DxTest *t = dx_start("slots=1");
    DxSpace *space = dx_space(t);
    DxQueue *q[8];
    unsigned int i, round;

    for (i = 0; i < 8; i++) {
        q[i] = dx_queue(space, dx_context(space, i % 3), 4);
    }
    for (round = 1; round <= 5; round++) {
        for (i = 0; i < 8; i++) {
            dx_bind(q[i], 0);
            dx_submit_fence(q[i]);
            dx_ring(t, 0, q[i]->wp);
            dx_unbind(t, 0);
        }
    }
    for (i = 0; i < 8; i++) {
        dx_wait_done(q[i]);
        g_assert_cmpuint(dx_fence_now(q[i]), ==, 5);
        g_assert_cmpuint(dx_queue_status(t, q[i]->id).entries, ==, 5);
    }
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 40);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 40);
    g_assert_cmpuint(dx_stat(t, "binds"), ==, 40);
    g_assert_cmpuint(dx_stat(t, "unbinds"), ==, 40);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 0);
    dx_stop(t);
}

static void test_storm_folds_into_one_sample(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t samples;
    unsigned int i;

    dx_bind(q, 0);
    dx_settle(t);
    samples = dx_queue_status(t, q->id).samples;
    dx_park(t);
    for (i = 0; i < 1000; i++) {
        dx_ring(t, 0, 0);
    }
    dx_unpark(t);
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 1000);
    g_assert_cmpuint(dx_queue_status(t, q->id).samples, ==, samples + 1);
    g_assert_cmpuint(dx_queue_status(t, q->id).rings, ==, 1000);
    dx_assert_works(q);
    dx_stop(t);
}

static void test_rings_of_a_suspended_context(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 2);
    dx_suspend(t, q->context);
    dx_submit_fence(q);
    dx_ring(t, 2, q->wp);
    assert_not_executed(q);
    g_assert_cmpuint(dx_queue_status(t, q->id).state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    dx_resume(t, q->context);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    dx_stop(t);
}

static void test_resume_samples(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_suspend(t, q->context);
    dx_submit_fence(q);
    assert_not_executed(q);
    dx_resume(t, q->context);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 0);
    dx_stop(t);
}

static void test_unbind_while_suspended(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 2);
    dx_suspend(t, q->context);
    dx_submit_fence(q);
    dx_ring(t, 2, q->wp);
    dx_unbind(t, 2);
    assert_not_executed(q);
    dx_resume(t, q->context);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    dx_stop(t);
}

static void test_last_active(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t before, after;

    dx_bind(q, 0);
    dx_ring(t, 0, 0);
    dx_settle(t);
    before = dx_queue_status(t, q->id).last_active_ns;
    qtest_clock_step(t->qts, 5000000);
    dx_kick(q);                         /* finds nothing new: not active */
    dx_settle(t);
    g_assert_cmpuint(dx_queue_status(t, q->id).last_active_ns, ==, before);
    dx_ring(t, 0, 0);
    dx_settle(t);
    after = dx_queue_status(t, q->id).last_active_ns;
    g_assert_cmpuint(after, >=, before + 5000000);
    qtest_clock_step(t->qts, 5000000);
    dx_submit_fence(q);
    dx_kick(q);                         /* finds WP advanced */
    dx_wait_done(q);
    g_assert_cmpuint(dx_queue_status(t, q->id).last_active_ns, >=,
                     after + 5000000);
    dx_stop(t);
}

/* With a worker thread, rings race with its going to sleep. */
static void test_no_ring_is_lost(void)
{
    DxTest *t = dx_start("threads=1,slots=2");
    DxSpace *space = dx_space(t);
    DxQueue *q[2];
    unsigned int i;

    for (i = 0; i < 2; i++) {
        q[i] = dx_queue(space, dx_context(space, i), 16);
        dx_bind(q[i], i);
    }
    for (i = 0; i < 600; i++) {
        DxQueue *one = q[i % 2];

        dx_submit_fence(one);
        dx_ring(t, i % 2, one->wp);
        if (i % 3 == 0) {
            dx_wait_done(one);
        } else {
            DX_WAIT(t, one->wp - dx_rp_now(one) < one->entries - 1);
        }
    }
    dx_wait_done(q[0]);
    dx_wait_done(q[1]);
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 600);
    g_assert_cmpuint(dx_stat(t, "fence_writes"), ==, 600);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 600);
    g_assert_cmpuint(dx_fence_now(q[0]), ==, 300);
    g_assert_cmpuint(dx_fence_now(q[1]), ==, 300);
    dx_stop(t);
}

static void test_rotation_with_a_thread(void)
{
    DxTest *t = dx_start("threads=1,slots=1");
    DxSpace *space = dx_space(t);
    DxQueue *q[4];
    unsigned int i;

    for (i = 0; i < 4; i++) {
        q[i] = dx_queue(space, dx_context(space, 0), 128);
    }
    for (i = 0; i < 400; i++) {
        dx_bind(q[i % 4], 0);
        dx_submit_fence(q[i % 4]);
        dx_ring(t, 0, q[i % 4]->wp);
        dx_unbind(t, 0);
    }
    for (i = 0; i < 4; i++) {
        dx_wait_done(q[i]);
        g_assert_cmpuint(dx_fence_now(q[i]), ==, 100);
    }
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "fence_writes"), ==, 400);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/doorbell/ORD-10-ring-executes", test_ring_executes);
    qtest_add_func("dxgpu/doorbell/DEV-1-value-is-only-compared",
                   test_value_is_ignored);
    qtest_add_func("dxgpu/doorbell/ORD-25-ring-without-work-only-samples",
                   test_ring_without_work);
    qtest_add_func("dxgpu/doorbell/DEV-3-unbound-slot-is-ignored",
                   test_unbound_slot);
    qtest_add_func("dxgpu/doorbell/DEV-3-nothing-behind-the-last-slot",
                   test_slots_beyond_the_last);
    qtest_add_func("dxgpu/doorbell/DEV-3-bad-sizes-and-places-are-ignored",
                   test_bad_sizes_and_places);
    qtest_add_func("dxgpu/doorbell/DEV-3-reads-tell-nothing",
                   test_reads_tell_nothing);
    qtest_add_func("dxgpu/doorbell/ORD-10-bind-samples", test_bind_samples);
    qtest_add_func("dxgpu/doorbell/DEV-4-unbind-samples",
                   test_unbind_samples);
    qtest_add_func("dxgpu/doorbell/ORD-10-kick-samples", test_kick_samples);
    qtest_add_func("dxgpu/doorbell/DEV-4-ring-before-unbind-is-honoured",
                   test_ring_before_unbind);
    qtest_add_func("dxgpu/doorbell/DEV-5-ring-after-rebind-is-one-sample",
                   test_ring_after_rebind);
    qtest_add_func("dxgpu/doorbell/unbind-concerns-one-slot",
                   test_unbind_is_of_one_slot);
    qtest_add_func("dxgpu/doorbell/every-slot-rings-its-own-queue",
                   test_every_slot_rings_its_queue);
    qtest_add_func("dxgpu/doorbell/ORD-8-one-slot-serves-many-queues",
                   test_one_slot_for_many_queues);
    qtest_add_func("dxgpu/doorbell/SEC-7-storm-folds-into-one-sample",
                   test_storm_folds_into_one_sample);
    qtest_add_func("dxgpu/doorbell/DDI-RC-1-rings-while-suspended",
                   test_rings_of_a_suspended_context);
    qtest_add_func("dxgpu/doorbell/ORD-10-resume-samples",
                   test_resume_samples);
    qtest_add_func("dxgpu/doorbell/DEV-4-unbind-while-suspended",
                   test_unbind_while_suspended);
    qtest_add_func("dxgpu/doorbell/MOD-4-last-active-time", test_last_active);
    qtest_add_func("dxgpu/doorbell/thread/DEV-9-no-ring-is-lost",
                   test_no_ring_is_lost);
    qtest_add_func("dxgpu/doorbell/thread/ORD-8-rotation",
                   test_rotation_with_a_thread);
    return g_test_run();
}
