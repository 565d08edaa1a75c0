/* SPDX-License-Identifier: MIT */
/*
 * dxgpu hardware contract: ring buffer and ring control.
 *
 * A ring is an array of a power of two of 32-byte entries in GPU virtual
 * memory; entry i of the queue's life lies at index i mod entries. Ring
 * control holds the two 64-bit counts, which never wrap in practice and are
 * compared by unsigned subtraction: 0 <= WP - RP <= entries, else the queue
 * faults (SEC-4, FH-15).
 *
 * Who writes what: the process writes the entries and WP; the device writes
 * RP and RingNeeded and never reads them back (DEV-2).
 */
#ifndef DXGPU_RING_H
#define DXGPU_RING_H

#include "types.h"

struct dxgpu_ring_entry {
	uint64_t command_gpuva;		/* 8-byte aligned */
	uint32_t command_bytes;		/* multiple of 8, 8 .. MAX_COMMAND_BYTES */
	uint32_t flags;			/* zero */
	uint64_t fence_value;		/* progress fence that this entry will write; for reports */
	uint64_t reserved;		/* zero */
};

DXGPU_ASSERT_SIZE(struct dxgpu_ring_entry, 32);

struct dxgpu_ring_control {
	uint64_t wp;			/* process: entries made visible, ever */
	uint64_t reserved0[7];
	uint64_t rp;			/* device: entries completely executed, ever */
	uint32_t ring_needed;		/* device: 1 = ring after storing WP (ORD-28) */
	uint32_t reserved1;
	uint64_t reserved2[6];
};

DXGPU_ASSERT_SIZE(struct dxgpu_ring_control, 128);
DXGPU_ASSERT_OFFSET(struct dxgpu_ring_control, rp, 64);
DXGPU_ASSERT_OFFSET(struct dxgpu_ring_control, ring_needed, 72);

#define DXGPU_RING_ALIGN		64
#define DXGPU_RING_CONTROL_ALIGN	128

#endif /* DXGPU_RING_H */
