/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of objects that a process has handles of, for tests that do the same with
 * each of them.
 */
#ifndef DXG_TESTS_OBJECTS_H
#define DXG_TESTS_OBJECTS_H

#include "queue.h"

enum object {
	OBJECT_ADAPTER,
	OBJECT_DEVICE,
	OBJECT_CONTEXT,
	OBJECT_PAGING_QUEUE,
	OBJECT_ALLOCATION,
	OBJECT_HWQUEUE,
	OBJECT_FENCE,
	OBJECT_DOORBELL,
	NUM_OBJECTS
};

extern const char *const object_names[NUM_OBJECTS];

/* Calls the destroy function of a kind on any handle. Fences end with their queue alone. */
int32_t object_destroy(struct kmt_session *session, enum object kind, uint32_t handle);

/* The handles of a session and of a queue on it. */
void objects_gather(const struct kmt_session *session, const struct queue *queue,
		    uint32_t handles[NUM_OBJECTS]);

/*
 * Makes one, by itself as far as it can be: 0 if that failed. queue is what a doorbell
 * needs, without one; OBJECT_FENCE cannot be made.
 */
uint32_t object_make(struct kmt_session *session, enum object kind, struct queue *queue);

#endif /* DXG_TESTS_OBJECTS_H */
