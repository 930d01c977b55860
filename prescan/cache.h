/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prescan/cache.h - the code cache: fragments, how they are found, chained and dropped.
 *
 *      guest code --> decode --> [translate.c] --> [cache.c] --> nexus --> guest runs
 *
 * A fragment is the rewritten copy of one run of guest instructions. Its home is a *code page*: one pair of
 * (guest linear page, guest physical page). A code page is active while the guest's present tables map
 * that linear page to that physical page; only fragments of active pages are found, and a chain from another page
 * lasts no longer than its target's page is active. So a fragment outlives the address space it was made in,
 * and serves every space that maps the same page at the same place.
 *
 * Memory of the cache: bump allocation, main code upward from WINDOW_CODE, veneers and stubs upward from
 * WINDOW_COLD. When anything is full everything is dropped (prescan_cache_flush). Addresses in
 * the window are kept as offsets from its base. What cannot be an offset, because the processor wants an address there, is on
 * the list of places: when the window moves they are patched (places.c) and all else stays.
 */
#ifndef PRESCAN_CACHE_H
#define PRESCAN_CACHE_H

#include "prescan/prescan.h"

/* Mode bits that change what the same bytes mean, or how they are rewritten. */
#define KEY_D		0x001	/* CS.D: 32-bit code */
#define KEY_SS_B	0x002	/* 32-bit stack */
#define KEY_FLAT	0x004	/* CS, DS, SS base 0, reaching the scratch page, writable: inline sequences may spill */
#define KEY_CPL3	0x008
#define KEY_FPU		0x010	/* x87/MMX as is */
#define KEY_SSE		0x020	/* SSE as is */
#define KEY_PLAIN_FLAGS	0x040	/* IOPL 0, NT 0, no VM, no AC: CLI, STI, PUSHF, POPF inline */
#define KEY_USER_IF	0x080	/* CPL 3 with virtual IF = 1: PUSHF is true as it stands */
#define KEY_TSC		0x100	/* RDTSC as is */
#define KEY_FWAIT	0x200	/* FWAIT as is (not MP and TS) */
#define KEY_GUARD_FS	0x400	/* CPL 3: the FS segment may reach supervisor pages; only checked accesses */
#define KEY_GUARD_GS	0x800
#define KEY_SAFE_FS	0x1000	/* ... but its base is such that small constant offsets cannot */
#define KEY_SAFE_GS	0x2000
#define KEY_GUARD_CS	0x4000	/* data read through CS is not held by the host's limit: only checked accesses */
#define KEY_GUARD_CS16	0x8000	/* ... not even with 16-bit addresses */

enum prescan_rewrite { REWRITE_ADAPTIVE = 0, REWRITE_FARCALL, REWRITE_INT3, REWRITE_GATE };

/* What the guest's registers are worth at one place in a fragment. */
enum rec_kind {
	REC_EXACT = 0,		/* state is that before the guest instruction */
	REC_ECX,		/* the same once ECX is taken from scratch.ecx */
	REC_ESP,		/* the same once ESP is taken from scratch.esp */
	REC_PUSHED,		/* ... once 4 is added to ESP */
	REC_PUSHED_ECX,		/* ... and ECX from scratch */
	REC_PUSHED_ECX_EDX,	/* ... and EDX too */
	REC_ECX_EDX,		/* ... once ECX and EDX are taken from scratch */
	REC_BRANCH,		/* done: EIP is the target of the direct branch at this place */
	REC_INDIRECT,		/* done: EIP is scratch.target, ECX from scratch.ecx */
};
#define REC_RESTART	0x40	/* or'ed in: "no interrupt is pending" was just read; a kick must start the instruction over */
#define REC_STI_SHADOW	0x80	/* or'ed in: the instruction before was STI, which has just set IF */

struct frag_rec {
	uint16_t host_off;	/* from the fragment's body */
	uint8_t guest_off;	/* of the instruction, from the fragment's first */
	uint8_t kind;
};

struct frag {
	uint32_t eip, cs_base, key;
	uint32_t body;		/* window offset */
	uint32_t hash_next;	/* index, 0 ends */
	uint32_t page_next;	/* next fragment of the same code page */
	uint32_t code_page, code_page2;	/* the second: an instruction reaches into the next page; else 0 */
	uint32_t page2_next;
	uint32_t incoming;	/* first link that targets us, index, 0 ends */
	uint32_t recs;		/* first record */
	uint16_t nrecs;
	uint16_t host_bytes;
	uint8_t guest_bytes;
	uint8_t ninsns;
	bool dead;
	bool indirect_entry;	/* body is preceded by PRESCAN_PROLOGUE bytes for jumps through the table */
};

struct code_page {
	uint32_t linear;	/* page number */
	uint32_t gfn;
	uint32_t frags, frags2;	/* lists */
	uint32_t gfn_next;	/* next code page of the same gfn */
	uint32_t active_pos;	/* position in active[] + 1; 0: not active */
	bool global, user;	/* as its mapping said when it was activated */
};

enum site_kind {
	SITE_FREE = 0,
	SITE_LINK,		/* direct branch not chained yet */
	SITE_MISS,		/* indirect branch found no match in the jump table */
	SITE_CALLOUT,		/* one guest instruction for the monitor */
	SITE_MARK,		/* an indirect branch is about to be done for the first time */
};

#define SITE_WOULD_INLINE	1	/* has an inline sequence; called out because of env.traced */
#define SITE_INLINE_COUNTED	2	/* the way out of an inline sequence, which was counted already */
#define SITE_INLINED		3	/* the way out of an inline sequence that counts nothing */

struct site {
	uint8_t kind;		/* enum site_kind */
	uint8_t klass;		/* enum prescan_class of a callout */
	uint8_t farcall;	/* ESP is in scratch.esp */
	uint8_t insn_len;
	uint8_t inlined;	/* SITE_WOULD_INLINE, SITE_INLINE_COUNTED, SITE_INLINED */
	uint32_t frag;
	uint32_t eip;		/* LINK, STEP: guest EIP to go to; CALLOUT, MARK: of the instruction */
	uint32_t resume;	/* CALLOUT, MARK: window offset of the code for the next instruction; 0: look up */
	uint32_t link;		/* LINK: its link. CALLOUT: index into insns */
	uint32_t place;		/* CALLOUT: a hint at its row in the engine's table of sites */
	uint32_t main_off;	/* window offset of the INT3 or far transfer, or of a branch's rel32 */
};

/* A chained direct branch: the rel32 at @patch jumps to @target's body instead of to its veneer. */
struct link {
	uint32_t patch, veneer;	/* window offsets */
	uint32_t owner, target;	/* fragments; target 0: not linked */
	uint32_t next;		/* of the target's incoming list */
};

struct callout_insn {
	struct prescan_insn insn;
	uint8_t bytes[16];
};

#define CACHE_MAX_FRAGS		(1u << 19)
#define CACHE_MAX_RECS		(1u << 23)
#define CACHE_MAX_SITES		(1u << 21)
#define CACHE_MAX_LINKS		(1u << 20)
#define CACHE_MAX_PAGES		(1u << 17)
#define CACHE_MAX_CALLOUTS	(1u << 18)
#define CACHE_HASH		(1u << 17)
#define CACHE_MAX_JUMP_LOG	(1u << 16)
#define CACHE_MAX_PLACES	(1u << 22)

/* Four bytes in the window that hold an address, and which of the bases it follows. */
enum place_kind {
	PLACE_STUB,		/* linear: target of a far transfer into 64-bit code, which ignores bases */
	PLACE_WINDOW,		/* offset in a flat segment: flag page, scratch page of CPL 0, jump table */
	PLACE_USER_SCRATCH,	/* the same of the scratch page of CPL 3 */
};
#define PLACE_KIND_SHIFT	26	/* WINDOW_BYTES is 1 << 26: offset and kind in one word */

/* Filled by the engine before a translation: all the translator knows of the world. */
struct prescan_env {
	/* The bases. While there are fragments only prescan_cache_moved changes them. */
	uint32_t window;	/* host linear base of the window */
	uint32_t user_scratch;	/* host linear, scratch page of CPL 3; where it stood last while it stands nowhere */
	uint32_t data_bias;	/* subtract from a host linear address to get an offset in a flat segment */

	uint16_t cs64;		/* selector of 64-bit ring-3 code */
	enum prescan_rewrite strategy;
	bool traced;		/* nothing sensitive is inlined: the monitor shall see it all */
	bool counted;		/* what is inlined counts itself */
	bool count;		/* each fragment adds its instructions to scratch.count */
	bool marked;		/* indirect branches leave before they are done for the first time: SITE_MARK */
	bool (*is_callout)(void *owner, uint32_t linear);	/* the site at this linear address faulted too often */
	void *owner;
};

struct prescan_cache {
	uint8_t *rw;		/* writable view of the window's object */
	struct prescan_env env;

	struct frag *frags;		uint32_t nfrags;	/* index 0 unused, as everywhere here */
	struct frag_rec *recs;		uint32_t nrecs;
	struct site *sites;		uint32_t nsites;
	struct link *links;		uint32_t nlinks;
	struct code_page *pages;	uint32_t npages;
	struct callout_insn *insns;	uint32_t ninsns;
	uint32_t *hash;			/* CACHE_HASH heads */
	uint32_t *active_page;		/* by linear page: code page index, 0 */
	uint32_t *gfn_page;		/* by gfn: first code page */
	uint32_t *active;		uint32_t nactive;	/* code pages that are active and not global */
	uint32_t code_next, cold_next;	/* window offsets */
	uint32_t *places;		uint32_t nplaces;	/* enum place_kind << PLACE_KIND_SHIFT | window offset */

	/* Jump tables: entry = host linear - bias of an indirect entry, or of the miss veneer. */
	uint32_t miss_veneer[2];	/* window offset, by CPL 0 / 3 */
	uint32_t jump_key[2];
	uint16_t *jump_log[2];		uint32_t njump_log[2];
	uint32_t *jump_frag[2];		/* fragment in each slot */
	bool jump_log_full[2];

	uint16_t inline_row[16];	uint8_t inline_class[16];	uint32_t ninline_rows;	/* which instruction each inline counter counts */

	uint64_t stat_insns, stat_bytes, stat_emitted, stat_unlinks, stat_invalidated, stat_flushes;
};

#define PRESCAN_PROLOGUE 25	/* bytes before a body for the indirect entry */

/* cache.c */
void prescan_cache_init(struct prescan_cache *c);
void prescan_cache_flush(struct prescan_cache *c);
static inline uint32_t prescan_cache_hash(uint32_t linear, uint32_t key)
{
	return (linear ^ key * 0x9e3779b1u) * 0x85ebca6bu >> 15 & (CACHE_HASH - 1);
}
/* The active fragment for this place and mode, or 0. */
uint32_t prescan_cache_find(struct prescan_cache *c, uint32_t eip, uint32_t cs_base, uint32_t key);
/* The code page for the pair, made if need be; 0: the cache is full. Activates it. */
uint32_t prescan_cache_page(struct prescan_cache *c, uint32_t linear_page, uint32_t gfn, bool global, bool user);
/* Is there such a code page, active or not? */
bool prescan_cache_page_known(const struct prescan_cache *c, uint32_t linear_page, uint32_t gfn);
void prescan_cache_deactivate(struct prescan_cache *c, uint32_t linear_page);
/* Other page tables were loaded: deactivate each page that is not global and for which @same says no. */
void prescan_cache_recheck(struct prescan_cache *c, bool (*same)(void *owner, const struct code_page *page), void *owner);
void prescan_cache_deactivate_all(struct prescan_cache *c, bool global_too);
/* Guest physical bytes were written. Returns true if no fragment of that frame is left. */
bool prescan_cache_written(struct prescan_cache *c, uint32_t gpa, uint32_t nbytes);
/* No fragment is made from this frame any more. */
bool prescan_cache_frame_empty(const struct prescan_cache *c, uint32_t gfn);
void prescan_cache_kill(struct prescan_cache *c, uint32_t frag);
void prescan_cache_link(struct prescan_cache *c, uint32_t link, uint32_t target);
/* The mark at that site was seen: guest code goes on behind it without leaving. */
void prescan_cache_pass_mark(struct prescan_cache *c, uint32_t site);
void prescan_cache_jump_fill(struct prescan_cache *c, uint32_t frag);
void prescan_cache_jump_clear(struct prescan_cache *c, unsigned int user);
/* Fragments of @key are about to run: their jump table holds nothing made for another mode. */
void prescan_cache_jump_mode(struct prescan_cache *c, uint32_t key);
/* Where the direct jump at this offset of main code goes in the guest; true if there is one. */
bool prescan_cache_jump_target(struct prescan_cache *c, uint32_t offset, uint32_t *eip);
/* Which fragment's main code holds this window offset; 0: none. */
uint32_t prescan_cache_at(struct prescan_cache *c, uint32_t offset);
/* The record for an offset from the body. */
const struct frag_rec *prescan_cache_rec(struct prescan_cache *c, const struct frag *f, uint32_t host_off);
/* The site whose veneer (32-bit far jump or its 64-bit stub) holds this window offset; 0: none. */
uint32_t prescan_cache_site_at(struct prescan_cache *c, uint32_t offset);

/* places.c: bases moved; whatever holds an address is patched. Returns how many places that were. Not while code of a fragment is
 * under way: its registers may hold such an address. */
uint32_t prescan_cache_moved(struct prescan_cache *c, uint32_t window, uint32_t user_scratch, uint32_t data_bias);
static inline void prescan_cache_place(struct prescan_cache *c, uint32_t offset, enum place_kind kind)
{
	c->places[c->nplaces++] = (uint32_t)kind << PLACE_KIND_SHIFT | offset;
}

/* translate.c: @bytes are the guest's at @eip, @nbytes of them in the first page then, if any, the second's.
 * Return: fragment index; 0 if the cache is full (flush and try again). */
struct prescan_request {
	uint32_t eip, cs_base, key;
	uint32_t page, page2;		/* code pages; page2 0 if the next page cannot be fetched */
	const uint8_t *bytes;
	uint32_t nbytes;		/* in all */
	uint32_t nbytes_page;		/* of them in the first page */
	uint32_t limit_bytes;		/* at most so many guest bytes */
};
uint32_t prescan_translate(struct prescan_cache *c, const struct prescan_request *req);
/* Where a direct near branch goes. */
uint32_t prescan_branch_target(const struct prescan_insn *insn, uint32_t eip);

#endif
