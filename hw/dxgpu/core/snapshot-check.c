/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: what a snapshot must fulfil before it is loaded, see
 * snapshot-check.h.
 *
 * What commands and packets must fulfil is checked by the same functions here.
 * Ids ascend, so none comes twice, and references are found by bisection.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot-check.h"

#define SPACE_FLAGS     (DXGPU_SNAPSHOT_PRESENT | DXGPU_SNAPSHOT_REQUESTED | \
                         DXGPU_SNAPSHOT_FENCE_DUE)
#define CONTEXT_FLAGS   (SPACE_FLAGS | DXGPU_SNAPSHOT_SUSPEND_WANTED | \
                         DXGPU_SNAPSHOT_SUSPENDED)
#define QUEUE_FLAGS     (DXGPU_SNAPSHOT_REMOVING | DXGPU_SNAPSHOT_FAULTED | \
                         DXGPU_SNAPSHOT_ACTIVE | DXGPU_SNAPSHOT_OP_VALID | \
                         DXGPU_SNAPSHOT_HUNG)
#define NODE_FLAGS      (DXGPU_SNAPSHOT_HALTED | DXGPU_SNAPSHOT_REQUESTED | \
                         DXGPU_SNAPSHOT_FENCE_DUE)
#define ALL_CAUSES      (DXGPU_INT_ACK | DXGPU_INT_FAULT | DXGPU_INT_RESET_DONE)

/* What is checked, and where it is told what is wrong. */
struct check {
    const struct dxgpu_core_config *config;
    const struct dxgpu_snapshot *in;
    char *why;
    size_t size;
};

__attribute__((format(printf, 2, 3)))
static bool wrong(struct check *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(c->why, c->size, format, args);
    va_end(args);
    return false;
}

static bool has(uint32_t flags, uint32_t all)
{
    return (flags & all) == all;
}

/* Ids of records of this size, which begin with the id. */
static bool check_ids(struct check *c, const char *what, const void *records,
                      size_t size, uint32_t count, uint32_t limit)
{
    uint32_t i, id, next = 0;

    if (count > limit) {
        return wrong(c, "%u %ss, must be 0..%u", count, what, limit);
    }
    for (i = 0; i < count; i++) {
        memcpy(&id, (const char *)records + i * size, sizeof(id));
        if (id < next || id >= limit) {
            return wrong(c, "%s %u, must be %u..%u", what, id, next,
                         limit - 1);
        }
        next = id + 1;
    }
    return true;
}

static int compare_id(const void *key, const void *record)
{
    uint32_t a, b;

    memcpy(&a, key, sizeof(a));
    memcpy(&b, record, sizeof(b));
    return a < b ? -1 : a > b;
}

static bool space_present(const struct dxgpu_snapshot *in, uint32_t id)
{
    const struct dxgpu_snapshot_space *s =
        bsearch(&id, in->spaces, in->num_spaces, sizeof(*s), compare_id);

    return s && (s->flags & DXGPU_SNAPSHOT_PRESENT);
}

/* NULL if it does not exist. */
static const struct dxgpu_snapshot_context *
find_context(const struct dxgpu_snapshot *in, uint32_t id)
{
    const struct dxgpu_snapshot_context *s =
        bsearch(&id, in->contexts, in->num_contexts, sizeof(*s), compare_id);

    return s && (s->flags & DXGPU_SNAPSHOT_PRESENT) ? s : NULL;
}

static bool check_space(struct check *c, const struct dxgpu_snapshot_space *s)
{
    bool requested = s->flags & DXGPU_SNAPSHOT_REQUESTED;
    bool due = s->flags & DXGPU_SNAPSHOT_FENCE_DUE;

    if (s->flags & ~SPACE_FLAGS || !(s->flags & SPACE_FLAGS) ||
        requested != due) {
        return wrong(c, "space %u has the flags 0x%x", s->id, s->flags);
    }
    if (s->root & ~DXGPU_PTE_ADDR_MASK) {
        return wrong(c, "space %u has the root 0x%llx, must be 4 KiB aligned "
                     "and below 2^52", s->id, (unsigned long long)s->root);
    }
    return true;
}

static bool check_context(struct check *c,
                          const struct dxgpu_snapshot_context *s)
{
    bool present = s->flags & DXGPU_SNAPSHOT_PRESENT;

    if (s->flags & ~CONTEXT_FLAGS ||
        (!present && (s->flags & (DXGPU_SNAPSHOT_SUSPEND_WANTED |
                                  DXGPU_SNAPSHOT_SUSPENDED))) ||
        (!present && !(s->flags & DXGPU_SNAPSHOT_REQUESTED)) ||
        (has(s->flags, DXGPU_SNAPSHOT_FENCE_DUE) &&
         !has(s->flags, DXGPU_SNAPSHOT_REQUESTED))) {
        return wrong(c, "context %u has the flags 0x%x", s->id, s->flags);
    }
    if (present && !space_present(c->in, s->space)) {
        return wrong(c, "context %u is of space %u, which does not exist",
                     s->id, s->space);
    }
    if (s->node >= c->config->nodes) {
        return wrong(c, "context %u is of node %u, must be 0..%u", s->id,
                     s->node, c->config->nodes - 1);
    }
    return true;
}

struct dxgpu_op dxgpu_snapshot_op(const struct dxgpu_snapshot_queue *s)
{
    struct dxgpu_op op = {
        .opcode = s->opcode,
        .flags = s->op_flags,
        .bytes = s->bytes,
        .done = s->done,
        .pattern = s->pattern,
        .src = s->src,
        .dst = s->dst,
        .value = s->value,
    };

    return op;
}

struct dxgpu_ring_entry
dxgpu_snapshot_entry(const struct dxgpu_snapshot_queue *s)
{
    struct dxgpu_ring_entry entry = {
        .command_gpuva = s->frames[0].gpuva,
        .command_bytes = s->frames[0].bytes,
        .fence_value = s->entry_fence,
    };

    return entry;
}

/* A command buffer, of the entry or of an INDIRECT: the same rules. */
static bool check_frame(struct check *c, const struct dxgpu_snapshot_queue *s,
                        uint32_t depth)
{
    const struct dxgpu_snapshot_frame *frame = &s->frames[depth];
    struct dxgpu_ring_entry entry = {
        .command_gpuva = frame->gpuva,
        .command_bytes = frame->bytes,
    };
    bool last = depth == s->depth && !(s->flags & DXGPU_SNAPSHOT_OP_VALID);
    uint64_t gpuva;

    if (dxgpu_entry_check(&entry, &gpuva) || frame->offset % 8 ||
        frame->offset > frame->bytes ||
        (last && frame->offset == frame->bytes)) {
        return wrong(c, "queue %u is at byte %u of %u commands at 0x%llx",
                     s->id, frame->offset, frame->bytes,
                     (unsigned long long)frame->gpuva);
    }
    return true;
}

/* The entry, its command buffers and the packet in execution. */
static bool check_execution(struct check *c,
                            const struct dxgpu_snapshot_queue *s)
{
    struct dxgpu_op op = dxgpu_snapshot_op(s);
    uint64_t gpuva;
    uint32_t i;

    if (s->wp == s->rp) {
        return wrong(c, "queue %u executes an entry with RP = WP = %llu",
                     s->id, (unsigned long long)s->rp);
    }
    if (s->depth > DXGPU_CORE_INDIRECT_DEPTH) {
        return wrong(c, "queue %u executes at depth %u, must be 0..%u", s->id,
                     s->depth, DXGPU_CORE_INDIRECT_DEPTH);
    }
    for (i = 0; i <= s->depth; i++) {
        if (!check_frame(c, s, i)) {
            return false;
        }
    }
    if (s->flags & DXGPU_SNAPSHOT_OP_VALID &&
        (dxgpu_op_check(&op, &gpuva) || op.done % DXGPU_CHUNK_BYTES ||
         op.done > op.bytes || (op.done && op.done == op.bytes) ||
         (op.opcode == DXGPU_OP_INDIRECT &&
          s->depth == DXGPU_CORE_INDIRECT_DEPTH))) {
        return wrong(c, "queue %u executes packet 0x%02x, %u of %u bytes, "
                     "from 0x%llx to 0x%llx", s->id, op.opcode, op.done,
                     op.bytes, (unsigned long long)op.src,
                     (unsigned long long)op.dst);
    }
    return true;
}

/* A slot that is there, in the global model that of the address space. */
static bool check_slot(struct check *c, const struct dxgpu_snapshot_queue *s)
{
    struct dxgpu_doorbell_layout doorbells;
    uint32_t first = 0, last;

    if (s->slot == DXGPU_NONE) {
        return true;
    }
    dxgpu_doorbell_layout(c->config, &doorbells);
    last = doorbells.count - 1;
    if (c->config->global_doorbells) {
        first = last = find_context(c->in, s->context)->space;
    }
    if (s->slot < first || s->slot > last ||
        s->flags & DXGPU_SNAPSHOT_REMOVING) {
        return wrong(c, "queue %u with the flags 0x%x has slot %u, must be "
                     "none or %u..%u", s->id, s->flags, s->slot, first, last);
    }
    return true;
}

static bool check_queue(struct check *c, const struct dxgpu_snapshot_queue *s)
{
    bool active = s->flags & DXGPU_SNAPSHOT_ACTIVE;

    if (s->flags & ~QUEUE_FLAGS ||
        (active && (s->flags & DXGPU_SNAPSHOT_FAULTED)) ||
        (!active && (s->flags & DXGPU_SNAPSHOT_OP_VALID)) ||
        (s->flags & DXGPU_SNAPSHOT_HUNG &&
         !(s->flags & DXGPU_SNAPSHOT_OP_VALID))) {
        return wrong(c, "queue %u has the flags 0x%x", s->id, s->flags);
    }
    if (!find_context(c->in, s->context)) {
        return wrong(c, "queue %u is of context %u, which does not exist",
                     s->id, s->context);
    }
    if (!check_slot(c, s)) {
        return false;
    }
    if (!dxgpu_queue_geometry_ok(c->config, s->ring, s->entries, s->control)) {
        return wrong(c, "queue %u has %u entries at 0x%llx, control at 0x%llx",
                     s->id, s->entries, (unsigned long long)s->ring,
                     (unsigned long long)s->control);
    }
    if (s->wp - s->rp > s->entries) {
        return wrong(c, "queue %u has WP %llu, must be %llu + 0..%u", s->id,
                     (unsigned long long)s->wp, (unsigned long long)s->rp,
                     s->entries);
    }
    return !active || check_execution(c, s);
}

static bool check_node(struct check *c, uint32_t index)
{
    uint32_t flags = c->in->nodes[index].flags;

    if (flags & ~NODE_FLAGS || !(flags & DXGPU_SNAPSHOT_REQUESTED) !=
                               !(flags & DXGPU_SNAPSHOT_FENCE_DUE) ||
        (flags && c->in->state == DXGPU_STATUS_DISABLED)) {
        return wrong(c, "node %u has the flags 0x%x", index, flags);
    }
    return true;
}

/* A node hangs in one queue, and not while it stands after a reset. */
static bool check_holders(struct check *c)
{
    uint32_t i, node, used = 0;

    for (i = 0; i < c->config->nodes; i++) {
        used |= c->in->nodes[i].flags & DXGPU_SNAPSHOT_HALTED ? 1u << i : 0;
    }
    for (i = 0; i < c->in->num_queues; i++) {
        if (!(c->in->queues[i].flags & DXGPU_SNAPSHOT_HUNG)) {
            continue;
        }
        node = find_context(c->in, c->in->queues[i].context)->node;
        if (used >> node & 1) {
            return wrong(c, "queue %u hangs on node %u, which is not its own",
                         c->in->queues[i].id, node);
        }
        used |= 1u << node;
    }
    return true;
}

/* No slot has two queues, but in the global model. */
static bool check_slots(struct check *c)
{
    uint64_t used[DXGPU_CORE_LIMIT_SLOTS / 64] = { 0 };
    uint32_t i, slot;

    if (c->config->global_doorbells) {
        return true;
    }
    for (i = 0; i < c->in->num_queues; i++) {
        slot = c->in->queues[i].slot;
        if (slot == DXGPU_NONE) {
            continue;
        }
        if (used[slot / 64] & 1ull << slot % 64) {
            return wrong(c, "slot %u has two queues", slot);
        }
        used[slot / 64] |= 1ull << slot % 64;
    }
    return true;
}

static bool check_registers(struct check *c)
{
    const struct dxgpu_snapshot *in = c->in;

    if (in->state > DXGPU_STATUS_RESETTING) {
        return wrong(c, "STATUS is %u, must be 0..%u", in->state,
                     DXGPU_STATUS_RESETTING);
    }
    if ((in->int_cause | in->int_enable) & ~ALL_CAUSES) {
        return wrong(c, "INT_CAUSE is 0x%x, INT_ENABLE 0x%x, must be 0..0x%x",
                     in->int_cause, in->int_enable, ALL_CAUSES);
    }
    if (in->state == DXGPU_STATUS_DISABLED &&
        (in->num_spaces || in->num_contexts || in->num_queues)) {
        return wrong(c, "DISABLED with %u spaces, %u contexts, %u queues, "
                     "must be none", in->num_spaces, in->num_contexts,
                     in->num_queues);
    }
    return true;
}

bool dxgpu_snapshot_check(const struct dxgpu_core_config *config,
                          const struct dxgpu_snapshot *in, char *why,
                          size_t size)
{
    struct check c = {
        .config = config,
        .in = in,
        .why = why,
        .size = size,
    };
    uint32_t i;

    if (!check_registers(&c) ||
        !check_ids(&c, "space", in->spaces, sizeof(*in->spaces),
                   in->num_spaces, config->spaces) ||
        !check_ids(&c, "context", in->contexts, sizeof(*in->contexts),
                   in->num_contexts, config->contexts) ||
        !check_ids(&c, "queue", in->queues, sizeof(*in->queues),
                   in->num_queues, config->queues)) {
        return false;
    }
    for (i = 0; i < in->num_spaces; i++) {
        if (!check_space(&c, &in->spaces[i])) {
            return false;
        }
    }
    for (i = 0; i < in->num_contexts; i++) {
        if (!check_context(&c, &in->contexts[i])) {
            return false;
        }
    }
    for (i = 0; i < in->num_queues; i++) {
        if (!check_queue(&c, &in->queues[i])) {
            return false;
        }
    }
    for (i = 0; i < config->nodes; i++) {
        if (!check_node(&c, i)) {
            return false;
        }
    }
    return check_holders(&c) && check_slots(&c);
}
