/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: counters.
 *
 * Counters are relaxed atomics: each is exact, but a reader that takes several
 * while the device works sees no common instant. Current numbers (slots bound,
 * queues, ...) are counters that also go down.
 */
#include "state.h"

static const char *const names[DXGPU_STAT_COUNT] = {
    [DXGPU_STAT_DOORBELL_WRITES] = "doorbell_writes",
    [DXGPU_STAT_DOORBELL_SECONDARY] = "doorbell_secondary",
    [DXGPU_STAT_DOORBELL_UNBOUND] = "doorbell_unbound",
    [DXGPU_STAT_DOORBELL_ASLEEP] = "doorbell_asleep",
    [DXGPU_STAT_DOORBELL_BAD_ACCESS] = "doorbell_bad_access",
    [DXGPU_STAT_DOORBELL_MISMATCHES] = "doorbell_mismatches",
    [DXGPU_STAT_REGISTER_BAD_ACCESS] = "register_bad_access",
    [DXGPU_STAT_COMMANDS] = "commands",
    [DXGPU_STAT_COMMAND_ERRORS] = "command_errors",
    [DXGPU_STAT_BINDS] = "binds",
    [DXGPU_STAT_UNBINDS] = "unbinds",
    [DXGPU_STAT_SAMPLES] = "samples",
    [DXGPU_STAT_ENTRIES_COMPLETED] = "entries_completed",
    [DXGPU_STAT_PACKETS] = "packets",
    [DXGPU_STAT_FENCE_WRITES] = "fence_writes",
    [DXGPU_STAT_FENCE_INTERRUPTS] = "fence_interrupts",
    [DXGPU_STAT_INTERRUPTS] = "interrupts",
    [DXGPU_STAT_COPY_BYTES] = "copy_bytes",
    [DXGPU_STAT_FILL_BYTES] = "fill_bytes",
    [DXGPU_STAT_CRC_BYTES] = "crc_bytes",
    [DXGPU_STAT_DMA_READ_BYTES] = "dma_read_bytes",
    [DXGPU_STAT_DMA_WRITE_BYTES] = "dma_write_bytes",
    [DXGPU_STAT_TLB_HITS] = "tlb_hits",
    [DXGPU_STAT_TLB_MISSES] = "tlb_misses",
    [DXGPU_STAT_FAULTS] = "faults",
    [DXGPU_STAT_RESETS] = "resets",
    [DXGPU_STAT_ENGINE_RESETS] = "engine_resets",
    [DXGPU_STAT_HANGS] = "hangs",
    [DXGPU_STAT_REMOVES] = "removes",
    [DXGPU_STAT_SUSPENDS] = "suspends",
    [DXGPU_STAT_INVALIDATES] = "invalidates",
    [DXGPU_STAT_SLOTS_BOUND] = "slots_bound",
    [DXGPU_STAT_QUEUES] = "queues",
    [DXGPU_STAT_CONTEXTS] = "contexts",
    [DXGPU_STAT_SPACES] = "spaces",
};

const char *dxgpu_stat_name(enum dxgpu_stat stat)
{
    return names[stat];
}

uint64_t dxgpu_core_stat(struct dxgpu_core *core, enum dxgpu_stat stat)
{
    return atomic_load_explicit(&core->stats[stat], memory_order_relaxed);
}

void dxgpu_core_count(struct dxgpu_core *core, enum dxgpu_stat stat,
                      uint64_t n)
{
    atomic_fetch_add_explicit(&core->stats[stat], n, memory_order_relaxed);
}
