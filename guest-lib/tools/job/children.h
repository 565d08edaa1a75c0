/* SPDX-License-Identifier: MIT */
/*
 * dxg-job: the parent's side of its children: start, follow, end.
 *
 * A child that dies is reported by pid and cause. Before the start that ends the job; after
 * it the others finish their work. One whose heartbeat stands still is killed. Nothing
 * here waits without a bound, and a signal to the parent ends all children.
 */
#ifndef DXG_JOB_CHILDREN_H
#define DXG_JOB_CHILDREN_H

#include "board.h"
#include "options.h"

/*
 * children_run - the whole job
 * @output: file descriptor, as large as the input
 * @look: called once when all work is done and every queue still exists; it may note
 *	errors in the results
 *
 * SIGCHLD, SIGINT, SIGTERM and SIGHUP stay blocked afterwards. Return: 0; 1 if a child
 * failed, with the cause in its result; 128 + n if signal n ended the job.
 */
int children_run(const struct job_options *options, const struct job_plan *plan,
		 struct job_board *board, int output,
		 void (*look)(const struct job_plan *plan, struct job_board *board));

#endif /* DXG_JOB_CHILDREN_H */
