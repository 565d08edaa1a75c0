/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children of a driver test: unprivileged processes that do the work and report
 * by memory that they share with the parent, who alone prints TAP.
 *
 * A child that finds something wrong writes it to its report and goes on to the end
 * of its function, or leaves by child_fail(). A child that hangs is killed by its own
 * alarm, so that a test ends with a finding instead of the harness's time-out.
 */
#ifndef DXG_TESTS_CHILD_H
#define DXG_TESTS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_UID	65534

struct child_report {
	volatile int stage;		/* how far the child is; the test numbers them */
	volatile int go;		/* how far the parent lets it go */
	volatile uint64_t values[16];	/* what the test wants to know */
	char problem[256];		/* the first thing that was wrong, or "" */
};

/* Memory for a number of reports, zeroed, shared with children. Never NULL. */
struct child_report *child_reports(unsigned int count);

/*
 * Forks; the child drops its privileges if unprivileged, arms an alarm and runs the
 * function, whose result is the exit code.
 */
pid_t child_start(int (*function)(struct child_report *report, void *argument),
		  struct child_report *report, void *argument, bool unprivileged,
		  unsigned int alarm_seconds);

/* In the child: keeps the first problem. */
__attribute__((format(printf, 2, 3)))
void child_problem(struct child_report *report, const char *format, ...);

/* In the child: keeps the problem and exits with 1. */
__attribute__((format(printf, 2, 3), noreturn))
void child_fail(struct child_report *report, const char *format, ...);

/* In the child: tells its stage and waits until the parent lets it go there. */
void child_stage(struct child_report *report, int stage);

/* In the parent: waits until the stage is reached; false if the child ended or time is up. */
bool child_await(struct child_report *report, pid_t pid, int stage, unsigned int timeout_ms);

/* In the parent: reaps; true if it exited with 0 by itself. how gets a text, e.g. "signal 9". */
bool child_reap(pid_t pid, char *how, size_t bytes);

#endif /* DXG_TESTS_CHILD_H */
