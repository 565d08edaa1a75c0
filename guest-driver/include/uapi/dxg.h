/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/dxg: the ioctl interface between libd3dkmt and dxgkrnl.
 *
 * Two type letters. 'G' carries the classic calls with the numbers and layouts
 * of WSL's /dev/dxg; each structure is, byte for byte, the D3DKMT structure of
 * the same call, so the library passes the caller's structure through. There
 * an error is an errno that stands for an NTSTATUS (the table is in
 * dxgkrnl/status.c and its inverse in the library), and a positive return value
 * is a success status (0x102 timeout, 0x103 pending).
 *
 * 'X' carries what WSL does not have. Its structures begin with struct
 * dxg_call_header; the exact NTSTATUS comes back in header.status and errno is
 * only for what the dispatcher itself meets (EFAULT, EINTR, ENOTTY). A caller
 * with a larger structure is served if the unknown tail is zero, and gets
 * STATUS_INVALID_PARAMETER if it is not (KMT-0.2).
 *
 * Every command is _IOWR and its size is part of its number. Pointers are
 * 64-bit integers. Handles are 32-bit, per process and opaque; zero is none.
 */
#ifndef _UAPI_DXG_H
#define _UAPI_DXG_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define DXG_DEVICE_PATH		"/dev/dxg"

struct dxg_luid {
	__u32 low_part;
	__s32 high_part;
};

/* 0x01 */
struct dxg_openadapterfromluid {
	struct dxg_luid adapter_luid;
	__u32 adapter;			/* out */
};

/* 0x02 */
struct dxg_createdevice {
	union {
		__u32 adapter;
		__u64 adapter_pointer;	/* kernel callers only */
	};
	__u32 flags;			/* b2 DisableGpuTimeout; others zero */
	__u32 device;			/* out */
	__u64 command_buffer;		/* legacy, not used from here on */
	__u32 command_buffer_size;
	__u32 reserved0;
	__u64 allocation_list;
	__u32 allocation_list_size;
	__u32 reserved1;
	__u64 patch_location_list;
	__u32 patch_location_list_size;
	__u32 reserved2;
};

/* 0x04 */
struct dxg_createcontextvirtual {
	__u32 device;
	__u32 node_ordinal;
	__u32 engine_affinity;		/* 0 or 1: one physical adapter */
	__u32 flags;			/* b4 HwQueueSupported is required */
	__u64 priv_drv_data;
	__u32 priv_drv_data_size;
	__u32 client_hint;
	__u32 context;			/* out */
	__u32 reserved;
};

#define DXG_CONTEXT_DISABLE_GPU_TIMEOUT		(1u << 2)
#define DXG_CONTEXT_HW_QUEUE_SUPPORTED		(1u << 4)

/* 0x05, 0x15, 0x19, 0x1b, 0x1c, 0x1d: one handle in */
struct dxg_handle_arg {
	__u32 handle;
};

/* 0x06 */
struct dxg_allocationinfo2 {
	__u32 allocation;		/* out */
	__u32 reserved0;
	__u64 sysmem;			/* DXG_ALLOCATION_EXISTING_SYSMEM: page-aligned address */
	__u64 priv_drv_data;		/* struct dxgpu_allocation_data for this adapter */
	__u32 priv_drv_data_size;
	__u32 vidpn_source_id;
	__u32 flags;			/* zero */
	__u32 reserved1;
	__u64 gpu_virtual_address;	/* out, 0: not mapped yet */
	__u64 priority;
	__u64 reserved[5];		/* zero */
};

struct dxg_createallocation {
	__u32 device;
	__u32 resource;			/* 0 */
	__u32 global_share;		/* 0 */
	__u32 reserved0;
	__u64 private_runtime_data;
	__u32 private_runtime_data_size;
	__u32 reserved1;
	__u64 priv_drv_data;		/* or the standard allocation */
	__u32 priv_drv_data_size;
	__u32 alloc_count;
	__u64 allocation_info;		/* struct dxg_allocationinfo2[alloc_count] */
	__u32 flags;
	__u32 reserved2;
	__u64 private_runtime_resource_handle;
};

#define DXG_ALLOCATION_EXISTING_SYSMEM	(1u << 5)
#define DXG_ALLOCATION_READ_ONLY	(1u << 7)
#define DXG_ALLOCATION_CACHED		(1u << 9)
#define DXG_ALLOCATION_ZEROED		(1u << 14)
#define DXG_ALLOCATION_NO_KMD_ACCESS	(1u << 20)
#define DXG_ALLOCATION_MAX_COUNT	1024

/* 0x07 */
struct dxg_createpagingqueue {
	__u32 device;
	__s32 priority;
	__u32 paging_queue;		/* out */
	__u32 sync_object;		/* out */
	__u64 fence_cpu_virtual_address; /* out, read-only */
	__u32 physical_adapter_index;	/* 0 */
	__u32 reserved;
};

/* 0x08 */
struct dxg_reservegpuvirtualaddress {
	__u32 adapter_or_paging_queue;
	__u32 reserved0;
	__u64 base_address;		/* 64 KiB aligned, 0 = any */
	__u64 minimum_address;
	__u64 maximum_address;		/* 0 = none */
	__u64 size;
	__u64 reservation_type;
	__u64 driver_protection;
	__u64 virtual_address;		/* out */
	__u64 paging_fence_value;	/* out */
};

/* 0x09 */
struct dxg_queryadapterinfo {
	__u32 adapter;
	__u32 type;			/* KMTQUERYADAPTERINFOTYPE */
	__u64 private_data;
	__u32 private_data_size;
	__u32 reserved;
};

/* 0x0b */
struct dxg_makeresident {
	__u32 paging_queue;
	__u32 alloc_count;
	__u64 allocation_list;
	__u64 priority_list;
	__u32 flags;
	__u32 reserved;
	__u64 paging_fence_value;	/* out */
	__u64 num_bytes_to_trim;	/* out */
};

#define DXG_MAKERESIDENT_MAX_COUNT	10240

/* 0x0c */
struct dxg_mapgpuvirtualaddress {
	__u32 paging_queue;
	__u32 reserved0;
	__u64 base_address;		/* 0 = any */
	__u64 minimum_address;
	__u64 maximum_address;
	__u32 allocation;
	__u32 reserved1;
	__u64 offset_in_pages;
	__u64 size_in_pages;
	__u64 protection;		/* b0 Write */
	__u64 driver_protection;
	__u32 reserved2;
	__u32 reserved3;
	__u64 reserved4;
	__u64 virtual_address;		/* out */
	__u64 paging_fence_value;	/* out */
};

#define DXG_PROTECTION_WRITE	(1ull << 0)

/* 0x0e */
struct dxg_getdevicestate {
	__u32 device;
	__u32 state_type;
	union {
		__u32 execution_state;
		struct {
			__u64 primitive_sequence_number;
			__u32 pipeline_stage;
			__u32 bind_table_entry;
			__u32 flags;
			__u32 error_code;
			__u64 virtual_address;
		} page_fault;
		__u8 largest[48];
	};
};

/* 0x13 */
struct dxg_destroyallocation2 {
	__u32 device;
	__u32 resource;			/* 0 */
	__u64 allocations;
	__u32 alloc_count;
	__u32 flags;
};

/* 0x14 and 0x3e */
struct dxg_adapterinfo {
	__u32 adapter;
	struct dxg_luid adapter_luid;
	__u32 num_sources;
	__u32 present_move_regions_preferred;
};

struct dxg_enumadapters2 {
	__u32 num_adapters;
	__u32 reserved;
	__u64 adapters;
};

struct dxg_enumadapters3 {
	__u64 filter;
	__u32 num_adapters;
	__u32 reserved;
	__u64 adapters;
};

/* 0x18 */
struct dxg_createhwqueue {
	__u32 context;
	__u32 flags;
	__u32 priv_drv_data_size;
	__u32 reserved0;
	__u64 priv_drv_data;
	__u32 queue;			/* out */
	__u32 progress_fence;		/* out */
	__u64 progress_fence_cpu_va;	/* out, read-only */
	__u64 progress_fence_gpu_va;	/* out */
};

#define DXG_HWQUEUE_DISABLE_GPU_TIMEOUT		(1u << 0)
#define DXG_HWQUEUE_USER_MODE_SUBMISSION	(1u << 4)

/* 0x1e */
struct dxg_evict {
	__u32 device;
	__u32 alloc_count;
	__u64 allocations;
	__u32 flags;
	__u32 reserved;
	__u64 num_bytes_to_trim;	/* out */
};

/* 0x20 */
struct dxg_freegpuvirtualaddress {
	__u32 adapter;
	__u32 reserved;
	__u64 base_address;
	__u64 size;
};

/* 0x25 */
struct dxg_lock2 {
	__u32 device;
	__u32 allocation;
	__u32 flags;			/* zero */
	__u32 reserved;
	__u64 data;			/* out */
};

/* 0x34: refused, see dxgkrnl/submission.c, as are the next two */
struct dxg_submitcommandtohwqueue {
	__u32 queue;
	__u32 reserved0;
	__u64 progress_fence_id;
	__u64 command_buffer;		/* GPU address */
	__u32 command_length;		/* bytes */
	__u32 priv_drv_data_size;
	__u64 priv_drv_data;
	__u32 num_primaries;
	__u32 reserved1;
	__u64 written_primaries;
};

/* 0x35 */
struct dxg_submitsignalsyncobjectstohwqueue {
	__u32 flags;			/* DXG_SIGNAL_FLAGS */
	__u32 queue_count;		/* 1..64 */
	__u64 queues;			/* __u32[queue_count] */
	__u32 object_count;
	__u32 reserved;
	__u64 objects;			/* __u32[object_count] */
	__u64 fence_values;		/* __u64[object_count] */
};

#define DXG_SIGNAL_FLAGS		0x7u
#define DXG_BROADCAST_MAX_QUEUES	64

/* 0x36 */
struct dxg_submitwaitforsyncobjectstohwqueue {
	__u32 queue;
	__u32 object_count;
	__u64 objects;			/* __u32[object_count] */
	__u64 fence_values;		/* __u64[object_count] */
};

/* 0x37 */
struct dxg_unlock2 {
	__u32 device;
	__u32 allocation;
};

/* 0x3a */
struct dxg_waitforsyncobjectfromcpu {
	__u32 device;
	__u32 object_count;
	__u64 objects;			/* __u32[object_count] */
	__u64 fence_values;		/* __u64[object_count] */
	__u64 async_event;		/* eventfd, 0 = block in the call */
	__u32 flags;			/* b0 WaitAny */
	__u32 reserved;
};

#define DXG_WAIT_ANY			(1u << 0)
#define DXG_WAIT_MAX_OBJECTS		32

#define DXG_IOCTL_TYPE			'G'
#define DXG_IOWR(nr, type)		_IOWR(DXG_IOCTL_TYPE, nr, type)

#define LX_DXOPENADAPTERFROMLUID	DXG_IOWR(0x01, struct dxg_openadapterfromluid)
#define LX_DXCREATEDEVICE		DXG_IOWR(0x02, struct dxg_createdevice)
#define LX_DXCREATECONTEXTVIRTUAL	DXG_IOWR(0x04, struct dxg_createcontextvirtual)
#define LX_DXDESTROYCONTEXT		DXG_IOWR(0x05, struct dxg_handle_arg)
#define LX_DXCREATEALLOCATION		DXG_IOWR(0x06, struct dxg_createallocation)
#define LX_DXCREATEPAGINGQUEUE		DXG_IOWR(0x07, struct dxg_createpagingqueue)
#define LX_DXRESERVEGPUVIRTUALADDRESS	DXG_IOWR(0x08, struct dxg_reservegpuvirtualaddress)
#define LX_DXQUERYADAPTERINFO		DXG_IOWR(0x09, struct dxg_queryadapterinfo)
#define LX_DXMAKERESIDENT		DXG_IOWR(0x0b, struct dxg_makeresident)
#define LX_DXMAPGPUVIRTUALADDRESS	DXG_IOWR(0x0c, struct dxg_mapgpuvirtualaddress)
#define LX_DXGETDEVICESTATE		DXG_IOWR(0x0e, struct dxg_getdevicestate)
#define LX_DXDESTROYALLOCATION2		DXG_IOWR(0x13, struct dxg_destroyallocation2)
#define LX_DXENUMADAPTERS2		DXG_IOWR(0x14, struct dxg_enumadapters2)
#define LX_DXCLOSEADAPTER		DXG_IOWR(0x15, struct dxg_handle_arg)
#define LX_DXCREATEHWQUEUE		DXG_IOWR(0x18, struct dxg_createhwqueue)
#define LX_DXDESTROYDEVICE		DXG_IOWR(0x19, struct dxg_handle_arg)
#define LX_DXDESTROYHWQUEUE		DXG_IOWR(0x1b, struct dxg_handle_arg)
#define LX_DXDESTROYPAGINGQUEUE		DXG_IOWR(0x1c, struct dxg_handle_arg)
#define LX_DXDESTROYSYNCHRONIZATIONOBJECT DXG_IOWR(0x1d, struct dxg_handle_arg)
#define LX_DXEVICT			DXG_IOWR(0x1e, struct dxg_evict)
#define LX_DXFREEGPUVIRTUALADDRESS	DXG_IOWR(0x20, struct dxg_freegpuvirtualaddress)
#define LX_DXLOCK2			DXG_IOWR(0x25, struct dxg_lock2)
#define LX_DXSUBMITCOMMANDTOHWQUEUE	DXG_IOWR(0x34, struct dxg_submitcommandtohwqueue)
#define LX_DXSUBMITSIGNALSYNCOBJECTSTOHWQUEUE \
	DXG_IOWR(0x35, struct dxg_submitsignalsyncobjectstohwqueue)
#define LX_DXSUBMITWAITFORSYNCOBJECTSTOHWQUEUE \
	DXG_IOWR(0x36, struct dxg_submitwaitforsyncobjectstohwqueue)
#define LX_DXUNLOCK2			DXG_IOWR(0x37, struct dxg_unlock2)
#define LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU DXG_IOWR(0x3a, struct dxg_waitforsyncobjectfromcpu)
#define LX_DXENUMADAPTERS3		DXG_IOWR(0x3e, struct dxg_enumadapters3)

/* ---- 'X': doorbells ---- */

struct dxg_call_header {
	__u32 size;			/* of the caller's structure, header included */
	__u32 flags;			/* zero */
	__s32 status;			/* out: NTSTATUS */
	__u32 reserved;			/* zero */
};

/* X 0x01: the D3DKMT_CREATE_DOORBELL of generation B */
struct dxg_createdoorbell {
	struct dxg_call_header header;
	__u32 queue;
	__u32 ring_buffer;
	__u32 ring_buffer_control;
	__u32 flags;
	__u32 priv_drv_data_size;	/* 0..16 */
	__u32 reserved0;
	__u64 priv_drv_data;
	__u64 doorbell_cpu_va;		/* out */
	__u64 doorbell_secondary_cpu_va; /* out, 0 without REQUIRE_SECONDARY */
	__u64 doorbell_status_cpu_va;	/* out */
	__u64 last_queued_value_cpu_va;	/* out */
	__u32 doorbell;			/* out */
	__u32 reserved1;
};

#define DXG_DOORBELL_REQUIRE_SECONDARY	(1u << 0)
#define DXG_DOORBELL_RESIZE		(1u << 1)
#define DXG_DOORBELL_PRIVATE_MAX_BYTES	16

/* X 0x02 and 0x04 */
struct dxg_doorbell_flags {
	struct dxg_call_header header;
	__u32 doorbell;
	__u32 flags;			/* zero */
};

/* X 0x03 */
struct dxg_destroydoorbell {
	struct dxg_call_header header;
	__u32 doorbell;
	__u32 reserved;			/* zero */
};

/* The 64-bit word at doorbell_status_cpu_va: D3DDDI_DOORBELLSTATUS values. */
#define DXG_DOORBELLSTATUS_CONNECTED		0
#define DXG_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD	1
#define DXG_DOORBELLSTATUS_DISCONNECTED_RETRY	2
#define DXG_DOORBELLSTATUS_DISCONNECTED_ABORT	3

#define DXG_IOCTL_TYPE_X		'X'
#define DXG_CREATEDOORBELL		_IOWR(DXG_IOCTL_TYPE_X, 0x01, struct dxg_createdoorbell)
#define DXG_CONNECTDOORBELL		_IOWR(DXG_IOCTL_TYPE_X, 0x02, struct dxg_doorbell_flags)
#define DXG_DESTROYDOORBELL		_IOWR(DXG_IOCTL_TYPE_X, 0x03, struct dxg_destroydoorbell)
#define DXG_NOTIFYWORKSUBMISSION	_IOWR(DXG_IOCTL_TYPE_X, 0x04, struct dxg_doorbell_flags)

/* The sizes are the ABI; the library asserts them and the offsets again. */
_Static_assert(sizeof(struct dxg_openadapterfromluid) == 12, "openadapterfromluid");
_Static_assert(sizeof(struct dxg_createdevice) == 64, "createdevice");
_Static_assert(sizeof(struct dxg_createcontextvirtual) == 40, "createcontextvirtual");
_Static_assert(sizeof(struct dxg_handle_arg) == 4, "handle_arg");
_Static_assert(sizeof(struct dxg_allocationinfo2) == 96, "allocationinfo2");
_Static_assert(sizeof(struct dxg_createallocation) == 72, "createallocation");
_Static_assert(sizeof(struct dxg_createpagingqueue) == 32, "createpagingqueue");
_Static_assert(sizeof(struct dxg_reservegpuvirtualaddress) == 72, "reservegpuvirtualaddress");
_Static_assert(sizeof(struct dxg_queryadapterinfo) == 24, "queryadapterinfo");
_Static_assert(sizeof(struct dxg_makeresident) == 48, "makeresident");
_Static_assert(sizeof(struct dxg_mapgpuvirtualaddress) == 104, "mapgpuvirtualaddress");
_Static_assert(sizeof(struct dxg_getdevicestate) == 56, "getdevicestate");
_Static_assert(sizeof(struct dxg_destroyallocation2) == 24, "destroyallocation2");
_Static_assert(sizeof(struct dxg_adapterinfo) == 20, "adapterinfo");
_Static_assert(sizeof(struct dxg_enumadapters2) == 16, "enumadapters2");
_Static_assert(sizeof(struct dxg_enumadapters3) == 24, "enumadapters3");
_Static_assert(sizeof(struct dxg_createhwqueue) == 48, "createhwqueue");
_Static_assert(sizeof(struct dxg_evict) == 32, "evict");
_Static_assert(sizeof(struct dxg_freegpuvirtualaddress) == 24, "freegpuvirtualaddress");
_Static_assert(sizeof(struct dxg_lock2) == 24, "lock2");
_Static_assert(sizeof(struct dxg_submitcommandtohwqueue) == 56, "submitcommandtohwqueue");
_Static_assert(sizeof(struct dxg_submitsignalsyncobjectstohwqueue) == 40,
	       "submitsignalsyncobjectstohwqueue");
_Static_assert(sizeof(struct dxg_submitwaitforsyncobjectstohwqueue) == 24,
	       "submitwaitforsyncobjectstohwqueue");
_Static_assert(sizeof(struct dxg_unlock2) == 8, "unlock2");
_Static_assert(sizeof(struct dxg_waitforsyncobjectfromcpu) == 40, "waitforsyncobjectfromcpu");
_Static_assert(sizeof(struct dxg_createdoorbell) == 16 + 72, "createdoorbell");
_Static_assert(sizeof(struct dxg_doorbell_flags) == 16 + 8, "doorbell_flags");
_Static_assert(sizeof(struct dxg_destroydoorbell) == 16 + 8, "destroydoorbell");

#endif /* _UAPI_DXG_H */
