/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second user of the device who takes physical doorbells away from the first: as
 * many queues as there are slots, so that connecting all of them leaves no slot to
 * anybody else (SM-6, reason 2). In the global model it is a neighbour with one queue, who
 * takes nothing from anybody.
 */
#ifndef DXG_TESTS_RIVAL_H
#define DXG_TESTS_RIVAL_H

#include "queue.h"

struct rival {
	struct kmt_session session;
	struct queue *queues;
	uint32_t count;
};

int32_t rival_create(struct rival *rival);
int32_t rival_destroy(struct rival *rival);

/* Connects until victim's STAT is not CONNECTED any more; false if it stays. */
bool rival_steal(struct rival *rival, const struct queue *victim);

/* Destroys the rival's doorbells and makes new ones: all slots are free again. */
int32_t rival_yield(struct rival *rival);

#endif /* DXG_TESTS_RIVAL_H */
