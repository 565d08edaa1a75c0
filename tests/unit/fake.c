/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world of fake.h. */
#include <stdlib.h>
#include <string.h>

#include "fake.h"

#define MAX_ROUNDS 1000000

static uint8_t *find(struct fake *f, uint64_t addr, uint64_t len)
{
    if (!f->bus_master || addr < FAKE_BASE || len > FAKE_BYTES ||
        addr - FAKE_BASE > FAKE_BYTES - len) {
        return NULL;
    }
    return f->mem + (addr - FAKE_BASE);
}

static void was_read(struct fake *f, uint64_t bus)
{
    if (f->on_read) {
        f->on_read(f, bus);
    }
}

static bool dma_read(void *opaque, uint64_t addr, void *buf, uint32_t len)
{
    uint8_t *p = find(opaque, addr, len);

    if (p) {
        memcpy(buf, p, len);
        was_read(opaque, addr);
    }
    return p;
}

static bool dma_write(void *opaque, uint64_t addr, const void *buf,
                      uint32_t len)
{
    struct fake *f = opaque;
    uint8_t *p;

    if (f->on_write) {
        f->on_write(f);
    }
    p = find(f, addr, len);
    if (p) {
        memcpy(p, buf, len);
    }
    return p;
}

static bool load_u64(void *opaque, uint64_t addr, uint64_t *value)
{
    uint8_t *p = find(opaque, addr, 8);

    g_assert_cmpuint(addr % 8, ==, 0);
    if (p) {
        *value = atomic_load_explicit((_Atomic uint64_t *)(void *)p,
                                      memory_order_acquire);
        was_read(opaque, addr);
    }
    return p;
}

static bool store_u64(void *opaque, uint64_t addr, uint64_t value)
{
    uint8_t *p = find(opaque, addr, 8);

    g_assert_cmpuint(addr % 8, ==, 0);
    if (p) {
        atomic_store_explicit((_Atomic uint64_t *)(void *)p, value,
                              memory_order_release);
    }
    return p;
}

static void status_dirty(void *opaque, uint32_t offset, uint32_t len)
{
    struct fake *f = opaque;

    g_assert_cmpuint(len, <=, f->layout.size);
    g_assert_cmpuint(offset, <=, f->layout.size - len);
}

static void raise_vector(void *opaque, uint32_t vector)
{
    struct fake *f = opaque;

    g_assert_cmpuint(vector, <, G_N_ELEMENTS(f->vectors));
    f->vectors[vector]++;
}

static void kick(void *opaque, uint32_t worker)
{
    struct fake *f = opaque;

    g_assert_cmpuint(worker, <, f->config.workers);
    f->kicks[worker]++;
}

uint32_t fake_crc32c(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;
    int bit;

    crc = ~crc;
    while (len--) {
        crc ^= *p++;
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

static uint32_t crc32c(void *opaque, uint32_t crc, const void *data,
                       uint32_t len)
{
    (void)opaque;
    return fake_crc32c(crc, data, len);
}

static uint64_t clock_ns(void *opaque)
{
    return atomic_fetch_add(&((struct fake *)opaque)->clock, 10);
}

static void wake_at(void *opaque, uint32_t worker, uint64_t ns)
{
    struct fake *f = opaque;

    g_assert_cmpuint(worker, <, f->config.workers);
    f->wake_at[worker] = ns;
}

static const struct dxgpu_core_ops ops = {
    .dma_read = dma_read,
    .dma_write = dma_write,
    .load_u64 = load_u64,
    .store_u64 = store_u64,
    .status_dirty = status_dirty,
    .raise_vector = raise_vector,
    .kick = kick,
    .wake_at = wake_at,
    .crc32c = crc32c,
    .clock_ns = clock_ns,
};

struct dxgpu_core_config fake_config(void)
{
    struct dxgpu_core_config config = {
        .slots = 4,
        .queues = 130,
        .contexts = 8,
        .spaces = 4,
        .ring_max_entries = 1024,
        .packet_budget = 8,
        .workers = 1,
        .nodes = 3,
        .doorbell_stride = 4096,
    };

    return config;
}

struct fake *fake_new(const struct dxgpu_core_config *config)
{
    struct fake *f = g_new0(struct fake, 1);

    f->config = config ? *config : fake_config();
    dxgpu_status_layout(&f->config, &f->layout);
    f->mem = aligned_alloc(4096, FAKE_BYTES);
    f->status = aligned_alloc(64, f->layout.size);
    memset(f->status, 0xff, f->layout.size);
    f->bus_master = true;
    f->clock = 1000;
    f->core = dxgpu_core_create(&f->config, &ops, f, f->status);
    g_assert_nonnull(f->core);
    dxgpu_core_control(f->core, DXGPU_CONTROL_ENABLE);
    return f;
}

void fake_free(struct fake *f)
{
    dxgpu_core_destroy(f->core);
    free(f->mem);
    free(f->status);
    g_free(f);
}

uint64_t fake_alloc(struct fake *f, uint64_t bytes)
{
    uint64_t at = f->mem_used;

    bytes = (bytes + DXGPU_PAGE_SIZE - 1) & ~(DXGPU_PAGE_SIZE - 1);
    f->mem_used += bytes;
    g_assert_cmpuint(f->mem_used, <=, FAKE_BYTES);
    memset(f->mem + at, 0, bytes);
    return FAKE_BASE + at;
}

void *fake_ptr(struct fake *f, uint64_t bus)
{
    g_assert_cmpuint(bus - FAKE_BASE, <, FAKE_BYTES);
    return f->mem + (bus - FAKE_BASE);
}

uint64_t *fake_pte(struct fake *f, uint64_t root, uint64_t gpuva, int level)
{
    uint64_t table = root;
    uint64_t *pte;
    int at;

    for (at = DXGPU_PT_LEVELS - 1; ; at--) {
        pte = (uint64_t *)fake_ptr(f, table) + DXGPU_PT_INDEX(gpuva, at);
        if (at == level) {
            return pte;
        }
        if (!*pte) {
            *pte = fake_alloc(f, DXGPU_PT_BYTES) | DXGPU_PTE_VALID;
        }
        table = *pte & DXGPU_PTE_ADDR_MASK;
    }
}

void fake_map(struct fake *f, uint64_t root, uint64_t gpuva, uint64_t bus,
              uint64_t bytes, uint64_t flags)
{
    uint64_t at;

    for (at = 0; at < bytes; at += DXGPU_PAGE_SIZE) {
        *fake_pte(f, root, gpuva + at, 0) = (bus + at) | flags |
                                            DXGPU_PTE_VALID;
    }
}

enum dxgpu_cmd_result fake_command(struct fake *f, uint32_t opcode,
                                   uint64_t a0, uint64_t a1, uint64_t a2,
                                   uint64_t a3, uint64_t a4, uint64_t a5)
{
    const uint64_t args[DXGPU_CMD_NUM_ARGS] = { a0, a1, a2, a3, a4, a5 };

    return dxgpu_core_command(f->core, opcode, args);
}

void fake_run(struct fake *f)
{
    int rounds = 0;
    uint32_t worker;
    bool more;

    for (;;) {
        g_assert_cmpint(rounds++, <, MAX_ROUNDS);
        for (worker = 0, more = false; worker < f->config.workers; worker++) {
            more |= dxgpu_core_run(f->core, worker);
        }
        if (more) {
            continue;
        }
        if (f->clock_stands) {
            break;
        }
        for (worker = 0; worker < f->config.workers; worker++) {
            more |= f->wake_at[worker] != 0;
            f->clock = MAX(f->clock, f->wake_at[worker]);
            f->wake_at[worker] = 0;
        }
        if (!more) {
            break;
        }
    }
}

uint64_t fake_stat(struct fake *f, enum dxgpu_stat stat)
{
    return dxgpu_core_stat(f->core, stat);
}

volatile struct dxgpu_queue_status *fake_queue_status(struct fake *f,
                                                      uint32_t id)
{
    return (struct dxgpu_queue_status *)
           ((char *)f->status + f->layout.queue_offset) + id;
}

volatile struct dxgpu_context_status *fake_context_status(struct fake *f,
                                                          uint32_t id)
{
    return (struct dxgpu_context_status *)
           ((char *)f->status + f->layout.context_offset) + id;
}

volatile struct dxgpu_space_status *fake_space_status(struct fake *f,
                                                      uint32_t id)
{
    return (struct dxgpu_space_status *)
           ((char *)f->status + f->layout.space_offset) + id;
}

volatile struct dxgpu_node_status *fake_node_status(struct fake *f,
                                                    uint32_t node)
{
    return (struct dxgpu_node_status *)
           ((char *)f->status + f->layout.node_offset) + node;
}

bool fake_fault_bit(struct fake *f, uint32_t id)
{
    uint64_t *words = (uint64_t *)((char *)f->status + f->layout.fault_offset);

    return words[id / 64] >> id % 64 & 1;
}

uint64_t fake_space(struct fake *f, uint32_t id)
{
    uint64_t root = fake_alloc(f, DXGPU_PT_BYTES);

    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_SPACE_CREATE, id, root), ==,
                    DXGPU_CMD_OK);
    return root;
}

void fake_context(struct fake *f, uint32_t id, uint32_t space, uint32_t node)
{
    g_assert_cmpint(fake_cmd3(f, DXGPU_CMD_CONTEXT_CREATE, id, space, node),
                    ==, DXGPU_CMD_OK);
}

static uint64_t map_new(struct fake *f, uint64_t root, uint64_t gpuva,
                        uint64_t bytes)
{
    uint64_t bus = fake_alloc(f, bytes);

    fake_map(f, root, gpuva, bus, bytes, FAKE_RW);
    return bus;
}

struct fake_queue fake_queue(struct fake *f, uint32_t id, uint32_t context,
                             uint64_t root, uint32_t entries)
{
    struct fake_queue q = {
        .f = f,
        .id = id,
        .entries = entries,
        .root = root,
        .ring = 0x100000000ull + id * 0x1000000ull,
    };

    q.control = q.ring + 0x100000;
    q.commands = q.ring + 0x200000;
    q.data = q.ring + 0x400000;
    q.ring_bus = map_new(f, root, q.ring,
                         entries * sizeof(struct dxgpu_ring_entry));
    q.control_bus = map_new(f, root, q.control, DXGPU_PAGE_SIZE);
    q.commands_bus = map_new(f, root, q.commands,
                             (uint64_t)entries * FAKE_COMMAND_BYTES);
    q.data_bus = map_new(f, root, q.data, FAKE_DATA_BYTES);
    g_assert_cmpint(fake_command(f, DXGPU_CMD_QUEUE_CREATE, id, context,
                                 q.ring, entries, q.control, 0), ==,
                    DXGPU_CMD_OK);
    return q;
}

struct fake_queue fake_bound_queue(struct fake *f, uint32_t id, uint32_t slot)
{
    uint64_t root = fake_space(f, 0);
    struct fake_queue q;

    fake_context(f, 0, 0, 0);
    q = fake_queue(f, id, 0, root, 16);
    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, slot, id), ==,
                    DXGPU_CMD_OK);
    fake_run(f);
    return q;
}

void fake_put(struct fake_queue *q, const void *packet, uint32_t bytes)
{
    uint64_t at = q->commands_bus + q->wp % q->entries * FAKE_COMMAND_BYTES;

    g_assert_cmpuint(q->length + bytes, <=, FAKE_COMMAND_BYTES);
    memcpy((char *)fake_ptr(q->f, at) + q->length, packet, bytes);
    q->length += bytes;
}

void fake_put_nop(struct fake_queue *q, uint32_t bytes)
{
    struct { struct dxgpu_packet_header h; uint8_t rest[256]; } p = {
        .h = { .opcode = DXGPU_OP_NOP, .bytes = bytes },
    };

    memset(p.rest, 0xee, sizeof(p.rest));
    fake_put(q, &p, bytes);
}

void fake_put_fence(struct fake_queue *q, uint64_t gpuva, uint64_t value,
                    uint8_t flags)
{
    struct dxgpu_packet_fence_write p = {
        .header = { .opcode = DXGPU_OP_FENCE_WRITE, .flags = flags,
                    .bytes = sizeof(p) },
        .gpuva = gpuva,
        .value = value,
    };

    fake_put(q, &p, sizeof(p));
}

void fake_put_copy(struct fake_queue *q, uint64_t src, uint64_t dst,
                   uint32_t bytes)
{
    struct dxgpu_packet_copy p = {
        .header = { .opcode = DXGPU_OP_COPY, .bytes = sizeof(p) },
        .src_gpuva = src,
        .dst_gpuva = dst,
        .bytes = bytes,
    };

    fake_put(q, &p, sizeof(p));
}

void fake_put_fill(struct fake_queue *q, uint64_t dst, uint32_t bytes,
                   uint32_t pattern)
{
    struct dxgpu_packet_fill p = {
        .header = { .opcode = DXGPU_OP_FILL, .bytes = sizeof(p) },
        .dst_gpuva = dst,
        .bytes = bytes,
        .pattern = pattern,
    };

    fake_put(q, &p, sizeof(p));
}

void fake_put_crc(struct fake_queue *q, uint64_t src, uint64_t result,
                  uint32_t bytes, uint32_t seed)
{
    struct dxgpu_packet_crc32c p = {
        .header = { .opcode = DXGPU_OP_CRC32C, .bytes = sizeof(p) },
        .src_gpuva = src,
        .result_gpuva = result,
        .bytes = bytes,
        .seed = seed,
    };

    fake_put(q, &p, sizeof(p));
}

struct dxgpu_ring_entry *fake_entry(struct fake_queue *q, uint64_t n)
{
    return (struct dxgpu_ring_entry *)fake_ptr(q->f, q->ring_bus) +
           n % q->entries;
}

volatile struct dxgpu_ring_control *fake_control(struct fake_queue *q)
{
    return fake_ptr(q->f, q->control_bus);
}

void fake_store_wp(struct fake_queue *q, uint64_t wp)
{
    atomic_store_explicit((_Atomic uint64_t *)fake_ptr(q->f, q->control_bus),
                          wp, memory_order_release);
}

uint64_t fake_load(struct fake *f, uint64_t bus)
{
    return atomic_load_explicit((_Atomic uint64_t *)fake_ptr(f, bus),
                                memory_order_acquire);
}

void fake_submit(struct fake_queue *q)
{
    struct dxgpu_ring_entry entry = {
        .command_gpuva = q->commands +
                         q->wp % q->entries * FAKE_COMMAND_BYTES,
        .command_bytes = q->length,
        .fence_value = q->wp + 1,
    };

    *fake_entry(q, q->wp) = entry;
    q->length = 0;
    fake_store_wp(q, ++q->wp);
}

void fake_submit_fence(struct fake_queue *q, uint64_t value)
{
    fake_put_fence(q, q->data, value, 0);
    fake_submit(q);
}

volatile struct dxgpu_queue_status *fake_assert_fault(struct fake_queue *q,
                                                      uint32_t code)
{
    volatile struct dxgpu_queue_status *status = fake_queue_status(q->f, q->id);

    g_assert_cmpuint(status->state, ==, DXGPU_QUEUE_FAULTED);
    g_assert_cmpuint(status->fault_code, ==, code);
    g_assert_true(fake_fault_bit(q->f, q->id));
    g_assert_cmpuint(dxgpu_core_int_cause(q->f->core) & DXGPU_INT_FAULT, !=, 0);
    return status;
}
