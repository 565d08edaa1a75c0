/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: translation and protection.
 *
 * Everything that a queue touches goes through page tables, which the test
 * writes by hand, right ones and wrong ones. A wrong one must fault with the
 * right code, level and address, and nothing must be written.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

#define GPUVA_END       (1ull << DXGPU_GPUVA_BITS)
#define PAGE            DXGPU_PAGE_SIZE
#define LARGE           DXGPU_LARGE_PAGE_SIZE

static DxQueue *queue_in(DxSpace *space)
{
    return dx_queue(space, dx_context(space, 0), 16);
}

/* Virtually contiguous pages that lie backwards in memory. */
static void test_scattered_pages(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    enum { PAGES = 40 };
    uint64_t src = dx_reserve(space, PAGES * PAGE);
    uint64_t dst = dx_reserve(space, PAGES * PAGE);
    uint64_t src_bus = dx_memory(t, PAGES * PAGE, PAGE);
    uint64_t dst_bus = dx_memory(t, PAGES * PAGE, PAGE);
    g_autofree uint8_t *data = g_malloc(PAGES * PAGE);
    g_autofree uint8_t *found = g_malloc(PAGES * PAGE);
    unsigned int i;

    dx_pattern(data, PAGES * PAGE, 4);
    for (i = 0; i < PAGES; i++) {
        dx_map(space, src + i * PAGE, src_bus + (PAGES - 1 - i) * PAGE, PAGE,
               DX_READ);
        dx_map(space, dst + i * PAGE, dst_bus + (i * 7 % PAGES) * PAGE, PAGE,
               DX_WRITE);
        qtest_bufwrite(t->qts, src_bus + (PAGES - 1 - i) * PAGE,
                       data + i * PAGE, PAGE);
    }
    dx_copy(c, src + 100, dst + 300, PAGES * PAGE - 500);
    dx_run(q, c);
    for (i = 0; i < PAGES; i++) {
        qtest_bufread(t->qts, dst_bus + (i * 7 % PAGES) * PAGE,
                      found + i * PAGE, PAGE);
    }
    g_assert_cmpmem(found + 300, PAGES * PAGE - 500, data + 100,
                    PAGES * PAGE - 500);
    dx_stop(t);
}

static void test_large_page(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    uint64_t gpuva = 0x200000000000ull + 5 * LARGE;
    uint64_t bus = dx_memory(t, LARGE, LARGE);
    DxBuffer small = dx_buffer(space, 64 * 1024);

    g_assert_cmphex(dx_reg(t, DXGPU_REG_CAPS) & DXGPU_CAPS_LARGE_PAGES, !=, 0);
    qtest_writeq(t->qts, dx_entry(space, gpuva, 1),
                 bus | DXGPU_PTE_VALID | DXGPU_PTE_LEAF | DX_RW);
    dx_write_pattern(t, bus + 0x12345, 50000, 9);
    dx_copy(c, gpuva + 0x12345, small.gpuva + 11, 50000);
    dx_copy(c, small.gpuva + 11, gpuva + LARGE - 50000, 50000);
    dx_run(q, c);
    dx_assert_pattern(t, small.bus + 11, 50000, 9);
    dx_assert_pattern(t, bus + LARGE - 50000, 50000, 9);
    dx_stop(t);
}

/* The border between a 2 MiB page and 4 KiB pages, in one transfer. */
static void test_large_and_small_pages(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    uint64_t gpuva = 0x100000000000ull;
    uint64_t large = dx_memory(t, LARGE, LARGE);
    uint64_t small = dx_memory(t, 2 * PAGE, PAGE);
    DxBuffer src = dx_buffer(space, 3 * PAGE);
    DxBuffer dst = dx_buffer(space, 3 * PAGE);
    uint8_t wanted[3 * DXGPU_PAGE_SIZE], found[3 * DXGPU_PAGE_SIZE];

    qtest_writeq(t->qts, dx_entry(space, gpuva, 1),
                 large | DXGPU_PTE_VALID | DXGPU_PTE_LEAF | DX_RW);
    dx_map(space, gpuva + LARGE, small + PAGE, PAGE, DX_RW);
    dx_map(space, gpuva + LARGE + PAGE, small, PAGE, DX_RW);
    dx_write_pattern(t, src.bus, 3 * PAGE, 2);
    dx_copy(c, src.gpuva, gpuva + LARGE - PAGE, 3 * PAGE);
    dx_copy(c, gpuva + LARGE - PAGE, dst.gpuva, 3 * PAGE);
    dx_run(q, c);
    dx_assert_pattern(t, dst.bus, 3 * PAGE, 2);
    dx_pattern(wanted, 3 * PAGE, 2);
    qtest_bufread(t->qts, large + LARGE - PAGE, found, PAGE);
    qtest_bufread(t->qts, small + PAGE, found + PAGE, PAGE);
    qtest_bufread(t->qts, small, found + 2 * PAGE, PAGE);
    g_assert_cmpmem(found, 3 * PAGE, wanted, 3 * PAGE);
    dx_stop(t);
}

static void test_ends_of_the_address_space(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    uint64_t first = dx_memory(t, PAGE, PAGE);
    uint64_t last = dx_memory(t, PAGE, PAGE);

    dx_map(space, 0, first, PAGE, DX_RW);
    dx_map(space, GPUVA_END - PAGE, last, PAGE, DX_RW);
    dx_write_pattern(t, first, PAGE, 1);
    dx_copy(c, 0, GPUVA_END - PAGE, PAGE);
    dx_fence(c, GPUVA_END - 8, 0x77, 0);
    dx_run(q, c);
    dx_assert_pattern(t, last, PAGE - 8, 1);
    g_assert_cmphex(qtest_readq(t->qts, last + PAGE - 8), ==, 0x77);
    dx_stop(t);
}

/* One wrong entry for each level; the queue's commands are mapped rightly. */
static void check_walk_fault(unsigned int level, uint64_t entry, uint32_t code)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    /* No index in common with what the helpers use, at the root neither. */
    uint64_t gpuva = 0x00ab54321000ull;
    uint64_t bus = dx_memory(t, PAGE, PAGE);
    struct dxgpu_queue_status status;

    dx_map(space, gpuva, bus, PAGE, DX_RW);
    qtest_writeq(t->qts, dx_entry(space, gpuva, level), entry);
    dx_fence(c, gpuva + 8, 0xbad, 0);
    dx_fence(c, q->fence.gpuva, 1, 0);
    dx_submit(q, c);
    dx_kick(q);
    DX_WAIT(t, dx_fault_bit(t, q->id));
    status = dx_queue_status(t, q->id);
    if (status.fault_code != code || status.fault_level != level ||
        status.fault_gpuva != gpuva + 8 ||
        status.fault_access != DXGPU_ACCESS_WRITE) {
        dx_fail("entry 0x%" PRIx64 " at level %u: fault code %u (expected %u),"
                " level %u, GPUVA 0x%" PRIx64 ", access %u", entry, level,
                status.fault_code, code, status.fault_level,
                status.fault_gpuva, status.fault_access);
    }
    g_assert_cmphex(qtest_readq(t->qts, bus + 8), ==, 0);
    g_assert_cmpuint(dx_fence_now(q), ==, 0);
    dx_stop(t);
}

static void test_invalid_entry(void)
{
    unsigned int level;

    for (level = 0; level < DXGPU_PT_LEVELS; level++) {
        check_walk_fault(level, 0, DXGPU_FAULT_UNMAPPED);
        /* Bits of an invalid entry mean nothing. */
        check_walk_fault(level, ~DXGPU_PTE_VALID, DXGPU_FAULT_UNMAPPED);
    }
}

static void test_reserved_bits(void)
{
    static const uint64_t bits[] = {
        1ull << 4, 1ull << 11, 1ull << 52, 1ull << 63,
    };
    unsigned int level, i;

    for (level = 0; level < DXGPU_PT_LEVELS; level++) {
        for (i = 0; i < G_N_ELEMENTS(bits); i++) {
            check_walk_fault(level, 0x2000000 | DXGPU_PTE_VALID | DX_RW |
                             bits[i], DXGPU_FAULT_PTE);
        }
    }
}

static void test_misplaced_leaf(void)
{
    uint64_t leaf = DXGPU_PTE_VALID | DXGPU_PTE_LEAF | DX_RW;

    check_walk_fault(3, 0x2000000 | leaf, DXGPU_FAULT_PTE);
    check_walk_fault(2, 0x2000000 | leaf, DXGPU_FAULT_PTE);
    /* A 2 MiB page that is not aligned. */
    check_walk_fault(1, 0x2001000 | leaf, DXGPU_FAULT_PTE);
    check_walk_fault(1, 0x2100000 | leaf, DXGPU_FAULT_PTE);
}

static void test_leaf_bit_is_implied(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    DxBuffer b = dx_buffer(space, 8);

    qtest_writeq(t->qts, dx_entry(space, b.gpuva, 0),
                 b.bus | DXGPU_PTE_VALID | DXGPU_PTE_LEAF | DX_RW);
    dx_fence(c, b.gpuva, 5, 0);
    dx_run(q, c);
    g_assert_cmpuint(qtest_readq(t->qts, b.bus), ==, 5);
    dx_stop(t);
}

/* Reads, writes and the accesses of ring and ring control, by permission. */
static void test_protection(void)
{
    static const struct {
        uint64_t flags;
        uint32_t access;
    } cases[] = {
        { 0, DXGPU_ACCESS_READ }, { 0, DXGPU_ACCESS_WRITE },
        { DX_READ, DXGPU_ACCESS_WRITE }, { DX_WRITE, DXGPU_ACCESS_READ },
    };
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        DxQueue *q = queue_in(space);
        DxBuffer b = dx_buffer_flags(space, PAGE, cases[i].flags);
        DxBuffer other = dx_buffer(space, PAGE);
        struct dxgpu_queue_status status;

        dx_write_pattern(t, b.bus, PAGE, 6);
        /* First what is allowed, so that the page is in the TLB. */
        if (cases[i].flags == DX_READ) {
            dx_copy(c, b.gpuva, other.gpuva, 64);
        } else if (cases[i].flags == DX_WRITE) {
            dx_fill(c, b.gpuva + 1024, 4, 0);
        }
        if (cases[i].access == DXGPU_ACCESS_READ) {
            dx_copy(c, b.gpuva + 16, other.gpuva + 128, 64);
        } else {
            dx_fill(c, b.gpuva + 16, 64, 0xbad);
        }
        dx_submit(q, c);
        dx_kick(q);
        status = dx_wait_fault(q, DXGPU_FAULT_PROTECTION);
        g_assert_cmphex(status.fault_gpuva, ==, b.gpuva + 16);
        g_assert_cmpuint(status.fault_access, ==, cases[i].access);
        dx_assert_pattern(t, b.bus, 1024, 6);
        g_assert_cmphex(qtest_readq(t->qts, other.bus + 128), ==, 0);
    }
    dx_stop(t);
}

/* A 2 MiB page has permissions too. */
static void test_protection_of_a_large_page(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxQueue *q = queue_in(space);
    uint64_t gpuva = 0x100000000000ull;
    uint64_t bus = dx_memory(t, LARGE, LARGE);
    struct dxgpu_queue_status status;

    qtest_writeq(t->qts, dx_entry(space, gpuva, 1),
                 bus | DXGPU_PTE_VALID | DXGPU_PTE_LEAF | DX_READ);
    dx_fill(c, gpuva + 0x54320, 64, 0xbad);
    dx_submit(q, c);
    dx_kick(q);
    status = dx_wait_fault(q, DXGPU_FAULT_PROTECTION);
    g_assert_cmpuint(status.fault_level, ==, 1);
    g_assert_cmphex(status.fault_gpuva, ==, gpuva + 0x54320);
    g_assert_cmphex(qtest_readl(t->qts, bus + 0x54320), ==, 0);
    dx_stop(t);
}

/* A transfer that runs out of its mapping faults at the page that lacks. */
static void test_fault_inside_a_transfer(void)
{
    static const uint32_t holes[] = { 1, 15, 16, 17, 31 };
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(holes); i++) {
        DxQueue *q = queue_in(space);
        DxBuffer src = dx_buffer(space, 32 * PAGE);
        DxBuffer dst = dx_buffer(space, 32 * PAGE);
        DxBuffer *bad = i % 2 ? &src : &dst;
        struct dxgpu_queue_status status;

        dx_unmap(space, bad->gpuva + holes[i] * PAGE, PAGE);
        dx_copy(c, src.gpuva, dst.gpuva, 32 * PAGE);
        dx_fence(c, q->fence.gpuva, 1, 0);
        dx_submit(q, c);
        dx_kick(q);
        status = dx_wait_fault(q, DXGPU_FAULT_UNMAPPED);
        g_assert_cmphex(status.fault_gpuva, ==, bad->gpuva + holes[i] * PAGE);
        g_assert_cmpuint(status.fault_access, ==, i % 2 ? DXGPU_ACCESS_READ :
                         DXGPU_ACCESS_WRITE);
        g_assert_cmpuint(status.fault_level, ==, 0);
        g_assert_cmpuint(dx_fence_now(q), ==, 0);
    }
    dx_stop(t);
}

static void test_addresses_beyond_the_space(void)
{
    const struct {
        uint64_t gpuva;
        uint32_t bytes;
    } cases[] = {
        { GPUVA_END, 8 }, { GPUVA_END - 8, 16 }, { 1ull << 63, 8 },
        { ~0ull - 7, 8 }, { ~0ull - 7, 4096 }, { GPUVA_END - 4, 8 },
    };
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    DxBuffer b = dx_buffer(space, 8192);
    unsigned int i, kind;

    dx_map(space, GPUVA_END - PAGE, dx_memory(t, PAGE, PAGE), PAGE, DX_RW);
    dx_map(space, 0, dx_memory(t, PAGE, PAGE), PAGE, DX_RW);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t gpuva = cases[i].gpuva;
        uint32_t bytes = cases[i].bytes;

        for (kind = 0; kind < 5; kind++) {
            DxQueue *q = queue_in(space);

            switch (kind) {
            case 0:
                dx_copy(c, gpuva, b.gpuva, bytes);
                break;
            case 1:
                dx_copy(c, b.gpuva, gpuva, bytes);
                break;
            case 2:
                dx_fill(c, gpuva, bytes, 1);
                break;
            case 3:
                dx_crc(c, gpuva, b.gpuva, bytes, 0);
                break;
            default:
                dx_fence(c, gpuva < GPUVA_END ? GPUVA_END : gpuva & ~7ull, 1,
                         0);
                break;
            }
            dx_submit(q, c);
            dx_kick(q);
            dx_wait_fault(q, DXGPU_FAULT_ADDRESS);
        }
    }
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/mmu/scattered-pages", test_scattered_pages);
    qtest_add_func("dxgpu/mmu/large-page", test_large_page);
    qtest_add_func("dxgpu/mmu/large-and-small-pages",
                   test_large_and_small_pages);
    qtest_add_func("dxgpu/mmu/ends-of-the-address-space",
                   test_ends_of_the_address_space);
    qtest_add_func("dxgpu/mmu/FH-13-invalid-entry", test_invalid_entry);
    qtest_add_func("dxgpu/mmu/FH-13-reserved-bits", test_reserved_bits);
    qtest_add_func("dxgpu/mmu/FH-13-misplaced-leaf", test_misplaced_leaf);
    qtest_add_func("dxgpu/mmu/leaf-bit-is-implied-at-level-0",
                   test_leaf_bit_is_implied);
    qtest_add_func("dxgpu/mmu/FH-13-protection", test_protection);
    qtest_add_func("dxgpu/mmu/FH-13-protection-of-a-large-page",
                   test_protection_of_a_large_page);
    qtest_add_func("dxgpu/mmu/FH-13-fault-inside-a-transfer",
                   test_fault_inside_a_transfer);
    qtest_add_func("dxgpu/mmu/FH-14-addresses-beyond-the-space",
                   test_addresses_beyond_the_space);
    return g_test_run();
}
