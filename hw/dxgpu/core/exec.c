/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: execution of ring entries, a bounded turn at a time.
 *
 * A turn is at most packet_budget steps; a step is one packet or, of a long
 * packet, one chunk of DXGPU_CHUNK_BYTES. Between two steps the worker looks at
 * the attention flag, so a suspend, removal, invalidation or stop waits for
 * one chunk at most (DEV-10). What is left of an entry stays in the queue: the
 * entry, the offset of the next packet and the decoded packet in execution are
 * private copies and are not read again when the queue goes on.
 *
 * Commands are read through a window that lives for one turn. A packet that
 * the window cuts is read again as a whole, and only that copy is decoded.
 *
 * Command buffers within command buffers are a stack of frames of fixed size,
 * and the offset of each only grows: whatever a process writes there while they
 * are executed, an entry comes to an end.
 *
 * A delay ends the turn; the scheduler knows when it is over (sched.c). So does
 * a packet that hangs, before its first step or the next (engine.c).
 */
#include <string.h>

#include "state.h"

struct window {
    uint32_t start;             /* offset in the command buffer */
    uint32_t len;
    uint8_t bytes[DXGPU_WINDOW_BYTES];
};

/* True if all that decoding may look at is in the window. */
static bool window_holds(const struct window *w, uint32_t offset,
                         uint32_t avail)
{
    uint32_t left;

    if (offset < w->start || offset - w->start >= w->len) {
        return false;
    }
    left = w->len - (offset - w->start);
    return left >= DXGPU_PACKET_BYTES || left >= avail;
}

/* The next packet of the entry becomes q->op. */
static bool next_packet(struct dxgpu_core *core, struct dxgpu_queue *q,
                        struct window *w, struct dxgpu_fault *fault)
{
    struct dxgpu_frame *frame = &q->frames[q->depth];
    uint32_t avail = frame->bytes - frame->offset;
    uint32_t length, code;
    uint64_t gpuva;

    if (!window_holds(w, frame->offset, avail)) {
        w->start = frame->offset;
        w->len = avail < DXGPU_WINDOW_BYTES ? avail : DXGPU_WINDOW_BYTES;
        if (!dxgpu_mem_read(core, q,
                            frame->gpuva + frame->offset, w->bytes, w->len,
                            fault)) {
            w->len = 0;
            return false;
        }
    }
    code = dxgpu_packet_decode(w->bytes + (frame->offset - w->start), avail,
                               &q->op, &length, &gpuva);
    if (!code && q->op.opcode == DXGPU_OP_INDIRECT &&
        q->depth == DXGPU_CORE_INDIRECT_DEPTH) {
        code = DXGPU_FAULT_OPERAND;
    }
    if (code) {
        fault->code = code;
        fault->gpuva = gpuva;
        return false;
    }
    frame->offset += length;
    q->op_valid = true;
    return true;
}

static bool fence_write(struct dxgpu_core *core, struct dxgpu_queue *q,
                        struct dxgpu_fault *fault)
{
    struct dxgpu_op *op = &q->op;

    if (!dxgpu_mem_store_u64(core, q, op->dst, op->value,
                             fault)) {
        return false;
    }
    dxgpu_core_count(core, DXGPU_STAT_FENCE_WRITES, 1);
    dxgpu_trace(core, DXGPU_EVENT_FENCE, q->id, op->dst, op->value);
    if (op->flags & DXGPU_FENCE_INTERRUPT) {
        dxgpu_core_count(core, DXGPU_STAT_FENCE_INTERRUPTS, 1);
        core->ops.raise_vector(core->opaque,
                               DXGPU_VECTOR_NODE(q->context->node));
    }
    return true;
}

static bool timestamp(struct dxgpu_core *core, struct dxgpu_queue *q,
                      struct dxgpu_fault *fault)
{
    return dxgpu_mem_store_u64(core, q, q->op.dst,
                               core->ops.clock_ns(core->opaque), fault);
}

/* The buffer of an INDIRECT comes next. */
static void enter(struct dxgpu_queue *q)
{
    struct dxgpu_frame *frame = &q->frames[++q->depth];

    frame->gpuva = q->op.src;
    frame->bytes = q->op.pattern;
    frame->offset = 0;
}

/* Leaves the buffers that are done; true if the entry's own is. */
static bool leave(struct dxgpu_queue *q)
{
    while (q->frames[q->depth].offset == q->frames[q->depth].bytes) {
        if (!q->depth) {
            return true;
        }
        q->depth--;
    }
    return false;
}

static bool crc_result(struct dxgpu_core *core, struct dxgpu_queue *q,
                       struct dxgpu_fault *fault)
{
    uint32_t crc = dxgpu_le32(q->op.pattern);

    return dxgpu_mem_write(core, q, q->op.dst, &crc,
                           sizeof(crc), fault);
}

/* One step of q->op; clears op_valid when the packet is complete. */
static bool step(struct dxgpu_core *core, struct dxgpu_queue *q,
                 struct dxgpu_fault *fault)
{
    uint8_t *chunk = dxgpu_queue_worker(core, q)->chunk;
    struct dxgpu_op *op = &q->op;
    uint32_t n = op->bytes - op->done;
    uint32_t pattern = dxgpu_le32(op->pattern);
    uint32_t i;

    if (n > DXGPU_CHUNK_BYTES) {
        n = DXGPU_CHUNK_BYTES;
    }

    switch (op->opcode) {
    case DXGPU_OP_FENCE_WRITE:
        if (!fence_write(core, q, fault)) {
            return false;
        }
        break;
    case DXGPU_OP_COPY:
        if (!dxgpu_mem_read(core, q, op->src + op->done, chunk, n,
                            fault) ||
            !dxgpu_mem_write(core, q, op->dst + op->done, chunk, n,
                             fault)) {
            return false;
        }
        dxgpu_core_count(core, DXGPU_STAT_COPY_BYTES, n);
        break;
    case DXGPU_OP_FILL:
        for (i = 0; i < n; i += sizeof(pattern)) {
            memcpy(chunk + i, &pattern, sizeof(pattern));
        }
        if (!dxgpu_mem_write(core, q, op->dst + op->done, chunk, n,
                             fault)) {
            return false;
        }
        dxgpu_core_count(core, DXGPU_STAT_FILL_BYTES, n);
        break;
    case DXGPU_OP_CRC32C:
        if (!dxgpu_mem_read(core, q, op->src + op->done, chunk, n,
                            fault)) {
            return false;
        }
        op->pattern = core->ops.crc32c(core->opaque, op->pattern, chunk,
                                       n);
        dxgpu_core_count(core, DXGPU_STAT_CRC_BYTES, n);
        if (op->done + n == op->bytes && !crc_result(core, q, fault)) {
            return false;
        }
        break;
    case DXGPU_OP_TIMESTAMP:
        if (!timestamp(core, q, fault)) {
            return false;
        }
        break;
    case DXGPU_OP_INDIRECT:
        enter(q);
        break;
    default:
        break;
    }

    op->done += n;
    if (op->done == op->bytes) {
        q->op_valid = false;
        core->nodes[q->context->node].packets++;
        dxgpu_core_count(core, DXGPU_STAT_PACKETS, 1);
    }
    return true;
}

/*
 * worker, without the lock: one turn of a queue that is present, has not
 * faulted and has work. Returns false with *fault filled in if the queue is to
 * stop; otherwise the queue has more work iff q->wp != q->rp, and it keeps its
 * node iff it is hung or dxgpu_in_delay().
 */
bool dxgpu_exec_turn(struct dxgpu_core *core, struct dxgpu_queue *q,
                     struct dxgpu_fault *fault)
{
    struct window window = { 0 };
    struct dxgpu_worker *w = dxgpu_queue_worker(core, q);
    uint32_t budget = core->config.packet_budget;
    uint32_t depth;

    /* One step at least, or a storm of requests would stop all progress. */
    do {
        if (!q->active) {
            window.len = 0;
            if (!dxgpu_queue_fetch(core, q, fault)) {
                return false;
            }
        }
        if (!q->op_valid && !next_packet(core, q, &window, fault)) {
            return false;
        }
        if (dxgpu_engine_hangs(core, q)) {
            q->hung = true;
            return true;
        }
        if (dxgpu_in_delay(q)) {
            return true;
        }
        depth = q->depth;
        if (!step(core, q, fault)) {
            return false;
        }
        if (!q->op_valid && leave(q) &&
            !dxgpu_queue_complete(core, q, fault)) {
            return false;
        }
        if (q->depth != depth) {
            window.len = 0;
        }
    } while (--budget && q->rp != q->wp && !dxgpu_attention(w));
    return true;
}
