// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uapi/dxg.h>
#include "kernel.h"
#include "status.h"

/* Instance number in the high half, file descriptor + 1 in the low half; 0: none. */
typedef _Atomic UINT64 instance_word;

static instance_word *_Atomic instance;	/* set once; NULL: not yet */
static pthread_once_t instance_once = PTHREAD_ONCE_INIT;
/* Not wiped: a child's instance has a number that its parent has not had. */
static atomic_uint instances;

static void instance_map(void)
{
	size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return;
	if (madvise(page, bytes, MADV_WIPEONFORK)) {
		munmap(page, bytes);
		return;
	}
	atomic_store(&instance, page);
}

static int node_open(void)
{
	int flags = O_RDWR | O_CLOEXEC;
	int fd;

	for (;;) {
		fd = open(DXG_DEVICE_PATH, flags);
		if (fd >= 0 || (errno != EINTR && errno != EACCES))
			return fd;
		if (errno == EINTR)
			continue;
		if (!(flags & O_RDWR))
			return fd;
		flags = O_RDONLY | O_CLOEXEC;
	}
}

static NTSTATUS open_error(int error)
{
	switch (error) {
	case EACCES:
		return STATUS_ACCESS_DENIED;
	case EMFILE:	/* of the process, or of the driver's quota */
	case ENFILE:
	case ENOMEM:
		return STATUS_NO_MEMORY;
	default:
		return STATUS_UNSUCCESSFUL;
	}
}

static NTSTATUS instance_open(UINT64 *word)
{
	UINT64 expected = 0;
	int fd;

	pthread_once(&instance_once, instance_map);
	if (!atomic_load(&instance))
		return STATUS_NO_MEMORY;
	fd = node_open();
	if (fd < 0)
		return open_error(errno);
	*word = (UINT64)(atomic_fetch_add(&instances, 1) + 1) << 32 |
		(UINT)(fd + 1);
	if (!atomic_compare_exchange_strong(atomic_load(&instance), &expected, *word)) {
		close(fd);		/* another thread was first */
		*word = expected;
	}
	return STATUS_SUCCESS;
}

static UINT64 instance_get(void)
{
	instance_word *page = atomic_load_explicit(&instance, memory_order_acquire);

	return page ? atomic_load_explicit(page, memory_order_acquire) : 0;
}

UINT dxg_kernel_instance(void)
{
	return (UINT)(instance_get() >> 32);
}

NTSTATUS dxg_null_argument(const char *function)
{
	return dxg_report(STATUS_INVALID_PARAMETER, "%s: the argument is NULL", function);
}

NTSTATUS dxg_bad_argument(const char *function, const void *args)
{
	return dxg_report(STATUS_ACCESS_VIOLATION, "%s: no such structure at %p", function,
			  args);
}

NTSTATUS dxg_kernel_call(unsigned long request, void *args, enum dxg_call_mode mode)
{
	UINT64 word = instance_get();
	NTSTATUS status;
	int ret;

	if (!word) {
		if (mode != DXG_CALL_MAY_OPEN)
			return STATUS_INVALID_PARAMETER;
		status = instance_open(&word);
		if (!NT_SUCCESS(status))
			return status;
	}
	do {
		ret = ioctl((int)(UINT)word - 1, request, args);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? dxg_status_from_errno(errno) : ret;
}
