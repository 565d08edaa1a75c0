/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: causes, enables, and MSI-X messages.
 *
 * Messages go to guest memory, a dword per vector; that one was not sent is
 * looked for when the device has come to rest.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

static void test_int_enable(void)
{
    DxTest *t = dx_start_disabled("");

    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK | DXGPU_INT_FAULT);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_ENABLE), ==,
                    DXGPU_INT_ACK | DXGPU_INT_FAULT);
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, 0);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_ENABLE), ==, 0);
    dx_stop(t);
}

static void test_fence_interrupts(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t nodes = dx_reg(t, DXGPU_REG_NUM_NODES);
    uint32_t i, vector;

    dx_irq_start(t);
    for (i = 0; i < nodes; i++) {
        DxQueue *q = dx_queue(space, dx_context(space, i), 4);

        dx_fence(c, q->fence.gpuva, 1, 0);
        dx_run(q, c);
        dx_settle(t);
        for (vector = 0; vector <= nodes; vector++) {
            g_assert_false(dx_irq_taken(t, vector));
        }

        dx_fence(c, q->fence.gpuva, 2, DXGPU_FENCE_INTERRUPT);
        dx_submit(q, c);
        dx_kick(q);
        DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_NODE(i)));
        /* Who has the interrupt finds the fence. */
        g_assert_cmpuint(dx_fence_now(q), ==, 2);
        dx_settle(t);
        for (vector = 0; vector <= nodes; vector++) {
            g_assert_false(dx_irq_taken(t, vector));
        }
    }
    g_assert_cmpuint(dx_stat(t, "fence_interrupts"), ==, nodes);
    g_assert_cmpuint(dx_stat(t, "interrupts"), ==, nodes);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, 0);
    dx_stop(t);
}

/* A queue's fence with a message, done when it is seen in memory. */
static void fence_with_message(DxQueue *q, uint64_t value)
{
    g_autoptr(GByteArray) c = g_byte_array_new();

    dx_fence(c, q->fence.gpuva, value, DXGPU_FENCE_INTERRUPT);
    dx_submit(q, c);
    dx_kick(q);
    DX_WAIT(q->space->t, dx_fence_now(q) == value);
    dx_settle(q->space->t);
}

static void test_moderated(void)
{
    DxTest *t = dx_start("irq-moderation-us=1000000");
    DxSpace *space = dx_space(t);
    DxQueue *storm = dx_queue(space, dx_context(space, 0), 16);
    DxQueue *other = dx_queue(space, dx_context(space, 1), 16);
    uint64_t i;

    dx_irq_start(t);
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_FAULT);
    fence_with_message(storm, 1);
    g_assert_true(dx_irq_taken(t, DXGPU_VECTOR_NODE(0)));
    for (i = 2; i < 10; i++) {
        fence_with_message(storm, i);
        g_assert_false(dx_irq_taken(t, DXGPU_VECTOR_NODE(0)));
    }
    /* Another node's is not held up, nor what tells of a fault. */
    fence_with_message(other, 1);
    g_assert_true(dx_irq_taken(t, DXGPU_VECTOR_NODE(1)));
    dx_kick_bad(other);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    /* One message for all eight, at the end of the time. */
    qtest_clock_step(t->qts, 1000000000);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_NODE(0)));
    dx_settle(t);
    g_assert_false(dx_irq_taken(t, DXGPU_VECTOR_NODE(0)));
    g_assert_cmpuint(dx_stat(t, "fence_interrupts"), ==, 10);
    g_assert_cmpuint(dx_stat(t, "interrupts"), ==, 4);
    /* After a rest the next one goes at once. */
    qtest_clock_step(t->qts, 1000000000);
    fence_with_message(storm, 10);
    g_assert_true(dx_irq_taken(t, DXGPU_VECTOR_NODE(0)));
    dx_stop(t);
}

static void test_invalidate_is_reported(void)
{
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);

    dx_irq_start(t);
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK);
    dx_invalidate(space);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_ACK);
    /* The fence stays when the space is gone. */
    dx_command_ok(t, DXGPU_CMD_SPACE_DESTROY, space->id);
    dx_settle(t);
    g_assert_cmpuint(dx_invalidate_fence(t, space->id), ==, t->last_fence);
    dx_stop(t);
}

static void test_fault_interrupt(void)
{
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *q[3];
    unsigned int i;

    for (i = 0; i < 3; i++) {
        q[i] = dx_queue(space, context, 4);
    }
    dx_irq_start(t);
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_FAULT);
    dx_kick_bad(q[0]);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_FAULT);
    /* Who has the interrupt finds the record. */
    g_assert_true(dx_fault_bit(t, q[0]->id));
    g_assert_cmpuint(dx_queue_status(t, q[0]->id).state, ==,
                     DXGPU_QUEUE_FAULTED);
    g_assert_false(dx_fault_bit(t, q[1]->id));

    /* The cause is set already: no second message until it is cleared. */
    dx_kick_bad(q[1]);
    dx_wait_fault(q[1], DXGPU_FAULT_OPCODE);
    dx_settle(t);
    g_assert_false(dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    /* Writing 0, or the bits of others, clears nothing. */
    dx_reg_write(t, DXGPU_REG_INT_CAUSE, 0);
    dx_reg_write(t, DXGPU_REG_INT_CAUSE, ~DXGPU_INT_FAULT);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_FAULT);
    dx_reg_write(t, DXGPU_REG_INT_CAUSE, DXGPU_INT_FAULT);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, 0);
    dx_kick_bad(q[2]);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    dx_stop(t);
}

static void test_interrupt_enable(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_irq_start(t);
    dx_kick_bad(q);
    dx_wait_fault(q, DXGPU_FAULT_OPCODE);
    dx_settle(t);
    /* Not enabled: the cause is set, the vector silent. */
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_FAULT);
    g_assert_false(dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    dx_reg_write(t, DXGPU_REG_INT_ENABLE,
                 DXGPU_INT_ACK | DXGPU_INT_RESET_DONE);
    dx_settle(t);
    g_assert_false(dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    /* A set cause that becomes enabled fires. */
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_FAULT);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/irq/interrupt-enable-keeps-its-bits",
                   test_int_enable);
    qtest_add_func("dxgpu/irq/fence-interrupt-by-node", test_fence_interrupts);
    qtest_add_func("dxgpu/irq/SEC-20-messages-of-a-node-are-moderated",
                   test_moderated);
    qtest_add_func("dxgpu/irq/invalidate-is-reported",
                   test_invalidate_is_reported);
    qtest_add_func("dxgpu/irq/FH-13-fault-interrupt", test_fault_interrupt);
    qtest_add_func("dxgpu/irq/cause-waits-for-enable", test_interrupt_enable);
    return g_test_run();
}
