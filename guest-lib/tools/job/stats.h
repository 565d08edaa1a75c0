/* SPDX-License-Identifier: MIT */
/* dxg-job: figures from samples. */
#ifndef DXG_JOB_STATS_H
#define DXG_JOB_STATS_H

#include <stddef.h>
#include <stdint.h>

/* Sorts samples ascending, in place. */
void stats_sort(uint64_t *samples, size_t count);

/*
 * stats_percentile - nearest rank
 * @samples: sorted
 * @percent: 1..100; 50 is the median
 *
 * Return: the smallest sample that at least @percent of all do not exceed; 0 if
 * there are none.
 */
uint64_t stats_percentile(const uint64_t *samples, size_t count, unsigned int percent);

/* Millions of bytes per second; 0 if no time has passed. */
double stats_mb_per_s(uint64_t bytes, uint64_t time_ns);

#endif /* DXG_JOB_STATS_H */
