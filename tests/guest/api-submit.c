// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The submission helper on the device: results, a full ring, threads, more queues
 * than physical doorbells, and what bad commands do to the own session alone.
 *
 *   api-submit [notify|global]
 *
 * notify: connects answer CONNECTED_NOTIFY_KMD; without it, none does.
 * global: the device is of the global model; without it, it has two slots.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "api.h"

#define EXAMPLE	"/usr/libexec/dxgpu/examples/submit-one"
#define QUEUES	8
#define THREADS	4
#define ROUNDS	100

struct bench {
	struct dxg_session *session;
	struct dxg_submit_queue *queue;
	struct dxg_buffer memory;
};

static void bench_open(struct bench *bench)
{
	bench->session = api_session(NULL);
	if (dxg_submit_queue_create(bench->session, NULL, &bench->queue) ||
	    dxg_buffer_create(bench->session, 1 << 20, 0, &bench->memory))
		bail("no queue: %s", dxg_last_error());
}

static void bench_close(struct bench *bench)
{
	dxg_submit_queue_destroy(bench->queue, SECOND_NS);
	dxg_buffer_destroy(bench->session, &bench->memory);
	dxg_session_close(bench->session);
}

/* Command memory number index, 256 bytes each, in the second half of the memory. */
static struct dxg_commands commands(const struct bench *bench, UINT index)
{
	UINT offset = (1 << 19) + index * 256;

	return (struct dxg_commands) {
		.cpu = (unsigned char *)bench->memory.cpu + offset,
		.gpuva = bench->memory.gpuva + offset,
		.capacity_bytes = 256,
	};
}

static NTSTATUS submit_and_wait(const struct bench *bench, struct dxg_commands *list)
{
	UINT64 fence;
	NTSTATUS status = dxg_submit(bench->queue, list, BOUND_NS, &fence);

	return status ? status : dxg_wait(bench->queue, fence, BOUND_NS);
}

static void test_packets(void)
{
	struct bench bench;
	struct dxg_commands list;
	uint32_t *words;
	UINT64 base;
	UINT i, wrong = 0;

	bench_open(&bench);
	words = bench.memory.cpu;
	base = bench.memory.gpuva;
	list = commands(&bench, 0);
	memcpy(words + 4096, "123456789", 9);
	dxg_commands_fill(&list, base, 0x12345678, 4096);
	dxg_commands_copy(&list, base + 8192, base, 4096);
	dxg_commands_crc32c(&list, base + 65536, base + 16384, 9, 0);
	expect(submit_and_wait(&bench, &list), STATUS_SUCCESS, "fill, copy, CRC-32C");
	for (i = 0; i < 1024; i++)
		wrong += words[i] != 0x12345678 || words[2048 + i] != 0x12345678;
	ok(!wrong, "filled and copied");
	ok(words[16384] == 0xe3069283, "CRC-32C of \"123456789\" is 0x%08x", words[16384]);
	ok(dxg_submit_queue_progress(bench.queue) == 1, "the progress fence is 1");
	bench_close(&bench);
}

/* 300 submissions into a ring of 128, without waiting in between. */
static void test_ring(bool notify)
{
	struct dxg_submit_stats stats;
	struct bench bench;
	UINT64 fence = 0;
	UINT failures = 0, i;

	bench_open(&bench);
	for (i = 0; i < 300; i++) {
		struct dxg_commands list = commands(&bench, i);

		failures += dxg_submit(bench.queue, &list, BOUND_NS, &fence) ||
			    fence != i + 1;
	}
	ok(!failures, "300 submissions into a ring of 128 entries (UMD-8)");
	expect(dxg_wait(bench.queue, fence, BOUND_NS), STATUS_SUCCESS, "wait for the last");
	for (i = 0; i < 1000 && dxg_submit_queue_completed(bench.queue) < 300; i++)
		sched_yield();
	ok(dxg_submit_queue_completed(bench.queue) == 300, "RP is 300");
	dxg_submit_queue_get_stats(bench.queue, &stats);
	ok(notify ? stats.notifies >= 299 : !stats.notifies,
	   "%llu calls of D3DKMTNotifyWorkSubmission, only where the status asks for them (KMT-NW-3)",
	   (unsigned long long)stats.notifies);
	expect(dxg_submit_kick(bench.queue, BOUND_NS), STATUS_SUCCESS, "a spurious ring");
	ok(dxg_submit_queue_completed(bench.queue) == 300 &&
	   dxg_submit_queue_progress(bench.queue) == 300,
	   "executes nothing again (ORD-25)");
	expect(dxg_wait(bench.queue, 301, 0), STATUS_INVALID_PARAMETER,
	       "wait for what was never submitted");
	bench_close(&bench);
}

static bool fires(int event, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = event, .events = POLLIN };
	eventfd_t value;

	return poll(&poll_fd, 1, timeout_ms) > 0 && !eventfd_read(event, &value);
}

/* The kernel's own wait, blocking and by event, for all and for any (MF-3). */
static void test_kernel_wait(void)
{
	struct dxg_session_handles handles;
	struct bench bench;
	D3DKMT_CREATEHWQUEUE idle = { .Flags.UserModeSubmission = 1 };
	struct dxg_commands list;
	D3DKMT_HANDLE objects[2];
	UINT64 values[2] = { 1, 1 };
	D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU wait = {
		.ObjectCount = 1,
		.ObjectHandleArray = objects,
		.FenceValueArray = values,
	};
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	bench_open(&bench);
	dxg_session_get_handles(bench.session, &handles);
	wait.hDevice = handles.device;
	wait.hAsyncEvent = (HANDLE)(intptr_t)event;
	idle.hHwContext = handles.context;
	expect(D3DKMTCreateHwQueue(&idle), STATUS_SUCCESS, "a queue that stays idle");
	objects[0] = dxg_submit_queue_fence(bench.queue);
	objects[1] = idle.hHwQueueProgressFence;

	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_SUCCESS,
	       "arm an event for fence value 1");
	ok(!fires(event, 50), "it does not fire before");
	list = commands(&bench, 0);
	expect(submit_and_wait(&bench, &list), STATUS_SUCCESS, "submit");
	ok(fires(event, 5000), "it fires");
	wait.ObjectCount = 2;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_SUCCESS,
	       "arm it for both queues");
	ok(!fires(event, 50), "one of them is not enough");
	wait.Flags.WaitAny = 1;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_SUCCESS,
	       "arm it for any");
	ok(fires(event, 5000), "one is enough");
	wait.hAsyncEvent = NULL;
	expect(D3DKMTWaitForSynchronizationObjectFromCpu(&wait), STATUS_SUCCESS,
	       "block for any");
	bench_close(&bench);
	close(event);
}

struct thread {
	struct bench *bench;
	UINT index;
	atomic_uint *failures;
};

static void *submit_thread(void *argument)
{
	struct thread *thread = argument;
	UINT i;

	for (i = 0; i < ROUNDS; i++) {
		struct dxg_commands list = commands(thread->bench, thread->index);

		*thread->failures += submit_and_wait(thread->bench, &list) != 0;
	}
	return NULL;
}

static void test_threads(void)
{
	struct bench bench;
	struct thread threads[THREADS];
	pthread_t ids[THREADS];
	atomic_uint failures = 0;
	UINT i;

	bench_open(&bench);
	for (i = 0; i < THREADS; i++) {
		threads[i] = (struct thread) { &bench, i, &failures };
		pthread_create(&ids[i], NULL, submit_thread, &threads[i]);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	ok(!failures, "%d threads submit %d times to one queue (UMD-7)", THREADS, ROUNDS);
	ok(dxg_submit_queue_progress(bench.queue) == THREADS * ROUNDS,
	   "the progress fence is %d", THREADS * ROUNDS);
	bench_close(&bench);
}

static void test_many(bool global)
{
	struct bench benches[QUEUES];
	struct dxg_submit_stats stats;
	UINT64 reconnects = 0;
	UINT failures = 0, i, round;

	for (i = 0; i < QUEUES; i++)
		bench_open(&benches[i]);
	for (round = 0; round < 20; round++) {
		for (i = 0; i < QUEUES; i++) {
			struct dxg_commands list = commands(&benches[i], 0);

			failures += submit_and_wait(&benches[i], &list) != 0;
		}
	}
	ok(!failures, "%d queues of as many devices, 20 rounds", QUEUES);
	for (i = 0; i < QUEUES; i++) {
		dxg_submit_queue_get_stats(benches[i].queue, &stats);
		reconnects += stats.reconnects;
		failures += stats.submissions != 20 || stats.connects_first != 1;
	}
	ok(!failures, "each submitted 20 times, connected a first time");
	ok(global ? !reconnects : reconnects,
	   "%llu reconnects: doorbells are taken away, but in the global model (SM-6, MOD-7)",
	   (unsigned long long)reconnects);
	for (i = 0; i < QUEUES; i++)
		bench_close(&benches[i]);
}

/* One command that must cost its queue; the neighbour must not notice. */
static void test_fault(void (*build)(struct bench *bench, struct dxg_commands *list),
		       D3DKMT_DEVICEEXECUTION_STATE wanted, const char *text)
{
	D3DKMT_GETDEVICESTATE state = { .StateType = D3DKMT_DEVICESTATE_EXECUTION };
	struct dxg_session_handles handles;
	struct bench bench, neighbour;
	struct dxg_commands list;
	UINT64 fence = 0;
	NTSTATUS status;

	bench_open(&bench);
	bench_open(&neighbour);
	list = commands(&bench, 0);
	build(&bench, &list);
	status = dxg_submit(bench.queue, &list, BOUND_NS, &fence);
	if (!status)
		status = dxg_wait(bench.queue, fence, BOUND_NS);
	expect(status, STATUS_DEVICE_REMOVED, "%s", text);
	diag("%s", dxg_last_error());
	dxg_session_get_handles(bench.session, &handles);
	state.hDevice = handles.device;
	expect(D3DKMTGetDeviceState(&state), STATUS_SUCCESS, "its device's state");
	ok(state.ExecutionState == wanted, "is %d (%d)", state.ExecutionState, wanted);
	list = commands(&bench, 1);
	expect(dxg_submit(bench.queue, &list, 0, &fence), STATUS_DEVICE_REMOVED,
	       "a further submission");
	list = commands(&neighbour, 0);
	expect(submit_and_wait(&neighbour, &list), STATUS_SUCCESS, "the neighbour goes on");
	bench_close(&bench);
	bench_close(&neighbour);
	bench_open(&bench);
	list = commands(&bench, 0);
	expect(submit_and_wait(&bench, &list), STATUS_SUCCESS, "a new session works (UMD-4)");
	bench_close(&bench);
}

static void build_unmapped(struct bench *bench, struct dxg_commands *list)
{
	dxg_commands_copy(list, 0x7000000000, bench->memory.gpuva, 64);
}

static void build_bad_packet(struct bench *bench, struct dxg_commands *list)
{
	struct dxgpu_packet_header header = dxg_packet_header(0x7f, 0, sizeof(header));

	(void)bench;
	dxg_commands_append(list, &header, sizeof(header));
}

static void build_bad_address(struct bench *bench, struct dxg_commands *list)
{
	(void)bench;
	list->gpuva = 0x7100000000;
}

static void test_bad_options(void)
{
	struct dxg_session_options bad = { .size = 3 };
	struct dxg_submit_queue_options odd = { .size = sizeof(odd), .ring_entries = 200 };
	struct dxg_session *session;
	struct dxg_submit_queue *queue;
	struct dxg_buffer buffer;

	expect(dxg_session_open(&bad, &session), STATUS_INVALID_PARAMETER,
	       "options of a wrong size");
	bad = (struct dxg_session_options) { .size = sizeof(bad), .adapter_index = 99 };
	expect(dxg_session_open(&bad, &session), STATUS_INVALID_PARAMETER, "adapter 99");
	bad = (struct dxg_session_options) { .size = sizeof(bad), .node = 99 };
	expect(dxg_session_open(&bad, &session), STATUS_INVALID_PARAMETER, "node 99");
	diag("%s", dxg_last_error());
	session = api_session(NULL);
	expect(dxg_submit_queue_create(session, &odd, &queue), STATUS_INVALID_PARAMETER,
	       "a ring of 200 entries");
	diag("%s", dxg_last_error());
	odd.ring_entries = 1024;
	expect(dxg_submit_queue_create(session, &odd, &queue), STATUS_SUCCESS,
	       "a ring of 1024 entries");
	dxg_submit_queue_destroy(queue, 0);
	expect(dxg_buffer_create(session, 0, 0, &buffer), STATUS_INVALID_PARAMETER,
	       "a buffer of 0 bytes");
	expect(dxg_buffer_create(session, 1ull << 40, 0, &buffer), STATUS_INVALID_PARAMETER,
	       "a buffer of 2^40 bytes");
	dxg_session_close(session);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	fflush(stdout);
	ok(!system(EXAMPLE " >/dev/null"), "the example runs");
	test_packets();
	test_ring(!strcmp(how, "notify"));
	test_kernel_wait();
	test_threads();
	test_many(!strcmp(how, "global"));
	test_fault(build_unmapped, D3DKMT_DEVICEEXECUTION_ERROR_DMAPAGEFAULT,
		   "a copy to an address that is not mapped");
	test_fault(build_bad_packet, D3DKMT_DEVICEEXECUTION_ERROR_DMAFAULT,
		   "an unknown packet");
	test_fault(build_bad_address, D3DKMT_DEVICEEXECUTION_ERROR_DMAPAGEFAULT,
		   "a command buffer that is not mapped");
	test_bad_options();
	return done();
}
