/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: packets, rings, and how they are completed.
 *
 * Data is checked byte by byte against what the test wrote, with sizes and
 * offsets that cross pages and chunks. The order of effects is observed by the
 * device itself, with packets that read what others have written.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

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
    dx_run(q, c);
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
    dx_run(q, c);
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
    qtest_bufwrite(t->qts, src.bus, source, src.bytes);
    qtest_bufwrite(t->qts, dst.bus, wanted, dst.bytes);
    memcpy(wanted + to, source + from, bytes);
    dx_copy(c, src.gpuva + from, dst.gpuva + to, bytes);
    dx_run(q, c);
    qtest_bufread(t->qts, dst.bus, found, dst.bytes);
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
    dx_run(q, c);
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
    dx_run(q, c);
    for (at = 0; at < max; at += 1024 * 1024 - 12) {
        g_assert_cmphex(qtest_readl(t->qts, dst.bus + at), ==,
                        at ^ 0x5a5a5a5a);
    }
    g_assert_cmphex(qtest_readl(t->qts, sums.bus), !=, 0);
    g_assert_cmphex(qtest_readl(t->qts, sums.bus), ==,
                    qtest_readl(t->qts, sums.bus + 4));
    dx_fill(c, src.gpuva, max, 0x01020304);
    dx_run(q, c);
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
        qtest_bufwrite(t->qts, b.bus, wanted, b.bytes);
        for (at = 0; at < bytes; at += 4) {
            memcpy(wanted + from + at, pattern, 4);
        }
        dx_fill(c, b.gpuva + from, bytes, 0xdeadbeef);
        dx_run(q, c);
        qtest_bufread(t->qts, b.bus, found, b.bytes);
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
        qtest_bufwrite(t->qts, b.bus + 1, known[i].bytes, known[i].count);
        dx_crc(c, b.gpuva + 1, b.gpuva + 128, known[i].count, 0);
        dx_run(q, c);
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
        dx_run(q, c);
        at += sizes[i];
        crc = qtest_readl(t->qts, result.bus);
        g_assert_cmphex(crc, ==, dx_crc_of(bytes, at, 0));
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
    dx_run(q, c);
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
    dx_run(q, c);
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
    qtest_add_func("dxgpu/ring/DEV-11-packets-in-order", test_packets_in_order);
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
    return g_test_run();
}
