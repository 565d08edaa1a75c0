/* SPDX-License-Identifier: MIT */
/* dxg-job: one child process. */
#ifndef DXG_JOB_WORKER_H
#define DXG_JOB_WORKER_H

#include "board.h"
#include "options.h"

#define WORKER_UID	65534u		/* nobody */

struct worker {
	const struct job_options *options;
	const struct job_plan *plan;
	struct job_board *board;
	uint32_t process;		/* 0 .. processes - 1 */
	pid_t parent;
	int channel;
	int output;
};

/*
 * worker_main - the child's life, from fork to exit code
 *
 * Gives up its privileges first, dies with its parent, opens /dev/dxg, and follows the
 * letters of board.h. Return: the exit code; 1 with result.error, also when the
 * parent asks for an early end by closing the channel.
 */
int worker_main(const struct worker *worker);

#endif /* DXG_JOB_WORKER_H */
