// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The side channel as a guest sees it: by host.h, by the command dxg-host, by many at
 * once, and after askers that died; and what its verbs do with the device.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include "tap.h"
#include "driver/modules.h"
#include "host.h"

#define ASKERS	4
#define ASKS	25

static void test_get(void)
{
	char value[DXG_HOST_LINE_BYTES];

	ok(!dxg_host_get("slots", value, sizeof(value)) && !strcmp(value, "3"),
	   "get slots: 3 (%s)", value);
	ok(!dxg_host_get("stats.faults", value, sizeof(value)) && !strcmp(value, "0"),
	   "get stats.faults: 0 (%s)", value);
	ok(!dxg_host_get("stats", value, sizeof(value)) && *value == '{' &&
	   strstr(value, "\"fence_writes\": "), "get stats: all counters, as JSON");
	ok(dxg_host_get("nonsense", value, sizeof(value)) == -EREMOTEIO &&
	   strstr(value, "nonsense"), "get of no property: refused (%s)", value);
}

static void test_refused(void)
{
	char answer[DXG_HOST_LINE_BYTES], line[4096];

	ok(dxg_host_request("quit", answer, sizeof(answer)) == -EREMOTEIO &&
	   strstr(answer, "unplug"), "an unknown verb: the known ones are named (%s)", answer);
	ok(dxg_host_set("slots", "64") == -EREMOTEIO, "slots may not be set");
	ok(dxg_host_set("inject-nothing", "1") == -EREMOTEIO, "what is not there neither");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	ok(dxg_host_request(line, answer, sizeof(answer)) == -EREMOTEIO &&
	   strstr(answer, "1024"), "a line of 4095 bytes: refused (%s)", answer);
	ok(!dxg_host_request("ping", answer, sizeof(answer)) && !*answer, "and the next is served");
}

/* The command's exit code; its first line goes to text. */
static int command(const char *line, char *text, int bytes)
{
	FILE *pipe = popen(line, "r");

	if (!pipe || !fgets(text, bytes, pipe))
		*text = '\0';
	return pipe ? WEXITSTATUS(pclose(pipe)) : -1;
}

static void test_command(void)
{
	char text[512];

	ok(!command("dxg-host get slots", text, sizeof(text)) && !strcmp(text, "3\n"),
	   "dxg-host get slots: 3");
	ok(!command("dxg-host ping", text, sizeof(text)) && !*text, "dxg-host ping: nothing");
	ok(command("dxg-host nonsense 2>&1", text, sizeof(text)) == 1 &&
	   strstr(text, "dxg-host: no verb 'nonsense'"), "a refusal: exit code 1, the reason");
}

/* Asks are not mixed up, whoever asks. */
static void test_many(void)
{
	int i, j, status, good = 0;

	fflush(stdout);
	for (i = 0; i < ASKERS; i++) {
		char value[64], wanted[64], line[64];

		if (fork())
			continue;
		snprintf(wanted, sizeof(wanted), "no verb 'asker-%d'", i);
		snprintf(line, sizeof(line), "asker-%d", i);
		for (j = 0; j < ASKS; j++) {
			if (dxg_host_request(line, value, sizeof(value)) != -EREMOTEIO ||
			    strncmp(value, wanted, strlen(wanted)))
				_exit(1);
		}
		_exit(0);
	}
	for (i = 0; i < ASKERS; i++)
		good += wait(&status) > 0 && !status;
	ok(good == ASKERS, "%d processes, %d requests each: each had its own answer (%d)",
	   ASKERS, ASKS, good);
}

static void test_dead_askers(void)
{
	char answer[512];
	int i, wrong = 0;

	for (i = 0; i < 10; i++) {
		int fd = dxg_host_open();

		if (fd < 0 || write(fd, "dead get slots\n", 15) != 15)
			bail("cannot write to %s", DXG_HOST_PORT);
		close(fd);
		wrong += dxg_host_request("ping", answer, sizeof(answer)) || *answer;
	}
	ok(!wrong, "10 askers died before their answer: nobody else got it");
}

/* Is the function on the bus, now or within the time? */
static bool device_comes(bool there, int timeout_ms)
{
	char address[64];

	for (; pci_find(address, sizeof(address)) != there; timeout_ms -= 10) {
		if (timeout_ms <= 0)
			return false;
		poll(NULL, 0, 10);
	}
	return true;
}

static void test_plug(void)
{
	char answer[512];
	int error, round;

	for (round = 0; round < 2; round++) {
		error = dxg_host_request("unplug", answer, sizeof(answer));
		ok(!error && device_comes(false, 0), "unplug: the function is gone (%d %s)", error,
		   answer);
		ok(dxg_host_request("get slots", answer, sizeof(answer)) == -EREMOTEIO,
		   "and has no properties (%s)", answer);
		error = dxg_host_request("plug", answer, sizeof(answer));
		ok(!error && device_comes(true, 20000), "plug: it is back (%d %s)", error, answer);
		ok(!dxg_host_get("slots", answer, sizeof(answer)) && !strcmp(answer, "3"),
		   "with the same properties (%s)", answer);
		ok(dxg_host_request("plug", answer, sizeof(answer)) == -EREMOTEIO,
		   "plug again: refused (%s)", answer);
	}
}

int main(void)
{
	test_get();
	test_refused();
	test_command();
	test_many();
	test_dead_askers();
	test_plug();
	return done();
}
