// SPDX-License-Identifier: GPL-2.0-or-later
/* See pace.h. */
#include "pace.h"

#include <stdlib.h>

void pace_add(struct pace *pace, uint64_t ns)
{
	pace->ns[pace->count++ % PACE_SAMPLES] = ns;
	if (ns > pace->slowest_ns)
		pace->slowest_ns = ns;
}

static int compare(const void *one, const void *other)
{
	uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;

	return a < b ? -1 : a > b;
}

uint64_t pace_median(struct pace *pace)
{
	uint64_t kept = pace->count < PACE_SAMPLES ? pace->count : PACE_SAMPLES;

	if (!kept)
		return 0;
	qsort(pace->ns, kept, sizeof(pace->ns[0]), compare);
	return pace->ns[kept / 2];
}
