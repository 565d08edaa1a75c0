// SPDX-License-Identifier: GPL-2.0
/*
 * User mappings of kernel-made memory.
 *
 * Each process has one internal read-write file that no descriptor names. Its
 * f_mapping is that of one inode owned by this module, so unmap_mapping_range()
 * on that inode reaches every mapping of a region, whoever holds it and through
 * whichever device node it came (MAP-6, MAP-7). Mappings are made by the kernel
 * alone, inside a create call: .mmap serves exactly the region that the same
 * task has just handed over, and refuses everything else, remap_file_pages()
 * included (SEC-10, SEC-13).
 *
 * A region's page offset is never used again, so a stale mapping can never show
 * a later object. Mappings are shared, of fixed size, not inherited by fork, not
 * dumped, not executable; read-only ones cannot become writable (SEC-11, SEC-12).
 * Nothing is inserted before the first fault (MAP-2).
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "dxgkrnl.h"

#define DXG_FS_MAGIC	0x64786700

static struct vfsmount *dxg_mount;
static int dxg_mount_count;
static struct inode *dxg_inode;
static atomic_long_t dxg_next_pgoff = ATOMIC_LONG_INIT(1);

static void dxg_vm_open(struct vm_area_struct *vma)
{
	struct dxg_region *region = vma->vm_private_data;

	dxg_object_get(region->owner);
}

static void dxg_vm_close(struct vm_area_struct *vma)
{
	struct dxg_region *region = vma->vm_private_data;

	dxg_object_put(region->owner);
}

static vm_fault_t dxg_vm_fault(struct vm_fault *vmf)
{
	struct dxg_region *region = vmf->vma->vm_private_data;

	return region->fault(region, vmf);
}

static const struct vm_operations_struct dxg_vm_ops = {
	.open	= dxg_vm_open,
	.close	= dxg_vm_close,
	.fault	= dxg_vm_fault,
};

static int dxg_map_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dxg_process *process = file->private_data;
	struct dxg_region *region;
	unsigned long set = VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP;
	/* VM_EXEC: a READ_IMPLIES_EXEC personality asks for it on our behalf. */
	unsigned long clear = VM_MAYEXEC | VM_EXEC;

	/* Only dxg_region_map() of this very task gets further; it holds map_lock. */
	if (READ_ONCE(process->map_task) != current)
		return -EACCES;
	region = process->map_region;

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff != region->pgoff ||
	    vma_pages(vma) != region->pages)
		return -EINVAL;

	if (region->raw_pfn)
		set |= VM_IO | VM_PFNMAP;
	if (!region->writable)
		clear |= VM_MAYWRITE;
	dxg_vm_flags_mod(vma, set, clear);

	vma->vm_private_data = region;
	vma->vm_ops = &dxg_vm_ops;
	dxg_vm_open(vma);
	return 0;
}

static int dxg_map_release(struct inode *inode, struct file *file)
{
	dxg_process_put(file->private_data);
	return 0;
}

static const struct file_operations dxg_map_fops = {
	.owner		= THIS_MODULE,
	.mmap		= dxg_map_mmap,
	.release	= dxg_map_release,
};

/* The file through which the regions of a process are mapped; ERR_PTR on failure. */
struct file *dxg_mapping_file(struct dxg_process *process)
{
	struct file *file;

	file = anon_inode_getfile("[dxg]", &dxg_map_fops, process, O_RDWR);
	if (IS_ERR(file))
		return file;
	dxg_process_get(process);
	file->f_mapping = dxg_inode->i_mapping;
	return file;
}

void dxg_region_init(struct dxg_region *region, struct dxg_object *owner, unsigned long pages,
		     bool writable)
{
	region->owner = owner;
	region->pages = pages;
	region->pgoff = atomic_long_fetch_add(pages, &dxg_next_pgoff);
	region->writable = writable;
}

/**
 * dxg_region_map() - map a region into the calling process
 * @region: of the caller's process, not mapped yet
 * @user_addr: out, constant until dxg_region_unmap()
 *
 * Takes mmap_lock; no guard and no doorbell lock may be held (KMT-0.6).
 *
 * Return: NO_MEMORY; CANCELLED if a fatal signal came.
 */
NTSTATUS dxg_region_map(struct dxg_region *region, unsigned long *user_addr)
{
	struct dxg_process *process = region->owner->process;
	unsigned long addr;

	if (mutex_lock_killable(&process->map_lock))
		return STATUS_CANCELLED;
	process->map_region = region;
	WRITE_ONCE(process->map_task, current);
	addr = vm_mmap(process->map_file, 0, region->pages << PAGE_SHIFT,
		       region->writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
		       region->pgoff << PAGE_SHIFT);
	WRITE_ONCE(process->map_task, NULL);
	process->map_region = NULL;
	mutex_unlock(&process->map_lock);

	if (IS_ERR_VALUE(addr))
		return (int)addr == -EINTR ? STATUS_CANCELLED : STATUS_NO_MEMORY;
	*user_addr = addr;
	return STATUS_SUCCESS;
}

/* The first part of [addr, end) that still maps the region; false if there is none. */
static bool dxg_region_find(const struct dxg_region *region, unsigned long addr,
			    unsigned long end, unsigned long *part, unsigned long *part_end)
{
	struct vm_area_struct *vma;
	bool ours = false;

	mmap_read_lock(current->mm);
	while (!ours && addr < end) {
		vma = find_vma_intersection(current->mm, addr, end);
		if (!vma)
			break;
		*part = max(vma->vm_start, addr);
		*part_end = min(vma->vm_end, end);
		ours = vma->vm_ops == &dxg_vm_ops && vma->vm_private_data == region;
		addr = *part_end;
	}
	mmap_read_unlock(current->mm);
	return ours;
}

/*
 * Undo dxg_region_map() where it was put, if the process is the caller. It may have
 * unmapped parts itself, and have put something else there, which stays. When it is not
 * the caller (teardown), the mapping goes with the address space; the owner's fault
 * handler knows that the region is gone.
 */
void dxg_region_unmap(struct dxg_region *region, unsigned long user_addr)
{
	unsigned long end = user_addr + (region->pages << PAGE_SHIFT);
	unsigned long part, part_end;

	if (!user_addr || !dxg_process_owns_mm(region->owner->process))
		return;
	while (dxg_region_find(region, user_addr, end, &part, &part_end)) {
		vm_munmap(part, part_end - part);
		user_addr = part_end;
	}
}

/*
 * Remove the entries of every mapping of the region, on all CPUs, before
 * returning (ORD-6). The caller's lock keeps the fault handler from inserting.
 */
void dxg_region_zap(struct dxg_region *region)
{
	/* To the callee an empty range means everything. */
	if (!region->pages)
		return;
	unmap_mapping_range(dxg_inode->i_mapping, (loff_t)region->pgoff << PAGE_SHIFT,
			    (loff_t)region->pages << PAGE_SHIFT, 1);
}

static int dxg_fs_init_context(struct fs_context *fc)
{
	return init_pseudo(fc, DXG_FS_MAGIC) ? 0 : -ENOMEM;
}

/*
 * No owner: the mount lives as long as the module, and would keep it for ever. What
 * outlives a close are the mapping files, and each of them holds the module.
 */
static struct file_system_type dxg_fs_type = {
	.name			= "dxg",
	.init_fs_context	= dxg_fs_init_context,
	.kill_sb		= kill_anon_super,
};

int dxg_mapping_init(void)
{
	int ret;

	ret = simple_pin_fs(&dxg_fs_type, &dxg_mount, &dxg_mount_count);
	if (ret)
		return ret;

	dxg_inode = alloc_anon_inode(dxg_mount->mnt_sb);
	if (IS_ERR(dxg_inode)) {
		simple_release_fs(&dxg_mount, &dxg_mount_count);
		return PTR_ERR(dxg_inode);
	}
	return 0;
}

void dxg_mapping_exit(void)
{
	iput(dxg_inode);
	simple_release_fs(&dxg_mount, &dxg_mount_count);
}
