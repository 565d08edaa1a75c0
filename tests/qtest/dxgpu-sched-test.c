/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: turns of queues, suspend and remove.
 *
 * Order is observed by the device itself: a queue copies another one's fence
 * cell while both run, so what it found there tells how far the other was,
 * whatever the speed of the machine. That a suspend or a removal is prompt is
 * shown by work that cannot be over by then and goes no further.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

/*
 * Two queues of one node, made runnable at the same time. The long one copies
 * the short one's fence at each step; how early it appears there is the turn.
 */
static unsigned int turn_of_short_queue(unsigned int budget, bool one_context)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    g_autofree char *properties = g_strdup_printf("packet-budget=%u", budget);
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 1);
    DxQueue *slow = dx_queue(space, context, 16);
    DxQueue *quick = dx_queue(space, one_context ? context :
                              dx_context(space, 1), 16);
    DxBuffer log = dx_buffer(space, 1000 * 8);
    unsigned int i;

    for (i = 0; i < 1000; i++) {
        dx_copy(c, quick->fence.gpuva, log.gpuva + i * 8, 8);
        if (i % 100 == 99) {
            dx_submit(slow, c);
        }
    }
    dx_submit_fence(quick);
    dx_park(t);
    dx_kick(slow);
    dx_kick(quick);
    dx_unpark(t);
    dx_wait_done(slow);
    dx_wait_done(quick);
    for (i = 0; i < 1000; i++) {
        if (qtest_readq(t->qts, log.bus + i * 8)) {
            break;
        }
    }
    dx_stop(t);
    return i;
}

static void test_round_robin(void)
{
    /* The budget also limits samples: one queue may begin a turn early. */
    g_assert_cmpuint(turn_of_short_queue(1, true), <=, 2);
    g_assert_cmpuint(turn_of_short_queue(1, false), <=, 2);
    g_assert_cmpuint(turn_of_short_queue(50, true), <=, 50);
    /* The budget is what makes it so: with a large one the other waits. */
    g_assert_cmpuint(turn_of_short_queue(300, false), >=, 250);
    g_assert_cmpuint(turn_of_short_queue(300, false), <=, 300);
}

static void test_many_queues_one_node(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("packet-budget=3");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *q[100];
    unsigned int i, j;

    for (i = 0; i < 100; i++) {
        q[i] = dx_queue(space, context, 4);
        for (j = 0; j < 3; j++) {
            dx_nop(c, 16);
            dx_nop(c, 64);
            dx_fence(c, q[i]->fence.gpuva, j + 1, 0);
            dx_submit(q[i], c);
        }
    }
    dx_park(t);
    for (i = 0; i < 100; i++) {
        dx_kick(q[99 - i]);
    }
    dx_unpark(t);
    for (i = 0; i < 100; i++) {
        dx_wait_done(q[i]);
        g_assert_cmpuint(dx_fence_now(q[i]), ==, 3);
    }
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 300);
    g_assert_cmpuint(dx_node_status(t, 0).packets, ==, 900);
    g_assert_cmpuint(dx_node_status(t, 1).packets, ==, 0);
    dx_settle(t);
    g_assert_cmpuint(dx_node_status(t, 0).running_queue, ==, DXGPU_NO_QUEUE);
    g_assert_cmpuint(dx_node_status(t, 0).runnable, ==, 0);
    dx_stop(t);
}

/* Fills the ring with transfers that take a while. */
static DxQueue *long_work(DxSpace *space, uint32_t context)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = space->t;
    uint32_t max = dx_reg(t, DXGPU_REG_MAX_TRANSFER_BYTES);
    DxBuffer src = dx_buffer(space, max);
    DxBuffer dst = dx_buffer(space, max);
    DxQueue *q = dx_queue(space, context, 16);
    unsigned int i, j;

    for (i = 0; i < 16; i++) {
        for (j = 0; j < 50; j++) {
            dx_copy(c, src.gpuva, dst.gpuva, max);
        }
        dx_fence(c, q->fence.gpuva, ++q->fence_value, 0);
        dx_submit(q, c);
    }
    return q;
}

static void check_suspend_is_prompt(const char *properties)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    DxQueue *q = long_work(space, dx_context(space, 0));
    DxQueue *other = dx_queue(space, dx_context(space, 0), 16);
    uint64_t bytes;

    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK);
    dx_irq_start(t);
    dx_kick(q);
    DX_WAIT(t, dx_stat(t, "copy_bytes") > 0);
    dx_suspend(t, q->context);
    /* 800 copies of 16 MiB cannot be over: it is in the midst of one. */
    bytes = dx_stat(t, "copy_bytes");
    g_assert_cmpuint(dx_queue_status(t, q->id).rp, <, q->wp);
    g_assert_cmpuint(dx_queue_status(t, q->id).state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    g_assert_cmpuint(dx_context_status(t, q->context).suspended, ==, 1);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_ACK);
    dx_reg_write(t, DXGPU_REG_INT_CAUSE, DXGPU_INT_ACK);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, 0);
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "copy_bytes"), ==, bytes);
    g_assert_cmpuint(dx_stat(t, "suspends"), ==, 1);
    /* The node is free for others meanwhile. */
    dx_assert_works(other);
    /* It goes on where it stopped. */
    dx_resume(t, q->context);
    DX_WAIT(t, dx_stat(t, "copy_bytes") > bytes);
    g_assert_cmpuint(dx_context_status(t, q->context).suspended, ==, 0);
    dx_stop(t);
}

static void test_suspend(void)
{
    check_suspend_is_prompt("threads=0");
}

static void test_suspend_thread(void)
{
    check_suspend_is_prompt("threads=1");
}

/* A transfer that is stopped again and again is still done once and right. */
static void test_suspend_often(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("packet-budget=1");
    DxSpace *space = dx_space(t);
    DxQueue *q = dx_queue(space, dx_context(space, 0), 4);
    uint32_t bytes = 2 * 1024 * 1024;
    DxBuffer src = dx_buffer(space, bytes);
    DxBuffer dst = dx_buffer(space, bytes);
    DxBuffer sum = dx_buffer(space, 4);
    g_autofree uint8_t *data = g_malloc(bytes);
    unsigned int i;

    dx_pattern(data, bytes, 21);
    qtest_bufwrite(t->qts, src.bus, data, bytes);
    dx_copy(c, src.gpuva, dst.gpuva, bytes);
    dx_crc(c, dst.gpuva, sum.gpuva, bytes, 0);
    dx_fence(c, q->fence.gpuva, 1, 0);
    dx_submit(q, c);
    dx_kick(q);
    for (i = 0; i < 40; i++) {
        dx_suspend(t, q->context);
        dx_resume(t, q->context);
    }
    dx_wait_done(q);
    g_assert_cmphex(qtest_readl(t->qts, sum.bus), ==,
                    dx_crc_of(data, bytes, 0));
    dx_assert_pattern(t, dst.bus, bytes, 21);
    g_assert_cmpuint(dx_stat(t, "copy_bytes"), ==, bytes);
    g_assert_cmpuint(dx_stat(t, "crc_bytes"), ==, bytes);
    g_assert_cmpuint(dx_stat(t, "fence_writes"), ==, 1);
    dx_stop(t);
}

static void check_remove_is_prompt(const char *properties)
{
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *q = long_work(space, context);
    DxQueue *other = dx_queue(space, context, 16);
    struct dxgpu_queue_status status, zero = { 0 };
    uint64_t bytes;

    dx_bind(q, 6);
    DX_WAIT(t, dx_stat(t, "copy_bytes") > 0);
    dx_remove(q);
    bytes = dx_stat(t, "copy_bytes");
    status = dx_queue_status(t, q->id);
    zero.remove_fence = t->last_fence;
    g_assert_cmpmem(&status, sizeof(status), &zero, sizeof(zero));
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_ACK);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "unbinds"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "removes"), ==, 1);
    g_assert_cmpuint(dx_fence_now(q), <, q->fence_value);
    /* Nothing of it is touched any more, and its doorbell is nobody's. */
    dx_ring(t, 6, q->wp);
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "copy_bytes"), ==, bytes);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 1);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_KICK, q->id), ==,
                     DXGPU_CMD_ERR_NOT_FOUND);
    dx_assert_works(other);
    dx_stop(t);
}

static void test_remove(void)
{
    check_remove_is_prompt("threads=0");
}

static void test_remove_thread(void)
{
    check_remove_is_prompt("threads=1");
}

static void test_suspended_context_and_its_queues(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxQueue *later;

    dx_suspend(t, q->context);
    /* Suspend again: a new fence, the same state. */
    dx_suspend(t, q->context);
    later = dx_queue(q->space, q->context, 4);
    g_assert_cmpuint(dx_queue_status(t, later->id).state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    dx_submit_fence(later);
    dx_bind(later, 0);
    dx_settle(t);
    g_assert_cmpuint(dx_fence_now(later), ==, 0);
    dx_remove(q);
    dx_resume(t, later->context);
    dx_wait_done(later);
    g_assert_cmpuint(dx_fence_now(later), ==, 1);
    dx_stop(t);
}

/* A resume that overtakes its suspend: acknowledged, and nothing stands. */
static void test_resume_before_suspend_is_served(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t fence;

    dx_submit_fence(q);
    dx_park(t);
    dx_kick(q);
    fence = dx_suspend_start(t, q->context);
    dx_resume(t, q->context);
    dx_unpark(t);
    DX_WAIT(t, dx_context_status(t, q->context).suspend_fence == fence);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    g_assert_cmpuint(dx_context_status(t, q->context).suspended, ==, 0);
    dx_stop(t);
}

static void test_all_nodes_with_a_thread(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("threads=1,packet-budget=2");
    DxSpace *space = dx_space(t);
    uint32_t bytes = 16 * 1024;
    DxQueue *q[12];
    DxBuffer src[12], dst[12];
    unsigned int i, round;

    for (i = 0; i < 12; i++) {
        q[i] = dx_queue(space, dx_context(space, i % 3), 16);
        src[i] = dx_buffer(space, bytes);
        dst[i] = dx_buffer(space, bytes);
        dx_bind(q[i], i);
    }
    for (round = 0; round < 10; round++) {
        for (i = 0; i < 12; i++) {
            dx_write_pattern(t, src[i].bus, bytes, round * 12 + i);
            dx_copy(c, src[i].gpuva, dst[i].gpuva, bytes);
            dx_fence(c, q[i]->fence.gpuva, round + 1, 0);
            dx_submit(q[i], c);
            dx_ring(t, i, q[i]->wp);
        }
        for (i = 0; i < 12; i++) {
            dx_wait_done(q[i]);
            g_assert_cmpuint(dx_fence_now(q[i]), ==, round + 1);
            dx_assert_pattern(t, dst[i].bus, bytes, round * 12 + i);
        }
    }
    g_assert_cmpuint(dx_stat(t, "copy_bytes"), ==, 120 * bytes);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/sched/DEV-8-round-robin-by-packet-budget",
                   test_round_robin);
    qtest_add_func("dxgpu/sched/DEV-8-many-queues-one-node",
                   test_many_queues_one_node);
    qtest_add_func("dxgpu/sched/DEV-10-suspend-inside-a-transfer",
                   test_suspend);
    qtest_add_func("dxgpu/sched/DEV-10-suspended-often-executed-once",
                   test_suspend_often);
    qtest_add_func("dxgpu/sched/OBJ-24-remove-inside-a-transfer", test_remove);
    qtest_add_func("dxgpu/sched/suspended-context-and-its-queues",
                   test_suspended_context_and_its_queues);
    qtest_add_func("dxgpu/sched/resume-before-suspend-is-served",
                   test_resume_before_suspend_is_served);
    qtest_add_func("dxgpu/sched/thread/DEV-10-suspend-inside-a-transfer",
                   test_suspend_thread);
    qtest_add_func("dxgpu/sched/thread/OBJ-24-remove-inside-a-transfer",
                   test_remove_thread);
    qtest_add_func("dxgpu/sched/thread/all-nodes-at-once",
                   test_all_nodes_with_a_thread);
    return g_test_run();
}
