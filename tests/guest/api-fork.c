// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fork (UMD-11): a child has none of its parent's objects, is told so, and can begin
 * anew; the parent notices nothing.
 */
#include <sys/wait.h>
#include <unistd.h>
#include "api.h"

static struct dxg_session *session;
static struct dxg_session_handles handles;
static struct dxg_submit_queue *queue;
static struct dxg_buffer buffer;

static struct dxg_commands commands(const struct dxg_buffer *memory)
{
	return (struct dxg_commands) {
		.cpu = memory->cpu,
		.gpuva = memory->gpuva,
		.capacity_bytes = 4096,
	};
}

static NTSTATUS submit_and_wait(struct dxg_submit_queue *to, const struct dxg_buffer *memory)
{
	struct dxg_commands list = commands(memory);
	UINT64 fence;
	NTSTATUS status = dxg_submit(to, &list, BOUND_NS, &fence);

	return status ? status : dxg_wait(to, fence, BOUND_NS);
}

/* Which check failed, 0 if none: the child does not print. */
static int child_inherited(void)
{
	D3DKMT_CREATEDEVICE device = { .hAdapter = handles.adapter };
	struct dxg_commands list = commands(&buffer);
	struct dxg_submit_queue *another;
	UINT64 fence;

	if (D3DKMTCreateDevice(&device) != STATUS_INVALID_PARAMETER)
		return 1;
	if (dxg_submit(queue, &list, 0, &fence) != STATUS_INVALID_PARAMETER || fence)
		return 2;
	if (dxg_wait(queue, 1, 0) != STATUS_INVALID_PARAMETER)
		return 3;
	if (dxg_submit_queue_create(session, NULL, &another) != STATUS_INVALID_PARAMETER)
		return 4;
	if (!api_store_refused(buffer.cpu))
		return 5;
	dxg_submit_queue_destroy(queue, SECOND_NS);
	dxg_session_close(session);
	return 0;
}

static int child_anew(void)
{
	struct dxg_session *own;
	struct dxg_submit_queue *own_queue;
	struct dxg_buffer own_buffer;

	if (dxg_session_open(NULL, &own))
		return 1;
	if (dxg_submit(queue, NULL, 0, NULL) != STATUS_INVALID_PARAMETER)
		return 2;
	if (dxg_submit_queue_create(own, NULL, &own_queue) ||
	    dxg_buffer_create(own, 4096, 0, &own_buffer))
		return 3;
	if (submit_and_wait(own_queue, &own_buffer))
		return 4;
	dxg_submit_queue_destroy(own_queue, 0);
	dxg_buffer_destroy(own, &own_buffer);
	dxg_session_close(own);
	return 0;
}

static void run_child(int (*function)(void), const char *text)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(function());
	waitpid(pid, &status, 0);
	if (!ok(WIFEXITED(status) && !WEXITSTATUS(status), "%s", text))
		diag("child's status 0x%x", (unsigned int)status);
}

int main(void)
{
	session = api_session(&handles);
	if (dxg_submit_queue_create(session, NULL, &queue) ||
	    dxg_buffer_create(session, 4096, 0, &buffer))
		bail("no queue: %s", dxg_last_error());
	expect(submit_and_wait(queue, &buffer), STATUS_SUCCESS, "the parent submits");
	run_child(child_inherited, "a child cannot use what it inherited");
	expect(submit_and_wait(queue, &buffer), STATUS_SUCCESS,
	       "the parent submits, although the child destroyed its copies");
	run_child(child_anew, "a child can begin anew");
	expect(submit_and_wait(queue, &buffer), STATUS_SUCCESS, "the parent submits still");
	dxg_submit_queue_destroy(queue, SECOND_NS);
	dxg_buffer_destroy(session, &buffer);
	dxg_session_close(session);
	return done();
}
