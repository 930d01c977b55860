/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/inline.c - sequences that do an instruction's virtual work without leaving the fragment.
 *
 * Every sequence can be stopped between any two of its host instructions, by a fault or by a kick. So each
 * step that changes a guest register or a guest flag starts a new record (enum rec_kind) that says how to
 * get the guest's state back, either that before the instruction or that after it.
 *
 * Asked by:  prescan/translate.c. Tested by: tests/unit/test_translate.c, tests/guests/.
 */
#include "monitor/window.h"
#include "plexus/x86.h"
#include "prescan/emit.h"

/* 32-bit code and stack, flat segments: the scratch page can be reached, PUSH and POP are as expected. */
static bool can_spill(const struct emit *e)
{
	const uint32_t need = KEY_D | KEY_SS_B | KEY_FLAT;

	return (e->req->key & need) == need && e->c->env.strategy == REWRITE_ADAPTIVE;
}

/* The same for branches, which are inlined under every strategy: they are not sensitive. */
static bool can_branch(const struct emit *e)
{
	const uint32_t need = KEY_D | KEY_SS_B | KEY_FLAT;

	return (e->req->key & need) == need;
}

#define FLAG_PAGE(e, field) at_window(e, WINDOW_FLAG_PAGE + (uint32_t)offsetof(struct nexus_flag_page, field))

static void emit_set_vif(struct emit *e, uint32_t value)
{
	emit8(e, 0xc7);			/* movl $value, vif */
	emit8(e, 0x05);
	emit_moving(e, FLAG_PAGE(e, vif));
	emit32(e, value);
}

/* STI calls out when an interrupt waits. JECXZ, because the flags must stay. */
static void inline_sti(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes, uint32_t off)
{
	uint32_t none, done;

	emit_rec(e, off, REC_EXACT);
	emit_store(e, X86_ECX, SCRATCH(e, ecx));
	emit_load(e, X86_ECX, FLAG_PAGE(e, pending));
	emit_rec(e, off, REC_ECX | REC_RESTART);
	emit8(e, 0xe3);			/* jecxz none */
	none = e->pos;
	emit8(e, 0);
	emit_load(e, X86_ECX, SCRATCH(e, ecx));
	emit_rec(e, off, REC_EXACT);
	emit_callout(e, insn, bytes, e->req->eip + off);
	emit_rec(e, off + insn->length, REC_EXACT);
	emit8(e, 0xeb);			/* jmp done */
	done = e->pos;
	emit8(e, 0);
	e->c->rw[none] = (uint8_t)(e->pos - none - 1);
	emit_rec(e, off, REC_ECX | REC_RESTART);
	emit_load(e, X86_ECX, SCRATCH(e, ecx));
	emit_rec(e, off, REC_EXACT | REC_RESTART);
	emit_set_vif(e, X86_FLAG_IF);
	e->c->rw[done] = (uint8_t)(e->pos - done - 1);
	e->after_sti = true;
}

/*
 * PUSHF at CPL 0: the processor pushes its own IF (1) and IOPL (0); the virtual IF replaces it without
 * touching the flags: image - 200h + vif.
 */
static void inline_pushf(struct emit *e, uint32_t off, uint32_t next)
{
	emit_rec(e, off, REC_EXACT);
	emit8(e, 0x9c);			/* pushf */
	emit_rec(e, off, REC_PUSHED);
	emit_store(e, X86_ECX, SCRATCH(e, ecx));
	emit_store(e, X86_EDX, SCRATCH(e, edx));
	emit8(e, 0x8b);			/* mov (%esp), %ecx */
	emit8(e, 0x0c);
	emit8(e, 0x24);
	emit_rec(e, off, REC_PUSHED_ECX);
	emit_load(e, X86_EDX, FLAG_PAGE(e, vif));
	emit_rec(e, off, REC_PUSHED_ECX_EDX);
	emit8(e, 0x8d);			/* lea -0x200(%ecx,%edx), %ecx */
	emit8(e, 0x8c);
	emit8(e, 0x11);
	emit32(e, (uint32_t)-0x200);
	emit8(e, 0x89);			/* mov %ecx, (%esp) */
	emit8(e, 0x0c);
	emit8(e, 0x24);
	emit_rec(e, next, REC_ECX_EDX);
	emit_load(e, X86_ECX, SCRATCH(e, ecx));
	emit_load(e, X86_EDX, SCRATCH(e, edx));
}

/*
 * POPF: an image that touches more than status flags, DF, ID and IF goes to the monitor. The flags that the
 * test clobbers are about to be replaced, so going back to the start is harmless; so is doing the
 * store of the virtual IF twice.
 */
static void inline_popf(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes, uint32_t off)
{
	const uint32_t odd = GATE_ODD_FLAGS;	/* TF IOPL NT RF VM AC VIF VIP */
	bool user = e->req->key & KEY_CPL3;
	uint32_t fast, slow, done;

	emit_rec(e, off, REC_EXACT);
	emit_store(e, X86_ECX, SCRATCH(e, ecx));
	emit8(e, 0x8b);			/* mov (%esp), %ecx */
	emit8(e, 0x0c);
	emit8(e, 0x24);
	emit_rec(e, off, REC_ECX);
	emit8(e, 0xf7);			/* test $odd, %ecx */
	emit8(e, 0xc1);
	emit32(e, odd);
	emit8(e, 0x74);			/* jz fast */
	fast = e->pos;
	emit8(e, 0);
	slow = e->pos;
	emit_load(e, X86_ECX, SCRATCH(e, ecx));
	emit_rec(e, off, REC_EXACT);
	emit_callout(e, insn, bytes, e->req->eip + off);
	emit_rec(e, off + insn->length, REC_EXACT);
	emit8(e, 0xeb);			/* jmp done */
	done = e->pos;
	emit8(e, 0);
	e->c->rw[fast] = (uint8_t)(e->pos - fast - 1);
	emit_rec(e, off, REC_ECX | REC_RESTART);
	if (!user) {
		emit8(e, 0x81);		/* and $0x200, %ecx */
		emit8(e, 0xe1);
		emit32(e, X86_FLAG_IF);
		emit8(e, 0x85);		/* test %ecx, pending */
		emit8(e, 0x0d);
		emit_moving(e, FLAG_PAGE(e, pending));
		emit8(e, 0x75);		/* jnz slow */
		emit8(e, (uint8_t)(slow - e->pos - 1));
		emit_store(e, X86_ECX, FLAG_PAGE(e, vif));
	}
	emit_rec(e, off, REC_ECX);
	emit_load(e, X86_ECX, SCRATCH(e, ecx));
	emit_rec(e, off, REC_EXACT);
	emit8(e, 0x9d);			/* popf */
	e->c->rw[done] = (uint8_t)(e->pos - done - 1);
}

bool emit_inline_flags(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes, uint32_t off)
{
	uint32_t key = e->req->key;
	bool user = key & KEY_CPL3;

	if (!can_spill(e) || !(key & KEY_PLAIN_FLAGS) || insn->opsize != 4)
		return false;
	switch (insn->opcode) {
	case 0xfa:			/* CLI */
		if (user)
			return false;
		emit_rec(e, off, REC_EXACT);
		emit_set_vif(e, 0);
		return true;
	case 0xfb:			/* STI */
		if (user)
			return false;
		inline_sti(e, insn, bytes, off);
		return true;
	case 0x9c:
		if (user) {
			if (!(key & KEY_USER_IF))
				return false;
			emit_rec(e, off, REC_EXACT);
			emit8(e, 0x9c);
			return true;
		}
		inline_pushf(e, off, off + insn->length);
		return true;
	case 0x9d:
		inline_popf(e, insn, bytes, off);
		return true;
	}
	return false;
}

static unsigned int pushed_segment(const struct prescan_insn *insn)
{
	if (insn->map == PRESCAN_MAP_1B)
		return insn->opcode >> 3 & 3;			/* 06 0E 16 1E */
	return insn->opcode == 0xa0 ? X86_FS : X86_GS;		/* 0F A0, 0F A8 */
}

/* The same instructions in the same modes as the sequences above and below have, but those of 16 bits. */
void emit_gate_op(struct emit *e, const struct prescan_insn *insn)
{
	uint32_t key = e->req->key;
	bool user = key & KEY_CPL3;

	if (!can_branch(e) || insn->opsize != 4)
		return;
	if (insn->klass == PRESCAN_FLAGS) {
		if (!(key & KEY_PLAIN_FLAGS))
			return;
		switch (insn->opcode) {
		case 0xfa:
			e->gate_op = user ? GATE_LEAVE : GATE_CLI;
			break;
		case 0xfb:
			e->gate_op = user ? GATE_LEAVE : GATE_STI;
			break;
		case 0x9c:
			e->gate_op = !user ? GATE_PUSHF : key & KEY_USER_IF ? GATE_USER_PUSHF : GATE_LEAVE;
			break;
		case 0x9d:
			e->gate_op = user ? GATE_USER_POPF : GATE_POPF;
			break;
		}
		return;
	}
	if (insn->map == PRESCAN_MAP_1B && insn->opcode == 0x8c) {
		if (insn->mod != 3 || insn->reg > X86_GS)
			return;
		e->gate_op = GATE_MOV_SEG;
		e->gate_arg = (uint8_t)(insn->reg | insn->rm << 3);
	} else {
		e->gate_op = GATE_PUSH_SEG;
		e->gate_arg = (uint8_t)pushed_segment(insn);
	}
	if (user)
		e->gate_arg |= GATE_ARG_USER;
}

/* MOV r,Sreg and PUSH Sreg read the virtual selector from the scratch page. */
bool emit_inline_seg_store(struct emit *e, const struct prescan_insn *insn, uint32_t off)
{
	unsigned int sreg;

	if (!can_spill(e))
		return false;
	if (insn->map == PRESCAN_MAP_1B && insn->opcode == 0x8c) {
		if (insn->mod != 3 || insn->reg > X86_GS)
			return false;
		emit_rec(e, off, REC_EXACT);
		if (insn->opsize == 2)
			emit8(e, 0x66);
		emit_load(e, insn->rm, SCRATCH(e, sel[insn->reg]));
		return true;
	}
	sreg = pushed_segment(insn);
	emit_rec(e, off, REC_EXACT);
	if (insn->opsize == 2)
		emit8(e, 0x66);
	emit8(e, 0xff);			/* push m */
	emit8(e, 0x35);
	emit_moving(e, SCRATCH(e, sel[sreg]));
	return true;
}

/* jmp *%cs:table(,%ecx,4), ECX = low half of the target, which is in scratch.target. The table is read
 * through CS because CPL 3's data segments end below it. */
static void emit_table_jump(struct emit *e)
{
	emit8(e, 0x2e);
	emit8(e, 0xff);
	emit8(e, 0x24);
	emit8(e, 0x8d);
	emit_moving(e, at_window(e, WINDOW_JUMP_TABLE + (e->req->key & KEY_CPL3 ? WINDOW_JUMP_BYTES : 0)));
}

static void emit_movzwl_cx(struct emit *e)
{
	emit8(e, 0x0f);
	emit8(e, 0xb7);
	emit8(e, 0xc9);
}

bool emit_inline_ret(struct emit *e, const struct prescan_insn *insn, uint32_t off)
{
	uint32_t pop = 4 + (insn->opcode == 0xc2 ? insn->imm & 0xffff : 0);

	if (!can_branch(e) || insn->opsize != 4)
		return false;
	emit_mark(e, off);
	emit_rec(e, off, REC_EXACT);
	emit_store(e, X86_ECX, SCRATCH(e, ecx));
	emit8(e, 0x8b);			/* mov (%esp), %ecx */
	emit8(e, 0x0c);
	emit8(e, 0x24);
	emit_rec(e, off, REC_ECX);
	emit_store(e, X86_ECX, SCRATCH(e, target));
	emit_movzwl_cx(e);
	emit8(e, 0x8d);			/* lea pop(%esp), %esp */
	if (pop < 0x80) {
		emit8(e, 0x64);
		emit8(e, 0x24);
		emit8(e, (uint8_t)pop);
	} else {
		emit8(e, 0xa4);
		emit8(e, 0x24);
		emit32(e, pop);
	}
	emit_rec(e, off, REC_INDIRECT);
	emit_table_jump(e);
	return true;
}

/* JMP r/m32 and CALL r/m32 (FF /4, FF /2): the operand is loaded by a MOV with the same ModRM. */
bool emit_inline_indirect(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes,
			  uint32_t off, uint32_t next)
{
	if (!can_branch(e) || insn->opsize != 4)
		return false;
	emit_mark(e, off);
	emit_rec(e, off, REC_EXACT);
	emit_store(e, X86_ECX, SCRATCH(e, ecx));
	for (unsigned int i = 0; i < insn->opcode_off; i++)
		if (bytes[i] != 0x66 && bytes[i] != 0xf2 && bytes[i] != 0xf3)
			emit8(e, bytes[i]);		/* segment and address size */
	emit8(e, 0x8b);
	emit8(e, (uint8_t)((insn->modrm & 0xc7) | X86_ECX << 3));
	emit_bytes(e, bytes + insn->modrm_off + 1, insn->length - insn->modrm_off - 1u);
	emit_rec(e, off, REC_ECX);
	emit_store(e, X86_ECX, SCRATCH(e, target));
	if (insn->reg == 2) {
		emit8(e, 0x68);			/* push $next */
		emit32(e, next);
	}
	emit_rec(e, off, REC_INDIRECT);
	emit_movzwl_cx(e);
	emit_table_jump(e);
	return true;
}

/* What jumps through the table arrive at, right before the body: is it really us they mean? */
void emit_prologue(struct emit *e, uint32_t eip)
{
	uint32_t start = e->pos;
	unsigned int user = !!(e->req->key & KEY_CPL3);

	emit_load(e, X86_ECX, SCRATCH(e, target));
	emit8(e, 0x8d);			/* lea -eip(%ecx), %ecx */
	emit8(e, 0x89);
	emit32(e, -eip);
	emit8(e, 0xe3);			/* jecxz over the jump */
	emit8(e, 5);
	emit8(e, 0xe9);			/* jmp miss */
	emit32(e, e->c->miss_veneer[user] - (e->pos + 4));
	emit_load(e, X86_ECX, SCRATCH(e, ecx));
	e->f->indirect_entry = e->pos - start == PRESCAN_PROLOGUE;
}

/* scratch.count += the number of instructions, which is not known yet: returns where to put it. 0: not here. */
uint32_t emit_count(struct emit *e)
{
	uint32_t at;

	if (!e->c->env.count || !can_branch(e))
		return 0;
	emit_rec(e, 0, REC_EXACT);
	emit_store(e, X86_ECX, SCRATCH(e, ecx));
	emit_load(e, X86_ECX, SCRATCH(e, count));
	emit_rec(e, 0, REC_ECX);
	emit8(e, 0x8d);			/* lea n(%ecx), %ecx */
	emit8(e, 0x89);
	at = e->pos;
	emit32(e, 0);
	emit_store(e, X86_ECX, SCRATCH(e, count));
	emit_load(e, X86_ECX, SCRATCH(e, ecx));
	emit_rec(e, 0, REC_EXACT);
	return at;
}

/* The counter of @insn's row, given out when it is met first; NX_INLINE_COUNTERS: all are taken. */
static uint32_t inline_counter(struct prescan_cache *c, const struct prescan_insn *insn)
{
	uint32_t i;

	for (i = 0; i < c->ninline_rows; i++)
		if (c->inline_row[i] == insn->id)
			return i;
	if (i < NX_INLINE_COUNTERS) {
		c->inline_row[i] = insn->id;
		c->inline_class[i] = insn->klass;
		__atomic_store_n(&c->ninline_rows, i + 1, __ATOMIC_RELEASE);	/* read by another thread */
	}
	return i;
}

/* Before the sequence: one that is stopped and started over is counted twice, which an interrupt in a million does. LEA leaves the flags. */
bool emit_inline_count(struct emit *e, const struct prescan_insn *insn, uint32_t off)
{
	uint32_t i = inline_counter(e->c, insn);
	struct moving counter;

	if (i == NX_INLINE_COUNTERS || !can_spill(e))
		return false;
	counter = SCRATCH(e, inlined[i]);
	emit_rec(e, off, REC_EXACT);
	emit_store(e, X86_ECX, SCRATCH(e, ecx));
	emit_load(e, X86_ECX, counter);
	emit_rec(e, off, REC_ECX);
	emit8(e, 0x8d);			/* lea 1(%ecx), %ecx */
	emit8(e, 0x49);
	emit8(e, 1);
	emit_store(e, X86_ECX, counter);
	emit_load(e, X86_ECX, SCRATCH(e, ecx));
	return true;
}
