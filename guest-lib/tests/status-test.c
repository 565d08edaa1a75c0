// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of statuses, error numbers, error texts: no device needed. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <dxg/error.h>
#include "error.h"
#include "status.h"
#include "tap.h"

/* The table of dxgkrnl/status.c, read backwards. */
static const struct {
	int error;
	NTSTATUS status;
} pairs[] = {
	{ EINVAL, STATUS_INVALID_PARAMETER },
	{ ENODEV, STATUS_DEVICE_REMOVED },
	{ ENOMEM, STATUS_NO_MEMORY },
	{ EFAULT, STATUS_ACCESS_VIOLATION },
	{ EOVERFLOW, STATUS_BUFFER_TOO_SMALL },
	{ EPERM, STATUS_NOT_SUPPORTED },
	{ ENOTTY, STATUS_NOT_SUPPORTED },
	{ EBUSY, STATUS_DEVICE_BUSY },
	{ EBADF, STATUS_INVALID_HANDLE },
	{ EACCES, STATUS_ACCESS_DENIED },
	{ EOPNOTSUPP, STATUS_ILLEGAL_INSTRUCTION },
	{ EPROTOTYPE, STATUS_OBJECT_TYPE_MISMATCH },
	{ ENOENT, STATUS_OBJECT_NAME_INVALID },
	{ EEXIST, STATUS_OBJECT_NAME_COLLISION },
	{ ENOSPC, STATUS_INSUFFICIENT_RESOURCES },
	{ EINPROGRESS, STATUS_GRAPHICS_ALLOCATION_BUSY },
	{ EAGAIN, STATUS_TIMEOUT },
	{ EXDEV, STATUS_UNSUCCESSFUL },
};

static void *other_thread(void *seen)
{
	*(bool *)seen = dxg_last_error()[0];
	return NULL;
}

static void test_errors(void)
{
	pthread_t thread;
	bool seen = true;
	char text[64];

	ok(!dxg_last_error()[0], "no error before the first failure");
	ok(dxg_report(STATUS_PENDING, "a success") == STATUS_PENDING &&
	   !dxg_last_error()[0], "a success leaves no text");
	ok(dxg_report(STATUS_NO_MEMORY, "call: value %d (0..3)", 7) ==
	   STATUS_NO_MEMORY, "a failure comes back");
	ok(!strcmp(dxg_last_error(),
		   "call: value 7 (0..3): STATUS_NO_MEMORY (0xc0000017)"),
	   "its text names call, value, range and status");
	pthread_create(&thread, NULL, other_thread, &seen);
	pthread_join(thread, NULL);
	ok(!seen, "another thread has a text of its own");

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	dxg_report(STATUS_NO_MEMORY, "%s%s%s%s%s%s%s%s", text, text, text, text, text,
		   text, text, text);
	ok(strlen(dxg_last_error()) < 512, "a long text is cut");
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		ok(dxg_status_from_errno(pairs[i].error) == pairs[i].status,
		   "error %d is %s", pairs[i].error,
		   dxg_status_name(pairs[i].status));
	ok(!strcmp(dxg_status_name(STATUS_DEVICE_REMOVED),
		   "STATUS_DEVICE_REMOVED"), "a status has its name");
	ok(!strcmp(dxg_status_name(0x1234), "unknown status"),
	   "an unknown status has none");
	ok(NT_SUCCESS(STATUS_PENDING) && NT_SUCCESS(STATUS_TIMEOUT) &&
	   !NT_SUCCESS(STATUS_DEVICE_BUSY), "NT_SUCCESS is the sign");
	test_errors();
	return done();
}
