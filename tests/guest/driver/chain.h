/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evidence that every command of a queue was executed exactly once, in order.
 *
 * A lap is a row of 64-bit cells, the first of which holds a token. Command i
 * moves the token from cell i to cell i + 1 and leaves a mark that is unlike any
 * other in cell i. After n commands the marks 0 .. n - 1 stand in order and the
 * token is in cell n. A command that is lost leaves the token behind; one that
 * runs twice, at once or later, copies a mark over the token or over another mark.
 * No device counter is trusted.
 */
#ifndef DXG_TESTS_CHAIN_H
#define DXG_TESTS_CHAIN_H

#include "queue.h"

struct chain {
	struct queue *queue;
	struct kmt_buffer cells;
	uint32_t length;	/* commands that fit in a lap */
	uint32_t steps;		/* commands of this lap */
	uint32_t salt;		/* differs from lap to lap */
};

/* length commands per lap; the queue must outlive the chain. */
int32_t chain_create(struct chain *chain, struct queue *queue, uint32_t length);
int32_t chain_destroy(struct chain *chain);

/* Starts a lap; nothing of the last one may still be running. */
void chain_begin(struct chain *chain, uint32_t salt);

/* Publishes the next command, not rung. Gives its fence value. Needs room in ring and lap. */
uint64_t chain_publish(struct chain *chain);

/*
 * Checks the lap after its last command completed: the number of cells that are
 * not what they must be, with a text on the first one in problem.
 */
unsigned int chain_check(const struct chain *chain, char *problem, size_t bytes);

/*
 * A whole lap: publishes, delivers and waits, checks. The first failing status, or
 * STATUS_UNSUCCESSFUL with the problem's text. batch commands are published per ring.
 */
int32_t chain_lap(struct chain *chain, uint32_t salt, uint32_t batch, uint64_t timeout_ns,
		  char *problem, size_t bytes);

#endif /* DXG_TESTS_CHAIN_H */
