/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: the objects behind core.h, for core/ files only.
 *
 * Owner of each field, in brackets:
 *   [lock]    read and written under core->lock
 *   [worker]  by the worker alone, between creation and removal of the object
 *   [const]   written under the lock when the object is made, then constant
 *   [atomic]  by anybody
 * The worker may use a queue, its context and its space without the lock once
 * it has seen the queue present, because it alone frees queues, a context
 * with queues cannot be destroyed, nor a space with contexts.
 */
#ifndef DXGPU_CORE_STATE_H
#define DXGPU_CORE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "core.h"
#include "dxgpu/packet.h"
#include "dxgpu/pte.h"
#include "dxgpu/ring.h"
#include "dxgpu/status.h"

#define DXGPU_NONE              UINT32_MAX
#define DXGPU_TLB_BITS          9
#define DXGPU_TLB_ENTRIES       (1u << DXGPU_TLB_BITS)
#define DXGPU_CHUNK_BYTES       (64 * 1024)
#define DXGPU_WINDOW_BYTES      256
#define DXGPU_PACKET_BYTES      32      /* largest packet with operands */
#define DXGPU_GPUVA_END         (1ull << DXGPU_GPUVA_BITS)

/*
 * A request to the worker, embedded in the object that it concerns: so there
 * is always room. A second request before the first was served joins it with
 * the newer fence.
 */
struct dxgpu_request {
    struct dxgpu_request *next; /* [lock] */
    uint32_t id;                /* [const] of the object */
    uint8_t kind;               /* [const] enum dxgpu_cmd of the fence */
    bool queued;                /* [lock] */
    bool fence_due;             /* [lock] a fence is to be acknowledged */
    bool forced;                /* [lock] nothing holds it back any more */
    uint64_t fence;             /* [lock] */
};

struct dxgpu_space {
    bool present;               /* [lock] */
    uint32_t contexts;          /* [lock] */
    uint64_t root;              /* [const] bus address */
    _Atomic uint64_t tag;       /* of its translations in the TLBs */
    uint64_t fence;             /* [lock] of the last invalidation */
    uint32_t unserved;          /* [lock] a bit per worker that it waits for */
    struct dxgpu_request invalidate[DXGPU_CORE_LIMIT_WORKERS];
};

struct dxgpu_queue;

struct dxgpu_context {
    bool present;               /* [lock] */
    bool suspend_wanted;        /* [lock] as commanded */
    bool suspended;             /* [lock] as acknowledged */
    uint32_t node;              /* [const] */
    struct dxgpu_space *space;  /* [const] */
    struct dxgpu_queue *queues; /* [lock] list by context_next */
    struct dxgpu_request suspend;
};

/* A command buffer in execution: the entry's, or one of an INDIRECT. */
struct dxgpu_frame {
    uint64_t gpuva;
    uint32_t bytes;
    uint32_t offset;            /* of the next packet */
};

/* A decoded packet in execution: checked, private, resumable. */
struct dxgpu_op {
    uint8_t opcode;
    uint8_t flags;
    uint32_t bytes;             /* to transfer */
    uint32_t done;              /* transferred */
    uint32_t pattern;           /* of a fill; sum of a CRC; indirect bytes */
    uint64_t src;               /* also the address of an indirect buffer */
    uint64_t dst;               /* also the address of a fence or CRC result */
    uint64_t value;             /* of a fence; nanoseconds left of a delay */
};

struct dxgpu_queue {
    bool present;               /* [lock] */
    bool removing;              /* [lock] */
    bool on_runlist;            /* [lock] */
    bool faulted;               /* [worker] */
    bool hung;                  /* [worker] holds its node, see engine.c */
    uint32_t id;                /* [const] */
    _Atomic uint32_t worker;    /* [const] index; atomic for late rings */
    uint32_t slot;              /* [lock] DXGPU_NONE if not bound */
    _Atomic uint64_t bell;      /* [atomic] global model: see doorbell.c */
    uint32_t entries;           /* [const] */
    uint64_t ring;              /* [const] GPUVA */
    uint64_t control;           /* [const] GPUVA */
    struct dxgpu_context *context;      /* [const] */
    struct dxgpu_queue *context_next;   /* [lock] */
    struct dxgpu_queue *context_prev;   /* [lock] */
    struct dxgpu_queue *next;   /* [lock] run list */
    struct dxgpu_queue *prev;   /* [lock] run list */
    struct dxgpu_request remove;

    uint64_t wp;                /* [worker] at the last sample */
    uint64_t rp;                /* [worker] private, the truth */
    uint64_t samples;           /* [worker] */
    uint64_t completed;         /* [worker] */

    bool active;                /* [worker] the entry at rp is in execution */
    bool op_valid;              /* [worker] op holds a packet not yet done */
    uint32_t depth;             /* [worker] of the frame in execution */
    struct dxgpu_frame frames[1 + DXGPU_CORE_INDIRECT_DEPTH];   /* [worker] */
    struct dxgpu_ring_entry entry;      /* [worker] private copy */
    struct dxgpu_op op;         /* [worker] */

    _Atomic uint64_t rings;     /* [atomic] */
    _Atomic uint32_t ring_value;        /* [atomic] low half of the last ring */
    uint64_t rings_seen;        /* [worker] */
};

struct dxgpu_node {
    struct dxgpu_queue *head;   /* [lock] */
    struct dxgpu_queue *tail;   /* [lock] */
    uint32_t runnable;          /* [lock] on the list or running */
    /* In a delay or hung, on no list; or NULL. */
    struct dxgpu_queue *holder; /* [lock] */
    uint64_t held_since;        /* [lock] device clock */
    bool halted;                /* [lock] from a reset to its resume */
    struct dxgpu_request reset;
    struct dxgpu_request resume;
    uint64_t packets;           /* [worker] */
    uint64_t busy_ns;           /* [lock] */
};

struct dxgpu_tlb_entry {
    uint64_t tag;               /* 0 = empty */
    uint64_t page;              /* GPUVA >> 12 */
    uint64_t bus;               /* page address */
    uint32_t flags;             /* DXGPU_PTE_READ, _WRITE */
    uint32_t level;             /* of the leaf */
};

struct dxgpu_fault {
    uint32_t code;              /* enum dxgpu_fault_code */
    uint32_t access;            /* enum dxgpu_fault_access */
    uint32_t level;
    uint64_t gpuva;
};

/* What runs the core: requests, samples, nodes and translations of its own. */
struct dxgpu_worker {
    uint32_t index;                     /* constant */
    bool arrived;                       /* [lock] rests until the reset */
    struct dxgpu_request *requests;     /* [lock] oldest */
    struct dxgpu_request **requests_end;        /* [lock] */
    struct dxgpu_request *held;         /* [lock] held back, see engine.c */

    /* A bit per queue, and a bit per word that has one (DEV-4, DEV-9). */
    _Atomic uint64_t *pending;
    _Atomic uint64_t *pending_words;
    uint32_t sample_cursor;             /* [worker] */

    _Atomic bool awake;                 /* a kick would be superfluous */
    _Atomic bool attention;             /* requests, reset or stop wait */
    _Atomic bool reconsider;            /* the injected faults changed */

    uint32_t node_cursor;               /* [worker] */
    struct dxgpu_tlb_entry tlb[DXGPU_TLB_ENTRIES];      /* [worker] */
    uint8_t *chunk;                     /* [worker] DXGPU_CHUNK_BYTES */
};

struct dxgpu_core {
    struct dxgpu_core_config config;    /* constant */
    struct dxgpu_core_ops ops;          /* constant */
    void *opaque;                       /* constant */
    uint8_t *status;                    /* constant; contents release-stored */
    struct dxgpu_status_layout layout;  /* constant */
    struct dxgpu_doorbell_layout doorbells;     /* constant */

    pthread_mutex_t lock;
    struct dxgpu_space *spaces;
    struct dxgpu_context *contexts;
    struct dxgpu_queue *queues;
    struct dxgpu_node nodes[DXGPU_MAX_NODES];
    struct dxgpu_worker workers[DXGPU_CORE_LIMIT_WORKERS];

    /* Queue id or DXGPU_NONE; all DXGPU_NONE in the global model. */
    _Atomic uint32_t *slots;
    uint32_t num_words;                 /* of pending bits, constant */
    uint32_t num_summaries;             /* constant */

    _Atomic bool reset_requested;
    _Atomic bool asleep;                /* in D3hot: rings are dropped */
    _Atomic uint32_t state;             /* DXGPU_STATUS_* */
    _Atomic uint32_t reset_count;
    _Atomic uint32_t int_cause;
    _Atomic uint32_t int_enable;

    _Atomic uint64_t next_tag;

    /* Written under the lock; see struct dxgpu_inject. */
    _Atomic uint64_t hang_fence;
    _Atomic uint32_t hang_nodes;
    _Atomic bool hold_rings;
    bool hold_suspends;                 /* [lock] */
    bool hold_removals;                 /* [lock] */
    bool hold_reset;                    /* [lock] */
    enum dxgpu_inject_reset engine_reset;       /* [lock] */
    /* By anybody: entries to fetch to the one that faults; 0: none. */
    _Atomic uint32_t fault_entry;

    _Atomic uint64_t stats[DXGPU_STAT_COUNT];
};

/* Little-endian memory, whatever the host is. */
#define DXGPU_BIG_ENDIAN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

static inline uint64_t dxgpu_le64(uint64_t v)
{
    return DXGPU_BIG_ENDIAN ? __builtin_bswap64(v) : v;
}

static inline uint32_t dxgpu_le32(uint32_t v)
{
    return DXGPU_BIG_ENDIAN ? __builtin_bswap32(v) : v;
}

static inline uint16_t dxgpu_le16(uint16_t v)
{
    return DXGPU_BIG_ENDIAN ? __builtin_bswap16(v) : v;
}

static inline void dxgpu_trace(struct dxgpu_core *core,
                               enum dxgpu_core_event event, uint32_t id,
                               uint64_t a, uint64_t b)
{
    if (core->ops.trace) {
        core->ops.trace(core->opaque, event, id, a, b);
    }
}

static inline bool dxgpu_attention(struct dxgpu_worker *w)
{
    return atomic_load_explicit(&w->attention, memory_order_relaxed);
}

static inline struct dxgpu_worker *dxgpu_worker_of(struct dxgpu_core *core,
                                                   uint32_t node)
{
    return &core->workers[node % core->config.workers];
}

/* True if [gpuva, gpuva + bytes) lies below the end of the address space. */
static inline bool dxgpu_gpuva_ok(uint64_t gpuva, uint64_t bytes)
{
    return gpuva < DXGPU_GPUVA_END && bytes <= DXGPU_GPUVA_END - gpuva;
}

static inline struct dxgpu_worker *dxgpu_queue_worker(struct dxgpu_core *core,
                                                      struct dxgpu_queue *q)
{
    return &core->workers[atomic_load_explicit(&q->worker,
                                               memory_order_relaxed)];
}

/* core.c */
void dxgpu_core_wake(struct dxgpu_core *core, struct dxgpu_worker *w);
void dxgpu_core_wake_all(struct dxgpu_core *core);
bool dxgpu_core_arrive(struct dxgpu_core *core, struct dxgpu_worker *w);
void dxgpu_core_post(struct dxgpu_core *core, uint32_t cause);
uint64_t dxgpu_core_new_tag(struct dxgpu_core *core);
void dxgpu_core_clear_objects(struct dxgpu_core *core);

/* doorbell.c */
void dxgpu_doorbell_clear(struct dxgpu_core *core);
enum dxgpu_cmd_result dxgpu_doorbell_bind(struct dxgpu_core *core,
                                          struct dxgpu_queue *q,
                                          uint32_t slot);
void dxgpu_doorbell_unbind(struct dxgpu_core *core, struct dxgpu_queue *q);
uint32_t dxgpu_doorbell_bound(struct dxgpu_core *core, uint32_t slot,
                              uint32_t id);

/* queue.c */
void dxgpu_queue_mark_pending(struct dxgpu_core *core, uint32_t id);
void dxgpu_queue_forget_pending(struct dxgpu_core *core,
                                struct dxgpu_queue *q);
bool dxgpu_queue_any_pending(struct dxgpu_core *core, struct dxgpu_worker *w);
void dxgpu_queue_mark_all(struct dxgpu_core *core);
bool dxgpu_queue_sample_pending(struct dxgpu_core *core,
                                struct dxgpu_worker *w);
bool dxgpu_queue_geometry_ok(const struct dxgpu_core_config *config,
                             uint64_t ring, uint64_t entries,
                             uint64_t control);
void dxgpu_queue_link(struct dxgpu_core *core, struct dxgpu_queue *q);
uint32_t dxgpu_entry_check(const struct dxgpu_ring_entry *e, uint64_t *gpuva);
bool dxgpu_queue_fetch(struct dxgpu_core *core, struct dxgpu_queue *q,
                       struct dxgpu_fault *fault);
bool dxgpu_queue_complete(struct dxgpu_core *core, struct dxgpu_queue *q,
                          struct dxgpu_fault *fault);
void dxgpu_queue_mark_node(struct dxgpu_core *core, uint32_t node);
void dxgpu_queue_mark_rung(struct dxgpu_core *core, struct dxgpu_worker *w);
void dxgpu_queue_stop(struct dxgpu_core *core, struct dxgpu_queue *q,
                      const struct dxgpu_fault *fault);
void dxgpu_queue_fault(struct dxgpu_core *core, struct dxgpu_queue *q,
                       const struct dxgpu_fault *fault);

/* sched.c */
void dxgpu_sched_request(struct dxgpu_worker *w, struct dxgpu_request *r);
void dxgpu_sched_invalidate(struct dxgpu_core *core, struct dxgpu_space *space,
                            uint64_t fence);
void dxgpu_sched_push(struct dxgpu_core *core, struct dxgpu_queue *q);
void dxgpu_sched_remove(struct dxgpu_core *core, struct dxgpu_queue *q);
void dxgpu_sched_hold(struct dxgpu_core *core, struct dxgpu_queue *q);
uint64_t dxgpu_sched_held_ns(struct dxgpu_core *core, uint32_t node);
void dxgpu_sched_acknowledge(struct dxgpu_core *core, struct dxgpu_request *r,
                             uint64_t fence, enum dxgpu_stat stat);

/* engine.c */
void dxgpu_engine_clear(struct dxgpu_core *core);
bool dxgpu_engine_hangs(struct dxgpu_core *core, struct dxgpu_queue *q);
bool dxgpu_engine_faults(struct dxgpu_core *core);
bool dxgpu_engine_holds(struct dxgpu_core *core, struct dxgpu_worker *w,
                        struct dxgpu_request *r);
void dxgpu_engine_changed(struct dxgpu_core *core);
void dxgpu_engine_reconsider(struct dxgpu_core *core, struct dxgpu_worker *w);
bool dxgpu_engine_reset(struct dxgpu_core *core, struct dxgpu_request *r);

/* packet.c */
uint32_t dxgpu_op_check(const struct dxgpu_op *op, uint64_t *gpuva);
uint32_t dxgpu_packet_decode(const uint8_t *bytes, uint32_t avail,
                             struct dxgpu_op *op, uint32_t *length,
                             uint64_t *gpuva);

/* exec.c */
static inline bool dxgpu_in_delay(const struct dxgpu_queue *q)
{
    return q->op_valid && q->op.opcode == DXGPU_OP_DELAY && q->op.value;
}

bool dxgpu_exec_turn(struct dxgpu_core *core, struct dxgpu_queue *q,
                     struct dxgpu_fault *fault);

/* mmu.c, for the queue's worker: all return false with *fault filled in. */
bool dxgpu_mem_read(struct dxgpu_core *core, struct dxgpu_queue *q,
                    uint64_t gpuva, void *buf, uint32_t len,
                    struct dxgpu_fault *fault);
bool dxgpu_mem_write(struct dxgpu_core *core, struct dxgpu_queue *q,
                     uint64_t gpuva, const void *buf, uint32_t len,
                     struct dxgpu_fault *fault);
bool dxgpu_mem_load_u64(struct dxgpu_core *core, struct dxgpu_queue *q,
                        uint64_t gpuva, uint64_t *value,
                        struct dxgpu_fault *fault);
bool dxgpu_mem_store_u64(struct dxgpu_core *core, struct dxgpu_queue *q,
                         uint64_t gpuva, uint64_t value,
                         struct dxgpu_fault *fault);

/* status.c: the lock is held, or the object belongs to the caller. */
void dxgpu_status_clear(struct dxgpu_core *core);
void dxgpu_status_queue_new(struct dxgpu_core *core, struct dxgpu_queue *q,
                            uint32_t state);
void dxgpu_status_queue_state(struct dxgpu_core *core, struct dxgpu_queue *q,
                              uint32_t state);
void dxgpu_status_queue_sample(struct dxgpu_core *core, struct dxgpu_queue *q,
                               bool active);
void dxgpu_status_queue_progress(struct dxgpu_core *core,
                                 struct dxgpu_queue *q);
void dxgpu_status_queue_fault(struct dxgpu_core *core, struct dxgpu_queue *q,
                              const struct dxgpu_fault *fault);
void dxgpu_status_queue_removed(struct dxgpu_core *core, uint32_t id,
                                uint64_t fence);
void dxgpu_status_context(struct dxgpu_core *core, uint32_t id, bool suspended);
void dxgpu_status_context_fence(struct dxgpu_core *core, uint32_t id,
                                uint64_t fence);
void dxgpu_status_space_fence(struct dxgpu_core *core, uint32_t id,
                              uint64_t fence);
void dxgpu_status_node(struct dxgpu_core *core, uint32_t node,
                       uint32_t running);
void dxgpu_status_node_reset(struct dxgpu_core *core, uint32_t node,
                             const struct dxgpu_queue *q, uint64_t fence);

#endif /* DXGPU_CORE_STATE_H */
