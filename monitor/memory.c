/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/memory.c - the virtual processor's loads and stores.
 *
 *      interpreter, segment.c, far.c, ... --> [memory] --> guest RAM
 *                                                |    \--> vm->io (devices, ROM writes)
 *                                            paging.c
 *
 * Asked by:  everybody who touches guest memory in the name of the guest, and devices through mon_phys_*.
 * Asks:      paging.c for translations, hooks for what changes under the engine.
 * Built:     twice, freestanding and hosted.
 * Tested by: tests/unit/test_memory.c.
 * Read next: monitor/paging.c, then monitor/segment.c.
 *
 * The TLB here serves the monitor's C code only. An entry is valid for a linear page as long as the
 * architecture lets a processor keep it: until MOV CR3, INVLPG and friends. It remembers where the page
 * lies and who may read or write it; a write tag is given only when D is set. What kind of page it is
 * (code, watched, dirty) can change at any time behind our back, so that is read afresh at every
 * write from vm->page[]: one load, and nobody has to remember to flush when setting a flag.
 *
 * CR3 loads are frequent and mostly find this TLB nearly empty (guest code runs natively and does not
 * use it), so a flush clears only the entries in use: entry[0].used counts them, entry[i].used names the i-th.
 */
#include "monitor/system.h"

#define TLB_INDEX(linear) ((linear) >> PLX_PAGE_SHIFT & (MON_TLB_SIZE - 1))
#define TLB_TAG(linear)	(((linear) & ~PLX_PAGE_MASK) | 1)
/* A write may go straight to the page: RAM, already dirty, nobody to be told. */
#define PAGE_KIND	(MON_PAGE_PRESENT | MON_PAGE_ROM | MON_PAGE_CODE | MON_PAGE_WATCH)
#define PAGE_QUIET(entry) \
	(((entry) & (PAGE_KIND | MON_PAGE_DIRTY)) == (MON_PAGE_PRESENT | MON_PAGE_DIRTY))

/* ---- the TLB ------------------------------------------------------------------------------- */

static void tlb_clear(struct mon_tlb *e)
{
	e->tag_read[0] = e->tag_read[1] = e->tag_write[0] = e->tag_write[1] = 0;
}

static bool tlb_in_use(const struct mon_tlb *e)
{
	return e->tag_read[0] | e->tag_read[1] | e->tag_write[0] | e->tag_write[1];
}

void mon_tlb_flush(struct mon_vcpu *vcpu)
{
	uint32_t nr = vcpu->tlb[0].used;

	/* One place of the list is taken by the count itself: a full list means all. */
	if (nr >= MON_TLB_SIZE - 1) {
		for (uint32_t i = 0; i < MON_TLB_SIZE; i++)
			tlb_clear(&vcpu->tlb[i]);
	} else {
		for (uint32_t i = 1; i <= nr; i++)
			tlb_clear(&vcpu->tlb[vcpu->tlb[i].used]);
	}
	vcpu->tlb[0].used = 0;
}

void mon_tlb_flush_page(struct mon_vcpu *vcpu, uint32_t linear)
{
	struct mon_tlb *e = &vcpu->tlb[TLB_INDEX(linear)];

	if (!(vcpu->cr4 & (X86_CR4_PSE | X86_CR4_PAE))) {
		tlb_clear(e);
		return;
	}
	/* INVLPG anywhere in a large page drops it all, and we do not know which pages are large. */
	for (uint32_t i = 0; i < MON_TLB_SIZE; i++) {
		uint32_t tag;

		e = &vcpu->tlb[i];
		tag = e->tag_read[0] | e->tag_read[1] | e->tag_write[0] | e->tag_write[1];
		if (tag >> 22 == linear >> 22)
			tlb_clear(e);
	}
}

static void tlb_fill(struct mon_vcpu *vcpu, uint32_t linear, bool user, const struct mon_xlate *x)
{
	struct mon_vm *vm = vcpu->vm;
	struct mon_tlb *e = &vcpu->tlb[TLB_INDEX(linear)];
	uint64_t page = vm->page[x->gpa >> PLX_PAGE_SHIFT];
	uint32_t gpa = x->gpa & ~PLX_PAGE_MASK;
	uint32_t tag = TLB_TAG(linear);

	if (!(page & MON_PAGE_PRESENT))
		return;		/* devices are asked every time */

	if (!tlb_in_use(e)) {
		uint32_t nr = vcpu->tlb[0].used;

		if (nr < MON_TLB_SIZE - 1) {
			vcpu->tlb[0].used = ++nr;
			if (nr < MON_TLB_SIZE - 1)
				vcpu->tlb[nr].used = TLB_INDEX(linear);
		}
	} else if (e->gpa != gpa || (e->tag_read[0] && e->tag_read[0] != tag) || (e->tag_read[1] && e->tag_read[1] != tag)) {
		tlb_clear(e);	/* another page lived here */
	}

	e->gpa = gpa;
	e->host = vm->ram + (page & ~(uint64_t)PLX_PAGE_MASK);
	e->tag_read[user] = tag;
	if (x->user)
		e->tag_read[0] = tag;	/* no SMAP: what a user may read, a supervisor may too */
	e->tag_write[user] = 0;
	if (x->writable && (page & PAGE_KIND) == MON_PAGE_PRESENT)
		e->tag_write[user] = tag;
}

/* The physical address behind @linear, by TLB or by walk. */
static enum mon_status resolve(struct mon_vcpu *vcpu, uint32_t linear, unsigned int access, uint32_t *gpa)
{
	bool user = vcpu->cpl == 3 && !(access & MON_ACC_SYSTEM);
	const struct mon_tlb *e = &vcpu->tlb[TLB_INDEX(linear)];
	struct mon_xlate x;
	enum mon_status st;

	if (access & MON_ACC_PEEK) {
		st = mon_translate(vcpu, linear, access, &x);
		if (!st)
			*gpa = x.gpa;
		return st;
	}
	if ((access & MON_ACC_WRITE ? e->tag_write[user] : e->tag_read[user]) == TLB_TAG(linear) &&
	    !(access & MON_ACC_EXEC)) {
		*gpa = e->gpa | (linear & PLX_PAGE_MASK);
		return MON_OK;
	}
	st = mon_translate(vcpu, linear, access, &x);
	if (st)
		return st;
	tlb_fill(vcpu, linear, user, &x);
	*gpa = x.gpa;
	return MON_OK;
}

/* ---- physical memory, one page at most -------------------------------------------------------- */

/* memcpy with the sizes that matter spelled out: one move each, so an aligned access is not torn. */
static inline void copy_bytes(void *to, const void *from, uint32_t nbytes)
{
	switch (nbytes) {
	case 1: __builtin_memcpy(to, from, 1); break;
	case 2: __builtin_memcpy(to, from, 2); break;
	case 4: __builtin_memcpy(to, from, 4); break;
	case 8: __builtin_memcpy(to, from, 8); break;
	default: memcpy(to, from, nbytes); break;
	}
}

/* The largest naturally aligned piece that a device may see next. */
static uint32_t mmio_piece(uint32_t gpa, uint32_t nbytes)
{
	if (nbytes >= 4 && !(gpa & 3))
		return 4;
	if (nbytes >= 2 && !(gpa & 1))
		return 2;
	return 1;
}

static void read_gpa(struct mon_vcpu *vcpu, uint32_t gpa, uint8_t *buf, uint32_t nbytes)
{
	const struct mon_vm *vm = vcpu->vm;
	const uint8_t *p = mon_phys_ptr(vm, gpa);

	if (PLX_LIKELY(p)) {
		copy_bytes(buf, p, nbytes);
		return;
	}
	while (nbytes) {
		uint32_t piece = mmio_piece(gpa, nbytes);
		uint32_t value = vm->io->mmio_read(vm->machine, gpa, piece);

		copy_bytes(buf, &value, piece);
		gpa += piece;
		buf += piece;
		nbytes -= piece;
	}
}

void sys_ram_changed(struct mon_vcpu *vcpu, uint32_t gpa, uint32_t nbytes)
{
	uint64_t *entry = &vcpu->vm->page[gpa >> PLX_PAGE_SHIFT];
	uint64_t page = *entry;

	/* A display thread clears the bit while we set it: one atomic step, and only when needed. */
	if (!(page & MON_PAGE_DIRTY))
		__atomic_fetch_or(entry, MON_PAGE_DIRTY, __ATOMIC_RELAXED);
	if (PLX_LIKELY(!(page & (MON_PAGE_CODE | MON_PAGE_WATCH))) || !vcpu->hooks)
		return;
	if (page & MON_PAGE_CODE && vcpu->hooks->code_written)
		vcpu->hooks->code_written(vcpu, gpa, nbytes);
	if (page & MON_PAGE_WATCH && vcpu->hooks->page_changed)
		vcpu->hooks->page_changed(vcpu, gpa);
}

static void write_gpa(struct mon_vcpu *vcpu, uint32_t gpa, const uint8_t *buf, uint32_t nbytes)
{
	const struct mon_vm *vm = vcpu->vm;
	uint64_t page = vm->page[gpa >> PLX_PAGE_SHIFT];

	if (PLX_LIKELY((page & (MON_PAGE_PRESENT | MON_PAGE_ROM)) == MON_PAGE_PRESENT)) {
		copy_bytes(mon_phys_ptr(vm, gpa), buf, nbytes);
		sys_ram_changed(vcpu, gpa, nbytes);
		return;
	}
	while (nbytes) {
		uint32_t piece = mmio_piece(gpa, nbytes);
		uint32_t value = 0;

		copy_bytes(&value, buf, piece);
		vm->io->mmio_write(vm->machine, gpa, piece, value);
		gpa += piece;
		buf += piece;
		nbytes -= piece;
	}
}

/* ---- linear memory ------------------------------------------------------------------------------ */

/* Bytes of an access that lie in the page of its first byte. */
static inline uint32_t in_first_page(uint32_t linear, uint32_t nbytes)
{
	return plx_min32(nbytes, PLX_PAGE_SIZE - (linear & PLX_PAGE_MASK));
}

/* Both pages of an access before a byte moves. gpa[1] is set only if there is a second page. */
static enum mon_status resolve_both(struct mon_vcpu *vcpu, uint32_t linear, uint32_t nbytes, unsigned int access,
				    uint32_t gpa[2])
{
	uint32_t first = in_first_page(linear, nbytes);
	enum mon_status st;

	st = resolve(vcpu, linear, access, &gpa[0]);
	if (st || first == nbytes)
		return st;
	return resolve(vcpu, linear + first, access, &gpa[1]);
}

static enum mon_status read_slow(struct mon_vcpu *vcpu, uint32_t linear, uint8_t *buf, uint32_t nbytes,
				 unsigned int access)
{
	uint32_t first = in_first_page(linear, nbytes);
	uint32_t gpa[2];
	enum mon_status st;

	st = resolve_both(vcpu, linear, nbytes, access, gpa);
	if (st)
		return st;
	if (access & MON_ACC_PEEK &&
	    (!mon_phys_ptr(vcpu->vm, gpa[0]) || (first < nbytes && !mon_phys_ptr(vcpu->vm, gpa[1]))))
		return MON_FAULT;
	read_gpa(vcpu, gpa[0], buf, first);
	if (first < nbytes)
		read_gpa(vcpu, gpa[1], buf + first, nbytes - first);
	return MON_OK;
}

static enum mon_status write_slow(struct mon_vcpu *vcpu, uint32_t linear, const uint8_t *buf, uint32_t nbytes,
				  unsigned int access)
{
	uint32_t first = in_first_page(linear, nbytes);
	uint32_t gpa[2];
	enum mon_status st;

	st = resolve_both(vcpu, linear, nbytes, access | MON_ACC_WRITE, gpa);
	if (st)
		return st;
	write_gpa(vcpu, gpa[0], buf, first);
	if (first < nbytes)
		write_gpa(vcpu, gpa[1], buf + first, nbytes - first);
	return MON_OK;
}

static inline enum mon_status read_linear(struct mon_vcpu *vcpu, uint32_t linear, void *buf, uint32_t nbytes,
					  unsigned int access)
{
	bool user = vcpu->cpl == 3 && !(access & MON_ACC_SYSTEM);
	const struct mon_tlb *e = &vcpu->tlb[TLB_INDEX(linear)];
	uint32_t offset = linear & PLX_PAGE_MASK;

	if (PLX_LIKELY(e->tag_read[user] == TLB_TAG(linear) && offset + nbytes <= PLX_PAGE_SIZE &&
		       !(access & (MON_ACC_PEEK | MON_ACC_EXEC)))) {
		copy_bytes(buf, e->host + offset, nbytes);
		return MON_OK;
	}
	return read_slow(vcpu, linear, buf, nbytes, access);
}

static inline enum mon_status write_linear(struct mon_vcpu *vcpu, uint32_t linear, const void *buf, uint32_t nbytes,
					   unsigned int access)
{
	bool user = vcpu->cpl == 3 && !(access & MON_ACC_SYSTEM);
	const struct mon_tlb *e = &vcpu->tlb[TLB_INDEX(linear)];
	uint32_t offset = linear & PLX_PAGE_MASK;

	if (PLX_LIKELY(e->tag_write[user] == TLB_TAG(linear) && offset + nbytes <= PLX_PAGE_SIZE &&
		       PAGE_QUIET(vcpu->vm->page[e->gpa >> PLX_PAGE_SHIFT]))) {
		copy_bytes(e->host + offset, buf, nbytes);
		return MON_OK;
	}
	return write_slow(vcpu, linear, buf, nbytes, access);
}

/* Data breakpoints watch what an instruction does, not how the processor finds its way through tables. Fetches come by
 * read_linear and are none of theirs. */
static inline enum mon_status watched(struct mon_vcpu *vcpu, uint32_t linear, uint32_t nbytes, unsigned int access,
				      enum mon_status st)
{
	if (PLX_UNLIKELY(vcpu->debug_armed & MON_DEBUG_DATA) && st == MON_OK && !(access & (MON_ACC_SYSTEM | MON_ACC_PEEK)))
		mon_debug_data(vcpu, linear, nbytes, access & MON_ACC_WRITE);
	return st;
}

enum mon_status mon_read(struct mon_vcpu *vcpu, uint32_t linear, void *buf, uint32_t nbytes, unsigned int access)
{
	return watched(vcpu, linear, nbytes, access & ~(unsigned int)MON_ACC_WRITE,
		       read_linear(vcpu, linear, buf, nbytes, access));
}

enum mon_status mon_write(struct mon_vcpu *vcpu, uint32_t linear, const void *buf, uint32_t nbytes,
			  unsigned int access)
{
	return watched(vcpu, linear, nbytes, access | MON_ACC_WRITE, write_linear(vcpu, linear, buf, nbytes, access));
}

enum mon_status mon_probe(struct mon_vcpu *vcpu, uint32_t linear, uint32_t nbytes, unsigned int access)
{
	uint32_t gpa[2];

	return resolve_both(vcpu, linear, nbytes, access, gpa);
}

/* ---- through a segment register ------------------------------------------------------------------ */

static enum mon_status seg_limit_fault(struct mon_vcpu *vcpu, unsigned int sreg)
{
	return mon_fault_error(vcpu, sreg == X86_SS ? X86_VEC_SS : X86_VEC_GP, 0);
}

static enum mon_status seg_check_slow(struct mon_vcpu *vcpu, unsigned int sreg, uint32_t offset, uint32_t nbytes,
				      unsigned int access, uint32_t *linear)
{
	const struct mon_seg *seg = &vcpu->seg[sreg];

	if (seg->attr & MON_SEG_NULL)
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	if (!(access & MON_ACC_EXEC)) {
		bool code = seg->attr & MON_SEG_CODE;

		/* Bit 1 is "writable" of data and "readable" of code. */
		if (access & MON_ACC_WRITE ? code || !(seg->attr & MON_SEG_WRITABLE)
					   : code && !(seg->attr & MON_SEG_READABLE))
			return mon_fault_error(vcpu, X86_VEC_GP, 0);
	}
	if (!sys_seg_holds(seg, offset, nbytes))
		return seg_limit_fault(vcpu, sreg);
	*linear = seg->base + offset;
	return MON_OK;
}

/* Expand-up and writable is what nearly every data segment is, in every mode. */
static inline enum mon_status seg_check(struct mon_vcpu *vcpu, unsigned int sreg, uint32_t offset, uint32_t nbytes,
					unsigned int access, uint32_t *linear)
{
	const struct mon_seg *seg = &vcpu->seg[sreg];

	if (PLX_LIKELY((seg->attr & (MON_SEG_NULL | MON_SEG_CODE | MON_SEG_EXPDOWN | MON_SEG_WRITABLE)) == MON_SEG_WRITABLE &&
		       offset <= seg->limit && nbytes - 1 <= seg->limit - offset)) {
		*linear = seg->base + offset;
		return MON_OK;
	}
	return seg_check_slow(vcpu, sreg, offset, nbytes, access, linear);
}

enum mon_status mon_seg_check(struct mon_vcpu *vcpu, unsigned int sreg, uint32_t offset, uint32_t nbytes,
			      unsigned int access, uint32_t *linear)
{
	return seg_check(vcpu, sreg, offset, nbytes, access, linear);
}

enum mon_status mon_seg_read(struct mon_vcpu *vcpu, unsigned int sreg, uint32_t offset, void *buf, uint32_t nbytes)
{
	uint32_t linear;
	enum mon_status st;

	st = seg_check(vcpu, sreg, offset, nbytes, MON_ACC_READ, &linear);
	if (PLX_UNLIKELY(st))
		return st;
	if (sys_misaligned(vcpu, linear, nbytes))
		return mon_fault_error(vcpu, X86_VEC_AC, 0);
	return watched(vcpu, linear, nbytes, MON_ACC_READ, read_linear(vcpu, linear, buf, nbytes, MON_ACC_READ));
}

enum mon_status mon_seg_write(struct mon_vcpu *vcpu, unsigned int sreg, uint32_t offset, const void *buf,
			      uint32_t nbytes)
{
	uint32_t linear;
	enum mon_status st;

	st = seg_check(vcpu, sreg, offset, nbytes, MON_ACC_WRITE, &linear);
	if (PLX_UNLIKELY(st))
		return st;
	if (sys_misaligned(vcpu, linear, nbytes))
		return mon_fault_error(vcpu, X86_VEC_AC, 0);
	return watched(vcpu, linear, nbytes, MON_ACC_WRITE, write_linear(vcpu, linear, buf, nbytes, MON_ACC_WRITE));
}

/* ---- instruction bytes ----------------------------------------------------------------------------- */

#define FETCH_MAX 15

enum mon_status mon_fetch(struct mon_vcpu *vcpu, uint32_t eip, uint8_t *buf, uint32_t *nbytes)
{
	const struct mon_seg *cs = &vcpu->seg[X86_CS];
	/* Without NX every readable page may be executed, and the TLB can answer. */
	unsigned int access = vcpu->efer & X86_EFER_NXE ? MON_ACC_EXEC : MON_ACC_READ;
	uint32_t linear = cs->base + eip;
	uint32_t want = FETCH_MAX;
	uint32_t first;

	if (eip > cs->limit)
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	if (cs->limit - eip < want - 1)
		want = cs->limit - eip + 1;

	first = in_first_page(linear, want);
	*nbytes = 0;
	if (read_linear(vcpu, linear, buf, first, access))
		return MON_FAULT;
	*nbytes = first;
	if (first < want) {
		struct mon_fault kept = vcpu->fault;

		if (!read_linear(vcpu, linear + first, buf + first, want - first, access))
			*nbytes = want;
		else
			vcpu->fault = kept;	/* not a fault yet: the instruction may end before */
	}
	return MON_OK;
}

enum mon_status mon_fetch_fault(struct mon_vcpu *vcpu, uint32_t eip, uint32_t at)
{
	const struct mon_seg *cs = &vcpu->seg[X86_CS];
	struct mon_xlate x;

	if (at >= FETCH_MAX || eip + at < eip || eip + at > cs->limit)
		return mon_fault_error(vcpu, X86_VEC_GP, 0);
	return mon_translate(vcpu, cs->base + eip + at, MON_ACC_EXEC, &x);
}

/* ---- devices and the loader --------------------------------------------------------------------------- */

void mon_phys_read(struct mon_vcpu *vcpu, uint32_t gpa, void *buf, uint32_t nbytes)
{
	uint8_t *to = buf;

	while (nbytes) {
		uint32_t piece = in_first_page(gpa, nbytes);
		const uint8_t *p = mon_phys_ptr(vcpu->vm, gpa);

		if (p)
			memcpy(to, p, piece);
		else
			memset(to, 0xff, piece);
		gpa += piece;
		to += piece;
		nbytes -= piece;
	}
}

void mon_phys_write(struct mon_vcpu *vcpu, uint32_t gpa, const void *buf, uint32_t nbytes)
{
	const uint8_t *from = buf;

	while (nbytes) {
		uint32_t piece = in_first_page(gpa, nbytes);
		uint64_t page = vcpu->vm->page[gpa >> PLX_PAGE_SHIFT];

		if ((page & (MON_PAGE_PRESENT | MON_PAGE_ROM)) == MON_PAGE_PRESENT) {
			memcpy(mon_phys_ptr(vcpu->vm, gpa), from, piece);
			sys_ram_changed(vcpu, gpa, piece);
		}
		gpa += piece;
		from += piece;
		nbytes -= piece;
	}
}
