/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Test Anything Protocol, version 13, for programs that run in the guest.
 *
 * A program calls ok() once per check and ends with "return done();". The plan
 * may be given first, by plan(), or is printed by done() at the end: a program
 * that dies in between has no plan, and so fails.
 *
 * The counters belong to the one translation unit that reports, on one thread:
 * threads and children hand their findings to it. Every line is flushed, so
 * that what happened before a crash is seen.
 *
 * How often a test does what it does, dxg_count() says: a few times as a rule, as often as
 * the requirement wants under `scripts/dxg test --long`.
 */
#ifndef DXG_TESTS_TAP_H
#define DXG_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int tap_planned;
static unsigned int tap_run;
static unsigned int tap_failed;

static inline void tap_begin(void)
{
	static bool begun;

	if (!begun) {
		begun = true;
		printf("TAP version 13\n");
	}
}

/* One of two counts: the usual one, or with DXG_LONG=1 in the environment the full one. */
static inline unsigned int dxg_count(unsigned int usual, unsigned int full)
{
	const char *text = getenv("DXG_LONG");

	return text && !strcmp(text, "1") ? full : usual;
}

/* Announces the number of checks; to be called first, if at all. */
static inline void plan(unsigned int checks)
{
	tap_begin();
	tap_planned = checks;
	printf("1..%u\n", checks);
	fflush(stdout);
}

/* A remark for the reader of the log; several lines stay remarks. */
__attribute__((format(printf, 1, 2)))
static inline void diag(const char *format, ...)
{
	char text[1024], *line, *rest;
	va_list arguments;

	tap_begin();
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		printf("# %s\n", line);
	fflush(stdout);
}

__attribute__((format(printf, 4, 5)))
static inline bool tap_check(bool good, const char *file, int line, const char *format, ...)
{
	va_list arguments;

	tap_begin();
	printf("%sok %u - ", good ? "" : "not ", ++tap_run);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	if (!good) {
		tap_failed++;
		printf("# failed at %s:%d\n", file, line);
	}
	fflush(stdout);
	return good;
}

/* One check, named by a format that says what must hold. Gives the condition back. */
#define ok(condition, ...) tap_check((condition), __FILE__, __LINE__, __VA_ARGS__)

/* Counts checks that cannot be made here, with the reason. */
static inline void skip(unsigned int checks, const char *reason)
{
	tap_begin();
	while (checks--)
		printf("ok %u # SKIP %s\n", ++tap_run, reason);
	fflush(stdout);
}

/* Gives up: nothing that follows could say anything. */
__attribute__((format(printf, 1, 2), noreturn))
static inline void bail(const char *format, ...)
{
	va_list arguments;

	tap_begin();
	printf("Bail out! ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	exit(1);
}

/* Gives up unless this NTSTATUS is STATUS_SUCCESS: of a call that the test stands on. */
static inline void must(int32_t status, const char *what)
{
	if (status)
		bail("%s: status %#x", what, (uint32_t)status);
}

/* Ends the report; the value is the program's exit code. */
static inline int done(void)
{
	tap_begin();
	if (!tap_planned)
		printf("1..%u\n", tap_run);
	if (tap_planned && tap_planned != tap_run)
		printf("# planned %u checks, made %u\n", tap_planned, tap_run);
	fflush(stdout);
	return tap_failed || (tap_planned && tap_planned != tap_run);
}

#endif /* DXG_TESTS_TAP_H */
