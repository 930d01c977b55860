/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/guests/small/lib/guest.h - what a small guest can ask of its library.
 *
 * A small guest checks one feature of the processor and prints what it saw, in words that are the same on every right
 * processor: no addresses of its own code, no times, no model names. The runner compares the text.
 * Each guest defines guest_main(); when it returns, the library prints END and turns the machine off.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Selectors; from SEL_FREE on the table is the guest's. */
#define SEL_CODE0 0x08
#define SEL_DATA0 0x10
#define SEL_CODE3 0x1b
#define SEL_DATA3 0x23
#define SEL_TSS 0x28
#define SEL_LDT 0x30
#define SEL_FREE 0x38

/* Access bytes and flag nibbles of descriptors: SDM 3A, "Segment Descriptors". */
#define ACC_CODE0 0x9b
#define ACC_DATA0 0x93
#define ACC_CODE3 0xfb
#define ACC_DATA3 0xf3
#define ACC_DOWN0 0x97		/* data, expand-down */
#define ACC_CONFORMING0 0x9f
#define ACC_LDT 0x82
#define ACC_TSS32 0x89
#define ACC_TSS16 0x81
#define ACC_CALL32 0x8c
#define ACC_CALL16 0x84
#define ACC_TASKGATE 0x85
#define ACC_INT32 0x8e
#define ACC_TRAP32 0x8f
#define FLAGS_32 0x4		/* D/B */
#define FLAGS_32_PAGES 0xc	/* D/B and G */
#define FLAGS_16 0x0

struct frame {
	uint32_t gs, fs, es, ds;
	uint32_t edi, esi, ebp, esp_unused, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags;
	uint32_t esp, ss;			/* only when the privilege level changed */
	uint32_t v86_es, v86_ds, v86_fs, v86_gs; /* only out of V86 mode */
};

struct tss32 {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint16_t trap, iomap;
	uint8_t bitmap[8193];
} __attribute__((packed));

extern uint64_t gdt[64], idt[256];
extern struct tss32 tss;
extern uint8_t trap_stubs[256][16];
extern const char guest_name[];

void guest_main(void);
void end(void) __attribute__((noreturn));

void print(const char *format, ...) __attribute__((format(printf, 1, 2))); /* %s %c %d %u %x %X with width and 0 */
void *memset(void *to, int byte, size_t n);
void *memcpy(void *restrict to, const void *restrict from, size_t n);
int memcmp(const void *a, const void *b, size_t n);

void set_segment(uint16_t selector, uint32_t base, uint32_t limit, uint8_t access, uint8_t flags);
void set_gate(uint64_t *slot, uint16_t selector, uint32_t offset, uint8_t access, uint8_t parameters);
void set_interrupt(uint8_t vector, void (*handler)(void), uint8_t access);

/* hook[vector], when set, is called instead of the catching below; it may change the frame. */
typedef void (*hook_fn)(struct frame *f);
extern hook_fn hook[256];

/*
 * Catching: the instruction of TRY runs; if it faults, execution goes on behind it, and caught says what happened.
 * It must leave ESP alone. show() prints "what: ok", or "what: #GP(0010)", with CR2 for a page fault.
 */
struct caught {
	int vector;				/* -1: nothing happened */
	uint32_t error, cr2;
	uint32_t eip_offset;			/* from TRY's instruction to the EIP that was pushed */
	uint32_t eflags;
};
extern volatile struct caught caught;
extern volatile uint32_t resume_eip, try_eip;
void show(const char *what);

#define TRY(instruction, ...)                                                                        \
	do {                                                                                         \
		caught.vector = -1;                                                                  \
		__asm__ volatile("movl $9998f, try_eip\n\tmovl $9999f, resume_eip\n9998:\n\t" instruction \
				 "\n9999:\n\tmovl $0, resume_eip" __VA_ARGS__);                      \
	} while (0)

/* Run fn at CPL 3 on its own stack; it may use TRY, print and show. */
void run_user(void (*fn)(void));
void run_user_flags(void (*fn)(void), uint32_t eflags);
void enter_user(uint32_t eip, uint32_t esp, uint32_t eflags);
extern uint8_t user_stack[8192];

/* Paging helpers: 32-bit tables at fixed places from 1 MiB on; identity for the first 8 MiB, user-accessible. */
#define PAGE_DIR ((volatile uint32_t *)0x100000)
void paging_identity(void);			/* builds and turns on, 4 KiB pages, first 8 MiB, present+write+user */
void paging_off(void);
volatile uint32_t *pte_of(uint32_t linear);		/* of the 4 KiB tables that paging_identity or map_page made */
void map_page(uint32_t linear, uint32_t entry);	/* makes the page table if there is none, and INVLPGs */
static inline void invlpg(uint32_t linear) { __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory"); }

/* 8259A: vectors 20h to 2Fh, everything masked. */
void pic_init(void);
void pic_unmask(unsigned int irq);
void pic_eoi(unsigned int irq);

static inline void outb(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static inline void outw(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port)); }
static inline void outl(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port)); }
static inline uint8_t inb(uint16_t port) { uint8_t v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline uint16_t inw(uint16_t port) { uint16_t v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline uint32_t inl(uint16_t port) { uint32_t v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }

#define CR_FUNCTIONS(n)                                                                                          \
	static inline uint32_t read_cr##n(void) { uint32_t v; __asm__ volatile("movl %%cr" #n ", %0" : "=r"(v)); return v; } \
	static inline void write_cr##n(uint32_t v) { __asm__ volatile("movl %0, %%cr" #n : : "r"(v) : "memory"); }
CR_FUNCTIONS(0)
CR_FUNCTIONS(2)
CR_FUNCTIONS(3)
CR_FUNCTIONS(4)

static inline uint32_t read_eflags(void) { uint32_t v; __asm__ volatile("pushfl; popl %0" : "=r"(v)); return v; }
static inline void write_eflags(uint32_t v) { __asm__ volatile("pushl %0; popfl" : : "r"(v) : "cc", "memory"); }
static inline uint64_t rdmsr(uint32_t msr) { uint64_t v; __asm__ volatile("rdmsr" : "=A"(v) : "c"(msr)); return v; }
static inline void wrmsr(uint32_t msr, uint64_t v) { __asm__ volatile("wrmsr" : : "A"(v), "c"(msr)); }
static inline uint64_t rdtsc(void) { uint64_t v; __asm__ volatile("rdtsc" : "=A"(v)); return v; }

#endif
