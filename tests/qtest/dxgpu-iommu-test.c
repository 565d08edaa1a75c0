/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: behind an IOMMU. What it does not map, the device cannot reach:
 * the queue that tries has a fault, and nothing else happens (SEC-23).
 *
 * Two tables are enough: one that maps nothing, and none at all (translation
 * off). A real driver behind the IOMMU is what the guest's tests show.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

/* Intel VT-d, QEMU's only remapping unit of the q35 machine. */
#define VTD_BASE        0xfed90000ull
#define VTD_GCMD        0x18
#define VTD_GSTS        0x1c
#define VTD_ROOT        0x20
#define VTD_TRANSLATE   (1u << 31)
#define VTD_SET_ROOT    (1u << 30)

#define WORK_BYTES      (4u << 20)
#define WORK_FILLS      2500

#define BEHIND          "-device intel-iommu"

static void vtd_command(DxTest *t, uint32_t command)
{
    qtest_writel(t->qts, VTD_BASE + VTD_GCMD, command);
    DX_WAIT(t, (qtest_readl(t->qts, VTD_BASE + VTD_GSTS) & command) ==
               command);
}

/* From here on no address is mapped. */
static void block(DxTest *t)
{
    qtest_writeq(t->qts, VTD_BASE + VTD_ROOT, dx_memory(t, 4096, 4096));
    vtd_command(t, VTD_SET_ROOT);
    vtd_command(t, VTD_TRANSLATE);
}

static void unblock(DxTest *t)
{
    qtest_writel(t->qts, VTD_BASE + VTD_GCMD, 0);
    DX_WAIT(t, !(qtest_readl(t->qts, VTD_BASE + VTD_GSTS) & VTD_TRANSLATE));
}

static void test_unmapped(const void *properties)
{
    DxTest *t = dx_start_behind(BEHIND, properties);
    DxQueue *q = dx_new_queue(t);
    DxQueue *good = dx_new_queue(t);
    struct dxgpu_queue_status status;

    dx_assert_works(q);
    dx_assert_works(good);
    block(t);
    dx_submit_fence(q);
    dx_kick(q);
    status = dx_wait_fault(q, DXGPU_FAULT_BUS);
    g_assert_cmpuint(status.entries, ==, 1);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    unblock(t);
    dx_assert_works(good);
    dx_remove(q);
    dx_create(q);
    dx_assert_works(q);
    dx_stop(t);
}

/*
 * The mapping goes while the device works, at any step; the work would last for
 * minutes, so that this comes in its midst however late it comes.
 */
static void test_goes_in_mid_work(const void *properties)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    struct dxgpu_ring_entry entry = { .command_gpuva = 0 };
    DxTest *t = dx_start_behind(BEHIND, properties);
    DxQueue *q = dx_new_queue(t);
    DxBuffer target = dx_buffer(q->space, WORK_BYTES);
    unsigned int i, round;

    for (i = 0; i < WORK_FILLS; i++) {
        dx_fill(c, target.gpuva, WORK_BYTES, i);
    }
    entry.command_gpuva = dx_place(q, c->data, c->len);
    entry.command_bytes = c->len;
    for (round = 0; round < 5; round++) {
        uint64_t before = dx_stat(t, "fill_bytes");

        dx_submit_entry(q, &entry);
        dx_submit_entry(q, &entry);
        dx_kick(q);
        DX_WAIT(t, dx_stat(t, "fill_bytes") > before);
        block(t);
        dx_wait_fault(q, DXGPU_FAULT_BUS);
        unblock(t);
        dx_remove(q);
        dx_create(q);
        dx_assert_works(q);
    }
    dx_stop(t);
}

/* The worker waits for QEMU's lock in the IOMMU; whoever parks it must not. */
static void test_parked_meanwhile(const void *properties)
{
    DxTest *t = dx_start_behind(BEHIND, properties);
    DxQueue *q = dx_new_queue(t);
    unsigned int round;

    for (round = 0; round < 50; round++) {
        block(t);
        dx_submit_fence(q);
        dx_kick(q);
        dx_park(t);
        dx_unpark(t);
        dx_wait_fault(q, DXGPU_FAULT_BUS);
        unblock(t);
        dx_remove(q);
        dx_create(q);
    }
    dx_assert_works(q);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_data_func("dxgpu/iommu/unmapped", "threads=0", test_unmapped);
    qtest_add_data_func("dxgpu/iommu/unmapped-thread", "threads=1",
                        test_unmapped);
    qtest_add_data_func("dxgpu/iommu/goes-in-mid-work", "threads=1",
                        test_goes_in_mid_work);
    qtest_add_data_func("dxgpu/iommu/parked-meanwhile", "threads=2",
                        test_parked_meanwhile);
    return g_test_run();
}
