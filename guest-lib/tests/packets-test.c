// SPDX-License-Identifier: GPL-2.0-or-later
/* The builders of <dxg/packets.h> against <dxgpu/packet.h>, and their bound. */
#include <stdlib.h>
#include <dxg/packets.h>
#include "tap.h"

static void test_layout(void)
{
	uint64_t memory[32] = { 0 };
	struct dxg_commands commands = {
		.cpu = memory,
		.capacity_bytes = sizeof(memory),
	};
	const unsigned char *at = (unsigned char *)memory;
	const struct dxgpu_packet_copy *copy;
	const struct dxgpu_packet_fill *fill;
	const struct dxgpu_packet_crc32c *crc;
	const struct dxgpu_packet_fence_write *fence;

	ok(!dxg_commands_copy(&commands, 0x2000, 0x1000, 16384) &&
	   !dxg_commands_fill(&commands, 0x3000, 0xdeadbeef, 64) &&
	   !dxg_commands_crc32c(&commands, 0x4000, 0x1000, 100, 7) &&
	   !dxg_commands_fence(&commands, 0x5000, 42, DXGPU_FENCE_INTERRUPT),
	   "four packets fit");
	ok(commands.bytes == 32 + 24 + 32 + 24, "%u bytes used", commands.bytes);

	copy = (const void *)at;
	ok(copy->header.opcode == DXGPU_OP_COPY && copy->header.bytes == 32 &&
	   !copy->header.flags && !copy->header.reserved &&
	   copy->src_gpuva == 0x1000 && copy->dst_gpuva == 0x2000 &&
	   copy->bytes == 16384 && !copy->reserved, "copy");
	fill = (const void *)(at + 32);
	ok(fill->header.opcode == DXGPU_OP_FILL && fill->header.bytes == 24 &&
	   fill->dst_gpuva == 0x3000 && fill->bytes == 64 &&
	   fill->pattern == 0xdeadbeef, "fill");
	crc = (const void *)(at + 56);
	ok(crc->header.opcode == DXGPU_OP_CRC32C && crc->header.bytes == 32 &&
	   crc->src_gpuva == 0x1000 && crc->result_gpuva == 0x4000 &&
	   crc->bytes == 100 && crc->seed == 7, "crc32c");
	fence = (const void *)(at + 88);
	ok(fence->header.opcode == DXGPU_OP_FENCE_WRITE &&
	   fence->header.flags == DXGPU_FENCE_INTERRUPT &&
	   fence->header.bytes == 24 && fence->gpuva == 0x5000 &&
	   fence->value == 42, "fence write");

	dxg_commands_reset(&commands);
	ok(!commands.bytes, "reset forgets them");
}

/* Heap memory of the exact size: a byte too many is a sanitizer's report. */
static void test_bound(void)
{
	UINT capacity;

	for (capacity = 0; capacity <= 72; capacity += 8) {
		struct dxg_commands commands = {
			.cpu = malloc(capacity ? capacity : 1),
			.capacity_bytes = capacity,
		};
		UINT packets = 0;

		while (!dxg_commands_fence(&commands, 8, 1, 0))
			packets++;
		ok(packets == capacity / DXG_COMMANDS_FENCE_BYTES &&
		   commands.bytes == packets * DXG_COMMANDS_FENCE_BYTES,
		   "%u bytes take %u packets and no more", capacity, packets);
		commands.bytes = capacity + 8;
		ok(dxg_commands_fence(&commands, 8, 1, 0) ==
		       STATUS_BUFFER_TOO_SMALL, "more used than there is: refused");
		free(commands.cpu);
	}
}

int main(void)
{
	test_layout();
	test_bound();
	return done();
}
