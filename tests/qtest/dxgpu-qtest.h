/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: what the test programs share.
 *
 * A test is a driver without an operating system: it starts a QEMU with one
 * device, programs the BARs, lays out page tables, rings and commands in guest
 * memory, rings doorbells and looks at what came of it. It knows the device by
 * hw/include/dxgpu alone and hard-codes no limit that a register tells.
 *
 * Time. With threads=0, the default here, the device works in QEMU's main
 * loop, between two requests of the test; with threads=1 beside it. So that one
 * text does for both, a test never assumes that work is done, but waits with
 * DX_WAIT(), and shows that nothing happened only after dx_settle().
 *
 * Memory is handed out once and never taken back; objects live until dx_stop().
 * A helper asserts that what it asks of the device succeeds; a test that wants
 * an error uses dx_command(). Everything is for the one thread of the test.
 */
#ifndef DXGPU_QTEST_H
#define DXGPU_QTEST_H

#include "tests/qtest/libqtest.h"
#include "tests/qtest/libqos/pci.h"
#include "dxgpu/packet.h"
#include "dxgpu/pte.h"
#include "dxgpu/regs.h"
#include "dxgpu/ring.h"
#include "dxgpu/status.h"

#define DX_QOM_PATH     "/machine/peripheral/dx"
#define DX_READ         DXGPU_PTE_READ
#define DX_WRITE        DXGPU_PTE_WRITE
#define DX_RW           (DXGPU_PTE_READ | DXGPU_PTE_WRITE)

typedef struct DxTest {
    QTestState *qts;
    QPCIBus *bus;
    QPCIDevice *pci;
    QPCIBar regs;
    QPCIBar doorbells;
    QPCIBar status;
    uint64_t regs_size;         /* of the BARs, in bytes */
    uint64_t doorbells_size;
    uint64_t status_size;
    uint32_t slots;
    uint32_t stride;            /* bytes from one doorbell to the next */
    uint64_t memory_next;       /* first byte not handed out */
    uint64_t messages;          /* where MSI-X messages arrive; 0 = off */
    uint32_t next_space;        /* ids that the helpers use next */
    uint32_t next_context;
    uint32_t next_queue;
    uint64_t last_fence;        /* of asynchronous commands */
    GPtrArray *objects;         /* of the helpers, freed by dx_stop() */
} DxTest;

/* An address space: its page tables, and the GPUVA that it hands out next. */
typedef struct DxSpace {
    DxTest *t;
    uint32_t id;
    uint64_t root;              /* bus address of the level 3 table */
    uint64_t next_gpuva;
} DxSpace;

/* Memory that the test reaches by bus address and the device by GPUVA. */
typedef struct DxBuffer {
    uint64_t bus;
    uint64_t gpuva;
    uint32_t bytes;
} DxBuffer;

/* A queue with its ring, and a fence cell for dx_submit_fence(). */
typedef struct DxQueue {
    DxSpace *space;
    uint32_t id;
    uint32_t context;
    uint32_t entries;
    uint64_t wp;                /* as stored in ring control */
    uint64_t fence_value;       /* submitted last */
    DxBuffer ring;
    DxBuffer control;
    DxBuffer fence;
    DxBuffer arena;             /* where commands go */
    uint32_t arena_used;
} DxQueue;

/* Machine and device: dxgpu-qtest.c */

/*
 * The arguments of a machine without firmware, disks and network, e.g. for
 * qtest_init(); -device is the caller's. Free with g_free().
 */
char *dx_machine_arguments(void);

/*
 * Starts QEMU with one device of these properties ("" = none), threads=0
 * unless they say otherwise; BARs are mapped and bus mastering is on.
 * dx_start() also enables the device, dx_start_disabled() leaves it as it is
 * after reset. dx_start_behind() is dx_start() with these words for QEMU before
 * the device's own. dx_stop() asserts that QEMU ends in order.
 */
DxTest *dx_start(const char *properties);
DxTest *dx_start_disabled(const char *properties);
DxTest *dx_start_behind(const char *arguments, const char *properties);
void dx_stop(DxTest *t);

/* Maps the BARs and turns on memory and bus mastering, e.g. after a reset. */
void dx_map_bars(DxTest *t);
/* CONTROL.ENABLE, and waits for it. */
void dx_enable(DxTest *t);
/* Bus mastering on or off. */
void dx_set_bus_master(DxTest *t, bool on);

uint32_t dx_reg(DxTest *t, uint32_t offset);
void dx_reg_write(DxTest *t, uint32_t offset, uint32_t value);

/* Writes up to 8 arguments and the opcode; returns enum dxgpu_cmd_result. */
uint32_t dx_command_args(DxTest *t, uint32_t opcode, const uint64_t *args,
                         unsigned int count);
#define dx_command(t, opcode, ...) \
    dx_command_args(t, opcode, (const uint64_t[]){ __VA_ARGS__ }, \
                    G_N_ELEMENTS(((const uint64_t[]){ __VA_ARGS__ })))
#define dx_command_ok(t, opcode, ...) \
    g_assert_cmpuint(dx_command(t, opcode, __VA_ARGS__), ==, DXGPU_CMD_OK)

/* A ring: 8 bytes at the first byte of a slot. */
void dx_ring(DxTest *t, uint32_t slot, uint64_t value);

/* One counter of the property `stats`, which must exist. */
uint64_t dx_stat(DxTest *t, const char *name);

/* Records of the status region. */
struct dxgpu_queue_status dx_queue_status(DxTest *t, uint32_t queue);
struct dxgpu_context_status dx_context_status(DxTest *t, uint32_t context);
struct dxgpu_node_status dx_node_status(DxTest *t, uint32_t node);
uint64_t dx_invalidate_fence(DxTest *t, uint32_t space);
bool dx_fault_bit(DxTest *t, uint32_t queue);

/*
 * Interrupts. dx_irq_start() gives each vector a message in guest memory;
 * dx_irq_taken() tells whether a vector fired since it was asked last.
 */
void dx_irq_start(DxTest *t);
bool dx_irq_taken(DxTest *t, uint32_t vector);

/* A failure of one row of a table; the test goes on with the next row. */
#define dx_fail(...) \
    do { \
        g_test_message(__VA_ARGS__); \
        g_test_fail(); \
    } while (0)

/* Waits, at most two minutes, until condition holds; it is evaluated often. */
#define DX_WAIT(t, condition) \
    do { \
        gint64 dx_wait_began = g_get_monotonic_time(); \
        while (!(condition)) { \
            dx_wait_turn(t, dx_wait_began, #condition, __FILE__, __LINE__); \
        } \
    } while (0)
void dx_wait_turn(DxTest *t, gint64 began, const char *condition,
                  const char *file, int line);
/* Waits until the device has nothing left to do. */
void dx_settle(DxTest *t);

/*
 * Stops and continues the machine. Between the two the device takes accesses
 * but its worker rests: what a test does there arrives all at once.
 */
void dx_park(DxTest *t);
void dx_unpark(DxTest *t);

/* Memory and page tables: dxgpu-qtest-memory.c */

/* Zeroed guest memory; align is a power of two. Returns its bus address. */
uint64_t dx_memory(DxTest *t, uint64_t bytes, uint64_t align);

/* A space that the device does not know yet, and one that it does. */
DxSpace *dx_tables(DxTest *t);
DxSpace *dx_space(DxTest *t);

/*
 * The bus address of the entry that maps gpuva in the table of a level; makes
 * the tables above it. Tests write wrong entries there.
 */
uint64_t dx_entry(DxSpace *space, uint64_t gpuva, unsigned int level);
/* Maps whole 4 KiB pages. flags: DX_READ, DX_WRITE, or 0 for no access. */
void dx_map(DxSpace *space, uint64_t gpuva, uint64_t bus, uint64_t bytes,
            uint64_t flags);
void dx_unmap(DxSpace *space, uint64_t gpuva, uint64_t bytes);
/* Invalidates the whole space and waits for the acknowledgement. */
void dx_invalidate(DxSpace *space);

/* Pages that are not mapped, with at least one more behind them. */
uint64_t dx_reserve(DxSpace *space, uint64_t bytes);
/* Zeroed memory, mapped; dx_buffer() readable and writable. */
DxBuffer dx_buffer(DxSpace *space, uint32_t bytes);
DxBuffer dx_buffer_flags(DxSpace *space, uint32_t bytes, uint64_t flags);
/* Bytes that differ from place to place and from seed to seed. */
void dx_pattern(uint8_t *bytes, size_t count, uint32_t seed);
/* The same in guest memory, and the assertion that it is there. */
void dx_write_pattern(DxTest *t, uint64_t bus, size_t count, uint32_t seed);
void dx_assert_pattern(DxTest *t, uint64_t bus, size_t count, uint32_t seed);
/* CRC-32C of bytes appended to what crc sums up; 0 = nothing. */
uint32_t dx_crc_of(const uint8_t *bytes, size_t count, uint32_t crc);

/* Contexts, queues and commands: dxgpu-qtest-queue.c */

uint32_t dx_context(DxSpace *space, uint32_t node);
/* A queue that is created, idle and not bound. entries: power of two. */
DxQueue *dx_queue(DxSpace *space, uint32_t context, uint32_t entries);
/* The same with the counts beginning at start. */
DxQueue *dx_queue_at(DxSpace *space, uint32_t context, uint32_t entries,
                     uint64_t start);
/* A queue of 16 entries with a space and a context of its own, on node 0. */
DxQueue *dx_new_queue(DxTest *t);
/* Tells the device of a queue that it does not know, e.g. after a reset. */
void dx_create(DxQueue *q);

void dx_bind(DxQueue *q, uint32_t slot);
void dx_unbind(DxTest *t, uint32_t slot);
/* Asynchronous commands; the first of each pair does not wait. */
uint64_t dx_remove_start(DxQueue *q);
void dx_remove(DxQueue *q);
uint64_t dx_suspend_start(DxTest *t, uint32_t context);
void dx_suspend(DxTest *t, uint32_t context);
void dx_resume(DxTest *t, uint32_t context);

/* A file without a name, for a stream. */
int dx_stream_file(void);
/* Saves the stopped machine to fd. */
void dx_save(DxTest *t, int fd);
/* A machine that waits for a stream; the device's BARs are mapped as before. */
DxTest *dx_start_incoming(const char *properties);
/* Loads what was saved; returns "completed" or "failed". */
char *dx_load(DxTest *t, int fd);
/* t, which is stopped, becomes a machine with these properties; stopped. */
void dx_move_to(DxTest *t, const char *properties);

/* Append a packet to a command buffer. */
void dx_nop(GByteArray *c, uint32_t bytes);
void dx_fence(GByteArray *c, uint64_t gpuva, uint64_t value, uint8_t flags);
void dx_copy(GByteArray *c, uint64_t src, uint64_t dst, uint32_t bytes);
void dx_fill(GByteArray *c, uint64_t dst, uint32_t bytes, uint32_t pattern);
void dx_crc(GByteArray *c, uint64_t src, uint64_t result, uint32_t bytes,
            uint32_t seed);

/* Puts commands where the device can read them; returns their GPUVA. */
uint64_t dx_place(DxQueue *q, const void *bytes, uint32_t count);
/* Writes a ring entry and WP, in this order. Does not ring. */
void dx_submit_entry(DxQueue *q, const struct dxgpu_ring_entry *entry);
/* dx_place() and dx_submit_entry() of a good entry; then c is empty again. */
void dx_submit(DxQueue *q, GByteArray *c);
/* Submits a write of the next value to the queue's fence cell. */
void dx_submit_fence(DxQueue *q);
/* Stores WP alone. */
void dx_store_wp(DxQueue *q, uint64_t wp);

/* QUEUE_KICK: a sample without a doorbell. */
void dx_kick(DxQueue *q);
/* Submits an unknown packet, which faults with OPCODE, and kicks. */
void dx_kick_bad(DxQueue *q);
/* The fence cell as it is now, RP as published in ring control. */
uint64_t dx_fence_now(DxQueue *q);
uint64_t dx_rp_now(DxQueue *q);
/* Waits until all that was submitted is executed; a fault is a failure. */
void dx_wait_done(DxQueue *q);
/* Waits for a fault of this code and asserts that its record is right. */
struct dxgpu_queue_status dx_wait_fault(DxQueue *q, uint32_t code);
/* Submits, kicks and waits: commands; a fence, which shows that q works. */
void dx_run(DxQueue *q, GByteArray *c);
void dx_assert_works(DxQueue *q);

#endif /* DXGPU_QTEST_H */
