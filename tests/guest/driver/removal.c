// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The device goes away under a process that is using it: the driver is unbound, or the
 * function removed from the bus. No signal, no hang, every call answers, and when the
 * device comes back a new session works (T26, FH-10, FH-28, FH-29, FH-30, KMT-CN-5, KMT-DD-1, PF-11).
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "fault.h"
#include "modules.h"
#include "queue.h"

#define WAIT_MS		20000u

struct user {
	struct kmt_session session;
	struct queue connected;
	struct queue idle;		/* never connected */
	int32_t waiter_status;
	pthread_t waiter;
};

static void *wait_for_ever(void *argument)
{
	struct user *user = argument;

	user->waiter_status = kmt_wait(&user->session, user->connected.fence, 1000000);
	return NULL;
}

static void user_start(struct user *user)
{
	memset(user, 0, sizeof(*user));
	must(kmt_session_open(&user->session, NULL, 0), "session");
	must(queue_create(&user->connected, &user->session, user->session.context,
			  QUEUE_RING_BYTES), "queue");
	must(queue_create(&user->idle, &user->session, user->session.context, QUEUE_RING_BYTES),
	     "idle queue");
	must(queue_probe(&user->connected), "first work");
	if (pthread_create(&user->waiter, NULL, wait_for_ever, user))
		bail("no thread");
	kmt_sleep_us(20000);
}

/* Everything that a process may do with a device that is gone. */
static void user_notices(struct user *user, const char *how)
{
	struct kmt_session *session = &user->session;
	struct dxg_createhwqueue hwqueue;
	int fd = session->fd;
	uint32_t out;

	pthread_join(user->waiter, NULL);
	ok(user->waiter_status == STATUS_DEVICE_REMOVED,
	   "%s: a blocked wait ends with DEVICE_REMOVED (%#x)", how,
	   (uint32_t)user->waiter_status);
	ok(*user->connected.stat == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT &&
	   *user->idle.stat == DXG_DOORBELLSTATUS_DISCONNECTED_ABORT, "%s: STAT is ABORT", how);
	ok(!fault_of_store(user->connected.bell, 1) && !fault_of_store(user->idle.bell, 1) &&
	   !fault_of_load(user->connected.bell), "%s: rings raise no signal (FH-30)", how);
	ok(*user->connected.fence_cpu == 1, "%s: the fence keeps its value (PF-11)", how);
	ok(doorbell_connect(fd, user->connected.doorbell) == STATUS_DEVICE_REMOVED &&
	   doorbell_connect(fd, user->idle.doorbell) == STATUS_DEVICE_REMOVED,
	   "%s: connects give DEVICE_REMOVED", how);
	ok(hwqueue_create(fd, session->context, &hwqueue) == STATUS_DEVICE_REMOVED &&
	   kmt_context_create(fd, session->device, 0, &out) == STATUS_DEVICE_REMOVED,
	   "%s: so do creating calls", how);
	ok(!NT_SUCCESS(kmt_device_create(fd, session->adapter, &out)), "%s: there is no new device",
	   how);
	ok(doorbell_destroy(fd, user->connected.doorbell) == STATUS_SUCCESS &&
	   kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, user->connected.queue) == STATUS_SUCCESS &&
	   kmt_call_handle(fd, LX_DXDESTROYHWQUEUE, user->idle.queue) == STATUS_SUCCESS &&
	   kmt_allocation_destroy(session, user->connected.ring.allocation) == STATUS_SUCCESS &&
	   kmt_call_handle(fd, LX_DXDESTROYCONTEXT, session->context) == STATUS_SUCCESS,
	   "%s: destroy calls succeed (KMT-DD-1)", how);
}

/* With the old file still open, and then with the file that saw the removal. */
static void comes_back(struct user *user, const char *how)
{
	struct kmt_session fresh;
	struct dxg_luid luid;
	struct queue queue;
	uint32_t adapter;
	int32_t status;

	status = kmt_session_open(&fresh, NULL, 0);
	if (NT_SUCCESS(status))
		status = queue_create(&queue, &fresh, fresh.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (ok(status == STATUS_SUCCESS, "%s: a new session works (%#x)", how, (uint32_t)status)) {
		queue_destroy(&queue);
		kmt_session_close(&fresh);
	}
	status = kmt_adapter_open(user->session.fd, &luid, &adapter);
	ok(status == STATUS_SUCCESS, "%s: the old file finds the adapter (%#x)", how,
	   (uint32_t)status);
	close(user->session.fd);
}

static void removal(const char *how, const char *gone_path, const char *gone_format,
		    const char *back_path, const char *back_format)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], address[64];
	char gone[80], back[80];
	struct user user;
	int error;

	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	snprintf(gone, sizeof(gone), "%s", *gone_format ? gone_format : address);
	snprintf(back, sizeof(back), "%s", *back_format ? back_format : address);
	counters_read(baseline);
	user_start(&user);
	error = sysfs_write(gone_path, address, gone);
	ok(!error, "%s (errno %d)", how, error);
	user_notices(&user, how);
	error = sysfs_write(back_path, address, back);
	ok(!error, "%s: it comes back (errno %d)", how, error);
	comes_back(&user, how);
	if (!ok(counters_settle(baseline, 5000, last), "%s: nothing is left", how))
		diag("before: %s; after: %s", baseline, last);
}

int main(void)
{
	alarm(WAIT_MS / 1000 * 6);
	removal("unbinding the driver", "/sys/bus/pci/drivers/dxgpu/unbind", "",
		"/sys/bus/pci/drivers/dxgpu/bind", "");
	removal("unbinding it again", "/sys/bus/pci/drivers/dxgpu/unbind", "",
		"/sys/bus/pci/drivers/dxgpu/bind", "");
	removal("removing the function", "/sys/bus/pci/devices/%s/remove", "1",
		"/sys/bus/pci/rescan", "1");
	return done();
}
