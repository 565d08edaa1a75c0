/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's page-table writer (guest-driver/dxgpu/pagetable.c), compiled for
 * the host: after any order of map and unmap, also when memory is short, a walk
 * as the device does it finds what was mapped and nothing else; a table exists
 * exactly while it has a valid entry; one that was unlinked lives until its list
 * is freed (OBJ-24).
 */
#include <glib.h>
#include <string.h>

#include "pagetable.h"

#define PAGES           4096u           /* of the ranges that are tried */
#define BASE            (0x7fffffull << 21)     /* across two level 2 tables */
#define BUS(n)          ((0x100000ull + (n)) << DXGPU_PAGE_SHIFT)

struct world {
    struct dxgpu_pagetable pt;
    GHashTable *tables;         /* bus address -> struct dxgpu_table */
    u64 next_bus;
    int left;                   /* allocations until one fails; -1: none */
    u64 expected[PAGES];        /* leaf entries from BASE on */
};

static struct dxgpu_table *table_alloc(void *owner, bool children)
{
    struct world *w = owner;
    struct dxgpu_table *table;

    if (w->left >= 0 && w->left-- == 0) {
        return NULL;
    }
    table = g_new0(struct dxgpu_table, 1);
    table->entries = g_new0(u64, DXGPU_PT_ENTRIES);
    if (children) {
        table->children = g_new0(struct dxgpu_table *, DXGPU_PT_ENTRIES);
    }
    table->bus = w->next_bus += DXGPU_PT_BYTES;
    g_hash_table_insert(w->tables, &table->bus, table);
    return table;
}

static void table_free(void *owner, struct dxgpu_table *table)
{
    struct world *w = owner;

    g_assert_true(g_hash_table_remove(w->tables, &table->bus));
    g_free(table->entries);
    g_free(table->children);
    g_free(table);
}

static const struct dxgpu_pagetable_ops ops = {
    .alloc = table_alloc,
    .free = table_free,
};

static struct world *start(void)
{
    struct world *w = g_new0(struct world, 1);

    w->tables = g_hash_table_new(g_int64_hash, g_int64_equal);
    w->left = -1;
    g_assert_cmpint(dxgpu_pagetable_init(&w->pt, &ops, w), ==, 0);
    return w;
}

static void stop(struct world *w)
{
    dxgpu_pagetable_fini(&w->pt);
    g_assert_cmpuint(g_hash_table_size(w->tables), ==, 0);
    g_hash_table_destroy(w->tables);
    g_free(w);
}

/* The leaf of a page as the device finds it: by entries and bus addresses. */
static u64 walk(struct world *w, u64 gpuva)
{
    u64 entry, bus = w->pt.root->bus;
    struct dxgpu_table *table;
    int level;

    for (level = DXGPU_PT_LEVELS - 1; ; level--) {
        table = g_hash_table_lookup(w->tables, &bus);
        g_assert_nonnull(table);
        entry = table->entries[DXGPU_PT_INDEX(gpuva, level)];
        if (!level || !(entry & DXGPU_PTE_VALID)) {
            return entry;
        }
        g_assert_cmphex(entry & ~DXGPU_PTE_ADDR_MASK, ==, DXGPU_PTE_VALID);
        bus = entry & DXGPU_PTE_ADDR_MASK;
    }
}

/* Tables that can be reached; each but the root has a valid entry. */
static unsigned int count(struct dxgpu_table *table, bool root)
{
    unsigned int i, valid = 0, tables = 1;

    for (i = 0; i < DXGPU_PT_ENTRIES; i++) {
        valid += table->entries[i] & DXGPU_PTE_VALID;
        if (table->children && table->children[i]) {
            g_assert_cmphex(table->entries[i] & DXGPU_PTE_ADDR_MASK, ==,
                            table->children[i]->bus);
            tables += count(table->children[i], false);
        }
    }
    g_assert_cmpuint(table->valid, ==, valid);
    g_assert_true(root || valid);
    return tables;
}

static void check(struct world *w)
{
    unsigned int i;

    for (i = 0; i < PAGES; i++) {
        g_assert_cmphex(walk(w, BASE + ((u64)i << DXGPU_PAGE_SHIFT)), ==,
                        w->expected[i]);
    }
    g_assert_cmphex(walk(w, BASE - DXGPU_PAGE_SIZE), ==, 0);
    g_assert_cmphex(walk(w, BASE + ((u64)PAGES << DXGPU_PAGE_SHIFT)), ==, 0);
}

static int map(struct world *w, unsigned int first, unsigned int pages,
               u64 bus, bool writable)
{
    g_autofree u64 *addresses = g_new(u64, pages);
    unsigned int i;
    int ret;

    for (i = 0; i < pages; i++) {
        addresses[i] = BUS(bus + i);
    }
    ret = dxgpu_pagetable_map(&w->pt, BASE + ((u64)first << DXGPU_PAGE_SHIFT),
                              pages, addresses, writable);
    for (i = 0; !ret && i < pages; i++) {
        w->expected[first + i] = addresses[i] | DXGPU_PTE_VALID |
            DXGPU_PTE_READ | (writable ? DXGPU_PTE_WRITE : 0);
    }
    return ret;
}

static void unmap(struct world *w, unsigned int first, unsigned int pages)
{
    dxgpu_pagetable_unmap(&w->pt, BASE + ((u64)first << DXGPU_PAGE_SHIFT),
                          pages);
    memset(&w->expected[first], 0, pages * sizeof(w->expected[0]));
}

static void free_retired(struct world *w)
{
    dxgpu_pagetable_free_list(&w->pt, &w->pt.retired);
    g_assert_cmpuint(g_hash_table_size(w->tables), ==,
                     count(w->pt.root, true));
}

static void test_map(void)
{
    struct world *w = start();

    check(w);
    g_assert_cmpint(map(w, 500, 1100, 7, true), ==, 0);
    check(w);
    g_assert_cmpint(map(w, 510, 4, 9000, false), ==, 0);
    check(w);
    unmap(w, 0, PAGES);
    check(w);
    free_retired(w);
    g_assert_cmpuint(g_hash_table_size(w->tables), ==, 1);
    stop(w);
}

static void test_retired(void)
{
    struct world *w = start();
    unsigned int tables;

    g_assert_cmpint(map(w, 0, 1, 1, true), ==, 0);
    tables = g_hash_table_size(w->tables);
    g_assert_cmpuint(tables, ==, DXGPU_PT_LEVELS);
    unmap(w, 0, 1);
    /* The device may still read them. */
    g_assert_cmpuint(g_hash_table_size(w->tables), ==, tables);
    g_assert_cmpuint(count(w->pt.root, true), ==, 1);
    g_assert_cmpint(map(w, 0, 1, 2, true), ==, 0);
    free_retired(w);
    check(w);
    unmap(w, 0, 1);
    stop(w);
}

/* A map that fails has mapped nothing and kept no table. */
static void test_no_memory(void)
{
    struct world *w = start();
    struct dxgpu_pagetable none;
    int n = -1, ret;

    g_assert_cmpint(map(w, 600, 2, 5, true), ==, 0);
    do {
        w->left = ++n;
        g_assert_cmpint(n, <, 20);
        ret = map(w, 100, 3000, 50, true);
        w->left = -1;
        check(w);
        free_retired(w);
    } while (ret == -ENOMEM);
    g_assert_cmpint(ret, ==, 0);
    g_assert_cmpint(n, >, 4);
    w->left = 0;
    g_assert_cmpint(dxgpu_pagetable_init(&none, &ops, w), ==, -ENOMEM);
    stop(w);
}

static void test_ends(void)
{
    struct world *w = start();
    u64 bus = BUS(3), last = (1ull << DXGPU_GPUVA_BITS) - DXGPU_PAGE_SIZE;

    g_assert_cmpint(dxgpu_pagetable_map(&w->pt, 0, 1, &bus, false), ==, 0);
    g_assert_cmpint(dxgpu_pagetable_map(&w->pt, last, 1, &bus, true), ==, 0);
    g_assert_cmphex(walk(w, 0), ==, bus | DXGPU_PTE_VALID | DXGPU_PTE_READ);
    g_assert_cmphex(walk(w, last), ==, bus | DXGPU_PTE_VALID |
                    DXGPU_PTE_READ | DXGPU_PTE_WRITE);
    dxgpu_pagetable_unmap(&w->pt, 0, 1ull << (DXGPU_GPUVA_BITS -
                                              DXGPU_PAGE_SHIFT));
    free_retired(w);
    g_assert_cmpuint(g_hash_table_size(w->tables), ==, 1);
    stop(w);
}

static void test_random(void)
{
    struct world *w = start();
    GRand *rand = g_rand_new_with_seed(20261121);
    unsigned int i, first, pages;

    for (i = 0; i < 400; i++) {
        first = g_rand_int_range(rand, 0, PAGES);
        pages = g_rand_int_range(rand, 1, PAGES - first + 1);
        if (g_rand_boolean(rand)) {
            w->left = g_rand_int_range(rand, -1, 12);
            map(w, first, pages, i * PAGES, g_rand_boolean(rand));
            w->left = -1;
        } else {
            unmap(w, first, pages);
        }
        check(w);
        if (g_rand_int_range(rand, 0, 4) == 0) {
            free_retired(w);
        }
    }
    g_rand_free(rand);
    stop(w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pagetable/map", test_map);
    g_test_add_func("/pagetable/OBJ-24-retired", test_retired);
    g_test_add_func("/pagetable/no-memory", test_no_memory);
    g_test_add_func("/pagetable/ends", test_ends);
    g_test_add_func("/pagetable/random", test_random);
    return g_test_run();
}
