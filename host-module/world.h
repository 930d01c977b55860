/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/world.h - what the host's kernel and the monitor in ring 0 know of each other.
 *
 *      kernel/run.c          kernel/transition.S            ring0/handlers.S          ring0, monitor
 *      world_enter(ctx) -->  [stack, IDT, GDT, CRn, CR3] --> [GDT, IDT, TR, LDT] -->  world_call() returns
 *                       <--  [CR3, CRn, GDT, TR, IDT]    <--                     <--  world_call(request)
 *
 * The monitor is a coroutine on a stack of its own: it asks the host for something with world_call() and goes on when
 * it has it. A host interrupt that comes while the guest runs is such a request, too. So all that passes between the two worlds is
 * in one structure, struct world_ctx, at the start of the vCPU's block.
 *
 * The block: 64 KiB, naturally aligned, of supervisor pages. The processor's tables and the handlers' code are in it, so that they
 * can be mapped anywhere: at the kernel's own address of it (for the moments of the switch), at WORLD_BLOCK above 4 GiB (always
 * there), and in the window, in the guest's linear space, where the guest is run with it.
 *
 * Read by:   kernel C, freestanding C and assembler; the assertions below keep them in step.
 */
#ifndef HOST_MODULE_WORLD_H
#define HOST_MODULE_WORLD_H

/* Pages of the block. */
#define BLOCK_BYTES		0x10000
#define BLOCK_CTX		0x0000
#define BLOCK_GDT		0x1000	/* the TSS is in its second half */
#define BLOCK_TSS		0x1800
#define BLOCK_IDT		0x2000
#define BLOCK_SWITCH_IDT	0x3000
#define BLOCK_SWITCH_STACK	0x4000
#define BLOCK_DF_STACK		0x5000
#define BLOCK_CODE		0x8000
#define BLOCK_CODE_BYTES	0x8000

/* The private address space above the guest's 4 GiB: fixed, the same in every machine. */
#define WORLD_IMAGE		0x0000100000000000ull	/* the monitor's code and constants */
#define WORLD_IMAGE_MAX		0x0000000000800000ull
#define WORLD_BLOCK		0x0000110000000000ull	/* the block's home */
#define WORLD_STACK		0x0000120000000000ull	/* lowest address of the monitor's stack */
#define WORLD_STACK_BYTES	0x10000
#define WORLD_SHARED		0x0000130000000000ull	/* struct world_shared, and the bookkeeping behind it */
#define WORLD_BOUNCE		0x0000140000000000ull	/* bytes in and out */
#define WORLD_BOUNCE_BYTES	0x10000
#define WORLD_GATE		0x0000160000000000ull	/* gate_handler.S, and its data and stack: pages of ring 3's, out of the guest's reach */
#define WORLD_ARENA		0x0000200000000000ull	/* pages come as they are touched */
#define WORLD_ARENA_BYTES	0x0000000080000000ull
#define WORLD_ARENA_FIRST	16u	/* pages of it that are there from the start: the monitor finds itself in them */
#define WORLD_NATIVE		0x0000280000000000ull	/* executable view of the native step's scratch page */
#define WORLD_IRET		0x0000290000000000ull	/* 4 GiB in which one stack page stands at 64 KiB * ESP[31:16] */
#define WORLD_RAM		0x0000300000000000ull	/* the machine's RAM object */
#define WORLD_POOL		0x0000400000000000ull	/* page tables: a chunk of 2 MiB at its physical address */

/* Selectors in the private GDT; 10h and 18h as in Linux, so that an NMI in the middle of a switch finds its CS and SS. */
#define SEL_CODE		0x10
#define SEL_DATA		0x18
#define SEL_CS64		0x33	/* NX_CS64, for stubs in ring 3 */
#define SEL_TSS			0x40
#define SEL_LDT			0x50
#define GDT_BYTES		0x60

#define VECTOR_SITE		0x80	/* INT 80h out of a stub: no device interrupt has this vector */

/* Offsets in the page behind gate_handler.S; host-module/ring0/gate.c. */
#define G_CS_BASE		0x00
#define G_FLAG_PAGE		0x04
#define G_BIAS			0x08
#define G_SELECTORS		0x0c
#define G_USER_SELECTORS	0x10
#define G_DONE			0x18

/* Offsets in struct world_ctx. */
#define C_HOST_RSP		0x000
#define C_HOST_CR0		0x008
#define C_HOST_CR3		0x010
#define C_HOST_CR4		0x018
#define C_PRIV_CR0		0x020
#define C_PRIV_CR3		0x028
#define C_PRIV_CR4		0x030
#define C_HOST_CTX		0x038
#define C_HERE			0x040
#define C_EXIT_VA		0x048
#define C_HANDLER_VA		0x050
#define C_MON_RSP		0x058
#define C_NMI_PENDING		0x060
#define C_MC_PENDING		0x068
#define C_HOST_GDTR		0x070
#define C_HOST_IDTR		0x080
#define C_HOST_GDTR_RW		0x090
#define C_SWITCH_GDTR		0x0a0
#define C_SWITCH_IDTR		0x0b0
#define C_GDTR			0x0c0
#define C_IDTR			0x0d0
#define C_HOST_TR		0x0e0
#define C_HOST_LDTR		0x0e2
#define C_HOST_FS		0x0e4
#define C_HOST_GS		0x0e6
#define C_HOST_DS		0x0e8
#define C_HOST_ES		0x0ea
#define C_HOST_FSBASE		0x0f0
#define C_HOST_GSBASE		0x0f8
#define C_SWITCH_STACK		0x100
#define C_SMAP			0x108
#define C_VCPU			0x110
#define C_TRAP_FN		0x118
#define C_FAULT_FN		0x120
#define C_GUEST_DS		0x128
#define C_GUEST_ES		0x12a
#define C_GUEST_FS		0x12c
#define C_GUEST_GS		0x12e
#define C_IRET_RSP		0x130
/* 180h..1ffh stay free: an NMI while RSP is in the frame pushes there. */
#define C_FRAME			0x200
#define C_FRAME_END		0x2b0

#define F_VECTOR		0x78
#define F_CS			0x90

#ifndef __ASSEMBLER__
#include "host-module/physmap.h"
#include "plexus/base.h"

struct world_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

/* As LGDT and LIDT read it. */
struct world_dtr {
	uint16_t limit;
	uint64_t base;
	uint16_t pad[3];
} __attribute__((packed));

/* What the monitor asks of the host. Below REQUEST_CANONICAL the guest may be in the middle of a fragment. */
enum world_request_kind {
	REQUEST_NONE = 0,
	REQUEST_INTERRUPT,	/* a[0] = vector: the host's, not the guest's */
	REQUEST_PAGES,		/* arena pages from q[0], a[0] of them; reply: their physical addresses in page[] */
	REQUEST_CHUNK,		/* page tables ran out of pages; reply: a[0] = 0, or -errno */

	REQUEST_CANONICAL,
	REQUEST_START = REQUEST_CANONICAL,	/* made for the monitor, which has not run yet */
	REQUEST_PAUSE,		/* nothing: the host wanted to have the thread back */
	REQUEST_WAIT,		/* HLT */
	REQUEST_WAIT_WORD,	/* the trace's reader is slow: some milliseconds */
	REQUEST_DEVICE,		/* plexus_exit etc. in a[]: exit, bytes, address, value, count, in_ram; q[0] = ram_offset */
	REQUEST_COMMAND_DONE,	/* command_a[0] = 0 or -errno */
	REQUEST_ENDED,		/* a[0] = enum plexus_exit */
	REQUEST_DIED,		/* the sentence is in message; the machine cannot go on */
};

/* What the host asks of the monitor while that waits for the answer to a canonical request. */
enum world_command {
	COMMAND_NONE = 0,
	COMMAND_MAP,		/* command_q[0] gpa, [1] bytes, [2] offset; command_a[0] kind */
	COMMAND_READ,		/* command_q[0] gpa, command_a[0] bytes -> bounce */
	COMMAND_WRITE,		/* bounce -> command_q[0] gpa, command_a[0] bytes */
	COMMAND_START,		/* command_a[0] flat, [1..5] eip esp esi gdt_base gdt_limit */
	COMMAND_A20,		/* command_a[0] open */
	COMMAND_REGISTERS,	/* struct plexus_registers -> bounce */
	COMMAND_STATS,		/* command_a[0] max; uint64_t[] -> bounce; reply command_a[1] = how many there are */
	COMMAND_RECORD,		/* command_a[0] what, [1] flags, [2] entries; struct plexus_record -> bounce, with offsets in the arena */
};

#define WORLD_PAGES_AT_ONCE 16

struct world_ctx {
	/* Fixed order: assembler knows these. */
	uint64_t host_rsp, host_cr0, host_cr3, host_cr4, priv_cr0, priv_cr3, priv_cr4;
	uint64_t host_ctx;		/* the block's address in the kernel; mapped in both worlds */
	uint64_t here;			/* ... and the one it is used at in the monitor's */
	uint64_t exit_va;		/* world_leave, in the transition page */
	uint64_t handler_va;		/* where to enter in the block's code */
	uint64_t mon_rsp;		/* the monitor's stack while it waits */
	uint64_t nmi_pending, mc_pending;
	struct world_dtr host_gdtr, host_idtr, host_gdtr_rw, switch_gdtr, switch_idtr, gdtr, idtr;
	uint16_t host_tr, host_ldtr, host_fs, host_gs, host_ds, host_es, pad0[2];
	uint64_t host_fsbase, host_gsbase;
	uint64_t switch_stack;
	uint64_t smap;			/* CLAC is needed */
	uint64_t vcpu;			/* struct mon_vcpu, in the arena */
	uint64_t trap_fn, fault_fn;	/* ring0/trap.c */
	uint16_t guest_ds, guest_es, guest_fs, guest_gs;
	uint64_t iret_rsp;		/* where the end of the frame, RIP to SS, is read from on the way back to the guest */
	uint64_t pad1[(C_FRAME - 0x138) / 8];
	struct world_frame frame;

	/* From here on C alone. A request's and a command's words are their own: a command is answered while a request waits. */
	uint32_t request;
	uint32_t a[8];
	uint64_t q[4];
	uint32_t command;
	uint32_t command_a[8];
	uint64_t command_q[4];
	uint64_t page[WORLD_PAGES_AT_ONCE];

	/* The host's word to the monitor, renewed at each entry. */
	uint32_t intr, nmi, stop, pause;

	uint64_t entries;		/* into the monitor */
	uint64_t interrupts;		/* of the host's while the guest ran */
	char message[256];
};

/* How the machine is to be; the host writes it before the monitor runs first. */
struct world_shared {
	uint64_t ram_bytes;		/* of the object, what is behind RAM included */
	uint64_t guest_ram_bytes;
	uint32_t rewrite, count, tables_guest, high;
	uint64_t features_off;
	uint64_t sme_mask;
	uint32_t levels, nx, phys_bits;
	uint32_t pages_offset, state_offset;	/* of struct table_pages_state and struct tables_state, from this one's start */
	struct physmap ram;		/* offset in the RAM object -> host page; the host's alone to change */
};

#define WORLD_OFFSET(field, offset) _Static_assert(offsetof(struct world_ctx, field) == (offset), #field)
WORLD_OFFSET(host_rsp, C_HOST_RSP);
WORLD_OFFSET(host_cr4, C_HOST_CR4);
WORLD_OFFSET(priv_cr0, C_PRIV_CR0);
WORLD_OFFSET(priv_cr3, C_PRIV_CR3);
WORLD_OFFSET(priv_cr4, C_PRIV_CR4);
WORLD_OFFSET(host_ctx, C_HOST_CTX);
WORLD_OFFSET(here, C_HERE);
WORLD_OFFSET(exit_va, C_EXIT_VA);
WORLD_OFFSET(handler_va, C_HANDLER_VA);
WORLD_OFFSET(mon_rsp, C_MON_RSP);
WORLD_OFFSET(nmi_pending, C_NMI_PENDING);
WORLD_OFFSET(mc_pending, C_MC_PENDING);
WORLD_OFFSET(host_gdtr, C_HOST_GDTR);
WORLD_OFFSET(host_idtr, C_HOST_IDTR);
WORLD_OFFSET(host_gdtr_rw, C_HOST_GDTR_RW);
WORLD_OFFSET(switch_gdtr, C_SWITCH_GDTR);
WORLD_OFFSET(switch_idtr, C_SWITCH_IDTR);
WORLD_OFFSET(gdtr, C_GDTR);
WORLD_OFFSET(idtr, C_IDTR);
WORLD_OFFSET(host_tr, C_HOST_TR);
WORLD_OFFSET(host_es, C_HOST_ES);
WORLD_OFFSET(host_fsbase, C_HOST_FSBASE);
WORLD_OFFSET(switch_stack, C_SWITCH_STACK);
WORLD_OFFSET(smap, C_SMAP);
WORLD_OFFSET(vcpu, C_VCPU);
WORLD_OFFSET(trap_fn, C_TRAP_FN);
WORLD_OFFSET(fault_fn, C_FAULT_FN);
WORLD_OFFSET(guest_ds, C_GUEST_DS);
WORLD_OFFSET(guest_gs, C_GUEST_GS);
WORLD_OFFSET(iret_rsp, C_IRET_RSP);
WORLD_OFFSET(frame, C_FRAME);
_Static_assert(sizeof(struct world_frame) == C_FRAME_END - C_FRAME, "world_frame");
_Static_assert(offsetof(struct world_frame, vector) == F_VECTOR, "world_frame");
_Static_assert(offsetof(struct world_frame, cs) == F_CS, "world_frame");
_Static_assert(sizeof(struct world_ctx) <= 0x1000, "world_ctx");
#endif
#endif
