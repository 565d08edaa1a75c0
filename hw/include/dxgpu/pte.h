/* SPDX-License-Identifier: MIT */
/*
 * dxgpu hardware contract: page tables.
 *
 * Four levels of 512 entries of 64 bits translate a 48-bit GPU virtual
 * address (GPUVA). Level 3 is the root, level 0 maps 4 KiB; a level 1 entry
 * with LEAF set maps 2 MiB. Addresses in entries are bus addresses, as the DMA
 * API gives them, so that a vIOMMU may stand between. Entries are read once
 * and may be kept until an invalidate command; an entry whose reserved bits are
 * not zero faults like an invalid one, with its own code.
 */
#ifndef DXGPU_PTE_H
#define DXGPU_PTE_H

#include "types.h"

#define DXGPU_PTE_VALID		(1ull << 0)
#define DXGPU_PTE_READ		(1ull << 1)	/* leaf only */
#define DXGPU_PTE_WRITE		(1ull << 2)	/* leaf only */
#define DXGPU_PTE_LEAF		(1ull << 3)	/* level 1: 2 MiB page; implied at level 0 */
#define DXGPU_PTE_ADDR_MASK	0x000ffffffffff000ull
#define DXGPU_PTE_RESERVED	(~(DXGPU_PTE_ADDR_MASK | 0xfull))

#define DXGPU_PT_LEVELS		4
#define DXGPU_PT_ENTRIES	512
#define DXGPU_PT_BYTES		4096
#define DXGPU_PAGE_SHIFT	12
#define DXGPU_PAGE_SIZE		(1ull << DXGPU_PAGE_SHIFT)
#define DXGPU_LARGE_PAGE_SHIFT	21
#define DXGPU_LARGE_PAGE_SIZE	(1ull << DXGPU_LARGE_PAGE_SHIFT)
#define DXGPU_GPUVA_BITS	48

/* The index into the table of a level (3 = root) for an address. */
#define DXGPU_PT_INDEX(gpuva, level) \
	(((gpuva) >> (DXGPU_PAGE_SHIFT + 9 * (level))) & (DXGPU_PT_ENTRIES - 1))

#endif /* DXGPU_PTE_H */
