/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/demand.c - memory that comes when it is touched, and rights that change for a range: one instruction that faults page
 * after page, with whatever the monitor learns from that on the way; INVLPG for page after page; segment loads in a row, one of which faults.
 * SDM 3A, "Page-Fault Exceptions", "Invalidation of TLBs and Paging-Structure Caches".
 */
#include "guest.h"

#define VA 0x40000000u
#define FRAME 0x500000u
#define PAGES 48u
#define PAGE 4096u

static uint32_t faults, writes, rights;

/* A frame of the page's own, in an order that gives no two neighbours neighbouring frames. */
static uint32_t frame_of(uint32_t page)
{
	return FRAME + page * 7 % PAGES * PAGE;
}

static void fill_in(struct frame *f)
{
	uint32_t page = (read_cr2() - VA) / PAGE;

	faults++;
	writes += f->error >> 1 & 1;
	if (f->error & 1) {
		rights++;
		*pte_of(read_cr2()) |= 2;
		invlpg(read_cr2());
	} else {
		map_page(VA + page * PAGE, frame_of(page) | 7);
	}
}

static void take_away(void)
{
	for (uint32_t i = 0; i < PAGES; i++) {
		memset((void *)(FRAME + i * PAGE), 0, PAGE);
		*pte_of(VA + i * PAGE) = 0;
		invlpg(VA + i * PAGE);
	}
}

static void show_pages(const char *what)
{
	uint32_t sum = 0, bits = 0;

	for (uint32_t i = 0; i < PAGES; i++) {
		uint32_t pte = *pte_of(VA + i * PAGE);

		bits += pte & 0x60;
		for (uint32_t at = 0; at < PAGE; at += 4)
			sum = sum * 31 + *(volatile uint32_t *)((pte & ~0xfffu) + at);
	}
	print("%s: %u faults, %u by writes, %u for rights; bits %u, sum %08x\n", what, faults, writes, rights, bits, sum);
	faults = writes = rights = 0;
}

static void store_a_page(void)
{
	for (uint32_t i = 0; i < PAGES; i++)
		*(volatile uint8_t *)(VA + i * PAGE + i) = (uint8_t)(i + 1);
}

static void store_dwords(void)
{
	for (uint32_t i = 0; i < PAGES * PAGE; i += 4)
		*(volatile uint32_t *)(VA + i) = i;
}

static void read_a_page(void)
{
	for (uint32_t i = 0; i < PAGES; i++)
		(void)*(volatile uint8_t *)(VA + i * PAGE);
}

/* Across the border of two pages: both come, one after the other. */
static void store_across(void)
{
	for (uint32_t i = 1; i < PAGES; i += 2)
		*(volatile uint32_t *)(VA + i * PAGE - 2) = i * 0x10001;
}

static void fill_by_string(void)
{
	uint32_t to = VA, count = PAGES * PAGE / 4;

	__asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(0x01020304) : "memory");
	print("edi %08x ecx %u\n", to, count);
}

static void copy_by_string(void)
{
	uint32_t from = FRAME - 0x40000, to = VA + 3, count = PAGES * PAGE - 3;

	__asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
	print("edi %08x ecx %u\n", to, count);
}

static const struct { const char *name; void (*run)(void); } way[] = {
	{ "a byte a page", store_a_page }, { "every dword", store_dwords }, { "reads", read_a_page },
	{ "across borders", store_across }, { "rep stos", fill_by_string }, { "rep movs", copy_by_string },
};

static void all_ways(void (*how)(void (*)(void)))
{
	for (uint32_t round = 0; round < 3; round++)
		for (uint32_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
			take_away();
			how(way[i].run);
			show_pages(way[i].name);
		}
}

static void here(void (*run)(void))
{
	run();
}

static void change_rights(uint32_t first, uint32_t end, uint32_t clear, uint32_t set)
{
	for (uint32_t i = first; i < end; i++)
		*pte_of(VA + i * PAGE) = (*pte_of(VA + i * PAGE) & ~clear) | set;
	for (uint32_t i = first; i < end; i++)
		invlpg(VA + i * PAGE);
}

static void ranges(void)
{
	store_dwords();
	show_pages("all there");
	for (uint32_t round = 0; round < 4; round++) {
		change_rights(round, PAGES - round, 2, 0);
		run_user(round & 1 ? store_dwords : store_a_page);
		show_pages("read-only, written");
		change_rights(0, PAGES, 2, 0);
		change_rights(5, PAGES - 5, 0, 2);
		run_user(round & 1 ? store_a_page : store_dwords);
		show_pages("the ends read-only");
		change_rights(4, 20, 1, 0);
		run_user(read_a_page);
		show_pages("some gone");
		/* Other frames for two of them: what was written by one name is read by the other. */
		*pte_of(VA + PAGE) = frame_of(2) | 7;
		*pte_of(VA + 2 * PAGE) = frame_of(1) | 7;
		invlpg(VA + PAGE);
		invlpg(VA + 2 * PAGE);
		run_user(store_a_page);
		print("%08x %08x\n", *(volatile uint32_t *)frame_of(1), *(volatile uint32_t *)frame_of(2));
	}
}

static void segments_in_a_row(void)
{
	uint32_t ds = 0, es = 0, fs = 0;

	set_segment(SEL_FREE, 0x1000, 0xfffff, ACC_DATA0, FLAGS_32_PAGES);
	set_segment(SEL_FREE + 8, 0, 0xfffff, ACC_DATA0 & 0x7f, FLAGS_32_PAGES);
	for (uint32_t i = 0; i < 20; i++) {
		__asm__ volatile("pushl %%ds; pushl %%es; pushl %%fs; pushl %3; pushl %4; pushl %3; popl %%es; popl %%fs; popl %%es;"
				 "movl %%ds, %0; movl %%es, %1; movl %%fs, %2; popl %%fs; popl %%es; popl %%ds"
				 : "=&r"(ds), "=&r"(es), "=&r"(fs) : "r"((uint32_t)SEL_FREE), "r"((uint32_t)SEL_DATA0) : "memory");
	}
	print("ds %x es %x fs %x\n", ds, es, fs);
	for (uint32_t i = 0; i < 4; i++) {
		/* ESP must stay: what the third would have popped is left, and taken off behind. */
		TRY("movl %0, %%gs; movl %1, %%fs; movl %0, %%fs", : : "r"((uint32_t)SEL_FREE), "r"((uint32_t)SEL_FREE + 8) : "memory");
		__asm__ volatile("movl %%gs, %0; movl %%fs, %1" : "=r"(ds), "=r"(fs));
		show("the second of three is not present");
		print("at +%u, gs %x, fs %x\n", caught.eip_offset, ds, fs);
	}
	__asm__ volatile("movl %0, %%gs; movl %0, %%fs" : : "r"(0));
}

void guest_main(void)
{
	for (uint32_t i = 0; i < 0x40000; i += 4)
		*(volatile uint32_t *)(FRAME - 0x40000 + i) = i * 0x9e3779b1u;
	paging_identity();
	write_cr0(read_cr0() | 0x10000);
	for (uint32_t i = 0; i < PAGES; i++)
		map_page(VA + i * PAGE, 0);
	hook[14] = fill_in;
	all_ways(here);
	all_ways(run_user);
	take_away();
	ranges();
	segments_in_a_row();
}
