/* SPDX-License-Identifier: MIT */
/* dxg-job: what the device did, held against the CPU. */
#ifndef DXG_JOB_CHECK_H
#define DXG_JOB_CHECK_H

#include <stddef.h>
#include <stdint.h>

/*
 * check_crc32c - CRC-32C (Castagnoli) of bytes, continuing a sum
 * @crc: sum of what came before, 0 to begin
 *
 * By the instruction of SSE4.2 where the CPU has it, by check_crc32c_table() else.
 */
uint32_t check_crc32c(uint32_t crc, const void *data, size_t bytes);

/* The same by a table, on any CPU. */
uint32_t check_crc32c_table(uint32_t crc, const void *data, size_t bytes);

/*
 * The chain tells "executed once, in order" from anything else. A cell in the queue's
 * memory holds {chain, tag}; each entry stores its own tag there and replaces chain by
 * the CRC-32C of the eight bytes. An entry that is left out, repeated or moved gives
 * another chain from there on. check_chain() is one such step.
 */
uint32_t check_chain(uint32_t chain, uint32_t tag);

enum check_order {
	CHECK_ORDER_RIGHT,
	CHECK_ORDER_TWICE,		/* the entry was executed twice */
	CHECK_ORDER_WRONG,		/* left out, or in another order */
};

/* What the device's chain after an entry says, given the one before it. */
enum check_order check_chain_order(uint32_t before, uint32_t tag, uint32_t after);

/* What the device left behind for one item. */
struct check_results {
	uint32_t source_crc;
	uint32_t target_crc;
	uint32_t chain;
	uint32_t reserved;
};

/*
 * check_item - data and both sums of one item
 * @expected: the chunk as it is in the file
 * @target: the device's copy
 * @text: out, what is wrong, empty if nothing
 *
 * Return: 0 if all is right, else -1.
 */
int check_item(const unsigned char *expected, const unsigned char *target, uint32_t bytes,
	       const struct check_results *results, char *text, size_t text_bytes);

#endif /* DXG_JOB_CHECK_H */
