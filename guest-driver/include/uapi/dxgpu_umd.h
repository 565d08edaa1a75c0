/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Private driver data between a user-mode driver and the dxgpu miniport. The
 * OS layer passes these blobs through and looks into none of them. Nothing in
 * them is authority: no pointers, no handles (SEC-24).
 */
#ifndef _UAPI_DXGPU_UMD_H
#define _UAPI_DXGPU_UMD_H

#include <linux/types.h>

/* In D3DDDI_ALLOCATIONINFO2.pPrivateDriverData: what the allocation is. */
struct dxgpu_allocation_data {
	__u32 size;			/* of this structure */
	__u32 flags;			/* zero */
	__u64 bytes;			/* of the allocation; rounded up to pages */
};

/* KMTQAITYPE_UMDRIVERPRIVATE: the device's limits, from its registers. */
struct dxgpu_umd_caps {
	__u32 size;			/* of this structure, out */
	__u32 hardware_version;		/* DXGPU_REG_VERSION */
	__u32 num_nodes;
	__u32 num_slots;
	__u32 ring_min_entries;
	__u32 ring_max_entries;
	__u32 ring_control_bytes;
	__u32 ring_control_align;
	__u32 max_command_bytes;
	__u32 max_transfer_bytes;
	__u32 doorbell_bytes;
	__u32 gpuva_bits;
	__u32 secondary_doorbell_bytes;	/* 0: there is none */
	__u32 doorbell_model;		/* DXGPU_DOORBELLS_* */
};

#define DXGPU_DOORBELLS_DEDICATED	0	/* num_slots queues have a doorbell at a time */
#define DXGPU_DOORBELLS_GLOBAL		1	/* all have; num_slots is that of processes */

/*
 * Out, in D3DKMT_CREATE_DOORBELL.PrivateDriverData: what a ring writes. A miniport that
 * leaves it as it was, zero, wants the write pointer.
 */
struct dxgpu_doorbell_data {
	__u32 size;			/* of this structure */
	__u32 flags;			/* DXGPU_DOORBELL_DATA_* */
	__u32 value;
	__u32 reserved;			/* zero */
};

#define DXGPU_DOORBELL_DATA_VALUE	(1u << 0)	/* a ring writes value, not WP */

_Static_assert(sizeof(struct dxgpu_allocation_data) == 16, "allocation_data");
_Static_assert(sizeof(struct dxgpu_umd_caps) == 56, "umd_caps");
_Static_assert(sizeof(struct dxgpu_doorbell_data) == 16, "doorbell_data");

#endif /* _UAPI_DXGPU_UMD_H */
