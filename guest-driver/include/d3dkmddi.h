/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam between the OS layer (dxgkrnl.ko) and a miniport driver (KMD).
 *
 * A KMD fills DRIVER_INITIALIZATION_DATA and calls DxgkInitialize() from its
 * module init, DxgkAddAdapter() for each device that its bus probe finds, and
 * DxgkRemoveAdapter() from its bus remove. The OS layer calls the DxgkDdi*
 * functions; the KMD calls back through the DXGKRNL_INTERFACE that it got in
 * DxgkDdiStartDevice. Nothing else crosses: the KMD includes no header of
 * dxgkrnl, and dxgkrnl touches no register.
 *
 * Names, structures and field order are those of the Windows DDI at the WDDM
 * 3.2 level, reduced to the fields that a render-only adapter with system
 * memory and CPU-written page tables uses. What the published DDI does not
 * have is marked "ours".
 *
 * Handles. An object has an OS handle and a KMD handle. A create call passes
 * the OS handle in and takes the KMD handle out in the same field (OBJ-18);
 * from then on each side uses only the other's handle toward it. A null handle
 * with STATUS_SUCCESS is a KMD bug and handled as a failure (DDI-CD-7).
 *
 * Contexts. "PASSIVE" functions run in process or workqueue context and may
 * sleep. "DEVICE" functions run in hard-interrupt context or under spinlocks
 * with interrupts off, and may not. Unless said otherwise a call may run
 * concurrently with calls for other objects, never with another call for the
 * same object. Each KMD call must return within 5 seconds (FH-4).
 */
#ifndef _D3DKMDDI_H
#define _D3DKMDDI_H

#include <linux/device.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include "ntdef.h"

#define DXGKDDI_INTERFACE_VERSION_WDDM3_2	0x11007

/* ---- DxgkDdiQueryAdapterInfo, DxgkDdiGetNodeMetadata: PASSIVE ---- */

typedef enum _DXGK_QUERYADAPTERINFOTYPE {
	DXGKQAITYPE_UMDRIVERPRIVATE		= 0,	/* the KMD's own blob */
	DXGKQAITYPE_DRIVERCAPS			= 1,	/* DXGK_DRIVERCAPS */
	DXGKQAITYPE_GPUMMUCAPS			= 13,	/* DXGK_GPUMMUCAPS */
	DXGKQAITYPE_USERMODESUBMISSION_CAPS	= 38,	/* DXGK_USERMODESUBMISSION_CAPS */
	DXGKQAITYPE_DOORBELLAPERTURE		= 0x1000, /* ours: DXGK_DOORBELLAPERTURE */
} DXGK_QUERYADAPTERINFOTYPE;

/* STATUS_BUFFER_TOO_SMALL if OutputDataSize is less than the type's structure. */
typedef struct _DXGKARG_QUERYADAPTERINFO {
	DXGK_QUERYADAPTERINFOTYPE Type;
	void *pInputData;
	UINT InputDataSize;
	void *pOutputData;
	UINT OutputDataSize;
	UINT Flags;
	HANDLE hKmdProcessHandle;
} DXGKARG_QUERYADAPTERINFO;

typedef struct _DXGK_DRIVERCAPS {
	UINT NbAsymetricProcessingNodes;	/* nodes 0 .. this - 1 */
	UINT SchedulingCaps;			/* DXGK_VIDSCHCAPS bits, 0 */
	char Description[64];			/* ours: adapter name, UTF-8, terminated */
} DXGK_DRIVERCAPS;

typedef struct _DXGK_GPUMMUCAPS {
	UINT VirtualAddressBitCount;
	UINT PageSizeInBytes;			/* ours: 4096 */
} DXGK_GPUMMUCAPS;

typedef struct _DXGK_USERMODESUBMISSION_CAPS {
	UINT Flags;				/* b0 SecondaryDoorbellSupported */
	UINT DoorbellSizeInBytes;
	UINT SecondaryDoorbellSizeInBytes;
	u8 Reserved[16];
} DXGK_USERMODESUBMISSION_CAPS;

#define DXGK_USERMODESUBMISSION_SECONDARY	(1u << 0)

/*
 * ours: where physical doorbells lie. The OS layer maps a doorbell to user space
 * only if the address from DxgkDdiConnectDoorbell is inside (DDI-CN-6, SEC-14).
 */
typedef struct _DXGK_DOORBELLAPERTURE {
	void *KernelCpuVirtualAddress;		/* of the first byte */
	PHYSICAL_ADDRESS PhysicalAddress;	/* CPU physical, page aligned */
	UINT64 Size;				/* bytes, whole pages */
	UINT Flags;
} DXGK_DOORBELLAPERTURE;

#define DXGK_DOORBELLAPERTURE_SYSTEM_MEMORY	(1u << 0) /* RAM: mapped write-back, not uncached */
/*
 * The hardware has no page for each process, and DEV-1 is what protects them from one another
 * (MOD-9). Without it a connect to a page that another process still sees is refused.
 */
#define DXGK_DOORBELLAPERTURE_SHARED_PAGES	(1u << 1)

typedef enum _DXGK_ENGINE_TYPE {
	DXGK_ENGINE_TYPE_OTHER	= 0,
	DXGK_ENGINE_TYPE_3D	= 1,
	DXGK_ENGINE_TYPE_COPY	= 6,
	DXGK_ENGINE_TYPE_MAX	= 10,
} DXGK_ENGINE_TYPE;

typedef struct _DXGKARG_GETNODEMETADATA {
	DXGK_ENGINE_TYPE EngineType;
	u16 FriendlyName[32];			/* UTF-16, for DXGK_ENGINE_TYPE_OTHER */
	UINT Flags;
	BOOLEAN GpuMmuSupported;
	BOOLEAN IoMmuSupported;
} __packed DXGKARG_GETNODEMETADATA;		/* 74 bytes: DXGK_NODEMETADATA */

#define DXGK_NODEMETADATA_CONTEXT_SCHEDULING	(1u << 0)
#define DXGK_NODEMETADATA_USER_MODE_SUBMISSION	(1u << 3)

/* ---- process, device, context, queue: PASSIVE ---- */

/* One per process and adapter: it owns a GPU address space. */
typedef struct _DXGKARG_CREATEPROCESS {
	HANDLE hDxgkProcess;			/* in: OS */
	HANDLE hKmdProcess;			/* out */
	UINT Flags;
} DXGKARG_CREATEPROCESS;

typedef struct _DXGKARG_CREATEDEVICE {
	HANDLE hDevice;				/* in: OS, out: KMD */
	UINT64 Flags;
	UINT Pasid;
	HANDLE hKmdProcess;			/* in */
} DXGKARG_CREATEDEVICE;

typedef struct _DXGKARG_CREATECONTEXT {
	HANDLE hContext;			/* in: OS, out: KMD */
	UINT NodeOrdinal;
	UINT EngineAffinity;
	UINT Flags;				/* b2 VirtualAddressing, b4 HwQueueSupported */
	void *pPrivateDriverData;
	UINT PrivateDriverDataSize;
} DXGKARG_CREATECONTEXT;

typedef struct _DXGKARG_CREATEHWQUEUE {
	HANDLE hHwQueue;			/* in: OS, out: KMD */
	UINT Flags;				/* D3DDDI_CREATEHWQUEUEFLAGS */
	UINT PrivateDriverDataSize;
	void *pPrivateDriverData;
	UINT hHwQueueProgressFence;
	void *HwQueueProgressFenceCPUVirtualAddress;
	D3DGPU_VIRTUAL_ADDRESS HwQueueProgressFenceGPUVirtualAddress;
} DXGKARG_CREATEHWQUEUE;

/* ---- memory: PASSIVE ---- */

typedef struct _DXGK_ALLOCATIONINFO {
	void *pPrivateDriverData;		/* in, kernel copy */
	UINT PrivateDriverDataSize;
	UINT Alignment;				/* out: bytes, 0 = page */
	SIZE_T Size;				/* out: bytes; the OS layer rounds up to pages */
	HANDLE hAllocation;			/* in: OS, out: KMD */
} DXGK_ALLOCATIONINFO;

typedef struct _DXGKARG_CREATEALLOCATION {
	UINT NumAllocations;			/* 1 */
	DXGK_ALLOCATIONINFO *pAllocationInfo;
	UINT Flags;
} DXGKARG_CREATEALLOCATION;

typedef enum _DXGK_BUILDPAGINGBUFFER_OPERATION {
	DXGK_OPERATION_UPDATE_PAGE_TABLE	= 10,
	DXGK_OPERATION_FLUSH_TLB		= 11,
} DXGK_BUILDPAGINGBUFFER_OPERATION;

/*
 * The CPU_VIRTUAL page-table update mode: the operation is complete when the call
 * returns, no buffer is built. UPDATE_PAGE_TABLE with pBusAddresses null
 * unmaps. A flush returns when the device can no longer use any translation of the
 * range that was removed before; only then may the OS layer free the memory.
 * Mapping may fail with NO_MEMORY and then has mapped nothing; unmapping and a
 * flush fail only with DEVICE_REMOVED (hardware gone: nothing is in use).
 */
typedef struct _DXGKARG_BUILDPAGINGBUFFER {
	DXGK_BUILDPAGINGBUFFER_OPERATION Operation;
	HANDLE hKmdProcess;
	D3DGPU_VIRTUAL_ADDRESS FirstVirtualAddress;	/* 4 KiB aligned */
	UINT64 NumPages;				/* 4 KiB pages */
	const u64 *pBusAddresses;			/* one per page; null = unmap */
	BOOLEAN Writable;
} DXGKARG_BUILDPAGINGBUFFER;

/* ---- doorbells: PASSIVE (wddm-semantics 3.7 to 3.10) ---- */

typedef enum _D3DDDI_DOORBELLSTATUS {
	D3DDDI_DOORBELLSTATUS_CONNECTED			= 0,
	D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD	= 1,
	D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY	= 2,
	D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT	= 3,
} D3DDDI_DOORBELLSTATUS;

typedef struct _DXGKARG_CREATEDOORBELL {
	HANDLE hHwQueue;			/* KMD */
	HANDLE hDoorbell;			/* in: OS, out: KMD */
	UINT PrivateDriverDataSize;		/* 0..16 */
	void *PrivateDriverData;		/* kernel copy, in/out */
	HANDLE hRingBuffer;			/* KMD allocation */
	HANDLE hRingBufferControl;		/* KMD allocation */
	UINT Flags;				/* b0 ResizeRingBufferOperation */
	/* ours: the OS layer's word on both allocations (KMT-CD-11) */
	D3DGPU_VIRTUAL_ADDRESS RingBufferGpuVirtualAddress;
	UINT64 RingBufferSize;			/* bytes */
	D3DGPU_VIRTUAL_ADDRESS RingBufferControlGpuVirtualAddress;
	UINT64 RingBufferControlSize;		/* bytes */
	UINT64 InitialWritePointer;		/* entries already consumed, normally 0 */
	/*
	 * ours, out, 0 if left alone: where in its page each connect will put the doorbell,
	 * and the secondary one; a multiple of the doorbells' sizes (KMT-CD-19)
	 */
	UINT DoorbellOffset;
} DXGKARG_CREATEDOORBELL;

#define DXGK_CREATEDOORBELL_RESIZE		(1u << 0)

typedef struct _DXGKARG_CONNECTDOORBELL {
	HANDLE hDoorbell;			/* KMD */
	UINT Flags;				/* b0 RequireSecondaryAddress; b31 ours: Rekick */
	void *KernelCpuVirtualAddress;		/* out: in the aperture, at DoorbellOffset */
	void *SecondaryKernelCpuVirtualAddress;	/* out, only with RequireSecondaryAddress */
	D3DDDI_DOORBELLSTATUS Status;		/* out: CONNECTED or CONNECTED_NOTIFY_KMD */
} DXGKARG_CONNECTDOORBELL;

#define DXGK_CONNECTDOORBELL_SECONDARY		(1u << 0)
/*
 * ours: the doorbell is connected already; keep the binding and make the device
 * sample the queue once (T6, KMT-CN-9). The output fields are not used.
 */
#define DXGK_CONNECTDOORBELL_REKICK		(1u << 31)

typedef struct _DXGKARG_DISCONNECTDOORBELL {
	HANDLE hDoorbell;			/* KMD */
	UINT Flags;
} DXGKARG_DISCONNECTDOORBELL;

typedef struct _DXGKARG_DESTROYDOORBELL {
	HANDLE hDoorbell;			/* KMD */
} DXGKARG_DESTROYDOORBELL;

typedef struct _DXGKARG_NOTIFYWORKSUBMISSION {
	HANDLE hHwQueue;			/* KMD */
	UINT Flags;
} DXGKARG_NOTIFYWORKSUBMISSION;

/* ---- scheduling and engine status: PASSIVE ---- */

typedef struct _DXGKARG_SUSPENDCONTEXT {
	HANDLE hContext;			/* KMD */
	UINT64 contextSuspendFence;		/* grows per context */
} DXGKARG_SUSPENDCONTEXT;

typedef struct _DXGKARG_RESUMECONTEXT {
	HANDLE hContext;			/* KMD */
} DXGKARG_RESUMECONTEXT;

typedef struct _DXGKARG_QUERYENGINESTATUS {
	UINT NodeOrdinal;
	UINT EngineOrdinal;
	UINT EngineStatus;			/* out: b0 Responsive */
} DXGKARG_QUERYENGINESTATUS;

/*
 * Reset of one engine (3.13). After DxgkDdiResetHwEngine nothing of the node
 * executes, that of contexts which were not on it neither, until
 * DxgkDdiResumeHwEngine, which samples every queue of the node (DDI-RE-1,
 * DDI-RE-3, DDI-RE-7).
 */
typedef struct _DXGKARG_RESETHWENGINE {
	UINT NodeOrdinal;
	UINT EngineOrdinal;
} DXGKARG_RESETHWENGINE;

typedef struct _DXGKARG_RESUMEHWENGINE {
	UINT NodeOrdinal;
	UINT EngineOrdinal;
} DXGKARG_RESUMEHWENGINE;

/*
 * ours: what the device itself says of a queue, for the decision whether work is
 * pending (ORD-13) and for debugfs, whose look changes nothing.
 */
typedef struct _DXGKARG_QUERYHWQUEUESTATUS {
	HANDLE hHwQueue;			/* KMD */
	BOOLEAN SampleAwaited;			/* by the caller: do what SamplePending ends by */
	UINT State;				/* out: the device's state number */
	UINT64 WritePointer;			/* out: at the last sample */
	UINT64 ReadPointer;			/* out: entries completed */
	INT Slot;				/* out: physical doorbell, -1 if none */
	UINT FaultCode;				/* out: the number of its fault, 0 if none */
	HANDLE hRunningHwQueue;			/* out: OS, what its engine executes now, or null */
	const char *StateName;			/* out: static text */
	BOOLEAN SamplePending;			/* out: of a disconnect, or a victim */
} DXGKARG_QUERYHWQUEUESTATUS;

/* ---- power: PASSIVE ---- */

typedef enum _DEVICE_POWER_STATE {
	PowerDeviceUnspecified	= 0,
	PowerDeviceD0		= 1,
	PowerDeviceD1		= 2,	/* not used, nor is D2 */
	PowerDeviceD2		= 3,
	PowerDeviceD3		= 4,
} DEVICE_POWER_STATE;

/* ---- interrupts: the KMD calls DxgkCbNotifyInterrupt, DEVICE ---- */

typedef enum _DXGK_INTERRUPT_TYPE {
	DXGK_INTERRUPT_MONITORED_FENCE_SIGNALED		= 11,
	DXGK_INTERRUPT_HWQUEUE_PAGE_FAULTED		= 12,
	DXGK_INTERRUPT_GPU_ENGINE_TIMEOUT		= 16,
	DXGK_INTERRUPT_SUSPEND_CONTEXT_COMPLETED	= 17,
	DXGK_INTERRUPT_GPU_ENGINE_STATE_CHANGE		= 20,
} DXGK_INTERRUPT_TYPE;

#define DXGK_PAGE_FAULT_WRITE			0x00000001
#define DXGK_PAGE_FAULT_FENCE_INVALID		0x00000002

/* DXGK_FAULT_ERROR_CODE: b0 device-specific, b1-31 the code. */
#define DXGK_FAULT_ERROR_GENERAL(code)		((UINT)(code) << 1)
#define DXGK_FAULT_ERROR_DEVICE(code)		(((UINT)(code) << 1) | 1)
#define DXGK_GENERAL_ERROR_PAGE_FAULT		0
#define DXGK_GENERAL_ERROR_INVALID_INSTRUCTION	1

typedef struct _DXGKARGCB_NOTIFY_INTERRUPT_DATA {
	DXGK_INTERRUPT_TYPE InterruptType;
	union {
		struct {
			UINT NodeOrdinal;
			UINT EngineOrdinal;
		} MonitoredFenceSignaled;
		struct {
			UINT64 FaultedFenceId;
			D3DGPU_VIRTUAL_ADDRESS FaultedVirtualAddress;
			UINT64 FaultedPrimitiveAPISequenceNumber;
			HANDLE FaultedHwQueue;	/* OS */
			UINT NodeOrdinal;
			UINT EngineOrdinal;
			UINT FaultedPipelineStage;
			UINT FaultedBindTableEntry;
			UINT PageFaultFlags;
			UINT PageTableLevel;
			UINT FaultErrorCode;
		} HwQueuePageFaulted;
		struct {
			UINT NodeOrdinal;
			UINT EngineOrdinal;
		} GpuEngineTimeout;
		struct {
			HANDLE hContext;	/* OS */
			UINT64 ContextSuspendFence;
		} SuspendContextCompleted;
	};
	UINT Flags;
} DXGKARGCB_NOTIFY_INTERRUPT_DATA;

/* A context has lost work to an engine reset (DDI-RE-2). */
typedef struct _DXGKARGCB_INVALIDATEHWCONTEXT {
	HANDLE hHwContext;			/* OS */
	UINT Flags;				/* DXGK_INVALIDATEHWCONTEXT_* */
	/* ours, for the log */
	HANDLE hHwQueue;			/* OS; null if unknown */
	UINT64 AbortedFenceId;			/* of the aborted entry, as the process said */
} DXGKARGCB_INVALIDATEHWCONTEXT;

/* It was not the reason for the reset. */
#define DXGK_INVALIDATEHWCONTEXT_COLLATERAL	(1u << 0)

typedef struct _DXGKARGCB_DISCONNECTDOORBELL {
	HANDLE hHwQueue;			/* OS */
	HANDLE hDoorbell;			/* OS */
	UINT Flags;
	D3DDDI_DOORBELLSTATUS DisconnectReason;
} DXGKARGCB_DISCONNECTDOORBELL;

/* What the OS layer gives to the KMD. */
typedef struct _DXGKRNL_INTERFACE {
	UINT Size;
	UINT Version;
	HANDLE DeviceHandle;			/* first argument of an adapter's callbacks */
	/*
	 * DEVICE. Copies the data, never sleeps, may be called at any time between
	 * start and stop. A handle in it must not be destroyed before the call returns.
	 */
	void (*DxgkCbNotifyInterrupt)(HANDLE hAdapter,
				      const DXGKARGCB_NOTIFY_INTERRUPT_DATA *pData);
	/*
	 * PASSIVE, with no KMD lock held that a doorbell DDI takes (DDI-CN-8). Status
	 * first, then every user mapping is zapped (ORD-6); the slot is the KMD's own
	 * when it returns (ORD-14). INVALID_PARAMETER: the queue has no such doorbell, or
	 * this is from within its connect. DEVICE_BUSY: a connect of it in another thread
	 * did not end in 5 s; the process has the slot, or is about to (CB-DC-6).
	 */
	NTSTATUS (*DxgkCbDisconnectDoorbell)(const DXGKARGCB_DISCONNECTDOORBELL *pArgs);
	/*
	 * DEVICE, as DxgkCbNotifyInterrupt. Once for each context that an engine reset hit,
	 * before DxgkDdiResetHwEngine returns; also when the KMD had to reset the engine by
	 * itself, to get a queue or context back that it was told to destroy. The device
	 * of the context goes into error, all its doorbells become ABORT (FH-7).
	 */
	void (*DxgkCbInvalidateHwContext)(HANDLE hAdapter,
					  const DXGKARGCB_INVALIDATEHWCONTEXT *pArgs);
} DXGKRNL_INTERFACE;

typedef struct _DXGK_START_INFO {
	UINT64 AdapterLuid;			/* high part << 32 | low part */
} DXGK_START_INFO;

/*
 * The table. Every member must be set. hAdapter is the MiniportDeviceContext
 * from DxgkDdiAddDevice. Destroy functions return nothing to act on: they must
 * succeed, also with the hardware gone.
 */
typedef struct _DRIVER_INITIALIZATION_DATA {
	UINT Version;				/* DXGKDDI_INTERFACE_VERSION_WDDM3_2 */
	const char *Name;			/* ours: for logs, the module's name */

	NTSTATUS (*DxgkDdiAddDevice)(struct device *PhysicalDeviceObject,
				     void **MiniportDeviceContext);
	NTSTATUS (*DxgkDdiStartDevice)(HANDLE hAdapter, const DXGK_START_INFO *pStartInfo,
				       const DXGKRNL_INTERFACE *pInterface);
	/* After it returns no interrupt is reported and the hardware does no DMA. */
	NTSTATUS (*DxgkDdiStopDevice)(HANDLE hAdapter);
	void (*DxgkDdiRemoveDevice)(HANDLE hAdapter);

	NTSTATUS (*DxgkDdiQueryAdapterInfo)(HANDLE hAdapter,
					    const DXGKARG_QUERYADAPTERINFO *pArgs);
	NTSTATUS (*DxgkDdiGetNodeMetadata)(HANDLE hAdapter, UINT NodeOrdinal,
					   DXGKARG_GETNODEMETADATA *pArgs);

	NTSTATUS (*DxgkDdiCreateProcess)(HANDLE hAdapter, DXGKARG_CREATEPROCESS *pArgs);
	NTSTATUS (*DxgkDdiDestroyProcess)(HANDLE hAdapter, HANDLE hKmdProcess);
	NTSTATUS (*DxgkDdiCreateDevice)(HANDLE hAdapter, DXGKARG_CREATEDEVICE *pArgs);
	NTSTATUS (*DxgkDdiDestroyDevice)(HANDLE hDevice);
	NTSTATUS (*DxgkDdiCreateContext)(HANDLE hDevice, DXGKARG_CREATECONTEXT *pArgs);
	/* Only after the suspend acknowledgment, a reset, or removal (OBJ-24). */
	NTSTATUS (*DxgkDdiDestroyContext)(HANDLE hContext);
	NTSTATUS (*DxgkDdiCreateHwQueue)(HANDLE hHwContext, DXGKARG_CREATEHWQUEUE *pArgs);
	NTSTATUS (*DxgkDdiDestroyHwQueue)(HANDLE hHwQueue);

	NTSTATUS (*DxgkDdiCreateAllocation)(HANDLE hAdapter, DXGKARG_CREATEALLOCATION *pArgs);
	NTSTATUS (*DxgkDdiDestroyAllocation)(HANDLE hAdapter, HANDLE hAllocation);
	NTSTATUS (*DxgkDdiBuildPagingBuffer)(HANDLE hAdapter, DXGKARG_BUILDPAGINGBUFFER *pArgs);

	/* Takes no physical doorbell (DDI-CD-5). A failure is the caller's status (DDI-CD-4). */
	NTSTATUS (*DxgkDdiCreateDoorbell)(DXGKARG_CREATEDOORBELL *pArgs);
	/*
	 * Binds, and samples the queue once (DDI-CN-3, DDI-CN-9). DEVICE_BUSY: no physical
	 * doorbell came free; CANCELLED: the caller has a fatal signal; both have changed
	 * nothing. Any other failure is final, ABORT for the process (KMT-CN-5), and so is a
	 * SUCCESS with an address or Status that may not be: then a disconnect follows
	 * (DDI-CN-2, DDI-CN-6).
	 */
	NTSTATUS (*DxgkDdiConnectDoorbell)(DXGKARG_CONNECTDOORBELL *pArgs);
	/* Unbinds, if bound, and samples; does not wait for work, nor cancel it (DDI-DC-4). */
	NTSTATUS (*DxgkDdiDisconnectDoorbell)(const DXGKARG_DISCONNECTDOORBELL *pArgs);
	/* On return the device has stopped fetching the ring (DDI-DS-1). */
	NTSTATUS (*DxgkDdiDestroyDoorbell)(const DXGKARG_DESTROYDOORBELL *pArgs);
	/* Samples the queue, connected or not. Its status is not looked at (DDI-NW-1). */
	NTSTATUS (*DxgkDdiNotifyWorkSubmission)(const DXGKARG_NOTIFYWORKSUBMISSION *pArgs);

	/*
	 * SUCCESS: suspended already. PENDING: SuspendContextCompleted follows, with the
	 * fence of this call; an acknowledgment of an older fence says nothing.
	 */
	NTSTATUS (*DxgkDdiSuspendContext)(HANDLE hAdapter, const DXGKARG_SUSPENDCONTEXT *pArgs);
	NTSTATUS (*DxgkDdiResumeContext)(HANDLE hAdapter, const DXGKARG_RESUMECONTEXT *pArgs);
	NTSTATUS (*DxgkDdiQueryEngineStatus)(HANDLE hAdapter, DXGKARG_QUERYENGINESTATUS *pArgs);
	NTSTATUS (*DxgkDdiQueryHwQueueStatus)(HANDLE hAdapter, DXGKARG_QUERYHWQUEUESTATUS *pArgs);

	/*
	 * Any failure, also of the resume, is answered by an adapter reset (DDI-RE-5).
	 * NOT_SUPPORTED: the hardware cannot; DEVICE_REMOVED; UNSUCCESSFUL: it did not.
	 */
	NTSTATUS (*DxgkDdiResetHwEngine)(HANDLE hAdapter, const DXGKARG_RESETHWENGINE *pArgs);
	NTSTATUS (*DxgkDdiResumeHwEngine)(HANDLE hAdapter, const DXGKARG_RESUMEHWENGINE *pArgs);

	/*
	 * Adapter reset (DDI-RE-6). Reset: on return no DMA; all device-side objects are
	 * gone, the KMD's remain and accept their destroy calls. Restart: new
	 * devices, contexts and queues can be created; living KMD processes work again.
	 */
	NTSTATUS (*DxgkDdiResetFromTimeout)(HANDLE hAdapter);
	NTSTATUS (*DxgkDdiRestartFromTimeout)(HANDLE hAdapter);

	/*
	 * D3: all contexts are suspended and acknowledged, all doorbells disconnected. On
	 * return nothing is reported and no register touched until D0, which is the next
	 * call (DDI-PW-11); the device may keep its state or lose it. D0: SUCCESS if all is
	 * as it was; else DEVICE_REMOVED, and a ResetFromTimeout follows.
	 */
	NTSTATUS (*DxgkDdiSetPowerState)(HANDLE hAdapter, DEVICE_POWER_STATE DevicePowerState);

	/*
	 * Text for the dump of a hang, lines of key=value: what the hardware and the last
	 * commands to it look like. Nothing is waited for. Before a reset of the adapter no
	 * other function runs; before that of an engine, any may.
	 */
	void (*DxgkDdiCollectDbgInfo)(HANDLE hAdapter, struct seq_file *m);

	/* ours: text for debugfs "slots": one line per physical doorbell. */
	void (*DxgkDdiPrintSlots)(HANDLE hAdapter, struct seq_file *m);
} DRIVER_INITIALIZATION_DATA;

struct dxgk_miniport;
struct dxgadapter;

/*
 * Exported by dxgkrnl.ko.
 *
 * DxgkInitialize: registers a miniport. owner is THIS_MODULE; it is pinned while
 * processes have the adapter open. INVALID_PARAMETER if a member of the table is
 * missing or the version differs (the log names it), NO_MEMORY.
 * DxgkUnInitialize: all its adapters must be removed.
 * DxgkAddAdapter: calls AddDevice, StartDevice and the capability queries, then
 * shows the adapter to processes. 0 or -errno.
 * DxgkRemoveAdapter: hides it, aborts all doorbells (STAT=ABORT before any
 * waiter is released), destroys every KMD object, stops and removes the device.
 * surprise says that the hardware is gone already: no wait for it is made.
 *
 * The rest is for a bus driver's PM and error callbacks, from process context.
 * DxgkSuspendAdapter: before the function leaves D0. forced: whatever its work, which
 * goes on after the resume (T32); else -EBUSY if it was not idle since the last call: the
 * OS layer then asks for an autosuspend by itself before long. 0: asleep, no DDI call but
 * SetPowerState comes.
 * DxgkResumeAdapter: the function is in D0 again, with its configuration restored. Without
 * a suspend it does nothing.
 * DxgkBeginReset: somebody is about to reset the function, or it may not be reached any
 * more: all devices are put in error and ResetFromTimeout is called. reason is for
 * the log. DxgkEndReset: it can be used again, or not: ResetFromTimeout and
 * RestartFromTimeout, or the adapter stops. Calls that need the device wait in
 * between, for 10 s at most.
 */
NTSTATUS DxgkInitialize(struct module *owner, const DRIVER_INITIALIZATION_DATA *pData,
			struct dxgk_miniport **ppMiniport);
void DxgkUnInitialize(struct dxgk_miniport *miniport);
int DxgkAddAdapter(struct dxgk_miniport *miniport, struct device *dev,
		   struct dxgadapter **ppAdapter);
void DxgkRemoveAdapter(struct dxgadapter *adapter, bool surprise);
int DxgkSuspendAdapter(struct dxgadapter *adapter, bool forced);
void DxgkResumeAdapter(struct dxgadapter *adapter);
void DxgkBeginReset(struct dxgadapter *adapter, const char *reason);
void DxgkEndReset(struct dxgadapter *adapter, bool usable);

#endif /* _D3DKMDDI_H */
