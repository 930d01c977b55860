/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host-module/ring0/host_ops.c - struct plx_host_ops over private page tables, a table of descriptors, and the host's kernel.
 *
 * What is a system call in the process host is a store or two here; a guest address space is a pair of roots, and handing over to it
 * is a load of CR3. The block is in the window, so that it has to be where the next root has it before that is
 * loaded: at its home above 4 GiB, if that root's window is not up to date yet.
 */
#include "host-module/ring0/host.h"

#define NO_PAIR		0xffffffffu
#define CODE_FLAGS	(TABLES_U | TABLES_A | TABLES_BOTH)
#define DATA_FLAGS	(TABLES_U | TABLES_W | TABLES_NX | TABLES_A | TABLES_D)
#define CONST_FLAGS	(TABLES_U | TABLES_NX | TABLES_A)
#define BLOCK_DATA_FLAGS (TABLES_W | TABLES_NX | TABLES_A | TABLES_D | TABLES_BOTH)
#define BLOCK_CODE_FLAGS (TABLES_A | TABLES_BOTH)

static int pair_map_retry(struct module_host *h, uint32_t linear, uint64_t phys, uint64_t nbytes, uint64_t flags)
{
	struct tables_inv inv = { .kind = TABLES_INV_NONE };
	int err;

	do {
		err = pair_map(&h->tables, h->pair_now, linear, phys, nbytes, flags | TABLES_CREATE | TABLES_OVERWRITE, &inv);
		tables_done(h, &inv);
	} while (err == -PLX_ENOMEM && tables_need(h));
	return err;
}

int space_unmap(struct module_host *h, uint32_t linear, uint64_t nbytes)
{
	struct tables_inv inv = { .kind = TABLES_INV_NONE };
	int err;

	do {
		err = pair_unmap(&h->tables, h->pair_now, linear, nbytes, &inv);
		tables_done(h, &inv);
	} while (err == -PLX_ENOMEM && tables_need(h));
	return err;
}

/* Pages of the monitor's own memory, which lie anywhere. */
static int show(struct module_host *h, uint32_t linear, const uint8_t *at, uint64_t nbytes, uint64_t flags)
{
	int err = 0;

	for (uint64_t done = 0; done < nbytes && !err; done += PLX_PAGE_SIZE)
		err = pair_map_retry(h, linear + (uint32_t)done, world_phys(h, at + done), PLX_PAGE_SIZE, flags);
	return err;
}

int space_show_table(struct module_host *h, uint32_t linear, const uint8_t *at)
{
	return show(h, linear, at, PLX_PAGE_SIZE, BLOCK_DATA_FLAGS);
}

static int op_map(void *host, uint32_t linear, uint64_t offset, uint64_t nbytes, int prot)
{
	struct module_host *h = host;
	uint64_t flags = prot & HOST_PROT_WRITE ? DATA_FLAGS : CONST_FLAGS;
	int err = 0;

	if (prot & HOST_PROT_USER)
		flags |= TABLES_BOTH | (prot & HOST_PROT_USER_READ ? TABLES_USER_RO : 0);

	while (nbytes && !err) {
		uint64_t phys, n = physmap_run(&h->shared->ram, &h->tables.pages, offset, nbytes, &phys);

		if (!n)
			return -PLX_EINVAL;
		err = pair_map_retry(h, linear, phys, n, flags);
		linear += (uint32_t)n;
		offset += n;
		nbytes -= n;
	}
	return err;
}

static int op_unmap(void *host, uint32_t linear, uint64_t nbytes)
{
	return space_unmap(host, linear, nbytes);
}

static int op_protect(void *host, uint32_t linear, uint64_t nbytes, int prot)
{
	struct module_host *h = host;
	struct tables_inv inv = { .kind = TABLES_INV_NONE };
	int err;

	do {
		err = pair_protect(&h->tables, h->pair_now, linear, nbytes, TABLES_W, prot & HOST_PROT_WRITE ? TABLES_W : 0, &inv);
		tables_done(h, &inv);
	} while (err == -PLX_ENOMEM && tables_need(h));
	return err;
}

/* The page that stubs in ring 3 know: INT 80h, and where it is, as they read it through R15. */
static void write_stub_page(struct module_host *h, uint32_t window)
{
	uint8_t *page = h->engine->window_rw + WINDOW_STUB_PAGE;
	uint64_t address = window + WINDOW_STUB_PAGE;

	page[0] = 0xcd;
	page[1] = VECTOR_SITE;
	page[2] = 0x0f;		/* UD2 */
	page[3] = 0x0b;
	memcpy(page + 64, &address, 8);
	h->vcpu->nexus.stub_r15 = address + 64 - NX_EXIT_FN;
}

static int show_block(struct module_host *h, uint32_t linear)
{
	int err = 0;

	for (uint32_t at = 0; at < BLOCK_BYTES && !err; at += PLX_PAGE_SIZE) {
		uint64_t phys;

		err = tables_lookup(&h->tables, TABLES_TEMPLATE, WORLD_BLOCK + at, &phys, NULL);
		if (!err)
			err = pair_map_retry(h, linear + at, phys, PLX_PAGE_SIZE,
					     at < BLOCK_CODE ? BLOCK_DATA_FLAGS : BLOCK_CODE_FLAGS);
	}
	return err;
}

static int op_place_window(void *host, uint32_t old, uint32_t window)
{
	struct module_host *h = host;
	uint8_t *rw = h->engine->window_rw;
	int err = 0;

	guest_tables_home(h);
	/* The old place goes first, for the two may overlap; meanwhile the block is at home. */
	block_use_at(h, WORLD_BLOCK);
	if (old)
		err = space_unmap(h, old, WINDOW_BYTES);
	write_stub_page(h, window);
	if (!err)
		err = show(h, window + WINDOW_FLAG_PAGE, rw + WINDOW_FLAG_PAGE, PLX_PAGE_SIZE, DATA_FLAGS);
	if (!err)
		err = show(h, window + WINDOW_SCRATCH_PAGE, rw + WINDOW_SCRATCH_PAGE, PLX_PAGE_SIZE, DATA_FLAGS);
	if (!err)
		err = show(h, window + WINDOW_STUB_PAGE, rw + WINDOW_STUB_PAGE, PLX_PAGE_SIZE, CODE_FLAGS);
	if (!err)
		err = show(h, window + WINDOW_JUMP_TABLE, rw + WINDOW_JUMP_TABLE, 2 * WINDOW_JUMP_BYTES,
			   CONST_FLAGS | TABLES_BOTH);
	if (!err && !h->shared->high)
		err = show_block(h, window + WINDOW_BLOCK);
	if (!err && !h->shared->high)
		block_use_at(h, window + WINDOW_BLOCK);
	return err;
}

static int op_show_code(void *host, uint32_t window, uint32_t from, uint32_t to)
{
	struct module_host *h = host;

	return show(h, window + from, h->engine->window_rw + from, to - from, CODE_FLAGS);
}

static int op_place_user_scratch(void *host, uint32_t old, uint32_t linear)
{
	struct module_host *h = host;
	int err = 0;

	guest_tables_home(h);
	if (linear)
		err = show(h, linear, h->engine->window_rw + WINDOW_USER_SCRATCH, PLX_PAGE_SIZE, DATA_FLAGS | TABLES_BOTH);
	if (!err && old && old != linear)
		err = space_unmap(h, old, PLX_PAGE_SIZE);
	return err;
}

static int op_set_segment(void *host, unsigned int slot, const struct host_segment *s)
{
	struct module_host *h = host;
	bool pages = s->limit >= 0x100000;
	uint64_t limit = pages ? s->limit >> PLX_PAGE_SHIFT : s->limit, type;

	switch (s->kind) {
	case HOST_SEG_CODE:
		type = 0xb;
		break;
	case HOST_SEG_RW:
		type = 0x3;
		break;
	case HOST_SEG_RW_DOWN:
		type = 0x7;
		break;
	case HOST_SEG_RO_DOWN:
		type = 0x5;
		break;
	default:
		type = 0x1;
	}
	/* Accessed already: the processor need not write. Present, DPL 3, code or data. */
	h->ldt[slot] = (limit & 0xffff) | (uint64_t)(s->base & 0xffffff) << 16 | (0xf0 | type) << 40 | (limit >> 16 & 15) << 48 |
		       (uint64_t)s->big << 54 | (uint64_t)pages << 55 | (uint64_t)(s->base >> 24) << 56;
	return 0;
}

static void load_root(struct module_host *h)
{
	uint32_t root = h->user_view ? TABLES_USER(h->pair_now) : TABLES_SUPERVISOR(h->pair_now);

	h->ctx->priv_cr3 = tables_root(&h->tables, root) | (h->ctx->priv_cr3 & 0xfff);
	ring0_set_cr3(h->ctx->priv_cr3);
}

static int use_pair(struct module_host *h, uint32_t space)
{
	struct tables_inv inv = { .kind = TABLES_INV_NONE };
	int err = 0;

	if (h->pair[space] == NO_PAIR) {
		do {
			err = pair_alloc(&h->tables, &h->pair[space], &inv);
			tables_done(h, &inv);
		} while (err == -PLX_ENOMEM && tables_need(h));
		if (err) {
			h->pair[space] = NO_PAIR;
			return err;
		}
	}
	h->pair_now = h->pair[space];
	load_root(h);
	return 0;
}

static void op_use_view(void *host, bool user)
{
	struct module_host *h = host;

	if (h->user_view == user)
		return;
	h->user_view = user;
	load_root(h);
}

static int op_hand_over(void *host, struct mon_space *from, struct mon_space *to)
{
	struct module_host *h = host;
	struct mon_engine *e = h->engine;

	(void)from;
	to->used = true;
	guest_tables_home(h);
	if (to->window_at != e->window)
		block_use_at(h, WORLD_BLOCK);
	return use_pair(h, (uint32_t)(to - e->spaces));
}

static void op_settle(void *host)
{
	struct module_host *h = host;

	if (h->shared->tables_guest)
		guest_tables_settle(h);
}

static void op_wait(void *host)
{
	struct module_host *h = host;

	while (!h->vcpu->nexus.kick)
		world_call(h, REQUEST_WAIT);
}

static void op_wait_word(void *host, const uint32_t *word)
{
	(void)word;
	world_call(host, REQUEST_WAIT_WORD);
}

static void op_between(void *host)
{
	struct module_host *h = host;

	if (h->ctx->pause) {
		h->ctx->pause = 0;
		h->engine->pause = 0;
		world_call(h, REQUEST_PAUSE);
	}
	world_breathe(h);
}

static uint64_t op_ticks(void *host)
{
	(void)host;
	return ring0_tsc();
}

/* The engine's own words are about a machine that anybody can look at; here the last stop of the guest goes with them. */
static void op_die(void *host, const char *what, int err)
{
	static const char digits[] = "0123456789abcdef";
	const struct module_host *h = host;
	const struct nexus_frame *nx = &h->vcpu->nexus;
	const uint32_t words[4] = { nx->exit, nx->fault_vector, nx->fault_eip, nx->fault_address };
	char text[200], *to = text;

	while (*what && to < text + 120)
		*to++ = *what++;
	for (unsigned int i = 0; i < 4; i++) {
		*to++ = i ? ' ' : '(';
		for (int shift = 28; shift >= 0; shift -= 4)
			*to++ = digits[words[i] >> shift & 15];
	}
	*to++ = ')';
	*to = 0;
	world_die(host, text, err);
}

const struct plx_host_ops module_host_ops = {
	.map = op_map,
	.unmap = op_unmap,
	.use_view = op_use_view,
	.settle = op_settle,
	.protect = op_protect,
	.place_window = op_place_window,
	.show_code = op_show_code,
	.place_user_scratch = op_place_user_scratch,
	.set_segment = op_set_segment,
	.hand_over = op_hand_over,
	.wait = op_wait,
	.wait_word = op_wait_word,
	.between = op_between,
	.ticks = op_ticks,
	.die = op_die,
};

int spaces_create(struct module_host *h)
{
	for (unsigned int i = 0; i < SPACE_MAX; i++)
		h->pair[i] = NO_PAIR;
	return use_pair(h, 0);
}
