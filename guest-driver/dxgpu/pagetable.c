// SPDX-License-Identifier: GPL-2.0
/*
 * dxgpu.ko: the page-table writer.
 *
 * DOC: page tables
 *
 * A tree of tables as <dxgpu/pte.h> has it, written by the CPU. A table is linked
 * from the level above exactly while it has a valid entry, the root excepted.
 * The device walks the tables at any time and may keep what it read until an
 * invalidate, so a table that became empty is unlinked and retired, not freed;
 * its memory goes when an invalidate of the whole space that began after the
 * unlinking has been acknowledged (OBJ-24). Entries are stored whole, and a
 * table before the entry that links it.
 *
 * Mapping takes two passes: the first makes every table that is missing, the
 * second cannot fail. So a failed map has mapped nothing.
 *
 * Only 4 KiB leaves are written: the OS layer maps single pages of system
 * memory, which are rarely 2 MiB in a row.
 */
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <asm/barrier.h>
#include "pagetable.h"

/* Tables of this level and above have children. */
#define DXGPU_PT_LEVEL_INNER	1
#define DXGPU_PT_LEVEL_ROOT	(DXGPU_PT_LEVELS - 1)

static u64 dxgpu_level_pages(unsigned int level)
{
	return 1ull << (9 * level);
}

/* How many pages from @page on lie in the same entry of a table of @level. */
static u64 dxgpu_span(u64 page, u64 pages, unsigned int level)
{
	u64 rest = dxgpu_level_pages(level) - (page & (dxgpu_level_pages(level) - 1));

	return rest < pages ? rest : pages;
}

static unsigned int dxgpu_index(u64 page, unsigned int level)
{
	return DXGPU_PT_INDEX(page << DXGPU_PAGE_SHIFT, level);
}

static void dxgpu_entry_set(struct dxgpu_table *table, unsigned int index, u64 entry)
{
	u64 old = table->entries[index];

	table->valid += !!(entry & DXGPU_PTE_VALID);
	table->valid -= !!(old & DXGPU_PTE_VALID);
	WRITE_ONCE(table->entries[index], entry);
}

/* Unlinks each table of the range that holds nothing; they are retired. */
static void dxgpu_prune(struct dxgpu_pagetable *pt, struct dxgpu_table *table,
			unsigned int level, u64 page, u64 pages)
{
	while (pages && level >= DXGPU_PT_LEVEL_INNER) {
		unsigned int index = dxgpu_index(page, level);
		struct dxgpu_table *child = table->children[index];
		u64 span = dxgpu_span(page, pages, level);

		if (child) {
			dxgpu_prune(pt, child, level - 1, page, span);
			if (!child->valid) {
				dxgpu_entry_set(table, index, 0);
				table->children[index] = NULL;
				list_add(&child->link, &pt->retired);
			}
		}
		page += span;
		pages -= span;
	}
}

/* Makes every table that the range needs. */
static int dxgpu_populate(struct dxgpu_pagetable *pt, struct dxgpu_table *table,
			  unsigned int level, u64 page, u64 pages)
{
	int ret = 0;

	while (pages && level >= DXGPU_PT_LEVEL_INNER && !ret) {
		unsigned int index = dxgpu_index(page, level);
		u64 span = dxgpu_span(page, pages, level);

		if (!table->children[index]) {
			struct dxgpu_table *child;

			child = pt->ops->alloc(pt->owner, level > DXGPU_PT_LEVEL_INNER);
			if (!child)
				return -ENOMEM;
			table->children[index] = child;
			dma_wmb(); /* zeroes before the link to them */
			dxgpu_entry_set(table, index, child->bus | DXGPU_PTE_VALID);
		}
		ret = dxgpu_populate(pt, table->children[index], level - 1, page, span);
		page += span;
		pages -= span;
	}
	return ret;
}

/* Stores the leaves of a range whose tables exist; 0 for no address. */
static void dxgpu_write_leaves(struct dxgpu_table *table, unsigned int level, u64 page,
			       u64 pages, const u64 *bus_addresses, u64 flags)
{
	while (pages) {
		unsigned int index = dxgpu_index(page, level);
		u64 span = dxgpu_span(page, pages, level);

		if (!level)
			dxgpu_entry_set(table, index,
					bus_addresses ? *bus_addresses | flags : 0);
		else if (table->children[index])
			dxgpu_write_leaves(table->children[index], level - 1, page, span,
					   bus_addresses, flags);
		if (bus_addresses)
			bus_addresses += span;
		page += span;
		pages -= span;
	}
}

/**
 * dxgpu_pagetable_init() - make an empty page table
 * @pt: the page table
 * @ops: where tables come from
 * @owner: passed to @ops
 *
 * Return: 0 or -ENOMEM.
 */
int dxgpu_pagetable_init(struct dxgpu_pagetable *pt, const struct dxgpu_pagetable_ops *ops,
			 void *owner)
{
	pt->ops = ops;
	pt->owner = owner;
	INIT_LIST_HEAD(&pt->retired);
	pt->root = ops->alloc(owner, true);
	return pt->root ? 0 : -ENOMEM;
}

static void dxgpu_free_tree(struct dxgpu_pagetable *pt, struct dxgpu_table *table)
{
	unsigned int i;

	for (i = 0; table->children && i < DXGPU_PT_ENTRIES; i++) {
		if (table->children[i])
			dxgpu_free_tree(pt, table->children[i]);
	}
	pt->ops->free(pt->owner, table);
}

/**
 * dxgpu_pagetable_fini() - free all tables
 * @pt: the page table; no device uses it any more
 */
void dxgpu_pagetable_fini(struct dxgpu_pagetable *pt)
{
	dxgpu_pagetable_free_list(pt, &pt->retired);
	dxgpu_free_tree(pt, pt->root);
	pt->root = NULL;
}

/**
 * dxgpu_pagetable_map() - map pages
 * @pt: the page table
 * @gpuva: of the first page; the caller has checked alignment and range
 * @pages: how many
 * @bus_addresses: one per page, page aligned and below 2^52
 * @writable: whether the device may write
 *
 * What was mapped in the range is replaced; the device may use the old entries
 * until an invalidate.
 *
 * Return: 0, or -ENOMEM and nothing is changed.
 */
int dxgpu_pagetable_map(struct dxgpu_pagetable *pt, u64 gpuva, u64 pages,
			const u64 *bus_addresses, bool writable)
{
	u64 flags = DXGPU_PTE_VALID | DXGPU_PTE_READ | (writable ? DXGPU_PTE_WRITE : 0);
	u64 page = gpuva >> DXGPU_PAGE_SHIFT;

	if (dxgpu_populate(pt, pt->root, DXGPU_PT_LEVEL_ROOT, page, pages)) {
		dxgpu_prune(pt, pt->root, DXGPU_PT_LEVEL_ROOT, page, pages);
		return -ENOMEM;
	}
	dxgpu_write_leaves(pt->root, DXGPU_PT_LEVEL_ROOT, page, pages, bus_addresses, flags);
	dma_wmb(); /* entries before the work that uses them */
	return 0;
}

/**
 * dxgpu_pagetable_unmap() - unmap pages, mapped or not
 * @pt: the page table
 * @gpuva: of the first page; the caller has checked alignment and range
 * @pages: how many
 *
 * The device may use the old entries, and the retired tables, until an
 * invalidate is acknowledged.
 */
void dxgpu_pagetable_unmap(struct dxgpu_pagetable *pt, u64 gpuva, u64 pages)
{
	u64 page = gpuva >> DXGPU_PAGE_SHIFT;

	dxgpu_write_leaves(pt->root, DXGPU_PT_LEVEL_ROOT, page, pages, NULL, 0);
	dxgpu_prune(pt, pt->root, DXGPU_PT_LEVEL_ROOT, page, pages);
}

/**
 * dxgpu_pagetable_free_list() - free tables that were retired
 * @pt: the page table
 * @tables: taken from pt->retired before the invalidate that was acknowledged
 */
void dxgpu_pagetable_free_list(struct dxgpu_pagetable *pt, struct list_head *tables)
{
	struct dxgpu_table *table, *next;

	list_for_each_entry_safe(table, next, tables, link) {
		list_del(&table->link);
		pt->ops->free(pt->owner, table);
	}
}
