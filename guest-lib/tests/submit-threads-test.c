// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several threads submit to one queue while its doorbell is taken away again and
 * again: each entry executes exactly once and no fence is stuck (UMD-7, ORD-24).
 *
 * Kernel and device are played by the rules of ORD-6 to ORD-8: the status word
 * is stored before the doorbell stops reaching the device, a connect and a
 * disconnect sample the write pointer, and the device executes only what it sampled.
 *
 * argv[1] "forever": without bounds, which takes the other branches of locking and
 * waiting. The thread sanitizer runs only these: it does not know the lock with
 * a bound (pthread_mutex_clocklock) and would see a lock that nobody took.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include "submit.h"
#include "tap.h"

#define THREADS		4
#define SUBMISSIONS	1500
#define ENTRIES		8
#define WAITERS		64

static struct {
	struct dxg_submit_queue queue;
	struct dxgpu_ring_entry ring[ENTRIES];
	struct dxgpu_ring_control control;
	UINT64 status, progress, last_queued, doorbell;

	pthread_mutex_t lock;		/* everything below, and the order of samples */
	bool connected;
	UINT64 sampled;			/* the WP that the device knows */
	UINT64 executed[THREADS * SUBMISSIONS + 1]; /* by fence value */
	struct {
		int event;
		UINT64 value;
	} waiters[WAITERS];
	UINT num_waiters;
	UINT disconnects;
	UINT unannounced;		/* samples that saw more than was announced */
	atomic_bool stop;
} world;

/* Whoever sees an entry sees a last-queued value that covers it (ORD-11, PF-3). */
static void sample(void)
{
	world.sampled = __atomic_load_n(&world.control.wp, __ATOMIC_ACQUIRE);
	if (__atomic_load_n(&world.last_queued, __ATOMIC_ACQUIRE) < world.sampled)
		world.unannounced++;
}

static void play_ring(void *doorbell, UINT64 wp)
{
	__atomic_store_n((UINT64 *)doorbell, wp, __ATOMIC_RELAXED);
	pthread_mutex_lock(&world.lock);
	if (world.connected)
		sample();
	pthread_mutex_unlock(&world.lock);
}

static NTSTATUS play_connect(const D3DKMT_CONNECT_DOORBELL *args)
{
	(void)args;
	pthread_mutex_lock(&world.lock);
	world.connected = true;
	sample();
	__atomic_store_n(&world.status, D3DDDI_DOORBELLSTATUS_CONNECTED,
			 __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&world.lock);
	return STATUS_SUCCESS;
}

/* The kernel's blocking wait. */
static NTSTATUS play_block(UINT64 value)
{
	struct timespec pause = { .tv_nsec = 20000 };

	while (__atomic_load_n(&world.progress, __ATOMIC_ACQUIRE) < value)
		nanosleep(&pause, NULL);
	return STATUS_SUCCESS;
}

static NTSTATUS play_wait(const D3DKMT_WAITFORSYNCHRONIZATIONOBJECTFROMCPU *args)
{
	int event = (int)(intptr_t)args->hAsyncEvent;
	NTSTATUS status = STATUS_SUCCESS;

	if (!args->hAsyncEvent)
		return play_block(args->FenceValueArray[0]);
	pthread_mutex_lock(&world.lock);
	if (world.progress >= args->FenceValueArray[0]) {
		eventfd_write(event, 1);
	} else if (world.num_waiters < WAITERS) {
		world.waiters[world.num_waiters].event = event;
		world.waiters[world.num_waiters++].value = args->FenceValueArray[0];
	} else {
		status = STATUS_NO_MEMORY;
	}
	pthread_mutex_unlock(&world.lock);
	return status;
}

static NTSTATUS play_notify(const D3DKMT_NOTIFY_WORK_SUBMISSION *args)
{
	(void)args;
	return STATUS_SUCCESS;
}

static NTSTATUS play_device_state(D3DKMT_GETDEVICESTATE *args)
{
	(void)args;
	return STATUS_SUCCESS;
}

static const struct dxg_submit_ops ops = {
	.ring = play_ring,
	.connect = play_connect,
	.notify = play_notify,
	.wait = play_wait,
	.device_state = play_device_state,
};

/* The device: one entry, then whoever waits for its fence. */
static void execute_one(void)
{
	const struct dxgpu_ring_entry *entry =
		&world.ring[world.control.rp % ENTRIES];
	const struct dxgpu_packet_fence_write *fence;
	UINT i = 0;

	fence = (const void *)(uintptr_t)(entry->command_gpuva +
					  entry->command_bytes - sizeof(*fence));
	world.executed[fence->value]++;
	__atomic_store_n(&world.progress, fence->value, __ATOMIC_RELEASE);
	__atomic_store_n(&world.control.rp, world.control.rp + 1, __ATOMIC_RELEASE);
	while (i < world.num_waiters) {
		if (world.waiters[i].value > world.progress) {
			i++;
			continue;
		}
		eventfd_write(world.waiters[i].event, 1);
		world.waiters[i] = world.waiters[--world.num_waiters];
	}
}

static void *device_thread(void *unused)
{
	struct timespec pause = { .tv_nsec = 20000 };
	bool idle;

	while (!atomic_load(&world.stop)) {
		pthread_mutex_lock(&world.lock);
		idle = world.control.rp == world.sampled;
		if (!idle)
			execute_one();
		pthread_mutex_unlock(&world.lock);
		if (idle)
			nanosleep(&pause, NULL);
	}
	return unused;
}

static void *thief_thread(void *unused)
{
	struct timespec pause = { .tv_nsec = 30000 };

	while (!atomic_load(&world.stop)) {
		__atomic_store_n(&world.status,
				 D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY,
				 __ATOMIC_SEQ_CST);
		pthread_mutex_lock(&world.lock);
		/* A connect since the store has undone it: then nothing is taken. */
		if (world.connected && world.status ==
				D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY) {
			world.connected = false;
			world.disconnects++;
			sample();
		}
		pthread_mutex_unlock(&world.lock);
		nanosleep(&pause, NULL);
	}
	return unused;
}

static UINT64 bound_ns = 20000000000ull;

static void *submit_thread(void *failures)
{
	UINT64 memory[16];
	struct dxg_commands commands = {
		.cpu = memory,
		.gpuva = (UINT64)(uintptr_t)memory,
		.capacity_bytes = sizeof(memory),
	};
	UINT64 fence;
	UINT i;

	for (i = 0; i < SUBMISSIONS; i++) {
		dxg_commands_reset(&commands);
		if (dxg_submit(&world.queue, &commands, bound_ns, &fence) ||
		    dxg_wait(&world.queue, fence, bound_ns))
			++*(atomic_uint *)failures;
	}
	return NULL;
}

static void world_init(void)
{
	pthread_mutex_init(&world.lock, NULL);
	world.status = D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY;
	dxg_submit_queue_init(&world.queue);
	world.queue.ops = &ops;
	world.queue.entries = ENTRIES;
	world.queue.max_command_bytes = 4096;
	world.queue.first_fence = 1;
	world.queue.ring = world.ring;
	world.queue.control = &world.control;
	world.queue.doorbell_va = &world.doorbell;
	world.queue.status = &world.status;
	world.queue.progress = &world.progress;
	world.queue.last_queued = &world.last_queued;
}

int main(int argc, char **argv)
{
	pthread_t submitters[THREADS], device, thief;
	struct dxg_submit_stats stats;
	atomic_uint failures = 0;
	UINT64 wrong = 0;
	UINT64 i;

	if (argc > 1 && !strcmp(argv[1], "forever"))
		bound_ns = DXG_FOREVER;
	world_init();
	pthread_create(&device, NULL, device_thread, NULL);
	pthread_create(&thief, NULL, thief_thread, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_create(&submitters[i], NULL, submit_thread, &failures);
	for (i = 0; i < THREADS; i++)
		pthread_join(submitters[i], NULL);
	atomic_store(&world.stop, true);
	pthread_join(device, NULL);
	pthread_join(thief, NULL);

	ok(!failures, "every submission succeeded and was reached");
	for (i = 1; i <= THREADS * SUBMISSIONS; i++)
		wrong += world.executed[i] != 1;
	ok(!wrong, "each of %d entries executed exactly once",
	   THREADS * SUBMISSIONS);
	dxg_submit_queue_get_stats(&world.queue, &stats);
	ok(stats.submissions == THREADS * SUBMISSIONS &&
	   world.last_queued == THREADS * SUBMISSIONS,
	   "counts and last-queued value agree");
	ok(!world.unannounced, "last-queued was there before each entry (ORD-11 PF-3)");
	ok(world.disconnects && stats.reconnects,
	   "the doorbell was taken away meanwhile");
	diag("%u disconnects, %llu reconnects, %llu rings", world.disconnects,
	     (unsigned long long)stats.reconnects,
	     (unsigned long long)stats.rings);
	dxg_submit_queue_fini(&world.queue);
	return done();
}
