/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu core: translation of GPU virtual addresses, and memory access by them.
 *
 * Everything the device reads or writes for a queue goes through the page
 * tables of the queue's address space (SEC-9). The format is dxgpu/pte.h.
 * Each entry is read once into a private copy, then checked, then used.
 *
 * A TLB is direct-mapped, belongs to one worker and has no lock. Its entries
 * carry the space's tag, a number that is never used twice: to invalidate a
 * space, or to make one under an id that was used before, it gets a new tag,
 * and all older translations are unreachable at once. So an invalidation
 * always concerns the whole space, which the contract allows. A 2 MiB page is
 * kept as 4 KiB pieces, as touched.
 */
#include "state.h"

static struct dxgpu_tlb_entry *tlb_slot(struct dxgpu_worker *w, uint64_t tag,
                                        uint64_t page)
{
    /*
     * A multiplicative hash, as rings and buffers like round addresses, and
     * all processes like the same ones. A page number has 36 bits.
     */
    return &w->tlb[(page + (tag << 36)) * 0x9e3779b97f4a7c15ull >>
                      (64 - DXGPU_TLB_BITS)];
}

static bool fail(struct dxgpu_fault *fault, uint32_t code, uint32_t access,
                 uint32_t level, uint64_t gpuva)
{
    fault->code = code;
    fault->access = access;
    fault->level = level;
    fault->gpuva = gpuva;
    return false;
}

static bool dma_in(struct dxgpu_core *core, uint64_t bus, void *buf,
                   uint32_t len)
{
    if (!core->ops.dma_read(core->opaque, bus, buf, len)) {
        return false;
    }
    dxgpu_core_count(core, DXGPU_STAT_DMA_READ_BYTES, len);
    return true;
}

static bool dma_out(struct dxgpu_core *core, uint64_t bus, const void *buf,
                    uint32_t len)
{
    if (!core->ops.dma_write(core->opaque, bus, buf, len)) {
        return false;
    }
    dxgpu_core_count(core, DXGPU_STAT_DMA_WRITE_BYTES, len);
    return true;
}

/* Walks the tables and fills in a TLB entry; fails with the level reached. */
static bool walk(struct dxgpu_core *core, struct dxgpu_space *space,
                 uint64_t gpuva, uint32_t access,
                 struct dxgpu_tlb_entry *entry, struct dxgpu_fault *fault)
{
    uint64_t table = space->root;
    uint64_t pte, offset;
    int level;

    for (level = DXGPU_PT_LEVELS - 1; ; level--) {
        if (!dma_in(core, table + DXGPU_PT_INDEX(gpuva, level) * sizeof(pte),
                    &pte, sizeof(pte))) {
            return fail(fault, DXGPU_FAULT_BUS, access, level, gpuva);
        }
        pte = dxgpu_le64(pte);
        if (!(pte & DXGPU_PTE_VALID)) {
            return fail(fault, DXGPU_FAULT_UNMAPPED, access, level, gpuva);
        }
        if (pte & DXGPU_PTE_RESERVED) {
            return fail(fault, DXGPU_FAULT_PTE, access, level, gpuva);
        }
        table = pte & DXGPU_PTE_ADDR_MASK;
        if (level == 0) {
            offset = 0;
            break;
        }
        if (pte & DXGPU_PTE_LEAF) {
            if (level != 1 || (table & (DXGPU_LARGE_PAGE_SIZE - 1))) {
                return fail(fault, DXGPU_FAULT_PTE, access, level, gpuva);
            }
            offset = gpuva & (DXGPU_LARGE_PAGE_SIZE - DXGPU_PAGE_SIZE);
            break;
        }
    }

    entry->page = gpuva >> DXGPU_PAGE_SHIFT;
    entry->bus = table + offset;
    entry->flags = pte & (DXGPU_PTE_READ | DXGPU_PTE_WRITE);
    entry->level = level;
    return true;
}

/* gpuva is below DXGPU_GPUVA_END; *bus is the translated byte address. */
static bool translate(struct dxgpu_core *core, struct dxgpu_queue *q,
                      uint64_t gpuva, uint32_t access, uint64_t *bus,
                      struct dxgpu_fault *fault)
{
    struct dxgpu_space *space = q->context->space;
    uint64_t tag = atomic_load_explicit(&space->tag, memory_order_relaxed);
    struct dxgpu_tlb_entry *entry;
    uint32_t need = access == DXGPU_ACCESS_WRITE ? DXGPU_PTE_WRITE
                                                 : DXGPU_PTE_READ;

    entry = tlb_slot(dxgpu_queue_worker(core, q), tag,
                     gpuva >> DXGPU_PAGE_SHIFT);
    if (entry->tag == tag && entry->page == gpuva >> DXGPU_PAGE_SHIFT) {
        dxgpu_core_count(core, DXGPU_STAT_TLB_HITS, 1);
    } else {
        dxgpu_core_count(core, DXGPU_STAT_TLB_MISSES, 1);
        entry->tag = 0;
        if (!walk(core, space, gpuva, access, entry, fault)) {
            return false;
        }
        entry->tag = tag;
    }
    if (!(entry->flags & need)) {
        return fail(fault, DXGPU_FAULT_PROTECTION, access, entry->level,
                    gpuva);
    }
    *bus = entry->bus + (gpuva & (DXGPU_PAGE_SIZE - 1));
    return true;
}

/*
 * Moves len bytes, at most DXGPU_CHUNK_BYTES, in one DMA per run of pages that
 * are contiguous on the bus. in is set for a read, out for a write.
 */
static bool transfer(struct dxgpu_core *core, struct dxgpu_queue *q,
                     uint64_t gpuva, uint8_t *in, const uint8_t *out,
                     uint32_t len, struct dxgpu_fault *fault)
{
    uint32_t access = in ? DXGPU_ACCESS_READ : DXGPU_ACCESS_WRITE;
    uint32_t done = 0, run = 0, piece, start;
    uint64_t run_bus = 0, bus = 0, at;
    bool ok;

    if (!dxgpu_gpuva_ok(gpuva, len)) {
        return fail(fault, DXGPU_FAULT_ADDRESS, access, 0, gpuva);
    }
    for (;;) {
        piece = 0;
        if (done < len) {
            at = gpuva + done;
            piece = DXGPU_PAGE_SIZE - (at & (DXGPU_PAGE_SIZE - 1));
            if (piece > len - done) {
                piece = len - done;
            }
            if (!translate(core, q, at, access, &bus, fault)) {
                return false;
            }
            if (run && bus == run_bus + run) {
                run += piece;
                done += piece;
                continue;
            }
        }
        if (run) {
            start = done - run;
            ok = in ? dma_in(core, run_bus, in + start, run)
                    : dma_out(core, run_bus, out + start, run);
            if (!ok) {
                return fail(fault, DXGPU_FAULT_BUS, access, 0, gpuva + start);
            }
        }
        if (!piece) {
            return true;
        }
        run_bus = bus;
        run = piece;
        done += piece;
    }
}

bool dxgpu_mem_read(struct dxgpu_core *core, struct dxgpu_queue *q,
                    uint64_t gpuva, void *buf, uint32_t len,
                    struct dxgpu_fault *fault)
{
    return transfer(core, q, gpuva, buf, NULL, len, fault);
}

bool dxgpu_mem_write(struct dxgpu_core *core, struct dxgpu_queue *q,
                     uint64_t gpuva, const void *buf, uint32_t len,
                     struct dxgpu_fault *fault)
{
    return transfer(core, q, gpuva, NULL, buf, len, fault);
}

/* gpuva is 8-byte aligned, so the word lies in one page. */
bool dxgpu_mem_load_u64(struct dxgpu_core *core, struct dxgpu_queue *q,
                        uint64_t gpuva, uint64_t *value,
                        struct dxgpu_fault *fault)
{
    uint64_t bus;

    if (!dxgpu_gpuva_ok(gpuva, sizeof(*value))) {
        return fail(fault, DXGPU_FAULT_ADDRESS, DXGPU_ACCESS_READ, 0, gpuva);
    }
    if (!translate(core, q, gpuva, DXGPU_ACCESS_READ, &bus, fault)) {
        return false;
    }
    if (!core->ops.load_u64(core->opaque, bus, value)) {
        return fail(fault, DXGPU_FAULT_BUS, DXGPU_ACCESS_READ, 0, gpuva);
    }
    dxgpu_core_count(core, DXGPU_STAT_DMA_READ_BYTES, sizeof(*value));
    return true;
}

/* gpuva is 8-byte aligned, so the word lies in one page. */
bool dxgpu_mem_store_u64(struct dxgpu_core *core, struct dxgpu_queue *q,
                         uint64_t gpuva, uint64_t value,
                         struct dxgpu_fault *fault)
{
    uint64_t bus;

    if (!dxgpu_gpuva_ok(gpuva, sizeof(value))) {
        return fail(fault, DXGPU_FAULT_ADDRESS, DXGPU_ACCESS_WRITE, 0, gpuva);
    }
    if (!translate(core, q, gpuva, DXGPU_ACCESS_WRITE, &bus, fault)) {
        return false;
    }
    if (!core->ops.store_u64(core->opaque, bus, value)) {
        return fail(fault, DXGPU_FAULT_BUS, DXGPU_ACCESS_WRITE, 0, gpuva);
    }
    dxgpu_core_count(core, DXGPU_STAT_DMA_WRITE_BYTES, sizeof(value));
    return true;
}
