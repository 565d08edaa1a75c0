// SPDX-License-Identifier: MIT
/*
 * process_vm_readv() and process_vm_writev() on this very process. Where a sandbox
 * forbids them the memory is accessed as usual, and a bad address is a signal.
 *
 * Rejected: a handler for SIGSEGV, which belongs to the program; mincore(), which knows
 * nothing of protection.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "access.h"

static bool forbidden(ssize_t done)
{
	return done < 0 && (errno == ENOSYS || errno == EPERM);
}

bool dxg_copy_from_caller(void *to, const void *caller, size_t bytes)
{
	struct iovec ours = { .iov_base = to, .iov_len = bytes };
	struct iovec theirs = { .iov_base = (void *)caller, .iov_len = bytes };
	ssize_t done = process_vm_readv(getpid(), &ours, 1, &theirs, 1, 0);

	if (forbidden(done)) {
		memcpy(to, caller, bytes);
		return true;
	}
	return done == (ssize_t)bytes;
}

bool dxg_copy_to_caller(void *caller, const void *from, size_t bytes)
{
	struct iovec ours = { .iov_base = (void *)from, .iov_len = bytes };
	struct iovec theirs = { .iov_base = caller, .iov_len = bytes };
	ssize_t done = process_vm_writev(getpid(), &ours, 1, &theirs, 1, 0);

	if (forbidden(done)) {
		memcpy(caller, from, bytes);
		return true;
	}
	return done == (ssize_t)bytes;
}

bool dxg_caller_readable(const void *caller, size_t bytes)
{
	unsigned char copy[64];
	size_t part;

	for (; bytes; bytes -= part, caller = (const unsigned char *)caller + part) {
		part = bytes < sizeof(copy) ? bytes : sizeof(copy);
		if (!dxg_copy_from_caller(copy, caller, part))
			return false;
	}
	return true;
}
