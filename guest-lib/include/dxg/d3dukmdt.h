/* SPDX-License-Identifier: MIT */
/*
 * The types that user mode and kernel mode of WDDM share: flag words, the
 * doorbell status, paging and GPU address structures. Names and layouts are those
 * of the Windows header of the same name, WDDM 3.2 (24H2), for x64.
 *
 * A flag word is a union of named bits and Value. Bits that are not named here
 * are reserved: set one and the call returns STATUS_INVALID_PARAMETER (KMT-0.4).
 */
#ifndef DXG_D3DUKMDT_H
#define DXG_D3DUKMDT_H

#include <dxg/winadapter.h>

typedef UINT D3DKMT_HANDLE;
typedef UINT64 D3DGPU_VIRTUAL_ADDRESS;
typedef UINT64 D3DGPU_SIZE_T;

#define D3DDDI_DOORBELL_PRIVATEDATA_MAX_BYTES_WDDM3_1	16
#define D3DDDI_MAX_OBJECT_WAITED_ON			32
#define D3DDDI_MAX_OBJECT_SIGNALED			32
#define D3DDDI_MAX_BROADCAST_CONTEXT			64

/*
 * The 64-bit word at DoorbellStatusCPUVirtualAddress. 0 is CONNECTED: zeroed memory
 * is not a disconnected doorbell. Both published spellings are offered (OP-1).
 */
typedef enum _D3DDDI_DOORBELLSTATUS {
	D3DDDI_DOORBELLSTATUS_CONNECTED			= 0,
	D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD	= 1,
	D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY	= 2,
	D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT	= 3,

	D3DDDI_DOORBELL_STATUS_CONNECTED = D3DDDI_DOORBELLSTATUS_CONNECTED,
	D3DDDI_DOORBELL_STATUS_CONNECTED_NOTIFY =
		D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD,
	D3DDDI_DOORBELL_STATUS_DISCONNECTED_RETRY =
		D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
	D3DDDI_DOORBELL_STATUS_DISCONNECTED_ABORT =
		D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT,
} D3DDDI_DOORBELLSTATUS;

typedef D3DDDI_DOORBELLSTATUS D3DDDI_DOORBELL_STATUS;

typedef struct _D3DDDI_CREATECONTEXTFLAGS {
	union {
		struct {
			UINT NullRendering	: 1;
			UINT InitialData	: 1;
			UINT DisableGpuTimeout	: 1;
			UINT SynchronizationOnly : 1;
			UINT HwQueueSupported	: 1;
			UINT NoKmdAccess	: 1;
			UINT TestContext	: 1;
			UINT Reserved		: 25;
		};
		UINT Value;
	};
} D3DDDI_CREATECONTEXTFLAGS;

typedef struct _D3DDDI_CREATEHWQUEUEFLAGS {
	union {
		struct {
			UINT DisableGpuTimeout	: 1;
			UINT NoBroadcastSignal	: 1;
			UINT NoBroadcastWait	: 1;
			UINT NoKmdAccess	: 1;
			UINT UserModeSubmission	: 1;
			UINT NativeProgressFence : 1;
			UINT TestQueue		: 1;
			UINT Reserved		: 25;
		};
		UINT Value;
	};
} D3DDDI_CREATEHWQUEUEFLAGS;

typedef struct _D3DDDICB_SIGNALFLAGS {
	union {
		struct {
			UINT SignalAtSubmission	: 1;
			UINT EnqueueCpuEvent	: 1;
			UINT AllowFenceRewind	: 1;
			UINT Reserved		: 29;
		};
		UINT Value;
	};
} D3DDDICB_SIGNALFLAGS;

typedef struct _D3DDDI_ALLOCATIONINFO2_FLAGS {
	union {
		struct {
			UINT Primary		: 1;
			UINT Stereo		: 1;
			UINT OverridePriority	: 1;
			UINT Reserved		: 29;
		};
		UINT Value;
	};
} D3DDDI_ALLOCATIONINFO2_FLAGS;

typedef struct _D3DDDI_ALLOCATIONINFO2 {
	D3DKMT_HANDLE hAllocation;		/* out */
	union {
		HANDLE hSection;
		void *pSystemMem;		/* with ExistingSysMem */
	};
	void *pPrivateDriverData;
	UINT PrivateDriverDataSize;		/* bytes */
	UINT VidPnSourceId;
	D3DDDI_ALLOCATIONINFO2_FLAGS Flags;
	D3DGPU_VIRTUAL_ADDRESS GpuVirtualAddress; /* out */
	union {
		UINT Priority;
		void *Unused;
	};
	UINT64 Reserved[5];			/* zero */
} D3DDDI_ALLOCATIONINFO2;

DXG_ASSERT_SIZE(D3DDDI_ALLOCATIONINFO2, 96);

typedef enum _D3DDDI_PAGINGQUEUE_PRIORITY {
	D3DDDI_PAGINGQUEUE_PRIORITY_BELOW_NORMAL	= -1,
	D3DDDI_PAGINGQUEUE_PRIORITY_NORMAL		= 0,
	D3DDDI_PAGINGQUEUE_PRIORITY_ABOVE_NORMAL	= 1,
} D3DDDI_PAGINGQUEUE_PRIORITY;

typedef struct _D3DDDI_DESTROYPAGINGQUEUE {
	D3DKMT_HANDLE hPagingQueue;
} D3DDDI_DESTROYPAGINGQUEUE;

typedef struct _D3DDDI_MAKERESIDENT_FLAGS {
	union {
		struct {
			UINT CantTrimFurther	: 1;
			UINT MustSucceed	: 1;
			UINT Reserved		: 30;
		};
		UINT Value;
	};
} D3DDDI_MAKERESIDENT_FLAGS;

typedef struct _D3DDDI_MAKERESIDENT {
	D3DKMT_HANDLE hPagingQueue;
	UINT NumAllocations;
	const D3DKMT_HANDLE *AllocationList;
	const UINT *PriorityList;		/* may be NULL */
	D3DDDI_MAKERESIDENT_FLAGS Flags;
	UINT64 PagingFenceValue;		/* out: wait for it before use */
	UINT64 NumBytesToTrim;			/* out: bytes over the budget */
} D3DDDI_MAKERESIDENT;

DXG_ASSERT_SIZE(D3DDDI_MAKERESIDENT, 48);

typedef struct _D3DDDI_EVICT_FLAGS {
	union {
		struct {
			UINT EvictOnlyIfNecessary : 1;
			UINT NotWrittenTo	: 1;
			UINT Reserved		: 30;
		};
		UINT Value;
	};
} D3DDDI_EVICT_FLAGS;

typedef enum _D3DDDIGPUVIRTUALADDRESS_RESERVATION_TYPE {
	D3DDDIGPUVIRTUALADDRESS_RESERVE_NO_ACCESS	= 0,
	D3DDDIGPUVIRTUALADDRESS_RESERVE_ZERO		= 1,
	D3DDDIGPUVIRTUALADDRESS_RESERVE_NO_COMMIT	= 2,
} D3DDDIGPUVIRTUALADDRESS_RESERVATION_TYPE;

typedef struct _D3DDDI_RESERVEGPUVIRTUALADDRESS {
	union {
		D3DKMT_HANDLE hPagingQueue;
		D3DKMT_HANDLE hAdapter;
	};
	D3DGPU_VIRTUAL_ADDRESS BaseAddress;	/* 64 KiB aligned, 0 = any */
	D3DGPU_VIRTUAL_ADDRESS MinimumAddress;
	D3DGPU_VIRTUAL_ADDRESS MaximumAddress;	/* 0 = none */
	D3DGPU_SIZE_T Size;			/* bytes */
	union {
		D3DDDIGPUVIRTUALADDRESS_RESERVATION_TYPE ReservationType;
		UINT Reserved0;
	};
	union {
		UINT64 DriverProtection;
		UINT64 Reserved1;
	};
	D3DGPU_VIRTUAL_ADDRESS VirtualAddress;	/* out */
	union {
		UINT64 PagingFenceValue;	/* out */
		UINT64 Reserved2;
	};
} D3DDDI_RESERVEGPUVIRTUALADDRESS;

DXG_ASSERT_SIZE(D3DDDI_RESERVEGPUVIRTUALADDRESS, 72);

typedef struct _D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE {
	union {
		struct {
			UINT64 Write		: 1;
			UINT64 Execute		: 1;
			UINT64 Zero		: 1;
			UINT64 NoAccess		: 1;
			UINT64 SystemUseOnly	: 1;
			UINT64 Reserved		: 59;
		};
		UINT64 Value;
	};
} D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE;

typedef struct _D3DDDI_MAPGPUVIRTUALADDRESS {
	D3DKMT_HANDLE hPagingQueue;
	D3DGPU_VIRTUAL_ADDRESS BaseAddress;	/* 0 = any */
	D3DGPU_VIRTUAL_ADDRESS MinimumAddress;
	D3DGPU_VIRTUAL_ADDRESS MaximumAddress;	/* 0 = none */
	D3DKMT_HANDLE hAllocation;
	D3DGPU_SIZE_T OffsetInPages;		/* 4 KiB pages */
	D3DGPU_SIZE_T SizeInPages;
	D3DDDIGPUVIRTUALADDRESS_PROTECTION_TYPE Protection;
	UINT64 DriverProtection;
	UINT Reserved0;				/* zero */
	UINT64 Reserved1;			/* zero */
	D3DGPU_VIRTUAL_ADDRESS VirtualAddress;	/* out */
	UINT64 PagingFenceValue;		/* out */
} D3DDDI_MAPGPUVIRTUALADDRESS;

DXG_ASSERT_SIZE(D3DDDI_MAPGPUVIRTUALADDRESS, 104);

typedef struct _D3DDDI_WAITFORSYNCHRONIZATIONOBJECTFROMCPU_FLAGS {
	union {
		struct {
			UINT WaitAny		: 1;
			UINT Reserved		: 31;
		};
		UINT Value;
	};
} D3DDDI_WAITFORSYNCHRONIZATIONOBJECTFROMCPU_FLAGS;

typedef enum _DXGK_ENGINE_TYPE {
	DXGK_ENGINE_TYPE_OTHER			= 0,
	DXGK_ENGINE_TYPE_3D			= 1,
	DXGK_ENGINE_TYPE_VIDEO_DECODE		= 2,
	DXGK_ENGINE_TYPE_VIDEO_ENCODE		= 3,
	DXGK_ENGINE_TYPE_VIDEO_PROCESSING	= 4,
	DXGK_ENGINE_TYPE_SCENE_ASSEMBLY		= 5,
	DXGK_ENGINE_TYPE_COPY			= 6,
	DXGK_ENGINE_TYPE_OVERLAY		= 7,
	DXGK_ENGINE_TYPE_CRYPTO			= 8,
	DXGK_ENGINE_TYPE_VIDEO_CODEC		= 9,
	DXGK_ENGINE_TYPE_MAX			= 10,
} DXGK_ENGINE_TYPE;

typedef struct _DXGK_NODEMETADATA_FLAGS {
	union {
		struct {
			UINT ContextSchedulingSupported	: 1;
			UINT RingBufferFenceRelease	: 1;
			UINT SupportTrackedWorkload	: 1;
			UINT UserModeSubmission		: 1;
			UINT SupportBuildTestCommandBuffer : 1;
			UINT Reserved			: 11;
			UINT MaxInFlightHwQueueBuffers	: 16;
		};
		UINT Value;
	};
} DXGK_NODEMETADATA_FLAGS;

typedef struct __attribute__((packed)) _DXGK_NODEMETADATA {
	DXGK_ENGINE_TYPE EngineType;
	WCHAR FriendlyName[32];			/* for DXGK_ENGINE_TYPE_OTHER */
	DXGK_NODEMETADATA_FLAGS Flags;
	BOOLEAN GpuMmuSupported;
	BOOLEAN IoMmuSupported;
} DXGK_NODEMETADATA;

DXG_ASSERT_SIZE(DXGK_NODEMETADATA, 74);

typedef enum _DXGK_RENDER_PIPELINE_STAGE {
	DXGK_RENDER_PIPELINE_STAGE_UNKNOWN		= 0,
	DXGK_RENDER_PIPELINE_STAGE_INPUT_ASSEMBLER	= 1,
	DXGK_RENDER_PIPELINE_STAGE_VERTEX_SHADER	= 2,
	DXGK_RENDER_PIPELINE_STAGE_GEOMETRY_SHADER	= 3,
	DXGK_RENDER_PIPELINE_STAGE_STREAM_OUTPUT	= 4,
	DXGK_RENDER_PIPELINE_STAGE_RASTERIZER		= 5,
	DXGK_RENDER_PIPELINE_STAGE_PIXEL_SHADER		= 6,
	DXGK_RENDER_PIPELINE_STAGE_OUTPUT_MERGER	= 7,
} DXGK_RENDER_PIPELINE_STAGE;

typedef enum _DXGK_PAGE_FAULT_FLAGS {
	DXGK_PAGE_FAULT_WRITE			= 0x00000001,
	DXGK_PAGE_FAULT_FENCE_INVALID		= 0x00000002,
	DXGK_PAGE_FAULT_ADAPTER_RESET_REQUIRED	= 0x00000004,
	DXGK_PAGE_FAULT_ENGINE_RESET_REQUIRED	= 0x00000008,
	DXGK_PAGE_FAULT_FATAL_HARDWARE_ERROR	= 0x00000010,
	DXGK_PAGE_FAULT_IOMMU			= 0x00000020,
	DXGK_PAGE_FAULT_HW_CONTEXT_VALID	= 0x00000040,
	DXGK_PAGE_FAULT_PROCESS_HANDLE_VALID	= 0x00000080,
} DXGK_PAGE_FAULT_FLAGS;

typedef struct _DXGK_FAULT_ERROR_CODE {
	union {
		struct {
			UINT IsDeviceSpecificCode	: 1;
			UINT GeneralErrorCode		: 31; /* 0 page fault, 1 bad instruction */
		};
		struct {
			UINT IsDeviceSpecificCodeReservedBit : 1;
			UINT DeviceSpecificCode		: 31; /* enum dxgpu_fault_code */
		};
		UINT Value;
	};
} DXGK_FAULT_ERROR_CODE;

#endif /* DXG_D3DUKMDT_H */
