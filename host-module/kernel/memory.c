// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * host-module/kernel/memory.c - a machine's pages, and its private address space before the monitor runs.
 *
 * Guest RAM and page tables are pages of 2 MiB, out of a pool that all machines share (../pool.h): a page's number in it is
 * its physical address divided by 2 MiB. What a machine gives back stays there for the next one, up to POOL_KEEP pages.
 * Where the host has no more of them, RAM is 512 pages of 4 KiB instead. Which page stands where is in shared->ram (../physmap.h).
 * The monitor's arena is of 4 KiB pages, given as they are asked for.
 */
#include <linux/bitmap.h>
#include <linux/io.h>
#include <linux/mem_encrypt.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "host-module/pool.h"
#include "plexus_module.h"

#define PAGE_ORDER_2M	(POOL_PAGE_SHIFT - PAGE_SHIFT)
#define POOL_KEEP	8u
#define MAX_CHUNKS	512u
#define TABLES_SPARE	512u		/* table pages that are free whenever the monitor is entered */
#define ARENA_CHARGED	256u		/* pages that are charged to the user together */
#define BLOCK_ORDER	4

#define FLAGS_DATA	(TABLES_W | TABLES_NX | TABLES_A | TABLES_D | TABLES_CREATE)
#define FLAGS_CODE	(TABLES_A | TABLES_CREATE)

static DEFINE_SPINLOCK(pool_lock);
static struct pool *pool;

int plx_pool_create(void)
{
	u32 pool_pages;

	/* Of all addresses that a page of this processor may have. */
	pool_pages = (u32)min_t(u64, 1ull << (boot_cpu_data.x86_phys_bits - POOL_PAGE_SHIFT), POOL_MAX_PAGES);
	pool = kvzalloc(pool_bytes(pool_pages), GFP_KERNEL);
	return pool ? pool_init(pool, pool_pages) : -ENOMEM;
}

static struct page *page_2m_alloc(void)
{
	struct page *page;
	u32 index;
	int err;

	spin_lock(&pool_lock);
	err = pool_take(pool, &index);
	spin_unlock(&pool_lock);
	if (!err) {
		page = pfn_to_page((unsigned long)index << PAGE_ORDER_2M);
		memset(page_address(page), 0, POOL_PAGE_BYTES);
		return page;
	}
	page = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL, PAGE_ORDER_2M);
	if (!page)
		return NULL;
	index = (u32)(page_to_pfn(page) >> PAGE_ORDER_2M);
	spin_lock(&pool_lock);
	err = pool_add(pool, index);
	if (!err)
		err = pool_take_at(pool, index);
	spin_unlock(&pool_lock);
	if (WARN_ON_ONCE(err)) {
		__free_pages(page, PAGE_ORDER_2M);
		return NULL;
	}
	return page;
}

static void page_2m_free(struct page *page)
{
	u32 index = (u32)(page_to_pfn(page) >> PAGE_ORDER_2M);
	bool leave = false;

	spin_lock(&pool_lock);
	WARN_ON_ONCE(pool_give(pool, index));
	if (pool_free_count(pool) > POOL_KEEP)
		leave = !WARN_ON_ONCE(pool_remove(pool, index));
	spin_unlock(&pool_lock);
	if (leave)
		__free_pages(page, PAGE_ORDER_2M);
}

void plx_pool_drain(void)
{
	u32 index;

	while (!pool_take(pool, &index)) {
		pool_give(pool, index);
		pool_remove(pool, index);
		__free_pages(pfn_to_page((unsigned long)index << PAGE_ORDER_2M), PAGE_ORDER_2M);
	}
	WARN_ON(pool_present_count(pool));
	kvfree(pool);
	pool = NULL;
}

/* ---- the private address space ------------------------------------------------------------------------------------- */

/* The kernel's mappings of it are no processor's private ones yet, or may miss what is new: nothing to invalidate. */
static int map(struct machine *m, u64 va, u64 phys, u64 nbytes, u64 flags)
{
	struct tables_inv inv = { .kind = TABLES_INV_NONE };

	return tables_map(&m->tables, va, phys, nbytes, flags, &inv);
}

static int map_vmalloc(struct machine *m, u64 va, const void *at, size_t nbytes, u64 flags)
{
	int err = 0;

	for (size_t done = 0; done < nbytes && !err; done += PAGE_SIZE)
		err = map(m, va + done, (u64)vmalloc_to_pfn(at + done) << PAGE_SHIFT, PAGE_SIZE, flags);
	return err;
}

static int add_chunk(struct machine *m)
{
	struct page *page;
	u64 phys;
	int err;

	if (m->nr_chunks == m->max_chunks || plx_user_charge(m->user, POOL_PAGE_BYTES))
		return -ENOMEM;
	m->bytes += POOL_PAGE_BYTES;
	page = page_2m_alloc();
	if (!page)
		return -ENOMEM;
	phys = page_to_phys(page);
	m->chunk[m->nr_chunks++] = page;
	err = table_pages_add(&m->tables.pages, (u32)(phys >> POOL_PAGE_SHIFT));
	/* The first comes before there are tables to map it with. */
	if (!err && m->tables.state->pdpt)
		err = map(m, WORLD_POOL + phys, phys, POOL_PAGE_BYTES, FLAGS_DATA | TABLES_LARGE);
	return err;
}

int machine_more_tables(struct machine *m)
{
	while (m->tables.pages.state->nfree < TABLES_SPARE) {
		int err = add_chunk(m);

		if (err)
			return err;
	}
	return 0;
}

void machine_give_pages(struct machine *m)
{
	u64 va = m->ctx->q[0];
	u32 wanted = min_t(u32, m->ctx->a[0], WORLD_PAGES_AT_ONCE), n;

	m->ctx->a[0] = 0;
	if (va < WORLD_ARENA || va >= WORLD_ARENA + WORLD_ARENA_BYTES)
		return;
	for (n = 0; n < wanted; n++) {
		unsigned long number = (unsigned long)((va - WORLD_ARENA) >> PAGE_SHIFT) + n;
		struct page *page;

		if (m->nr_arena % ARENA_CHARGED == 0) {
			if (plx_user_charge(m->user, ARENA_CHARGED * PAGE_SIZE))
				break;
			m->bytes += ARENA_CHARGED * PAGE_SIZE;
		}
		page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);

		if (!page)
			break;
		if (xa_insert(&m->arena, number, page, GFP_KERNEL_ACCOUNT)) {
			__free_page(page);
			break;
		}
		m->ctx->page[n] = page_to_phys(page);
		m->nr_arena++;
	}
	m->ctx->a[0] = n;
}

/* Without the machine's lock: a page that is there stays until the machine goes. */
struct page *machine_arena_page(struct machine *m, u64 offset)
{
	return xa_load(&m->arena, (unsigned long)(offset >> PAGE_SHIFT));
}

static int arena_first(struct machine *m)
{
	int err = 0;
	u32 n;

	m->ctx->q[0] = WORLD_ARENA;
	m->ctx->a[0] = WORLD_ARENA_FIRST;
	machine_give_pages(m);
	if (m->ctx->a[0] != WORLD_ARENA_FIRST)
		return -ENOMEM;
	for (n = 0; n < WORLD_ARENA_FIRST && !err; n++)
		err = map(m, WORLD_ARENA + n * PAGE_SIZE, m->ctx->page[n], PAGE_SIZE, FLAGS_DATA);
	return err;
}

static int block_create(struct machine *m)
{
	u64 *gdt, *idt, block, handler;
	unsigned int i;

	m->ctx = (struct world_ctx *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, BLOCK_ORDER);
	m->stack = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, BLOCK_ORDER);
	m->bounce = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO, BLOCK_ORDER);
	if (!m->ctx || !m->stack || !m->bounce)
		return -ENOMEM;
	block = (u64)m->ctx;
	if (world_block_end - world_block_start > BLOCK_CODE_BYTES)
		return -EINVAL;
	memcpy((void *)(block + BLOCK_CODE), world_block_start, world_block_end - world_block_start);

	gdt = (u64 *)(block + BLOCK_GDT);
	gdt[SEL_CODE / 8] = 0x00af9b000000ffffull;
	gdt[SEL_DATA / 8] = 0x00cf93000000ffffull;
	idt = (u64 *)(block + BLOCK_SWITCH_IDT);
	for (i = 0; i < 256; i++) {
		handler = (u64)(i == 2 ? world_switch_nmi : i == 18 ? world_switch_mc : world_switch_defect);
		idt[2 * i] = (handler & 0xffff) | (u64)SEL_CODE << 16 | 0x8eull << 40 | (handler >> 16 & 0xffff) << 48;
		idt[2 * i + 1] = handler >> 32;
	}
	m->ctx->switch_gdtr.limit = GDT_BYTES - 1;
	m->ctx->switch_gdtr.base = (u64)gdt;
	m->ctx->switch_idtr.limit = 256 * 16 - 1;
	m->ctx->switch_idtr.base = (u64)idt;
	m->ctx->switch_stack = block + BLOCK_SWITCH_STACK + PAGE_SIZE;
	m->ctx->host_ctx = block;
	m->ctx->here = WORLD_BLOCK;
	m->ctx->exit_va = (u64)world_leave;
	m->ctx->handler_va = WORLD_BLOCK + BLOCK_CODE + 8;	/* block_first */
	return 0;
}

/* What block_first pops: as if world_call had been called by monitor_start's caller. */
static void first_stack(struct machine *m)
{
	u64 *top = (u64 *)(m->stack + WORLD_STACK_BYTES - 16);

	*--top = WORLD_IMAGE;		/* monitor_start */
	*--top = WORLD_BLOCK;		/* RBX: ctx */
	top -= 5;			/* RBP R12 R13 R14 R15 */
	*--top = 2;			/* RFLAGS */
	m->ctx->mon_rsp = WORLD_STACK + ((u64)top - (u64)m->stack);
}

/* Pages that follow one another are mapped together: a whole block by one entry. */
static int map_ram_block(struct machine *m, u32 block)
{
	u64 at = (u64)block * POOL_PAGE_BYTES, end = at + POOL_PAGE_BYTES, phys;

	while (at < end) {
		u64 n = physmap_run(&m->shared->ram, &m->tables.pages, at, end - at, &phys);
		int err = machine_more_tables(m);

		if (!err)
			err = map(m, WORLD_RAM + at, phys, n, FLAGS_DATA | (test_bit(block, m->ram_in_pieces) ? 0 : TABLES_LARGE));
		if (err)
			return err;
		at += n;
	}
	return 0;
}

static int map_all(struct machine *m)
{
	u64 block = (u64)m->ctx, phys = virt_to_phys(m->ctx);
	int err;
	u32 i;

	if (world_image_end - world_image_start > WORLD_IMAGE_MAX)
		return -EINVAL;
	err = map_vmalloc(m, WORLD_IMAGE, world_image_start, PAGE_ALIGN(world_image_end - world_image_start), FLAGS_CODE);
	if (!err)
		err = map_vmalloc(m, (u64)world_page_start, world_page_start, PAGE_SIZE, FLAGS_CODE);
	if (!err)
		err = map(m, WORLD_BLOCK, phys, BLOCK_CODE, FLAGS_DATA);
	if (!err)
		err = map(m, WORLD_BLOCK + BLOCK_CODE, phys + BLOCK_CODE, BLOCK_CODE_BYTES, FLAGS_CODE);
	/* For the moments of the switch: tables and stack at the kernel's addresses. No code runs there. */
	if (!err)
		err = map(m, block, phys, BLOCK_CODE, FLAGS_DATA);
	if (!err)
		err = map(m, WORLD_STACK, virt_to_phys(m->stack), WORLD_STACK_BYTES, FLAGS_DATA);
	if (!err)
		err = map(m, WORLD_BOUNCE, virt_to_phys(m->bounce), WORLD_BOUNCE_BYTES, FLAGS_DATA);
	if (!err)
		err = map_vmalloc(m, WORLD_SHARED, m->shared, m->shared_bytes, FLAGS_DATA);
	for (i = 0; i < m->nr_ram && !err; i++)
		err = map_ram_block(m, i);
	for (i = 0; i < m->nr_chunks && !err; i++)
		err = map(m, WORLD_POOL + page_to_phys(m->chunk[i]), page_to_phys(m->chunk[i]), POOL_PAGE_BYTES,
			  FLAGS_DATA | TABLES_LARGE | TABLES_OVERWRITE);
	return err ? err : arena_first(m);
}

static int shared_create(struct machine *m, const struct plexus_create *c)
{
	size_t first = ALIGN(sizeof(*m->shared), 64);
	size_t pages = ALIGN(table_pages_bytes(MAX_CHUNKS), 64);

	m->shared_bytes = PAGE_ALIGN(first + pages + sizeof(struct tables_state));
	m->shared = vzalloc(m->shared_bytes);
	if (!m->shared)
		return -ENOMEM;
	m->shared->ram_bytes = c->ram_bytes + c->extra_bytes;
	m->shared->guest_ram_bytes = c->ram_bytes;
	m->shared->rewrite = c->rewrite;
	m->shared->count = !!(c->flags & PLEXUS_CREATE_COUNT);
	m->shared->high = !!(c->flags & PLEXUS_CREATE_HIGH);
	m->shared->tables_guest = c->tables == PLEXUS_TABLES_GUEST;
	m->shared->features_off = c->features_off;
	m->shared->pages_offset = (u32)first;
	m->shared->state_offset = (u32)(first + pages);
	physmap_init(&m->shared->ram);
	return 0;
}

/* Of the block's pages, the one at @at, which nothing else has yet. */
static int ram_put(struct machine *m, u64 at, struct page *page)
{
	return physmap_map(&m->shared->ram, &m->tables.pages, at, page_to_phys(page), true, false);
}

static struct page *ram_at(const struct machine *m, u64 at)
{
	u64 phys;

	return physmap_lookup(&m->shared->ram, &m->tables.pages, at, &phys) ? NULL : pfn_to_page((unsigned long)(phys >> PAGE_SHIFT));
}

static int ram_block_create(struct machine *m, u32 block)
{
	u64 from = (u64)block * POOL_PAGE_BYTES, at;
	struct page *page = plx_small_pages ? NULL : page_2m_alloc();
	bool whole = page;
	int err;

	if (!whole)
		__set_bit(block, m->ram_in_pieces);
	for (at = from; at < from + POOL_PAGE_BYTES; at += PAGE_SIZE) {
		if (!whole)
			page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!page)
			return -ENOMEM;
		err = ram_put(m, at, page);
		if (err) {
			if (!whole)
				__free_page(page);
			else if (at == from)
				page_2m_free(page);
			return err;
		}
		if (whole)
			page++;
	}
	return 0;
}

static int ram_create(struct machine *m)
{
	u32 i;

	for (i = 0; i < m->nr_ram; i++) {
		/* So that no table is missing, and a block is entered as a whole or, in pieces, page by page. */
		int err = machine_more_tables(m);

		if (!err)
			err = ram_block_create(m, i);
		if (err)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static void ram_destroy(struct machine *m)
{
	u32 i;

	for (i = 0; i < m->nr_ram; i++) {
		u64 at = (u64)i * POOL_PAGE_BYTES, end = at + POOL_PAGE_BYTES;
		struct page *page = ram_at(m, at);

		if (!page)
			break;
		if (!test_bit(i, m->ram_in_pieces)) {
			page_2m_free(page);
			continue;
		}
		for (; page && at < end; page = at < end ? ram_at(m, at) : NULL) {
			__free_page(page);
			at += PAGE_SIZE;
		}
		cond_resched();
	}
}

int machine_memory_create(struct machine *m, const struct plexus_create *c)
{
	struct tables_config config = {
		.levels = __read_cr4() & X86_CR4_LA57 ? 5 : 4,
		.nx = boot_cpu_has(X86_FEATURE_NX),
		.phys_bits = min_t(u8, boot_cpu_data.x86_phys_bits, 52),
		.sme_mask = sme_me_mask,
	};
	int err;

	xa_init(&m->arena);
	m->max_chunks = MAX_CHUNKS;
	m->chunk = kvcalloc(MAX_CHUNKS, sizeof(*m->chunk), GFP_KERNEL_ACCOUNT);
	m->run_bytes = PAGE_ALIGN(sizeof(*m->run));
	m->run = vmalloc_user(m->run_bytes);
	if (!m->chunk || !m->run)
		return -ENOMEM;
	m->nr_ram = (u32)DIV_ROUND_UP_ULL(c->ram_bytes + c->extra_bytes, POOL_PAGE_BYTES);
	m->ram_in_pieces = bitmap_zalloc(m->nr_ram, GFP_KERNEL_ACCOUNT);
	if (!m->ram_in_pieces)
		return -ENOMEM;
	err = shared_create(m, c);
	if (!err)
		err = block_create(m);
	if (err)
		return err;
	m->tables.pages.state = (void *)m->shared + m->shared->pages_offset;
	m->tables.pages.pool_base = __va(0);
	m->tables.state = (void *)m->shared + m->shared->state_offset;
	err = table_pages_init(m->tables.pages.state, MAX_CHUNKS);
	if (!err)
		err = add_chunk(m);
	if (!err)
		err = tables_init(&m->tables, m->tables.state, &config);
	if (!err)
		err = ram_create(m);
	if (!err)
		err = map_all(m);
	if (!err)
		err = machine_more_tables(m);
	if (err)
		return err;
	first_stack(m);
	m->ctx->priv_cr3 = tables_root(&m->tables, TABLES_TEMPLATE);
	return 0;
}

void machine_memory_destroy(struct machine *m)
{
	unsigned long number;
	struct page *page;
	u32 i;

	xa_for_each(&m->arena, number, page) {
		__free_page(page);
		cond_resched();
	}
	xa_destroy(&m->arena);
	/* Its map is in the chunks. */
	if (m->shared && m->tables.pages.state)
		ram_destroy(m);
	bitmap_free(m->ram_in_pieces);
	for (i = 0; i < m->nr_chunks; i++)
		page_2m_free(m->chunk[i]);
	kvfree(m->chunk);
	free_pages((unsigned long)m->ctx, BLOCK_ORDER);
	free_pages((unsigned long)m->stack, BLOCK_ORDER);
	free_pages((unsigned long)m->bounce, BLOCK_ORDER);
	vfree(m->shared);
	vfree(m->run);
}
