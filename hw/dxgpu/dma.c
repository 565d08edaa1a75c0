/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dxgpu: guest memory. The only file that does DMA.
 *
 * Everything goes through the function's bus-master address space, so bus
 * mastering and a vIOMMU are honoured (SEC-23). MemTxAttrs.memory refuses what
 * is not RAM: a queue cannot make the device poke at another device, or at
 * itself.
 *
 * WP reads and fence writes must be single 64-bit accesses (DEV-2, DEV-11),
 * which address_space_rw() does not promise. They map the word and access it
 * with an atomic. address_space_map() hands out a bounce buffer where the
 * target is not directly accessible; such a pointer belongs to no memory region
 * and is refused. Rejected: address_space_stq(), which ignores attrs.memory, so
 * that a check before it could be overtaken by a change of the memory map.
 */
#include "qemu/osdep.h"
#include "exec/memory.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "system/dma.h"

#include "dxgpu.h"

static const MemTxAttrs dxgpu_attrs = { .memory = 1 };

static AddressSpace *dxgpu_as(void *opaque)
{
    return pci_get_address_space(PCI_DEVICE(opaque));
}

bool dxgpu_dma_read(void *opaque, uint64_t addr, void *buf, uint32_t len)
{
    return dma_memory_read(dxgpu_as(opaque), addr, buf, len,
                           dxgpu_attrs) == MEMTX_OK;
}

bool dxgpu_dma_write(void *opaque, uint64_t addr, const void *buf,
                     uint32_t len)
{
    return dma_memory_write(dxgpu_as(opaque), addr, buf, len,
                            dxgpu_attrs) == MEMTX_OK;
}

/* Maps the 8 bytes at addr; NULL unless they are directly accessible RAM. */
static uint64_t *dxgpu_map_u64(AddressSpace *as, uint64_t addr, bool is_write)
{
    hwaddr len = sizeof(uint64_t);
    ram_addr_t offset;
    void *p;

    if (!QEMU_IS_ALIGNED(addr, sizeof(uint64_t))) {
        return NULL;
    }
    p = address_space_map(as, addr, &len, is_write, dxgpu_attrs);
    if (!p) {
        return NULL;
    }
    if (len < sizeof(uint64_t) || !memory_region_from_host(p, &offset)) {
        address_space_unmap(as, p, len, is_write, 0);
        return NULL;
    }
    return p;
}

bool dxgpu_dma_load_u64(void *opaque, uint64_t addr, uint64_t *value)
{
    AddressSpace *as = dxgpu_as(opaque);
    uint64_t *p = dxgpu_map_u64(as, addr, false);

    if (!p) {
        return false;
    }
    *value = le64_to_cpu(qatomic_load_acquire(p));
    address_space_unmap(as, p, sizeof(*p), false, sizeof(*p));
    return true;
}

bool dxgpu_dma_store_u64(void *opaque, uint64_t addr, uint64_t value)
{
    AddressSpace *as = dxgpu_as(opaque);
    uint64_t *p = dxgpu_map_u64(as, addr, true);

    if (!p) {
        return false;
    }
    qatomic_store_release(p, cpu_to_le64(value));
    address_space_unmap(as, p, sizeof(*p), true, sizeof(*p));
    return true;
}
