/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: decoding of packets.
 *
 * A pure function from private bytes to a checked struct dxgpu_op: no guest
 * memory, no state. What it accepts, exec.c may use without further checks
 * of form; addresses are only known to lie in the address space. How deep an
 * INDIRECT lies is no question of form and is checked there.
 *
 * Order of the checks, which fixes the fault code when several are wrong:
 * opcode, length, reserved bits and flags, operands, addresses.
 */
#include <string.h>

#include "state.h"

/* Bytes of a packet; 0 = no such opcode. NOP is at least this long. */
static uint32_t packet_size(uint8_t opcode)
{
    switch (opcode) {
    case DXGPU_OP_NOP:
        return sizeof(struct dxgpu_packet_header);
    case DXGPU_OP_FENCE_WRITE:
        return sizeof(struct dxgpu_packet_fence_write);
    case DXGPU_OP_COPY:
        return sizeof(struct dxgpu_packet_copy);
    case DXGPU_OP_FILL:
        return sizeof(struct dxgpu_packet_fill);
    case DXGPU_OP_CRC32C:
        return sizeof(struct dxgpu_packet_crc32c);
    case DXGPU_OP_TIMESTAMP:
        return sizeof(struct dxgpu_packet_timestamp);
    case DXGPU_OP_DELAY:
        return sizeof(struct dxgpu_packet_delay);
    case DXGPU_OP_INDIRECT:
        return sizeof(struct dxgpu_packet_indirect);
    default:
        return 0;
    }
}

static uint32_t check_range(uint64_t start, uint64_t bytes, uint64_t *gpuva)
{
    if (dxgpu_gpuva_ok(start, bytes)) {
        return DXGPU_FAULT_NONE;
    }
    *gpuva = start;
    return DXGPU_FAULT_ADDRESS;
}

static bool transfer_size_ok(uint32_t bytes)
{
    return bytes != 0 && bytes <= DXGPU_CORE_MAX_TRANSFER_BYTES;
}

static uint32_t check_copy(const struct dxgpu_op *op, uint64_t *gpuva)
{
    uint32_t code;

    if (!transfer_size_ok(op->bytes)) {
        return DXGPU_FAULT_OPERAND;
    }
    code = check_range(op->src, op->bytes, gpuva);
    if (!code) {
        code = check_range(op->dst, op->bytes, gpuva);
    }
    if (code) {
        return code;
    }
    if (op->src < op->dst + op->bytes && op->dst < op->src + op->bytes) {
        return DXGPU_FAULT_OPERAND;
    }
    return DXGPU_FAULT_NONE;
}

static uint32_t check_crc32c(const struct dxgpu_op *op, uint64_t *gpuva)
{
    uint32_t code;

    if (op->dst % 4 || !transfer_size_ok(op->bytes)) {
        return DXGPU_FAULT_OPERAND;
    }
    code = check_range(op->src, op->bytes, gpuva);
    return code ? code : check_range(op->dst, 4, gpuva);
}

static uint32_t check_indirect(const struct dxgpu_op *op, uint64_t *gpuva)
{
    if (op->bytes || op->src % 8 || op->pattern % 8 || op->pattern == 0 ||
        op->pattern > DXGPU_CORE_MAX_COMMAND_BYTES) {
        return DXGPU_FAULT_OPERAND;
    }
    return check_range(op->src, op->pattern, gpuva);
}

/*
 * The operands and flags of a packet. Returns DXGPU_FAULT_NONE, OPCODE,
 * OPERAND, or ADDRESS with *gpuva.
 */
uint32_t dxgpu_op_check(const struct dxgpu_op *op, uint64_t *gpuva)
{
    uint32_t flags = op->opcode == DXGPU_OP_FENCE_WRITE ? DXGPU_FENCE_INTERRUPT
                                                        : 0;

    *gpuva = 0;
    if (op->flags & ~flags) {
        return DXGPU_FAULT_OPERAND;
    }
    switch (op->opcode) {
    case DXGPU_OP_NOP:
        return op->bytes ? DXGPU_FAULT_OPERAND : DXGPU_FAULT_NONE;
    case DXGPU_OP_FENCE_WRITE:
    case DXGPU_OP_TIMESTAMP:
        if (op->dst % 8 || op->bytes) {
            return DXGPU_FAULT_OPERAND;
        }
        return check_range(op->dst, 8, gpuva);
    case DXGPU_OP_COPY:
        return check_copy(op, gpuva);
    case DXGPU_OP_FILL:
        if (op->dst % 4 || op->bytes % 4 || !transfer_size_ok(op->bytes)) {
            return DXGPU_FAULT_OPERAND;
        }
        return check_range(op->dst, op->bytes, gpuva);
    case DXGPU_OP_CRC32C:
        return check_crc32c(op, gpuva);
    case DXGPU_OP_DELAY:
        return op->bytes || op->value > DXGPU_CORE_MAX_DELAY_NS ?
               DXGPU_FAULT_OPERAND : DXGPU_FAULT_NONE;
    case DXGPU_OP_INDIRECT:
        return check_indirect(op, gpuva);
    default:
        return DXGPU_FAULT_OPCODE;
    }
}

static void parse_fence(const uint8_t *bytes, struct dxgpu_op *op)
{
    struct dxgpu_packet_fence_write p;

    memcpy(&p, bytes, sizeof(p));
    op->dst = dxgpu_le64(p.gpuva);
    op->value = dxgpu_le64(p.value);
}

/* False if a reserved field is not zero. */
static bool parse_copy(const uint8_t *bytes, struct dxgpu_op *op)
{
    struct dxgpu_packet_copy p;

    memcpy(&p, bytes, sizeof(p));
    op->src = dxgpu_le64(p.src_gpuva);
    op->dst = dxgpu_le64(p.dst_gpuva);
    op->bytes = dxgpu_le32(p.bytes);
    return !p.reserved;
}

static void parse_fill(const uint8_t *bytes, struct dxgpu_op *op)
{
    struct dxgpu_packet_fill p;

    memcpy(&p, bytes, sizeof(p));
    op->dst = dxgpu_le64(p.dst_gpuva);
    op->bytes = dxgpu_le32(p.bytes);
    op->pattern = dxgpu_le32(p.pattern);
}

static void parse_crc32c(const uint8_t *bytes, struct dxgpu_op *op)
{
    struct dxgpu_packet_crc32c p;

    memcpy(&p, bytes, sizeof(p));
    op->src = dxgpu_le64(p.src_gpuva);
    op->dst = dxgpu_le64(p.result_gpuva);
    op->bytes = dxgpu_le32(p.bytes);
    op->pattern = dxgpu_le32(p.seed);
}

static void parse_timestamp(const uint8_t *bytes, struct dxgpu_op *op)
{
    struct dxgpu_packet_timestamp p;

    memcpy(&p, bytes, sizeof(p));
    op->dst = dxgpu_le64(p.gpuva);
}

static void parse_delay(const uint8_t *bytes, struct dxgpu_op *op)
{
    struct dxgpu_packet_delay p;

    memcpy(&p, bytes, sizeof(p));
    op->value = dxgpu_le64(p.ns);
}

/* False if a reserved field is not zero. */
static bool parse_indirect(const uint8_t *bytes, struct dxgpu_op *op)
{
    struct dxgpu_packet_indirect p;

    memcpy(&p, bytes, sizeof(p));
    op->src = dxgpu_le64(p.gpuva);
    op->pattern = dxgpu_le32(p.bytes);
    return !p.reserved;
}

/*
 * Decodes the packet at the start of bytes. avail (a multiple of 8, at least 8)
 * is what the command buffer has left from there; the lesser of avail and
 * DXGPU_PACKET_BYTES must be readable.
 *
 * Returns DXGPU_FAULT_NONE with *op and *length, or OPCODE, LENGTH, OPERAND,
 * or ADDRESS with *gpuva.
 */
uint32_t dxgpu_packet_decode(const uint8_t *bytes, uint32_t avail,
                             struct dxgpu_op *op, uint32_t *length,
                             uint64_t *gpuva)
{
    struct dxgpu_packet_header header;
    uint32_t size;

    memcpy(&header, bytes, sizeof(header));
    *length = dxgpu_le16(header.bytes);
    *gpuva = 0;
    memset(op, 0, sizeof(*op));
    op->opcode = header.opcode;
    op->flags = header.flags;

    size = packet_size(header.opcode);
    if (!size) {
        return DXGPU_FAULT_OPCODE;
    }
    if (header.opcode == DXGPU_OP_NOP) {
        if (*length < size || *length > DXGPU_NOP_MAX_BYTES || *length % 8) {
            return DXGPU_FAULT_LENGTH;
        }
    } else if (*length != size) {
        return DXGPU_FAULT_LENGTH;
    }
    if (*length > avail) {
        return DXGPU_FAULT_LENGTH;
    }
    if (header.reserved) {
        return DXGPU_FAULT_OPERAND;
    }

    switch (header.opcode) {
    case DXGPU_OP_FENCE_WRITE:
        parse_fence(bytes, op);
        break;
    case DXGPU_OP_COPY:
        if (!parse_copy(bytes, op)) {
            return DXGPU_FAULT_OPERAND;
        }
        break;
    case DXGPU_OP_FILL:
        parse_fill(bytes, op);
        break;
    case DXGPU_OP_CRC32C:
        parse_crc32c(bytes, op);
        break;
    case DXGPU_OP_TIMESTAMP:
        parse_timestamp(bytes, op);
        break;
    case DXGPU_OP_DELAY:
        parse_delay(bytes, op);
        break;
    case DXGPU_OP_INDIRECT:
        if (!parse_indirect(bytes, op)) {
            return DXGPU_FAULT_OPERAND;
        }
        break;
    default:
        break;
    }
    return dxgpu_op_check(op, gpuva);
}
