/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets: decoding with every error (FH-14), execution with the data checked,
 * progress fences (DEV-11) and the state that faults leave.
 */
#include <string.h>

#include "fake.h"
#include "state.h"

#define LIMIT (1ull << 48)
#define MAX_BYTES DXGPU_CORE_MAX_TRANSFER_BYTES

/* Decodes words as a packet of a buffer that ends after avail bytes. */
static uint32_t decode(uint8_t opcode, uint8_t flags, uint16_t bytes,
                       uint32_t reserved, uint64_t a, uint64_t b, uint64_t c,
                       uint32_t avail)
{
    struct dxgpu_packet_header header = { opcode, flags, bytes, reserved };
    uint64_t words[4] = { 0, a, b, c };
    struct dxgpu_op op;
    uint32_t length;
    uint64_t gpuva;

    memcpy(words, &header, sizeof(header));
    return dxgpu_packet_decode((uint8_t *)words, avail, &op, &length, &gpuva);
}

static uint64_t pair(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

static void test_decode_header(void)
{
    int opcode;

    for (opcode = DXGPU_OP_INDIRECT + 1; opcode < 256; opcode++) {
        g_assert_cmpuint(decode(opcode, 0, 32, 0, 0, 0, 0, 32), ==,
                         DXGPU_FAULT_OPCODE);
    }
    g_assert_cmpuint(decode(DXGPU_OP_NOP, 0, 8, 0, 0, 0, 0, 8), ==, 0);
    g_assert_cmpuint(decode(DXGPU_OP_NOP, 0, 256, 0, 0, 0, 0, 256), ==, 0);
    g_assert_cmpuint(decode(DXGPU_OP_NOP, 0, 0, 0, 0, 0, 0, 8), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(DXGPU_OP_NOP, 0, 4, 0, 0, 0, 0, 8), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(DXGPU_OP_NOP, 0, 12, 0, 0, 0, 0, 32), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(DXGPU_OP_NOP, 0, 264, 0, 0, 0, 0, 512), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(DXGPU_OP_NOP, 0, 16, 0, 0, 0, 0, 8), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(DXGPU_OP_NOP, 1, 8, 0, 0, 0, 0, 8), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(DXGPU_OP_NOP, 0, 8, 1, 0, 0, 0, 8), ==,
                     DXGPU_FAULT_OPERAND);
}

static void test_decode_timestamp(void)
{
    g_assert_cmpuint(decode(5, 0, 16, 0, 8, 0, 0, 16), ==, 0);
    g_assert_cmpuint(decode(5, 1, 16, 0, 8, 0, 0, 16), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(5, 0, 24, 0, 8, 0, 0, 24), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(5, 0, 16, 0, 8, 0, 0, 8), ==, DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(5, 0, 16, 0, 4, 0, 0, 16), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(5, 0, 16, 0, LIMIT, 0, 0, 16), ==,
                     DXGPU_FAULT_ADDRESS);
}

static void test_decode_delay(void)
{
    const uint32_t most = DXGPU_CORE_MAX_DELAY_NS;

    g_assert_cmpuint(decode(6, 0, 16, 0, 0, 0, 0, 16), ==, 0);
    g_assert_cmpuint(decode(6, 0, 16, 0, most, 0, 0, 16), ==, 0);
    g_assert_cmpuint(decode(6, 0, 16, 0, most + 1, 0, 0, 16), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(6, 0, 16, 0, -1ull, 0, 0, 16), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(6, 4, 16, 0, 1, 0, 0, 16), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(6, 0, 8, 0, 1, 0, 0, 16), ==, DXGPU_FAULT_LENGTH);
}

static void test_decode_indirect(void)
{
    const uint32_t most = DXGPU_CORE_MAX_COMMAND_BYTES;

    g_assert_cmpuint(decode(7, 0, 24, 0, 8, 8, 0, 24), ==, 0);
    g_assert_cmpuint(decode(7, 0, 24, 0, 8, most, 0, 24), ==, 0);
    g_assert_cmpuint(decode(7, 0, 24, 0, LIMIT - 8, 8, 0, 24), ==, 0);
    g_assert_cmpuint(decode(7, 0, 24, 0, 8, most + 8, 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(7, 0, 24, 0, 8, 0, 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(7, 0, 24, 0, 8, 12, 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(7, 0, 24, 0, 4, 8, 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(7, 0, 24, 0, 8, pair(8, 1), 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(7, 2, 24, 0, 8, 8, 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(7, 0, 16, 0, 8, 8, 0, 24), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(7, 0, 24, 0, LIMIT - 8, 16, 0, 24), ==,
                     DXGPU_FAULT_ADDRESS);
}

static void test_decode_fence(void)
{
    g_assert_cmpuint(decode(1, 0, 24, 0, 8, 1, 0, 24), ==, 0);
    g_assert_cmpuint(decode(1, 1, 24, 0, 8, 1, 0, 24), ==, 0);
    g_assert_cmpuint(decode(1, 2, 24, 0, 8, 1, 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(1, 0, 24, 0, 4, 1, 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(1, 0, 16, 0, 8, 1, 0, 24), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(1, 0, 32, 0, 8, 1, 0, 32), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(1, 0, 24, 0, 8, 1, 0, 16), ==,
                     DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(decode(1, 0, 24, 0, LIMIT - 8, 1, 0, 24), ==, 0);
    g_assert_cmpuint(decode(1, 0, 24, 0, LIMIT, 1, 0, 24), ==,
                     DXGPU_FAULT_ADDRESS);
    g_assert_cmpuint(decode(1, 0, 24, 0, -8ull, 1, 0, 24), ==,
                     DXGPU_FAULT_ADDRESS);
}

static uint32_t decode_copy(uint64_t src, uint64_t dst, uint32_t bytes,
                            uint32_t reserved)
{
    return decode(DXGPU_OP_COPY, 0, 32, 0, src, dst, pair(bytes, reserved),
                  32);
}

static void test_decode_copy(void)
{
    g_assert_cmpuint(decode_copy(0, 1, 1, 0), ==, 0);
    g_assert_cmpuint(decode_copy(0, MAX_BYTES, MAX_BYTES, 0), ==, 0);
    g_assert_cmpuint(decode_copy(0, 1 << 30, 0, 0), ==, DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode_copy(0, 1 << 30, MAX_BYTES + 1, 0), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode_copy(0, 1 << 30, UINT32_MAX, 0), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode_copy(0, 8, 8, 1), ==, DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode_copy(8, 0, 9, 0), ==, DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode_copy(0, 8, 9, 0), ==, DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode_copy(8, 8, 1, 0), ==, DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode_copy(LIMIT - 8, 0, 9, 0), ==,
                     DXGPU_FAULT_ADDRESS);
    g_assert_cmpuint(decode_copy(0, LIMIT - 8, 9, 0), ==,
                     DXGPU_FAULT_ADDRESS);
    g_assert_cmpuint(decode_copy(-4ull, 100, 8, 0), ==, DXGPU_FAULT_ADDRESS);
    g_assert_cmpuint(decode(DXGPU_OP_COPY, 1, 32, 0, 0, 8, 8, 32), ==,
                     DXGPU_FAULT_OPERAND);
}

static void test_decode_fill(void)
{
    uint8_t op = DXGPU_OP_FILL;

    g_assert_cmpuint(decode(op, 0, 24, 0, 4, pair(4, 7), 0, 24), ==, 0);
    g_assert_cmpuint(decode(op, 0, 24, 0, 2, pair(4, 7), 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(op, 0, 24, 0, 4, pair(6, 7), 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(op, 0, 24, 0, 4, pair(0, 7), 0, 24), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(op, 0, 24, 0, 4, pair(MAX_BYTES + 4, 7), 0, 24),
                     ==, DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(op, 0, 24, 0, LIMIT - 4, pair(8, 7), 0, 24), ==,
                     DXGPU_FAULT_ADDRESS);
}

static void test_decode_crc(void)
{
    uint8_t op = DXGPU_OP_CRC32C;

    g_assert_cmpuint(decode(op, 0, 32, 0, 1, 4, pair(1, 0), 32), ==, 0);
    g_assert_cmpuint(decode(op, 0, 32, 0, 1, 2, pair(1, 0), 32), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(op, 0, 32, 0, 1, 4, pair(0, 0), 32), ==,
                     DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(op, 0, 32, 0, 1, 4, pair(MAX_BYTES + 1, 0), 32),
                     ==, DXGPU_FAULT_OPERAND);
    g_assert_cmpuint(decode(op, 0, 32, 0, LIMIT, 4, pair(1, 0), 32), ==,
                     DXGPU_FAULT_ADDRESS);
    g_assert_cmpuint(decode(op, 0, 32, 0, 1, LIMIT, pair(1, 0), 32), ==,
                     DXGPU_FAULT_ADDRESS);
}

static void submit_and_run(struct fake_queue *q)
{
    fake_submit(q);
    dxgpu_core_doorbell(q->f->core, 0, q->wp);
    fake_run(q->f);
}

static void random_fill(struct fake_queue *q, uint32_t bytes)
{
    uint8_t *p = fake_ptr(q->f, q->data_bus);
    uint32_t i;

    for (i = 0; i < bytes; i++) {
        p[i] = g_test_rand_int();
    }
}

/* Across pages and chunks, from and to odd addresses. */
static void test_copy(void)
{
    const uint32_t bytes = 3 * 4096 + 65536 + 17;
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint8_t *p = fake_ptr(f, q.data_bus);

    random_fill(&q, bytes + 8);
    fake_put_copy(&q, q.data + 5, q.data + 0x20003, bytes);
    submit_and_run(&q);
    g_assert_cmpmem(p + 5, bytes, p + 0x20003, bytes);
    g_assert_cmpuint(p[0x20002], ==, 0);
    g_assert_cmpuint(p[0x20003 + bytes], ==, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_COPY_BYTES), ==, bytes);
    fake_free(f);
}

/* The pages of the destination lie in memory in reverse order. */
static void test_copy_scattered(void)
{
    const uint32_t bytes = 8 * 4096;
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint64_t bus = fake_alloc(f, bytes);
    uint8_t *p = fake_ptr(f, q.data_bus);
    int i;

    for (i = 0; i < 8; i++) {
        fake_map(f, q.root, 0x7000000 + i * 4096, bus + (7 - i) * 4096, 4096,
                 FAKE_RW);
    }
    random_fill(&q, bytes);
    fake_put_copy(&q, q.data, 0x7000000, bytes);
    submit_and_run(&q);
    for (i = 0; i < 8; i++) {
        g_assert_cmpmem(p + i * 4096, 4096,
                        (uint8_t *)fake_ptr(f, bus) + (7 - i) * 4096, 4096);
    }
    fake_free(f);
}

static void test_fill(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint32_t *p = fake_ptr(f, q.data_bus);
    int i;

    fake_put_fill(&q, q.data + 4092, 70000, 0x12345678);
    submit_and_run(&q);
    g_assert_cmpuint(p[1022], ==, 0);
    for (i = 1023; i < 1023 + 17500; i++) {
        g_assert_cmpuint(p[i], ==, 0x12345678);
    }
    g_assert_cmpuint(p[1023 + 17500], ==, 0);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FILL_BYTES), ==, 70000);
    fake_free(f);
}

/* The check value of the sum, a long range, and a stream summed in pieces. */
static void test_crc(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint8_t *p = fake_ptr(f, q.data_bus);
    uint32_t *result = (uint32_t *)(p + 0x30000);
    uint32_t first;

    memcpy(p, "123456789", 9);
    fake_put_crc(&q, q.data, q.data + 0x30000, 9, 0);
    submit_and_run(&q);
    g_assert_cmphex(result[0], ==, 0xe3069283);

    random_fill(&q, 150000);
    first = fake_crc32c(0, p + 3, 70001);
    fake_put_crc(&q, q.data + 3, q.data + 0x30004, 70001, 0);
    fake_put_crc(&q, q.data + 3 + 70001, q.data + 0x30008, 60000, first);
    submit_and_run(&q);
    g_assert_cmphex(result[1], ==, first);
    g_assert_cmphex(result[2], ==, fake_crc32c(0, p + 3, 130001));
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_CRC_BYTES), ==, 9 + 130001);
    fake_free(f);
}

/* Packets of one buffer, cut by the read window, take effect in order. */
static void test_sequence(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint32_t *p = fake_ptr(f, q.data_bus);
    int i;

    for (i = 0; i < 10; i++) {
        fake_put_nop(&q, 8 + 8 * (i % 3));
        fake_put_fill(&q, q.data + 64 + 4 * i, 4, i + 1);
        fake_put_copy(&q, q.data + 64 + 4 * i, q.data + 256 + 4 * i, 4);
    }
    fake_put_nop(&q, 256);
    fake_put_fence(&q, q.data, 99, 0);
    submit_and_run(&q);
    for (i = 0; i < 10; i++) {
        g_assert_cmpuint(p[64 + i], ==, i + 1);
    }
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 99);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_PACKETS), ==, 32);
    g_assert_cmpuint(fake_node_status(f, 0)->packets, ==, 32);
    fake_free(f);
}

static void test_fence_interrupt(void)
{
    struct fake *f = fake_new(NULL);
    uint64_t root = fake_space(f, 0);
    struct fake_queue q;
    uint32_t node;

    for (node = 0; node < f->config.nodes; node++) {
        fake_context(f, node, 0, node);
        q = fake_queue(f, node, node, root, 4);
        fake_cmd2(f, DXGPU_CMD_DOORBELL_BIND, 0, node);
        fake_put_fence(&q, q.data, 1, 0);
        submit_and_run(&q);
        g_assert_cmpuint(f->vectors[DXGPU_VECTOR_NODE(node)], ==, 0);
        fake_put_fence(&q, q.data, 2, DXGPU_FENCE_INTERRUPT);
        submit_and_run(&q);
        g_assert_cmpuint(f->vectors[DXGPU_VECTOR_NODE(node)], ==, 1);
        fake_cmd1(f, DXGPU_CMD_DOORBELL_UNBIND, 0);
    }
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FENCE_INTERRUPTS), ==, 3);
    fake_free(f);
}

/* Earlier packets count, later ones do not happen, the rest is reported. */
static void test_bad_packet(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    struct dxgpu_packet_header bad = { .opcode = 0x77, .bytes = 8 };
    volatile struct dxgpu_queue_status *status;

    dxgpu_core_set_int_enable(f->core, DXGPU_INT_FAULT);
    fake_put_fence(&q, q.data, 1, 0);
    fake_put(&q, &bad, 8);
    fake_put_fence(&q, q.data, 2, 0);
    submit_and_run(&q);
    status = fake_assert_fault(&q, DXGPU_FAULT_OPCODE);
    g_assert_cmpuint(status->fault_gpuva, ==, 0);
    g_assert_cmpuint(status->fault_fence, ==, 1);
    g_assert_cmpuint(status->fault_rp, ==, 0);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 1);
    g_assert_cmpuint(f->vectors[DXGPU_VECTOR_EVENT], ==, 1);
    g_assert_cmpuint(fake_stat(f, DXGPU_STAT_FAULTS), ==, 1);
    g_assert_cmpuint(fake_node_status(f, 0)->runnable, ==, 0);
    fake_free(f);
}

/* A packet that the end of the buffer cuts. */
static void test_cut_packet(void)
{
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);

    fake_put_fence(&q, q.data, 1, 0);
    q.length -= 8;
    submit_and_run(&q);
    fake_assert_fault(&q, DXGPU_FAULT_LENGTH);
    g_assert_cmpuint(fake_load(f, q.data_bus), ==, 0);
    fake_free(f);
}

static struct fake_queue *changed;

static void change_command(struct fake *f)
{
    uint64_t *words = fake_ptr(f, changed->commands_bus);

    words[1] = 0x123;   /* source, destination and length of the copy */
    words[2] = 0x123;
    words[3] = UINT64_MAX;
}

/* SEC-2: a packet that is changed after it was copied does not matter. */
static void test_no_double_fetch(void)
{
    const uint32_t bytes = 0x1f000;
    struct fake *f = fake_new(NULL);
    struct fake_queue q = fake_bound_queue(f, 0, 0);
    uint8_t *p = fake_ptr(f, q.data_bus);

    random_fill(&q, bytes);
    changed = &q;
    f->on_write = change_command;
    fake_put_copy(&q, q.data, q.data + 0x20000, bytes);
    submit_and_run(&q);
    g_assert_cmpmem(p, bytes, p + 0x20000, bytes);
    g_assert_cmpuint(fake_queue_status(f, 0)->state, ==, DXGPU_QUEUE_IDLE);
    fake_free(f);
}

static bool entry_too;

static void change_when_read(struct fake *f, uint64_t bus)
{
    if (bus == changed->commands_bus) {
        change_command(f);
    } else if (entry_too && bus == changed->ring_bus) {
        fake_entry(changed, 0)->command_gpuva = 0x8;
    }
}

/* Nor does it when the change comes right after the copy, before the check. */
static void test_read_once(void)
{
    int i;

    for (i = 0; i < 2; i++) {
        struct fake *f = fake_new(NULL);
        struct fake_queue q = fake_bound_queue(f, 0, 0);
        uint8_t *p = fake_ptr(f, q.data_bus);

        changed = &q;
        entry_too = i;
        f->on_read = change_when_read;
        random_fill(&q, 64);
        fake_put_copy(&q, q.data, q.data + 64, 64);
        submit_and_run(&q);
        g_assert_cmpmem(p, 64, p + 64, 64);
        g_assert_cmpuint(fake_queue_status(f, 0)->state, ==,
                         DXGPU_QUEUE_IDLE);
        fake_free(f);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/decode/timestamp", test_decode_timestamp);
    g_test_add_func("/decode/delay", test_decode_delay);
    g_test_add_func("/decode/indirect", test_decode_indirect);
    g_test_add_func("/decode/header", test_decode_header);
    g_test_add_func("/decode/fence", test_decode_fence);
    g_test_add_func("/decode/copy", test_decode_copy);
    g_test_add_func("/decode/fill", test_decode_fill);
    g_test_add_func("/decode/crc", test_decode_crc);
    g_test_add_func("/execute/copy", test_copy);
    g_test_add_func("/execute/copy-scattered", test_copy_scattered);
    g_test_add_func("/execute/fill", test_fill);
    g_test_add_func("/execute/crc", test_crc);
    g_test_add_func("/execute/sequence", test_sequence);
    g_test_add_func("/execute/fence-interrupt", test_fence_interrupt);
    g_test_add_func("/execute/bad-packet", test_bad_packet);
    g_test_add_func("/execute/cut-packet", test_cut_packet);
    g_test_add_func("/execute/no-double-fetch", test_no_double_fetch);
    g_test_add_func("/execute/SEC-2-read-once", test_read_once);
    return g_test_run();
}
