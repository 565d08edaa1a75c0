// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random calls of an unprivileged process: every ioctl of the driver, with arguments that
 * are nearly right (fuzz-calls.c) and lie in memory that is whole, cut off, read-only, or
 * taken away by another thread during the call. Whatever the answers are, the kernel
 * must not complain (the harness reads its log), a neighbour must not notice, and nothing
 * may be left (SEC-1, SEC-2, SEC-16, KMT-0.3, KMT-0.5, KMT-0.7, OBJ-16).
 *
 *   driver-fuzz [CALLS [SEED]]
 *
 * Two threads make the calls, on two open files, so that handles of one come to the other;
 * a third one takes memory away. Round r, thread t draws from SEED + 16 r + t.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "fuzz-calls.h"

#define ROUNDS		4u
#define THREADS		2u
#define FILES		2u
#define EVENTS		8u
#define WAIT_NS		(30ull * 1000 * 1000 * 1000)
/* Thread 0's place that is taken away, and thread 1's. */
#define SHAKEN_BYTES	(2 * KMT_PAGE_BYTES)

/* Shared by the rounds' processes and the test. */
struct tally {
	uint64_t made[FUZZ_MAX_CALLS];
	uint64_t good[FUZZ_MAX_CALLS];
};

struct round {
	struct tally *tally;
	unsigned int calls;
	unsigned int seed;
};

struct fuzzer {
	struct fuzz fuzz;
	struct tally *tally;
	const int *files;
	unsigned int calls;
	uint8_t *shaken;	/* SHAKEN_BYTES, taken away at any time */
	uint8_t *cut;		/* a page, nothing behind it */
	uint8_t *constant;	/* a page that cannot be written */
};

static volatile bool shaking;

/* Gives memory back and takes it away, never leaving a hole for others. */
static void *shake(void *argument)
{
	struct fuzzer *fuzzers = argument;
	struct noise source = { 99 };

	while (shaking) {
		uint8_t *at = fuzzers[noise_below(&source, THREADS)].shaken;

		if (noise_below(&source, 2))
			at += KMT_PAGE_BYTES;
		mmap(at, KMT_PAGE_BYTES, noise_below(&source, 3) ? PROT_READ | PROT_WRITE : PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		kmt_sleep_us((unsigned int)noise_below(&source, 300));
	}
	return NULL;
}

/* Where a structure of so many bytes may lie, NULL for any good place. */
static uint8_t *place(struct fuzzer *fuzzer, size_t bytes)
{
	struct noise *source = &fuzzer->fuzz.source;
	size_t offset = noise_below(source, 64);

	switch (noise_below(source, 16)) {
	case 0:
		return fuzzer->shaken + KMT_PAGE_BYTES - offset;
	case 1:
		return fuzzer->shaken + offset;
	case 2:
		return fuzzer->cut + KMT_PAGE_BYTES - noise_below(source, bytes + 1);
	case 3:
		return fuzzer->constant + offset;
	case 4:
		return (uint8_t *)(uintptr_t)noise_value(source);
	default:
		return NULL;
	}
}

/*
 * Copies by the kernel, which knows what is there: a pipe takes and gives bytes up to
 * where they cannot be written.
 */
static void place_copy(struct fuzzer *fuzzer, uint8_t *to, const void *from, size_t bytes)
{
	int pipes[2];

	/* Nowhere, as far as we know. */
	if ((to < fuzzer->shaken || to >= fuzzer->shaken + SHAKEN_BYTES) &&
	    (to < fuzzer->cut || to >= fuzzer->cut + KMT_PAGE_BYTES) &&
	    (to < fuzzer->constant || to >= fuzzer->constant + KMT_PAGE_BYTES))
		return;
	if (to >= fuzzer->constant && to < fuzzer->constant + KMT_PAGE_BYTES) {
		mprotect(fuzzer->constant, KMT_PAGE_BYTES, PROT_READ | PROT_WRITE);
		memcpy(to, from, bytes);
		mprotect(fuzzer->constant, KMT_PAGE_BYTES, PROT_READ);
		return;
	}
	if (pipe(pipes))
		return;
	if (write(pipes[1], from, bytes) == (ssize_t)bytes && read(pipes[0], to, bytes) < 0)
		fuzzer->fuzz.unwritable++;
	close(pipes[0]);
	close(pipes[1]);
}

static void one_call(struct fuzzer *fuzzer)
{
	struct fuzz *fuzz = &fuzzer->fuzz;
	struct noise *source = &fuzz->source;
	uint8_t argument[FUZZ_ARGUMENT_BYTES] __attribute__((aligned(8)));
	unsigned int call = (unsigned int)noise_below(source, fuzz_num_calls());
	unsigned long command = fuzz_fill(fuzz, call, argument);
	size_t bytes = _IOC_SIZE(command);
	uint8_t *at = place(fuzzer, bytes);
	int result, file = fuzz->families[fuzz->family].file;

	if (noise_below(source, 8) == 0)
		file = fuzzer->files[noise_below(source, FILES)];
	if (at)
		place_copy(fuzzer, at, argument, bytes);
	if (noise_below(source, 128) == 0)
		command += 1ul << (noise_below(source, 2) ? _IOC_SIZESHIFT : _IOC_NRSHIFT);
	result = ioctl(file, command, at ? at : argument);
	fuzzer->tally->made[call]++;
	if (!at && fuzz_learn(fuzz, call, argument, result))
		fuzzer->tally->good[call]++;
}

static void *fuzz_thread(void *argument)
{
	struct fuzzer *fuzzer = argument;
	unsigned int i;

	for (i = 0; i < fuzzer->calls; i++) {
		if (i % 32 == 0)
			fuzz_build(&fuzzer->fuzz, fuzzer->files[i / 32 % FILES]);
		one_call(fuzzer);
	}
	return NULL;
}

static void *memory(size_t bytes, int protection)
{
	/* One page more, which stays out of reach. */
	uint8_t *at = mmap(NULL, bytes + KMT_PAGE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	if (at == MAP_FAILED || mprotect(at, bytes, protection))
		return NULL;
	return at;
}

static int run(struct child_report *report, void *argument)
{
	const struct round *round = argument;
	static struct fuzzer fuzzers[THREADS];
	pthread_t threads[THREADS], shaker;
	int files[FILES];
	unsigned int i;

	for (i = 0; i < FILES; i++) {
		files[i] = open(DXG_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
		if (files[i] < 0)
			child_fail(report, "file %u cannot be opened", i);
	}
	/* The first descriptors of a process: waits find them by number. */
	for (i = 0; i < EVENTS; i++)
		eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (i = 0; i < THREADS; i++) {
		struct fuzzer *fuzzer = &fuzzers[i];

		fuzzer->tally = round->tally;
		fuzzer->files = files;
		fuzzer->calls = round->calls / THREADS;
		fuzzer->shaken = memory(SHAKEN_BYTES, PROT_READ | PROT_WRITE);
		fuzzer->cut = memory(KMT_PAGE_BYTES, PROT_READ | PROT_WRITE);
		fuzzer->constant = memory(KMT_PAGE_BYTES, PROT_READ);
		fuzzer->fuzz.memory = memory(FUZZ_MEMORY_BYTES, PROT_READ | PROT_WRITE);
		fuzzer->fuzz.source.state = round->seed + i;
		fuzzer->fuzz.shaken = fuzzer->shaken;
		if (!fuzzer->shaken || !fuzzer->cut || !fuzzer->constant || !fuzzer->fuzz.memory)
			child_fail(report, "no memory");
	}
	shaking = true;
	if (pthread_create(&shaker, NULL, shake, fuzzers))
		child_fail(report, "no thread");
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, fuzz_thread, &fuzzers[i]))
			child_fail(report, "no thread");
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	shaking = false;
	pthread_join(shaker, NULL);
	return 0;
}

static void report_tally(const struct tally *tally)
{
	uint64_t made = 0, good = 0;
	unsigned int never = 0, i;

	for (i = 0; i < fuzz_num_calls(); i++) {
		made += tally->made[i];
		good += tally->good[i];
		if (!tally->good[i] && fuzz_call_name(i)) {
			diag("%s never succeeded in %llu calls", fuzz_call_name(i),
			     (unsigned long long)tally->made[i]);
			never++;
		}
	}
	diag("%llu of %llu calls succeeded", (unsigned long long)good, (unsigned long long)made);
	ok(!never && good > made / 20, "each of %u calls succeeded now and then", fuzz_num_calls());
}

int main(int argc, char **argv)
{
	unsigned int calls = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       dxg_count(16000, 2000000);
	unsigned int seed = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) :
				       (unsigned int)time(NULL);
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], how[32], problem[200] = "";
	struct child_report *report = child_reports(1);
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kmt_session session;
	struct queue queue;
	struct chain chain;
	unsigned int i;

	if (tally == MAP_FAILED || kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    chain_create(&chain, &queue, 64))
		bail("no neighbour");
	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	for (i = 0; i < ROUNDS; i++) {
		struct round round = { tally, calls / ROUNDS, seed + i * 16 };
		pid_t pid;

		diag("%u calls, seed %u", round.calls, round.seed);
		pid = child_start(run, report, &round, true, 60 + calls / 100);
		ok(child_reap(pid, how, sizeof(how)), "round %u came to its end (%s) %s", i, how,
		   report->problem);
		ok(chain_lap(&chain, i, 4, WAIT_NS, problem, sizeof(problem)) == STATUS_SUCCESS,
		   "the neighbour works %s", problem);
		if (!ok(counters_settle(baseline, 20000, last), "nothing is left"))
			diag("before: %s; after: %s", baseline, last);
	}
	report_tally(tally);
	return done();
}
