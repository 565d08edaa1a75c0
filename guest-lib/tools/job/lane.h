/* SPDX-License-Identifier: MIT */
/*
 * dxg-job: one queue with the memory of its items in flight.
 *
 * A lane has up to LANE_DEPTH slots, each with room for a chunk, its copy, the results
 * and the command buffer. Slots are used in turn, so the oldest item in flight is always
 * the next to be checked. A lane that has met an error is dead: it submits nothing more,
 * and what was in flight is lost. Other lanes go on.
 *
 * One thread owns a lane; nothing is locked.
 */
#ifndef DXG_JOB_LANE_H
#define DXG_JOB_LANE_H

#include <dxg/submit.h>
#include "board.h"

#define LANE_DEPTH	4u

/* What all lanes of a process share. */
struct lane_job {
	const struct job_plan *plan;
	struct job_board *board;
	struct job_result *result;
	uint64_t timeout_ns;		/* bound of one item, and of each wait */
	int output;			/* file descriptor */
};

struct lane_flight {
	uint64_t item;
	uint64_t fence;
	uint64_t start_ns;		/* before the submission */
	uint64_t seen_ns;		/* when the fence was seen to be reached; 0 = not yet */
};

struct lane {
	const struct lane_job *job;
	struct dxg_session *session;
	struct dxg_submit_queue *queue;
	struct dxg_buffer source;	/* chunks, then command buffers */
	struct dxg_buffer target;	/* copies, then results, then the chain's cell */
	struct lane_flight flights[LANE_DEPTH];
	uint32_t number;		/* of the queue in the job */
	uint32_t depth;			/* slots: at most LANE_DEPTH, at most the items */
	uint32_t chain;			/* of all items checked so far */
	uint64_t items;			/* to do in all */
	uint64_t submitted;		/* item n of the lane is in slot n mod depth */
	uint64_t checked;
	uint64_t last_fence;
	uint64_t duplicates;		/* go into the result with lane_destroy() */
	bool disturbed;			/* the chain has been wrong before */
	bool dead;
};

/* Return: false with result.error set; lane_destroy() is needed all the same. */
bool lane_create(struct lane *lane, const struct lane_job *job,
		 struct dxg_session *session, uint32_t number);

/* Return: false if nothing could be submitted: no free slot, all done, or dead. */
bool lane_submit(struct lane *lane);

/* Notes the time of fences that have been reached. Cheap, to be called often. */
void lane_observe(struct lane *lane);

/* Checks the oldest item if its fence has been seen. Return: whether it did. */
bool lane_check(struct lane *lane);

/* Start of the oldest item whose fence has not been seen; UINT64_MAX if there is none. */
uint64_t lane_oldest_ns(const struct lane *lane);

/* Waits for that item, until its bound has passed; then the lane is dead. */
void lane_wait(struct lane *lane);

static inline bool lane_finished(const struct lane *lane)
{
	return lane->dead || lane->checked == lane->items;
}

/*
 * Adds the library's counts of the queue to the result; once, when all work is done.
 * Submissions are there already, as this lane counted them; the library's count wins.
 */
void lane_count(const struct lane *lane);

/* When no process submits any more: has the queue done more than it was told? */
void lane_last_look(struct lane *lane);

/* The last counts go into the result, all memory back. A zeroed lane is allowed. */
void lane_destroy(struct lane *lane);

#endif /* DXG_JOB_LANE_H */
