// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A doorbell BAR for which there is no room: the device is plugged in behind a port
 * whose prefetchable window the firmware has made too small. The driver says which
 * BAR it is, how big, and what would help, in one line, and takes nothing; with the
 * port's pref64-reserve it works (docs/specs/dxgpu.rst, "Behind a root port").
 *
 *   driver-window none|fits
 *
 * The machine has a port rp1 on a host bridge of its own, with room for it or not.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "tap.h"
#include "debugfs.h"
#include "host.h"
#include "modules.h"
#include "queue.h"

#define CORES_WORDS	"probe with driver dxgpu failed"
#define WAIT_MS		60000u
#define CONFIG_BYTES	64u

static char address[64];

/* The adapter is to be had some time after the driver has told that it has it. */
static bool works(void)
{
	struct kmt_session session;
	unsigned int waited;
	struct queue queue;
	int32_t status;

	for (waited = 0;; waited += 20) {
		status = kmt_session_open(&session, NULL, 0);
		if (status != STATUS_DEVICE_REMOVED || waited >= WAIT_MS)
			break;
		kmt_sleep_us(20000);
	}
	if (!NT_SUCCESS(status)) {
		diag("session: status %#x", (uint32_t)status);
		return false;
	}
	status = queue_create(&queue, &session, session.context, QUEUE_RING_BYTES);
	if (NT_SUCCESS(status))
		status = queue_probe(&queue);
	if (NT_SUCCESS(status))
		status = queue_destroy(&queue);
	if (status != STATUS_SUCCESS)
		diag("queue: status %#x", (uint32_t)status);
	kmt_session_close(&session);
	return status == STATUS_SUCCESS;
}

static void host(const char *request)
{
	char answer[256];
	int error = dxg_host_request(request, answer, sizeof(answer));

	if (error)
		bail("%s: errno %d %s", request, -error, answer);
}

/* Does the driver get it, or lose it, in time? It has the device while it looks at it. */
static bool driver_bound(bool wanted)
{
	unsigned int waited;
	char path[160];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/dxgpu/%s", address);
	for (waited = 0; waited < WAIT_MS; waited += 20) {
		if ((access(path, F_OK) == 0) == wanted)
			return true;
		kmt_sleep_us(20000);
	}
	return false;
}

/* From here on: what is read of it is new. */
static int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		bail("/dev/kmsg: errno %d", errno);
	return fd;
}

/* The driver's new lines about the device, counted; the last of them in line. */
static unsigned int log_lines(int fd, char *line, size_t bytes)
{
	unsigned int count = 0;
	char record[2048], wanted[96];
	const char *text;
	ssize_t length;

	snprintf(wanted, sizeof(wanted), "dxgpu %s: ", address);
	while ((length = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (length <= 0)
			continue;
		record[length] = '\0';
		text = strchr(record, ';');
		/* Newer kernels say of each probe that fails that it did. */
		if (text && !strncmp(text + 1, wanted, strlen(wanted)) &&
		    strncmp(text + 1 + strlen(wanted), CORES_WORDS, strlen(CORES_WORDS))) {
			snprintf(line, bytes, "%.*s", (int)strcspn(text + 1, "\n"), text + 1);
			count++;
		}
	}
	return count;
}

/* The device is there, and the driver has taken it or has said why not. */
static unsigned int plug(const char *request, char *line, size_t bytes)
{
	unsigned int waited, lines = 0;
	int log = log_open();

	host(request);
	for (waited = 0; waited < WAIT_MS && !lines; waited += 20) {
		kmt_sleep_us(20000);
		if (pci_find(address, sizeof(address)))
			lines = log_lines(log, line, bytes);
	}
	/* A second line would come at once. */
	kmt_sleep_us(200000);
	lines += log_lines(log, line, bytes);
	close(log);
	return lines;
}

static void read_config(unsigned char config[CONFIG_BYTES])
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, config, CONFIG_BYTES) != CONFIG_BYTES)
		bail("%s: errno %d", path, errno);
	close(fd);
}

static bool regions_claimed(void)
{
	FILE *file = fopen("/proc/iomem", "re");
	bool found = false;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		found |= strstr(line, "dxgpu") != NULL;
	if (file)
		fclose(file);
	return found;
}

static void refused(const char *line, unsigned int lines, const char *how)
{
	if (!ok(lines == 1 && strstr(line, "BAR 2 (doorbells, 16777216 bytes)") &&
		strstr(line, "pref64-reserve=32M"),
		"%s: one line names the BAR, its size and the remedy", how))
		diag("%u lines: %s", lines, line);
	ok(driver_bound(false) && !regions_claimed(), "%s: the driver keeps nothing of it", how);
}

static void no_room(const char *first_line, unsigned int first_lines)
{
	unsigned char before[CONFIG_BYTES], after[CONFIG_BYTES];
	struct dxg_luid luid;
	uint32_t adapter;
	unsigned int lines;
	char line[512] = "";
	int fd, log, error;

	refused(first_line, first_lines, "plugged in");
	fd = open(DXG_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	ok(fd >= 0 && kmt_adapter_open(fd, &luid, &adapter) == STATUS_DEVICE_REMOVED,
	   "no process sees an adapter");
	close(fd);
	read_config(before);
	log = log_open();
	error = sysfs_write("/sys/bus/pci/drivers/dxgpu/bind", address, address);
	ok(error, "a second try fails as well (errno %d)", error);
	lines = log_lines(log, line, sizeof(line));
	refused(line, lines, "tried again");
	close(log);
	read_config(after);
	ok(!memcmp(before, after, CONFIG_BYTES), "the configuration space is as it was");
}

int main(int argc, char **argv)
{
	char baseline[DEBUGFS_TEXT_BYTES], last[DEBUGFS_TEXT_BYTES], line[512] = "";
	unsigned int lines;

	if (argc != 2 || (strcmp(argv[1], "none") && strcmp(argv[1], "fits")))
		bail("usage: driver-window none|fits");
	if (!ok(counters_read(baseline), "the driver tells its object counts"))
		bail("no /sys/kernel/debug/dxg/counters");
	ok(works(), "it works before");
	host("unplug");
	ok(!pci_find(address, sizeof(address)), "it is unplugged");
	lines = plug("plug rp1", line, sizeof(line));
	diag("%s", line);
	if (!strcmp(argv[1], "none")) {
		no_room(line, lines);
	} else {
		ok(driver_bound(true), "plugged in where room was reserved, the driver takes it");
		ok(works(), "and it works");
	}
	host("unplug");
	plug("plug", line, sizeof(line));
	ok(driver_bound(true) && works(), "back at its old place it works");
	if (!ok(counters_settle(baseline, 5000, last), "nothing is left"))
		diag("before: %s; after: %s", baseline, last);
	return done();
}
