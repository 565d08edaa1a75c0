// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device goes while 64 queues of four processes are busy on it: removed from the bus
 * by the guest, or unplugged by the host. Everybody learns of it by ABORT and
 * DEVICE_REMOVED; nobody hangs or gets a signal; nothing is left, and when the device is there
 * again it works (T26, FH-10, FH-28, FH-29, FH-30, OBJ-24, KMT-CN-5, KMT-DD-1, PF-11).
 *
 *   driver-unplug [ROUNDS [SEED]]
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "host.h"
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "modules.h"
#include "noise.h"
#include "queue.h"

#define PROCESSES	4u
#define QUEUES		16u
#define HOST_EVERY	5u	/* rounds; the host's way takes seconds */
#define PATIENCE_S	60u
#define STAGE_BUSY	1

/* Values of a report. */
enum { SUBMITTED, ABORTED, REMOVED };

struct user {
	struct child_report *report;
	struct kmt_session session;
	struct queue queues[QUEUES];
	struct kmt_buffer target;
	bool gone[QUEUES];
};

static void user_start(struct user *user)
{
	unsigned int i;

	if (kmt_session_open(&user->session, NULL, 0) ||
	    kmt_buffer_create(&user->session, 16 * KMT_PAGE_BYTES, 0, &user->target))
		child_fail(user->report, "no session");
	for (i = 0; i < QUEUES; i++) {
		int32_t status = queue_create(&user->queues[i], &user->session,
					      user->session.context, QUEUE_RING_BYTES);

		if (!NT_SUCCESS(status))
			child_fail(user->report, "queue %u: status %#x", i, (uint32_t)status);
	}
}

/* One more submission to each queue. Gives the number of queues that are lost by now. */
static unsigned int turn(struct user *user)
{
	unsigned int gone = 0, i;

	for (i = 0; i < QUEUES; i++) {
		struct queue *queue = &user->queues[i];
		struct dxg_commands commands;
		int32_t status;

		if (!user->gone[i] && queue_has_room(queue)) {
			commands = queue_commands(queue);
			dxg_commands_fill(&commands, user->target.gpuva, i,
					  (uint32_t)user->target.bytes);
			queue_publish(queue, &commands);
			user->report->values[SUBMITTED]++;
		}
		status = user->gone[i] ? STATUS_DEVICE_REMOVED : queue_deliver(queue);
		if (status == STATUS_DEVICE_REMOVED)
			user->gone[i] = true;
		else if (!NT_SUCCESS(status))
			child_problem(user->report, "queue %u: deliver %#x", i, (uint32_t)status);
		gone += user->gone[i];
	}
	return gone;
}

static void *wait_for_ever(void *argument)
{
	struct user *user = argument;
	int32_t status = kmt_wait(&user->session, user->queues[0].fence, UINT64_MAX);

	user->report->values[REMOVED] = status == STATUS_DEVICE_REMOVED;
	if (status != STATUS_DEVICE_REMOVED)
		child_problem(user->report, "the blocked wait: %#x", (uint32_t)status);
	return NULL;
}

static void aftermath(struct user *user)
{
	unsigned int i;

	for (i = 0; i < QUEUES; i++) {
		struct queue *queue = &user->queues[i];
		uint64_t stat = queue_ring(queue);
		int32_t status = doorbell_connect(user->session.fd, queue->doorbell);

		user->report->values[ABORTED] += stat == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT;
		if (status != STATUS_DEVICE_REMOVED)
			child_problem(user->report, "queue %u: connect %#x", i, (uint32_t)status);
		if (*queue->fence_cpu > queue->wp)
			child_problem(user->report, "queue %u: fence %llu, %llu submitted", i,
				      (unsigned long long)*queue->fence_cpu,
				      (unsigned long long)queue->wp);
	}
}

static int use(struct child_report *report, void *argument)
{
	bool orderly = *(bool *)argument;
	struct user user = { .report = report };
	int32_t status = STATUS_SUCCESS;
	pthread_t thread;
	unsigned int i;

	user_start(&user);
	if (pthread_create(&thread, NULL, wait_for_ever, &user))
		child_fail(report, "no thread");
	while (turn(&user) < QUEUES)
		report->stage = STAGE_BUSY;
	pthread_join(thread, NULL);
	aftermath(&user);
	for (i = 0; i < QUEUES && orderly && NT_SUCCESS(status); i++)
		status = queue_destroy(&user.queues[i]);
	if (orderly && NT_SUCCESS(status))
		status = kmt_buffer_destroy(&user.session, &user.target);
	if (orderly && NT_SUCCESS(status))
		status = kmt_session_close(&user.session);
	if (!NT_SUCCESS(status))
		child_problem(report, "destroy: status %#x", (uint32_t)status);
	return report->problem[0] != '\0';
}

static bool go_and_come(bool host, bool go, const char *address)
{
	const char *verb = go ? "unplug" : "plug";
	char answer[256];
	int error;

	if (host)
		error = dxg_host_request(verb, answer, sizeof(answer));
	else if (go)
		error = sysfs_write("/sys/bus/pci/devices/%s/remove", address, "1");
	else
		error = sysfs_write("/sys/bus/pci/rescan", address, "1");
	if (error)
		diag("%s: error %d %s", verb, error, host ? answer : "");
	return !error;
}

/* The new device has its adapter a moment after it is there. */
static bool works_again(void)
{
	uint64_t end = kmt_now_ns() + PATIENCE_S * 1000000000ull;
	struct kmt_session session;
	struct queue queue;
	int32_t status;

	do {
		status = kmt_session_open(&session, NULL, 0);
		if (!NT_SUCCESS(status))
			kmt_sleep_us(10000);
	} while (!NT_SUCCESS(status) && kmt_now_ns() < end);
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (NT_SUCCESS(status))
		status = queue_destroy(&queue);
	if (NT_SUCCESS(status))
		status = kmt_session_close(&session);
	if (!NT_SUCCESS(status))
		diag("afterwards: status %#x", (uint32_t)status);
	return NT_SUCCESS(status);
}

static bool one_round(unsigned int round, unsigned int delay_us)
{
	struct child_report *reports = child_reports(PROCESSES);
	bool host = round % HOST_EVERY == HOST_EVERY - 1, orderly = round % 2, good = true;
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], address[64], how[32];
	uint64_t submitted = 0;
	pid_t pids[PROCESSES];
	unsigned int i;

	if (!counters_read(baseline) || !pci_find(address, sizeof(address)))
		bail("round %u: no device", round);
	for (i = 0; i < PROCESSES; i++)
		pids[i] = child_start(use, &reports[i], &orderly, true, 2 * PATIENCE_S);
	for (i = 0; i < PROCESSES; i++)
		if (!child_await(&reports[i], pids[i], STAGE_BUSY, PATIENCE_S * 1000))
			bail("round %u: process %u is not busy: %s", round, i, reports[i].problem);
	kmt_sleep_us(delay_us);
	good &= go_and_come(host, true, address);
	for (i = 0; i < PROCESSES; i++) {
		bool ended = child_reap(pids[i], how, sizeof(how));

		submitted += reports[i].values[SUBMITTED];
		if (ended && reports[i].values[ABORTED] == QUEUES && reports[i].values[REMOVED])
			continue;
		diag("round %u: process %u: %s, %llu of %u queues aborted: %s", round, i, how,
		     (unsigned long long)reports[i].values[ABORTED], QUEUES,
		     reports[i].problem);
		good = false;
	}
	if (!counters_settle(baseline, 10000, last)) {
		diag("round %u: before: %s; after: %s", round, baseline, last);
		good = false;
	}
	good &= go_and_come(host, false, address);
	good &= works_again();
	ok(good, "round %u, %s after %llu submissions, %s", round,
	   host ? "unplugged" : "removed", (unsigned long long)submitted,
	   orderly ? "all is destroyed" : "files are closed");
	return good;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				      dxg_count(10, 50);
	unsigned int seed = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) :
				       (unsigned int)time(NULL);
	struct noise source = { seed };
	unsigned int round;

	diag("%u rounds, seed %u", rounds, seed);
	for (round = 0; round < rounds; round++)
		if (!one_round(round, (unsigned int)noise_below(&source, 20000)))
			break;
	ok(round == rounds, "all %u rounds were made", rounds);
	return done();
}
