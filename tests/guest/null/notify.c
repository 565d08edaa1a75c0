// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A miniport that wants to be told of each submission, and changes its mind, and one that
 * disconnects a doorbell for its own reasons, from a thread of its own. One slot, so that
 * a rival's connect takes it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "driver/child.h"
#include "driver/debugfs.h"
#include "driver/modules.h"
#include "driver/queue.h"
#include "bench.h"

#define NOTIFY_PARAMETER	"/sys/module/dxgnull/parameters/notify"
#define WAIT_NS			(10ull * 1000 * 1000 * 1000)
#define QUIET_US		60000u	/* long enough for work to run that should not */
#define STREAMS			3u

static struct kmt_session session;
static struct queue queue, rival;

static void want_notify(const char *value)
{
	int error = sysfs_write(NOTIFY_PARAMETER, "", value);

	if (error)
		bail("notify=%s: errno %d", value, error);
}

static bool stays(const struct queue *of, uint64_t fence)
{
	kmt_sleep_us(QUIET_US);
	return *of->fence_cpu == fence;
}

/* The one callback of the record: its reason, and what it came to. */
static bool one_callback(uint64_t reason, uint64_t status)
{
	const struct null_line *line;
	struct null_record record;
	bool good = false;

	if (null_record(&record) && null_count(&record, "CbDisconnectDoorbell") == 1) {
		line = null_next(&record, 0, false, "CbDisconnectDoorbell");
		good = null_value(line, "Reason") == reason &&
		       null_value(null_end(&record, line), "status") == status;
	}
	null_record_free(&record);
	return good;
}

static void switched(void)
{
	uint64_t fence;

	must(doorbell_connect(session.fd, queue.doorbell), "connect");
	ok(*queue.stat == CONNECTED, "a connect answers CONNECTED as a rule (DDI-NW-2)");
	ok(queue_probe(&queue) == STATUS_SUCCESS, "and a ring is enough");
	forget();
	want_notify("1");
	ok(*queue.stat == RETRY && one_callback(RETRY, 0),
	   "the miniport wants to be notified: it disconnects with RETRY (CB-DC-7 SM-4)");
	fence = queue_publish_fence(&queue);
	ok(queue_ring(&queue) == RETRY, "the process finds out after its next ring");
	must(doorbell_connect(session.fd, queue.doorbell), "connect");
	ok(*queue.stat == NOTIFY, "the connect answers NOTIFY (CB-DC-7 DDI-NW-3)");
	ok(queue_completes(&queue, fence, WAIT_NS), "and has sampled the queue (KMT-CN-15)");
}

static void rung(void)
{
	uint64_t fence = queue_publish_fence(&queue);

	ok(queue_ring(&queue) == NOTIFY && stays(&queue, fence - 1),
	   "after a ring STAT is NOTIFY, and the miniport waits for the word (T9)");
	must(doorbell_notify(session.fd, queue.doorbell), "notify");
	ok(queue_completes(&queue, fence, WAIT_NS) && *queue.stat == NOTIFY,
	   "D3DKMTNotifyWorkSubmission gives it: the work is done (T9 KMT-NW-3 DDI-NW-1)");
	fence = queue_publish_fence(&queue);
	must(doorbell_connect(session.fd, queue.doorbell), "connect again");
	ok(queue_completes(&queue, fence, WAIT_NS) && *queue.stat == NOTIFY,
	   "a connect of it is a sample, too (T6)");
	ok(queue_probe(&queue) == STATUS_SUCCESS, "ring and notify together work");
}

/* It has rung and read NOTIFY; before it comes to notify it is disconnected. */
static void disconnected(void)
{
	uint64_t fence = queue_publish_fence(&queue);

	ok(queue_ring(&queue) == NOTIFY && stays(&queue, fence - 1), "rung, not notified");
	must(doorbell_connect(session.fd, rival.doorbell), "the rival's connect");
	ok(*queue.stat == RETRY && *rival.stat == NOTIFY, "and disconnected");
	ok(queue_completes(&queue, fence, WAIT_NS),
	   "what the final sample finds counts as notified (DDI-NW-4)");
	ok(doorbell_notify(session.fd, queue.doorbell) == STATUS_SUCCESS,
	   "a notify that comes too late is no error (KMT-NW-4)");
	fence = queue_publish_fence(&queue);
	ok(queue_ring(&queue) == RETRY, "the next one rings in vain");
	must(doorbell_connect(session.fd, queue.doorbell), "connect");
	ok(queue_completes(&queue, fence, WAIT_NS), "and is executed after the connect");
}

static void switched_back(void)
{
	want_notify("0");
	ok(*queue.stat == RETRY && *rival.stat == RETRY,
	   "the miniport no longer wants it: disconnected again (CB-DC-7)");
	must(doorbell_connect(session.fd, queue.doorbell), "connect");
	ok(*queue.stat == CONNECTED && queue_probe(&queue) == STATUS_SUCCESS,
	   "connected without notify");
}

/* A queue that works all the time, as its status says. */
static int streamer(struct child_report *report, void *argument)
{
	struct kmt_session own;
	struct queue stream;
	int32_t status = queue_open(&stream, &own);

	(void)argument;
	while (NT_SUCCESS(status) && !report->go) {
		status = queue_probe(&stream);
		report->values[0]++;
	}
	if (!NT_SUCCESS(status))
		child_fail(report, "status %#x after %llu", (uint32_t)status,
			   (unsigned long long)report->values[0]);
	report->values[1] = queue_read_pointer(&stream);
	return report->values[0] != stream.wp || report->values[1] != stream.wp;
}

static void switched_under_load(void)
{
	struct child_report *reports = child_reports(STREAMS);
	unsigned int rounds = dxg_count(60, 2000), i, bad = 0;
	unsigned long long done = 0;
	pid_t pids[STREAMS];
	char how[32];

	for (i = 0; i < STREAMS; i++)
		pids[i] = child_start(streamer, &reports[i], NULL, true, 600);
	for (i = 0; i < rounds; i++) {
		int error = sysfs_write(NOTIFY_PARAMETER, "", i % 2 ? "0" : "1");

		/* Some doorbell keeps its answer until its next connect. */
		if (error && error != EAGAIN)
			bail("notify: errno %d", error);
		kmt_sleep_us(10000);
	}
	for (i = 0; i < STREAMS; i++) {
		reports[i].go = 1;
		if (!child_reap(pids[i], how, sizeof(how))) {
			diag("stream %u: %s, %s", i, how, reports[i].problem);
			bad++;
		}
		done += reports[i].values[0];
	}
	ok(!bad && done, "%llu submissions of %u processes while it changes its mind %u times (CB-DC-7)",
	   done, STREAMS, rounds);
	want_notify("0");
}

/* The miniport's own thread disconnects what is not connected, and what is. */
static void by_worker(void)
{
	uint64_t counted, faults, fence;

	must(queue_destroy(&queue), "queue");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	counted = adapter_value("disconnects");
	forget();
	orders("NotifyWorkSubmission=worker:2*1");
	must(doorbell_notify(session.fd, queue.doorbell), "notify");
	ok(one_callback(RETRY, 0) && *queue.stat == RETRY &&
	   adapter_value("disconnects") == counted,
	   "a doorbell that was never connected: SUCCESS, nothing changes (T14 CB-DC-1)");
	ok(queue_probe(&queue) == STATUS_SUCCESS, "and it can be connected");

	forget();
	orders("NotifyWorkSubmission=worker:2*1");
	must(doorbell_notify(session.fd, queue.doorbell), "notify");
	ok(one_callback(RETRY, 0) && *queue.stat == RETRY,
	   "a connected one, from a thread of the miniport: RETRY (T12 CB-DC-6)");
	faults = state_sum("doorbell", getpid(), "faults_dummy", NULL);
	fence = queue_publish_fence(&queue);
	ok(queue_ring(&queue) == RETRY &&
	   state_sum("doorbell", getpid(), "faults_dummy", NULL) == faults + 1,
	   "its address leads to the dummy (DDI-DC-3)");
	must(doorbell_connect(session.fd, queue.doorbell), "connect");
	ok(queue_completes(&queue, fence, WAIT_NS), "it can be connected");
}

/* Neither RETRY nor ABORT: a bug of the miniport. */
static void with_wrong_reason(void)
{
	static const unsigned int reasons[] = { 0, 1, 7, 0xffffffff };
	char text[80];
	unsigned int i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		must(doorbell_connect(session.fd, queue.doorbell), "connect");
		forget();
		snprintf(text, sizeof(text),
			 "NotifyWorkSubmission=worker:2*1 CbDisconnectDoorbell=reason:%u*1",
			 reasons[i]);
		orders(text);
		must(doorbell_notify(session.fd, queue.doorbell), "notify");
		ok(one_callback(RETRY, 0) && *queue.stat == RETRY,
		   "reason %u is handled as RETRY, with SUCCESS (CB-DC-4)", reasons[i]);
		ok(queue_probe(&queue) == STATUS_SUCCESS, "reason %u: it goes on", reasons[i]);
	}
}

static void with_abort(void)
{
	orders("NotifyWorkSubmission=worker:3*1");
	must(doorbell_notify(session.fd, queue.doorbell), "notify");
	ok(*queue.stat == ABORT, "reason ABORT: STAT is ABORT (T13)");
	forget();
	ok(doorbell_notify(session.fd, queue.doorbell) == STATUS_DEVICE_REMOVED &&
	   doorbell_connect(session.fd, queue.doorbell) == STATUS_DEVICE_REMOVED &&
	   !null_calls("NotifyWorkSubmission") && !null_calls("ConnectDoorbell"),
	   "notify and connect say DEVICE_REMOVED, and do not ask the miniport (T7 KMT-CN-10 KMT-NW-4)");
	*queue.bell = 1;
	ok(*queue.stat == ABORT, "a ring is harmless (DDI-DC-3)");
	must(queue_destroy(&queue), "queue");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");

	orders("NotifyWorkSubmission=worker:3*1");
	must(doorbell_notify(session.fd, queue.doorbell), "notify");
	ok(*queue.stat == ABORT &&
	   doorbell_connect(session.fd, queue.doorbell) == STATUS_DEVICE_REMOVED,
	   "one that was never connected: from RETRY to ABORT (T14)");
	must(doorbell_destroy(session.fd, queue.doorbell), "destroy");
	must(queue_doorbell_create(&queue, 0), "create");
	ok(queue_probe(&queue) == STATUS_SUCCESS, "another doorbell of the queue works");
}

int main(void)
{
	char last[DEBUGFS_TEXT_BYTES];

	if (null_load("", "slots=1"))
		bail("the modules cannot be loaded");
	counters_read(last);
	must(kmt_session_open(&session, NULL, 0), "session");
	must(queue_create(&queue, &session, session.context, QUEUE_RING_BYTES), "queue");
	must(queue_create(&rival, &session, session.context, QUEUE_RING_BYTES), "queue");
	switched();
	rung();
	disconnected();
	switched_back();
	switched_under_load();
	by_worker();
	with_wrong_reason();
	with_abort();
	must(queue_destroy(&rival), "queue");
	must(queue_destroy(&queue), "queue");
	must(kmt_session_close(&session), "session");
	ok(counters_read(last) && counters_all_zero(last), "nothing is left");
	ok(!null_unload(), "the modules unload");
	return done();
}
