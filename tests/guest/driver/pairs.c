// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every pair of the things that can happen to one doorbell, at the same moment, from two
 * threads, many times: create, connect, disconnect by the OS layer, destroy, notify,
 * submit, resize, suspension with the whole device, unmapping, SIGKILL (SM-5, ORD-26,
 * KMT-0.7, KMT-CN-12, KMT-CN-14, KMT-NW-4, OBJ-1, OBJ-23, MAP-7, MAP-8, T6, T10, T12,
 * T20, T21, T29, T30, T31, FH-24).
 *
 *   driver-pairs [ROUNDS [SEED]]
 *
 * Every call answers SUCCESS or INVALID_PARAMETER, a doorbell's status word is never
 * anything but one of its three values; of two creates or two destroys exactly one wins;
 * work whose doorbell lives on is done; afterwards the queue works, and when the process
 * has ended the counters are what they were. The seed is printed and draws the same
 * delays between the two.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "modules.h"
#include "noise.h"
#include "rival.h"

#define WAIT_NS		(20ull * 1000 * 1000 * 1000)
#define CHILD_SECONDS	dxg_count(60, 1800)
#define MOST_DELAY_US	60u

enum act {
	ACT_CREATE, ACT_CONNECT, ACT_STEAL, ACT_DESTROY, ACT_NOTIFY, ACT_SUBMIT, ACT_RESIZE,
	ACT_SLEEP, ACT_UNMAP, ACT_KILL, NUM_ACTS
};

static const char *const act_names[NUM_ACTS] = {
	"create", "connect", "victimize", "destroy", "notify", "submit", "resize", "suspend",
	"unmap", "kill",
};

/* One doorbell and the two threads that are at it. */
struct arena {
	struct kmt_session session;
	struct queue queue;		/* lock, but for what never changes */
	struct kmt_buffer other_ring;	/* lock */
	struct rival rival;
	pthread_mutex_t lock;
	pthread_barrier_t begin, end;
	enum act acts[2];
	int32_t statuses[2];
	unsigned int delays_us[2];
	uint64_t stat[2];		/* the last word that each has read */
	uint64_t fence;			/* lock: of the last submission, 0: of none */
	bool stop;
};

static struct arena arena;
static char address[64];

/* ---- memory that another thread may take away ---- */

static _Thread_local sigjmp_buf way_back;

static void taken_away(int signal)
{
	siglongjmp(way_back, signal);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_handler = taken_away };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

/* Rings, and gives STAT; NUM is neither of its values: the mapping has gone. */
#define STAT_GONE	99u

static uint64_t ring_if_there(volatile uint64_t *bell, const volatile uint64_t *stat, uint64_t wp)
{
	if (sigsetjmp(way_back, 1))
		return STAT_GONE;
	*bell = wp;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return *stat;
}

static bool publish_if_there(void)
{
	struct dxg_commands commands = queue_commands(&arena.queue);

	if (sigsetjmp(way_back, 1))
		return false;
	arena.fence = queue_publish(&arena.queue, &commands);
	return true;
}

/* ---- what can happen ---- */

/* What CreateDoorbell gave becomes the queue's; a ring starts at 0. */
static void adopt(const struct dxg_createdoorbell *doorbell)
{
	struct queue *queue = &arena.queue;
	volatile struct dxgpu_ring_control *control = queue->control.cpu;

	control->wp = 0;
	control->rp = 0;
	queue->wp = 0;
	queue->fence_base = *queue->fence_cpu;
	queue->doorbell = doorbell->doorbell;
	queue->bell = (volatile uint64_t *)(uintptr_t)doorbell->doorbell_cpu_va;
	queue->stat = (const volatile uint64_t *)(uintptr_t)doorbell->doorbell_status_cpu_va;
	queue->last_queued =
		(volatile uint64_t *)(uintptr_t)doorbell->last_queued_value_cpu_va;
	arena.fence = 0;
}

static int32_t do_create(void)
{
	struct queue *queue = &arena.queue;
	struct dxg_createdoorbell doorbell;
	int32_t status;
	uint32_t ring;

	pthread_mutex_lock(&arena.lock);
	ring = queue->ring.allocation;
	pthread_mutex_unlock(&arena.lock);
	status = doorbell_create(arena.session.fd, queue->queue, ring, queue->control.allocation,
				 0, &doorbell);
	if (!NT_SUCCESS(status))
		return status;
	/* Nobody else has the new handle before this. */
	pthread_mutex_lock(&arena.lock);
	adopt(&doorbell);
	pthread_mutex_unlock(&arena.lock);
	return status;
}

static int32_t do_resize(uint32_t handle)
{
	struct queue *queue = &arena.queue;
	struct dxg_createdoorbell doorbell;
	int32_t status = doorbell_destroy(arena.session.fd, handle);
	struct kmt_buffer ring;

	if (!NT_SUCCESS(status))
		return status;
	pthread_mutex_lock(&arena.lock);
	ring = arena.other_ring;
	pthread_mutex_unlock(&arena.lock);
	status = doorbell_create(arena.session.fd, queue->queue, ring.allocation,
				 queue->control.allocation, DXG_DOORBELL_RESIZE, &doorbell);
	if (!NT_SUCCESS(status))
		return status;
	pthread_mutex_lock(&arena.lock);
	arena.other_ring = queue->ring;
	queue->ring = ring;
	adopt(&doorbell);
	pthread_mutex_unlock(&arena.lock);
	return status;
}

/* Publishes under the lock, as one thread does it; rings and connects without. */
static int32_t do_submit(unsigned int number)
{
	volatile uint64_t *bell;
	const volatile uint64_t *stat;
	unsigned int round;
	uint32_t handle;
	uint64_t wp;
	bool there;

	pthread_mutex_lock(&arena.lock);
	there = !queue_has_room(&arena.queue) || publish_if_there();
	bell = arena.queue.bell;
	stat = arena.queue.stat;
	handle = arena.queue.doorbell;
	wp = arena.queue.wp;
	pthread_mutex_unlock(&arena.lock);
	if (!there)
		return STATUS_INVALID_PARAMETER;
	for (round = 0; round < 16; round++) {
		int32_t status;

		arena.stat[number] = ring_if_there(bell, stat, wp);
		if (arena.stat[number] == DXG_DOORBELLSTATUS_CONNECTED)
			return STATUS_SUCCESS;
		if (arena.stat[number] != DXG_DOORBELLSTATUS_DISCONNECTED_RETRY)
			return STATUS_INVALID_PARAMETER;
		status = doorbell_connect(arena.session.fd, handle);
		if (!NT_SUCCESS(status))
			return status;
	}
	return STATUS_SUCCESS;
}

static int32_t do_steal(void)
{
	unsigned int i;

	for (i = 0; i < arena.rival.count; i++) {
		int32_t status = doorbell_connect(arena.rival.session.fd,
						  arena.rival.queues[i].doorbell);

		if (!NT_SUCCESS(status))
			return status;
	}
	return STATUS_SUCCESS;
}

/* All contexts are suspended, all doorbells disconnected, and the device goes to D3. */
static int32_t do_sleep(void)
{
	static const char *const control = "/sys/bus/pci/devices/%s/power/control";
	int error = sysfs_write(control, address, "auto");

	kmt_sleep_us(2000);
	if (!error)
		error = sysfs_write(control, address, "on");
	return error ? KMT_ERRNO(error) : STATUS_SUCCESS;
}

static int32_t do_unmap(volatile uint64_t *bell)
{
	munmap((void *)((uintptr_t)bell & ~(uintptr_t)(KMT_PAGE_BYTES - 1)), KMT_PAGE_BYTES);
	return STATUS_SUCCESS;
}

static int32_t act(enum act what, unsigned int number, uint32_t handle, volatile uint64_t *bell)
{
	switch (what) {
	case ACT_CREATE:
		return do_create();
	case ACT_CONNECT:
		return doorbell_connect(arena.session.fd, handle);
	case ACT_STEAL:
		return do_steal();
	case ACT_DESTROY:
		return doorbell_destroy(arena.session.fd, handle);
	case ACT_NOTIFY:
		return doorbell_notify(arena.session.fd, handle);
	case ACT_SUBMIT:
		return do_submit(number);
	case ACT_RESIZE:
		return do_resize(handle);
	case ACT_SLEEP:
		return do_sleep();
	case ACT_UNMAP:
		return do_unmap(bell);
	default:
		kill(getpid(), SIGKILL);
		return STATUS_SUCCESS;
	}
}

static void *actor(void *argument)
{
	unsigned int number = (unsigned int)(uintptr_t)argument;

	for (;;) {
		volatile uint64_t *bell;
		uint64_t until;
		uint32_t handle;

		pthread_barrier_wait(&arena.begin);
		if (arena.stop)
			return NULL;
		handle = arena.queue.doorbell;
		bell = arena.queue.bell;
		until = kmt_now_ns() + arena.delays_us[number] * 1000ull;
		while (kmt_now_ns() < until)
			;
		arena.statuses[number] = act(arena.acts[number], number, handle, bell);
		pthread_barrier_wait(&arena.end);
	}
}

/* ---- rounds ---- */

static bool takes_doorbell_away(enum act what)
{
	return what == ACT_DESTROY || what == ACT_RESIZE || what == ACT_UNMAP;
}

/* As before every round: a doorbell, connected or not, or none. */
static void prepare(struct child_report *report, bool wanted, bool connected)
{
	struct queue *queue = &arena.queue;
	int32_t status = STATUS_SUCCESS;

	if (!wanted) {
		if (queue->doorbell)
			doorbell_destroy(arena.session.fd, queue->doorbell);
		return;
	}
	/* SUCCESS: it had gone. INVALID_PARAMETER: it is there, perhaps without a mapping. */
	if (arena.acts[0] == ACT_UNMAP || arena.acts[1] == ACT_UNMAP)
		doorbell_destroy(arena.session.fd, queue->doorbell);
	do_create();
	arena.fence = 0;
	if (connected)
		status = doorbell_connect(arena.session.fd, queue->doorbell);
	if (status != STATUS_SUCCESS)
		child_fail(report, "before a round: status %#x", (uint32_t)status);
}

static bool allowed(enum act what, int32_t status)
{
	/* A notification's doorbell can be destroyed, never removed. */
	return status == STATUS_SUCCESS ||
	       (status == STATUS_INVALID_PARAMETER && what != ACT_STEAL && what != ACT_SLEEP);
}

static void verify(struct child_report *report, unsigned int round)
{
	const enum act *acts = arena.acts;
	unsigned int i, wins = 0;
	int32_t status;

	for (i = 0; i < 2; i++) {
		uint64_t stat = arena.stat[i];

		if (!allowed(acts[i], arena.statuses[i]))
			child_fail(report, "round %u: %s: status %#x", round, act_names[acts[i]],
				   (uint32_t)arena.statuses[i]);
		if (stat > DXG_DOORBELLSTATUS_DISCONNECTED_ABORT && stat != STAT_GONE)
			child_fail(report, "round %u: status word %#llx", round,
				   (unsigned long long)stat);
		wins += arena.statuses[i] == STATUS_SUCCESS;
	}
	if (acts[0] == acts[1] && (acts[0] == ACT_CREATE || acts[0] == ACT_DESTROY) && wins != 1)
		child_fail(report, "round %u: %u of two %ss have won", round, wins,
			   act_names[acts[0]]);
	if (takes_doorbell_away(acts[0]) || takes_doorbell_away(acts[1]) ||
	    acts[0] == ACT_CREATE || acts[1] == ACT_CREATE || !arena.fence)
		return;
	status = queue_wait(&arena.queue, arena.fence, WAIT_NS);
	if (status != STATUS_SUCCESS)
		child_fail(report, "round %u: the work was lost: status %#x", round,
			   (uint32_t)status);
}

static void set_up(struct child_report *report)
{
	int32_t status = kmt_session_open(&arena.session, NULL, 0);
	unsigned int i;

	if (NT_SUCCESS(status))
		status = queue_create(&arena.queue, &arena.session, arena.session.context,
				      QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = kmt_buffer_create(&arena.session, QUEUE_RING_BYTES, 0, &arena.other_ring);
	if (NT_SUCCESS(status))
		status = rival_create(&arena.rival);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	catch_faults();
	pthread_mutex_init(&arena.lock, NULL);
	pthread_barrier_init(&arena.begin, NULL, 3);
	pthread_barrier_init(&arena.end, NULL, 3);
	for (i = 0; i < 2; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, actor, (void *)(uintptr_t)i))
			child_fail(report, "no thread");
		pthread_detach(thread);
	}
}

struct order {
	enum act acts[2];
	unsigned int rounds;
	uint64_t seed;
};

static int fight(struct child_report *report, void *argument)
{
	const struct order *order = argument;
	struct noise source = { .state = order->seed };
	unsigned int round;
	int32_t status;

	arena.acts[0] = order->acts[0];
	arena.acts[1] = order->acts[1];
	set_up(report);
	for (round = 0; round < order->rounds; round++) {
		bool creates = arena.acts[0] == ACT_CREATE || arena.acts[1] == ACT_CREATE;
		uint64_t draw = noise(&source);

		/* Of two creates one has to find nothing. */
		prepare(report, !creates || (arena.acts[0] != arena.acts[1] && (draw & 1)),
			draw & 2);
		arena.stat[0] = 0;
		arena.stat[1] = 0;
		arena.delays_us[0] = (unsigned int)noise_below(&source, MOST_DELAY_US);
		arena.delays_us[1] = (unsigned int)noise_below(&source, MOST_DELAY_US);
		pthread_barrier_wait(&arena.begin);
		pthread_barrier_wait(&arena.end);
		verify(report, round);
		report->values[0]++;
	}
	prepare(report, true, false);
	status = queue_probe(&arena.queue);
	if (status != STATUS_SUCCESS)
		child_fail(report, "afterwards the queue does not work: status %#x",
			   (uint32_t)status);
	arena.stop = true;
	pthread_barrier_wait(&arena.begin);
	status = queue_destroy(&arena.queue);
	if (status != STATUS_SUCCESS)
		child_fail(report, "destroy: status %#x", (uint32_t)status);
	return 0;
}

/* All rounds of a pair in one process; one process for each that is to die. */
static void try_pair(enum act first, enum act second, unsigned int rounds, uint64_t seed,
		     const char *baseline)
{
	bool killed = first == ACT_KILL || second == ACT_KILL, good = true;
	unsigned int processes = killed ? (rounds + 4) / 5 : 1, i;
	struct child_report *report = child_reports(1);
	struct order order = { { first, second }, killed ? 1 : rounds, seed };
	char last[DEBUGFS_TEXT_BYTES], how[32] = "";

	for (i = 0; i < processes && good; i++) {
		pid_t pid;

		order.seed += i;
		pid = child_start(fight, report, &order, false, CHILD_SECONDS);
		good = child_reap(pid, how, sizeof(how)) ||
		       (killed && !strcmp(how, "signal 9") && !report->problem[0]);
		good = good && counters_settle(baseline, 15000, last);
	}
	sysfs_write("/sys/bus/pci/devices/%s/power/control", address, "on");
	if (!ok(good, "%s and %s: %u times, nothing is left", act_names[first], act_names[second],
		killed ? processes : rounds)) {
		diag("process %u, seed %llu: %s after %llu rounds: %s", i,
		     (unsigned long long)order.seed, how, (unsigned long long)report->values[0],
		     report->problem);
		counters_read(last);
		diag("before: %s; after: %s", baseline, last);
	}
	munmap(report, sizeof(*report));
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
					 dxg_count(10, 2000);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	char baseline[DEBUGFS_TEXT_BYTES];
	unsigned int first, second;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	sysfs_write("/sys/bus/pci/devices/%s/power/autosuspend_delay_ms", address, "0");
	diag("%u rounds of each pair, seed %llu", rounds, (unsigned long long)seed);
	for (first = 0; first < NUM_ACTS; first++)
		for (second = first; second < NUM_ACTS; second++)
			try_pair((enum act)first, (enum act)second, rounds, seed, baseline);
	return done();
}
