/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: several worker threads, which share the nodes.
 *
 * Every node has long work under way when something happens that concerns all
 * workers at once: an invalidation, a stop, D3hot, a reset.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "dxgpu-qtest.h"

#define NODES           5
#define WORK_BYTES      (1u << 20)
#define WORK_FILLS      300

typedef struct Work {
    DxTest *t;
    DxSpace *space;
    DxQueue *queues[NODES];
} Work;

static void submit(DxQueue *q, uint64_t target, uint32_t slot)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    unsigned int i;

    for (i = 0; i < WORK_FILLS; i++) {
        dx_fill(c, target, WORK_BYTES, 0x01010101 * (i % 255 + 1));
    }
    dx_fence(c, q->fence.gpuva, ++q->fence_value, DXGPU_FENCE_INTERRUPT);
    dx_submit(q, c);
    dx_ring(q->space->t, slot, q->wp);
}

/* A queue for each node, all at work. */
static Work begin(const char *threads)
{
    g_autofree char *properties = g_strdup_printf(
        "nodes=3d:compute:copy:compute:copy,threads=%s", threads);
    Work w = { .t = dx_start(properties) };
    unsigned int i;

    w.space = dx_space(w.t);
    for (i = 0; i < NODES; i++) {
        w.queues[i] = dx_queue(w.space, dx_context(w.space, i), 16);
        dx_bind(w.queues[i], i);
    }
    for (i = 0; i < NODES; i++) {
        submit(w.queues[i], dx_buffer(w.space, WORK_BYTES).gpuva, i);
    }
    DX_WAIT(w.t, dx_stat(w.t, "fill_bytes") > WORK_BYTES);
    return w;
}

static void finish(Work *w)
{
    unsigned int i;

    for (i = 0; i < NODES; i++) {
        dx_wait_done(w->queues[i]);
        g_assert_cmpuint(dx_fence_now(w->queues[i]), ==, 1);
    }
    g_assert_cmpuint(dx_stat(w->t, "fill_bytes"), ==,
                     (uint64_t)NODES * WORK_FILLS * WORK_BYTES);
    g_assert_cmpuint(dx_stat(w->t, "faults"), ==, 0);
    dx_stop(w->t);
}

static void assert_no_dma(DxTest *t)
{
    uint64_t reads = dx_stat(t, "dma_read_bytes");
    uint64_t writes = dx_stat(t, "dma_write_bytes");

    g_usleep(20000);
    g_assert_cmpuint(dx_stat(t, "dma_read_bytes"), ==, reads);
    g_assert_cmpuint(dx_stat(t, "dma_write_bytes"), ==, writes);
}

static void test_all_nodes(void)
{
    static const char *const counts[] = { "2", "3", "8" };
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(counts); i++) {
        Work w = begin(counts[i]);

        finish(&w);
    }
}

static void test_stop(void)
{
    Work w = begin("4");

    dx_park(w.t);
    assert_no_dma(w.t);
    dx_unpark(w.t);
    finish(&w);
}

static void test_d3(void)
{
    Work w = begin("3");
    uint8_t pm = qpci_find_capability(w.t->pci, PCI_CAP_ID_PM, 0);

    qpci_config_writew(w.t->pci, pm + PCI_PM_CTRL, 3);
    assert_no_dma(w.t);
    qpci_config_writew(w.t->pci, pm + PCI_PM_CTRL, 0);
    finish(&w);
}

/* Acknowledged once, when no worker can use what is not mapped any more. */
static void test_invalidate(void)
{
    Work w = begin("3");
    unsigned int i;

    for (i = 0; i < 20; i++) {
        dx_invalidate(w.space);
    }
    g_assert_cmpuint(dx_stat(w.t, "invalidates"), ==, 20);
    finish(&w);
}

static void test_suspend_and_remove(void)
{
    Work w = begin("3");
    unsigned int i;

    for (i = 0; i < NODES; i++) {
        dx_suspend(w.t, w.queues[i]->context);
    }
    assert_no_dma(w.t);
    for (i = 0; i < NODES; i++) {
        dx_resume(w.t, w.queues[i]->context);
        dx_remove(w.queues[i]);
    }
    assert_no_dma(w.t);
    for (i = 0; i < NODES; i++) {
        g_assert_cmpuint(dx_queue_status(w.t, w.queues[i]->id).state, ==,
                         DXGPU_QUEUE_ABSENT);
    }
    g_assert_cmpuint(dx_stat(w.t, "removes"), ==, NODES);
    dx_stop(w.t);
}

static void test_reset(void)
{
    Work w = begin("3");
    unsigned int i;

    for (i = 1; i <= 10; i++) {
        dx_reg_write(w.t, DXGPU_REG_CONTROL, DXGPU_CONTROL_RESET);
        DX_WAIT(w.t, dx_reg(w.t, DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED);
        assert_no_dma(w.t);
        g_assert_cmpuint(dx_reg(w.t, DXGPU_REG_RESET_COUNT), ==, i);
        g_assert_cmpuint(dx_stat(w.t, "queues"), ==, 0);
        dx_enable(w.t);
        dx_assert_works(dx_new_queue(w.t));
    }
    qtest_system_reset(w.t->qts);
    assert_no_dma(w.t);
    dx_map_bars(w.t);
    dx_enable(w.t);
    dx_assert_works(dx_new_queue(w.t));
    dx_stop(w.t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/threads/all-nodes", test_all_nodes);
    qtest_add_func("dxgpu/threads/stop", test_stop);
    qtest_add_func("dxgpu/threads/D3", test_d3);
    qtest_add_func("dxgpu/threads/invalidate", test_invalidate);
    qtest_add_func("dxgpu/threads/DEV-10-suspend-and-remove",
                   test_suspend_and_remove);
    qtest_add_func("dxgpu/threads/DEV-12-reset", test_reset);
    return g_test_run();
}
