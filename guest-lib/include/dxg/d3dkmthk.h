/* SPDX-License-Identifier: MIT */
/*
 * D3DKMT: the calls of a user-mode driver to the graphics kernel, on Linux.
 *
 * Names, structures and field offsets are those of the Windows header of the same
 * name, WDDM 3.2 (24H2), x64 ("generation B"). Each function takes one pointer to its
 * structure and returns an NTSTATUS (KMT-0.1). Fields marked "out" are written
 * on success only, unless the call says otherwise.
 *
 * Statuses of every call (KMT-0.2 to KMT-0.9):
 *   STATUS_SUCCESS            done
 *   STATUS_INVALID_PARAMETER  the pointer is NULL; a reserved bit or field is not zero;
 *                             a handle is stale, foreign, of another type or from before
 *                             a fork; a value is out of its range
 *   STATUS_ACCESS_VIOLATION   a pointer inside the structure cannot be read or written
 *   STATUS_DEVICE_REMOVED     the device is in error, or the adapter has gone; destroy
 *                             calls and queries still work
 *   STATUS_NO_MEMORY          out of memory, or a quota of the process is used up
 *   STATUS_NOT_SUPPORTED      the driver does not know the call, or the adapter lacks the
 *                             feature
 *   STATUS_CANCELLED          a fatal signal came (KMT-0.8): no program sees it
 *   STATUS_UNSUCCESSFUL       /dev/dxg does not exist (no driver loaded)
 *   STATUS_ACCESS_DENIED      /dev/dxg may not be opened by this user
 * Only what a call adds to this list is said beside it. dxg_last_error() in
 * <dxg/error.h> has the details in words.
 *
 * Threads: all calls may be made from any thread at any time (KMT-0.7).
 * Signals: a call that a signal interrupts is repeated by the library.
 *
 * Fork (UMD-11): handles and mappings belong to the process that made them. In
 * a child every call fails with STATUS_INVALID_PARAMETER until the child itself
 * calls D3DKMTEnumAdapters2, D3DKMTEnumAdapters3 or D3DKMTOpenAdapterFromLuid, which
 * open /dev/dxg anew. Doorbell, status and fence addresses are not mapped in a child.
 */
#ifndef DXG_D3DKMTHK_H
#define DXG_D3DKMTHK_H

#include <dxg/d3dkmthwqueue.h>
#include <dxg/d3dukmdt.h>
#include <dxg/ntstatus.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- adapters ---- */

typedef struct _D3DKMT_ADAPTERINFO {
	D3DKMT_HANDLE hAdapter;			/* opened: close it with D3DKMTCloseAdapter */
	LUID AdapterLuid;
	UINT NumOfSources;			/* 0: compute only */
	BOOL bPrecisePresentRegionsPreferred;
} D3DKMT_ADAPTERINFO;

DXG_ASSERT_SIZE(D3DKMT_ADAPTERINFO, 20);

typedef struct _D3DKMT_ENUMADAPTERS2 {
	UINT NumAdapters;			/* in: capacity, out: count */
	D3DKMT_ADAPTERINFO *pAdapters;		/* NULL: only count */
} D3DKMT_ENUMADAPTERS2;

DXG_ASSERT_SIZE(D3DKMT_ENUMADAPTERS2, 16);

typedef struct _D3DKMT_ENUMADAPTERS_FILTER {
	union {
		struct {
			UINT64 IncludeComputeOnly	: 1;
			UINT64 IncludeDisplayOnly	: 1;
			UINT64 IncludeVirtualGpuOnly	: 1;
			UINT64 Reserved			: 61;
		};
		UINT64 Value;
	};
} D3DKMT_ENUMADAPTERS_FILTER;

typedef struct _D3DKMT_ENUMADAPTERS3 {
	D3DKMT_ENUMADAPTERS_FILTER Filter;
	UINT NumAdapters;			/* in: capacity, out: count */
	D3DKMT_ADAPTERINFO *pAdapters;		/* NULL: only count */
} D3DKMT_ENUMADAPTERS3;

DXG_ASSERT_SIZE(D3DKMT_ENUMADAPTERS3, 24);

typedef struct _D3DKMT_OPENADAPTERFROMLUID {
	LUID AdapterLuid;
	D3DKMT_HANDLE hAdapter;			/* out */
} D3DKMT_OPENADAPTERFROMLUID;

DXG_ASSERT_SIZE(D3DKMT_OPENADAPTERFROMLUID, 12);

typedef struct _D3DKMT_CLOSEADAPTER {
	D3DKMT_HANDLE hAdapter;
} D3DKMT_CLOSEADAPTER;

typedef enum _KMTQUERYADAPTERINFOTYPE {
	KMTQAITYPE_UMDRIVERPRIVATE		= 0,	/* struct dxgpu_umd_caps */
	KMTQAITYPE_DRIVERVERSION		= 13,
	KMTQAITYPE_ADAPTERTYPE			= 15,	/* D3DKMT_ADAPTERTYPE */
	KMTQAITYPE_NODEMETADATA			= 25,	/* D3DKMT_NODEMETADATA */
	KMTQAITYPE_PHYSICALADAPTERCOUNT		= 30,	/* UINT */
	KMTQAITYPE_QUERY_GPUMMU_CAPS		= 34,
	KMTQAITYPE_DRIVERVERSION_RENDER		= 56,
	KMTQAITYPE_ADAPTERTYPE_RENDER		= 57,	/* D3DKMT_ADAPTERTYPE */
	KMTQAITYPE_DRIVER_DESCRIPTION		= 65,	/* WCHAR text */
	KMTQAITYPE_DRIVER_DESCRIPTION_RENDER	= 66,	/* WCHAR text */
	KMTQAITYPE_WDDM_2_7_CAPS		= 70,	/* D3DKMT_WDDM_2_7_CAPS */
	KMTQAITYPE_WDDM_3_1_CAPS		= 80,	/* D3DKMT_WDDM_3_1_CAPS */
} KMTQUERYADAPTERINFOTYPE;

typedef struct _D3DKMT_QUERYADAPTERINFO {
	D3DKMT_HANDLE hAdapter;
	KMTQUERYADAPTERINFOTYPE Type;
	void *pPrivateDriverData;
	UINT PrivateDriverDataSize;		/* bytes */
} D3DKMT_QUERYADAPTERINFO;

DXG_ASSERT_SIZE(D3DKMT_QUERYADAPTERINFO, 24);

typedef struct _D3DKMT_ADAPTERTYPE {
	union {
		struct {
			UINT RenderSupported	: 1;
			UINT DisplaySupported	: 1;
			UINT SoftwareDevice	: 1;
			UINT PostDevice		: 1;
			UINT HybridDiscrete	: 1;
			UINT HybridIntegrated	: 1;
			UINT IndirectDisplayDevice : 1;
			UINT Paravirtualized	: 1;
			UINT ACGSupported	: 1;
			UINT SupportSetTimingsFromVidPn : 1;
			UINT Detachable		: 1;
			UINT ComputeOnly	: 1;
			UINT Prototype		: 1;
			UINT RuntimePowerManagement : 1;
			UINT Reserved		: 18;
		};
		UINT Value;
	};
} D3DKMT_ADAPTERTYPE;

typedef struct _D3DKMT_WDDM_2_7_CAPS {
	union {
		struct {
			UINT HwSchSupported	: 1;
			UINT HwSchEnabled	: 1;
			UINT HwSchEnabledByDefault : 1;
			UINT IndependentVidPnVSyncControl : 1;
			UINT Reserved		: 28;
		};
		UINT Value;
	};
} D3DKMT_WDDM_2_7_CAPS;

typedef struct _D3DKMT_WDDM_3_1_CAPS {
	union {
		struct {
			UINT NativeGpuFenceSupported : 1;
			UINT Reserved		: 31;
		};
		UINT Value;
	};
} D3DKMT_WDDM_3_1_CAPS;

typedef struct __attribute__((packed)) _D3DKMT_NODEMETADATA {
	UINT NodeOrdinalAndAdapterIndex;	/* low 16 bits: node */
	DXGK_NODEMETADATA NodeData;		/* out */
} D3DKMT_NODEMETADATA;

DXG_ASSERT_SIZE(D3DKMT_NODEMETADATA, 78);

/* STATUS_BUFFER_TOO_SMALL: NumAdapters is less than the count, which is then written. */
NTSTATUS D3DKMTEnumAdapters2(D3DKMT_ENUMADAPTERS2 *args);
NTSTATUS D3DKMTEnumAdapters3(D3DKMT_ENUMADAPTERS3 *args);
NTSTATUS D3DKMTOpenAdapterFromLuid(D3DKMT_OPENADAPTERFROMLUID *args);
NTSTATUS D3DKMTCloseAdapter(const D3DKMT_CLOSEADAPTER *args);
/* STATUS_BUFFER_TOO_SMALL: PrivateDriverDataSize is less than the type's structure. */
NTSTATUS D3DKMTQueryAdapterInfo(const D3DKMT_QUERYADAPTERINFO *args);

/* ---- device and context ---- */

typedef struct _D3DKMT_CREATEDEVICEFLAGS {
	union {
		struct {
			UINT LegacyMode		: 1;
			UINT RequestVSync	: 1;
			UINT DisableGpuTimeout	: 1;
			UINT TestDevice		: 1;
			UINT Reserved		: 28;
		};
		UINT Value;
	};
} D3DKMT_CREATEDEVICEFLAGS;

typedef struct _D3DKMT_CREATEDEVICE {
	union {
		D3DKMT_HANDLE hAdapter;
		void *pAdapter;			/* kernel callers only */
	};
	D3DKMT_CREATEDEVICEFLAGS Flags;
	D3DKMT_HANDLE hDevice;			/* out */
	void *pCommandBuffer;			/* from here on: legacy, unused */
	UINT CommandBufferSize;
	void *pAllocationList;
	UINT AllocationListSize;
	void *pPatchLocationList;
	UINT PatchLocationListSize;
} D3DKMT_CREATEDEVICE;

DXG_ASSERT_SIZE(D3DKMT_CREATEDEVICE, 64);

typedef struct _D3DKMT_DESTROYDEVICE {
	D3DKMT_HANDLE hDevice;
} D3DKMT_DESTROYDEVICE;

typedef enum _D3DKMT_CLIENTHINT {
	D3DKMT_CLIENTHINT_UNKNOWN = 0,
} D3DKMT_CLIENTHINT;

typedef struct _D3DKMT_CREATECONTEXTVIRTUAL {
	D3DKMT_HANDLE hDevice;
	UINT NodeOrdinal;
	UINT EngineAffinity;			/* 0 or 1: one physical adapter */
	D3DDDI_CREATECONTEXTFLAGS Flags;	/* HwQueueSupported is required */
	void *pPrivateDriverData;
	UINT PrivateDriverDataSize;
	D3DKMT_CLIENTHINT ClientHint;
	D3DKMT_HANDLE hContext;			/* out */
} D3DKMT_CREATECONTEXTVIRTUAL;

DXG_ASSERT_SIZE(D3DKMT_CREATECONTEXTVIRTUAL, 40);

typedef struct _D3DKMT_DESTROYCONTEXT {
	D3DKMT_HANDLE hContext;
} D3DKMT_DESTROYCONTEXT;

NTSTATUS D3DKMTCreateDevice(D3DKMT_CREATEDEVICE *args);
/* Destroys all that belongs to the device, in the order of OBJ-20. */
NTSTATUS D3DKMTDestroyDevice(const D3DKMT_DESTROYDEVICE *args);
NTSTATUS D3DKMTCreateContextVirtual(D3DKMT_CREATECONTEXTVIRTUAL *args);
NTSTATUS D3DKMTDestroyContext(const D3DKMT_DESTROYCONTEXT *args);

/* ---- allocations, residency, CPU access ---- */

typedef struct _D3DKMT_CREATEALLOCATIONFLAGS {
	union {
		struct {
			UINT CreateResource		: 1;
			UINT CreateShared		: 1;
			UINT NonSecure			: 1;
			UINT CreateProtected		: 1;
			UINT RestrictSharedAccess	: 1;
			UINT ExistingSysMem		: 1;
			UINT NtSecuritySharing		: 1;
			UINT ReadOnly			: 1;
			UINT CreateWriteCombined	: 1;
			UINT CreateCached		: 1;
			UINT SwapChainBackBuffer	: 1;
			UINT CrossAdapter		: 1;
			UINT OpenCrossAdapter		: 1;
			UINT PartialSharedCreation	: 1;
			UINT Zeroed			: 1;
			UINT WriteWatch			: 1;
			UINT StandardAllocation		: 1;
			UINT ExistingSection		: 1;
			UINT AllowNotZeroed		: 1;
			UINT PhysicallyContiguous	: 1;
			UINT NoKmdAccess		: 1;
			UINT SharedDisplayable		: 1;
			UINT NoImplicitSynchronization	: 1;
			UINT Reserved			: 9;
		};
		UINT Value;
	};
} D3DKMT_CREATEALLOCATIONFLAGS;

#define D3DKMT_CREATEALLOCATION_MAX	1024
#define D3DKMT_MAKERESIDENT_ALLOC_MAX	10240

typedef struct _D3DKMT_CREATEALLOCATION {
	D3DKMT_HANDLE hDevice;
	D3DKMT_HANDLE hResource;		/* 0 */
	D3DKMT_HANDLE hGlobalShare;		/* 0 */
	const void *pPrivateRuntimeData;
	UINT PrivateRuntimeDataSize;
	union {
		void *pStandardAllocation;
		const void *pPrivateDriverData;
	};
	UINT PrivateDriverDataSize;
	UINT NumAllocations;			/* 1 .. D3DKMT_CREATEALLOCATION_MAX */
	union {
		void *pAllocationInfo;
		D3DDDI_ALLOCATIONINFO2 *pAllocationInfo2;
	};
	D3DKMT_CREATEALLOCATIONFLAGS Flags;
	HANDLE hPrivateRuntimeResourceHandle;
} D3DKMT_CREATEALLOCATION;

DXG_ASSERT_SIZE(D3DKMT_CREATEALLOCATION, 72);

typedef struct _D3DDDICB_DESTROYALLOCATION2FLAGS {
	union {
		struct {
			UINT AssumeNotInUse	: 1;
			UINT SynchronousDestroy	: 1;
			UINT Reserved		: 29;
			UINT SystemUseOnly	: 1;
		};
		UINT Value;
	};
} D3DDDICB_DESTROYALLOCATION2FLAGS;

typedef struct _D3DKMT_DESTROYALLOCATION2 {
	D3DKMT_HANDLE hDevice;
	D3DKMT_HANDLE hResource;		/* 0 */
	const D3DKMT_HANDLE *phAllocationList;
	UINT AllocationCount;
	D3DDDICB_DESTROYALLOCATION2FLAGS Flags;
} D3DKMT_DESTROYALLOCATION2;

DXG_ASSERT_SIZE(D3DKMT_DESTROYALLOCATION2, 24);

typedef struct _D3DKMT_CREATEPAGINGQUEUE {
	D3DKMT_HANDLE hDevice;
	D3DDDI_PAGINGQUEUE_PRIORITY Priority;
	D3DKMT_HANDLE hPagingQueue;		/* out */
	D3DKMT_HANDLE hSyncObject;		/* out */
	void *FenceValueCPUVirtualAddress;	/* out: UINT64, read-only */
	UINT PhysicalAdapterIndex;		/* 0 */
} D3DKMT_CREATEPAGINGQUEUE;

DXG_ASSERT_SIZE(D3DKMT_CREATEPAGINGQUEUE, 32);

typedef struct _D3DKMT_EVICT {
	D3DKMT_HANDLE hDevice;
	UINT NumAllocations;
	const D3DKMT_HANDLE *AllocationList;
	D3DDDI_EVICT_FLAGS Flags;
	UINT64 NumBytesToTrim;			/* out */
} D3DKMT_EVICT;

DXG_ASSERT_SIZE(D3DKMT_EVICT, 32);

typedef struct _D3DDDICB_LOCK2FLAGS {
	union {
		struct {
			UINT Reserved		: 32;
		};
		UINT Value;
	};
} D3DDDICB_LOCK2FLAGS;

typedef struct _D3DKMT_LOCK2 {
	D3DKMT_HANDLE hDevice;
	D3DKMT_HANDLE hAllocation;
	D3DDDICB_LOCK2FLAGS Flags;
	void *pData;				/* out */
} D3DKMT_LOCK2;

DXG_ASSERT_SIZE(D3DKMT_LOCK2, 24);

typedef struct _D3DKMT_UNLOCK2 {
	D3DKMT_HANDLE hDevice;
	D3DKMT_HANDLE hAllocation;
} D3DKMT_UNLOCK2;

/* pAllocationInfo2 is used; all allocations of the call are created, or none. */
NTSTATUS D3DKMTCreateAllocation2(D3DKMT_CREATEALLOCATION *args);
/* An allocation that a doorbell uses lives on until that has gone (OBJ-11). */
NTSTATUS D3DKMTDestroyAllocation2(const D3DKMT_DESTROYALLOCATION2 *args);
NTSTATUS D3DKMTCreatePagingQueue(D3DKMT_CREATEPAGINGQUEUE *args);
NTSTATUS D3DKMTDestroyPagingQueue(D3DDDI_DESTROYPAGINGQUEUE *args);
/*
 * STATUS_PENDING: resident when the paging queue's fence reaches PagingFenceValue.
 * Calls are counted: n calls need n evictions (OBJ-25).
 */
NTSTATUS D3DKMTMakeResident(D3DDDI_MAKERESIDENT *args);
NTSTATUS D3DKMTEvict(D3DKMT_EVICT *args);
NTSTATUS D3DKMTLock2(D3DKMT_LOCK2 *args);
NTSTATUS D3DKMTUnlock2(const D3DKMT_UNLOCK2 *args);

/* ---- GPU virtual addresses ---- */

typedef struct _D3DKMT_FREEGPUVIRTUALADDRESS {
	D3DKMT_HANDLE hAdapter;
	D3DGPU_VIRTUAL_ADDRESS BaseAddress;
	D3DGPU_SIZE_T Size;			/* bytes */
} D3DKMT_FREEGPUVIRTUALADDRESS;

DXG_ASSERT_SIZE(D3DKMT_FREEGPUVIRTUALADDRESS, 24);

NTSTATUS D3DKMTReserveGpuVirtualAddress(D3DDDI_RESERVEGPUVIRTUALADDRESS *args);
/* STATUS_PENDING: usable when the paging fence reaches PagingFenceValue. */
NTSTATUS D3DKMTMapGpuVirtualAddress(D3DDDI_MAPGPUVIRTUALADDRESS *args);
NTSTATUS D3DKMTFreeGpuVirtualAddress(const D3DKMT_FREEGPUVIRTUALADDRESS *args);

/* ---- hardware queues and doorbells ---- */

typedef struct _D3DKMT_CREATE_DOORBELL_FLAGS {
	union {
		struct {
			UINT RequireSecondaryCpuVA	: 1;
			UINT ResizeRingBufferOperation	: 1;
			UINT Reserved			: 30;
		};
		UINT Value;
	};
} D3DKMT_CREATE_DOORBELL_FLAGS;

typedef struct _D3DKMT_CREATE_DOORBELL {
	D3DKMT_HANDLE hHwQueue;
	D3DKMT_HANDLE hRingBuffer;		/* resident and mapped to GPU addresses */
	D3DKMT_HANDLE hRingBufferControl;	/* the same; required (OP-12) */
	D3DKMT_CREATE_DOORBELL_FLAGS Flags;
	UINT PrivateDriverDataSize;		/* 0 .. 16 bytes */
	void *PrivateDriverData;
	/* All out, constant until the doorbell is destroyed (OBJ-4). */
	void *DoorbellCPUVirtualAddress;	/* to ring, store what the miniport wants */
	void *DoorbellSecondaryCPUVirtualAddress; /* NULL without RequireSecondaryCpuVA */
	void *DoorbellStatusCPUVirtualAddress;	/* UINT64: D3DDDI_DOORBELLSTATUS, read-only */
	void *HwQueueProgressFenceLastQueuedValueCPUVirtualAddress; /* UINT64 */
	D3DKMT_HANDLE hDoorbell;
} D3DKMT_CREATE_DOORBELL;

DXG_ASSERT_SIZE(D3DKMT_CREATE_DOORBELL, 72);
DXG_ASSERT_OFFSET(D3DKMT_CREATE_DOORBELL, PrivateDriverData, 24);
DXG_ASSERT_OFFSET(D3DKMT_CREATE_DOORBELL, DoorbellCPUVirtualAddress, 32);
DXG_ASSERT_OFFSET(D3DKMT_CREATE_DOORBELL, DoorbellStatusCPUVirtualAddress, 48);
DXG_ASSERT_OFFSET(D3DKMT_CREATE_DOORBELL, hDoorbell, 64);

typedef struct _D3DKMT_CONNECT_DOORBELL_FLAGS {
	union {
		struct {
			UINT Reserved		: 32;
		};
		UINT Value;
	};
} D3DKMT_CONNECT_DOORBELL_FLAGS;

typedef struct _D3DKMT_CONNECT_DOORBELL {
	D3DKMT_HANDLE hDoorbell;
	D3DKMT_CONNECT_DOORBELL_FLAGS Flags;
} D3DKMT_CONNECT_DOORBELL;

DXG_ASSERT_SIZE(D3DKMT_CONNECT_DOORBELL, 8);

typedef struct _D3DKMT_DESTROY_DOORBELL {
	D3DKMT_HANDLE hDoorbell;
} D3DKMT_DESTROY_DOORBELL;

DXG_ASSERT_SIZE(D3DKMT_DESTROY_DOORBELL, 4);

typedef struct _D3DKMT_NOTIFY_WORK_SUBMISSION_FLAGS {
	union {
		struct {
			UINT Reserved		: 32;
		};
		UINT Value;
	};
} D3DKMT_NOTIFY_WORK_SUBMISSION_FLAGS;

typedef struct _D3DKMT_NOTIFY_WORK_SUBMISSION {
	D3DKMT_HANDLE hDoorbell;
	D3DKMT_NOTIFY_WORK_SUBMISSION_FLAGS Flags;
} D3DKMT_NOTIFY_WORK_SUBMISSION;

DXG_ASSERT_SIZE(D3DKMT_NOTIFY_WORK_SUBMISSION, 8);

/*
 * STATUS_NOT_SUPPORTED: UserModeSubmission on a node that does not report it in
 * its metadata (KMT-HQ-1).
 */
NTSTATUS D3DKMTCreateHwQueue(D3DKMT_CREATEHWQUEUE *args);
/* Destroys the queue's doorbell first if there is one (OBJ-21). */
NTSTATUS D3DKMTDestroyHwQueue(const D3DKMT_DESTROYHWQUEUE *args);

/*
 * Submission through the kernel never succeeds here: STATUS_INVALID_PARAMETER for a queue
 * with UserModeSubmission, whose work comes by its ring alone (KMT-HQ-3),
 * STATUS_NOT_SUPPORTED for one without. Nothing is enqueued.
 */
NTSTATUS D3DKMTSubmitCommandToHwQueue(const D3DKMT_SUBMITCOMMANDTOHWQUEUE *args);
NTSTATUS
D3DKMTSubmitWaitForSyncObjectsToHwQueue(const D3DKMT_SUBMITWAITFORSYNCOBJECTSTOHWQUEUE *args);
NTSTATUS
D3DKMTSubmitSignalSyncObjectsToHwQueue(const D3DKMT_SUBMITSIGNALSYNCOBJECTSTOHWQUEUE *args);

/*
 * Makes a disconnected doorbell: the status word reads RETRY and a ring has no
 * effect until the first connect (KMT-CD-5, KMT-CD-6). STATUS_INVALID_PARAMETER also if
 * the queue has a doorbell or no user-mode submission, a ring is not resident or
 * serves another doorbell, or a size is out of the device's range (KMT-CD-9 to 14).
 * A failure leaves nothing behind (KMT-CD-4).
 */
NTSTATUS D3DKMTCreateDoorbell(D3DKMT_CREATE_DOORBELL *args);

/*
 * Connects, or connects again. Work that was in the ring before executes without
 * another ring (KMT-CN-15). STATUS_DEVICE_BUSY: for 100 ms there was no physical
 * doorbell and none to come, or none was given to anybody for as long as the device may
 * take for a command, 2 s; try again later (OP-6). STATUS_DEVICE_REMOVED: for good; the
 * status word reads ABORT (KMT-CN-5, KMT-CN-10).
 */
NTSTATUS D3DKMTConnectDoorbell(const D3DKMT_CONNECT_DOORBELL *args);

/* STATUS_INVALID_PARAMETER for a bad handle, else it always succeeds (KMT-DD-1, KMT-DD-2). */
NTSTATUS D3DKMTDestroyDoorbell(const D3DKMT_DESTROY_DOORBELL *args);

/* After a ring, when the status word reads CONNECTED_NOTIFY_KMD (KMT-NW-3). */
NTSTATUS D3DKMTNotifyWorkSubmission(const D3DKMT_NOTIFY_WORK_SUBMISSION *args);

/* ---- fences ---- */

typedef struct _D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU {
	D3DKMT_HANDLE hDevice;
	UINT ObjectCount;			/* 1 .. D3DDDI_MAX_OBJECT_WAITED_ON */
	const D3DKMT_HANDLE *ObjectHandleArray;
	const UINT64 *FenceValueArray;
	HANDLE hAsyncEvent;			/* an eventfd's number, 0 = block in the call */
	D3DDDI_WAITFORSYNCHRONIZATIONOBJECTFROMCPU_FLAGS Flags;
} D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU;

DXG_ASSERT_SIZE(D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU, 40);

typedef struct _D3DKMT_DESTROYSYNCHRONIZATIONOBJECT {
	D3DKMT_HANDLE hSyncObject;
} D3DKMT_DESTROYSYNCHRONIZATIONOBJECT;

/*
 * Waits until every fence, or with WaitAny one, has reached its value. With
 * hAsyncEvent the call returns at once and the event is signalled then.
 */
NTSTATUS
D3DKMTWaitForSynchronizationObjectFromCpu(const D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU *args);
NTSTATUS D3DKMTDestroySynchronizationObject(const D3DKMT_DESTROYSYNCHRONIZATIONOBJECT *args);

/* ---- device state ---- */

typedef enum _D3DKMT_DEVICESTATE_TYPE {
	D3DKMT_DEVICESTATE_EXECUTION		= 1,
	D3DKMT_DEVICESTATE_PRESENT		= 2,
	D3DKMT_DEVICESTATE_RESET		= 3,
	D3DKMT_DEVICESTATE_PRESENT_DWM		= 4,
	D3DKMT_DEVICESTATE_PAGE_FAULT		= 5,
	D3DKMT_DEVICESTATE_PRESENT_QUEUE	= 6,
} D3DKMT_DEVICESTATE_TYPE;

typedef enum _D3DKMT_DEVICEEXECUTION_STATE {
	D3DKMT_DEVICEEXECUTION_ACTIVE			= 1,
	D3DKMT_DEVICEEXECUTION_RESET			= 2,
	D3DKMT_DEVICEEXECUTION_HUNG			= 3,
	D3DKMT_DEVICEEXECUTION_STOPPED			= 4,
	D3DKMT_DEVICEEXECUTION_ERROR_OUTOFMEMORY	= 5,
	D3DKMT_DEVICEEXECUTION_ERROR_DMAFAULT		= 6,
	D3DKMT_DEVICEEXECUTION_ERROR_DMAPAGEFAULT	= 7,
} D3DKMT_DEVICEEXECUTION_STATE;

typedef struct _D3DKMT_DEVICEPAGEFAULT_STATE {
	UINT64 FaultedPrimitiveAPISequenceNumber;
	DXGK_RENDER_PIPELINE_STAGE FaultedPipelineStage;
	UINT FaultedBindTableEntry;
	DXGK_PAGE_FAULT_FLAGS PageFaultFlags;
	DXGK_FAULT_ERROR_CODE FaultErrorCode;
	D3DGPU_VIRTUAL_ADDRESS FaultedVirtualAddress; /* 0: another cause */
} D3DKMT_DEVICEPAGEFAULT_STATE;

DXG_ASSERT_SIZE(D3DKMT_DEVICEPAGEFAULT_STATE, 32);

typedef struct _D3DKMT_GETDEVICESTATE {
	D3DKMT_HANDLE hDevice;
	D3DKMT_DEVICESTATE_TYPE StateType;	/* EXECUTION or PAGE_FAULT */
	union {
		D3DKMT_DEVICEEXECUTION_STATE ExecutionState;
		D3DKMT_DEVICEPAGEFAULT_STATE PageFaultState;
		UINT64 Largest[6];		/* size of the display arms */
	};
} D3DKMT_GETDEVICESTATE;

DXG_ASSERT_SIZE(D3DKMT_GETDEVICESTATE, 56);
DXG_ASSERT_OFFSET(D3DKMT_GETDEVICESTATE, ExecutionState, 8);

/* A query: it also answers for a device in error. */
NTSTATUS D3DKMTGetDeviceState(D3DKMT_GETDEVICESTATE *args);

#ifdef __cplusplus
}
#endif

#endif /* DXG_D3DKMTHK_H */
