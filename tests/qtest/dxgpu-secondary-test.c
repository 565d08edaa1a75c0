/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: secondary doorbells (MOD-10, ORD-1, DEV-3).
 *
 * A ring through the secondary doorbell is shown as one of the primary is: by
 * work of which the device can know by no other means.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

#define ON      "secondary-doorbells=on"

static uint64_t secondary_of(DxTest *t, uint32_t slot)
{
    return dx_reg(t, DXGPU_REG_SECONDARY_OFFSET) +
           (uint64_t)slot * dx_reg(t, DXGPU_REG_SECONDARY_STRIDE);
}

static void ring_secondary(DxTest *t, uint32_t slot, uint64_t value)
{
    qpci_io_writeq(t->pci, t->doorbells, secondary_of(t, slot), value);
}

static void assert_not_executed(DxQueue *q)
{
    dx_settle(q->space->t);
    g_assert_cmpuint(dx_fence_now(q), <, q->fence_value);
}

static void test_registers(void)
{
    static const struct {
        const char *properties;
        uint32_t slots;
        uint64_t size;          /* of BAR2 */
    } rows[] = {
        { ON, 64, 128 * 4096 },
        { ON ",slots=1", 1, 2 * 4096 },
        { ON ",slots=5", 5, 16 * 4096 },
        { ON ",slots=4096", 4096, 8192 * 4096 },
    };
    unsigned int i;
    DxTest *t;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        t = dx_start_disabled(rows[i].properties);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_CAPS), ==, DXGPU_CAPS_DEDICATED |
                        DXGPU_CAPS_LARGE_PAGES | DXGPU_CAPS_SECONDARY |
                        DXGPU_CAPS_ENGINE_RESET);
        g_assert_cmpuint(t->slots, ==, rows[i].slots);
        g_assert_cmpuint(t->stride, ==, 4096);
        g_assert_cmphex(t->doorbells_size, ==, rows[i].size);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_SECONDARY_OFFSET), >=,
                        t->slots * t->stride);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_SECONDARY_STRIDE), ==, 4096);
        g_assert_cmphex(dx_reg(t, DXGPU_REG_SECONDARY_SIZE), ==,
                        DXGPU_DOORBELL_BYTES);
        g_assert_cmphex(secondary_of(t, t->slots), <=, t->doorbells_size);
        dx_stop(t);
    }
    t = dx_start_disabled("");
    g_assert_cmphex(dx_reg(t, DXGPU_REG_CAPS) & DXGPU_CAPS_SECONDARY, ==, 0);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_SECONDARY_OFFSET), ==, 0);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_SECONDARY_STRIDE), ==, 0);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_SECONDARY_SIZE), ==, 0);
    dx_stop(t);
}

static void test_ring_executes(void)
{
    DxTest *t = dx_start(ON);
    DxQueue *q = dx_new_queue(t);
    struct dxgpu_queue_status status;

    dx_bind(q, 3);
    dx_settle(t);
    dx_submit_fence(q);
    assert_not_executed(q);
    ring_secondary(t, 3, q->wp);
    dx_wait_done(q);
    dx_submit_fence(q);
    qpci_io_writel(t->pci, t->doorbells, secondary_of(t, 3), q->wp);
    dx_wait_done(q);
    dx_submit_fence(q);
    dx_ring(t, 3, q->wp);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 3);
    dx_settle(t);
    status = dx_queue_status(t, q->id);
    g_assert_cmpuint(status.rings, ==, 3);
    g_assert_cmpuint(status.entries, ==, 3);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 3);
    g_assert_cmpuint(dx_stat(t, "doorbell_secondary"), ==, 2);
    g_assert_cmpuint(dx_stat(t, "doorbell_mismatches"), ==, 0);
    dx_stop(t);
}

/* Slot i serves queue (i * 5) mod slots, as in the primary's test. */
static void test_every_slot_rings_its_queue(void)
{
    DxTest *t = dx_start(ON ",slots=16");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 1);
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
        ring_secondary(t, i, 1);
        dx_wait_done(q[i * 5 % 16]);
        dx_settle(t);
        g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, i + 1);
    }
    dx_stop(t);
}

static void test_one_unbind(void)
{
    DxTest *t = dx_start(ON ",slots=3");
    DxQueue *q = dx_new_queue(t);
    DxQueue *other = dx_new_queue(t);

    dx_bind(q, 1);
    dx_settle(t);
    dx_unbind(t, 1);
    dx_settle(t);
    dx_submit_fence(q);
    dx_ring(t, 1, q->wp);
    ring_secondary(t, 1, q->wp);
    assert_not_executed(q);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 2);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 0);

    /* The slot is another queue's: so are both doorbells. */
    dx_bind(other, 1);
    dx_settle(t);
    dx_submit_fence(other);
    ring_secondary(t, 1, other->wp);
    dx_wait_done(other);
    assert_not_executed(q);

    /* A removal takes both as well. */
    dx_remove(other);
    ring_secondary(t, 1, 0);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 3);
    dx_bind(q, 1);
    dx_wait_done(q);
    dx_stop(t);
}

/* While the machine is parked the worker rests: the order is the one here. */
static void test_ring_before_unbind(void)
{
    DxTest *t = dx_start(ON);
    DxQueue *old = dx_new_queue(t);
    DxQueue *new = dx_new_queue(t);

    dx_bind(old, 5);
    dx_settle(t);
    dx_park(t);
    dx_submit_fence(old);
    ring_secondary(t, 5, old->wp);
    dx_unbind(t, 5);
    dx_bind(new, 5);
    dx_unpark(t);
    dx_wait_done(old);
    dx_settle(t);
    g_assert_cmpuint(dx_queue_status(t, old->id).rings, ==, 1);
    g_assert_cmpuint(dx_queue_status(t, new->id).rings, ==, 0);
    dx_stop(t);
}

/* The doorbells of both kinds, byte by byte, at every size. */
static void test_bad_sizes_and_places(void)
{
    DxTest *t = dx_start(ON ",slots=2");
    DxQueue *q = dx_new_queue(t);
    uint64_t bad, at;

    dx_bind(q, 1);
    dx_settle(t);
    dx_submit_fence(q);
    bad = dx_stat(t, "doorbell_bad_access");
    for (at = 0; at + 8 <= t->doorbells_size; at++) {
        bool whole = at % t->stride == 0;

        qpci_io_writeb(t->pci, t->doorbells, at, 1);
        if (at % 2 == 0) {
            qpci_io_writew(t->pci, t->doorbells, at, 1);
        }
        if (!whole && at % 4 == 0) {
            qpci_io_writel(t->pci, t->doorbells, at, 1);
        }
        if (!whole && at % 8 == 0) {
            qpci_io_writeq(t->pci, t->doorbells, at, 1);
        }
        bad += 1 + (at % 2 == 0) + (!whole && at % 4 == 0) +
               (!whole && at % 8 == 0);
        if (at % 16 == 0) {
            g_assert_cmpuint(dx_stat(t, "doorbell_bad_access"), ==, bad);
        }
        if (at % 512 == 0) {
            g_assert_cmphex(qpci_io_readq(t->pci, t->doorbells, at), ==, 0);
            /* The rest of a page is like the rest of any other. */
            at += at % t->stride ? 240 : 0;
        }
    }
    assert_not_executed(q);
    g_assert_cmpuint(dx_stat(t, "doorbell_writes"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 0);
    ring_secondary(t, 1, q->wp);
    dx_wait_done(q);
    dx_stop(t);
}

/* With a worker thread, both doorbells ring in turn; none is lost. */
static void test_no_ring_is_lost(void)
{
    DxTest *t = dx_start(ON ",threads=1,slots=1");
    DxQueue *q = dx_new_queue(t);
    unsigned int i;

    dx_bind(q, 0);
    for (i = 0; i < 400; i++) {
        dx_submit_fence(q);
        if (i % 2) {
            ring_secondary(t, 0, q->wp);
        } else {
            dx_ring(t, 0, q->wp);
        }
        if (i % 3 == 0) {
            dx_wait_done(q);
        } else {
            DX_WAIT(t, q->wp - dx_rp_now(q) < q->entries - 1);
        }
    }
    dx_wait_done(q);
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 400);
    g_assert_cmpuint(dx_stat(t, "doorbell_secondary"), ==, 200);
    dx_stop(t);
}

static void test_4096_slots(void)
{
    DxTest *t = dx_start(ON ",slots=4096");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    g_autoptr(GPtrArray) queues = g_ptr_array_new();
    unsigned int slot, i;
    DxQueue *q;

    for (slot = 0; slot < 4096; slot += 91) {
        q = dx_queue(space, context, 2);
        dx_bind(q, slot);
        g_ptr_array_add(queues, q);
    }
    dx_settle(t);
    for (i = 0; i < queues->len; i++) {
        q = queues->pdata[i];
        dx_submit_fence(q);
        ring_secondary(t, i * 91, q->wp);
        dx_wait_done(q);
    }
    g_assert_cmpuint(dx_stat(t, "doorbell_secondary"), ==, queues->len);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/secondary/registers", test_registers);
    qtest_add_func("dxgpu/secondary/MOD-10-ring-executes",
                   test_ring_executes);
    qtest_add_func("dxgpu/secondary/every-slot-rings-its-own-queue",
                   test_every_slot_rings_its_queue);
    qtest_add_func("dxgpu/secondary/MOD-10-one-unbind-covers-both",
                   test_one_unbind);
    qtest_add_func("dxgpu/secondary/DEV-4-ring-before-unbind-is-honoured",
                   test_ring_before_unbind);
    qtest_add_func("dxgpu/secondary/DEV-3-bad-sizes-and-places-are-ignored",
                   test_bad_sizes_and_places);
    qtest_add_func("dxgpu/secondary/thread/DEV-9-no-ring-is-lost",
                   test_no_ring_is_lost);
    qtest_add_func("dxgpu/secondary/4096-slots", test_4096_slots);
    return g_test_run();
}
