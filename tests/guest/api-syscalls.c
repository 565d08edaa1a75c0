// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connected queue is submitted to without the kernel: MOD-14.
 *
 *   api-syscalls [SUBMISSIONS]
 *
 * Instead of counting, the kernel forbids: the child enters seccomp's strict mode, in
 * which any system call but read, write and exit kills it, then submits through the
 * library and looks at the progress fence. It gets to its exit only if it made no call.
 */
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "api.h"

#define WARM_UP	16u

struct result {
	volatile UINT64 done;			/* submissions whose fence came */
	volatile UINT64 connects;
	volatile UINT64 forbidden;		/* the strict mode is on */
	volatile UINT64 status;
};

static struct result *result;

static NTSTATUS submit_one(struct dxg_submit_queue *queue, const struct dxg_buffer *buffer)
{
	struct dxg_commands commands = {
		.cpu = buffer->cpu,
		.gpuva = buffer->gpuva,
		.capacity_bytes = 4096,
	};
	NTSTATUS status;
	UINT64 fence;

	/* A bounded submission reads the clock, which some machines do by a call. */
	status = dxg_submit(queue, &commands, DXG_FOREVER, &fence);
	while (!status && dxg_submit_queue_progress(queue) < fence)
		__builtin_ia32_pause();
	return status;
}

static void child(unsigned int submissions)
{
	struct dxg_session *session = api_session(NULL);
	struct dxg_submit_queue *queue;
	struct dxg_submit_stats stats;
	struct dxg_buffer buffer;
	NTSTATUS status;
	unsigned int i;

	status = dxg_submit_queue_create(session, NULL, &queue);
	if (!status)
		status = dxg_buffer_create(session, 4096, 0, &buffer);
	for (i = 0; i < WARM_UP && !status; i++)
		status = submit_one(queue, &buffer);
	result->status = (UINT)status;
	if (status || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		syscall(SYS_exit, 2);
	result->forbidden = 1;
	for (i = 0; i < submissions && !status; i++) {
		status = submit_one(queue, &buffer);
		result->done += !status;
	}
	result->status = (UINT)status;
	dxg_submit_queue_get_stats(queue, &stats);
	result->connects = stats.connects_first + stats.reconnects;
	/* exit_group() is forbidden, too. */
	syscall(SYS_exit, 0);
}

int main(int argc, char **argv)
{
	unsigned int submissions = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
					      dxg_count(10000, 1000000);
	int status = 0;
	pid_t pid;

	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (result == MAP_FAILED)
		bail("no shared memory");
	fflush(stdout);
	pid = fork();
	if (!pid)
		child(submissions);
	waitpid(pid, &status, 0);
	if (!result->forbidden) {
		if (result->status)
			bail("set-up: status 0x%x", (UINT)result->status);
		skip(2, "this kernel has no seccomp");
		return done();
	}
	if (!ok(WIFEXITED(status) && !WEXITSTATUS(status) && result->done == submissions,
		"%llu of %u submissions were made and done without a system call (MOD-14)",
		(unsigned long long)result->done, submissions))
		diag("the child: %s %d; status 0x%x", WIFSIGNALED(status) ? "signal" : "exit",
		     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
		     (UINT)result->status);
	ok(result->connects == 1, "with the first connect alone (%llu)",
	   (unsigned long long)result->connects);
	return done();
}
