/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the driver tells in /sys/kernel/debug/dxg, for the eyes of a test.
 *
 * "counters" holds the module's object counts, key=value, all of them zero while
 * nobody has /dev/dxg open; "<device>/state" has one line per object. Objects of a
 * process that died may be freed shortly after it was reaped (FH-20), so that a test
 * waits for a baseline instead of looking once.
 */
#ifndef DXG_TESTS_DEBUGFS_H
#define DXG_TESTS_DEBUGFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEBUGFS_TEXT_BYTES	4096u

/* The text of the counters file as one line. False if there is none. */
bool counters_read(char text[DEBUGFS_TEXT_BYTES]);

/*
 * Waits until the counters equal baseline, or are all zero if that is NULL, at most
 * timeout_ms. On failure, last holds what they were at the end.
 */
bool counters_settle(const char *baseline, unsigned int timeout_ms,
		     char last[DEBUGFS_TEXT_BYTES]);

/* Are all counts in the text zero, and is there one at all? */
bool counters_all_zero(const char *text);

/* A key of the adapter's line in "state", 0 if there is no such line or key. */
uint64_t adapter_value(const char *key);

/*
 * Sums a key over the lines of one kind ("queue", "doorbell", "process") of pid,
 * or of all processes if pid is 0; the number of lines goes to *lines if not NULL.
 */
uint64_t state_sum(const char *kind, int pid, const char *key, unsigned int *lines);

/* A key of the first line of "slots", what the miniport says of all of them; 0 if there is none. */
uint64_t slots_value(const char *key);

/*
 * Has the line of a process's queue, or of its doorbell, these characters? file is "state"
 * or "hang", kind "queue" or "doorbell", queue its handle.
 */
bool queue_line_has(const char *file, const char *kind, int pid, uint32_t queue,
		    const char *text);

/* The queue's line in "state" has why=word, now or within two seconds. */
bool queue_why_gets(int pid, uint32_t queue, const char *word);

/* A whole file, or the first that a pattern with "*" finds; false if it is empty. */
bool file_read(const char *pattern, char *text, size_t bytes);

#endif /* DXG_TESTS_DEBUGFS_H */
