/* SPDX-License-Identifier: MIT */
/*
 * dxgpu hardware contract: packets of a command buffer.
 *
 * A command buffer is a sequence of packets without gaps; each starts with the
 * header and is header.bytes long, a multiple of 8. Unknown opcodes, wrong
 * lengths, reserved bits that are not zero and operands out of range fault the
 * queue (FH-14). Packets of one queue take effect in order: all writes of a
 * packet are visible before any write of the next one (DEV-11).
 */
#ifndef DXGPU_PACKET_H
#define DXGPU_PACKET_H

#include "types.h"

enum dxgpu_opcode {
	DXGPU_OP_NOP		= 0x00,
	DXGPU_OP_FENCE_WRITE	= 0x01,
	DXGPU_OP_COPY		= 0x02,
	DXGPU_OP_FILL		= 0x03,
	DXGPU_OP_CRC32C		= 0x04,
	DXGPU_OP_TIMESTAMP	= 0x05,
	DXGPU_OP_DELAY		= 0x06,
	DXGPU_OP_INDIRECT	= 0x07,
};

struct dxgpu_packet_header {
	uint8_t opcode;
	uint8_t flags;			/* zero unless the packet names some */
	uint16_t bytes;			/* of the whole packet */
	uint32_t reserved;		/* zero */
};

DXGPU_ASSERT_SIZE(struct dxgpu_packet_header, 8);

/* A NOP is 8 .. DXGPU_NOP_MAX_BYTES long; what follows its header is ignored. */
#define DXGPU_NOP_MAX_BYTES	256

/* Writes a 64-bit value as one access, after all earlier writes. */
struct dxgpu_packet_fence_write {
	struct dxgpu_packet_header header;
	uint64_t gpuva;			/* 8-byte aligned */
	uint64_t value;
};

DXGPU_ASSERT_SIZE(struct dxgpu_packet_fence_write, 24);

#define DXGPU_FENCE_INTERRUPT	(1u << 0)	/* raise the node's vector after the write */

/* Copies bytes; source and destination ranges must not overlap. */
struct dxgpu_packet_copy {
	struct dxgpu_packet_header header;
	uint64_t src_gpuva;
	uint64_t dst_gpuva;
	uint32_t bytes;			/* 1 .. MAX_TRANSFER_BYTES */
	uint32_t reserved;
};

DXGPU_ASSERT_SIZE(struct dxgpu_packet_copy, 32);

/* Stores a 32-bit pattern repeatedly. */
struct dxgpu_packet_fill {
	struct dxgpu_packet_header header;
	uint64_t dst_gpuva;		/* 4-byte aligned */
	uint32_t bytes;			/* multiple of 4, 4 .. MAX_TRANSFER_BYTES */
	uint32_t pattern;
};

DXGPU_ASSERT_SIZE(struct dxgpu_packet_fill, 24);

/*
 * CRC-32C (Castagnoli, reflected, initial value and final inversion as in
 * iSCSI) of a range; the result is stored as 32 bits. seed is the CRC of what
 * came before, 0 for a new sum, so that a stream can be summed in pieces.
 */
struct dxgpu_packet_crc32c {
	struct dxgpu_packet_header header;
	uint64_t src_gpuva;
	uint64_t result_gpuva;		/* 4-byte aligned */
	uint32_t bytes;			/* 1 .. MAX_TRANSFER_BYTES */
	uint32_t seed;
};

DXGPU_ASSERT_SIZE(struct dxgpu_packet_crc32c, 32);

/* Writes the device clock in nanoseconds, as FENCE_WRITE writes its value. */
struct dxgpu_packet_timestamp {
	struct dxgpu_packet_header header;
	uint64_t gpuva;			/* 8-byte aligned */
};

DXGPU_ASSERT_SIZE(struct dxgpu_packet_timestamp, 16);

/*
 * Keeps the node busy while the device clock advances: no other queue of the
 * node runs. Suspend and removal take effect at once; what is left of the time
 * follows after the resume.
 */
struct dxgpu_packet_delay {
	struct dxgpu_packet_header header;
	uint64_t ns;			/* 0 .. MAX_DELAY_NS */
};

DXGPU_ASSERT_SIZE(struct dxgpu_packet_delay, 16);

/*
 * Executes another command buffer, then what follows this packet. INDIRECT_DEPTH
 * such packets may be nested; one more is an operand fault.
 */
struct dxgpu_packet_indirect {
	struct dxgpu_packet_header header;
	uint64_t gpuva;			/* 8-byte aligned */
	uint32_t bytes;			/* multiple of 8, 8 .. MAX_COMMAND_BYTES */
	uint32_t reserved;
};

DXGPU_ASSERT_SIZE(struct dxgpu_packet_indirect, 24);

#endif /* DXGPU_PACKET_H */
