/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: what the device may remember of page tables, and for how long.
 *
 * An acknowledged invalidation gives memory back: the tests take pages away
 * from under a queue, also one that writes without end, and then look whether
 * anything still arrives there.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

#define PAGE            DXGPU_PAGE_SIZE

static DxQueue *queue_in(DxSpace *space)
{
    return dx_queue(space, dx_context(space, 0), 16);
}

/* An entry that becomes valid needs no invalidate, even after a fault. */
static void test_invalid_is_not_kept(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *first = queue_in(space);
    DxQueue *second = queue_in(space);
    uint64_t gpuva = dx_reserve(space, PAGE);
    uint64_t bus = dx_memory(t, PAGE, PAGE);

    dx_fence(c, gpuva, 1, 0);
    dx_submit(first, c);
    dx_kick(first);
    dx_wait_fault(first, DXGPU_FAULT_UNMAPPED);
    dx_map(space, gpuva, bus, PAGE, DX_RW);
    dx_fence(c, gpuva, 2, 0);
    dx_run(second, c);
    g_assert_cmpuint(qtest_readq(t->qts, bus), ==, 2);
    dx_stop(t);
}

/* The page under a GPUVA is exchanged; the whole space or a range is told. */
static void test_invalidate(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    uint64_t gpuva = dx_reserve(space, PAGE);
    uint64_t page[2] = { dx_memory(t, PAGE, PAGE), dx_memory(t, PAGE, PAGE) };
    uint64_t hits = 0, fence;
    unsigned int i;

    for (i = 0; i < 10; i++) {
        qtest_writeq(t->qts, page[0], 0);
        qtest_writeq(t->qts, page[1], 0);
        dx_map(space, gpuva, page[i % 2], PAGE, DX_RW);
        if (i % 3 == 0) {
            dx_invalidate(space);
        } else {
            fence = ++t->last_fence;
            dx_command_ok(t, DXGPU_CMD_SPACE_INVALIDATE, space->id,
                          i % 3 == 1 ? gpuva : gpuva - PAGE,
                          i % 3 == 1 ? PAGE : 3 * PAGE, fence);
            DX_WAIT(t, dx_invalidate_fence(t, space->id) == fence);
        }
        dx_fence(c, gpuva, i + 1, 0);
        dx_fence(c, gpuva + 8, i + 1, 0);
        dx_run(q, c);
        g_assert_cmpuint(qtest_readq(t->qts, page[i % 2]), ==, i + 1);
        g_assert_cmpuint(qtest_readq(t->qts, page[1 - i % 2]), ==, 0);
        /* It is a TLB that this tests: repeated accesses do hit. */
        g_assert_cmpuint(dx_stat(t, "tlb_hits"), >, hits);
        hits = dx_stat(t, "tlb_hits");
    }
    g_assert_cmpuint(dx_stat(t, "invalidates"), ==, 10);
    dx_stop(t);
}

/* A new space under an old id is a stranger to the old one's translations. */
static void test_space_id_again(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    uint64_t gpuva = 0x123400000000ull;
    uint64_t old_page = 0, page = 0;
    unsigned int i;

    for (i = 0; i < 4; i++) {
        DxSpace *space;
        DxQueue *q;

        t->next_space = 3;
        t->next_context = 3;
        t->next_queue = 3;
        space = dx_space(t);
        q = queue_in(space);
        page = dx_memory(t, PAGE, PAGE);
        dx_map(space, gpuva, page, PAGE, DX_RW);
        dx_fence(c, gpuva, i + 1, 0);
        dx_run(q, c);
        g_assert_cmpuint(qtest_readq(t->qts, page), ==, i + 1);
        if (old_page) {
            g_assert_cmpuint(qtest_readq(t->qts, old_page), ==, i);
        }
        old_page = page;
        dx_remove(q);
        dx_command_ok(t, DXGPU_CMD_CONTEXT_DESTROY, q->context);
        dx_command_ok(t, DXGPU_CMD_SPACE_DESTROY, space->id);
    }
    dx_stop(t);
}

/*
 * A page is taken away while a queue fills it without end: when the
 * invalidation is acknowledged the page is the test's alone.
 */
static void check_invalidate_under_load(const char *properties, bool replace)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    DxQueue *other = queue_in(space);
    uint32_t bytes = 512 * 1024;
    DxBuffer old = dx_buffer(space, bytes);
    uint64_t new = dx_memory(t, bytes, PAGE);
    g_autofree uint8_t *zeroes = g_malloc0(bytes);
    g_autofree uint8_t *found = g_malloc(bytes);
    uint64_t filled;
    unsigned int i, j;

    for (i = 0; i < 16; i++) {
        for (j = 0; j < 2000; j++) {
            dx_fill(c, old.gpuva, bytes, 0xbad0000 + i);
        }
        dx_submit(q, c);
    }
    dx_kick(q);
    DX_WAIT(t, dx_stat(t, "fill_bytes") > bytes);
    if (replace) {
        dx_map(space, old.gpuva, new, bytes, DX_RW);
    } else {
        dx_unmap(space, old.gpuva, bytes);
    }
    dx_invalidate(space);
    filled = dx_stat(t, "fill_bytes");
    qtest_bufwrite(t->qts, old.bus, zeroes, bytes);
    if (replace) {
        DX_WAIT(t, dx_stat(t, "fill_bytes") > filled + 2 * bytes);
        g_assert_cmphex(qtest_readl(t->qts, new + bytes - 4), !=, 0);
    } else {
        dx_wait_fault(q, DXGPU_FAULT_UNMAPPED);
    }
    qtest_bufread(t->qts, old.bus, found, bytes);
    g_assert_cmpmem(found, bytes, zeroes, bytes);
    dx_assert_works(other);
    dx_stop(t);
}

static void test_invalidate_under_load(void)
{
    check_invalidate_under_load("threads=0", true);
    check_invalidate_under_load("threads=0", false);
}

static void test_invalidate_under_load_thread(void)
{
    check_invalidate_under_load("threads=1", true);
    check_invalidate_under_load("threads=1", false);
}

/* More pages than any TLB of the device holds, in an order that thrashes. */
static void test_more_pages_than_the_tlb(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    uint32_t pages = 2048;
    DxBuffer b = dx_buffer(space, pages * PAGE);
    uint32_t i;

    for (i = 0; i < pages; i++) {
        dx_fence(c, b.gpuva + (i * 512 + i / 4) % pages * PAGE, i + 1, 0);
    }
    dx_run(q, c);
    for (i = 0; i < pages; i++) {
        g_assert_cmpuint(qtest_readq(t->qts, b.bus + (i * 512 + i / 4) %
                                     pages * PAGE), ==, i + 1);
    }
    g_assert_cmpuint(dx_stat(t, "tlb_misses"), >=, pages);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/invalidate/more-pages-than-the-tlb",
                   test_more_pages_than_the_tlb);
    qtest_add_func("dxgpu/invalidate/invalid-entries-are-not-kept",
                   test_invalid_is_not_kept);
    qtest_add_func("dxgpu/invalidate/invalidate-whole-and-range",
                   test_invalidate);
    qtest_add_func("dxgpu/invalidate/space-id-again", test_space_id_again);
    qtest_add_func("dxgpu/invalidate/invalidate-under-load",
                   test_invalidate_under_load);
    qtest_add_func("dxgpu/invalidate/thread/invalidate-under-load",
                   test_invalidate_under_load_thread);
    return g_test_run();
}
