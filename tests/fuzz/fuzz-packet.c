/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: decoding of packets. The input is a command buffer, decoded
 * packet by packet until one is refused. Each decoding sees a buffer of the
 * exact size that its contract allows it to read, so that ASan sees one byte
 * more; what it accepts is checked against packet.h, not against its own code.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void check_range(uint64_t start, uint64_t bytes)
{
    g_assert_cmpuint(start, <, DXGPU_GPUVA_END);
    g_assert_cmpuint(bytes, >, 0);
    g_assert_cmpuint(start + bytes, <=, DXGPU_GPUVA_END);
}

static void check_transfer(uint32_t bytes)
{
    g_assert_cmpuint(bytes, >, 0);
    g_assert_cmpuint(bytes, <=, DXGPU_CORE_MAX_TRANSFER_BYTES);
}

static void check_op(const struct dxgpu_op *op)
{
    g_assert_cmpuint(op->done, ==, 0);
    if (op->opcode != DXGPU_OP_FENCE_WRITE) {
        g_assert_cmpuint(op->flags, ==, 0);
    }
    switch (op->opcode) {
    case DXGPU_OP_NOP:
        break;
    case DXGPU_OP_FENCE_WRITE:
        g_assert_cmpuint(op->flags & ~DXGPU_FENCE_INTERRUPT, ==, 0);
        /* fall through */
    case DXGPU_OP_TIMESTAMP:
        g_assert_cmpuint(op->dst % 8, ==, 0);
        check_range(op->dst, 8);
        break;
    case DXGPU_OP_COPY:
        check_transfer(op->bytes);
        check_range(op->src, op->bytes);
        check_range(op->dst, op->bytes);
        g_assert_true(op->src + op->bytes <= op->dst ||
                      op->dst + op->bytes <= op->src);
        break;
    case DXGPU_OP_FILL:
        check_transfer(op->bytes);
        g_assert_cmpuint(op->dst % 4 + op->bytes % 4, ==, 0);
        check_range(op->dst, op->bytes);
        break;
    case DXGPU_OP_CRC32C:
        check_transfer(op->bytes);
        g_assert_cmpuint(op->dst % 4, ==, 0);
        check_range(op->src, op->bytes);
        check_range(op->dst, 4);
        break;
    case DXGPU_OP_DELAY:
        g_assert_cmpuint(op->value, <=, DXGPU_CORE_MAX_DELAY_NS);
        break;
    case DXGPU_OP_INDIRECT:
        g_assert_cmpuint(op->src % 8 + op->pattern % 8, ==, 0);
        g_assert_cmpuint(op->pattern, <=, DXGPU_CORE_MAX_COMMAND_BYTES);
        check_range(op->src, op->pattern);
        break;
    default:
        g_assert_not_reached();
    }
}

/* Returns the length of the packet, 0 if it is refused. */
static uint32_t decode(const uint8_t *data, uint32_t avail)
{
    uint32_t readable = MIN(avail, DXGPU_PACKET_BYTES);
    uint8_t *bytes = malloc(readable);
    struct dxgpu_op op, again;
    uint32_t length, code;
    uint64_t gpuva, other;

    g_assert_nonnull(bytes);
    memcpy(bytes, data, readable);
    code = dxgpu_packet_decode(bytes, avail, &op, &length, &gpuva);
    switch (code) {
    case DXGPU_FAULT_NONE:
        g_assert_cmpuint(length, >=, sizeof(struct dxgpu_packet_header));
        g_assert_cmpuint(length, <=, avail);
        g_assert_cmpuint(length % 8, ==, 0);
        check_op(&op);
        g_assert_cmpuint(dxgpu_op_check(&op, &other), ==, DXGPU_FAULT_NONE);
        break;
    case DXGPU_FAULT_ADDRESS:
        g_assert_true(gpuva == op.src || gpuva == op.dst);
        g_assert_cmpuint(gpuva, >=, DXGPU_GPUVA_END -
                         DXGPU_CORE_MAX_TRANSFER_BYTES);
        break;
    default:
        g_assert_true(code == DXGPU_FAULT_OPCODE ||
                      code == DXGPU_FAULT_LENGTH ||
                      code == DXGPU_FAULT_OPERAND);
        g_assert_cmpuint(gpuva, ==, 0);
        break;
    }
    /* Pure: the same bytes give the same packet. */
    g_assert_cmpuint(dxgpu_packet_decode(bytes, avail, &again, &length,
                                         &other), ==, code);
    g_assert_cmpuint(other, ==, gpuva);
    g_assert_cmpmem(&op, sizeof(op), &again, sizeof(again));
    free(bytes);
    return code ? 0 : length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t left = MIN(size, DXGPU_CORE_MAX_COMMAND_BYTES) & ~7u;
    uint32_t length;

    while (left) {
        length = decode(data, left);
        if (!length) {
            break;
        }
        data += length;
        left -= length;
    }
    return 0;
}
