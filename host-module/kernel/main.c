// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-module/kernel/main.c - /dev/plexus: loading, limits, and making machines.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "plexus_module.h"

static unsigned int max_machines = 16;
module_param(max_machines, uint, 0644);
MODULE_PARM_DESC(max_machines, "machines that a user may have at a time (default 16)");
static unsigned int max_memory_mb;
module_param(max_memory_mb, uint, 0644);
MODULE_PARM_DESC(max_memory_mb, "MiB that a user's machines may have together (default 0: half of what there is)");
bool plx_small_pages;
module_param_named(small_pages, plx_small_pages, bool, 0644);
MODULE_PARM_DESC(small_pages, "take guest memory in pages of 4 KiB, as is done by itself when there are none of 2 MiB (default no)");

static DEFINE_MUTEX(users_lock);
static LIST_HEAD(users);

static u64 user_bytes_max(void)
{
	if (max_memory_mb)
		return (u64)max_memory_mb << 20;
	return (u64)totalram_pages() << PAGE_SHIFT >> 1;
}

struct plx_user *plx_user_get(u64 bytes)
{
	kuid_t uid = current_uid();
	struct plx_user *user, *found = NULL;

	mutex_lock(&users_lock);
	list_for_each_entry(user, &users, list)
		if (uid_eq(user->uid, uid))
			found = user;
	if (!found) {
		found = kzalloc(sizeof(*found), GFP_KERNEL_ACCOUNT);
		if (!found) {
			mutex_unlock(&users_lock);
			return ERR_PTR(-ENOMEM);
		}
		found->uid = uid;
		list_add(&found->list, &users);
	}
	if (found->machines >= max_machines || found->bytes + bytes > user_bytes_max()) {
		int err = found->machines >= max_machines ? -EMFILE : -ENOMEM;

		if (!found->machines) {
			list_del(&found->list);
			kfree(found);
		}
		mutex_unlock(&users_lock);
		return ERR_PTR(err);
	}
	found->machines++;
	found->bytes += bytes;
	mutex_unlock(&users_lock);
	return found;
}

/* What a machine grows by: page tables and the monitor's arena. */
int plx_user_charge(struct plx_user *user, u64 bytes)
{
	int err = 0;

	mutex_lock(&users_lock);
	if (user->bytes + bytes > user_bytes_max())
		err = -ENOMEM;
	else
		user->bytes += bytes;
	mutex_unlock(&users_lock);
	return err;
}

void plx_user_put(struct plx_user *user, u64 bytes)
{
	mutex_lock(&users_lock);
	user->bytes -= bytes;
	if (!--user->machines) {
		list_del(&user->list);
		kfree(user);
	}
	mutex_unlock(&users_lock);
}

/* The structure's first word is its size as the caller knows it: a shorter one has zeroes behind, a longer one must. */
int plx_copy_in(void *to, size_t known, const void __user *from)
{
	u32 size;
	int err;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	if (size < 8 || size > PAGE_SIZE)
		return -EINVAL;
	err = copy_struct_from_user(to, known, from, size);
	if (err)
		return err;
	return *(u32 *)to == size ? 0 : -EINVAL;	/* it changed under our eyes */
}

/* As much as the caller has room for. */
int plx_copy_out(void __user *to, const void *from, size_t known)
{
	u32 size = *(const u32 *)from;

	return copy_to_user(to, from, min_t(size_t, size, known)) ? -EFAULT : 0;
}

static long version(void __user *arg)
{
	struct plexus_version v;
	int err = plx_copy_in(&v, sizeof(v), arg);

	if (err)
		return err;
	if (v.reserved)
		return -EINVAL;
	v.version = PLEXUS_ABI_VERSION;
	v.max_machines = max_machines;
	v.max_ram_bytes = PLX_MODULE_RAM_MAX;
	strscpy((char *)v.release, THIS_MODULE->version ? THIS_MODULE->version : "unknown", sizeof(v.release));
	return plx_copy_out(arg, &v, sizeof(v));
}

static bool create_valid(const struct plexus_create *c)
{
	const u64 mib = (1u << 20) - 1;

	return !(c->flags & ~(PLEXUS_CREATE_COUNT | PLEXUS_CREATE_HIGH)) && c->rewrite <= PLEXUS_REWRITE_GATE &&
	       c->tables <= PLEXUS_TABLES_GUEST && !(c->features_off & ~(PLEXUS_FEATURE_LAHF | PLEXUS_FEATURE_CODE16)) &&
	       c->ram_bytes && !(c->ram_bytes & mib) && c->ram_bytes <= 3584ull << 20 &&
	       !(c->extra_bytes & ~PAGE_MASK) && c->extra_bytes <= PLX_MODULE_RAM_MAX - c->ram_bytes;
}

static long create(void __user *arg)
{
	struct plexus_create c;
	struct plx_user *user;
	int err = plx_copy_in(&c, sizeof(c), arg);

	if (err)
		return err;
	if (!create_valid(&c))
		return -EINVAL;
	user = plx_user_get(c.ram_bytes + c.extra_bytes);
	if (IS_ERR(user))
		return PTR_ERR(user);
	return machine_create(&c, user);
}

static long device_ioctl(struct file *file, unsigned int call, unsigned long arg)
{
	switch (call) {
	case PLEXUS_VERSION:
		return version((void __user *)arg);
	case PLEXUS_CREATE_VM:
		return create((void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations device_operations = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "plexus",
	.mode = 0660,
	.fops = &device_operations,
};

static int __init plexus_init(void)
{
	int err = plx_run_check();

	if (!err)
		err = plx_pool_create();
	if (err)
		return err;
	err = misc_register(&device);
	if (err)
		plx_pool_drain();
	return err;
}

static void __exit plexus_exit(void)
{
	misc_deregister(&device);
	plx_pool_drain();
}

module_init(plexus_init);
module_exit(plexus_exit);
MODULE_DESCRIPTION("Plexus' module host: runs IA-32 operating systems in ring 3, behind /dev/plexus");
MODULE_AUTHOR("The Plexus project");
MODULE_LICENSE("GPL");
MODULE_VERSION(PLX_VERSION);	/* Kbuild: that of the project */
