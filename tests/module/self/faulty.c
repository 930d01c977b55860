/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/module/self/faulty.c - a module that does wrong on request, so that the bench can prove that it sees it.
 *
 * Asked by: the tests in self/inside, by writing one word to /dev/faulty. Opening the device loses memory, each time.
 * Never:    for a machine that somebody wants to keep.
 * Read next: tests/module/self/run, which says what the bench must answer to each.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <asm/apic.h>
#include <asm/desc.h>

static DEFINE_SPINLOCK(lock);

static int faulty_open(struct inode *inode, struct file *file)
{
	/* A whole page is what the test of memory sees, a small object what kmemleak does. */
	void *lost = kmalloc(200, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
	return __get_free_page(GFP_KERNEL) && lost ? 0 : -ENOMEM;
}

static ssize_t faulty_write(struct file *file, const char __user *from, size_t bytes, loff_t *at)
{
	char word[16] = "";
	unsigned long flags;

	if (bytes >= sizeof(word) || copy_from_user(word, from, bytes))
		return -EINVAL;
	strim(word);
	if (!strcmp(word, "warning")) {
		WARN(1, "faulty: a warning\n");
	} else if (!strcmp(word, "atomic")) {
		spin_lock(&lock);
		msleep(10);
		spin_unlock(&lock);
	} else if (!strcmp(word, "oops")) {
		*(volatile int *)16 = 1;
	} else if (!strcmp(word, "hang")) {
		local_irq_save(flags);
		for (;;)
			cpu_relax();
	} else if (!strcmp(word, "held")) {
		__module_get(THIS_MODULE);
	} else if (!strcmp(word, "timer")) {
		/* What a lost interrupt looks like: this processor's timer never fires again. */
		apic_write(APIC_LVTT, apic_read(APIC_LVTT) | APIC_LVT_MASKED);
	} else if (!strcmp(word, "reset")) {
		/* An empty table of interrupts and then one: a triple fault. */
		struct desc_ptr none = { 0, 0 };

		load_idt(&none);
		asm volatile("int3");
	} else {
		return -EINVAL;
	}
	return bytes;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = faulty_open,
	.write = faulty_write,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "faulty",
	.fops = &operations,
	.mode = 0666,
};

module_misc_device(device);
MODULE_DESCRIPTION("does wrong on request");
MODULE_LICENSE("GPL");
