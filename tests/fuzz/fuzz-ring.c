/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: three queues of two processes, whose rings, ring controls and
 * command buffers the input writes as a hostile process may: any byte, at any
 * time between two turns, of a budget of four steps.
 *
 * Each process has SHARE_BYTES of memory, mapped at REGION; what lies outside
 * (page tables, the other process's share, the rest of memory) must stay as it
 * is whatever is in the rings. RP may only grow, one by one with completions.
 *
 * Input: one record after the other; its first byte mod 12 is what to do, see
 * record().
 */
#include <string.h>

#include "fuzz.h"

#define REGION          0x200000ull
#define SHARE_BYTES     (64u << 10)
#define QUEUES          3
#define MAX_RECORDS     200
#define MAX_TURNS       400
/* A bound for the time of one input: sums are taken bit by bit in fake.c. */
#define MAX_BYTES       (1u << 20)

/* Offsets in a share: control and ring of queue q, commands, data. */
#define CONTROL(q)      ((q) * 0x100u)
#define RING(q)         (0x1000u + (q) * 0x400u)
#define COMMANDS        0x2000u

struct world {
    struct fake *f;
    uint8_t *share[2];          /* of spaces 0 and 1 */
    uint8_t *tables;            /* what was mapped, to compare */
    uint64_t tables_bytes;
    uint64_t rp[QUEUES];
    uint64_t first[QUEUES];
    uint32_t turns;
};

static const uint32_t ring_entries[QUEUES] = { 2, 4, 16 };

static uint32_t process_of(uint32_t queue)
{
    return queue == 2;
}

static void create(struct world *w, uint32_t queue, uint64_t wp)
{
    uint32_t process = process_of(queue);

    if (fake_command(w->f, DXGPU_CMD_QUEUE_CREATE, queue, process,
                     REGION + RING(queue), ring_entries[queue],
                     REGION + CONTROL(queue), wp) == DXGPU_CMD_OK) {
        memcpy(w->share[process] + CONTROL(queue), &wp, sizeof(wp));
        w->rp[queue] = w->first[queue] = wp;
        fake_cmd2(w->f, DXGPU_CMD_DOORBELL_BIND, queue, queue);
    }
}

static void world_new(struct world *w)
{
    struct dxgpu_core_config c = fake_config();
    uint64_t root, bus;
    uint32_t i;

    c.queues = QUEUES;
    c.contexts = 2;
    c.spaces = 2;
    c.packet_budget = 4;
    c.nodes = 2;
    c.workers = 2;
    memset(w, 0, sizeof(*w));
    w->f = fuzz_new(&c);
    for (i = 0; i < 2; i++) {
        bus = fake_alloc(w->f, SHARE_BYTES);
        w->share[i] = fake_ptr(w->f, bus);
        root = fake_space(w->f, i);
        fake_map(w->f, root, REGION, bus, SHARE_BYTES - DXGPU_PAGE_SIZE,
                 FAKE_RW);
        /* The last page is read-only. */
        fake_map(w->f, root, REGION + SHARE_BYTES - DXGPU_PAGE_SIZE,
                 bus + SHARE_BYTES - DXGPU_PAGE_SIZE, DXGPU_PAGE_SIZE,
                 DXGPU_PTE_READ);
        fake_context(w->f, i, i, i);
    }
    w->tables_bytes = w->f->mem_used;
    w->tables = g_memdup2(w->f->mem, w->tables_bytes);
    for (i = 0; i < QUEUES; i++) {
        create(w, i, i == 1 ? ~0ull - 2 : 0);
    }
}

/* All but what a process may write is as it was. */
static void check_walls(struct world *w)
{
    uint8_t *mem = w->f->mem;
    uint64_t at;

    for (at = 0; at < w->tables_bytes; at += DXGPU_PAGE_SIZE) {
        uint64_t in0 = mem + at - w->share[0];
        uint64_t in1 = mem + at - w->share[1];

        if (in0 >= SHARE_BYTES - DXGPU_PAGE_SIZE &&
            in1 >= SHARE_BYTES - DXGPU_PAGE_SIZE) {
            g_assert_true(!memcmp(mem + at, w->tables + at, DXGPU_PAGE_SIZE));
        }
    }
    /* The rest is zero: its first byte is, and each is as the one before. */
    g_assert_cmpuint(mem[at], ==, 0);
    g_assert_true(!memcmp(mem + at, mem + at + 1, FAKE_BYTES - at - 1));
}

static bool turn(struct world *w)
{
    struct fake *f = w->f;
    bool more;
    uint32_t i;

    if (w->turns++ >= MAX_TURNS ||
        fake_stat(f, DXGPU_STAT_CRC_BYTES) +
        fake_stat(f, DXGPU_STAT_COPY_BYTES) > MAX_BYTES) {
        return false;
    }
    more = fuzz_run(f);
    for (i = 0; i < QUEUES; i++) {
        struct dxgpu_queue *q = &f->core->queues[i];

        if (q->present) {
            g_assert_cmpuint(q->rp - w->rp[i], <=, f->config.packet_budget);
            g_assert_cmpuint(q->rp - w->first[i], ==, q->completed);
            w->rp[i] = q->rp;
        }
    }
    return more;
}

/* Submits one packet of a plausible form, and rings. */
static void submit(struct world *w, struct input *in, uint32_t queue)
{
    struct dxgpu_queue *q = &w->f->core->queues[queue];
    uint8_t *share = w->share[process_of(queue)];
    uint32_t entries = ring_entries[queue];
    uint8_t packet[32] = { 0 };
    struct dxgpu_packet_header h = { .opcode = input_u8(in) % 8,
                                     .flags = input_u8(in) & 1 };
    static const uint8_t sizes[8] = { 8, 24, 32, 24, 32, 16, 16, 24 };
    uint64_t a = REGION + input_u16(in), b = REGION + input_u16(in);
    uint32_t n = input_u16(in), seed = input_u8(in);
    uint64_t wp = q->wp;
    uint32_t index = wp % entries, at = COMMANDS + queue * 0x800 + index * 64;
    struct dxgpu_ring_entry e = {
        .command_gpuva = REGION + at,
        .command_bytes = sizes[h.opcode],
        .fence_value = wp + 1,
    };

    h.bytes = sizes[h.opcode];
    if (h.opcode != DXGPU_OP_FENCE_WRITE) {
        h.flags = 0;
    }
    if (h.opcode == DXGPU_OP_DELAY) {
        a = n;
    }
    memcpy(packet, &h, sizeof(h));
    memcpy(packet + 8, &a, 8);
    memcpy(packet + 16, &b, 8);
    memcpy(packet + 24, &n, 4);
    if (h.opcode == DXGPU_OP_FILL || h.opcode == DXGPU_OP_INDIRECT) {
        n &= ~7u;
        memcpy(packet + 16, &n, 4);
        memset(packet + 20, 0, 4);
    } else if (h.opcode == DXGPU_OP_CRC32C) {
        memcpy(packet + 28, &seed, 4);
    }
    memcpy(share + at, packet, sizeof(packet));
    memcpy(share + RING(queue) + index * sizeof(e), &e, sizeof(e));
    wp++;
    memcpy(share + CONTROL(queue), &wp, sizeof(wp));
    dxgpu_core_doorbell(w->f->core, queue, wp);
}

/* An entry with any place and length; the queue is not rung. */
static void entry(struct world *w, struct input *in, uint32_t queue)
{
    struct dxgpu_ring_entry e = {
        .command_gpuva = REGION + input_u16(in),
        .command_bytes = input_u16(in),
        .flags = input_u8(in) / 255,
        .fence_value = input_u8(in),
    };
    uint32_t index = input_u8(in) % ring_entries[queue];

    memcpy(w->share[process_of(queue)] + RING(queue) + index * sizeof(e), &e,
           sizeof(e));
}

static void record(struct world *w, struct input *in)
{
    struct fake *f = w->f;
    uint8_t what = input_u8(in) % 12, queue = input_u8(in) % QUEUES;
    uint32_t process = process_of(queue), at, n;
    uint8_t bytes[64];
    uint64_t wp;

    switch (what) {
    case 0:                     /* raw bytes anywhere in the share */
        at = input_u16(in);
        n = 1 + input_u8(in) % sizeof(bytes);
        at = MIN(at, SHARE_BYTES - DXGPU_PAGE_SIZE);
        n = MIN(n, SHARE_BYTES - DXGPU_PAGE_SIZE - at);
        input_bytes(in, bytes, n);
        memcpy(w->share[process] + at, bytes, n);
        break;
    case 1:
        entry(w, in, queue);
        break;
    case 2:                     /* any WP */
        wp = input_u64(in);
        memcpy(w->share[process] + CONTROL(queue), &wp, sizeof(wp));
        break;
    case 3:                     /* a WP near RP */
        wp = w->rp[queue] + (int8_t)input_u8(in);
        memcpy(w->share[process] + CONTROL(queue), &wp, sizeof(wp));
        dxgpu_core_doorbell(f->core, queue, wp);
        break;
    case 4:
        dxgpu_core_doorbell(f->core, queue, input_u8(in));
        break;
    case 5:                     /* turns */
        for (n = 1 + input_u8(in) % 16; n && turn(w); n--) {
            continue;
        }
        break;
    case 6:
        submit(w, in, queue);
        break;
    case 7:                     /* removal and a new life */
        fake_cmd2(f, DXGPU_CMD_QUEUE_REMOVE, queue, input_u8(in));
        turn(w);
        create(w, queue, input_u64(in));
        break;
    case 8:
        fake_cmd2(f, DXGPU_CMD_CONTEXT_SUSPEND, process, input_u8(in));
        break;
    case 9:
        fake_cmd1(f, DXGPU_CMD_CONTEXT_RESUME, process);
        break;
    case 10:
        f->clock += input_u32(in);
        break;
    default:
        f->bus_master = input_u8(in) % 8 != 0;
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    uint32_t records = 0;
    struct world w;

    world_new(&w);
    while (in.left && records++ < MAX_RECORDS) {
        record(&w, &in);
    }
    while (turn(&w)) {
        continue;
    }
    check_walls(&w);
    g_free(w.tables);
    fuzz_end(w.f);
    return 0;
}
