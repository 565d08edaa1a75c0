/* SPDX-License-Identifier: MIT */
/*
 * dxg-job: who does what.
 *
 * The file is cut into chunks. An item is one submission: item i moves chunk
 * i mod chunks on queue i mod queues, and that queue belongs to process
 * (i mod queues) mod processes. There are as many items as chunks, or as queues if
 * these are more: then chunks repeat, so that every queue has work.
 */
#ifndef DXG_JOB_PLAN_H
#define DXG_JOB_PLAN_H

#include <stdint.h>
#include "options.h"

#define PLAN_MAX_ITEMS	(UINT64_C(1) << 22)

struct job_plan {
	const unsigned char *input;	/* mapped, read-only */
	uint64_t input_bytes;		/* at least 1 */
	uint32_t chunk_bytes;
	uint32_t queues;
	uint32_t processes;
	uint64_t chunks;
	uint64_t items;
};

static inline struct job_plan plan_make(const struct job_options *options,
					const unsigned char *input, uint64_t input_bytes)
{
	struct job_plan plan = {
		.input = input,
		.input_bytes = input_bytes,
		.chunk_bytes = options->chunk_bytes,
		.queues = options->queues,
		.processes = options->processes,
		.chunks = (input_bytes - 1) / options->chunk_bytes + 1,
	};

	plan.items = plan.chunks > plan.queues ? plan.chunks : plan.queues;
	return plan;
}

/* First byte of the item's chunk, counted from the start of the file. */
static inline uint64_t plan_offset(const struct job_plan *plan, uint64_t item)
{
	return item % plan->chunks * plan->chunk_bytes;
}

/* The chunk's length: chunk_bytes, but for the end of the file. */
static inline uint32_t plan_bytes(const struct job_plan *plan, uint64_t item)
{
	uint64_t left = plan->input_bytes - plan_offset(plan, item);

	return left < plan->chunk_bytes ? (uint32_t)left : plan->chunk_bytes;
}

/* Items of a queue: its number and every queues-th after it. At least one. */
static inline uint64_t plan_queue_items(const struct job_plan *plan, uint32_t queue)
{
	return (plan->items - 1 - queue) / plan->queues + 1;
}

/* Queues of a process: its number and every processes-th after it. At least one. */
static inline uint32_t plan_process_queues(const struct job_plan *plan, uint32_t process)
{
	return (plan->queues - 1 - process) / plan->processes + 1;
}

static inline uint32_t plan_item_process(const struct job_plan *plan, uint64_t item)
{
	return (uint32_t)(item % plan->queues) % plan->processes;
}

#endif /* DXG_JOB_PLAN_H */
