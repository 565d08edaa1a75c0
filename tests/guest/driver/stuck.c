// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device whose reset never ends, by the host's order: the driver gives up in bounded
 * time, takes its bus mastering away and stops the adapter; everybody is told, nobody
 * waits; it can be unloaded, and a load that finds the device so makes no adapter. When the
 * reset has ended after all, the driver can be bound again (FH-6, FH-8..10, FH-12, FH-29,
 * FH-30, DDI-RE-5, KMT-CN-5, KMT-CN-10, KMT-DD-1, OBJ-24, PF-11, DEV-13).
 */
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
#define TEST_SECONDS	200u
/* The driver's bounds are below a second each; a busy host may take its time. */
#define TOLD_MS		30000u
#define TIMEOUTS	"reset_timeout_ms=500 command_timeout_ms=300 engine_reset_timeout_ms=300"
#define PCI_COMMAND	4
#define PCI_COMMAND_MASTER	4u

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

static bool bus_master(void)
{
	char path[128];
	uint16_t command = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	file = fopen(path, "rb");
	if (!file || fseek(file, PCI_COMMAND, SEEK_SET) ||
	    fread(&command, sizeof(command), 1, file) != 1)
		bail("%s cannot be read", path);
	fclose(file);
	return command & PCI_COMMAND_MASTER;
}

/* The device is in the hands of a driver that has given it up, or has none. */
static void comes_back(const char *how)
{
	int error = module_unload("dxgpu");

	ok(!error, "%s: the driver can be unloaded (errno %d)", how, error);
	error = module_load_with("dxgpu", TIMEOUTS);
	ok(!error && queue_works() != STATUS_SUCCESS,
	   "%s: another one finds no device to work with (errno %d)", how, error);
	dxg_host_set("inject-hold-reset", "off");
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

static void stuck(const char *how, bool (*make)(void))
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
	if (dxg_host_set("inject-hold-reset", "on"))
		bail("no side channel");
	began = kmt_now_ns();
	ok(make(), "%s: done", how);
	told(how, reports, pids);
	diag("%s: %llu ms from the beginning to the last", how,
	     (unsigned long long)(kmt_now_ns() - began) / 1000000);
	ok(!bus_master(), "%s: the device has lost its bus mastering", how);
	if (!ok(counters_settle(baseline, 20000, last), "%s: nothing is left", how))
		diag("before: %s; after: %s", baseline, last);
	comes_back(how);
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
	stuck("a hang", hang);
	stuck("a function-level reset", flr);
	dxg_host_set("inject-hold-reset", "on");
	comes_back("unloading");
	return done();
}
