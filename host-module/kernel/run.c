// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-module/kernel/run.c - in and out of the monitor's world, and what it asks for.
 *
 *      machine_run --> until_canonical --> one_switch --> transition.S --> the monitor, the guest
 *                           ^   |                              |
 *                           |   +-- pages, page tables <-------+ what it asked
 *                           +------ the host's interrupt, again on the host's IDT
 *
 * Between two stays the thread is an ordinary one: it may be preempted, moved to another processor, and killed. All that
 * a stay needs of the processor is read afresh at its beginning.
 */
#include <linux/cc_platform.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fpu/api.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

#include "plexus_module.h"

#define PRIVATE_PCID	0x7f0ul		/* Linux uses low ones, and those with bit 11 */

/* Bits of CR4 that guest code, or the monitor below 4 GiB, must not meet; those that newer headers name. */
#define CR4_OFF (X86_CR4_TSD | X86_CR4_VME | X86_CR4_PVI | X86_CR4_PCE | X86_CR4_FSGSBASE | X86_CR4_OSXSAVE | X86_CR4_PKE | \
		 1ul << 23 /* CET */ | 1ul << 24 /* PKS */ | 1ul << 25 /* UINTR */ | 1ul << 27 /* LASS */ | 1ul << 28 /* LAM_SUP */)

/*
 * QEMU's TCG pushes a far call's return address with the supervisor's rights, which SMAP refuses for pages of ring 3. The monitor
 * never touches those itself, so there SMAP is off inside.
 */
static bool no_smap __ro_after_init;

/* What the kernel left in the processor's buffers would be the guest's to sample (MDS and what came after it): VERW empties them. */
static bool clear_buffers __ro_after_init;

static bool __init has_leaky_buffers(void)
{
	static const u16 bugs[] __initconst = {
		X86_BUG_MDS, X86_BUG_TAA, X86_BUG_MMIO_STALE_DATA,
#ifdef X86_BUG_RFDS
		X86_BUG_RFDS,
#endif
#ifdef X86_BUG_TSA
		X86_BUG_TSA,
#endif
	};
	unsigned int i;

	if (cpu_mitigations_off())
		return false;
	for (i = 0; i < ARRAY_SIZE(bugs); i++)
		if (test_cpu_cap(&boot_cpu_data, bugs[i]))
			return true;
	return false;
}

int __init plx_run_check(void)
{
	const gate_desc *idt;
	struct desc_ptr table;

#ifdef X86_FEATURE_FRED
	if (boot_cpu_has(X86_FEATURE_FRED) && native_read_cr4() & 1ul << 32) {
		pr_err("plexus: this kernel uses FRED instead of an IDT; boot it with fred=off\n");
		return -EOPNOTSUPP;
	}
#endif
	if (boot_cpu_has(X86_FEATURE_XENPV)) {
		pr_err("plexus: a Xen PV domain has no page tables and descriptor tables of its own; use plexus run --host process\n");
		return -EOPNOTSUPP;
	}
	if (cc_platform_has(CC_ATTR_GUEST_STATE_ENCRYPT) || boot_cpu_has(X86_FEATURE_TDX_GUEST)) {
		pr_err("plexus: in an encrypted guest (SEV-ES, TDX) the outer host must not see exceptions; use plexus run --host process\n");
		return -EOPNOTSUPP;
	}
	clear_buffers = has_leaky_buffers();
	no_smap = hypervisor_cpuid_base("TCGTCGTCGTCG", 0) != 0;
	store_idt(&table);
	idt = (const gate_desc *)table.address;
	if (idt[VECTOR_SITE].bits.dpl != 3) {
		pr_err("plexus: this kernel has no 32-bit system calls, so vector 80h may be a device's; boot it with ia32_emulation=on\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static void read_host_state(struct machine *m)
{
	struct world_ctx *c = m->ctx;
	struct desc_ptr table;

	c->host_cr0 = read_cr0();
	c->host_cr3 = __read_cr3();
	c->host_cr4 = __read_cr4();
	c->priv_cr0 = (c->host_cr0 & ~(X86_CR0_TS | X86_CR0_EM)) | X86_CR0_WP;
	c->priv_cr4 = c->host_cr4 & ~CR4_OFF;
	if (boot_cpu_has(X86_FEATURE_UMIP))
		c->priv_cr4 |= X86_CR4_UMIP;
	if (no_smap)
		c->priv_cr4 &= ~(u64)X86_CR4_SMAP;
	c->smap = !!(c->priv_cr4 & X86_CR4_SMAP);
	c->priv_cr3 &= ~0xffful;
	if (c->host_cr4 & X86_CR4_PCIDE) {
		/* Ours is flushed at each entry; the host's is kept. */
		c->priv_cr3 |= PRIVATE_PCID;
		c->host_cr3 |= 1ul << 63;
	}
	native_store_gdt(&table);
	c->host_gdtr.limit = table.size;
	c->host_gdtr.base = table.address;
	c->host_gdtr_rw.limit = table.size;
	c->host_gdtr_rw.base = (u64)get_current_gdt_rw();
	store_idt(&table);
	c->host_idtr.limit = table.size;
	c->host_idtr.base = table.address;
	asm volatile("str %0" : "=m"(c->host_tr));
	asm volatile("sldt %0" : "=m"(c->host_ldtr));
	asm volatile("movw %%ds, %0" : "=m"(c->host_ds));
	asm volatile("movw %%es, %0" : "=m"(c->host_es));
	asm volatile("movw %%fs, %0" : "=m"(c->host_fs));
	asm volatile("movw %%gs, %0" : "=m"(c->host_gs));
	c->host_fsbase = __rdmsr(MSR_FS_BASE);
	c->host_gsbase = __rdmsr(MSR_GS_BASE);
}

/* The user's own words, at any moment. */
static void take_pins(struct machine *m)
{
	struct plexus_run *run = m->run;

	m->ctx->intr = READ_ONCE(run->intr) != 0;
	if (READ_ONCE(run->nmi) && xchg(&run->nmi, 0))
		m->ctx->nmi = 1;
	if (READ_ONCE(run->stop))
		m->ctx->stop |= xchg(&run->stop, 0) & (PLEXUS_STOP_QUIT | PLEXUS_STOP_RESET);
}

static __nocfi void replay(unsigned int vector)
{
	void (*again)(void) = (void *)(world_replay + 16 * (vector & 0xff));

	again();
	local_irq_disable();
}

/* Interrupts are off. */
static noinstr void one_stay(struct machine *m)
{
	u64 efer, sysenter_cs, debugctl = 0, pebs = 0;
	unsigned long dr7;

	efer = __rdmsr(MSR_EFER);
	sysenter_cs = __rdmsr(MSR_IA32_SYSENTER_CS);
	asm volatile("movq %%db7, %0" : "=r"(dr7));
	if (dr7 & 0xff)
		asm volatile("movq %0, %%db7" : : "r"(0x400ul));
	/* SYSCALL and SYSENTER would enter the host's kernel, which is not there: so they fault. */
	native_wrmsr(MSR_EFER, (u32)(efer & ~EFER_SCE), (u32)(efer >> 32));
	native_wrmsr(MSR_IA32_SYSENTER_CS, 0, 0);
	/* What the processor writes to its debug store goes to addresses that are not there. */
	if (boot_cpu_has(X86_FEATURE_DS)) {
		debugctl = __rdmsr(MSR_IA32_DEBUGCTLMSR);
		if (debugctl)
			native_wrmsr(MSR_IA32_DEBUGCTLMSR, 0, 0);
	}
	if (boot_cpu_has(X86_FEATURE_PEBS)) {
		pebs = __rdmsr(MSR_IA32_PEBS_ENABLE);
		if (pebs)
			native_wrmsr(MSR_IA32_PEBS_ENABLE, 0, 0);
	}
	/* As on the way to user space, which this is; without the microcode for it this does nothing. */
	if (clear_buffers) {
		const u16 ds = __KERNEL_DS;

		asm volatile("verw %0" : : "m"(ds) : "cc");
	}
	world_enter(m->ctx);
	if (pebs)
		native_wrmsr(MSR_IA32_PEBS_ENABLE, (u32)pebs, (u32)(pebs >> 32));
	if (debugctl)
		native_wrmsr(MSR_IA32_DEBUGCTLMSR, (u32)debugctl, (u32)(debugctl >> 32));
	native_wrmsr(MSR_EFER, (u32)efer, (u32)(efer >> 32));
	native_wrmsr(MSR_IA32_SYSENTER_CS, (u32)sysenter_cs, (u32)(sysenter_cs >> 32));
	if (dr7 & 0xff)
		asm volatile("movq %0, %%db7" : : "r"(dr7));
}

static u32 one_switch(struct machine *m)
{
	struct world_ctx *c = m->ctx;
	u64 nmis;

	kernel_fpu_begin();
	asm volatile("fxrstor64 %0" : : "m"(m->fx));
	local_irq_disable();
	read_host_state(m);
	take_pins(m);
	c->entries++;
	one_stay(m);
	asm volatile("fxsave64 %0" : "=m"(m->fx));
	nmis = c->nmi_pending;
	c->nmi_pending = 0;
	if (c->request == REQUEST_INTERRUPT && c->a[0] == X86_VEC_NMI)
		nmis++;
	/* Several are one: that is how NMIs are. */
	if (nmis)
		replay(X86_VEC_NMI);
	if (c->mc_pending || (c->request == REQUEST_INTERRUPT && c->a[0] == X86_VEC_MC)) {
		c->mc_pending = 0;
		replay(X86_VEC_MC);
	}
	if (c->request == REQUEST_INTERRUPT && c->a[0] >= 32 && c->a[0] != VECTOR_SITE)
		replay(c->a[0]);
	local_irq_enable();
	kernel_fpu_end();
	return c->request;
}

static void set_runner(struct machine *m, struct task_struct *task)
{
	spin_lock(&m->kick_lock);
	m->runner = task;
	spin_unlock(&m->kick_lock);
}

void machine_kick(struct machine *m)
{
	WRITE_ONCE(m->kicked, true);
	wake_up(&m->wait);
	spin_lock(&m->kick_lock);
	/* An interrupt on its processor brings it out of the guest, and it looks at the pins. */
	if (m->runner && m->runner != current)
		kick_process(m->runner);
	spin_unlock(&m->kick_lock);
}

/* The monitor goes on until it asks for something at a point where the guest's state is whole. -EINTR: the thread is being
 * killed in the middle, and this machine will not run again. */
static int until_canonical(struct machine *m)
{
	for (;;) {
		u32 request;

		if (machine_more_tables(m)) {
			m->dead = true;
			return -ENOMEM;
		}
		request = one_switch(m);
		switch (request) {
		case REQUEST_INTERRUPT:
			break;
		case REQUEST_PAGES:
			machine_give_pages(m);
			break;
		case REQUEST_CHUNK:
			m->ctx->a[0] = (u32)machine_more_tables(m);
			break;
		default:
			return (int)request;	/* whole: whoever is called next looks at signals */
		}
		if (fatal_signal_pending(current)) {
			m->dead = true;
			return -EINTR;
		}
		if (signal_pending(current))
			m->ctx->pause = 1;
		cond_resched();
	}
}

static void die(struct machine *m, const char *why)
{
	m->dead = true;
	m->run->exit = PLEXUS_EXIT_ERROR;
	strscpy((char *)m->run->message, why, sizeof(m->run->message));
	pr_notice_ratelimited("plexus: a machine of %s ended: %s\n", current->comm, why);
}

static int next_request(struct machine *m)
{
	int request;

	set_runner(m, current);
	request = until_canonical(m);
	set_runner(m, NULL);
	if (request == -ENOMEM)
		die(m, "the host has no memory for the monitor's page tables; give the guest less memory or stop something");
	else if (request == REQUEST_DIED)
		die(m, m->ctx->message);
	return request;
}

int machine_start(struct machine *m)
{
	int request;

	*(u16 *)m->fx = 0x37f;
	*(u32 *)(m->fx + 24) = 0x1f80;
	m->ctx->command = COMMAND_NONE;
	request = next_request(m);
	m->waiting = REQUEST_START;
	if (request < 0)
		return request;
	return request == REQUEST_START ? 0 : -EIO;
}

int machine_command(struct machine *m, u32 command)
{
	int request;

	if (m->dead)
		return -EIO;
	m->ctx->command = command;
	request = next_request(m);
	m->ctx->command = COMMAND_NONE;
	if (request < 0)
		return request;
	if (request != REQUEST_COMMAND_DONE) {
		if (!m->dead)
			die(m, "the monitor answers no command; this is a defect of Plexus, please report it");
		return -EIO;
	}
	return (int)m->ctx->command_a[0];
}

/* The user's answer to what the monitor waits for. */
static void give_reply(struct machine *m)
{
	struct plexus_run *run = m->run;

	if (m->waiting != REQUEST_DEVICE)
		return;
	m->ctx->a[3] = READ_ONCE(run->value);
	m->ctx->a[4] = READ_ONCE(run->count);
	if (m->device_exit == PLEXUS_EXIT_INS && m->device_bytes)
		memcpy(m->bounce, run->data, m->device_bytes);
}

static void tell_device(struct machine *m)
{
	struct plexus_run *run = m->run;
	const struct world_ctx *c = m->ctx;

	m->device_exit = c->a[0];
	m->device_bytes = 0;
	run->exit = c->a[0];
	run->bytes = c->a[1];
	run->address = c->a[2];
	run->value = c->a[3];
	run->count = c->a[4];
	run->in_ram = c->a[5];
	run->ram_offset = c->q[0];
	if ((c->a[0] == PLEXUS_EXIT_INS || c->a[0] == PLEXUS_EXIT_OUTS) && !c->a[5])
		m->device_bytes = min_t(u32, c->a[1] * c->a[4], PLEXUS_RUN_DATA);
	if (c->a[0] == PLEXUS_EXIT_OUTS && m->device_bytes)
		memcpy(run->data, m->bounce, m->device_bytes);
}

/* INTR is a level: what counts is that it is not as the monitor was told. */
static bool something_to_do(struct machine *m)
{
	return READ_ONCE(m->kicked) || (READ_ONCE(m->run->intr) != 0) != m->ctx->intr || READ_ONCE(m->run->nmi) ||
	       READ_ONCE(m->run->stop);
}

int machine_run(struct machine *m)
{
	if (m->dead) {
		m->run->exit = PLEXUS_EXIT_ERROR;
		return -EIO;
	}
	m->run->exit = PLEXUS_EXIT_NONE;
	for (;;) {
		int request;

		give_reply(m);
		WRITE_ONCE(m->kicked, false);
		request = next_request(m);
		if (request < 0)
			return request == -ENOMEM ? 0 : request;
		m->waiting = (u32)request;
		switch (request) {
		case REQUEST_PAUSE:
			return -EINTR;
		case REQUEST_WAIT:
			if (signal_pending(current) || wait_event_interruptible(m->wait, something_to_do(m)))
				return -EINTR;
			break;
		case REQUEST_WAIT_WORD:
			/* The reader is a thread of the program: it may be what the signal stops. */
			if (signal_pending(current))
				return -EINTR;
			usleep_range(1000, 2000);
			break;
		case REQUEST_DEVICE:
			tell_device(m);
			return 0;
		case REQUEST_ENDED:
			m->run->exit = m->ctx->a[0];
			return 0;
		case REQUEST_DIED:
			return 0;
		default:
			die(m, "the monitor asks for something unknown; this is a defect of Plexus, please report it");
			return 0;
		}
	}
}
