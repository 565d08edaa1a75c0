/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: faults of entries, packets and write pointers.
 *
 * Each mistake is made alone, in an otherwise right submission that lies
 * between a good packet before and a good one after: the first takes effect,
 * the last does not, the record says what and where, and another queue of the
 * same context goes on (FH-14, FH-16).
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

/*
 * One packet of up to 32 bytes as the queue finds it; S and D stand for the
 * addresses of two mapped pages and are added where they are marked.
 */
typedef struct BadPacket {
    const char *name;
    uint32_t code;
    uint8_t opcode, flags;
    uint16_t bytes;
    uint32_t reserved;
    uint64_t words[3];          /* what follows the header */
    uint8_t relative;           /* bit i: words[i] is an offset in page i */
} BadPacket;

/* Two 32-bit operands as the last word of a packet. */
#define PAIR(low, high) ((uint64_t)(high) << 32 | (low))
#define MAX_BYTES       (16u * 1024 * 1024)
#define IN(page)        (1u << (page))

static const BadPacket bad_packets[] = {
    { "opcode 8", DXGPU_FAULT_OPCODE, 0x08, 0, 8 },
    { "opcode 0xff", DXGPU_FAULT_OPCODE, 0xff, 0, 8 },

    { "nop of 0 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_NOP, 0, 0 },
    { "nop of 4 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_NOP, 0, 4 },
    { "nop of 12 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_NOP, 0, 12 },
    { "nop of 264 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_NOP, 0, 264 },
    { "nop of 65528 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_NOP, 0, 65528 },
    { "fence of 16 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_FENCE_WRITE, 0, 16,
      0, { 0 }, IN(0) },
    { "fence of 32 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_FENCE_WRITE, 0, 32,
      0, { 0 }, IN(0) },
    { "copy of 24 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_COPY, 0, 24,
      0, { 0, 0, 64 }, IN(0) | IN(1) },
    { "copy of 40 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_COPY, 0, 40,
      0, { 0, 0, 64 }, IN(0) | IN(1) },
    { "fill of 32 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_FILL, 0, 32,
      0, { 0, 64 }, IN(0) },
    { "crc of 24 bytes", DXGPU_FAULT_LENGTH, DXGPU_OP_CRC32C, 0, 24,
      0, { 0, 0, 64 }, IN(0) | IN(1) },

    { "nop with a flag", DXGPU_FAULT_OPERAND, DXGPU_OP_NOP, 1, 8 },
    { "nop with a reserved bit", DXGPU_FAULT_OPERAND, DXGPU_OP_NOP, 0, 8, 1 },
    { "fence with flag 2", DXGPU_FAULT_OPERAND, DXGPU_OP_FENCE_WRITE, 2, 24,
      0, { 0 }, IN(0) },
    { "fence with flag 0x80", DXGPU_FAULT_OPERAND, DXGPU_OP_FENCE_WRITE, 0x81,
      24, 0, { 0 }, IN(0) },
    { "fence with a reserved bit", DXGPU_FAULT_OPERAND, DXGPU_OP_FENCE_WRITE,
      0, 24, 0x80000000, { 0 }, IN(0) },
    { "copy with a flag", DXGPU_FAULT_OPERAND, DXGPU_OP_COPY, 1, 32,
      0, { 0, 0, 64 }, IN(0) | IN(1) },
    { "fill with a flag", DXGPU_FAULT_OPERAND, DXGPU_OP_FILL, 1, 24,
      0, { 0, 64 }, IN(0) },
    { "crc with a flag", DXGPU_FAULT_OPERAND, DXGPU_OP_CRC32C, 1, 32,
      0, { 0, 0, 64 }, IN(0) | IN(1) },

    { "fence at +4", DXGPU_FAULT_OPERAND, DXGPU_OP_FENCE_WRITE, 0, 24,
      0, { 4 }, IN(0) },
    { "fence at +1", DXGPU_FAULT_OPERAND, DXGPU_OP_FENCE_WRITE, 0, 24,
      0, { 1 }, IN(0) },
    { "copy of nothing", DXGPU_FAULT_OPERAND, DXGPU_OP_COPY, 0, 32,
      0, { 0, 0, 0 }, IN(0) | IN(1) },
    { "copy of too much", DXGPU_FAULT_OPERAND, DXGPU_OP_COPY, 0, 32,
      0, { 0, 0, MAX_BYTES + 1 }, IN(0) | IN(1) },
    { "copy of 4 GiB - 1", DXGPU_FAULT_OPERAND, DXGPU_OP_COPY, 0, 32,
      0, { 0, 0, 0xffffffff }, IN(0) | IN(1) },
    { "copy with a reserved operand", DXGPU_FAULT_OPERAND, DXGPU_OP_COPY, 0,
      32, 0, { 0, 0, PAIR(64, 1) }, IN(0) | IN(1) },
    { "copy to itself", DXGPU_FAULT_OPERAND, DXGPU_OP_COPY, 0, 32,
      0, { 0x10000, 0x10000, 64 } },
    { "copy one byte up", DXGPU_FAULT_OPERAND, DXGPU_OP_COPY, 0, 32,
      0, { 0x10000, 0x10001, 64 } },
    { "copy one byte down", DXGPU_FAULT_OPERAND, DXGPU_OP_COPY, 0, 32,
      0, { 0x10001, 0x10000, 64 } },
    { "copy that overlaps by a byte", DXGPU_FAULT_OPERAND, DXGPU_OP_COPY, 0,
      32, 0, { 0x10000, 0x10000 + MAX_BYTES - 1, MAX_BYTES } },
    { "fill at +2", DXGPU_FAULT_OPERAND, DXGPU_OP_FILL, 0, 24,
      0, { 2, 64 }, IN(0) },
    { "fill of nothing", DXGPU_FAULT_OPERAND, DXGPU_OP_FILL, 0, 24,
      0, { 0, 0 }, IN(0) },
    { "fill of 6 bytes", DXGPU_FAULT_OPERAND, DXGPU_OP_FILL, 0, 24,
      0, { 0, 6 }, IN(0) },
    { "fill of too much", DXGPU_FAULT_OPERAND, DXGPU_OP_FILL, 0, 24,
      0, { 0, MAX_BYTES + 4 }, IN(0) },
    { "crc of nothing", DXGPU_FAULT_OPERAND, DXGPU_OP_CRC32C, 0, 32,
      0, { 0, 0, 0 }, IN(0) | IN(1) },
    { "crc of too much", DXGPU_FAULT_OPERAND, DXGPU_OP_CRC32C, 0, 32,
      0, { 0, 0, MAX_BYTES + 1 }, IN(0) | IN(1) },
    { "crc to +2", DXGPU_FAULT_OPERAND, DXGPU_OP_CRC32C, 0, 32,
      0, { 0, 2, 64 }, IN(0) | IN(1) },
};

static void append_bad(GByteArray *c, const BadPacket *bad,
                       const DxBuffer pages[2])
{
    struct dxgpu_packet_header header = {
        .opcode = bad->opcode,
        .flags = bad->flags,
        .bytes = bad->bytes,
        .reserved = bad->reserved,
    };
    uint64_t words[4];
    unsigned int i;

    memset(words, 0, sizeof(words));
    for (i = 0; i < 3; i++) {
        words[i] = bad->words[i];
        if (bad->relative & IN(i)) {
            words[i] += pages[i].gpuva;
        }
    }
    g_byte_array_append(c, (const uint8_t *)&header, sizeof(header));
    g_byte_array_append(c, (const uint8_t *)words, sizeof(words));
}

static void test_bad_packets(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *good = dx_queue(space, context, 16);
    DxBuffer pages[2] = { dx_buffer(space, 4096), dx_buffer(space, 4096) };
    struct dxgpu_queue_status status;
    unsigned int i;

    g_assert_cmpuint(dx_reg(t, DXGPU_REG_MAX_TRANSFER_BYTES), ==, MAX_BYTES);
    for (i = 0; i < G_N_ELEMENTS(bad_packets); i++) {
        const BadPacket *bad = &bad_packets[i];
        DxQueue *q = dx_queue(space, context, 16);

        dx_submit_fence(q);
        q->fence_value = 0x1000 + i;
        dx_fence(c, q->fence.gpuva, 2, 0);
        append_bad(c, bad, pages);
        dx_fence(c, q->fence.gpuva, 3, 0);
        dx_submit(q, c);
        dx_submit_fence(q);
        dx_kick(q);
        DX_WAIT(t, dx_fault_bit(t, q->id));
        status = dx_queue_status(t, q->id);
        if (status.fault_code != bad->code) {
            dx_fail("%s: fault code %u, expected %u", bad->name,
                    status.fault_code, bad->code);
        }
        if (dx_fence_now(q) != 2) {
            dx_fail("%s: the fence is %" PRIu64 ", expected that of the "
                    "packet before, 2", bad->name, dx_fence_now(q));
        }
        g_assert_cmpuint(status.state, ==, DXGPU_QUEUE_FAULTED);
        g_assert_cmpuint(status.rp, ==, 1);
        g_assert_cmpuint(status.fault_rp, ==, 1);
        g_assert_cmpuint(status.fault_fence, ==, 0x1000 + i);
        g_assert_cmphex(status.fault_gpuva, ==, 0);
        g_assert_cmpuint(dx_rp_now(q), ==, 1);
        dx_assert_works(good);
        dx_remove(q);
    }
    g_assert_cmpuint(dx_stat(t, "faults"), ==, G_N_ELEMENTS(bad_packets));
    g_assert_cmphex(qtest_readq(t->qts, pages[0].bus), ==, 0);
    g_assert_cmphex(qtest_readq(t->qts, pages[1].bus), ==, 0);
    dx_stop(t);
}

/* A packet whose header is in the buffer and whose end is not. */
static void test_packet_beyond_the_buffer(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    unsigned int kind;

    for (kind = 0; kind < 5; kind++) {
        DxQueue *q = dx_queue(space, context, 4);
        struct dxgpu_ring_entry entry = { .command_bytes = 16 };

        dx_nop(c, 8);
        switch (kind) {
        case 0:
            dx_nop(c, 16);
            break;
        case 1:
            dx_fence(c, q->fence.gpuva, 1, 0);
            entry.command_bytes = 24;
            break;
        case 2:
            dx_copy(c, q->ring.gpuva, q->fence.gpuva, 8);
            entry.command_bytes = 32;
            break;
        case 3:
            dx_fill(c, q->fence.gpuva, 8, 1);
            break;
        default:
            dx_crc(c, q->ring.gpuva, q->fence.gpuva, 8, 0);
            entry.command_bytes = 32;
            break;
        }
        g_assert_cmpuint(entry.command_bytes, <, c->len);
        entry.command_gpuva = dx_place(q, c->data, c->len);
        g_byte_array_set_size(c, 0);
        dx_submit_entry(q, &entry);
        dx_kick(q);
        dx_wait_fault(q, DXGPU_FAULT_LENGTH);
        g_assert_cmpuint(dx_fence_now(q), ==, 0);
    }
    dx_stop(t);
}

static void test_bad_entries(void)
{
    static const struct {
        const char *name;
        uint32_t code;
        uint64_t offset;        /* added to the address of the commands */
        uint32_t bytes, flags;
        uint64_t reserved;
    } cases[] = {
        { "address +1", DXGPU_FAULT_ENTRY, 1, 24 },
        { "address +4", DXGPU_FAULT_ENTRY, 4, 24 },
        { "0 bytes", DXGPU_FAULT_ENTRY, 0, 0 },
        { "4 bytes", DXGPU_FAULT_ENTRY, 0, 4 },
        { "25 bytes", DXGPU_FAULT_ENTRY, 0, 25 },
        { "65544 bytes", DXGPU_FAULT_ENTRY, 0, 65544 },
        { "4 GiB - 8 bytes", DXGPU_FAULT_ENTRY, 0, 0xfffffff8 },
        { "flag 0", DXGPU_FAULT_ENTRY, 0, 24, 1 },
        { "flag 31", DXGPU_FAULT_ENTRY, 0, 24, 1u << 31 },
        { "reserved bit 0", DXGPU_FAULT_ENTRY, 0, 24, 0, 1 },
        { "reserved bit 63", DXGPU_FAULT_ENTRY, 0, 24, 0, 1ull << 63 },
        { "address beyond the space", DXGPU_FAULT_ADDRESS, 1ull << 48, 24 },
        { "address that is not mapped", DXGPU_FAULT_UNMAPPED, 1ull << 47, 24 },
    };
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    struct dxgpu_queue_status status;
    unsigned int i;

    g_assert_cmpuint(dx_reg(t, DXGPU_REG_MAX_COMMAND_BYTES), <, 65544);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        DxQueue *q = dx_queue(space, context, 4);
        struct dxgpu_ring_entry entry = {
            .command_bytes = cases[i].bytes,
            .flags = cases[i].flags,
            .fence_value = 70 + i,
            .reserved = cases[i].reserved,
        };

        dx_fence(c, q->fence.gpuva, 1, 0);
        entry.command_gpuva = dx_place(q, c->data, c->len) + cases[i].offset;
        g_byte_array_set_size(c, 0);
        dx_submit_entry(q, &entry);
        dx_kick(q);
        DX_WAIT(t, dx_fault_bit(t, q->id));
        status = dx_queue_status(t, q->id);
        if (status.fault_code != cases[i].code) {
            dx_fail("entry with %s: fault code %u, expected %u", cases[i].name,
                    status.fault_code, cases[i].code);
        }
        g_assert_cmpuint(status.fault_fence, ==, 70 + i);
        g_assert_cmpuint(status.rp, ==, 0);
        g_assert_cmpuint(dx_fence_now(q), ==, 0);
    }
    dx_stop(t);
}

/* A ring may be read-only; ring control must be writable. */
static void test_ring_permissions(void)
{
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *q = dx_queue(space, context, 16);
    DxQueue *closed = dx_queue(space, context, 16);
    DxQueue *gone = dx_queue(space, context, 16);
    struct dxgpu_queue_status status;

    dx_map(space, q->ring.gpuva, q->ring.bus, DXGPU_PAGE_SIZE, DX_READ);
    dx_assert_works(q);
    dx_map(space, closed->control.gpuva, closed->control.bus, DXGPU_PAGE_SIZE,
           DX_READ);
    dx_kick(closed);
    status = dx_wait_fault(closed, DXGPU_FAULT_PROTECTION);
    g_assert_cmpuint(status.fault_access, ==, DXGPU_ACCESS_WRITE);
    dx_unmap(space, gone->ring.gpuva, DXGPU_PAGE_SIZE);
    dx_submit_fence(gone);
    dx_kick(gone);
    status = dx_wait_fault(gone, DXGPU_FAULT_UNMAPPED);
    g_assert_cmphex(status.fault_gpuva, ==, gone->ring.gpuva);
    g_assert_cmpuint(dx_fence_now(gone), ==, 0);
    dx_assert_works(q);
    dx_stop(t);
}

static void test_bad_wp(void)
{
    static const uint64_t wps[] = {
        17, 1000, 1ull << 32, 1ull << 63, ~0ull,
    };
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *good = dx_queue(space, context, 16);
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(wps); i++) {
        DxQueue *q = dx_queue(space, context, 16);
        struct dxgpu_queue_status status;

        dx_submit_fence(q);
        dx_store_wp(q, wps[i]);
        dx_kick(q);
        status = dx_wait_fault(q, DXGPU_FAULT_WP);
        /* Nothing is fetched, not even the good entry. */
        g_assert_cmpuint(status.rp, ==, 0);
        g_assert_cmpuint(dx_fence_now(q), ==, 0);
        dx_assert_works(good);
    }
    dx_stop(t);
}

/* WP that goes back behind what was executed is as wrong as one too far. */
static void test_wp_backwards(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_assert_works(q);
    dx_assert_works(q);
    dx_store_wp(q, 1);
    dx_kick(q);
    g_assert_cmpuint(dx_wait_fault(q, DXGPU_FAULT_WP).rp, ==, 2);
    dx_stop(t);
}

static void test_full_ring_is_no_fault(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    unsigned int i;

    for (i = 0; i < 16; i++) {
        dx_submit_fence(q);
    }
    dx_kick(q);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 16);
    dx_stop(t);
}

static void test_faulted_queue_rests(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    struct dxgpu_queue_status before, after;

    dx_bind(q, 0);
    dx_kick_bad(q);
    dx_wait_fault(q, DXGPU_FAULT_OPCODE);
    dx_settle(t);
    before = dx_queue_status(t, q->id);
    dx_submit_fence(q);
    dx_ring(t, 0, q->wp);
    dx_kick(q);
    dx_unbind(t, 0);
    dx_bind(q, 1);
    dx_suspend(t, q->context);
    dx_resume(t, q->context);
    dx_settle(t);
    after = dx_queue_status(t, q->id);
    g_assert_cmpuint(after.state, ==, DXGPU_QUEUE_FAULTED);
    g_assert_cmpuint(after.samples, ==, before.samples);
    g_assert_cmpuint(after.rp, ==, before.rp);
    g_assert_cmpuint(after.fault_code, ==, before.fault_code);
    g_assert_cmpuint(dx_fence_now(q), ==, 0);
    g_assert_cmpuint(dx_stat(t, "faults"), ==, 1);
    dx_stop(t);
}

static void test_remove_ends_a_fault(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxQueue *other = dx_new_queue(t);
    unsigned int i;

    dx_kick_bad(other);
    dx_wait_fault(other, DXGPU_FAULT_OPCODE);
    for (i = 0; i < 3; i++) {
        dx_kick_bad(q);
        dx_wait_fault(q, DXGPU_FAULT_OPCODE);
        dx_remove(q);
        g_assert_false(dx_fault_bit(t, q->id));
        g_assert_cmpuint(dx_queue_status(t, q->id).fault_code, ==, 0);
        g_assert_true(dx_fault_bit(t, other->id));
        dx_store_wp(q, 0);
        dx_create(q);
        g_assert_cmpuint(dx_queue_status(t, q->id).state, ==,
                         DXGPU_QUEUE_IDLE);
        dx_assert_works(q);
    }
    dx_stop(t);
}

static void test_many_faults_at_once(void)
{
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *q[140];
    unsigned int i;

    for (i = 0; i < 140; i++) {
        q[i] = dx_queue(space, context, 4);
    }
    dx_park(t);
    for (i = 0; i < 140; i++) {
        if (i % 3) {
            dx_kick_bad(q[i]);
        } else {
            dx_submit_fence(q[i]);
            dx_kick(q[i]);
        }
    }
    dx_unpark(t);
    for (i = 0; i < 140; i++) {
        if (i % 3) {
            dx_wait_fault(q[i], DXGPU_FAULT_OPCODE);
        } else {
            dx_wait_done(q[i]);
            g_assert_cmpuint(dx_fence_now(q[i]), ==, 1);
            g_assert_false(dx_fault_bit(t, q[i]->id));
        }
    }
    dx_stop(t);
}

/* With bus mastering off the device reports, instead of trying for ever. */
static void test_bus_mastering_off(void)
{
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *q = dx_queue(space, context, 4);
    DxQueue *later = dx_queue(space, context, 4);

    dx_assert_works(q);
    dx_submit_fence(q);
    dx_set_bus_master(t, false);
    dx_kick(q);
    dx_wait_fault(q, DXGPU_FAULT_BUS);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    dx_set_bus_master(t, true);
    dx_settle(t);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    dx_assert_works(later);
    dx_stop(t);
}

static void test_bus_mastering_lost_under_load(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("threads=1");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *q = dx_queue(space, context, 16);
    DxQueue *later = dx_queue(space, context, 4);
    uint32_t bytes = 1024 * 1024;
    DxBuffer b = dx_buffer(space, bytes);
    unsigned int i, j;

    for (i = 0; i < 16; i++) {
        for (j = 0; j < 2000; j++) {
            dx_fill(c, b.gpuva, bytes, 0xbad);
        }
        dx_submit(q, c);
    }
    dx_kick(q);
    DX_WAIT(t, dx_stat(t, "fill_bytes") > 0);
    dx_set_bus_master(t, false);
    dx_wait_fault(q, DXGPU_FAULT_BUS);
    qtest_memset(t->qts, b.bus, 0, bytes);
    dx_set_bus_master(t, true);
    dx_assert_works(later);
    g_assert_cmphex(qtest_readl(t->qts, b.bus + bytes - 4), ==, 0);
    dx_stop(t);
}

/* Random commands: each queue ends well or faults, and nobody else suffers. */
static void check_random_commands(const char *properties)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(20241);
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    DxSpace *foreign = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *good = dx_queue(foreign, dx_context(foreign, 0), 16);
    DxBuffer pages[2] = { dx_buffer(space, 4096), dx_buffer(space, 4096) };
    unsigned int i, j, faulted = 0;
    uint8_t byte;

    for (i = 0; i < 300; i++) {
        DxQueue *q;
        struct dxgpu_queue_status status;

        t->next_queue = 1;
        q = dx_queue(space, context, 4);
        for (j = 0; j < 6; j++) {
            uint64_t words[4] = {
                pages[j % 2].gpuva + g_rand_int(rand) % 64 * 8,
                pages[1 - j % 2].gpuva + g_rand_int(rand) % 64 * 8,
                g_rand_int(rand) % 600, 0,
            };
            struct dxgpu_packet_header header = {
                .opcode = g_rand_int(rand) % 5,
            };
            static const uint8_t sizes[5] = { 8, 24, 32, 24, 32 };

            header.bytes = sizes[header.opcode];
            g_byte_array_append(c, (uint8_t *)&header, sizeof(header));
            g_byte_array_append(c, (uint8_t *)words, header.bytes - 8);
        }
        /* A few bits go wrong in most of them. */
        for (j = 0; j < i % 4; j++) {
            byte = g_rand_int(rand) % 8;
            c->data[g_rand_int(rand) % c->len] ^= 1u << byte;
        }
        dx_submit(q, c);
        dx_kick(q);
        DX_WAIT(t, (status = dx_queue_status(t, q->id),
                    status.rp == 1 || status.fault_code));
        faulted += status.fault_code != 0;
        dx_remove(q);
        if (i % 10 == 0) {
            dx_assert_works(good);
        }
    }
    /* Both outcomes occur, else the test is none. */
    g_assert_cmpuint(faulted, >, 50);
    g_assert_cmpuint(faulted, <, 290);
    g_assert_cmpuint(dx_stat(t, "faults"), ==, faulted);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 1);
    dx_stop(t);
}

static void test_random_commands(void)
{
    check_random_commands("threads=0");
}

static void test_random_commands_thread(void)
{
    check_random_commands("threads=1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/fault/FH-14-bad-packets", test_bad_packets);
    qtest_add_func("dxgpu/fault/FH-14-packet-beyond-the-buffer",
                   test_packet_beyond_the_buffer);
    qtest_add_func("dxgpu/fault/FH-14-bad-ring-entries", test_bad_entries);
    qtest_add_func("dxgpu/fault/FH-17-ring-and-control-permissions",
                   test_ring_permissions);
    qtest_add_func("dxgpu/fault/FH-15-bad-write-pointer", test_bad_wp);
    qtest_add_func("dxgpu/fault/FH-15-write-pointer-backwards",
                   test_wp_backwards);
    qtest_add_func("dxgpu/fault/FH-15-full-ring-is-no-fault",
                   test_full_ring_is_no_fault);
    qtest_add_func("dxgpu/fault/FH-12-faulted-queue-rests",
                   test_faulted_queue_rests);
    qtest_add_func("dxgpu/fault/remove-ends-a-fault", test_remove_ends_a_fault);
    qtest_add_func("dxgpu/fault/FH-16-many-faults-at-once",
                   test_many_faults_at_once);
    qtest_add_func("dxgpu/fault/SEC-23-bus-mastering-off",
                   test_bus_mastering_off);
    qtest_add_func("dxgpu/fault/SEC-1-random-commands", test_random_commands);
    qtest_add_func("dxgpu/fault/thread/SEC-23-bus-mastering-lost",
                   test_bus_mastering_lost_under_load);
    qtest_add_func("dxgpu/fault/thread/SEC-1-random-commands",
                   test_random_commands_thread);
    return g_test_run();
}
