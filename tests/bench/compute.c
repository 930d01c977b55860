/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/bench/compute.c - user code that asks nothing of the kernel: what a monitor that runs code natively must not slow down. */
#include <emmintrin.h>
#include <stdlib.h>
#include <string.h>
#include "bench.h"

static uint32_t next(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

/* Lists, a small matrix, a state machine and a CRC: the mixture of embedded code. */
struct node {
	struct node *next;
	int16_t key, value;
};

static uint16_t crc16(uint16_t crc, uint8_t byte)
{
	crc ^= byte;
	for (int i = 0; i < 8; i++)
		crc = crc & 1 ? (uint16_t)(crc >> 1 ^ 0xa001) : (uint16_t)(crc >> 1);
	return crc;
}

static struct node *merge_sort(struct node *list, int by_key)
{
	struct node *slow = list, *fast, *other, *head = NULL, **tail = &head;

	if (!list || !list->next)
		return list;
	for (fast = list->next; fast && fast->next; fast = fast->next->next)
		slow = slow->next;
	other = slow->next;
	slow->next = NULL;
	list = merge_sort(list, by_key);
	other = merge_sort(other, by_key);
	while (list && other) {
		struct node **from = (by_key ? list->key <= other->key : list->value <= other->value) ? &list : &other;

		*tail = *from;
		tail = &(*tail)->next;
		*from = (*from)->next;
	}
	*tail = list ? list : other;
	return head;
}

static uint32_t mixture(uint32_t n)
{
	static struct node nodes[64];
	static int16_t a[12][12], b[12][12];
	static const char text[] = "5012,1.5e3,-874,+0x,7,INF,.5,12e-4,99999,1.e,3,";
	uint16_t crc = 0xffff;

	for (uint32_t round = 0; round < n; round++) {
		struct node *list = NULL;
		uint32_t counts[4] = { 0 }, seed = round;
		int state = 0;

		for (int i = 0; i < 64; i++) {
			nodes[i].next = list;
			nodes[i].key = (int16_t)next(&seed);
			nodes[i].value = (int16_t)i;
			list = &nodes[i];
		}
		list = merge_sort(list, 1);
		crc = crc16(crc, (uint8_t)list->value);
		list = merge_sort(list, 0);
		for (int i = 0; i < 12; i++)
			for (int j = 0; j < 12; j++) {
				a[i][j] = (int16_t)(i * j + round);
				b[i][j] = (int16_t)(i - j);
			}
		for (int i = 0; i < 12; i++)
			for (int j = 0; j < 12; j++) {
				int32_t sum = 0;

				for (int k = 0; k < 12; k++)
					sum += a[i][k] * b[k][j];
				crc = crc16(crc, (uint8_t)sum);
			}
		for (const char *c = text; *c; c++) {
			switch (state) {
			case 0: state = *c >= '0' && *c <= '9' ? 1 : *c == '.' ? 2 : *c == ',' ? 0 : 3; break;
			case 1: state = *c == '.' || *c == 'e' ? 2 : *c == ',' ? 0 : *c >= '0' && *c <= '9' ? 1 : 3; break;
			case 2: state = *c == ',' ? 0 : *c == '-' || (*c >= '0' && *c <= '9') ? 2 : 3; break;
			default: state = *c == ',' ? 0 : 3;
			}
			counts[state]++;
		}
		crc = crc16(crc, (uint8_t)(counts[0] + counts[1] * 3 + counts[2] * 5));
	}
	return crc;
}

static uint32_t __attribute__((noinline)) fib(uint32_t n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static uint32_t fib_rounds(uint32_t n)
{
	uint32_t sum = 0;

	while (n--)
		sum += fib(16);		/* 3,193 calls */
	return sum;
}

static uint32_t add1(uint32_t x) { return x + 1; }
static uint32_t times3(uint32_t x) { return x * 3; }
static uint32_t flip(uint32_t x) { return x ^ 0x55; }
static uint32_t half(uint32_t x) { return x >> 1; }

static uint32_t indirect_calls(uint32_t n)
{
	static uint32_t (*const volatile table[8])(uint32_t) = { add1, times3, flip, half, times3, add1, half, flip };
	uint32_t x = 1;

	for (uint32_t i = 0; i < n * 1000; i++)
		x = table[(i ^ i >> 3) & 7](x);
	return x;
}

static const uint32_t sha_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
	0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
	0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
	0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t turn(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static uint32_t sha256(uint32_t n)
{
	uint32_t h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	while (n--) {
		uint32_t w[64], v[8];

		for (uint32_t i = 0; i < 16; i++)
			w[i] = n * 16 + i;
		for (int i = 16; i < 64; i++)
			w[i] = w[i - 16] + (turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ w[i - 15] >> 3) + w[i - 7] +
			       (turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ w[i - 2] >> 10);
		memcpy(v, h, sizeof(v));
		for (int i = 0; i < 64; i++) {
			uint32_t t1 = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha_k[i] + w[i];
			uint32_t t2 = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

			v[7] = v[6], v[6] = v[5], v[5] = v[4], v[4] = v[3] + t1, v[3] = v[2], v[2] = v[1], v[1] = v[0], v[0] = t1 + t2;
		}
		for (int i = 0; i < 8; i++)
			h[i] += v[i];
	}
	return h[0];
}

#define SIDE 48
static double ma[SIDE][SIDE] __attribute__((aligned(16))), mb[SIDE][SIDE] __attribute__((aligned(16))), mc[SIDE][SIDE] __attribute__((aligned(16)));

static void fill_matrices(void)
{
	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			ma[i][j] = i + j * 0.5;
			mb[i][j] = i * 0.25 - j;
		}
}

static uint32_t matrix_x87(uint32_t n)
{
	fill_matrices();
	while (n--)
		for (int i = 0; i < SIDE; i++)
			for (int j = 0; j < SIDE; j++) {
				double sum = 0;

				for (int k = 0; k < SIDE; k++)
					sum += ma[i][k] * mb[k][j];
				mc[i][j] = sum;
			}
	return (uint32_t)(int64_t)mc[3][5];
}

static uint32_t __attribute__((target("sse2"))) matrix_sse2(uint32_t n)
{
	fill_matrices();
	while (n--)
		for (int i = 0; i < SIDE; i++)
			for (int j = 0; j < SIDE; j += 2) {
				__m128d sum = _mm_setzero_pd();

				for (int k = 0; k < SIDE; k++)
					sum = _mm_add_pd(sum, _mm_mul_pd(_mm_set1_pd(ma[i][k]), _mm_load_pd(&mb[k][j])));
				_mm_store_pd(&mc[i][j], sum);
			}
	return (uint32_t)(int64_t)mc[3][5];
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint32_t sorting(uint32_t n)
{
	static uint32_t v[4096];
	uint32_t seed = 1;

	while (n--) {
		for (int i = 0; i < 4096; i++)
			v[i] = next(&seed);
		qsort(v, 4096, 4, compare);
	}
	return v[77];
}

/* A register machine run by a switch: 1,000 byte codes a round. */
static uint32_t bytecode(uint32_t n)
{
	/* 0 add, 1 sub, 2 load constant, 3 xor, 4 shift, 5 compare and skip, 6 loop, 7 end */
	static const volatile uint8_t program[] = { 2, 5, 0, 3, 4, 1, 5, 0, 3, 2, 9, 0, 1, 4, 6, 7 };
	uint32_t r0 = 1, r1 = 2;

	while (n--) {
		uint32_t left = 72, pc = 0;

		for (;;) {
			switch (program[pc++]) {
			case 0: r0 += r1; continue;
			case 1: r0 -= r1 >> 3; continue;
			case 2: r1 = program[pc++]; continue;
			case 3: r0 ^= r1 << 5; continue;
			case 4: r1 = r0 >> 7; continue;
			case 5:
				if (r0 & 1)
					r0++;
				continue;
			case 6:
				if (--left)
					pc = 0;
				continue;
			}
			break;
		}
	}
	return r0;
}

static uint8_t from[65536] __attribute__((aligned(4096))), to[65536] __attribute__((aligned(4096)));

static uint32_t copy(uint32_t n)
{
	while (n--) {
		from[n & 65535]++;
		memcpy(to, from, sizeof(to));
	}
	return to[100];
}

static uint32_t rep_movs(uint32_t n)
{
	while (n--) {
		void *d = to;
		const void *s = from;
		uint32_t c = sizeof(to) / 4;

		__asm__ volatile("rep movsl" : "+D"(d), "+S"(s), "+c"(c) : : "memory");
	}
	return to[100];
}

static uint32_t chase(uint32_t n)
{
	enum { N = 1 << 20 };
	static uint32_t *chain;
	uint32_t at = 0;

	if (!chain) {
		uint32_t seed = 7;

		/* Sattolo's shuffle: one cycle through all of 4 MiB. */
		chain = malloc(N * 4);
		for (uint32_t i = 0; i < N; i++)
			chain[i] = i;
		for (uint32_t i = N - 1; i > 0; i--) {
			uint32_t j = next(&seed) % i, t = chain[i];

			chain[i] = chain[j];
			chain[j] = t;
		}
	}
	for (uint32_t i = 0; i < n * 1000; i++)
		at = chain[at];
	return at;
}

const struct row compute_rows[] = {
	{ "compute", "mixture", "iteration", 1, mixture },
	{ "compute", "recursion", "call", 3193, fib_rounds },
	{ "compute", "indirect_call", "call", 1000, indirect_calls },
	{ "compute", "sha256", "byte", 64, sha256 },
	{ "compute", "matrix_x87", "multiply-add", SIDE * SIDE * SIDE, matrix_x87 },
	{ "compute", "matrix_sse2", "multiply-add", SIDE * SIDE * SIDE, matrix_sse2 },
	{ "compute", "qsort", "element", 4096, sorting },
	{ "compute", "bytecode", "byte-code", 1009, bytecode },
	{ "compute", "memcpy_64k", "KiB", 64, copy },
	{ "compute", "rep_movs_64k", "KiB", 64, rep_movs },
	{ "compute", "pointer_chase", "load", 1000, chase },
	{ 0 },
};
