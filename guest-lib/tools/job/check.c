// SPDX-License-Identifier: MIT
/* See check.h. */
#include "check.h"

#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define POLYNOMIAL	0x82f63b78u	/* Castagnoli, reflected */

uint32_t check_crc32c_table(uint32_t crc, const void *data, size_t bytes)
{
	static uint32_t table[256];
	const unsigned char *at = data;
	uint32_t i, bit, value;

	if (!table[1]) {
		for (i = 0; i < 256; i++) {
			value = i;
			for (bit = 0; bit < 8; bit++)
				value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
			table[i] = value;
		}
	}
	crc = ~crc;
	while (bytes--)
		crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
	return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t crc32c_instruction(uint32_t crc, const void *data, size_t bytes)
{
	const unsigned char *at = data;
	uint64_t sum = (uint32_t)~crc;
	uint64_t word;

	for (; bytes >= sizeof(word); bytes -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		sum = _mm_crc32_u64(sum, word);
	}
	crc = (uint32_t)sum;
	while (bytes--)
		crc = _mm_crc32_u8(crc, *at++);
	return ~crc;
}

uint32_t check_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	return __builtin_cpu_supports("sse4.2") ? crc32c_instruction(crc, data, bytes) :
						   check_crc32c_table(crc, data, bytes);
}
#else
uint32_t check_crc32c(uint32_t crc, const void *data, size_t bytes)
{
	return check_crc32c_table(crc, data, bytes);
}
#endif

uint32_t check_chain(uint32_t chain, uint32_t tag)
{
	const uint32_t cell[2] = { chain, tag };

	return check_crc32c(0, cell, sizeof(cell));
}

enum check_order check_chain_order(uint32_t before, uint32_t tag, uint32_t after)
{
	uint32_t once = check_chain(before, tag);

	if (after == once)
		return CHECK_ORDER_RIGHT;
	return after == check_chain(once, tag) ? CHECK_ORDER_TWICE : CHECK_ORDER_WRONG;
}

int check_item(const unsigned char *expected, const unsigned char *target, uint32_t bytes,
	       const struct check_results *results, char *text, size_t text_bytes)
{
	uint32_t crc = check_crc32c(0, expected, bytes);
	uint32_t i;

	text[0] = '\0';
	if (memcmp(expected, target, bytes)) {
		for (i = 0; expected[i] == target[i]; i++)
			;
		snprintf(text, text_bytes, "byte %u of %u is 0x%02x, not 0x%02x", i, bytes,
			 target[i], expected[i]);
	} else if (results->source_crc != crc || results->target_crc != crc) {
		snprintf(text, text_bytes,
			 "CRC-32C of the source 0x%08x, of the copy 0x%08x, not 0x%08x",
			 results->source_crc, results->target_crc, crc);
	} else {
		return 0;
	}
	return -1;
}
