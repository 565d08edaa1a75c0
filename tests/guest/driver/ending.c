// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a process ends, and what becomes of work that it left in its rings. A normal end
 * lets it run, also if its last ring was lost; a destroyed queue and a killed process
 * leave none that runs later; a lie about the last queued value delays nobody for long
 * (FH-18, FH-19, FH-20, FH-21, FH-22, KMT-HQ-7, KMT-DD-6, PF-5, PF-7, OBJ-24, SEC-8).
 *
 * The results land in memory that the child shares with its parent (existing system
 * memory, pinned), so that the parent sees them when the child is gone.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "modules.h"
#include "queue.h"

#define COMMANDS	100u
#define MARK(i)		(0xabc00000u + (i))
#define CHUNK_BYTES	4096u
#define SHARED_BYTES	(COMMANDS * CHUNK_BYTES)
#define TDR_TIMEOUT_MS	"/sys/module/dxgkrnl/parameters/tdr_timeout_ms%s"
#define EXIT_MS		2000u	/* 100, on a busy host; with all of the wait, 3000 */
#define TDR_DEFAULT_MS	"2000"
#define LIE_NS		(10ull * 1000 * 1000 * 1000)
#define LEFT_NS		(30ull * 1000 * 1000 * 1000)

enum { STAGE_PUBLISHED = 1, STAGE_DESTROYED = 2 };
enum ending { END_EXIT, END_CLOSE, END_KILL, END_DESTROY, END_LIE, NUM_ENDINGS };

static const char *const names[NUM_ENDINGS] = {
	"exit", "close", "SIGKILL", "DestroyHwQueue", "exit with a false LQ",
};

static uint8_t *shared;

/* Memory that the parent has too, for the device. */
static int32_t share(struct kmt_session *session, uint64_t *gpuva)
{
	uint32_t allocation;
	int32_t status = kmt_allocation_pin(session, shared, SHARED_BYTES, &allocation);

	if (NT_SUCCESS(status))
		status = kmt_make_resident(session, allocation);
	if (NT_SUCCESS(status))
		status = kmt_map(session, allocation, 0, SHARED_BYTES / KMT_PAGE_BYTES,
				 DXG_PROTECTION_WRITE, gpuva);
	return status;
}

/* Publishes a fill of each chunk, connected and never rung. */
static int child(struct child_report *report, void *argument)
{
	enum ending ending = *(enum ending *)argument;
	struct kmt_session session;
	struct queue queue;
	uint64_t gpuva = 0;
	int32_t status;
	uint32_t i;

	status = kmt_session_open(&session, NULL, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = share(&session, &gpuva);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	for (i = 0; i < COMMANDS; i++) {
		struct dxg_commands commands = queue_commands(&queue);

		dxg_commands_fill(&commands, gpuva + i * CHUNK_BYTES, MARK(i), CHUNK_BYTES);
		queue_publish(&queue, &commands);
	}
	if (ending == END_LIE)
		*queue.last_queued = ~0ull;
	if (ending == END_KILL || ending == END_DESTROY)
		queue_ring(&queue);
	report->stage = STAGE_PUBLISHED;
	if (ending == END_KILL)
		pause();
	if (ending == END_CLOSE)
		close(session.fd);
	if (ending == END_DESTROY) {
		status = kmt_call_handle(session.fd, LX_DXDESTROYHWQUEUE, queue.queue);
		if (status != STATUS_SUCCESS)
			child_fail(report, "DestroyHwQueue: status %#x", (uint32_t)status);
		child_stage(report, STAGE_DESTROYED);
	}
	return 0;
}

/* Commands whose result is there wholly; wrong gets those with something else. */
static unsigned int results(unsigned int *wrong)
{
	unsigned int i, word, whole = 0;

	*wrong = 0;
	for (i = 0; i < COMMANDS; i++) {
		const volatile uint32_t *chunk = (uint32_t *)(void *)(shared + i * CHUNK_BYTES);
		unsigned int marks = 0, zeroes = 0;

		for (word = 0; word < CHUNK_BYTES / 4; word++) {
			marks += chunk[word] == MARK(i);
			zeroes += chunk[word] == 0;
		}
		whole += marks == CHUNK_BYTES / 4;
		*wrong += marks + zeroes != CHUNK_BYTES / 4;
	}
	return whole;
}

static void run(enum ending ending)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32];
	struct child_report *report = child_reports(1);
	unsigned int first, second, wrong;
	bool settled, good;
	uint64_t start;
	pid_t pid;

	counters_read(baseline);
	memset(shared, 0, SHARED_BYTES);
	if (ending == END_LIE && sysfs_write(TDR_TIMEOUT_MS, "", "40000"))
		bail("tdr_timeout_ms cannot be set");
	pid = child_start(child, report, &ending, true, 60);
	if (!child_await(report, pid, ending == END_DESTROY ? STAGE_DESTROYED : STAGE_PUBLISHED,
			 20000))
		diag("%s: %s", names[ending], report->problem);
	start = kmt_now_ns();
	if (ending == END_DESTROY) {
		first = results(&wrong);
		kmt_sleep_us(100000);
		second = results(&wrong);
		ok(first == second, "%s: nothing runs afterwards (%u then, %u later)",
		   names[ending], first, second);
		report->go = STAGE_DESTROYED;
	}
	if (ending == END_KILL)
		kill(pid, SIGKILL);
	good = child_reap(pid, how, sizeof(how));
	ok(good || ending == END_KILL, "%s: the child ended (%s %s)", names[ending], how,
	   report->problem);
	settled = counters_settle(baseline, 15000, last);
	first = results(&wrong);
	if (!ok(settled, "%s: nothing is left after %llu ms", names[ending],
		(unsigned long long)(kmt_now_ns() - start) / 1000000))
		diag("before: %s; after: %s", baseline, last);
	/* The wait for work that is really there is as long as tdr_timeout_ms, and set so. */
	if (ending == END_LIE)
		ok(kmt_now_ns() - start < LIE_NS, "%s: it delays nobody (SEC-8 PF-5)",
		   names[ending]);
	if (ending == END_LIE && sysfs_write(TDR_TIMEOUT_MS, "", TDR_DEFAULT_MS))
		bail("tdr_timeout_ms cannot be set back");
	if (ending == END_EXIT || ending == END_CLOSE || ending == END_LIE)
		ok(first == COMMANDS, "%s: all work ran that was in the ring (%u of %u)",
		   names[ending], first, COMMANDS);
	kmt_sleep_us(50000);
	second = results(&wrong);
	ok(first == second && (!wrong || ending == END_KILL || ending == END_DESTROY),
	   "%s: once it is gone nothing runs (%u, %u)", names[ending], first, second);
}

/* Seconds of work on a descriptor that another process has as well. */
static int child_with_heir(struct child_report *report, void *argument)
{
	const uint32_t bytes = *(const uint32_t *)argument;
	struct kmt_session session;
	struct kmt_buffer buffer;
	struct queue queue;
	int32_t status;
	uint32_t i;
	pid_t heir;

	status = kmt_session_open(&session, NULL, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = kmt_buffer_create(&session, bytes, KMT_BUFFER_NO_CPU, &buffer);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	heir = fork();
	if (!heir) {
		pause();
		_exit(0);
	}
	report->values[0] = (uint64_t)heir;
	while (queue_has_room(&queue)) {
		struct dxg_commands commands = queue_commands(&queue);

		for (i = 0; i < 8; i++)
			dxg_commands_fill(&commands, buffer.gpuva, i, bytes);
		queue_publish(&queue, &commands);
	}
	report->values[1] = queue.wp;
	status = queue_deliver(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "deliver: status %#x", (uint32_t)status);
	report->stage = STAGE_PUBLISHED;
	pause();
	return 0;
}

/*
 * A killed process whose descriptor lives on: its work ends with it, not with the
 * last close (FH-22, FH-26, FH-12).
 */
static void killed_with_heir(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32];
	struct child_report *report = child_reports(1);
	uint32_t bytes = 16u << 20;
	uint64_t first, second;
	unsigned int lines;
	pid_t pid;

	counters_read(baseline);
	pid = child_start(child_with_heir, report, &bytes, true, 60);
	if (!child_await(report, pid, STAGE_PUBLISHED, 20000))
		diag("heir: %s", report->problem);
	kill(pid, SIGKILL);
	child_reap(pid, how, sizeof(how));
	kmt_sleep_us(700000);
	first = state_sum("queue", pid, "rp", &lines);
	kmt_sleep_us(300000);
	second = state_sum("queue", pid, "rp", NULL);
	ok(lines == 1 && first == second && first < report->values[1],
	   "killed, the descriptor inherited: nothing runs (entry %llu, %llu of %llu)",
	   (unsigned long long)first, (unsigned long long)second,
	   (unsigned long long)report->values[1]);
	if (report->values[0])
		kill((pid_t)report->values[0], SIGKILL);
	if (!ok(counters_settle(baseline, 15000, last), "and nothing is left when the heir ends"))
		diag("before: %s; after: %s", baseline, last);
}

/* Leaves delays in its ring, and ends by itself. */
static int child_with_delays(struct child_report *report, void *argument)
{
	const uint64_t ns = *(const uint64_t *)argument;
	struct kmt_session session;
	struct queue queue;
	int32_t status;

	status = queue_open(&queue, &session);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	while (queue_has_room(&queue) && queue.wp * ns < LEFT_NS)
		queue_publish_delay(&queue, ns);
	status = queue_deliver(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "deliver: status %#x", (uint32_t)status);
	report->values[0] = queue.wp;
	report->values[1] = kmt_now_ns();
	return 0;
}

/*
 * Of the wait, exit() itself does 100 ms. The wait for work that is really there ends, too: without progress after tdr_timeout_ms,
 * with some after five times that (FH-20, PF-7).
 */
static void too_much_work(const char *what, uint64_t delay_ns, const char *tdr_ms)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32];
	struct child_report *report = child_reports(1);
	uint64_t work_ms, exit_ms, ms, start;
	bool good, settled;

	counters_read(baseline);
	if (sysfs_write(TDR_TIMEOUT_MS, "", tdr_ms))
		bail("tdr_timeout_ms cannot be set");
	start = kmt_now_ns();
	good = child_reap(child_start(child_with_delays, report, &delay_ns, true, 60), how,
			  sizeof(how));
	exit_ms = (kmt_now_ns() - report->values[1]) / 1000000;
	settled = counters_settle(baseline, 20000, last);
	ms = (kmt_now_ns() - start) / 1000000;
	work_ms = report->values[0] * delay_ns / 1000000;
	if (!ok(good && settled && ms < work_ms / 2,
		"%s: gone long before its %llu ms of work are over (FH-20 PF-7)", what,
		(unsigned long long)work_ms))
		diag("%s %s; after %llu ms: %s", how, report->problem, (unsigned long long)ms,
		     last);
	ok(exit_ms < EXIT_MS, "%s: exit() took %llu ms of it (FH-20)", what,
	   (unsigned long long)exit_ms);
	if (sysfs_write(TDR_TIMEOUT_MS, "", TDR_DEFAULT_MS))
		bail("tdr_timeout_ms cannot be set back");
}

int main(void)
{
	int ending;

	shared = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		bail("no shared memory");
	for (ending = 0; ending < NUM_ENDINGS; ending++)
		run((enum ending)ending);
	killed_with_heir();
	too_much_work("exit with work that stands", 900ull * 1000 * 1000, "100");
	too_much_work("exit with work that goes on", 200ull * 1000 * 1000, "600");
	return done();
}
