/* SPDX-License-Identifier: MIT */
/*
 * dxg-job: the report.
 *
 *	{ "total": { "submissions", "rings", "reconnects", "victimizations",
 *		     "completions", "lost", "duplicates", "median_us", "p99_us",
 *		     "mb_per_s" },
 *	  "processes": [ { "pid", "queues", "contexts", the same, "error" } ],
 *	  "job": { "queues", "processes", "input_bytes", "chunk_bytes", "chunks",
 *		   "items", "seconds" } }
 *
 * Latency is from before the submission, connecting included, to the fence seen by
 * the process. Rates are of checked bytes: a process's over its own time, the total over
 * the time from the first start to the last end.
 */
#ifndef DXG_JOB_REPORT_H
#define DXG_JOB_REPORT_H

#include <stdio.h>
#include "board.h"

struct report_row {
	uint64_t submissions;
	uint64_t rings;
	uint64_t reconnects;
	uint64_t victimizations;
	uint64_t completions;
	uint64_t lost;
	uint64_t duplicates;
	double median_us;
	double p99_us;
	double mb_per_s;
};

struct report {
	struct report_row total;
	struct report_row *rows;	/* one per process */
	double seconds;
};

/* Return: 0, or -1 if there is no memory. */
int report_make(const struct job_plan *plan, const struct job_board *board,
		struct report *report);

void report_free(struct report *report);

void report_json(FILE *file, const struct job_plan *plan, const struct job_board *board,
		 const struct report *report);

void report_text(FILE *file, const struct job_plan *plan, const struct job_board *board,
		 const struct report *report);

#endif /* DXG_JOB_REPORT_H */
