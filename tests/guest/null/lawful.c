// SPDX-License-Identifier: GPL-2.0-or-later
/* See lawful.h. */
#include "lawful.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DOORBELLS	4096u
#define THREADS		256u

/* A living doorbell: kmd is its handle in calls, os in callbacks. */
struct doorbell {
	uint64_t kmd;
	uint64_t os;
	bool bound;
	bool rekick;		/* busy with a connect of a connected one; it binds nothing */
	bool revoked;		/* a callback for it is under way: bound or not any more */
	int busy;		/* thread inside of a call for it, or 0 */
};

struct thread {
	int tid;
	bool in_callback;
	uint64_t os;		/* that it creates a doorbell for, or calls back for */
};

struct state {
	struct doorbell doorbells[DOORBELLS];
	unsigned int doorbell_count;
	struct thread threads[THREADS];
	unsigned int thread_count;
	char *problem;
	size_t bytes;
};

__attribute__((format(printf, 3, 4)))
static bool breach(struct state *state, const struct null_line *line, const char *format, ...)
{
	va_list arguments;
	char what[160];

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	snprintf(state->problem, state->bytes, "%s: %s %s %s", what,
		 line->leave ? "leave" : "enter", line->name, line->text);
	return false;
}

static struct thread *thread_of(struct state *state, int tid)
{
	unsigned int i;

	for (i = 0; i < state->thread_count; i++)
		if (state->threads[i].tid == tid)
			return &state->threads[i];
	if (state->thread_count == THREADS)
		return NULL;
	state->threads[state->thread_count] = (struct thread){ .tid = tid };
	return &state->threads[state->thread_count++];
}

static struct doorbell *doorbell_of(struct state *state, uint64_t kmd)
{
	unsigned int i;

	for (i = 0; i < state->doorbell_count; i++)
		if (state->doorbells[i].kmd == kmd)
			return &state->doorbells[i];
	return NULL;
}

static bool created(struct state *state, struct thread *thread, const struct null_line *line)
{
	uint64_t kmd = null_value(line, "hDoorbell");

	if (!line->leave) {
		thread->os = kmd;
		return true;
	}
	if ((int32_t)null_value(line, "status") < 0)
		return true;
	if (doorbell_of(state, kmd))
		return breach(state, line, "a second create of a living doorbell");
	if (state->doorbell_count == DOORBELLS)
		return breach(state, line, "more doorbells than this test follows");
	state->doorbells[state->doorbell_count++] =
		(struct doorbell){ .kmd = kmd, .os = thread->os };
	return true;
}

/* The end of a connect, disconnect or destroy. */
static void finished(struct state *state, struct doorbell *doorbell, const struct null_line *line)
{
	bool good = (int32_t)null_value(line, "status") >= 0;

	doorbell->busy = 0;
	if (!strcmp(line->name, "ConnectDoorbell"))
		doorbell->bound |= good && !doorbell->rekick;
	else if (!strcmp(line->name, "DisconnectDoorbell"))
		doorbell->bound = false;
	else
		*doorbell = state->doorbells[--state->doorbell_count];
}

static bool used(struct state *state, struct thread *thread, const struct null_line *line)
{
	struct doorbell *doorbell = doorbell_of(state, null_value(line, "hDoorbell"));
	bool connect = !strcmp(line->name, "ConnectDoorbell");
	bool rekick;

	if (!doorbell)
		return breach(state, line, "ILL-5: not a living doorbell");
	if (line->leave) {
		finished(state, doorbell, line);
		return true;
	}
	if (doorbell->busy)
		return breach(state, line, "DDI-CN-11: thread %d is inside", doorbell->busy);
	rekick = null_value(line, "Flags") & 1u << 31;
	if (connect && doorbell->bound && !doorbell->revoked && !rekick)
		return breach(state, line, "ILL-4: bound already");
	doorbell->busy = thread->tid;
	doorbell->rekick = connect && rekick;
	return true;
}

/*
 * When a callback returns, its doorbell is not connected. Before, its connect may just
 * be ending, or its process may have seen the status and may connect it again; the
 * miniport makes that one wait.
 */
static bool called_back(struct state *state, struct thread *thread, const struct null_line *line)
{
	unsigned int i;

	thread->in_callback = !line->leave;
	if (!line->leave)
		thread->os = null_value(line, "hDoorbell");
	for (i = 0; i < state->doorbell_count; i++) {
		if (state->doorbells[i].os != thread->os)
			continue;
		state->doorbells[i].revoked = !line->leave;
		state->doorbells[i].bound &= !line->leave;
	}
	return true;
}

static bool step(struct state *state, const struct null_line *line)
{
	struct thread *thread = thread_of(state, line->tid);

	if (!thread)
		return breach(state, line, "more threads than this test follows");
	if (!line->leave && !null_value(line, "passive"))
		return breach(state, line, "called where one may not sleep");
	if (!strcmp(line->name, "CbDisconnectDoorbell"))
		return called_back(state, thread, line);
	if (thread->in_callback)
		return breach(state, line, "CB-DC-5: from within a callback");
	if (!strcmp(line->name, "CreateDoorbell"))
		return created(state, thread, line);
	if (!strcmp(line->name, "ConnectDoorbell") || !strcmp(line->name, "DisconnectDoorbell") ||
	    !strcmp(line->name, "DestroyDoorbell"))
		return used(state, thread, line);
	return true;
}

bool lawful(const struct null_record *record, char *problem, size_t bytes)
{
	static struct state state;
	unsigned int i;

	memset(&state, 0, sizeof(state));
	state.problem = problem;
	state.bytes = bytes;
	*problem = '\0';
	for (i = 0; i < record->count; i++)
		if (!step(&state, &record->lines[i]))
			return false;
	if (state.doorbell_count) {
		snprintf(problem, bytes, "DDI-DS-2: %u doorbells were never destroyed",
			 state.doorbell_count);
		return false;
	}
	return true;
}
