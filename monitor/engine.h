/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor/engine.h - what runs guest code natively: its state and its parts.
 *
 *      allocate.c   its tables
 *      run.c        the loop: pending interrupts, look-up, enter, dispatch the exit
 *      fragments.c  the fragment for CS:EIP
 *      exits.c      what each kind of exit means
 *      hooks.c      what the processor core tells us
 *      shadow.c     host mappings as a TLB of the guest's paging
 *      space.c      keeping them across CR3 loads
 *      segs.c       guest descriptor caches as host descriptors
 *      window.c     where nexus, cache and scratch pages stand, and moving them
 *      sites.c      a table of the places where the monitor works for the guest
 *      trace.c      a record of each virtualized instruction, for who asks
 *      cover.c      which instructions ran, and how, for who asks
 *      prescan/translate.c, prescan/cache.c     fragments
 *
 * Everything hangs off struct mon_engine, which lies in memory that all host processes of the VM share.
 */
#ifndef MONITOR_ENGINE_H
#define MONITOR_ENGINE_H

#include "monitor/mon.h"
#include "monitor/host_ops.h"
#include "monitor/window.h"
#include "monitor/space.h"
#include "prescan/cache.h"

#define ENGINE_LDT_SLOTS 8192	/* slot 0 stays empty: its selector would be 7h */

#define STATS_ROWS 4096

/* What is paid for, counted. monitor/stats.h has the names. */
struct mon_stats {
	uint64_t entries;
	uint64_t exits_link, exits_miss, exits_callout, exits_fault, exits_kick;
	uint64_t fault_fill, filled_ahead, fault_guest_pf, fault_mmio, fault_code_write, fault_limit, fault_int3, fault_other;
	uint64_t translate_ticks, callout_sites;
	uint64_t maps, map_pages, unmaps, unmap_pages, protects, ldt_writes;
	uint64_t cr3_loads, cr3_entries_changed, space_switches, invlpgs, window_moves, delta_changes, page_activations;
	uint64_t map_overflows;
	uint64_t places_patched, move_ticks;	/* at moves of the window and of the user's scratch page */
	uint64_t interrupts, exceptions, halts, steps;
	uint64_t callout_row[STATS_ROWS];	/* by prescan row: the instruction */
	uint8_t callout_klass[STATS_ROWS];	/* enum prescan_class of the last one */
	uint64_t tables_moved, tables_fell_back, gdt_at, idt_at;	/* --descriptor-tables=guest; the real bases, once asked */
	uint64_t gate_done;		/* --rewrite=gate: instructions that ring 3 did by itself, once asked */
	uint64_t guest_insns;	/* run natively in flat 32-bit code, when they are counted */
	uint64_t halt_ticks;
};

/* The host selector made for a segment register's hidden part, for as long as nothing it was made from changes. */
struct seg_memo {
	uint32_t base, limit, attr, cut, delta, generation, guard;
	uint16_t sel, pad;
};

struct ldt_slot {
	struct host_segment seg;
	uint32_t hash_next;
	uint32_t used;		/* clock bit */
	uint32_t version;	/* counts what was written here */
};

#define ENGINE_MAX_TAKEN 4

#define WINDOW_MAX_WATCHED 80	/* page directory pages and page tables under the window and the scratch page */

struct plx_trace;
struct cover;
struct plx_sites;
struct plx_site;

struct mon_engine {
	struct mon_vcpu *vcpu;
	struct mon_vm *vm;
	const struct plx_host_ops *ops;
	void *host;

	struct prescan_cache cache;

	uint32_t delta;			/* host linear = guest linear + delta (0 or 64 KiB) */
	uint32_t min_linear;		/* the host maps nothing below (vm.mmap_min_addr) */
	uint32_t window;		/* host linear base */
	uint32_t user_scratch;		/* host linear, 0: not placed */
	uint32_t taken[ENGINE_MAX_TAKEN];	/* pages that the host itself uses (ops->settle): guest accesses are interpreted */
	uint32_t ntaken;
	uint8_t *window_rw;		/* the same memory, writable, above 4 GiB */
	bool window_dirty;		/* the guest's tables changed where it matters: window_check is due */
	bool window_clear;		/* no memory stands where the window does; false: nobody knows */
	bool no_window;			/* the guest left no room for the window: interpret */
	uint32_t watched[WINDOW_MAX_WATCHED];	/* gfns of guest tables with MON_PAGE_WATCH */
	uint32_t nwatched;
	const struct mon_space *watched_in;	/* whose views of them are write-protected */
	uint32_t checks_since_move;
	uint32_t low_accesses;		/* to pages below min_linear while delta is 0 */
	bool interpret_only;
	bool no_code16;			/* this host has no 16-bit code and stack segments: interpret what needs them. segs.c */

	uint32_t key;			/* prescan key of the current mode */

	/* segs.c */
	struct ldt_slot *ldt;
	uint32_t ldt_hash[1024];
	uint32_t ldt_next;
	uint32_t ldt_generation;	/* counts slots reused: memos of before are void */
	struct seg_memo seg_memo[6][2];	/* [register][CPL is 3] */
	uint32_t guard_of[6];
	struct host_segment cs_memo;
	uint32_t cs_memo_generation;
	uint32_t guard;			/* KEY_GUARD_*, KEY_SAFE_* of the present FS and GS */
	uint32_t cs_host_base;

	/* space.c */
	struct mon_space *spaces;	/* SPACE_MAX; the first is the home of plx_vcpu_run's thread */
	uint32_t nspaces, max_spaces;
	struct mon_space *space;	/* the one that runs; always the present process's own */
	struct mon_space *next_space;
	uint64_t space_clock;
	uint32_t present_root;		/* that space_select chose for */
	bool making_room;		/* in shadow_make_room */
	uint32_t drop_first, drop_count;	/* shadow_drop_changed gathers a run */

	/* exits.c: the guest's last page fault, until its handler returns to that instruction */
	bool pf_armed, pf_write;
	uint32_t pf_eip, pf_linear;
	/* and how often in a row that instruction's next one came at once */
	uint32_t pf_again_eip, pf_again;
	uint64_t pf_retry_ticks;	/* when the instruction at pf_again_eip was tried again */
	struct plx_site *pf_site;	/* called out for it: the last to meet a page fault, */
	uint32_t pf_site_linear;	/* there */

	/* sites.c: what exits.c learns from. include/plexus/sites.h */
	struct plx_sites *sites;
	struct plx_site *site_at;	/* of the instruction being done; NULL: it has none */

	uint64_t slow_accesses;		/* stores that hit code */

	/* set by other threads */
	uint32_t intr;			/* INTR pin */
	uint32_t nmi;
	uint32_t stop;			/* ENGINE_STOP_* */
	uint32_t pause;			/* ops->between has something to do: come to it, even out of a loop that asks for nothing */

	uint8_t last_cpl;
	struct plx_trace *trace;	/* NULL: nobody looks. include/plexus/trace.h */
	bool every_callout_timed;	/* for --profile; single steps are counted, too. include/plexus/sites.h */
	struct cover *cover;		/* NULL: nobody asks what ran. monitor/cover.h */
	bool dead;
	bool finished;			/* the run is over, with: */
	uint32_t result;
	struct mon_stats stats;
};

#define ENGINE_STOP_QUIT	1
#define ENGINE_STOP_RESET	2

#define SHADOW_P	0x1
#define SHADOW_W	0x2
#define SHADOW_U	0x4
#define SHADOW_G	0x8
#define SHADOW_SW	0x10	/* writable for the supervisor only (CR0.WP = 0 over a read-only page) */

enum engine_result { ENGINE_STOPPED, ENGINE_RESET, ENGINE_TRIPLE_FAULT, ENGINE_ERROR };

/* fragments.c: 0 and MON_FAULT (the fetch faults) or MON_DEFER (code in device memory) if there can be none. */
uint32_t engine_fragment(struct mon_engine *e, enum mon_status *st);

/* allocate.c: all tables, zeroed, of e->cache and of @nspaces spaces. e->vm is set. False: out of memory. */
typedef void *engine_alloc_fn(void *arg, size_t nbytes);	/* aligned to 4096; NULL: no more */
bool engine_allocate(struct mon_engine *e, unsigned int nspaces, engine_alloc_fn *alloc, void *arg);

/* run.c */
void engine_init(struct mon_engine *e);
enum engine_result engine_run(struct mon_engine *e);
extern const struct mon_hooks engine_hooks;
/* A key for the vCPU's present mode, for look-ups and translation. */
uint32_t engine_key(struct mon_engine *e);
void engine_die(struct mon_engine *e, const char *what, int err);

/* shadow.c */
/* A host page fault at guest @linear: fill the mapping. MON_OK: filled; MON_FAULT: the guest's own #PF, in
 * vcpu->fault; MON_DEFER: not plain RAM for this access: interpret the instruction. */
enum mon_status shadow_fill(struct mon_engine *e, uint32_t linear, bool write);
void shadow_flush(struct mon_engine *e, bool global_too);
bool shadow_make_room(struct mon_engine *e, int err);	/* @err is "too many mappings", and now there are few: try again */
void shadow_drop(struct mon_engine *e, uint32_t linear);
void shadow_refresh(struct mon_engine *e, uint32_t linear);
void shadow_protect_gfn(struct mon_engine *e, uint32_t gfn);	/* no mapping of it stays writable */
void shadow_drop_gfn(struct mon_engine *e, uint32_t gfn);
void shadow_enter_user(struct mon_engine *e);
void shadow_drop_changed(struct mon_engine *e, uint32_t linear, uint32_t nbytes);
void shadow_drop_finish(struct mon_engine *e);

void shadow_drop_range(struct mon_engine *e, uint32_t host_linear, uint32_t nbytes);

/* window.c */
bool window_place(struct mon_engine *e, uint32_t to);
void window_sync(struct mon_engine *e);	/* make this process show the window where it stands */
void window_show_code(struct mon_engine *e);
void window_check(struct mon_engine *e);
void window_need_user_scratch(struct mon_engine *e);	/* CPL 3 code is about to run for the first time */

/* segs.c */
void segs_init(struct mon_engine *e);
bool segs_load(struct mon_engine *e);		/* seg_dirty -> nexus selectors; false: the host failed */
uint16_t segs_selector(struct mon_engine *e, const struct host_segment *seg);

/* exits.c */
/* After NX_EXIT_FAULT. MON_DEFER: go on at nexus.fault_eip, or, if nexus.exit was set to a site, as that site says.
 * Else the state is canonical and the status is that of the instruction. */
enum mon_status exits_fault(struct mon_engine *e);
enum mon_status exits_callout(struct mon_engine *e, struct site *s);
/* Stopped before the host instruction at @host_eip, nothing being wrong. True: there is something to do between guest
 * instructions, and the state is canonical now. False: go on there. */
bool exits_stop_here(struct mon_engine *e, uint32_t host_eip);
/* Turn the state at a host instruction of main code into the guest's. */
void exits_locate(struct mon_engine *e, uint32_t host_eip);
struct nexus_scratch_page *engine_scratch(struct mon_engine *e);	/* the one that the present CPL uses */
/* sites.c: shall the translator call out what stands there? */
bool engine_is_callout_site(void *engine, uint32_t linear);	/* prescan_env.is_callout */

#endif
