// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device whose reset never ends, by the host's order: the driver gives up in bounded
 * time, takes its bus mastering away and stops the adapter; everybody is told, nobody
 * waits; it can be unloaded, and a load that finds the device so makes no adapter. When the
 * reset has ended after all, the driver can be bound again (FH-6, FH-8, FH-9, FH-10, FH-12,
 * FH-28, FH-29, FH-30, DDI-RE-5, KMT-CN-5, KMT-CN-10, KMT-DD-1, OBJ-24, PF-11, DEV-13).
 *
 * Two resets: the device's own, by its register, and the function's, after which not even
 * the configuration space answers. The kernel waits for a function more than a minute after
 * a reset that it makes itself, so that the whole of it is for --long; always done are one
 * that is late, and resets that somebody makes past kernel and driver, of which the driver
 * learns by what it does next, for whomever.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "../host.h"
#include "child.h"
#include "debugfs.h"
#include "fault.h"
#include "guilty.h"
#include "modules.h"

#define USERS		3u
#define TEST_SECONDS	dxg_count(200, 500)
/* The driver's bounds are below a second each; a busy host may take its time. */
#define TOLD_MS		30000u
#define HOLD_RESET	"inject-hold-reset"
#define HOLD_FLR	"inject-hold-flr"
#define TIMEOUTS	"reset_timeout_ms=500 command_timeout_ms=300 engine_reset_timeout_ms=300"
#define PCI_COMMAND	4
#define PCI_COMMAND_MASTER	4u
#define PCI_CAPABILITIES	0x34
#define PCI_CAP_EXPRESS		0x10u
#define PCI_DEVICE_CONTROL	8
#define PCI_DEVICE_CONTROL_FLR	0x8000u
/* Of a reset that is late: the kernel looks after 100 ms and then ever more rarely. */
#define LATE_MS			400u

enum { STAGE_READY = 1, STAGE_TOLD };
enum { WAIT, STAT, STATE, CONNECT, DEVICE, DESTROY };

static char address[64];

/* Waits in the kernel, and tells what it finds when that ends. */
static int user(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue;
	uint32_t device;
	int32_t status;

	(void)argument;
	status = queue_open(&queue, &session);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	report->stage = STAGE_READY;
	report->values[WAIT] = (uint32_t)kmt_wait(&session, queue.fence, 1000000);
	report->values[STAT] = *queue.stat;
	report->values[STATE] = kmt_execution_state(session.fd, session.device);
	report->values[CONNECT] = (uint32_t)doorbell_connect(session.fd, queue.doorbell);
	report->values[DEVICE] = (uint32_t)kmt_device_create(session.fd, session.adapter, &device);
	if (fault_of_store(queue.bell, 1))
		child_problem(report, "a ring raises a signal");
	if (*queue.fence_cpu != 1)
		child_problem(report, "the fence is at %llu",
			      (unsigned long long)*queue.fence_cpu);
	child_stage(report, STAGE_TOLD);
	report->values[DESTROY] = (uint32_t)queue_destroy(&queue);
	kmt_session_close(&session);
	return report->problem[0] != 0;
}

static int config_open(void)
{
	char path[128];
	int file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	file = open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		bail("%s cannot be opened", path);
	return file;
}

static uint16_t config_read(int file, long offset)
{
	uint16_t value;

	if (pread(file, &value, sizeof(value), offset) != sizeof(value))
		bail("no configuration space at %#lx", (unsigned long)offset);
	return value;
}

static bool bus_master(void)
{
	int file = config_open();
	uint16_t command = config_read(file, PCI_COMMAND);

	close(file);
	return command & PCI_COMMAND_MASTER;
}

/* A function-level reset past the kernel, which does not save and restore anything. */
static bool flr_by_bit(void)
{
	int file = config_open();
	long offset = config_read(file, PCI_CAPABILITIES) & 0xff;
	uint16_t control;
	bool absent;

	while (offset && (config_read(file, offset) & 0xff) != PCI_CAP_EXPRESS)
		offset = config_read(file, offset) >> 8;
	if (!offset)
		bail("no PCI Express capability");
	offset += PCI_DEVICE_CONTROL;
	control = config_read(file, offset) | PCI_DEVICE_CONTROL_FLR;
	if (pwrite(file, &control, sizeof(control), offset) != sizeof(control))
		bail("the configuration space cannot be written");
	absent = config_read(file, 0) == 0xffff;
	close(file);
	return absent;
}

/* The device is in the hands of a driver that has given it up, or has none. */
static void comes_back(const char *how, const char *fault)
{
	bool absent = !strcmp(fault, HOLD_FLR);
	int error = module_unload("dxgpu");

	ok(!error, "%s: the driver can be unloaded (errno %d)", how, error);
	error = module_load_with("dxgpu", TIMEOUTS);
	ok(!error && queue_works() != STATUS_SUCCESS,
	   "%s: another one finds no device to work with (errno %d)", how, error);
	dxg_host_set(fault, "off");
	/* After its reset the function has no addresses, which only a new scan gives it. */
	if (absent)
		error = sysfs_write("/sys/bus/pci/devices/%s/remove", address, "1");
	if (absent && !error)
		error = sysfs_write("/sys/bus/pci/rescan", "", "1");
	if (!absent)
		error = sysfs_write("/sys/bus/pci/drivers/dxgpu/bind", "", address);
	ok(!error && queue_works() == STATUS_SUCCESS,
	   "%s: and binds to it when the reset has ended (errno %d)", how, error);
}

static void told(const char *how, struct child_report *reports, const pid_t *pids)
{
	unsigned int i, good = 0;
	char died[32];

	for (i = 0; i < USERS; i++) {
		volatile uint64_t *values = reports[i].values;

		if (!child_await(&reports[i], pids[i], STAGE_TOLD, TOLD_MS)) {
			diag("user %u: still waits (%s)", i, reports[i].problem);
			continue;
		}
		good += (int32_t)values[WAIT] == STATUS_DEVICE_REMOVED &&
			values[STAT] == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT &&
			values[STATE] == 2 && (int32_t)values[CONNECT] == STATUS_DEVICE_REMOVED &&
			(int32_t)values[DEVICE] == STATUS_DEVICE_REMOVED;
		diag("user %u: wait %#llx stat %llu state %llu connect %#llx device %#llx", i,
		     (unsigned long long)values[WAIT], (unsigned long long)values[STAT],
		     (unsigned long long)values[STATE], (unsigned long long)values[CONNECT],
		     (unsigned long long)values[DEVICE]);
	}
	ok(good == USERS, "%s: %u of %u are told that it is gone", how, good, USERS);
	ok(queue_works() != STATUS_SUCCESS, "%s: who comes then is told as well", how);
	for (i = 0, good = 0; i < USERS; i++) {
		reports[i].go = STAGE_TOLD;
		if (child_reap(pids[i], died, sizeof(died)) && !reports[i].values[DESTROY])
			good++;
		else
			diag("user %u: %s, %s, destroy %#x", i, died, reports[i].problem,
			     (uint32_t)reports[i].values[DESTROY]);
	}
	ok(good == USERS, "%s: they destroy what they have, and rings raise no signal", how);
}

static void stuck(const char *how, const char *fault, bool (*make)(void))
{
	struct child_report *reports = child_reports(USERS);
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	pid_t pids[USERS];
	unsigned int i;
	uint64_t began;

	counters_read(baseline);
	for (i = 0; i < USERS; i++) {
		pids[i] = child_start(user, &reports[i], NULL, true, TEST_SECONDS);
		if (!child_await(&reports[i], pids[i], STAGE_READY, TOLD_MS))
			bail("user %u: %s", i, reports[i].problem);
	}
	if (dxg_host_set(fault, "on"))
		bail("no side channel");
	began = kmt_now_ns();
	ok(make(), "%s: done", how);
	told(how, reports, pids);
	diag("%s: %llu ms from the beginning to the last", how,
	     (unsigned long long)(kmt_now_ns() - began) / 1000000);
	if (!strcmp(fault, HOLD_RESET))
		ok(!bus_master(), "%s: the device has lost its bus mastering", how);
	if (!ok(counters_settle(baseline, 20000, last), "%s: nothing is left", how))
		diag("before: %s; after: %s", baseline, last);
	comes_back(how, fault);
}

/* Engine, then adapter: neither can be reset. */
static bool hang(void)
{
	char died[32];
	bool good;
	pid_t pid;

	dxg_host_set("inject-hang-fence", GUILTY_FENCE);
	dxg_host_set("inject-engine-reset", "refuse");
	good = guilty_kill(TEST_SECONDS, &pid);
	child_reap(pid, died, sizeof(died));
	dxg_host_set("inject-engine-reset", "ok");
	dxg_host_set("inject-hang-fence", "0");
	return good;
}

static bool flr(void)
{
	return !sysfs_write("/sys/bus/pci/devices/%s/reset", address, "1");
}

/* The kernel gives the function up, after all the time that it gives it. */
static bool flr_fails(void)
{
	return !flr();
}

/* The driver learns of it by a call of somebody who comes then. */
static bool newcomer(void)
{
	return flr_by_bit() && queue_works() != STATUS_SUCCESS;
}

/* The driver learns of it by what it has to do for somebody who dies. */
static bool death(void)
{
	struct child_report *report = child_reports(1);
	pid_t pid = child_start(user, report, NULL, true, TEST_SECONDS);
	char died[32];

	if (!child_await(report, pid, STAGE_READY, TOLD_MS))
		bail("the one who is to die: %s", report->problem);
	if (!flr_by_bit())
		return false;
	kill(pid, SIGKILL);
	child_reap(pid, died, sizeof(died));
	return true;
}

static int leaver(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue;
	int32_t status;

	(void)argument;
	status = queue_open(&queue, &session);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (!NT_SUCCESS(status))
		child_fail(report, "set-up: status %#x", (uint32_t)status);
	child_stage(report, STAGE_READY);
	status = doorbell_destroy(session.fd, queue.doorbell);
	if (!NT_SUCCESS(status))
		child_problem(report, "destroy of the doorbell: status %#x", (uint32_t)status);
	/* Nothing more of the device: it is to be told by what the driver has seen already. */
	status = kmt_wait(&session, queue.fence, 1000000);
	if (status != STATUS_DEVICE_REMOVED)
		child_problem(report, "a wait: status %#x", (uint32_t)status);
	kmt_session_close(&session);
	return report->problem[0] != 0;
}

/* The driver learns of it while it waits for an acknowledgement, which all ones are not. */
static bool waited_for(void)
{
	struct child_report *report = child_reports(1);
	pid_t pid = child_start(leaver, report, NULL, true, TOLD_MS / 1000);
	char how[32] = "";
	bool good;

	if (!child_await(report, pid, STAGE_READY, TOLD_MS))
		bail("the one who is to leave: %s", report->problem);
	dxg_host_set("inject-hold-removals", "on");
	sysfs_write("/sys/module/dxgpu/parameters/command_timeout_ms", "", "20000");
	report->go = STAGE_READY;
	kmt_sleep_us(150000);
	good = flr_by_bit() && child_reap(pid, how, sizeof(how));
	if (!good)
		diag("the one who leaves: %s, %s", how, report->problem);
	dxg_host_set("inject-hold-removals", "off");
	return good;
}

static void *ends_late(void *argument)
{
	(void)argument;
	kmt_sleep_us(LATE_MS * 1000);
	dxg_host_set(HOLD_FLR, "off");
	return NULL;
}

/* The kernel waits for it, and it is a reset like any other. */
static void late(void)
{
	uint64_t resets = adapter_value("resets"), began = kmt_now_ns(), ms;
	pthread_t thread;
	int32_t status;
	bool made;

	if (dxg_host_set(HOLD_FLR, "on") || pthread_create(&thread, NULL, ends_late, NULL))
		bail("no side channel, or no thread");
	made = flr();
	ms = (kmt_now_ns() - began) / 1000000;
	pthread_join(thread, NULL);
	ok(made && ms >= LATE_MS, "a late end of a function-level reset is waited for (%llu ms)",
	   (unsigned long long)ms);
	status = queue_works();
	ok(status == STATUS_SUCCESS && adapter_value("resets") == resets + 1,
	   "and was a reset like any other (%#x)", (uint32_t)status);
}

int main(void)
{
	int error;

	alarm(TEST_SECONDS);
	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	error = module_unload("dxgpu");
	if (!error)
		error = module_load_with("dxgpu", TIMEOUTS);
	if (error || sysfs_write("/sys/module/dxgkrnl/parameters/tdr_timeout_ms", "", "100"))
		bail("dxgpu cannot be loaded anew: errno %d", error);
	ok(queue_works() == STATUS_SUCCESS, "it works");
	stuck("a hang", HOLD_RESET, hang);
	stuck("a function-level reset", HOLD_RESET, flr);
	dxg_host_set(HOLD_RESET, "on");
	comes_back("unloading", HOLD_RESET);
	late();
	stuck("absent, found by a newcomer", HOLD_FLR, newcomer);
	stuck("absent, found by a death", HOLD_FLR, death);
	stuck("absent, found by one who waits", HOLD_FLR, waited_for);
	dxg_host_set(HOLD_FLR, "on");
	if (!ok(flr_by_bit(), "absent, found by nobody"))
		bail("it is there");
	comes_back("absent, unloading", HOLD_FLR);
	if (dxg_count(0, 1))
		stuck("absent, by the kernel's reset", HOLD_FLR, flr_fails);
	return done();
}
