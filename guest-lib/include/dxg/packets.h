/* SPDX-License-Identifier: MIT */
/*
 * Builders of command buffers: each appends one packet of <dxgpu/packet.h>.
 *
 * A struct dxg_commands describes memory that both the CPU and the device
 * reach, such as a struct dxg_buffer of <dxg/submit.h>. The builders check only that the
 * packet fits; whether operands are in range is the device's business, which
 * faults the queue otherwise. They return STATUS_SUCCESS, or STATUS_BUFFER_TOO_SMALL
 * and append nothing.
 *
 * The completion fence is not the caller's: dxg_submit() appends it. So a buffer
 * needs DXG_COMMANDS_FENCE_BYTES more than its packets.
 *
 * Threads: one thread builds one buffer at a time; no state is shared.
 */
#ifndef DXG_PACKETS_H
#define DXG_PACKETS_H

#include <string.h>
#include <dxg/ntstatus.h>
#include <dxgpu/packet.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fields are the caller's, except between dxg_submit()'s start and end. */
struct dxg_commands {
	void *cpu;			/* first byte, as the CPU sees it */
	UINT64 gpuva;			/* first byte, as the device sees it; 8-byte aligned */
	UINT capacity_bytes;
	UINT bytes;			/* used so far, a multiple of 8 */
};

#define DXG_COMMANDS_FENCE_BYTES	((UINT)sizeof(struct dxgpu_packet_fence_write))

/* Forgets all packets. Only when the device has completed the last submission. */
static inline void dxg_commands_reset(struct dxg_commands *commands)
{
	commands->bytes = 0;
}

static inline struct dxgpu_packet_header dxg_packet_header(uint8_t opcode,
							   uint8_t flags,
							   size_t bytes)
{
	struct dxgpu_packet_header header = {
		.opcode = opcode,
		.flags = flags,
		.bytes = (uint16_t)bytes,
		.reserved = 0,
	};

	return header;
}

/* Appends any packet, also one that the device will refuse. */
static inline NTSTATUS dxg_commands_append(struct dxg_commands *commands,
					   const void *packet, size_t bytes)
{
	if (commands->bytes > commands->capacity_bytes ||
	    bytes > commands->capacity_bytes - commands->bytes)
		return STATUS_BUFFER_TOO_SMALL;
	memcpy((unsigned char *)commands->cpu + commands->bytes, packet, bytes);
	commands->bytes += (UINT)bytes;
	return STATUS_SUCCESS;
}

/* Copies bytes from src_gpuva to dst_gpuva; the ranges must not overlap. */
static inline NTSTATUS dxg_commands_copy(struct dxg_commands *commands,
					 UINT64 dst_gpuva, UINT64 src_gpuva,
					 UINT bytes)
{
	struct dxgpu_packet_copy packet = {
		.header = dxg_packet_header(DXGPU_OP_COPY, 0, sizeof(packet)),
		.src_gpuva = src_gpuva,
		.dst_gpuva = dst_gpuva,
		.bytes = bytes,
		.reserved = 0,
	};

	return dxg_commands_append(commands, &packet, sizeof(packet));
}

/* Stores a 32-bit pattern over bytes, a multiple of 4. */
static inline NTSTATUS dxg_commands_fill(struct dxg_commands *commands,
					 UINT64 dst_gpuva, UINT pattern, UINT bytes)
{
	struct dxgpu_packet_fill packet = {
		.header = dxg_packet_header(DXGPU_OP_FILL, 0, sizeof(packet)),
		.dst_gpuva = dst_gpuva,
		.bytes = bytes,
		.pattern = pattern,
	};

	return dxg_commands_append(commands, &packet, sizeof(packet));
}

/*
 * Stores the CRC-32C of bytes at src_gpuva as 32 bits to result_gpuva. seed is the
 * sum of what came before, 0 for a new one.
 */
static inline NTSTATUS dxg_commands_crc32c(struct dxg_commands *commands,
					   UINT64 result_gpuva, UINT64 src_gpuva,
					   UINT bytes, UINT seed)
{
	struct dxgpu_packet_crc32c packet = {
		.header = dxg_packet_header(DXGPU_OP_CRC32C, 0, sizeof(packet)),
		.src_gpuva = src_gpuva,
		.result_gpuva = result_gpuva,
		.bytes = bytes,
		.seed = seed,
	};

	return dxg_commands_append(commands, &packet, sizeof(packet));
}

/* Stores a 64-bit value after all earlier writes. dxg_submit() uses it for the fence. */
static inline NTSTATUS dxg_commands_fence(struct dxg_commands *commands,
					  UINT64 gpuva, UINT64 value, uint8_t flags)
{
	struct dxgpu_packet_fence_write packet = {
		.header = dxg_packet_header(DXGPU_OP_FENCE_WRITE, flags,
					    sizeof(packet)),
		.gpuva = gpuva,
		.value = value,
	};

	return dxg_commands_append(commands, &packet, sizeof(packet));
}

#ifdef __cplusplus
}
#endif

#endif /* DXG_PACKETS_H */
