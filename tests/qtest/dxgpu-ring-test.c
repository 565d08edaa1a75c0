/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: rings, packets, completion, scheduling, suspend and remove.
 *
 * Data is checked byte by byte against what the test wrote, with sizes and
 * offsets that cross pages and chunks. Order is observed by the device itself:
 * a queue copies another one's fence cell while both run, so what it found
 * there tells how far the other was, whatever the speed of the machine.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

/* CRC-32C bit by bit, as the standard defines it: nothing shared with QEMU. */
static uint32_t reference_crc(const uint8_t *bytes, size_t count, uint32_t crc)
{
    size_t i;
    int bit;

    crc = ~crc;
    for (i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

static void run(DxQueue *q, GByteArray *c)
{
    dx_submit(q, c);
    dx_kick(q);
    dx_wait_done(q);
}

static void test_nop(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint32_t bytes;

    for (bytes = 8; bytes <= DXGPU_NOP_MAX_BYTES; bytes += 8) {
        dx_nop(c, bytes);
    }
    dx_fence(c, q->fence.gpuva, 42, 0);
    run(q, c);
    g_assert_cmpuint(dx_fence_now(q), ==, 42);
    g_assert_cmpuint(dx_stat(t, "packets"), ==, DXGPU_NOP_MAX_BYTES / 8 + 1);
    dx_stop(t);
}

static void test_fence(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxBuffer cells = dx_buffer(q->space, 4096);

    dx_write_pattern(t, cells.bus, 4096, 1);
    dx_fence(c, cells.gpuva + 8, 0x1122334455667788ull, 0);
    dx_fence(c, cells.gpuva + 4088, 0, 0);
    dx_fence(c, cells.gpuva + 4088, ~0ull, 0);
    run(q, c);
    g_assert_cmphex(qtest_readq(t->qts, cells.bus + 8), ==,
                    0x1122334455667788ull);
    g_assert_cmphex(qtest_readq(t->qts, cells.bus + 4088), ==, ~0ull);
    dx_assert_pattern(t, cells.bus, 8, 1);
    g_assert_cmpuint(dx_stat(t, "fence_writes"), ==, 3);
    dx_stop(t);
}

/* Copies bytes from and to places in a page; nothing around it may change. */
static void check_copy(DxQueue *q, uint32_t bytes, uint32_t from, uint32_t to)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = q->space->t;
    DxBuffer src = dx_buffer(q->space, from + bytes + 64);
    DxBuffer dst = dx_buffer(q->space, to + bytes + 64);
    g_autofree uint8_t *wanted = g_malloc(dst.bytes);
    g_autofree uint8_t *source = g_malloc(src.bytes);
    g_autofree uint8_t *found = g_malloc(dst.bytes);

    dx_pattern(source, src.bytes, 7);
    dx_pattern(wanted, dst.bytes, 8);
    qtest_memwrite(t->qts, src.bus, source, src.bytes);
    qtest_memwrite(t->qts, dst.bus, wanted, dst.bytes);
    memcpy(wanted + to, source + from, bytes);
    dx_copy(c, src.gpuva + from, dst.gpuva + to, bytes);
    run(q, c);
    qtest_memread(t->qts, dst.bus, found, dst.bytes);
    if (memcmp(found, wanted, dst.bytes)) {
        dx_fail("copy of %u bytes from +%u to +%u is wrong", bytes, from, to);
    }
    dx_assert_pattern(t, src.bus, src.bytes, 7);
}

static void test_copy(void)
{
    static const uint32_t cases[][3] = {
        { 1, 0, 0 }, { 1, 4095, 4095 }, { 8, 4092, 3 }, { 4096, 0, 0 },
        { 4096, 1, 4095 }, { 4097, 0, 0 }, { 8192, 100, 4000 },
        { 65535, 1, 0 }, { 65536, 0, 0 }, { 65537, 0, 1 },
        { 200000, 1234, 4321 },
    };
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t sum = 0;
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        check_copy(q, cases[i][0], cases[i][1], cases[i][2]);
        sum += cases[i][0];
    }
    g_assert_cmpuint(dx_stat(t, "copy_bytes"), ==, sum);
    dx_stop(t);
}

static void test_copy_neighbours(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxBuffer b = dx_buffer(q->space, 4096);

    /* Ranges that touch do not overlap, in either order. */
    dx_write_pattern(t, b.bus + 1024, 512, 3);
    dx_copy(c, b.gpuva + 1024, b.gpuva + 1536, 512);
    dx_copy(c, b.gpuva + 1024, b.gpuva + 512, 512);
    run(q, c);
    dx_assert_pattern(t, b.bus + 1536, 512, 3);
    dx_assert_pattern(t, b.bus + 512, 512, 3);
    dx_stop(t);
}

static void test_largest_transfer(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint32_t max = dx_reg(t, DXGPU_REG_MAX_TRANSFER_BYTES);
    DxBuffer src = dx_buffer(q->space, max);
    DxBuffer dst = dx_buffer(q->space, max);
    DxBuffer sums = dx_buffer(q->space, 8);
    uint32_t at;

    /* Marks in every page are enough to tell pages apart, and much faster. */
    for (at = 0; at < max; at += 1024 * 1024 - 12) {
        qtest_writel(t->qts, src.bus + at, at ^ 0x5a5a5a5a);
    }
    dx_copy(c, src.gpuva, dst.gpuva, max);
    dx_crc(c, src.gpuva, sums.gpuva, max, 0);
    dx_crc(c, dst.gpuva, sums.gpuva + 4, max, 0);
    run(q, c);
    for (at = 0; at < max; at += 1024 * 1024 - 12) {
        g_assert_cmphex(qtest_readl(t->qts, dst.bus + at), ==,
                        at ^ 0x5a5a5a5a);
    }
    g_assert_cmphex(qtest_readl(t->qts, sums.bus), !=, 0);
    g_assert_cmphex(qtest_readl(t->qts, sums.bus), ==,
                    qtest_readl(t->qts, sums.bus + 4));
    dx_fill(c, src.gpuva, max, 0x01020304);
    run(q, c);
    g_assert_cmphex(qtest_readl(t->qts, src.bus + max - 4), ==, 0x01020304);
    dx_stop(t);
}

static void test_fill(void)
{
    static const uint32_t cases[][2] = {
        { 0, 4 }, { 4092, 4 }, { 4092, 8 }, { 0, 4096 }, { 8, 65536 },
        { 4, 131076 },
    };
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t sum = 0;
    unsigned int i;
    uint32_t at;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint32_t from = cases[i][0], bytes = cases[i][1];
        DxBuffer b = dx_buffer(q->space, from + bytes + 64);
        g_autofree uint8_t *wanted = g_malloc(b.bytes);
        g_autofree uint8_t *found = g_malloc(b.bytes);
        static const uint8_t pattern[4] = { 0xef, 0xbe, 0xad, 0xde };

        dx_pattern(wanted, b.bytes, 5);
        qtest_memwrite(t->qts, b.bus, wanted, b.bytes);
        for (at = 0; at < bytes; at += 4) {
            memcpy(wanted + from + at, pattern, 4);
        }
        dx_fill(c, b.gpuva + from, bytes, 0xdeadbeef);
        run(q, c);
        qtest_memread(t->qts, b.bus, found, b.bytes);
        g_assert_cmpmem(found, b.bytes, wanted, b.bytes);
        sum += bytes;
    }
    g_assert_cmpuint(dx_stat(t, "fill_bytes"), ==, sum);
    dx_stop(t);
}

static void test_crc_known_values(void)
{
    static const struct {
        const char *bytes;
        uint32_t count, crc;
    } known[] = {
        { "123456789", 9, 0xe3069283 },
        { "a", 1, 0xc1d04330 },
        { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32,
          0x8a9136aa },
    };
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxBuffer b = dx_buffer(q->space, 4096);
    unsigned int i;

    for (i = 0; i < G_N_ELEMENTS(known); i++) {
        qtest_memwrite(t->qts, b.bus + 1, known[i].bytes, known[i].count);
        dx_crc(c, b.gpuva + 1, b.gpuva + 128, known[i].count, 0);
        run(q, c);
        g_assert_cmphex(qtest_readl(t->qts, b.bus + 128), ==, known[i].crc);
        /* The result is 32 bits and not more. */
        g_assert_cmphex(qtest_readl(t->qts, b.bus + 132), ==, 0);
    }
    dx_stop(t);
}

static void test_crc_in_pieces(void)
{
    static const uint32_t sizes[] = { 1, 4095, 4096, 65537, 150000 };
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxBuffer b = dx_buffer(q->space, 256 * 1024);
    DxBuffer result = dx_buffer(q->space, 4);
    g_autofree uint8_t *bytes = g_malloc(b.bytes);
    uint32_t at = 0, crc = 0;
    unsigned int i;

    dx_pattern(bytes, b.bytes, 11);
    dx_write_pattern(t, b.bus, b.bytes, 11);
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        dx_crc(c, b.gpuva + at, result.gpuva, sizes[i], crc);
        run(q, c);
        at += sizes[i];
        crc = qtest_readl(t->qts, result.bus);
        g_assert_cmphex(crc, ==, reference_crc(bytes, at, 0));
    }
    g_assert_cmpuint(dx_stat(t, "crc_bytes"), ==, at);
    dx_stop(t);
}

/* Each packet reads what the one before wrote. */
static void test_packets_in_order(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("packet-budget=1");
    DxQueue *q = dx_new_queue(t);
    DxBuffer b = dx_buffer(q->space, 17 * 8);
    unsigned int i;

    dx_fence(c, b.gpuva, 0xabcd, 0);
    for (i = 0; i < 16; i++) {
        dx_copy(c, b.gpuva + i * 8, b.gpuva + (i + 1) * 8, 8);
        dx_fence(c, b.gpuva + i * 8, i, 0);
    }
    run(q, c);
    for (i = 0; i < 16; i++) {
        g_assert_cmphex(qtest_readq(t->qts, b.bus + i * 8), ==, i);
    }
    g_assert_cmphex(qtest_readq(t->qts, b.bus + 16 * 8), ==, 0xabcd);
    dx_stop(t);
}

/* Sizes that no window of the decoder divides, up to the largest buffer. */
static void test_largest_command_buffer(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint32_t max = dx_reg(t, DXGPU_REG_MAX_COMMAND_BYTES);
    uint32_t fences = 0, nops = 0;

    while (c->len + 24 + 40 <= max) {
        dx_fence(c, q->fence.gpuva, ++fences, 0);
        dx_nop(c, 8 * (fences % 5 + 1));
        nops++;
    }
    while (c->len < max) {
        dx_nop(c, 8);
        nops++;
    }
    g_assert_cmpuint(c->len, ==, max);
    run(q, c);
    g_assert_cmpuint(dx_fence_now(q), ==, fences);
    g_assert_cmpuint(dx_stat(t, "fence_writes"), ==, fences);
    g_assert_cmpuint(dx_stat(t, "packets"), ==, fences + nops);
    dx_stop(t);
}

static void test_ring_wraps(void)
{
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t entries = dx_reg(t, DXGPU_REG_RING_MIN_ENTRIES);
    DxQueue *q = dx_queue(space, dx_context(space, 0), entries);
    unsigned int i, j;

    for (i = 0; i < 20; i++) {
        for (j = 0; j < entries; j++) {
            dx_submit_fence(q);
        }
        dx_kick(q);
        dx_wait_done(q);
        g_assert_cmpuint(dx_fence_now(q), ==, q->fence_value);
        g_assert_cmpuint(dx_rp_now(q), ==, q->wp);
    }
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 20 * entries);
    g_assert_cmpuint(dx_queue_status(t, q->id).entries, ==, 20 * entries);
    dx_stop(t);
}

static void test_counts_begin_anywhere(void)
{
    static const uint64_t starts[] = { 1, 5, 0xffffffffull, 1ull << 40, ~0ull };
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    unsigned int i, j;

    for (i = 0; i < G_N_ELEMENTS(starts); i++) {
        DxQueue *q = dx_queue_at(space, context, 4, starts[i]);

        g_assert_cmpuint(dx_queue_status(t, q->id).rp, ==, starts[i]);
        dx_kick(q);
        dx_settle(t);
        g_assert_cmpuint(dx_queue_status(t, q->id).state, ==,
                         DXGPU_QUEUE_IDLE);
        for (j = 0; j < 4; j++) {
            dx_submit_fence(q);
        }
        dx_kick(q);
        dx_wait_done(q);
        g_assert_cmpuint(dx_fence_now(q), ==, 4);
        g_assert_cmpuint(dx_rp_now(q), ==, starts[i] + 4);
        g_assert_cmpuint(dx_queue_status(t, q->id).entries, ==, 4);
    }
    dx_stop(t);
}

static void test_largest_ring(void)
{
    DxTest *t = dx_start("ring-max-entries=1024");
    DxSpace *space = dx_space(t);
    DxQueue *q = dx_queue(space, dx_context(space, 0), 1024);
    unsigned int i;

    for (i = 0; i < 1024; i++) {
        dx_submit_fence(q);
    }
    dx_kick(q);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1024);
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 1024);
    dx_stop(t);
}

static void test_ring_control_is_output(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t rp = q->control.bus + offsetof(struct dxgpu_ring_control, rp);
    uint64_t needed = q->control.bus +
                      offsetof(struct dxgpu_ring_control, ring_needed);
    unsigned int i;

    for (i = 0; i < 5; i++) {
        qtest_writeq(t->qts, rp, i * 0x1234567 + 99);
        qtest_writel(t->qts, needed, 0);
        dx_assert_works(q);
        g_assert_cmpuint(dx_rp_now(q), ==, i + 1);
        g_assert_cmpuint(qtest_readl(t->qts, needed), ==, 1);
    }
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 5);
    g_assert_cmpuint(dx_stat(t, "faults"), ==, 0);
    dx_stop(t);
}

/* RP moves with every entry: each one copies RP as it was before itself. */
static void test_rp_after_each_entry(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxBuffer seen = dx_buffer(q->space, 16 * 8);
    unsigned int i;

    for (i = 0; i < 16; i++) {
        dx_copy(c, q->control.gpuva + offsetof(struct dxgpu_ring_control, rp),
                seen.gpuva + i * 8, 8);
        dx_submit(q, c);
    }
    dx_kick(q);
    dx_wait_done(q);
    for (i = 0; i < 16; i++) {
        g_assert_cmpuint(qtest_readq(t->qts, seen.bus + i * 8), ==, i);
    }
    dx_stop(t);
}

/* An entry that makes the next one visible: found without another ring. */
static void test_work_that_appears_while_busy(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);

    dx_submit_fence(q);
    dx_submit_fence(q);
    dx_store_wp(q, 0);
    /* Entry 0 is replaced by one that stores WP = 2 when it is executed. */
    dx_fence(c, q->control.gpuva + offsetof(struct dxgpu_ring_control, wp), 2,
             0);
    dx_submit(q, c);
    dx_kick(q);
    q->wp = 2;
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 2);
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 2);
    dx_stop(t);
}

static void test_fence_interrupts(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("");
    DxSpace *space = dx_space(t);
    uint32_t nodes = dx_reg(t, DXGPU_REG_NUM_NODES);
    uint32_t i, vector;

    dx_irq_start(t);
    for (i = 0; i < nodes; i++) {
        DxQueue *q = dx_queue(space, dx_context(space, i), 4);

        dx_fence(c, q->fence.gpuva, 1, 0);
        run(q, c);
        dx_settle(t);
        for (vector = 0; vector <= nodes; vector++) {
            g_assert_false(dx_irq_taken(t, vector));
        }

        dx_fence(c, q->fence.gpuva, 2, DXGPU_FENCE_INTERRUPT);
        dx_submit(q, c);
        dx_kick(q);
        DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_NODE(i)));
        /* Who has the interrupt finds the fence. */
        g_assert_cmpuint(dx_fence_now(q), ==, 2);
        dx_settle(t);
        for (vector = 0; vector <= nodes; vector++) {
            g_assert_false(dx_irq_taken(t, vector));
        }
    }
    g_assert_cmpuint(dx_stat(t, "fence_interrupts"), ==, nodes);
    g_assert_cmpuint(dx_stat(t, "interrupts"), ==, nodes);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, 0);
    dx_stop(t);
}

/*
 * Two queues of one node, made runnable at the same time. The long one copies
 * the short one's fence at each step; how early it appears there is the turn.
 */
static unsigned int turn_of_short_queue(unsigned int budget, bool one_context)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    g_autofree char *properties = g_strdup_printf("packet-budget=%u", budget);
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 1);
    DxQueue *slow = dx_queue(space, context, 16);
    DxQueue *quick = dx_queue(space, one_context ? context :
                              dx_context(space, 1), 16);
    DxBuffer log = dx_buffer(space, 1000 * 8);
    unsigned int i;

    for (i = 0; i < 1000; i++) {
        dx_copy(c, quick->fence.gpuva, log.gpuva + i * 8, 8);
        if (i % 100 == 99) {
            dx_submit(slow, c);
        }
    }
    dx_submit_fence(quick);
    dx_park(t);
    dx_kick(slow);
    dx_kick(quick);
    dx_unpark(t);
    dx_wait_done(slow);
    dx_wait_done(quick);
    for (i = 0; i < 1000; i++) {
        if (qtest_readq(t->qts, log.bus + i * 8)) {
            break;
        }
    }
    dx_stop(t);
    return i;
}

static void test_round_robin(void)
{
    /* The budget also limits samples: one queue may begin a turn early. */
    g_assert_cmpuint(turn_of_short_queue(1, true), <=, 2);
    g_assert_cmpuint(turn_of_short_queue(1, false), <=, 2);
    g_assert_cmpuint(turn_of_short_queue(50, true), <=, 50);
    /* The budget is what makes it so: with a large one the other waits. */
    g_assert_cmpuint(turn_of_short_queue(300, false), >=, 250);
    g_assert_cmpuint(turn_of_short_queue(300, false), <=, 300);
}

static void test_many_queues_one_node(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("packet-budget=3");
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *q[100];
    unsigned int i, j;

    for (i = 0; i < 100; i++) {
        q[i] = dx_queue(space, context, 4);
        for (j = 0; j < 3; j++) {
            dx_nop(c, 16);
            dx_nop(c, 64);
            dx_fence(c, q[i]->fence.gpuva, j + 1, 0);
            dx_submit(q[i], c);
        }
    }
    dx_park(t);
    for (i = 0; i < 100; i++) {
        dx_kick(q[99 - i]);
    }
    dx_unpark(t);
    for (i = 0; i < 100; i++) {
        dx_wait_done(q[i]);
        g_assert_cmpuint(dx_fence_now(q[i]), ==, 3);
    }
    g_assert_cmpuint(dx_stat(t, "entries_completed"), ==, 300);
    g_assert_cmpuint(dx_node_status(t, 0).packets, ==, 900);
    g_assert_cmpuint(dx_node_status(t, 1).packets, ==, 0);
    dx_settle(t);
    g_assert_cmpuint(dx_node_status(t, 0).running_queue, ==, DXGPU_NO_QUEUE);
    g_assert_cmpuint(dx_node_status(t, 0).runnable, ==, 0);
    dx_stop(t);
}

/* Fills the ring with transfers that take a while. */
static DxQueue *long_work(DxSpace *space, uint32_t context)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = space->t;
    uint32_t max = dx_reg(t, DXGPU_REG_MAX_TRANSFER_BYTES);
    DxBuffer src = dx_buffer(space, max);
    DxBuffer dst = dx_buffer(space, max);
    DxQueue *q = dx_queue(space, context, 16);
    unsigned int i, j;

    for (i = 0; i < 16; i++) {
        for (j = 0; j < 50; j++) {
            dx_copy(c, src.gpuva, dst.gpuva, max);
        }
        dx_fence(c, q->fence.gpuva, ++q->fence_value, 0);
        dx_submit(q, c);
    }
    return q;
}

static void check_suspend_is_prompt(const char *properties)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    DxQueue *q = long_work(space, dx_context(space, 0));
    DxQueue *other = dx_queue(space, dx_context(space, 0), 16);
    uint64_t bytes;

    dx_reg_write(t, DXGPU_REG_INT_ENABLE, DXGPU_INT_ACK);
    dx_irq_start(t);
    dx_kick(q);
    DX_WAIT(t, dx_stat(t, "copy_bytes") > 0);
    dx_suspend(t, q->context);
    /* 800 copies of 16 MiB cannot be over: it is in the midst of one. */
    bytes = dx_stat(t, "copy_bytes");
    g_assert_cmpuint(dx_queue_status(t, q->id).rp, <, q->wp);
    g_assert_cmpuint(dx_queue_status(t, q->id).state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    g_assert_cmpuint(dx_context_status(t, q->context).suspended, ==, 1);
    DX_WAIT(t, dx_irq_taken(t, DXGPU_VECTOR_EVENT));
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_ACK);
    dx_reg_write(t, DXGPU_REG_INT_CAUSE, DXGPU_INT_ACK);
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, 0);
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "copy_bytes"), ==, bytes);
    g_assert_cmpuint(dx_stat(t, "suspends"), ==, 1);
    /* The node is free for others meanwhile. */
    dx_assert_works(other);
    /* It goes on where it stopped. */
    dx_resume(t, q->context);
    DX_WAIT(t, dx_stat(t, "copy_bytes") > bytes);
    g_assert_cmpuint(dx_context_status(t, q->context).suspended, ==, 0);
    dx_stop(t);
}

static void test_suspend(void)
{
    check_suspend_is_prompt("threads=0");
}

static void test_suspend_thread(void)
{
    check_suspend_is_prompt("threads=1");
}

/* A transfer that is stopped again and again is still done once and right. */
static void test_suspend_often(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("packet-budget=1");
    DxSpace *space = dx_space(t);
    DxQueue *q = dx_queue(space, dx_context(space, 0), 4);
    uint32_t bytes = 2 * 1024 * 1024;
    DxBuffer src = dx_buffer(space, bytes);
    DxBuffer dst = dx_buffer(space, bytes);
    DxBuffer sum = dx_buffer(space, 4);
    g_autofree uint8_t *data = g_malloc(bytes);
    unsigned int i;

    dx_pattern(data, bytes, 21);
    qtest_memwrite(t->qts, src.bus, data, bytes);
    dx_copy(c, src.gpuva, dst.gpuva, bytes);
    dx_crc(c, dst.gpuva, sum.gpuva, bytes, 0);
    dx_fence(c, q->fence.gpuva, 1, 0);
    dx_submit(q, c);
    dx_kick(q);
    for (i = 0; i < 40; i++) {
        dx_suspend(t, q->context);
        dx_resume(t, q->context);
    }
    dx_wait_done(q);
    g_assert_cmphex(qtest_readl(t->qts, sum.bus), ==,
                    reference_crc(data, bytes, 0));
    dx_assert_pattern(t, dst.bus, bytes, 21);
    g_assert_cmpuint(dx_stat(t, "copy_bytes"), ==, bytes);
    g_assert_cmpuint(dx_stat(t, "crc_bytes"), ==, bytes);
    g_assert_cmpuint(dx_stat(t, "fence_writes"), ==, 1);
    dx_stop(t);
}

static void check_remove_is_prompt(const char *properties)
{
    DxTest *t = dx_start(properties);
    DxSpace *space = dx_space(t);
    uint32_t context = dx_context(space, 0);
    DxQueue *q = long_work(space, context);
    DxQueue *other = dx_queue(space, context, 16);
    struct dxgpu_queue_status status, zero = { 0 };
    uint64_t bytes;

    dx_bind(q, 6);
    DX_WAIT(t, dx_stat(t, "copy_bytes") > 0);
    dx_remove(q);
    bytes = dx_stat(t, "copy_bytes");
    status = dx_queue_status(t, q->id);
    zero.remove_fence = t->last_fence;
    g_assert_cmpmem(&status, sizeof(status), &zero, sizeof(zero));
    g_assert_cmphex(dx_reg(t, DXGPU_REG_INT_CAUSE), ==, DXGPU_INT_ACK);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "slots_bound"), ==, 0);
    g_assert_cmpuint(dx_stat(t, "unbinds"), ==, 1);
    g_assert_cmpuint(dx_stat(t, "removes"), ==, 1);
    g_assert_cmpuint(dx_fence_now(q), <, q->fence_value);
    /* Nothing of it is touched any more, and its doorbell is nobody's. */
    dx_ring(t, 6, q->wp);
    dx_settle(t);
    g_assert_cmpuint(dx_stat(t, "copy_bytes"), ==, bytes);
    g_assert_cmpuint(dx_stat(t, "doorbell_unbound"), ==, 1);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_KICK, q->id), ==,
                     DXGPU_CMD_ERR_NOT_FOUND);
    dx_assert_works(other);
    dx_stop(t);
}

static void test_remove(void)
{
    check_remove_is_prompt("threads=0");
}

static void test_remove_thread(void)
{
    check_remove_is_prompt("threads=1");
}

static void test_id_again_after_remove(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    unsigned int i;

    for (i = 0; i < 10; i++) {
        dx_bind(q, i);
        dx_assert_works(q);
        dx_remove(q);
        /* The id is another queue now: counts begin anew, as commanded. */
        dx_store_wp(q, 100 * i);
        dx_create(q);
        g_assert_cmpuint(dx_queue_status(t, q->id).entries, ==, 0);
        g_assert_cmpuint(dx_queue_status(t, q->id).rp, ==, 100 * i);
        g_assert_cmpuint(dx_queue_status(t, q->id).rings, ==, 0);
    }
    dx_assert_works(q);
    g_assert_cmpuint(dx_stat(t, "queues"), ==, 1);
    dx_stop(t);
}

/* While it is being removed the queue is neither there nor free. */
static void test_commands_while_removing(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t fence;

    dx_park(t);
    fence = dx_remove_start(q);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_KICK, q->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_DOORBELL_BIND, 0, q->id), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_QUEUE_REMOVE, q->id, fence + 1),
                     ==, DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_command(t, DXGPU_CMD_CONTEXT_DESTROY, q->context), ==,
                     DXGPU_CMD_ERR_BUSY);
    g_assert_cmpuint(dx_queue_status(t, q->id).remove_fence, ==, 0);
    dx_unpark(t);
    DX_WAIT(t, dx_queue_status(t, q->id).remove_fence == fence);
    dx_command_ok(t, DXGPU_CMD_CONTEXT_DESTROY, q->context);
    dx_stop(t);
}

static void test_suspended_context_and_its_queues(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    DxQueue *later;

    dx_suspend(t, q->context);
    /* Suspend again: a new fence, the same state. */
    dx_suspend(t, q->context);
    later = dx_queue(q->space, q->context, 4);
    g_assert_cmpuint(dx_queue_status(t, later->id).state, ==,
                     DXGPU_QUEUE_SUSPENDED);
    dx_submit_fence(later);
    dx_bind(later, 0);
    dx_settle(t);
    g_assert_cmpuint(dx_fence_now(later), ==, 0);
    dx_remove(q);
    dx_resume(t, later->context);
    dx_wait_done(later);
    g_assert_cmpuint(dx_fence_now(later), ==, 1);
    dx_stop(t);
}

/* A resume that overtakes its suspend: acknowledged, and nothing stands. */
static void test_resume_before_suspend_is_served(void)
{
    DxTest *t = dx_start("");
    DxQueue *q = dx_new_queue(t);
    uint64_t fence;

    dx_submit_fence(q);
    dx_park(t);
    dx_kick(q);
    fence = dx_suspend_start(t, q->context);
    dx_resume(t, q->context);
    dx_unpark(t);
    DX_WAIT(t, dx_context_status(t, q->context).suspend_fence == fence);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, 1);
    g_assert_cmpuint(dx_context_status(t, q->context).suspended, ==, 0);
    dx_stop(t);
}

static void test_all_nodes_with_a_thread(void)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    DxTest *t = dx_start("threads=1,packet-budget=2");
    DxSpace *space = dx_space(t);
    uint32_t bytes = 16 * 1024;
    DxQueue *q[12];
    DxBuffer src[12], dst[12];
    unsigned int i, round;

    for (i = 0; i < 12; i++) {
        q[i] = dx_queue(space, dx_context(space, i % 3), 16);
        src[i] = dx_buffer(space, bytes);
        dst[i] = dx_buffer(space, bytes);
        dx_bind(q[i], i);
    }
    for (round = 0; round < 10; round++) {
        for (i = 0; i < 12; i++) {
            dx_write_pattern(t, src[i].bus, bytes, round * 12 + i);
            dx_copy(c, src[i].gpuva, dst[i].gpuva, bytes);
            dx_fence(c, q[i]->fence.gpuva, round + 1, 0);
            dx_submit(q[i], c);
            dx_ring(t, i, q[i]->wp);
        }
        for (i = 0; i < 12; i++) {
            dx_wait_done(q[i]);
            g_assert_cmpuint(dx_fence_now(q[i]), ==, round + 1);
            dx_assert_pattern(t, dst[i].bus, bytes, round * 12 + i);
        }
    }
    g_assert_cmpuint(dx_stat(t, "copy_bytes"), ==, 120 * bytes);
    dx_stop(t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("dxgpu/ring/nop", test_nop);
    qtest_add_func("dxgpu/ring/fence-write", test_fence);
    qtest_add_func("dxgpu/ring/copy", test_copy);
    qtest_add_func("dxgpu/ring/copy-between-neighbours", test_copy_neighbours);
    qtest_add_func("dxgpu/ring/largest-transfer", test_largest_transfer);
    qtest_add_func("dxgpu/ring/fill", test_fill);
    qtest_add_func("dxgpu/ring/crc32c-known-values", test_crc_known_values);
    qtest_add_func("dxgpu/ring/crc32c-in-pieces", test_crc_in_pieces);
    qtest_add_func("dxgpu/ring/DEV-11-packets-in-order",
                   test_packets_in_order);
    qtest_add_func("dxgpu/ring/largest-command-buffer",
                   test_largest_command_buffer);
    qtest_add_func("dxgpu/ring/SEC-4-ring-wraps", test_ring_wraps);
    qtest_add_func("dxgpu/ring/SEC-4-counts-begin-anywhere",
                   test_counts_begin_anywhere);
    qtest_add_func("dxgpu/ring/largest-ring", test_largest_ring);
    qtest_add_func("dxgpu/ring/SEC-5-ring-control-is-output",
                   test_ring_control_is_output);
    qtest_add_func("dxgpu/ring/DEV-2-rp-after-each-entry",
                   test_rp_after_each_entry);
    qtest_add_func("dxgpu/ring/ORD-29-work-that-appears-while-busy",
                   test_work_that_appears_while_busy);
    qtest_add_func("dxgpu/ring/fence-interrupt-by-node",
                   test_fence_interrupts);
    qtest_add_func("dxgpu/ring/DEV-8-round-robin-by-packet-budget",
                   test_round_robin);
    qtest_add_func("dxgpu/ring/DEV-8-many-queues-one-node",
                   test_many_queues_one_node);
    qtest_add_func("dxgpu/ring/DEV-10-suspend-inside-a-transfer",
                   test_suspend);
    qtest_add_func("dxgpu/ring/DEV-10-suspended-often-executed-once",
                   test_suspend_often);
    qtest_add_func("dxgpu/ring/OBJ-24-remove-inside-a-transfer", test_remove);
    qtest_add_func("dxgpu/ring/OBJ-24-id-again-after-remove",
                   test_id_again_after_remove);
    qtest_add_func("dxgpu/ring/SEC-22-commands-while-removing",
                   test_commands_while_removing);
    qtest_add_func("dxgpu/ring/suspended-context-and-its-queues",
                   test_suspended_context_and_its_queues);
    qtest_add_func("dxgpu/ring/resume-before-suspend-is-served",
                   test_resume_before_suspend_is_served);
    qtest_add_func("dxgpu/ring/thread/DEV-10-suspend-inside-a-transfer",
                   test_suspend_thread);
    qtest_add_func("dxgpu/ring/thread/OBJ-24-remove-inside-a-transfer",
                   test_remove_thread);
    qtest_add_func("dxgpu/ring/thread/all-nodes-at-once",
                   test_all_nodes_with_a_thread);
    return g_test_run();
}
