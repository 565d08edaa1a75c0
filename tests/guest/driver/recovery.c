// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Function-level resets and uncorrectable bus errors under processes that work: each is
 * an adapter reset for them, and they go on with a new device and the file that they
 * have. No hang, no stuck waiter, nothing left (T25, FH-8, FH-9, FH-10, FH-12, PF-11, OBJ-24, DEV-12).
 *
 *   driver-recovery [RESETS]
 *   driver-recovery link		the reset of the link, behind a port of 5 GT/s at most
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <dxgpu/regs.h>
#include "tap.h"
#include "../host.h"
#include "debugfs.h"
#include "fault.h"
#include "modules.h"
#include "queue.h"
#include "stream.h"

#define STREAMS		3u
#define WORK_SECONDS	220u
#define STATE_RESET	2u
#define RIVAL_RESETS	20u
#define RIVAL_ROUNDS	5u
#define LINK_ROUNDS	3u
#define LOOK_US		100u

static char address[64];

static bool reset(void)
{
	int error = sysfs_write("/sys/bus/pci/devices/%s/reset", address, "1");

	if (error)
		diag("reset: errno %d", error);
	return !error;
}

/* Somebody else who resets the device by its register, past the driver. */
struct resetter {
	volatile uint32_t *registers;
	bool after;		/* not before the function-level reset, but right after it */
	unsigned int made;
	volatile bool stop;
};

static uint32_t register_of(const struct resetter *resetter, uint32_t offset)
{
	return resetter->registers[offset / sizeof(uint32_t)];
}

/*
 * From the moment at which the driver resets it, as often as it goes, at most RIVAL_RESETS.
 * The function-level reset is known by the count, which it sets to 0, and before that by
 * registers that are not there.
 */
static void *reset_too(void *argument)
{
	struct resetter *resetter = argument;
	uint32_t count, last = register_of(resetter, DXGPU_REG_RESET_COUNT);

	while (!resetter->stop && register_of(resetter, DXGPU_REG_STATUS) == DXGPU_STATUS_ENABLED)
		kmt_sleep_us(LOOK_US);
	while (!resetter->stop && resetter->after &&
	       register_of(resetter, DXGPU_REG_RESET_COUNT) >= last)
		kmt_sleep_us(LOOK_US);
	while (!resetter->stop && resetter->made < RIVAL_RESETS) {
		count = register_of(resetter, DXGPU_REG_RESET_COUNT);
		if (count == ~0u || (!resetter->after && count < last))
			break;
		last = count;
		resetter->registers[DXGPU_REG_CONTROL / sizeof(uint32_t)] = DXGPU_CONTROL_RESET;
		while (!resetter->stop && register_of(resetter, DXGPU_REG_RESET_COUNT) == count)
			kmt_sleep_us(LOOK_US);
		resetter->made++;
	}
	return NULL;
}

static bool reset_with_rival(bool after)
{
	static unsigned int together;
	struct resetter resetter = { .after = after };
	pthread_t thread;
	uint64_t bytes;
	bool made;

	resetter.registers = pci_map(address, DXGPU_BAR_REGS, &bytes);
	if (!resetter.registers)
		bail("no registers: errno %d", errno);
	if (pthread_create(&thread, NULL, reset_too, &resetter))
		bail("no thread");
	kmt_sleep_us(20000);
	made = reset();
	resetter.stop = true;
	pthread_join(thread, NULL);
	munmap((void *)(uintptr_t)resetter.registers, bytes);
	together += resetter.made;
	diag("%u resets by somebody else at the same time, %u in all", resetter.made, together);
	return made;
}

/* The driver's reset is one of many that end meanwhile, which does not make the device gone. */
static bool reset_among_many(void)
{
	return reset_with_rival(false);
}

/* An error of the bus, and the end of the kernel's recovery from it. */
static bool inject(const char *error)
{
	uint64_t resets = adapter_value("resets");
	char line[64], answer[256];
	unsigned int waited;

	snprintf(line, sizeof(line), "aer %s", error);
	if (dxg_host_request(line, answer, sizeof(answer))) {
		diag("%s: %s", line, answer);
		return false;
	}
	for (waited = 0; waited < 20000 && adapter_value("resets") == resets; waited += 5)
		kmt_sleep_us(5000);
	return adapter_value("resets") == resets + 1;
}

static bool non_fatal(void)
{
	return inject("COMP_TIME");
}

static bool fatal(void)
{
	return inject("MALF_TLP");
}

static bool correctable(void)
{
	char answer[256];

	return !dxg_host_request("aer BAD_TLP", answer, sizeof(answer));
}

struct user {
	struct kmt_session session;
	struct queue queue;
	int32_t status;
	pthread_t waiter;
};

static void *wait_for_ever(void *argument)
{
	struct user *user = argument;

	user->status = kmt_wait(&user->session, user->queue.fence, 1000000);
	return NULL;
}

/* One process's view of an adapter reset, however it was made. */
static void seen_by_one(const char *how, bool (*make)(void), bool goes_on)
{
	uint64_t resets = adapter_value("resets");
	struct user user = { 0 };
	int32_t status;
	int fd;

	must(kmt_session_open(&user.session, NULL, 0), "session");
	must(queue_create(&user.queue, &user.session, user.session.context, QUEUE_RING_BYTES),
	     "queue");
	must(queue_probe(&user.queue), "first work");
	if (pthread_create(&user.waiter, NULL, wait_for_ever, &user))
		bail("no thread");
	kmt_sleep_us(20000);
	fd = user.session.fd;

	ok(make(), "%s", how);
	pthread_join(user.waiter, NULL);
	ok(user.status == STATUS_DEVICE_REMOVED, "%s: a blocked wait ends with DEVICE_REMOVED (%#x)",
	   how, (uint32_t)user.status);
	ok(*user.queue.stat == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT &&
	   kmt_execution_state(fd, user.session.device) == STATE_RESET,
	   "%s: STAT is ABORT, the device is in error", how);
	ok(!fault_of_store(user.queue.bell, 1), "%s: a ring raises no signal (FH-30)", how);
	ok(doorbell_connect(fd, user.queue.doorbell) == STATUS_DEVICE_REMOVED,
	   "%s: a connect gives DEVICE_REMOVED (T7)", how);
	ok(adapter_value("resets") == resets + 1, "%s: it was one adapter reset", how);
	if (!goes_on) {
		close(fd);
		return;
	}
	status = kmt_session_renew(&user.session, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&user.queue, &user.session, user.session.context,
				      QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = queue_probe(&user.queue);
	ok(status == STATUS_SUCCESS, "%s: a new device works, with the same file (FH-8, %#x)", how,
	   (uint32_t)status);
	queue_destroy(&user.queue);
	kmt_session_close(&user.session);
}

/*
 * The device is reset while the driver enables it, and maybe once more after that. The driver
 * enables it again, or finds it lost and resets it; the adapter does not stop.
 */
static void reset_while_enabled(void)
{
	unsigned int waited;
	int32_t status = 0;
	bool made = reset_with_rival(true);

	for (waited = 0; waited < 10000; waited += 20) {
		status = queue_works();
		if (NT_SUCCESS(status))
			break;
		kmt_sleep_us(20000);
	}
	ok(made && status == STATUS_SUCCESS, "reset while the driver enables: a new device works (%#x)",
	   (uint32_t)status);
}

static void seen_by_streams(unsigned int resets)
{
	struct child_report *reports = child_reports(STREAMS);
	uint64_t before = adapter_value("resets"), laps = 0, renewals = 0;
	struct stream stream[STREAMS];
	unsigned int i, made = 0;
	pid_t pids[STREAMS];
	char how[32];

	for (i = 0; i < STREAMS; i++) {
		stream[i] = (struct stream) { .salt = i + 1, .pause_us = 2000, .recovers = true };
		pids[i] = child_start(stream_run, &reports[i], &stream[i], true, WORK_SECONDS);
		if (!child_await(&reports[i], pids[i], STREAM_READY, 20000))
			bail("stream %u does not start: %s", i, reports[i].problem);
	}
	for (i = 0; i < STREAMS; i++)
		reports[i].go = STREAM_READY;
	for (i = 0; i < resets; i++) {
		made += reset();
		kmt_sleep_us(20000);
	}
	ok(made == resets && adapter_value("resets") - before == resets, "%u resets were made",
	   made);
	for (i = 0; i < STREAMS; i++)
		reports[i].go = STREAM_DONE;
	for (i = 0; i < STREAMS; i++) {
		bool good = child_reap(pids[i], how, sizeof(how));

		if (!ok(good && reports[i].values[STREAM_RENEWALS],
			"stream %u goes on after each, its finished laps are right", i))
			diag("%s %s", how, reports[i].problem);
		laps += reports[i].values[STREAM_LAPS];
		renewals += reports[i].values[STREAM_RENEWALS];
	}
	diag("%llu laps, %llu devices lost and made anew", (unsigned long long)laps,
	     (unsigned long long)renewals);
}

/*
 * The kernel resets the link after a fatal error. Of a port faster than 5 GT/s it wants to
 * hear that the link is up again, which QEMU's does not say, so that the recovery ends there,
 * without a word to the driver. Nobody hangs, and the function can be had again by removal
 * and rescan. Behind a port that is not faster the recovery goes on to its end ("link").
 */
static void after_fatal(void)
{
	int32_t status;
	int error;

	seen_by_one("fatal error", fatal, false);
	error = sysfs_write("/sys/bus/pci/devices/%s/remove", address, "1");
	if (!error)
		error = sysfs_write("/sys/bus/pci/rescan", "", "1");
	ok(!error, "fatal error: the function is removed and found again (errno %d)", error);
	status = queue_works();
	ok(status == STATUS_SUCCESS, "fatal error: and works (%#x)", (uint32_t)status);
}

int main(int argc, char **argv)
{
	unsigned int resets = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 100;
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	uint64_t resets_before;
	unsigned int i;

	alarm(WORK_SECONDS);
	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	counters_read(baseline);
	if (argc > 1 && !strcmp(argv[1], "link")) {
		for (i = 0; i < LINK_ROUNDS; i++)
			seen_by_one("reset of the link", fatal, true);
		goto end;
	}
	seen_by_one("FLR", reset, true);
	for (i = 0; i < RIVAL_ROUNDS; i++)
		seen_by_one("reset beside another", reset_among_many, true);
	reset_while_enabled();
	seen_by_one("non-fatal error", non_fatal, true);
	resets_before = adapter_value("resets");
	ok(correctable(), "a correctable error");
	kmt_sleep_us(200000);
	ok(adapter_value("resets") == resets_before, "is nobody's concern");
	seen_by_streams(resets);
	after_fatal();
end:
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
