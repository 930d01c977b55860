// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-module/kernel/machine.c - a machine's descriptor: its calls, its mappings, its life.
 *
 * The descriptor keeps the module loaded, and mappings keep the descriptor: what is mapped lives as long as its mapping.
 */
#include <linux/anon_inodes.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

#include "plexus_module.h"

#define MMAP_RECORDS	0x5000000000ull		/* the arena's parts that are shown, from here on */

static void destroy(struct machine *m)
{
	struct plx_user *user = m->user;
	u64 bytes = m->bytes;

	machine_memory_destroy(m);
	mutex_destroy(&m->lock);
	kfree(m);
	plx_user_put(user, bytes);
}

static long map_call(struct machine *m, void __user *arg)
{
	struct plexus_map p;
	int err = plx_copy_in(&p, sizeof(p), arg);

	if (err)
		return err;
	m->ctx->command_q[0] = p.guest_physical;
	m->ctx->command_q[1] = p.bytes;
	m->ctx->command_q[2] = p.offset;
	m->ctx->command_a[0] = p.kind;
	return machine_command(m, COMMAND_MAP);
}

static long access_call(struct machine *m, void __user *arg)
{
	struct plexus_access p;
	u8 __user *buffer;
	int err = plx_copy_in(&p, sizeof(p), arg);
	u64 done;

	if (err)
		return err;
	if (p.write > 1 || p.bytes > PLX_ACCESS_MAX || p.guest_physical > 1ull << 32 ||
	    p.guest_physical + p.bytes > 1ull << 32)
		return -EINVAL;
	buffer = u64_to_user_ptr(p.buffer);
	for (done = 0; done < p.bytes && !err; ) {
		u32 n = (u32)min_t(u64, p.bytes - done, WORLD_BOUNCE_BYTES);

		if (p.write && copy_from_user(m->bounce, buffer + done, n))
			return -EFAULT;
		m->ctx->command_q[0] = p.guest_physical + done;
		m->ctx->command_a[0] = n;
		err = machine_command(m, p.write ? COMMAND_WRITE : COMMAND_READ);
		if (!err && !p.write && copy_to_user(buffer + done, m->bounce, n))
			return -EFAULT;
		done += n;
	}
	return err;
}

static long start_call(struct machine *m, void __user *arg)
{
	struct plexus_start p;
	int err = plx_copy_in(&p, sizeof(p), arg);

	if (err)
		return err;
	if (p.flat > 1 || p.reserved || p.gdt_limit > 0xffff)
		return -EINVAL;
	m->ctx->command_a[0] = p.flat;
	m->ctx->command_a[1] = p.eip;
	m->ctx->command_a[2] = p.esp;
	m->ctx->command_a[3] = p.esi;
	m->ctx->command_a[4] = p.gdt_base;
	m->ctx->command_a[5] = p.gdt_limit;
	return machine_command(m, COMMAND_START);
}

static long a20_call(struct machine *m, void __user *arg)
{
	struct plexus_a20 p;
	int err = plx_copy_in(&p, sizeof(p), arg);

	if (err)
		return err;
	if (p.open > 1)
		return -EINVAL;
	m->ctx->command_a[0] = p.open;
	return machine_command(m, COMMAND_A20);
}

static long registers_call(struct machine *m, void __user *arg)
{
	struct plexus_registers p;
	u32 size;
	int err = plx_copy_in(&p, sizeof(p), arg);

	if (err)
		return err;
	size = p.size;
	err = machine_command(m, COMMAND_REGISTERS);
	if (err)
		return err;
	memcpy(&p, m->bounce, sizeof(p));
	p.size = size;
	return plx_copy_out(arg, &p, sizeof(p));
}

static long stats_call(struct machine *m, void __user *arg)
{
	struct plexus_stats p;
	int err = plx_copy_in(&p, sizeof(p), arg);
	u32 n;

	if (err)
		return err;
	if (p.reserved)
		return -EINVAL;
	m->ctx->command_a[0] = WORLD_BOUNCE_BYTES / 8;
	err = machine_command(m, COMMAND_STATS);
	if (err)
		return err;
	p.count = m->ctx->command_a[1];
	n = min3(p.count, p.max, (u32)(WORLD_BOUNCE_BYTES / 8));
	if (copy_to_user(u64_to_user_ptr(p.values), m->bounce, n * sizeof(u64)))
		return -EFAULT;
	return plx_copy_out(arg, &p, sizeof(p));
}

/* Of the monitor's answer, what is in the arena and whole pages is for the program to map from now on. */
static int show_parts(struct machine *m, struct plexus_record *p)
{
	struct shown *shown = m->shown[p->what];
	u32 i;

	for (i = 0; i < PLEXUS_RECORD_PARTS; i++) {
		u64 offset = p->part[i].offset, bytes = p->part[i].bytes;

		if (!bytes)
			continue;
		if ((offset | bytes) & ~PAGE_MASK || bytes > WORLD_ARENA_BYTES || offset > WORLD_ARENA_BYTES - bytes)
			return -EIO;
		p->part[i].offset += MMAP_RECORDS;
		shown[i].offset = p->part[i].offset;
		shown[i].writable = p->part[i].flags & PLEXUS_PART_WRITABLE;
		/* Last: who maps holds no lock. */
		smp_store_release(&shown[i].bytes, bytes);
	}
	return 0;
}

static long record_call(struct machine *m, void __user *arg)
{
	struct plexus_record p, *answer = m->bounce;
	u32 i;
	int err = plx_copy_in(&p, sizeof(p), arg);

	if (err)
		return err;
	if (p.what > PLEXUS_RECORD_COVERAGE || p.layout || p.rows)
		return -EINVAL;
	for (i = 0; i < PLEXUS_RECORD_PARTS; i++)
		if (p.part[i].offset || p.part[i].bytes || p.part[i].flags || p.part[i].reserved)
			return -EINVAL;
	/* It changes what code is translated to. */
	if (p.what != PLEXUS_RECORD_SITES && m->waiting != REQUEST_START)
		return m->dead ? -EIO : -EINVAL;
	m->ctx->command_a[0] = p.what;
	m->ctx->command_a[1] = p.flags;
	m->ctx->command_a[2] = p.entries;
	err = machine_command(m, COMMAND_RECORD);
	if (err)
		return err;
	p.layout = answer->layout;
	p.rows = answer->rows;
	memcpy(p.part, answer->part, sizeof(p.part));
	err = show_parts(m, &p);
	return err ? err : plx_copy_out(arg, &p, sizeof(p));
}

static long locked_ioctl(struct machine *m, unsigned int call, void __user *arg)
{
	switch (call) {
	case PLEXUS_RUN:
		return arg ? -EINVAL : machine_run(m);
	case PLEXUS_MAP:
		return map_call(m, arg);
	case PLEXUS_ACCESS:
		return access_call(m, arg);
	case PLEXUS_START:
		return start_call(m, arg);
	case PLEXUS_A20:
		return a20_call(m, arg);
	case PLEXUS_REGISTERS:
		return registers_call(m, arg);
	case PLEXUS_STATS:
		return stats_call(m, arg);
	case PLEXUS_RECORD:
		return record_call(m, arg);
	default:
		return -ENOTTY;
	}
}

static long machine_ioctl(struct file *file, unsigned int call, unsigned long arg)
{
	struct machine *m = file->private_data;
	long ret;

	if (call == PLEXUS_KICK) {
		if (arg)
			return -EINVAL;
		machine_kick(m);
		return 0;
	}
	if (!mutex_trylock(&m->lock))
		return -EBUSY;
	ret = locked_ioctl(m, call, (void __user *)arg);
	mutex_unlock(&m->lock);
	return ret;
}

/* Without the machine's lock, which PLEXUS_RUN holds: the map of RAM is made with the machine, and stays. */
static int map_ram(struct machine *m, struct vm_area_struct *vma)
{
	unsigned long at = vma->vm_start;
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT, size = (u64)m->nr_ram * POOL_PAGE_BYTES;

	if (vma->vm_end - vma->vm_start > size || offset > size - (vma->vm_end - vma->vm_start))
		return -EINVAL;
	while (at < vma->vm_end) {
		u64 phys, n = physmap_run(&m->shared->ram, &m->tables.pages, offset, vma->vm_end - at, &phys);
		int err = n ? remap_pfn_range(vma, at, (unsigned long)(phys >> PAGE_SHIFT), n, vma->vm_page_prot) : -EINVAL;

		if (err)
			return err;
		at += n;
		offset += n;
	}
	return 0;
}

/* A page that the monitor has not touched yet has nothing to show. */
static vm_fault_t record_fault(struct vm_fault *vmf)
{
	struct machine *m = vmf->vma->vm_private_data;
	struct page *page = machine_arena_page(m, ((u64)vmf->pgoff << PAGE_SHIFT) - MMAP_RECORDS);

	return page ? vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page)) : VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct record_operations = {
	.fault = record_fault,
};

static void vma_flags(struct vm_area_struct *vma, unsigned long set, unsigned long clear)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
#endif
}

static int map_record(struct machine *m, struct vm_area_struct *vma)
{
	u64 offset = (u64)vma->vm_pgoff << PAGE_SHIFT, size = vma->vm_end - vma->vm_start;
	const struct shown *s = &m->shown[0][0], *end = s + sizeof(m->shown) / sizeof(*s);

	for (; s < end; s++) {
		u64 bytes = smp_load_acquire(&s->bytes);

		if (offset >= s->offset && offset - s->offset < bytes && size <= bytes - (offset - s->offset))
			break;
	}
	if (s == end)
		return -EINVAL;
	if (!s->writable && vma->vm_flags & VM_WRITE)
		return -EACCES;
	vma_flags(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP, s->writable ? 0 : VM_MAYWRITE);
	vma->vm_private_data = m;
	vma->vm_ops = &record_operations;
	return 0;
}

static int machine_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct machine *m = file->private_data;
	unsigned long run = (unsigned long)(PLEXUS_MMAP_RUN >> PAGE_SHIFT);

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_flags & VM_EXEC)
		return -EINVAL;
	vma_flags(vma, 0, VM_MAYEXEC);
	if (vma->vm_pgoff == run)
		return vma->vm_end - vma->vm_start > m->run_bytes ? -EINVAL : remap_vmalloc_range(vma, m->run, 0);
	return vma->vm_pgoff >= MMAP_RECORDS >> PAGE_SHIFT ? map_record(m, vma) : map_ram(m, vma);
}

static int machine_release(struct inode *inode, struct file *file)
{
	destroy(file->private_data);
	return 0;
}

static const struct file_operations machine_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = machine_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = machine_mmap,
	.release = machine_release,
	.llseek = noop_llseek,
};

long machine_create(const struct plexus_create *c, struct plx_user *user)
{
	struct machine *m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	long ret;

	if (!m) {
		plx_user_put(user, c->ram_bytes + c->extra_bytes);
		return -ENOMEM;
	}
	m->user = user;
	m->bytes = c->ram_bytes + c->extra_bytes;
	mutex_init(&m->lock);
	spin_lock_init(&m->kick_lock);
	init_waitqueue_head(&m->wait);
	ret = machine_memory_create(m, c);
	if (!ret)
		ret = machine_start(m);
	if (ret) {
		destroy(m);
		return ret;
	}
	ret = anon_inode_getfd("plexus-machine", &machine_operations, m, O_RDWR | O_CLOEXEC);
	if (ret < 0)
		destroy(m);
	return ret;
}
