/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: the state of a device as plain numbers, to be saved and restored.
 *
 * A snapshot is taken and loaded by the front while the worker is parked, so
 * every queue stands between two steps. It holds what the guest cannot make
 * anew: registers, objects, fences that are owed, and of the entry in execution
 * the private copies. It does not hold what follows from the rest: translations
 * (walked again), pending bits and run lists (after the load every queue is
 * sampled, DEV-14) and numbers of objects. The counters travel, so that they
 * tell of the device whose work they counted, wherever it was done. Injected
 * faults are the host's and stay: a queue that hangs is saved as such, and what
 * is held back as a request that waits; whether they go on after the load is a
 * matter of the faults there. The status region is memory and travels as such.
 *
 * A snapshot that is loaded is not trusted: dxgpu_core_load() checks every
 * number before it changes anything.
 */
#ifndef DXGPU_CORE_SNAPSHOT_H
#define DXGPU_CORE_SNAPSHOT_H

#include "core.h"

/* Which flags an object may have. */
#define DXGPU_SNAPSHOT_PRESENT          (1u << 0)   /* space, context */
#define DXGPU_SNAPSHOT_REQUESTED        (1u << 1)   /* a request waits */
#define DXGPU_SNAPSHOT_FENCE_DUE        (1u << 2)   /* and owes its fence */
#define DXGPU_SNAPSHOT_SUSPEND_WANTED   (1u << 3)   /* context */
#define DXGPU_SNAPSHOT_SUSPENDED        (1u << 4)   /* context */
#define DXGPU_SNAPSHOT_REMOVING         (1u << 5)   /* queue */
#define DXGPU_SNAPSHOT_FAULTED          (1u << 6)   /* queue */
#define DXGPU_SNAPSHOT_ACTIVE           (1u << 7)   /* queue: has an entry */
#define DXGPU_SNAPSHOT_OP_VALID         (1u << 8)   /* queue: and a packet */
#define DXGPU_SNAPSHOT_HALTED           (1u << 9)   /* node: awaits resume */
#define DXGPU_SNAPSHOT_HUNG             (1u << 10)  /* queue: in the packet */

/* Objects are listed with ascending ids; absent ones only with a request. */
struct dxgpu_snapshot_space {
    uint32_t id;
    uint32_t flags;
    uint64_t root;
    uint64_t fence;
};

struct dxgpu_snapshot_context {
    uint32_t id;
    uint32_t flags;
    uint32_t space;
    uint32_t node;
    uint64_t fence;
};

/* A command buffer in execution; those beyond the depth are zero. */
struct dxgpu_snapshot_frame {
    uint64_t gpuva;
    uint32_t bytes;
    uint32_t offset;
};

struct dxgpu_snapshot_queue {
    uint32_t id;
    uint32_t flags;
    uint32_t context;
    uint32_t slot;              /* UINT32_MAX: not bound */
    uint32_t entries;
    uint32_t ring_value;
    uint64_t ring;
    uint64_t control;
    uint64_t wp;
    uint64_t rp;
    uint64_t samples;
    uint64_t completed;
    uint64_t rings;
    uint64_t rings_seen;
    uint64_t fence;             /* of the removal */
    /* ACTIVE */
    uint64_t entry_fence;
    uint32_t depth;
    struct dxgpu_snapshot_frame frames[1 + DXGPU_CORE_INDIRECT_DEPTH];
    /* OP_VALID: struct dxgpu_op */
    uint8_t opcode;
    uint8_t op_flags;
    uint32_t bytes;
    uint32_t done;
    uint32_t pattern;
    uint64_t src;
    uint64_t dst;
    uint64_t value;
};

struct dxgpu_snapshot_node {
    uint32_t flags;
    uint64_t packets;
    uint64_t busy_ns;
    uint64_t fence;             /* of the reset */
};

struct dxgpu_snapshot {
    uint32_t state;             /* DXGPU_STATUS_* */
    uint32_t reset_count;
    uint32_t int_cause;
    uint32_t int_enable;
    uint32_t num_spaces;
    uint32_t num_contexts;
    uint32_t num_queues;
    /* As many elements as the configuration has ids. */
    struct dxgpu_snapshot_space *spaces;
    struct dxgpu_snapshot_context *contexts;
    struct dxgpu_snapshot_queue *queues;
    struct dxgpu_snapshot_node nodes[DXGPU_MAX_NODES];
    /* Those that count numbers of objects are taken from the objects. */
    uint64_t stats[DXGPU_STAT_COUNT];
};

/* Makes room; false if memory is short. The rest is zero. */
bool dxgpu_snapshot_init(const struct dxgpu_core_config *config,
                         struct dxgpu_snapshot *snapshot);
/* Gives it back; a zeroed or freed snapshot is allowed. */
void dxgpu_snapshot_free(struct dxgpu_snapshot *snapshot);

/* front, the worker is parked: fills in a snapshot that has room. */
void dxgpu_core_save(struct dxgpu_core *core, struct dxgpu_snapshot *snapshot);

/*
 * front, the worker is parked: the device becomes what the snapshot says; the
 * status region is the caller's. On false nothing has changed, and why, of
 * size bytes, names what was wrong, with the value and its range.
 */
bool dxgpu_core_load(struct dxgpu_core *core,
                     const struct dxgpu_snapshot *snapshot, char *why,
                     size_t size);

#endif /* DXGPU_CORE_SNAPSHOT_H */
