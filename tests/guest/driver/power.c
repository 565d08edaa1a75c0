// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device goes to D3 and back under processes that use it: when it is idle, and when
 * the whole system sleeps. Nothing is lost, nothing runs twice, no doorbell is connected
 * unasked, and a connect wakes the device (T20, T21, T22, T32, KMT-CN-11, SM-2, SM-6, ORD-12,
 * ORD-13, DDI-PW-9, DDI-PW-10, DDI-PW-11, SEC-8).
 *
 *   driver-power			the idle device
 *   driver-power s2idle|deep [SLEEPS]	the system, by that word of /sys/power/mem_sleep;
 *					on any miniport
 *
 * The host wakes the system: from S3 directly, from s2idle by a character on the serial
 * line, whose interrupt may do so.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "host.h"
#include "debugfs.h"
#include "modules.h"
#include "queue.h"
#include "stream.h"

#define STREAMS		3u
#define WAIT_NS		(60ull * 1000 * 1000 * 1000)
#define SLEEP_WAIT_MS	30000u
#define WORK_SECONDS	220u
#define DELAYS		6u
#define DELAY_NS	(300ull * 1000 * 1000)
#define STATE_RESET	2u
#define SLEEP_TRIES	5u
#define SERIAL		"/dev/ttyS0"

static char address[64] = "dxgnull.0";
static const char *bus = "platform";

static void device_write(const char *file, const char *text)
{
	char path[128];
	int error;

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%%s/%s", bus, file);
	error = sysfs_write(path, address, text);
	if (error)
		bail("%s cannot be set to %s: errno %d", file, text, error);
}

static bool await_asleep(void)
{
	unsigned int waited;

	for (waited = 0; waited < SLEEP_WAIT_MS; waited += 5) {
		if (adapter_value("asleep"))
			return true;
		kmt_sleep_us(5000);
	}
	return false;
}

/* The serial line may wake us; its interrupt is there while somebody has it open. */
static void sleep_prepare(const char *kind)
{
	if (open(SERIAL, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) < 0 ||
	    sysfs_write("/sys/class/tty/ttyS0/power/wakeup", "", "enabled"))
		bail("%s cannot wake the system: errno %d", SERIAL, errno);
	if (sysfs_write("/sys/power/mem_sleep", "", kind))
		bail("mem_sleep cannot be %s: errno %d", kind, errno);
}

/* The whole system, until the host wakes it; false if it does not sleep. */
static bool system_rest(void)
{
	unsigned int tries, ms = 300;
	char line[32], answer[256];
	int error = 0;

	/* A wake that comes while the devices go to sleep ends it before it begins. */
	for (tries = 0; tries < SLEEP_TRIES; tries++, ms *= 2) {
		snprintf(line, sizeof(line), "wake %u", ms);
		if (dxg_host_request(line, answer, sizeof(answer)))
			bail("no waker: %s", answer);
		error = sysfs_write("/sys/power/state", "", "mem");
		if (dxg_host_request("ping", answer, sizeof(answer)))
			bail("the side channel did not wake: %s", answer);
		if (!error)
			return true;
	}
	diag("mem: errno %d", error);
	return false;
}

/* And the device, which was awake before and is so afterwards. */
static bool system_sleep(void)
{
	uint64_t sleeps = adapter_value("sleeps");

	return system_rest() && adapter_value("sleeps") > sleeps && !adapter_value("asleep");
}

/* What the adapter is and what the PM core takes it for become the same. */
static bool power_agrees(void)
{
	char path[128], text[32] = "";
	unsigned int waited;

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s/power/runtime_status", bus, address);
	for (waited = 0; waited < SLEEP_WAIT_MS; waited += 5) {
		if (!file_read(path, text, sizeof(text)))
			bail("no %s", path);
		if (!strcmp(text, adapter_value("asleep") ? "suspended\n" : "active\n"))
			return true;
		kmt_sleep_us(5000);
	}
	diag("asleep %u, but %s", (unsigned int)adapter_value("asleep"), text);
	return false;
}

/* The idle device, by power/control. */
static uint64_t sleep_idle(unsigned int times)
{
	uint64_t sleeps = adapter_value("sleeps");
	unsigned int waited;

	device_write("power/autosuspend_delay_ms", "4");
	device_write("power/control", "auto");
	for (waited = 0; waited < WORK_SECONDS / 2 * 1000 && adapter_value("sleeps") - sleeps < times;
	     waited += 20)
		kmt_sleep_us(20000);
	device_write("power/control", "on");
	sleeps = adapter_value("sleeps") - sleeps;
	ok(sleeps >= times, "the idle device went to sleep %llu times (at least %u)",
	   (unsigned long long)sleeps, times);
	return sleeps;
}

static uint64_t sleep_whole(unsigned int times)
{
	unsigned int i, slept = 0;

	for (i = 0; i < times; i++) {
		slept += system_sleep();
		kmt_sleep_us(20000);
	}
	ok(slept == times, "the system slept %u times, and the device with it", slept);
	return slept;
}

static void streams(uint64_t (*make_sleep)(unsigned int times), unsigned int times)
{
	struct child_report *reports = child_reports(STREAMS);
	uint64_t sleeps, laps = 0, connects = 0;
	unsigned int i;
	struct stream stream[STREAMS];
	pid_t pids[STREAMS];
	char how[32];
	bool good;

	for (i = 0; i < STREAMS; i++) {
		stream[i] = (struct stream) { .salt = i + 1, .pause_us = 60000 };
		pids[i] = child_start(stream_run, &reports[i], &stream[i], true, WORK_SECONDS);
		if (!child_await(&reports[i], pids[i], STREAM_READY, 20000))
			bail("stream %u does not start: %s", i, reports[i].problem);
	}
	for (i = 0; i < STREAMS; i++)
		reports[i].go = STREAM_READY;

	sleeps = make_sleep(times);

	for (i = 0; i < STREAMS; i++)
		reports[i].go = STREAM_DONE;
	for (i = 0; i < STREAMS; i++) {
		good = child_reap(pids[i], how, sizeof(how));
		if (!ok(good, "stream %u: each command exactly once, in order", i))
			diag("%s %s", how, reports[i].problem);
		laps += reports[i].values[STREAM_LAPS];
		connects += reports[i].values[STREAM_CONNECTS];
	}
	diag("%llu laps, %llu connects", (unsigned long long)laps, (unsigned long long)connects);
	ok(connects >= sleeps / 2, "connects woke it (T21 KMT-CN-11): %llu", (unsigned long long)connects);
}

struct user {
	struct kmt_session session;
	struct queue queue;
	int32_t status;
	pthread_t waiter;
};

static void user_start(struct user *user)
{
	memset(user, 0, sizeof(*user));
	must(kmt_session_open(&user->session, NULL, 0), "session");
	must(queue_create(&user->queue, &user->session, user->session.context, QUEUE_RING_BYTES),
	     "queue");
	must(queue_probe(&user->queue), "first work");
}

static void user_end(struct user *user)
{
	queue_destroy(&user->queue);
	kmt_session_close(&user->session);
}

static void *wait_far(void *argument)
{
	struct user *user = argument;

	user->status = kmt_wait(&user->session, user->queue.fence, DELAYS + 2);
	return NULL;
}

/* Row 32 of the table: work is left when the system goes to sleep, and a thread waits in the kernel. */
static void pending(void)
{
	struct user user;
	uint64_t fence = 0, connects, at_wake;
	unsigned int i;
	int32_t status;

	user_start(&user);
	if (pthread_create(&user.waiter, NULL, wait_far, &user))
		bail("no thread");
	for (i = 0; i < DELAYS; i++)
		fence = queue_publish_delay(&user.queue, DELAY_NS);
	must(queue_deliver(&user.queue), "deliver");
	connects = state_sum("doorbell", getpid(), "connects", NULL);
	ok(system_sleep(), "pending: the system sleeps with work under way");
	at_wake = *user.queue.fence_cpu;
	diag("fence %llu of %llu when it woke", (unsigned long long)at_wake,
	     (unsigned long long)fence);
	ok(*user.queue.stat == DXG_DOORBELLSTATUS_DISCONNECTED_RETRY,
	   "pending: the doorbell is RETRY (T20)");
	status = queue_wait(&user.queue, fence, WAIT_NS);
	ok(status == STATUS_SUCCESS, "pending: the rest is done without a connect (%#x)",
	   (uint32_t)status);
	ok(state_sum("doorbell", getpid(), "connects", NULL) == connects &&
	   *user.queue.stat == DXG_DOORBELLSTATUS_DISCONNECTED_RETRY,
	   "pending: nobody has connected (SM-2)");
	must(queue_probe(&user.queue), "work after it");
	pthread_join(user.waiter, NULL);
	ok(user.status == STATUS_SUCCESS, "pending: the wait slept with the system (%#x)",
	   (uint32_t)user.status);
	user_end(&user);
}

/* T32: the device sleeps already. Afterwards it may still, if its bus can leave it so. */
static void twice(void)
{
	struct user user;

	user_start(&user);
	device_write("power/autosuspend_delay_ms", "0");
	device_write("power/control", "auto");
	ok(await_asleep(), "twice: the device sleeps");
	device_write("power/autosuspend_delay_ms", "100000");
	ok(system_rest(), "twice: and then the system");
	ok(power_agrees(), "twice: which leaves it as the PM core says that it is (T32)");
	ok(queue_probe(&user.queue) == STATUS_SUCCESS, "twice: a connect has it work (T21)");
	device_write("power/control", "on");
	user_end(&user);
}

/* T20, T22: the idle device disconnects; D0 for another reason leaves it so. */
static void idle(void)
{
	struct user user;
	uint64_t stat;

	user_start(&user);
	device_write("power/control", "auto");
	ok(await_asleep(), "idle: the device sleeps though a doorbell was connected");
	ok(*user.queue.stat == DXG_DOORBELLSTATUS_DISCONNECTED_RETRY, "idle: which is RETRY (T20)");
	device_write("power/control", "on");
	ok(!adapter_value("asleep") &&
	   *user.queue.stat == DXG_DOORBELLSTATUS_DISCONNECTED_RETRY,
	   "idle: awake for another reason it stays RETRY (T22)");
	stat = queue_ring(&user.queue);
	ok(stat == DXG_DOORBELLSTATUS_DISCONNECTED_RETRY, "idle: and a ring says so");
	device_write("power/control", "auto");
	ok(await_asleep(), "idle: it sleeps again");
	ok(queue_probe(&user.queue) == STATUS_SUCCESS, "idle: a connect wakes it (T21 KMT-CN-11)");
	device_write("power/control", "on");
	user_end(&user);
}

/* SEC-8, ORD-13: a last-queued value that is a lie delays sleep, but not for ever. */
static void liar(void)
{
	struct user user;

	user_start(&user);
	*user.queue.last_queued = ~0ull;
	device_write("power/control", "auto");
	ok(await_asleep(), "liar: the device sleeps although a process claims to have work");
	device_write("power/control", "on");
	*user.queue.last_queued = *user.queue.fence_cpu;
	ok(queue_probe(&user.queue) == STATUS_SUCCESS, "liar: and it wakes for real work");
	user_end(&user);
}

/*
 * T20, DDI-PW-9, SEC-8: with an autosuspend delay of 0 the PM core never tries again by itself
 * when the driver has refused. Here it refuses for a quarter of a second, and nobody calls.
 */
static void refused(void)
{
	struct user user;
	uint64_t start;
	bool asleep;

	user_start(&user);
	*user.queue.last_queued = ~0ull;
	device_write("power/autosuspend_delay_ms", "0");
	start = kmt_now_ns();
	device_write("power/control", "auto");
	asleep = await_asleep();
	ok(asleep && kmt_now_ns() - start >= SAMPLE_GRACE_NS,
	   "refused: without a delay, too, sleep is tried until it is granted (T20 DDI-PW-9)");
	device_write("power/control", "on");
	device_write("power/autosuspend_delay_ms", "4");
	*user.queue.last_queued = *user.queue.fence_cpu;
	user_end(&user);
}

/* The secondary bus of the port above is reset while the function sleeps. */
static bool reset_bus(void)
{
	char path[128], link[256];
	uint16_t control = 0;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", address);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		return false;
	link[length] = '\0';
	*strrchr(link, '/') = '\0';
	snprintf(path, sizeof(path), "/sys/bus/pci/devices%s/config", strrchr(link, '/'));
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &control, sizeof(control), 0x3e) != sizeof(control))
		return false;
	control |= 0x40;
	length = pwrite(fd, &control, sizeof(control), 0x3e);
	kmt_sleep_us(2000);
	control &= ~0x40;
	length += pwrite(fd, &control, sizeof(control), 0x3e);
	close(fd);
	kmt_sleep_us(120000);
	return length == 2 * sizeof(control);
}

static void state_lost(void)
{
	uint64_t resets = adapter_value("resets");
	struct user user;
	int32_t status;

	user_start(&user);
	device_write("power/control", "auto");
	ok(await_asleep(), "lost: the device sleeps");
	ok(reset_bus(), "lost: its bus is reset meanwhile");
	device_write("power/control", "on");
	ok(adapter_value("resets") == resets + 1, "lost: the driver notices");
	ok(*user.queue.stat == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT &&
	   kmt_execution_state(user.session.fd, user.session.device) == STATE_RESET,
	   "lost: the device is in error, STAT is ABORT (T25)");
	status = kmt_session_renew(&user.session, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&user.queue, &user.session, user.session.context,
				      QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = queue_probe(&user.queue);
	ok(status == STATUS_SUCCESS, "lost: a new device works, with the same file (FH-8, %#x)",
	   (uint32_t)status);
	user_end(&user);
}

static void nothing_came_asleep(void)
{
	unsigned long long rings;

	/* Another miniport's is memory, which has no count. */
	if (strcmp(bus, "pci"))
		return;
	if (dxg_host_stat("doorbell_asleep", &rings))
		bail("no side channel");
	ok(!rings, "no ring reached the device in D3 (%llu, DDI-PW-11)", rings);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : NULL;
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	uint64_t resets;

	alarm(WORK_SECONDS);
	if (pci_find(address, sizeof(address)))
		bus = "pci";
	else if (!kind)
		bail("no dxgpu device on the bus");
	counters_read(baseline);
	if (kind) {
		resets = adapter_value("resets");
		sleep_prepare(kind);
		streams(sleep_whole, argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 0) :
						dxg_count(5, 20));
		pending();
		twice();
		ok(adapter_value("resets") == resets, "without a reset of the adapter");
		nothing_came_asleep();
	} else {
		streams(sleep_idle, dxg_count(30, 100));
		idle();
		liar();
		refused();
		nothing_came_asleep();
		state_lost();
	}
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
