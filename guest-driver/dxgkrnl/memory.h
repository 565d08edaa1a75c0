/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of processes: what they map, what they give the device, where it sees it.
 *
 * Part of dxgkrnl.h, where the object tree and the lock order are told.
 */
#ifndef _DXGKRNL_MEMORY_H
#define _DXGKRNL_MEMORY_H

#include <linux/interval_tree.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#include "d3dkmddi.h"
#include "object.h"

struct dxg_device;
struct dxg_process;
struct dxg_process_adapter;

/* ---- user mappings (mapping.c) ---- */

struct dxg_region;

/*
 * A range of the driver-owned inode that can be mapped into its process once,
 * by the kernel (MAP-1). Embedded in the object that owns the memory.
 */
struct dxg_region {
	struct dxg_object *owner;
	unsigned long pgoff;		/* never used twice */
	unsigned long pages;
	bool writable;
	bool raw_pfn;			/* entries hold no page references */
	vm_fault_t (*fault)(struct dxg_region *region, struct vm_fault *vmf);
};

void dxg_region_init(struct dxg_region *region, struct dxg_object *owner, unsigned long pages,
		     bool writable);
NTSTATUS dxg_region_map(struct dxg_region *region, unsigned long *user_addr);
void dxg_region_unmap(struct dxg_region *region, unsigned long user_addr);
void dxg_region_zap(struct dxg_region *region);
struct file *dxg_mapping_file(struct dxg_process *process);
int dxg_mapping_init(void);
void dxg_mapping_exit(void);

/* ---- allocations, GPU addresses ---- */

/* The pages of an allocation: the kernel's own, or pinned ones of the process. */
struct dxg_memory {
	struct dxg_process *process;	/* charged */
	struct page **pages;
	u64 *bus;			/* dma_addr_t per page; NULL: not mapped */
	unsigned long count;
	unsigned long user_addr;	/* pinned: where they lie in the process, else 0 */
	bool writable;
};

NTSTATUS dxg_memory_create(struct dxg_process *process, u64 bytes, struct dxg_memory *memory);
NTSTATUS dxg_memory_pin(struct dxg_process *process, u64 user_addr, u64 bytes, bool writable,
			struct dxg_memory *memory);
NTSTATUS dxg_memory_dma_map(struct dxg_memory *memory, struct device *dev);
void dxg_memory_dma_unmap(struct dxg_memory *memory, struct device *dev);
void dxg_memory_destroy(struct dxg_memory *memory);

struct dxg_allocation {
	struct dxg_object obj;
	struct dxg_device *device;	/* counted */
	struct list_head node;		/* device->allocations, until hw_refs is 0 */
	struct dxg_memory memory;
	HANDLE kmd;			/* guard */
	u32 flags;			/* DXG_ALLOCATION_* */
	unsigned int hw_refs;		/* pa->lock: the handle and each doorbell (OBJ-11) */
	unsigned int doorbells;		/* pa->lock: uses as ring or ring control (KMT-CD-13) */
	unsigned int resident;		/* pa->lock: make-resident less evict calls */
	bool entries_present;		/* pa->lock: in the device's page tables */
	struct list_head mappings;	/* of dxg_va; pa->lock */
	struct mutex lock;		/* gone against faults */
	bool gone;			/* lock */
	struct dxg_region region;
	unsigned long user_addr;	/* pa->lock: while locks > 0 */
	unsigned int locks;		/* pa->lock */
};

bool dxg_allocation_destroy(struct dxg_allocation *allocation);
void dxg_allocation_hw_get(struct dxg_allocation *allocation);
void dxg_allocation_hw_put(struct dxg_allocation *allocation);
void dxg_allocation_update_entries(struct dxg_allocation *allocation);
NTSTATUS dxg_allocation_make_resident(struct dxg_allocation *allocation);
void dxg_allocation_evict(struct dxg_allocation *allocation);

/* A range of GPU addresses: a reservation, or a mapping of part of an allocation. */
struct dxg_va {
	struct interval_tree_node range; /* byte addresses, inclusive */
	struct list_head node;		/* allocation->mappings */
	struct dxg_allocation *allocation; /* removes its mappings; NULL for cells */
	unsigned long first_page;
	bool writable;
};

u64 dxg_va_start(const struct dxg_va *va);
u64 dxg_va_pages(const struct dxg_va *va);
NTSTATUS dxg_va_alloc_kernel(struct dxg_process_adapter *pa, u64 bytes, struct dxg_va **out);
void dxg_va_free_kernel(struct dxg_process_adapter *pa, struct dxg_va *va);
NTSTATUS dxg_va_write_entries(struct dxg_process_adapter *pa, struct dxg_va *va, const u64 *bus,
			      bool writable);
void dxg_va_clear_entries(struct dxg_process_adapter *pa, struct dxg_va *va);
void dxg_va_remove_mappings(struct dxg_allocation *allocation);
void dxg_va_destroy_all(struct dxg_process_adapter *pa);
struct dxg_va *dxg_va_whole_mapping(struct dxg_allocation *allocation);

#endif /* _DXGKRNL_MEMORY_H */
