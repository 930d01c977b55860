/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/tables.h - the private page tables that a guest runs on: pairs of roots over one shared monitor's part.
 *
 *                  pair 7, supervisor view        pair 7, user view           template
 *      top         [0] [1] ........ [511]       [0] [1] ...... [511]       [0] [1] ...... [511]
 *                   |   +--- same tables as ------------------------------------+-- ... ---+
 *      PDPT        [0..3] [4] ... [511]         [0..3] [4] ... [511]       [4] ... [511]
 *                   |      +--- same tables as -----------------------------+-- ... ---+
 *      PD, PT     all that is shadowed       what the guest's CPL 3 may see
 *
 * The low 4 GiB (PDPT entries 0..3 of slot 0) are the guest's linear space with the window in it. All the rest is the monitor's, the
 * same in every root: tables_map & co. change it once, in the template, and what pairs hold copies of (a few top entries)
 * follows. With 5 levels one table more stands between, likewise.
 *
 * The guest runs in ring 3 whatever its CPL is, so the U bit of a leaf says "not the monitor's", in both views. What keeps the guest's
 * own CPL 3 from its kernel's pages is the user view: it has a leaf only where the supervisor view's leaf says TABLES_BOTH (kept in
 * a spare bit of that leaf). The user view is always the image of the supervisor view under that rule; no call can make them differ.
 *
 * Entries above a leaf are always P|W|U: the leaf decides. A leaf never has G. An entry that points to a table carries the number of that
 * table's chunk in bits that the processor ignores (9..11 and 52..62: 14 bits), so that tables can be walked without a way back
 * from physical addresses.
 *
 * Tables are freed by tracing: unmapping or clearing only drops pointers, tables_collect marks what is reachable from the template
 * and the allocated pairs, and frees the rest. It runs by itself when free pages do not suffice for what is asked.
 *
 * Locking:   one owner: whoever holds the VM's run lock, that is the vCPU's thread, in the host or in the monitor (never both at
 *            once). It owns struct tables_state, the table pages, and any struct physmap on the same pages. Other processors do
 *            not run on these roots meanwhile. Nothing here sleeps; with need_page NULL nothing here calls out.
 * Errors:    every call checks first, then asks for pages, then changes things; after an error no mapping has changed. (Tables
 *            that were garbage may have been freed. So look at @inv after errors too.)
 *            -PLX_ENOMEM: give a page (table_pages_add) and do it again.
 * TLB:       each call *adds* to *@inv what the processor may still have cached: do it, before the guest runs on that root again and before
 *            anyone trusts the new mapping; then set it to 0. Until then the old tables' pages may already be in use as other tables.
 *            That harms nothing but the speculation of a processor that must forget it anyway: all that these pages ever hold are tables
 *            of this kind, zeroes, or entries that are not present (physmap.h).
 *            Where each root has a PCID that outlives a CR3 load: it concerns both roots of the pair that was named; with every_root
 *            all of them (the monitor's part changed, or tables were freed that any root may have led to), that is INVPCID of
 *            all, or a flush when next each is loaded. With one PCID for all, or none, every_root says nothing new.
 * Built:     three times: user space (tests), the module, the monitor's image.
 * Tested by: tests/unit/test_tables.c, with a walker of its own that knows physical memory only.
 * Read next: host-module/table_pages.h, tables.c, pairs.c, collect.c.
 */
#ifndef HOST_MODULE_TABLES_H
#define HOST_MODULE_TABLES_H

#include "plexus/x86.h"
#include "host-module/table_pages.h"

/* Of a leaf, with the processor's meaning. */
#define TABLES_W	X86_PTE_W
#define TABLES_U	X86_PTE_U
#define TABLES_PWT	X86_PTE_PWT
#define TABLES_PCD	X86_PTE_PCD
#define TABLES_A	X86_PTE_A	/* setting A, and D with W, beforehand saves the processor two locked writes */
#define TABLES_D	X86_PTE_D
#define TABLES_NX	(1ull << 63)	/* ignored where the processor has no NX */
/* Of a leaf, ours. */
#define TABLES_BOTH	(1ull << 9)	/* pairs: in the user view too */
#define TABLES_USER_RO	(1ull << 10)	/* pairs: without W there (a guest with CR0.WP = 0) */
/* Of a call. */
#define TABLES_LARGE	X86_PTE_PS	/* use 2 MiB leaves where linear and physical address and length allow; lookup: it is one */
#define TABLES_CREATE	(1ull << 52)	/* make missing tables; without: -PLX_ENOENT */
#define TABLES_OVERWRITE (1ull << 53)	/* replace what is mapped; without: -PLX_EEXIST */

#define TABLES_RIGHTS	(TABLES_W | TABLES_U | TABLES_PWT | TABLES_PCD | TABLES_NX | TABLES_BOTH | TABLES_USER_RO)
#define TABLES_LOW_BYTES (1ull << 32)	/* the guest's part */
#define TABLES_MAX_PAIRS 512u

/* Roots by number. */
#define TABLES_TEMPLATE		0u
#define TABLES_SUPERVISOR(pair)	(1u + 2 * (pair))
#define TABLES_USER(pair)	(2u + 2 * (pair))

/* What to invalidate: nothing; pages with INVLPG, one by one; or all (load CR3, not keeping the PCID). */
enum tables_inv_kind { TABLES_INV_NONE = 0, TABLES_INV_PAGES, TABLES_INV_ALL };
#define TABLES_INV_MAX_PAGES 32u	/* beyond, a CR3 load is cheaper: it becomes "all" */
struct tables_inv {
	enum tables_inv_kind kind;
	bool every_root;	/* what is cached under other PCIDs too */
	uint32_t npages;	/* of 4 KiB */
	uint64_t va;
};

struct tables_config {
	uint8_t levels;		/* 4 or 5: as CR4.LA57 is on this host; private roots cannot differ */
	bool nx;		/* EFER.NXE is on */
	uint8_t phys_bits;	/* CPUID 80000008h EAX[7:0], at most 52 */
	uint64_t sme_mask;	/* or'ed into every entry and root; 0: none */
};

struct tables_counters {
	uint64_t maps, unmaps, protects;	/* calls that succeeded */
	uint64_t leaves_written;
	uint64_t splits;			/* 2 MiB leaves taken apart */
	uint64_t tables_made;
	uint64_t collects, prunes, tables_freed;
	uint64_t no_memory;			/* calls that ended so */
	uint64_t spreads;			/* a change in the template's top entries went to all pairs */
	uint64_t pair_clears;
};

struct tables_pair {
	table_ref top[2];	/* 0: supervisor view, 1: user view; TABLE_NONE: not allocated */
	table_ref pdpt[2];	/* of slot 0 */
};

/* Shared between worlds; no pointers. */
struct tables_state {
	struct tables_config config;
	uint64_t address_mask;		/* of an entry */
	table_ref top, pml4, pdpt;	/* the template's way to slot 0; pml4 = top with 4 levels */
	uint32_t nr_pairs;
	bool garbage;			/* pointers were dropped since the last collect */
	struct tables_counters count;
	struct tables_pair pair[TABLES_MAX_PAIRS];
};

/* One for each world. */
struct tables {
	struct tables_state *state;
	struct table_pages pages;
};

/* Once, in the world that comes first. @t->pages is complete and has room for 3 tables (table_pages_add). -PLX_EINVAL, -PLX_ENOMEM. */
int tables_init(struct tables *t, struct tables_state *state, const struct tables_config *config);

/* ---- the monitor's part, in every root: addresses from 4 GiB up ------------------------------------------------------------- */

/* @flags: TABLES_W U PWT PCD A D NX, LARGE, CREATE, OVERWRITE. Errors: -PLX_EINVAL (misaligned, not canonical, below 4 GiB, above
 * @phys_bits, unknown flag, empty), -PLX_EEXIST, -PLX_ENOENT, -PLX_ENOMEM. */
int tables_map(struct tables *t, uint64_t va, uint64_t phys, uint64_t nbytes, uint64_t flags, struct tables_inv *inv);
/* Holes are no error. -PLX_ENOMEM: part of a 2 MiB leaf goes, and there is no page to split it. */
int tables_unmap(struct tables *t, uint64_t va, uint64_t nbytes, struct tables_inv *inv);
/* Those of TABLES_RIGHTS that are in @mask become what they are in @flags. -PLX_ENOENT: a page in the range is not mapped. */
int tables_protect(struct tables *t, uint64_t va, uint64_t nbytes, uint64_t mask, uint64_t flags, struct tables_inv *inv);

/* ---- pairs: the guest's part ------------------------------------------------------------------------------------------------ */

/* -PLX_ENOSPC: all TABLES_MAX_PAIRS are in use; -PLX_ENOMEM. A new pair's low part is empty. */
int pair_alloc(struct tables *t, uint32_t *pair, struct tables_inv *inv);
/* No processor may have either root loaded. -PLX_EINVAL: no such number; -PLX_ENOENT: not allocated. All calls below too. */
int pair_free(struct tables *t, uint32_t pair, struct tables_inv *inv);
/* Unmap the whole low part, in constant time; the tables are left to the next collect. */
int pair_clear(struct tables *t, uint32_t pair, struct tables_inv *inv);

/*
 * As their namesakes above, for @linear .. @linear + @nbytes <= 4 GiB, in both views at once. @flags:
 *
 *   a page of the guest's      TABLES_U, TABLES_W as its kernel may, TABLES_BOTH if its user may see it too, TABLES_USER_RO if only to read
 *   a window page of code      TABLES_U | TABLES_BOTH
 *   a window page of ours      TABLES_BOTH without TABLES_U: in both views, for ring 0 alone
 */
int pair_map(struct tables *t, uint32_t pair, uint32_t linear, uint64_t phys, uint64_t nbytes, uint64_t flags,
	     struct tables_inv *inv);
int pair_unmap(struct tables *t, uint32_t pair, uint32_t linear, uint64_t nbytes, struct tables_inv *inv);
int pair_protect(struct tables *t, uint32_t pair, uint32_t linear, uint64_t nbytes, uint64_t mask, uint64_t flags,
		 struct tables_inv *inv);

/* ---- looking, freeing ------------------------------------------------------------------------------------------------------- */

/* What @root maps at @va (need not be aligned; *@phys then is not either). *@flags: rights, A, D, LARGE. -PLX_EINVAL: no such root, or not
 * canonical; -PLX_ENOENT. Either pointer may be NULL. */
int tables_lookup(const struct tables *t, uint32_t root, uint64_t va, uint64_t *phys, uint64_t *flags);
/* For CR3, without PCID bits, with the SME mask. 0: no such root. */
uint64_t tables_root(const struct tables *t, uint32_t root);

/* Trace, and free what is out of reach; returns how many table pages. Costs a look at each table above the last level. */
uint32_t tables_collect(struct tables *t, struct tables_inv *inv);
/* Drop the tables that map nothing, then collect. Costs a look at every table. */
uint32_t tables_prune(struct tables *t, struct tables_inv *inv);

#endif
