// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Quotas count a process once, however many files it opens, and all processes of a user
 * together (SEC-17, KMT-CD-20): beyond them NO_MEMORY, or EMFILE from open; other
 * users do not notice, and what is given back is there again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "tap.h"
#include "child.h"
#include "debugfs.h"
#include "modules.h"
#include "queue.h"

#define FILES		16u
#define CHILDREN	5u
#define USER_SHARES	3u
#define QUEUES_ASKED	10000u
#define MEGABYTE	(1024u * 1024u)
#define PARAMETERS	"/sys/module/dxgkrnl/parameters/"
#define STAGE_OPEN	1
#define STAGE_FULL	2

static int32_t make_context(struct kmt_session *session)
{
	uint32_t context;

	return kmt_context_create(session->fd, session->device, 0, &context);
}

static int32_t make_queue(struct kmt_session *session)
{
	struct dxg_createhwqueue queue;

	return hwqueue_create(session->fd, session->context, &queue);
}

static int32_t make_device(struct kmt_session *session)
{
	uint32_t device;

	return kmt_device_create(session->fd, session->adapter, &device);
}

static int32_t make_megabyte(struct kmt_session *session)
{
	uint32_t allocation;

	return kmt_allocation_create(session, MEGABYTE, &allocation);
}

static int32_t make_range(struct kmt_session *session)
{
	struct dxg_reservegpuvirtualaddress args = {
		.adapter_or_paging_queue = session->adapter,
		.size = 65536,
	};

	return kmt_call(session->fd, LX_DXRESERVEGPUVIRTUALADDRESS, &args);
}

/* For a value that the paging fence never reaches. */
static int32_t make_wait(struct kmt_session *session)
{
	uint64_t value = UINT64_MAX;
	struct dxg_waitforsyncobjectfromcpu wait = {
		.device = session->device,
		.object_count = 1,
		.objects = (uintptr_t)&session->paging_fence,
		.fence_values = (uintptr_t)&value,
	};
	int event = eventfd(0, EFD_CLOEXEC);
	int32_t status;

	wait.async_event = (uint64_t)event;
	status = kmt_call(session->fd, LX_DXWAITFORSYNCHRONIZATIONOBJECTFROMCPU, &wait);
	close(event);
	return status;
}

static const struct kind {
	const char *name;
	const char *parameter;		/* NULL: a constant */
	unsigned int limit;		/* for the test */
	unsigned int session_has;	/* of it, by kmt_session_open() */
	int32_t (*make)(struct kmt_session *session);
} kinds[] = {
	{ "contexts", "max_contexts", 60, 1, make_context },
	{ "queues", "max_queues", 100, 0, make_queue },
	/* Adapter, device, context, paging queue, paging fence. */
	{ "handles", "max_handles", 200, 5, make_device },
	{ "megabytes", "max_pinned_mb", 20, 0, make_megabyte },
	{ "GPU address ranges", "max_gpu_ranges", 300, 0, make_range },
	{ "asynchronous waits", NULL, 1024, 0, make_wait },
};

#define NUM_KINDS	(sizeof(kinds) / sizeof(kinds[0]))

static void parameter_get(const char *name, char *text, int bytes)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	file = fopen(path, "re");
	if (!file || !fgets(text, bytes, file))
		bail("%s cannot be read", path);
	fclose(file);
}

static void parameter_set(const char *name, const char *text)
{
	if (sysfs_write(PARAMETERS "%s", name, text))
		bail("parameter %s cannot be set to %s", name, text);
}

/* Takes until nobody gets any more: how many, and how the last attempt ended. */
static unsigned int take_all(const struct kind *kind, struct kmt_session *sessions,
			     unsigned int count, int32_t *last)
{
	unsigned int taken = 0, refused = 0, at;

	for (at = 0; refused < count; at++) {
		*last = kind->make(&sessions[at % count]);
		if (NT_SUCCESS(*last)) {
			taken++;
			refused = 0;
		} else {
			refused++;
		}
	}
	return taken;
}

static void open_all(struct kmt_session *sessions)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		if (kmt_session_open(&sessions[i], NULL, 0))
			bail("file %u cannot be opened", i);
}

static void close_all(struct kmt_session *sessions)
{
	unsigned int i;

	for (i = 0; i < FILES; i++)
		close(sessions[i].fd);
}

static void many_files(const struct kind *kind)
{
	struct kmt_session sessions[FILES];
	unsigned int taken;
	int32_t last;

	open_all(sessions);
	taken = take_all(kind, sessions, FILES, &last);
	ok(taken + FILES * kind->session_has == kind->limit && last == STATUS_NO_MEMORY,
	   "%u files of a process have %u %s together, of %u, then NO_MEMORY (%#x)", FILES,
	   taken + FILES * kind->session_has, kind->name, kind->limit, (uint32_t)last);
	close_all(sessions);
}

static int greedy(struct child_report *report, void *argument)
{
	struct kmt_session session;
	int32_t last;

	if (kmt_session_open(&session, NULL, 0))
		child_fail(report, "no session");
	child_stage(report, STAGE_OPEN);
	report->values[0] = take_all(argument, &session, 1, &last);
	report->values[1] = (uint32_t)last;
	child_stage(report, STAGE_FULL);
	return 0;
}

static void many_processes(const struct kind *kind)
{
	struct child_report *reports = child_reports(CHILDREN);
	unsigned int sum = CHILDREN * kind->session_has, refused = 0, i;
	struct kmt_session session;
	pid_t pids[CHILDREN];
	char how[32];

	for (i = 0; i < CHILDREN; i++)
		pids[i] = child_start(greedy, &reports[i], (void *)kind, true, 120);
	for (i = 0; i < CHILDREN; i++)
		if (!child_await(&reports[i], pids[i], STAGE_OPEN, 60000))
			bail("process %u: %s", i, reports[i].problem);
	for (i = 0; i < CHILDREN; i++)
		reports[i].go = STAGE_OPEN;
	for (i = 0; i < CHILDREN; i++) {
		if (!child_await(&reports[i], pids[i], STAGE_FULL, 60000))
			bail("process %u does not come to an end", i);
		sum += (unsigned int)reports[i].values[0];
		refused += (uint32_t)reports[i].values[1] == (uint32_t)STATUS_NO_MEMORY;
	}
	ok(sum == USER_SHARES * kind->limit && refused == CHILDREN,
	   "%u processes of a user have %u %s together, of %u, then NO_MEMORY", CHILDREN, sum,
	   kind->name, USER_SHARES * kind->limit);
	ok(!kmt_session_open(&session, NULL, 0) && !kind->make(&session) &&
	   !kmt_session_close(&session), "another user still has his %s", kind->name);
	for (i = 0; i < CHILDREN; i++) {
		reports[i].go = STAGE_FULL;
		child_reap(pids[i], how, sizeof(how));
	}
}

/* The figure of the default: ten thousand queues are asked for, by way of many files. */
static void ten_thousand_queues(void)
{
	struct kmt_session sessions[FILES];
	unsigned int made = 0, refused = 0, i;
	char text[32];

	parameter_get("max_queues", text, sizeof(text));
	open_all(sessions);
	for (i = 0; i < QUEUES_ASKED; i++) {
		int32_t status = make_queue(&sessions[i % FILES]);

		made += NT_SUCCESS(status);
		refused += status == STATUS_NO_MEMORY;
	}
	ok(made == strtoul(text, NULL, 0) && made + refused == QUEUES_ASKED,
	   "of %u queues a process gets %u, and NO_MEMORY for the others", QUEUES_ASKED, made);
	close_all(sessions);
}

static void files(void)
{
	unsigned int limit, count = 0;
	int opened[512], error = 0;
	char text[32];

	parameter_get("max_files", text, sizeof(text));
	limit = (unsigned int)strtoul(text, NULL, 0);
	while (count < 512) {
		opened[count] = open(DXG_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
		if (opened[count] < 0) {
			error = errno;
			break;
		}
		count++;
	}
	ok(count == limit && error == EMFILE, "a process opens %u files of %u, then EMFILE (%d)",
	   count, limit, error);
	while (count--)
		close(opened[count]);
}

int main(void)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], before[32], lowered[32];
	struct child_report *report = child_reports(1);
	unsigned int i;
	char how[32];
	pid_t pid;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	files();
	ten_thousand_queues();
	for (i = 0; i < NUM_KINDS; i++) {
		const struct kind *kind = &kinds[i];

		if (kind->parameter) {
			parameter_get(kind->parameter, before, sizeof(before));
			snprintf(lowered, sizeof(lowered), "%u", kind->limit);
			parameter_set(kind->parameter, lowered);
		}
		many_files(kind);
		if (!ok(counters_settle(baseline, 10000, last), "%s: nothing is left", kind->name))
			diag("before: %s; after: %s", baseline, last);
		many_processes(kind);
		if (!ok(counters_settle(baseline, 10000, last), "%s: nothing is left again",
			kind->name))
			diag("before: %s; after: %s", baseline, last);
		pid = child_start(greedy, report, (void *)kind, true, 60);
		report->go = STAGE_FULL;
		ok(child_reap(pid, how, sizeof(how)) &&
		   report->values[0] + kind->session_has == kind->limit,
		   "given back: a process gets all of its %s again", kind->name);
		report->stage = 0;
		report->go = 0;
		if (kind->parameter)
			parameter_set(kind->parameter, before);
	}
	if (!ok(counters_settle(baseline, 10000, last), "at the end nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
