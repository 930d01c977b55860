/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/emit.h - putting bytes into the code cache.
 *
 * Asked by:  prescan/translate.c, prescan/inline.c. Two streams: main code, and cold code (veneers and
 * 64-bit stubs). Positions are window offsets. Space is checked once per fragment, not per byte:
 * FRAG_MAIN_MAX and FRAG_COLD_MAX bound what one fragment may need.
 */
#ifndef PRESCAN_EMIT_H
#define PRESCAN_EMIT_H

#include "monitor/window.h"
#include "nexus/frame.h"
#include "nexus/gate.h"
#include "prescan/cache.h"

#define FRAG_MAX_INSNS	48
#define FRAG_MAX_GUEST	240			/* bytes; guest_off is 8 bits wide */
#define FRAG_MAIN_MAX	(PRESCAN_PROLOGUE + (FRAG_MAX_INSNS + 1) * 112)
#define FRAG_COLD_MAX	((FRAG_MAX_INSNS + 1) * 24 + 64)
#define FRAG_MAX_RECS	((FRAG_MAX_INSNS + 1) * 12)
#define FRAG_MAX_PLACES	((FRAG_MAX_INSNS + 1) * 16)

/* One translation under way. */
struct emit {
	struct prescan_cache *c;
	const struct prescan_request *req;
	uint32_t pos;		/* main */
	uint32_t frag;
	struct frag *f;
	bool d;			/* CS.D */
	bool after_sti;		/* the instruction before set IF inline */
	uint8_t gate_op, gate_arg;	/* REWRITE_GATE: of the callout to come (nexus/gate.h) */
};

static inline void emit8(struct emit *e, uint8_t byte)
{
	e->c->rw[e->pos++] = byte;
}

static inline void emit16(struct emit *e, uint16_t value)
{
	memcpy(e->c->rw + e->pos, &value, 2);
	e->pos += 2;
}

static inline void emit32(struct emit *e, uint32_t value)
{
	memcpy(e->c->rw + e->pos, &value, 4);
	e->pos += 4;
}

static inline void emit_bytes(struct emit *e, const uint8_t *bytes, uint32_t nbytes)
{
	memcpy(e->c->rw + e->pos, bytes, nbytes);
	e->pos += nbytes;
}

/* In a 16-bit segment our own jumps carry 66h, so that EIP keeps its upper half. */
static inline void emit_wide(struct emit *e)
{
	if (!e->d)
		emit8(e, 0x66);
}

/* An address that moves, with what it follows. A type of its own: it cannot be emitted without going on the list. */
struct moving {
	uint32_t address;
	enum place_kind kind;
};

static inline void emit_moving(struct emit *e, struct moving m)
{
	prescan_cache_place(e->c, e->pos, m.kind);
	emit32(e, m.address);
}

/* In a flat segment, @offset bytes into the window, or into the scratch page of the code's CPL. */
static inline struct moving at_window(const struct emit *e, uint32_t offset)
{
	const struct prescan_env *env = &e->c->env;

	return (struct moving){ env->window - env->data_bias + offset, PLACE_WINDOW };
}

static inline struct moving at_scratch(const struct emit *e, size_t offset)
{
	const struct prescan_env *env = &e->c->env;

	if (!(e->req->key & KEY_CPL3))
		return at_window(e, WINDOW_SCRATCH_PAGE + (uint32_t)offset);
	return (struct moving){ env->user_scratch - env->data_bias + (uint32_t)offset, PLACE_USER_SCRATCH };
}
#define SCRATCH(e, field) at_scratch(e, offsetof(struct nexus_scratch_page, field))

/* mov %reg, scratch.field and back; 32-bit code, flat DS. */
static inline void emit_store(struct emit *e, unsigned int reg, struct moving to)
{
	emit8(e, 0x89);
	emit8(e, (uint8_t)(0x05 | reg << 3));
	emit_moving(e, to);
}

static inline void emit_load(struct emit *e, unsigned int reg, struct moving from)
{
	emit8(e, 0x8b);
	emit8(e, (uint8_t)(0x05 | reg << 3));
	emit_moving(e, from);
}

/* translate.c */
void emit_rec(struct emit *e, uint32_t guest_off, unsigned int kind);
void emit_link(struct emit *e, uint32_t eip);
/* Before an indirect branch, if env.marked: out of here once, then on. */
void emit_mark(struct emit *e, uint32_t guest_off);
uint32_t emit_callout(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes, uint32_t eip);

/* inline.c: what the handler in ring 3 can do with a FLAGS or SEG_STORE instruction; sets gate_op and gate_arg. */
void emit_gate_op(struct emit *e, const struct prescan_insn *insn);
/* inline.c: each returns false if this form has no inline sequence in this mode; nothing is emitted then. */
bool emit_inline_flags(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes, uint32_t guest_off);
bool emit_inline_seg_store(struct emit *e, const struct prescan_insn *insn, uint32_t guest_off);
bool emit_inline_ret(struct emit *e, const struct prescan_insn *insn, uint32_t guest_off);
bool emit_inline_indirect(struct emit *e, const struct prescan_insn *insn, const uint8_t *bytes,
			  uint32_t guest_off, uint32_t next);
void emit_prologue(struct emit *e, uint32_t eip);
uint32_t emit_count(struct emit *e);
/* Counts one run of the inline sequence for @insn, which follows. False: no counter is left. */
bool emit_inline_count(struct emit *e, const struct prescan_insn *insn, uint32_t guest_off);

#endif
