// SPDX-License-Identifier: MIT
/*
 * The smallest complete program: copy 4096 bytes with the device, wait, check.
 * Build: cc submit-one.c $(pkg-config --cflags --libs dxg)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dxg/submit.h>

#define BYTES		4096
#define TIMEOUT_NS	(5 * 1000000000ull)

static void check(NTSTATUS status)
{
	if (status == STATUS_SUCCESS)
		return;
	fprintf(stderr, "submit-one: %s: %s\n", dxg_status_name(status),
		NT_SUCCESS(status) ? "not done in time" : dxg_last_error());
	exit(1);
}

int main(void)
{
	struct dxg_session *session;
	struct dxg_submit_queue *queue;
	struct dxg_buffer source, target, memory;
	UINT64 fence;

	/* The first adapter, a device, a context on a node that takes submissions. */
	check(dxg_session_open(NULL, &session));

	/* Memory for CPU and device: what to copy, where to, and the commands. */
	check(dxg_buffer_create(session, BYTES, DXG_BUFFER_GPU_READ_ONLY, &source));
	check(dxg_buffer_create(session, BYTES, 0, &target));
	check(dxg_buffer_create(session, BYTES, DXG_BUFFER_GPU_READ_ONLY, &memory));
	memset(source.cpu, 0x5a, BYTES);

	/* A hardware queue with ring and doorbell; it connects at the first use. */
	check(dxg_submit_queue_create(session, NULL, &queue));

	/* One command buffer. dxg_submit() appends the completion fence. */
	struct dxg_commands commands = {
		.cpu = memory.cpu,
		.gpuva = memory.gpuva,
		.capacity_bytes = BYTES,
	};
	check(dxg_commands_copy(&commands, target.gpuva, source.gpuva, BYTES));
	check(dxg_submit(queue, &commands, TIMEOUT_NS, &fence));
	check(dxg_wait(queue, fence, TIMEOUT_NS));

	if (memcmp(source.cpu, target.cpu, BYTES)) {
		fprintf(stderr, "submit-one: the copy differs\n");
		return 1;
	}
	printf("copied %d bytes, fence %llu\n", BYTES, (unsigned long long)fence);

	dxg_submit_queue_destroy(queue, 0);
	dxg_buffer_destroy(session, &memory);
	dxg_buffer_destroy(session, &target);
	dxg_buffer_destroy(session, &source);
	dxg_session_close(session);
	return 0;
}
