/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/test_translate.c - claims about prescan/translate.c and prescan/inline.c: at every host instruction of every sequence the
 * records give back the guest's state, either that before the guest instruction or that after it.
 *
 * The interpreter stands in for the processor. It runs the guest instruction at CPL 0 (or 3), which says what should
 * happen; then the emitted host code at CPL 3, one instruction at a time, asking exits_locate() in between.
 */
#include "cache_lab.h"
#include "monitor/engine.h"

#define LOW_BYTES 0x100000u		/* guest RAM; the window's object lies behind it */
#define PROG 0x10000u
#define DATA 0x20000u
#define STACK 0x30000u
#define TARGET 0x10800u			/* in the same page as the code */

struct lab {
	uint8_t *ram;
	struct mon_vm vm;
	struct mon_engine *e;
	struct mon_vcpu *host, *guest, *seen;
	struct mon_cpu_features features;
};

static uint32_t seed;

static uint32_t rnd(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed ^ seed >> 15;
}

static void no_death(void *host, const char *what, int err)
{
	(void)host;
	(void)err;
	fail_msg("%s", what);
}

static const struct plx_host_ops ops = { .die = no_death };

static void flat(struct mon_vcpu *v, unsigned int cpl, bool d)
{
	for (unsigned int i = 0; i < 6; i++)
		v->seg[i] = (struct mon_seg){ .sel = (uint16_t)(0x100 + i * 8 + cpl), .limit = 0xffffffff,
			.attr = MON_SEG_P | MON_SEG_S | MON_SEG_DB | MON_SEG_G | MON_SEG_ACCESSED | MON_SEG_WRITABLE |
				cpl << MON_SEG_DPL_SHIFT | (i == X86_CS ? MON_SEG_CODE : 0) };
	if (!d)
		v->seg[X86_CS].attr &= ~MON_SEG_DB;
	v->cpl = (uint8_t)cpl;
	v->cr0 = X86_CR0_PE | X86_CR0_NE | X86_CR0_ET;
}

static int setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));

	*state = lab;
	lab->ram = calloc(1, LOW_BYTES + WINDOW_BYTES);
	lab->vm = (struct mon_vm){ .ram = lab->ram, .ram_bytes = LOW_BYTES + WINDOW_BYTES, .a20_mask = ~0u };
	lab->vm.page = calloc(1u << 20, sizeof(*lab->vm.page));
	lab->vm.features = &lab->features;
	for (uint32_t at = 0; at < LOW_BYTES; at += PLX_PAGE_SIZE)
		lab->vm.page[at >> 12] = at | MON_PAGE_PRESENT;
	for (uint32_t at = 0; at < WINDOW_BYTES; at += PLX_PAGE_SIZE)
		lab->vm.page[(LAB_WINDOW + at) >> 12] = (uint64_t)(LOW_BYTES + at) | MON_PAGE_PRESENT;
	lab->e = calloc(1, sizeof(*lab->e));
	lab->host = calloc(1, sizeof(*lab->host));
	lab->guest = calloc(1, sizeof(*lab->guest));
	lab->seen = calloc(1, sizeof(*lab->seen));
	lab->host->vm = lab->guest->vm = &lab->vm;
	lab->e->ops = &ops;
	lab->e->vm = &lab->vm;
	lab->e->window = LAB_WINDOW;
	lab->e->window_rw = lab->ram + LOW_BYTES;
	lab_cache_init(&lab->e->cache, lab->ram + LOW_BYTES);
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	lab_cache_free(&lab->e->cache);
	free(lab->ram);
	free(lab->vm.page);
	free(lab->e);
	free(lab->host);
	free(lab->guest);
	free(lab->seen);
	free(lab);
	return 0;
}

/* ---- one guest instruction ----------------------------------------------------------------------------------- */

struct sample {
	const char *what;
	const char *bytes;
	uint32_t nbytes;
	uint32_t ecx;		/* for those that look at it; 0: any */
	bool clobbers;		/* the flags before it are gone in the middle, and may be: it replaces them */
};
#define S(what, bytes) { what, bytes, sizeof(bytes) - 1, 0, false }

/* Run in 32-bit code; memory operands lie at DATA, where a code address stands, and at 8(%esp). */
static const struct sample samples_32[] = {
	S("cli", "\xfa"),
	S("sti", "\xfb"),
	S("cs: sti", "\x2e\xfb"),
	S("pushf", "\x9c"),
	S("cs: pushf", "\x2e\x9c"),
	S("es: ds: pushf", "\x26\x3e\x9c"),
	S("pushfw", "\x66\x9c"),
	{ "popf", "\x9d", 1, 0, true },
	{ "ss: popf", "\x36\x9d", 2, 0, true },
	S("mov %ds, %eax", "\x8c\xd8"),
	S("mov %cs, %ecx", "\x8c\xc9"),
	S("mov %ss, %esp", "\x8c\xd4"),
	S("mov %gs, %dx", "\x66\x8c\xea"),
	S("mov %es, mem", "\x8c\x05\x00\x00\x02\x00"),
	S("push %cs", "\x0e"),
	S("push %fs", "\x0f\xa0"),
	S("pushw %gs", "\x66\x0f\xa8"),
	S("ret", "\xc3"),
	S("ret $8", "\xc2\x08\x00"),
	S("ret $0x7ffc", "\xc2\xfc\x7f"),
	S("repz ret", "\xf3\xc3"),
	S("jmp rel8", "\xeb\x10"),
	S("jmp rel32", "\xe9\x34\x02\x00\x00"),
	S("jmp rel16", "\x66\xe9\x34\x02"),
	S("call rel32", "\xe8\x34\x02\x00\x00"),
	S("call rel16", "\x66\xe8\x34\x02"),
	S("jz rel8", "\x74\x20"),
	S("jnc rel32", "\x0f\x83\x34\x02\x00\x00"),
	S("jg rel16", "\x66\x0f\x8f\x34\x02"),
	{ "loop", "\xe2\x20", 2, 2, false },
	{ "loop, last", "\xe2\x20", 2, 1, false },
	{ "loopw", "\x67\xe2\x20", 3, 0x10001, false },
	{ "loope", "\xe1\xf0", 2, 5, false },
	{ "loopne", "\xe0\xf0", 2, 5, false },
	{ "jecxz, not", "\xe3\x20", 2, 7, false },
	{ "jcxz", "\x67\xe3\x20", 3, 0x10000, false },
	S("jmp *%eax", "\xff\xe0"),
	S("jmp *%ecx", "\xff\xe1"),
	S("jmp *%esp", "\xff\xe4"),
	S("call *%eax", "\xff\xd0"),
	S("call *%ecx", "\xff\xd1"),
	S("call *%esp", "\xff\xd4"),
	S("call *%edi", "\xff\xd7"),
	S("jmp *mem", "\xff\x25\x00\x00\x02\x00"),
	S("call *mem", "\xff\x15\x00\x00\x02\x00"),
	S("call *%es:mem", "\x26\xff\x15\x00\x00\x02\x00"),
	S("call *8(%esp)", "\xff\x54\x24\x08"),
	S("call *(%ecx)", "\xff\x11"),
	S("call *(%ecx,%eax,4)", "\xff\x14\x81"),
	S("jmp *0(,%ecx,1)", "\xff\x24\x0d\x00\x00\x00\x00"),
	S("callw *mem", "\x66\xff\x15\x00\x00\x02\x00"),
	S("nop", "\x90"),
	S("add %ecx, %eax", "\x01\xc8"),
	S("cpuid", "\x0f\xa2"),
};

static const struct sample samples_16[] = {
	S("jmp rel8", "\xeb\x10"),
	S("jmp rel16", "\xe9\x34\x02"),
	S("jmp rel32", "\x66\xe9\x34\x02\x00\x00"),
	S("call rel16", "\xe8\x34\x02"),
	S("call rel32", "\x66\xe8\x34\x02\x00\x00"),
	S("jz rel8", "\x74\x20"),
	S("jnc rel16", "\x0f\x83\x34\x02"),
	{ "loop", "\xe2\x20", 2, 0x20001, false },
	{ "loopl", "\x67\xe2\x20", 3, 0x20001, false },
	{ "jcxz", "\xe3\x20", 2, 0x10000, false },
	S("ret", "\xc3"),
	S("pushf", "\x9c"),
	S("add %cx, %ax", "\x01\xc8"),
};

#define FLAGS_SEEN (X86_FLAGS_STATUS | X86_FLAG_DF | X86_FLAG_ID | X86_FLAG_IF)

static bool same_state(const struct mon_vcpu *a, const struct mon_vcpu *b, bool flags)
{
	return !memcmp(a->gpr, b->gpr, sizeof(a->gpr)) && a->eip == b->eip &&
	       (!flags || !((a->eflags ^ b->eflags) & FLAGS_SEEN));
}

static void show(const char *who, const struct mon_vcpu *v)
{
	print_error("%-6s eax %x ecx %x edx %x ebx %x esp %x ebp %x esi %x edi %x eip %x flags %x\n", who, v->gpr[0], v->gpr[1],
		    v->gpr[2], v->gpr[3], v->gpr[4], v->gpr[5], v->gpr[6], v->gpr[7], v->eip, v->eflags);
}

static uint32_t code_address(void)
{
	return TARGET + (rnd() & 0x3f);
}

struct run {
	struct lab *lab;
	const struct sample *s;
	const struct frag *f;
	const struct mon_vcpu *before, *after;
	bool is_sti;
	bool done;		/* the state was that after it once: there is no way back */
	unsigned int steps;
};

/* The guest's state as a stop before this host instruction would find it. */
static void locate(struct run *r, bool user)
{
	struct lab *lab = r->lab;
	struct mon_vcpu *v = lab->seen;
	const struct nexus_flag_page *flags = (const void *)(lab->e->window_rw + WINDOW_FLAG_PAGE);

	*v = *lab->host;
	v->cpl = user ? 3 : 0;
	v->eflags = (v->eflags & (FLAGS_SEEN & ~X86_FLAG_IF)) | X86_FLAG_ONE |
		    (user ? r->before->eflags & X86_FLAG_IF : flags->vif & X86_FLAG_IF);
	v->int_shadow = 0;
	lab->e->vcpu = v;
	exits_locate(lab->e, v->eip);
}

static void check_here(struct run *r, bool user)
{
	struct mon_vcpu *v = r->lab->seen;
	bool before, after;

	locate(r, user);
	before = same_state(v, r->before, !r->s->clobbers);
	after = same_state(v, r->after, true);
	if (after && !before)
		r->done = true;
	if ((before && !r->done) || after) {
		if (!(r->is_sti && after && !before ? v->int_shadow == MON_SHADOW_STI || (r->before->eflags & X86_FLAG_IF) :
		      true))
			fail_msg("%s: no shadow behind STI", r->s->what);
		return;
	}
	print_error("%s, %u host instructions on, offset %x\n", r->s->what, r->steps, r->lab->host->eip - LAB_WINDOW - r->f->body);
	show("before", r->before);
	show("after", r->after);
	show("seen", v);
	fail();
}

/* Is the host at a way out? Then what is left to the monitor is checked, and the run is over. */
static bool leaves(struct run *r, bool user)
{
	struct lab *lab = r->lab;
	struct prescan_cache *c = &lab->e->cache;
	uint32_t offset = lab->host->eip - LAB_WINDOW, site = 0, eip = 0;
	const uint8_t *code = c->rw + offset;
	const struct nexus_scratch_page *scratch;
	struct mon_vcpu *v = lab->seen;

	if (offset >= WINDOW_COLD)
		site = prescan_cache_site_at(c, offset);
	else if (code[0] == 0xcc)
		memcpy(&site, code + 1, 4);
	else if (code[0] == 0xea || code[0] == 0x9a || (code[0] == 0x66 && code[1] == 0xea)) {
		memcpy(&offset, code + (code[0] == 0x66 ? 2 : 1), 4);
		site = prescan_cache_site_at(c, offset - LAB_WINDOW);
	} else if (code[0] == 0x90) {			/* the guest's NOP behind it: control fell through */
		check_here(r, user);
		return true;
	} else {
		return false;
	}
	assert_in_range(site, 1, c->nsites - 1);
	if (offset < WINDOW_COLD || c->sites[site].kind == SITE_CALLOUT)
		check_here(r, user);
	scratch = (const void *)(c->rw + (user ? WINDOW_USER_SCRATCH : WINDOW_SCRATCH_PAGE));
	*v = *lab->host;
	switch (c->sites[site].kind) {
	case SITE_CALLOUT:
		assert_int_equal(c->sites[site].eip, r->before->eip);
		assert_int_equal(c->sites[site].insn_len, r->s->nbytes);
		if (c->sites[site].farcall)
			v->gpr[X86_ESP] = scratch->esp;
		assert_memory_equal(v->gpr, r->before->gpr, sizeof(v->gpr));
		assert_false(r->done);
		return true;
	case SITE_LINK:
		eip = c->sites[site].eip;
		break;
	case SITE_MISS:
		assert_int_equal(site, user ? 2 : 1);
		eip = scratch->target;
		v->gpr[X86_ECX] = scratch->ecx;
		break;
	default:
		fail_msg("%s leaves through a site of kind %u", r->s->what, c->sites[site].kind);
	}
	v->eip = eip;
	assert_int_equal(eip, r->after->eip);
	assert_memory_equal(v->gpr, r->after->gpr, sizeof(v->gpr));
	return true;
}

static void fill_guest(struct lab *lab, const struct sample *s, bool d, bool user)
{
	struct mon_vcpu *g = lab->guest;
	struct nexus_flag_page *flags = (void *)(lab->e->window_rw + WINDOW_FLAG_PAGE);
	struct nexus_scratch_page *scratch;

	for (unsigned int i = 0; i < 8; i++)
		g->gpr[i] = rnd();
	g->gpr[X86_EAX] = code_address();
	g->gpr[X86_EDI] = code_address();
	g->gpr[X86_ECX] = s->ecx;
	if (!s->ecx) {
		bool names_memory = s->nbytes >= 2 && (uint8_t)s->bytes[0] == 0xff && s->bytes[1] != (char)0xe1 && s->bytes[1] != (char)0xd1;

		g->gpr[X86_ECX] = names_memory ? DATA : code_address();
		if (s->nbytes == 3 && (uint8_t)s->bytes[1] == 0x14)
			g->gpr[X86_EAX] = 0;
	}
	g->gpr[X86_ESP] = d ? STACK : STACK & 0xffff;
	if (!d)
		g->gpr[X86_ESP] = 0x8000;
	g->eip = PROG & (d ? ~0u : 0xffff);
	if (!d)
		g->eip = 0x4000;
	g->eflags = (rnd() & (FLAGS_SEEN & ~(X86_FLAG_IF | X86_FLAG_DF))) | X86_FLAG_ONE | (user || rnd() & 1 ? X86_FLAG_IF : 0);
	flat(g, user ? 3 : 0, d);
	g->int_shadow = 0;
	for (unsigned int i = 0; i < 6; i++) {
		scratch = (void *)(lab->e->window_rw + (user ? WINDOW_USER_SCRATCH : WINDOW_SCRATCH_PAGE));
		scratch->sel[i] = g->seg[i].sel;
	}
	for (uint32_t at = 0; at < 0x40; at += 4) {
		uint32_t value = code_address();

		memcpy(lab->ram + DATA + at, &value, 4);
		if ((uint8_t)s->bytes[s->nbytes - 1] == 0x9d)	/* POPF: an image */
			value = rnd() & (rnd() & 1 ? 0x200ed7 : 0xffffffff);
		memcpy(lab->ram + g->gpr[X86_ESP] + at, &value, 4);
	}
	memcpy(lab->ram + (d ? PROG : 0x4000), s->bytes, s->nbytes);
	memset(lab->ram + (d ? PROG : 0x4000) + s->nbytes, 0x90, 16);
	flags->vif = g->eflags & X86_FLAG_IF;
	flags->pending = rnd() % 3 ? 0 : X86_FLAG_IF;
}

static void run_sample(struct lab *lab, const struct sample *s, uint32_t key, enum prescan_rewrite strategy)
{
	static struct mon_vcpu before, after;
	bool d = key & KEY_D, user = key & KEY_CPL3;
	struct prescan_cache *c = &lab->e->cache;
	struct run r = { .lab = lab, .s = s, .before = &before, .after = &after };
	uint8_t stack_before[0x80], image[0x80];
	uint32_t frag;

	fill_guest(lab, s, d, user);
	r.is_sti = (uint8_t)s->bytes[s->nbytes - 1] == 0xfb;
	before = *lab->guest;
	memcpy(stack_before, lab->ram + before.gpr[X86_ESP] - 0x40, sizeof(stack_before));
	if ((uint8_t)s->bytes[s->nbytes - 1] != 0xa2)		/* CPUID: only its way out is looked at */
		assert_int_equal(mon_interp_one(lab->guest), MON_OK);
	after = *lab->guest;
	memcpy(image, lab->ram + before.gpr[X86_ESP] - 0x40, sizeof(image));
	memcpy(lab->ram + before.gpr[X86_ESP] - 0x40, stack_before, sizeof(stack_before));

	c->env.strategy = strategy;
	frag = lab_translate(c, before.eip, before.eip >> 12, key, lab->ram + before.eip, s->nbytes + 1);
	assert_int_not_equal(frag, 0);
	r.f = &c->frags[frag];

	*lab->host = before;
	flat(lab->host, 3, d);
	lab->host->eflags = (before.eflags & ~X86_FLAG_IF) | X86_FLAG_IF;
	lab->host->eip = LAB_WINDOW + r.f->body;
	for (r.steps = 0; !leaves(&r, user); r.steps++) {
		enum mon_status st;

		assert_in_range(r.steps, 0, 60);
		check_here(&r, user);
		if (r.done && same_state(lab->seen, &after, true) && lab->host->eip - LAB_WINDOW < WINDOW_COLD) {
			/* What it pushed is there by the time it is done. */
			assert_memory_equal(lab->ram + before.gpr[X86_ESP] - 0x40, image, sizeof(image));
		}
		st = mon_interp_one(lab->host);
		if (st != MON_OK)
			fail_msg("%s: the host code faults, vector %u, at offset %x", s->what, lab->host->fault.vector,
				 lab->host->eip - LAB_WINDOW - r.f->body);
	}
	prescan_cache_kill(c, frag);
	if (c->nfrags > 5000)
		prescan_cache_flush(c);
}

static void run_samples(struct lab *lab, const struct sample *s, unsigned int n, uint32_t key)
{
	for (unsigned int strategy = 0; strategy < 3; strategy++)
		for (unsigned int i = 0; i < n; i++)
			for (unsigned int round = 0; round < 60; round++)
				run_sample(lab, &s[i], key, (enum prescan_rewrite)strategy);
}

static void every_boundary_in_kernel_code_gives_back_the_guest(void **state)
{
	run_samples(*state, samples_32, PLX_ARRAY_SIZE(samples_32), KEY_KERNEL);
}

static void every_boundary_in_user_code_gives_back_the_guest(void **state)
{
	/* CLI and STI fault there. */
	run_samples(*state, samples_32 + 3, PLX_ARRAY_SIZE(samples_32) - 3, KEY_KERNEL | KEY_CPL3 | KEY_USER_IF);
}

static void every_boundary_in_16_bit_code_gives_back_the_guest(void **state)
{
	run_samples(*state, samples_16, PLX_ARRAY_SIZE(samples_16), KEY_KERNEL & ~KEY_D);
}

static void nothing_is_inlined_where_segments_are_not_flat(void **state)
{
	run_samples(*state, samples_32, PLX_ARRAY_SIZE(samples_32), KEY_KERNEL & ~KEY_FLAT);
}

/* The prologue sends on whoever came for another address, with ECX as it was. */
static void the_indirect_entry_lets_in_only_its_own(void **state)
{
	struct lab *lab = *state;
	struct prescan_cache *c = &lab->e->cache;
	struct nexus_scratch_page *scratch = (void *)(lab->e->window_rw + WINDOW_SCRATCH_PAGE);
	uint32_t frag = lab_translate(c, PROG, PROG >> 12, KEY_KERNEL, (const uint8_t *)"\x90\xc3", 2);

	for (unsigned int own = 0; own < 2; own++) {
		uint32_t target = own ? PROG : PROG + 0x10000, flags = own ? 0x8d7 : 2;

		flat(lab->host, 3, true);
		lab->host->eflags = flags | X86_FLAG_IF;
		lab->host->eip = LAB_WINDOW + c->frags[frag].body - PRESCAN_PROLOGUE;
		lab->host->gpr[X86_ECX] = target & 0xffff;
		scratch->target = target;
		scratch->ecx = 0x12345678;
		for (;;) {
			uint32_t offset = lab->host->eip - LAB_WINDOW;

			if (offset >= WINDOW_COLD || offset == c->frags[frag].body)
				break;
			*lab->seen = *lab->host;
			lab->seen->cpl = 0;
			lab->e->vcpu = lab->seen;
			exits_locate(lab->e, lab->host->eip);
			assert_int_equal(lab->seen->eip, target);
			assert_int_equal(lab->seen->gpr[X86_ECX], 0x12345678);
			assert_int_equal(mon_interp_one(lab->host), MON_OK);
		}
		assert_int_equal(lab->host->eip - LAB_WINDOW, own ? c->frags[frag].body : c->miss_veneer[0]);
		if (own)
			assert_int_equal(lab->host->gpr[X86_ECX], 0x12345678);
		assert_int_equal(lab->host->eflags & X86_FLAGS_STATUS, flags & X86_FLAGS_STATUS);
	}
}

/* ---- fragments ---------------------------------------------------------------------------------------------------- */

/* Random bytes: whatever they mean, the limits of emit.h hold, and each host instruction up to the first way out decodes. */
static void no_bytes_make_a_fragment_larger_than_its_bounds(void **state)
{
	struct lab *lab = *state;
	struct prescan_cache *c = &lab->e->cache;
	uint8_t bytes[FRAG_MAX_GUEST + 2 * PRESCAN_INSN_MAX];
	static const uint8_t dense[] = { 0xfb, 0x9d, 0x9c, 0x9d, 0xfb, 0xc3, 0x74, 0x90, 0xfa };

	for (unsigned int i = 0; i < 30000; i++) {
		uint32_t main_before, cold_before, recs_before, places_before, frag;
		uint32_t key = i & 1 ? KEY_KERNEL : KEY_KERNEL & ~KEY_D;

		if (c->nfrags > 20000 || i == 0)
			prescan_cache_flush(c);
		for (uint32_t j = 0; j < sizeof(bytes); j++)
			bytes[j] = i % 3 ? (uint8_t)rnd() : dense[rnd() % sizeof(dense)];
		if (i % 3 == 0)				/* nothing but one of them */
			memset(bytes, dense[rnd() % sizeof(dense)], i % 2 ? sizeof(bytes) : rnd() % sizeof(bytes));
		c->env.strategy = (enum prescan_rewrite)(i / 3 % 3);
		if (c->nfrags == 1)
			lab_translate(c, DATA, 1, KEY_KERNEL, bytes, 1);	/* the miss veneers are no part of it */
		main_before = c->code_next;
		cold_before = c->cold_next;
		recs_before = c->nrecs;
		places_before = c->nplaces;
		frag = lab_translate(c, PROG + (rnd() & 0xf00), PROG >> 12, key, bytes, sizeof(bytes));
		assert_int_not_equal(frag, 0);
		assert_in_range(c->code_next - main_before, 1, FRAG_MAIN_MAX);
		assert_in_range(c->cold_next - cold_before, 0, FRAG_COLD_MAX);
		assert_in_range(c->nrecs - recs_before, 1, FRAG_MAX_RECS);
		assert_in_range(c->nplaces - places_before, 0, FRAG_MAX_PLACES);
		assert_in_range(c->frags[frag].ninsns, 1, FRAG_MAX_INSNS + 1);
		for (uint32_t j = 1; j < c->frags[frag].nrecs; j++) {
			const struct frag_rec *rec = &c->recs[c->frags[frag].recs + j];

			assert_true(rec->host_off > rec[-1].host_off);
			assert_in_range(rec->host_off, 0, c->frags[frag].host_bytes);
			assert_in_range(rec->guest_off, 0, c->frags[frag].guest_bytes);
		}
	}
}

/* Whatever reaches memory through a guarded segment is a callout. */
static void guarded_segments_are_reached_by_callouts_alone(void **state)
{
	static const struct {
		const char *bytes;
		uint32_t nbytes, key;
		bool callout;
	} cases[] = {
#define G(bytes, key, callout) { bytes, sizeof(bytes) - 1, key, callout }
		G("\x65\xa1\x14\x00\x00\x00", KEY_GUARD_GS, true),
		G("\x65\xa1\x14\x00\x00\x00", KEY_GUARD_GS | KEY_SAFE_GS, false),
		G("\x65\xa1\x14\x00\x00\x00", KEY_GUARD_FS, false),
		G("\x65\xa1\x00\x00\x00\xff", KEY_GUARD_GS | KEY_SAFE_GS, false),
		G("\x65\xa1\xff\xff\xff\xfe", KEY_GUARD_GS | KEY_SAFE_GS, true),
		G("\x65\xa1\x01\x00\x00\x01", KEY_GUARD_GS | KEY_SAFE_GS, true),
		G("\x65\x8b\x03", KEY_GUARD_GS | KEY_SAFE_GS, true),
		G("\x65\x8b\x04\x8d\x00\x00\x00\x00", KEY_GUARD_GS | KEY_SAFE_GS, true),
		G("\x64\x8b\x05\x00\x00\x00\x00", KEY_GUARD_FS | KEY_SAFE_GS, true),
		G("\x65\x0f\xa3\x05\x00\x00\x00\x00", KEY_GUARD_GS | KEY_SAFE_GS, true),
		G("\x65\x0f\xbb\x05\x00\x00\x00\x00", KEY_GUARD_GS | KEY_SAFE_GS, true),
		G("\x65\x0f\xba\x25\x00\x00\x00\x00\x07", KEY_GUARD_GS | KEY_SAFE_GS, false),
		G("\x65\xa4", KEY_GUARD_GS | KEY_SAFE_GS, true),
		G("\x65\xaa", KEY_GUARD_GS | KEY_SAFE_GS, false),	/* the prefix means nothing there */
		G("\x65\xd7", KEY_GUARD_GS | KEY_SAFE_GS, true),
		G("\x65\x8d\x03", KEY_GUARD_GS, false),
		G("\x2e\x8b\x03", KEY_GUARD_CS, true),
		G("\x2e\x67\x8b\x07", KEY_GUARD_CS, false),
		G("\x2e\x67\x8b\x07", KEY_GUARD_CS | KEY_GUARD_CS16, true),
		G("\x2e\xd7", KEY_GUARD_CS, true),
		G("\x2e\x8b\x03", 0, false),
		G("\x65\xd9\x03", KEY_GUARD_GS | KEY_SAFE_GS, true),
		G("\x65\xff\x33", KEY_GUARD_GS | KEY_SAFE_GS, true),
	};
	struct lab *lab = *state;
	struct prescan_cache *c = &lab->e->cache;

	for (unsigned int i = 0; i < PLX_ARRAY_SIZE(cases); i++) {
		uint32_t before = c->ninsns;

		lab_translate(c, PROG + i * 32, PROG >> 12, KEY_KERNEL | KEY_CPL3 | cases[i].key, (const uint8_t *)cases[i].bytes,
			      cases[i].nbytes);
		if ((c->ninsns != before) != cases[i].callout)
			fail_msg("case %u", i);
	}
}

int main(void)
{
#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CLAIM(every_boundary_in_kernel_code_gives_back_the_guest),
		CLAIM(every_boundary_in_user_code_gives_back_the_guest),
		CLAIM(every_boundary_in_16_bit_code_gives_back_the_guest),
		CLAIM(nothing_is_inlined_where_segments_are_not_flat),
		CLAIM(the_indirect_entry_lets_in_only_its_own),
		CLAIM(no_bytes_make_a_fragment_larger_than_its_bounds),
		CLAIM(guarded_segments_are_reached_by_callouts_alone),
	};

	seed = 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
