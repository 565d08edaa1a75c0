// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process ends at each point of a submission, in each way, and with threads in every
 * call (T27, T28, FH-18, FH-19, FH-21, FH-24, FH-25, OBJ-12, OBJ-24, PF-3, PF-5, KMT-CD-5, DDI-DC-5).
 *
 *   driver-points [ROUNDS [SEED]]
 *
 * A normal end lets what is in the ring run, be it that its ring came in time, be it that
 * it went into the dummy page after the doorbell was taken away; a queue that was never
 * connected has no work. An abnormal end may cut off anything. Nothing runs once the
 * process is gone, and nothing of it is left. The work is a fill of memory that the
 * parent shares. ROUNDS is how often each end meets threads in every call; the seed is
 * printed and draws the moments.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "noise.h"
#include "objects.h"
#include "rival.h"

#define MARK		0x5bd1e995u
#define CHILD_SECONDS	60u
#define SETTLE_MS	15000u
#define MOST_DELAY_US	8000u
#define EXECED		"--execed"

enum point {
	POINT_BEGIN, POINT_COMMANDS, POINT_LAST_QUEUED, POINT_ENTRY, POINT_WRITE_POINTER,
	POINT_RING, POINT_STATUS, POINT_CONNECT, POINT_RING_AGAIN, NUM_POINTS
};

static const char *const point_names[NUM_POINTS] = {
	"before all", "after the commands", "after LQ", "after the entry", "after WP",
	"after the ring", "after the look at STAT", "after the connect", "after the second ring",
};

enum state { STATE_CREATED, STATE_CONNECTED, STATE_VICTIMIZED, NUM_STATES };

static const char *const state_names[NUM_STATES] = { "created", "connected", "victimized" };

enum ending { END_EXIT, END_CLOSE, END_EXEC, END_KILL, END_ABORT, NUM_ENDINGS };

static const char *const ending_names[NUM_ENDINGS] = {
	"exit", "close", "exec", "SIGKILL", "SIGABRT",
};

static volatile uint32_t *shared;	/* a page; its first word is the mark */

static void end(enum ending ending, int fd)
{
	const struct rlimit no_core = { 0, 0 };

	switch (ending) {
	case END_CLOSE:
		close(fd);
		_exit(0);
	case END_EXEC:
		execl("/proc/self/exe", "driver-points", EXECED, NULL);
		_exit(1);
	case END_KILL:
		kill(getpid(), SIGKILL);
		_exit(1);
	case END_ABORT:
		setrlimit(RLIMIT_CORE, &no_core);
		abort();
	default:
		_exit(0);
	}
}

/* ---- the points of a submission ---- */

struct scene {
	enum point point;
	enum state state;
	enum ending ending;
};

static int32_t share(struct kmt_session *session, uint64_t *gpuva)
{
	uint32_t allocation;
	int32_t status = kmt_allocation_pin(session, (void *)(uintptr_t)shared, KMT_PAGE_BYTES,
					    &allocation);

	if (NT_SUCCESS(status))
		status = kmt_make_resident(session, allocation);
	if (NT_SUCCESS(status))
		status = kmt_map(session, allocation, 0, 1, DXG_PROTECTION_WRITE, gpuva);
	return status;
}

/* One submission, cut at its joints; ends the process at the point. */
static int submit_until(struct child_report *report, void *argument)
{
	const struct scene *scene = argument;
	volatile struct dxgpu_ring_control *control;
	struct dxgpu_ring_entry *ring;
	struct dxg_commands commands;
	struct kmt_session session;
	struct rival rival;
	struct queue queue;
	uint64_t gpuva = 0, fence, stat = 0;
	int32_t status;

	status = kmt_session_open(&session, NULL, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = share(&session, &gpuva);
	if (NT_SUCCESS(status) && scene->state != STATE_CREATED)
		status = queue_probe(&queue);
	if (NT_SUCCESS(status) && scene->state == STATE_VICTIMIZED)
		status = rival_create(&rival);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	if (scene->state == STATE_VICTIMIZED && !rival_steal(&rival, &queue))
		child_fail(report, "the rival cannot take the slot");
	report->stage = 1;
	control = queue.control.cpu;
	ring = queue.ring.cpu;
#define REACHED(where) do { \
	if (scene->point == (where)) \
		end(scene->ending, session.fd); \
} while (0)

	REACHED(POINT_BEGIN);
	commands = queue_commands(&queue);
	fence = queue.fence_base + queue.wp + 1;
	dxg_commands_fill(&commands, gpuva, MARK, sizeof(MARK) * 2);
	dxg_commands_fence(&commands, queue.fence_gpuva, fence, DXGPU_FENCE_INTERRUPT);
	REACHED(POINT_COMMANDS);
	*queue.last_queued = fence;
	REACHED(POINT_LAST_QUEUED);
	ring[queue.wp % queue.entries] = (struct dxgpu_ring_entry) {
		.command_gpuva = commands.gpuva,
		.command_bytes = commands.bytes,
		.fence_value = fence,
	};
	REACHED(POINT_ENTRY);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	control->wp = ++queue.wp;
	REACHED(POINT_WRITE_POINTER);
	*queue.bell = queue.wp;
	REACHED(POINT_RING);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	stat = *queue.stat;
	REACHED(POINT_STATUS);
	if ((stat == DXG_DOORBELLSTATUS_CONNECTED) != (scene->state == STATE_CONNECTED))
		child_fail(report, "STAT is %llu", (unsigned long long)stat);
	status = doorbell_connect(session.fd, queue.doorbell);
	if (status != STATUS_SUCCESS)
		child_fail(report, "connect: status %#x", (uint32_t)status);
	REACHED(POINT_CONNECT);
	queue_ring(&queue);
	end(scene->ending, session.fd);
	return 1;
}

static bool is_normal(enum ending ending)
{
	return ending != END_KILL && ending != END_ABORT;
}

/* Has the work been published, and by a queue that the device knows? */
static bool must_run(const struct scene *scene)
{
	return scene->point >= POINT_CONNECT ||
	       (scene->point >= POINT_WRITE_POINTER && scene->state != STATE_CREATED);
}

static bool play(const struct scene *scene, const char *baseline)
{
	struct child_report *report = child_reports(1);
	struct scene copy = *scene;
	char last[DEBUGFS_TEXT_BYTES], how[32];
	bool good, ran, later;
	pid_t pid;

	*shared = 0;
	pid = child_start(submit_until, report, &copy, true, CHILD_SECONDS);
	good = child_reap(pid, how, sizeof(how)) || !is_normal(scene->ending);
	good = good && report->stage && !report->problem[0] &&
	       counters_settle(baseline, SETTLE_MS, last);
	ran = *shared == MARK;
	kmt_sleep_us(1000);
	later = *shared == MARK;
	good = good && ran == later;
	if (is_normal(scene->ending))
		good = good && ran == must_run(scene);
	else if (scene->point < POINT_WRITE_POINTER)
		good = good && !ran;
	if (!good) {
		counters_read(last);
		diag("%s, %s, %s: %s %s; the work ran: %d, later: %d; before: %s; after: %s",
		     state_names[scene->state], point_names[scene->point],
		     ending_names[scene->ending], how, report->problem, ran, later, baseline, last);
	}
	munmap(report, sizeof(*report));
	return good;
}

/* ---- threads in every call ---- */

static struct kmt_session busy_session;
static struct queue busy_queue, bare_queue;
static struct kmt_buffer busy_buffer;
static atomic_uint busy_rounds;		/* threads that have been in their call */

static void loop_make(enum object kind)
{
	uint32_t handle = object_make(&busy_session, kind, &bare_queue);

	if (handle)
		object_destroy(&busy_session, kind, handle);
}

static void loop_wait(void)
{
	kmt_wait(&busy_session, busy_queue.fence, ~0ull);
}

static void loop_connect(void)
{
	doorbell_connect(busy_session.fd, busy_queue.doorbell);
	doorbell_notify(busy_session.fd, busy_queue.doorbell);
}

static void loop_submit(void)
{
	if (queue_has_room(&busy_queue))
		queue_probe(&busy_queue);
}

static void loop_lock(void)
{
	struct dxg_unlock2 unlock = {
		.device = busy_session.device,
		.allocation = busy_buffer.allocation,
	};
	void *cpu;

	if (!kmt_lock(&busy_session, busy_buffer.allocation, &cpu))
		kmt_call(busy_session.fd, LX_DXUNLOCK2, &unlock);
}

static void loop_resident(void)
{
	kmt_make_resident(&busy_session, busy_buffer.allocation);
	kmt_evict(&busy_session, busy_buffer.allocation);
}

static void loop_map(void)
{
	uint64_t gpuva;

	if (!kmt_map(&busy_session, busy_buffer.allocation, 0, 1, DXG_PROTECTION_WRITE, &gpuva))
		kmt_unmap(&busy_session, gpuva, KMT_PAGE_BYTES);
}

static void loop_query(void)
{
	struct dxgpu_umd_caps caps;

	kmt_caps(busy_session.fd, busy_session.adapter, &caps);
	kmt_execution_state(busy_session.fd, busy_session.device);
}

static const struct {
	void (*loop)(void);		/* NULL: loop_make of kind */
	enum object kind;
} busy_calls[] = {
	{ loop_wait, OBJECT_FENCE }, { loop_connect, OBJECT_DOORBELL },
	{ loop_submit, OBJECT_DOORBELL }, { loop_lock, OBJECT_ALLOCATION },
	{ loop_resident, OBJECT_ALLOCATION }, { loop_map, OBJECT_ALLOCATION },
	{ loop_query, OBJECT_ADAPTER }, { NULL, OBJECT_ADAPTER }, { NULL, OBJECT_DEVICE },
	{ NULL, OBJECT_CONTEXT }, { NULL, OBJECT_PAGING_QUEUE }, { NULL, OBJECT_ALLOCATION },
	{ NULL, OBJECT_HWQUEUE }, { NULL, OBJECT_DOORBELL },
};

#define BUSY_CALLS	((unsigned int)(sizeof(busy_calls) / sizeof(busy_calls[0])))

static void *busy_thread(void *argument)
{
	unsigned int number = (unsigned int)(uintptr_t)argument;
	bool counted = false;

	for (;;) {
		/* It does not come back. */
		if (!counted && busy_calls[number].loop == loop_wait) {
			atomic_fetch_add(&busy_rounds, 1);
			counted = true;
		}
		if (busy_calls[number].loop)
			busy_calls[number].loop();
		else
			loop_make(busy_calls[number].kind);
		if (!counted)
			atomic_fetch_add(&busy_rounds, 1);
		counted = true;
		/* A closed descriptor makes no work. */
		if (fcntl(busy_session.fd, F_GETFD) < 0)
			kmt_sleep_us(1000);
	}
	return NULL;
}

struct crowd {
	enum ending ending;
	unsigned int delay_us;
};

static int crowded(struct child_report *report, void *argument)
{
	const struct crowd *crowd = argument;
	int32_t status = kmt_session_open(&busy_session, NULL, 0);
	unsigned int i;

	if (NT_SUCCESS(status))
		status = queue_create(&busy_queue, &busy_session, busy_session.context,
				      QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = queue_create(&bare_queue, &busy_session, busy_session.context,
				      QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = doorbell_destroy(busy_session.fd, bare_queue.doorbell);
	if (NT_SUCCESS(status))
		status = kmt_buffer_create(&busy_session, KMT_PAGE_BYTES, KMT_BUFFER_NO_CPU,
					   &busy_buffer);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	for (i = 0; i < BUSY_CALLS; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, busy_thread, (void *)(uintptr_t)i))
			child_fail(report, "no thread");
	}
	while (atomic_load(&busy_rounds) < BUSY_CALLS)
		kmt_sleep_us(200);
	report->stage = 1;
	kmt_sleep_us(crowd->delay_us);
	end(crowd->ending, busy_session.fd);
	return 1;
}

static void crowds(enum ending ending, unsigned int rounds, uint64_t seed, const char *baseline)
{
	struct child_report *report = child_reports(1);
	struct noise source = { .state = seed };
	char last[DEBUGFS_TEXT_BYTES] = "", how[32] = "";
	unsigned int i, good = 0;

	for (i = 0; i < rounds; i++) {
		struct crowd crowd = { ending, (unsigned int)noise_below(&source, MOST_DELAY_US) };
		pid_t pid;

		report->stage = 0;
		pid = child_start(crowded, report, &crowd, true, CHILD_SECONDS);
		if ((!child_reap(pid, how, sizeof(how)) && is_normal(ending)) || !report->stage ||
		    report->problem[0] || !counters_settle(baseline, SETTLE_MS, last)) {
			diag("round %u: %s %s; before: %s; after: %s", i, how, report->problem,
			     baseline, last);
			break;
		}
		good++;
	}
	ok(good == rounds, "%s with threads in %u calls: %u times, nothing is left",
	   ending_names[ending], BUSY_CALLS, good);
}

int main(int argc, char **argv)
{
	char baseline[DEBUGFS_TEXT_BYTES];
	unsigned int rounds;
	struct scene scene;
	uint64_t seed;
	int ending;

	/* What is left of a child after exec. */
	if (argc > 1 && !strcmp(argv[1], EXECED))
		return 0;
	rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : dxg_count(4, 400);
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	shared = mmap(NULL, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		bail("no shared memory");
	diag("%u rounds with threads in every call, seed %llu", rounds, (unsigned long long)seed);
	for (scene.state = 0; scene.state < NUM_STATES; scene.state++) {
		for (scene.ending = 0; scene.ending < NUM_ENDINGS; scene.ending++) {
			unsigned int good = 0;

			for (scene.point = 0; scene.point < NUM_POINTS; scene.point++)
				good += play(&scene, baseline);
			ok(good == NUM_POINTS,
			   "%s by %s: %u of %d points of a submission, %s, and nothing is left",
			   state_names[scene.state], ending_names[scene.ending], good, NUM_POINTS,
			   is_normal(scene.ending) ? "what is in the ring runs" :
						       "nothing runs later");
		}
	}
	for (ending = 0; ending < NUM_ENDINGS; ending++)
		crowds((enum ending)ending, rounds, seed + (uint64_t)ending, baseline);
	return done();
}
