// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The secondary doorbell: a second page of the same slot, which comes and goes with
 * the first under one STAT (MOD-10, KMT-CD-15, DDI-CN-1, DDI-CN-2, DDI-QA-1, OBJ-4,
 * ORD-1, ORD-6, ORD-17, OBJ-23).
 *
 *   driver-secondary on|off
 *
 * on: the device has them; off: it has not.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "debugfs.h"
#include "fault.h"
#include "host.h"
#include "rival.h"

#define WAIT_NS		(20ull * 1000 * 1000 * 1000)
#define QUIET_US	60000u
#define ROUNDS		dxg_count(100, 2000)
#define LAPS		dxg_count(20, 1000)
#define STEPS		64u

#define CONNECTED	DXG_DOORBELLSTATUS_CONNECTED
#define RETRY		DXG_DOORBELLSTATUS_DISCONNECTED_RETRY
#define SECONDARY	DXG_DOORBELL_REQUIRE_SECONDARY

static struct kmt_session session;
static struct rival rival;

static void *page_of(const volatile void *address)
{
	return (void *)((uintptr_t)address & ~(uintptr_t)(KMT_PAGE_BYTES - 1));
}

/* A store to one of the doorbells, and what STAT says then. */
static uint64_t ring(struct queue *queue, volatile uint64_t *bell)
{
	atomic_thread_fence(memory_order_release);
	*bell = queue->wp;
	atomic_thread_fence(memory_order_seq_cst);
	return *queue->stat;
}

static bool stays(struct queue *queue, uint64_t fence)
{
	kmt_sleep_us(QUIET_US);
	return *queue->fence_cpu == fence;
}

/* Memory keeps what is stored, a physical doorbell reads as zero. */
static bool is_dummy(volatile uint64_t *bell)
{
	*bell = 0x5a5a5a5a5a5a5a5a;
	return *bell == 0x5a5a5a5a5a5a5a5a;
}

static void must_steal(struct queue *queue)
{
	if (!rival_steal(&rival, queue))
		bail("the rival cannot take the slot");
}

static void must_connect(struct queue *queue)
{
	must(doorbell_connect(session.fd, queue->doorbell), "connect");
}

/* A queue whose doorbell was made with these flags. */
static void must_create(struct queue *queue, uint32_t flags)
{
	must(queue_create(queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(doorbell_destroy(session.fd, queue->doorbell), "destroy");
	queue->doorbell = 0;
	must(queue_doorbell_create(queue, flags), "doorbell");
}

static void not_supported(void)
{
	struct dxg_createdoorbell create;
	struct queue queue;
	int32_t status;

	ok(session.caps.secondary_doorbell_bytes == 0, "the adapter has no secondary doorbells");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(doorbell_destroy(session.fd, queue.doorbell), "destroy");
	status = doorbell_create(session.fd, queue.queue, queue.ring.allocation,
				 queue.control.allocation, SECONDARY, &create);
	ok(status == STATUS_NOT_SUPPORTED && !create.doorbell && !create.doorbell_cpu_va &&
	   !create.doorbell_secondary_cpu_va, "one is refused: NOT_SUPPORTED (%#x)",
	   (uint32_t)status);
	status = doorbell_create(session.fd, queue.queue, queue.ring.allocation,
				 queue.control.allocation, SECONDARY | DXG_DOORBELL_RESIZE,
				 &create);
	ok(status == STATUS_NOT_SUPPORTED, "also with another flag");
	queue.doorbell = 0;
	ok(queue_doorbell_create(&queue, 0) == STATUS_SUCCESS && !queue.secondary,
	   "without the flag there is a doorbell, and no second address");
	ok(queue_probe(&queue) == STATUS_SUCCESS, "and it works");
	ok(queue_destroy(&queue) == STATUS_SUCCESS, "all is destroyed");
}

static void addresses(struct queue *queue)
{
	uint32_t bytes = session.caps.secondary_doorbell_bytes;
	struct queue plain;

	ok(bytes == 8, "the adapter has secondary doorbells of 8 bytes (%u)", bytes);
	must_create(&plain, 0);
	ok(!plain.secondary, "without the flag there is no second address (KMT-CD-15)");
	ok(queue_probe(&plain) == STATUS_SUCCESS, "and the doorbell works");
	must(queue_destroy(&plain), "queue");
	ok(queue->secondary && page_of(queue->secondary) != page_of(queue->bell) &&
	   (uintptr_t)queue->secondary % bytes == 0,
	   "with it there is one, aligned, on a page of its own");
}

static void first_life(struct queue *queue)
{
	volatile uint32_t *half = (volatile uint32_t *)(uintptr_t)queue->secondary;
	unsigned long long rings, rings_after;
	uint64_t fence;
	int error;

	fence = queue_publish_fence(queue);
	ok(ring(queue, queue->secondary) == RETRY && stays(queue, 0),
	   "before the first connect a ring has no effect, and STAT is RETRY");
	ok(is_dummy(queue->bell) && is_dummy(queue->secondary), "because both pages are memory");
	must_connect(queue);
	ok(queue_completes(queue, fence, WAIT_NS), "connect is a ring");
	ok(*queue->stat == CONNECTED && !is_dummy(queue->secondary) && !is_dummy(queue->bell),
	   "after it both pages are doorbells");
	error = dxg_host_stat("doorbell_secondary", &rings);
	fence = queue_publish_fence(queue);
	ok(ring(queue, queue->secondary) == CONNECTED && queue_completes(queue, fence, WAIT_NS),
	   "a ring of the secondary one alone runs work");
	fence = queue_publish_fence(queue);
	*half = (uint32_t)queue->wp;
	ok(queue_completes(queue, fence, WAIT_NS), "so does one of 32 bits");
	error |= dxg_host_stat("doorbell_secondary", &rings_after);
	ok(!error && rings_after == rings + 2, "the device has seen both there (%llu, %llu)",
	   rings, rings_after);
	fence = queue_publish_fence(queue);
	*queue->secondary = ~0ull;
	ok(queue_completes(queue, fence, WAIT_NS), "and one of a wrong value");
	fence = queue_publish_fence(queue);
	ok(ring(queue, queue->bell) == CONNECTED && queue_completes(queue, fence, WAIT_NS),
	   "the primary one works as ever");
	fence = queue_publish_fence(queue);
	must_connect(queue);
	ok(queue_completes(queue, fence, WAIT_NS) && !is_dummy(queue->secondary),
	   "a second connect is a sample and keeps both (KMT-CN-9)");
}

static void stolen(struct queue *queue)
{
	volatile uint64_t *bell = queue->bell, *second = queue->secondary;
	uint64_t fence = *queue->fence_cpu;

	must_steal(queue);
	ok(*queue->stat == RETRY, "a rival takes the slot: STAT is RETRY");
	queue_publish_fence(queue);
	ok(ring(queue, second) == RETRY && stays(queue, fence),
	   "a ring of the secondary doorbell does nothing");
	ok(ring(queue, bell) == RETRY && stays(queue, fence), "nor does one of the primary");
	ok(is_dummy(second) && is_dummy(bell), "as both pages are memory (ORD-1)");
	ok(queue_probe(&rival.queues[0]) == STATUS_SUCCESS, "the rival works");
	must_connect(queue);
	ok(queue_completes(queue, fence + 1, WAIT_NS), "after reconnect the old work runs, once");
	fence = queue_publish_fence(queue);
	*second = queue->wp;
	ok(queue_completes(queue, fence, WAIT_NS), "the secondary address is the same (OBJ-4)");
	fence = queue_publish_fence(queue);
	*bell = queue->wp;
	ok(queue_completes(queue, fence, WAIT_NS), "the primary one is, too");
}

/* Translations to the dummy, or to the slot, that outlive the change (ORD-6, ORD-17). */
static void warm_translations(struct queue *queue)
{
	unsigned int lost = 0, stale = 0, round;

	for (round = 0; round < ROUNDS; round++) {
		uint64_t fence;

		must_steal(queue);
		stale += !is_dummy(queue->secondary) || !is_dummy(queue->bell);
		must_connect(queue);
		fence = queue_publish_fence(queue);
		if (ring(queue, round % 2 ? queue->bell : queue->secondary) == CONNECTED &&
		    !queue_completes(queue, fence, WAIT_NS))
			lost++;
		*queue->bell = queue->wp;
		*queue->secondary = queue->wp;
	}
	ok(!stale, "%u times no CPU reached the slot after the revoke", ROUNDS);
	ok(!lost, "%u times no ring was lost in a dummy after the connect", ROUNDS);
}

struct racer {
	struct queue *queue;
	struct chain chain;
	atomic_bool ended;
	bool good;
	char problem[200];
};

/* The whole protocol through the secondary doorbell alone, or through both in turn. */
static void *race(void *argument)
{
	struct racer *racer = argument;
	struct queue *queue = racer->queue;
	volatile uint64_t *bell = queue->bell;
	unsigned int lap;

	racer->good = true;
	for (lap = 0; lap < LAPS && racer->good; lap++) {
		queue->bell = lap % 2 ? bell : queue->secondary;
		racer->good = chain_lap(&racer->chain, lap, 3, WAIT_NS, racer->problem,
					sizeof(racer->problem)) == STATUS_SUCCESS;
	}
	queue->bell = bell;
	atomic_store(&racer->ended, true);
	return NULL;
}

static void races(struct queue *queue)
{
	struct racer racer = { .queue = queue };
	uint64_t before = adapter_value("victimizations");
	pthread_t thread;

	must(chain_create(&racer.chain, queue, STEPS), "chain");
	if (pthread_create(&thread, NULL, race, &racer))
		bail("no thread");
	while (!atomic_load(&racer.ended)) {
		rival_steal(&rival, queue);
		kmt_sleep_us(500);
	}
	pthread_join(thread, NULL);
	before = adapter_value("victimizations") - before;
	if (!ok(racer.good, "%u commands under victimization ran once each, in order",
		LAPS * STEPS))
		diag("%s", racer.problem);
	ok(before > 0, "doorbells were victimized meanwhile (%llu)", (unsigned long long)before);
	must(chain_destroy(&racer.chain), "chain");
}

/* One of the two pages goes, by the process's own hand; the other does not mind. */
static void half_unmapped(bool second)
{
	const char *name = second ? "secondary" : "primary";
	volatile uint64_t *gone, *left;
	uint64_t *foreign;
	struct queue queue;
	uint64_t fence;

	must_create(&queue, SECONDARY);
	must(queue_probe(&queue), "first work");
	gone = second ? queue.secondary : queue.bell;
	left = second ? queue.bell : queue.secondary;
	munmap(page_of(gone), KMT_PAGE_BYTES);
	foreign = mmap(page_of(gone), KMT_PAGE_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (foreign != page_of(gone))
		bail("no page in the doorbell's place");
	*foreign = 0x600d;
	fence = queue_publish_fence(&queue);
	ok(ring(&queue, left) == CONNECTED && queue_completes(&queue, fence, WAIT_NS),
	   "without the %s page the other one rings", name);
	must_steal(&queue);
	ok(is_dummy(left), "and is revoked");
	must_connect(&queue);
	ok(!is_dummy(left), "and attached");
	ok(doorbell_destroy(session.fd, queue.doorbell) == STATUS_SUCCESS &&
	   fault_of_store(left, 1) != 0, "and gone when the doorbell is destroyed");
	ok(!fault_of_store(foreign, 0x600d) && *foreign == 0x600d,
	   "what the process put in the %s one's place is not", name);
	queue.doorbell = 0;
	must(queue_destroy(&queue), "queue");
	munmap(foreign, KMT_PAGE_BYTES);
}

/* A page that was moved is found by the revoke all the same (MAP-8). */
static void moved(void)
{
	volatile uint64_t *at;
	struct queue queue;
	uint64_t fence;
	void *page;

	must_create(&queue, SECONDARY);
	must(queue_probe(&queue), "first work");
	page = mmap(NULL, KMT_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	page = mremap(page_of(queue.secondary), KMT_PAGE_BYTES, KMT_PAGE_BYTES,
		      MREMAP_MAYMOVE | MREMAP_FIXED, page);
	if (page == MAP_FAILED) {
		skip(3, "this kernel does not move the page");
		must(queue_destroy(&queue), "queue");
		return;
	}
	at = page;
	fence = queue_publish_fence(&queue);
	ok(ring(&queue, at) == CONNECTED && queue_completes(&queue, fence, WAIT_NS),
	   "the secondary page can be moved alone, and rings");
	must_steal(&queue);
	ok(is_dummy(at) && is_dummy(queue.bell), "a revoke finds it there");
	ok(queue_destroy(&queue) == STATUS_SUCCESS && fault_of_store(at, 1) != 0,
	   "so does the end");
	munmap(page, KMT_PAGE_BYTES);
}

static void growing(struct queue *queue)
{
	ok(mremap(page_of(queue->bell), 2 * KMT_PAGE_BYTES, 3 * KMT_PAGE_BYTES,
		  MREMAP_MAYMOVE) == MAP_FAILED, "the mapping of both cannot grow");
	ok(mremap(page_of(queue->secondary), 0, KMT_PAGE_BYTES, MREMAP_MAYMOVE) == MAP_FAILED,
	   "nor be doubled (SEC-13)");
}

static void child(struct queue *queue)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fault_of_store(queue->secondary, 1) == SIGSEGV ? 0 : 1);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
	   "a child has no secondary doorbell (SEC-11)");
}

static void ending(struct queue *queue)
{
	volatile uint64_t *bell = queue->bell, *second = queue->secondary;

	must(doorbell_destroy(session.fd, queue->doorbell), "destroy");
	ok(fault_of_store(bell, 0) && fault_of_store(second, 0),
	   "after the destroy both addresses raise a signal (OBJ-23)");
	queue->doorbell = 0;
	must(queue_doorbell_create(queue, SECONDARY), "doorbell");
	ok(queue->secondary && queue_probe(queue) == STATUS_SUCCESS, "a new one works");
}

int main(int argc, char **argv)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct queue queue;

	if (argc != 2 || (strcmp(argv[1], "on") && strcmp(argv[1], "off")))
		bail("usage: driver-secondary on|off");
	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	must(kmt_session_open(&session, NULL, 0), "session");
	if (!strcmp(argv[1], "off")) {
		not_supported();
	} else {
		must_create(&queue, SECONDARY);
		must(rival_create(&rival), "rival");
		addresses(&queue);
		first_life(&queue);
		stolen(&queue);
		warm_translations(&queue);
		races(&queue);
		half_unmapped(false);
		half_unmapped(true);
		moved();
		growing(&queue);
		child(&queue);
		ending(&queue);
		ok(queue_destroy(&queue) == STATUS_SUCCESS &&
		   rival_destroy(&rival) == STATUS_SUCCESS, "all is destroyed");
	}
	must(kmt_session_close(&session), "session");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
