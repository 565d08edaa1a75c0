/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The null miniport as a test bench of the OS layer: orders to be wrong, and the record of
 * the calls that it got (guest-driver/dxgnull/orders.c and record.c say what there is).
 *
 * A record is a snapshot: lines in the order of what happened, an "enter" and a
 * "leave" for each call. One thread at a time uses it; nothing here prints or exits.
 */
#ifndef DXG_TESTS_NULL_H
#define DXG_TESTS_NULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Loads dxgkrnl with its parameters and dxgnull, misbehaving, with its; 0 or errno. */
int null_load(const char *layer_parameters, const char *parameters);
int null_unload(void);

/* Replaces all orders; "" withdraws them. 0 or errno. */
int null_orders(const char *orders);

struct null_line {
	bool leave;
	const char *name;	/* of the function, without DxgkDdi */
	int tid;
	const char *text;	/* key=value pairs */
};

struct null_record {
	char *text;
	struct null_line *lines;
	unsigned int count;
	unsigned int lost;	/* calls that are not in it */
};

/* Empties the miniport's record. */
bool null_forget(void);

/* Takes a snapshot; null_record_free() it. False if there is none, or calls are lost. */
bool null_record(struct null_record *record);
void null_record_free(struct null_record *record);

/* A value of a line, 0 if it has no such key. */
uint64_t null_value(const struct null_line *line, const char *key);

/* The next line from number at on, NULL if there is none. name NULL: any function. */
const struct null_line *null_next(const struct null_record *record, unsigned int at, bool leave,
				  const char *name);

/* The end of the call that a line begins, NULL if it is not over. */
const struct null_line *null_end(const struct null_record *record, const struct null_line *enter);

/* Number of a line, for null_next(). */
unsigned int null_at(const struct null_record *record, const struct null_line *line);

/* Calls of a function that began; null_count_if(): those with a value. */
unsigned int null_count(const struct null_record *record, const char *name);
unsigned int null_count_if(const struct null_record *record, const char *name, const char *key,
			   uint64_t value);

/* Snapshot, count, free; ~0u if there is no record. */
unsigned int null_calls(const char *name);

#endif /* DXG_TESTS_NULL_H */
