/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of the D3DKMT calls share: a check of a status, a session to begin
 * with, and an access that is expected to be refused.
 */
#ifndef DXG_TESTS_API_H
#define DXG_TESTS_API_H

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <dxg/submit.h>
#include "tap.h"

#define SECOND_NS	1000000000ull
/* Nothing in these tests takes that long. */
#define BOUND_NS	(10 * SECOND_NS)

/* A check that a call returned a status; the format says what was tried. */
#define expect(status, wanted, ...)						\
	api_expect((status), (wanted), ok_text(__VA_ARGS__), __FILE__, __LINE__)

__attribute__((format(printf, 1, 2)))
static inline const char *ok_text(const char *format, ...)
{
	static char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

static inline bool api_expect(NTSTATUS status, NTSTATUS wanted, const char *text,
			      const char *file, int line)
{
	tap_check(status == wanted, file, line, "%s: %s", text,
		  dxg_status_name(wanted));
	if (status != wanted)
		diag("got %s (0x%08x); last error: %s", dxg_status_name(status),
		     (unsigned int)status, dxg_last_error());
	return status == wanted;
}

/* A session on the first adapter; without one there is nothing to test. */
static inline struct dxg_session *api_session(struct dxg_session_handles *handles)
{
	struct dxg_session *session;

	if (dxg_session_open(NULL, &session))
		bail("no session: %s", dxg_last_error());
	if (handles)
		dxg_session_get_handles(session, handles);
	return session;
}

static sigjmp_buf api_fault_return;

static inline void api_fault(int number)
{
	siglongjmp(api_fault_return, number);
}

/* Does the store raise a signal? */
static inline bool api_store_refused(volatile UINT64 *word)
{
	struct sigaction action = { .sa_handler = api_fault }, segv, bus;
	bool refused = true;

	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	if (!sigsetjmp(api_fault_return, 1)) {
		*word = 0x5a5a;
		refused = false;
	}
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return refused;
}

/* A pointer that no process can read or write. */
#define BAD_POINTER	((void *)(uintptr_t)0x10)
/* A handle that nobody has been given. */
#define BAD_HANDLE	0x3fffffc0u

#endif /* DXG_TESTS_API_H */
