/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dxgpu.ko: the page tables of one address space; see pagetable.c.
 *
 * The writer needs nothing of a device but memory that it can name by bus
 * address: struct dxgpu_pagetable_ops. It compiles outside the kernel, too.
 */
#ifndef _DXGPU_PAGETABLE_H
#define _DXGPU_PAGETABLE_H

#include <linux/list.h>
#include <linux/types.h>
#include <dxgpu/pte.h>

/* One table and what the CPU must know of it; children are NULL at level 0. */
struct dxgpu_table {
	struct list_head link;		/* dxgpu_pagetable.retired, or a list of reclaimed ones */
	u64 *entries;			/* DXGPU_PT_ENTRIES, as the device reads them */
	u64 bus;
	unsigned int valid;		/* entries with DXGPU_PTE_VALID */
	struct dxgpu_table **children;	/* DXGPU_PT_ENTRIES */
};

struct dxgpu_pagetable_ops {
	/* A zeroed table with entries and bus set, children if wanted; NULL: no memory. */
	struct dxgpu_table *(*alloc)(void *owner, bool children);
	void (*free)(void *owner, struct dxgpu_table *table);
};

/*
 * The user serialises all calls for one page table. @retired holds tables that
 * are no longer linked but that the device may still have in its cache.
 */
struct dxgpu_pagetable {
	const struct dxgpu_pagetable_ops *ops;
	void *owner;
	struct dxgpu_table *root;
	struct list_head retired;
};

int dxgpu_pagetable_init(struct dxgpu_pagetable *pt, const struct dxgpu_pagetable_ops *ops,
			 void *owner);
void dxgpu_pagetable_fini(struct dxgpu_pagetable *pt);
int dxgpu_pagetable_map(struct dxgpu_pagetable *pt, u64 gpuva, u64 pages,
			const u64 *bus_addresses, bool writable);
void dxgpu_pagetable_unmap(struct dxgpu_pagetable *pt, u64 gpuva, u64 pages);
void dxgpu_pagetable_free_list(struct dxgpu_pagetable *pt, struct list_head *tables);

#endif /* _DXGPU_PAGETABLE_H */
