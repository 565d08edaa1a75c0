/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TAP version 13 for test programs: one line per check, the plan at the end.
 *
 *	int main(void)
 *	{
 *		tap_ok(answer == 42, "the answer is %d", answer);
 *		tap_skip("no second node");
 *		return tap_done();
 *	}
 *
 * Checks may come from several threads, each line is written at once. A failed
 * check does not end the program; tap_bail() does.
 */
#ifndef TESTS_GUEST_TAP_H
#define TESTS_GUEST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic int tap_count;
static _Atomic int tap_failures;

/* A comment line, for what explains a failure. */
__attribute__((format(printf, 1, 2), unused))
static void tap_diag(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("# %s\n", text);
	fflush(stdout);
}

/* Returns condition. The text names what is true when the check passes. */
__attribute__((format(printf, 2, 3), unused))
static bool tap_ok(bool condition, const char *format, ...)
{
	char text[512];
	va_list args;
	int number = ++tap_count;

	if (number == 1)
		printf("TAP version 13\n");
	if (!condition)
		tap_failures++;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("%s %d - %s\n", condition ? "ok" : "not ok", number, text);
	fflush(stdout);
	return condition;
}

/* A check that cannot be made here, and why. */
__attribute__((format(printf, 1, 2), unused))
static void tap_skip(const char *format, ...)
{
	char text[512];
	va_list args;
	int number = ++tap_count;

	if (number == 1)
		printf("TAP version 13\n");
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("ok %d # SKIP %s\n", number, text);
	fflush(stdout);
}

/* Nothing further makes sense. */
__attribute__((format(printf, 1, 2), noreturn, unused))
static void tap_bail(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("Bail out! %s\n", text);
	fflush(stdout);
	exit(1);
}

/* Prints the plan; the exit code of main(). */
__attribute__((unused))
static int tap_done(void)
{
	printf("1..%d\n", (int)tap_count);
	fflush(stdout);
	return tap_failures || !tap_count;
}

#endif /* TESTS_GUEST_TAP_H */
