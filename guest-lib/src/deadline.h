/* SPDX-License-Identifier: MIT */
/*
 * Bounds on waiting: a relative time-out becomes an absolute time of
 * CLOCK_MONOTONIC once, at the entrance of a call, and only that is passed on.
 */
#ifndef DXG_SRC_DEADLINE_H
#define DXG_SRC_DEADLINE_H

#include <time.h>
#include <dxg/submit.h>

static inline UINT64 dxg_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (UINT64)now.tv_sec * 1000000000u + (UINT64)now.tv_nsec;
}

/* DXG_FOREVER stays DXG_FOREVER; a sum that overflows becomes it. */
static inline UINT64 dxg_deadline(UINT64 timeout_ns)
{
	UINT64 deadline;

	if (timeout_ns == DXG_FOREVER ||
	    __builtin_add_overflow(dxg_now_ns(), timeout_ns, &deadline))
		return DXG_FOREVER;
	return deadline;
}

static inline struct timespec dxg_timespec(UINT64 ns)
{
	struct timespec time = {
		.tv_sec = (time_t)(ns / 1000000000u),
		.tv_nsec = (long)(ns % 1000000000u),
	};

	return time;
}

/* Nanoseconds left, 0 if the deadline has passed. */
static inline UINT64 dxg_time_left(UINT64 deadline)
{
	UINT64 now;

	if (deadline == DXG_FOREVER)
		return DXG_FOREVER;
	now = dxg_now_ns();
	return deadline > now ? deadline - now : 0;
}

#endif /* DXG_SRC_DEADLINE_H */
