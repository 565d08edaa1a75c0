// SPDX-License-Identifier: MIT
/*
 * The text of the last failure, one per thread. A static buffer in thread-local
 * storage: no allocation, so that "out of memory" can be reported too.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "error.h"

static __thread char last_error[384];

const char *dxg_last_error(void)
{
	return last_error;
}

NTSTATUS dxg_report(NTSTATUS status, const char *format, ...)
{
	size_t used;
	va_list args;

	if (NT_SUCCESS(status))
		return status;
	va_start(args, format);
	vsnprintf(last_error, sizeof(last_error), format, args);
	va_end(args);
	used = strlen(last_error);
	snprintf(last_error + used, sizeof(last_error) - used, ": %s (0x%08x)",
		 dxg_status_name(status), (UINT)status);
	return status;
}
