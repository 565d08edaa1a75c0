// SPDX-License-Identifier: GPL-2.0
/*
 * dxgnull.ko: one packet of a command buffer.
 *
 * The packets and the order of the checks are those of dxgpu's datasheet, which
 * the tests of faults hold both miniports to: opcode, length, reserved bits and
 * flags, operands, addresses. A packet is copied, and only the copy is looked
 * at (SEC-2). What a hardware miniport never does at all.
 */
#include <linux/crc32.h>
#include <linux/string.h>
#include "dxgnull.h"

static const u32 dxgnull_packet_bytes[] = {
	[DXGPU_OP_NOP] = sizeof(struct dxgpu_packet_header),
	[DXGPU_OP_FENCE_WRITE] = sizeof(struct dxgpu_packet_fence_write),
	[DXGPU_OP_COPY] = sizeof(struct dxgpu_packet_copy),
	[DXGPU_OP_FILL] = sizeof(struct dxgpu_packet_fill),
	[DXGPU_OP_CRC32C] = sizeof(struct dxgpu_packet_crc32c),
	[DXGPU_OP_TIMESTAMP] = sizeof(struct dxgpu_packet_timestamp),
	[DXGPU_OP_DELAY] = sizeof(struct dxgpu_packet_delay),
	[DXGPU_OP_INDIRECT] = sizeof(struct dxgpu_packet_indirect),
};

static u32 dxgnull_range(u64 gpuva, u64 bytes, u64 *bad)
{
	if (dxgnull_gpuva_ok(gpuva, bytes))
		return DXGPU_FAULT_NONE;
	*bad = gpuva;
	return DXGPU_FAULT_ADDRESS;
}

static bool dxgnull_transfer_ok(u32 bytes)
{
	return bytes && bytes <= DXGNULL_MAX_TRANSFER_BYTES;
}

static u32 dxgnull_check_copy(const struct dxgpu_packet_copy *p, u64 *bad)
{
	u32 code;

	if (p->reserved || !dxgnull_transfer_ok(p->bytes))
		return DXGPU_FAULT_OPERAND;
	code = dxgnull_range(p->src_gpuva, p->bytes, bad);
	if (!code)
		code = dxgnull_range(p->dst_gpuva, p->bytes, bad);
	if (!code && p->src_gpuva < p->dst_gpuva + p->bytes &&
	    p->dst_gpuva < p->src_gpuva + p->bytes)
		code = DXGPU_FAULT_OPERAND;
	return code;
}

static u32 dxgnull_check_fill(const struct dxgpu_packet_fill *p, u64 *bad)
{
	if (!IS_ALIGNED(p->dst_gpuva, 4) || !IS_ALIGNED(p->bytes, 4) ||
	    !dxgnull_transfer_ok(p->bytes))
		return DXGPU_FAULT_OPERAND;
	return dxgnull_range(p->dst_gpuva, p->bytes, bad);
}

static u32 dxgnull_check_crc32c(const struct dxgpu_packet_crc32c *p, u64 *bad)
{
	u32 code;

	if (!IS_ALIGNED(p->result_gpuva, 4) || !dxgnull_transfer_ok(p->bytes))
		return DXGPU_FAULT_OPERAND;
	code = dxgnull_range(p->src_gpuva, p->bytes, bad);
	return code ?: dxgnull_range(p->result_gpuva, sizeof(u32), bad);
}

static u32 dxgnull_check_indirect(const struct dxgnull_queue *queue,
				  const struct dxgpu_packet_indirect *p, u64 *bad)
{
	u32 code;

	if (p->reserved || !IS_ALIGNED(p->gpuva, 8) || !IS_ALIGNED(p->bytes, 8) || !p->bytes ||
	    p->bytes > DXGNULL_MAX_COMMAND_BYTES)
		return DXGPU_FAULT_OPERAND;
	code = dxgnull_range(p->gpuva, p->bytes, bad);
	if (!code && queue->depth == DXGNULL_INDIRECT_DEPTH)
		code = DXGPU_FAULT_OPERAND;
	return code;
}

/* A fault code, with *bad for ADDRESS. */
static u32 dxgnull_packet_check(const struct dxgnull_queue *queue, u32 avail, u64 *bad)
{
	const struct dxgnull_packet *p = &queue->packet;
	u32 bytes = p->header.bytes;
	u8 flags = p->header.opcode == DXGPU_OP_FENCE_WRITE ? DXGPU_FENCE_INTERRUPT : 0;

	if (p->header.opcode >= ARRAY_SIZE(dxgnull_packet_bytes))
		return DXGPU_FAULT_OPCODE;
	if (p->header.opcode == DXGPU_OP_NOP) {
		if (bytes < sizeof(p->header) || bytes > DXGPU_NOP_MAX_BYTES ||
		    !IS_ALIGNED(bytes, 8))
			return DXGPU_FAULT_LENGTH;
	} else if (bytes != dxgnull_packet_bytes[p->header.opcode]) {
		return DXGPU_FAULT_LENGTH;
	}
	if (bytes > avail)
		return DXGPU_FAULT_LENGTH;
	if (p->header.reserved || p->header.flags & ~flags)
		return DXGPU_FAULT_OPERAND;

	switch (p->header.opcode) {
	case DXGPU_OP_FENCE_WRITE:
	case DXGPU_OP_TIMESTAMP:
		/* The address is the first operand of both. */
		return IS_ALIGNED(p->fence_write.gpuva, 8) ?
		       dxgnull_range(p->fence_write.gpuva, sizeof(u64), bad) :
		       DXGPU_FAULT_OPERAND;
	case DXGPU_OP_COPY:
		return dxgnull_check_copy(&p->copy, bad);
	case DXGPU_OP_FILL:
		return dxgnull_check_fill(&p->fill, bad);
	case DXGPU_OP_CRC32C:
		return dxgnull_check_crc32c(&p->crc32c, bad);
	case DXGPU_OP_DELAY:
		return p->delay.ns > DXGNULL_MAX_DELAY_NS ? DXGPU_FAULT_OPERAND :
							    DXGPU_FAULT_NONE;
	case DXGPU_OP_INDIRECT:
		return dxgnull_check_indirect(queue, &p->indirect, bad);
	default:
		return DXGPU_FAULT_NONE;
	}
}

/* The next packet becomes queue->packet; false with queue->fault. space->lock held. */
bool dxgnull_packet_fetch(struct dxgnull_queue *queue)
{
	struct dxgnull_frame *frame = &queue->frames[queue->depth];
	u32 avail = frame->bytes - frame->offset;
	struct dxgnull_packet *p = &queue->packet;
	u64 bad = 0;
	u32 code;

	memset(p, 0, sizeof(*p));
	if (!dxgnull_read(queue->context->space, frame->gpuva + frame->offset, p,
			  min_t(u32, avail, offsetof(struct dxgnull_packet, valid)),
			  &queue->fault))
		return false;
	code = dxgnull_packet_check(queue, avail, &bad);
	if (code) {
		queue->fault = (struct dxgnull_fault){ .code = code, .gpuva = bad };
		return false;
	}
	frame->offset += p->header.bytes;
	p->valid = true;
	if (p->header.opcode == DXGPU_OP_CRC32C)
		p->crc = p->crc32c.seed;
	return true;
}

/* Up to a page of a transfer that is @done bytes far; false with queue->fault. */
static bool dxgnull_copy_part(struct dxgnull_queue *queue, u32 left, size_t *n)
{
	struct dxgnull_space *space = queue->context->space;
	struct dxgnull_packet *p = &queue->packet;
	void *page;

	*n = left;
	page = dxgnull_page(space, p->copy.src_gpuva + p->done, n, false, &queue->fault);
	return page && dxgnull_write(space, p->copy.dst_gpuva + p->done, page, *n, &queue->fault);
}

static bool dxgnull_fill_part(struct dxgnull_queue *queue, u32 left, size_t *n)
{
	struct dxgnull_packet *p = &queue->packet;
	u32 *page;

	*n = left;
	page = dxgnull_page(queue->context->space, p->fill.dst_gpuva + p->done, n, true,
			    &queue->fault);
	if (!page)
		return false;
	memset32(page, p->fill.pattern, *n / sizeof(u32));
	return true;
}

static bool dxgnull_crc_part(struct dxgnull_queue *queue, u32 left, size_t *n)
{
	struct dxgnull_space *space = queue->context->space;
	struct dxgnull_packet *p = &queue->packet;
	void *page;

	*n = left;
	page = dxgnull_page(space, p->crc32c.src_gpuva + p->done, n, false, &queue->fault);
	if (!page)
		return false;
	p->crc = ~__crc32c_le(~p->crc, page, *n);
	return *n < left || dxgnull_write(space, p->crc32c.result_gpuva, &p->crc, sizeof(p->crc),
					  &queue->fault);
}

/* One step of a transfer of @bytes in parts that a page bounds. */
static bool dxgnull_transfer(struct dxgnull_queue *queue, u32 bytes,
			     bool (*part)(struct dxgnull_queue *queue, u32 left, size_t *n))
{
	struct dxgnull_packet *p = &queue->packet;
	u32 end = min_t(u32, bytes, p->done + DXGNULL_STEP_BYTES);
	size_t n;

	while (p->done < end) {
		if (!part(queue, bytes - p->done, &n))
			return false;
		p->done += n;
	}
	p->valid = p->done < bytes;
	return true;
}

static bool dxgnull_fence_write(struct dxgnull_engine *engine, struct dxgnull_queue *queue)
{
	struct dxgnull_adapter *adapter = engine->adapter;
	const struct dxgpu_packet_fence_write *p = &queue->packet.fence_write;
	DXGKARGCB_NOTIFY_INTERRUPT_DATA data = {
		.InterruptType = DXGK_INTERRUPT_MONITORED_FENCE_SIGNALED,
		.MonitoredFenceSignaled.NodeOrdinal = engine->node,
	};

	if (!dxgnull_store_u64(queue->context->space, p->gpuva, p->value, &queue->fault))
		return false;
	if (p->header.flags & DXGPU_FENCE_INTERRUPT)
		adapter->os.DxgkCbNotifyInterrupt(adapter->os.DeviceHandle, &data);
	return true;
}

/*
 * One step of queue->packet, which is no longer valid when the packet is complete;
 * false with queue->fault. space->lock held.
 */
bool dxgnull_packet_step(struct dxgnull_engine *engine, struct dxgnull_queue *queue)
{
	struct dxgnull_packet *p = &queue->packet;
	bool ok = true;

	p->valid = false;
	switch (p->header.opcode) {
	case DXGPU_OP_FENCE_WRITE:
		ok = dxgnull_fence_write(engine, queue);
		break;
	case DXGPU_OP_COPY:
		ok = dxgnull_transfer(queue, p->copy.bytes, dxgnull_copy_part);
		break;
	case DXGPU_OP_FILL:
		ok = dxgnull_transfer(queue, p->fill.bytes, dxgnull_fill_part);
		break;
	case DXGPU_OP_CRC32C:
		ok = dxgnull_transfer(queue, p->crc32c.bytes, dxgnull_crc_part);
		break;
	case DXGPU_OP_TIMESTAMP:
		ok = dxgnull_store_u64(queue->context->space, p->timestamp.gpuva, ktime_get_ns(),
				       &queue->fault);
		break;
	case DXGPU_OP_DELAY:
		p->valid = p->waited_ns < p->delay.ns;
		break;
	case DXGPU_OP_INDIRECT:
		queue->frames[++queue->depth] = (struct dxgnull_frame){
			.gpuva = p->indirect.gpuva,
			.bytes = p->indirect.bytes,
		};
		break;
	default:
		break;
	}
	if (ok && !p->valid)
		WRITE_ONCE(engine->packets, engine->packets + 1);
	return ok;
}
