/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each field of each structure of /dev/dxg accepts, as a table.
 *
 * One row per field; the rows of a structure cover each of its bytes, so that a field
 * that somebody adds to uapi/dxg.h without a row here is seen. A structure is that of a
 * call, or one that a call's structure points to. What is done with a row: fields.c.
 */
#ifndef DXG_TESTS_FIELDS_H
#define DXG_TESTS_FIELDS_H

#include "objects.h"

enum field_kind {
	FIELD_ANY,		/* output, padding or not looked at: any value is as good */
	FIELD_ZERO,		/* any bit is refused */
	FIELD_FLAGS,		/* bits that are not in value are refused */
	FIELD_HANDLE,		/* of one of the kinds in value, a mask of 1 << enum object */
	FIELD_NUMBER,		/* those in bad are refused */
	FIELD_INPUT,		/* address of value bytes that are read */
	FIELD_BOTH,		/* address of value bytes that are read and written */
	FIELD_HANDLES,		/* FIELD_INPUT with one handle of the kind in value */
};

#define FIELD_MOST_BAD	5

struct field {
	const char *name;
	uint16_t offset;
	uint16_t bytes;
	enum field_kind kind;
	uint64_t value;
	struct {
		uint64_t value;
		int32_t status;		/* 0: no more */
	} bad[FIELD_MOST_BAD];
};

/* What an answer that cannot be written does. */
enum field_answer {
	ANSWER_NEEDED,		/* the call fails and has made and changed nothing */
	ANSWER_NONE,		/* nothing: the call writes no answer */
};

/* What the calls are made with. */
struct fields_world {
	struct kmt_session session;
	struct queue queue;		/* whole, connected */
	struct queue bare;		/* hardware queue and memory without a doorbell */
	uint32_t kernel_queue;		/* without user-mode submission */
	struct kmt_buffer buffer;	/* resident, mapped and locked */
	uint32_t spare[NUM_OBJECTS];	/* one to destroy; 0: has been */
	uint32_t good[NUM_OBJECTS];
	uint32_t stale[NUM_OBJECTS];
	uint32_t foreign[NUM_OBJECTS];
	/* What structures point to, rewritten before each call. */
	uint32_t handle;
	uint64_t number;
	struct dxg_allocationinfo2 info;
	struct dxgpu_allocation_data data;
	uint8_t blob[64];
};

struct fields_call {
	const char *name;
	unsigned long command;
	enum field_answer answer;
	/* Arguments that are good, for the call's own structure, zeroed before. */
	void (*fill)(struct fields_world *world, void *args);
	/* Takes back what a successful call did; NULL: there is nothing. */
	void (*undo)(struct fields_world *world, void *args);
	/* The structure of the rows if it is not the call's own: where it is in the world. */
	size_t inner_offset;
	size_t inner_bytes;		/* 0: the call's own */
	const struct field *fields;	/* ends with bytes 0 */
};

/* Each ends with a call without a name. */
extern const struct fields_call fields_object_calls[];
extern const struct fields_call fields_memory_calls[];
extern const struct fields_call fields_doorbell_calls[];

/* Makes sure that there is one of a kind to destroy, and gives its handle. */
uint32_t fields_spare(struct fields_world *world, enum object kind);

#endif /* DXG_TESTS_FIELDS_H */
