/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Failing allocations, in the test build of the modules alone.
 *
 * The compiler includes this before each file of a test build (DXG_TEST_BUILD, see the
 * Kbuild files), so the sources know nothing of it and a release build has none of it.
 * Each function that allocates, or that fails when the kernel has no memory, is replaced
 * by one that asks dxg_alloc_fails() first; what is given back is counted as well,
 * so that a leak shows that no object count shows.
 *
 * The wrapped functions are named in inline functions before their names are
 * redefined, because some of them are macros in newer kernels.
 */
#ifndef _DXG_ALLOC_FAIL_H
#define _DXG_ALLOC_FAIL_H

#include <linux/anon_inodes.h>
#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mount.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

/* What has to be given back. */
enum dxg_alloc_kind {
	DXG_ALLOC_MEMORY,		/* kmalloc and vmalloc */
	DXG_ALLOC_DMA,			/* mapped pages */
	DXG_ALLOC_COHERENT,
	DXG_ALLOC_ID,			/* of an ida */
	DXG_ALLOC_KINDS,
};

/**
 * dxg_alloc_fails() - shall this allocation fail?
 * @function: that allocates
 * @line: of it
 * @what: function that is called for it
 *
 * Counts the calls of the process that armed the parameter "fail" (alloc_fail.c).
 */
bool dxg_alloc_fails(const char *function, unsigned int line, const char *what);
void dxg_alloc_count(enum dxg_alloc_kind kind, int change);

#define DXG_ALLOC_FAILS(what) dxg_alloc_fails(__func__, __LINE__, what)

static inline void *dxg_alloc_memory(void *memory)
{
	if (!IS_ERR_OR_NULL(memory))
		dxg_alloc_count(DXG_ALLOC_MEMORY, 1);
	return memory;
}

static inline void *dxg_alloc_kzalloc(size_t size, gfp_t flags)
{
	return dxg_alloc_memory(kzalloc(size, flags));
}

static inline void *dxg_alloc_kcalloc(size_t n, size_t size, gfp_t flags)
{
	return dxg_alloc_memory(kcalloc(n, size, flags));
}

static inline void *dxg_alloc_kvmalloc(size_t size, gfp_t flags)
{
	return dxg_alloc_memory(kvmalloc(size, flags));
}

static inline void *dxg_alloc_kvzalloc(size_t size, gfp_t flags)
{
	return dxg_alloc_memory(kvzalloc(size, flags));
}

static inline void *dxg_alloc_kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return dxg_alloc_memory(kvcalloc(n, size, flags));
}

static inline void *dxg_alloc_memdup_user(const void __user *user, size_t size)
{
	return dxg_alloc_memory(memdup_user(user, size));
}

static inline void dxg_alloc_kvfree(const void *memory)
{
	if (memory)
		dxg_alloc_count(DXG_ALLOC_MEMORY, -1);
	kvfree(memory);
}

static inline struct page *dxg_alloc_alloc_page(gfp_t flags)
{
	return alloc_page(flags);
}

static inline dma_addr_t dxg_alloc_dma_map_page(struct device *dev, struct page *page,
						size_t offset, size_t size,
						enum dma_data_direction direction)
{
	dma_addr_t bus = dma_map_page(dev, page, offset, size, direction);

	if (!dma_mapping_error(dev, bus))
		dxg_alloc_count(DXG_ALLOC_DMA, 1);
	return bus;
}

static inline void dxg_alloc_dma_unmap_page(struct device *dev, dma_addr_t bus, size_t size,
					    enum dma_data_direction direction)
{
	dxg_alloc_count(DXG_ALLOC_DMA, -1);
	dma_unmap_page(dev, bus, size, direction);
}

static inline void *dxg_alloc_dma_alloc_coherent(struct device *dev, size_t size,
						 dma_addr_t *bus, gfp_t flags)
{
	void *memory = dma_alloc_coherent(dev, size, bus, flags);

	if (memory)
		dxg_alloc_count(DXG_ALLOC_COHERENT, 1);
	return memory;
}

static inline void dxg_alloc_dma_free_coherent(struct device *dev, size_t size, void *memory,
					       dma_addr_t bus)
{
	dxg_alloc_count(DXG_ALLOC_COHERENT, -1);
	dma_free_coherent(dev, size, memory, bus);
}

static inline int dxg_alloc_ida_alloc_max(struct ida *ida, unsigned int max, gfp_t flags)
{
	int id = ida_alloc_max(ida, max, flags);

	if (id >= 0)
		dxg_alloc_count(DXG_ALLOC_ID, 1);
	return id;
}

static inline void dxg_alloc_ida_free(struct ida *ida, unsigned int id)
{
	dxg_alloc_count(DXG_ALLOC_ID, -1);
	ida_free(ida, id);
}

static inline struct workqueue_struct *dxg_alloc_alloc_workqueue(const char *name,
								 unsigned int flags, int active)
{
	return alloc_workqueue("%s", flags, active, name);
}

static inline int dxg_alloc_account_locked_vm(struct mm_struct *mm, unsigned long pages,
					      bool increase, const char *function,
					      unsigned int line)
{
	if (increase && dxg_alloc_fails(function, line, "account_locked_vm"))
		return -ENOMEM;
	return account_locked_vm(mm, pages, increase);
}

/* ---- memory ---- */

#undef kzalloc
#undef kcalloc
#undef kvmalloc
#undef kvcalloc
#undef kvzalloc
#undef memdup_user
#undef kfree
#undef kvfree
#undef alloc_page

#define kzalloc(size, flags) \
	(DXG_ALLOC_FAILS("kzalloc") ? NULL : dxg_alloc_kzalloc(size, flags))
#define kcalloc(n, size, flags) \
	(DXG_ALLOC_FAILS("kcalloc") ? NULL : dxg_alloc_kcalloc(n, size, flags))
#define kvmalloc(size, flags) \
	(DXG_ALLOC_FAILS("kvmalloc") ? NULL : dxg_alloc_kvmalloc(size, flags))
#define kvzalloc(size, flags) \
	(DXG_ALLOC_FAILS("kvzalloc") ? NULL : dxg_alloc_kvzalloc(size, flags))
#define kvcalloc(n, size, flags) \
	(DXG_ALLOC_FAILS("kvcalloc") ? NULL : dxg_alloc_kvcalloc(n, size, flags))
#define memdup_user(user, size) \
	(DXG_ALLOC_FAILS("memdup_user") ? ERR_PTR(-ENOMEM) : dxg_alloc_memdup_user(user, size))
#define kfree(memory) dxg_alloc_kvfree(memory)
#define kvfree(memory) dxg_alloc_kvfree(memory)
#define alloc_page(flags) \
	(DXG_ALLOC_FAILS("alloc_page") ? NULL : dxg_alloc_alloc_page(flags))

/* ---- ids and bus addresses ---- */

#undef dma_map_page
#undef dma_unmap_page

#define dma_map_page(dev, page, offset, size, direction) \
	(DXG_ALLOC_FAILS("dma_map_page") ? DMA_MAPPING_ERROR : \
	 dxg_alloc_dma_map_page(dev, page, offset, size, direction))
#define dma_unmap_page(dev, bus, size, direction) \
	dxg_alloc_dma_unmap_page(dev, bus, size, direction)
#define dma_alloc_coherent(dev, size, bus, flags) \
	(DXG_ALLOC_FAILS("dma_alloc_coherent") ? NULL : \
	 dxg_alloc_dma_alloc_coherent(dev, size, bus, flags))
#define dma_free_coherent(dev, size, memory, bus) \
	dxg_alloc_dma_free_coherent(dev, size, memory, bus)
#define ida_alloc_max(ida, max, flags) \
	(DXG_ALLOC_FAILS("ida_alloc_max") ? -ENOMEM : dxg_alloc_ida_alloc_max(ida, max, flags))
#define ida_free(ida, id) dxg_alloc_ida_free(ida, id)
#define xa_alloc_cyclic(...) \
	(DXG_ALLOC_FAILS("xa_alloc_cyclic") ? -ENOMEM : xa_alloc_cyclic(__VA_ARGS__))
#define xa_alloc_cyclic_irq(...) \
	(DXG_ALLOC_FAILS("xa_alloc_cyclic_irq") ? -ENOMEM : xa_alloc_cyclic_irq(__VA_ARGS__))
#define xa_store_irq(...) \
	(DXG_ALLOC_FAILS("xa_store_irq") ? (void *)XA_ERROR(-ENOMEM) : \
	 xa_store_irq(__VA_ARGS__))

/* ---- what the kernel allocates for us ---- */

#undef alloc_workqueue
#undef pci_register_driver
#undef debugfs_create_dir

#define pin_user_pages_fast(...) \
	(DXG_ALLOC_FAILS("pin_user_pages_fast") ? -ENOMEM : pin_user_pages_fast(__VA_ARGS__))
#define account_locked_vm(mm, pages, increase) \
	dxg_alloc_account_locked_vm(mm, pages, increase, __func__, __LINE__)
#define vm_mmap(...) \
	(DXG_ALLOC_FAILS("vm_mmap") ? (unsigned long)-ENOMEM : vm_mmap(__VA_ARGS__))
#define anon_inode_getfile(...) \
	(DXG_ALLOC_FAILS("anon_inode_getfile") ? ERR_PTR(-ENOMEM) : \
	 anon_inode_getfile(__VA_ARGS__))
#define alloc_anon_inode(...) \
	(DXG_ALLOC_FAILS("alloc_anon_inode") ? ERR_PTR(-ENOMEM) : alloc_anon_inode(__VA_ARGS__))
#define simple_pin_fs(...) \
	(DXG_ALLOC_FAILS("simple_pin_fs") ? -ENOMEM : simple_pin_fs(__VA_ARGS__))
#define mmu_notifier_register(...) \
	(DXG_ALLOC_FAILS("mmu_notifier_register") ? -ENOMEM : mmu_notifier_register(__VA_ARGS__))
#define alloc_workqueue(name, flags, active) \
	(DXG_ALLOC_FAILS("alloc_workqueue") ? NULL : \
	 dxg_alloc_alloc_workqueue(name, flags, active))
#define misc_register(misc) \
	(DXG_ALLOC_FAILS("misc_register") ? -ENOMEM : misc_register(misc))
#define debugfs_create_dir(...) \
	(DXG_ALLOC_FAILS("debugfs_create_dir") ? ERR_PTR(-ENOMEM) : \
	 debugfs_create_dir(__VA_ARGS__))
#define request_irq(...) \
	(DXG_ALLOC_FAILS("request_irq") ? -ENOMEM : request_irq(__VA_ARGS__))
#define pci_alloc_irq_vectors(...) \
	(DXG_ALLOC_FAILS("pci_alloc_irq_vectors") ? -ENOMEM : pci_alloc_irq_vectors(__VA_ARGS__))
#define pci_ioremap_bar(...) \
	(DXG_ALLOC_FAILS("pci_ioremap_bar") ? NULL : pci_ioremap_bar(__VA_ARGS__))
#define pci_enable_device_mem(pdev) \
	(DXG_ALLOC_FAILS("pci_enable_device_mem") ? -ENOMEM : pci_enable_device_mem(pdev))
#define pci_request_regions(...) \
	(DXG_ALLOC_FAILS("pci_request_regions") ? -ENOMEM : pci_request_regions(__VA_ARGS__))
#define pci_register_driver(driver) \
	(DXG_ALLOC_FAILS("pci_register_driver") ? -ENOMEM : \
	 __pci_register_driver(driver, THIS_MODULE, KBUILD_MODNAME))

#endif /* _DXG_ALLOC_FAIL_H */
