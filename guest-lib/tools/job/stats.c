// SPDX-License-Identifier: MIT
/* See stats.h. */
#include "stats.h"

#include <stdlib.h>

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

void stats_sort(uint64_t *samples, size_t count)
{
	if (count)
		qsort(samples, count, sizeof(*samples), compare);
}

uint64_t stats_percentile(const uint64_t *samples, size_t count, unsigned int percent)
{
	size_t rank;

	if (!count)
		return 0;
	/* count * percent / 100, rounded up, without the product. */
	rank = count / 100 * percent + (count % 100 * percent + 99) / 100;
	return samples[rank ? rank - 1 : 0];
}

double stats_mb_per_s(uint64_t bytes, uint64_t time_ns)
{
	return time_ns ? (double)bytes * 1e3 / (double)time_ns : 0;
}
