// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * debugfs and tracepoints as a reader has them who asks why a queue does not run: one
 * word for each reason, a dump of the last hang that stands for itself, and the sequence
 * of a victimization in the trace (design: "why" is answered by one file).
 */
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "modules.h"
#include "queue.h"
#include "rival.h"

#define WAIT_NS		(60ull * 1000 * 1000 * 1000)
#define SLEEP_WAIT_MS	30000u
#define TRACING		"/sys/kernel/debug/tracing"
#define TEXT_BYTES	(1u << 20)

static char address[64];
static char text[TEXT_BYTES];

static void must(int32_t status, const char *what)
{
	if (status != STATUS_SUCCESS)
		bail("%s: status %#x", what, (uint32_t)status);
}

/* A whole file, or the first that a pattern with "*" finds, into text. */
static bool read_text(const char *pattern)
{
	size_t length = 0;
	glob_t found;
	FILE *file;

	text[0] = '\0';
	if (glob(pattern, 0, NULL, &found))
		return false;
	file = fopen(found.gl_pathv[0], "re");
	globfree(&found);
	if (!file)
		return false;
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	return length != 0;
}

/* The line of a queue or of its doorbell in "state" has this word. */
static bool line_has(const char *kind, uint32_t queue, const char *word)
{
	char begin[64], wanted[64], *line, *rest;
	bool has = false;

	snprintf(begin, sizeof(begin), "%s pid=%d ", kind, getpid());
	snprintf(wanted, sizeof(wanted), " queue=0x%x ", queue);
	if (!read_text("/sys/kernel/debug/dxg/*/state"))
		return false;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (strncmp(line, begin, strlen(begin)) || !strstr(line, wanted))
			continue;
		/* Another session of this process may have such a handle, too. */
		has |= strstr(line, word) != NULL;
	}
	return has;
}

/* The same within a while: the device looks at a ring when it gets to it. */
static bool line_gets(const char *kind, uint32_t queue, const char *word)
{
	unsigned int tries;

	for (tries = 0; tries < 100; tries++) {
		if (line_has(kind, queue, word))
			return true;
		kmt_sleep_us(10000);
	}
	diag("%s", text);
	return false;
}

static void why(const struct queue *queue, const char *word)
{
	char wanted[64];

	snprintf(wanted, sizeof(wanted), " why=%s", word);
	ok(line_gets("queue", queue->queue, wanted), "why=%s", word);
}

static uint64_t publish_delay(struct queue *queue, uint64_t ns)
{
	struct dxg_commands commands = queue_commands(queue);
	struct dxgpu_packet_delay delay = {
		.header = { .opcode = DXGPU_OP_DELAY, .bytes = sizeof(delay) },
		.ns = ns,
	};

	dxg_commands_append(&commands, &delay, sizeof(delay));
	return queue_publish(queue, &commands);
}

static void words_of_doorbells(struct kmt_session *session)
{
	struct dxg_commands commands;
	struct rival rival;
	struct queue queue;
	uint64_t fence;

	must(queue_create(&queue, session, session->context, QUEUE_RING_BYTES), "queue");
	why(&queue, "never-connected");
	must(queue_probe(&queue), "first work");
	why(&queue, "ring-empty");
	ok(line_has("doorbell", queue.queue, " cause=none"), "a connected doorbell: cause=none");
	*queue.last_queued = *queue.fence_cpu + 1;
	why(&queue, "not-rung");
	*queue.last_queued = *queue.fence_cpu;

	must(rival_create(&rival), "rival");
	ok(rival_steal(&rival, &queue), "its slot is taken");
	commands = queue_commands(&queue);
	fence = queue_publish(&queue, &commands);
	queue_ring(&queue);
	why(&queue, "victimized");
	ok(line_has("doorbell", queue.queue, " cause=victimized"), "cause=victimized");
	must(queue_deliver(&queue), "deliver");
	must(queue_wait(&queue, fence, WAIT_NS), "wait");
	must(rival_destroy(&rival), "end of the rival");
	must(queue_destroy(&queue), "end of the queue");
}

static void words_of_engines(struct kmt_session *session)
{
	struct queue first, second;
	uint64_t fence = 0;
	unsigned int i;
	char busy[64];

	must(queue_create(&first, session, session->context, QUEUE_RING_BYTES), "queue");
	must(queue_create(&second, session, session->context, QUEUE_RING_BYTES), "queue");
	must(queue_probe(&second), "first work");
	/* Longer than the looks take. */
	for (i = 0; i < 6; i++)
		fence = publish_delay(&first, 900ull * 1000 * 1000);
	must(queue_deliver(&first), "deliver");
	publish_delay(&second, 1000);
	must(queue_deliver(&second), "deliver");
	snprintf(busy, sizeof(busy), "busy_pid=%d busy_queue=0x%x", getpid(), first.queue);
	why(&first, "running");
	ok(line_gets("queue", second.queue, busy), "why=engine-busy, with whom");
	must(queue_wait(&first, fence, WAIT_NS), "wait");
	must(queue_wait(&second, 2, WAIT_NS), "wait");
	must(queue_destroy(&second), "end of the queue");
	must(queue_destroy(&first), "end of the queue");
}

static void words_of_errors(void)
{
	struct kmt_session session;
	struct dxgpu_ring_entry entry = { .fence_value = 1 };
	struct queue queue;
	unsigned int waited;

	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	entry.command_gpuva = 0x123450000000ull;
	entry.command_bytes = 64;
	*queue.last_queued = 1;
	queue_publish_entry(&queue, &entry);
	queue_deliver(&queue);
	for (waited = 0; waited < 10000 && *queue.stat != DXG_DOORBELLSTATUS_DISCONNECTED_ABORT;
	     waited += 5)
		kmt_sleep_us(5000);
	why(&queue, "error-page-fault");
	ok(line_has("queue", queue.queue, " fault_address=0x123450000000"),
	   "and the fault's address");
	queue_destroy(&queue);
	kmt_session_close(&session);
}

static void words_of_power(struct kmt_session *session)
{
	struct queue queue;
	unsigned int waited;

	must(queue_create(&queue, session, session->context, QUEUE_RING_BYTES), "queue");
	must(queue_probe(&queue), "first work");
	sysfs_write("/sys/bus/pci/devices/%s/power/autosuspend_delay_ms", address, "4");
	sysfs_write("/sys/bus/pci/devices/%s/power/control", address, "auto");
	for (waited = 0; waited < SLEEP_WAIT_MS && !adapter_value("asleep"); waited += 5)
		kmt_sleep_us(5000);
	why(&queue, "adapter-asleep");
	ok(adapter_value("asleep"), "and a look does not wake it");
	sysfs_write("/sys/bus/pci/devices/%s/power/control", address, "on");
	*queue.last_queued = *queue.fence_cpu + 1;
	why(&queue, "power-down");
	*queue.last_queued = *queue.fence_cpu;
	must(queue_destroy(&queue), "end of the queue");
}

static void hang(struct kmt_session *session)
{
	static const char * const parts[] = {
		"hang number=1 ", "reason=\"function-level reset\"", "adapter luid=", "slots count=",
		"state=bound", "hardware state=running", "node ordinal=0", "hardware_queue id=",
		"name=doorbell-bind",
	};
	char line[64];
	struct queue queue;
	unsigned int i;

	ok(read_text("/sys/kernel/debug/dxg/*/hang") && !strcmp(text, "no hang\n"), "no hang yet");
	must(queue_create(&queue, session, session->context, QUEUE_RING_BYTES), "queue");
	must(queue_probe(&queue), "first work");
	ok(!sysfs_write("/sys/bus/pci/devices/%s/reset", address, "1"), "a reset");
	why(&queue, "error-reset");
	ok(read_text("/sys/kernel/debug/dxg/*/hang"), "hang: there is a dump");
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		ok(strstr(text, parts[i]), "hang: it says %s", parts[i]);
	snprintf(line, sizeof(line), "queue pid=%d queue=0x%x ", getpid(), queue.queue);
	ok(strstr(text, line), "hang: it names the queue");
	snprintf(line, sizeof(line), " queue=0x%x state=CONNECTED stat=0 ", queue.queue);
	ok(strstr(text, line), "hang: its doorbell as it was before the reset");
	must(kmt_session_renew(session, 0), "a new device");
}

/* Each of the lines comes after the one before it. */
static bool in_order(const char *const *lines, unsigned int count)
{
	const char *at = text;
	unsigned int i;

	for (i = 0; i < count; i++) {
		at = strstr(at, lines[i]);
		if (!at) {
			diag("not in order: %s", lines[i]);
			return false;
		}
		at++;
	}
	return true;
}

static void trace(struct kmt_session *session)
{
	char create[96], connect[96], victim[96], revoke[128], destroy[96];
	const char *const lines[] = { create, connect, victim, revoke, destroy };
	struct rival rival;
	struct queue queue;
	uint32_t doorbell;

	if (access(TRACING "/trace", F_OK))
		mount("tracefs", TRACING, "tracefs", 0, NULL);
	sysfs_write(TRACING "/trace", "", "\n");
	if (sysfs_write(TRACING "/events/dxg/enable", "", "1"))
		bail("no tracepoints");
	must(queue_create(&queue, session, session->context, QUEUE_RING_BYTES), "queue");
	must(queue_probe(&queue), "first work");
	must(rival_create(&rival), "rival");
	rival_steal(&rival, &queue);
	doorbell = queue.doorbell;
	must(rival_destroy(&rival), "end of the rival");
	must(queue_destroy(&queue), "end of the queue");
	sysfs_write(TRACING "/events/dxg/enable", "", "0");
	read_text(TRACING "/trace");

	snprintf(create, sizeof(create), "dxg_doorbell_create: pid=%d handle=0x%x", getpid(),
		 doorbell);
	snprintf(connect, sizeof(connect), "dxg_doorbell_connect: pid=%d doorbell=0x%x status=CONNECTED",
		 getpid(), doorbell);
	snprintf(victim, sizeof(victim), "dxg_doorbell_victim: pid=%d doorbell=0x%x by_pid=%d",
		 getpid(), doorbell, getpid());
	snprintf(revoke, sizeof(revoke),
		 "dxg_doorbell_revoke: pid=%d doorbell=0x%x reason=RETRY cause=victimized was_connected=1",
		 getpid(), doorbell);
	snprintf(destroy, sizeof(destroy), "dxg_doorbell_destroyed: pid=%d handle=0x%x", getpid(),
		 doorbell);
	ok(in_order(lines, 5), "trace: create, connect, victim, revoke, destroyed");
}

int main(void)
{
	struct kmt_session session;

	alarm(200);
	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	must(kmt_session_open(&session, NULL, 0), "session");
	words_of_doorbells(&session);
	words_of_engines(&session);
	words_of_errors();
	words_of_power(&session);
	trace(&session);
	hang(&session);
	kmt_session_close(&session);
	return done();
}
