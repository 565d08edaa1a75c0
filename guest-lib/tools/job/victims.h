/* SPDX-License-Identifier: MIT */
/* dxg-job: how often the kernel took a doorbell away, from its state files. */
#ifndef DXG_JOB_VICTIMS_H
#define DXG_JOB_VICTIMS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "board.h"

#define VICTIMS_FILES	"/sys/kernel/debug/dxg/*/state"

/* Return: whether the line is that of a doorbell, with its owner and count. */
bool victims_line(const char *line, pid_t *pid, uint64_t *victimized);

/*
 * victims_read - sum them up per process
 *
 * Fills in the results' victimizations. A process whose doorbells are not all there
 * gets an error: so a state file that is missing is one too.
 */
void victims_read(const struct job_plan *plan, struct job_board *board);

#endif /* DXG_JOB_VICTIMS_H */
