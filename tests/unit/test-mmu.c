/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translation: 4 KiB and 2 MiB pages, malformed entries at each level, access
 * rights, the bus, and what an invalidation means. Faults go through a queue,
 * as a guest sees them (FH-13, FH-17, SEC-9, SEC-23).
 */
#include <string.h>

#include "fake.h"

#define VA 0x123456789000ull
#define LARGE_VA 0x40000000ull

static void run(struct fake_queue *q)
{
    fake_submit(q);
    dxgpu_core_doorbell(q->f->core, 0, q->wp);
    fake_run(q->f);
}

/* A copy of 8 bytes between the queue's data and gpuva. */
static void write_to(struct fake_queue *q, uint64_t gpuva)
{
    fake_put_copy(q, q->data, gpuva, 8);
    run(q);
}

static void read_from(struct fake_queue *q, uint64_t gpuva)
{
    fake_put_copy(q, gpuva, q->data, 8);
    run(q);
}

static void check(struct fake_queue *q, uint32_t code, uint64_t gpuva,
                  uint32_t access, uint32_t level)
{
    volatile struct dxgpu_queue_status *status = fake_assert_fault(q, code);

    g_assert_cmphex(status->fault_gpuva, ==, gpuva);
    g_assert_cmpuint(status->fault_access, ==, access);
    g_assert_cmpuint(status->fault_level, ==, level);
}

static void test_unmapped_levels(void)
{
    int level;

    for (level = 0; level < DXGPU_PT_LEVELS; level++) {
        struct fake *f = fake_new(NULL);
        struct fake_queue q = fake_bound_queue(f, 0, 0);

        fake_pte(f, q.root, VA, level);
        read_from(&q, VA);
        check(&q, DXGPU_FAULT_UNMAPPED, VA, DXGPU_ACCESS_READ, level);
        fake_free(f);
    }
}

/* Each bit that the format does not name, at each level. */
static void test_reserved_bits(void)
{
    uint64_t bad = DXGPU_PTE_RESERVED;
    int level, bit;

    for (level = 0; level < DXGPU_PT_LEVELS; level++) {
        for (bit = 0; bit < 64; bit++) {
            struct fake *f;
            struct fake_queue q;

            if (!(bad >> bit & 1)) {
                continue;
            }
            f = fake_new(NULL);
            q = fake_bound_queue(f, 0, 0);
            fake_map(f, q.root, VA, fake_alloc(f, 4096), 4096, FAKE_RW);
            *fake_pte(f, q.root, VA, level) |= 1ull << bit;
            write_to(&q, VA);
            check(&q, DXGPU_FAULT_PTE, VA, DXGPU_ACCESS_WRITE, level);
            fake_free(f);
        }
    }
}

/* A leaf is a page at level 1 only, and aligned; bad bits do not make valid. */
static void test_bad_leaves(void)
{
    struct fake *f;
    struct fake_queue q;
    int level;

    for (level = 2; level < DXGPU_PT_LEVELS; level++) {
        f = fake_new(NULL);
        q = fake_bound_queue(f, 0, 0);
        *fake_pte(f, q.root, VA, level) = FAKE_BASE | FAKE_RW |
                                          DXGPU_PTE_LEAF | DXGPU_PTE_VALID;
        read_from(&q, VA);
        check(&q, DXGPU_FAULT_PTE, VA, DXGPU_ACCESS_READ, level);
        fake_free(f);
    }

    f = fake_new(NULL);
    q = fake_bound_queue(f, 0, 0);
    *fake_pte(f, q.root, VA, 1) = (FAKE_BASE + 4096) | FAKE_RW |
                                  DXGPU_PTE_LEAF | DXGPU_PTE_VALID;
    read_from(&q, VA);
    check(&q, DXGPU_FAULT_PTE, VA, DXGPU_ACCESS_READ, 1);
    fake_free(f);

    f = fake_new(NULL);
    q = fake_bound_queue(f, 0, 0);
    *fake_pte(f, q.root, VA, 0) = UINT64_MAX & ~DXGPU_PTE_VALID;
    read_from(&q, VA);
    check(&q, DXGPU_FAULT_UNMAPPED, VA, DXGPU_ACCESS_READ, 0);
    fake_free(f);
}

static void test_large_page(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint64_t bus = (FAKE_BASE + (32 << 20));
    uint8_t *p = fake_ptr(f, q.data_bus);
    uint8_t *large = fake_ptr(f, bus);

    memset(large, 0, 1 << 21);
    *fake_pte(f, q.root, LARGE_VA, 1) = bus | FAKE_RW | DXGPU_PTE_LEAF |
                                        DXGPU_PTE_VALID;
    memset(p, 0x5a, 100000);
    fake_put_copy(&q, q.data, LARGE_VA + 0x1003, 100000);
    run(&q);
    g_assert_cmpmem(large + 0x1003, 100000, p, 100000);
    g_assert_cmpuint(large[0x1002], ==, 0);

    /* Its last byte, and the first one behind it. */
    fake_put_copy(&q, q.data, LARGE_VA + (1 << 21) - 1, 1);
    run(&q);
    g_assert_cmpuint(large[(1 << 21) - 1], ==, 0x5a);
    write_to(&q, LARGE_VA + (1 << 21) - 4);
    check(&q, DXGPU_FAULT_UNMAPPED, LARGE_VA + (1 << 21), DXGPU_ACCESS_WRITE,
          1);
    fake_free(f);
}

static void test_large_protection(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    *fake_pte(f, q.root, LARGE_VA, 1) = (FAKE_BASE + (32 << 20)) |
                                        DXGPU_PTE_READ | DXGPU_PTE_LEAF |
                                        DXGPU_PTE_VALID;
    write_to(&q, LARGE_VA);
    check(&q, DXGPU_FAULT_PROTECTION, LARGE_VA, DXGPU_ACCESS_WRITE, 1);
    fake_free(f);
}

static void test_protection(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint64_t bus = fake_alloc(f, 4096);

    fake_map(f, q.root, VA, bus, 4096, DXGPU_PTE_READ);
    read_from(&q, VA);
    g_assert_cmpuint(fake_queue_status(f, 0)->state, ==, DXGPU_QUEUE_IDLE);
    write_to(&q, VA + 8);
    check(&q, DXGPU_FAULT_PROTECTION, VA + 8, DXGPU_ACCESS_WRITE, 0);
    fake_free(f);

    f = fake_new(NULL);
    q = fake_bound_queue(f, 0, 0);
    fake_map(f, q.root, VA, fake_alloc(f, 4096), 4096, DXGPU_PTE_WRITE);
    write_to(&q, VA);
    g_assert_cmpuint(fake_queue_status(f, 0)->state, ==, DXGPU_QUEUE_IDLE);
    read_from(&q, VA);
    check(&q, DXGPU_FAULT_PROTECTION, VA, DXGPU_ACCESS_READ, 0);
    fake_free(f);
}

/* A read-only fence page: the store faults, nothing is written. */
static void test_fence_protection(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint64_t bus = fake_alloc(f, 4096);

    fake_map(f, q.root, VA, bus, 4096, DXGPU_PTE_READ);
    fake_put_fence(&q, VA + 16, 1, DXGPU_FENCE_INTERRUPT);
    run(&q);
    check(&q, DXGPU_FAULT_PROTECTION, VA + 16, DXGPU_ACCESS_WRITE, 0);
    g_assert_cmpuint(fake_load(f, bus + 16), ==, 0);
    g_assert_cmpuint(f->vectors[DXGPU_VECTOR_NODE(0)], ==, 0);
    fake_free(f);
}

/* Page and tables that are no memory; bus mastering off (SEC-23). */
static void test_bus(void)
{
    struct fake *f;
    struct fake_queue q;
    int level;

    for (level = 0; level < DXGPU_PT_LEVELS; level++) {
        f = fake_new(NULL);
        q = fake_bound_queue(f, 0, 0);
        *fake_pte(f, q.root, VA, level) = 0xfee00000 | FAKE_RW |
                                          DXGPU_PTE_VALID;
        write_to(&q, VA);
        check(&q, DXGPU_FAULT_BUS, VA, DXGPU_ACCESS_WRITE,
              level ? level - 1 : 0);
        fake_free(f);
    }

    f = fake_new(NULL);
    q = fake_bound_queue(f, 0, 0);
    f->bus_master = false;
    dxgpu_core_doorbell(f->core, 0, 0);
    fake_run(f);
    fake_assert_fault(&q, DXGPU_FAULT_BUS);
    fake_free(f);
}

/* Ring and ring control are translated like everything else (FH-17). */
static void test_ring_faults(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    *fake_pte(f, q.root, q.ring, 0) = 0;
    fake_put_nop(&q, 8);
    run(&q);
    check(&q, DXGPU_FAULT_UNMAPPED, q.ring, DXGPU_ACCESS_READ, 0);
    g_assert_cmpuint(fake_queue_status(f, 0)->fault_fence, ==, 0);
    fake_free(f);

    f = fake_new(NULL);
    fake_space(f, 0);
    fake_context(f, 0, 0, 0);
    g_assert_cmpint(fake_command(f, DXGPU_CMD_QUEUE_CREATE, 0, 0, VA, 16,
                                 VA + 0x1000, 0), ==, DXGPU_CMD_OK);
    fake_cmd1(f, DXGPU_CMD_QUEUE_KICK, 0);
    fake_run(f);
    q.f = f;
    fake_assert_fault(&q, DXGPU_FAULT_UNMAPPED);
    fake_free(f);
}

/* A page that becomes valid needs no invalidation: misses are not kept. */
static void test_new_page(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue a = fake_bound_queue(f, 0, 0);
    struct fake_queue b = fake_queue(f, 1, 0, a.root, 16);

    fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 1, 1);
    write_to(&a, VA);
    check(&a, DXGPU_FAULT_UNMAPPED, VA, DXGPU_ACCESS_WRITE, 3);
    fake_map(f, a.root, VA, fake_alloc(f, 4096), 4096, FAKE_RW);
    fake_put_copy(&b, b.data, VA, 8);
    fake_submit(&b);
    dxgpu_core_doorbell(f->core, 1, 1);
    fake_run(f);
    g_assert_cmpuint(fake_queue_status(f, 1)->state, ==, DXGPU_QUEUE_IDLE);
    fake_free(f);
}

/* After the acknowledgement the old page is out of reach. */
static void test_invalidate(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint64_t old = fake_alloc(f, 4096), new = fake_alloc(f, 4096);

    fake_map(f, q.root, VA, old, 4096, FAKE_RW);
    fake_put_fill(&q, VA, 4, 1);
    run(&q);
    g_assert_cmpuint(*(uint32_t *)fake_ptr(f, old), ==, 1);

    fake_map(f, q.root, VA, new, 4096, FAKE_RW);
    g_assert_cmpint(fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, VA, 4096, 7),
                    ==, DXGPU_CMD_OK);
    g_assert_cmpuint(fake_space_status(f, 0)->invalidate_fence, ==, 0);
    fake_run(f);
    g_assert_cmpuint(fake_space_status(f, 0)->invalidate_fence, ==, 7);
    g_assert_cmpuint(dxgpu_core_int_cause(f->core), ==, DXGPU_INT_ACK);
    fake_put_fill(&q, VA, 4, 2);
    run(&q);
    g_assert_cmpuint(*(uint32_t *)fake_ptr(f, old), ==, 1);
    g_assert_cmpuint(*(uint32_t *)fake_ptr(f, new), ==, 2);
    fake_free(f);
}

/* So often that every place of the TLB has held every older translation. */
static void test_invalidate_often(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint64_t pages[2] = { fake_alloc(f, 4096), fake_alloc(f, 4096) };
    uint64_t i;

    for (i = 1; i < 4000; i++) {
        fake_map(f, q.root, VA, pages[g_test_rand_bit()], 4096, FAKE_RW);
        fake_cmd4(f, DXGPU_CMD_SPACE_INVALIDATE, 0, VA, 4096, i);
        fake_run(f);
        fake_put_fence(&q, VA, i, 0);
        run(&q);
        g_assert_cmpuint(fake_load(f, *fake_pte(f, q.root, VA, 0) &
                                   DXGPU_PTE_ADDR_MASK), ==, i);
    }
    fake_free(f);
}

/* A space made anew under a used id does not see the translations before. */
static void test_space_reuse(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    struct fake_queue again;
    uint64_t old_page = q.data_bus;

    fake_submit_fence(&q, 1);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, 0, 1);
    fake_run(f);
    fake_cmd1(f, DXGPU_CMD_CONTEXT_DESTROY, 0);
    g_assert_cmpint(fake_cmd1(f, DXGPU_CMD_SPACE_DESTROY, 0), ==,
                    DXGPU_CMD_OK);

    again = fake_bound_queue(f, 0, 0);
    g_assert_cmpuint(again.data, ==, q.data);
    fake_submit_fence(&again, 2);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, old_page), ==, 1);
    g_assert_cmpuint(fake_load(f, again.data_bus), ==, 2);
    fake_free(f);
}

/* SEC-9: the same address in two spaces is two pages. */
static void test_isolation(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue a = fake_bound_queue(f, 0, 0);
    struct fake_queue b;
    uint64_t root = fake_space(f, 1);
    uint64_t page_a = fake_alloc(f, 4096), page_b = fake_alloc(f, 4096);

    fake_context(f, 1, 1, 0);
    b = fake_queue(f, 1, 1, root, 16);
    fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 1, 1);
    fake_map(f, a.root, VA, page_a, 4096, FAKE_RW);
    fake_map(f, b.root, VA, page_b, 4096, FAKE_RW);
    fake_put_fence(&a, VA, 1, 0);
    fake_submit(&a);
    fake_put_fence(&b, VA, 2, 0);
    fake_submit(&b);
    dxgpu_core_doorbell(f->core, 0, 1);
    dxgpu_core_doorbell(f->core, 1, 1);
    fake_run(f);
    g_assert_cmpuint(fake_load(f, page_a), ==, 1);
    g_assert_cmpuint(fake_load(f, page_b), ==, 2);
    fake_free(f);
}

static void test_tlb_counts(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint64_t misses;

    fake_submit_fence(&q, 1);
    dxgpu_core_doorbell(f->core, 0, 1);
    fake_run(f);
    misses = fake_stat(f, DXGPU_STAT_TLB_MISSES);
    fake_submit_fence(&q, 2);
    dxgpu_core_doorbell(f->core, 0, 2);
    fake_run(f);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_TLB_MISSES), ==, misses);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_TLB_HITS), >, 0);
    fake_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mmu/unmapped-levels", test_unmapped_levels);
    g_test_add_func("/mmu/reserved-bits", test_reserved_bits);
    g_test_add_func("/mmu/bad-leaves", test_bad_leaves);
    g_test_add_func("/mmu/large-page", test_large_page);
    g_test_add_func("/mmu/large-protection", test_large_protection);
    g_test_add_func("/mmu/protection", test_protection);
    g_test_add_func("/mmu/fence-protection", test_fence_protection);
    g_test_add_func("/mmu/bus", test_bus);
    g_test_add_func("/mmu/ring-faults", test_ring_faults);
    g_test_add_func("/mmu/new-page", test_new_page);
    g_test_add_func("/mmu/invalidate", test_invalidate);
    g_test_add_func("/mmu/invalidate-often", test_invalidate_often);
    g_test_add_func("/mmu/space-reuse", test_space_reuse);
    g_test_add_func("/mmu/isolation", test_isolation);
    g_test_add_func("/mmu/tlb-counts", test_tlb_counts);
    return g_test_run();
}
