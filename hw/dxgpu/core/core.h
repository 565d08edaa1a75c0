/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: the device without QEMU.
 *
 * The core is the whole behaviour of the device behind its registers: tables
 * of spaces, contexts, queues and doorbell slots, the scheduler, the MMU, the
 * packets and the status region. It reaches the world only through struct
 * dxgpu_core_ops, so the same code runs in QEMU, in unit tests and in fuzzers.
 *
 * Threads. Two sides meet here:
 *   - the front (QEMU: whoever holds the BQL) calls doorbell, command, control
 *     and the interrupt registers. These calls are bounded, never touch guest
 *     memory and never wait for the worker.
 *   - a worker calls dxgpu_core_run(), one caller at a time for each. Only
 *     workers read and write guest memory, and only they free a queue. Node n
 *     and all its contexts and queues belong to worker n modulo their number,
 *     so the work of one queue stays in order. "The worker" is that one.
 * The core mutex guards tables and run lists and is held neither across DMA
 * nor across kick() or raise_vector(). Lock order: BQL, then core mutex; the
 * worker never takes the BQL.
 *
 * Nothing is allocated after dxgpu_core_create(): a guest cannot make the host
 * allocate (SEC-1).
 */
#ifndef DXGPU_CORE_H
#define DXGPU_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dxgpu/regs.h"

struct dxgpu_core;

/* Limits that are not properties. */
#define DXGPU_CORE_RING_MIN_ENTRIES     2
#define DXGPU_CORE_MAX_COMMAND_BYTES    (64 * 1024)
#define DXGPU_CORE_MAX_TRANSFER_BYTES   (16 * 1024 * 1024)
#define DXGPU_CORE_INDIRECT_DEPTH       2
#define DXGPU_CORE_MAX_DELAY_NS         1000000000u

/* Largest values that dxgpu_core_create() accepts. */
#define DXGPU_CORE_LIMIT_SLOTS          4096
#define DXGPU_CORE_LIMIT_QUEUES         65536
#define DXGPU_CORE_LIMIT_CONTEXTS       65536
#define DXGPU_CORE_LIMIT_SPACES         65536
#define DXGPU_CORE_LIMIT_BUDGET         65536
#define DXGPU_CORE_LIMIT_WORKERS        8
#define DXGPU_CORE_LIMIT_RING_ENTRIES   (1u << 20)
#define DXGPU_CORE_LIMIT_STRIDE         65536
#define DXGPU_CORE_LIMIT_DOORBELL_BYTES (1u << 30)      /* of one kind */

/* The smallest distance of two doorbells: a cache line. */
#define DXGPU_CORE_MIN_STRIDE           64
/* What an MMU can give to a process; smaller strides share it. */
#define DXGPU_CORE_DOORBELL_PAGE        4096

struct dxgpu_core_config {
    uint32_t slots;             /* 1 .. DXGPU_CORE_LIMIT_SLOTS */
    uint32_t queues;            /* 1 .. DXGPU_CORE_LIMIT_QUEUES */
    uint32_t contexts;          /* 1 .. DXGPU_CORE_LIMIT_CONTEXTS */
    uint32_t spaces;            /* 1 .. DXGPU_CORE_LIMIT_SPACES */
    uint32_t ring_max_entries;  /* power of two */
    uint32_t packet_budget;     /* steps of one turn, 1 .. LIMIT_BUDGET */
    uint32_t workers;           /* 1 .. DXGPU_CORE_LIMIT_WORKERS */
    uint32_t nodes;             /* 1 .. DXGPU_MAX_NODES */
    uint32_t kernel_nodes;      /* a bit per node without user submission */
    bool secondary_doorbells;
    bool global_doorbells;      /* the value of a ring names the queue */
    uint32_t doorbell_stride;   /* power of two, MIN_STRIDE .. LIMIT_STRIDE */
};

/* Where doorbells lie, in bytes. Without secondary ones their part is zero. */
struct dxgpu_doorbell_layout {
    uint32_t stride;
    uint32_t count;
    uint32_t secondary_offset;
    uint32_t secondary_stride;
    uint32_t secondary_bytes;   /* of one doorbell */
    uint32_t size;              /* of all */
};

/* Where the record arrays of the status region lie, in bytes. */
struct dxgpu_status_layout {
    uint32_t queue_offset;
    uint32_t context_offset;
    uint32_t space_offset;
    uint32_t node_offset;
    uint32_t fault_offset;
    uint32_t size;
};

/* What happened, for a trace; id is a queue unless something else is named. */
enum dxgpu_core_event {
    DXGPU_EVENT_SAMPLE,         /* a = WP read, b = private RP */
    DXGPU_EVENT_ENTRY_START,    /* a = index of the entry, b = command GPUVA */
    DXGPU_EVENT_ENTRY_DONE,     /* a = RP after the entry */
    DXGPU_EVENT_FENCE,          /* a = GPUVA, b = value */
    DXGPU_EVENT_FAULT,          /* a = enum dxgpu_fault_code, b = GPUVA */
    DXGPU_EVENT_ACK,            /* id = object, a = command, b = fence */
    DXGPU_EVENT_RESET,          /* id = 0, a = resets completed */
    DXGPU_EVENT_HANG,           /* a = fence value of the entry, b = node */
};

/* What an engine does that is told to reset. */
enum dxgpu_inject_reset {
    DXGPU_INJECT_RESET_OK,
    DXGPU_INJECT_RESET_REFUSE,  /* the command fails */
    DXGPU_INJECT_RESET_IGNORE,  /* it is accepted and not acknowledged */
};

/*
 * Faults that the hardware is to have, none if all is zero; see engine.c. They
 * are the host's: no reset ends them and no snapshot holds them.
 */
struct dxgpu_inject {
    uint64_t hang_fence;        /* an entry with this fence_value hangs */
    uint32_t hang_nodes;        /* a bit per node: each packet hangs */
    bool hold_rings;            /* taken, and not delivered before it is off */
    bool hold_suspends;         /* not acknowledged, nor served */
    bool hold_removals;
    bool hold_reset;            /* a reset by register does not end */
    enum dxgpu_inject_reset engine_reset;
};

/*
 * The world. Every pointer but trace is required. "worker" and "front" name
 * the side that calls; "any" may be called by both at the same time.
 */
struct dxgpu_core_ops {
    /*
     * worker: copy len bytes (1 .. 64 KiB) from or to bus address addr.
     * Returns false if any byte is not ordinary memory (or bus mastering is
     * off); nothing but memory is ever touched.
     */
    bool (*dma_read)(void *opaque, uint64_t addr, void *buf, uint32_t len);
    bool (*dma_write)(void *opaque, uint64_t addr, const void *buf,
                      uint32_t len);
    /*
     * worker: one 8-byte aligned, single-copy atomic, little-endian access;
     * load acquires, store releases all earlier writes (DEV-2, DEV-11).
     */
    bool (*load_u64)(void *opaque, uint64_t addr, uint64_t *value);
    bool (*store_u64)(void *opaque, uint64_t addr, uint64_t value);
    /* any: bytes of the status region changed (dirty tracking). */
    void (*status_dirty)(void *opaque, uint32_t offset, uint32_t len);
    /* any: send the MSI-X message of a vector; may coalesce. */
    void (*raise_vector)(void *opaque, uint32_t vector);
    /* any: see to it that this worker calls dxgpu_core_run() soon. */
    void (*kick)(void *opaque, uint32_t worker);
    /*
     * worker: see to it that it calls dxgpu_core_run() when the device
     * clock is at ns or later; replaces the time given before.
     */
    void (*wake_at)(void *opaque, uint32_t worker, uint64_t ns);
    /* worker: CRC-32C of data appended to what crc sums up (0 = nothing). */
    uint32_t (*crc32c)(void *opaque, uint32_t crc, const void *data,
                       uint32_t len);
    /* any: the device clock in nanoseconds. */
    uint64_t (*clock_ns)(void *opaque);
    /* worker, may be NULL. */
    void (*trace)(void *opaque, enum dxgpu_core_event event, uint32_t id,
                  uint64_t a, uint64_t b);
};

/*
 * Counters since creation, which a restored device goes on with, but those from
 * DXGPU_STAT_NUMBERS on, which are current numbers.
 */
enum dxgpu_stat {
    DXGPU_STAT_DOORBELL_WRITES,         /* to bound slots */
    DXGPU_STAT_DOORBELL_SECONDARY,      /* of these, to secondary doorbells */
    DXGPU_STAT_DOORBELL_UNBOUND,
    DXGPU_STAT_DOORBELL_ASLEEP,         /* dropped, the device is in D3hot */
    DXGPU_STAT_DOORBELL_BAD_ACCESS,     /* size or alignment */
    DXGPU_STAT_DOORBELL_MISMATCHES,     /* value differed from the sampled WP */
    DXGPU_STAT_REGISTER_BAD_ACCESS,
    DXGPU_STAT_COMMANDS,
    DXGPU_STAT_COMMAND_ERRORS,
    DXGPU_STAT_BINDS,
    DXGPU_STAT_UNBINDS,                 /* by command or by removal */
    DXGPU_STAT_SAMPLES,
    DXGPU_STAT_ENTRIES_COMPLETED,
    DXGPU_STAT_PACKETS,
    DXGPU_STAT_FENCE_WRITES,
    DXGPU_STAT_FENCE_INTERRUPTS,
    DXGPU_STAT_INTERRUPTS,              /* messages sent, after coalescing */
    DXGPU_STAT_COPY_BYTES,
    DXGPU_STAT_FILL_BYTES,
    DXGPU_STAT_CRC_BYTES,
    DXGPU_STAT_DMA_READ_BYTES,
    DXGPU_STAT_DMA_WRITE_BYTES,
    DXGPU_STAT_TLB_HITS,
    DXGPU_STAT_TLB_MISSES,
    DXGPU_STAT_FAULTS,
    DXGPU_STAT_RESETS,                  /* by register */
    DXGPU_STAT_ENGINE_RESETS,
    DXGPU_STAT_HANGS,                   /* queues that began to hang */
    DXGPU_STAT_REMOVES,
    DXGPU_STAT_SUSPENDS,
    DXGPU_STAT_INVALIDATES,
    DXGPU_STAT_NUMBERS,
    DXGPU_STAT_SLOTS_BOUND = DXGPU_STAT_NUMBERS,
    DXGPU_STAT_QUEUES,
    DXGPU_STAT_CONTEXTS,
    DXGPU_STAT_SPACES,
    DXGPU_STAT_COUNT
};

/* The name of a counter as users see it, e.g. "doorbell_writes". */
const char *dxgpu_stat_name(enum dxgpu_stat stat);

/* The layout of the status region for a configuration. Pure. */
void dxgpu_status_layout(const struct dxgpu_core_config *config,
                         struct dxgpu_status_layout *layout);

/*
 * The layout of the doorbells for a configuration; the second tells whether it
 * is one that a device may have. Pure.
 */
void dxgpu_doorbell_layout(const struct dxgpu_core_config *config,
                           struct dxgpu_doorbell_layout *layout);
bool dxgpu_doorbell_layout_ok(const struct dxgpu_core_config *config);

/*
 * Makes a device in state DISABLED. status is layout.size bytes of zeroed,
 * 64-byte aligned memory that outlives the core. Returns NULL if the
 * configuration is out of range or memory is short.
 */
struct dxgpu_core *dxgpu_core_create(const struct dxgpu_core_config *config,
                                     const struct dxgpu_core_ops *ops,
                                     void *opaque, void *status);
/* The worker has stopped for good. NULL is allowed. */
void dxgpu_core_destroy(struct dxgpu_core *core);

/*
 * front: a ring of a slot. Lock-free: a check of the binding, a pending bit,
 * and a kick if the worker sleeps (DEV-1, SEC-7). False if it reached no queue.
 */
bool dxgpu_core_doorbell(struct dxgpu_core *core, uint32_t slot,
                         uint64_t value);

/*
 * front: any write to the doorbells. 4 or 8 bytes at the first byte of one,
 * primary or secondary, are a ring; false if it is of another size or place,
 * which is counted and has no effect (DEV-3).
 */
bool dxgpu_core_doorbell_write(struct dxgpu_core *core, uint64_t offset,
                               uint32_t bytes, uint64_t value);

/*
 * front: one command of the register window (SEC-22: every mistake has an
 * error result, none has an effect).
 */
enum dxgpu_cmd_result
dxgpu_core_command(struct dxgpu_core *core, uint32_t opcode,
                   const uint64_t args[DXGPU_CMD_NUM_ARGS]);

/* front: registers STATUS, CONTROL, RESET_COUNT, INT_CAUSE, INT_ENABLE. */
uint32_t dxgpu_core_status(struct dxgpu_core *core);
void dxgpu_core_control(struct dxgpu_core *core, uint32_t bits);
uint32_t dxgpu_core_reset_count(struct dxgpu_core *core);
uint32_t dxgpu_core_int_cause(struct dxgpu_core *core);
void dxgpu_core_int_clear(struct dxgpu_core *core, uint32_t bits);
uint32_t dxgpu_core_int_enable(struct dxgpu_core *core);
void dxgpu_core_set_int_enable(struct dxgpu_core *core, uint32_t bits);

/*
 * worker: asynchronous commands, samples, then one turn of one queue, at most
 * packet_budget steps of each. Returns true if there is more to do; after
 * false the worker may sleep until kick().
 */
bool dxgpu_core_run(struct dxgpu_core *core, uint32_t worker);

/* any: makes each running dxgpu_core_run() return after its present step. */
void dxgpu_core_yield(struct dxgpu_core *core);

/*
 * front, while the worker is parked: everything cleared, as by a reset of
 * the system (DEV-12).
 */
void dxgpu_core_cold_reset(struct dxgpu_core *core);

/*
 * front: the power state, awake at creation and after a reset. While asleep
 * the caller keeps the worker parked and rings are dropped and counted; on the
 * way back every queue is sampled, so none of them is lost (DEV-1).
 */
void dxgpu_core_set_asleep(struct dxgpu_core *core, bool asleep);

/*
 * front: from now on the hardware has these faults and no others. What hung or
 * was held back because of another goes on.
 */
void dxgpu_core_inject(struct dxgpu_core *core,
                       const struct dxgpu_inject *inject);

/*
 * any: the n-th ring entry that is fetched from now on page-faults, which stops
 * its queue; 0: none. The second tells how many there are to that one.
 */
void dxgpu_core_set_fault_entry(struct dxgpu_core *core, uint32_t n);
uint32_t dxgpu_core_fault_entry(struct dxgpu_core *core);

/* any: counters. */
uint64_t dxgpu_core_stat(struct dxgpu_core *core, enum dxgpu_stat stat);
void dxgpu_core_count(struct dxgpu_core *core, enum dxgpu_stat stat,
                      uint64_t n);

#endif /* DXGPU_CORE_H */
