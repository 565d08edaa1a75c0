/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: the device's state goes to another QEMU and goes on there.
 *
 * The machine is stopped in the state that a test is about, saved to a file
 * that has no name, and loaded by a second QEMU, whose device may have another
 * number of threads or another budget. The test's DxTest then stands for the
 * second one, so everything that was made before can be used after. Streams
 * that must not be loaded are in dxgpu-refusal-test.c.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "tests/qtest/libqos/pci-pc.h"
#include "dxgpu-qtest.h"

#define WORK_BYTES      (16u << 20)     /* of a fill; WORK_SMALL: of one cut */
#define WORK_SMALL      4
#define WORK_FILLS      2600            /* of an entry */
#define WORK_COMMANDS   (WORK_FILLS * sizeof(struct dxgpu_packet_fill))
#define WORK_ENTRIES    8
#define WORK_LOOK       (16u << 10)

/* Stopped, moved, and running again. */
static void move(DxTest *t)
{
    dx_park(t);
    dx_move_to(t, "");
    dx_unpark(t);
}

static void test_ring_pending(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    struct dxgpu_queue_status status;

    dx_bind(q, 2);
    dx_settle(t);
    dx_park(t);
    dx_submit_fence(q);
    dx_submit_fence(q);
    dx_ring(t, 2, q->wp);
    dx_move_to(t, "");
    g_assert_cmpuint(dx_fence_now(q), ==, 0);
    dx_unpark(t);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 2);
    dx_settle(t);
    status = dx_queue_status(t, q->id);
    g_assert_cmpuint(status.rings, ==, 1);
    g_assert_cmpuint(status.entries, ==, 2);
    dx_stop(t);
}

/* Work that nobody rang for, as the ring fell into the pause (DEV-14). */
static void test_bound_queue_is_sampled(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 2);
    dx_settle(t);
    dx_park(t);
    dx_submit_fence(q);
    dx_move_to(t, "");
    dx_unpark(t);
    dx_wait_done(q);
    dx_submit_fence(q);
    dx_ring(t, 2, q->wp);
    dx_wait_done(q);
    dx_stop(t);
}

/* A slot has its secondary doorbell there as well (MOD-10). */
static void test_secondary(void)
{
    DxTest *t = dx_start("secondary-doorbells=on");
    uint64_t second = dx_reg(t, DXGPU_REG_SECONDARY_OFFSET) +
                      2 * dx_reg(t, DXGPU_REG_SECONDARY_STRIDE);
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 2);
    dx_settle(t);
    dx_park(t);
    dx_submit_fence(q);
    qpci_io_writeq(t->pci, t->doorbells, second, q->wp);
    dx_move_to(t, "secondary-doorbells=on,threads=0");
    dx_unpark(t);
    dx_wait_done(q);
    dx_settle(t);
    dx_submit_fence(q);
    qpci_io_writeq(t->pci, t->doorbells, second, q->wp);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 2);
    dx_stop(t);
}

/*
 * Work for minutes, so that the stop comes in its midst however late it comes;
 * what is not begun then is made small for the other side. Each packet fills
 * the one or the other number of bytes, so the sum tells one that was done
 * twice, in part, or not.
 */
static void mid_packet(const char *from, const char *to)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    struct dxgpu_ring_entry entry = { .command_bytes = WORK_COMMANDS };
    DxTest *t = dx_start(from);
    DxQueue *q = dx_new_queue(t);
    DxBuffer target = dx_buffer(q->space, WORK_BYTES);
    uint64_t filled;
    unsigned int i;

    for (i = 1; i <= WORK_FILLS; i++) {
        dx_fill(c, target.gpuva, WORK_BYTES, i);
    }
    g_assert_cmpuint(c->len, ==, WORK_COMMANDS);
    entry.command_gpuva = dx_place(q, c->data, c->len);
    for (i = 0; i < WORK_ENTRIES; i++) {
        dx_submit_entry(q, &entry);
    }
    dx_submit_fence(q);
    dx_bind(q, 0);
    dx_ring(t, 0, q->wp);
    DX_WAIT(t, dx_stat(t, "fill_bytes") > 0);
    dx_park(t);
    filled = dx_stat(t, "fill_bytes");
    dx_move_to(t, to);
    g_assert_cmpuint(dx_stat(t, "fill_bytes"), ==, filled);
    g_byte_array_set_size(c, 0);
    for (i = 1; i < WORK_FILLS; i++) {
        dx_fill(c, target.gpuva, WORK_SMALL, i);
    }
    qtest_bufwrite(t->qts, q->arena.bus, c->data, c->len);
    dx_unpark(t);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    filled = dx_stat(t, "fill_bytes");
    g_assert_cmpuint(filled / WORK_BYTES + filled % WORK_BYTES / WORK_SMALL,
                     ==, WORK_ENTRIES * WORK_FILLS);
    /* Each step fills 64 KiB; reading all of it here takes half a minute. */
    for (i = 0; i < WORK_BYTES; i += WORK_LOOK) {
        g_assert_cmpuint(qtest_readl(t->qts, target.bus + i), ==, WORK_FILLS);
        g_assert_cmpuint(qtest_readl(t->qts, target.bus + i + WORK_LOOK - 4),
                         ==, WORK_FILLS);
    }
    dx_stop(t);
}

static void test_mid_packet(void)
{
    mid_packet("packet-budget=3", "");
}

static void test_mid_packet_to_thread(void)
{
    mid_packet("packet-budget=3", "threads=1");
}

static void test_mid_packet_from_thread(void)
{
    mid_packet("threads=1", "threads=0,packet-budget=7");
}

static void test_suspended(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 0);
    dx_suspend(t, q->context);
    dx_submit_fence(q);
    dx_ring(t, 0, q->wp);
    dx_settle(t);
    move(t);
    dx_settle(t);
    g_assert_cmpuint(dx_fence_now(q), ==, 0);
    g_assert_cmpuint(dx_context_status(t, q->context).suspended, ==, 1);
    g_assert_cmpuint(dx_queue_status(t, q->id).state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    dx_resume(t, q->context);
    dx_wait_done(q);
    dx_stop(t);
}

/* Fences that are owed are paid on the other side. */
static void test_requests(void)
{
    DxTest *t = dx_start("");
    DxQueue *suspended = dx_new_queue(t);
    DxQueue *removed = dx_new_queue(t);
    DxSpace *gone = dx_space(t);
    uint64_t suspend, invalidate, remove;

    dx_settle(t);
    dx_park(t);
    suspend = dx_suspend_start(t, suspended->context);
    remove = dx_remove_start(removed);
    invalidate = ++t->last_fence;
    dx_command_ok(t, DXGPU_CMD_SPACE_INVALIDATE, gone->id, 0, 0, invalidate);
    dx_command_ok(t, DXGPU_CMD_SPACE_DESTROY, gone->id);
    dx_move_to(t, "");
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_KICK, removed->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    dx_unpark(t);
    DX_WAIT(t, dx_context_status(t, suspended->context).suspend_fence ==
            suspend);
    DX_WAIT(t, dx_queue_status(t, removed->id).remove_fence == remove);
    DX_WAIT(t, dx_invalidate_fence(t, gone->id) == invalidate);
    g_assert_cmpuint(dx_context_status(t, suspended->context).suspended, ==,
                     1);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 1);
    dx_create(removed);
    dx_assert_works(removed);
    dx_stop(t);
}

/* A hang, and the suspend that it keeps waiting, go along (DEV-13). */
static void test_hang(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    struct dxgpu_ring_entry entry = { .fence_value = 0xbad };
    DxTest *t = dx_start("inject-hang-fence=0xbad");
    DxQueue *q = dx_new_queue(t);
    DxQueue *same = dx_queue(q->space, dx_context(q->space, 0), 4);
    uint64_t fence;

    dx_fence(c, q->fence.gpuva, 7, 0);
    entry.command_gpuva = dx_place(q, c->data, c->len);
    entry.command_bytes = c->len;
    dx_submit_entry(q, &entry);
    dx_kick(q);
    DX_WAIT(t, dx_node_status(t, 0).running_queue == q->id);
    dx_submit_fence(same);
    dx_kick(same);
    fence = dx_suspend_start(t, q->context);
    dx_settle(t);
    dx_park(t);
    dx_move_to(t, "threads=2,inject-hang-fence=0xbad");
    dx_unpark(t);
    dx_settle(t);
    g_assert_cmpuint(dx_node_status(t, 0).running_queue, ==, q->id);
    g_assert_cmpuint(dx_context_status(t, q->context).suspend_fence, <, fence);
    g_assert_cmpuint(dx_fence_now(same), ==, 0);

    move(t);
    DX_WAIT(t, dx_context_status(t, q->context).suspend_fence == fence);
    dx_wait_done(same);
    g_assert_cmpuint(dx_fence_now(q), ==, 0);
    dx_resume(t, q->context);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 7);
    dx_stop(t);
}

static void test_faulted(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxQueue *good = dx_new_queue(t);

    dx_bind(q, 1);
    dx_store_wp(q, 1000);
    dx_ring(t, 1, q->wp);
    dx_wait_fault(q, DXGPU_FAULT_WP);
    move(t);
    dx_wait_fault(q, DXGPU_FAULT_WP);
    dx_store_wp(q, 0);
    dx_ring(t, 1, 0);
    dx_settle(t);
    dx_wait_fault(q, DXGPU_FAULT_WP);
    g_assert_cmpuint(dx_stat(t, "faults"), ==, 1);
    dx_assert_works(good);
    dx_remove(q);
    g_assert_false(dx_fault_bit(t, q->id));
    dx_create(q);
    dx_assert_works(q);
    dx_stop(t);
}

/* Objects, slots and counts are those of before, and only those. */
static void test_objects(void)
{
    DxTest *t = dx_start("slots=3");
    DxQueue *a = dx_new_queue(t);
    DxQueue *b = dx_queue(a->space, dx_context(a->space, 2), 4);

    dx_bind(a, 2);
    dx_submit_fence(b);
    dx_kick(b);
    dx_wait_done(b);
    dx_park(t);
    dx_move_to(t, "slots=3,threads=0");
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 2);
    g_assert_cmpuint(dx_stat(t, "contexts"), ==, 2);
    g_assert_cmpuint(dx_stat(t, "spaces"), ==, 1);
    dx_unpark(t);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 2, b->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_SPACE_DESTROY, a->space->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    dx_bind(b, 0);
    dx_submit_fence(b);
    dx_ring(t, 0, b->wp);
    dx_wait_done(b);
    g_assert_cmpuint(dx_queue_status(t, b->id).entries, ==, 2);
    g_assert_cmpuint(dx_node_status(t, 2).packets, ==, 2);
    dx_unbind(t, 2);
    dx_remove(a);
    dx_remove(b);
    dx_command_ok(t, DXGPU_CMD_CONTEXT_DESTROY, a->context);
    dx_command_ok(t, DXGPU_CMD_CONTEXT_DESTROY, b->context);
    dx_command_ok(t, DXGPU_CMD_SPACE_DESTROY, a->space->id);
    dx_stop(t);
}

static void test_registers(void)
{
    DxTest *t = dx_start("");

    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_FAULT);
    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_RESET);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_KICK, 7), ==,
                     DXGPU_CMD_ERR_STATE);
    qpci_io_writeq(t->pci, t->regs, DXGPU_REG_CMD_ARG(7),
                   0x123456789abcdef0ull);
    move(t);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_DISABLED);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, 1);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_INT_ENABLE), ==, DXGPU_INT_FAULT);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_INT_CAUSE), ==,
                     DXGPU_INT_RESET_DONE);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_CMD_RESULT), ==,
                     DXGPU_CMD_ERR_STATE);
    g_assert_cmphex(qpci_io_readq(t->pci, t->regs, DXGPU_REG_CMD_ARG(7)), ==,
                    0x123456789abcdef0ull);
    dx_enable(t);
    dx_assert_works(dx_new_queue(t));
    dx_stop(t);
}

static void test_in_a_reset(void)
{
    DxTest *t = dx_start("");

    dx_new_queue(t);
    dx_park(t);
    dx_reg_write(t, DXGPU_REG_CONTROL, DXGPU_CONTROL_RESET);
    dx_move_to(t, "threads=1");
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_STATUS), ==, DXGPU_STATUS_RESETTING);
    dx_unpark(t);
    DX_WAIT(t, dx_reg(t, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
    g_assert_cmpuint(dx_reg(t, DXGPU_REG_RESET_COUNT), ==, 1);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 0);
    dx_stop(t);
}

/* A message that was due, and the vectors as they were programmed. */
static void test_interrupts(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    g_autoptr(GByteArray) c = g_byte_array_new();

    dx_irq_start(t);
    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK);
    dx_bind(q, 0);
    dx_settle(t);
    dx_park(t);
    dx_fence(c, q->fence.gpuva, ++q->fence_value, DXGPU_FENCE_INTERRUPT);
    dx_submit(q, c);
    dx_ring(t, 0, q->wp);
    dx_suspend_start(t, dx_context(q->space, 1));
    dx_move_to(t, "");
    g_assert_false(dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    dx_unpark(t);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_NODE(0)));
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    dx_stop(t);
}

static void test_asleep(void)
{
    DxTest *t = dx_start("threads=1");
    DxQueue *q = dx_new_queue(t);
    uint8_t pm = qpci_find_capability(t->pci, PCI_CAP_ID_PM, 0);

    dx_bind(q, 0);
    dx_settle(t);
    qpci_config_writew(t->pci, pm + PCI_PM_CTRL, 3);
    dx_submit_fence(q);
    dx_park(t);
    dx_move_to(t, "threads=1");
    dx_unpark(t);
    dx_settle(t);
    g_assert_cmpuint(dx_fence_now(q), ==, 0);
    qpci_config_writew(t->pci, pm + PCI_PM_CTRL, 0);
    dx_wait_done(q);
    dx_stop(t);
}

static void test_twice(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_bind(q, 0);
    dx_assert_works(q);
    move(t);
    dx_assert_works(q);
    move(t);
    dx_submit_fence(q);
    dx_ring(t, 0, q->wp);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 3);
    dx_stop(t);
}

/* The guest has read the limits, so they must be the same. */
int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/migration/ring-pending", test_ring_pending);
    qtest_add_func("dxgpu/migration/DEV-14-bound-queue-is-sampled",
                   test_bound_queue_is_sampled);
    qtest_add_func("dxgpu/migration/MOD-10-secondary-doorbell",
                   test_secondary);
    qtest_add_func("dxgpu/migration/mid-packet", test_mid_packet);
    qtest_add_func("dxgpu/migration/mid-packet-to-thread",
                   test_mid_packet_to_thread);
    qtest_add_func("dxgpu/migration/mid-packet-from-thread",
                   test_mid_packet_from_thread);
    qtest_add_func("dxgpu/migration/suspended", test_suspended);
    qtest_add_func("dxgpu/migration/requests", test_requests);
    qtest_add_func("dxgpu/migration/hang", test_hang);
    qtest_add_func("dxgpu/migration/faulted", test_faulted);
    qtest_add_func("dxgpu/migration/objects", test_objects);
    qtest_add_func("dxgpu/migration/registers", test_registers);
    qtest_add_func("dxgpu/migration/in-a-reset", test_in_a_reset);
    qtest_add_func("dxgpu/migration/interrupts", test_interrupts);
    qtest_add_func("dxgpu/migration/D3", test_asleep);
    qtest_add_func("dxgpu/migration/twice", test_twice);
    return g_test_run();
}
