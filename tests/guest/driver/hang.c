// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a hang leaves to read: "hang" in debugfs stands for itself, after the reset of an
 * adapter as of an engine, and "state" has a word for those that a hang concerns (design:
 * "why" is answered by one file).
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "host.h"
#include "child.h"
#include "debugfs.h"
#include "guilty.h"
#include "modules.h"

#define HANG		"/sys/kernel/debug/dxg/*/hang"
#define TEXT_BYTES	(1u << 20)
#define CHILD_SECONDS	120u
#define DUMP_WAIT_MS	30000u

enum { STAGE_HUNG = 1, STAGE_DONE };
enum { VALUE_QUEUE, VALUE_OTHER };
enum { END_CONTEXT, END_QUEUE, END_KILLED, END_CLOSED };

static char address[64];
static char text[TEXT_BYTES];

/* The number of the dump, which goes to text; 0: there is none. */
static unsigned int dump(void)
{
	unsigned int number = 0;

	if (file_read(HANG, text, sizeof(text)))
		sscanf(text, "hang number=%u ", &number);
	return number;
}

static void says(const char *how, const char *const parts[])
{
	for (; *parts; parts++)
		ok(strstr(text, *parts), "%s: it says %s", how, *parts);
}

static void reset_of_adapter(void)
{
	static const char * const parts[] = {
		"node=-1 reason=\"function-level reset\"", "adapter luid=", "slots count=",
		"state=bound", "hardware state=running", "node ordinal=0", "hardware_queue id=",
		"name=doorbell-bind", NULL,
	};
	struct kmt_session session;
	struct queue queue;

	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(queue_probe(&queue), "first work");
	ok(!sysfs_write("/sys/bus/pci/devices/%s/reset", address, "1"), "a reset");
	ok(dump() == 1, "adapter: there is a dump, the first");
	says("adapter", parts);
	ok(queue_line_has("hang", "queue", getpid(), queue.queue, " why=ring-empty"),
	   "adapter: it has the queue");
	ok(queue_line_has("hang", "doorbell", getpid(), queue.queue, " state=CONNECTED stat=0 "),
	   "adapter: its doorbell as it was before the reset");
	queue_destroy(&queue);
	kmt_session_close(&session);
}

/* A queue that hangs, and another one, on another engine, that says it has work and has not. */
static int guilty(struct child_report *report, void *argument)
{
	int end = *(int *)argument;
	struct guilty self;
	int32_t status;

	status = guilty_open(&self);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	report->values[VALUE_QUEUE] = self.queue.queue;
	report->values[VALUE_OTHER] = self.other.queue;
	child_stage(report, STAGE_HUNG);
	*self.other.last_queued = *self.other.fence_cpu + 1;
	if (end == END_CONTEXT)
		kmt_call_handle(self.session.fd, LX_DXDESTROYCONTEXT, self.session.context);
	else if (end == END_QUEUE)
		kmt_call_handle(self.session.fd, LX_DXDESTROYHWQUEUE, self.queue.queue);
	else if (end == END_CLOSED)
		close(self.session.fd);
	child_stage(report, STAGE_DONE);
	return 0;
}

/*
 * @dump_word: the queue's by the dump, or NULL if it does not hang; @state_word: that of the
 * other one, by "state".
 */
static void reset_of_engine(const char *how, int end, const char *reason, const char *dump_word,
			    const char *state_word)
{
	const char *const parts[] = {
		reason, "adapter luid=", "slots count=", "hardware state=running",
		"node ordinal=0", "hardware_queue id=", "name=doorbell-bind", NULL,
	};
	struct child_report *report = child_reports(1);
	unsigned int number = dump(), waited;
	char word[64], died[32];
	uint32_t queue, other;
	pid_t pid;

	pid = child_start(guilty, report, &end, true, CHILD_SECONDS);
	if (!child_await(report, pid, STAGE_HUNG, DUMP_WAIT_MS))
		bail("%s: %s", how, report->problem);
	queue = (uint32_t)report->values[VALUE_QUEUE];
	other = (uint32_t)report->values[VALUE_OTHER];
	if (dump_word)
		ok(queue_why_gets(pid, queue, "running"), "%s: before it why=running", how);
	if (end == END_KILLED)
		kill(pid, SIGKILL);
	else
		report->go = STAGE_HUNG;
	if (state_word)
		ok(queue_why_gets(pid, other, state_word), "%s: the other queue, why=%s", how,
		   state_word);
	for (waited = 0; waited < DUMP_WAIT_MS && dump() == number; waited += 10)
		kmt_sleep_us(10000);
	ok(dump() == number + 1, "%s: there is a new dump", how);
	says(how, parts);
	snprintf(word, sizeof(word), " pid=%d ", pid);
	ok(strstr(text, word) && strstr(text, word) < strchr(text, '\n'), "%s: and who is guilty",
	   how);
	if (dump_word) {
		snprintf(word, sizeof(word), " why=%s", dump_word);
		ok(queue_line_has("hang", "queue", pid, queue, word), "%s: it has the queue:%s",
		   how, word);
	}
	report->go = STAGE_DONE;
	child_reap(pid, died, sizeof(died));
}

int main(void)
{
	static const char suspend[] = "node=0 reason=\"context suspend not acknowledged\"";
	char before[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	uint64_t resets;

	alarm(CHILD_SECONDS);
	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	if (sysfs_write("/sys/module/dxgkrnl/parameters/tdr_timeout_ms", "", "500") ||
	    sysfs_write("/sys/module/dxgpu/parameters/command_timeout_ms", "", "500"))
		bail("time-outs cannot be set");
	counters_read(before);
	ok(file_read(HANG, text, sizeof(text)) && !strcmp(text, "no hang\n"), "no hang yet");
	reset_of_adapter();

	if (dxg_host_set("inject-hang-fence", GUILTY_FENCE))
		bail("no side channel");
	resets = adapter_value("resets");
	reset_of_engine("its context is destroyed", END_CONTEXT, suspend, "running", "error-hung");
	reset_of_engine("its process is killed", END_KILLED, suspend, "error-stopped", NULL);
	reset_of_engine("its process ends", END_CLOSED, suspend, "error-stopped", "process-end");
	dxg_host_set("inject-hang-fence", "0");
	/* The context lets go, the queue does not: the miniport's own reset, told afterwards. */
	dxg_host_set("inject-hold-removals", "on");
	reset_of_engine("its queue is destroyed", END_QUEUE,
			"node=0 reason=\"engine reset by the miniport\"", NULL, "error-hung");
	dxg_host_set("inject-hold-removals", "off");
	ok(strstr(text, "reason=\"late removal of queue "), "and what it was before");
	ok(adapter_value("resets") == resets, "and no adapter was reset");
	if (!ok(counters_settle(before, 20000, last), "nothing is left"))
		diag("before: %s; after: %s", before, last);
	return done();
}
