/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/test_memory.c - claims about monitor/memory.c, paging.c and mem_builtin.c. */
#include "tests/unit/flat_vm.h"

/* mem_builtin.c under names that leave libc's alone. */
void *plx_memcpy(void *restrict to, const void *restrict from, size_t nbytes);
void *plx_memmove(void *to, const void *from, size_t nbytes);
void *plx_memset(void *to, int byte, size_t nbytes);
int plx_memcmp(const void *a, const void *b, size_t nbytes);
#define memcpy plx_memcpy
#define memmove plx_memmove
#define memset plx_memset
#define memcmp plx_memcmp
#include "monitor/mem_builtin.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

#define PD	0x10000u
#define PT	0x11000u
#define PDPT	0x12000u
#define RW	(X86_PTE_P | X86_PTE_W)
#define RWU	(RW | X86_PTE_U)

/* 32-bit paging: one table, linear 0..4 MiB; all of RAM mapped one to one, supervisor. */
static void paging_32(struct flat *f)
{
	for (uint32_t i = 0; i < 1024; i++)
		set32(f, PT + i * 4, i < RAM_BYTES >> 12 ? i << 12 | RW : 0);
	set32(f, PD, PT | RWU);
	f->vcpu.cr3 = PD;
	f->vcpu.cr0 |= X86_CR0_PG | X86_CR0_WP;
}

static void paging_pae(struct flat *f)
{
	for (uint32_t i = 0; i < 512; i++)
		set64(f, PT + i * 8, i < RAM_BYTES >> 12 ? (uint64_t)i << 12 | RW : 0);
	set64(f, PD, PT | RWU);
	set64(f, PDPT, PD | X86_PTE_P);
	f->vcpu.cr4 |= X86_CR4_PAE;
	f->vcpu.cr3 = PDPT;
	f->vcpu.pdpte[0] = PD | X86_PTE_P;
	f->vcpu.cr0 |= X86_CR0_PG | X86_CR0_WP;
}

static void expect_pf(struct flat *f, enum mon_status st, uint16_t error, uint32_t address)
{
	expect_fault(f, st, X86_VEC_PF, error);
	assert_int_equal(f->vcpu.fault.address, address);
}

static void without_paging_linear_is_physical(void **state)
{
	struct flat *f = *state;
	struct mon_xlate x;
	uint32_t v = 0x12345678;

	assert_int_equal(mon_write(&f->vcpu, 0x20ffe, &v, 4, MON_ACC_WRITE), MON_OK);
	assert_int_equal(ram32(f, 0x20ffe), 0x12345678);
	v = 0;
	assert_int_equal(mon_read(&f->vcpu, 0x20ffe, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(v, 0x12345678);
	assert_int_equal(mon_translate(&f->vcpu, 0x12345, MON_ACC_READ, &x), MON_OK);
	assert_int_equal(x.gpa, 0x12345);
	assert_true(x.writable && x.user);
}

static void closed_a20_folds_odd_megabytes(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0;

	set32(f, 0x500, 0xcafe);
	f->vm.a20_mask = ~(1u << 20);
	assert_int_equal(mon_read(&f->vcpu, 0x100500, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(v, 0xcafe);
}

static void a_walk_sets_accessed_and_a_write_sets_dirty(void **state)
{
	struct flat *f = *state;
	uint32_t v = 1;

	paging_32(f);
	assert_int_equal(mon_read(&f->vcpu, 0x20000, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(ram32(f, PD), PT | RWU | X86_PTE_A);
	assert_int_equal(ram32(f, PT + 0x20 * 4), 0x20000 | RW | X86_PTE_A);
	/* A read filled the TLB; the write must still find D clear. */
	assert_int_equal(mon_write(&f->vcpu, 0x20000, &v, 4, MON_ACC_WRITE), MON_OK);
	assert_int_equal(ram32(f, PT + 0x20 * 4), 0x20000 | RW | X86_PTE_A | X86_PTE_D);
}

static void a_faulting_write_leaves_dirty_clear(void **state)
{
	struct flat *f = *state;
	uint32_t v = 1;

	paging_32(f);
	set32(f, PT + 0x20 * 4, 0x20000 | X86_PTE_P);
	expect_pf(f, mon_write(&f->vcpu, 0x20004, &v, 4, MON_ACC_WRITE), X86_PF_P | X86_PF_W, 0x20004);
	assert_int_equal(ram32(f, PT + 0x20 * 4), 0x20000 | X86_PTE_P);
}

static void page_fault_codes_say_what_was_wrong(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0;

	paging_32(f);
	set32(f, PT + 0x21 * 4, 0x21000 | RWU);
	set32(f, PT + 0x22 * 4, 0x22000 | X86_PTE_P | X86_PTE_U);
	expect_pf(f, mon_read(&f->vcpu, 0x200123, &v, 4, MON_ACC_READ), 0, 0x200123);
	expect_pf(f, mon_write(&f->vcpu, 0x800000, &v, 4, MON_ACC_WRITE), X86_PF_W, 0x800000);
	f->vcpu.cpl = 3;
	expect_pf(f, mon_read(&f->vcpu, 0x20000, &v, 4, MON_ACC_READ), X86_PF_P | X86_PF_U, 0x20000);
	expect_pf(f, mon_write(&f->vcpu, 0x22000, &v, 4, MON_ACC_WRITE), X86_PF_P | X86_PF_U | X86_PF_W, 0x22000);
	/* Without NXE a fetch is not told from a read. */
	expect_pf(f, mon_read(&f->vcpu, 0x20000, &v, 4, MON_ACC_EXEC), X86_PF_P | X86_PF_U, 0x20000);
	assert_int_equal(mon_read(&f->vcpu, 0x21000, &v, 4, MON_ACC_READ), MON_OK);
	/* An implicit access is a supervisor's, whatever CPL is. */
	assert_int_equal(mon_read(&f->vcpu, 0x20000, &v, 4, MON_ACC_READ | MON_ACC_SYSTEM), MON_OK);
}

static void user_bit_must_be_set_at_both_levels(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0;

	paging_32(f);
	set32(f, PT + 0x21 * 4, 0x21000 | RWU);
	set32(f, PD, PT | RW);
	f->vcpu.cpl = 3;
	expect_pf(f, mon_read(&f->vcpu, 0x21000, &v, 4, MON_ACC_READ), X86_PF_P | X86_PF_U, 0x21000);
}

static void without_wp_a_supervisor_writes_read_only_pages(void **state)
{
	struct flat *f = *state;
	uint32_t v = 7;

	paging_32(f);
	set32(f, PT + 0x20 * 4, 0x20000 | X86_PTE_P);
	assert_int_equal(mon_write_cr(&f->vcpu, 0, f->vcpu.cr0 & ~X86_CR0_WP), MON_OK);
	assert_int_equal(mon_write(&f->vcpu, 0x20000, &v, 4, MON_ACC_WRITE), MON_OK);
	/* ... and WP back on is believed at once: the TLB forgot. */
	assert_int_equal(mon_write_cr(&f->vcpu, 0, f->vcpu.cr0 | X86_CR0_WP), MON_OK);
	expect_pf(f, mon_write(&f->vcpu, 0x20000, &v, 4, MON_ACC_WRITE), X86_PF_P | X86_PF_W, 0x20000);
}

static void supervisor_tag_does_not_let_a_user_in(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0;

	paging_32(f);
	assert_int_equal(mon_write(&f->vcpu, 0x20000, &v, 4, MON_ACC_WRITE), MON_OK);
	f->vcpu.cpl = 3;
	expect_pf(f, mon_read(&f->vcpu, 0x20000, &v, 4, MON_ACC_READ), X86_PF_P | X86_PF_U, 0x20000);
}

static void large_pages_need_pse(void **state)
{
	struct flat *f = *state;
	struct mon_xlate x;

	paging_32(f);
	set32(f, PD + 4, 0x00000000 | RW | X86_PTE_PS | X86_PTE_G);
	f->vcpu.cr4 |= X86_CR4_PSE | X86_CR4_PGE;
	assert_int_equal(mon_translate(&f->vcpu, 0x412345, MON_ACC_WRITE, &x), MON_OK);
	assert_int_equal(x.gpa, 0x12345);
	assert_int_equal(x.page_bytes, 4u << 20);
	assert_true(x.global && x.writable && !x.user);
	assert_int_equal(ram32(f, PD + 4) & (X86_PTE_A | X86_PTE_D), X86_PTE_A | X86_PTE_D);
	/* Bits 21..13 are reserved without PSE-36. */
	set32(f, PD + 4, 0x00002000 | RW | X86_PTE_PS);
	expect_pf(f, mon_translate(&f->vcpu, 0x412345, MON_ACC_READ, &x), X86_PF_P | X86_PF_RSVD, 0x412345);
	/* Without CR4.PSE the bit means nothing: the PDE points to a table. */
	f->vcpu.cr4 &= ~X86_CR4_PSE;
	set32(f, PD + 4, PT | RW | X86_PTE_PS);
	assert_int_equal(mon_translate(&f->vcpu, 0x412345, MON_ACC_READ, &x), MON_OK);
	assert_int_equal(x.gpa, 0x12345);
	assert_int_equal(x.page_bytes, PLX_PAGE_SIZE);
}

static void pae_knows_nx_and_reserved_bits(void **state)
{
	struct flat *f = *state;
	struct mon_xlate x;
	uint64_t nx = (uint64_t)1 << 63;

	paging_pae(f);
	assert_int_equal(mon_translate(&f->vcpu, 0x20010, MON_ACC_WRITE, &x), MON_OK);
	assert_int_equal(x.gpa, 0x20010);
	assert_int_equal(ram32(f, PT + 0x20 * 8) & 0x60, X86_PTE_A | X86_PTE_D);

	set64(f, PT + 0x20 * 8, 0x20000 | RW | nx);
	expect_pf(f, mon_translate(&f->vcpu, 0x20010, MON_ACC_READ, &x), X86_PF_P | X86_PF_RSVD, 0x20010);
	f->vcpu.efer = X86_EFER_NXE;
	assert_int_equal(mon_translate(&f->vcpu, 0x20010, MON_ACC_READ, &x), MON_OK);
	assert_true(x.nx);
	expect_pf(f, mon_translate(&f->vcpu, 0x20010, MON_ACC_EXEC, &x), X86_PF_P | X86_PF_I, 0x20010);

	set64(f, PT + 0x20 * 8, 0x20000 | RW | (uint64_t)1 << 40);
	expect_pf(f, mon_translate(&f->vcpu, 0x20010, MON_ACC_READ, &x), X86_PF_P | X86_PF_RSVD, 0x20010);
	/* A fetch from a missing page says I too, once NXE is on. */
	expect_pf(f, mon_translate(&f->vcpu, 0x40000000, MON_ACC_EXEC, &x), X86_PF_I, 0x40000000);
}

static void pae_large_pages_are_2_mib(void **state)
{
	struct flat *f = *state;
	struct mon_xlate x;

	paging_pae(f);
	set64(f, PD + 8, RW | X86_PTE_PS);
	assert_int_equal(mon_translate(&f->vcpu, 0x212345, MON_ACC_READ, &x), MON_OK);
	assert_int_equal(x.gpa, 0x12345);
	assert_int_equal(x.page_bytes, 2u << 20);
	set64(f, PD + 8, 0x100000 | RW | X86_PTE_PS);
	expect_pf(f, mon_translate(&f->vcpu, 0x212345, MON_ACC_READ, &x), X86_PF_P | X86_PF_RSVD, 0x212345);
}

static void bad_pdptes_are_refused_when_cr3_is_loaded(void **state)
{
	struct flat *f = *state;

	paging_pae(f);
	set64(f, PDPT + 8, PD | X86_PTE_P | X86_PTE_W);
	expect_fault(f, mon_write_cr(&f->vcpu, 3, PDPT), X86_VEC_GP, 0);
	set64(f, PDPT + 8, X86_PTE_W);	/* not present: nothing else matters */
	assert_int_equal(mon_write_cr(&f->vcpu, 3, PDPT), MON_OK);
	assert_int_equal(f->nr_cr3, 1);
}

static void a_crossing_write_moves_nothing_if_the_second_page_faults(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0xffffffff;

	paging_32(f);
	set32(f, PT + 0x21 * 4, 0);
	expect_pf(f, mon_write(&f->vcpu, 0x20ffe, &v, 4, MON_ACC_WRITE), X86_PF_W, 0x21000);
	assert_int_equal(ram32(f, 0x20ffc), 0);
}

static void a_crossing_access_follows_both_mappings(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0x44332211;

	paging_32(f);
	set32(f, PT + 0x21 * 4, 0x30000 | RW);
	assert_int_equal(mon_write(&f->vcpu, 0x20ffe, &v, 4, MON_ACC_WRITE), MON_OK);
	assert_int_equal(ram16(f, 0x20ffe), 0x2211);
	assert_int_equal(ram16(f, 0x30000), 0x4433);
	v = 0;
	assert_int_equal(mon_read(&f->vcpu, 0x20ffe, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(v, 0x44332211);
}

static void stale_translations_last_until_invlpg(void **state)
{
	struct flat *f = *state;
	uint32_t v;

	paging_32(f);
	set32(f, 0x20000, 0xaaaa);
	set32(f, 0x30000, 0xbbbb);
	assert_int_equal(mon_read(&f->vcpu, 0x20000, &v, 4, MON_ACC_READ), MON_OK);
	set32(f, PT + 0x20 * 4, 0x30000 | RW);
	assert_int_equal(mon_invlpg(&f->vcpu, 0x20fff), MON_OK);
	assert_int_equal(f->nr_invlpg, 1);
	assert_int_equal(mon_read(&f->vcpu, 0x20000, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(v, 0xbbbb);
}

static void invlpg_drops_all_of_a_large_page(void **state)
{
	struct flat *f = *state;
	uint32_t v;

	paging_32(f);
	f->vcpu.cr4 |= X86_CR4_PSE;
	set32(f, PD + 4, RW | X86_PTE_PS);
	set32(f, 0x20000, 0xaaaa);
	assert_int_equal(mon_read(&f->vcpu, 0x420000, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(v, 0xaaaa);
	set32(f, PD + 4, 0);
	assert_int_equal(mon_invlpg(&f->vcpu, 0x7ff000), MON_OK);
	expect_pf(f, mon_read(&f->vcpu, 0x420000, &v, 4, MON_ACC_READ), 0, 0x420000);
}

/* More pages than the TLB has entries, and as many as its list of used entries: no tag may outlive a flush. */
static void a_flush_forgets_every_page(void **state)
{
	struct flat *f = *state;
	uint32_t v;

	for (unsigned int npages = 1; npages < 1100; npages = npages * 2 + 1) {
		for (uint32_t i = 0; i < npages; i++)
			mon_read(&f->vcpu, (i * 7 % 128) << 12 | i << 20, &v, 4, MON_ACC_READ);
		for (uint32_t i = 0; i < 128; i++)
			mon_read(&f->vcpu, i << 12, &v, 4, MON_ACC_READ);
		mon_tlb_flush(&f->vcpu);
		for (uint32_t i = 0; i < MON_TLB_SIZE; i++)
			for (unsigned int u = 0; u < 2; u++)
				assert_int_equal(f->vcpu.tlb[i].tag_read[u] | f->vcpu.tlb[i].tag_write[u], 0);
	}
}

/* All 512 indexes at once: RAM repeated over linear space by paging. */
static void a_flush_of_a_full_tlb_forgets_every_page(void **state)
{
	struct flat *f = *state;
	uint32_t v;

	paging_32(f);
	for (uint32_t i = 0; i < 1024; i++)
		set32(f, PT + i * 4, (i & 0x7f) << 12 | RW);
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 512; i++)
			assert_int_equal(mon_read(&f->vcpu, i << 12, &v, 4, MON_ACC_READ), MON_OK);
		mon_tlb_flush(&f->vcpu);
		for (uint32_t i = 0; i < MON_TLB_SIZE; i++)
			assert_int_equal(f->vcpu.tlb[i].tag_read[0], 0);
	}
}

static void writes_to_code_pages_are_reported_after_the_bytes(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0x90909090;

	/* The page is in the TLB as plain RAM before it becomes code. */
	assert_int_equal(mon_write(&f->vcpu, 0x20000, &v, 4, MON_ACC_WRITE), MON_OK);
	assert_int_equal(f->nr_code, 0);
	f->vm.page[0x20] |= MON_PAGE_CODE;
	assert_int_equal(mon_write(&f->vcpu, 0x20008, &v, 4, MON_ACC_WRITE), MON_OK);
	assert_int_equal(f->nr_code, 1);
	assert_int_equal(f->code_gpa, 0x20008);
	assert_int_equal(f->code_nbytes, 4);
	assert_int_equal(ram32(f, 0x20008), 0x90909090);
	mon_phys_write(&f->vcpu, 0x1ffff, "ab", 2);
	assert_int_equal(f->nr_code, 2);
	assert_int_equal(f->code_gpa, 0x20000);
	assert_int_equal(f->code_nbytes, 1);
}

static void watched_pages_and_dirty_bits_stay_honest(void **state)
{
	struct flat *f = *state;
	uint8_t b = 1;

	f->vm.page[0x20] |= MON_PAGE_WATCH;
	assert_int_equal(mon_write(&f->vcpu, 0x20010, &b, 1, MON_ACC_WRITE), MON_OK);
	assert_int_equal(f->nr_watch, 1);
	assert_int_equal(f->watch_gpa, 0x20010);
	assert_true(f->vm.page[0x20] & MON_PAGE_DIRTY);

	assert_int_equal(mon_write(&f->vcpu, 0x21000, &b, 1, MON_ACC_WRITE), MON_OK);
	f->vm.page[0x21] &= ~(uint64_t)MON_PAGE_DIRTY;	/* the display looked */
	assert_int_equal(mon_write(&f->vcpu, 0x21000, &b, 1, MON_ACC_WRITE), MON_OK);
	assert_true(f->vm.page[0x21] & MON_PAGE_DIRTY);
}

static void accessed_bits_count_as_changes_of_the_table(void **state)
{
	struct flat *f = *state;
	uint32_t v;

	paging_32(f);
	f->vm.page[PT >> 12] |= MON_PAGE_WATCH;
	assert_int_equal(mon_read(&f->vcpu, 0x20000, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(f->nr_watch, 1);
	assert_int_equal(f->watch_gpa, PT + 0x20 * 4);
}

static void devices_see_aligned_pieces(void **state)
{
	struct flat *f = *state;
	uint64_t q = 0x8877665544332211;
	uint32_t v;

	assert_int_equal(mon_write(&f->vcpu, DEVICE + 8, &q, 8, MON_ACC_WRITE), MON_OK);
	assert_int_equal(f->nr_mmio, 2);
	assert_int_equal(f->mmio[0].gpa, DEVICE + 8);
	assert_int_equal(f->mmio[0].value, 0x44332211);
	assert_int_equal(f->mmio[1].size, 4);
	assert_int_equal(f->mmio[1].value, 0x88776655);

	f->nr_mmio = 0;
	assert_int_equal(mon_write(&f->vcpu, DEVICE + 1, &q, 4, MON_ACC_WRITE), MON_OK);
	assert_int_equal(f->nr_mmio, 3);
	assert_int_equal(f->mmio[0].size, 1);
	assert_int_equal(f->mmio[1].size, 2);
	assert_int_equal(f->mmio[1].value, 0x3322);
	assert_int_equal(f->mmio[2].size, 1);

	f->nr_mmio = 0;
	assert_int_equal(mon_read(&f->vcpu, DEVICE + 4, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(v, 0xd0d1d2d7);
	assert_int_equal(mon_read(&f->vcpu, DEVICE + 4, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(f->nr_mmio, 2);	/* never from a TLB */
}

static void rom_reads_as_memory_and_writes_go_to_the_device(void **state)
{
	struct flat *f = *state;
	uint32_t v;

	set32(f, ROM, 0x55aa);
	assert_int_equal(mon_read(&f->vcpu, ROM, &v, 4, MON_ACC_READ), MON_OK);
	assert_int_equal(v, 0x55aa);
	v = 0;
	assert_int_equal(mon_write(&f->vcpu, ROM, &v, 4, MON_ACC_WRITE), MON_OK);
	assert_int_equal(ram32(f, ROM), 0x55aa);
	assert_int_equal(f->nr_mmio, 1);
	assert_true(f->mmio[0].write);
	mon_phys_write(&f->vcpu, ROM, &v, 4);
	assert_int_equal(ram32(f, ROM), 0x55aa);
}

static void physical_reads_of_nothing_give_ones(void **state)
{
	struct flat *f = *state;
	uint8_t buf[8];

	set32(f, DEVICE - 4, 0);
	mon_phys_read(&f->vcpu, DEVICE - 4, buf, 8);
	assert_int_equal(buf[3], 0);
	assert_int_equal(buf[4], 0xff);
	assert_int_equal(buf[7], 0xff);
	assert_int_equal(f->nr_mmio, 0);
}

static void peeking_changes_nothing(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0;

	paging_32(f);
	f->vcpu.cpl = 3;
	f->vcpu.fault.vector = 99;
	set32(f, 0x20000, 0x1234);
	assert_int_equal(mon_read(&f->vcpu, 0x20000, &v, 4, MON_ACC_PEEK), MON_OK);
	assert_int_equal(v, 0x1234);
	assert_int_equal(ram32(f, PT + 0x20 * 4), 0x20000 | RW);
	assert_int_equal(mon_read(&f->vcpu, 0x900000, &v, 4, MON_ACC_PEEK), MON_FAULT);
	assert_int_equal(mon_read(&f->vcpu, DEVICE, &v, 4, MON_ACC_PEEK), MON_FAULT);
	assert_int_equal(f->vcpu.fault.vector, 99);
	assert_int_equal(f->nr_mmio, 0);
}

static void segment_limits_are_byte_exact(void **state)
{
	struct flat *f = *state;
	struct mon_seg *ds = &f->vcpu.seg[X86_DS];
	struct mon_seg *ss = &f->vcpu.seg[X86_SS];
	uint32_t v, linear;

	ds->base = 0x20000;
	ds->limit = 0xfff;
	assert_int_equal(mon_seg_read(&f->vcpu, X86_DS, 0xffc, &v, 4), MON_OK);
	expect_fault(f, mon_seg_read(&f->vcpu, X86_DS, 0xffd, &v, 4), X86_VEC_GP, 0);
	expect_fault(f, mon_seg_write(&f->vcpu, X86_DS, 0x1000, &v, 1), X86_VEC_GP, 0);
	expect_fault(f, mon_seg_read(&f->vcpu, X86_DS, 0xfffffffe, &v, 4), X86_VEC_GP, 0);
	ss->limit = 0xfff;
	expect_fault(f, mon_seg_read(&f->vcpu, X86_SS, 0xffd, &v, 4), X86_VEC_SS, 0);
	assert_int_equal(mon_seg_check(&f->vcpu, X86_DS, 0x10, 4, MON_ACC_WRITE, &linear), MON_OK);
	assert_int_equal(linear, 0x20010);
}

static void expand_down_segments_hold_what_is_above_the_limit(void **state)
{
	struct flat *f = *state;
	struct mon_seg *ds = &f->vcpu.seg[X86_DS];
	uint32_t v, linear;

	ds->attr |= MON_SEG_EXPDOWN;
	ds->limit = 0xfff;
	expect_fault(f, mon_seg_read(&f->vcpu, X86_DS, 0xfff, &v, 1), X86_VEC_GP, 0);
	assert_int_equal(mon_seg_read(&f->vcpu, X86_DS, 0x1000, &v, 4), MON_OK);
	assert_int_equal(mon_seg_check(&f->vcpu, X86_DS, 0xfffffffc, 4, MON_ACC_READ, &linear), MON_OK);
	ds->attr &= ~MON_SEG_DB;		/* then the top is 64 KiB */
	assert_int_equal(mon_seg_check(&f->vcpu, X86_DS, 0xfffc, 4, MON_ACC_READ, &linear), MON_OK);
	expect_fault(f, mon_seg_check(&f->vcpu, X86_DS, 0xfffd, 4, MON_ACC_READ, &linear), X86_VEC_GP, 0);
}

static void segment_types_and_null_are_checked(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0;

	expect_fault(f, mon_seg_write(&f->vcpu, X86_CS, 0x20000, &v, 4), X86_VEC_GP, 0);
	assert_int_equal(mon_seg_read(&f->vcpu, X86_CS, 0x20000, &v, 4), MON_OK);
	f->vcpu.seg[X86_CS].attr &= ~MON_SEG_READABLE;
	expect_fault(f, mon_seg_read(&f->vcpu, X86_CS, 0x20000, &v, 4), X86_VEC_GP, 0);
	f->vcpu.seg[X86_DS].attr &= ~MON_SEG_WRITABLE;
	assert_int_equal(mon_seg_read(&f->vcpu, X86_DS, 0x20000, &v, 4), MON_OK);
	expect_fault(f, mon_seg_write(&f->vcpu, X86_DS, 0x20000, &v, 4), X86_VEC_GP, 0);
	assert_int_equal(mon_load_seg(&f->vcpu, X86_ES, 0), MON_OK);
	expect_fault(f, mon_seg_read(&f->vcpu, X86_ES, 0, &v, 1), X86_VEC_GP, 0);
}

static void alignment_is_checked_for_users_who_ask(void **state)
{
	struct flat *f = *state;
	uint32_t v = 0;

	f->vcpu.cr0 |= X86_CR0_AM;
	f->vcpu.eflags |= X86_FLAG_AC;
	assert_int_equal(mon_seg_read(&f->vcpu, X86_DS, 0x20001, &v, 4), MON_OK);	/* CPL 0 */
	enter_protected(f, 3);
	f->vcpu.cr0 |= X86_CR0_AM;
	f->vcpu.eflags |= X86_FLAG_AC;
	expect_fault(f, mon_seg_read(&f->vcpu, X86_DS, 0x20001, &v, 4), X86_VEC_AC, 0);
	assert_int_equal(mon_seg_read(&f->vcpu, X86_DS, 0x20001, &v, 1), MON_OK);
}

static void a_fetch_stops_at_the_limit_and_at_a_missing_page(void **state)
{
	struct flat *f = *state;
	uint8_t buf[15];
	uint32_t n;

	paging_32(f);
	set32(f, PT + 0x21 * 4, 0);
	f->vcpu.fault.vector = 99;
	assert_int_equal(mon_fetch(&f->vcpu, 0x20ffa, buf, &n), MON_OK);
	assert_int_equal(n, 6);
	assert_int_equal(f->vcpu.fault.vector, 99);	/* not needed yet, so no fault */
	expect_pf(f, mon_fetch_fault(&f->vcpu, 0x20ffa, 6), 0, 0x21000);
	expect_pf(f, mon_fetch(&f->vcpu, 0x21000, buf, &n), 0, 0x21000);

	f->vcpu.seg[X86_CS].limit = 0x20003;
	assert_int_equal(mon_fetch(&f->vcpu, 0x20000, buf, &n), MON_OK);
	assert_int_equal(n, 4);
	expect_fault(f, mon_fetch_fault(&f->vcpu, 0x20000, 4), X86_VEC_GP, 0);
	expect_fault(f, mon_fetch(&f->vcpu, 0x20004, buf, &n), X86_VEC_GP, 0);
}

static void the_four_builtins_do_what_libc_does(void **state)
{
	uint8_t a[64], b[64];

	(void)state;
	for (unsigned int from = 0; from < 8; from++)
		for (unsigned int to = 0; to < 8; to++)
			for (unsigned int n = 0; n < 20; n++) {
				for (unsigned int i = 0; i < sizeof(a); i++)
					a[i] = b[i] = (uint8_t)(i * 37);
				plx_memmove(a + to, a + from, n);
				memmove(b + to, b + from, n);
				assert_memory_equal(a, b, sizeof(a));
			}
	plx_memset(a, 0x5a, sizeof(a));
	assert_int_equal(a[0], 0x5a);
	assert_int_equal(a[63], 0x5a);
	plx_memcpy(b, a, 63);
	assert_int_equal(plx_memcmp(a, b, 63), 0);
	b[62] = 0x5b;
	assert_true(plx_memcmp(a, b, 63) < 0);
	assert_true(plx_memcmp(b, a, 63) > 0);
	assert_int_equal(plx_memcmp(a, b, 62), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLAT_TEST(without_paging_linear_is_physical),
		FLAT_TEST(closed_a20_folds_odd_megabytes),
		FLAT_TEST(a_walk_sets_accessed_and_a_write_sets_dirty),
		FLAT_TEST(a_faulting_write_leaves_dirty_clear),
		FLAT_TEST(page_fault_codes_say_what_was_wrong),
		FLAT_TEST(user_bit_must_be_set_at_both_levels),
		FLAT_TEST(without_wp_a_supervisor_writes_read_only_pages),
		FLAT_TEST(supervisor_tag_does_not_let_a_user_in),
		FLAT_TEST(large_pages_need_pse),
		FLAT_TEST(pae_knows_nx_and_reserved_bits),
		FLAT_TEST(pae_large_pages_are_2_mib),
		FLAT_TEST(bad_pdptes_are_refused_when_cr3_is_loaded),
		FLAT_TEST(a_crossing_write_moves_nothing_if_the_second_page_faults),
		FLAT_TEST(a_crossing_access_follows_both_mappings),
		FLAT_TEST(stale_translations_last_until_invlpg),
		FLAT_TEST(invlpg_drops_all_of_a_large_page),
		FLAT_TEST(a_flush_forgets_every_page),
		FLAT_TEST(a_flush_of_a_full_tlb_forgets_every_page),
		FLAT_TEST(writes_to_code_pages_are_reported_after_the_bytes),
		FLAT_TEST(watched_pages_and_dirty_bits_stay_honest),
		FLAT_TEST(accessed_bits_count_as_changes_of_the_table),
		FLAT_TEST(devices_see_aligned_pieces),
		FLAT_TEST(rom_reads_as_memory_and_writes_go_to_the_device),
		FLAT_TEST(physical_reads_of_nothing_give_ones),
		FLAT_TEST(peeking_changes_nothing),
		FLAT_TEST(segment_limits_are_byte_exact),
		FLAT_TEST(expand_down_segments_hold_what_is_above_the_limit),
		FLAT_TEST(segment_types_and_null_are_checked),
		FLAT_TEST(alignment_is_checked_for_users_who_ask),
		FLAT_TEST(a_fetch_stops_at_the_limit_and_at_a_missing_page),
		cmocka_unit_test(the_four_builtins_do_what_libc_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
