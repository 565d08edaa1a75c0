/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the tables of fields.h are written: a macro for each kind of row, one for each kind of call. */
#ifndef DXG_TESTS_FIELD_ROWS_H
#define DXG_TESTS_FIELD_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include "fields.h"

#define PRIVATE_BYTES	16u
#define BAD		STATUS_INVALID_PARAMETER
#define SMALL		STATUS_BUFFER_TOO_SMALL

#define ROW(structure, member, ...) \
	{ #member, offsetof(struct structure, member), sizeof(((struct structure *)0)->member), \
	  __VA_ARGS__ }
#define ANY(structure, member)		ROW(structure, member, FIELD_ANY, 0, { { 0 } })
#define ZERO(structure, member)		ROW(structure, member, FIELD_ZERO, 0, { { 0 } })
#define FLAGS(structure, member, mask)	ROW(structure, member, FIELD_FLAGS, mask, { { 0 } })
#define HANDLE(structure, member, kind)	\
	ROW(structure, member, FIELD_HANDLE, 1u << OBJECT_##kind, { { 0 } })
#define HANDLES(structure, member, kind) \
	ROW(structure, member, FIELD_HANDLES, 1u << OBJECT_##kind, { { 0 } })
#define INPUT(structure, member, bytes)	ROW(structure, member, FIELD_INPUT, bytes, { { 0 } })
#define BOTH(structure, member, bytes)	ROW(structure, member, FIELD_BOTH, bytes, { { 0 } })
#define NUMBER(structure, member, ...)	ROW(structure, member, FIELD_NUMBER, 0, { __VA_ARGS__ })
/* The upper half of a 64-bit field of which only the lower one means something. */
#define HALF(structure, member)	\
	{ #member " (upper half)", offsetof(struct structure, member) + 4, 4, FIELD_ANY, 0, \
	  { { 0 } } }
#define LOWER(structure, member, ...) \
	{ #member, offsetof(struct structure, member), 4, FIELD_NUMBER, 0, { __VA_ARGS__ } }
#define END	{ NULL, 0, 0, FIELD_ANY, 0, { { 0 } } }
#define HEADER(structure) \
	NUMBER(structure, header.size, { 0, BAD }, { 15, BAD }, \
	       { sizeof(struct structure) - 1, BAD }, { KMT_PAGE_BYTES + 1, BAD }, \
	       { 0xffffffff, BAD }), \
	ZERO(structure, header.flags), \
	ANY(structure, header.status), \
	ZERO(structure, header.reserved)

#define CALL(name, command, lower, undo) \
	{ name, command, ANSWER_NEEDED, lower##_fill, undo, 0, 0, lower##_fields }
#define QUIET(name, command, lower, undo) \
	{ name, command, ANSWER_NONE, lower##_fill, undo, 0, 0, lower##_fields }
#define INNER(name, command, fill, undo, member, rows) \
	{ name, command, ANSWER_NEEDED, fill, undo, offsetof(struct fields_world, member), \
	  sizeof(((struct fields_world *)0)->member), rows }
#define END_CALLS	{ NULL, 0, ANSWER_NONE, NULL, NULL, 0, 0, NULL }

static inline uint64_t address(const void *memory)
{
	return (uintptr_t)memory;
}

#endif /* DXG_TESTS_FIELD_ROWS_H */
