/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: the QEMU side of the device.
 *
 * The core (core/core.h) is the device; the files here give it a PCI function:
 *
 *   dxgpu.c     class, properties, realize, exit, reset
 *   pci.c       configuration space: capabilities, BARs, power state, FLR
 *   nodes.c     the property "nodes"
 *   mmio.c      BAR0, the registers
 *   doorbell.c  BAR2, the doorbell slots
 *   status.c    BAR4, the status region
 *   dma.c       guest memory: the only file that does DMA
 *   irq.c       MSI-X from any thread
 *   absent.c    what is left of a function that is not there
 *   inject.c    faults on demand: the properties "inject-..."
 *   worker.c    the thread, or the main-loop bottom half, that runs the core
 *   stats.c     the QOM property "stats"
 *   vmstate.c   the state that is saved and migrated
 *
 * Threads: MMIO handlers, reset, properties and bottom halves of the main loop
 * hold the BQL. The worker never asks for it, with two exceptions inside
 * QEMU's memory code: a fault of a vIOMMU, and a write to read-only memory,
 * which fails. So whoever waits for the worker waits with the BQL released.
 */
#ifndef HW_DXGPU_H
#define HW_DXGPU_H

#include "hw/pci/pci_device.h"
#include "system/iothread.h"
#include "qom/object.h"

#include "core/core.h"
#include "core/snapshot.h"

#define TYPE_DXGPU "dxgpu"
OBJECT_DECLARE_SIMPLE_TYPE(DxgpuState, DXGPU)

/* Why the worker is parked; it runs when no reason is left. */
enum {
    DXGPU_PARK_STOPPED  = 1 << 0,   /* the virtual machine does not run */
    DXGPU_PARK_RESET    = 1 << 1,
    DXGPU_PARK_EXIT     = 1 << 2,   /* for good */
    DXGPU_PARK_POWER    = 1 << 3,   /* D3hot */
};

/* worker.c: who runs one worker of the core. */
typedef struct DxgpuWorker {
    DxgpuState *s;
    uint32_t index;
    IOThread *iothread;         /* NULL if threads=0 */
    QEMUBH *bh;
    QEMUTimer *wake_timer;      /* main loop; the end of the first delay */
    uint32_t parked;            /* atomic: the last request that was met */
} DxgpuWorker;

struct DxgpuState {
    PCIDevice parent_obj;

    /* Properties: constant after realize. */
    struct dxgpu_core_config config;
    uint32_t threads;
    char *nodes;                /* as given, see nodes.c; NULL: the default */
    uint64_t node_kinds;        /* 4 bits per node */
    char *doorbell_model;       /* as given; NULL: dedicated */
    uint32_t caps;              /* the register */

    MemoryRegion regs;
    MemoryRegion doorbells;
    MemoryRegion status;

    struct dxgpu_core *core;

    bool asleep;                /* pci.c, BQL: in D3hot */

    /* mmio.c, under the BQL: the command window. */
    uint64_t cmd_args[DXGPU_CMD_NUM_ARGS];
    uint32_t cmd_result;

    /* irq.c: vectors to raise, atomic; delivered by a main-loop BH. */
    uint32_t irq_pending;
    QEMUBH *irq_bh;
    uint32_t irq_moderation_us;
    /* BQL, virtual clock: a node's vector sends nothing before; and when. */
    int64_t irq_quiet_until[DXGPU_VECTOR_NODE(DXGPU_MAX_NODES)];
    QEMUTimer *irq_timer;

    /* worker.c */
    DxgpuWorker workers[DXGPU_CORE_LIMIT_WORKERS];
    unsigned park_reasons;      /* BQL */
    uint32_t park_sequence;     /* BQL: number of the last request */
    uint32_t park_request;      /* atomic: number of a request, 0 = run */
    QemuCond park_cond;         /* a worker's parked changed */
    VMChangeStateEntry *vm_state;

    /* inject.c, BQL: the faults in force. */
    struct dxgpu_inject inject;
    uint32_t fault_entry;       /* as set; the core counts down */
    uint32_t lose_interrupts;   /* messages yet to be lost */
    bool hold_flr;

    /* absent.c, BQL */
    bool absent;                /* after an FLR, as long as hold_flr is on */
    MemoryRegion absent_bars[PCI_ROM_SLOT];

    /* vmstate.c: empty but during a save or load. */
    struct dxgpu_snapshot snapshot;
};

/*
 * pci.c. Registers the BARs, which are initialized, and makes the capabilities;
 * false with *errp set and nothing left behind. BQL, as for all of these.
 */
bool dxgpu_pci_init(DxgpuState *s, Error **errp);
void dxgpu_pci_exit(DxgpuState *s);
/* PCIDeviceClass.config_read. */
uint32_t dxgpu_pci_config_read(PCIDevice *pci, uint32_t addr, int len);
/* PCIDeviceClass.config_write. May release the BQL, see worker_park(). */
void dxgpu_pci_config_write(PCIDevice *pci, uint32_t addr, uint32_t value,
                            int len);
/* A reset of the device brings it back to D0. */
void dxgpu_pci_reset(DxgpuState *s);
void dxgpu_pci_wake(DxgpuState *s);
/* The configuration space has been loaded. */
void dxgpu_pci_post_load(DxgpuState *s);

/* The BARs are registered. */
void dxgpu_absent_init(DxgpuState *s);
/* Within the reset, the BARs are decoded still. Only if it is not absent. */
void dxgpu_absent_begin(DxgpuState *s);
/* Also if it is not absent. */
void dxgpu_absent_end(DxgpuState *s);

/* Sets config.nodes and the kinds from the property; false with *errp set. */
bool dxgpu_nodes_init(DxgpuState *s, Error **errp);
/* DXGK_ENGINE_TYPE of a node below config.nodes. */
uint32_t dxgpu_node_type(DxgpuState *s, unsigned node);

/* One for events, then one per node. */
static inline unsigned dxgpu_vectors(DxgpuState *s)
{
    return DXGPU_VECTOR_NODE(s->config.nodes);
}

/* Sets the doorbells' part of config; false with *errp set. */
bool dxgpu_doorbell_check(DxgpuState *s, Error **errp);
/* mmio.c, doorbell.c: make the region of a BAR; no failure. */
void dxgpu_mmio_init(DxgpuState *s);
void dxgpu_doorbell_init(DxgpuState *s);

/* BQL: registers of the window as after power-on. */
void dxgpu_mmio_reset(DxgpuState *s);

/* Makes the region of BAR4; false with *errp set if memory is short. */
bool dxgpu_status_init(DxgpuState *s, Error **errp);
/* Core operation, any thread: bytes of the region changed. */
void dxgpu_status_dirty(void *opaque, uint32_t offset, uint32_t len);

/*
 * Core operations of the worker, see struct dxgpu_core_ops. They fail for
 * everything that is not plain memory, and while bus mastering is off.
 */
bool dxgpu_dma_read(void *opaque, uint64_t addr, void *buf, uint32_t len);
bool dxgpu_dma_write(void *opaque, uint64_t addr, const void *buf,
                     uint32_t len);
bool dxgpu_dma_load_u64(void *opaque, uint64_t addr, uint64_t *value);
bool dxgpu_dma_store_u64(void *opaque, uint64_t addr, uint64_t value);

void dxgpu_irq_init(DxgpuState *s);
void dxgpu_irq_exit(DxgpuState *s);
/* BQL, worker parked: forgets what was not delivered. */
void dxgpu_irq_reset(DxgpuState *s);
/* BQL: delivers what was held back in D3hot. */
void dxgpu_irq_wake(DxgpuState *s);
/* Core operation, any thread. */
void dxgpu_irq_raise(void *opaque, uint32_t vector);

/* BQL: starts the workers, parked while the machine does not run. */
bool dxgpu_worker_init(DxgpuState *s, Error **errp);
/* BQL: stops them for good; no core operation is called after this. */
void dxgpu_worker_exit(DxgpuState *s);
/* Core operation, any thread. */
void dxgpu_worker_kick(void *opaque, uint32_t worker);
/* Core operation of the worker. */
void dxgpu_worker_wake_at(void *opaque, uint32_t worker, uint64_t ns);
/*
 * BQL, which is released if the wait becomes long: after this no worker does
 * any DMA until the reason is taken back, which another thread may do as soon
 * as the BQL is free. Not from an MMIO handler of this device.
 */
void dxgpu_worker_park(DxgpuState *s, unsigned reason);
void dxgpu_worker_unpark(DxgpuState *s, unsigned reason);

extern const VMStateDescription dxgpu_vmstate;

/* Add the class properties "stats" and "inject-...". */
void dxgpu_stats_class_init(ObjectClass *oc);
void dxgpu_inject_class_init(ObjectClass *oc);
/* The faults that were given before realize; false with *errp set. */
bool dxgpu_inject_check(DxgpuState *s, Error **errp);

#endif /* HW_DXGPU_H */
