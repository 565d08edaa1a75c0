/* SPDX-License-Identifier: MIT */
/*
 * dxgpu hardware contract: the status region (BAR4).
 *
 * RAM that the device writes and the guest reads. It is for the kernel-mode
 * driver only and never mapped to user space (DEV-7); a doorbell's STAT is
 * another thing, a cell in kernel memory. Where the record arrays lie and how
 * far their elements are apart is told by registers. Each 64-bit field is
 * written as one release store: a reader that saw an acknowledgment fence sees
 * all that the device did before. Records of ids that are not in use are zero.
 */
#ifndef DXGPU_STATUS_H
#define DXGPU_STATUS_H

#include "types.h"

enum dxgpu_queue_state {
	DXGPU_QUEUE_ABSENT	= 0,
	DXGPU_QUEUE_IDLE	= 1,	/* WP = RP at the last sample */
	DXGPU_QUEUE_READY	= 2,	/* has work, waits for its node */
	DXGPU_QUEUE_RUNNING	= 3,
	DXGPU_QUEUE_SUSPENDED	= 4,	/* its context is suspended */
	DXGPU_QUEUE_FAULTED	= 5,	/* final until removed */
};

enum dxgpu_fault_code {
	DXGPU_FAULT_NONE	= 0,
	DXGPU_FAULT_UNMAPPED	= 1,	/* no valid entry for the address */
	DXGPU_FAULT_PROTECTION	= 2,	/* read or write not allowed by the entry */
	DXGPU_FAULT_PTE		= 3,	/* reserved bits set in an entry */
	DXGPU_FAULT_BUS		= 4,	/* the entry's bus address is not memory, or bus mastering is off */
	DXGPU_FAULT_ADDRESS	= 5,	/* beyond GPUVA_BITS, or the range wraps */
	DXGPU_FAULT_WP		= 6,	/* WP - RP > entries */
	DXGPU_FAULT_ENTRY	= 7,	/* ring entry: alignment, length or reserved field */
	DXGPU_FAULT_OPCODE	= 8,	/* unknown packet */
	DXGPU_FAULT_LENGTH	= 9,	/* packet length wrong or beyond the buffer */
	DXGPU_FAULT_OPERAND	= 10,	/* packet operand: alignment, size, overlap, reserved bits */
	DXGPU_FAULT_RESET	= 11,	/* its node was reset while the queue held it */
};

/* What was being accessed when the fault occurred. */
enum dxgpu_fault_access {
	DXGPU_ACCESS_READ	= 0,
	DXGPU_ACCESS_WRITE	= 1,
};

/* One per queue id. After a removal only remove_fence keeps its value. */
struct dxgpu_queue_status {
	uint32_t state;			/* enum dxgpu_queue_state */
	uint32_t fault_code;		/* enum dxgpu_fault_code */
	uint64_t remove_fence;		/* last acknowledged removal */
	uint64_t rp;			/* private RP: entries completely executed */
	uint64_t wp;			/* WP at the last sample */
	uint64_t last_active_ns;	/* device clock at the last ring, or sample that found WP advanced */
	uint64_t fault_gpuva;		/* 0 if the fault has no address */
	uint64_t fault_fence;		/* fence_value of the entry that faulted */
	uint32_t fault_access;		/* enum dxgpu_fault_access */
	uint32_t fault_level;		/* page-table level that failed */
	uint64_t fault_rp;		/* index of the entry that faulted */
	uint64_t entries;		/* entries completed since creation */
	uint64_t rings;			/* doorbell writes received since creation */
	uint64_t samples;		/* WP samples since creation */
	uint64_t reserved[4];
};

DXGPU_ASSERT_SIZE(struct dxgpu_queue_status, 128);

/* One per context id. suspend_fence keeps its value after destruction. */
struct dxgpu_context_status {
	uint64_t suspend_fence;		/* last acknowledged suspend */
	uint32_t suspended;		/* 1 while suspended and acknowledged */
	uint32_t reserved;
};

DXGPU_ASSERT_SIZE(struct dxgpu_context_status, 16);

/* One per address-space id. invalidate_fence keeps its value after destruction. */
struct dxgpu_space_status {
	uint64_t invalidate_fence;	/* last acknowledged invalidate */
};

DXGPU_ASSERT_SIZE(struct dxgpu_space_status, 8);

/* One per node. */
struct dxgpu_node_status {
	uint32_t running_queue;		/* queue id, DXGPU_NO_QUEUE if idle */
	uint32_t runnable;		/* queues ready or running */
	uint64_t packets;		/* packets executed */
	uint64_t busy_ns;		/* device clock spent executing */
	uint64_t reset_fence;		/* last acknowledged ENGINE_RESET */
	uint32_t reset_queue;		/* that it faulted, DXGPU_NO_QUEUE if none; 0 before the first */
	uint32_t reserved0;
	uint64_t reset_entry;		/* fence_value of the entry that it was in */
	uint64_t reserved1[2];
};

DXGPU_ASSERT_SIZE(struct dxgpu_node_status, 64);

#define DXGPU_NO_QUEUE		0xffffffffu

#endif /* DXGPU_STATUS_H */
