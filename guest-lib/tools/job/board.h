/* SPDX-License-Identifier: MIT */
/*
 * dxg-job: what parent and children have in common.
 *
 * The board is memory shared by all: one result per child, one latency per item. A child
 * writes its own result and the latencies of its own items, the parent reads; what a
 * dead child had counted so far stays readable. The channel is a socket pair per child
 * that carries one letter per phase, so each side knows what the other has finished
 * writing. Rejected: results through a pipe, which a killed child takes with it.
 *
 *	child				parent
 *	JOB_READY: queues are there
 *					JOB_START: all children are ready
 *	JOB_DONE: all work is done
 *					JOB_END: I have read what I need of your queues
 *	exits 0, or 1 with result.error
 */
#ifndef DXG_JOB_BOARD_H
#define DXG_JOB_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "plan.h"

enum job_letter {
	JOB_READY = 'R',
	JOB_START = 'S',
	JOB_DONE = 'D',
	JOB_END = 'E',
};

/* Written by the child, but where another writer is named. */
struct job_result {
	atomic_uint_least64_t heartbeat;	/* grows while the child gets on */
	uint32_t queues;
	uint32_t contexts;
	uint64_t submissions;
	uint64_t rings;			/* this and the next: when all work is done */
	uint64_t reconnects;
	uint64_t completions;		/* right in every respect */
	uint64_t lost;
	uint64_t duplicates;
	uint64_t bytes;			/* of completed items */
	uint64_t start_ns;		/* CLOCK_MONOTONIC */
	uint64_t end_ns;
	uint64_t victimizations;	/* parent, from the kernel's state file */
	pid_t pid;			/* parent */
	char error[400];		/* the first one; empty if none */
};

struct job_board {
	struct job_result *results;	/* plan.processes of them */
	uint64_t *latency_ns;		/* plan.items of them; 0 = not completed */
};

/* Return: 0, or -1 if there is no memory. It stays until the program ends. */
int board_create(const struct job_plan *plan, struct job_board *board);

/* Keeps the first error of a child. */
__attribute__((format(printf, 2, 3)))
void board_error(struct job_result *result, const char *format, ...);

/* Return: false if the other side is gone. */
bool channel_tell(int channel, enum job_letter letter);

/* Blocks. Return: false if the other side is gone or says another letter. */
bool channel_expect(int channel, enum job_letter letter);

uint64_t job_now_ns(void);

#endif /* DXG_JOB_BOARD_H */
