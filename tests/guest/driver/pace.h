/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a neighbour's work takes, alone and then under an attack, in the same run: on a
 * host that others use, too, only that comparison says something. Medians, since one lap
 * may be late for the host's reasons.
 *
 * One thread adds; who reads a median does so after it, or is that thread.
 */
#ifndef DXG_TESTS_PACE_H
#define DXG_TESTS_PACE_H

#include <stdint.h>

#define PACE_SAMPLES	4096u	/* the last ones count */

struct pace {
	uint64_t ns[PACE_SAMPLES];
	uint64_t count;		/* of all that were added */
	uint64_t slowest_ns;	/* of them */
};

void pace_add(struct pace *pace, uint64_t ns);

/* 0 if there is none. Sorts the samples. */
uint64_t pace_median(struct pace *pace);

#endif /* DXG_TESTS_PACE_H */
