// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One thread closes the last handle of an adapter while another reserves GPU addresses
 * by it: the address space ends once, and nothing is added to it afterwards (KMT-0.7,
 * OBJ-16, SEC-16).
 *
 *   driver-closing [ROUNDS]
 *
 * A close that takes the reservations apart without the lock that a reservation is
 * made under leaves the kernel with a broken tree; the dmesg scan sees what comes of it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "kmt.h"

#define RESERVATIONS	2000u
#define BYTES		65536u
/* Spread, so that neither thread searches for long. */
#define BASE(index)	(0x100000000ull + (uint64_t)(index) * 2 * BYTES)

struct closing {
	int fd;
	uint32_t adapter;
	atomic_bool started;
	uint64_t reserved;		/* by the thread */
	int32_t last;			/* how its last call ended */
};

static int32_t reserve(int fd, uint32_t adapter, uint64_t base)
{
	struct dxg_reservegpuvirtualaddress args = {
		.adapter_or_paging_queue = adapter,
		.base_address = base,
		.size = BYTES,
	};

	return kmt_call(fd, LX_DXRESERVEGPUVIRTUALADDRESS, &args);
}

static int32_t release(int fd, uint32_t adapter, uint64_t base)
{
	struct dxg_freegpuvirtualaddress args = {
		.adapter = adapter,
		.base_address = base,
		.size = BYTES,
	};

	return kmt_call(fd, LX_DXFREEGPUVIRTUALADDRESS, &args);
}

/* Reserves and frees between the other's ranges until the handle is gone. */
static void *use(void *argument)
{
	struct closing *closing = argument;
	uint64_t base = BASE(RESERVATIONS / 2) + BYTES;

	for (;;) {
		closing->last = reserve(closing->fd, closing->adapter, base);
		if (!NT_SUCCESS(closing->last))
			return NULL;
		closing->reserved++;
		release(closing->fd, closing->adapter, base);
		atomic_store(&closing->started, true);
	}
}

static bool round_good(unsigned int round, uint64_t *reserved)
{
	struct closing closing = { .fd = open(DXG_DEVICE_PATH, O_RDONLY | O_CLOEXEC) };
	struct dxg_luid luid;
	unsigned int i, made;
	pthread_t thread;
	int32_t closed;

	if (closing.fd < 0 || kmt_adapter_open(closing.fd, &luid, &closing.adapter))
		bail("round %u: no adapter", round);
	for (made = 0; made < RESERVATIONS; made++)
		if (reserve(closing.fd, closing.adapter, BASE(made)))
			break;
	if (pthread_create(&thread, NULL, use, &closing))
		bail("round %u: no thread", round);
	for (i = 0; i < 1000 && !atomic_load(&closing.started); i++)
		kmt_sleep_us(100);
	closed = kmt_call_handle(closing.fd, LX_DXCLOSEADAPTER, closing.adapter);
	pthread_join(thread, NULL);
	close(closing.fd);
	*reserved += closing.reserved;
	if (made == RESERVATIONS && !closed && closing.last == STATUS_INVALID_PARAMETER)
		return true;
	diag("round %u: %u reserved, close %#x, the other thread's end %#x", round, made,
	     (uint32_t)closed, (uint32_t)closing.last);
	return false;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) :
				       dxg_count(20, 500);
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	unsigned int round, good = 0;
	uint64_t reserved = 0;

	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	for (round = 0; round < rounds; round++)
		good += round_good(round, &reserved);
	ok(good == rounds, "%u of %u closes ended the other thread's use with INVALID_PARAMETER",
	   good, rounds);
	ok(reserved >= rounds, "which had reserved %llu times", (unsigned long long)reserved);
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
