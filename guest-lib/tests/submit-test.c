// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The submission helper against scripted status words: what it rings, what it
 * connects, what it puts into the ring, and what it answers.
 */
#include <string.h>
#include "fake.h"
#include "tap.h"

#define MS	1000000ull
#define RETRY	D3DDDI_DOORBELLSTATUS_DISCONNECTED_RETRY
#define ABORT	D3DDDI_DOORBELLSTATUS_DISCONNECTED_ABORT

static struct fake fake;
static UINT64 command_memory[64][16];

static struct dxg_commands commands_at(UINT index)
{
	return (struct dxg_commands) {
		.cpu = command_memory[index],
		.gpuva = (UINT64)(uintptr_t)command_memory[index],
		.capacity_bytes = sizeof(command_memory[index]),
	};
}

static NTSTATUS submit(UINT index, UINT64 timeout_ns, UINT64 *fence)
{
	struct dxg_commands commands = commands_at(index);

	return dxg_submit(&fake.queue, &commands, timeout_ns, fence);
}

static struct dxg_submit_stats stats(void)
{
	struct dxg_submit_stats all;

	dxg_submit_queue_get_stats(&fake.queue, &all);
	return all;
}

static void test_first(void)
{
	UINT64 fence;

	fake_init(&fake);
	fake_ring_says(&fake, RETRY);
	ok(!submit(0, DXG_FOREVER, &fence) && fence == 1,
	   "first submission succeeds with fence 1");
	ok(fake.connect_calls == 1 && fake.rings == 2,
	   "it rang, connected, rang again (UMD-2 UMD-6 ORD-30)");
	ok(stats().connects_first == 1 && !stats().reconnects &&
	   stats().retries == 1 && stats().submissions == 1,
	   "the first connect is no reconnect");
	ok(!submit(1, DXG_FOREVER, &fence) && fence == 2 &&
	   fake.connect_calls == 1 && fake.rings == 3,
	   "the second needs one ring and no call");
	ok(!fake.order_wrong, "at each ring WP, last-queued and entry were there (ORD-5 PF-2)");
	ok(fake.ring[1].command_gpuva == commands_at(1).gpuva &&
	   fake.ring[1].command_bytes == DXG_COMMANDS_FENCE_BYTES &&
	   fake.ring[1].fence_value == 2 && !fake.ring[1].flags &&
	   !fake.ring[1].reserved, "the entry names buffer, bytes and fence");
	fake_execute(&fake, 2, true);
	ok(fake.progress == 2 && !dxg_wait(&fake.queue, 2, 0),
	   "executed, the fence is reached");
	fake_fini(&fake);
}

static void test_retry_storm(void)
{
	UINT64 fence;

	fake_init(&fake);
	fake.repeat_words = true;
	fake.status = RETRY;
	ok(!submit(0, DXG_FOREVER, &fence) && fence == 1,
	   "RETRY for ever with good connects: accepted (UMD-5)");
	ok(fake.connect_calls == 16 && fake.rings == 17 && stats().accepted == 1,
	   "after 16 rounds");
	ok(fake.control.wp == 1 && stats().submissions == 1 &&
	   fake.last_rung == 1 && fake.last_queued == 1,
	   "one entry, one fence value, the same WP (ORD-24 UMD-3)");
	fake_fini(&fake);
}

static void test_abort(void)
{
	UINT64 fence;

	fake_init(&fake);
	fake.state = D3DKMT_DEVICEEXECUTION_ERROR_DMAPAGEFAULT;
	fake_ring_says(&fake, ABORT);
	ok(submit(0, DXG_FOREVER, &fence) == STATUS_DEVICE_REMOVED,
	   "ABORT is STATUS_DEVICE_REMOVED (UMD-4)");
	ok(strstr(dxg_last_error(), "page fault") &&
	   strstr(dxg_last_error(), "0xabc000"),
	   "the text says why: %s", dxg_last_error());
	ok(submit(1, DXG_FOREVER, &fence) == STATUS_DEVICE_REMOVED && !fence &&
	   fake.control.wp == 1, "a lost queue takes nothing more");
	ok(dxg_wait(&fake.queue, 1, DXG_FOREVER) == STATUS_DEVICE_REMOVED,
	   "a wait for ever ends");
	ok(dxg_submit_kick(&fake.queue, 0) == STATUS_DEVICE_REMOVED,
	   "a kick does not help");
	fake_fini(&fake);

	fake_init(&fake);
	fake_ring_says(&fake, RETRY);
	fake_connect_says(&fake, STATUS_DEVICE_REMOVED);
	ok(submit(0, DXG_FOREVER, &fence) == STATUS_DEVICE_REMOVED &&
	   fake.connect_calls == 1, "a connect that fails for good: the same");
	fake_fini(&fake);
}

static void test_busy(void)
{
	UINT64 fence;

	fake_init(&fake);
	fake.repeat_words = true;
	fake.repeat_connects = true;
	fake.status = RETRY;
	fake_connect_says(&fake, STATUS_DEVICE_BUSY);
	ok(submit(0, 3 * MS, &fence) == STATUS_DEVICE_BUSY && fence == 1,
	   "no connection in time: STATUS_DEVICE_BUSY, the fence is known");
	ok(fake.control.wp == 1 && fake.connect_calls > 1 &&
	   stats().busy == fake.connect_calls,
	   "it backed off and tried again (OP-6)");
	ok(dxg_wait(&fake.queue, 1, 2 * MS) == STATUS_TIMEOUT,
	   "a wait tries in vain");
	fake.repeat_words = false;
	ok(dxg_wait(&fake.queue, 1, 2 * MS) == STATUS_TIMEOUT &&
	   fake.status == D3DDDI_DOORBELLSTATUS_CONNECTED,
	   "and connects as soon as it can");
	fake_execute(&fake, 1, true);
	ok(!dxg_wait(&fake.queue, 1, 0) && fake.control.wp == 1,
	   "the one entry completes");
	fake_fini(&fake);

	fake_init(&fake);
	fake_ring_says(&fake, RETRY);
	fake_ring_says(&fake, RETRY);
	fake_ring_says(&fake, RETRY);
	fake_connect_says(&fake, STATUS_DEVICE_BUSY);
	fake_connect_says(&fake, STATUS_DEVICE_BUSY);
	ok(!submit(0, DXG_FOREVER, &fence) && stats().busy == 2 &&
	   stats().connects_first == 1, "busy twice, then connected");
	fake_fini(&fake);
}

static void test_notify(void)
{
	UINT64 fence;

	fake_init(&fake);
	fake_ring_says(&fake, D3DDDI_DOORBELLSTATUS_CONNECTED_NOTIFY_KMD);
	ok(!submit(0, DXG_FOREVER, &fence) && fake.notify_calls == 1 &&
	   fake.rings == 1 && stats().notifies == 1,
	   "NOTIFY: one notification, no connect (KMT-NW-3)");
	fake_fini(&fake);

	fake_init(&fake);
	fake_ring_says(&fake, 9);
	ok(submit(0, DXG_FOREVER, &fence) == STATUS_UNSUCCESSFUL &&
	   strstr(dxg_last_error(), "9 (0..3)"), "an unknown word: %s",
	   dxg_last_error());
	fake_fini(&fake);
}

static void test_full(void)
{
	UINT64 fence;
	UINT i;

	fake_init(&fake);
	for (i = 0; i < FAKE_ENTRIES; i++)
		ok(!submit(i, 0, &fence), "entry %u fits", i);
	ok(submit(i, 3 * MS, &fence) == STATUS_TIMEOUT && !fence &&
	   fake.control.wp == FAKE_ENTRIES, "a full ring: STATUS_TIMEOUT, nothing in");
	ok(fake.wait_calls, "it slept on the progress fence (UMD-8)");
	fake_execute(&fake, 1, false);
	ok(submit(i, 3 * MS, &fence) == STATUS_TIMEOUT,
	   "a fence without RP frees no entry");
	fake.control.rp = 1;
	ok(!submit(i, 3 * MS, &fence) && fence == FAKE_ENTRIES + 1,
	   "RP does, and fence values go on");
	ok(fake.ring[0].fence_value == FAKE_ENTRIES + 1, "in the ring's first place");
	pthread_mutex_lock(&fake.queue.lock);
	ok(submit(i, 3 * MS, &fence) == STATUS_TIMEOUT && !fence,
	   "another thread is in the way: STATUS_TIMEOUT (UMD-7)");
	pthread_mutex_unlock(&fake.queue.lock);
	fake.control.rp = 99;
	ok(submit(i, 3 * MS, &fence) == STATUS_UNSUCCESSFUL,
	   "an RP beyond WP is found: %s", dxg_last_error());
	fake_fini(&fake);
}

/* The kernel bounds how many events a process may arm, and cannot disarm one. */
static void test_events(void)
{
	UINT64 fence;
	UINT i;

	fake_init(&fake);
	submit(0, 0, &fence);
	submit(1, 0, &fence);
	for (i = 0; i < 50; i++)
		dxg_wait(&fake.queue, 2, MS / 10);
	ok(fake.wait_calls == 1, "50 waits that time out arm one event");
	for (i = 0; i < 50; i++)
		dxg_wait(&fake.queue, 1, MS / 10);
	ok(fake.wait_calls == 2, "50 for an earlier fence arm another");
	fake.wait_result = STATUS_NO_MEMORY;
	fake_execute(&fake, 1, true);
	submit(2, 0, &fence);
	fake.queue.events.events[0].taken = true;
	ok(dxg_wait(&fake.queue, 3, 3 * MS) == STATUS_TIMEOUT,
	   "no event to be had: it naps and times out");
	fake_execute(&fake, 2, true);
	ok(!dxg_wait(&fake.queue, 3, 3 * MS), "and sees the fence");
	fake_fini(&fake);
}

/* What STAT said before a ring is nobody's business, and LQ has but one way to go. */
static void test_each_time(void)
{
	const UINT64 words[] = {
		D3DDDI_DOORBELLSTATUS_CONNECTED, RETRY, D3DDDI_DOORBELLSTATUS_CONNECTED, RETRY,
	};
	UINT64 fence, last = 0;
	UINT i, wrong = 0;

	fake_init(&fake);
	for (i = 0; i < 4; i++) {
		UINT calls = fake.connect_calls, rings = fake.rings;

		/* Before the ring the word is the opposite of what the ring will find. */
		fake.status = words[i] == RETRY ? D3DDDI_DOORBELLSTATUS_CONNECTED : RETRY;
		fake_ring_says(&fake, words[i]);
		wrong += submit(i, DXG_FOREVER, &fence) != STATUS_SUCCESS;
		wrong += fake.connect_calls - calls != (words[i] == RETRY);
		wrong += fake.rings - rings != (words[i] == RETRY ? 2 : 1);
		wrong += fake.doorbell != fake.control.wp;
		wrong += fake.last_queued != last + 1 || fake.last_queued != fence;
		last = fake.last_queued;
		fake_execute(&fake, 1, true);
		/* A script that has been used up begins anew. */
		fake.word = 0;
		fake.num_words = 0;
	}
	ok(!wrong, "each submission reads the status word, after its ring (UMD-1 UMD-9)");
	ok(fake.doorbell == 4 && fake.last_rung == 4,
	   "the doorbell's value is the write pointer (UMD-10)");
	ok(last == 4 && !fake.order_wrong,
	   "the last-queued value grows by one with each entry, before it (UMD-13)");
	fake_fini(&fake);
}

static void test_bad_input(void)
{
	struct dxg_commands commands;
	UINT64 fence = 5;

	fake_init(&fake);
	commands = commands_at(0);
	ok(dxg_submit(NULL, &commands, 0, &fence) == STATUS_INVALID_PARAMETER &&
	   !fence, "queue NULL: %s", dxg_last_error());
	ok(dxg_submit(&fake.queue, NULL, 0, &fence) == STATUS_INVALID_PARAMETER,
	   "commands NULL: %s", dxg_last_error());
	commands.gpuva |= 4;
	ok(dxg_submit(&fake.queue, &commands, 0, &fence) ==
	   STATUS_INVALID_PARAMETER, "misaligned: %s", dxg_last_error());
	commands = commands_at(0);
	commands.bytes = 4096;
	ok(dxg_submit(&fake.queue, &commands, 0, &fence) ==
	   STATUS_INVALID_PARAMETER, "too long: %s", dxg_last_error());
	commands = commands_at(0);
	commands.bytes = commands.capacity_bytes - 16;
	ok(dxg_submit(&fake.queue, &commands, 0, &fence) ==
	   STATUS_BUFFER_TOO_SMALL, "no room for the fence: %s", dxg_last_error());
	ok(!submit(0, 0, NULL), "the fence pointer may be NULL, the lock is free");
	ok(dxg_wait(&fake.queue, 2, 0) == STATUS_INVALID_PARAMETER,
	   "a wait for what was never submitted: %s", dxg_last_error());
	ok(!dxg_wait(&fake.queue, 0, 0), "fence 0 is reached");
	ok(dxg_wait(&fake.queue, 1, 0) == STATUS_TIMEOUT, "fence 1 is not");
	fake.rings = 0;
	ok(!dxg_submit_kick(&fake.queue, 0) && fake.rings == 1 &&
	   fake.control.wp == 1 && fake.last_rung == 1,
	   "a kick rings the same WP (ORD-25)");
	fake.queue.instance = 5;
	ok(dxg_submit_kick(&fake.queue, 0) == STATUS_INVALID_PARAMETER,
	   "a queue of another process: %s", dxg_last_error());
	fake_fini(&fake);
}

int main(void)
{
	test_first();
	test_retry_storm();
	test_abort();
	test_busy();
	test_notify();
	test_full();
	test_events();
	test_each_time();
	test_bad_input();
	return done();
}
