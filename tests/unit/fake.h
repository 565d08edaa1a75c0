/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world for the device's core: memory, page tables, interrupts, a clock, and
 * queues that submit as a process would. Functions abort through g_assert when
 * the set-up itself fails.
 *
 * Bus memory is one array at FAKE_BASE; every other address is no memory. The
 * core is run by the test (fake_run) unless the test starts a thread for it.
 * What the device writes behind the compiler's back is volatile here.
 */
#ifndef FAKE_H
#define FAKE_H

#include <glib.h>
#include <stdatomic.h>

#include "core.h"
#include "dxgpu/packet.h"
#include "dxgpu/pte.h"
#include "dxgpu/ring.h"
#include "dxgpu/status.h"

#define FAKE_BASE       0x40000000ull
#ifndef FAKE_BYTES
#define FAKE_BYTES      (64u << 20)
#endif
#define FAKE_RW         (DXGPU_PTE_READ | DXGPU_PTE_WRITE)

struct fake {
    struct dxgpu_core_config config;
    struct dxgpu_status_layout layout;
    struct dxgpu_core *core;
    uint8_t *mem;
    uint64_t mem_used;
    void *status;
    _Atomic bool bus_master;
    _Atomic uint32_t kicks[DXGPU_CORE_LIMIT_WORKERS];
    _Atomic uint32_t vectors[1 + DXGPU_MAX_NODES];
    _Atomic uint64_t clock;
    /* Asked for by the core's workers; 0 = not. */
    uint64_t wake_at[DXGPU_CORE_LIMIT_WORKERS];
    bool clock_stands;          /* fake_run() does not let delays pass */
    /* Called before each DMA write, to change the world in mid-packet. */
    void (*on_write)(struct fake *f);
    /* Called after each read, when the core has its copy of what lies at bus. */
    void (*on_read)(struct fake *f, uint64_t bus);
};

/* A queue and the process's side of it: GPUVAs and where they lie. */
struct fake_queue {
    struct fake *f;
    uint32_t id;
    uint32_t entries;
    uint64_t root;              /* page table of its space */
    uint64_t ring;              /* GPUVAs */
    uint64_t control;
    uint64_t commands;          /* FAKE_COMMAND_BYTES for each entry */
    uint64_t data;              /* FAKE_DATA_BYTES of it */
    uint64_t ring_bus;
    uint64_t control_bus;
    uint64_t commands_bus;
    uint64_t data_bus;
    uint64_t wp;
    uint32_t length;            /* of the command buffer being built */
};

#define FAKE_COMMAND_BYTES      1024
#define FAKE_DATA_BYTES         (256 * 1024)

/* The default: 4 slots, 130 queues, 8 contexts, 4 spaces, budget 8. */
struct dxgpu_core_config fake_config(void);
/* An enabled device. */
struct fake *fake_new(const struct dxgpu_core_config *config);
void fake_free(struct fake *f);

/* Memory: zeroed, page-aligned, never freed before fake_free(). */
uint64_t fake_alloc(struct fake *f, uint64_t bytes);
void *fake_ptr(struct fake *f, uint64_t bus);
void fake_map(struct fake *f, uint64_t root, uint64_t gpuva, uint64_t bus,
              uint64_t bytes, uint64_t flags);
/* The entry at a level, made with the tables above it. */
uint64_t *fake_pte(struct fake *f, uint64_t root, uint64_t gpuva, int level);

enum dxgpu_cmd_result fake_command(struct fake *f, uint32_t opcode,
                                   uint64_t a0, uint64_t a1, uint64_t a2,
                                   uint64_t a3, uint64_t a4, uint64_t a5);
#define fake_cmd1(f, op, a)             fake_command(f, op, a, 0, 0, 0, 0, 0)
#define fake_cmd2(f, op, a, b)          fake_command(f, op, a, b, 0, 0, 0, 0)
#define fake_cmd3(f, op, a, b, c)       fake_command(f, op, a, b, c, 0, 0, 0)
#define fake_cmd4(f, op, a, b, c, d)    fake_command(f, op, a, b, c, d, 0, 0)

/*
 * Runs the core until it would sleep, and lets delays pass; fails after too
 * many rounds.
 */
void fake_run(struct fake *f);
uint64_t fake_stat(struct fake *f, enum dxgpu_stat stat);

volatile struct dxgpu_queue_status *fake_queue_status(struct fake *f,
                                                      uint32_t id);
volatile struct dxgpu_context_status *fake_context_status(struct fake *f,
                                                          uint32_t id);
volatile struct dxgpu_space_status *fake_space_status(struct fake *f,
                                                      uint32_t id);
volatile struct dxgpu_node_status *fake_node_status(struct fake *f,
                                                    uint32_t node);
bool fake_fault_bit(struct fake *f, uint32_t id);

/* Makes a space with an empty root table; returns the table. */
uint64_t fake_space(struct fake *f, uint32_t id);
void fake_context(struct fake *f, uint32_t id, uint32_t space, uint32_t node);
/* Makes a queue of a context with its memory mapped in root. */
struct fake_queue fake_queue(struct fake *f, uint32_t id, uint32_t context,
                             uint64_t root, uint32_t entries);
/* Space 0, context 0 on node 0 and one queue of 16 entries, bound to slot. */
struct fake_queue fake_bound_queue(struct fake *f, uint32_t id, uint32_t slot);

/* Packets of the entry being built. */
void fake_put(struct fake_queue *q, const void *packet, uint32_t bytes);
void fake_put_nop(struct fake_queue *q, uint32_t bytes);
void fake_put_fence(struct fake_queue *q, uint64_t gpuva, uint64_t value,
                    uint8_t flags);
void fake_put_copy(struct fake_queue *q, uint64_t src, uint64_t dst,
                   uint32_t bytes);
void fake_put_fill(struct fake_queue *q, uint64_t dst, uint32_t bytes,
                   uint32_t pattern);
void fake_put_crc(struct fake_queue *q, uint64_t src, uint64_t result,
                  uint32_t bytes, uint32_t seed);
/* The entry becomes visible; no ring. fence_value is the new wp. */
void fake_submit(struct fake_queue *q);
/* One fence write to the queue's data, submitted. */
void fake_submit_fence(struct fake_queue *q, uint64_t value);

struct dxgpu_ring_entry *fake_entry(struct fake_queue *q, uint64_t n);
volatile struct dxgpu_ring_control *fake_control(struct fake_queue *q);
void fake_store_wp(struct fake_queue *q, uint64_t wp);
uint64_t fake_load(struct fake *f, uint64_t bus);

uint32_t fake_crc32c(uint32_t crc, const void *data, size_t len);

/* The queue has faulted with this code; returns its record. */
volatile struct dxgpu_queue_status *fake_assert_fault(struct fake_queue *q,
                                                      uint32_t code);

#endif /* FAKE_H */
