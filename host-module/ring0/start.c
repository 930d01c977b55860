/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/start.c - the machine in ring 0: made once, run when the host says so, and the host's commands in between.
 *
 * The counterpart of host-process/vm.c. All state hangs off struct module_host, which stands at the arena's first page: there is one
 * machine to a private address space, so its address is a constant, and not a variable.
 * Asked by: world_call.S (monitor_start), world.c (commands).
 */
#include "host-module/ring0/host.h"
#include "monitor/stats.h"
#include "plexus/plexus-abi.h"

struct module_host *module_host(void)
{
	return (struct module_host *)WORLD_ARENA;
}

static void own_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	__asm__ volatile("cpuid" : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3]) : "a"(leaf), "c"(subleaf));
}

/*
 * QEMU's TCG cuts EIP to 16 bits at the ends of its own blocks while CS.D is 0, where a processor does not; 16-bit fragments
 * stand far above 64 KiB.
 */
static bool is_tcg(void)
{
	uint32_t regs[4];

	own_cpuid(1, 0, regs);
	if (!(regs[2] & 1u << 31))
		return false;
	own_cpuid(0x40000000, 0, regs);
	return regs[1] == 0x54474354 && regs[2] == 0x43544743 && regs[3] == 0x47435447;	/* TCGTCGTCGTCG */
}

static void start_vcpu(struct module_host *h)
{
	mon_reset(h->vcpu);
	mon_fpu_reset(h->vcpu);
	h->vcpu->tsc_offset = 0;
	h->vcpu->halted = 0;
	h->vcpu->seg_dirty = 0x3f;
	h->vcpu->mode_dirty = 1;
}

static void native_create(struct module_host *h)
{
	struct tables_inv inv = { .kind = TABLES_INV_NONE };
	uint8_t *page = arena_alloc(h, PLX_PAGE_SIZE, PLX_PAGE_SIZE);
	uint64_t phys = world_phys(h, page);

	if (tables_map(&h->tables, WORLD_NATIVE, phys, PLX_PAGE_SIZE, TABLES_A | TABLES_CREATE, &inv))
		world_die(h, "cannot map the native step's page", -PLX_ENOMEM);
	tables_done(h, &inv);
	mon_native_init(&h->native, page, (const void *)WORLD_NATIVE, PLX_PAGE_SIZE);
}

static enum prescan_rewrite strategy(uint32_t rewrite)
{
	switch (rewrite) {
	case PLEXUS_REWRITE_FARCALL:
		return REWRITE_FARCALL;
	case PLEXUS_REWRITE_INT3:
		return REWRITE_INT3;
	case PLEXUS_REWRITE_GATE:
		return REWRITE_GATE;
	default:
		return REWRITE_ADAPTIVE;
	}
}

static void build(struct module_host *h)
{
	const struct world_shared *s = h->shared;
	struct mon_engine *e;

	h->vcpu = arena_alloc(h, sizeof(*h->vcpu), 4096);
	h->ldt = arena_alloc(h, LDT_BYTES, 4096);
	e = arena_alloc(h, sizeof(*e), 4096);
	/* From here on a page may be missing: there is an IDT. */
	block_init(h);
	arena_touch(h->ldt, LDT_BYTES);
	arena_touch(h->vcpu, sizeof(*h->vcpu));
	h->vcpu->fpu_area = arena_alloc(h, 4096, 64);
	e->vm = &h->vm;
	h->engine = e;
	native_create(h);
	if (s->rewrite == PLEXUS_REWRITE_GATE)
		gate_create(h);
	e->window_rw = arena_alloc(h, WINDOW_BYTES, POOL_PAGE_BYTES);
	if (!engine_allocate(e, SPACE_MAX, arena_table, h))
		world_die(h, "the monitor's tables do not fit its arena", 0);
	mon_features_init(&h->features, own_cpuid);
	h->vm.features = &h->features;
	h->vm.a20_mask = ~0u;
	h->vm.ram = (uint8_t *)WORLD_RAM;
	h->vm.ram_bytes = s->ram_bytes;
	h->vcpu->vm = &h->vm;
	h->vcpu->native_page = &h->native;
	io_init(h);
	for (uint64_t at = 0; at < s->guest_ram_bytes; at += PLX_PAGE_SIZE)
		h->vm.page[at >> PLX_PAGE_SHIFT] = at | MON_PAGE_PRESENT;

	e->vcpu = h->vcpu;
	e->ops = &module_host_ops;
	e->host = h;
	e->window = WINDOW_PREFERRED;
	e->interpret_only = s->rewrite == PLEXUS_REWRITE_INTERPRET;
	e->no_code16 = is_tcg() || s->features_off & PLEXUS_FEATURE_CODE16;
	e->cache.rw = e->window_rw;
	e->cache.env = (struct prescan_env){
		.window = e->window,
		.cs64 = SEL_CS64,
		.strategy = strategy(s->rewrite),
		.count = s->count != 0,
	};
	if (spaces_create(h))
		world_die(h, "cannot make the first address space", -PLX_ENOMEM);
	engine_init(e);
	start_vcpu(h);
	if (!window_place(e, e->window))
		world_die(h, "cannot place the window", 0);
}

/* ---- commands ------------------------------------------------------------------------------------------------------ */

static int command_map(struct module_host *h, uint64_t gpa, uint64_t nbytes, uint64_t offset, uint32_t kind)
{
	if ((gpa | nbytes | offset) & PLX_PAGE_MASK || gpa > 1ull << 32 || nbytes > 1ull << 32 || gpa + nbytes > 1ull << 32 ||
	    kind > PLEXUS_MAP_DEVICE ||
	    (kind != PLEXUS_MAP_DEVICE && (offset > h->vm.ram_bytes || nbytes > h->vm.ram_bytes - offset)))
		return -PLX_EINVAL;
	for (uint64_t at = 0; at < nbytes; at += PLX_PAGE_SIZE) {
		uint32_t gfn = (uint32_t)((gpa + at) >> PLX_PAGE_SHIFT);
		uint64_t entry = 0;

		if (kind != PLEXUS_MAP_DEVICE)
			entry = (offset + at) | MON_PAGE_PRESENT | (kind == PLEXUS_MAP_ROM ? MON_PAGE_ROM : 0);
		if ((h->vm.page[gfn] & ~(uint64_t)(MON_PAGE_CODE | MON_PAGE_DIRTY)) == entry)
			continue;
		prescan_cache_written(&h->engine->cache, gfn << PLX_PAGE_SHIFT, PLX_PAGE_SIZE);
		shadow_drop_gfn(h->engine, gfn);
		space_tell(h->engine, SPACE_DROP_GFN, gfn);
		h->vm.page[gfn] = entry;
		h->engine->window_dirty = true;		/* it may stand where there was nothing until now */
		h->engine->window_clear = false;
	}
	mon_tlb_flush(h->vcpu);
	return 0;
}

static struct mon_seg flat_segment(uint16_t sel, uint32_t type)
{
	return (struct mon_seg){ .sel = sel, .attr = type | MON_SEG_S | MON_SEG_P | MON_SEG_DB | MON_SEG_G |
				 MON_SEG_ACCESSED, .limit = 0xffffffff };
}

static void command_start(struct module_host *h, const uint32_t *a)
{
	struct mon_vcpu *v = h->vcpu;

	h->engine->nmi = 0;
	start_vcpu(h);
	mon_tlb_flush(v);
	engine_hooks.flush_tlb(v, true);
	if (!a[0])
		return;
	v->cr0 |= X86_CR0_PE;
	v->gdtr = (struct mon_dtr){ .base = a[4], .limit = (uint16_t)a[5] };
	for (unsigned int i = 0; i < 6; i++)
		v->seg[i] = flat_segment(0x18, MON_SEG_WRITABLE);
	v->seg[X86_CS] = flat_segment(0x10, MON_SEG_CODE | MON_SEG_READABLE);
	v->eip = a[1];
	v->gpr[X86_ESP] = a[2];
	v->gpr[X86_ESI] = a[3];
	v->seg_dirty = 0x3f;
	v->mode_dirty = 1;
}

static void command_a20(struct module_host *h, bool open)
{
	uint32_t mask = open ? ~0u : ~(1u << 20);

	if (h->vm.a20_mask == mask)
		return;
	h->vm.a20_mask = mask;
	mon_tlb_flush(h->vcpu);
	engine_hooks.flush_tlb(h->vcpu, true);
}

static void put_segment(struct plexus_segment *to, const struct mon_seg *s)
{
	*to = (struct plexus_segment){ .selector = s->sel, .base = s->base, .limit = s->limit, .attributes = s->attr };
}

static void command_registers(struct module_host *h, struct plexus_registers *r)
{
	const struct mon_vcpu *v = h->vcpu;

	memset(r, 0, sizeof(*r));
	r->size = sizeof(*r);
	r->cpl = v->cpl;
	memcpy(r->gpr, v->gpr, sizeof(r->gpr));
	r->eip = v->eip;
	r->eflags = v->eflags;
	r->cr0 = v->cr0;
	r->cr2 = v->cr2;
	r->cr3 = v->cr3;
	r->cr4 = v->cr4;
	for (unsigned int i = 0; i < 6; i++)
		put_segment(&r->segment[i], &v->seg[i]);
	put_segment(&r->segment[6], &v->ldtr);
	put_segment(&r->segment[7], &v->tr);
	r->gdt_base = v->gdtr.base;
	r->gdt_limit = v->gdtr.limit;
	r->idt_base = v->idtr.base;
	r->idt_limit = v->idtr.limit;
	r->halted = v->halted;
}

void start_command(struct module_host *h, uint32_t command)
{
	struct world_ctx *ctx = h->ctx;
	uint32_t a[8];
	uint64_t q[4];
	int err = 0;

	memcpy(a, ctx->command_a, sizeof(a));
	memcpy(q, ctx->command_q, sizeof(q));
	switch (command) {
	case COMMAND_MAP:
		err = command_map(h, q[0], q[1], q[2], a[0]);
		break;
	case COMMAND_READ:
		mon_phys_read(h->vcpu, (uint32_t)q[0], h->bounce, a[0]);
		break;
	case COMMAND_WRITE:
		mon_phys_write(h->vcpu, (uint32_t)q[0], h->bounce, a[0]);
		break;
	case COMMAND_START:
		command_start(h, a);
		break;
	case COMMAND_A20:
		command_a20(h, a[0] != 0);
		break;
	case COMMAND_REGISTERS:
		command_registers(h, (struct plexus_registers *)h->bounce);
		break;
	case COMMAND_STATS:
		guest_tables_ask(h);
		h->engine->stats.gate_done = gate_done(h);
		a[1] = (uint32_t)engine_stat_values(h->engine, (uint64_t *)h->bounce, plx_min32(a[0], WORLD_BOUNCE_BYTES / 8));
		break;
	case COMMAND_RECORD:
		err = record_show(h, a[0], a[1], a[2], (struct plexus_record *)h->bounce);
		break;
	default:
		err = -PLX_EINVAL;
	}
	ctx = h->ctx;
	memcpy(ctx->command_a, a, sizeof(a));
	ctx->command_a[0] = (uint32_t)err;
}

/* ---- the run ------------------------------------------------------------------------------------------------------- */

void monitor_main(struct world_ctx *ctx);

void monitor_main(struct world_ctx *ctx)
{
	struct module_host *h = module_host();
	uint8_t *shared = (uint8_t *)WORLD_SHARED;

	h->ctx = ctx;
	h->shared = (struct world_shared *)shared;
	h->bounce = (uint8_t *)WORLD_BOUNCE;
	h->arena_next = WORLD_ARENA + ((sizeof(*h) + PLX_PAGE_MASK) & ~(uint64_t)PLX_PAGE_MASK);
	h->tables.state = (struct tables_state *)(shared + h->shared->state_offset);
	h->tables.pages = (struct table_pages){
		.state = (struct table_pages_state *)(shared + h->shared->pages_offset),
		.pool_base = (uint8_t *)WORLD_POOL,
	};
	build(h);
	world_call(h, REQUEST_START);
	for (;;) {
		static const uint32_t exits[] = {
			[ENGINE_STOPPED] = PLEXUS_EXIT_STOP, [ENGINE_RESET] = PLEXUS_EXIT_RESET,
			[ENGINE_TRIPLE_FAULT] = PLEXUS_EXIT_TRIPLE_FAULT, [ENGINE_ERROR] = PLEXUS_EXIT_ERROR,
		};
		enum engine_result result = engine_run(h->engine);

		h->ctx->a[0] = exits[result];
		world_call(h, REQUEST_ENDED);
	}
}
