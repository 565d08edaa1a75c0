// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * debugfs and tracepoints as a reader has them who asks why a queue does not run: one
 * word for each reason, and the sequence of a victimization in the trace (design: "why" is
 * answered by one file). Words that need a hang or a wrong miniport: driver-hang,
 * driver-misbehave.
 */
#include <fcntl.h>
#include <pthread.h>
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
#define STATE		"/sys/kernel/debug/dxg/*/state"
#define TRACING		"/sys/kernel/debug/tracing"
#define TEXT_BYTES	(1u << 20)

static char address[64];
static char text[TEXT_BYTES];

static void why(const struct queue *queue, const char *word)
{
	bool got = queue_why_gets(getpid(), queue->queue, word);

	if (!ok(got, "why=%s", word) && file_read(STATE, text, sizeof(text)))
		diag("%s", text);
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
	ok(queue_line_has("state", "doorbell", getpid(), queue.queue, " cause=none"), "a connected doorbell: cause=none");
	*queue.last_queued = *queue.fence_cpu + 1;
	why(&queue, "not-rung");
	*queue.last_queued = *queue.fence_cpu;

	must(doorbell_destroy(session->fd, queue.doorbell), "end of the doorbell");
	why(&queue, "no-doorbell");
	must(queue_doorbell_create(&queue, 0), "another doorbell");
	must(queue_probe(&queue), "work with it");

	must(rival_create(&rival), "rival");
	ok(rival_steal(&rival, &queue), "its slot is taken");
	commands = queue_commands(&queue);
	fence = queue_publish(&queue, &commands);
	queue_ring(&queue);
	why(&queue, "victimized");
	ok(queue_line_has("state", "doorbell", getpid(), queue.queue, " cause=victimized"), "cause=victimized");
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
		fence = queue_publish_delay(&first, 900ull * 1000 * 1000);
	must(queue_deliver(&first), "deliver");
	queue_publish_delay(&second, 1000);
	must(queue_deliver(&second), "deliver");
	snprintf(busy, sizeof(busy), "busy_pid=%d busy_queue=0x%x", getpid(), first.queue);
	why(&first, "running");
	why(&second, "engine-busy");
	ok(queue_line_has("state", "queue", getpid(), second.queue, busy), "and with whom");
	must(queue_wait(&first, fence, WAIT_NS), "wait");
	must(queue_wait(&second, 2, WAIT_NS), "wait");
	must(queue_destroy(&second), "end of the queue");
	must(queue_destroy(&first), "end of the queue");
}

static void word_of_fault(const char *word, const char *fault, bool bad_page)
{
	struct dxgpu_ring_entry entry = { .command_gpuva = 0x123450000000ull, .fence_value = 1 };
	struct dxgpu_packet_header nonsense = { .opcode = 0xee, .bytes = sizeof(nonsense) };
	struct dxg_commands commands;
	struct kmt_session session;
	struct queue queue;
	unsigned int waited;

	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	entry.command_bytes = 64;
	if (bad_page) {
		*queue.last_queued = 1;
		queue_publish_entry(&queue, &entry);
	} else {
		commands = queue_commands(&queue);
		dxg_commands_append(&commands, &nonsense, sizeof(nonsense));
		queue_publish(&queue, &commands);
	}
	queue_deliver(&queue);
	for (waited = 0; waited < 10000 && *queue.stat != DXG_DOORBELLSTATUS_DISCONNECTED_ABORT;
	     waited += 5)
		kmt_sleep_us(5000);
	why(&queue, word);
	ok(queue_line_has("state", "queue", getpid(), queue.queue, fault), "and%s", fault);
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

static void *reset_device(void *argument)
{
	int *error = argument;

	*error = sysfs_write("/sys/bus/pci/devices/%s/reset", address, "1");
	return NULL;
}

/* A function-level reset lasts a tenth of a second; on a busy host a look may miss it. */
static void words_of_resets(void)
{
	struct kmt_session session;
	struct queue queue;
	bool seen = false;
	pthread_t thread;
	int tries, looks, error = 0;

	for (tries = 0; tries < 10 && !seen; tries++) {
		must(kmt_session_open(&session, NULL, 0), "session");
		must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
		if (pthread_create(&thread, NULL, reset_device, &error))
			bail("no thread");
		for (looks = 0; looks < 200 && !seen; looks++) {
			seen = queue_line_has("state", "queue", getpid(), queue.queue,
					      " why=adapter-in-reset");
			kmt_sleep_us(1000);
		}
		pthread_join(thread, NULL);
		if (seen)
			why(&queue, "error-reset");
		queue_destroy(&queue);
		kmt_session_close(&session);
	}
	ok(seen && !error, "why=adapter-in-reset");
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
	file_read(TRACING "/trace", text, sizeof(text));

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
	word_of_fault("error-page-fault", " fault_address=0x123450000000", true);
	word_of_fault("error-fault", " fault_code=", false);
	words_of_power(&session);
	trace(&session);
	words_of_resets();
	kmt_session_close(&session);
	return done();
}
