// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * More queues than physical doorbells: every process steals slots from every other,
 * and still each command runs exactly once (OBJ-2, ORD-3, ORD-6, ORD-7, ORD-8, ORD-10,
 * ORD-23, ORD-24,
 * KMT-CN-3, KMT-CN-4, KMT-CN-7, SM-6). What comes out is the same as without victims
 * (MOD-6): fences and chains are compared with what the CPU computes, which knows of no slots,
 * and the same program runs with 1, 2, 4 slots and with enough of them.
 *
 *   driver-victimization [QUEUES-PER-SLOT [PROCESSES [THREADS [STEPS [LAPS]]]]]
 *
 * Each thread walks over its queues, one command to each, so that with more queues
 * than slots nearly every visit finds RETRY. Odd laps wait in the kernel, even ones by
 * polling. No connect is refused, however little time the host gives the guest. The evidence is
 * the chain of chain.h, the fences and the driver's own counts.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"

#define MAX_PROCESSES	16u
#define MAX_THREADS	8u
#define MAX_STEPS	(QUEUE_RING_BYTES / sizeof(struct dxgpu_ring_entry))
#define WAIT_NS		(60ull * 1000 * 1000 * 1000)
#define WORK_SECONDS	dxg_count(120, 3600)

enum { STAGE_DONE = 1, STAGE_EXIT = 2 };
enum { SUBMISSIONS, RINGS, RETRIES, CONNECTS, BUSY, WRONG, FENCES, READ_POINTERS, NUM_VALUES };

static unsigned int queues_per_slot = 64;
static unsigned int processes = 4;
static unsigned int threads = 2;
static unsigned int steps = 12;
static unsigned int laps;

struct worker {
	pthread_t thread;
	struct child_report *report;
	struct kmt_session *session;
	unsigned int count;
	struct queue *queues;
	struct chain *chains;
	uint64_t values[NUM_VALUES];
	bool failed;
};

static void worker_problem(struct worker *worker, const char *what, unsigned int index,
			   int32_t status)
{
	const struct queue *queue = &worker->queues[index];

	child_problem(worker->report,
		      "%s: status %#x on queue %u: wp %llu rp %llu fence %llu stat %llu",
		      what, (uint32_t)status, index, (unsigned long long)queue->wp,
		      (unsigned long long)queue_read_pointer(queue),
		      (unsigned long long)*queue->fence_cpu, (unsigned long long)*queue->stat);
	worker->failed = true;
}

static void worker_create(struct worker *worker)
{
	unsigned int i;

	worker->queues = calloc(worker->count, sizeof(*worker->queues));
	worker->chains = calloc(worker->count, sizeof(*worker->chains));
	if (!worker->queues || !worker->chains)
		child_fail(worker->report, "no memory for %u queues", worker->count);
	for (i = 0; i < worker->count; i++) {
		int32_t status = queue_create(&worker->queues[i], worker->session,
					      worker->session->context, QUEUE_RING_BYTES);

		if (!NT_SUCCESS(status))
			child_fail(worker->report, "queue %u of %u: status %#x", i, worker->count,
				   (uint32_t)status);
		status = chain_create(&worker->chains[i], &worker->queues[i], steps);
		if (!NT_SUCCESS(status))
			child_fail(worker->report, "chain %u: status %#x", i, (uint32_t)status);
		if (*worker->queues[i].stat != DXG_DOORBELLSTATUS_DISCONNECTED_RETRY)
			child_problem(worker->report, "queue %u: a new doorbell's STAT is %llu", i,
				      (unsigned long long)*worker->queues[i].stat);
	}
}

static void worker_lap(struct worker *worker, unsigned int lap)
{
	unsigned int i, step;

	for (i = 0; i < worker->count; i++)
		chain_begin(&worker->chains[i], lap * 1000003u + i);
	for (step = 0; step < steps; step++) {
		for (i = 0; i < worker->count; i++) {
			int32_t status;

			chain_publish(&worker->chains[i]);
			worker->values[SUBMISSIONS]++;
			status = queue_deliver(&worker->queues[i]);
			if (!NT_SUCCESS(status)) {
				worker_problem(worker, "deliver", i, status);
				return;
			}
		}
	}
	for (i = 0; i < worker->count; i++) {
		struct queue *queue = &worker->queues[i];
		char problem[128];
		int32_t status;

		status = lap & 1 ? kmt_wait(worker->session, queue->fence, queue->wp) :
				   queue_wait(queue, queue->wp, WAIT_NS);
		if (status != STATUS_SUCCESS) {
			worker_problem(worker, "wait", i, status);
			return;
		}
		if (chain_check(&worker->chains[i], problem, sizeof(problem))) {
			child_problem(worker->report, "queue %u: %s", i, problem);
			worker->values[WRONG]++;
		}
	}
}

static void *worker_run(void *argument)
{
	struct worker *worker = argument;
	unsigned int lap, i;

	for (lap = 0; lap < laps && !worker->failed; lap++)
		worker_lap(worker, lap);
	kmt_sleep_us(20000);	/* a duplicate would come late: look again, once */
	for (i = 0; i < worker->count; i++) {
		const struct queue *queue = &worker->queues[i];
		char problem[128];

		worker->values[RINGS] += queue->rings;
		worker->values[RETRIES] += queue->retries;
		worker->values[CONNECTS] += queue->connects;
		worker->values[BUSY] += queue->busy;
		worker->values[FENCES] += *queue->fence_cpu;
		worker->values[READ_POINTERS] += queue_read_pointer(queue);
		if (!worker->failed && chain_check(&worker->chains[i], problem, sizeof(problem))) {
			child_problem(worker->report, "queue %u, later: %s", i, problem);
			worker->values[WRONG]++;
		}
	}
	return NULL;
}

static int work(struct child_report *report, void *argument)
{
	unsigned int queues = *(unsigned int *)argument;
	struct worker workers[MAX_THREADS] = { 0 };
	struct kmt_session session;
	int32_t status = kmt_session_open(&session, NULL, 0);
	unsigned int i, v;

	if (!NT_SUCCESS(status))
		child_fail(report, "session: status %#x", (uint32_t)status);
	for (i = 0; i < threads; i++) {
		workers[i].report = report;
		workers[i].session = &session;
		workers[i].count = queues / threads + (i < queues % threads);
		worker_create(&workers[i]);
	}
	for (i = 0; i < threads; i++)
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
			child_fail(report, "thread %u of %u cannot start", i, threads);
	for (i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		for (v = 0; v < NUM_VALUES; v++)
			report->values[v] += workers[i].values[v];
	}
	child_stage(report, STAGE_DONE);
	for (i = 0; i < threads; i++) {
		for (v = 0; v < workers[i].count; v++) {
			chain_destroy(&workers[i].chains[v]);
			status = queue_destroy(&workers[i].queues[v]);
			if (!NT_SUCCESS(status))
				child_problem(report, "destroy of queue %u: status %#x", v,
					      (uint32_t)status);
		}
	}
	status = kmt_session_close(&session);
	if (!NT_SUCCESS(status))
		child_problem(report, "close: status %#x", (uint32_t)status);
	return report->problem[0] ? 1 : 0;
}

static unsigned int number_of_slots(bool *global)
{
	struct kmt_session session;
	int32_t status = kmt_session_open(&session, NULL, 0);
	unsigned int slots;

	if (!NT_SUCCESS(status))
		bail("no session: status %#x", (uint32_t)status);
	*global = kmt_global(&session);
	slots = kmt_num_slots(&session);
	kmt_session_close(&session);
	return slots;
}

static void parse(int argc, char **argv)
{
	unsigned int *const numbers[] = { &queues_per_slot, &processes, &threads, &steps, &laps };
	int i;

	laps = dxg_count(2, 100);
	for (i = 1; i < argc && i <= 5; i++)
		*numbers[i - 1] = (unsigned int)strtoul(argv[i], NULL, 0);
	if (!processes || processes > MAX_PROCESSES || !threads || threads > MAX_THREADS)
		bail("%u processes (1..%u), %u threads (1..%u)", processes, MAX_PROCESSES,
		     threads, MAX_THREADS);
	if (!steps || steps > MAX_STEPS)
		bail("%u commands (1..%zu) per queue and lap", steps, MAX_STEPS);
}

int main(int argc, char **argv)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32];
	uint64_t total[NUM_VALUES] = { 0 }, driver_connects = 0, driver_victimized = 0;
	unsigned int share[MAX_PROCESSES], slots, queues, i, v, lines, exited = 0;
	uint64_t victimizations, state_fences, state_last_queued;
	struct child_report *reports;
	pid_t pids[MAX_PROCESSES];
	bool reached = true, global;

	parse(argc, argv);
	slots = number_of_slots(&global);
	queues = queues_per_slot * slots;
	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	victimizations = adapter_value("victimizations");
	diag("%u slots, %u queues, %u processes of %u threads, %u laps of %u commands", slots,
	     queues, processes, threads, laps, steps);

	reports = child_reports(processes);
	for (i = 0; i < processes; i++) {
		share[i] = queues / processes + (i < queues % processes);
		pids[i] = child_start(work, &reports[i], &share[i], true, WORK_SECONDS);
	}
	for (i = 0; i < processes; i++)
		reached &= child_await(&reports[i], pids[i], STAGE_DONE, WORK_SECONDS * 1000);
	for (i = 0; i < processes; i++) {
		for (v = 0; v < NUM_VALUES; v++)
			total[v] += reports[i].values[v];
		driver_connects += state_sum("doorbell", pids[i], "connects", NULL);
		driver_victimized += state_sum("doorbell", pids[i], "victimized", NULL);
	}
	state_fences = state_sum("queue", 0, "fence", &lines);
	state_last_queued = state_sum("queue", 0, "last_queued", NULL);
	victimizations = adapter_value("victimizations") - victimizations;
	diag("submissions %llu rings %llu retries %llu connects %llu busy %llu victimizations %llu",
	     (unsigned long long)total[SUBMISSIONS], (unsigned long long)total[RINGS],
	     (unsigned long long)total[RETRIES], (unsigned long long)total[CONNECTS],
	     (unsigned long long)total[BUSY], (unsigned long long)victimizations);

	ok(reached, "all processes came to the end of their work");
	for (i = 0; i < processes; i++)
		if (!ok(!reports[i].problem[0], "process %u met nothing wrong", i))
			diag("%s", reports[i].problem);
	ok(total[SUBMISSIONS] == (uint64_t)queues * steps * laps, "all %u commands were submitted",
	   queues * steps * laps);
	ok(!total[WRONG], "each command ran exactly once, in order (MOD-6)");
	ok(total[FENCES] == total[SUBMISSIONS], "no fence is short of, or beyond, the submissions");
	ok(total[READ_POINTERS] == total[SUBMISSIONS], "each ring's RP is its WP");
	ok(!total[BUSY], "no connect was refused (%llu of %llu)", (unsigned long long)total[BUSY],
	   (unsigned long long)total[CONNECTS]);
	ok(lines == queues && state_fences == total[SUBMISSIONS],
	   "the driver sees %u queues with %llu fences in sum", lines,
	   (unsigned long long)state_fences);
	ok(state_last_queued == state_fences, "the driver sees no pending work");
	ok(driver_connects == total[CONNECTS],
	   "each accepted connect was one of the driver's (%llu)",
	   (unsigned long long)driver_connects);
	if (global)
		ok(!victimizations && total[CONNECTS] == queues,
		   "each queue connected once, nobody was a victim (MOD-7)");
	else if (queues > slots)
		ok(victimizations >= queues - slots, "doorbells were victimized (%llu)",
		   (unsigned long long)victimizations);
	ok(driver_victimized == victimizations, "per doorbell and in sum the same count (%llu)",
	   (unsigned long long)driver_victimized);

	for (i = 0; i < processes; i++)
		reports[i].go = STAGE_EXIT;
	for (i = 0; i < processes; i++)
		if (child_reap(pids[i], how, sizeof(how)))
			exited++;
		else
			diag("process %u: %s %s", i, how, reports[i].problem);
	ok(exited == processes, "all processes ended well");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
