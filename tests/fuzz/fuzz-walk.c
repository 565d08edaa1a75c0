/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: translation. The input writes page-table entries into the first
 * pages of memory, which are tables or data or both, and accesses memory through
 * them. Right after an invalidation every access is compared with a walker that
 * is written here, from pte.h, and that has no TLB. With stale translations
 * only bounds (fake.c's and ASan's) and the fault's form are checked, as a guest
 * that does not invalidate may see either.
 *
 * Input: one record after the other; its first byte mod 5 is what to do.
 *   0  u8 page, u16 index, u64 value: an entry as it is
 *   1  u8 page, u16 index, u8 page, u8 flags: a plausible entry
 *   2  u8 how, u8 root-index .. u16 offset, u32 length: an access, see access()
 *   3  invalidate
 *   4  u8: bus mastering on (odd) or off
 */
#include <string.h>

#include "fuzz.h"

#define TABLE_PAGES     8
#define MAX_RECORDS     256

static struct dxgpu_core_config config(void)
{
    struct dxgpu_core_config c = fake_config();

    c.queues = 1;
    c.contexts = 1;
    c.spaces = 1;
    c.slots = 1;
    return c;
}

static bool in_memory(struct fake *f, uint64_t bus, uint64_t len)
{
    return f->bus_master && bus >= FAKE_BASE && bus + len <= FAKE_BASE +
           FAKE_BYTES;
}

/* The reference: DXGPU_FAULT_NONE with *bus, or a code with *level. */
static uint32_t reference(struct fake *f, uint64_t gpuva, uint64_t need,
                          uint64_t *bus, uint32_t *level)
{
    uint64_t table = FAKE_BASE, pte, size;
    bool leaf;

    for (*level = 3; ; --*level) {
        uint64_t at = table + 8 * (gpuva >> (12 + 9 * *level) & 511);

        if (!in_memory(f, at, 8)) {
            return DXGPU_FAULT_BUS;
        }
        memcpy(&pte, f->mem + (at - FAKE_BASE), 8);
        pte = dxgpu_le64(pte);
        if (!(pte & 1)) {
            return DXGPU_FAULT_UNMAPPED;
        }
        if (pte >> 52 || (pte & 0xff0)) {
            return DXGPU_FAULT_PTE;
        }
        table = pte & ~0xfffull;
        leaf = *level == 0 || (pte & DXGPU_PTE_LEAF);
        if (leaf) {
            break;
        }
    }
    size = *level ? 2ull << 20 : 4096;
    if (*level > 1 || table % size) {
        return DXGPU_FAULT_PTE;
    }
    if (!(pte & need)) {
        return DXGPU_FAULT_PROTECTION;
    }
    *bus = table + gpuva % size;
    return DXGPU_FAULT_NONE;
}

/*
 * What a read or write must end with, byte by byte. expect gets what a read
 * must give; tables tells if a byte lies in a table that the walk may use.
 */
static uint32_t reference_range(struct fake *f, uint64_t gpuva, uint32_t len,
                                uint64_t need, uint8_t *expect, bool *tables)
{
    uint32_t code, level, i;
    uint64_t bus = 0;

    *tables = false;
    for (i = 0; i < len; i++, bus++) {
        if (i == 0 || (gpuva + i) % 4096 == 0) {
            code = reference(f, gpuva + i, need, &bus, &level);
            if (code) {
                return code;
            }
        }
        if (!in_memory(f, bus, 1)) {
            return DXGPU_FAULT_BUS;
        }
        *tables |= bus < FAKE_BASE + TABLE_PAGES * 4096;
        expect[i] = f->mem[bus - FAKE_BASE];
    }
    return DXGPU_FAULT_NONE;
}

static void check_fault(const struct dxgpu_fault *fault, uint32_t access,
                        uint64_t gpuva, uint32_t len)
{
    g_assert_cmpuint(fault->code, >=, DXGPU_FAULT_UNMAPPED);
    g_assert_cmpuint(fault->code, <=, DXGPU_FAULT_ADDRESS);
    g_assert_cmpuint(fault->access, ==, access);
    g_assert_cmpuint(fault->level, <, DXGPU_PT_LEVELS);
    g_assert_cmpuint(fault->gpuva, >=, gpuva);
    g_assert_cmpuint(fault->gpuva - gpuva, <, len);
}

/*
 * how: bits 0-1 read, write, load, store; bit 2 invalidates first; bit 3 takes
 * the address as a whole from 8 bytes instead of from indices.
 */
static void access(struct fake *f, struct input *in, bool *fresh)
{
    struct dxgpu_queue *q = &f->core->queues[0];
    struct dxgpu_space *space = &f->core->spaces[0];
    static uint8_t buf[DXGPU_CHUNK_BYTES], expect[DXGPU_CHUNK_BYTES];
    struct dxgpu_fault fault = { 0 };
    uint8_t how = input_u8(in);
    uint32_t len, code = DXGPU_FAULT_ADDRESS;
    bool write = how & 1, word = how & 2, tables = false, ok;
    uint64_t gpuva, value = 0;

    if (how & 8) {
        gpuva = input_u64(in);
    } else {
        gpuva = (uint64_t)(input_u8(in) & 7) << 39;
        gpuva |= (uint64_t)(input_u8(in) & 7) << 30;
        gpuva |= (uint64_t)(input_u8(in) & 7) << 21;
        gpuva |= (uint64_t)(input_u8(in) & 15) << 12;
        gpuva |= input_u16(in) & 0xfff;
    }
    len = word ? 8 : 1 + input_u32(in) % DXGPU_CHUNK_BYTES;
    if (word) {
        gpuva &= ~7ull;
    }
    if (how & 4) {
        atomic_store(&space->tag, dxgpu_core_new_tag(f->core));
        *fresh = true;
    }
    if (dxgpu_gpuva_ok(gpuva, len)) {
        code = reference_range(f, gpuva, len,
                               write ? DXGPU_PTE_WRITE : DXGPU_PTE_READ,
                               expect, &tables);
    }
    memset(buf, 0x5a, len);
    switch (how & 3) {
    case 0:
        ok = dxgpu_mem_read(f->core, q, gpuva, buf, len, &fault);
        break;
    case 1:
        ok = dxgpu_mem_write(f->core, q, gpuva, buf, len, &fault);
        break;
    case 2:
        ok = dxgpu_mem_load_u64(f->core, q, gpuva, &value, &fault);
        memcpy(buf, &value, 8);
        break;
    default:
        ok = dxgpu_mem_store_u64(f->core, q, gpuva, 0x5a5a5a5a5a5a5a5aull,
                                 &fault);
        break;
    }
    if (!ok) {
        check_fault(&fault, write, gpuva, len);
    }
    /* A write into tables changes the rest of its own translations. */
    if (*fresh && !(write && tables)) {
        g_assert_cmpint(ok, ==, code == DXGPU_FAULT_NONE);
        if (ok && !write) {
            g_assert_cmpmem(buf, len, expect, len);
        } else if (ok) {
            reference_range(f, gpuva, len, DXGPU_PTE_WRITE, expect, &tables);
            g_assert_cmpmem(buf, len, expect, len);
        } else if (len == 8 && gpuva % 8 == 0) {
            g_assert_cmpuint(fault.code, ==, code);
        }
    }
    if (write) {
        *fresh = false;
    }
}

static void put(struct fake *f, uint8_t page, uint16_t index, uint64_t pte)
{
    pte = dxgpu_le64(pte);
    memcpy(f->mem + page % TABLE_PAGES * 4096u + index % 512 * 8u, &pte, 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct dxgpu_core_config c = config();
    struct fake *f = fuzz_new(&c);
    uint32_t records = 0;
    bool fresh = true;
    uint64_t value;
    uint16_t index;
    uint8_t page;

    g_assert_cmpint(fake_cmd2(f, DXGPU_CMD_SPACE_CREATE, 0, FAKE_BASE), ==,
                    DXGPU_CMD_OK);
    fake_context(f, 0, 0, 0);
    g_assert_cmpint(fake_command(f, DXGPU_CMD_QUEUE_CREATE, 0, 0, 0, 2, 0, 0),
                    ==, DXGPU_CMD_OK);
    while (in.left && records++ < MAX_RECORDS) {
        switch (input_u8(&in) % 5) {
        case 0:
            page = input_u8(&in);
            index = input_u16(&in);
            put(f, page, index, input_u64(&in));
            fresh = false;
            break;
        case 1:
            page = input_u8(&in);
            index = input_u16(&in);
            value = FAKE_BASE + (uint64_t)input_u8(&in) * DXGPU_PAGE_SIZE;
            put(f, page, index, value | (input_u8(&in) & 15));
            fresh = false;
            break;
        case 2:
            access(f, &in, &fresh);
            break;
        case 3:
            atomic_store(&f->core->spaces[0].tag,
                         dxgpu_core_new_tag(f->core));
            fresh = true;
            break;
        default:
            f->bus_master = input_u8(&in) & 1;
            fresh = false;
            break;
        }
    }
    fuzz_end(f);
    return 0;
}
