/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: BAR0, the registers.
 *
 * A register access is 4 bytes on a 4-byte boundary, or 8 bytes at an argument
 * of the command window. Everything else, and every offset where no register
 * is, reads as zero, is ignored and counted (DEV-3); so all sizes are accepted
 * by the region. Writes to read-only registers are ignored. Handlers hold the
 * BQL, do not wait and do not touch guest memory.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"

#include "dxgpu.h"
#include "dxgpu/pte.h"
#include "dxgpu/status.h"
#include "trace.h"

/* Registers that are constant after realize. False if it is none of them. */
static bool dxgpu_constant_register(DxgpuState *s, hwaddr addr,
                                    uint32_t *value)
{
    struct dxgpu_doorbell_layout doorbells;
    struct dxgpu_status_layout layout;

    dxgpu_doorbell_layout(&s->config, &doorbells);
    dxgpu_status_layout(&s->config, &layout);
    switch (addr) {
    case DXGPU_REG_MAGIC:
        *value = DXGPU_MAGIC;
        return true;
    case DXGPU_REG_VERSION:
        *value = DXGPU_VERSION;
        return true;
    case DXGPU_REG_CAPS:
        *value = s->caps;
        return true;
    case DXGPU_REG_NUM_NODES:
        *value = s->config.nodes;
        return true;
    case DXGPU_REG_NUM_SLOTS:
        *value = doorbells.count;
        return true;
    case DXGPU_REG_MAX_QUEUES:
        *value = s->config.queues;
        return true;
    case DXGPU_REG_MAX_CONTEXTS:
        *value = s->config.contexts;
        return true;
    case DXGPU_REG_MAX_SPACES:
        *value = s->config.spaces;
        return true;
    case DXGPU_REG_DOORBELL_STRIDE:
        *value = doorbells.stride;
        return true;
    case DXGPU_REG_DOORBELL_SIZE:
        *value = DXGPU_DOORBELL_BYTES;
        return true;
    case DXGPU_REG_RING_MIN_ENTRIES:
        *value = DXGPU_CORE_RING_MIN_ENTRIES;
        return true;
    case DXGPU_REG_RING_MAX_ENTRIES:
        *value = s->config.ring_max_entries;
        return true;
    case DXGPU_REG_MAX_COMMAND_BYTES:
        *value = DXGPU_CORE_MAX_COMMAND_BYTES;
        return true;
    case DXGPU_REG_MAX_TRANSFER_BYTES:
        *value = DXGPU_CORE_MAX_TRANSFER_BYTES;
        return true;
    case DXGPU_REG_GPUVA_BITS:
        *value = DXGPU_GPUVA_BITS;
        return true;
    case DXGPU_REG_INDIRECT_DEPTH:
        *value = DXGPU_CORE_INDIRECT_DEPTH;
        return true;
    case DXGPU_REG_MAX_DELAY_NS:
        *value = DXGPU_CORE_MAX_DELAY_NS;
        return true;
    case DXGPU_REG_SECONDARY_OFFSET:
        *value = doorbells.secondary_offset;
        return true;
    case DXGPU_REG_SECONDARY_STRIDE:
        *value = doorbells.secondary_stride;
        return true;
    case DXGPU_REG_SECONDARY_SIZE:
        *value = doorbells.secondary_bytes;
        return true;
    case DXGPU_REG_STATUS_SIZE:
        *value = memory_region_size(&s->status);
        return true;
    case DXGPU_REG_STATUS_QUEUE_OFFSET:
        *value = layout.queue_offset;
        return true;
    case DXGPU_REG_STATUS_QUEUE_STRIDE:
        *value = sizeof(struct dxgpu_queue_status);
        return true;
    case DXGPU_REG_STATUS_CONTEXT_OFFSET:
        *value = layout.context_offset;
        return true;
    case DXGPU_REG_STATUS_CONTEXT_STRIDE:
        *value = sizeof(struct dxgpu_context_status);
        return true;
    case DXGPU_REG_STATUS_SPACE_OFFSET:
        *value = layout.space_offset;
        return true;
    case DXGPU_REG_STATUS_SPACE_STRIDE:
        *value = sizeof(struct dxgpu_space_status);
        return true;
    case DXGPU_REG_STATUS_NODE_OFFSET:
        *value = layout.node_offset;
        return true;
    case DXGPU_REG_STATUS_NODE_STRIDE:
        *value = sizeof(struct dxgpu_node_status);
        return true;
    case DXGPU_REG_STATUS_FAULT_OFFSET:
        *value = layout.fault_offset;
        return true;
    default:
        return false;
    }
}

/* False if there is no such register. */
static bool dxgpu_node_register(DxgpuState *s, hwaddr addr, uint32_t *value)
{
    unsigned node;

    for (node = 0; node < s->config.nodes; node++) {
        if (addr == DXGPU_REG_NODE_TYPE(node)) {
            *value = dxgpu_node_type(s, node);
            return true;
        }
        if (addr == DXGPU_REG_NODE_FLAGS(node)) {
            *value = s->config.kernel_nodes >> node & 1 ?
                     0 : DXGPU_NODE_USER_SUBMISSION;
            return true;
        }
    }
    return false;
}

/* The index of the argument at this offset; false if it is elsewhere. */
static bool dxgpu_argument(hwaddr addr, unsigned *index)
{
    if (addr < DXGPU_REG_CMD_ARG(0) ||
        addr >= DXGPU_REG_CMD_ARG(DXGPU_CMD_NUM_ARGS)) {
        return false;
    }
    *index = (addr - DXGPU_REG_CMD_ARG(0)) / sizeof(uint64_t);
    return true;
}

/* False if there is no such register. */
static bool dxgpu_register_get(DxgpuState *s, hwaddr addr, uint32_t *value)
{
    unsigned index;

    if (dxgpu_constant_register(s, addr, value) ||
        dxgpu_node_register(s, addr, value)) {
        return true;
    }
    if (dxgpu_argument(addr, &index)) {
        *value = extract64(s->cmd_args[index], addr % 8 * 8, 32);
        return true;
    }
    switch (addr) {
    case DXGPU_REG_STATUS:
        *value = dxgpu_core_status(s->core);
        return true;
    case DXGPU_REG_RESET_COUNT:
        *value = dxgpu_core_reset_count(s->core);
        return true;
    case DXGPU_REG_INT_CAUSE:
        *value = dxgpu_core_int_cause(s->core);
        return true;
    case DXGPU_REG_INT_ENABLE:
        *value = dxgpu_core_int_enable(s->core);
        return true;
    case DXGPU_REG_CMD_RESULT:
        *value = s->cmd_result;
        return true;
    case DXGPU_REG_CONTROL:
    case DXGPU_REG_CMD:
        *value = 0;
        return true;
    default:
        return false;
    }
}

static void dxgpu_register_set(DxgpuState *s, hwaddr addr, uint32_t value)
{
    unsigned index;

    if (dxgpu_argument(addr, &index)) {
        s->cmd_args[index] = deposit64(s->cmd_args[index], addr % 8 * 8, 32,
                                       value);
        return;
    }
    switch (addr) {
    case DXGPU_REG_CONTROL:
        dxgpu_core_control(s->core, value);
        break;
    case DXGPU_REG_INT_CAUSE:
        dxgpu_core_int_clear(s->core, value);
        break;
    case DXGPU_REG_INT_ENABLE:
        dxgpu_core_set_int_enable(s->core, value);
        break;
    case DXGPU_REG_CMD:
        s->cmd_result = dxgpu_core_command(s->core, value, s->cmd_args);
        trace_dxgpu_command(value, s->cmd_args[0], s->cmd_args[1],
                            s->cmd_result);
        break;
    default:
        break;
    }
}

static void dxgpu_bad_access(DxgpuState *s, hwaddr addr, unsigned size)
{
    dxgpu_core_count(s->core, DXGPU_STAT_REGISTER_BAD_ACCESS, 1);
    trace_dxgpu_register_bad_access(addr, size);
}

static uint64_t dxgpu_mmio_read(void *opaque, hwaddr addr, unsigned size)
{
    DxgpuState *s = opaque;
    unsigned index;
    uint32_t word;
    uint64_t value;

    if (size == 4 && addr % 4 == 0 && dxgpu_register_get(s, addr, &word)) {
        value = word;
    } else if (size == 8 && addr % 8 == 0 && dxgpu_argument(addr, &index)) {
        value = s->cmd_args[index];
    } else {
        dxgpu_bad_access(s, addr, size);
        return 0;
    }
    trace_dxgpu_register_read(addr, size, value);
    return value;
}

static void dxgpu_mmio_write(void *opaque, hwaddr addr, uint64_t value,
                             unsigned size)
{
    DxgpuState *s = opaque;
    unsigned index;
    uint32_t old;

    trace_dxgpu_register_write(addr, size, value);
    if (size == 4 && addr % 4 == 0 && dxgpu_register_get(s, addr, &old)) {
        dxgpu_register_set(s, addr, value);
    } else if (size == 8 && addr % 8 == 0 && dxgpu_argument(addr, &index)) {
        s->cmd_args[index] = value;
    } else {
        dxgpu_bad_access(s, addr, size);
    }
}

static const MemoryRegionOps dxgpu_mmio_ops = {
    .read = dxgpu_mmio_read,
    .write = dxgpu_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
    },
    .impl = {
        .min_access_size = 1,
        .max_access_size = 8,
        .unaligned = true,
    },
};

void dxgpu_mmio_init(DxgpuState *s)
{
    memory_region_init_io(&s->regs, OBJECT(s), &dxgpu_mmio_ops, s,
                          "dxgpu-regs", DXGPU_REGS_SIZE);
}

void dxgpu_mmio_reset(DxgpuState *s)
{
    memset(s->cmd_args, 0, sizeof(s->cmd_args));
    s->cmd_result = 0;
}
