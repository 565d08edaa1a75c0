// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A hostile guest at the device's BARs: root maps them past the driver, and reads and
 * writes every offset of each at every size and alignment (DEV-3, DEV-7, SEC-22).
 * Without a driver nothing may happen to the machine, and after a reset the device
 * works. Under a driver, what the datasheet says is ignored must be ignored; a
 * storm of random register values may ruin the driver's work, but neither the
 * machine nor the kernel, and loading the modules anew makes all whole (FH-28).
 *
 *   driver-bars [SEED]
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <dxgpu/regs.h>
#include "tap.h"
#include "chain.h"
#include "child.h"
#include "debugfs.h"
#include "host.h"
#include "modules.h"

#define WAIT_NS		(60ull * 1000 * 1000 * 1000)
#define STORM_MS	dxg_count(800, 20000)
#define STEPS		32u
#define STAGE_WORKING	1

#define SYSFS_DEVICE	"/sys/bus/pci/devices/%s/"
#define SYSFS_DRIVER	"/sys/bus/pci/drivers/dxgpu/"

struct bar {
	const char *name;
	unsigned int number;
	volatile uint8_t *memory;
	uint64_t bytes;
};

static struct bar registers = { .name = "registers", .number = DXGPU_BAR_REGS };
static struct bar msix = { .name = "MSI-X table", .number = DXGPU_BAR_MSIX };
static struct bar doorbells = { .name = "doorbells", .number = DXGPU_BAR_DOORBELL };
static struct bar status_region = { .name = "status region", .number = DXGPU_BAR_STATUS };

static char address[64];
static uint64_t seed;

/* splitmix64 */
static uint64_t next_random(void)
{
	uint64_t value = seed += 0x9e3779b97f4a7c15ull;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ value >> 27) * 0x94d049bb133111ebull;
	return value ^ value >> 31;
}

static void bar_map(struct bar *bar)
{
	bar->memory = pci_map(address, bar->number, &bar->bytes);
	if (!bar->memory)
		bail("no %s: errno %d", bar->name, errno);
}

static void bar_unmap(struct bar *bar)
{
	munmap((void *)(uintptr_t)bar->memory, bar->bytes);
}

static void bars_map(void)
{
	bar_map(&registers);
	bar_map(&msix);
	bar_map(&doorbells);
	bar_map(&status_region);
}

static void bars_unmap(void)
{
	bar_unmap(&registers);
	bar_unmap(&msix);
	bar_unmap(&doorbells);
	bar_unmap(&status_region);
}

static uint64_t bar_read(const struct bar *bar, uint64_t at, unsigned int bytes)
{
	const volatile void *place = bar->memory + at;

	switch (bytes) {
	case 1:
		return *(const volatile uint8_t *)place;
	case 2:
		return *(const volatile uint16_t *)place;
	case 4:
		return *(const volatile uint32_t *)place;
	default:
		return *(const volatile uint64_t *)place;
	}
}

static void bar_write(const struct bar *bar, uint64_t at, unsigned int bytes, uint64_t value)
{
	volatile void *place = bar->memory + at;

	switch (bytes) {
	case 1:
		*(volatile uint8_t *)place = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)place = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)place = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)place = value;
		break;
	}
}

/* May this write be made? NULL: every one, no one. */
typedef bool (*write_filter)(uint64_t at, unsigned int bytes);

static bool never(uint64_t at, unsigned int bytes)
{
	(void)at;
	(void)bytes;
	return false;
}

/*
 * Every offset and size. Reads are of no interest but for their coming back; beyond
 * dense bytes only each step-th offset is visited.
 */
static void sweep(const struct bar *bar, write_filter allowed, uint64_t dense, uint64_t step)
{
	uint64_t start = kmt_now_ns(), reads = 0, writes = 0, at;
	unsigned int bytes;

	for (at = 0; at < bar->bytes; at += at < dense ? 1 : step) {
		for (bytes = 1; bytes <= 8; bytes *= 2) {
			if (at + bytes > bar->bytes)
				continue;
			bar_read(bar, at, bytes);
			reads++;
			if (allowed && !allowed(at, bytes))
				continue;
			bar_write(bar, at, bytes, next_random());
			writes++;
		}
	}
	diag("%s, %llu bytes: %llu reads, %llu writes in %llu ms", bar->name,
	     (unsigned long long)bar->bytes, (unsigned long long)reads,
	     (unsigned long long)writes,
	     (unsigned long long)(kmt_now_ns() - start) / 1000000);
}

static uint64_t device_stat(const char *name)
{
	unsigned long long value;
	int error = dxg_host_stat(name, &value);

	if (error)
		bail("the device's counter %s: errno %d", name, -error);
	return value;
}

static uint32_t reg(uint32_t offset)
{
	return (uint32_t)bar_read(&registers, offset, 4);
}

/* Does a session with a queue do its work? */
static bool works(void)
{
	char problem[200] = "";
	struct kmt_session session;
	struct queue queue;
	struct chain chain;
	int32_t status;

	status = kmt_session_open(&session, NULL, 0);
	if (!NT_SUCCESS(status)) {
		diag("session: status %#x", (uint32_t)status);
		return false;
	}
	status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = chain_create(&chain, &queue, STEPS);
	if (NT_SUCCESS(status))
		status = chain_lap(&chain, 1, 3, WAIT_NS, problem, sizeof(problem));
	if (status != STATUS_SUCCESS)
		diag("status %#x %s", (uint32_t)status, problem);
	close(session.fd);
	return status == STATUS_SUCCESS;
}

static void bind_driver(const char *how)
{
	int error = sysfs_write(SYSFS_DRIVER "bind", address, address);

	ok(!error, "%s: the driver takes the device (errno %d)", how, error);
	ok(works(), "%s: and it works", how);
}

/* Bus mastering and MSI-X are off, so nothing that is written becomes an access to memory. */
static void without_driver(void)
{
	uint64_t bad_registers, bad_doorbells, unbound;
	int error = sysfs_write(SYSFS_DRIVER "unbind", address, address);

	ok(!error, "the driver is unbound (errno %d)", error);
	sysfs_write(SYSFS_DEVICE "enable", address, "1");
	bars_map();
	ok(reg(DXGPU_REG_MAGIC) == DXGPU_MAGIC, "root sees the registers");
	bad_registers = device_stat("register_bad_access");
	sweep(&registers, NULL, registers.bytes, 1);
	ok(reg(DXGPU_REG_MAGIC) == DXGPU_MAGIC, "every access to BAR0 comes back");
	/* At least those of 1 byte, and of 2 aligned ones; QEMU may cut the others. */
	bad_registers = device_stat("register_bad_access") - bad_registers;
	ok(bad_registers >= registers.bytes * 3, "and is counted if it is a bad one (%llu)",
	   (unsigned long long)bad_registers);
	bad_doorbells = device_stat("doorbell_bad_access");
	unbound = device_stat("doorbell_unbound");
	sweep(&doorbells, NULL, doorbells.bytes, 1);
	ok(bar_read(&doorbells, 0, 8) == 0, "to BAR2 too");
	bad_doorbells = device_stat("doorbell_bad_access") - bad_doorbells;
	unbound = device_stat("doorbell_unbound") - unbound;
	ok(bad_doorbells >= doorbells.bytes * 3 / 2 && unbound >= doorbells.bytes / 4096 * 2,
	   "with its bad writes (%llu) and its rings of no queue (%llu) counted",
	   (unsigned long long)bad_doorbells, (unsigned long long)unbound);
	sweep(&status_region, NULL, status_region.bytes, 1);
	ok(reg(DXGPU_REG_MAGIC) == DXGPU_MAGIC, "to BAR4 too");
	sweep(&msix, NULL, msix.bytes, 1);
	ok(reg(DXGPU_REG_MAGIC) == DXGPU_MAGIC, "to BAR1 too");

	error = sysfs_write(SYSFS_DEVICE "reset", address, "1");
	ok(!error, "the function is reset (errno %d)", error);
	ok(reg(DXGPU_REG_STATUS) == DXGPU_STATUS_DISABLED && reg(DXGPU_REG_INT_ENABLE) == 0 &&
	   reg(DXGPU_REG_CMD_ARG(0)) == 0 && reg(DXGPU_REG_RESET_COUNT) == 0,
	   "and its registers are as after power-on");
	bars_unmap();
	sysfs_write(SYSFS_DEVICE "enable", address, "0");
	bind_driver("after a reset");

	/* The driver's own reset must do as well. */
	sysfs_write(SYSFS_DRIVER "unbind", address, address);
	sysfs_write(SYSFS_DEVICE "enable", address, "1");
	bars_map();
	sweep(&registers, NULL, 0x400, 4099);
	bars_unmap();
	sysfs_write(SYSFS_DEVICE "enable", address, "0");
	bind_driver("without a reset");
}

static bool writable_register(uint64_t at)
{
	return at == DXGPU_REG_CONTROL || at == DXGPU_REG_INT_CAUSE ||
	       at == DXGPU_REG_INT_ENABLE || at == DXGPU_REG_CMD ||
	       (at >= DXGPU_REG_CMD_ARG(0) && at < DXGPU_REG_CMD_ARG(DXGPU_CMD_NUM_ARGS));
}

/* The machine may cut a write in two: no writable register lies wholly inside. */
static bool ignored_register(uint64_t at, unsigned int bytes)
{
	uint64_t word;

	for (word = (at + 3) & ~3ull; word + 4 <= at + bytes; word += 4)
		if (writable_register(word))
			return false;
	return true;
}

/* Loops over a chain until told to stop; the first failure ends it. */
static int steady_worker(struct child_report *report, void *argument)
{
	char problem[200];
	struct kmt_session session;
	struct queue queue;
	struct chain chain;
	uint32_t lap = 0;

	(void)argument;
	if (kmt_session_open(&session, NULL, 0) ||
	    queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) ||
	    chain_create(&chain, &queue, STEPS))
		child_fail(report, "no queue");
	report->stage = STAGE_WORKING;
	while (!report->go) {
		if (chain_lap(&chain, ++lap, 3, WAIT_NS, problem, sizeof(problem)))
			child_fail(report, "lap %u: %s", lap, problem);
		report->values[0] = lap;
	}
	return 0;
}

static void under_driver(void)
{
	struct child_report *report = child_reports(1);
	uint64_t laps;
	char how[32];
	pid_t pid;

	pid = child_start(steady_worker, report, NULL, true, 180);
	if (!child_await(report, pid, STAGE_WORKING, 60000))
		bail("no worker: %s", report->problem);
	bars_map();
	sweep(&registers, ignored_register, 0x1000, 509);
	sweep(&doorbells, NULL, doorbells.bytes, 1);
	sweep(&status_region, NULL, status_region.bytes, 1);
	sweep(&msix, never, msix.bytes, 1);
	bars_unmap();
	laps = report->values[0];
	while (report->values[0] < laps + 2 && kill(pid, 0) == 0 && !report->problem[0])
		kmt_sleep_us(1000);
	report->go = 1;
	if (!ok(child_reap(pid, how, sizeof(how)),
		"a process that works meanwhile loses nothing (%s)", how))
		diag("%s", report->problem);
	diag("%llu laps meanwhile", (unsigned long long)laps);
	ok(works(), "nor does the next one");
}

/*
 * A value for a register that hurts: a command that exists, an id that may, now and
 * then anything. Never a page-table root in memory: what the device would do to the
 * guest's memory by its order is not the device's fault.
 */
static void storm_command(void)
{
	static const uint8_t opcodes[] = {
		DXGPU_CMD_SPACE_DESTROY, DXGPU_CMD_SPACE_INVALIDATE, DXGPU_CMD_CONTEXT_CREATE,
		DXGPU_CMD_CONTEXT_DESTROY, DXGPU_CMD_CONTEXT_SUSPEND, DXGPU_CMD_CONTEXT_RESUME,
		DXGPU_CMD_QUEUE_CREATE, DXGPU_CMD_QUEUE_REMOVE, DXGPU_CMD_QUEUE_KICK,
		DXGPU_CMD_DOORBELL_BIND, DXGPU_CMD_DOORBELL_UNBIND, DXGPU_CMD_SPACE_CREATE, 0x7f,
	};
	uint32_t opcode = opcodes[next_random() % sizeof(opcodes)];
	unsigned int i;

	for (i = 0; i < DXGPU_CMD_NUM_ARGS; i++)
		bar_write(&registers, DXGPU_REG_CMD_ARG(i), 8,
			  next_random() % 4 ? next_random() % 8 : next_random() << 12);
	if (opcode == DXGPU_CMD_SPACE_CREATE)
		bar_write(&registers, DXGPU_REG_CMD_ARG(1), 8, 1ull << 44);
	bar_write(&registers, DXGPU_REG_CMD, 4, opcode);
}

static void storm_interrupts(void)
{
	bar_write(&registers, DXGPU_REG_INT_CAUSE, 4, next_random());
	bar_write(&registers, DXGPU_REG_INT_ENABLE, 4, next_random());
}

static void storm_control(void)
{
	bar_write(&registers, DXGPU_REG_CONTROL, 4, next_random());
	kmt_sleep_us(200);
}

/* Any place and size, and doorbells. No command, whose arguments could be anything. */
static void storm_anywhere(void)
{
	uint64_t at = next_random() % 0x400;
	unsigned int bytes = 1u << next_random() % 4;

	if (ignored_register(at, bytes))
		bar_write(&registers, at, bytes, next_random());
	at = next_random() % doorbells.bytes & ~7ull;
	bar_write(&doorbells, at, 8, next_random());
	bar_write(&doorbells, at & ~4095ull, 8, next_random());
}

static void storm_all(void)
{
	uint64_t choice = next_random() % 1000;

	if (choice < 1)
		storm_control();
	else if (choice < 300)
		storm_interrupts();
	else if (choice < 600)
		storm_command();
	else
		storm_anywhere();
}

/* Works as well as it can, in sessions of its own, until it is killed. */
static int shaken_worker(struct child_report *report, void *argument)
{
	(void)argument;
	report->stage = STAGE_WORKING;
	while (!report->go) {
		char problem[200];
		struct kmt_session session;
		struct queue queue;
		struct chain chain;
		uint32_t lap = 0;

		report->values[0]++;
		if (kmt_session_open(&session, NULL, 0)) {
			kmt_sleep_us(2000);
			continue;
		}
		if (!queue_create(&queue, &session, session.context, QUEUE_RING_BYTES) &&
		    !chain_create(&chain, &queue, STEPS))
			while (!chain_lap(&chain, ++lap, 3, WAIT_NS / 600, problem,
					  sizeof(problem)) && lap < 50)
				report->values[1]++;
		close(session.fd);
	}
	return 0;
}

/* Unloading, once the last user's teardown is over. */
static bool unload(void)
{
	unsigned int waited;
	int error = EBUSY;

	for (waited = 0; waited < 30000 && error; waited += 20) {
		error = module_unload("dxgpu");
		if (error)
			kmt_sleep_us(20000);
	}
	if (!error)
		error = module_unload("dxgkrnl");
	if (error)
		diag("rmmod: errno %d", error);
	return !error;
}

static void storm(const char *name, void (*once)(void))
{
	struct child_report *reports = child_reports(2);
	uint64_t end, writes = 0;
	pid_t pids[2];
	char how[32];
	unsigned int i, killed = 0;

	bars_map();
	for (i = 0; i < 2; i++) {
		pids[i] = child_start(shaken_worker, &reports[i], NULL, true, 300);
		if (!child_await(&reports[i], pids[i], STAGE_WORKING, 30000))
			bail("no worker");
	}
	for (end = kmt_now_ns() + STORM_MS * 1000000ull; kmt_now_ns() < end; writes++)
		once();
	for (i = 0; i < 2; i++) {
		diag("%s, worker %u: %llu sessions, %llu good laps", name, i,
		     (unsigned long long)reports[i].values[0],
		     (unsigned long long)reports[i].values[1]);
		kill(pids[i], SIGKILL);
		child_reap(pids[i], how, sizeof(how));
		killed += !strcmp(how, "signal 9");
	}
	ok(killed == 2, "%s: after %llu random writes no process hangs", name,
	   (unsigned long long)writes);
	ok(reg(DXGPU_REG_MAGIC) == DXGPU_MAGIC, "%s: the device answers", name);
	bars_unmap();
	ok(unload(), "%s: the modules can be unloaded", name);
	ok(!module_load("dxgkrnl") && !module_load("dxgpu"), "%s: and loaded", name);
	ok(works(), "%s: then everything works", name);
}

int main(int argc, char **argv)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : (uint64_t)now.tv_nsec;
	diag("seed %llu", (unsigned long long)seed);
	if (!pci_find(address, sizeof(address)))
		bail("no dxgpu device on the bus");
	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	ok(works(), "it works before");
	without_driver();
	under_driver();
	storm("commands", storm_command);
	storm("interrupt registers", storm_interrupts);
	storm("resets", storm_control);
	storm("any place", storm_anywhere);
	storm("all of it", storm_all);
	if (!ok(counters_settle(baseline, 10000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
