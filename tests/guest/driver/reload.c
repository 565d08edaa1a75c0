// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unloading and loading of both modules, and taking the device from its driver, again and
 * again, with work in between and users of other processes who see it: not while somebody
 * uses them, and without anything left behind (FH-28, FH-29).
 *
 *   driver-reload [CYCLES]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "modules.h"

#define WAIT_NS		(20ull * 1000 * 1000 * 1000)
#define QUEUES		8u
#define STEPS		32u
#define USERS		3u
#define STAGE_BUSY	1

/* Busy, as module references have it: EWOULDBLOCK from delete_module. */
static bool in_use(const char *module)
{
	int error = module_unload(module);

	if (error != EWOULDBLOCK && error != EBUSY)
		diag("rmmod %s: errno %d (%s)", module, error, strerror(error));
	return error == EWOULDBLOCK || error == EBUSY;
}

/* Some work in a session that is left open. */
static bool work(struct kmt_session *session, struct queue queues[QUEUES],
		 struct chain chains[QUEUES], uint32_t salt)
{
	char problem[200];
	int32_t status;
	unsigned int i;

	status = kmt_session_open(session, NULL, 0);
	for (i = 0; i < QUEUES && NT_SUCCESS(status); i++) {
		status = queue_create(&queues[i], session, session->context, QUEUE_RING_BYTES);
		if (NT_SUCCESS(status))
			status = chain_create(&chains[i], &queues[i], STEPS);
	}
	if (!NT_SUCCESS(status)) {
		diag("set-up: status %#x", (uint32_t)status);
		return false;
	}
	for (i = 0; i < QUEUES; i++) {
		status = chain_lap(&chains[i], salt + i, 3, WAIT_NS, problem, sizeof(problem));
		if (status != STATUS_SUCCESS) {
			diag("queue %u: %s", i, problem);
			return false;
		}
	}
	return true;
}

static bool clean(struct kmt_session *session, struct queue queues[QUEUES],
		  struct chain chains[QUEUES], bool orderly)
{
	int32_t status = STATUS_SUCCESS;
	unsigned int i;

	if (!orderly) {
		close(session->fd);
		return true;
	}
	for (i = 0; i < QUEUES && NT_SUCCESS(status); i++) {
		chain_destroy(&chains[i]);
		status = queue_destroy(&queues[i]);
	}
	return NT_SUCCESS(status) && NT_SUCCESS(kmt_session_close(session));
}

/* The object counts, once they are all zero. */
static bool unload_both(void)
{
	int miniport = module_unload("dxgpu");
	int layer = miniport ? 0 : module_unload("dxgkrnl");

	if (miniport || layer)
		diag("rmmod: dxgpu errno %d, dxgkrnl errno %d", miniport, layer);
	return !miniport && !layer;
}

static bool load_both(void)
{
	int layer = module_load("dxgkrnl");
	int miniport = layer ? 0 : module_load("dxgpu");

	if (miniport || layer)
		diag("insmod: dxgkrnl errno %d, dxgpu errno %d", layer, miniport);
	return !miniport && !layer;
}

/* While a device of it exists a miniport stays; so does the layer below. */
static void refused(void)
{
	struct chain chains[QUEUES];
	struct queue queues[QUEUES];
	struct kmt_session session;
	char last[DEBUGFS_TEXT_BYTES];

	if (!ok(work(&session, queues, chains, 1), "work, and the session stays open"))
		bail("no work");
	ok(in_use("dxgpu"), "rmmod dxgpu is refused");
	ok(in_use("dxgkrnl"), "rmmod dxgkrnl is refused");
	ok(queue_probe(&queues[0]) == STATUS_SUCCESS, "the queue did not notice");
	ok(clean(&session, queues, chains, true), "the session is closed");
	if (!ok(counters_settle(NULL, 10000, last), "nothing is left"))
		diag("counters: %s", last);
}

/* An open file without an adapter holds the layer, not the miniport. */
static void idle_file(void)
{
	int fd = open(DXG_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	struct dxg_enumadapters3 list = { .filter = 1 };
	struct dxg_luid luid;
	char last[DEBUGFS_TEXT_BYTES];
	uint32_t adapter;
	int32_t status;

	ok(!module_unload("dxgpu"), "with only a file open dxgpu can be unloaded");
	ok(in_use("dxgkrnl"), "but not dxgkrnl");
	status = kmt_call(fd, LX_DXENUMADAPTERS3, &list);
	ok(NT_SUCCESS(status) && !list.num_adapters, "the file sees no adapter (%#x, %u)",
	   (uint32_t)status, list.num_adapters);
	ok(!module_load("dxgpu"), "dxgpu is loaded again");
	status = kmt_adapter_open(fd, &luid, &adapter);
	ok(status == STATUS_SUCCESS, "the same file sees the adapter again (%#x)",
	   (uint32_t)status);
	close(fd);
	if (!ok(counters_settle(NULL, 10000, last), "nothing is left"))
		diag("counters: %s", last);
}

/* Works until the device is gone. */
static int user(struct child_report *report, void *argument)
{
	struct kmt_session session;
	struct queue queue;
	int32_t status;

	(void)argument;
	status = kmt_session_open(&session, NULL, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	while (NT_SUCCESS(status)) {
		status = queue_probe(&queue);
		if (NT_SUCCESS(status))
			report->stage = STAGE_BUSY;
	}
	if (status != STATUS_DEVICE_REMOVED)
		child_fail(report, "status %#x", (uint32_t)status);
	return 0;
}

/* Unbinds the driver from its device under its users, and binds it again. */
static bool rebind(void)
{
	struct child_report *reports = child_reports(USERS);
	char address[64], how[32];
	pid_t pids[USERS];
	bool good = true;
	unsigned int i;

	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	for (i = 0; i < USERS; i++)
		pids[i] = child_start(user, &reports[i], NULL, true, 60);
	for (i = 0; i < USERS; i++)
		good &= child_await(&reports[i], pids[i], STAGE_BUSY, 30000);
	good &= !sysfs_write("/sys/bus/pci/drivers/dxgpu/unbind", "", address);
	for (i = 0; i < USERS; i++) {
		if (child_reap(pids[i], how, sizeof(how)))
			continue;
		diag("user %u: %s %s", i, how, reports[i].problem);
		good = false;
	}
	return !sysfs_write("/sys/bus/pci/drivers/dxgpu/bind", "", address) && good;
}

int main(int argc, char **argv)
{
	unsigned int cycles = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       dxg_count(10, 100);
	struct chain chains[QUEUES];
	struct queue queues[QUEUES];
	struct kmt_session session;
	char last[DEBUGFS_TEXT_BYTES];
	unsigned int cycle;

	refused();
	idle_file();
	for (cycle = 0; cycle < cycles; cycle++) {
		bool orderly = cycle % 2;

		if (!ok(unload_both() && load_both(), "cycle %u: unload, load", cycle))
			break;
		if (!ok(work(&session, queues, chains, cycle * 100), "cycle %u: work", cycle))
			break;
		ok(clean(&session, queues, chains, orderly), "cycle %u: %s", cycle,
		   orderly ? "everything destroyed" : "just closed");
		if (!ok(counters_settle(NULL, 10000, last), "cycle %u: nothing is left", cycle))
			diag("counters: %s", last);
		if (!ok(rebind(), "cycle %u: unbound under its users, and bound again", cycle))
			break;
		if (!ok(counters_settle(NULL, 10000, last), "cycle %u: nothing is left of them", cycle))
			diag("counters: %s", last);
	}
	return done();
}
