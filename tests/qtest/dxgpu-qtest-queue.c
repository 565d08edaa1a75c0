/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: contexts, queues, packets and submission.
 *
 * Submission is steps (1), (3) and (4) of ORD-5; the ring of step (5) is left
 * to the test, which is about doorbells as often as not. Commands lie in an
 * arena of the queue that is replaced when it is full, never reused.
 */
#include "qemu/osdep.h"
#include "dxgpu-qtest.h"

#define DX_ARENA_BYTES  (64 * 1024)

uint32_t dx_context(DxSpace *space, uint32_t node)
{
    DxTest *t = space->t;
    uint32_t id = t->next_context++;

    dx_command_ok(t, DXGPU_CMD_CONTEXT_CREATE, id, space->id, node);
    return id;
}

void dx_create(DxQueue *q)
{
    dx_command_ok(q->space->t, DXGPU_CMD_QUEUE_CREATE, q->id, q->context,
                  q->ring.gpuva, q->entries, q->control.gpuva, q->wp);
}

DxQueue *dx_queue_at(DxSpace *space, uint32_t context, uint32_t entries,
                     uint64_t start)
{
    DxTest *t = space->t;
    DxQueue *q = g_new0(DxQueue, 1);

    g_ptr_array_add(t->objects, q);
    q->space = space;
    q->id = t->next_queue++;
    q->context = context;
    q->entries = entries;
    q->ring = dx_buffer(space, entries * sizeof(struct dxgpu_ring_entry));
    q->control = dx_buffer(space, sizeof(struct dxgpu_ring_control));
    q->fence = dx_buffer(space, sizeof(uint64_t));
    dx_store_wp(q, start);
    qtest_writeq(t->qts, q->control.bus +
                 offsetof(struct dxgpu_ring_control, rp), start);
    dx_create(q);
    return q;
}

DxQueue *dx_queue(DxSpace *space, uint32_t context, uint32_t entries)
{
    return dx_queue_at(space, context, entries, 0);
}

DxQueue *dx_new_queue(DxTest *t)
{
    DxSpace *space = dx_space(t);

    return dx_queue(space, dx_context(space, 0), 16);
}

void dx_bind(DxQueue *q, uint32_t slot)
{
    dx_command_ok(q->space->t, DXGPU_CMD_DOORBELL_BIND, slot, q->id);
}

void dx_unbind(DxTest *t, uint32_t slot)
{
    dx_command_ok(t, DXGPU_CMD_DOORBELL_UNBIND, slot);
}

uint64_t dx_remove_start(DxQueue *q)
{
    DxTest *t = q->space->t;
    uint64_t fence = ++t->last_fence;

    dx_command_ok(t, DXGPU_CMD_QUEUE_REMOVE, q->id, fence);
    return fence;
}

void dx_remove(DxQueue *q)
{
    uint64_t fence = dx_remove_start(q);

    DX_WAIT(q->space->t,
            dx_queue_status(q->space->t, q->id).remove_fence == fence);
}

uint64_t dx_suspend_start(DxTest *t, uint32_t context)
{
    uint64_t fence = ++t->last_fence;

    dx_command_ok(t, DXGPU_CMD_CONTEXT_SUSPEND, context, fence);
    return fence;
}

void dx_suspend(DxTest *t, uint32_t context)
{
    uint64_t fence = dx_suspend_start(t, context);

    DX_WAIT(t, dx_context_status(t, context).suspend_fence == fence);
}

void dx_resume(DxTest *t, uint32_t context)
{
    dx_command_ok(t, DXGPU_CMD_CONTEXT_RESUME, context);
}

/* The structures are the layout: guest and host are little-endian. */
#define DX_HEADER(op, size) { .opcode = (op), .bytes = (size) }
#define DX_APPEND(c, packet) \
    g_byte_array_append(c, (const uint8_t *)&(packet), sizeof(packet))

void dx_nop(GByteArray *c, uint32_t bytes)
{
    struct dxgpu_packet_header header = DX_HEADER(DXGPU_OP_NOP, bytes);
    uint8_t rest[DXGPU_NOP_MAX_BYTES];

    g_assert_cmpuint(bytes, <=, DXGPU_NOP_MAX_BYTES);
    DX_APPEND(c, header);
    /* What follows the header means nothing: make it look like a packet. */
    memset(rest, DXGPU_OP_FENCE_WRITE, sizeof(rest));
    g_byte_array_append(c, rest, bytes - sizeof(header));
}

void dx_fence(GByteArray *c, uint64_t gpuva, uint64_t value, uint8_t flags)
{
    struct dxgpu_packet_fence_write p = {
        .header = DX_HEADER(DXGPU_OP_FENCE_WRITE, sizeof(p)),
        .gpuva = gpuva,
        .value = value,
    };

    p.header.flags = flags;
    DX_APPEND(c, p);
}

void dx_copy(GByteArray *c, uint64_t src, uint64_t dst, uint32_t bytes)
{
    struct dxgpu_packet_copy p = {
        .header = DX_HEADER(DXGPU_OP_COPY, sizeof(p)),
        .src_gpuva = src,
        .dst_gpuva = dst,
        .bytes = bytes,
    };

    DX_APPEND(c, p);
}

void dx_fill(GByteArray *c, uint64_t dst, uint32_t bytes, uint32_t pattern)
{
    struct dxgpu_packet_fill p = {
        .header = DX_HEADER(DXGPU_OP_FILL, sizeof(p)),
        .dst_gpuva = dst,
        .bytes = bytes,
        .pattern = pattern,
    };

    DX_APPEND(c, p);
}

void dx_crc(GByteArray *c, uint64_t src, uint64_t result, uint32_t bytes,
            uint32_t seed)
{
    struct dxgpu_packet_crc32c p = {
        .header = DX_HEADER(DXGPU_OP_CRC32C, sizeof(p)),
        .src_gpuva = src,
        .result_gpuva = result,
        .bytes = bytes,
        .seed = seed,
    };

    DX_APPEND(c, p);
}

uint64_t dx_place(DxQueue *q, const void *bytes, uint32_t count)
{
    uint32_t at = ROUND_UP(q->arena_used, 8);

    if (at + count > q->arena.bytes) {
        q->arena = dx_buffer(q->space, MAX(count, DX_ARENA_BYTES));
        at = 0;
    }
    qtest_bufwrite(q->space->t->qts, q->arena.bus + at, bytes, count);
    q->arena_used = at + count;
    return q->arena.gpuva + at;
}

void dx_store_wp(DxQueue *q, uint64_t wp)
{
    q->wp = wp;
    qtest_writeq(q->space->t->qts, q->control.bus +
                 offsetof(struct dxgpu_ring_control, wp), wp);
}

void dx_submit_entry(DxQueue *q, const struct dxgpu_ring_entry *entry)
{
    qtest_bufwrite(q->space->t->qts, q->ring.bus +
                   q->wp % q->entries * sizeof(*entry), entry, sizeof(*entry));
    dx_store_wp(q, q->wp + 1);
}

void dx_submit(DxQueue *q, GByteArray *c)
{
    struct dxgpu_ring_entry entry = {
        .command_gpuva = dx_place(q, c->data, c->len),
        .command_bytes = c->len,
        .fence_value = q->fence_value,
    };

    dx_submit_entry(q, &entry);
    g_byte_array_set_size(c, 0);
}

void dx_submit_fence(DxQueue *q)
{
    g_autoptr(GByteArray) c = g_byte_array_new();

    dx_fence(c, q->fence.gpuva, ++q->fence_value, 0);
    dx_submit(q, c);
}

void dx_kick(DxQueue *q)
{
    dx_command_ok(q->space->t, DXGPU_CMD_QUEUE_KICK, q->id);
}

uint64_t dx_fence_now(DxQueue *q)
{
    return qtest_readq(q->space->t->qts, q->fence.bus);
}

uint64_t dx_rp_now(DxQueue *q)
{
    return qtest_readq(q->space->t->qts, q->control.bus +
                       offsetof(struct dxgpu_ring_control, rp));
}

void dx_wait_done(DxQueue *q)
{
    struct dxgpu_queue_status status;

    DX_WAIT(q->space->t,
            (status = dx_queue_status(q->space->t, q->id),
             status.rp == q->wp || status.fault_code));
    if (status.fault_code) {
        g_error("queue %u faulted: code %u, GPUVA 0x%" PRIx64
                ", access %u, level %u, entry %" PRIu64, q->id,
                status.fault_code, status.fault_gpuva, status.fault_access,
                status.fault_level, status.fault_rp);
    }
}

struct dxgpu_queue_status dx_wait_fault(DxQueue *q, uint32_t code)
{
    DxTest *t = q->space->t;
    struct dxgpu_queue_status status;

    DX_WAIT(t, dx_fault_bit(t, q->id));
    status = dx_queue_status(t, q->id);
    g_assert_cmpuint(status.state, ==, DXGPU_QUEUE_FAULTED);
    g_assert_cmpuint(status.fault_code, ==, code);
    g_assert_cmpuint(status.fault_rp, ==, status.rp);
    return status;
}

void dx_kick_bad(DxQueue *q)
{
    g_autoptr(GByteArray) c = g_byte_array_new();
    struct dxgpu_packet_header unknown = DX_HEADER(0x66, sizeof(unknown));

    DX_APPEND(c, unknown);
    dx_submit(q, c);
    dx_kick(q);
}

void dx_run(DxQueue *q, GByteArray *c)
{
    dx_submit(q, c);
    dx_kick(q);
    dx_wait_done(q);
}

void dx_assert_works(DxQueue *q)
{
    dx_submit_fence(q);
    dx_kick(q);
    dx_wait_done(q);
    g_assert_cmpuint(dx_fence_now(q), ==, q->fence_value);
}
