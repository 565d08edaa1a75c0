/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu qtests: guest memory and page tables.
 *
 * Tables are read back from guest memory when they are extended: there is no
 * second copy that could differ from what the device sees. Each space begins to
 * hand out addresses at a place of its own whose index is another one at every
 * level, so a walk that mixes up levels or spaces does not work by chance.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "dxgpu-qtest.h"

#define DX_MEMORY_END   (256ull * 1024 * 1024)
#define DX_GPUVA_FIRST  0x00003456789a0000ull
#define DX_GPUVA_SKEW   0x0000008040201000ull

uint64_t dx_memory(DxTest *t, uint64_t bytes, uint64_t align)
{
    uint64_t bus = ROUND_UP(t->memory_next, align);

    t->memory_next = bus + bytes;
    g_assert_cmphex(t->memory_next, <=, DX_MEMORY_END);
    return bus;
}

DxSpace *dx_tables(DxTest *t)
{
    DxSpace *space = g_new0(DxSpace, 1);

    g_ptr_array_add(t->objects, space);
    space->t = t;
    space->id = t->next_space++;
    space->root = dx_memory(t, DXGPU_PT_BYTES, DXGPU_PT_BYTES);
    space->next_gpuva = DX_GPUVA_FIRST + (space->id % 64) * DX_GPUVA_SKEW;
    return space;
}

DxSpace *dx_space(DxTest *t)
{
    DxSpace *space = dx_tables(t);

    dx_command_ok(t, DXGPU_CMD_SPACE_CREATE, space->id, space->root);
    return space;
}

uint64_t dx_entry(DxSpace *space, uint64_t gpuva, unsigned int level)
{
    DxTest *t = space->t;
    uint64_t table = space->root;
    uint64_t at, pte;
    unsigned int i;

    for (i = DXGPU_PT_LEVELS - 1; i > level; i--) {
        at = table + DXGPU_PT_INDEX(gpuva, i) * sizeof(pte);
        pte = qtest_readq(t->qts, at);
        if (!(pte & DXGPU_PTE_VALID)) {
            pte = dx_memory(t, DXGPU_PT_BYTES, DXGPU_PT_BYTES) |
                  DXGPU_PTE_VALID;
            qtest_writeq(t->qts, at, pte);
        }
        table = pte & DXGPU_PTE_ADDR_MASK;
    }
    return table + DXGPU_PT_INDEX(gpuva, level) * sizeof(pte);
}

/* Writes entries of one page each; step 0 writes the same entry everywhere. */
static void write_entries(DxSpace *space, uint64_t gpuva, uint64_t entry,
                          uint64_t pages, uint64_t step)
{
    uint64_t entries[DXGPU_PT_ENTRIES];
    uint64_t at, i, n;

    g_assert_cmphex(gpuva % DXGPU_PAGE_SIZE, ==, 0);
    for (; pages; pages -= n) {
        n = MIN(pages, DXGPU_PT_ENTRIES - DXGPU_PT_INDEX(gpuva, 0));
        at = dx_entry(space, gpuva, 0);
        for (i = 0; i < n; i++, entry += step) {
            entries[i] = cpu_to_le64(entry);
        }
        qtest_bufwrite(space->t->qts, at, entries, n * sizeof(entries[0]));
        gpuva += n * DXGPU_PAGE_SIZE;
    }
}

void dx_map(DxSpace *space, uint64_t gpuva, uint64_t bus, uint64_t bytes,
            uint64_t flags)
{
    g_assert_cmphex(bus % DXGPU_PAGE_SIZE, ==, 0);
    write_entries(space, gpuva, bus | flags | DXGPU_PTE_VALID,
                  DIV_ROUND_UP(bytes, DXGPU_PAGE_SIZE), DXGPU_PAGE_SIZE);
}

void dx_unmap(DxSpace *space, uint64_t gpuva, uint64_t bytes)
{
    write_entries(space, gpuva, 0, DIV_ROUND_UP(bytes, DXGPU_PAGE_SIZE), 0);
}

void dx_invalidate(DxSpace *space)
{
    DxTest *t = space->t;
    uint64_t fence = ++t->last_fence;

    dx_command_ok(t, DXGPU_CMD_SPACE_INVALIDATE, space->id, 0, 0, fence);
    DX_WAIT(t, dx_invalidate_fence(t, space->id) == fence);
}

uint64_t dx_reserve(DxSpace *space, uint64_t bytes)
{
    uint64_t gpuva = space->next_gpuva;

    space->next_gpuva += ROUND_UP(bytes, DXGPU_PAGE_SIZE) + DXGPU_PAGE_SIZE;
    g_assert_cmphex(space->next_gpuva, <, 1ull << DXGPU_GPUVA_BITS);
    return gpuva;
}

DxBuffer dx_buffer_flags(DxSpace *space, uint32_t bytes, uint64_t flags)
{
    uint64_t whole = ROUND_UP((uint64_t)bytes, DXGPU_PAGE_SIZE);
    DxBuffer buffer = {
        .bus = dx_memory(space->t, whole, DXGPU_PAGE_SIZE),
        .gpuva = dx_reserve(space, whole),
        .bytes = bytes,
    };

    dx_map(space, buffer.gpuva, buffer.bus, whole, flags);
    return buffer;
}

DxBuffer dx_buffer(DxSpace *space, uint32_t bytes)
{
    return dx_buffer_flags(space, bytes, DX_RW);
}

/* A generator of Weyl's kind: quick, and no byte is the same at every page. */
void dx_pattern(uint8_t *bytes, size_t count, uint32_t seed)
{
    uint64_t x = 0x9e3779b97f4a7c15ull * (seed + 1);
    size_t i;

    for (i = 0; i < count; i++) {
        x += 0x9e3779b97f4a7c15ull;
        bytes[i] = (x ^ x >> 27) >> 32;
    }
}

void dx_write_pattern(DxTest *t, uint64_t bus, size_t count, uint32_t seed)
{
    g_autofree uint8_t *bytes = g_malloc(count);

    dx_pattern(bytes, count, seed);
    qtest_bufwrite(t->qts, bus, bytes, count);
}

void dx_assert_pattern(DxTest *t, uint64_t bus, size_t count, uint32_t seed)
{
    g_autofree uint8_t *wanted = g_malloc(count);
    g_autofree uint8_t *found = g_malloc(count);
    size_t i;

    dx_pattern(wanted, count, seed);
    qtest_bufread(t->qts, bus, found, count);
    for (i = 0; i < count; i++) {
        if (found[i] != wanted[i]) {
            g_error("byte %zu of %zu at bus address 0x%" PRIx64
                    " is 0x%02x, expected 0x%02x", i, count, bus, found[i],
                    wanted[i]);
        }
    }
}

/* Bit by bit, as the standard defines it: nothing is shared with QEMU. */
uint32_t dx_crc_of(const uint8_t *bytes, size_t count, uint32_t crc)
{
    size_t i;
    int bit;

    crc = ~crc;
    for (i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}
