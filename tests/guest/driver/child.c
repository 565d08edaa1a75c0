// SPDX-License-Identifier: GPL-2.0-or-later
/* See child.h. */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kmt.h"

struct child_report *child_reports(unsigned int count)
{
	void *memory = mmap(NULL, count * sizeof(struct child_report), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		abort();
	return memory;
}

pid_t child_start(int (*function)(struct child_report *report, void *argument),
		  struct child_report *report, void *argument, bool unprivileged,
		  unsigned int alarm_seconds)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(alarm_seconds);
	if (unprivileged && (setgid(CHILD_UID) || setuid(CHILD_UID)))
		child_fail(report, "cannot become uid %d: errno %d", CHILD_UID, errno);
	_exit(function(report, argument));
}

static void keep_problem(struct child_report *report, const char *format, va_list arguments)
{
	if (!report->problem[0])
		vsnprintf(report->problem, sizeof(report->problem), format, arguments);
}

void child_problem(struct child_report *report, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	keep_problem(report, format, arguments);
	va_end(arguments);
}

void child_fail(struct child_report *report, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	keep_problem(report, format, arguments);
	va_end(arguments);
	_exit(1);
}

void child_stage(struct child_report *report, int stage)
{
	report->stage = stage;
	while (report->go < stage)
		kmt_sleep_us(500);
}

bool child_await(struct child_report *report, pid_t pid, int stage, unsigned int timeout_ms)
{
	uint64_t end = kmt_now_ns() + timeout_ms * 1000000ull;

	while (report->stage < stage) {
		siginfo_t info = { 0 };

		if (kmt_now_ns() > end)
			return false;
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
		    info.si_pid == pid)
			return report->stage >= stage;
		kmt_sleep_us(500);
	}
	return true;
}

bool child_reap(pid_t pid, char *how, size_t bytes)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			snprintf(how, bytes, "no such child");
			return false;
		}
	}
	if (WIFSIGNALED(status))
		snprintf(how, bytes, "signal %d", WTERMSIG(status));
	else
		snprintf(how, bytes, "exit %d", WEXITSTATUS(status));
	return WIFEXITED(status) && !WEXITSTATUS(status);
}
